//! DescribeContinuousBackups and UpdateContinuousBackups.

use serde_json::json;

use super::super::recovery::{self, Recovery};
use super::super::table::Table;
use super::super::table_name::TableName;
use super::describe_table::authorize;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// How far recovery reaches back when the request doesn't say, in days; also the most.
const MOST_DAYS: i64 = 35;

/// `DescribeContinuousBackups`
pub struct DescribeContinuousBackups(TableName);

impl Request for DescribeContinuousBackups {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        TableName::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        authorize(cx, "dynamodb:DescribeContinuousBackups", &self.0)?;
        let table = self.0.named_table(cx.account)?;
        Ok(output(cx, &table))
    }
}

/// `UpdateContinuousBackups`
pub struct UpdateContinuousBackups {
    table: TableName,
    enabled: bool,
    days: Later<Option<i64>>,
}

impl Request for UpdateContinuousBackups {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        let mut enabled = None;
        let mut days = Ok(None);
        match members.structure("PointInTimeRecoverySpecification")? {
            None => members.missing("PointInTimeRecoverySpecification"),
            Some(specification) => {
                enabled = specification.flag("PointInTimeRecoveryEnabled")?;
                if enabled.is_none() {
                    specification.missing("PointInTimeRecoveryEnabled");
                }
                days = specification.integer("RecoveryPeriodInDays", 1..=MOST_DAYS);
            }
        }
        Ok(Self { table: table?, enabled: enabled.unwrap_or_default(), days })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        authorize(cx, "dynamodb:UpdateContinuousBackups", &self.table)?;
        let days = u32::try_from(self.days?.unwrap_or(MOST_DAYS)).unwrap_or_default();
        let Some(table) = self.table.find(cx.account) else {
            let message = format!("Table not found: {}", self.table.name);
            return Err(Fault::service(400, "TableNotFoundException", message));
        };
        let since = table.recovery.map_or(cx.account.state.clock.epoch_seconds(), |recovery| recovery.since);
        let recovery = self.enabled.then_some(Recovery { since, days });
        let (dynamodb, store) = cx.account.dynamodb_mut();
        let table = dynamodb.put_table(store, Table { recovery, ..Table::clone(&table) })?;
        Ok(output(cx, &table))
    }
}

fn output(cx: &Context<'_>, table: &Table) -> Output {
    let description = recovery::describe(table.recovery, cx.account.state.clock.epoch_seconds());
    json!({ "ContinuousBackupsDescription": description }).into()
}
