//! The run of a drill: its batches, what its responses teach, and what follows each part.

use super::baseline::{self, Baseline};
use super::current::{Current, Undoing};
use super::score::Remark;
use super::{Drills, Outlook, Part, Task, Then, Undone, catalog};
use crate::lab::kernel::event::TimerId;
use crate::lab::kernel::run::Run;
use crate::lab::model::batch::{Batch, Next};
use crate::lab::model::drill::{Lock, Look};
use crate::lab::model::exchange::{Exchange, Verdict};
use crate::lab::model::key_policy::KeyPolicyError;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::until::Until;
use crate::lab::stages::Sources;
use crate::lab::trial::change::Change;
use crate::lab::trial::ledger::Ledger;
use crate::lab::trial::setup::{Setup, Step, try_out, undo};

/// Said where the server lets test-user read in spite of the fault.
const NOT_REFUSED: &str = "test-user can read in spite of the fault";

/// The run of a drill.
impl Drills {
    /// The next batch of the part that runs.
    pub(in crate::lab) fn next(&mut self, ledger: &mut Ledger, batch: usize, sources: &Sources<'_>, run: &Run) -> Next {
        let Some(it) = &mut self.current else { return Next::End };
        let policy = ledger.policy.clone();
        let setup = Setup::new(sources, policy.as_deref(), None);
        let given_user = sources.backend.given_user;
        let next = match it.part {
            Part::SetUp if batch == 0 => Next::Send(baseline::reads(&setup, given_user, false)),
            Part::SetUp => match it.before.policy.is_some() {
                true => {
                    let fault = (catalog::of(it.drill).fault)(&setup);
                    of_steps(fault.map(|steps| and_scan(steps, &setup)), batch - 1)
                }
                false => Next::Blocked("GetKeyPolicy's answer has no policy".to_owned()),
            },
            Part::Look(look) => it.next_look(look, batch, &setup, given_user, run),
            Part::Fix(fix) => of_steps(fix.steps(it.drill, &setup).map(|steps| and_scan(steps, &setup)), batch),
            Part::Own => {
                let operation = it.own.as_ref().and_then(|own| own.operation.clone());
                let steps = operation.map(|operation| try_out([(Identity::Admin, operation)]));
                of_steps(Ok(and_scan(steps.into_iter().collect(), &setup)), batch)
            }
            Part::Check => of_steps(Ok(and_scan(Vec::new(), &setup)), batch),
            Part::Undo => return it.next_undo(ledger, batch, &setup, given_user),
        };
        if let Next::Send(batch) = &next {
            batch.calls.iter().for_each(|(_, operation)| ledger.note(operation));
        }
        next
    }

    /// Learns from a response.
    pub(in crate::lab) fn learn(&mut self, ledger: &mut Ledger, exchange: &Exchange) {
        let Some(it) = &mut self.current else { return };
        ledger.learn(exchange, it.part == Part::Undo);
        match it.part {
            Part::SetUp => {
                it.before.learn(exchange);
                ledger.policy.clone_from(&it.before.policy);
            }
            Part::Undo => it.after.learn(exchange),
            Part::Look(_) | Part::Fix(_) | Part::Own | Part::Check => {}
        }
    }

    /// Judges the part that has ended. `stopped` says why it could not go on.
    pub(in crate::lab) fn judge(
        &mut self,
        ledger: &Ledger,
        run: &Run,
        stopped: Option<String>,
        is_leaving: bool,
    ) -> Outlook {
        let Some(it) = &mut self.current else { return Outlook::Over(Then::Leave) };
        if is_leaving {
            it.then = Then::CleanUp;
        }
        let [admin, user] = Identity::BOTH.map(|identity| newest_scan(run, identity));
        let both_read = [admin, user].iter().all(|scan| scan.is_some_and(Exchange::is_allowed));
        match it.part {
            Part::SetUp => {
                let trouble = stopped.or_else(|| user.is_none_or(Exchange::is_allowed).then(|| NOT_REFUSED.to_owned()));
                match trouble {
                    None => it.task = Task::Lock,
                    Some(trouble) => {
                        (it.task, it.trouble) = (Task::Impossible, Some(trouble));
                        return Outlook::Begin(Part::Undo);
                    }
                }
            }
            Part::Fix(_) | Part::Own | Part::Check if both_read => {
                let before = it.score.total();
                it.solved_by = Some(it.part);
                it.score.solved(matches!(it.part, Part::Fix(_)), it.task);
                self.points += it.score.total() - before;
                self.record(true);
                if let Some(it) = &mut self.current {
                    it.task = Task::Solved;
                }
                return Outlook::Begin(Part::Undo);
            }
            Part::Fix(fix) => {
                it.remark = Some(it.score.wrong_fix(fix));
            }
            // Who has only looked around in a shell hears nothing.
            Part::Own | Part::Check => it.remark = (it.task == Task::Fix).then_some(Remark::StillRefused),
            Part::Look(_) => {}
            Part::Undo => {
                it.undone = match ledger.is_empty() && it.before.differences(&it.after).is_empty() {
                    true => Undone::Yes,
                    false => Undone::Failed(Vec::new()),
                };
                return Outlook::Over(it.then);
            }
        }
        let leaves = self.current.as_ref().is_some_and(|it| it.then != Then::Stay);
        if leaves { Outlook::Begin(Part::Undo) } else { Outlook::Rest }
    }

    /// Waits until DynamoDB has no table key in memory any more.
    pub(in crate::lab) fn pause(&mut self, timer: TimerId) {
        self.pause = Some(timer);
    }

    /// Whether this is the end of the pause.
    pub(in crate::lab) fn ends_pause(&mut self, timer: TimerId) -> bool {
        self.pause.take_if(|pause| *pause == timer).is_some()
    }

    /// Names what could not be undone.
    pub(in crate::lab) fn name_leftovers(&mut self, left: Vec<String>) {
        if let Some(it) = &mut self.current
            && let Undone::Failed(names) = &mut it.undone
        {
            *names = left;
        }
    }
}

impl Current {
    fn next_look(&self, look: Look, batch: usize, setup: &Setup<'_>, given_user: bool, run: &Run) -> Next {
        use Operation as O;
        let key = || setup.key.to_owned();
        let user = || setup.names.user.clone();
        let operations: Vec<Operation> = match (look, batch) {
            (Look::KeyPolicy, 0) => vec![O::GetKeyPolicy { key: key() }],
            (Look::Grants, 0) => vec![O::ListGrants { key: key() }],
            (Look::KeyState, 0) => vec![O::DescribeKey { key: key() }],
            (Look::IamPolicies, 0) if !given_user => {
                vec![O::ListAttachedUserPolicies { user: user() }, O::ListUserPolicies { user: user() }]
            }
            (Look::IamPolicies, 1) if !given_user => {
                let names = newest(run, "ListUserPolicies").map(baseline::names).unwrap_or_default();
                names.into_iter().map(|name| O::GetUserPolicy { user: user(), name }).collect()
            }
            _ => return Next::End,
        };
        let calls = operations.into_iter().map(|operation| (Identity::Admin, operation)).collect();
        Next::Send(Batch { calls, until: Until::Answered, tolerant: true })
    }

    /// The next thing to undo. When everything is undone, reading calls show whether that is so; what they find is
    /// undone, too, and read once more.
    fn next_undo(&mut self, ledger: &mut Ledger, batch: usize, setup: &Setup<'_>, given_user: bool) -> Next {
        if batch >= self.tried.len() {
            let tried = |tried: &[Undoing]| -> Vec<Change> {
                let changes = tried.iter().filter_map(|undoing| match undoing {
                    Undoing::Change(change) => Some(change.clone()),
                    Undoing::Read => None,
                });
                changes.collect()
            };
            let reads = self.tried.iter().filter(|undoing| **undoing == Undoing::Read).count();
            if self.tried.last() == Some(&Undoing::Read) {
                let known = tried(&self.tried);
                let found = self.before.differences(&self.after);
                found.into_iter().filter(|change| !known.contains(change)).for_each(|change| ledger.add(change));
            }
            match ledger.changes.newest_but(&tried(&self.tried)) {
                Some(change) => self.tried.push(Undoing::Change(change)),
                None if self.tried.last() == Some(&Undoing::Read) || reads >= 3 => return Next::End,
                None => self.tried.push(Undoing::Read),
            }
        }
        match self.tried.get(batch) {
            Some(Undoing::Change(change)) => Next::Send(undo(change, setup)),
            Some(Undoing::Read) => {
                self.after = Baseline::default();
                Next::Send(baseline::reads(setup, given_user, true))
            }
            None => Next::End,
        }
    }
}

/// The steps of a part, then both scan when DynamoDB has no table key in memory any more.
fn and_scan(mut steps: Vec<Step>, setup: &Setup<'_>) -> Vec<Step> {
    steps.extend([Step::Idle, setup.both_scan()]);
    steps
}

fn of_steps(steps: Result<Vec<Step>, KeyPolicyError>, at: usize) -> Next {
    match steps.map(|steps| steps.into_iter().nth(at)) {
        Err(reason) => Next::Blocked(reason.to_string()),
        Ok(None) => Next::End,
        Ok(Some(Step::Idle)) => Next::Wait,
        Ok(Some(Step::Send(batch))) => Next::Send(batch),
    }
}

fn newest<'a>(run: &'a Run, name: &str) -> Option<&'a Exchange> {
    run.raw().into_iter().rev().find(|exchange| exchange.operation.name() == name)
}

/// The newest Scan of `identity`.
fn newest_scan(run: &Run, identity: Identity) -> Option<&Exchange> {
    run.raw().into_iter().rev().find(|exchange| exchange.identity == identity && exchange.operation.name() == "Scan")
}

/// The lock that a refusal names: by its action, or by the service that failed.
pub fn lock_of(exchange: &Exchange) -> Option<Lock> {
    match &exchange.verdict {
        Verdict::Denied(denied) => match denied.action.as_deref()?.split(':').next()? {
            "dynamodb" => Some(Lock::Table),
            "kms" => Some(Lock::Key),
            _ => None,
        },
        Verdict::Failed(failure) if failure.message.contains("KMS") => Some(Lock::Key),
        Verdict::Allowed | Verdict::Failed(_) => None,
    }
}
