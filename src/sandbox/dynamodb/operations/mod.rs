//! The operations, one file each.

mod batch_get_item;
mod batch_write_item;
mod conditional;
mod create_table;
mod delete_item;
mod delete_table;
mod describe_table;
mod facts;
mod get_item;
mod list_tables;
mod page;
mod put_item;
mod query;
mod scan;
mod tags;
mod update_item;
mod update_table;

use serde_json::{Value, json};

use super::request::TableRef;
use super::{authorise, shape, shapes};
use crate::policy::ConditionContext;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;
use crate::sandbox::service::Service;

/// Runs the operation of this name.
pub fn run(engine: &mut Engine, ctx: &RequestContext, operation: &str, input: &Value) -> Result<Value, Fault> {
    shape::check(shapes::of(operation), input)?;
    match operation {
        "BatchGetItem" => batch_get_item::run(engine, ctx, input),
        "BatchWriteItem" => batch_write_item::run(engine, ctx, input),
        "CreateTable" => create_table::run(engine, ctx, input),
        "DeleteItem" => delete_item::run(engine, ctx, input),
        "DeleteTable" => delete_table::run(engine, ctx, input),
        "DescribeContinuousBackups" => describe_continuous_backups(engine, ctx, input),
        "DescribeTable" => describe_table::run(engine, ctx, input),
        "DescribeTimeToLive" => describe_time_to_live(engine, ctx, input),
        "GetItem" => get_item::run(engine, ctx, input),
        "ListTables" => list_tables::run(engine, ctx, input),
        "ListTagsOfResource" => tags::list(engine, ctx, input),
        "PutItem" => put_item::run(engine, ctx, input),
        "Query" => query::run(engine, ctx, input),
        "Scan" => scan::run(engine, ctx, input),
        "TagResource" => tags::tag(engine, ctx, input),
        "UntagResource" => tags::untag(engine, ctx, input),
        "UpdateItem" => update_item::run(engine, ctx, input),
        "UpdateTable" => update_table::run(engine, ctx, input),
        _ => Err(crate::sandbox::catalog::unknown(Service::DynamoDb, operation)),
    }
}

/// Time to live can't be switched on in the sandbox, so it is off.
fn describe_time_to_live(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    known_table(engine, ctx, "DescribeTimeToLive", input)?;
    Ok(json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "DISABLED" } }))
}

/// The sandbox makes no backups, and says so.
fn describe_continuous_backups(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    known_table(engine, ctx, "DescribeContinuousBackups", input)?;
    Ok(json!({
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "DISABLED",
            "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
        }
    }))
}

fn known_table(engine: &mut Engine, ctx: &RequestContext, operation: &str, input: &Value) -> Result<(), Fault> {
    let table = TableRef::of(&engine.host, input)?;
    authorise(engine, ctx, operation, &table.arn, &ConditionContext::default())?;
    engine.dynamodb.named_table(&table).map(|_| ())
}
