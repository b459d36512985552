//! The questions before the stages: the order of the answers, what the person chose, and the score.

use serde::{Deserialize, Serialize};

use crate::lab::kernel::event::Command;
use crate::lab::lesson::{Lesson, Question, Reply};
use crate::lab::model::choice::Choice;
use crate::lab::model::stage::Stage;

/// The questions of a session: the order of their answers, and the replies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiz {
    /// Whether questions are asked before a stage's calls are sent.
    asks: bool,
    seed: u64,
    choices: [Option<Choice>; Stage::ALL.len()],
    /// How many hints have been shown.
    hints: [u8; Stage::ALL.len()],
}

/// How the questions were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Right ones.
    pub right: usize,
    /// Right and wrong ones.
    pub answered: usize,
    /// Skipped questions.
    pub skipped: usize,
}

/// The letters before the answers.
pub const LETTERS: [char; 4] = ['a', 'b', 'c', 'd'];

/// A question as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The question.
    pub question: &'a Question,
    /// The answers in the order they are shown, with their letters.
    pub answers: Vec<(char, &'a Reply)>,
    /// Which of `answers` was chosen.
    pub chosen: Option<usize>,
    /// Whether it was skipped.
    pub skipped: bool,
}

impl<'a> Asked<'a> {
    /// `question` with its answers in this order, and the reply to it.
    pub fn new(question: &'a Question, order: &[usize], choice: Option<Choice>) -> Asked<'a> {
        let in_order = order.iter().filter_map(|index| question.answers.get(*index));
        let chosen = match choice {
            Some(Choice::Answer(index)) => order.iter().position(|shown| *shown == index),
            _ => None,
        };
        Asked {
            question,
            answers: LETTERS.into_iter().zip(in_order).collect(),
            chosen,
            skipped: choice == Some(Choice::Skipped),
        }
    }

    /// Whether it waits for an answer.
    pub fn is_open(&self) -> bool {
        self.chosen.is_none() && !self.skipped
    }

    /// The chosen answer, with its letter.
    pub fn reply(&self) -> Option<(char, &'a Reply)> {
        self.chosen.and_then(|at| self.answers.get(at)).copied()
    }

    /// The right answer, with its letter.
    pub fn right(&self) -> Option<(char, &'a Reply)> {
        self.answers.iter().find(|(_, reply)| reply.right).copied()
    }
}

impl Quiz {
    /// Questions whose answers are shuffled by `seed`.
    pub fn new(seed: u64) -> Quiz {
        Quiz { asks: true, seed, ..Quiz::default() }
    }

    /// The seed that shuffles the answers; `None` where no questions are asked.
    pub fn seed(&self) -> Option<u64> {
        self.asks.then_some(self.seed)
    }

    /// Whether questions are asked at all.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// The reply to the question of `stage`.
    pub fn choice(&self, stage: Stage) -> Option<Choice> {
        self.choices[stage.index()]
    }

    /// Records the reply to the question of `stage`. Returns the command that saves it, unless it was the reply before.
    pub(in crate::lab) fn choose(&mut self, stage: Stage, choice: Choice) -> Option<Command> {
        let before = self.choices[stage.index()].replace(choice);
        (before != Some(choice)).then_some(Command::Save)
    }

    /// How many hints of `stage` have been shown.
    pub fn hints(&self, stage: Stage) -> usize {
        self.hints[stage.index()].into()
    }

    /// Shows another hint of `stage`. Returns the command that saves this; `None` if there is no other hint.
    pub(in crate::lab) fn hint(&mut self, stage: Stage) -> Option<Command> {
        let shown = &mut self.hints[stage.index()];
        let has_more = *shown < 2;
        *shown += u8::from(has_more);
        has_more.then_some(Command::Save)
    }

    /// The answers of `stage` in the order they are shown, as indices into the lesson file. The order depends only on seed
    /// and stage: it doesn't give away the right answer, and one seed always gives the same order.
    pub fn order(&self, stage: Stage, question: &Question) -> Vec<usize> {
        order(self.seed, stage.index() as u64, question.answers.len())
    }

    /// `0..count` in the order of the question with this number: as [`Quiz::order`], for an experiment's question.
    pub fn shuffled(&self, number: u64, count: usize) -> Vec<usize> {
        order(self.seed, number, count)
    }

    /// How the questions were answered so far.
    pub fn score(&self, lesson: &Lesson) -> Score {
        let mut score = Score::default();
        for stage in Stage::ALL {
            match self.choice(stage) {
                Some(Choice::Answer(index)) => {
                    score.answered += 1;
                    score.right += usize::from(lesson.stage(stage).question.right() == Some(index));
                }
                Some(Choice::Skipped) => score.skipped += 1,
                None => {}
            }
        }
        score
    }
}

/// Shuffles `0..count` by `seed` and `question`.
pub fn order(seed: u64, question: u64, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut random = SplitMix(seed ^ question.wrapping_mul(0xA24B_AED4_963E_E407));
    // Fisher and Yates. So few answers: the remainder's bias is below 2⁻⁶⁰.
    for last in (1..count).rev() {
        let other = usize::try_from(random.next() % (last as u64 + 1)).unwrap_or(0);
        order.swap(last, other);
    }
    order
}

/// SplitMix64 (Steele, Lea, Flood 2014): well mixed, and four lines long.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_stands_at_every_place_about_equally_often() {
        let mut counts = [[0_u32; 4]; 4];
        for seed in 0..4_000 {
            for (place, answer) in order(seed, 5, 4).into_iter().enumerate() {
                counts[place][answer] += 1;
            }
        }
        // 1000 each; four standard deviations are 110.
        assert!(counts.iter().flatten().all(|count| (890..=1_110).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_seed_gives_the_same_order_again_and_each_stage_its_own() {
        let orders = |seed| (0..9).map(|stage| order(seed, stage, 4)).collect::<Vec<_>>();
        assert_eq!(orders(7), orders(7));
        assert_ne!(orders(7), orders(8));
        let mut different = orders(7);
        different.sort();
        different.dedup();
        assert!(different.len() > 3, "{different:?}");
    }
}
