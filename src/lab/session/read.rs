//! What screens, lines and logs read.

use super::state::State;
use crate::lab::backend::BackendKind;
use crate::lab::bench::Experiment;
use crate::lab::calls::Call;
use crate::lab::copy::{Copied, Profiles};
use crate::lab::facts::{Facts, Names};
use crate::lab::feature::presenting::Press;
use crate::lab::feature::presenting::hands::{HandCount, HandEntry};
use crate::lab::kernel::event::RunId;
use crate::lab::kernel::run::{Run, Status};
use crate::lab::lesson::interface::Interface;
use crate::lab::lesson::{Comparison, Text};
use crate::lab::mask::Masker;
use crate::lab::model::command_line::cli_line;
use crate::lab::operation::{Identity, Operation};
use crate::lab::quiz::{Asked, LETTERS, Score};
use crate::lab::redact::{clean, redact};
use crate::lab::stage::Stage;
use crate::lab::view::Overlay;
use crate::lab::wait;

/// From here on a wait is worth a line where nothing is drawn, in milliseconds.
const NOTABLE: u64 = 3_000;

impl State {
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

    /// The stage or the experiment that is looked at.
    pub fn shown(&self) -> &Run {
        self.view.bench.map_or_else(|| self.record(self.view.shown), |which| self.trial(which))
    }

    /// The run that is at work, or would be if something were sent now.
    pub(in crate::lab) fn at_work(&self) -> &Run {
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

    /// The call that waits in the shown stage for a person's yes, as it is shown.
    pub fn held(&self) -> Option<(Identity, &Operation)> {
        let held = self.kernel.held().filter(|_| self.view.shown == self.kernel.current())?;
        held.calls.first().map(|(identity, operation)| (*identity, operation))
    }

    /// Whether a key policy waits for a yes: what would lead away from it has to wait, too.
    pub fn holds_policy(&self) -> bool {
        self.kernel.held().is_some()
    }

    /// Whether everything that is shown is masked.
    pub fn is_masked(&self) -> bool {
        self.masking.is_on()
    }

    /// Whether ids are pseudonyms: masked here, or when the session that is shown again was recorded.
    pub fn has_pseudonyms(&self) -> bool {
        self.is_masked() || self.replays.has_pseudonyms
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

    /// What would be left behind if the program ended now, with what is just being created: its response may be on the
    /// way. The sandbox leaves nothing.
    pub fn leftovers(&self) -> Vec<String> {
        match self.backend.kind {
            BackendKind::Sandbox => Vec::new(),
            BackendKind::Endpoint | BackendKind::Aws => {
                let mut left = self.shown_facts().made.list(self.shown_names());
                left.extend(self.bench_leftovers());
                // Of an experiment's calls that is said already.
                let pending = self.at_work().pending.iter().filter(|_| !self.kernel.is_interrupted());
                left.extend(pending.filter_map(|pending| pending.operation.creates()));
                left
            }
        }
    }

    /// The wait in progress, once it has lasted for some seconds: what for, and how long at most.
    pub fn long_wait(&self) -> Option<String> {
        let (what, limit) = self.at_work().long_wait(NOTABLE)?;
        Some(format!("waiting up to {} for {what}", wait::span(limit)))
    }

    /// The interface's words in the lesson's language.
    pub fn interface(&self) -> Interface<'_> {
        Interface::new(&self.lesson.frame.interface)
    }

    /// What the screen shows of a stage.
    pub fn text(&self, stage: Stage) -> Text<'_> {
        self.lesson.text(stage, self.backend.given_user)
    }

    /// The question of a stage, where questions are asked.
    pub fn question(&self, stage: Stage) -> Option<Asked<'_>> {
        if !self.quiz.asks() {
            return None;
        }
        let question = &self.lesson.stage(stage).question;
        Some(Asked::new(question, &self.quiz.order(stage, question), self.quiz.choice(stage)))
    }

    /// The shown stage's question, while it can be answered: its calls have not been sent.
    pub fn open_question(&self) -> Option<Asked<'_>> {
        if let Some(which) = self.view.bench {
            return self.bench_question(which).filter(|_| self.shown().status == Status::Todo);
        }
        let is_todo = self.record(self.view.shown).status == Status::Todo;
        self.question(self.view.shown).filter(|_| is_todo && self.view.shown <= self.reachable())
    }

    /// Whether Enter waits for an answer or a skip.
    pub fn waits_for_answer(&self) -> bool {
        self.open_question().is_some_and(|asked| asked.is_open())
    }

    /// The hints of the shown stage that have been asked for.
    pub fn hints(&self) -> &[String] {
        if self.view.bench.is_some() {
            return &[];
        }
        let stage = self.view.shown;
        &self.lesson.stage(stage).hints[..self.quiz.hints(stage)]
    }

    /// Whether there is another hint.
    pub fn has_hint(&self) -> bool {
        self.view.bench.is_none() && self.open_question().is_some() && self.hints().len() < 2
    }

    /// How the questions were answered; `None` where none are asked.
    pub fn score(&self) -> Option<Score> {
        self.quiz.asks().then(|| self.quiz.score(&self.lesson))
    }

    /// The choices that the shown stage compares.
    pub fn comparison(&self) -> Option<&Comparison> {
        self.lesson.stage(self.view.shown).comparison.as_ref().filter(|_| self.view.bench.is_none())
    }

    /// Whether the shown stage is the last one and has ended.
    pub fn is_at_the_end(&self) -> bool {
        self.view.bench.is_none() && self.view.shown.next().is_none() && self.check(self.view.shown).is_some()
    }

    /// Whether the presenter has blanked the screen.
    pub fn is_blank(&self) -> bool {
        self.view.blank
    }

    /// Whether the timer is visible, and so needs the time every second.
    pub fn shows_timer(&self) -> bool {
        self.presenting.shows_timer && !self.view.blank
    }

    /// Whether the message says that the next `q` leaves.
    pub fn warns_of_leaving(&self) -> bool {
        self.presenting.asks_again(Press::Leave, self.view.message.as_ref())
    }

    /// The last stage that the stage list can take. Unless calls are in progress any: what comes before is set up.
    pub fn jumpable(&self) -> Stage {
        if self.can_start_over() { Stage::ALL[Stage::ALL.len() - 1] } else { self.reachable() }
    }

    /// The stage that a jump sets everything up for.
    pub fn destination(&self) -> Option<Stage> {
        self.presenting.destination()
    }

    /// Whether a key policy is sent without a review: on a jump in the sandbox, where it costs nothing.
    pub(in crate::lab) fn passes_by(&self) -> bool {
        self.destination().is_some() && self.backend.kind == BackendKind::Sandbox
    }

    /// Whether the lab can start over: not while calls are in progress.
    pub fn can_start_over(&self) -> bool {
        self.record(self.current()).status != Status::Running && !self.kernel.is_interrupted()
    }

    /// The hands counted for the question of `stage`.
    pub fn hands(&self, stage: Stage) -> Option<HandCount> {
        self.presenting.votes[stage.index()]
    }

    /// Whether hands can be counted for the shown stage or, once the answer has been seen, looked at. A class votes on
    /// stages; experiments are for those who stay.
    pub fn can_tally(&self) -> bool {
        let stage = self.view.shown;
        let was_counted = || self.check(stage).is_some() && self.hands(stage).is_some();
        self.view.bench.is_none() && (self.open_question().is_some() || was_counted())
    }

    /// Whether the dialog for hands is open.
    pub fn is_tallying(&self) -> bool {
        self.view.overlay == Some(Overlay::Tally)
    }

    /// What that dialog shows: what is being typed or, once the answer has been seen, what was counted.
    pub fn entry(&self) -> HandEntry {
        self.presenting.entry
    }

    /// Whether the answer at `place` can be given a number now.
    pub fn can_count(&self, place: usize) -> bool {
        self.is_tallying() && self.open_question().is_some_and(|asked| place < asked.answers.len())
    }

    /// Whether the letter of the answer at `place` does something: not twice before a digit.
    pub fn can_letter(&self, place: usize) -> bool {
        self.can_count(place) && !self.presenting.entry.has_just_chosen(place)
    }

    /// Whether `c` is none of the letters that can be typed now.
    pub fn is_no_letter(&self, c: char) -> bool {
        self.can_count(0) && !(0..4).any(|place| LETTERS[place] == c && self.can_count(place))
    }

    /// Everything that has been copied, each text once.
    pub fn copied(&self) -> &[String] {
        self.clipboard.texts()
    }

    /// The profiles that command lines name. A masked session doesn't show a person's own names for them.
    pub(in crate::lab) fn shown_profiles(&self) -> Profiles {
        if self.is_masked() { Profiles::default() } else { self.profiles.clone() }
    }

    /// The `aws` command line that makes the same call, at the lab's own endpoint.
    pub fn command(&self, identity: Identity, operation: &Operation) -> String {
        let profiles = self.shown_profiles();
        cli_line(operation, profiles.name(identity), &self.backend.region, self.endpoint_of(operation))
    }

    /// The text that `what` copies of the selected call; `None` where there is no such text.
    pub fn to_copy(&self, what: Copied) -> Option<String> {
        let identity = self.view.focus();
        match (what, self.selected_call(identity)?) {
            (Copied::Command, call) => Some(clean(&self.command(identity, call.operation()))),
            (Copied::Answer, Call::Answered(exchange)) => {
                let mut body = exchange.body().filter(|body| !body.is_null())?.clone();
                redact(&mut body);
                serde_json::to_string_pretty(&body).ok()
            }
            (Copied::Answer, Call::Waiting(_) | Call::Held(_)) => None,
        }
    }
}
