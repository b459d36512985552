//! The life of a batch: calls that are sent together and awaited together.
//!
//! A stage begins ([`State::start`], or `retry` where it goes on), or an experiment does (`bench/play.rs`). From then on
//! that is what is at work ([`Work`]), and for both the same goes round:
//!
//! 1. `send_batch` asks the script for the next batch. One without calls is passed over; one with a new key policy may
//!    have to wait for a yes ([`super::review`]). `send` makes its calls pending.
//! 2. `call_finished` turns a pending call into an answered one, and learns from it.
//! 3. When none is pending, `batch_answered` decides. What was waited for is there: the next batch (1). It may still
//!    come: a timer, then the same batch once more, as long as `wait.rs` says. It can't come: the next batch where
//!    any answer will do, else the end (4).
//! 4. `end` judges what was at work. After a stage its answers are kept, and whatever was waiting for its end happens:
//!    the next stage when several are to run, clean-up when the person leaves.

use std::sync::Arc;

use super::bench::Experiment;
use super::exchange::{Answer, CallId, Exchange};
use super::flow::{Effect, Report, TimerId};
use super::insight::documents::request_id;
use super::model::batch::{Batch, Next};
use super::model::masked::Masked;
use super::model::until::Until;
use super::operation::{Identity, Operation};
use super::outcome::{Check, Pending, Record, Status};
use super::session;
use super::stage::Stage;
use super::stages::{self, Evidence, Scans, Sources};
use super::state::State;
use super::{test_user, wait};

/// What is observed of a stage that was under way when the person chose to leave.
const LEFT_EARLY: &str = "not finished: the lab was left";

/// What calls are sent for. An experiment interrupts the stages until everything is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// A stage.
    Stage(Stage),
    /// An experiment, until its verdict.
    Trial(Experiment),
    /// An experiment that is being undone.
    Undoing(Experiment),
}

impl State {
    /// What is at work, or would be if something were sent now.
    pub(super) fn work(&self) -> Work {
        match self.bench.running() {
            None => Work::Stage(self.current),
            Some(which) if self.bench.is_undoing() => Work::Undoing(which),
            Some(which) => Work::Trial(which),
        }
    }

    /// The record that answers belong to.
    pub(super) fn at_work(&self) -> &Record {
        match self.work() {
            Work::Stage(stage) => self.record(stage),
            Work::Trial(which) | Work::Undoing(which) => self.bench.record(which),
        }
    }

    pub(super) fn at_work_mut(&mut self) -> &mut Record {
        match self.work() {
            Work::Stage(stage) => self.record_mut(stage),
            Work::Trial(which) | Work::Undoing(which) => self.bench.record_mut(which),
        }
    }

    /// Begins `stage`, unless something comes first: a question, a consent, what an experiment has changed.
    pub(super) fn start(&mut self, stage: Stage) -> Vec<Effect> {
        if self.bench.is_running() {
            return Vec::new();
        }
        let instead = self.hold_back(stage);
        if let Some(instead) = instead.or_else(|| self.undo_before(stage)) {
            return instead;
        }
        self.start_now(stage)
    }

    pub(super) fn start_now(&mut self, stage: Stage) -> Vec<Effect> {
        self.current = stage;
        self.view.show(stage);
        self.end_replay(stage);
        let record = self.record_mut(stage);
        // One that a kept session has begun goes on where it was.
        if record.status != Status::Todo {
            *record = Record::default();
        }
        record.resend();
        let mut effects = vec![Effect::Report(Report::Started(stage))];
        effects.extend(self.send_batch());
        effects
    }

    pub(super) fn retry(&mut self) -> Vec<Effect> {
        let stage = self.view.shown;
        if let Some(instead) = self.hold_back(stage) {
            return instead;
        }
        self.current = stage;
        // Later stages have sent nothing; what they needed may be there now.
        self.records[stage.index() + 1..].fill_with(Record::default);
        // A stage that creates goes on where it failed: what has been created is not created twice.
        if stage.can_start_over() {
            return self.start(stage);
        }
        self.view.show(stage);
        self.end_replay(stage);
        self.record_mut(stage).resend();
        self.send_batch()
    }

    /// Cleans up and ends the program, as soon as what is at work allows that.
    pub(super) fn clean_up_and_quit(&mut self) -> Vec<Effect> {
        self.presenting.stay_here();
        self.view.close();
        self.quit_after_clean_up = true;
        let Work::Stage(stage) = self.work() else { return self.leave_bench() };
        let record = self.record_mut(stage);
        if record.status != Status::Running {
            return self.start(Stage::CleanUp);
        }
        // Calls under way are awaited, since they may create something; a pause between two attempts is not.
        if record.pending.is_empty() && stage != Stage::CleanUp {
            return self.end(Some(LEFT_EARLY.to_owned()));
        }
        Vec::new()
    }

    pub(super) fn sources(&self) -> Sources<'_> {
        Sources { names: &self.names, facts: &self.facts, backend: &self.backend }
    }

    /// Sends the next batch of what is at work, or ends it when there is none.
    pub(super) fn send_batch(&mut self) -> Vec<Effect> {
        let Work::Stage(stage) = self.work() else { return self.next_on_bench() };
        loop {
            match self.next_batch(stage) {
                Next::Send(batch) if batch.calls.is_empty() => self.record_mut(stage).batch += 1,
                Next::Send(batch) => return self.send_or_hold(batch),
                Next::End => return self.end(None),
                Next::Blocked(reason) => return self.end(Some(format!("not attempted: {reason}"))),
            }
        }
    }

    /// The batch that comes next in `stage`.
    fn next_batch(&self, stage: Stage) -> Next {
        let batch = self.record(stage).batch;
        let def = stage.def();
        match self.is_verifying(stage) {
            // What has been allowed since can't be denied again.
            true if def.scans == Scans::TestUserDenied && self.may_be_granted() => Next::End,
            true => stages::next(def.verify, batch, self.sources()),
            false => stages::next(def.steps, batch, self.sources()),
        }
    }

    pub(super) fn send(&mut self, batch: Batch) -> Vec<Effect> {
        let ids: Vec<CallId> = batch.calls.iter().map(|_| CallId(self.new_id())).collect();
        let shown: Vec<Operation> = batch.calls.iter().map(|(_, operation)| self.mask_operation(operation)).collect();
        let ticks = self.ticks;
        let record = self.at_work_mut();
        record.sent_at = ticks;
        record.attempt += 1;
        record.until = Some((batch.until, batch.tolerant));
        if record.attempt == 1 {
            record.batch_start = record.calls.len();
        }
        let mut effects = Vec::with_capacity(ids.len());
        for ((id, shown), (identity, operation)) in ids.into_iter().zip(shown).zip(batch.calls) {
            let (attempt, shown) = (record.attempt, Masked::new(operation.clone(), shown));
            record.pending.push(Pending { id, identity, operation: shown, attempt });
            effects.push(Effect::Call { id, identity, operation });
        }
        effects
    }

    pub(super) fn call_finished(&mut self, id: CallId, answer: Answer) -> Vec<Effect> {
        // Calls of no batch: before it goes on with a kept session the lab looks at what is there (`resume.rs`).
        if let Some(effects) = self.looked(id, &answer) {
            return effects;
        }
        let work = self.work();
        let had_key = self.facts.made.key.is_some();
        self.now = self.now.max(answer.at);
        let record = self.at_work_mut();
        let Some(position) = record.pending.iter().position(|pending| pending.id == id) else {
            return Vec::new(); // stale
        };
        let Pending { identity, attempt, operation, .. } = record.pending.remove(position);
        let operation = operation.into_raw();
        let stage = match work {
            Work::Stage(stage) => stage,
            Work::Trial(_) => Stage::ViewAgain,
            // What the bench does not find while it undoes is well gone.
            Work::Undoing(_) => Stage::CleanUp,
        };
        let verdict = answer.verdict();
        let exchange = Arc::new(Exchange { id, stage, identity, operation, attempt, answer, verdict });
        let shown = self.mask_exchange(&exchange);
        self.answered = Some(shown.clone());
        self.at_work_mut().push(Masked::new(exchange.clone(), shown.clone()));
        self.note_use(&exchange, request_id(&shown));
        match work {
            Work::Stage(_) => {
                self.facts.learn(&exchange);
                self.mask_facts();
            }
            Work::Trial(_) | Work::Undoing(_) => self.learn_on_bench(&exchange),
        }
        if had_key && self.facts.made.key.is_none() {
            self.key_ended_at = Some(self.now);
        }
        let record = self.at_work_mut();
        if !record.pending.is_empty() {
            return Vec::new();
        }
        let calls = record.sort_batch();
        let mut effects = Vec::new();
        if let Work::Stage(_) = work {
            effects.extend(calls.iter().map(|call| Effect::Report(Report::Call(call.shown().clone()))));
        }
        effects.extend(self.batch_answered());
        effects
    }

    fn batch_answered(&mut self) -> Vec<Effect> {
        let work = self.work();
        let cleans_up = matches!(work, Work::Stage(Stage::CleanUp) | Work::Undoing(_));
        if self.quit_after_clean_up && !cleans_up {
            return self.end(Some(LEFT_EARLY.to_owned()));
        }
        let record = self.at_work();
        let answers: Vec<&Exchange> = record.batch().iter().map(|call| &**call.raw()).collect();
        let (until, tolerant) = record.until.unwrap_or((Until::Answered, true));
        let is_throttled = answers.iter().any(|exchange| wait::is_throttled(exchange));
        if !is_throttled && until.is_met(&answers) {
            let in_the_way =
                answers.iter().find(|e| !e.is_allowed() && !self.facts.is_own_already(e)).filter(|_| !tolerant);
            if let Some(refused) = in_the_way {
                let observed = stages::describe(refused) + &test_user::instead(refused).unwrap_or_default();
                return self.end(Some(observed));
            }
            self.at_work_mut().end_batch();
            return self.send_batch();
        }
        let awaited = match is_throttled {
            true => Some(wait::LESS_TRAFFIC),
            false => until.may_change(&answers).then(|| until.describe()),
        };
        let took = answers.iter().map(|exchange| exchange.answer.duration_us / 1_000).max().unwrap_or_default();
        let refused = answers.iter().find(|exchange| !exchange.is_allowed()).map(|refused| stages::describe(refused));
        self.at_work_mut().waited += took;
        if let Some(waiting) = awaited.and_then(|what| self.wait(what, until)) {
            return waiting;
        }
        let gave_up =
            awaited.map(|what| format!("gave up waiting for {what} after {}", wait::span(self.at_work().waited)));
        let mut effects = if tolerant {
            self.at_work_mut().end_batch();
            self.send_batch()
        } else {
            let observed: Vec<String> = gave_up.iter().cloned().chain(refused).collect();
            self.end(Some(observed.join(": ")))
        };
        if let (Some(gave_up), Work::Stage(stage)) = (gave_up, work) {
            self.tell_choice(stage, &gave_up, &mut effects);
        }
        effects
    }

    /// Lets some time go by before the batch is sent again; `None` when the wait has lasted long enough.
    fn wait(&mut self, what: &'static str, until: Until) -> Option<Vec<Effect>> {
        let limit = self.patience(until);
        let timer = TimerId(self.new_id());
        let record = self.at_work_mut();
        let left = limit.saturating_sub(record.waited);
        if left == 0 {
            return None;
        }
        let millis = backoff(record.attempt).min(left);
        let lasted = wait::span(record.waited);
        record.timer = Some(timer);
        record.waits_for = Some(what);
        record.waited += millis;
        self.view.message = Some(format!("waiting for {what}: {lasted} of {}", wait::span(limit)));
        Some(vec![Effect::After { timer, millis }])
    }

    /// Says what can be done when what was waited for did not come.
    fn tell_choice(&mut self, stage: Stage, gave_up: &str, effects: &mut [Effect]) {
        if let Status::Done(outcome) = &mut self.record_mut(stage).status
            && !outcome.met
        {
            let check = outcome.shown_mut();
            if !check.observed.starts_with(gave_up) {
                check.observed = format!("{gave_up}: {}", check.observed);
            }
            for effect in effects {
                if let Effect::Report(Report::Stage(ended, told)) = effect
                    && *ended == stage
                {
                    told.clone_from(check);
                }
            }
            self.view.message = Some(format!(
                "{}: wait again · {}: go on without it",
                self.view.keys.first("retry", "r"),
                self.view.keys.first("advance", "Enter"),
            ));
        }
    }

    pub(super) fn timer_fired(&mut self, timer: TimerId) -> Vec<Effect> {
        let record = self.at_work_mut();
        if record.timer != Some(timer) {
            return Vec::new(); // stale
        }
        record.timer = None;
        self.send_batch()
    }

    /// Ends what is at work: unmet with `observed` where given, else as the check says.
    pub(super) fn end(&mut self, observed: Option<String>) -> Vec<Effect> {
        match self.work() {
            Work::Stage(stage) => self.end_stage(stage, observed),
            Work::Trial(_) | Work::Undoing(_) => self.end_trial(observed),
        }
    }

    fn end_stage(&mut self, stage: Stage, observed: Option<String>) -> Vec<Effect> {
        self.review.forget();
        let check = match observed {
            Some(observed) => Check::unmet(observed),
            None => {
                let (exchanges, given_user) = (self.record(stage).raw(), self.backend.given_user);
                let evidence = Evidence { exchanges: &exchanges, facts: &self.facts, given_user };
                Check::from((stage.def().expect)(&evidence))
            }
        };
        // A stage that was met and does not stand any more keeps its outcome until `doubt` decides.
        let before = self.record(stage).before.as_ref().map(|before| before.raw().clone()).filter(|_| !check.met);
        if before.is_none() {
            let begun = session::begun(&self.record(stage).calls);
            self.progress.end(stage, begun, self.now);
        }
        let mut outcome = self.mask_check(check);
        if let Some(before) = before {
            outcome = Masked::new(before, outcome.shown().clone());
        }
        if stage == Stage::CleanUp {
            self.add_bench_left(outcome.shown_mut());
        }
        let check = outcome.shown().clone();
        self.record_mut(stage).status = Status::Done(outcome);
        self.view.message = None;
        let met = check.met;
        // What these stages are about is in test-user's pane: there `w` explains it, and one pane alone shows it.
        if stage.def().scans.compares() && met && self.view.shown == stage {
            self.view.focus_on(Identity::TestUser);
        }
        let mut effects = vec![Effect::Report(Report::Stage(stage, check))];
        effects.extend(self.keep_or_recall(stage));
        effects.extend(match self.quit_after_clean_up {
            true => self.stop_catching_up(),
            false => self.catch_up(stage, met),
        });
        if self.quit_after_clean_up {
            effects.extend(if stage == Stage::CleanUp { vec![Effect::Exit] } else { self.start(Stage::CleanUp) });
        } else {
            effects.extend(self.stage_ended(stage));
        }
        effects
    }
}

/// Milliseconds before attempt `attempt + 1`: doubling from 100 ms up to 3 s.
fn backoff(attempt: u32) -> u64 {
    (100 << attempt.saturating_sub(1).min(5)).min(3_000)
}
