//! TransactGetItems: up to 100 items by their keys, over one or more tables, as they are at one time.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::capacity::{Report, read_units};
use super::super::expression::projection::Projection;
use super::super::items::Items;
use super::super::key::Key;
use super::super::members::facts;
use super::super::table::Table;
use super::super::value::{item_size, item_to_json};
use super::transact::{self, Action, GET, Units};
use crate::policy::ConditionContext;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// `TransactGetItems`
pub struct TransactGetItems {
    actions: Vec<Action>,
    capacity: Later<Report>,
    facts: ConditionContext,
}

/// An item to read. A key that doesn't fit its table cancels the transaction.
struct Checked {
    table: Arc<Table>,
    key: Result<Key, Fault>,
    projection: Option<Projection>,
}

impl Request for TransactGetItems {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let actions = Action::parse_all(members, &[&GET]);
        let capacity = Report::parse(members);
        Ok(Self { actions: actions?, capacity, facts: facts(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        for action in &self.actions {
            action.authorize(cx, &self.facts, "TransactGetItems")?;
        }
        let capacity = self.capacity?;
        let checked = self.actions.iter().map(|action| check(cx, action)).collect::<Result<Vec<_>, _>>()?;
        let known = checked.iter().filter_map(|get| Some((&*get.table, get.key.as_ref().ok()?)));
        transact::check_duplicates(known)?;
        let keys = transact::unlock_all(cx, checked.iter().map(|get| &get.table))?;
        let mut found = Vec::new();
        for Checked { table, key, projection } in checked {
            let rows = Items::of(cx.account.store.connection(), &table.name);
            let keys = &keys[&table.name];
            let item = key.and_then(|key| rows.read(keys, &keys.row_key(&key)));
            found.push(item.map(|item| (table, item, projection)));
        }
        let found = transact::all_or_nothing(found)?;
        let sizes: Vec<usize> = found.iter().map(|(_, item, _)| item.as_ref().map_or(0, item_size)).collect();
        transact::check_sizes(sizes.iter().copied())?;
        let mut units = Units::default();
        let mut responses = Vec::new();
        for ((table, item, projection), size) in found.into_iter().zip(sizes) {
            units.count(&table.name, read_units(size, true));
            let item = item.map(|item| projection.map_or(item.clone(), |projection| projection.apply(&item)));
            responses.push(item.map_or(json!({}), |item| json!({ "Item": item_to_json(&item) })));
        }
        let mut output = json!({ "Responses": Value::Array(responses) });
        units.report(capacity, "ReadCapacityUnits", &mut output);
        Ok(output.into())
    }
}

fn check(cx: &Context<'_>, action: &Action) -> Result<Checked, Fault> {
    let mut placeholders = action.expressions.placeholders(&[], &["ProjectionExpression"])?;
    let projection = action.expressions.projection(&mut placeholders)?;
    placeholders.finish()?;
    let given = action.given(cx)?;
    let table = action.table(cx)?;
    Ok(Checked { key: table.schema.key_from(&given), table, projection })
}
