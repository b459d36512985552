//! The learner's own fix: a document as it is on the server, changed in the editor, and the call that it becomes.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Current, Drills, Part, Task, catalog};
use crate::lab::kernel::run::Run;
use crate::lab::model::attempt::{self, Target, Unsendable};
use crate::lab::model::draft::Draft;
use crate::lab::model::drill::{Lock, Look, Rung};
use crate::lab::model::exchange::Exchange;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::operation::Operation;
use crate::lab::trial::change::{GRANT_NAME, POLICY_NAME};

/// What the learner writes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Own {
    mechanism: Mechanism,
    /// As it is shown; `None` until the document is read.
    draft: Option<Draft>,
    /// The call that it has become.
    pub(super) operation: Option<Operation>,
}

impl Current {
    /// What the editor changes: the document that is looked at, else the one with the fault. No editor changes the
    /// state of a key, and the lab no policies of a given user.
    pub fn editable(&self, given_user: bool) -> Option<Mechanism> {
        let def = catalog::of(self.drill);
        let at_fault = match (def.lock, self.named_rung()) {
            (_, Rung::KeyState) => None,
            (Lock::Table, _) | (_, Rung::IamPolicy) => Some(Mechanism::IamPolicy),
            (_, Rung::Grant) => Some(Mechanism::Grant),
            (_, Rung::Deny | Rung::KeyPolicy) => Some(Mechanism::KeyPolicy),
        };
        let mechanism = match self.look {
            Some(Look::KeyPolicy) => Some(Mechanism::KeyPolicy),
            Some(Look::IamPolicies) => Some(Mechanism::IamPolicy),
            Some(Look::Grants) => Some(Mechanism::Grant),
            Some(Look::KeyState) => None,
            None => at_fault.filter(|_| self.task == Task::Fix),
        };
        mechanism.filter(|mechanism| self.is_open() && !(given_user && *mechanism == Mechanism::IamPolicy))
    }
}

impl Drills {
    /// Begins an own fix: its document is read first, since another client may have changed it.
    pub(in crate::lab) fn write(&mut self, given_user: bool) -> Option<Part> {
        let it = self.current.as_mut()?;
        let mechanism = it.editable(given_user)?;
        it.own = Some(Own { mechanism, draft: None, operation: None });
        Some(Part::Look(match mechanism {
            Mechanism::KeyPolicy => Look::KeyPolicy,
            Mechanism::IamPolicy => Look::IamPolicies,
            Mechanism::Grant => Look::Grants,
        }))
    }

    /// Puts the document that was read into the editor. Returns whether there is one to write.
    pub(in crate::lab) fn open_draft(&mut self, run: &Run) -> bool {
        let own = self.current.as_mut().and_then(|it| it.own.as_mut()).filter(|own| own.draft.is_none());
        let Some(own) = own else { return false };
        own.draft = Some(match text(own.mechanism, run) {
            Some(text) => Draft::new(&text),
            None => attempt::template(own.mechanism),
        });
        true
    }

    /// What is being written, and what it is.
    pub fn draft(&self) -> Option<(Mechanism, &Draft)> {
        let own = self.current.as_ref()?.own.as_ref()?;
        Some((own.mechanism, own.draft.as_ref()?))
    }

    /// The same, to change it.
    pub(in crate::lab) fn draft_mut(&mut self) -> Option<&mut Draft> {
        self.current.as_mut()?.own.as_mut()?.draft.as_mut()
    }

    /// Sends what is written; `text` has the real names.
    ///
    /// # Errors
    /// It can't be a call.
    pub(in crate::lab) fn send(&mut self, text: &str, key: &str, user: &str) -> Result<Option<Part>, Unsendable> {
        let Some(own) = self.current.as_mut().and_then(|it| it.own.as_mut()) else { return Ok(None) };
        own.operation = Some(operation(own.mechanism, text, key, user)?);
        Ok(Some(Part::Own))
    }
}

/// The call that `text` becomes. A key policy is written as a whole: a Deny can be taken out.
fn operation(mechanism: Mechanism, text: &str, key: &str, user: &str) -> Result<Operation, Unsendable> {
    if mechanism == Mechanism::KeyPolicy {
        let policy: Value = serde_json::from_str(text).map_err(|error| Unsendable::NotJson(error.line().max(1)))?;
        let is_policy = policy.get("Statement").is_some();
        let call = || Operation::PutKeyPolicy { key: key.to_owned(), policy: text.trim().to_owned() };
        return is_policy.then(call).ok_or(Unsendable::NotAStatement);
    }
    let mut operation = attempt::operation(mechanism, text, &Target { key, user, policy: None })?;
    match &mut operation {
        // Under the names by which a drill's changes are found and undone.
        Operation::PutUserPolicy { name, .. } => POLICY_NAME.clone_into(name),
        Operation::CreateGrant { name, .. } => GRANT_NAME.clone_into(name),
        _ => {}
    }
    Ok(operation)
}

/// The document as it was last read, one member a line; `None` if the lab found none.
fn text(mechanism: Mechanism, run: &Run) -> Option<String> {
    let newest = |is_it: &dyn Fn(&Operation) -> bool| {
        let mut exchanges = run.exchanges().rev();
        exchanges.find(|exchange| is_it(&exchange.operation)).filter(|exchange| exchange.is_allowed())
    };
    let member = |exchange: &Exchange, name: &str| exchange.body()?.get(name)?.as_str().map(str::to_owned);
    let text = match mechanism {
        Mechanism::KeyPolicy => {
            member(newest(&|operation| matches!(operation, Operation::GetKeyPolicy { .. }))?, "Policy")?
        }
        Mechanism::IamPolicy => {
            let listed = newest(&|operation| matches!(operation, Operation::ListUserPolicies { .. }))?;
            super::baseline::names(listed).contains(POLICY_NAME).then_some(())?;
            let is_it = |operation: &Operation| matches!(operation, Operation::GetUserPolicy { name, .. } if name == POLICY_NAME);
            let text = member(newest(&is_it)?, "PolicyDocument")?;
            percent_decode_str(&text).decode_utf8().ok()?.into_owned()
        }
        Mechanism::Grant => return None,
    };
    let policy: Value = serde_json::from_str(&text).ok()?;
    serde_json::to_string_pretty(&policy).ok()
}
