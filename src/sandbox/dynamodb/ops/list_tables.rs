//! ListTables.

use std::ops::Bound;

use serde_json::json;

use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// The most names in one response.
const MAX_NAMES: i64 = 100;

/// `ListTables`
pub struct ListTables {
    start: Later<Option<String>>,
    limit: Later<Option<i64>>,
}

impl Request for ListTables {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let start = members.text("ExclusiveStartTableName").map(|name| name.map(str::to_owned));
        if let Ok(Some(name)) = &start
            && !name.starts_with("arn:")
            && let Some(rule) = super::super::table_name::broken_rule(name)
        {
            members.violation("ExclusiveStartTableName", name, rule);
        }
        Ok(Self { start, limit: members.integer("Limit", 1..=MAX_NAMES) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.authorize("dynamodb:ListTables", Resource::Table("*"), &ConditionContext::default())?;
        let limit = usize::try_from(self.limit?.unwrap_or(MAX_NAMES)).unwrap_or_default(); // 1..=100
        let start = self.start?.map_or(Bound::Unbounded, Bound::Excluded);
        let mut names = cx.account.state.dynamodb.tables.range((start, Bound::Unbounded)).map(|(name, _)| name);
        let page: Vec<&String> = names.by_ref().take(limit).collect();
        let mut output = json!({ "TableNames": page });
        if let (Some(_), Some(last)) = (names.next(), page.last()) {
            output["LastEvaluatedTableName"] = json!(last);
        }
        Ok(output.into())
    }
}
