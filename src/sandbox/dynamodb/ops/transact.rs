//! What both transactions share: one action of the request, the keys of all tables, the reasons of a cancellation, and the
//! capacity of each table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::capacity::Report;
use super::super::key::Key;
use super::super::members::{Expressions, add_leading_keys};
use super::super::table::Table;
use super::super::table_keys::TableKeys;
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::{Item, item_from_json};
use super::batch_get_item::encoded;
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Members};
use crate::sandbox::service::Service;

/// The most actions in one transaction.
const MAX_ACTIONS: usize = 100;
/// The most bytes of items in one transaction (4 MB).
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One kind of action.
#[derive(Debug)]
pub struct Kind {
    /// The member that holds it.
    pub member: &'static str,
    /// `Item` or `Key`.
    given: &'static str,
    /// The permission it needs.
    permission: &'static str,
    /// The expression it has to have.
    expression: Option<&'static str>,
}

/// `Put`
pub static PUT: Kind = Kind { member: "Put", given: "Item", permission: "dynamodb:PutItem", expression: None };
/// `Delete`
pub static DELETE: Kind = Kind { member: "Delete", given: "Key", permission: "dynamodb:DeleteItem", expression: None };
/// `Update`
pub static UPDATE: Kind =
    Kind { member: "Update", given: "Key", permission: "dynamodb:UpdateItem", expression: Some("UpdateExpression") };
/// `ConditionCheck`
pub static CHECK: Kind = Kind {
    member: "ConditionCheck",
    given: "Key",
    permission: "dynamodb:ConditionCheckItem",
    expression: Some("ConditionExpression"),
};
/// `Get`
pub static GET: Kind = Kind { member: "Get", given: "Key", permission: "dynamodb:GetItem", expression: None };

/// One action of a transaction, as the request gives it.
pub struct Action {
    /// Its place in the request, from 0.
    index: usize,
    /// What it does.
    pub kind: &'static Kind,
    table: TableName,
    /// The expressions.
    pub expressions: Expressions,
    /// Whether a failed condition returns the item.
    pub return_old: bool,
}

impl Action {
    /// Reads `TransactItems`, all of them for their violations. `kinds` are the operation's.
    ///
    /// # Errors
    /// `SerializationException`, and `ValidationException` for an item without exactly one action.
    pub fn parse_all(members: &Members<'_>, kinds: &[&'static Kind]) -> Result<Vec<Self>, Fault> {
        match members.list("TransactItems")? {
            None => members.missing("TransactItems"),
            // AWS's message has Java's names of the items there. The items' content has no place in a log.
            Some(list) => {
                let shown = if list.is_empty() { "[]".to_owned() } else { format!("[{} items]", list.len()) };
                members.check_length("TransactItems", shown, list.len(), &(1..=MAX_ACTIONS));
                if list.len() > MAX_ACTIONS {
                    return Ok(Vec::new());
                }
            }
        }
        let items = members.structures("TransactItems", "")?;
        let parsed: Vec<_> = items.iter().enumerate().map(|(index, item)| Self::parse(index, item, kinds)).collect();
        parsed.into_iter().collect()
    }

    fn parse(index: usize, item: &Members<'_>, kinds: &[&'static Kind]) -> Result<Self, Fault> {
        let mut given = kinds.iter().filter(|kind| item.has(kind.member));
        let kind = match (given.next(), given.next(), kinds) {
            (Some(kind), None, _) => *kind,
            // A TransactGetItem has one member, which the model requires.
            (None, _, [only]) => {
                item.missing(only.member);
                only
            }
            // The first sentence is moto's, verified there on AWS; the second is as issue threads quote it.
            (Some(_), ..) => {
                return Err(Fault::invalid("TransactItems can only contain one of Check, Put, Update or Delete"));
            }
            (None, ..) => {
                return Err(Fault::invalid(
                    "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request",
                ));
            }
        };
        let Some(inner) = item.structure(kind.member)? else {
            return Err(Fault::invalid(format!("{} must be a structure", kind.member)));
        };
        let table = TableName::parse(&inner);
        inner.required_value(kind.given);
        if let Some(expression) = kind.expression
            && inner.text(expression)?.is_none()
        {
            inner.missing(expression);
        }
        let on_failure = inner.choice("ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"])?;
        let expressions = Expressions::parse(&inner);
        Ok(Self { index, kind, table: table?, expressions, return_old: on_failure == Some("ALL_OLD") })
    }

    /// Checks the permission for this action alone: AWS asks for each action's own, and for none of the transaction's
    /// (DynamoDB guide). `facts` are the condition keys of the request; `operation` becomes `dynamodb:EnclosingOperation`.
    ///
    /// # Errors
    /// `AccessDeniedException`
    pub fn authorize(&self, cx: &mut Context<'_>, facts: &ConditionContext, operation: &str) -> Result<(), Fault> {
        let mut facts = facts.clone();
        facts.set("dynamodb:EnclosingOperation", operation);
        add_leading_keys(&mut facts, self.table.find(cx.account).as_deref(), [self.json(cx)]);
        let arn = self.table.arn(cx.account);
        cx.authorize(self.kind.permission, Resource::Table(&arn), &facts)?;
        Ok(())
    }

    /// The table.
    ///
    /// # Errors
    /// `ResourceNotFoundException`
    pub fn table(&self, cx: &Context<'_>) -> Result<Arc<Table>, Fault> {
        self.table.table(cx.account)
    }

    /// The `Item` or `Key`.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn given(&self, cx: &Context<'_>) -> Result<Item, Fault> {
        item_from_json(self.json(cx))
    }

    fn json<'v>(&self, cx: &Context<'v>) -> &'v Value {
        let items = cx.params.member("TransactItems").and_then(Value::as_array);
        let item = items.and_then(|items| items.get(self.index)?.get(self.kind.member)?.get(self.kind.given));
        item.unwrap_or(&Value::Null)
    }
}

/// Refuses a transaction that names an item twice. An item whose key is not known has a reason of its own.
///
/// # Errors
/// `ValidationException`
pub fn check_duplicates<'k>(items: impl Iterator<Item = (&'k Table, &'k Key)>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (table, key) in items {
        if !seen.insert((&table.name, encoded(key))) {
            return Err(Fault::invalid("Transaction request cannot include multiple operations on one item"));
        }
    }
    Ok(())
}

/// The keys of all tables, by name: KMS is asked for each table, as the caller, before any item is read.
///
/// # Errors
/// KMS's in DynamoDB's words.
pub fn unlock_all<'t>(
    cx: &mut Context<'_>,
    tables: impl Iterator<Item = &'t Arc<Table>>,
) -> Result<BTreeMap<String, TableKeys>, Fault> {
    let mut keys = BTreeMap::new();
    for table in tables {
        if !keys.contains_key(&table.name) {
            keys.insert(table.name.clone(), unlock(cx, table)?);
        }
    }
    Ok(keys)
}

/// The results of all actions, if each has worked.
///
/// # Errors
/// `TransactionCanceledException` with a reason for each action, in their order; failures of the sandbox as they are.
pub fn all_or_nothing<T>(results: Vec<Result<T, Fault>>) -> Result<Vec<T>, Fault> {
    if results.iter().all(Result::is_ok) {
        return results.into_iter().collect();
    }
    let reasons = results.into_iter().map(|result| result.map_or_else(reason, |_| Ok(json!({ "Code": "None" }))));
    Err(canceled(reasons.collect::<Result<_, _>>()?))
}

/// Refuses items that are too large together; `sizes` are in bytes.
///
/// # Errors
/// `ValidationException`, which nubo-db's conformance suite has observed. Not proven: its text.
pub fn check_sizes(sizes: impl IntoIterator<Item = usize>) -> Result<(), Fault> {
    match sizes.into_iter().sum::<usize>() > MAX_BYTES {
        true => Err(Fault::invalid("The aggregate size of the items in the transaction exceeds 4 MB")),
        false => Ok(()),
    }
}

/// The reason that an action gives for a cancellation.
fn reason(fault: Fault) -> Result<Value, Fault> {
    let code = match fault.code(Service::DynamoDb) {
        "ConditionalCheckFailedException" => "ConditionalCheckFailed",
        "ValidationException" => "ValidationError",
        _ => return Err(fault),
    };
    let mut reason = json!({ "Code": code, "Message": fault.message(Service::DynamoDb) });
    if let Fault::Service { extra: Some(extra), .. } = fault
        && let Some(item) = extra.get("Item")
    {
        reason["Item"] = item.clone();
    }
    Ok(reason)
}

fn canceled(reasons: Vec<Value>) -> Fault {
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let extra = Map::from_iter([("CancellationReasons".to_owned(), Value::Array(reasons))]);
    Fault::Service {
        status: 400,
        code: "TransactionCanceledException",
        message: Some(message),
        extra: Some(Box::new(extra)),
    }
}

/// Capacity units by table, in the order of the request.
#[derive(Default)]
pub struct Units(pub Vec<(String, f64)>);

impl Units {
    /// Counts the units of one item. A transaction does each read and write twice (DynamoDB guide).
    pub fn count(&mut self, table: &str, units: f64) {
        match self.0.iter_mut().find(|(name, _)| name == table) {
            Some((_, sum)) => *sum += 2.0 * units,
            None => self.0.push((table.to_owned(), 2.0 * units)),
        }
    }

    /// The output's `ConsumedCapacity`, if asked for. `name` is `ReadCapacityUnits` or `WriteCapacityUnits`.
    pub fn report(self, report: Report, name: &str, output: &mut Value) {
        let entry = |(table, units): (String, f64)| {
            let mut entry = report.entry(&table, units)?;
            entry[name] = json!(units);
            if let Some(of_table) = entry.get_mut("Table") {
                of_table[name] = json!(units);
            }
            Some(entry)
        };
        let entries: Vec<Value> = self.0.into_iter().filter_map(entry).collect();
        if !entries.is_empty() {
            output["ConsumedCapacity"] = Value::Array(entries);
        }
    }
}
