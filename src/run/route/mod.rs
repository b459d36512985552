//! The way that a film takes through the lab.

mod script;

pub use script::{ScriptError, Wrong, read};

use crate::lab::{Experiment, Identity, Shot, Stage};
use crate::ui::keys::Chord;

/// A step of a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What happens.
    pub what: What,
    /// The caption of its last screen, instead of the lesson's.
    pub caption: Option<String>,
    /// Its line in the script, counted from 1; 0 without one.
    pub line: usize,
}

/// What happens in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A card: the title, the setting or the end.
    Card(Shot),
    /// A stage, from its first screen to its last. What comes before it is passed over.
    Stage {
        /// Which one.
        stage: Stage,
        /// Whether its question is shown first.
        ask: bool,
    },
    /// This verdict must have come, in at most this many seconds.
    Wait {
        /// Whose.
        who: Identity,
        /// `allowed`, `denied` or `failed`.
        verdict: String,
        /// The seconds.
        seconds: u64,
    },
    /// A key, and what it shows.
    Key(Chord),
    /// An experiment: its setup, its verdict, its undo.
    Experiment(Experiment),
}

impl From<What> for Step {
    fn from(what: What) -> Step {
        Step { what, caption: None, line: 0 }
    }
}

/// The way of a film.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Whether only the screens of a teaser are shown, with its captions.
    pub teaser: bool,
    /// The title, instead of the usual one.
    pub title: Option<String>,
    /// Where the lab is to be found.
    pub url: Option<String>,
}

/// The screens of a teaser.
const TEASER: [Shot; 9] = [
    Shot::Title,
    Shot::ReadDone,
    Shot::SameScan,
    Shot::Denied,
    Shot::Error,
    Shot::Why,
    Shot::Policy,
    Shot::Allowed,
    Shot::End,
];

const fn stage(stage: Stage) -> What {
    What::Stage { stage, ask: false }
}

impl Route {
    /// The whole lab.
    pub fn whole() -> Route {
        let cards = [Shot::Title, Shot::Setting].map(What::Card);
        Route::of(cards.into_iter().chain(Stage::ALL.map(stage)).chain([What::Card(Shot::End)]))
    }

    /// Only what matters most.
    pub fn teaser() -> Route {
        let stages = Stage::ALL.into_iter().filter(|one| (Stage::ViewAdmin..=Stage::ViewAgain).contains(one));
        let steps = std::iter::once(What::Card(Shot::Title)).chain(stages.map(stage));
        Route { teaser: true, ..Route::of(steps.chain([What::Card(Shot::End)])) }
    }

    /// The stages alone, without cards.
    pub fn stages(stages: &[Stage]) -> Route {
        Route::of(stages.iter().copied().map(stage))
    }

    /// An experiment, between title and end.
    pub fn experiment(which: Experiment) -> Route {
        Route::of([What::Card(Shot::Title), What::Experiment(which), What::Card(Shot::End)])
    }

    fn of(steps: impl IntoIterator<Item = What>) -> Route {
        Route { steps: steps.into_iter().map(Step::from).collect(), ..Route::default() }
    }

    /// Whether this screen is shown.
    pub fn shows(&self, shot: Shot) -> bool {
        !self.teaser || TEASER.contains(&shot)
    }

    /// How many screens there are.
    pub fn screens(&self) -> usize {
        self.steps.iter().map(|step| self.screens_of(&step.what)).sum()
    }

    /// How many screens a step has.
    pub fn screens_of(&self, step: &What) -> usize {
        match step {
            What::Card(_) | What::Key(_) => 1,
            What::Experiment(_) => 2,
            What::Wait { .. } => 0,
            What::Stage { stage, ask } => {
                let shots = [false, true].into_iter().flat_map(|after| Shot::of(*stage, after));
                shots.filter(|shot| self.shows(*shot)).count() + usize::from(*ask)
            }
        }
    }
}
