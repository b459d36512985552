//! The same lines for an experiment of the bench.

use ratatui::text::Line;

use super::{Brief, Budget, Part};
use crate::lab::{Check, Experiment, Status};

/// Rows that an experiment's verdict and lesson may take beyond a stage's: what they say is all there is.
const MORE: usize = 3;

impl<'a> Brief<'a> {
    /// The lines for what `status` says.
    pub(super) fn bench(self, status: &Status, budget: Budget) -> Vec<Line<'static>> {
        let Some(which) = self.state.view.bench else { return Vec::new() };
        let most = if budget.most > 2 { (budget.most + MORE).min(budget.before) } else { budget.most };
        match status {
            Status::Todo => self.to_try(which, budget.before),
            Status::Running => self.fitting(&[vec![self.setup(which), self.trying()]], most),
            Status::Done(check) => self.tried(which, check, most),
        }
    }

    fn setup(self, which: Experiment) -> Part<'a> {
        self.part(None, self.state.experiment(which).setup.trim())
    }

    fn to_try(self, which: Experiment, most: usize) -> Vec<Line<'static>> {
        let setup = self.setup(which);
        let blank = self.part(None, "");
        let mut rest = Vec::new();
        let asked = self.state.open_question();
        if let Some(asked) = &asked {
            rest.extend(self.question(asked));
        }
        rest.push(if self.state.is_out_of_reach(which) {
            let text = "This one changes test-user's own policies: it needs a user that the lab makes.";
            self.part(None, self.state.interface().say(text))
        } else if asked.is_some_and(|asked| asked.is_open()) {
            self.part(None, &self.how_to_answer())
        } else {
            self.enter()
        });
        let choices = [[vec![setup.clone(), blank], rest.clone()].concat(), [vec![setup], rest.clone()].concat(), rest];
        self.fitting(&choices, most)
    }

    fn trying(self) -> Part<'a> {
        match self.state.bench.pause() {
            Some(_) => self.part(None, self.state.interface().say("waiting until DynamoDB has no table key in memory")),
            None => self.under_way(),
        }
    }

    /// What came, what was predicted and what is to be said of that, and what it teaches.
    fn tried(self, which: Experiment, check: &Check, most: usize) -> Vec<Line<'static>> {
        let observed = self.observed(check);
        let lesson = self.part(Some(""), self.state.experiment(which).lesson.trim());
        let said = self.said();
        let setup = self.setup(which);
        // What did not come as it should teaches nothing.
        if !check.met {
            return self.fitting(&[vec![setup, observed.clone()], vec![observed]], most);
        }
        self.fitting(
            &[
                [vec![setup, observed.clone()], said.clone(), vec![lesson.clone()]].concat(),
                [vec![observed.clone()], said, vec![lesson.clone()]].concat(),
                vec![observed, lesson],
            ],
            most,
        )
    }
}
