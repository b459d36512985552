//! The bench at work: what a key does there, what comes after an answer, and the way back.

use super::script::{self, Ground, Step};
use super::{Change, Experiment, Pause, Run, Then, check};
use crate::lab::backend::BackendKind;
use crate::lab::exchange::Exchange;
use crate::lab::flow::{Effect, TimerId};
use crate::lab::lesson;
use crate::lab::model::masked::Masked;
use crate::lab::operation::{Identity, Operation};
use crate::lab::outcome::{Check, Outcome, Record, Status};
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
        !self.bench.changes().is_empty() && !self.bench.is_running() && self.has_bench()
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
    pub(in crate::lab) fn advance_experiment(&mut self, which: Experiment) -> Vec<Effect> {
        match (&self.bench.record(which).status, which.next()) {
            _ if self.bench.pause().is_some() => return self.go_on(false),
            (Status::Todo, _) => return self.start_experiment(which),
            (_, Some(next)) => self.show_experiment(next),
            (_, None) => self.view.open_bench(Some(which)),
        }
        Vec::new()
    }

    /// Goes back to the list, or ends the experiment that waits.
    pub(in crate::lab) fn leave_experiment(&mut self, which: Experiment) -> Vec<Effect> {
        if self.bench.pause().is_some() {
            return self.end_trial(Some("not tried: the waiting was ended".to_owned()));
        }
        self.view.open_bench(Some(which));
        Vec::new()
    }

    /// Undoes again what an experiment could not undo.
    pub(in crate::lab) fn undo(&mut self) -> Vec<Effect> {
        self.undo_all(Then::Stay)
    }

    /// Answers the question of an experiment.
    pub(in crate::lab) fn answer_experiment(&mut self, which: Experiment, choice: Choice) {
        self.bench.choices[which.index()] = Some(choice);
    }

    pub(in crate::lab) fn show_experiment(&mut self, which: Experiment) {
        self.view.show_bench(which);
        if self.bench.record(which).status == Status::Todo {
            self.view.begin();
        }
        self.focus_calls();
    }

    pub(in crate::lab) fn start_experiment(&mut self, which: Experiment) -> Vec<Effect> {
        if self.is_out_of_reach(which) {
            let text = "this one changes test-user's own policies: it needs a user that the lab makes";
            self.view.message = Some(text.to_owned());
            return Vec::new();
        }
        // What an earlier one has left comes first.
        if !self.bench.changes.is_empty() {
            return self.undo_all(Then::Start(which));
        }
        // Nothing of an experiment is in force: this is the policy as the lab left it last.
        self.bench.policy.clone_from(&self.facts.policy);
        self.bench.undone_from[which.index()] = None;
        self.bench.later[which.index()].clear();
        let record = &mut self.bench.records[which.index()];
        *record = Record::default();
        record.status = Status::Running;
        self.begin(which, None, Then::Stay)
    }

    /// Takes back what experiments have changed, then goes on with `then`.
    fn undo_all(&mut self, then: Then) -> Vec<Effect> {
        let which = self.bench.last.unwrap_or(Experiment::DisableKey);
        let status = std::mem::replace(&mut self.bench.records[which.index()].status, Status::Running);
        let verdict = match status {
            Status::Done(outcome) => outcome,
            _ => not_tried(),
        };
        self.begin(which, Some(verdict), then)
    }

    fn begin(&mut self, which: Experiment, verdict: Option<Outcome>, then: Then) -> Vec<Effect> {
        self.bench.last = Some(which);
        self.bench.run =
            Some(Run { which, verdict, tried: Vec::new(), ciphertext: None, pause: None, clock_moved: false, then });
        self.at_work_mut().drop_batch();
        self.view.message = None;
        self.send_batch()
    }

    /// Before clean-up: what is not undone is undone first. `None` where nothing is.
    pub(in crate::lab) fn undo_before(&mut self, stage: Stage) -> Option<Vec<Effect>> {
        (stage == Stage::CleanUp && !self.bench.changes.is_empty()).then(|| self.undo_all(Then::CleanUp))
    }

    /// Before a kept session is verified: what an experiment has changed is undone first.
    pub(in crate::lab) fn undo_before_verification(&mut self) -> Option<Vec<Effect>> {
        (!self.bench.changes.is_empty()).then(|| self.undo_all(Then::Verify))
    }

    /// Clean-up's verdict, where the bench has left something as well.
    pub(in crate::lab) fn add_bench_left(&mut self, check: &mut Check) {
        self.bench.removed(&self.facts.made);
        let left = self.bench_leftovers();
        if !left.is_empty() {
            *check = Check::unmet(format!("{}; still there: {}", check.observed, left.join(", ")));
        }
    }

    /// The next calls of the experiment under way.
    pub(in crate::lab) fn next_on_bench(&mut self) -> Vec<Effect> {
        loop {
            let Some(run) = &self.bench.run else { return Vec::new() };
            if run.verdict.is_some() {
                return self.next_undo();
            }
            let steps =
                if self.is_ready() { script::steps(run.which, &self.ground()) } else { Err(NOT_READY.to_owned()) };
            match steps.map(|steps| steps.into_iter().nth(self.at_work().batch)) {
                Err(reason) => return self.end_trial(Some(reason)),
                Ok(None) => return self.end_trial(None),
                Ok(Some(Step::Idle)) => return self.pause(),
                Ok(Some(Step::Send(batch))) if batch.calls.is_empty() => self.at_work_mut().batch += 1,
                Ok(Some(Step::Send(batch))) => {
                    for (_, operation) in &batch.calls {
                        self.bench.note(operation);
                    }
                    return self.send(batch);
                }
            }
        }
    }

    /// Whether the lab came so far that there is something to break.
    fn is_ready(&self) -> bool {
        let facts = &self.facts;
        let known = [facts.key_id(), facts.key_arn(), self.bench.policy.as_deref()];
        // A table that may only perhaps be there has never been described.
        known.iter().all(Option::is_some)
            && [&facts.admin, &facts.test_user].iter().all(|caller| caller.is_some())
            && facts.table.is_some()
    }

    /// What calls are made from. To undo, not all of it need be there any more.
    fn ground(&self) -> Ground<'_> {
        let facts = &self.facts;
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
            false => self.facts.user_policy(&self.names, &self.backend),
        }
    }

    /// Takes in an answer of the experiment under way.
    pub(in crate::lab) fn learn_on_bench(&mut self, exchange: &Exchange) {
        let undoing = self.bench.is_undoing();
        self.bench.learn(exchange, undoing);
        if let (Some(run), Operation::Encrypt { .. }) = (&mut self.bench.run, &exchange.operation) {
            let ciphertext = exchange.body().and_then(|body| body.get("CiphertextBlob")?.as_str());
            run.ciphertext = ciphertext.map(str::to_owned);
        }
    }

    /// The verdict, or `observed` where it did not come to one; what follows is undoing.
    pub(in crate::lab) fn end_trial(&mut self, observed: Option<String>) -> Vec<Effect> {
        let Some(run) = &self.bench.run else { return Vec::new() };
        let which = run.which;
        let verdict = match observed {
            Some(observed) => Check::unmet(observed),
            None => check::check(which, &self.at_work().raw()),
        };
        let verdict = self.mask_check(verdict);
        if let Some(run) = &mut self.bench.run {
            run.pause = None;
            run.verdict = Some(verdict);
        }
        self.at_work_mut().drop_batch();
        self.view.message = None;
        self.tell_of_the_clock();
        self.next_undo()
    }

    fn next_undo(&mut self) -> Vec<Effect> {
        let Some(run) = &self.bench.run else { return Vec::new() };
        let left = self.bench.changes.iter().rev().find(|change| !run.tried.contains(change)).cloned();
        let Some(change) = left else { return self.end_experiment() };
        let which = run.which;
        let batch = script::undo(&change, &self.ground());
        if let Some(run) = &mut self.bench.run {
            run.tried.push(change);
        }
        let effects = self.send(batch);
        let first = effects.iter().find_map(|effect| match effect {
            Effect::Call { id, .. } => Some(*id),
            _ => None,
        });
        let undone_from = &mut self.bench.undone_from[which.index()];
        *undone_from = undone_from.or(first);
        effects
    }

    fn end_experiment(&mut self) -> Vec<Effect> {
        let Some(Run { which, verdict, then, .. }) = self.bench.run.take() else { return Vec::new() };
        let verdict = verdict.unwrap_or_else(not_tried);
        let met = verdict.met;
        self.bench.records[which.index()].status = Status::Done(verdict);
        // As in the stages: what an experiment changes is what comes back to test-user, where it asks.
        if met && self.view.bench == Some(which) && !self.calls(Identity::TestUser).is_empty() {
            self.view.focus_on(Identity::TestUser);
        }
        self.tell_what_is_left();
        if self.is_leaving() || then == Then::CleanUp {
            return self.start_now(Stage::CleanUp);
        }
        match then {
            Then::Verify => {
                // It has not been tried in this life.
                self.bench.records[which.index()] = Record::default();
                self.verify_from(Some(Stage::FIRST))
            }
            Then::Start(next) if self.bench.changes.is_empty() => self.start_experiment(next),
            _ => Vec::new(),
        }
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

    fn pause(&mut self) -> Vec<Effect> {
        let timer = TimerId(self.new_id());
        let by_hand = self.backend.kind == BackendKind::Aws;
        self.set_pause(Some(Pause { timer, left: by_hand.then_some(COUNTDOWN_SECONDS) }));
        if by_hand { self.count_down() } else { vec![Effect::Advance { timer, seconds: IDLE_SECONDS }] }
    }

    fn set_pause(&mut self, pause: Option<Pause>) {
        if let Some(run) = &mut self.bench.run {
            run.pause = pause;
        }
    }

    fn count_down(&mut self) -> Vec<Effect> {
        let Some(Pause { timer, left: Some(left) }) = self.bench.run.as_ref().and_then(|run| run.pause) else {
            return Vec::new();
        };
        self.view.message = Some(format!(
            "{} until DynamoDB forgets the table key · {} goes on · {} stops, undoes",
            minutes(left.into()),
            self.view.keys.first("advance", "enter"),
            self.view.keys.first("back", "esc")
        ));
        vec![Effect::After { timer, millis: 1_000 }]
    }

    /// A second of the countdown has passed; `None` where the timer is another one.
    pub(in crate::lab) fn second_passed(&mut self, fired: TimerId) -> Option<Vec<Effect>> {
        let Pause { timer, left: Some(left) } = self.bench.run.as_ref()?.pause? else { return None };
        if timer != fired {
            return None;
        }
        if left <= 1 {
            return Some(self.go_on(true));
        }
        self.set_pause(Some(Pause { timer, left: Some(left - 1) }));
        Some(self.count_down())
    }

    /// The server's clock was moved, or there is no such server: then it is waited for.
    pub(in crate::lab) fn advanced(&mut self, of: TimerId, moved: bool) -> Vec<Effect> {
        match self.bench.run.as_ref().and_then(|run| run.pause) {
            Some(Pause { timer, left: None }) if timer == of => {}
            _ => return Vec::new(), // stale
        }
        if moved {
            if let Some(run) = &mut self.bench.run {
                run.clock_moved = true;
            }
            return self.go_on(true);
        }
        self.set_pause(Some(Pause { timer: of, left: Some(COUNTDOWN_SECONDS) }));
        self.count_down()
    }

    /// Sends what comes after a pause; `idle`: whether that was long enough.
    fn go_on(&mut self, idle: bool) -> Vec<Effect> {
        self.set_pause(None);
        self.view.message = None;
        self.tell_of_the_clock();
        self.at_work_mut().batch += 1;
        let which = self.bench.run.as_ref().map(|run| run.which);
        let effects = self.send_batch();
        if let Some(which) = which.filter(|_| idle) {
            let sent = effects.iter().filter_map(|effect| match effect {
                Effect::Call { id, .. } => Some(*id),
                _ => None,
            });
            self.bench.later[which.index()].extend(sent);
        }
        effects
    }

    /// Nobody may wonder how five minutes went by.
    fn tell_of_the_clock(&mut self) {
        if self.bench.run.as_ref().is_some_and(|run| run.clock_moved) {
            let (minutes, seconds) = (IDLE_SECONDS / 60, IDLE_SECONDS % 60);
            self.view.message =
                Some(self.interface().fill("the sandbox's clock was moved on by {} min {} s", &[&minutes, &seconds]));
        }
    }

    /// In the leaving dialog: ends the experiment under way as soon as its calls are answered.
    pub(in crate::lab) fn leave_bench(&mut self) -> Vec<Effect> {
        let idle = self.at_work().pending.is_empty();
        let undoing = self.bench.is_undoing();
        if idle && !undoing { self.end_trial(Some("not finished: the lab was left".to_owned())) } else { Vec::new() }
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
