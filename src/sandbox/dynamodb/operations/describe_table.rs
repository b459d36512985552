//! DescribeTable.

use serde_json::{Value, json};

use super::super::authorise;
use super::super::items::Items;
use super::super::request::TableRef;
use super::super::table::{Phase, Table};
use crate::policy::ConditionContext;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let target = TableRef::of(&engine.host, input)?;
    authorise(engine, ctx, "DescribeTable", &target.arn, &ConditionContext::default())?;
    let table = engine.dynamodb.named_table(&target)?;
    Ok(json!({ "Table": describe(engine, &table, Phase::Active)? }))
}

/// `TableDescription`, with the table's present size.
pub fn describe(engine: &Engine, table: &Table, phase: Phase) -> Result<Value, Fault> {
    let (items, bytes) = Items::of(engine.host.store.connection(), &table.name).statistics()?;
    Ok(table.describe(phase, items, bytes, engine.host.clock.epoch_seconds()))
}
