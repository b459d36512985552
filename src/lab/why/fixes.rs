//! The smallest changes that would allow what was refused. Each is tried by the evaluator before it is offered.

use serde_json::{Value, json};

use super::evidence::Evidence;
use super::judge::{self, Lock, Rung};
use super::logged::{Fault, Reason, Type};
use super::{Case, Failure, Report, Verdict, short};
use crate::lab::feature::insight::near_miss::name;
use crate::lab::model::command_line::shell_quote;
use crate::policy::{Effect, Grant, GrantConstraints, MatchResult, PolicySource, StatementTrace, account_of};

/// Where a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In a policy of the caller.
    IamPolicy,
    /// In the key policy.
    KeyPolicy,
    /// By a grant.
    Grant,
    /// In the statement that denies.
    Deny,
    /// In the permissions boundary.
    Boundary,
    /// In the organization.
    Organization,
    /// In the table's own policy.
    TablePolicy,
    /// At the key itself.
    KeyState,
}

impl Way {
    /// Its name in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Way::IamPolicy => "iam_policy",
            Way::KeyPolicy => "key_policy",
            Way::Grant => "grant",
            Way::Deny => "change_deny",
            Way::Boundary => "permissions_boundary",
            Way::Organization => "organization",
            Way::TablePolicy => "table_policy",
            Way::KeyState => "key_state",
        }
    }
}

/// A change that would help.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Which lock it opens: `table` or `key`.
    pub lock: &'static str,
    /// Where it is made.
    pub way: Way,
    /// What to do, in a sentence.
    pub says: String,
    /// The statement: to add, or the one that denies.
    pub statement: Option<Value>,
    /// The command line, in parts that fit on lines.
    pub command: Vec<String>,
}

/// The permissions that DynamoDB's guide lists for callers.
const OF_GUIDE: [&str; 6] =
    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey", "kms:CreateGrant"];

/// The same as operations of a grant.
const OPERATIONS_OF_GUIDE: [&str; 8] = [
    "Encrypt",
    "Decrypt",
    "ReEncryptFrom",
    "ReEncryptTo",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "DescribeKey",
    "CreateGrant",
];

/// What would open the locks that refuse, nearest first.
pub(super) fn of(report: &Report, evidence: &Evidence) -> Vec<Fix> {
    let key = evidence.key.get().map(|key| key.arn.as_str());
    let mut fixes: Vec<Fix> = report.failure.iter().filter_map(|failure| of_failure(failure, key)).collect();
    if matches!(report.failure, Some(Failure::NoTable | Failure::NoCaller | Failure::NoKey)) {
        return fixes;
    }
    if let Some(lock) = refused(report.table.as_ref()) {
        fixes.extend(of_table(report, evidence, lock));
    }
    if let Some(lock) = refused(report.key.as_ref()) {
        fixes.extend(of_key(report, evidence, lock));
    }
    fixes
}

fn refused(lock: Option<&Lock>) -> Option<&Lock> {
    lock.filter(|lock| lock.verdict == Verdict::Denied)
}

/// The change to a key, by ARN, that can't be used whatever policies say.
fn of_failure(failure: &Failure, key: Option<&str>) -> Option<Fix> {
    let (says, cancels) = match failure {
        Failure::Disabled => ("The key is disabled: no policy helps. Enable it.", false),
        Failure::PendingDeletion => {
            ("The key is pending deletion: no policy helps. Cancel that, then enable the key.", true)
        }
        _ => return None,
    };
    // A text may name no key.
    let key = key.map_or_else(|| "KEY".to_owned(), |arn| shell_quote(arn.rsplit('/').next().unwrap_or(arn)));
    let cancel = cancels.then(|| format!("aws kms cancel-key-deletion --key-id {key} &&"));
    let command = cancel.into_iter().chain([format!("aws kms enable-key --key-id {key}")]).collect();
    Some(Fix { lock: "key", way: Way::KeyState, says: says.to_owned(), statement: None, command })
}

fn of_table(report: &Report, evidence: &Evidence, lock: &Lock) -> Vec<Fix> {
    let fix = |way, says: String, statement| Fix { lock: "table", way, says, statement, command: Vec::new() };
    let caller = report.caller();
    let statement = json!({"Effect": "Allow", "Action": lock.action, "Resource": lock.resource});
    if let Some(fix) = of_limits(lock, "table", &caller, &statement, evidence) {
        return vec![fix];
    }
    match lock.refused {
        Some(Rung::TablePolicy) => vec![fix(
            Way::TablePolicy,
            format!(
                "{caller} is of another account: the table needs a policy of its own that allows it, and {caller} an IAM policy."
            ),
            None,
        )],
        _ => vec![fix(Way::IamPolicy, iam_policy(lock, &caller), Some(statement))],
    }
}

/// The change where a Deny, a boundary or the organization refuses: no allow helps there.
fn of_limits(lock: &Lock, of: &'static str, caller: &str, statement: &Value, evidence: &Evidence) -> Option<Fix> {
    let fix = |way, says, statement| Some(Fix { lock: of, way, says, statement, command: Vec::new() });
    match lock.refused? {
        Rung::ExplicitDeny => {
            let denying = lock
                .decision
                .trace
                .iter()
                .find(|examined| examined.effect == Effect::Deny && examined.result == MatchResult::Matched)?;
            let says = format!(
                "Change this Deny in {}, so that it no longer fits {caller}. No allow overrides it.",
                denying.source
            );
            fix(Way::Deny, says, Some((*denying.json).clone()))
        }
        Rung::Boundary => {
            let boundary = evidence.boundary.as_ref().map(|(source, _)| name(source)).unwrap_or_default();
            let says = format!("Permissions boundary {boundary} of {caller}: it must allow this, too. Add");
            fix(Way::Boundary, says, Some(statement.clone()))
        }
        Rung::Organization => {
            let says = "A policy of the organization doesn't allow it. Only the organization's management account can \
                        change that.";
            fix(Way::Organization, says.to_owned(), None)
        }
        _ => None,
    }
}

fn of_key(report: &Report, evidence: &Evidence, lock: &Lock) -> Vec<Fix> {
    let caller = report.caller();
    let made = Made::of(report, evidence, lock);
    if let Some(fix) = of_limits(lock, "key", &caller, &made.in_iam, evidence) {
        return vec![fix];
    }
    let is_foreign = account_of(&made.principal) != account_of(&lock.resource);
    let mut fixes = Vec::new();
    for way in [Way::IamPolicy, Way::KeyPolicy, Way::Grant] {
        let mut changed = made.applied(way, evidence);
        if is_foreign && way != Way::IamPolicy {
            changed = made.applied(Way::IamPolicy, &changed);
        }
        let opens = judge::key(&report.case, &changed).is_some_and(|lock| lock.verdict == Verdict::Allowed);
        if opens {
            fixes.push(made.fix(way, lock, &caller));
        }
    }
    if is_foreign && !fixes.is_empty() {
        // Both accounts must allow it.
        fixes.insert(0, made.fix(Way::IamPolicy, lock, &caller));
    }
    let near = lock.near.as_ref().map(|near| match near.source {
        PolicySource::Managed { .. }
        | PolicySource::Inline { .. }
        | PolicySource::Boundary { .. }
        | PolicySource::Session { .. } => Way::IamPolicy,
        PolicySource::KeyPolicy { .. } | PolicySource::Trust { .. } => Way::KeyPolicy,
        PolicySource::Grant { .. } => Way::Grant,
    });
    let first = near.or(match lock.refused {
        Some(Rung::KeyPolicy) => Some(Way::KeyPolicy),
        Some(Rung::Grants) => Some(Way::Grant),
        _ => None,
    });
    fixes.sort_by_key(|fix| Some(fix.way) != first);
    fixes
}

/// The changes for a key.
struct Made {
    principal: String,
    key: String,
    in_iam: Value,
    in_key_policy: Value,
    operations: Vec<String>,
    table: Option<String>,
}

impl Made {
    fn of(report: &Report, evidence: &Evidence, lock: &Lock) -> Made {
        let principal = lock.ladder.principal.clone();
        let table = evidence.table.get().map(|table| table.name.clone());
        Made::new(&report.case, principal, &lock.resource, &lock.action, table)
    }

    fn new(case: &Case, principal: String, key: &str, action: &str, table: Option<String>) -> Made {
        let is_all = case.all_permissions;
        let actions = if is_all { json!(OF_GUIDE) } else { json!(action) };
        let operation = action.strip_prefix("kms:").unwrap_or(action).to_owned();
        let operations = if is_all { OPERATIONS_OF_GUIDE.map(str::to_owned).to_vec() } else { vec![operation] };
        let mut in_iam = json!({"Effect": "Allow", "Action": actions, "Resource": key});
        let mut in_key_policy =
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"});
        let region = key.split(':').nth(3).unwrap_or_default();
        if case.by_dynamodb && !region.is_empty() {
            let via = json!({"StringEquals": {"kms:ViaService": format!("dynamodb.{region}.amazonaws.com")}});
            in_iam["Condition"] = via.clone();
            in_key_policy["Condition"] = via;
        }
        Made { principal, key: key.to_owned(), in_iam, in_key_policy, operations, table }
    }

    /// The evidence as it would be after a change.
    fn applied(&self, way: Way, evidence: &Evidence) -> Evidence {
        let mut changed = evidence.clone();
        match way {
            Way::IamPolicy => {
                let text = json!({"Version": "2012-10-17", "Statement": [self.in_iam]}).to_string();
                let source = PolicySource::Inline { user: String::new(), name: "the fix".to_owned() };
                changed.identity.push((source, text));
            }
            Way::KeyPolicy => {
                let text = changed.key_policy.take().unwrap_or_default();
                changed.key_policy = Some(with_statement(&text, &self.in_key_policy).unwrap_or(text));
            }
            _ => changed.grants.push(Grant {
                grant_id: String::new(),
                grant_token: String::new(),
                key_id: self.key.clone(),
                grantee_principal: self.principal.clone(),
                retiring_principal: None,
                issuing_account: String::new(),
                name: None,
                operations: self.operations.clone(),
                constraints: self.constraint().map(GrantConstraints::EncryptionContextSubset),
                creation_date: 0.0,
            }),
        }
        changed
    }

    fn constraint(&self) -> Option<std::collections::BTreeMap<String, String>> {
        let table = self.table.clone()?;
        Some([("aws:dynamodb:tableName".to_owned(), table)].into())
    }

    fn fix(&self, way: Way, lock: &Lock, caller: &str) -> Fix {
        let (says, statement) = match way {
            Way::IamPolicy => (iam_policy(lock, caller), Some(self.in_iam.clone())),
            Way::KeyPolicy => (key_policy(lock), Some(self.in_key_policy.clone())),
            _ => ("Grant:".to_owned(), None),
        };
        let command = if way == Way::Grant { self.command() } else { Vec::new() };
        Fix { lock: "key", way, says, statement, command }
    }

    fn command(&self) -> Vec<String> {
        let key = self.key.rsplit('/').next().unwrap_or(&self.key);
        let mut command = vec![
            format!("aws kms create-grant --key-id {}", shell_quote(key)),
            format!("--grantee-principal {} --operations {}", shell_quote(&self.principal), self.operations.join(" ")),
        ];
        if let Some(pairs) = self.constraint() {
            let constraint = json!({"EncryptionContextSubset": pairs}).to_string();
            command.push(format!("--constraints {}", shell_quote(&constraint)));
        }
        command
    }
}

/// A key policy with one statement more; `None` where it is no JSON.
fn with_statement(text: &str, statement: &Value) -> Option<String> {
    let mut policy: Value = serde_json::from_str(text).ok()?;
    let statements = policy.get_mut("Statement")?;
    match statements {
        Value::Array(all) => all.push(statement.clone()),
        one => *one = json!([one.clone(), statement]),
    }
    Some(policy.to_string())
}

/// Where in the caller's policies a statement belongs.
fn iam_policy(lock: &Lock, caller: &str) -> String {
    let is_own = |source: &PolicySource| match source {
        PolicySource::Managed { arn, .. } => !arn.contains(":iam::aws:"),
        PolicySource::Inline { .. } => true,
        _ => false,
    };
    match lock.near.as_ref().filter(|near| is_own(&near.source)) {
        Some(near) => format!("IAM policy of {caller}: in {}, add this statement", name(&near.source)),
        None => format!("IAM policy of {caller}: add this statement"),
    }
}

fn key_policy(lock: &Lock) -> String {
    let near = lock.near.as_ref().filter(|near| near.source.is_resource_based());
    let is_it = |examined: &&StatementTrace, statement: usize| {
        examined.source.is_resource_based() && examined.statement == statement
    };
    let named = near.map(|near| {
        let sid = lock.decision.trace.iter().find(|examined| is_it(examined, near.statement));
        let sid = sid.and_then(|examined| examined.sid.clone());
        sid.map_or_else(|| format!("statement {}", near.statement + 1), |sid| format!("\"{sid}\""))
    });
    match named {
        Some(named) => {
            format!("Key policy: beside {named}, add this, and send all statements again (PutKeyPolicy replaces all)")
        }
        None => "Key policy: add this, and send the other statements again (PutKeyPolicy replaces all)".to_owned(),
    }
}

/// What the text of an error suggests. Nothing was read, so nothing is certain.
pub(super) fn of_text(case: &Case) -> Vec<Fix> {
    let Some(logged) = &case.logged else { return Vec::new() };
    let fault = match &logged.fault {
        Fault::Disabled { .. } => of_failure(&Failure::Disabled, case.key.as_deref()),
        Fault::PendingDeletion { .. } => of_failure(&Failure::PendingDeletion, case.key.as_deref()),
        Fault::KeyMissing { .. } | Fault::TableMissing { .. } => None,
        Fault::Denied { reason: Reason::NoAllow(of), .. } => return of_denial(case, *of),
        Fault::Denied { .. } => None,
    };
    fault.into_iter().collect()
}

fn of_denial(case: &Case, of: Type) -> Vec<Fix> {
    let caller = short(&case.principal).to_owned();
    let logged = case.logged.as_ref();
    // Without a caller there is nobody to allow it to.
    let is_known = !case.principal.is_empty();
    let Some(action) = logged.and_then(|logged| logged.action()).filter(|_| is_known) else { return Vec::new() };
    let iam = format!("IAM policy of {caller}: add this statement");
    if let Some(table) = logged.and_then(|logged| logged.table()).filter(|_| action.starts_with("dynamodb:")) {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": table});
        let is_iam = of == Type::Identity;
        let fix =
            Fix { lock: "table", way: Way::IamPolicy, says: iam, statement: Some(statement), command: Vec::new() };
        return if is_iam { vec![fix] } else { Vec::new() };
    }
    let Some(key) = &case.key else { return Vec::new() };
    let principal = crate::lab::model::facts::Caller {
        arn: case.principal.clone(),
        account: account_of(&case.principal).unwrap_or_default().to_owned(),
    };
    let made = Made::new(case, principal.principal(), key, action, None);
    let fix = |way, says: &str, statement: Option<&Value>, command| Fix {
        lock: "key",
        way,
        says: says.to_owned(),
        statement: statement.cloned(),
        command,
    };
    let key_policy = "Key policy: add this, and send the other statements again (PutKeyPolicy replaces all)";
    let in_iam = fix(Way::IamPolicy, &iam, Some(&made.in_iam), Vec::new());
    let in_key_policy = fix(Way::KeyPolicy, key_policy, Some(&made.in_key_policy), Vec::new());
    let grant = fix(Way::Grant, "Grant:", None, made.command());
    match of {
        // AWS names the IAM policy where the key policy leaves the decision to IAM.
        Type::Identity => vec![in_iam, in_key_policy, grant],
        Type::Resource => vec![in_key_policy, grant],
        _ => Vec::new(),
    }
}
