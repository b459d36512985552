//! The decision ladder: why a call was allowed or denied, rung by rung, read off a decision and its trace.
//!
//! On the sandbox the decision is the one that was really made; elsewhere it is made again from the documents
//! ([`super::documents`]). Either way the rungs are read off it here, and nowhere else.

use std::sync::Arc;

use serde_json::Value;

pub use crate::lab::model::inspection::Decided;
use crate::policy::{Effect, MatchResult, Mismatch, Missing, Outcome, PolicySource, StatementTrace};

/// The answer of a rung, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// No.
    No,
    /// Yes.
    Yes,
    /// Yes, but it does not help.
    YesBut,
}

impl Word {
    /// As it is written.
    pub const fn text(self) -> &'static str {
        match self {
            Word::No => "no",
            Word::Yes => "yes",
            Word::YesBut => "yes, but",
        }
    }
}

/// A statement or grant that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The policy it stands in, `the key policy`.
    pub policy: String,
    /// Its name, or its place in the document.
    pub name: String,
    /// Whether and why it does or does not concern the call, in sentences.
    pub result: String,
    /// The statement itself.
    pub json: Arc<Value>,
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub word: Word,
    /// The answer in a sentence.
    pub sentence: String,
    /// Whether the verdict comes from here: the rung that allows, denies, or lacks what AWS names in its message.
    pub decides: bool,
    /// What was looked at for it.
    pub looked_at: Vec<Evidence>,
}

/// What guards the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// A table: identity policies alone decide.
    Table,
    /// A key: its own policy, identity policies and grants decide.
    Key,
    /// Anything else: identity policies alone decide.
    Other,
}

/// Why one question of permission was answered as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// What guards the resource.
    pub lock: Lock,
    /// Who asked.
    pub principal: String,
    /// For what.
    pub action: String,
    /// Of which resource.
    pub resource: String,
    /// The questions in the order of evaluation.
    pub rungs: Vec<Rung>,
    /// The verdict.
    pub allowed: bool,
    /// The verdict in a sentence.
    pub verdict: String,
}

/// How many statements a rung shows if none matches: those that come closest.
const CLOSEST: usize = 2;

impl Ladder {
    /// Whether a statement denies it, so that nothing else matters.
    pub fn denied_expressly(&self) -> bool {
        self.rungs.first().is_some_and(|rung| rung.word == Word::Yes)
    }

    /// The rungs, counted from 1, of which one allow would be enough; none if it is allowed, or denied by a statement.
    pub fn enough(&self) -> Vec<usize> {
        match self.lock {
            _ if self.allowed || self.denied_expressly() => Vec::new(),
            Lock::Table | Lock::Other => vec![2],
            // IAM counts only if the key policy lets it decide.
            Lock::Key if self.rungs.get(2).is_some_and(|rung| rung.word == Word::YesBut) => vec![2, 3, 4],
            Lock::Key => vec![2, 4],
        }
    }

    /// Reads the ladder off a decision.
    pub fn of(decided: &Decided) -> Ladder {
        let trace = Trace(decided);
        let of_key = decided.decision.trace.iter().any(is_key_policy);
        let rungs = if of_key {
            vec![trace.explicit_deny(), trace.key_policy(), trace.account_rung(), trace.grants()]
        } else {
            vec![trace.explicit_deny(), trace.identity()]
        };
        let lock = match decided.action.split(':').next() {
            _ if of_key => Lock::Key,
            Some("dynamodb") => Lock::Table,
            _ => Lock::Other,
        };
        Ladder {
            lock,
            principal: decided.principal.clone(),
            action: decided.action.clone(),
            resource: decided.resource.clone(),
            rungs,
            allowed: decided.decision.is_allowed(),
            verdict: verdict(&decided.decision.outcome),
        }
    }
}

fn verdict(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Allowed { via_account: true, by, .. } => {
            format!("ALLOWED: the key policy lets IAM decide, and {} allows it.", short(by))
        }
        Outcome::Allowed { by, .. } => format!("ALLOWED: {} allows it, and nothing denies it.", short(by)),
        Outcome::ExplicitDeny { by, .. } => format!("DENIED: {} denies it. No allow overrides a Deny.", short(by)),
        Outcome::ImplicitDeny { .. } => "DENIED: no statement denies it, but none allows it either.".to_owned(),
    }
}

/// A managed policy by its name, a grant by the beginning of its id.
fn short(source: &PolicySource) -> String {
    match source {
        PolicySource::Managed { name, .. } => name.clone(),
        PolicySource::Grant { grant_id } => format!("the grant {}…", grant_id.get(..8).unwrap_or(grant_id)),
        other => other.to_string(),
    }
}

fn is_key_policy(examined: &StatementTrace) -> bool {
    examined.source.is_resource_based()
}

fn is_grant(examined: &StatementTrace) -> bool {
    matches!(examined.source, PolicySource::Grant { .. })
}

/// Whether a grant is DynamoDB's own, which it makes with each table.
fn is_services(examined: &StatementTrace) -> bool {
    let grantee = examined.json.get("GranteePrincipal").and_then(Value::as_str).unwrap_or_default();
    grantee.starts_with("dynamodb.") && grantee.ends_with(".amazonaws.com")
}

fn is_identity(examined: &StatementTrace) -> bool {
    !is_key_policy(examined) && !is_grant(examined)
}

fn allows(examined: &StatementTrace) -> bool {
    examined.effect == Effect::Allow && examined.result == MatchResult::Matched
}

fn delegates(examined: &StatementTrace) -> bool {
    examined.result == MatchResult::DelegatesToAccount
}

/// The number of parts that don't match.
fn misses(examined: &StatementTrace) -> usize {
    match &examined.result {
        MatchResult::NotMatched(parts) => parts.len(),
        MatchResult::Matched | MatchResult::DelegatesToAccount => 0,
    }
}

/// `statement 1` where it has no name.
fn name_of(examined: &StatementTrace) -> String {
    match &examined.sid {
        Some(sid) if !sid.is_empty() => format!("\"{sid}\""),
        _ if is_grant(examined) => short(&examined.source),
        _ => format!("statement {}", examined.statement + 1),
    }
}

/// How many actions a sentence names; the statement itself has them all.
const NAMED_ACTIONS: usize = 6;

/// Of a long list of actions only those of the service that is asked.
fn shortened(part: &Mismatch) -> Mismatch {
    match part {
        Mismatch::Action { wanted, negated, asked } if wanted.len() > NAMED_ACTIONS => {
            let service = asked.split(':').next().unwrap_or_default();
            let is_of = |action: &&String| action.split(':').next() == Some(service);
            let mut named: Vec<String> = wanted.iter().filter(is_of).take(NAMED_ACTIONS).cloned().collect();
            named.push(format!("{} other actions", wanted.len() - named.len()));
            Mismatch::Action { wanted: named, negated: *negated, asked: asked.clone() }
        }
        other => other.clone(),
    }
}

fn evidence(examined: &StatementTrace) -> Evidence {
    let result = match &examined.result {
        MatchResult::Matched if examined.effect == Effect::Deny => "It matches the call and denies it.".to_owned(),
        MatchResult::Matched => "It matches the call and allows it.".to_owned(),
        MatchResult::DelegatesToAccount => {
            "It names the account, not the caller, so IAM policies in the account may decide.".to_owned()
        }
        MatchResult::NotMatched(parts) => {
            parts.iter().map(|part| shortened(part).to_string()).collect::<Vec<_>>().join(" ")
        }
    };
    // A grant is a document of its own: it is named once.
    let policy = if is_grant(examined) { "the key's grants".to_owned() } else { examined.source.to_string() };
    Evidence { policy, name: name_of(examined), result, json: Arc::clone(&examined.json) }
}

/// The ones that come closest to what is asked.
fn closest<'t>(of: impl Iterator<Item = &'t StatementTrace> + Clone) -> Vec<Evidence> {
    let least = of.clone().map(misses).min();
    of.filter(|examined| Some(misses(examined)) == least).take(CLOSEST).map(evidence).collect()
}

/// A decision, to read the rungs off.
struct Trace<'d>(&'d Decided);

impl<'d> Trace<'d> {
    fn of(&self, kind: fn(&StatementTrace) -> bool) -> impl Iterator<Item = &'d StatementTrace> + Clone + use<'d> {
        self.0.decision.trace.iter().filter(move |examined| kind(examined))
    }

    fn outcome(&self) -> &'d Outcome {
        &self.0.decision.outcome
    }

    /// Who asked, in the words of a sentence.
    fn caller(&self) -> &'d str {
        self.0.principal.rsplit([':', '/']).next().unwrap_or_default()
    }

    fn is_service(&self) -> bool {
        !self.0.principal.starts_with("arn:")
    }

    fn explicit_deny(&self) -> Rung {
        let denials = || self.of(|examined| examined.effect == Effect::Deny);
        let fits = |examined: &&StatementTrace| examined.result == MatchResult::Matched;
        let denying = denials().find(fits);
        let sentence = match (denying, denials().count()) {
            (Some(denying), _) => format!("{} denies it: {}", short(&denying.source), name_of(denying)),
            (None, 0) => "there is no Deny".to_owned(),
            (None, _) => "no Deny matches this call".to_owned(),
        };
        Rung {
            question: "explicit deny?",
            word: if denying.is_some() { Word::Yes } else { Word::No },
            sentence,
            decides: matches!(self.outcome(), Outcome::ExplicitDeny { .. }),
            looked_at: denying.map_or_else(|| closest(denials()), |denying| vec![evidence(denying)]),
        }
    }

    /// Where no key policy has a say.
    fn identity(&self) -> Rung {
        let own = || self.of(is_identity);
        let allowing = own().find(|examined| allows(examined));
        let (word, sentence) = match allowing {
            Some(allowing) => (Word::Yes, format!("{} allows it", short(&allowing.source))),
            None => (Word::No, format!("no policy of {} allows {}", self.caller(), self.0.action)),
        };
        Rung {
            question: "IAM allows it?",
            word,
            sentence,
            decides: !matches!(self.outcome(), Outcome::ExplicitDeny { .. }),
            looked_at: allowing.map_or_else(|| closest(own()), |allowing| vec![evidence(allowing)]),
        }
    }

    /// Whether a statement names the caller or everybody, whatever it says of them.
    fn names_caller(&self, examined: &StatementTrace) -> bool {
        let Some(principal) = examined.json.get("Principal").map(Value::to_string) else { return false };
        let names = |name: &str| principal.contains(&Value::from(name).to_string());
        // A session is named by its role's ARN, too: what the evaluator let pass and is no account is such a name.
        let is_account = || principal.contains(":root\"") || principal.contains(&format!("\"{}\"", self.account()));
        let fits = match &examined.result {
            MatchResult::NotMatched(parts) => !parts.iter().any(|part| matches!(part, Mismatch::Principal { .. })),
            MatchResult::Matched => true,
            MatchResult::DelegatesToAccount => false,
        };
        names(&self.0.principal) || names("*") || (fits && !is_account())
    }

    fn account(&self) -> &'d str {
        self.0.principal.split(':').nth(4).unwrap_or_default()
    }

    fn is_about_action(&self, examined: &StatementTrace) -> bool {
        match &examined.result {
            MatchResult::NotMatched(parts) => !parts.iter().any(|part| matches!(part, Mismatch::Action { .. })),
            MatchResult::Matched | MatchResult::DelegatesToAccount => true,
        }
    }

    fn key_policy(&self) -> Rung {
        let own = || self.of(is_key_policy);
        let allowing = own().find(|examined| allows(examined));
        let naming = own().find(|examined| examined.effect == Effect::Allow && self.names_caller(examined));
        let delegating = own().find(|examined| delegates(examined));
        let (word, sentence, looked_at) = match (allowing, naming, delegating) {
            (Some(allowing), _, _) => {
                (Word::Yes, format!("{} allows {}", name_of(allowing), self.0.action), vec![evidence(allowing)])
            }
            (None, Some(naming), _) => {
                let why = match self.is_about_action(naming) {
                    true => "matches only in part".to_owned(),
                    false => format!("doesn't include {}", self.0.action),
                };
                (Word::YesBut, format!("{} {why}", name_of(naming)), vec![evidence(naming)])
            }
            (None, None, Some(delegating)) => (
                Word::No,
                format!("{} names the account, not the caller", name_of(delegating)),
                vec![evidence(delegating)],
            ),
            (None, None, None) => (Word::No, "no statement names the caller".to_owned(), closest(own())),
        };
        let decides = match self.outcome() {
            Outcome::Allowed { by, .. } => by.is_resource_based(),
            Outcome::ImplicitDeny { missing } => *missing == Missing::ResourcePolicy,
            Outcome::ExplicitDeny { .. } => false,
        };
        Rung { question: "key policy allows it?", word, sentence, decides, looked_at }
    }

    fn account_rung(&self) -> Rung {
        let delegating = self.of(|examined| !is_identity(examined)).find(|examined| delegates(examined));
        let own = || self.of(is_identity);
        let allowing = own().find(|examined| allows(examined));
        // The caller's own policies come first: what lets them count is read once they are known.
        let mut looked_at = allowing.map_or_else(|| closest(own()), |allowing| vec![evidence(allowing)]);
        looked_at.extend(delegating.map(evidence));
        let (word, sentence) = match (delegating, allowing) {
            _ if self.is_service() => (Word::No, "a service has no IAM policies in this account".to_owned()),
            (Some(_), Some(allowing)) => (Word::Yes, format!("{} allows it", short(&allowing.source))),
            (Some(_), None) => (Word::YesBut, format!("no policy of {} allows {}", self.caller(), self.0.action)),
            (None, Some(allowing)) => {
                let text = "allows it, but the key policy doesn't let IAM decide";
                (Word::No, format!("{} {text}", short(&allowing.source)))
            }
            (None, None) => (Word::No, format!("the key policy doesn't let IAM decide on {}", self.0.action)),
        };
        let decides = match self.outcome() {
            Outcome::Allowed { via_account, .. } => *via_account,
            Outcome::ImplicitDeny { missing } => *missing == Missing::IdentityPolicy,
            Outcome::ExplicitDeny { .. } => false,
        };
        Rung { question: "account's IAM decides?", word, sentence, decides, looked_at }
    }

    fn grants(&self) -> Rung {
        let all = || self.of(is_grant);
        let allowing = all().find(|examined| allows(examined));
        let (word, sentence) = match (allowing, all().count()) {
            (Some(allowing), _) => (Word::Yes, format!("{} allows it", short(&allowing.source))),
            (None, 0) => (Word::No, "the key has no grants".to_owned()),
            (None, 1) if all().all(is_services) => (Word::No, "1 grant, for DynamoDB itself".to_owned()),
            (None, 1) => (Word::No, "1 grant, not for this call".to_owned()),
            (None, count) => (Word::No, format!("{count} grants, none for this call")),
        };
        Rung {
            question: "a grant?",
            word,
            sentence,
            decides: matches!(
                self.outcome(),
                Outcome::Allowed { by: PolicySource::Grant { .. }, via_account: false, .. }
            ),
            looked_at: allowing.map_or_else(|| closest(all()), |allowing| vec![evidence(allowing)]),
        }
    }
}

/// The ladders of one request, in the order in which they were decided.
pub fn ladders(all: &[Decided], request_id: &str) -> Vec<Ladder> {
    all.iter().filter(|decided| decided.request_id == request_id).map(Ladder::of).collect()
}

/// The newest `kms:Decrypt` that was decided for the same principal before this request, and allowed: from it DynamoDB
/// still holds the table key where it asks nobody. `of_table` says of a request's id whether it was to DynamoDB, about
/// the same table: each table has a key of its own, and who decrypts something themselves gives DynamoDB nothing.
pub fn earlier_decrypt<'a>(
    all: &'a [Decided],
    request_id: &str,
    of_table: impl Fn(&str) -> bool,
) -> Option<&'a Decided> {
    let at = all.iter().position(|decided| decided.request_id == request_id)?;
    let principal = &all[at].principal;
    let is_it = |decided: &&Decided| {
        decided.action == "kms:Decrypt"
            && decided.principal == *principal
            && decided.decision.is_allowed()
            && of_table(&decided.request_id)
    };
    all[..at].iter().rev().find(is_it)
}
