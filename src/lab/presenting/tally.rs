//! Hands up: how a class voted before the answer was seen.

use serde::{Deserialize, Serialize};

use crate::lab::flow::Effect;
use crate::lab::learn::LETTERS;
use crate::lab::quiz::Choice;
use crate::lab::stage::Stage;
use crate::lab::state::State;
use crate::lab::view::Overlay;

/// The most hands of an answer: three digits.
pub const MOST: u16 = 999;

/// Hands for each answer, in the order they are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hands([Option<u16>; 4]);

/// The votes on all stages' questions.
pub type Votes = [Option<Hands>; Stage::ALL.len()];

impl Hands {
    /// Hands of the answer at `place`; `None` where none were counted.
    pub fn get(self, place: usize) -> Option<u16> {
        self.0.get(place).copied().flatten()
    }

    /// All hands.
    pub fn total(self) -> u16 {
        self.0.iter().flatten().sum()
    }

    /// The most hands of one answer.
    pub fn most(self) -> u16 {
        self.0.iter().flatten().copied().max().unwrap_or(0)
    }

    /// Whether nothing was counted.
    pub fn is_empty(self) -> bool {
        self == Hands::default()
    }
}

/// What was typed and not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// This is no answer's letter; the digits after it belong to none.
    NoAnswer(char),
    /// Digits without a letter before them.
    NoLetter,
    /// The number of the answer at this place is above [`MOST`].
    TooMany(usize),
}

/// What is being typed: `a 12 b 3`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry {
    /// The numbers so far.
    pub hands: Hands,
    /// The answer whose number is typed.
    pub at: Option<usize>,
    /// What was not taken, until the next letter.
    pub stray: Option<Stray>,
    /// Whether it has been told that what was not taken is left out.
    warned: bool,
    /// Whether the next digit begins its number anew.
    fresh: bool,
}

impl Entry {
    /// Whether the next press takes what is there, without what was not taken.
    pub fn is_warned(&self) -> bool {
        self.warned
    }

    /// Whether there is nothing to take back.
    pub fn is_untouched(&self) -> bool {
        self.at.is_none() && self.stray.is_none()
    }

    pub(super) fn letter(&mut self, place: usize) {
        *self = Entry { hands: self.hands, at: Some(place), fresh: true, ..Entry::default() };
    }

    pub(super) fn digit(&mut self, digit: u8) {
        if self.stray.is_some() {
            return;
        }
        let Some((at, count)) = self.at.and_then(|at| Some((at, self.hands.0.get_mut(at)?))) else {
            self.stray = Some(Stray::NoLetter);
            return;
        };
        let before = if self.fresh { 0 } else { count.unwrap_or(0) };
        let after = before * 10 + u16::from(digit.min(9));
        *count = (after <= MOST).then_some(after);
        self.stray = (after > MOST).then_some(Stray::TooMany(at));
        self.fresh = false;
    }

    /// A character that is neither a digit nor an answer's letter. What stands between numbers ends one.
    pub(super) fn other(&mut self, c: char) {
        if !c.is_alphanumeric() {
            self.at = self.at.filter(|_| self.fresh || self.stray.is_some());
            return;
        }
        *self = Entry { hands: self.hands, stray: Some(Stray::NoAnswer(c)), ..Entry::default() };
    }

    pub(super) fn erase(&mut self) {
        // What was not taken is the first to go.
        if self.stray.take().is_some() {
            self.warned = false;
            return;
        }
        let Some(count) = self.at.and_then(|at| self.hands.0.get_mut(at)) else { return };
        match *count {
            Some(number @ 10..) => *count = Some(number / 10),
            Some(_) => *count = None,
            None => self.at = None,
        }
        self.fresh = false;
    }
}

impl State {
    /// All votes.
    pub(in crate::lab) fn votes(&self) -> Votes {
        self.presenting.hands
    }

    /// Takes over the votes of a kept session.
    pub(in crate::lab) fn take_votes(&mut self, votes: Votes) {
        self.presenting.hands = votes;
    }

    /// The votes on the question of `stage`.
    pub fn hands(&self, stage: Stage) -> Option<Hands> {
        self.presenting.hands[stage.index()]
    }

    /// Whether votes of the shown stage can be counted or, once the answer was seen, looked at. A class votes on the
    /// stages; experiments are for who is left.
    pub fn can_tally(&self) -> bool {
        let is_seen = self.check(self.view.shown).is_some();
        let was_counted = is_seen && self.hands(self.view.shown).is_some();
        self.view.bench.is_none() && (self.open_question().is_some() || was_counted)
    }

    /// Whether the dialog for votes is open.
    pub fn is_tallying(&self) -> bool {
        self.view.overlay == Some(Overlay::Tally)
    }

    /// What the dialog shows: what is being typed or, once the answer was seen, what was counted.
    pub fn entry(&self) -> Entry {
        self.presenting.entry
    }

    /// Whether the answer at `place` can be given a number now.
    pub fn can_count(&self, place: usize) -> bool {
        self.is_tallying() && self.open_question().is_some_and(|asked| place < asked.answers.len())
    }

    /// Whether `c` is none of the letters that can be typed now.
    pub fn is_no_letter(&self, c: char) -> bool {
        self.can_count(0) && !(0..4).any(|place| LETTERS[place] == c && self.can_count(place))
    }

    /// Whether its letter does something: not once more before a digit.
    pub fn can_letter(&self, place: usize) -> bool {
        let entry = &self.presenting.entry;
        self.can_count(place) && !(entry.at == Some(place) && entry.fresh)
    }

    pub(super) fn open_tally(&mut self) {
        let hands = self.hands(self.view.shown).unwrap_or_default();
        self.presenting.entry = Entry { hands, ..Entry::default() };
        self.view.overlay = Some(Overlay::Tally);
    }

    /// Takes the numbers: whoever asked the class has passed over answering alone. What was typed and not taken is told
    /// before it is lost.
    pub(super) fn keep_tally(&mut self) -> Vec<Effect> {
        let stage = self.view.shown;
        let entry = &mut self.presenting.entry;
        if entry.stray.is_some() && !std::mem::replace(&mut entry.warned, true) {
            return Vec::new();
        }
        if self.can_count(0) {
            let hands = self.presenting.entry.hands;
            self.presenting.hands[stage.index()] = (!hands.is_empty()).then_some(hands);
            if !hands.is_empty() && self.waits_for_answer() {
                self.quiz.choose(stage, Choice::Skipped);
            }
        }
        self.view.close();
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Letters choose, digits count, `<` takes back.
    #[rstest]
    #[case("a12b3", [Some(12), Some(3), None, None])]
    #[case("a 12, b=3", [Some(12), Some(3), None, None])]
    #[case("a12<", [Some(1), None, None, None])]
    #[case("a12<<", [None; 4])]
    #[case::a_letter_again_begins_anew("a12b3a4", [Some(4), Some(3), None, None])]
    #[case::zero_is_a_number("c0", [None, None, Some(0), None])]
    #[case::three_digits("d999", [None, None, None, Some(999)])]
    #[case::what_was_not_taken_can_be_mended("b3 e4 c5", [None, Some(3), Some(5), None])]
    #[case::or_taken_back("c1000<1", [None, None, Some(1), None])]
    fn numbers_are_typed_after_letters(#[case] keys: &str, #[case] hands: [Option<u16>; 4]) {
        assert_eq!((typed(keys).hands, typed(keys).stray), (Hands(hands), None));
    }

    #[rstest]
    #[case::digits_first("3", [None; 4], Stray::NoLetter)]
    #[case::nothing_is_chosen_any_more("a1<<5", [None; 4], Stray::NoLetter)]
    #[case::two_numbers("a 1 2", [Some(1), None, None, None], Stray::NoLetter)]
    #[case::no_answer("b3e 4", [None, Some(3), None, None], Stray::NoAnswer('e'))]
    #[case::too_many("d9999", [None; 4], Stray::TooMany(3))]
    #[case::far_too_many("a2c100000", [Some(2), None, None, None], Stray::TooMany(2))]
    fn what_is_not_taken_is_told_and_counts_for_nothing(
        #[case] keys: &str,
        #[case] hands: [Option<u16>; 4],
        #[case] stray: Stray,
    ) {
        assert_eq!((typed(keys).hands, typed(keys).stray), (Hands(hands), Some(stray)));
    }

    fn typed(keys: &str) -> Entry {
        let mut entry = Entry::default();
        for key in keys.chars() {
            match key {
                'a'..='d' => entry.letter(key as usize - 'a' as usize),
                '<' => entry.erase(),
                '0'..='9' => entry.digit(key as u8 - b'0'),
                other => entry.other(other),
            }
        }
        entry
    }
}
