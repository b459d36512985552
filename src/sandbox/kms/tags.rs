//! `TagResource`, `UntagResource`, `ListResourceTags`.

use std::collections::BTreeSet;

use serde_json::json;

use super::error::KmsError;
use super::key_id::KeyId;
use super::model::Tag;
use super::page::Page;
use crate::policy::ConditionContext;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// Tags of one key.
const MAX_TAGS: usize = 50;

/// Reads the `Tags` member; absent is empty.
///
/// # Errors
/// `SerializationException`
pub fn parse(members: &Members<'_>) -> Result<Vec<Tag>, Fault> {
    let tag = |members: &Members<'_>| {
        let part = |name, length| {
            let text = members.optional_str(name, length)?;
            if text.is_none() {
                members.missing(name);
            }
            Ok::<_, Fault>(text.unwrap_or_default().to_owned())
        };
        Ok(Tag { key: part("TagKey", 1..=128)?, value: part("TagValue", 0..=256)? })
    };
    members.structures("Tags", "TagKey")?.iter().map(tag).collect()
}

/// Checks the tags of a key together.
///
/// # Errors
/// `TagException`, with the messages that LocalStack's tests recorded on AWS.
pub fn check(tags: &[Tag]) -> Result<(), KmsError> {
    let mut seen = BTreeSet::new();
    let message = if tags.iter().any(|tag| !seen.insert(&tag.key)) {
        "Duplicate tag keys"
    } else if tags.iter().any(|tag| tag.key.to_lowercase().starts_with("aws:")) {
        "Tags beginning with aws: are reserved"
    } else if tags.len() > MAX_TAGS {
        "Too many tags"
    } else {
        return Ok(());
    };
    Err(KmsError::Tag(message.to_owned()))
}

/// `aws:RequestTag/…` and `aws:TagKeys`.
pub fn request_facts(tags: &[Tag]) -> ConditionContext {
    let mut facts = ConditionContext::default();
    for tag in tags {
        facts.add("aws:TagKeys", &tag.key).add(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    facts
}

/// `TagResource`
pub struct TagResource {
    key: KeyId,
    tags: Vec<Tag>,
}

impl Request for TagResource {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let key = KeyId::parse_key_only(members, "KeyId")?;
        members.required_list("Tags", 0..=usize::MAX)?;
        Ok(Self { key, tags: parse(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key_with(&self.key, "kms:TagResource", &request_facts(&self.tags))?;
        key.check_changeable()?;
        check(&self.tags)?;
        let mut tags = key.record.tags.clone();
        for tag in self.tags {
            match tags.iter_mut().find(|known| known.key == tag.key) {
                Some(known) => *known = tag,
                None => tags.push(tag),
            }
        }
        check(&tags)?;
        Ok(cx.change_key(&key, |record| record.tags = tags)?)
    }
}

/// `UntagResource`
pub struct UntagResource {
    key: KeyId,
    names: Vec<String>,
}

impl Request for UntagResource {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let key = KeyId::parse_key_only(members, "KeyId")?;
        members.required_list("TagKeys", 0..=usize::MAX)?;
        Ok(Self { key, names: members.texts("TagKeys")?.into_iter().map(str::to_owned).collect() })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut asked = ConditionContext::default();
        for name in &self.names {
            asked.add("aws:TagKeys", name);
        }
        let key = cx.key_with(&self.key, "kms:UntagResource", &asked)?;
        key.check_changeable()?;
        let keep = |tag: &Tag| !self.names.contains(&tag.key);
        Ok(cx.change_key(&key, |record| record.tags.retain(keep))?)
    }
}

/// `ListResourceTags`
pub struct ListResourceTags {
    key: KeyId,
    page: Page,
}

impl Request for ListResourceTags {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { key: KeyId::parse_key_only(members, "KeyId")?, page: Page::parse(members, 1..=1000, 50)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.key, "kms:ListResourceTags")?;
        let entry = |tag: &Tag| (tag.key.clone(), json!({ "TagKey": tag.key, "TagValue": tag.value }));
        Ok(self.page.output("Tags", key.record.tags.iter().map(entry)).into())
    }
}
