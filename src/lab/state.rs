//! The whole state of a session. It changes in `update.rs`.

use std::sync::Arc;

use super::backend::{Backend, ServicePlace};
use super::bench::Bench;
use super::copy::{Clipboard, Profiles, Way};
use super::exchange::Exchange;
use super::facts::{Facts, Names};
use super::insight::Insight;
use super::lesson::{Chosen, Lesson};
use super::outcome::{Record, Status};
use super::presenting::Presenting;
use super::quiz::Quiz;
use super::recall::Replays;
use super::review::Review;
use super::session::Progress;
use super::shown::Shown;
use super::stage::Stage;
use super::view::View;

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

    /// The same state in the words of `lesson`.
    #[must_use]
    pub fn with_lesson(mut self, lesson: Arc<Lesson>) -> State {
        self.lesson = lesson.into();
        self
    }

    /// The same state, which asks a question before each stage.
    #[must_use]
    pub fn with_quiz(mut self, quiz: Quiz) -> State {
        self.quiz = quiz;
        self
    }

    /// The same state, which copies this way.
    #[must_use]
    pub fn with_clipboard(mut self, way: Way) -> State {
        self.clipboard = Clipboard::new(way);
        self
    }

    /// The same state, whose command lines name these profiles.
    #[must_use]
    pub fn with_profiles(mut self, profiles: Profiles) -> State {
        self.profiles = profiles;
        self
    }

    /// The same state, which takes over from `earlier` what belongs to the person and not to the run: how things are
    /// shown, and what was copied.
    #[must_use]
    pub fn succeeding(mut self, earlier: &State) -> State {
        self.view.mode = earlier.view.mode;
        self.view.zoom = earlier.view.zoom;
        self.view.keys = earlier.view.keys.clone();
        // It began behind the blank screen, after a clean-up, say.
        self.view.blank = earlier.view.blank;
        self.clipboard = earlier.clipboard.clone();
        self.presenting.shows_timer = earlier.presenting.shows_timer;
        self
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
