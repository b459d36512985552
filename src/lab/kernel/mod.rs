//! The life of a run: batches are wanted, sent, answered and repeated, until the run ends. Knows stages, calls and
//! responses, and no feature.
//!
//! A run begins (`Kernel::begin`). From then on the same goes round:
//!
//! 1. `BatchWanted`: the router supplies the next batch (`Kernel::send`), holds it for a person's yes, or ends the run.
//! 2. `Kernel::answer` turns a pending call into an answered one, and learns facts from it.
//! 3. When none is pending, the kernel decides. What was awaited is there: `BatchWanted` (1). It may still come:
//!    `RetryWanted`, as long as the wait lasts. It can't come: the next batch where any response will do, else
//!    `RunStopped`.
//! 4. The owner of the run judges it, and `Kernel::conclude` emits `RunEnded`.

pub mod event;
pub mod run;

use std::collections::VecDeque;
use std::sync::Arc;

use self::event::{DomainEvent, Outgoing, Retry, RunId, TimerId};
use self::run::{Pending, Purpose, Run, Status};
use super::model::backend::BackendKind;
use super::model::backoff::backoff;
use super::model::batch::Batch;
use super::model::exchange::{Answer, CallId, Exchange};
use super::model::experiment::Experiment;
use super::model::facts::Facts;
use super::model::masked::{Answered, Masked};
use super::model::operation::{Identity, Operation};
use super::model::outcome::{Check, Outcome};
use super::model::stage::Stage;
use super::model::test_user;
use super::model::until::{Until, is_throttled};
use super::stages::describe;
use super::wait::{self, Patience};

/// What is observed of a run that was in progress when the person chose to leave.
const LEFT_EARLY: &str = "not finished: the lab was left";

/// Runs, and what their calls taught.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    stages: [Run; Stage::ALL.len()],
    experiments: [Run; Experiment::ALL.len()],
    drill: Run,
    attempt: Run,
    /// The run that interrupts the stages.
    interruption: Option<RunId>,
    /// The stage that is next, in progress or newest done. Later ones have not begun.
    current: Stage,
    facts: Facts,
    /// Calls that belong to no run.
    probes: Vec<Outgoing>,
    /// The newest answered call.
    newest: Option<Answered>,
    patience: Patience,
    /// Unix time of the newest response, in seconds.
    now: u64,
    /// When the key stopped costing anything.
    key_ended_at: Option<u64>,
    ticks: u64,
    /// Calls and timers share one counter.
    last_id: u64,
    /// Whether the program ends after clean-up.
    is_leaving: bool,
    outbox: VecDeque<DomainEvent>,
}

impl Kernel {
    pub(in crate::lab) fn new(patience: Patience) -> Kernel {
        Kernel {
            stages: Default::default(),
            experiments: Default::default(),
            drill: Run::default(),
            attempt: Run::default(),
            interruption: None,
            current: Stage::FIRST,
            facts: Facts::default(),
            probes: Vec::new(),
            newest: None,
            patience,
            now: 0,
            key_ended_at: None,
            ticks: 0,
            last_id: 0,
            is_leaving: false,
            outbox: VecDeque::new(),
        }
    }

    /// A run.
    pub fn run(&self, id: RunId) -> &Run {
        match id {
            RunId::Stage(stage) => self.stage(stage),
            RunId::Experiment(which) => &self.experiments[which.index()],
            RunId::Drill => &self.drill,
            RunId::Attempt => &self.attempt,
        }
    }

    /// A stage's run.
    pub fn stage(&self, stage: Stage) -> &Run {
        &self.stages[stage.index()]
    }

    /// The runs of all stages, in order, then those of experiments and of the drill at work.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.stages.iter().chain(&self.experiments).chain([&self.drill, &self.attempt])
    }

    /// The experiment that has sent this call.
    pub(in crate::lab) fn sender(&self, call: CallId) -> Option<Experiment> {
        let sent = |which: &Experiment| self.experiments[which.index()].exchanges().any(|exchange| exchange.id == call);
        Experiment::ALL.into_iter().find(sent)
    }

    /// The run that responses belong to, or would if something were sent now.
    pub fn at_work(&self) -> RunId {
        self.interruption.unwrap_or(RunId::Stage(self.current))
    }

    /// Whether an experiment or an attempt interrupts the stages.
    pub fn is_interrupted(&self) -> bool {
        self.interruption.is_some()
    }

    /// The stage that is next, in progress or newest done. Later ones have not begun.
    pub fn current(&self) -> Stage {
        self.current
    }

    /// The outcome of a stage that has ended, as it is shown.
    pub fn check(&self, stage: Stage) -> Option<&Check> {
        self.stage(stage).status.check()
    }

    /// Whether a stage has met its expectation.
    pub fn is_met(&self, stage: Stage) -> bool {
        self.check(stage).is_some_and(|check| check.met)
    }

    /// The last stage that can be shown: the current one or, when that has ended, the one after it.
    pub fn reachable(&self) -> Stage {
        match (&self.stage(self.current).status, self.current.next()) {
            (Status::Done(_), Some(next)) => next,
            _ => self.current,
        }
    }

    /// Whether calls are in progress, or a pause between two attempts.
    pub fn is_running(&self) -> bool {
        let run = self.run(self.at_work());
        run.status == Status::Running && run.held.is_none()
    }

    /// The batch of the current stage that waits for a yes.
    pub fn held(&self) -> Option<&Masked<Batch>> {
        self.stage(self.current).held.as_ref()
    }

    /// Whether the program ends after clean-up.
    pub fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Unix time of the newest response, in seconds; 0 before the first.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// When the key stopped costing anything.
    pub fn key_ended_at(&self) -> Option<u64> {
        self.key_ended_at
    }

    /// The kind of backend that the calls go to.
    pub fn kind(&self) -> BackendKind {
        self.patience.kind
    }

    /// Counts ticks, for the waiting sign.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// How many ticks a run's newest batch has been without a response; `None` where it has all.
    pub fn overdue(&self, stage: Stage) -> Option<u64> {
        self.stage(stage).overdue(self.ticks)
    }

    pub(in crate::lab) fn facts(&self) -> &Facts {
        &self.facts
    }

    #[cfg(test)]
    pub(in crate::lab) fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    #[cfg(test)]
    pub(in crate::lab) fn set_now(&mut self, now: u64) {
        self.now = now;
    }

    pub(in crate::lab) fn newest(&self) -> Option<&Answered> {
        self.newest.as_ref()
    }

    /// How long the lab waits for `until`, in milliseconds.
    pub(in crate::lab) fn patience(&self, until: Until) -> u64 {
        self.patience.millis(until)
    }

    pub(in crate::lab) fn next_event(&mut self) -> Option<DomainEvent> {
        self.outbox.pop_front()
    }

    pub(in crate::lab) fn be_patient(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// Changes facts otherwise than by a response.
    pub(in crate::lab) fn amend_facts(&mut self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts);
        self.outbox.push_back(DomainEvent::FactsChanged);
    }

    pub(in crate::lab) fn tick(&mut self) {
        self.ticks += 1;
    }

    pub(in crate::lab) fn new_timer(&mut self) -> TimerId {
        TimerId(self.new_id())
    }

    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(in crate::lab) fn run_mut(&mut self, id: RunId) -> &mut Run {
        match id {
            RunId::Stage(stage) => self.stage_mut(stage),
            RunId::Experiment(which) => &mut self.experiments[which.index()],
            RunId::Drill => &mut self.drill,
            RunId::Attempt => &mut self.attempt,
        }
    }

    pub(in crate::lab) fn stage_mut(&mut self, stage: Stage) -> &mut Run {
        &mut self.stages[stage.index()]
    }

    /// Moves to `stage`. Later ones have not begun.
    pub(in crate::lab) fn reach(&mut self, stage: Stage) {
        self.current = stage;
    }

    /// The run is as if it had not begun.
    pub(in crate::lab) fn reset(&mut self, id: RunId) {
        *self.run_mut(id) = Run::default();
    }

    /// Asks for the next batch of a run.
    pub(in crate::lab) fn want(&mut self, id: RunId) {
        let batch = self.run(id).batch;
        self.outbox.push_back(DomainEvent::BatchWanted(id, batch));
    }

    /// Begins a stage. One that a saved session has begun goes on where it was.
    pub(in crate::lab) fn begin(&mut self, stage: Stage) {
        if self.stage(stage).status != Status::Todo {
            self.reset(RunId::Stage(stage));
        }
        self.outbox.push_back(DomainEvent::StageStarted(stage));
        self.resend(stage);
    }

    /// Goes on with a stage at the batch that ended it.
    pub(in crate::lab) fn resend(&mut self, stage: Stage) {
        self.current = stage;
        self.stage_mut(stage).resend();
        self.want(RunId::Stage(stage));
    }

    /// Begins to verify a stage that was met.
    pub(in crate::lab) fn verify(&mut self, stage: Stage) {
        self.current = stage;
        self.stage_mut(stage).verify();
        self.want(RunId::Stage(stage));
    }

    /// Begins to see whether another client has reached the goal of `stage`.
    pub(in crate::lab) fn notice(&mut self, stage: Stage) {
        self.current = stage;
        self.stage_mut(stage).notice();
        self.want(RunId::Stage(stage));
    }

    /// Interrupts the stages with a run, or with its undoing.
    pub(in crate::lab) fn interrupt(&mut self, id: RunId, undoes: bool) {
        if !undoes {
            self.reset(id);
        }
        self.continue_with(id, undoes);
    }

    /// Interrupts the stages with another part of a run: its batches are counted from 0 again, its calls stay.
    pub(in crate::lab) fn interrupt_again(&mut self, id: RunId, undoes: bool) {
        self.run_mut(id).batch = 0;
        self.continue_with(id, undoes);
    }

    fn continue_with(&mut self, id: RunId, undoes: bool) {
        self.interruption = Some(id);
        self.run_mut(id).status = Status::Running;
        self.go_on(id, undoes);
    }

    /// Goes on with another batch of an interrupting run, whatever became of the one before.
    pub(in crate::lab) fn go_on(&mut self, id: RunId, undoes: bool) {
        let run = self.run_mut(id);
        run.drop_batch();
        run.purpose = if undoes { Purpose::Undo } else { Purpose::Act };
        self.want(id);
    }

    /// Passes over a batch without calls, or a pause.
    pub(in crate::lab) fn pass(&mut self, id: RunId) {
        self.run_mut(id).batch += 1;
        self.want(id);
    }

    /// Keeps a batch until a person says yes.
    pub(in crate::lab) fn hold(&mut self, id: RunId, batch: Masked<Batch>) {
        self.run_mut(id).held = Some(batch);
    }

    /// The batch that a person has said yes to.
    pub(in crate::lab) fn release(&mut self) -> Option<Masked<Batch>> {
        let current = self.current;
        self.stage_mut(current).held.take()
    }

    /// The next attempt begins with the first batch.
    pub(in crate::lab) fn rewind(&mut self, stage: Stage) {
        let run = self.stage_mut(stage);
        (run.batch, run.batch_start, run.attempt) = (0, 0, 1);
    }

    /// Makes the calls of a batch pending.
    pub(in crate::lab) fn send(&mut self, id: RunId, batch: Masked<Batch>) -> Vec<Outgoing> {
        let first = self.last_id + 1;
        self.last_id += batch.raw().calls.len() as u64;
        let ticks = self.ticks;
        let run = self.run_mut(id);
        run.sent(batch.raw(), ticks);
        let (attempt, shown) = (run.attempt, batch.shown().calls.clone());
        let calls = batch.into_raw().calls.into_iter().zip(shown).zip(first..);
        calls
            .map(|(((identity, operation), (_, shown)), id)| {
                let (id, masked) = (CallId(id), Masked::new(operation.clone(), shown));
                run.pending.push(Pending { id, identity, operation: masked, attempt });
                Outgoing { id, identity, operation }
            })
            .collect()
    }

    /// Sends calls that belong to no run, as the admin; nothing is running meanwhile. Earlier ones are forgotten.
    pub(in crate::lab) fn probe(&mut self, operations: Vec<Operation>) -> Vec<Outgoing> {
        let call = |operation| Outgoing { id: CallId(self.new_id()), identity: Identity::Admin, operation };
        self.probes = operations.into_iter().map(call).collect();
        self.probes.clone()
    }

    /// Whether calls that belong to no run are in progress.
    pub(in crate::lab) fn is_probing(&self) -> bool {
        !self.probes.is_empty()
    }

    /// Takes a response; `show` masks the call. A response to no pending call is dropped.
    pub(in crate::lab) fn answer(
        &mut self,
        id: CallId,
        answer: Answer,
        show: impl FnOnce(&Arc<Exchange>) -> Arc<Exchange>,
    ) {
        self.now = self.now.max(answer.at);
        if let Some(at) = self.probes.iter().position(|probe| probe.id == id) {
            let operation = self.probes.remove(at).operation;
            return self.outbox.push_back(DomainEvent::Probed(operation, Box::new(answer)));
        }
        let at_work = self.at_work();
        let run = self.run_mut(at_work);
        let stage = run.counts_to(at_work);
        let Some(Pending { identity, attempt, operation, .. }) = run.take_pending(id) else { return };
        let (operation, verdict) = (operation.into_raw(), answer.verdict());
        let raw = Arc::new(Exchange { id, stage, identity, operation, attempt, answer, verdict });
        let call = Masked::new(raw.clone(), show(&raw));
        self.newest = Some(call.clone());
        let run = self.run_mut(at_work);
        run.push(call.clone());
        let is_over = run.pending.is_empty();
        self.outbox.push_back(DomainEvent::CallAnswered(at_work, call));
        // When an experiment has ended, everything is as it was. What an attempt changes stays.
        if let RunId::Stage(_) | RunId::Attempt = at_work {
            self.learn(&raw);
        }
        if is_over {
            self.run_mut(at_work).sort_batch();
            self.outbox.push_back(DomainEvent::BatchAnswered(at_work));
            self.batch_answered(at_work);
        }
    }

    fn learn(&mut self, exchange: &Exchange) {
        let had_key = self.facts.made.key.is_some();
        self.facts.learn(exchange);
        if had_key && self.facts.made.key.is_none() {
            self.key_ended_at = Some(self.now);
        }
        self.outbox.push_back(DomainEvent::FactsChanged);
    }

    fn batch_answered(&mut self, id: RunId) {
        let run = self.run(id);
        if self.is_leaving && run.counts_to(id) != Stage::CleanUp {
            return self.stop(id, LEFT_EARLY.to_owned());
        }
        let answers: Vec<&Exchange> = run.newest().iter().map(|call| &**call.raw()).collect();
        let (until, tolerant) = run.until.unwrap_or((Until::Answered, true));
        let is_throttled = answers.iter().any(|exchange| is_throttled(exchange));
        if !is_throttled && until.is_met(&answers) {
            let is_in_the_way = |e: &&&Exchange| !tolerant && !e.is_allowed() && !self.facts.is_own_already(e);
            return match answers.iter().find(is_in_the_way) {
                Some(refused) => {
                    let observed = describe(refused) + &test_user::instead(refused).unwrap_or_default();
                    self.stop(id, observed);
                }
                None => self.end_batch(id),
            };
        }
        let awaited = match is_throttled {
            true => Some(wait::LESS_TRAFFIC),
            false => until.may_change(&answers).then(|| until.describe()),
        };
        let took = answers.iter().map(|exchange| exchange.answer.duration_us / 1_000).max().unwrap_or_default();
        let refused = answers.iter().find(|exchange| !exchange.is_allowed()).map(|refused| describe(refused));
        self.run_mut(id).waited += took;
        if awaited.is_some_and(|what| self.wait(id, what, until)) {
            return;
        }
        let waited = self.run(id).waited;
        let gave_up = awaited.map(|what| format!("gave up waiting for {what} after {}", wait::span(waited)));
        self.run_mut(id).gave_up.clone_from(&gave_up);
        if tolerant {
            return self.end_batch(id);
        }
        let observed: Vec<String> = gave_up.into_iter().chain(refused).collect();
        self.stop(id, observed.join(": "));
    }

    fn end_batch(&mut self, id: RunId) {
        self.run_mut(id).end_batch();
        self.want(id);
    }

    fn stop(&mut self, id: RunId, observed: String) {
        self.outbox.push_back(DomainEvent::RunStopped(id, observed));
    }

    /// Lets some time go by before the batch is sent again; says whether the wait has not lasted long enough.
    fn wait(&mut self, id: RunId, what: &'static str, until: Until) -> bool {
        let limit = self.patience(until);
        let timer = self.new_timer();
        let run = self.run_mut(id);
        let waited = run.waited;
        let left = limit.saturating_sub(waited);
        if left == 0 {
            return false;
        }
        let millis = backoff(100, run.attempt.saturating_sub(1), 3_000).min(left);
        let retry = Retry { timer, millis, what, waited, limit };
        run.retry = Some(retry);
        run.waited += millis;
        self.outbox.push_back(DomainEvent::RetryWanted(retry));
        true
    }

    /// Sends the batch again, if this timer is the one of the pause.
    pub(in crate::lab) fn timer_fired(&mut self, timer: TimerId) {
        let id = self.at_work();
        if self.run(id).timer() == Some(timer) {
            self.run_mut(id).retry = None;
            self.want(id);
        }
    }

    /// Ends a run. What was waited for in vain stands before what was observed.
    pub(in crate::lab) fn conclude(&mut self, id: RunId, mut outcome: Outcome) {
        let run = self.run_mut(id);
        (run.held, run.retry) = (None, None);
        match (id, &run.gave_up) {
            (RunId::Experiment(_) | RunId::Drill | RunId::Attempt, _) => run.gave_up = None,
            (RunId::Stage(_), Some(gave_up)) if !outcome.met && !outcome.observed.starts_with(gave_up.as_str()) => {
                outcome.shown_mut().observed = format!("{gave_up}: {}", outcome.observed);
            }
            _ => {}
        }
        run.status = Status::Done(outcome);
        if self.interruption == Some(id) {
            self.interruption = None;
        }
        self.outbox.push_back(DomainEvent::RunEnded(id));
    }

    /// Moves the calls of the attempt to a stage, whose goal it has reached.
    pub(in crate::lab) fn adopt_attempt(&mut self, stage: Stage) {
        let calls = std::mem::take(&mut self.attempt.calls);
        self.current = stage;
        *self.stage_mut(stage) = Run { batch_start: calls.len(), status: Status::Running, calls, ..Run::default() };
    }

    /// Ends a stage without a call: nobody has consented, or could.
    pub(in crate::lab) fn withhold(&mut self, stage: Stage, check: Check) {
        self.current = stage;
        let run = self.stage_mut(stage);
        run.status = Status::Done(Masked::new(check.clone(), check));
        run.is_withheld = true;
        self.outbox.push_back(DomainEvent::StageWithheld(stage));
    }

    /// The program ends after clean-up. Calls in progress are awaited, since they may create something; a pause and a
    /// held batch are not. Says whether clean-up can begin at once.
    pub(in crate::lab) fn leave(&mut self) -> bool {
        self.is_leaving = true;
        let id = self.at_work();
        let run = self.run(id);
        let is_running = run.status == Status::Running;
        if is_running && run.pending.is_empty() && run.counts_to(id) != Stage::CleanUp {
            self.stop(id, LEFT_EARLY.to_owned());
        }
        !is_running
    }

    /// Forgets the runs of the stages after `stage`: what they needed may be there now.
    pub(in crate::lab) fn forget_after(&mut self, stage: Stage) {
        self.stages[stage.index() + 1..].fill_with(Run::default);
    }

    /// Of a call that was sent again to verify `stage` only the newest stays in view.
    pub(in crate::lab) fn drop_older(&mut self, stage: Stage) {
        self.stage_mut(stage).drop_older();
    }

    /// Puts the run of `stage` back to where it was before its verification.
    pub(in crate::lab) fn put_back(&mut self, stage: Stage) {
        self.stage_mut(stage).put_back();
    }

    /// Takes over what a saved session knows; its calls are in the runs already. New calls get ids of their own.
    pub(in crate::lab) fn restore(&mut self, facts: Facts, key_ended_at: Option<u64>) {
        self.key_ended_at = key_ended_at;
        let ids = Stage::ALL.iter().flat_map(|stage| &self.stage(*stage).calls).map(|call| call.id.0);
        self.last_id = ids.max().unwrap_or_default().max(self.last_id);
        self.amend_facts(|known| *known = facts);
    }
}
