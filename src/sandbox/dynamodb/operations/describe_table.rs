//! DescribeTable, which is also where a lost or regained KMS key is noticed.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::authorise;
use super::super::items::Items;
use super::super::request::TableRef;
use super::super::table::{Phase, Table};
use crate::policy::ConditionContext;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::ApiError;
use crate::sandbox::kms::KeyState;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, ApiError> {
    let target = TableRef::of(&engine.host, input)?;
    authorise(engine, ctx, "DescribeTable", &target.arn, &ConditionContext::default())?;
    let table = engine.dynamodb.named_table(&target)?;
    let table = refresh(engine, table)?;
    Ok(json!({ "Table": describe(engine, &table, Phase::Active)? }))
}

/// Notices whether the table's KMS key can be used.
fn refresh(engine: &mut Engine, table: Arc<Table>) -> Result<Arc<Table>, ApiError> {
    let usable = table.encryption.key_arn().is_none_or(|arn| engine.kms.key_state(arn) == Some(KeyState::Enabled));
    let since = match (usable, table.inaccessible_since) {
        (true, _) => None,
        (false, Some(since)) => Some(since),
        (false, None) => Some(engine.host.clock.epoch_seconds()),
    };
    if since == table.inaccessible_since {
        return Ok(table);
    }
    let changed = Table { inaccessible_since: since, ..Table::clone(&table) };
    engine.dynamodb.keep(&mut engine.host, changed)
}

/// `TableDescription`, with the table's present size.
pub fn describe(engine: &Engine, table: &Table, phase: Phase) -> Result<Value, ApiError> {
    let (items, bytes) = Items::of(engine.host.store.connection(), &table.name).statistics()?;
    Ok(table.describe(phase, items, bytes))
}
