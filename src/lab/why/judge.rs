//! What the evidence says of both locks.
//!
//! Each lock is decided three times by the same evaluator: as read, and with everything unknown at its best and at its
//! worst. Only where best and worst agree is there a verdict.

use super::evidence::{Evidence, Found, Part};
use super::policies::{Leaning, Policies, Question};
use super::{Case, Verdict};
use crate::lab::feature::insight::ladder::{Decided, Ladder};
use crate::lab::feature::insight::near_miss::{NearMiss, near_miss};
use crate::policy::{
    Decision, Effect, MatchResult, Mismatch, Missing, Outcome, PolicySource, StatementTrace, account_of,
};

/// A rung that can refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// A Deny fits.
    ExplicitDeny,
    /// The key policy.
    KeyPolicy,
    /// The caller's policies.
    IamPolicies,
    /// The grants.
    Grants,
    /// The caller's permissions boundary.
    Boundary,
    /// The policies of the organization.
    Organization,
    /// The table's own policy.
    TablePolicy,
}

impl Rung {
    /// Its name in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Rung::ExplicitDeny => "explicit_deny",
            Rung::KeyPolicy => "key_policy",
            Rung::IamPolicies => "iam_policies",
            Rung::Grants => "grants",
            Rung::Boundary => "permissions_boundary",
            Rung::Organization => "organization",
            Rung::TablePolicy => "table_policy",
        }
    }
}

/// What one lock says.
#[derive(Debug, Clone)]
pub struct Lock {
    /// `kms:Decrypt`
    pub action: String,
    /// The ARN.
    pub resource: String,
    /// What is certain.
    pub verdict: Verdict,
    /// The decision as read.
    pub decision: Decision,
    /// The same, rung by rung.
    pub ladder: Ladder,
    /// The rung that refused; `None` where nothing does, or nothing is certain.
    pub refused: Option<Rung>,
    /// The statement that comes closest.
    pub near: Option<NearMiss>,
    /// Whether IAM policies count for it.
    pub by_iam: bool,
    /// Why it could turn out otherwise, in sentences.
    pub open: Vec<String>,
    /// What AWS's message would be.
    pub message: Option<String>,
}

/// Judges the lock of the table.
pub fn table(case: &Case, evidence: &Evidence) -> Option<Lock> {
    let table = evidence.table.get()?;
    let action = case.table_action.clone()?;
    let policies = Policies::new(case, evidence);
    let resource = format!("{}{}", table.arn, case.index.as_deref().unwrap_or_default());
    let question = Question { action, resource, table: Some(table.name.clone()), by_dynamodb: false };
    let is_foreign = account_of(&table.arn).is_some_and(|owner| owner != policies.principal.account);
    let decide = |leaning| {
        let mut decision = policies.of_table(&question, leaning, table.has_policy != Some(false));
        // The root user needs no policy of its own (IAM guide).
        if policies.principal.is_root() && !is_foreign && leaning == Leaning::AsRead && !decision.is_allowed() {
            decision.outcome = Outcome::Allowed { by: root(), sid: None, via_account: true };
        }
        decision
    };
    let decision = decide(Leaning::AsRead);
    let rest = Rest { policies: &policies, question: &question, evidence, decision: &decision };
    let is_root = policies.principal.is_root() && !is_foreign;
    let allows = |leaning| (is_root || decide(leaning).is_allowed()) && rest.limits(leaning).is_none();
    let mut lock = rest.lock(allows(Leaning::Worst), allows(Leaning::Best));
    if is_foreign {
        // It takes the table's policy, too, which is not read here.
        let (verdict, refused) = match table.has_policy {
            Some(false) => (Verdict::Denied, Some(Rung::TablePolicy)),
            _ if lock.verdict == Verdict::Denied => (Verdict::Denied, lock.refused),
            _ => (Verdict::Unknown, None),
        };
        (lock.verdict, lock.refused) = (verdict, refused);
    }
    Some(lock)
}

fn root() -> PolicySource {
    PolicySource::Inline { user: "root".to_owned(), name: "the root user's own rights".to_owned() }
}

/// Judges the lock of the key.
pub fn key(case: &Case, evidence: &Evidence) -> Option<Lock> {
    let key = evidence.key.get()?;
    let action = case.key_action.clone()?;
    let policies = Policies::new(case, evidence);
    let table = evidence.table.get().map(|table| table.name.clone());
    let question = Question { action, resource: key.arn.clone(), table, by_dynamodb: case.by_dynamodb };
    let decision = policies.of_key(&question, Leaning::AsRead);
    let rest = Rest { policies: &policies, question: &question, evidence, decision: &decision };
    let allows = |leaning| {
        let decision = policies.of_key(&question, leaning);
        decision.is_allowed() && rest.limits_of(&decision, leaning).is_none()
    };
    Some(rest.lock(allows(Leaning::Worst), allows(Leaning::Best)))
}

/// What is judged beside the policies that allow.
struct Rest<'a> {
    policies: &'a Policies<'a>,
    question: &'a Question,
    evidence: &'a Evidence,
    decision: &'a Decision,
}

impl Rest<'_> {
    fn limits(&self, leaning: Leaning) -> Option<Rung> {
        self.limits_of(self.decision, leaning)
    }

    /// The rung that refuses although `decision` allows: what limits, but never allows.
    fn limits_of(&self, decision: &Decision, leaning: Leaning) -> Option<Rung> {
        let is_unread = |part: Part| leaning == Leaning::Worst && self.is_unread(part);
        let organization = self.evidence.organization.iter().find(|(action, _)| *action == self.question.action);
        if organization.is_some_and(|(_, allowed)| !allowed) || is_unread(Part::Organization) {
            return Some(Rung::Organization);
        }
        let boundary = self.policies.of_boundary(self.question, leaning);
        match boundary {
            None => is_unread(Part::Boundary).then_some(Rung::Boundary),
            Some(boundary) if boundary.is_allowed() => None,
            Some(Decision { outcome: Outcome::ExplicitDeny { .. }, .. }) => Some(Rung::Boundary),
            // Whether it limits what a key policy or grant allows depends on how that names the caller.
            Some(_) => match &decision.outcome {
                Outcome::Allowed { by, via_account: false, .. } if leaning == Leaning::Best && !is_identity(by) => None,
                _ => Some(Rung::Boundary),
            },
        }
    }

    fn is_unread(&self, part: Part) -> bool {
        self.evidence.unread.iter().any(|unread| unread.part == part)
    }

    fn lock(&self, worst: bool, best: bool) -> Lock {
        let verdict = match (worst, best) {
            (true, _) => Verdict::Allowed,
            (false, false) => Verdict::Denied,
            (false, true) => Verdict::Unknown,
        };
        let Question { action, resource, .. } = self.question;
        let by_iam = self.by_iam();
        let near = match &self.decision.outcome {
            Outcome::ImplicitDeny { .. } => near_miss(self.decision, action, by_iam),
            _ => None,
        };
        let refused = match verdict {
            Verdict::Denied => self.refused(near.as_ref()),
            _ => None,
        };
        let decided = Decided {
            request_id: String::new(),
            principal: self.policies.principal.arn.clone(),
            action: action.clone(),
            resource: resource.clone(),
            decision: self.decision.clone(),
        };
        let message =
            (verdict == Verdict::Denied).then(|| self.policies.message(self.question, self.decision)).flatten();
        let open = if verdict == Verdict::Unknown { self.open() } else { Vec::new() };
        Lock {
            action: action.clone(),
            resource: resource.clone(),
            verdict,
            ladder: Ladder::of(&decided),
            decision: self.decision.clone(),
            refused,
            near,
            by_iam,
            open,
            message,
        }
    }

    /// Whether IAM policies may allow it: always for a table, for a key if its policy or a grant says so.
    fn by_iam(&self) -> bool {
        let delegates = self.decision.trace.iter().any(|examined| examined.result == MatchResult::DelegatesToAccount);
        delegates || account_of(&self.question.resource).is_none() || !self.question.action.starts_with("kms:")
    }

    fn refused(&self, near: Option<&NearMiss>) -> Option<Rung> {
        match &self.decision.outcome {
            Outcome::Allowed { .. } => self.limits(Leaning::AsRead),
            Outcome::ExplicitDeny { .. } => Some(Rung::ExplicitDeny),
            Outcome::ImplicitDeny { missing } => Some(match (near, missing) {
                (Some(near), _) => rung_of(&near.source),
                (None, Missing::IdentityPolicy) => self.meant().unwrap_or(Rung::IamPolicies),
                (None, Missing::ResourcePolicy | Missing::TrustPolicy) => Rung::KeyPolicy,
                (None, Missing::PermissionsBoundary | Missing::SessionPolicy) => Rung::Boundary,
            }),
        }
    }

    /// Where somebody meant to let the caller in, but not for this action: AWS's message names IAM policies even then.
    fn meant(&self) -> Option<Rung> {
        let caller = self.policies.principal.arn.clone();
        let is_meant = |examined: &&StatementTrace| {
            let MatchResult::NotMatched(parts) = &examined.result else { return false };
            let names_caller = || principals(&examined.json).contains(&caller);
            examined.effect == Effect::Allow
                && match examined.source {
                    PolicySource::Grant { .. } => matches!(parts[..], [Mismatch::GrantOperation { .. }]),
                    PolicySource::KeyPolicy { .. } => match &parts[..] {
                        [Mismatch::Action { .. }] => names_caller(),
                        // The statement is for a user who was deleted.
                        [Mismatch::Principal { wanted, negated: false, .. }] => {
                            wanted.iter().any(|id| is_deleted_principal(id))
                        }
                        _ => false,
                    },
                    _ => false,
                }
        };
        self.decision.trace.iter().find(is_meant).map(|examined| rung_of(&examined.source))
    }

    /// What could turn the verdict.
    fn open(&self) -> Vec<String> {
        let is_key = self.question.action.starts_with("kms:");
        let unread = self.evidence.unread.iter().filter(|unread| match unread.part {
            Part::Identity | Part::Boundary | Part::Organization => true,
            Part::Table | Part::TablePolicy => !is_key,
            Part::Key | Part::KeyPolicy | Part::Grants => is_key,
            Part::Nothing => false,
        });
        let mut open: Vec<String> = unread.map(|unread| unread.says.clone()).collect();
        open.extend(self.policies.unknown(self.question));
        if let Some((source, _)) = self.evidence.boundary.as_ref().filter(|_| open.is_empty()) {
            open.push(format!("whether {source} limits what the key policy or a grant allows is not decided here"));
        }
        open.dedup();
        open
    }
}

/// The principals that a statement names.
fn principals(statement: &serde_json::Value) -> Vec<String> {
    match statement.pointer("/Principal/AWS") {
        Some(serde_json::Value::String(one)) => vec![one.clone()],
        Some(serde_json::Value::Array(all)) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// Whether a principal is a unique id, which a key policy shows once the user or role is deleted.
fn is_deleted_principal(principal: &str) -> bool {
    ["AIDA", "AROA"].iter().any(|kind| principal.starts_with(kind))
}

fn is_identity(source: &PolicySource) -> bool {
    use PolicySource as S;
    matches!(source, S::Managed { .. } | S::Inline { .. })
}

fn rung_of(source: &PolicySource) -> Rung {
    use PolicySource as S;
    match source {
        S::KeyPolicy { .. } | S::Trust { .. } => Rung::KeyPolicy,
        S::Boundary { .. } | S::Session { .. } => Rung::Boundary,
        S::Managed { .. } | S::Inline { .. } => Rung::IamPolicies,
        S::Grant { .. } => Rung::Grants,
    }
}

/// Whether the caller certainly does not exist.
pub fn is_nobody(evidence: &Evidence) -> bool {
    evidence.principal == Found::Missing
}
