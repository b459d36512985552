//! In front of a class: a blank screen, the time, hands up, jumping ahead, beginning again, and what the second screen
//! is told.

mod journey;
pub mod line;
pub mod pace;
pub mod tally;
pub mod telling;

use serde::{Deserialize, Serialize};

use super::flow::{Effect, Event, Intent};
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

    /// Does what `intent` means for presenting; `None` where it has another meaning.
    pub(super) fn present(&mut self, intent: Intent) -> Option<Vec<Effect>> {
        // Digits of an account are in no log: nothing but consent may depend on them.
        if matches!(intent, Intent::TypeDigit(_) | Intent::EraseDigit) {
            return None;
        }
        // Once the words that asked for it are gone, nobody knows any more what a second press means.
        let asked = self.presenting.pressed_once.take().filter(|(_, text)| self.view.message.as_ref() == Some(text));
        let pressed_once = asked.as_ref().is_some_and(|(before, _)| *before == intent);
        if !pressed_once && matches!(asked, Some((Intent::AskToQuit, _))) {
            self.view.message = None;
        }
        match intent {
            Intent::AskToQuit if !pressed_once && self.is_in_the_middle() => {
                self.say_what_leaving_means();
                Some(Vec::new())
            }
            Intent::Present(wish) => Some(self.grant_wish(wish, pressed_once)),
            Intent::Close if self.is_blank() => {
                self.view.blank = false;
                Some(Vec::new())
            }
            // What else it closes is closed as ever.
            Intent::Close if matches!(self.view.overlay, None | Some(Overlay::Consent { .. })) => {
                self.presenting.destination.take()?;
                let has_more = self.view.overlay_is_open() || self.draft().is_some();
                (!has_more).then(|| {
                    self.view.message = Some(self.interface().say("stops after this stage").to_owned());
                    Vec::new()
                })
            }
            Intent::ToggleStages if self.holds_policy() && self.view.overlay.is_none() => {
                self.say_what_holds();
                None
            }
            Intent::CleanUpAndQuit => {
                self.presenting.destination = None;
                self.presenting.starts_over = false;
                None
            }
            _ => None,
        }
    }

    /// Leaving would end a lab that has begun, and no other question would be asked.
    fn is_in_the_middle(&self) -> bool {
        let is_begun = self.met() > 0 && !self.is_finished();
        is_begun && self.leftovers().is_empty() && !self.is_asking_to_resume()
    }

    /// In front of a class one stray key must not end the lab. Nothing is lost by it, so there is no dialog either.
    fn say_what_leaving_means(&mut self) {
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

    fn grant_wish(&mut self, wish: Wish, pressed_once: bool) -> Vec<Effect> {
        match wish {
            Wish::Blank => self.view.blank = !self.view.blank,
            Wish::Timer => self.presenting.shows_timer = !self.presenting.shows_timer,
            Wish::Next => return self.click(pressed_once),
            Wish::Tally => self.open_tally(),
            Wish::Letter(place) => self.letter(place),
            Wish::Digit(digit) => self.digit(digit),
            Wish::Other(c) => self.other(c),
            Wish::Erase => self.erase(),
            Wish::Keep => return self.keep_tally(),
            Wish::AskToStartOver => self.ask_to_start_over(),
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
            self.update(Event::Intent(Intent::Skip));
        }
        self.view.message = None;
        self.update(Event::Intent(Intent::Advance))
    }
}
