//! In front of a class: a blanked screen, the time, hands up, jumping ahead, starting over, and the second screen.

pub mod hands;
pub mod line;
pub mod pace;

use super::flow::Intent;
use super::stage::Stage;
use hands::{HandEntry, Votes};
use pace::Pace;

/// A presenter's side of a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Presenting {
    /// Whether the timer is on.
    pub(super) shows_timer: bool,
    /// The time spent.
    pub(super) pace: Pace,
    /// The newest press that only a second one carries out, and the message that says so.
    pressed_once: Option<(Intent, String)>,
    /// The hands counted for each stage.
    pub(super) votes: Votes,
    /// The hands being typed.
    pub(super) entry: HandEntry,
    /// The stage that a jump sets everything up for.
    pub(super) destination: Option<Stage>,
    /// Whether the lab starts over after the clean-up.
    pub(super) starts_over: bool,
}

impl Presenting {
    /// Whether `intent` is the second press that `message` asks for. Any other intent forgets the first press.
    pub(super) fn is_second_press(&mut self, intent: Intent, message: &mut Option<String>) -> bool {
        // No log has the digits of an account: only consent may depend on them.
        if matches!(intent, Intent::TypeDigit(_) | Intent::EraseDigit) {
            return false;
        }
        // Once the message is gone, nobody knows any more what a second press does.
        let asked = self.pressed_once.take().filter(|(_, text)| message.as_ref() == Some(text));
        let is_second = asked.as_ref().is_some_and(|(before, _)| *before == intent);
        if !is_second && matches!(asked, Some((Intent::AskToQuit, _))) {
            *message = None;
        }
        is_second
    }

    /// Asks for a second press of `intent`. Returns the message.
    pub(super) fn ask_again(&mut self, intent: Intent, message: String) -> Option<String> {
        self.pressed_once = Some((intent, message.clone()));
        Some(message)
    }

    /// Whether `message` asks for a second press of `intent`.
    pub(super) fn asks_again(&self, intent: Intent, message: Option<&String>) -> bool {
        self.pressed_once.as_ref().is_some_and(|(asked, text)| *asked == intent && message == Some(text))
    }

    /// Forgets where a jump leads and that the lab was to start over.
    pub(super) fn stay_here(&mut self) {
        self.destination = None;
        self.starts_over = false;
    }

    /// Takes the hands that have been typed for `stage`. Returns whether there are any.
    pub(super) fn take_hands(&mut self, stage: Stage) -> bool {
        let hands = self.entry.hands;
        self.votes[stage.index()] = (!hands.is_empty()).then_some(hands);
        !hands.is_empty()
    }
}
