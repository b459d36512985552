//! What the policy evaluator expects of a text that has not been sent: whether test-user's Scan would be allowed, and why.
//!
//! It decides by the same code as the sandbox, from the documents that the lab has read. Where the service would reject
//! the text, nothing changes. Where something is not known here, the forecast says so and promises nothing.

use serde_json::Value;

use super::documents::decide_operation;
use super::ladder::{self, Ladder, Word};
use crate::lab::lesson::interface::Interface;
use crate::lab::model::attempt::{self, Target, Unsendable, lack};
use crate::lab::model::draft::Draft;
use crate::lab::model::facts::{Facts, Names};
use crate::lab::model::inspection::{Decided, Documents};
use crate::lab::model::lockout::lock_out;
use crate::lab::model::mechanism::{ATTEMPT, Mechanism};
use crate::lab::model::operation::{Identity, Operation};
use crate::policy::{
    Effect, Grant, MatchResult, Mismatch, Outcome, PolicyDocument, PolicyKind, PolicySource, StatementTrace, account_of,
};

/// AWS's limit for all inline policies of a user together, in characters without white space (IAM guide).
const LARGEST_USER_POLICY: usize = 2_048;

/// AWS's limit for a key policy, in bytes (KMS guide).
const LARGEST_KEY_POLICY: usize = 32 * 1_024;

/// What a grant on a symmetric encryption key can allow (KMS guide, "grant operations").
const GRANT_OPERATIONS: [&str; 11] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
];

/// What a service is expected to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It can't be known here.
    Unknown,
    /// Nothing: the call doesn't come so far.
    NotAsked,
}

/// What is expected of test-user's Scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// DynamoDB's part.
    pub table: Sign,
    /// KMS's part.
    pub key: Sign,
    /// Why, in one line.
    pub reason: String,
}

impl Forecast {
    /// Whether the Scan should be allowed.
    pub fn allows(&self) -> bool {
        (self.table, self.key) == (Sign::Yes, Sign::Yes)
    }
}

/// A text, and what is known.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The way that the text is for.
    pub mechanism: Mechanism,
    /// The text.
    pub draft: &'a Draft,
    /// What decides without it; `None` while that is being read.
    pub documents: Option<&'a Documents>,
    /// What is known.
    pub facts: &'a Facts,
    /// The run's names.
    pub names: &'a Names,
    /// The region.
    pub region: &'a str,
    /// The interface's words.
    pub words: Interface<'a>,
}

/// Why a text can't be sent, in the interface's words.
pub fn unsendable(why: &Unsendable, words: Interface<'_>) -> String {
    match why {
        Unsendable::NotJson(line) => words.fill("not JSON yet: line {}", &[line]),
        Unsendable::NotAStatement => words.say("a statement is a JSON object").to_owned(),
        Unsendable::NoParameter(name) => words.fill("CreateGrant takes no such {}", &[name]),
        Unsendable::NoPolicy => words.say("the key policy has not been read").to_owned(),
    }
}

/// What the evaluator expects.
pub fn forecast(question: &Question<'_>) -> Forecast {
    let Question { mechanism, draft, facts, names, words, .. } = *question;
    let unknown = |reason: String| Forecast { table: Sign::Yes, key: Sign::Unknown, reason };
    let Some(documents) = question.documents else {
        return unknown(words.say("reading the policies that decide").to_owned());
    };
    let policy = documents.key_policy.as_deref();
    let target = Target { key: facts.key_id().unwrap_or_default(), user: &names.user, policy };
    let operation = match attempt::operation(mechanism, draft.text(), &target) {
        Ok(operation) => operation,
        Err(why) => return unknown(unsendable(&why, words)),
    };
    let judged = match question.applied(&operation, documents) {
        Applied::Stored(after) => question.decided(&after),
        Applied::Rejected(reason) => Forecast { reason, ..question.decided(documents) },
        Applied::Unknown(reason) => unknown(reason),
    };
    // A blank says more than what follows from it.
    match draft.blanks().first() {
        Some(blank) if judged.key != Sign::Yes => {
            let line = draft.lines().nth(blank.row).unwrap_or_default();
            Forecast { reason: words.fill(lack(line), &[&(blank.row + 1)]), ..judged }
        }
        _ => judged,
    }
}

/// What sending a call makes of the documents.
enum Applied {
    /// They are these.
    Stored(Documents),
    /// The service rejects it.
    Rejected(String),
    /// That is not known.
    Unknown(String),
}

impl Question<'_> {
    fn applied(&self, operation: &Operation, documents: &Documents) -> Applied {
        let mut after = documents.clone();
        match operation {
            Operation::PutKeyPolicy { policy, .. } => {
                if let Err(applied) = self.check_key_policy(policy, documents) {
                    return applied;
                }
                after.key_policy = Some(policy.clone());
            }
            Operation::PutUserPolicy { name, policy, .. } => {
                let is_other = |source: &PolicySource| match source {
                    PolicySource::Inline { user, name: other } => *user != self.names.user || other != name,
                    _ => true,
                };
                after.identity.retain(|(source, _)| is_other(source));
                let source = PolicySource::Inline { user: self.names.user.clone(), name: name.clone() };
                after.identity.push((source, policy.clone()));
                if let Err(error) = PolicyDocument::parse_new_identity(policy) {
                    return self.rejected("IAM", &error);
                }
                let size = |text: &String| text.chars().filter(|c| !c.is_whitespace()).count();
                let inline = after.identity.iter().filter(
                    |(source, _)| matches!(source, PolicySource::Inline { user, .. } if *user == self.names.user),
                );
                if inline.map(|(_, text)| size(text)).sum::<usize>() > LARGEST_USER_POLICY {
                    return self.rejected("IAM", &self.words.say("it is too long"));
                }
            }
            Operation::CreateGrant { grantee, operations, constraints, name, .. } => {
                if let Err(applied) = self.check_grant(grantee, operations, documents) {
                    return applied;
                }
                after.grants.push(Grant {
                    grant_id: name.clone(),
                    grant_token: String::new(),
                    key_id: self.facts.key_id().unwrap_or_default().to_owned(),
                    grantee_principal: grantee.clone(),
                    retiring_principal: None,
                    issuing_account: String::new(),
                    name: Some(name.clone()),
                    operations: operations.clone(),
                    constraints: constraints.clone(),
                    creation_date: 0.0,
                });
            }
            _ => {}
        }
        Applied::Stored(after)
    }

    fn rejected(&self, service: &str, why: &dyn std::fmt::Display) -> Applied {
        Applied::Rejected(self.words.fill("{} will reject it: {}", &[&service, &why]))
    }

    /// Whether KMS takes a key policy.
    fn check_key_policy(&self, policy: &str, documents: &Documents) -> Result<(), Applied> {
        let document = PolicyDocument::parse(PolicyKind::Key, policy).map_err(|error| self.rejected("KMS", &error))?;
        if policy.len() > LARGEST_KEY_POLICY {
            return Err(self.rejected("KMS", &self.words.say("it is too long")));
        }
        let stored = documents.key_policy.as_deref().map(|text| PolicyDocument::parse(PolicyKind::Key, text));
        let stored = stored.and_then(Result::ok);
        let known: Vec<&str> = stored.iter().flat_map(|stored| stored.principals()).collect();
        let is_known = |name: &&str| known.contains(name) || self.exists(name, documents);
        if let Some(other) = document.principals().into_iter().find(|name| !is_known(name)) {
            return Err(self.not_known(other));
        }
        let admin = self.facts.admin.as_ref().zip(self.facts.key_arn());
        match admin.and_then(|(admin, key)| lock_out(policy, admin, key)) {
            Some(_) => Err(self.rejected("KMS", &self.words.say("admin could no longer change the policy"))),
            None => Ok(()),
        }
    }

    /// Whether KMS takes a grant.
    fn check_grant(&self, grantee: &str, operations: &[String], documents: &Documents) -> Result<(), Applied> {
        let other = operations.iter().find(|name| !GRANT_OPERATIONS.contains(&name.as_str()));
        if let Some(other) = other {
            let why = self.words.fill("{} is no operation of a grant on this key", &[other]);
            return Err(self.rejected("KMS", &why));
        }
        let is_service = grantee.ends_with(".amazonaws.com");
        match grantee {
            _ if is_service || self.exists(grantee, documents) => Ok(()),
            arn if arn.starts_with("arn:") && arn.contains(":iam:") => Err(self.not_known(arn)),
            other => Err(self.rejected("KMS", &self.words.fill("{} is no principal", &[&self.named(other)]))),
        }
    }

    fn not_known(&self, principal: &str) -> Applied {
        let text = "KMS rejects principals that don't exist, and the lab doesn't know {}";
        Applied::Unknown(self.words.fill(text, &[&self.named(principal)]))
    }

    /// Whether the lab knows that a principal exists.
    fn exists(&self, principal: &str, documents: &Documents) -> bool {
        let facts = self.facts;
        let callers = [&facts.admin, &facts.test_user].into_iter().flatten();
        let account = facts.admin.as_ref().map(|admin| admin.account.as_str());
        let is_root = || principal.ends_with(":root") && account_of(principal) == account;
        callers.clone().any(|caller| caller.arn == principal)
            || Identity::BOTH.iter().any(|identity| facts.principal(*identity).as_deref() == Some(principal))
            || Some(principal) == account
            || Some(principal) == documents.unique_id.as_deref()
            || is_root()
    }

    /// Decides test-user's Scan by `documents`.
    fn decided(&self, documents: &Documents) -> Forecast {
        let words = self.words;
        let scan = Operation::Scan { table: self.names.table.clone() };
        let Some(caller) = &self.facts.test_user else {
            let reason = words.say("who test-user is has not been read").to_owned();
            return Forecast { table: Sign::Unknown, key: Sign::Unknown, reason };
        };
        let (all, unread) = decide_operation(&scan, "", caller, self.facts, self.region, documents);
        let of = |service: &str| all.iter().find(|decided| decided.action.starts_with(service));
        let sign = |decided: Option<&Decided>| match decided {
            _ if !unread.is_empty() => Sign::Unknown,
            None => Sign::NotAsked,
            Some(decided) if decided.decision.is_allowed() => Sign::Yes,
            Some(_) => Sign::No,
        };
        let table = sign(of("dynamodb:"));
        let key = if table == Sign::No { Sign::NotAsked } else { sign(of("kms:")) };
        let reason = match (unread.first(), of("dynamodb:"), of("kms:")) {
            (Some(unread), ..) => unread.clone(),
            (None, Some(decided), _) if table == Sign::No => self.reason(decided, documents),
            (None, _, Some(decided)) => self.reason(decided, documents),
            (None, ..) => words.say("the key policy has not been read").to_owned(),
        };
        Forecast { table, key, reason }
    }

    /// Why a decision is as it is: the written statement's part in it, first.
    fn reason(&self, decided: &Decided, documents: &Documents) -> String {
        let words = self.words;
        let own: Vec<&StatementTrace> =
            decided.decision.trace.iter().filter(|examined| self.is_written(examined, documents)).collect();
        let matched = own.iter().find(|examined| examined.result == MatchResult::Matched);
        if let Some(denies) = own.iter().find(|it| it.effect == Effect::Deny && it.result == MatchResult::Matched) {
            return words.fill("{} denies it: no allow overrides a Deny", &[&self.title(denies)]);
        }
        match &decided.decision.outcome {
            Outcome::ExplicitDeny { by, sid } => {
                let name = sid.clone().unwrap_or_else(|| by.to_string());
                return words.fill("{} denies it: no allow overrides a Deny", &[&name]);
            }
            Outcome::Allowed { by, sid, .. } => {
                let name = match matched {
                    Some(matched) => self.title(matched),
                    None => sid.clone().unwrap_or_else(|| by.to_string()),
                };
                return words.fill("{} allows test-user {}", &[&name, &decided.action]);
            }
            Outcome::ImplicitDeny { .. } => {}
        }
        if let Some(matched) = matched {
            let text = "{} allows it, but the key policy doesn't let IAM decide";
            return words.fill(text, &[&self.title(matched)]);
        }
        if let Some(account) = own.iter().find(|examined| examined.result == MatchResult::DelegatesToAccount) {
            return words.fill("{} lets IAM decide, and no IAM policy allows it", &[&self.title(account)]);
        }
        let closest = own.iter().min_by_key(|examined| match &examined.result {
            MatchResult::NotMatched(parts) => parts.len(),
            MatchResult::Matched | MatchResult::DelegatesToAccount => 0,
        });
        match closest.map(|examined| (examined, &examined.result)) {
            Some((examined, MatchResult::NotMatched(parts))) => {
                parts.first().map(|part| self.mismatch(examined, part)).unwrap_or_default()
            }
            _ => words.fill("no statement allows {}", &[&decided.action]),
        }
    }

    /// Whether a statement or grant is the written one.
    fn is_written(&self, examined: &StatementTrace, documents: &Documents) -> bool {
        match &examined.source {
            PolicySource::KeyPolicy { .. } => {
                self.mechanism == Mechanism::KeyPolicy && examined.statement >= self.old_statements(documents)
            }
            PolicySource::Inline { name, .. } => self.mechanism == Mechanism::IamPolicy && name == ATTEMPT,
            PolicySource::Grant { grant_id } => {
                let is_sent = self.facts.made.attempt_grant.as_ref() == Some(grant_id);
                self.mechanism == Mechanism::Grant && (is_sent || grant_id == ATTEMPT)
            }
            PolicySource::Managed { .. }
            | PolicySource::Trust { .. }
            | PolicySource::Boundary { .. }
            | PolicySource::Session { .. } => false,
        }
    }

    /// How many statements the key policy has without the written ones: as `documents` may be with them, those that the
    /// question's have.
    fn old_statements(&self, documents: &Documents) -> usize {
        let policy = self.documents.unwrap_or(documents).key_policy.as_deref();
        let policy: Value = policy.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        match policy.get("Statement") {
            Some(Value::Array(all)) => all.len(),
            Some(_) => 1,
            None => 0,
        }
    }

    /// What a statement is called.
    fn title(&self, examined: &StatementTrace) -> String {
        match (&examined.source, &examined.sid) {
            (PolicySource::Grant { .. }, _) => self.words.say("the grant").to_owned(),
            (_, Some(sid)) if !sid.is_empty() => sid.clone(),
            _ => self.words.say("your statement").to_owned(),
        }
    }

    /// The part of a statement that doesn't match, in one line.
    fn mismatch(&self, examined: &StatementTrace, part: &Mismatch) -> String {
        let (words, title) = (self.words, self.title(examined));
        let verb = if examined.effect == Effect::Deny {
            "{} denies {}; the call is {}"
        } else {
            "{} allows {}; the call is {}"
        };
        match part {
            Mismatch::Principal { wanted, negated: false, .. } => {
                words.fill("{} is for {}, and the caller is test-user", &[&title, &self.all_named(wanted)])
            }
            Mismatch::Principal { .. } => words.fill("{} excludes test-user", &[&title]),
            Mismatch::Action { wanted, negated: false, asked } => words.fill(verb, &[&title, &list(wanted), asked]),
            Mismatch::Action { asked, .. } => words.fill("{} excludes {}", &[&title, asked]),
            Mismatch::Resource { wanted, negated: false, asked } => {
                let wanted = self.all_named(wanted);
                match examined.source {
                    PolicySource::KeyPolicy { .. } => {
                        words.fill("Resource is {}. In a key policy, \"*\" means this key", &[&wanted])
                    }
                    _ => words.fill("Resource is {}; the call is on {}", &[&wanted, &self.named(asked)]),
                }
            }
            Mismatch::Resource { asked, .. } => words.fill("{} excludes {}", &[&title, &self.named(asked)]),
            Mismatch::Condition { key, wanted, found, .. } if found.is_empty() => {
                words.fill("{} must match {}; the request has none", &[key, &list(wanted)])
            }
            Mismatch::Condition { key, wanted, found, .. } => {
                words.fill("{} must match {}; the request has {}", &[key, &list(wanted), &list(found)])
            }
            Mismatch::GrantOperation { granted, asked } => words.fill(verb, &[&title, &list(granted), asked]),
            Mismatch::GrantContext { wanted, found, .. } => {
                let differs = wanted.iter().find(|(name, value)| found.get(*name) != Some(value));
                match differs {
                    Some((name, value)) => {
                        let has = found.get(name).map_or("-", String::as_str);
                        words.fill("{} must match {}; the request has {}", &[name, value, &has])
                    }
                    None => words.say("the request's encryption context has more pairs").to_owned(),
                }
            }
            Mismatch::Grantee { wanted, .. } => {
                words.fill("{} is for {}, and the caller is test-user", &[&title, &self.named(wanted)])
            }
        }
    }

    fn all_named(&self, arns: &[String]) -> String {
        list(&arns.iter().map(|arn| self.named(arn)).collect::<Vec<_>>())
    }

    /// An ARN in a word, where the lab knows whose it is.
    fn named(&self, arn: &str) -> String {
        let (facts, words) = (self.facts, self.words);
        let is = |identity| facts.principal(identity).as_deref() == Some(arn);
        let text = match arn {
            _ if is(Identity::Admin) => Identity::Admin.name(),
            _ if is(Identity::TestUser) => Identity::TestUser.name(),
            _ if facts.key_arn() == Some(arn) => words.say("the key"),
            _ if arn == facts.table_arn(&self.names.table, self.region) => words.say("the table"),
            _ if arn.ends_with(&self.names.alias) => words.say("the alias"),
            _ if arn.ends_with(":root") => words.say("the account"),
            _ => arn.splitn(6, ':').nth(5).unwrap_or(arn),
        };
        text.to_owned()
    }
}

/// `a`, `a, b`, `a, b, …`
fn list(all: &[String]) -> String {
    match all {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [one, other] => format!("{one}, {other}"),
        [one, other, ..] => format!("{one}, {other}, …"),
    }
}

/// A statement or grant in a few words: `"LetTestUserRead"  Allow kms:Encrypt to test-user`.
pub fn in_short(question: &Question<'_>) -> String {
    let json: Value = serde_json::from_str(question.draft.text()).unwrap_or_default();
    let texts = |member: &str| match json.get(member) {
        Some(Value::Array(all)) => {
            list(&all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect::<Vec<_>>())
        }
        Some(Value::String(one)) => one.clone(),
        _ => "-".to_owned(),
    };
    let principal = json.pointer("/Principal/AWS").or(json.get("GranteePrincipal")).and_then(Value::as_str);
    let whom = match (question.mechanism, principal) {
        (Mechanism::IamPolicy, _) => Identity::TestUser.name().to_owned(),
        (_, Some(arn)) => question.named(arn),
        (_, None) => "-".to_owned(),
    };
    let words = question.words;
    match question.mechanism {
        Mechanism::Grant => words.fill("{} to {}", &[&texts("Operations"), &whom]),
        Mechanism::KeyPolicy | Mechanism::IamPolicy => {
            let allows = words.fill("{} to {}", &[&texts("Action"), &whom]);
            format!("\"{}\"  {} {allows}", texts("Sid"), texts("Effect"))
        }
    }
}

/// A rung of the ladder after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// What it is about.
    pub label: &'static str,
    /// What it says now.
    pub now: String,
    /// What it said before the attempt, if that was something else.
    pub before: Option<String>,
}

/// The rungs of test-user's Scan by the documents that decide now, compared with those of the question.
pub fn rungs(question: &Question<'_>, now: &Documents) -> Vec<Rung> {
    let Some(before) = question.documents else { return Vec::new() };
    let (Some(decided), Some(earlier)) = (question.decision(now), question.decision(before)) else { return Vec::new() };
    let (ladder, old) = (Ladder::of(&decided), Ladder::of(&earlier));
    let labels: &[&str] = match ladder.rungs.len() {
        4 => &["explicit Deny", "key policy", "IAM policies", "grants"],
        _ => &["explicit Deny", "IAM policies"],
    };
    let own = match question.mechanism {
        Mechanism::KeyPolicy => "key policy",
        Mechanism::IamPolicy => "IAM policies",
        Mechanism::Grant => "grants",
    };
    let rung = |(label, rung): (&&'static str, ladder::Rung)| {
        let old = old.rungs.iter().find(|old| old.question == rung.question).map(|old| old.sentence.clone());
        let written = (*label == own && rung.word != Word::Yes).then(|| question.near_miss(&decided, now)).flatten();
        let now = written.unwrap_or(rung.sentence);
        let before = old.filter(|old| *old != now);
        Rung { label, now, before }
    };
    labels.iter().zip(ladder.rungs).map(rung).collect()
}

impl Question<'_> {
    /// The decision that test-user's Scan turns on: the key's, or the table's where that is the last.
    pub(in crate::lab) fn decision(&self, documents: &Documents) -> Option<Decided> {
        let scan = Operation::Scan { table: self.names.table.clone() };
        let caller = self.facts.test_user.as_ref()?;
        let (all, _) = decide_operation(&scan, "", caller, self.facts, self.region, documents);
        let denied = all.iter().position(|decided| !decided.decision.is_allowed());
        let at = denied.or(all.len().checked_sub(1))?;
        all.into_iter().nth(at)
    }

    /// Why the written statement doesn't match, if it doesn't.
    fn near_miss(&self, decided: &Decided, documents: &Documents) -> Option<String> {
        let mut own = decided.decision.trace.iter().filter(|examined| self.is_written(examined, documents));
        own.find_map(|examined| match &examined.result {
            MatchResult::NotMatched(parts) => parts.first().map(|part| self.mismatch(examined, part)),
            MatchResult::Matched | MatchResult::DelegatesToAccount => None,
        })
    }
}
