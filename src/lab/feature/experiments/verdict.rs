//! Whether an experiment came out as its right answer claims, judged by the real responses.

use crate::lab::model::exchange::{Exchange, Verdict};
use crate::lab::model::experiment::Experiment;
use crate::lab::model::operation::Identity;
use crate::lab::model::outcome::Check;
use crate::lab::stages::describe;

/// Judges `which` by its calls before the undoing.
pub fn check(which: Experiment, exchanges: &[&Exchange]) -> Check {
    let tried = Tried { exchanges };
    let (admin, user) = (tried.scan(Identity::Admin), tried.scan(Identity::TestUser));
    let both = || match (admin.map(outcome), user.map(outcome)) {
        (Some(admin), Some(user)) if admin == user => format!("admin and test-user {user}"),
        _ => [admin, user].into_iter().flatten().map(short).collect::<Vec<_>>().join(", "),
    };
    let (met, observed) = match which {
        Experiment::DisableKey => (is(admin, disabled) && is(user, disabled), both()),
        Experiment::ExplicitDeny => (is(admin, Exchange::is_allowed) && is(user, denied_explicitly), both()),
        Experiment::IamAllow | Experiment::KmsGrant | Experiment::AwsOwnedKey | Experiment::AwsManagedKey => {
            (is(user, Exchange::is_allowed), both())
        }
        Experiment::NoRootStatement => (is(admin, Exchange::is_allowed) && is(user, denied_on_key), both()),
        Experiment::KeyWithoutDynamodb => (is(user, denied_on_scan), both()),
        Experiment::RevokeCache => {
            let scans = tried.all("Scan");
            let [_, at_once, later] = scans[..] else { return unfinished() };
            let observed = format!("at once {}, once idle {}", short(at_once), short(later));
            (at_once.is_allowed() && denied_on_key(later), observed)
        }
        Experiment::KeyAdmin => (is(user, denied_on_key), both()),
        Experiment::ViaServiceOnly => {
            let (Some(scan), [decrypt]) = (user, &tried.all("Decrypt")[..]) else { return unfinished() };
            (denied_on_key(decrypt), format!("Scan: {}; Decrypt: {}", short(scan), short(decrypt)))
        }
        Experiment::WrongContext => {
            let [right, wrong] = tried.all("Decrypt")[..] else { return unfinished() };
            let observed = format!("the same context: {}, another one: {}", short(right), short(wrong));
            (right.is_allowed() && wrong.error_code() == Some("InvalidCiphertextException"), observed)
        }
        Experiment::Rotate => (is(admin, Exchange::is_allowed) && is(user, Exchange::is_allowed), both()),
        Experiment::ScheduleDeletion => (is(admin, disabled) && is(user, disabled), both()),
    };
    Check { met, observed }
}

/// The outcome where the calls to judge by were not made.
fn unfinished() -> Check {
    Check { met: false, observed: "not tried".to_owned() }
}

fn is(exchange: Option<&Exchange>, holds: impl Fn(&Exchange) -> bool) -> bool {
    exchange.is_some_and(holds)
}

struct Tried<'a> {
    exchanges: &'a [&'a Exchange],
}

impl<'a> Tried<'a> {
    /// The newest Scan of `identity`.
    fn scan(&self, identity: Identity) -> Option<&'a Exchange> {
        self.all("Scan").into_iter().rev().find(|exchange| exchange.identity == identity)
    }

    fn all(&self, operation: &str) -> Vec<&'a Exchange> {
        self.exchanges.iter().copied().filter(|exchange| exchange.operation.name() == operation).collect()
    }
}

/// The result of a call, without its identity.
fn outcome(exchange: &Exchange) -> String {
    let text = short(exchange);
    text.strip_prefix(exchange.identity.name()).map(|rest| rest.trim_start().to_owned()).unwrap_or(text)
}

/// The result of a call; a failure by its code, DynamoDB's by the one that KMS gave.
fn short(exchange: &Exchange) -> String {
    let Verdict::Failed(failure) = &exchange.verdict else { return describe(exchange) };
    let wrapped = failure.message.split("Error Code: ").nth(1).and_then(|rest| rest.split(';').next());
    match wrapped.or(failure.code.as_deref()) {
        Some(code) => format!("{} FAILED: {code}", exchange.identity.name()),
        None => describe(exchange),
    }
}

fn failed_with(exchange: &Exchange, name: &str) -> bool {
    matches!(&exchange.verdict, Verdict::Failed(failure) if failure.message.contains(name))
}

/// DynamoDB says so in KMS's words, or that the table can't be reached for its key.
fn disabled(exchange: &Exchange) -> bool {
    failed_with(exchange, "DisabledException") || failed_with(exchange, "is disabled")
}

fn denied_explicitly(exchange: &Exchange) -> bool {
    let Verdict::Denied(denied) = &exchange.verdict else { return false };
    // An older wording gives no reason.
    denied_on_key(exchange) && denied.reason.as_ref().is_none_or(|reason| reason.contains("explicit deny"))
}

fn denied_on_scan(exchange: &Exchange) -> bool {
    matches!(&exchange.verdict, Verdict::Denied(denied) if denied.action.as_deref() == Some("dynamodb:Scan"))
}

/// Whether KMS refused a call, its own or one of DynamoDB's.
fn denied_on_key(exchange: &Exchange) -> bool {
    match &exchange.verdict {
        // The wording of 2020–22 names no action, but says that KMS refuses (issue threads).
        Verdict::Denied(denied) => match denied.action.as_deref() {
            Some(action) => action == "kms:Decrypt",
            None => denied.message.starts_with("KMS key access denied"),
        },
        _ => false,
    }
}
