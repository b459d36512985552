//! Hands up: how a class voted before the answer was seen.

use serde::{Deserialize, Serialize};

use crate::lab::flow::Effect;
use crate::lab::quiz::Choice;
use crate::lab::stage::Stage;
use crate::lab::state::State;
use crate::lab::view::Overlay;

/// The most hands of an answer: three digits.
const MOST: u16 = 999;

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

/// What is being typed: `a 12 b 3`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry {
    /// The numbers so far.
    pub hands: Hands,
    /// The answer whose number is typed.
    pub at: Option<usize>,
    /// Whether the next digit begins its number anew.
    fresh: bool,
}

impl Entry {
    fn letter(&mut self, place: usize) {
        self.at = Some(place);
        self.fresh = true;
    }

    fn digit(&mut self, digit: u8) {
        let Some(count) = self.at.and_then(|at| self.hands.0.get_mut(at)) else { return };
        let before = if self.fresh { 0 } else { count.unwrap_or(0) };
        let after = before * 10 + u16::from(digit.min(9));
        if after <= MOST {
            *count = Some(after);
        }
        self.fresh = false;
    }

    fn erase(&mut self) {
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

    /// Whether its letter does something: not once more before a digit.
    pub fn can_letter(&self, place: usize) -> bool {
        let entry = &self.presenting.entry;
        self.can_count(place) && !(entry.at == Some(place) && entry.fresh)
    }

    pub(super) fn open_tally(&mut self) {
        if self.can_tally() {
            let hands = self.hands(self.view.shown).unwrap_or_default();
            self.presenting.entry = Entry { hands, ..Entry::default() };
            self.view.overlay = Some(Overlay::Tally);
        }
    }

    pub(super) fn count(&mut self, change: impl FnOnce(&mut Entry)) {
        if self.can_count(0) {
            change(&mut self.presenting.entry);
        }
    }

    pub(super) fn letter(&mut self, place: u8) {
        if self.can_count(place.into()) {
            self.presenting.entry.letter(place.into());
        }
    }

    pub(super) fn digit(&mut self, digit: u8) {
        self.count(|entry| entry.digit(digit));
    }

    pub(super) fn erase(&mut self) {
        self.count(Entry::erase);
    }

    /// Takes the numbers: whoever asked the class has passed over answering alone.
    pub(super) fn keep_tally(&mut self) -> Vec<Effect> {
        let stage = self.view.shown;
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
    #[case("3a1", [Some(1), None, None, None])]
    #[case("a12<", [Some(1), None, None, None])]
    #[case("a12<<", [None; 4])]
    #[case::a_letter_again_begins_anew("a12b3a4", [Some(4), Some(3), None, None])]
    #[case::nothing_is_chosen_any_more("a1<<5", [None; 4])]
    #[case::zero_is_a_number("c0", [None, None, Some(0), None])]
    #[case::three_digits("d9999", [None, None, None, Some(999)])]
    fn numbers_are_typed_after_letters(#[case] keys: &str, #[case] hands: [Option<u16>; 4]) {
        let mut entry = Entry::default();
        for key in keys.chars() {
            match key {
                'a'..='d' => entry.letter(key as usize - 'a' as usize),
                '<' => entry.erase(),
                digit => entry.digit(digit as u8 - b'0'),
            }
        }
        assert_eq!(entry.hands, Hands(hands));
    }
}
