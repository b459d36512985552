//! The lines after the calls: whether the outcome is as expected, and what the person predicted.

use ratatui::text::{Line, Span};

use super::{Brief, Budget, Part};
use crate::lab::model::prose::sentence;
use crate::lab::{Check, Experiment, Stage};
use crate::ui::hands;
use crate::ui::keys::names;

impl<'a> Brief<'a> {
    /// Whether the outcome is as expected: in the words of `expected`, or in those of what was observed instead.
    pub(super) fn outcome(self, check: &Check, expected: &str) -> Part<'a> {
        let words = self.state.interface();
        let (sign, text, style) = match check.met {
            true => ("✔", words.fill("As expected: {}", &[&expected.trim()]), self.theme.allowed.text),
            false => {
                ("✘", words.fill("Not as expected: {}", &[&words.sentence(&check.observed)]), self.theme.failed.text)
            }
        };
        let content = vec![
            Span::styled(format!("{sign}\u{a0}"), style),
            Span::styled(format!("{} ", sentence(&text)), self.theme.strong),
        ];
        Part::plain(content)
    }

    /// The outcome and the prediction; under the lab's last Scan, what can be done next.
    pub(super) fn after(self, check: &Check, budget: Budget) -> Vec<Line<'static>> {
        let stage = self.state.view().shown;
        let mut outcome = self.outcome(check, self.state.text(stage).expected);
        if !check.met {
            // What went wrong comes before the lesson.
            let all = [vec![outcome.clone()], self.votes(), self.reply()].concat();
            return self.fitting(&[all, vec![outcome]], if budget.is_short() { 2 } else { budget.most });
        }
        if let Some(change) = self.state.change_before().filter(|_| stage == Stage::ViewAgain) {
            // The paths show the rest.
            let text = format!("{} {}", self.state.interface().say("As expected."), self.state.interface().say(change));
            outcome.content.pop();
            outcome.content.push(Span::styled(text, self.theme.strong));
        }
        let verdict = [vec![outcome.clone()], self.votes(), self.reply()].concat();
        let corrected = self.correction().map(|right| [verdict.clone(), vec![right]].concat());
        let choices = self.next_steps();
        let in_words = self.votes_in_words().map(|votes| [vec![outcome.clone()], votes, self.reply()].concat());
        let brief = [vec![outcome.in_one_line()], self.votes(), self.reply()].concat();
        let with_choices = |parts: &[Part<'a>]| [parts.to_vec(), choices.clone()].concat();
        let mut fitting: Vec<Vec<Part<'a>>> = Vec::new();
        fitting.extend(in_words.iter().map(|parts| with_choices(parts)));
        fitting.extend(in_words);
        fitting.extend(corrected.map(|parts| with_choices(&parts)));
        fitting.extend([with_choices(&verdict), with_choices(&brief), verdict, brief]);
        self.fitting(&fitting, budget.most)
    }

    /// The prediction in one line.
    pub(super) fn reply(self) -> Vec<Part<'a>> {
        let Some(asked) = self.state.shown_question() else { return Vec::new() };
        let words = self.state.interface();
        let right = || {
            let (_, reply) = asked.right()?;
            Some(format!(" {}", words.fill("The answer: {}", &[&sentence(&reply.text)])))
        };
        let text = match asked.reply() {
            Some((letter, reply)) if reply.right => words.fill("You said {}. Right.", &[&letter]),
            Some((letter, reply)) => match &reply.feedback {
                Some(feedback) => words.fill("You said {}. Not quite: {}", &[&letter, &feedback.trim()]),
                None => words.fill("You said {}. Not quite.", &[&letter]) + &right().unwrap_or_default(),
            },
            None if asked.skipped => words.say("No answer given.").to_owned() + &right().unwrap_or_default(),
            None => return Vec::new(),
        };
        vec![self.part(None, &text)]
    }

    /// The right answer, where the feedback says only why the chosen one is wrong.
    fn correction(self) -> Option<Part<'a>> {
        let asked = self.state.shown_question()?;
        let (_, chosen) = asked.reply()?;
        let (letter, right) = asked.right().filter(|_| !chosen.right && chosen.feedback.is_some())?;
        let mark = Span::styled(format!("✔ {letter}  "), self.theme.allowed.text);
        Some(Part::plain(vec![mark, Span::styled(sentence(&right.text), self.theme.base)]))
    }

    /// The explanation of the chosen answer, or of the right one.
    fn explanation(self) -> Vec<Part<'a>> {
        let Some(asked) = self.state.shown_question() else { return Vec::new() };
        let reply = asked.reply().or_else(|| asked.right().filter(|_| asked.skipped));
        reply.map(|(_, reply)| self.part(None, reply.explanation.trim())).into_iter().collect()
    }

    /// The votes of the class in one line.
    fn votes(self) -> Vec<Part<'a>> {
        let votes = hands::line(self.state, self.state.view().shown, self.theme);
        let label = self.state.interface().say("class");
        votes.map(|content| Part { label: Some(label), ..Part::plain(content) }).into_iter().collect()
    }

    /// The votes with the words of all answers: nobody remembers an answer by its letter.
    fn votes_in_words(self) -> Option<Vec<Part<'a>>> {
        let columns = self.columns.saturating_sub(self.label);
        let rows = hands::rows(self.state, self.state.view().shown, columns, self.theme)?;
        let labels = std::iter::once(self.state.interface().say("class")).chain(std::iter::repeat(""));
        let rows = rows.into_iter().zip(labels);
        let rows = rows.map(|(row, label)| Part { label: Some(label), ..Part::plain(row).in_one_line() });
        Some(rows.chain(self.favorite()).collect())
    }

    /// What is wrong with the answer that most of the class chose, unless the person chose it, too.
    fn favorite(self) -> Option<Part<'a>> {
        let (letter, reply) = hands::favorite(self.state, self.state.view().shown).filter(|(_, reply)| !reply.right)?;
        let is_own = self.state.shown_question()?.reply().is_some_and(|(own, _)| own == letter);
        let feedback = reply.feedback.as_deref().filter(|_| !is_own)?;
        Some(self.part(Some(""), &format!("{letter}: {}", feedback.trim())))
    }

    /// What can be done after the lab's last Scan, with a blank line before it.
    fn next_steps(self) -> Vec<Part<'a>> {
        if !self.state.offers_choices() {
            return Vec::new();
        }
        let (words, keymap) = (self.state.interface(), &self.state.view().keys);
        let count = Experiment::ALL.len();
        let clean_up = self.state.text(Stage::CleanUp).action.to_owned();
        let steps = [
            ("bench", words.fill("break it: {} experiments", &[&count])),
            ("drills", words.say("drills: find the fault").to_owned()),
            ("advance", clean_up),
        ];
        let steps = steps.into_iter().map(|(name, text)| (names::first(name, keymap), text));
        let steps = steps.filter(|(key, _)| !key.is_empty()).map(|(key, text)| {
            let key = Span::styled(format!("  {key:<5}"), self.theme.hint);
            Part::plain(vec![key, Span::styled(format!("  {text}"), self.theme.base)])
        });
        std::iter::once(self.part(None, "")).chain(steps).collect()
    }

    /// An experiment's outcome, the prediction with its explanation, and the lesson.
    pub(super) fn tried(self, which: Experiment, check: &Check, most: usize, spare: usize) -> Vec<Line<'static>> {
        let outcome = self.outcome(check, &self.state.interface().sentence(&check.observed));
        let setup = self.part(None, self.state.experiment(which).setup.trim());
        // An unexpected outcome teaches nothing.
        if !check.met {
            return self.fitting(&[vec![setup, outcome.clone()], vec![outcome]], most);
        }
        let lesson = vec![self.part(None, self.state.experiment(which).lesson.trim())];
        let (outcome, reply, explanation) = (vec![outcome], self.reply(), self.explanation());
        let choices = [
            [outcome.clone(), reply.clone(), explanation, lesson.clone()].concat(),
            [outcome.clone(), reply.clone(), lesson].concat(),
            [outcome, reply].concat(),
        ];
        self.fitting(&choices, most + spare)
    }
}
