//! DeleteTable: removes the table with its items and keys in memory, and retires DynamoDB's grant.

use serde_json::json;

use super::super::table::{Encryption, Phase};
use super::super::table_name::TableName;
use super::super::unlock::retire_grant;
use super::describe_table::{authorize, describe};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `DeleteTable`
pub struct DeleteTable(TableName);

impl Request for DeleteTable {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        TableName::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        authorize(cx, "dynamodb:DeleteTable", &self.0)?;
        let table = self.0.named_table(cx.account)?;
        if table.deletion_protection {
            return Err(Fault::invalid(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
            ));
        }
        let description = describe(cx.account, &table, Phase::Deleting)?;
        let (dynamodb, store) = cx.account.dynamodb_mut();
        dynamodb.remove_table(store, &table)?;
        cx.account.table_keys.forget(&table.id);
        if let Encryption::Kms { key_arn, grant_id, .. } = &table.encryption {
            retire_grant(cx, key_arn, grant_id)?;
        }
        Ok(json!({ "TableDescription": description }).into())
    }
}
