//! DeleteTable: the items, the keys in memory and the table go, and DynamoDB gives its grant back.

use serde_json::{Value, json};

use super::super::items::Items;
use super::super::request::TableRef;
use super::super::table::{Encryption, Phase};
use super::super::{TABLE, authorise, keyring};
use super::describe_table::describe;
use crate::policy::ConditionContext;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let target = TableRef::of(&engine.host, input)?;
    authorise(engine, ctx, "DeleteTable", &target.arn, &ConditionContext::default())?;
    let table = engine.dynamodb.named_table(&target)?;
    if table.deletion_protection {
        return Err(Fault::invalid(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
        ));
    }
    let description = describe(engine, &table, Phase::Deleting)?;
    Items::of(engine.host.store.connection(), &table.name).clear()?;
    engine.host.store.delete(TABLE, &table.name)?;
    engine.dynamodb.tables.remove(&table.name);
    engine.dynamodb.cache.forget(&table.id);
    if let Encryption::Kms { key_arn, grant_id, .. } = &table.encryption {
        keyring(engine, ctx).0.retire(key_arn, grant_id);
    }
    Ok(json!({ "TableDescription": description }))
}
