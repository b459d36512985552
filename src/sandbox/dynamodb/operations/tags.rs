//! TagResource, UntagResource and ListTagsOfResource.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::authorise;
use super::super::request::{self, TableRef, text};
use super::super::table::Table;
use crate::policy::ConditionContext;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

/// The most tags a table can have.
const MAX_TAGS: usize = 50;

pub fn tag(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let table = resource(engine, ctx, "TagResource", input)?;
    let mut changed = Table::clone(&table);
    changed.tags.extend(read_tags(input)?);
    check_count(changed.tags.len())?;
    engine.dynamodb.keep(&mut engine.host, changed)?;
    Ok(json!({}))
}

pub fn untag(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let table = resource(engine, ctx, "UntagResource", input)?;
    let keys = request::list(input, "TagKeys")?
        .filter(|keys| !keys.is_empty())
        .ok_or_else(|| Fault::invalid("Atleast one Tag Key needs to be provided as Input."))?;
    let mut changed = Table::clone(&table);
    changed.tags.retain(|key, _| !keys.iter().any(|given| given.as_str() == Some(key)));
    engine.dynamodb.keep(&mut engine.host, changed)?;
    Ok(json!({}))
}

/// All tags at once: there are at most fifty, so there is never a next page.
pub fn list(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let table = resource(engine, ctx, "ListTagsOfResource", input)?;
    let tags: Value = table.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

fn resource(engine: &mut Engine, ctx: &RequestContext, operation: &str, input: &Value) -> Result<Arc<Table>, Fault> {
    let arn = text(input, "ResourceArn")?.unwrap_or_default();
    if !arn.starts_with("arn:") {
        return Err(Fault::invalid(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")));
    }
    let target = TableRef::parse(&engine.host, arn)?;
    authorise(engine, ctx, operation, &target.arn, &ConditionContext::default())?;
    engine.dynamodb.find(&target).ok_or_else(|| {
        // The typing error is AWS's.
        let message = format!("Requested resource not found: ResourcArn: {arn} not found");
        Fault::service(400, "ResourceNotFoundException", message)
    })
}

/// Refuses more tags than a table can have.
pub fn check_count(count: usize) -> Result<(), Fault> {
    if count > MAX_TAGS {
        return Err(Fault::invalid("Too many tags: a table can have at most 50"));
    }
    Ok(())
}

/// A request's `Tags`.
pub fn read_tags(input: &Value) -> Result<BTreeMap<String, String>, Fault> {
    let mut tags = BTreeMap::new();
    for tag in request::list(input, "Tags")?.unwrap_or_default() {
        let key = text(tag, "Key")?.ok_or_else(|| Fault::invalid("The Tag Key provided is invalid, Key: null"))?;
        let value =
            text(tag, "Value")?.ok_or_else(|| Fault::invalid("The Tag Value provided is invalid, Value: null"))?;
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
