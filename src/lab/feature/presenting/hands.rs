//! Hands up: how a class votes before it sees the answer.

use serde::{Deserialize, Serialize};

use crate::lab::model::stage::Stage;

/// The most hands of an answer: three digits.
pub const MOST: u16 = 999;

/// The hands for each answer, in the order shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandCount([Option<u16>; 4]);

/// The votes on all stages' questions.
pub type Votes = [Option<HandCount>; Stage::ALL.len()];

impl HandCount {
    /// These votes; `None` where nobody has voted.
    pub fn of(votes: [u16; 4]) -> Option<HandCount> {
        votes.iter().any(|votes| *votes > 0).then(|| HandCount(votes.map(Some)))
    }

    /// These hands and `others`.
    #[must_use]
    pub fn and(self, others: HandCount) -> HandCount {
        let mut sum = self;
        for (own, other) in sum.0.iter_mut().zip(others.0) {
            *own = match (*own, other) {
                (Some(own), Some(other)) => Some(own.saturating_add(other)),
                (own, other) => own.or(other),
            };
        }
        sum
    }

    /// The hands for the answer at `place`; `None` where none were counted.
    pub fn get(self, place: usize) -> Option<u16> {
        self.0.get(place).copied().flatten()
    }

    /// All hands.
    pub fn total(self) -> u16 {
        self.0.iter().flatten().fold(0, |sum, hands| sum.saturating_add(*hands))
    }

    /// The most hands of one answer.
    pub fn most(self) -> u16 {
        self.0.iter().flatten().copied().max().unwrap_or(0)
    }

    /// Whether nothing was counted.
    pub fn is_empty(self) -> bool {
        self == HandCount::default()
    }
}

/// Typed characters that were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// This letter has no answer, nor have the digits after it.
    NoAnswer(char),
    /// Digits without a letter before them.
    NoLetter,
    /// The number of the answer at this place is above [`MOST`].
    TooMany(usize),
}

/// What is being typed: `a 12 b 3`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HandEntry {
    /// The numbers so far.
    pub hands: HandCount,
    /// The answer whose number is typed.
    pub at: Option<usize>,
    /// The characters that were not taken, until the next letter.
    pub stray: Option<Stray>,
    /// Whether the person has been warned that these are left out.
    warned: bool,
    /// Whether the next digit starts its number over.
    fresh: bool,
}

impl HandEntry {
    /// Whether the next press takes the numbers, without the characters that were not taken.
    pub fn is_warned(&self) -> bool {
        self.warned
    }

    /// An entry that begins with these numbers.
    pub fn new(hands: HandCount) -> HandEntry {
        HandEntry { hands, ..HandEntry::default() }
    }

    /// Whether the answer at `place` has been chosen and no digit typed since.
    pub fn has_just_chosen(&self, place: usize) -> bool {
        self.at == Some(place) && self.fresh
    }

    /// Whether the numbers can be accepted. The first time that typed input would be lost, returns `false` and says so.
    pub fn confirm(&mut self) -> bool {
        self.stray.is_none() || std::mem::replace(&mut self.warned, true)
    }

    /// Whether there is nothing to take back.
    pub fn is_untouched(&self) -> bool {
        self.at.is_none() && self.stray.is_none()
    }

    /// Chooses the answer whose number follows.
    pub fn letter(&mut self, place: usize) {
        *self = HandEntry { hands: self.hands, at: Some(place), fresh: true, ..HandEntry::default() };
    }

    /// Types a digit of the chosen answer's number.
    pub fn digit(&mut self, digit: u8) {
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

    /// Types a character that is neither a digit nor an answer's letter. A separator ends the number.
    pub fn other(&mut self, c: char) {
        if !c.is_alphanumeric() {
            self.at = self.at.filter(|_| self.fresh || self.stray.is_some());
            return;
        }
        *self = HandEntry { hands: self.hands, stray: Some(Stray::NoAnswer(c)), ..HandEntry::default() };
    }

    /// Erases what was not taken, else the last digit.
    pub fn erase(&mut self) {
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
    #[case::a_letter_again_starts_over("a12b3a4", [Some(4), Some(3), None, None])]
    #[case::zero_is_a_number("c0", [None, None, Some(0), None])]
    #[case::three_digits("d999", [None, None, None, Some(999)])]
    #[case::what_was_not_taken_can_be_mended("b3 e4 c5", [None, Some(3), Some(5), None])]
    #[case::or_taken_back("c1000<1", [None, None, Some(1), None])]
    fn numbers_are_typed_after_letters(#[case] keys: &str, #[case] hands: [Option<u16>; 4]) {
        assert_eq!((typed(keys).hands, typed(keys).stray), (HandCount(hands), None));
    }

    #[rstest]
    #[case::digits_first("3", [None; 4], Stray::NoLetter)]
    #[case::nothing_is_chosen_any_more("a1<<5", [None; 4], Stray::NoLetter)]
    #[case::two_numbers("a 1 2", [Some(1), None, None, None], Stray::NoLetter)]
    #[case::no_answer("b3e 4", [None, Some(3), None, None], Stray::NoAnswer('e'))]
    #[case::too_many("d9999", [None; 4], Stray::TooMany(3))]
    #[case::far_too_many("a2c100000", [Some(2), None, None, None], Stray::TooMany(2))]
    fn ignored_input_is_reported_and_not_counted(
        #[case] keys: &str,
        #[case] hands: [Option<u16>; 4],
        #[case] stray: Stray,
    ) {
        assert_eq!((typed(keys).hands, typed(keys).stray), (HandCount(hands), Some(stray)));
    }

    fn typed(keys: &str) -> HandEntry {
        let mut entry = HandEntry::default();
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
