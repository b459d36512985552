//! TagResource, UntagResource and ListTagsOfResource.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::table::Table;
use super::super::table_name::TableName;
use super::describe_table::authorize;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// The most tags a table can have.
const MAX_TAGS: usize = 50;

/// Reads `ResourceArn`.
fn parse_resource(members: &Members<'_>) -> Result<TableName, Fault> {
    let arn = members.str("ResourceArn", 1..=1283)?;
    if !arn.starts_with("arn:") {
        return Err(Fault::invalid(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")));
    }
    TableName::from_text(arn)
}

/// The table, if the caller is allowed `action` on it.
fn tagged_table(cx: &mut Context<'_>, action: &str, name: &TableName) -> Result<Arc<Table>, Fault> {
    authorize(cx, action, name)?;
    name.find(cx.account).ok_or_else(|| {
        // The typing error is AWS's.
        let message = format!("Requested resource not found: ResourcArn: {} not found", name.arn(cx.account));
        Fault::service(400, "ResourceNotFoundException", message)
    })
}

/// `TagResource`
pub struct TagResource {
    table: TableName,
    tags: Later<BTreeMap<String, String>>,
}

impl Request for TagResource {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = parse_resource(members);
        if !members.has("Tags") {
            members.missing("Tags");
        }
        let tags = parse_tags(members);
        Ok(Self { table: table?, tags })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut table = Table::clone(&*tagged_table(cx, "dynamodb:TagResource", &self.table)?);
        table.tags.extend(self.tags?);
        check_count(table.tags.len())?;
        let (dynamodb, store) = cx.account.dynamodb_mut();
        dynamodb.put_table(store, table)?;
        Ok(json!({}).into())
    }
}

/// `UntagResource`
pub struct UntagResource {
    table: TableName,
    keys: Later<Vec<String>>,
}

impl Request for UntagResource {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = parse_resource(members);
        Ok(Self { keys: parse_keys(members), table: table? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut table = Table::clone(&*tagged_table(cx, "dynamodb:UntagResource", &self.table)?);
        let keys = self.keys?;
        if keys.is_empty() {
            return Err(Fault::invalid("Atleast one Tag Key needs to be provided as Input."));
        }
        table.tags.retain(|key, _| !keys.contains(key));
        let (dynamodb, store) = cx.account.dynamodb_mut();
        dynamodb.put_table(store, table)?;
        Ok(json!({}).into())
    }
}

/// `TagKeys`
fn parse_keys(members: &Members<'_>) -> Later<Vec<String>> {
    members.required_list("TagKeys", 0..=200)?;
    let keys = members.texts("TagKeys")?;
    for (index, key) in keys.iter().enumerate() {
        members.check_length(&format!("TagKeys.{}.member", index + 1), key, key.len(), &(1..=128));
    }
    Ok(keys.into_iter().map(str::to_owned).collect())
}

/// `ListTagsOfResource`. Returns all tags at once: there are at most fifty.
pub struct ListTagsOfResource(TableName);

impl Request for ListTagsOfResource {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        parse_resource(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let table = tagged_table(cx, "dynamodb:ListTagsOfResource", &self.0)?;
        let tags: Value = table.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        Ok(json!({ "Tags": tags }).into())
    }
}

/// Refuses more tags than a table can have.
///
/// # Errors
/// `ValidationException`
pub fn check_count(count: usize) -> Result<(), Fault> {
    if count > MAX_TAGS {
        return Err(Fault::invalid("Too many tags: a table can have at most 50"));
    }
    Ok(())
}

/// A request's `Tags`; absent is empty.
///
/// # Errors
/// `ValidationException`, `SerializationException`.
pub fn parse_tags(members: &Members<'_>) -> Later<BTreeMap<String, String>> {
    if let Some(list) = members.list("Tags")? {
        members.check_length("Tags", members.required_value("Tags"), list.len(), &(0..=200));
    }
    let given = members.structures("Tags", "Key")?.into_iter();
    let given: Vec<_> =
        given.map(|tag| (tag.optional_str("Key", 1..=128), tag.optional_str("Value", 0..=256))).collect();
    let mut tags = BTreeMap::new();
    for (key, value) in given {
        let key = key?.ok_or_else(|| Fault::invalid("The Tag Key provided is invalid, Key: null"))?;
        let value = value?.ok_or_else(|| Fault::invalid("The Tag Value provided is invalid, Value: null"))?;
        if key.starts_with("aws:") {
            return Err(Fault::invalid(
                "One or more parameter values were invalid: tag keys starting with aws: are reserved",
            ));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Fault::invalid(format!("Duplicate tag key: {key}")));
        }
    }
    Ok(tags)
}
