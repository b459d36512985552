//! TransactWriteItems: up to 100 writes and condition checks, over one or more tables, all of them or none.

use std::sync::Arc;

use serde_json::json;

use super::super::capacity::{Report, read_units};
use super::super::expression::update::Update;
use super::super::idempotency::TokenRequest;
use super::super::members::{facts, wants_metrics};
use super::super::table::Table;
use super::transact::{self, Action, CHECK, DELETE, PUT, UPDATE, Units};
use super::write::{self, Change, Conditional, Write};
use crate::policy::ConditionContext;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// `TransactWriteItems`
pub struct TransactWriteItems {
    actions: Vec<Action>,
    token: Option<String>,
    capacity: Later<Report>,
    facts: ConditionContext,
}

/// An action that fits the request's expressions. It may not fit its table, which cancels the transaction.
struct Checked {
    table: Arc<Table>,
    write: Result<Write, Fault>,
}

impl Request for TransactWriteItems {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let actions = Action::parse_all(members, &[&CHECK, &PUT, &DELETE, &UPDATE]);
        let capacity = Report::parse(members);
        // The sandbox has no metrics of batches and transactions.
        let _ = wants_metrics(members);
        let token = members.optional_str("ClientRequestToken", 1..=36);
        Ok(Self { actions: actions?, token: token?.map(str::to_owned), capacity, facts: facts(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        for action in &self.actions {
            action.authorize(cx, &self.facts, "TransactWriteItems")?;
        }
        let capacity = self.capacity?;
        let checked = self.actions.iter().map(|action| check(cx, action)).collect::<Result<Vec<_>, _>>()?;
        let writes = checked.iter().filter_map(|checked| checked.write.as_ref().ok());
        transact::check_duplicates(writes.map(|write| (&*write.table, &write.key)))?;
        let keys = transact::unlock_all(cx, checked.iter().map(|checked| &checked.table))?;
        let token = self.token.map(|token| TokenRequest::new(&token, cx.params));
        let mut output = json!({});
        if let Some(before) = token.as_ref().map(|token| token.remembered(cx.account)).transpose()?.flatten() {
            // The same call again reads the items, and is charged for that (API reference).
            Units(before.units).report(capacity, "ReadCapacityUnits", &mut output);
            return Ok(output.into());
        }
        let mut changes = Vec::new();
        for Checked { table, write } in checked {
            changes.push(write.and_then(|write| Ok((write.prepare(cx, &keys[&table.name])?, table))));
        }
        let changes: Vec<(Change, Arc<Table>)> = transact::all_or_nothing(changes)?;
        transact::check_sizes(changes.iter().map(|(change, _)| change.bytes()))?;
        let (mut read, mut written) = (Units::default(), Units::default());
        for (change, table) in &changes {
            change.store(cx, &keys[&table.name])?;
            written.count(&table.name, change.units());
            read.count(&table.name, read_units(change.bytes(), true));
        }
        if let Some(token) = token {
            token.remember(cx.account, read.0)?;
        }
        written.report(capacity, "WriteCapacityUnits", &mut output);
        Ok(output.into())
    }
}

/// Reads an action's expressions and its item, and fits it to its table.
fn check(cx: &Context<'_>, action: &Action) -> Result<Checked, Fault> {
    let expressions = &action.expressions;
    let with_values: &[&str] = match action.kind.member {
        "Update" => &["UpdateExpression", "ConditionExpression"],
        _ => &["ConditionExpression"],
    };
    let mut placeholders = expressions.placeholders(with_values, &[])?;
    let does = match action.kind.member {
        "Put" => write::Action::Put,
        "Delete" => write::Action::Delete,
        "ConditionCheck" => write::Action::Check,
        _ => {
            let text = expressions.text("UpdateExpression")?;
            write::Action::Update(text.map(|text| Update::parse(text, &mut placeholders)).transpose()?)
        }
    };
    let condition = expressions.condition("ConditionExpression", &mut placeholders)?;
    placeholders.finish()?;
    let given = action.given(cx)?;
    let table = action.table(cx)?;
    let conditional = Conditional { condition, return_old: action.return_old };
    Ok(Checked { write: Write::new(Arc::clone(&table), given, does, conditional), table })
}
