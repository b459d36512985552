//! The whole state of a session. It changes in `update.rs`.

use std::sync::Arc;

use super::{desk, paths};
use crate::lab::feature::attempts::{Attempts, Sent};
use crate::lab::feature::consent::Consent;
use crate::lab::feature::copy::{Clipboard, Profiles, Way};
use crate::lab::feature::debrief::{Asked, Debrief};
use crate::lab::feature::drills::Drills;
use crate::lab::feature::experiments::Experiments;
use crate::lab::feature::insight::at_rest::{self, Seen};
use crate::lab::feature::insight::forecast::{Forecast, Rung};
use crate::lab::feature::insight::{Explained, Insight, Known, Use, trail};
use crate::lab::feature::masking::Masking;
use crate::lab::feature::masking::masker::Masker;
use crate::lab::feature::noticing::Noticing;
use crate::lab::feature::presenting::Presenting;
use crate::lab::feature::presenting::pace::Pace;
use crate::lab::feature::quiz::Quiz;
use crate::lab::feature::replay::Replays;
use crate::lab::feature::review::Review;
use crate::lab::kernel::Kernel;
use crate::lab::kernel::event::RunId;
use crate::lab::kernel::run::{Run, Status};
use crate::lab::lesson::{self, Chosen, Lesson};
use crate::lab::model::attempt::Insertable;
use crate::lab::model::backend::{Backend, BackendKind, ServicePlace};
use crate::lab::model::choice::Choice;
use crate::lab::model::exchange::{Exchange, Verdict};
use crate::lab::model::experiment::Experiment;
use crate::lab::model::extent::Extent;
use crate::lab::model::facts::{Caller, Facts, Names};
use crate::lab::model::keymap::Keymap;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::stage::Stage;
use crate::lab::path::Path;
use crate::lab::resume::Resuming;
use crate::lab::saving::Progress;
use crate::lab::view::{Desk, Page, View};
use crate::lab::wait::Patience;

/// The whole state of a session. It changes in [`State::update`] and nowhere else.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub(super) kernel: Kernel,
    /// Where the calls go.
    pub(super) backend: Backend,
    /// Where the calls of each service go; empty where it is one place for all.
    pub(super) services: Vec<ServicePlace>,
    /// The run's names.
    pub(super) names: Names,
    /// The texts.
    pub(super) lesson: Chosen,
    /// The questions, and what was said to them.
    pub(super) quiz: Quiz,
    /// What was written and sent in stage 7.
    pub(in crate::lab::session) attempts: Attempts,
    /// What was tried after the lab's last reading.
    pub(super) experiments: Experiments,
    /// The drills.
    pub(super) drills: Drills,
    /// What the person looks at, and how.
    pub(super) view: View,
    /// What has been looked into.
    pub(super) insight: Insight,
    pub(super) masking: Masking,
    /// The account that `--yes-account` said yes to.
    pub(super) accepted_account: Option<String>,
    /// How long waits last, in seconds; `None` is the backend's default.
    pub(super) wait: Option<u32>,
    /// The profiles that the person gave.
    pub(super) profiles: Profiles,
    /// The account in which things may be created; on AWS nothing is without it.
    pub(super) consent: Consent,
    pub(super) replays: Replays,
    /// What is kept, or was kept before.
    pub(super) progress: Progress,
    /// What was kept before, and is to go on.
    pub(super) resuming: Resuming,
    /// A call that a person looks at before it is sent.
    pub(super) review: Review,
    /// What a person has copied.
    pub(super) clipboard: Clipboard,
    pub(super) presenting: Presenting,
    pub(super) debrief: Debrief,
    /// What other clients do.
    pub(super) noticing: Noticing,
}

impl State {
    /// The state before the first call.
    pub fn new(backend: Backend, names: Names) -> State {
        State {
            kernel: Kernel::new(Patience { kind: backend.kind, seconds: None }),
            backend,
            services: Vec::new(),
            names,
            lesson: Chosen::default(),
            quiz: Quiz::default(),
            attempts: Attempts::default(),
            experiments: Experiments::default(),
            drills: Drills::default(),
            view: View::default(),
            insight: Insight::default(),
            masking: Masking::default(),
            accepted_account: None,
            wait: None,
            profiles: Profiles::default(),
            consent: Consent::default(),
            replays: Replays::default(),
            progress: Progress::default(),
            resuming: Resuming::default(),
            review: Review::default(),
            clipboard: Clipboard::default(),
            presenting: Presenting::default(),
            debrief: Debrief::default(),
            noticing: Noticing::default(),
        }
    }

    /// The same state, whose waits last this many seconds; `None` is the backend's default.
    #[must_use]
    pub fn with_wait(mut self, seconds: Option<u32>) -> State {
        self.wait = seconds;
        self.kernel.be_patient(Patience { kind: self.backend.kind, seconds });
        self
    }

    /// Where the calls go.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Sends the calls elsewhere; for a state that has sent nothing yet.
    pub fn set_backend(&mut self, backend: Backend) {
        self.backend = backend;
    }

    /// Where the calls of each service go; empty where it is one place for all.
    pub fn services(&self) -> &[ServicePlace] {
        &self.services
    }

    /// Says where the calls of each service go.
    pub fn set_services(&mut self, services: Vec<ServicePlace>) {
        self.services = services;
    }

    /// The run's names, which are not masked.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Gives the run other names; for a state that has sent nothing yet.
    pub fn set_names(&mut self, names: Names) {
        self.names = names;
    }

    /// The texts.
    pub fn lesson(&self) -> &Chosen {
        &self.lesson
    }

    /// The questions and the answers to them.
    pub fn quiz(&self) -> &Quiz {
        &self.quiz
    }

    /// The debrief, and how far it is.
    pub fn debrief(&self) -> &Debrief {
        &self.debrief
    }

    /// What was written and sent in stage 7.
    pub fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// What experiments have changed.
    pub fn experiments(&self) -> &Experiments {
        &self.experiments
    }

    /// Whether the time must be known every second: it is shown.
    pub fn needs_seconds(&self) -> bool {
        (self.view.drill && self.drills.is_timed() && !self.view.blank) || self.shows_timer()
    }

    /// The drills.
    pub fn drills(&self) -> &Drills {
        &self.drills
    }

    /// What the person looks at, and how.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// How long each stage has taken.
    pub(in crate::lab) fn pace(&self) -> &Pace {
        &self.presenting.pace
    }

    /// Gives the person's own keys.
    pub fn set_keys(&mut self, keys: Keymap) {
        self.view.keys = keys;
    }

    /// Lets an audience vote by phone; a person types `address` into the phone's browser.
    pub fn invite(&mut self, address: String) {
        self.presenting.phones.invite(address);
    }

    /// Makes the lab one of a class.
    pub fn join_class(&mut self) {
        self.presenting.asks_for_help.get_or_insert(false);
    }

    /// Shows the opening card first; for a state that has sent nothing yet.
    pub fn open_with_card(&mut self) {
        self.view.opening = true;
    }

    /// Shows a line until the next key.
    pub fn say(&mut self, message: impl Into<Option<String>>) {
        self.view.message = message.into();
    }

    /// The account that `--yes-account` said yes to.
    pub fn accepted_account(&self) -> Option<&String> {
        self.accepted_account.as_ref()
    }

    /// Takes the account that `--yes-account` said yes to.
    pub fn set_accepted_account(&mut self, account: Option<String>) {
        self.accepted_account = account;
    }

    /// From here on everything that is shown or written is masked; for a state that has sent nothing yet.
    pub fn mask(&mut self) {
        self.masking = Masking::begin(&self.names, self.backend.kind == BackendKind::Sandbox);
    }

    /// The same state, which shows a person what a key policy changes before it is sent.
    #[must_use]
    pub fn with_review(mut self) -> State {
        self.review = Review::ON;
        self
    }

    /// The same state, whose stage 7 offers three ways to let test-user use the key.
    #[must_use]
    pub fn with_ways(mut self) -> State {
        self.attempts.offer(true);
        self
    }

    /// The same, where stage 7 offers them to those who ask: for lines.
    #[must_use]
    pub fn with_ways_on_request(mut self) -> State {
        self.attempts.offer(false);
        self
    }

    /// The same state, of a session that was recorded at `at` and is shown again at `now`, both in unix time.
    #[must_use]
    pub fn recorded_at(mut self, at: u64, now: u64) -> State {
        self.replays.record(at, now);
        self
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
        if earlier.attempts.is_offered() {
            self.attempts.offer(earlier.attempts.shows_choice());
        }
        self.presenting.shows_timer = earlier.presenting.shows_timer;
        earlier.phones().address().into_iter().for_each(|address| self.invite(address.to_owned()));
        self.presenting.themes = earlier.presenting.themes;
        self
    }
}

/// What tests set up and look into.
#[cfg(test)]
impl State {
    pub(crate) fn view_mut(&mut self) -> &mut View {
        &mut self.view
    }

    pub(in crate::lab) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    pub(in crate::lab) fn kernel_mut(&mut self) -> &mut Kernel {
        &mut self.kernel
    }

    pub(in crate::lab) fn presenting_mut(&mut self) -> &mut Presenting {
        &mut self.presenting
    }
}

/// The paths of Scans, and why they ended so.
impl State {
    /// The path of the call that the pane of `identity` shows; `None` unless it is a Scan.
    pub fn path(&self, identity: Identity) -> Option<Path> {
        paths::path(self, identity)
    }

    /// The path of an answered call; `None` unless it is a Scan.
    pub fn path_of(&self, exchange: &Exchange) -> Option<Path> {
        paths::path_of(self, exchange)
    }

    /// The path of the newest Scan of `identity` in a stage.
    pub fn path_in(&self, stage: Stage, identity: Identity) -> Option<Path> {
        paths::path_in(self, stage, identity)
    }

    /// The path of the Scan of `identity` before the change, while the shown stage sends it again.
    pub fn path_before(&self, identity: Identity) -> Option<Path> {
        paths::path_before(self, identity)
    }

    /// What has changed between the last two Scans of the stages, in a sentence; `None` before the change.
    pub fn change_before(&self) -> Option<&'static str> {
        paths::change_before(self)
    }

    /// Whether the shown stage ends with a choice: experiments, drills or clean-up.
    pub fn offers_choices(&self) -> bool {
        self.view.shown == Stage::ViewAgain && self.view.experiment.is_none() && self.has_experiments()
    }

    /// Whether the focused pane shows a denial that nobody has looked into.
    pub fn has_unread_denial(&self) -> bool {
        let is_denied = self.focused_exchange().is_some_and(|exchange| matches!(exchange.verdict, Verdict::Denied(_)));
        is_denied && !self.view.why_was_read
    }

    /// The rung under the cursor of the page that says why, and how many there are to choose from.
    pub fn rung(&self) -> Option<(usize, usize)> {
        if self.view.page() != Some(Page::Why) {
            return None;
        }
        let explained = self.explained();
        let last = explained.stops().len().checked_sub(1)?;
        Some((self.view.rung.unwrap_or_else(|| explained.first_stop()).min(last), last))
    }

    /// The ladders of the focused call, the decisive one last; empty until its decisions are known.
    pub fn explained(&self) -> Explained {
        match (self.focused_exchange(), self.known()) {
            (Some(exchange), Some(Known::Decisions { all, .. })) if !self.is_replay() => {
                self.insight.explain(exchange, all)
            }
            _ => Explained::default(),
        }
    }
}

/// What its parts know.
impl State {
    /// The shown question of the debrief; `None` where the card is shown.
    pub fn debrief_question(&self) -> Option<Asked<'_>> {
        let said = self.debrief.stage().and_then(|stage| self.quiz.choice(stage));
        self.debrief.asked(&self.lesson, said, &self.debrief_order())
    }

    /// The order of the shown question's answers.
    fn debrief_order(&self) -> Vec<usize> {
        let count = self.debrief.question(&self.lesson).map_or(0, |question| question.answers.len());
        let number = self.debrief.current().map_or(0, |entry| entry.item.question_number());
        self.quiz.shuffled(number, count)
    }

    /// The debrief's answer at this place, and whether it is right.
    pub(super) fn debrief_choice(&self, place: u8) -> Option<(Choice, bool)> {
        self.debrief.choice_at(place.into(), &self.lesson, &self.debrief_order())
    }

    /// How many questions that were not answered right in their stage are so in the debrief.
    pub fn corrected(&self) -> usize {
        Stage::ALL.into_iter().filter(|stage| self.debrief.reply(*stage).is_some_and(|reply| reply.right)).count()
    }

    /// Stages whose question was answered wrongly or not asked or, by a person who answered others, skipped.
    pub(super) fn missed_questions(&self) -> Vec<Stage> {
        let answers = self.score().is_some_and(|score| score.answered > 0);
        let is_missed = |stage: &Stage| match self.quiz.choice(*stage) {
            Some(Choice::Answer(index)) => self.lesson.stage(*stage).question.right() != Some(index),
            Some(Choice::Skipped) => answers && self.hands(*stage).is_none(),
            None => self.quiz.asks(),
        };
        Stage::ALL.into_iter().filter(is_missed).collect()
    }

    /// Whether the shown stage is the last one and has ended.
    pub fn is_at_the_end(&self) -> bool {
        self.view.experiment.is_none() && self.view.shown.next().is_none() && self.check(self.view.shown).is_some()
    }

    /// What the evaluator expects of the text in the editor.
    pub fn forecast(&self) -> Option<Forecast> {
        desk::forecast(self)
    }

    /// The rungs of the Scan after the learner's own way, compared with those before it.
    pub fn rungs(&self) -> Vec<Rung> {
        desk::rungs(self)
    }

    /// What the learner's own way opens; `None` until it is known, or where nothing new allows test-user's Scan.
    pub fn extent(&self) -> Option<Extent> {
        desk::extent(self)
    }

    /// What was sent, in a few words.
    pub fn sent_in_short(&self, sent: &Sent) -> String {
        desk::in_short(self, sent)
    }

    /// The names that the editor can insert.
    pub fn insertables(&self) -> Vec<Insertable> {
        desk::insertables(self)
    }

    /// The call with this request id, as it is shown, if a table key was needed for it.
    pub fn use_of_request(&self, id: &str) -> Option<&Use> {
        self.insight.use_of_request(id)
    }

    /// Whether the calls with these request ids, as they are shown, needed the same table's key.
    pub fn use_same_table(&self, one: &str, other: &str) -> bool {
        self.insight.use_same_table(one, other)
    }

    /// What the sandbox's trail shows, oldest first.
    pub fn trail(&self, events: &[trail::Event]) -> Vec<trail::Entry> {
        trail::of_events(events, &self.kernel)
    }

    /// What the lab itself has asked KMS: all that is known where there is no trail to read.
    pub fn own_trail(&self) -> Vec<trail::Entry> {
        trail::of_exchanges(&self.kernel, self.shown_facts())
    }

    /// The result of the newest Scan of `identity`.
    pub fn seen(&self, identity: Identity) -> Seen<'_> {
        at_rest::seen(&self.kernel, identity)
    }

    /// Who signs as `identity`, as it is shown.
    pub fn shown_caller(&self, identity: Identity) -> Option<&Caller> {
        self.shown_facts().caller(identity)
    }

    /// Unix time of the newest response, in seconds; 0 before the first.
    pub fn now(&self) -> u64 {
        self.kernel.now()
    }

    /// The stage that is next, in progress or newest done. Later ones have not begun.
    pub fn current(&self) -> Stage {
        self.kernel.current()
    }

    /// Counts ticks, for the waiting sign.
    pub fn ticks(&self) -> u64 {
        self.kernel.ticks()
    }

    /// A stage's calls and outcome.
    pub fn record(&self, stage: Stage) -> &Run {
        self.kernel.stage(stage)
    }

    /// An experiment's calls and outcome.
    pub fn trial(&self, which: Experiment) -> &Run {
        self.kernel.run(RunId::Experiment(which))
    }

    /// The stage, the experiment or the drill that is looked at.
    pub fn shown(&self) -> &Run {
        if self.view.drill {
            return self.kernel.run(RunId::Drill);
        }
        let attempt = self.kernel.run(RunId::Attempt);
        match (self.view.experiment, self.view.desk) {
            (Some(which), _) => self.trial(which),
            (None, Some(Desk::Outcome)) if attempt.status != Status::Todo => attempt,
            (None, _) => self.record(self.view.shown),
        }
    }

    /// The newest Scan of `identity` in the drill at work.
    pub fn drill_scan(&self, identity: Identity) -> Option<&Exchange> {
        let mut calls = self.kernel.run(RunId::Drill).exchanges().rev();
        calls.find(|exchange| exchange.identity == identity && matches!(exchange.operation, Operation::Scan { .. }))
    }

    /// The run that is at work, or would be if something were sent now.
    pub(super) fn at_work(&self) -> &Run {
        self.kernel.run(self.kernel.at_work())
    }

    /// Whether calls are in progress: the screen has something to animate.
    pub fn is_running(&self) -> bool {
        self.kernel.is_running()
    }

    /// How many experiments have come out as they should.
    pub fn experiments_met(&self) -> usize {
        let check = |which: &Experiment| self.trial(*which).status.check();
        Experiment::ALL.iter().filter_map(check).filter(|check| check.met).count()
    }

    /// The texts of an experiment.
    pub fn experiment(&self, which: Experiment) -> &lesson::Experiment {
        &self.lesson.frame.experiments[which.index()]
    }

    /// What is known since the world answered this question; `None` where it has not, or another was asked since.
    pub(super) fn known_since(&self, serial: u64) -> Option<&Known> {
        self.known().filter(|_| self.insight.awaits(serial))
    }

    /// What is known of what the open page is about; `None` while it is being found out.
    pub fn known(&self) -> Option<&Known> {
        self.insight.known()
    }

    /// What other clients do.
    pub fn noticing(&self) -> &Noticing {
        &self.noticing
    }

    /// Whether everything that is shown is masked.
    pub fn is_masked(&self) -> bool {
        self.masking.is_on()
    }

    /// Whether ids are pseudonyms: masked here, or when the session that is shown again was recorded.
    pub fn has_pseudonyms(&self) -> bool {
        self.is_masked() || self.replays.has_pseudonyms()
    }

    /// The facts, for the screen and for lines.
    pub fn shown_facts(&self) -> &Facts {
        self.masking.facts(self.kernel.facts())
    }

    /// The names, for the screen and for lines.
    pub fn shown_names(&self) -> &Names {
        self.masking.names(&self.names)
    }

    /// Masks texts from elsewhere as what is shown by now is masked; `None` where nothing is.
    pub fn masker(&self) -> Option<Masker> {
        self.masking.masker()
    }
}
