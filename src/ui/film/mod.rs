//! The screens of a film. A viewer has no keyboard, so there is no footer, no answer's letter and no request id. Each
//! screen has one idea, and its caption says what the screen doesn't.
//!
//! ```text
//!  6/9  The same Scan, twice                        ✔✔✔✔✔✔●○○   SANDBOX    header
//!
//!   dynamodb:Scan                                                          the call
//!
//! ─ admin ──────────────────────────┬─ test-user ───────────────────────   lanes: path and verdict
//!   admin ─▸ DynamoDB ✔ ─▸ KMS ✔ …  │  test-user ─▸ DynamoDB ✔ ─▸ KMS ✘ …
//! ──────────────────────────────────┴───────────────────────────────────
//!
//!   ▌ Same call, same table. Only the caller differs.                      caption
//!
//! ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━──────────────────────────────   progress
//! ```

mod canvas;
mod cards;
mod experiment;
mod ladder;
mod lanes;
mod policy;
mod stages;

use ratatui::layout::Size;

use crate::lab::{Experiment, Shot, Stage, State};

use super::theme::Theme;
use canvas::Canvas;
pub use canvas::Screen;

/// What a screen of a film shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// A screen of the usual film.
    Shot(Shot),
    /// The question of this stage.
    Question(Stage),
    /// An experiment, before or after its calls.
    Experiment(Experiment, bool),
    /// The learner's screen.
    Learner,
}

/// A screen of a film, and what goes with it.
#[derive(Debug, Clone, Copy)]
pub struct Take<'a> {
    /// What it shows.
    pub scene: Scene,
    /// The caption, where one is shown.
    pub caption: Option<&'a str>,
    /// Which screen it is, and of how many.
    pub progress: (usize, usize),
    /// A title instead of the usual one.
    pub title: Option<&'a str>,
    /// Where the lab is to be found.
    pub url: Option<&'a str>,
}

/// Draws a screen of a film.
pub fn render(state: &State, theme: &Theme, size: Size, take: &Take<'_>) -> Screen {
    let mut canvas = Canvas::new(state, theme, size, take.caption);
    match take.scene {
        Scene::Shot(Shot::Title) => cards::title(&mut canvas, take.title),
        Scene::Shot(Shot::Setting) => cards::setting(&mut canvas),
        Scene::Shot(Shot::End) => cards::end(&mut canvas, take.url),
        Scene::Shot(shot) => stages::draw(&mut canvas, shot),
        Scene::Question(stage) => cards::question(&mut canvas, stage),
        Scene::Experiment(which, after) => experiment::draw(&mut canvas, which, after),
        Scene::Learner => canvas.learner(),
    }
    canvas.finish(take.progress)
}
