//! What screens and lines read of a state: its texts, its open question, and what can be done with it.

use super::backend::BackendKind;
use super::calls::Call;
use super::copy::{Copied, Profiles};
use super::flow::Intent;
use super::lesson::interface::Interface;
use super::lesson::{Comparison, Text};
use super::operation::{Identity, Operation, cli_line};
use super::outcome::Status;
use super::presenting::hands::{HandCount, HandEntry};
use super::quiz::{Asked, LETTERS, Score};
use super::redact::{clean, redact};
use super::stage::Stage;
use super::state::State;
use super::view::Overlay;

impl State {
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
        self.presenting.asks_again(Intent::AskToQuit, self.view.message.as_ref())
    }

    /// The last stage that the stage list can take. Unless calls are in progress any: what comes before is set up.
    pub fn jumpable(&self) -> Stage {
        if self.can_start_over() { Stage::ALL[Stage::ALL.len() - 1] } else { self.reachable() }
    }

    /// The stage that a jump sets everything up for.
    pub fn destination(&self) -> Option<Stage> {
        self.presenting.destination
    }

    /// Whether a key policy is sent without a review: on a jump in the sandbox, where it costs nothing.
    pub(super) fn passes_by(&self) -> bool {
        self.destination().is_some() && self.backend.kind == BackendKind::Sandbox
    }

    /// Whether the lab can start over: not while calls are in progress.
    pub fn can_start_over(&self) -> bool {
        self.record(self.current).status != Status::Running && !self.bench.is_running()
    }

    /// Whether a key policy waits to be sent: a jump and a new start have to wait, too.
    pub fn holds_policy(&self) -> bool {
        self.review.is_waiting()
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
    pub(super) fn shown_profiles(&self) -> Profiles {
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
            (Copied::Answer, Call::Waiting(_) | Call::Draft(_)) => None,
        }
    }
}
