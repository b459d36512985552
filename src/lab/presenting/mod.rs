//! In front of a class: a blank screen, the time, hands up, jumping ahead, beginning again, and what the second screen
//! is told.

mod journey;
pub mod line;
pub mod pace;
pub mod tally;
pub mod telling;

use serde::{Deserialize, Serialize};

use super::flow::{Effect, Intent};
use super::stage::Stage;
use super::state::State;
use super::view::Overlay;
use pace::Pace;
use tally::{Entry, Votes};

/// What a presenter wants besides going through the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Blank the screen, or show the lab again.
    Blank,
    /// Show the time, or hide it.
    Timer,
    /// The one button of a clicker: whatever comes next. An open question is passed over by the second press.
    Next,
    /// Open the dialog for hands up.
    Tally,
    /// There: the number that follows belongs to the answer at this place, counted from 0.
    Letter(u8),
    /// There: a digit of the number.
    Digit(u8),
    /// There: a character that is neither.
    Other(char),
    /// There: take the last digit back.
    Erase,
    /// There: take the numbers.
    Keep,
    /// Ask whether to begin again.
    AskToStartOver,
    /// Begin again.
    StartOver,
}

/// What is remembered for presenting.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Presenting {
    shows_timer: bool,
    pace: Pace,
    /// The newest press, where only a second one does what it is for.
    pressed_once: Option<(Intent, String)>,
    hands: Votes,
    entry: Entry,
    destination: Option<Stage>,
    /// Whether the lab begins again after the clean-up.
    starts_over: bool,
}

impl State {
    /// Whether the screen is blank on purpose.
    pub fn is_blank(&self) -> bool {
        self.view.blank
    }

    /// Whether the time is to be seen, and so has to be told every second.
    pub fn shows_timer(&self) -> bool {
        self.presenting.shows_timer && !self.is_blank()
    }

    /// It is so many seconds since the lab began.
    pub(super) fn clock(&mut self, seconds: u64) -> Vec<Effect> {
        self.presenting.pace.advance(self.current, seconds);
        Vec::new()
    }

    pub(super) fn say(&mut self, text: String) -> Vec<Effect> {
        self.view.message = Some(text);
        Vec::new()
    }

    /// Whether `intent` is the second press that a message asks for. Any other intent forgets the first press.
    pub(super) fn is_second_press(&mut self, intent: Intent) -> bool {
        // No log has the digits of an account: only consent may depend on them.
        if matches!(intent, Intent::TypeDigit(_) | Intent::EraseDigit) {
            return false;
        }
        // Once the message is gone, nobody knows any more what a second press does.
        let asked = self.presenting.pressed_once.take().filter(|(_, text)| self.view.message.as_ref() == Some(text));
        let is_second = asked.as_ref().is_some_and(|(before, _)| *before == intent);
        if !is_second && matches!(asked, Some((Intent::AskToQuit, _))) {
            self.view.message = None;
        }
        is_second
    }

    /// Stops a jump after the stage in progress. Whether that is all that going back does: a dialog is closed and a
    /// held policy dropped as well.
    pub(super) fn stops_jump(&mut self) -> bool {
        let is_in_front = matches!(self.view.overlay, None | Some(Overlay::Consent { .. }));
        if !is_in_front || self.presenting.destination.take().is_none() {
            return false;
        }
        let is_all = self.view.overlay.is_none() && self.draft().is_none();
        if is_all {
            self.view.message = Some(self.interface().say("stops after this stage").to_owned());
        }
        is_all
    }

    /// Forgets where a jump leads and that the lab was to start over.
    pub(super) fn stay_here(&mut self) {
        self.presenting.destination = None;
        self.presenting.starts_over = false;
    }

    /// Leaving would end a lab that has begun, and no other question would be asked.
    pub(super) fn is_in_the_middle(&self) -> bool {
        let is_begun = self.met() > 0 && !self.is_finished();
        is_begun && self.leftovers().is_empty() && !self.is_asking_to_resume()
    }

    /// In front of a class one stray key must not end the lab. Nothing is lost by it, so there is no dialog either.
    pub(super) fn say_what_leaving_means(&mut self) {
        // The message must be seen.
        self.view.blank = false;
        self.close();
        let (key, words) = (self.view.keys.first("quit", "q"), self.interface());
        let text = match self.is_kept() || self.replays.was_kept {
            true => words.fill("{} once more leaves: the session is kept, and can go on here", &[&key]),
            false => words.fill("{} once more leaves: nothing of this session is kept", &[&key]),
        };
        self.ask_to_press_again(Intent::AskToQuit, text);
    }

    fn ask_to_press_again(&mut self, intent: Intent, text: String) {
        self.view.message = Some(text.clone());
        self.presenting.pressed_once = Some((intent, text));
    }

    /// Whether the message says that the next `q` leaves.
    pub fn warns_of_leaving(&self) -> bool {
        let asked = self.presenting.pressed_once.as_ref();
        asked.is_some_and(|(intent, text)| *intent == Intent::AskToQuit && self.view.message.as_ref() == Some(text))
    }

    pub(super) fn grant_wish(&mut self, wish: Wish, pressed_once: bool) -> Vec<Effect> {
        match wish {
            Wish::Blank => self.view.blank = !self.view.blank,
            Wish::Timer => self.presenting.shows_timer = !self.presenting.shows_timer,
            Wish::Next => return self.click(pressed_once),
            Wish::Tally => self.open_tally(),
            Wish::Letter(place) => self.presenting.entry.letter(place.into()),
            Wish::Digit(digit) => self.presenting.entry.digit(digit),
            Wish::Other(c) => self.presenting.entry.other(c),
            Wish::Erase => self.presenting.entry.erase(),
            Wish::Keep => return self.keep_tally(),
            Wish::AskToStartOver => self.view.overlay = Some(Overlay::StartOver),
            Wish::StartOver => return self.start_over(),
        }
        Vec::new()
    }

    fn click(&mut self, pressed_once: bool) -> Vec<Effect> {
        let asks = self.waits_for_answer();
        if !pressed_once && (asks || self.draft().is_some()) {
            let text = match asks {
                true => self.interface().say("a question is open: press once more to pass over it"),
                // A button that was pressed twice by mistake sends nothing that nobody has looked at.
                false => self.interface().say("the key policy is not sent yet: press once more to send it"),
            };
            self.ask_to_press_again(Intent::Present(Wish::Next), text.to_owned());
            return Vec::new();
        }
        if asks {
            self.skip();
        }
        self.view.message = None;
        self.perform(Intent::Advance, false)
    }
}
