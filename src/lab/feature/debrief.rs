//! The debrief: asks the missed questions and the claims again, then shows the card to keep.

use serde::{Deserialize, Serialize};

use crate::lab::kernel::event::Command;
use crate::lab::lesson::{Claim, Lesson, Question};
use crate::lab::model::choice::Choice;
use crate::lab::model::stage::Stage;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// The question of this stage.
    Question(Stage),
    /// The question with this index in the lesson file, which no stage asks.
    Extra(usize),
    /// The claim with this index in the lesson file, true or false.
    Claim(usize),
}

impl Item {
    /// The number that shuffles the answers. It differs from the stage's, so a remembered place doesn't help.
    pub const fn question_number(self) -> u64 {
        match self {
            Item::Question(stage) => 200 + stage as u64,
            Item::Claim(index) => 300 + index as u64,
            Item::Extra(index) => 400 + index as u64,
        }
    }

    /// Its question; `None` for a claim.
    pub fn question(self, lesson: &Lesson) -> Option<&Question> {
        match self {
            Item::Question(stage) => Some(&lesson.stage(stage).question),
            Item::Extra(index) => lesson.frame.questions.get(index),
            Item::Claim(_) => None,
        }
    }
}

/// The reply to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Reply {
    /// The answer.
    pub choice: Choice,
    /// Whether it is right.
    pub right: bool,
}

/// An item, and the reply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What is asked.
    pub item: Item,
    /// The reply; `None` until there is one.
    pub reply: Option<Reply>,
    /// Whether it is asked for the second time.
    pub again: bool,
}

/// The shown item with its texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked<'a> {
    /// What is asked.
    pub item: Item,
    /// Whether it is asked for the second time.
    pub again: bool,
    /// The question or the claim.
    pub text: &'a str,
    /// What was said in the stage; `None` for a claim, and for a question that was skipped or not asked.
    pub said: Option<&'a str>,
    /// Whether its stage has asked it.
    pub was_asked: bool,
    /// The answers in the order they are shown, with their letters.
    pub answers: Vec<(char, &'a str)>,
    /// Which of `answers` was chosen, if it was not skipped, and whether that is right; `None` while it waits.
    pub reply: Option<(Option<usize>, bool)>,
    /// Explains the chosen answer or the claim. Empty while it waits.
    pub explanation: &'a str,
    /// Ids of the explanation's sources.
    pub sources: &'a [String],
}

impl Asked<'_> {
    /// Whether it was skipped.
    pub fn is_skipped(&self) -> bool {
        matches!(self.reply, Some((None, _)))
    }
}

/// The letters before "true" and "false".
pub const CLAIM_LETTERS: [char; 2] = ['t', 'f'];

impl Debrief {
    /// The shown item with its texts; `None` when the card is shown. `said` is the answer given in the item's stage,
    /// `order` that of the answers, as indices into the lesson file.
    pub(in crate::lab) fn asked<'a>(
        &self,
        lesson: &'a Lesson,
        said: Option<Choice>,
        order: &[usize],
    ) -> Option<Asked<'a>> {
        let entry = self.current()?;
        Some(match entry.item {
            Item::Claim(index) => of_claim(entry, lesson.frame.debrief.get(index)?, lesson),
            item => of_question(entry, item.question(lesson)?, said, order),
        })
    }

    /// The answer at this place of the shown item, as an index into the lesson file, and whether it is right.
    pub(in crate::lab) fn choice_at(&self, place: usize, lesson: &Lesson, order: &[usize]) -> Option<(Choice, bool)> {
        match self.current()?.item {
            Item::Claim(index) => {
                let is_true = lesson.frame.debrief.get(index)?.is_true;
                (place < CLAIM_LETTERS.len()).then_some((Choice::Answer(place), is_true == (place == 0)))
            }
            item => {
                let index = *order.get(place)?;
                Some((Choice::Answer(index), item.question(lesson)?.right() == Some(index)))
            }
        }
    }
}

fn of_question<'a>(entry: &Entry, question: &'a Question, said: Option<Choice>, order: &[usize]) -> Asked<'a> {
    let text_of = |choice| match choice {
        Some(Choice::Answer(index)) => question.answers.get(index),
        _ => None,
    };
    let explained =
        text_of(entry.reply.map(|reply| reply.choice)).or_else(|| text_of(question.right().map(Choice::Answer)));
    let explained = explained.filter(|_| entry.reply.is_some());
    Asked {
        item: entry.item,
        again: entry.again,
        text: &question.text,
        said: text_of(said).map(|answer| answer.text.as_str()),
        was_asked: said.is_some(),
        answers: ('a'..).zip(order.iter().filter_map(|at| Some(question.answers.get(*at)?.text.as_str()))).collect(),
        reply: entry.reply.map(|reply| (order.iter().position(|at| Choice::Answer(*at) == reply.choice), reply.right)),
        explanation: explained.map_or("", |answer| &answer.explanation),
        sources: explained.map_or(&[], |answer| &answer.sources),
    }
}

fn of_claim<'a>(entry: &Entry, claim: &'a Claim, lesson: &'a Lesson) -> Asked<'a> {
    let words = &lesson.frame.export;
    let place = |choice| match choice {
        Choice::Answer(place) => Some(place),
        Choice::Skipped => None,
    };
    Asked {
        item: entry.item,
        again: entry.again,
        text: &claim.claim,
        said: None,
        was_asked: false,
        answers: CLAIM_LETTERS.into_iter().zip([words.true_claim.as_str(), &words.false_claim]).collect(),
        reply: entry.reply.map(|reply| (place(reply.choice), reply.right)),
        explanation: if entry.reply.is_some() { &claim.explanation } else { "" },
        sources: if entry.reply.is_some() { &claim.sources } else { &[] },
    }
}

impl Entry {
    const fn first(item: Item) -> Entry {
        Entry { item, reply: None, again: false }
    }
}

/// The questions of the debrief, and how far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debrief {
    entries: Vec<Entry>,
    at: usize,
    #[serde(skip)]
    shows_sources: bool,
}

impl Debrief {
    /// Opens it: with the questions of these stages and those of the lesson the first time, later at the first open one.
    pub(in crate::lab) fn open(&mut self, missed: impl IntoIterator<Item = Stage>, lesson: &Lesson) {
        self.shows_sources = false;
        if self.entries.is_empty() {
            let extra = (0..lesson.frame.questions.len()).map(Item::Extra);
            let claims = (0..lesson.frame.debrief.len()).map(Item::Claim);
            self.entries =
                missed.into_iter().map(Item::Question).chain(extra).chain(claims).map(Entry::first).collect();
        }
        self.at = self.entries.iter().position(|entry| entry.reply.is_none()).unwrap_or(self.entries.len());
    }

    /// Shows the card, and leaves open what has no answer. Returns whether a question was shown.
    pub(in crate::lab) fn show_card(&mut self) -> bool {
        let was_asking = self.current().is_some();
        self.at = self.entries.len();
        was_asking
    }

    /// All items, in the order they are asked.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The index of the shown item; the number of items when the card is shown.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The number of the shown item, counted from 1, and how many there are: of the items asked for the first time, or of
    /// those asked again.
    pub fn number(&self) -> (usize, usize) {
        let is_again = self.current().is_some_and(|entry| entry.again);
        let like = |entries: &[Entry]| entries.iter().filter(|entry| entry.again == is_again).count();
        (like(self.entries.get(..=self.at).unwrap_or(&self.entries)), like(&self.entries))
    }

    /// The shown item; `None` when the card is shown.
    pub fn current(&self) -> Option<&Entry> {
        self.entries.get(self.at)
    }

    /// The stage whose question is shown.
    pub fn stage(&self) -> Option<Stage> {
        match self.current()?.item {
            Item::Question(stage) => Some(stage),
            Item::Extra(_) | Item::Claim(_) => None,
        }
    }

    /// The shown question; `None` for a claim.
    pub fn question<'a>(&self, lesson: &'a Lesson) -> Option<&'a Question> {
        self.current()?.item.question(lesson)
    }

    /// The newest reply to the question of `stage`.
    pub fn reply(&self, stage: Stage) -> Option<Reply> {
        let of_stage = self.entries.iter().rev().filter(|entry| entry.item == Item::Question(stage));
        of_stage.filter_map(|entry| entry.reply).next()
    }

    /// Whether the shown item waits for an answer.
    pub fn is_open(&self) -> bool {
        self.current().is_some_and(|entry| entry.reply.is_none())
    }

    /// Whether the sources of the shown answer are shown.
    pub fn shows_sources(&self) -> bool {
        self.shows_sources
    }

    /// Takes the answer to the shown item. A wrong one is asked again at the end, once.
    pub(in crate::lab) fn answer(&mut self, choice: Choice, right: bool) -> Option<Command> {
        let entry = self.entries.get_mut(self.at).filter(|entry| entry.reply.is_none())?;
        entry.reply = Some(Reply { choice, right });
        let (item, again) = (entry.item, entry.again);
        if !right && !again && choice != Choice::Skipped {
            self.entries.push(Entry { item, reply: None, again: true });
        }
        Some(Command::Save)
    }

    /// Shows the next item or, after the last one, the card.
    pub(in crate::lab) fn advance(&mut self) {
        if self.current().is_some_and(|entry| entry.reply.is_some()) {
            self.at += 1;
            self.shows_sources = false;
        }
    }

    /// Shows or hides the sources of the shown answer.
    pub(in crate::lab) fn toggle_sources(&mut self) {
        self.shows_sources = !self.shows_sources;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Debrief {
        let mut debrief = Debrief::default();
        debrief.open([Stage::Who, Stage::Grant], &Lesson::english());
        debrief.entries.truncate(4);
        debrief
    }

    #[test]
    fn a_wrong_answer_comes_back_once_at_the_end() {
        let mut debrief = begun();
        debrief.answer(Choice::Answer(0), false);
        assert_eq!(debrief.number(), (1, 4), "a wrong answer makes it no longer");
        debrief.answer(Choice::Answer(1), true); // Too late: one item takes one answer.
        assert_eq!(debrief.current().unwrap().reply, Some(Reply { choice: Choice::Answer(0), right: false }));
        for _ in 0..3 {
            debrief.advance();
            debrief.answer(Choice::Answer(0), true);
        }
        debrief.advance();
        let again = *debrief.current().unwrap();
        assert_eq!((again.item, again.again), (Item::Question(Stage::Who), true));
        assert_eq!(debrief.number(), (1, 1), "those asked again are counted apart");
        debrief.answer(Choice::Answer(0), false);
        debrief.advance();
        assert_eq!(debrief.current(), None, "then the card");
        assert_eq!(debrief.entries().len(), 5);
    }

    #[test]
    fn nothing_advances_past_an_open_question() {
        let mut debrief = begun();
        debrief.advance();
        assert_eq!(debrief.position(), 0);
        debrief.answer(Choice::Skipped, false);
        debrief.advance();
        assert_eq!(debrief.position(), 1);
        assert_eq!(debrief.entries().len(), 4, "a skipped one does not come back");
    }

    #[test]
    fn it_reopens_at_the_first_open_question() {
        let mut debrief = begun();
        debrief.answer(Choice::Answer(0), true);
        assert!(debrief.show_card() && !debrief.show_card());
        debrief.open([Stage::CleanUp], &Lesson::english());
        assert_eq!((debrief.position(), debrief.entries().len()), (1, 4));
    }

    #[test]
    fn every_item_has_its_own_order() {
        let stages = Stage::ALL.map(Item::Question);
        let numbers: Vec<u64> =
            stages.into_iter().chain([Item::Claim(0), Item::Extra(0)]).map(Item::question_number).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
