//! The whole state of a session, the one function that changes it, and what each intent does. How calls are sent and
//! answers taken in is told in `batch.rs`.

use std::sync::Arc;

use super::backend::{Backend, ServicePlace};
use super::bench::{Bench, Experiment};
use super::copy::{Clipboard, Profiles};
use super::exchange::Exchange;
use super::facts::{Facts, Names};
use super::flow::{Effect, Event, Intent};
use super::insight::Insight;
use super::lesson::Chosen;
use super::outcome::{Record, Status};
use super::permit::{Permit, Reason};
use super::presenting::Presenting;
use super::quiz::Quiz;
use super::recall::Replays;
use super::review::Review;
use super::session::Progress;
use super::shown::Shown;
use super::stage::Stage;
use super::view::{Overlay, Page, View};

/// The whole state of a session. It changes in [`State::update`] and nowhere else.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Where the calls go.
    pub backend: Backend,
    /// Where the calls of each service go; empty where it is one place for all.
    pub services: Vec<ServicePlace>,
    /// The run's names.
    pub names: Names,
    /// What the answers told.
    pub facts: Facts,
    /// The texts.
    pub lesson: Chosen,
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
    /// How long waits last, in seconds; `None` is the backend's default.
    pub(super) wait: Option<u32>,
    /// The profiles that the person gave.
    pub(super) profiles: Profiles,
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
    pub(super) records: [Record; Stage::ALL.len()],
    /// The newest answer as it is shown, for the session's log: what follows from it may have begun its record anew.
    pub(super) answered: Option<Arc<Exchange>>,
    last_id: u64,
    pub(super) quit_after_clean_up: bool,
}

impl State {
    /// The state before the first call.
    pub fn new(backend: Backend, names: Names) -> State {
        State {
            backend,
            services: Vec::new(),
            names,
            facts: Facts::default(),
            lesson: Chosen::default(),
            quiz: Quiz::default(),
            bench: Bench::default(),
            view: View::default(),
            current: Stage::FIRST,
            ticks: 0,
            insight: Insight::default(),
            shown: None,
            accepted_account: None,
            wait: None,
            profiles: Profiles::default(),
            consented: None,
            now: 0,
            key_ended_at: None,
            replays: Replays::default(),
            progress: Progress::default(),
            review: Review::default(),
            clipboard: Clipboard::default(),
            presenting: Presenting::default(),
            records: Default::default(),
            answered: None,
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
        let (quiz, votes) = (self.quiz.clone(), self.votes());
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
        if self.is_worth_keeping() && (self.quiz != quiz || self.votes() != votes || effects.iter().any(is_change)) {
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

    /// Performs an intent that is allowed, and says why not where the person should know.
    fn intend(&mut self, intent: Intent) -> Vec<Effect> {
        let is_second_press = self.is_second_press(intent);
        match self.permit(intent) {
            Permit::Yes => return self.perform(intent, is_second_press),
            Permit::Because(reason) => self.view.message = Some(self.explain(reason)),
            Permit::No => {}
        }
        Vec::new()
    }

    /// Performs an intent. Whether it is allowed has been asked.
    pub(super) fn perform(&mut self, intent: Intent, is_second_press: bool) -> Vec<Effect> {
        match intent {
            Intent::Present(wish) => return self.grant_wish(wish, is_second_press),
            Intent::Advance => return self.advance(),
            Intent::Retry => {
                return match self.view.bench {
                    Some(which) => self.start_experiment(which),
                    None => self.retry(),
                };
            }
            Intent::Choose(place) => self.choose(place),
            Intent::Skip => self.skip(),
            Intent::Hint => self.quiz.hint(self.view.shown),
            Intent::AskToQuit if !is_second_press && self.is_in_the_middle() => self.say_what_leaving_means(),
            Intent::Quit | Intent::AskToQuit => {
                if self.leftovers().is_empty() || self.view.is_asking_to_quit() {
                    return vec![Effect::Exit];
                }
                self.view.ask_to_quit();
            }
            Intent::CleanUpAndQuit => return self.clean_up_and_quit(),
            Intent::ShowNext => self.show_neighbor(Experiment::next, State::next_shown),
            Intent::ShowPrevious => self.show_neighbor(Experiment::previous, |state| state.view.shown.previous()),
            Intent::SelectPrevious => self.select(-1),
            Intent::SelectNext => self.select(1),
            Intent::MoveCursor(rows) => self.view.move_cursor(rows, self.jumpable()),
            Intent::ToggleStages => {
                if self.holds_policy() && self.view.overlay.is_none() {
                    self.view.message = Some(self.explain(Reason::PolicyHeld));
                }
                self.view.toggle_stages();
            }
            Intent::FocusOther => self.view.focus_other(),
            Intent::ToggleZoom => self.view.toggle_zoom(),
            Intent::CycleView => self.view.cycle_mode(),
            Intent::ToggleReplay => self.toggle_replay(),
            Intent::ScrollTo(line) => self.view.scroll_to(line),
            Intent::TogglePage(page) => {
                self.view.toggle_page(page);
                return self.inspect();
            }
            Intent::Close => return self.go_back(),
            Intent::Copy(what) => return self.copy(what),
            Intent::TypeDigit(digit) => return self.type_digit(digit),
            Intent::EraseDigit => self.erase_digit(),
            Intent::StartAfresh => self.start_afresh(),
            Intent::ToggleBench => self.toggle_bench(),
            Intent::Undo => return self.undo(),
        }
        Vec::new()
    }

    /// Shows the experiment or the stage beside the shown one.
    fn show_neighbor(
        &mut self,
        experiment: fn(Experiment) -> Option<Experiment>,
        stage: fn(&State) -> Option<Stage>,
    ) {
        match self.view.bench {
            Some(which) => experiment(which).into_iter().for_each(|which| self.show_experiment(which)),
            None => stage(self).into_iter().for_each(|stage| self.show(stage)),
        }
    }

    /// Goes one level back: shows a blanked screen again, stops a jump, leaves an overlay or an experiment, or leaves
    /// a held key policy unsent.
    fn go_back(&mut self) -> Vec<Effect> {
        if self.view.blank {
            self.view.blank = false;
            return Vec::new();
        }
        if self.stops_jump() {
            return Vec::new();
        }
        match (self.view.overlay, self.view.bench) {
            (Some(Overlay::Bench { .. }), _) => self.toggle_bench(),
            (None, Some(which)) => return self.leave_experiment(which),
            (None, None) if self.draft().is_some() => self.drop_draft(),
            _ => self.close(),
        }
        Vec::new()
    }

    pub(super) fn show(&mut self, stage: Stage) {
        if stage > self.current {
            self.current = stage;
            self.view.begin();
        }
        self.view.show(stage);
    }

    fn advance(&mut self) -> Vec<Effect> {
        match (self.view.overlay, self.view.bench) {
            (Some(Overlay::Stages { cursor }), _) => {
                self.view.overlay = None;
                return self.go_to(cursor);
            }
            (Some(Overlay::Bench { cursor }), _) => {
                self.show_experiment(cursor);
                return Vec::new();
            }
            (Some(_), _) => return self.resume(),
            (None, Some(which)) => return self.advance_experiment(which),
            (None, None) => {}
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
}
