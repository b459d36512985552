//! The bench at work: what a key does there, what comes after an answer, and the way back.

use super::script::{self, Ground, Step};
use super::{Change, Experiment, Pause, Run, Then, check};
use crate::lab::backend::BackendKind;
use crate::lab::exchange::Exchange;
use crate::lab::kernel::event::{Command, DomainEvent, Outgoing, RunId, TimerId};
use crate::lab::kernel::run::Status;
use crate::lab::lesson;
use crate::lab::model::batch::Next;
use crate::lab::model::masked::Masked;
use crate::lab::model::outcome::{Check, Outcome};
use crate::lab::operation::{Identity, Operation};
use crate::lab::presenting::pace::minutes;
use crate::lab::quiz::{Asked, Choice};
use crate::lab::stage::Stage;
use crate::lab::state::State;
use crate::lab::test_user::UserPolicy;

/// DynamoDB keeps a table key for five minutes after its last use (DynamoDB guide); one second more is certainly idle.
const IDLE_SECONDS: u32 = 301;

/// The same where it is waited for: its clock and ours need not agree.
const COUNTDOWN_SECONDS: u16 = 315;

/// What is said where the lab did not come far enough.
const NOT_READY: &str = "not attempted: the bench needs the lab's key, its table and test-user";

impl State {
    /// Whether the bench can be opened: after the lab's last reading, while what it made is there.
    pub fn has_bench(&self) -> bool {
        self.check(Stage::ViewAgain).is_some() && self.record(Stage::CleanUp).status == Status::Todo
    }

    /// The texts of an experiment.
    pub fn experiment(&self, which: Experiment) -> &lesson::Experiment {
        &self.lesson.frame.experiments[which.index()]
    }

    /// The question of an experiment, where questions are asked.
    pub fn bench_question(&self, which: Experiment) -> Option<Asked<'_>> {
        if !self.quiz.asks() {
            return None;
        }
        let question = &self.experiment(which).question;
        Some(Asked::new(question, &self.bench_order(which), self.bench.choice(which)))
    }

    /// The question of what is shown, where questions are asked.
    pub fn shown_question(&self) -> Option<Asked<'_>> {
        self.view.bench.map_or_else(|| self.question(self.view.shown), |which| self.bench_question(which))
    }

    pub(in crate::lab) fn bench_order(&self, which: Experiment) -> Vec<usize> {
        self.quiz.shuffled(which.question_number(), self.experiment(which).question.answers.len())
    }

    /// Whether an experiment can't be tried here.
    pub fn is_out_of_reach(&self, which: Experiment) -> bool {
        which.needs_own_user() && self.backend.given_user
    }

    /// Whether what experiments have changed can be undone now.
    pub fn can_undo(&self) -> bool {
        !self.bench.changes().is_empty() && !self.kernel.is_interrupted() && self.has_bench()
    }

    /// Opens the list of experiments, or goes back: from an experiment to the stage, from the list to the stage, too.
    pub(in crate::lab) fn toggle_bench(&mut self) {
        match (self.view.overlay, self.view.bench) {
            (None, None) => self.view.open_bench(self.bench.last),
            (overlay, at) => {
                if overlay.is_some() {
                    self.view.close();
                }
                if at.is_some() {
                    self.view.show(self.view.shown);
                }
            }
        }
    }

    /// Tries an experiment, ends its pause, or goes on after it.
    pub(in crate::lab) fn advance_experiment(&mut self, which: Experiment) {
        match (&self.trial(which).status, which.next()) {
            _ if self.bench.pause().is_some() => self.go_on(false),
            (Status::Todo, _) => self.start_experiment(which),
            (_, Some(next)) => self.show_experiment(next),
            (_, None) => self.view.open_bench(Some(which)),
        }
    }

    /// Goes back to the list, or ends the experiment that waits.
    pub(in crate::lab) fn leave_experiment(&mut self, which: Experiment) {
        match self.bench.pause() {
            Some(_) => self.end_trial(which, Check::unmet("not tried: the waiting was ended")),
            None => self.view.open_bench(Some(which)),
        }
    }

    /// Undoes again what an experiment could not undo.
    pub(in crate::lab) fn undo(&mut self) {
        self.undo_all(Then::Stay);
    }

    /// Answers the question of an experiment.
    pub(in crate::lab) fn answer_experiment(&mut self, which: Experiment, choice: Choice) {
        self.bench.choices[which.index()] = Some(choice);
    }

    pub(in crate::lab) fn show_experiment(&mut self, which: Experiment) {
        self.view.show_bench(which);
        if self.trial(which).status == Status::Todo {
            self.view.begin();
        }
        self.focus_calls();
    }

    pub(in crate::lab) fn start_experiment(&mut self, which: Experiment) {
        if self.is_out_of_reach(which) {
            let text = "this one changes test-user's own policies: it needs a user that the lab makes";
            self.view.message = Some(text.to_owned());
            return;
        }
        // What an earlier one has left comes first.
        if !self.bench.changes.is_empty() {
            return self.undo_all(Then::Start(which));
        }
        // Nothing of an experiment is in force: this is the policy as the lab left it last.
        self.bench.policy.clone_from(&self.kernel.facts().policy);
        self.bench.undone_from[which.index()] = None;
        self.bench.later[which.index()].clear();
        self.begin(which, None, Then::Stay);
    }

    /// Takes back what experiments have changed, then goes on with `then`.
    fn undo_all(&mut self, then: Then) {
        let which = self.bench.last.unwrap_or(Experiment::DisableKey);
        let verdict = match &self.trial(which).status {
            Status::Done(outcome) => outcome.clone(),
            _ => not_tried(),
        };
        self.begin(which, Some(verdict), then);
    }

    fn begin(&mut self, which: Experiment, verdict: Option<Outcome>, then: Then) {
        self.bench.last = Some(which);
        let undoes = verdict.is_some();
        self.bench.run = Some(Run {
            which,
            verdict,
            tried: Vec::new(),
            ciphertext: None,
            pause: None,
            clock_moved: false,
            is_later: false,
            then,
        });
        self.view.message = None;
        self.kernel.interrupt(which, undoes);
    }

    /// Before clean-up: what is not undone is undone first. Says whether there is something.
    pub(in crate::lab) fn undo_before(&mut self, stage: Stage) -> bool {
        let undoes = stage == Stage::CleanUp && !self.bench.changes.is_empty();
        if undoes {
            self.undo_all(Then::CleanUp);
        }
        undoes
    }

    /// Before a kept session is verified: what an experiment has changed is undone first. Says whether there is something.
    pub(in crate::lab) fn undo_before_verification(&mut self) -> bool {
        let undoes = !self.bench.changes.is_empty();
        if undoes {
            self.undo_all(Then::Verify);
        }
        undoes
    }

    /// Learns from an experiment's calls, and goes on when they can't, or have ended.
    pub(in crate::lab) fn bench_on(&mut self, event: &DomainEvent) -> Vec<Command> {
        match event {
            DomainEvent::CallAnswered(RunId::Experiment(_), call) => self.learn_on_bench(call.raw()),
            DomainEvent::RunStopped(RunId::Experiment(which), observed) => {
                self.end_trial(*which, Check::unmet(observed))
            }
            DomainEvent::RunEnded(RunId::Experiment(which)) => return self.experiment_ended(*which),
            _ => {}
        }
        Vec::new()
    }

    /// Clean-up's verdict, where the bench has left something as well.
    pub(in crate::lab) fn add_bench_left(&mut self, check: &mut Check) {
        self.bench.removed(&self.kernel.facts().made);
        let left = self.bench_leftovers();
        if !left.is_empty() {
            *check = Check::unmet(format!("{}; still there: {}", check.observed, left.join(", ")));
        }
    }

    /// The next calls of the experiment in progress.
    pub(in crate::lab) fn next_of_experiment(&mut self, which: Experiment, batch: usize) -> Next {
        if self.bench.is_undoing() {
            return self.next_undo();
        }
        if !self.is_ready() {
            return Next::Blocked(NOT_READY.to_owned());
        }
        match script::steps(which, &self.ground()).map(|steps| steps.into_iter().nth(batch)) {
            Err(reason) => Next::Blocked(reason.to_string()),
            Ok(None) => Next::End,
            Ok(Some(Step::Idle)) => Next::Wait,
            Ok(Some(Step::Send(batch))) => {
                batch.calls.iter().for_each(|(_, operation)| self.bench.note(operation));
                Next::Send(batch)
            }
        }
    }

    fn next_undo(&mut self) -> Next {
        let Some(run) = &self.bench.run else { return Next::End };
        let left = self.bench.changes.iter().rev().find(|change| !run.tried.contains(change)).cloned();
        let Some(change) = left else { return Next::End };
        let batch = script::undo(&change, &self.ground());
        if let Some(run) = &mut self.bench.run {
            run.tried.push(change);
        }
        Next::Send(batch)
    }

    /// Notes the first calls that undo, and those after a pause.
    pub(in crate::lab) fn note_calls(&mut self, which: Experiment, calls: &[Outgoing]) {
        let Some(run) = &mut self.bench.run else { return };
        if run.verdict.is_some() {
            let undone_from = &mut self.bench.undone_from[which.index()];
            *undone_from = undone_from.or(calls.first().map(|call| call.id));
        }
        if std::mem::take(&mut run.is_later) {
            self.bench.later[which.index()].extend(calls.iter().map(|call| call.id));
        }
    }

    /// Whether the lab came so far that there is something to break.
    fn is_ready(&self) -> bool {
        let facts = self.kernel.facts();
        let known = [facts.key_id(), facts.key_arn(), self.bench.policy.as_deref()];
        // A table that may only perhaps be there has never been described.
        known.iter().all(Option::is_some)
            && [&facts.admin, &facts.test_user].iter().all(|caller| caller.is_some())
            && facts.table.is_some()
    }

    /// What calls are made from. To undo, not all of it need be there any more.
    fn ground(&self) -> Ground<'_> {
        let facts = self.kernel.facts();
        Ground {
            names: &self.names,
            region: &self.backend.region,
            key: facts.key_id().unwrap_or_default(),
            key_arn: facts.key_arn().unwrap_or_default(),
            policy: self.bench.policy.as_deref().unwrap_or_default(),
            admin: facts.principal(Identity::Admin).unwrap_or_default(),
            user: facts.principal(Identity::TestUser).unwrap_or_default(),
            user_policy: self.policy_of_user(),
            tables: facts.table_arn("", &self.backend.region),
            ciphertext: self.bench.run.as_ref().and_then(|run| run.ciphertext.as_deref()).unwrap_or_default(),
            eventually_consistent: self.backend.is_eventually_consistent(),
        }
    }

    /// The policy that the lab has given test-user. A given user's own is nobody's to change: it counts as AWS's.
    fn policy_of_user(&self) -> UserPolicy {
        match self.backend.given_user {
            true => UserPolicy::Managed(String::new()),
            false => self.kernel.facts().user_policy(&self.names, &self.backend),
        }
    }

    /// Takes in an answer of the experiment under way.
    fn learn_on_bench(&mut self, exchange: &Exchange) {
        let undoing = self.bench.is_undoing();
        self.bench.learn(exchange, undoing);
        if let (Some(run), Operation::Encrypt { .. }) = (&mut self.bench.run, &exchange.operation) {
            let ciphertext = exchange.body().and_then(|body| body.get("CiphertextBlob")?.as_str());
            run.ciphertext = ciphertext.map(str::to_owned);
        }
    }

    /// The experiment has sent everything: judges it, or ends it where it is undone.
    pub(in crate::lab) fn judge_experiment(&mut self, which: Experiment) {
        match self.bench.run.as_ref().and_then(|run| run.verdict.clone()) {
            None => self.end_trial(which, check::check(which, &self.trial(which).raw())),
            Some(verdict) => self.kernel.conclude(RunId::Experiment(which), verdict),
        }
    }

    /// Takes a verdict; what follows is undoing.
    pub(in crate::lab) fn end_trial(&mut self, which: Experiment, verdict: Check) {
        let verdict = self.masking.outcome(verdict);
        if let Some(run) = &mut self.bench.run {
            run.pause = None;
            run.verdict = Some(verdict);
        }
        self.view.message = None;
        self.tell_of_the_clock();
        self.kernel.go_on(which, true);
    }

    fn experiment_ended(&mut self, which: Experiment) -> Vec<Command> {
        let Some(Run { then, .. }) = self.bench.run.take() else { return Vec::new() };
        // As in the stages: what an experiment changes is what comes back to test-user, where it asks.
        let is_met = self.trial(which).status.check().is_some_and(|check| check.met);
        if is_met && self.view.bench == Some(which) && !self.calls(Identity::TestUser).is_empty() {
            self.view.focus_on(Identity::TestUser);
        }
        self.tell_what_is_left();
        if self.kernel.is_leaving() || then == Then::CleanUp {
            return vec![Command::StartNow(Stage::CleanUp)];
        }
        match then {
            Then::Verify => {
                // It has not been tried in this life.
                self.kernel.reset(RunId::Experiment(which));
                return self.verify_from(Some(Stage::FIRST));
            }
            Then::Start(next) if self.bench.changes.is_empty() => self.start_experiment(next),
            _ => {}
        }
        Vec::new()
    }

    fn tell_what_is_left(&mut self) {
        let names = self.shown_names();
        let left: Vec<String> = self.bench.changes.iter().map(|change| change.describe(names)).collect();
        if !left.is_empty() {
            let undo = self.view.keys.first("undo", "u");
            self.view.message = Some(format!("{undo}: undo again · not undone: {}", left.join(", ")));
        }
    }

    /// What would stay behind of the bench: what costs nothing and is gone with its key or user is not told.
    pub(in crate::lab) fn bench_leftovers(&self) -> Vec<String> {
        let names = self.shown_names();
        let stays = |change: &&Change| matches!(change, Change::Table(_));
        self.bench.changes.iter().filter(stays).map(|change| change.describe(names)).collect()
    }

    /// Waits until DynamoDB has no table key in memory any more.
    pub(in crate::lab) fn pause(&mut self) -> Vec<Command> {
        let timer = self.kernel.new_timer();
        let by_hand = self.backend.kind == BackendKind::Aws;
        self.set_pause(Some(Pause { timer, left: by_hand.then_some(COUNTDOWN_SECONDS) }));
        if by_hand { self.count_down() } else { vec![Command::AdvanceClock { timer, seconds: IDLE_SECONDS }] }
    }

    fn set_pause(&mut self, pause: Option<Pause>) {
        if let Some(run) = &mut self.bench.run {
            run.pause = pause;
        }
    }

    fn count_down(&mut self) -> Vec<Command> {
        let Some(Pause { timer, left: Some(left) }) = self.bench.run.as_ref().and_then(|run| run.pause) else {
            return Vec::new();
        };
        self.view.message = Some(format!(
            "{} until DynamoDB forgets the table key · {} goes on · {} stops, undoes",
            minutes(left.into()),
            self.view.keys.first("advance", "enter"),
            self.view.keys.first("back", "esc")
        ));
        vec![Command::After { timer, millis: 1_000 }]
    }

    /// A second of the countdown has passed; `None` where the timer is another one.
    pub(in crate::lab) fn second_passed(&mut self, fired: TimerId) -> Option<Vec<Command>> {
        let Pause { timer, left: Some(left) } = self.bench.run.as_ref()?.pause? else { return None };
        if timer != fired {
            return None;
        }
        if left <= 1 {
            self.go_on(true);
            return Some(Vec::new());
        }
        self.set_pause(Some(Pause { timer, left: Some(left - 1) }));
        Some(self.count_down())
    }

    /// The server's clock was moved, or there is no such server: then it is waited for.
    pub(in crate::lab) fn advanced(&mut self, of: TimerId, moved: bool) -> Vec<Command> {
        match self.bench.run.as_ref().and_then(|run| run.pause) {
            Some(Pause { timer, left: None }) if timer == of => {}
            _ => return Vec::new(), // stale
        }
        if moved {
            if let Some(run) = &mut self.bench.run {
                run.clock_moved = true;
            }
            self.go_on(true);
            return Vec::new();
        }
        self.set_pause(Some(Pause { timer: of, left: Some(COUNTDOWN_SECONDS) }));
        self.count_down()
    }

    /// Sends what comes after a pause; `idle`: whether that was long enough.
    fn go_on(&mut self, idle: bool) {
        self.set_pause(None);
        self.view.message = None;
        self.tell_of_the_clock();
        if let Some(run) = &mut self.bench.run {
            run.is_later = idle;
            self.kernel.pass(RunId::Experiment(run.which));
        }
    }

    /// Nobody may wonder how five minutes went by.
    fn tell_of_the_clock(&mut self) {
        if self.bench.run.as_ref().is_some_and(|run| run.clock_moved) {
            let (minutes, seconds) = (IDLE_SECONDS / 60, IDLE_SECONDS % 60);
            self.view.message =
                Some(self.interface().fill("the sandbox's clock was moved on by {} min {} s", &[&minutes, &seconds]));
        }
    }

    /// Who calls what in the shown stage or experiment, before anything is known.
    pub fn outline(&self) -> Vec<(Identity, String)> {
        match self.view.bench {
            Some(which) => script::outline(which, self.policy_of_user()),
            None => {
                let stage = self.view.shown.outline(&self.backend);
                stage.map(|(identity, call)| (identity, call.to_owned())).collect()
            }
        }
    }
}

fn not_tried() -> Outcome {
    let check = Check::unmet("not tried");
    Masked::new(check.clone(), check)
}
