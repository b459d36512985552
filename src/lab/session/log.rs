//! A session as its event log: what was wanted and what happened, with times. Fed to a fresh state it gives the same
//! session again, at any size, in any language; nothing is called.
//!
//! What is logged is what was shown: where the session is masked so is its log, and of a consent no digit is in it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::flow::{Event, Intent, TimerId};
use super::state::State;
use crate::lab::feature::copy::{Profiles, Way};
use crate::lab::feature::presenting::phones::Turnout;
use crate::lab::feature::quiz::Quiz;
use crate::lab::feature::replay::RecordedStage;
use crate::lab::insight::{Finding, Known, Traced};
use crate::lab::model::backend::{Backend, ServicePlace};
use crate::lab::model::draft::Edit;
use crate::lab::model::drill::Plan;
use crate::lab::model::exchange::{Answer, CallId};
use crate::lab::model::facts::Names;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::stage::Stage;

/// The version of the log's form.
pub const VERSION: u32 = 1;

/// Why an entry of a log can't be replayed: the log is of another version, or was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It answers a call that this program did not make.
    #[error("call {} is answered and was not made", .0.0)]
    UnknownCall(CallId),
}

/// The first line of a log: what the session began with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the form, under a name that says whose file it is.
    pub kmslab_session: u32,
    /// The program that wrote it.
    pub program: String,
    /// When it was begun, in seconds since 1970.
    pub timestamp: u64,
    /// Whether ids are pseudonyms.
    pub masked: bool,
    /// Where the calls went.
    pub backend: Backend,
    /// Where each service's calls went; empty where it was one place for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServicePlace>,
    /// The run's names.
    pub names: Names,
    /// What shuffled the questions, where they were asked.
    pub quiz: Option<u64>,
    /// The lesson's language.
    pub lesson: String,
    /// How the terminal copied.
    pub clipboard: Way,
    /// Whether it began with one pane at a time.
    #[serde(default)]
    pub zoom: bool,
    /// Whether it began with the opening card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opening: bool,
    /// Whether stage 7 offered three ways.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ways: bool,
    /// How long waits lasted, in seconds; `None` is the backend's default.
    #[serde(default)]
    pub wait: Option<u32>,
    /// The profiles that command lines name.
    #[serde(default)]
    pub profiles: Profiles,
    /// The drills that the session began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drills: Option<Plan>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since the beginning.
    pub at: u64,
    /// What happened.
    #[serde(flatten)]
    pub what: Logged,
}

/// What happened, as it was shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logged {
    /// A person wanted something.
    Intent(Intent),
    /// A person wanted to leave: the screen said whether the session is saved.
    AskToQuit {
        /// Whether it is.
        kept: bool,
    },
    /// A person has said yes to creating things, and this stage began. Which digits that took is nobody's business.
    Consented(Stage),
    /// A person has typed in the editor.
    Edited(Edit),
    /// A call has ended.
    Answer {
        /// Which.
        id: CallId,
        /// With what.
        answer: Box<Answer>,
        /// Whether it names the account that `--yes-account` said yes to; of one that it does not name, nothing is
        /// logged.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        accepted: bool,
    },
    /// What a page asked for.
    Found {
        /// Of the question.
        serial: u64,
        /// What is known since.
        known: Box<Known>,
    },
    /// What KMS was asked because of these requests.
    Traced(Vec<(String, Traced)>),
    /// A timer has fired.
    Timer(TimerId),
    /// Recorded answers that were looked for.
    #[serde(rename = "recalled")]
    ResponsesLoaded {
        /// For which stage.
        stage: Stage,
        /// What was found, or why it can't be shown.
        found: Result<Option<Box<RecordedStage>>, String>,
    },
    /// The end of a wait for the server's clock.
    Advanced {
        /// Of the wait.
        timer: TimerId,
        /// Whether the clock was moved.
        moved: bool,
    },
    /// Other clients have made these calls.
    Noticed(Vec<NoticedCall>),
    /// Phones have come, gone or voted.
    Turnout(Turnout),
    /// The shell in the lab's terminal has ended.
    ShellClosed,
    /// A picture of the waiting sign.
    Tick(u8),
    /// So many seconds have passed.
    Clock(u64),
}

impl Head {
    /// The head of a session that begins with `state`.
    pub fn new(state: &State, timestamp: u64) -> Head {
        Head {
            kmslab_session: VERSION,
            program: concat!("kmslab ", env!("CARGO_PKG_VERSION")).to_owned(),
            timestamp,
            masked: state.is_masked(),
            backend: state.backend.clone(),
            services: state.services.clone(),
            names: state.shown_names().clone(),
            quiz: state.quiz.seed(),
            lesson: state.lesson.code.clone(),
            clipboard: state.clipboard.way(),
            zoom: state.view.zoom,
            opening: state.view.opening,
            ways: state.attempts.shows_choice(),
            wait: state.wait,
            profiles: state.shown_profiles(),
            drills: state.drills.plan().filter(|_| state.drills.is_alone()),
        }
    }

    /// The state that the session began with, shown again at `now` (unix time). Its lesson is the English one.
    pub fn state(&self, now: u64) -> State {
        let state = State::new(self.backend.clone(), self.names.clone());
        let state = state.with_wait(self.wait).with_profiles(self.profiles.clone());
        // Before drills nobody looks at a policy.
        let state = if self.drills.is_none() { state.with_review() } else { state };
        let mut state = state.with_clipboard(self.clipboard).recorded_at(self.timestamp, now);
        state.view.zoom = self.zoom;
        state.view.opening = self.opening;
        if self.ways {
            state.attempts.offer(true);
        }
        state.services.clone_from(&self.services);
        state.replays.log_has_pseudonyms(self.masked);
        if let Some(plan) = self.drills {
            state = state.with_drills(plan);
            // What it sends was sent when the session was recorded.
            drop(state.begin_drills());
        }
        match self.quiz {
            Some(seed) => state.with_quiz(Quiz::new(seed)),
            None => state,
        }
    }
}

/// The account that an answer says the admin is of.
fn named_account<'a>(operation: &Operation, identity: Identity, answer: &'a Answer) -> Option<&'a str> {
    let body = &answer.response.as_ref().ok()?.body;
    let is_about_admin = *operation == Operation::GetCallerIdentity && identity == Identity::Admin;
    body.get("Account").and_then(Value::as_str).filter(|_| is_about_admin)
}

impl Logged {
    /// Returns how a log records `event`, which `state` has just taken; `None` where it showed nothing or must not be
    /// logged.
    pub fn of(state: &State, event: &Event) -> Option<Logged> {
        Some(match event {
            // Digits of an account's number.
            Event::Intent(Intent::TypeDigit(_))
                if state.consent.account().is_some() && !state.is_asking_for_consent() =>
            {
                Logged::Consented(state.current())
            }
            // No digits, and nothing that only a class sees.
            Event::Intent(Intent::TypeDigit(_) | Intent::EraseDigit | Intent::AskForHelp) => return None,
            Event::Intent(Intent::AskToQuit) => Logged::AskToQuit { kept: state.is_saved() },
            Event::Intent(intent) => Logged::Intent(*intent),
            Event::Edited(_) if state.is_masked() => Logged::Edited(state.masking.newest_edit()?.clone()),
            Event::Edited(edit) => Logged::Edited(edit.clone()),
            Event::CallFinished { id, .. } => {
                let exchange = state.kernel.newest().filter(|exchange| exchange.id == *id)?;
                let admin = named_account(&exchange.operation, exchange.identity, &exchange.answer)
                    .and(state.kernel.facts().admin.as_ref());
                let accepted = admin.is_some_and(|admin| state.accepted_account.as_ref() == Some(&admin.account));
                Logged::Answer { id: *id, answer: Box::new(exchange.answer.clone()), accepted }
            }
            Event::Inspected { serial, .. } => {
                Logged::Found { serial: *serial, known: Box::new(state.known_since(*serial)?.clone()) }
            }
            Event::Traced(asked) => Logged::Traced(state.insight.as_shown(asked)),
            Event::TimerFired(timer) => Logged::Timer(*timer),
            Event::Advanced { timer, moved } => Logged::Advanced { timer: *timer, moved: *moved },
            Event::ResponsesLoaded { stage, .. } => Logged::ResponsesLoaded {
                stage: *stage,
                found: state.replays.as_shown(*stage, &state.shown_names().run),
            },
            // They tell of the machine, or of the recording itself.
            Event::ResponsesNotCached(_) | Event::SessionNotSaved(_) | Event::Say(_) => return None,
            Event::Noticed(_) => Logged::Noticed(state.noticing.newest().to_vec()),
            Event::Turnout(turnout) => Logged::Turnout(*turnout),
            Event::ShellClosed => Logged::ShellClosed,
            Event::Tick => Logged::Tick(1),
            Event::Clock(seconds) => Logged::Clock(*seconds),
        })
    }

    /// Repeats on `state` what the log recorded. Nothing is done in the world.
    ///
    /// # Errors
    /// If it answers a call that this program did not make.
    pub fn replay_on(self, state: &mut State) -> Result<(), ReplayError> {
        let event = match self {
            Logged::Intent(intent) => Event::Intent(intent),
            Logged::Edited(edit) => Event::Edited(edit),
            Logged::AskToQuit { kept } => {
                state.replays.log_was_saved(kept);
                Event::Intent(Intent::AskToQuit)
            }
            Logged::Consented(_) => {
                consent_to(state);
                return Ok(());
            }
            Logged::Answer { id, answer, accepted } => {
                let Some(call) = state.at_work().pending.iter().find(|pending| pending.id == id) else {
                    return Err(ReplayError::UnknownCall(id));
                };
                if let Some(account) = named_account(&call.operation, call.identity, &answer) {
                    state.accepted_account = accepted.then(|| account.to_owned());
                }
                Event::CallFinished { id, answer }
            }
            Logged::Found { serial, known } => Event::Inspected { serial, finding: Finding::Shown(known) },
            Logged::Traced(asked) => Event::Traced(asked),
            Logged::Timer(timer) => Event::TimerFired(timer),
            Logged::ResponsesLoaded { stage, found } => Event::ResponsesLoaded { stage, found },
            Logged::Advanced { timer, moved } => Event::Advanced { timer, moved },
            Logged::Noticed(calls) => Event::Noticed(calls),
            Logged::Turnout(turnout) => Event::Turnout(turnout),
            Logged::ShellClosed => Event::ShellClosed,
            Logged::Tick(_) => Event::Tick,
            Logged::Clock(seconds) => Event::Clock(seconds),
        };
        state.update(event);
        Ok(())
    }
}

/// Types the account's last digits into the consent dialog: nothing is created in a session that is shown again.
fn consent_to(state: &mut State) {
    let account = state.kernel.facts().admin.as_ref().map(|admin| admin.account.clone()).unwrap_or_default();
    let digits = account.bytes().skip(account.len().saturating_sub(4)).map(|digit| digit.wrapping_sub(b'0'));
    digits.for_each(|digit| drop(state.update(Event::Intent(Intent::TypeDigit(digit)))));
}
