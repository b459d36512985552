//! A report for programs. `assets/guide/why.md` documents it.

use serde_json::{Value, json};

use super::evidence::Part;
use super::judge::{Lock, Rung};
use super::{Report, Verdict};
use crate::lab::feature::insight::ladder;
use crate::lab::model::redact::redact;

/// The version of the document. It grows by members only.
const SCHEMA: u32 = 1;

/// The report as a JSON document.
pub fn document(report: &Report) -> Value {
    let case = &report.case;
    let evidence = report.evidence.as_ref();
    let locks = [("table", report.table.as_ref()), ("key", report.key.as_ref())];
    let locks = locks.into_iter().filter_map(|(name, lock)| Some((name, lock?)));
    let refused = locks.clone().find(|(_, lock)| lock.verdict == Verdict::Denied);
    let table = evidence.and_then(|evidence| evidence.table.get());
    let key = evidence.and_then(|evidence| evidence.key.get());
    let mut document = json!({
        "schema": SCHEMA,
        "verdict": report.verdict.key(),
        "exit": report.verdict.status(),
        "principal": text(&case.principal),
        "action": case.table_action.as_ref().or(case.key_action.as_ref()),
        "table": table.map(|table| table.arn.as_str()).or(case.table.as_deref()),
        "key": key.map(|key| json!({"arn": key.arn, "state": text(&key.state), "aws_managed": key.is_aws_managed})),
        "owned_key": report.is_owned_key(),
        "account": evidence.and_then(|evidence| evidence.account.as_deref()),
        "region": evidence.map(|evidence| evidence.region.as_str()).or(case.region()),
        "failure": report.failure.as_ref().map(super::Failure::key),
        "refused": refused.map(|(name, lock)| json!({"lock": name, "rung": lock.refused.map(Rung::key)})),
        "locks": locks.map(|(name, lock)| of_lock(name, lock)).collect::<Vec<_>>(),
        "fixes": report.fixes.iter().map(|fix| json!({
            "lock": fix.lock,
            "way": fix.way.key(),
            "says": fix.says,
            "statement": fix.statement,
            "command": (!fix.command.is_empty()).then(|| fix.command.join(" ")),
        })).collect::<Vec<_>>(),
        "not_read": evidence.map(|evidence| evidence.unread.iter().map(|unread| json!({
            "says": unread.says,
            "may_matter": unread.part != Part::Nothing,
        })).collect::<Vec<_>>()).unwrap_or_default(),
        "nothing_read": report.not_read,
        "calls": evidence.map_or(0, |evidence| evidence.calls),
        "logged": case.logged.as_ref().map(|logged| json!({
            "text": logged.text,
            "operation": logged.operation,
            "by_dynamodb": logged.by_dynamodb,
            "principal": logged.principal(),
            "action": logged.action(),
            "key": logged.key(),
            "table": logged.table(),
        })),
    });
    redact(&mut document);
    document
}

fn text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn of_lock(name: &str, lock: &Lock) -> Value {
    let keys: &[Rung] = match lock.ladder.lock {
        ladder::Lock::Key => &[Rung::ExplicitDeny, Rung::KeyPolicy, Rung::IamPolicies, Rung::Grants],
        _ => &[Rung::ExplicitDeny, Rung::IamPolicies],
    };
    let rungs = keys.iter().zip(&lock.ladder.rungs).map(|(key, rung)| {
        json!({
            "rung": key.key(),
            "answer": rung.word.text(),
            "says": rung.sentence,
            "refused": lock.refused == Some(*key),
            "statements": rung.looked_at.iter().map(|evidence| json!({
                "policy": evidence.policy,
                "name": evidence.name,
                "says": evidence.result,
                "statement": *evidence.json,
            })).collect::<Vec<_>>(),
        })
    });
    json!({
        "lock": name,
        "action": lock.action,
        "resource": lock.resource,
        "verdict": lock.verdict.key(),
        "refused": lock.refused.map(Rung::key),
        "near_miss": lock.near.as_ref().map(|near| near.says.as_str()),
        "rungs": rungs.collect::<Vec<_>>(),
        "unknown": lock.open,
        "message": lock.message,
    })
}
