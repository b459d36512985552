//! `TagResource`, `UntagResource`, `ListResourceTags`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::authorise::{Ask, Env, Naming};
use super::input::{Members, mismatch};
use super::model::Tag;
use super::page::Page;
use super::{Kms, errors};
use crate::sandbox::error::Fault;

/// Tags of one key.
const MAX_TAGS: usize = 50;

/// Reads the `Tags` member.
pub fn read(members: &mut Members) -> Result<Vec<Tag>, Fault> {
    read_list(members.list("Tags")?, members)
}

fn read_list(list: &[Value], members: &mut Members) -> Result<Vec<Tag>, Fault> {
    let mut tags = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        let item = item.as_object().ok_or_else(|| mismatch(item, "a Structure"))?;
        let mut part = |name: &str, max: usize, min: usize| {
            let value = item.get(name).unwrap_or(&Value::Null);
            let text = match value {
                Value::Null => None,
                Value::String(text) => Some(text.as_str()),
                _ => return Err(mismatch(value, "a String")),
            };
            let at = format!("tags.{}.member.{}{}", index + 1, name[..1].to_ascii_lowercase(), &name[1..]);
            let length = text.map(|text| text.chars().count());
            match length {
                None => members.violation("null", &at, "Member must not be null"),
                Some(n) if n > max => {
                    let constraint = format!("Member must have length less than or equal to {max}");
                    members.violation(text.unwrap_or_default(), &at, &constraint);
                }
                Some(n) if n < min => {
                    let constraint = format!("Member must have length greater than or equal to {min}");
                    members.violation(text.unwrap_or_default(), &at, &constraint);
                }
                Some(_) => {}
            }
            Ok(text.unwrap_or_default().to_owned())
        };
        tags.push(Tag { key: part("TagKey", 128, 1)?, value: part("TagValue", 256, 0)? });
    }
    Ok(tags)
}

/// Checks the tags of a key together.
///
/// # Errors
/// `TagException`, with the messages that LocalStack's tests recorded on AWS.
pub fn check(tags: &[Tag]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    if tags.iter().any(|tag| !seen.insert(&tag.key)) {
        return Err(errors::tag("Duplicate tag keys"));
    }
    if tags.iter().any(|tag| tag.key.to_lowercase().starts_with("aws:")) {
        return Err(errors::tag("Tags beginning with aws: are reserved"));
    }
    if tags.len() > MAX_TAGS {
        return Err(errors::tag("Too many tags"));
    }
    Ok(())
}

/// `aws:RequestTag/…` and `aws:TagKeys`.
pub fn request_facts<'a>(ask: Ask<'a>, tags: &[Tag]) -> Ask<'a> {
    let ask = ask.facts("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()));
    tags.iter().fold(ask, |ask, tag| ask.fact(&format!("aws:RequestTag/{}", tag.key), tag.value.as_str()))
}

pub fn tag_resource(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let list = members.needed_list("Tags")?;
    let new = read_list(list, &mut members)?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &request_facts(Ask::to("kms:TagResource"), &new))?;
    let key = kms.key(&id)?;
    key.check_changeable()?;
    check(&new)?;
    let mut tags = key.record.tags.clone();
    for tag in new {
        match tags.iter_mut().find(|known| known.key == tag.key) {
            Some(known) => *known = tag,
            None => tags.push(tag),
        }
    }
    check(&tags)?;
    kms.change_key(env.host, &id, |record| record.tags = tags)?;
    Ok(json!({}))
}

pub fn untag_resource(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    members.needed_list("TagKeys")?;
    let names = members.texts("TagKeys")?;
    members.finish()?;
    let ask = Ask::to("kms:UntagResource").facts("aws:TagKeys", names.iter().map(|name| (*name).to_owned()));
    let id = kms.permitted(env, key, Naming::KeyOnly, &ask)?;
    kms.key(&id)?.check_changeable()?;
    kms.change_key(env.host, &id, |record| record.tags.retain(|tag| !names.contains(&tag.key.as_str())))?;
    Ok(json!({}))
}

pub fn list_resource_tags(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let page = Page::read(&mut members, 1..=1000, 50)?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:ListResourceTags"))?;
    let entry = |tag: &Tag| (tag.key.clone(), json!({ "TagKey": tag.key, "TagValue": tag.value }));
    Ok(page.answer("Tags", kms.key(&id)?.record.tags.iter().map(entry)))
}
