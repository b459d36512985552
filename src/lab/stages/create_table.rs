//! Stage 3: a table encrypted under the key, with three items.

use serde_json::Value;

use crate::lab::model::operation::{Identity, Operation, TableKey};
use crate::lab::model::until::Until;

use super::def::{Calls, Kind, Missing, Planned, Scans, Sources, StageDef, Step, as_admin};
use super::evidence::{Evidence, Observed};
use super::items::items;

pub(super) const CREATE_TABLE: StageDef = StageDef {
    key: "create_table",
    kind: Kind::Creates,
    starts_over: false,
    scans: Scans::Nobody,
    steps: &[
        Step::new(&[Planned::admin("dynamodb:CreateTable")], |sources| {
            let names = sources.names;
            let key = TableKey::Customer(sources.facts.key_arn().ok_or(Missing::Key)?.to_owned());
            as_admin([Operation::CreateTable { table: names.table.clone(), key, tags: names.tags() }])
        })
        // DynamoDB asks another part of KMS than the one that made the key.
        .until(Until::KeyKnown),
        Step::new(&[Planned::admin("dynamodb:DescribeTable")], describe).until(Until::TableActive),
        Step::new(&[Planned::admin("dynamodb:PutItem ×3")], |sources| put(sources, 0)),
        Step::new(&[], |sources| put(sources, 1)),
        Step::new(&[], |sources| put(sources, 2)),
    ],
    verify: &[Step::new(&[], describe)],
    notice: &[Step::new(&[], describe).until(Until::TableActive), Step::new(&[], scan).tolerant()],
    highlight: [&["DescribeTable"]; 2],
    expect,
    forget: |facts, _| facts.table = None,
};

fn describe(sources: &Sources<'_>) -> Calls {
    as_admin([Operation::DescribeTable { table: sources.names.table.clone() }])
}

fn scan(sources: &Sources<'_>) -> Calls {
    as_admin([Operation::Scan { table: sources.names.table.clone() }])
}

fn put(sources: &Sources<'_>, index: usize) -> Calls {
    let item = items().into_iter().nth(index);
    as_admin(item.map(|item| Operation::PutItem { table: sources.names.table.clone(), item }))
}

fn expect(evidence: &Evidence<'_>) -> Observed {
    let facts = evidence.facts;
    let table = facts.table.as_ref().ok_or("no table description came back")?;
    let status = facts.table_status().unwrap_or("missing");
    let key = table.pointer("/SSEDescription/KMSMasterKeyArn").and_then(Value::as_str);
    let put = evidence.exchanges.iter().filter(|e| e.operation.name() == "PutItem" && e.is_allowed()).count();
    let items = items().len();
    // Another client may have put its own.
    let put = put.max(evidence.found(Identity::Admin));
    let names_key = key.is_some() && key == facts.key_arn();
    let encryption = match key {
        Some(_) if names_key => "SSEDescription names the key".to_owned(),
        Some(other) => format!("SSEDescription names another key, {other}"),
        None => "there is no SSEDescription with a key".to_owned(),
    };
    let observed = format!("table {status}, {encryption}, {put} of {items} items put");
    if status == "ACTIVE" && names_key && put >= items { Ok(observed) } else { Err(observed) }
}
