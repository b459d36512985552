//! The same lines for an experiment.

use ratatui::text::Line;

use super::{Brief, Budget, Part};
use crate::lab::quiz::Asked;
use crate::lab::{Experiment, Status};

/// Rows that an experiment's verdict and lesson may have beyond a stage's: nothing else explains it.
const MORE: usize = 3;

/// More rows before an explanation is left out.
const SPARE: usize = 2;

impl<'a> Brief<'a> {
    /// The lines for an experiment with this status.
    pub(super) fn experiment(self, status: &Status, budget: Budget) -> Vec<Line<'static>> {
        let Some(which) = self.state.view().experiment else { return Vec::new() };
        // Where there are few rows the real answers need them.
        let (more, spare) = if budget.is_short() { (2, 0) } else { (MORE, SPARE) };
        let most = (budget.most + more).min(budget.before);
        match status {
            Status::Todo => self.to_try(which, budget.before),
            Status::Running => self.at_work(which, budget, most),
            Status::Done(check) => self.tried(which, check, most, spare),
        }
    }

    fn setup(self, which: Experiment) -> Part<'a> {
        self.part(None, self.state.experiment(which).setup.trim())
    }

    fn to_try(self, which: Experiment, most: usize) -> Vec<Line<'static>> {
        let asked = self.state.open_question();
        let next = if self.state.is_out_of_reach(which) {
            let text = "This experiment changes test-user's own policies, so the lab must have created that user.";
            self.part(None, self.state.interface().say(text))
        } else {
            match &asked {
                Some(asked) if asked.is_open() => self.how_to_answer(asked),
                _ => self.enter(),
            }
        };
        self.asked(which, asked.as_ref(), next, most)
    }

    /// The prediction stays until there is a verdict.
    fn at_work(self, which: Experiment, budget: Budget, most: usize) -> Vec<Line<'static>> {
        match self.state.shown_question().filter(|asked| !asked.is_open()) {
            Some(asked) => self.asked(which, Some(&asked), self.trying(), budget.before),
            None => self.fitting(&[vec![self.setup(which), self.trying()]], most),
        }
    }

    fn asked(self, which: Experiment, asked: Option<&Asked<'_>>, next: Part<'a>, most: usize) -> Vec<Line<'static>> {
        let setup = self.setup(which);
        let blank = self.part(None, "");
        let mut rest = asked.map(|asked| self.question(asked)).unwrap_or_default();
        rest.push(next);
        let choices = [[vec![setup.clone(), blank], rest.clone()].concat(), [vec![setup], rest.clone()].concat(), rest];
        self.fitting(&choices, most)
    }

    fn trying(self) -> Part<'a> {
        match self.state.experiments().pause() {
            Some(_) => self.part(None, self.state.interface().say("waiting until DynamoDB has no table key in memory")),
            None => self.under_way(),
        }
    }
}
