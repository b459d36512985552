//! DescribeTimeToLive and UpdateTimeToLive.

use serde_json::json;

use super::super::table::Table;
use super::super::table_name::TableName;
use super::super::time_to_live::TimeToLive;
use super::describe_table::authorize;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `DescribeTimeToLive`
pub struct DescribeTimeToLive(TableName);

impl Request for DescribeTimeToLive {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        TableName::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        authorize(cx, "dynamodb:DescribeTimeToLive", &self.0)?;
        let table = self.0.named_table(cx.account)?;
        let description = match table.time_to_live.as_ref().filter(|setting| setting.enabled) {
            Some(setting) => json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": setting.attribute }),
            None => json!({ "TimeToLiveStatus": "DISABLED" }),
        };
        Ok(json!({ "TimeToLiveDescription": description }).into())
    }
}

/// `UpdateTimeToLive`. It takes effect at once; AWS takes up to an hour.
pub struct UpdateTimeToLive {
    table: TableName,
    attribute: String,
    enabled: bool,
}

impl Request for UpdateTimeToLive {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        let (mut enabled, mut attribute) = (None, "");
        match members.structure("TimeToLiveSpecification")? {
            None => members.missing("TimeToLiveSpecification"),
            Some(specification) => {
                enabled = specification.flag("Enabled")?;
                if enabled.is_none() {
                    specification.missing("Enabled");
                }
                attribute = specification.str("AttributeName", 1..=255)?;
            }
        }
        Ok(Self { table: table?, attribute: attribute.to_owned(), enabled: enabled.unwrap_or_default() })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        authorize(cx, "dynamodb:UpdateTimeToLive", &self.table)?;
        let table = self.table.named_table(cx.account)?;
        let now = cx.account.state.clock.epoch_seconds();
        let output = json!({
            "TimeToLiveSpecification": { "Enabled": self.enabled, "AttributeName": self.attribute },
        });
        let setting = TimeToLive::change(table.time_to_live.as_ref(), self.attribute, self.enabled, now)?;
        let (dynamodb, store) = cx.account.dynamodb_mut();
        dynamodb.put_table(store, Table { time_to_live: Some(setting), ..Table::clone(&table) })?;
        Ok(output.into())
    }
}
