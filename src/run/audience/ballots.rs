//! Who is there, and who has voted what: one vote for each phone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::lab::Stage;
use crate::lab::presenting::phones::Turnout;

/// The most phones of a session.
pub const MOST_PHONES: usize = 1_000;

/// The shortest time between two votes of a phone.
const PAUSE: Duration = Duration::from_millis(250);

/// A phone: random, made by its page, and good for one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Phone(u128);

impl Phone {
    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Phone> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u128::from_str_radix(text, 16).ok().map(Phone)).flatten()
    }
}

/// Why a vote doesn't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The question is closed, or another one is open.
    Closed,
    /// There is no such answer.
    NoAnswer,
    /// The phone isn't connected.
    Unknown,
    /// The phone has just voted.
    TooFast,
}

#[derive(Debug, Clone, Copy)]
struct Ballot {
    answer: usize,
    at: Instant,
}

/// The ballots of the newest question, and the phones.
#[derive(Debug, Default)]
pub struct Ballots {
    /// The question that takes votes, and how many answers it has.
    open: Option<(Stage, usize)>,
    /// The question that `cast` belongs to.
    stage: Option<Stage>,
    cast: HashMap<Phone, Ballot>,
    /// How many streams each phone has open.
    connected: HashMap<Phone, usize>,
}

impl Ballots {
    /// Opens a question, or closes the open one. Votes stay until another question opens.
    pub fn open(&mut self, question: Option<(Stage, usize)>) {
        self.open = question;
        if let Some((stage, _)) = question
            && self.stage.replace(stage) != Some(stage)
        {
            self.cast.clear();
        }
    }

    /// Lets a phone in. Returns whether there is room.
    pub fn connect(&mut self, phone: Phone) -> bool {
        let is_full = self.connected.len() >= MOST_PHONES && !self.connected.contains_key(&phone);
        if !is_full {
            *self.connected.entry(phone).or_default() += 1;
        }
        !is_full
    }

    /// Notes that a phone has closed a stream. Its vote stays: phones sleep.
    pub fn disconnect(&mut self, phone: Phone) {
        if let Some(streams) = self.connected.get_mut(&phone) {
            *streams -= 1;
            if *streams == 0 {
                self.connected.remove(&phone);
            }
        }
    }

    /// Takes a vote, in place of the phone's earlier one.
    ///
    /// # Errors
    /// If it doesn't count.
    pub fn vote(&mut self, phone: Phone, stage: Stage, answer: usize, now: Instant) -> Result<(), Refusal> {
        match self.open {
            Some((open, answers)) if open == stage => (answer < answers).then_some(()).ok_or(Refusal::NoAnswer)?,
            _ => return Err(Refusal::Closed),
        }
        if !self.connected.contains_key(&phone) {
            return Err(Refusal::Unknown);
        }
        match self.cast.get(&phone) {
            Some(earlier) if now.saturating_duration_since(earlier.at) < PAUSE => return Err(Refusal::TooFast),
            None if self.cast.len() >= MOST_PHONES => return Err(Refusal::Unknown),
            _ => {}
        }
        self.cast.insert(phone, Ballot { answer, at: now });
        Ok(())
    }

    /// How the votes stand.
    pub fn turnout(&self) -> Turnout {
        let mut votes = [0; 4];
        for ballot in self.cast.values() {
            if let Some(count) = votes.get_mut(ballot.answer) {
                *count += 1;
            }
        }
        let phones = u16::try_from(self.connected.len()).unwrap_or(u16::MAX);
        Turnout { stage: self.stage.unwrap_or(Stage::FIRST), phones, votes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(number: u128) -> Phone {
        Phone(number)
    }

    fn room(phones: u128) -> (Ballots, Instant) {
        let mut ballots = Ballots::default();
        (0..phones).for_each(|number| assert!(ballots.connect(phone(number))));
        ballots.open(Some((Stage::ViewDenied, 4)));
        (ballots, Instant::now())
    }

    #[test]
    fn a_phone_has_one_vote_and_may_change_it() {
        let (mut ballots, now) = room(3);
        assert_eq!(ballots.vote(phone(0), Stage::ViewDenied, 2, now), Ok(()));
        assert_eq!(ballots.vote(phone(0), Stage::ViewDenied, 1, now), Err(Refusal::TooFast));
        assert_eq!(ballots.vote(phone(0), Stage::ViewDenied, 1, now + PAUSE), Ok(()));
        assert_eq!(ballots.vote(phone(1), Stage::ViewDenied, 1, now), Ok(()));
        assert_eq!(ballots.turnout(), Turnout { stage: Stage::ViewDenied, phones: 3, votes: [0, 2, 0, 0] });
    }

    #[test]
    fn what_does_not_count_changes_nothing() {
        let (mut ballots, now) = room(1);
        assert_eq!(ballots.vote(phone(0), Stage::Grant, 1, now), Err(Refusal::Closed));
        assert_eq!(ballots.vote(phone(0), Stage::ViewDenied, 4, now), Err(Refusal::NoAnswer));
        assert_eq!(ballots.vote(phone(9), Stage::ViewDenied, 1, now), Err(Refusal::Unknown));
        ballots.open(None);
        assert_eq!(ballots.vote(phone(0), Stage::ViewDenied, 1, now), Err(Refusal::Closed));
        assert_eq!(ballots.turnout().votes, [0; 4]);
    }

    #[test]
    fn votes_last_until_another_question_opens() {
        let (mut ballots, now) = room(1);
        ballots.vote(phone(0), Stage::ViewDenied, 3, now).unwrap();
        // The presenter looks back, and returns.
        ballots.open(None);
        ballots.open(Some((Stage::ViewDenied, 4)));
        assert_eq!(ballots.turnout().votes, [0, 0, 0, 1]);
        ballots.open(Some((Stage::Grant, 4)));
        assert_eq!(ballots.turnout().votes, [0; 4]);
    }

    #[test]
    fn a_reload_is_no_second_phone_and_sleep_costs_no_vote() {
        let (mut ballots, now) = room(2);
        assert!(ballots.connect(phone(0)));
        ballots.vote(phone(0), Stage::ViewDenied, 0, now).unwrap();
        ballots.disconnect(phone(0));
        assert_eq!(ballots.turnout().phones, 2);
        ballots.disconnect(phone(0));
        assert_eq!((ballots.turnout().phones, ballots.turnout().votes), (1, [1, 0, 0, 0]));
    }

    #[test]
    fn there_are_only_so_many_phones() {
        let (mut ballots, _) = room(MOST_PHONES as u128);
        assert!(!ballots.connect(phone(u128::MAX)));
        assert!(ballots.connect(phone(0)), "one that is there may open another stream");
    }

    #[test]
    fn a_phone_is_32_hexadecimal_digits() {
        assert_eq!(Phone::parse("000000000000000000000000000000ff"), Some(Phone(255)));
        for wrong in ["", "ff", "+00000000000000000000000000000ff", "000000000000000000000000000000fg"] {
            assert_eq!(Phone::parse(wrong), None, "{wrong}");
        }
    }
}
