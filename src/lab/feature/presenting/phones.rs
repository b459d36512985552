//! Phones that vote: where they join, how many there are, and how they vote.

use serde::{Deserialize, Serialize};

use super::hands::{HandCount, Votes};
use crate::lab::model::stage::Stage;

/// How phones have voted on a stage's question so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turnout {
    /// Whose question.
    pub stage: Stage,
    /// How many phones are connected.
    pub phones: u16,
    /// The votes for each answer, in the order shown.
    pub votes: [u16; 4],
}

/// The phones of an audience.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phones {
    /// What a person types into a phone's browser to join; `None` without an audience.
    address: Option<String>,
    /// How many are connected.
    connected: u16,
    votes: Votes,
    hides_code: bool,
}

impl Phones {
    /// Lets an audience join at `address`.
    pub fn invite(&mut self, address: String) {
        self.address = Some(address);
    }

    /// What a person types into a phone's browser to join; `None` without an audience.
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// How many are connected.
    pub fn connected(&self) -> u16 {
        self.connected
    }

    /// The votes on the question of `stage`; `None` where nobody has voted.
    pub fn votes(&self, stage: Stage) -> Option<HandCount> {
        self.votes[stage.index()]
    }

    /// Whether the code to join with stays hidden.
    pub fn hides_code(&self) -> bool {
        self.hides_code
    }

    /// Hides the code to join with, or shows it again.
    pub fn toggle_code(&mut self) {
        self.hides_code = !self.hides_code;
    }

    /// Notes how many phones there are and, while the question of `open` takes votes, how they have voted on it.
    pub fn note(&mut self, turnout: Turnout, open: Option<Stage>) {
        self.connected = turnout.phones;
        if open == Some(turnout.stage) {
            self.votes[turnout.stage.index()] = HandCount::of(turnout.votes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turnout(stage: Stage, votes: [u16; 4]) -> Turnout {
        Turnout { stage, phones: 31, votes }
    }

    #[test]
    fn votes_count_while_their_question_is_open() {
        let mut phones = Phones::default();
        phones.note(turnout(Stage::ViewDenied, [9, 5, 15, 2]), Some(Stage::ViewDenied));
        assert_eq!(phones.votes(Stage::ViewDenied).map(HandCount::total), Some(31));
        // Closed, or another question: the number of phones is news, the votes aren't.
        for open in [None, Some(Stage::Grant)] {
            phones.note(Turnout { phones: 30, ..turnout(Stage::ViewDenied, [0, 31, 0, 0]) }, open);
            assert_eq!(phones.votes(Stage::ViewDenied), HandCount::of([9, 5, 15, 2]));
            assert_eq!((phones.connected(), phones.votes(Stage::Grant)), (30, None));
        }
    }

    #[test]
    fn no_votes_are_no_count() {
        let mut phones = Phones::default();
        phones.note(turnout(Stage::Who, [0; 4]), Some(Stage::Who));
        assert_eq!(phones.votes(Stage::Who), None);
    }
}
