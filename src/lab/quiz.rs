//! Predict before you press: which answers stand in which order, what the person chose, and the score.

use serde::{Deserialize, Serialize};

use super::lesson::{Lesson, Question};
use super::stage::Stage;

/// What a person said to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// This answer, by its index in the lesson file.
    Answer(usize),
    /// Nothing.
    Skipped,
}

/// The questions of a session: their order, and what was said.
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
    /// Questions that were passed over.
    pub skipped: usize,
}

impl Quiz {
    /// Questions whose answers are shuffled by `seed`.
    pub fn new(seed: u64) -> Quiz {
        Quiz { asks: true, seed, ..Quiz::default() }
    }

    /// What shuffles the answers; `None` where no questions are asked.
    pub fn seed(&self) -> Option<u64> {
        self.asks.then_some(self.seed)
    }

    /// Whether questions are asked at all.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// What was said to the question of `stage`.
    pub fn choice(&self, stage: Stage) -> Option<Choice> {
        self.choices[stage.index()]
    }

    pub(super) fn choose(&mut self, stage: Stage, choice: Choice) {
        self.choices[stage.index()] = Some(choice);
    }

    /// How many hints of `stage` have been shown.
    pub fn hints(&self, stage: Stage) -> usize {
        self.hints[stage.index()].into()
    }

    pub(super) fn hint(&mut self, stage: Stage) {
        let shown = &mut self.hints[stage.index()];
        *shown = (*shown + 1).min(2);
    }

    /// The answers of `stage` in the order they are shown, as indices into the lesson file. The order depends on seed
    /// and stage alone: it tells nothing of which is right, and is the same again for the same seed.
    pub fn order(&self, stage: Stage, question: &Question) -> Vec<usize> {
        order(self.seed, stage.index() as u64, question.answers.len())
    }

    /// `0..count` in the order of the question with this number: as [`Quiz::order`], for questions that are no stage's.
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

/// `0..count` in an order that `seed` and `question` decide.
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
