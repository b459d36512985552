//! The whole state of a session, and the one function that changes it.

use std::sync::Arc;

use super::backend::{Backend, BackendKind};
use super::bench::Bench;
use super::check;
use super::copy::Clipboard;
use super::exchange::{Answer, CallId, Exchange};
use super::facts::{Facts, Names};
use super::flow::{Effect, Event, Intent, Report, TimerId};
use super::insight::Insight;
use super::insight::documents::request_id;
use super::lesson::Lesson;
use super::operation::{Identity, Operation};
use super::presenting::Presenting;
use super::quiz::Quiz;
use super::replay::Replays;
use super::review::Review;
use super::script::{Batch, Next, Sources, Until};
use super::session::{self, Progress};
use super::shown::Shown;
use super::stage::Stage;
use super::view::{Page, View};

pub use super::record::{Check, Pending, Record, Status};

/// How often a batch is sent at most while the lab waits for something to become true.
const MAX_ATTEMPTS: u32 = 20;

/// What is observed of a stage that was under way when the person chose to leave.
const LEFT_EARLY: &str = "not finished: the lab was left";

/// The whole state of a session. It changes in [`State::update`] and nowhere else.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Where the calls go.
    pub backend: Backend,
    /// The run's names.
    pub names: Names,
    /// What the answers told.
    pub facts: Facts,
    /// The texts.
    pub lesson: Arc<Lesson>,
    /// The questions, and what was said to them.
    pub quiz: Quiz,
    /// What was tried after the lab's last reading.
    pub bench: Bench,
    /// What the person looks at, and how.
    pub view: View,
    /// The stage that is next, under way or newest done. Later ones have not begun.
    pub current: Stage,
    /// Counts [`Event::Tick`]s, for the waiting sign.
    pub ticks: u64,
    /// What has been looked into.
    pub(super) insight: Insight,
    /// What is shown where that is masked.
    pub(super) shown: Option<Shown>,
    /// The account that `--yes-account` said yes to.
    pub accepted_account: Option<String>,
    /// The account in which things may be created; on AWS nothing is without it.
    pub(super) consented: Option<String>,
    /// Unix time of the newest answer, in seconds.
    pub(super) now: u64,
    /// When the key stopped costing anything.
    pub(super) key_ended_at: Option<u64>,
    pub(super) replays: Replays,
    /// What is kept, or was kept before.
    pub(super) progress: Progress,
    /// A call that a person looks at before it is sent.
    pub(super) review: Review,
    /// What a person has copied.
    pub(super) clipboard: Clipboard,
    pub(super) presenting: Presenting,
    records: [Record; Stage::ALL.len()],
    last_id: u64,
    quit_after_clean_up: bool,
}

impl State {
    /// The state before the first call.
    pub fn new(backend: Backend, names: Names) -> State {
        State {
            backend,
            names,
            facts: Facts::default(),
            lesson: Lesson::english(),
            quiz: Quiz::default(),
            bench: Bench::default(),
            view: View::default(),
            current: Stage::FIRST,
            ticks: 0,
            insight: Insight::default(),
            shown: None,
            accepted_account: None,
            consented: None,
            now: 0,
            key_ended_at: None,
            replays: Replays::default(),
            progress: Progress::default(),
            review: Review::default(),
            clipboard: Clipboard::default(),
            presenting: Presenting::default(),
            records: Default::default(),
            last_id: 0,
            quit_after_clean_up: false,
        }
    }

    /// Unix time of the newest answer, in seconds; 0 before the first.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// A stage's calls and outcome.
    pub fn record(&self, stage: Stage) -> &Record {
        &self.records[stage.index()]
    }

    /// The stage or the experiment that is looked at.
    pub fn shown(&self) -> &Record {
        self.view.bench.map_or_else(|| self.record(self.view.shown), |which| self.bench.record(which))
    }

    /// Whether calls are under way: the screen has something to animate.
    pub fn is_running(&self) -> bool {
        self.at_work().status == Status::Running && !self.review.is_waiting()
    }

    /// Takes in what happened and says what to do. The only place where the state changes.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        let shown = self.view.shown;
        let quiz = self.quiz.clone();
        let mut effects = match event {
            Event::Intent(intent) => self.intend(intent),
            // What the open page shows may have grown.
            Event::CallFinished { id, answer } => [self.call_finished(id, *answer), self.inspect()].concat(),
            Event::Inspected { serial, finding } => {
                self.inspected(serial, finding);
                Vec::new()
            }
            Event::TimerFired(timer) => self.second_passed(timer).unwrap_or_else(|| self.timer_fired(timer)),
            Event::Advanced { timer, moved } => self.advanced(timer, moved),
            Event::Recalled { stage, found } => {
                self.recalled(stage, found);
                Vec::new()
            }
            Event::NotKept(reason) => {
                self.could_not_keep(&reason);
                Vec::new()
            }
            Event::NotRemembered(reason) => {
                self.could_not_remember(&reason);
                Vec::new()
            }
            Event::Tick => {
                self.ticks += 1;
                self.recall_overdue()
            }
            Event::Clock(seconds) => self.clock(seconds),
            Event::Say(text) => self.say(text),
        };
        if self.view.shown != shown {
            self.focus_calls();
        }
        let is_change = |effect: &Effect| matches!(effect, Effect::Call { .. } | Effect::Report(_));
        if self.is_worth_keeping() && (self.quiz != quiz || effects.iter().any(is_change)) {
            // Before the calls: what is under way must be known, whatever happens then.
            effects.splice(0..0, self.remember());
        }
        effects
    }

    /// Moves the focus off a pane that has no call in this stage: it may be the only one that is seen.
    pub(super) fn focus_calls(&mut self) {
        if !self.outline().iter().any(|(identity, _)| *identity == self.view.focus()) {
            self.view.focus_other();
        }
    }

    fn intend(&mut self, intent: Intent) -> Vec<Effect> {
        if let Some(effects) = self.present(intent) {
            return effects;
        }
        if let Some(refusal) = self.why_not(intent) {
            self.view.message = Some(refusal);
            return Vec::new();
        }
        let intent = match self.intend_on_bench(intent) {
            Ok(effects) => return effects,
            Err(intent) => intent,
        };
        match intent {
            Intent::Present(_) => {}
            Intent::Advance => return self.advance(),
            Intent::Retry if self.can_retry() => return self.retry(),
            Intent::Retry => {}
            Intent::Choose(_) | Intent::Skip | Intent::Hint => self.learn(intent),
            Intent::Quit => {
                if self.leftovers().is_empty() || self.view.is_asking_to_quit() {
                    return vec![Effect::Exit];
                }
                self.view.ask_to_quit();
            }
            Intent::CleanUpAndQuit => {
                self.view.close();
                self.quit_after_clean_up = true;
                if self.bench.is_running() {
                    return self.leave_bench();
                }
                let current = self.record(self.current);
                if current.status != Status::Running {
                    return self.start(Stage::CleanUp);
                }
                // Calls under way are awaited, since they may create something; a pause between two attempts is not.
                if current.pending.is_empty() && self.current != Stage::CleanUp {
                    self.record_mut(self.current).timer = None;
                    return self.end_stage(Some(LEFT_EARLY.to_owned()));
                }
            }
            Intent::ShowNext => {
                if let Some(next) = self.next_shown() {
                    self.show(next);
                }
            }
            Intent::ShowPrevious => {
                if let Some(previous) = self.view.shown.previous() {
                    self.view.show(previous);
                }
            }
            Intent::SelectPrevious => self.select(-1),
            Intent::SelectNext => self.select(1),
            Intent::MoveCursor(rows) => self.view.move_cursor(rows, self.jumpable()),
            Intent::ToggleStages => self.view.toggle_stages(),
            Intent::FocusOther => self.view.focus_other(),
            Intent::ToggleZoom => self.view.toggle_zoom(),
            Intent::CycleView => self.view.cycle_mode(),
            Intent::ToggleReplay => self.toggle_replay(),
            Intent::ScrollTo(line) => self.view.scroll_to(line),
            Intent::TogglePage(page) => {
                self.view.toggle_page(page);
                return self.inspect();
            }
            Intent::Close if !self.view.overlay_is_open() && self.draft().is_some() => self.drop_draft(),
            Intent::Close => self.close(),
            Intent::Copy(what) => return self.copy(what),
            Intent::TypeDigit(digit) => return self.type_digit(digit),
            Intent::EraseDigit => self.erase_digit(),
            Intent::StartAfresh => self.start_afresh(),
            Intent::ToggleBench | Intent::Undo => {}
        }
        Vec::new()
    }

    pub(super) fn show(&mut self, stage: Stage) {
        if stage > self.current {
            self.current = stage;
        }
        self.view.show(stage);
    }

    pub(super) fn advance(&mut self) -> Vec<Effect> {
        if let Some(stage) = self.view.take_cursor() {
            return self.go_to(stage);
        }
        if self.is_asking_to_resume() {
            return self.resume();
        }
        if self.view.overlay_is_open() {
            self.view.close();
            return Vec::new();
        }
        // Before a kept session is verified, what an experiment has changed is undone.
        if self.bench.is_running() && self.view.bench.is_none() {
            return Vec::new();
        }
        let shown = self.view.shown;
        match self.shown().status {
            Status::Todo => self.start(shown),
            Status::Running => self.send_draft(),
            Status::Done(_) => {
                match self.next_shown() {
                    Some(next) => self.show(next),
                    None if self.is_at_the_end() => self.view.toggle_page(Page::Debrief),
                    None => {}
                }
                Vec::new()
            }
        }
    }

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
        let begun = if record.status == Status::Todo { std::mem::take(record) } else { Record::default() };
        *record = Record { status: Status::Running, attempt: 0, ..begun };
        record.exchanges.truncate(record.batch_start);
        record.unmasked.truncate(record.batch_start);
        let mut effects = vec![Effect::Report(Report::Started(stage))];
        effects.extend(self.send_batch());
        effects
    }

    fn retry(&mut self) -> Vec<Effect> {
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
        let record = self.record_mut(stage);
        record.status = Status::Running;
        record.attempt = 0;
        record.exchanges.truncate(record.batch_start);
        record.unmasked.truncate(record.batch_start);
        self.send_batch()
    }

    pub(super) fn record_mut(&mut self, stage: Stage) -> &mut Record {
        &mut self.records[stage.index()]
    }

    /// Whether the program ends after clean-up.
    pub(super) fn is_leaving(&self) -> bool {
        self.quit_after_clean_up
    }

    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn sources(&self) -> Sources<'_> {
        Sources {
            names: &self.names,
            facts: &self.facts,
            given_user: self.backend.given_user,
            eventually_consistent: self.backend.kind != BackendKind::Sandbox,
        }
    }

    /// Sends the next batch of what is at work, or ends it when there is none.
    pub(super) fn send_batch(&mut self) -> Vec<Effect> {
        if self.bench.is_running() {
            return self.next_on_bench();
        }
        let stage = self.current;
        loop {
            match self.next_batch(stage) {
                Next::Send(batch) if batch.calls.is_empty() => self.record_mut(stage).batch += 1,
                Next::Send(batch) => return self.send_or_hold(batch),
                Next::End => return self.end_stage(None),
                Next::Blocked(reason) => return self.end_stage(Some(format!("not attempted: {reason}"))),
            }
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
            record.batch_start = record.exchanges.len();
        }
        let mut effects = Vec::with_capacity(ids.len());
        for ((id, shown), (identity, operation)) in ids.into_iter().zip(shown).zip(batch.calls) {
            let attempt = record.attempt;
            record.pending.push(Pending { id, identity, operation: shown, attempt, sent: operation.clone() });
            effects.push(Effect::Call { id, identity, operation });
        }
        effects
    }

    fn call_finished(&mut self, id: CallId, answer: Answer) -> Vec<Effect> {
        if let Some(effects) = self.looked(id, &answer) {
            return effects;
        }
        let stage = self.stage_at_work();
        let had_key = self.facts.made.key.is_some();
        self.now = self.now.max(answer.at);
        let record = self.at_work_mut();
        let Some(position) = record.pending.iter().position(|pending| pending.id == id) else {
            return Vec::new(); // stale
        };
        let Pending { identity, attempt, sent: operation, .. } = record.pending.remove(position);
        let verdict = answer.verdict();
        let exchange = Arc::new(Exchange { id, stage, identity, operation, attempt, answer, verdict });
        let shown = self.mask_exchange(&exchange);
        let record = self.at_work_mut();
        let start = record.batch_start;
        // Of a repeated call only the newest answer stays in view.
        match record.unmasked[start..].iter().position(|e| e.identity == identity && e.operation == exchange.operation)
        {
            Some(older) => {
                record.exchanges[start + older] = shown.clone();
                record.unmasked[start + older] = exchange.clone();
            }
            None => {
                record.exchanges.push(shown.clone());
                record.unmasked.push(exchange.clone());
            }
        }
        let answered = record.pending.is_empty();
        let mut effects = Vec::new();
        self.note_use(&exchange, request_id(&shown));
        if self.bench.is_running() {
            self.learn_on_bench(&exchange);
        } else {
            self.facts.learn(&exchange);
        }
        if had_key && self.facts.made.key.is_none() {
            self.key_ended_at = Some(self.now);
        }
        if answered {
            // Answers of one batch may come in any order; panes, checks and lines have them in the order of sending.
            let record = self.at_work_mut();
            record.exchanges[start..].sort_by_key(|exchange| exchange.id);
            record.unmasked[start..].sort_by_key(|exchange| exchange.id);
            let answers = record.exchanges[start..].to_vec();
            if !self.bench.is_running() {
                effects.extend(answers.into_iter().map(|answer| Effect::Report(Report::Call(answer))));
            }
            effects.extend(self.batch_answered());
        }
        effects
    }

    fn batch_answered(&mut self) -> Vec<Effect> {
        let stage = self.current;
        let on_bench = self.bench.is_running();
        let goes_on = if on_bench { self.bench.is_undoing() } else { stage == Stage::CleanUp };
        if self.quit_after_clean_up && !goes_on {
            return self.end_stage(Some(LEFT_EARLY.to_owned()));
        }
        let record = self.at_work();
        let answers: Vec<&Exchange> = record.unmasked[record.batch_start..].iter().map(AsRef::as_ref).collect();
        let (until, tolerant) = record.until.unwrap_or((Until::Answered, true));
        if until.is_met(&answers) {
            let in_the_way =
                answers.iter().find(|e| !e.is_allowed() && !self.facts.is_own_already(e)).filter(|_| !tolerant);
            if let Some(refused) = in_the_way {
                let observed = check::describe(refused);
                return self.end_stage(Some(observed));
            }
            let record = self.at_work_mut();
            record.batch += 1;
            record.attempt = 0;
            return self.send_batch();
        }
        let attempt = record.attempt;
        if until.may_change(&answers) && attempt < MAX_ATTEMPTS {
            let timer = TimerId(self.new_id());
            self.at_work_mut().timer = Some(timer);
            self.view.message = Some(format!("waiting for {}: attempt {attempt} of {MAX_ATTEMPTS}", until.describe()));
            return vec![Effect::After { timer, millis: backoff(attempt) }];
        }
        let gave_up = until
            .may_change(&answers)
            .then(|| format!("gave up waiting for {} after {attempt} attempts", until.describe()));
        let refused = answers.iter().find(|exchange| !exchange.is_allowed()).map(|refused| check::describe(refused));
        let mut effects = if tolerant {
            self.at_work_mut().batch += 1;
            self.at_work_mut().attempt = 0;
            self.send_batch()
        } else {
            let observed: Vec<String> = gave_up.iter().cloned().chain(refused).collect();
            self.end_stage(Some(observed.join(": ")))
        };
        if let Some(gave_up) = gave_up.filter(|_| !on_bench) {
            self.tell_choice(stage, &gave_up, &mut effects);
        }
        effects
    }

    /// Says what can be done when what was waited for did not come.
    fn tell_choice(&mut self, stage: Stage, gave_up: &str, effects: &mut [Effect]) {
        if let Status::Done(check) = &mut self.record_mut(stage).status
            && !check.met
        {
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
                "{}: wait again · {}: go on (gave up after the last attempt)",
                self.view.keys.first("retry", "r"),
                self.view.keys.first("advance", "Enter"),
            ));
        }
    }

    fn timer_fired(&mut self, timer: TimerId) -> Vec<Effect> {
        let record = self.at_work_mut();
        if record.timer != Some(timer) {
            return Vec::new(); // stale
        }
        record.timer = None;
        self.send_batch()
    }

    /// Ends the current stage: unmet with `observed` where given, else as the check says.
    pub(super) fn end_stage(&mut self, observed: Option<String>) -> Vec<Effect> {
        if self.bench.is_running() {
            return self.end_trial(observed);
        }
        let stage = self.current;
        self.review.forget();
        let check = match observed {
            Some(observed) => Check { met: false, observed },
            None => {
                let exchanges: Vec<&Exchange> = self.record(stage).unmasked.iter().map(AsRef::as_ref).collect();
                check::check(stage, &exchanges, &self.facts, self.backend.given_user)
            }
        };
        // What does not stand when it is looked at again is judged by whoever looks.
        if check.met || !self.is_verifying(stage) {
            let begun = session::begun(&self.record(stage).unmasked);
            self.progress.end(stage, &check, begun, self.now);
        }
        let check = self.mask_check(check);
        let check = if stage == Stage::CleanUp { self.with_bench_left(check) } else { check };
        self.record_mut(stage).status = Status::Done(check.clone());
        self.view.message = None;
        let met = check.met;
        // What the stage is about is in test-user's pane: there `w` explains it, and one pane alone shows it.
        if stage == Stage::ViewDenied && met && self.view.shown == stage {
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
