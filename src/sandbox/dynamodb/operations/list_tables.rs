//! ListTables.

use std::ops::Bound;

use serde_json::{Value, json};

use super::super::authorise;
use super::super::request;
use crate::policy::ConditionContext;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

/// The most names in one answer.
const MAX_NAMES: u64 = 100;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    authorise(engine, ctx, "ListTables", "*", &ConditionContext::default())?;
    let limit = request::count(input, "Limit")?.unwrap_or(MAX_NAMES);
    let start = match request::text(input, "ExclusiveStartTableName")? {
        Some(name) => Bound::Excluded(name.to_owned()),
        None => Bound::Unbounded,
    };
    let mut names = engine.dynamodb.tables.range((start, Bound::Unbounded)).map(|(name, _)| name.clone());
    let page: Vec<String> = names.by_ref().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    let mut output = json!({ "TableNames": page });
    if let (Some(_), Some(last)) = (names.next(), page.last()) {
        output["LastEvaluatedTableName"] = json!(last);
    }
    Ok(output)
}
