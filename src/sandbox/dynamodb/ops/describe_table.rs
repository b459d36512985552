//! DescribeTable.

use serde_json::{Value, json};

use super::super::items::Items;
use super::super::table::{Phase, Table};
use super::super::table_name::TableName;
use crate::policy::ConditionContext;
use crate::sandbox::account::Account;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `DescribeTable`
pub struct DescribeTable(TableName);

impl Request for DescribeTable {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        TableName::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        authorize(cx, "dynamodb:DescribeTable", &self.0)?;
        let table = self.0.named_table(cx.account)?;
        Ok(json!({ "Table": describe(cx.account, &table, Phase::Active)? }).into())
    }
}

/// Checks the permission for an action on a table without condition keys of its own.
///
/// # Errors
/// `AccessDeniedException`
pub fn authorize(cx: &mut Context<'_>, action: &str, table: &TableName) -> Result<(), Fault> {
    let arn = table.arn(cx.account);
    cx.authorize(action, Resource::Table(&arn), &ConditionContext::default())?;
    Ok(())
}

/// `TableDescription`, with the table's present size.
///
/// # Errors
/// When the database can't be read.
pub fn describe(account: &Account, table: &Table, phase: Phase) -> Result<Value, Fault> {
    let (items, bytes) = Items::of(account.store.connection(), &table.name).statistics()?;
    Ok(table.describe(phase, items, bytes, account.state.clock.epoch_seconds()))
}
