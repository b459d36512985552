//! What the state knows of learning: the texts, the question of a stage, and the score.

use std::sync::Arc;

use super::lesson::interface::Interface;
use super::lesson::{Comparison, Lesson, Question, Reply, Text};
use super::outcome::Status;
use super::quiz::{Choice, Quiz, Score};
use super::stage::Stage;
use super::state::State;

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
    /// Whether it was passed over.
    pub skipped: bool,
}

impl<'a> Asked<'a> {
    /// `question` with its answers in this order, and what was said to it.
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

/// Hands that went up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassScore {
    /// For right answers.
    pub right: usize,
    /// For any.
    pub hands: usize,
    /// Questions that only the class has answered.
    pub questions: usize,
}

impl State {
    /// The same state in the words of `lesson`.
    #[must_use]
    pub fn with_lesson(mut self, lesson: Arc<Lesson>) -> State {
        self.lesson = lesson.into();
        self
    }

    /// The same state, which asks a question before each stage.
    #[must_use]
    pub fn with_quiz(mut self, quiz: Quiz) -> State {
        self.quiz = quiz;
        self
    }

    /// The interface's words in the lesson's language.
    pub fn interface(&self) -> Interface<'_> {
        Interface::new(&self.lesson.frame.interface)
    }

    /// What the screen shows of a stage.
    pub fn text(&self, stage: Stage) -> Text<'_> {
        self.lesson.text(stage, self.backend.given_user)
    }

    /// The question of a stage, where questions are asked.
    pub fn question(&self, stage: Stage) -> Option<Asked<'_>> {
        if !self.quiz.asks() {
            return None;
        }
        let question = &self.lesson.stage(stage).question;
        Some(Asked::new(question, &self.quiz.order(stage, question), self.quiz.choice(stage)))
    }

    /// The shown stage's question, while it can be answered: its calls have not been sent.
    pub fn open_question(&self) -> Option<Asked<'_>> {
        if let Some(which) = self.view.bench {
            return self.bench_question(which).filter(|_| self.shown().status == Status::Todo);
        }
        let is_todo = self.record(self.view.shown).status == Status::Todo;
        self.question(self.view.shown).filter(|_| is_todo && self.view.shown <= self.reachable())
    }

    /// Whether Enter waits for an answer or a skip.
    pub fn waits_for_answer(&self) -> bool {
        self.open_question().is_some_and(|asked| asked.is_open())
    }

    /// The hints of the shown stage that have been asked for.
    pub fn hints(&self) -> &[String] {
        if self.view.bench.is_some() {
            return &[];
        }
        let stage = self.view.shown;
        &self.lesson.stage(stage).hints[..self.quiz.hints(stage)]
    }

    /// Whether there is another hint.
    pub fn has_hint(&self) -> bool {
        self.view.bench.is_none() && self.open_question().is_some() && self.hints().len() < 2
    }

    /// How the questions were answered; `None` where none are asked.
    pub fn score(&self) -> Option<Score> {
        self.quiz.asks().then(|| self.quiz.score(&self.lesson))
    }

    /// How a class answered with its hands; `None` where none were counted.
    pub fn class_score(&self) -> Option<ClassScore> {
        let mut score = ClassScore::default();
        for stage in Stage::ALL {
            let Some((hands, asked)) = self.hands(stage).zip(self.question(stage)) else { continue };
            let right = asked.answers.iter().position(|(_, reply)| reply.right);
            score.right += usize::from(right.and_then(|place| hands.get(place)).unwrap_or(0));
            score.hands += usize::from(hands.total());
            score.questions += usize::from(asked.skipped);
        }
        (score.hands > 0).then_some(score)
    }

    /// The choices that the shown stage compares.
    pub fn comparison(&self) -> Option<&Comparison> {
        self.lesson.stage(self.view.shown).comparison.as_ref().filter(|_| self.view.bench.is_none())
    }

    /// Whether the shown stage is the last one and has ended.
    pub fn is_at_the_end(&self) -> bool {
        self.view.bench.is_none() && self.view.shown.next().is_none() && self.check(self.view.shown).is_some()
    }

    /// Answers the open question with the answer at `place`.
    pub(super) fn choose(&mut self, place: u8) {
        let order = match (self.view.bench, self.open_question()) {
            (Some(which), _) => self.bench_order(which),
            (None, Some(asked)) => self.quiz.order(self.view.shown, asked.question),
            (None, None) => Vec::new(),
        };
        if let Some(index) = order.get(usize::from(place)) {
            self.answer(Choice::Answer(*index));
        }
    }

    /// Skips the open question.
    pub(super) fn skip(&mut self) {
        self.answer(Choice::Skipped);
    }

    fn answer(&mut self, choice: Choice) {
        match self.view.bench {
            Some(which) => self.answer_experiment(which, choice),
            None => self.quiz.choose(self.view.shown, choice),
        }
        self.view.message = None;
    }
}
