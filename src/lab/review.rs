//! Before PutKeyPolicy is sent: a person sees what it changes, and nobody is locked out of the key.

use super::exchange::Exchange;
use super::facts::Caller;
use super::flow::Effect;
use super::kernel::event::RunId;
use super::model::batch::Batch;
use super::model::outcome::Check;
use super::operation::{Identity, Operation};
use super::policy_diff::PolicyDiff;
use super::stage::Stage;
use super::state::State;
use crate::policy::{
    AccessRequest, ConditionContext, NamedPolicy, Outcome, PolicyDocument, PolicyKind, PolicySource, Principal,
    account_of, decide_for_key,
};

/// Whoever may call this can mend every other permission on the key.
const PUT_KEY_POLICY: &str = "kms:PutKeyPolicy";

/// Whether a person looks at a new key policy before it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Review {
    is_on: bool,
}

impl State {
    /// The same state, which shows a person what a key policy changes before it is sent.
    #[must_use]
    pub fn with_review(mut self) -> State {
        self.review.is_on = true;
        self
    }

    /// What `policy` changes in the key policy that was read when the stage began, as it is shown.
    pub fn policy_diff(&self, policy: &str) -> Option<PolicyDiff> {
        let before = self.shown_facts().policy_before.as_deref()?;
        Some(PolicyDiff::between(before, policy))
    }

    /// What the grant stage has changed in the key policy.
    pub fn granted(&self) -> Option<PolicyDiff> {
        self.policy_diff(self.shown_facts().policy.as_deref()?).filter(|diff| !diff.is_empty())
    }

    /// test-user's Scan as it was denied, while the shown stage sends it again.
    pub fn denied_before(&self) -> Option<&Exchange> {
        let denied = self.record(Stage::ViewDenied).exchanges().rev();
        let mut denied = denied.filter(|e| e.identity == Identity::TestUser && e.verdict.key() == "denied");
        denied.next().filter(|_| self.view.shown == Stage::ViewAgain && self.view.bench.is_none())
    }

    /// Sends `batch`; a new key policy only when it locks nobody out and, where a person is there, after a yes.
    pub(super) fn send_or_hold(&mut self, stage: Stage, batch: Batch, effects: &mut Vec<Effect>) {
        let puts = |(_, operation): &(Identity, Operation)| match operation {
            Operation::PutKeyPolicy { policy, .. } => Some(policy.clone()),
            _ => None,
        };
        let id = RunId::Stage(stage);
        let Some(policy) = batch.calls.iter().find_map(puts) else {
            return self.send(id, batch, effects);
        };
        if let Some(reason) = self.lock_out(&policy) {
            // `r` reads the policy again: it may have been mended elsewhere.
            self.kernel.rewind(stage);
            self.kernel.amend_facts(|facts| facts.policy_before = None);
            return self.conclude(stage, Check::unmet(format!("{reason}; nothing was sent")));
        }
        // What is sent once more, since the new user was not known yet, has been looked at.
        let looked_at = self.record(stage).attempt > 0;
        if !self.review.is_on || looked_at || self.is_catching_up() || self.passes_by() {
            return self.send(id, batch, effects);
        }
        self.kernel.hold(id, self.masking.batch(batch));
    }

    fn lock_out(&self, policy: &str) -> Option<String> {
        let facts = self.kernel.facts();
        lock_out(policy, facts.admin.as_ref()?, facts.key_arn()?)
    }

    /// Leaves unsent what has been looked at; the stage can be begun again.
    pub(super) fn drop_held(&mut self) {
        let stage = self.kernel.current();
        self.kernel.amend_facts(|facts| facts.policy_before = None);
        self.kernel.reset(RunId::Stage(stage));
        self.view.close();
        self.view.show(stage);
        let text = self.interface().say("nothing was sent: the key policy is as it was").to_owned();
        self.view.message = Some(text);
    }
}

/// Why `policy` would lock `admin` out of the key: neither may admin replace the policy, nor does it let the IAM of
/// admin's account decide that. `None` where it would not. Grants don't count: none can give `kms:PutKeyPolicy`.
pub(super) fn lock_out(policy: &str, admin: &Caller, key_arn: &str) -> Option<String> {
    let document = match PolicyDocument::parse(PolicyKind::Key, policy) {
        Ok(document) => document,
        Err(error) => return Some(format!("this policy can't be checked for locking admin out of the key: {error}")),
    };
    let names = admin.names(document.principals());
    let source = PolicySource::KeyPolicy { key_arn: key_arn.to_owned() };
    let policy = NamedPolicy { source, document: document.into() };
    let mut is_let = false;
    for arn in &names {
        let principal = principal(arn, admin);
        let owner = account_of(key_arn).unwrap_or(&admin.account);
        let mut context = ConditionContext::of_request(&principal, owner, None);
        context.set("kms:CallerAccount", &admin.account).set("kms:BypassPolicyLockoutSafetyCheck", "false");
        let call =
            AccessRequest { principal: &principal, action: PUT_KEY_POLICY, resource: key_arn, context: &context };
        let decision = decide_for_key(&call, &policy, &admin.account, &[], &[], &Default::default());
        if let Outcome::ExplicitDeny { sid, .. } = &decision.outcome {
            let statement = sid.as_ref().map_or("a statement without Sid".to_owned(), |sid| format!("\"{sid}\""));
            return Some(format!("this policy would lock admin out of the key: {statement} denies {PUT_KEY_POLICY}"));
        }
        let to_account = decision.trace.iter().any(|e| e.result == crate::policy::MatchResult::DelegatesToAccount);
        is_let |= decision.is_allowed() || to_account;
    }
    (!is_let).then(|| {
        format!(
            "this policy would lock admin out of the key: no statement gives {PUT_KEY_POLICY} to admin or to account \
             {}",
            admin.account
        )
    })
}

fn principal(arn: &str, admin: &Caller) -> Principal {
    let user_name = arn.split_once(":user/").map(|(_, path)| path.rsplit('/').next().unwrap_or(path).to_owned());
    // STS tells a unique id, too; KMS stores ARNs as long as they name somebody.
    Principal { arn: arn.to_owned(), account: admin.account.clone(), unique_id: String::new(), user_name, tags: vec![] }
}
