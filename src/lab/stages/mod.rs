//! The nine stages. Each has one definition, [`StageDef`]: its calls, their outline, and its expectation.
//!
//! To add a stage, add a variant to [`Stage`] with its place in [`Stage::ALL`], a file here with its definition, and its
//! texts below `assets/lesson/`, which `lesson/embedded.rs` names. The compiler says what is missing.

mod clean_up;
mod create_key;
mod create_table;
mod create_user;
mod def;
mod evidence;
mod grant;
mod items;
mod view;
mod who;

pub use create_user::ACCESS_KEY;
pub use def::{Calls, Kind, Missing, Planned, Runs, Scans, Sources, StageDef, Step};
pub use evidence::{Evidence, Observed, describe};
pub use items::items;

use super::model::backend::Backend;
use super::model::batch::Next;
use super::model::operation::Identity;
use super::model::stage::Stage;

impl Stage {
    /// The stage's definition.
    pub const fn def(self) -> &'static StageDef {
        match self {
            Stage::Who => &who::WHO,
            Stage::CreateKey => &create_key::CREATE_KEY,
            Stage::CreateTable => &create_table::CREATE_TABLE,
            Stage::ViewAdmin => &view::VIEW_ADMIN,
            Stage::CreateUser => &create_user::CREATE_USER,
            Stage::ViewDenied => &view::VIEW_DENIED,
            Stage::Grant => &grant::GRANT,
            Stage::ViewAgain => &view::VIEW_AGAIN,
            Stage::CleanUp => &clean_up::CLEAN_UP,
        }
    }

    /// The name in JSONL and on the command line.
    pub const fn key(self) -> &'static str {
        self.def().key
    }

    /// Whether sending the stage's calls again changes nothing.
    pub fn is_read_only(self) -> bool {
        self.def().kind == Kind::Reads
    }

    /// Whether all its calls may be sent again after it failed.
    pub const fn can_start_over(self) -> bool {
        self.def().starts_over
    }

    /// Who calls what in a run on `backend`, before anything is known.
    pub fn outline(self, backend: &Backend) -> impl Iterator<Item = (Identity, &'static str)> {
        let steps = self.def().steps.iter().filter(|step| step.runs.include(backend));
        let lines = steps.flat_map(|step| step.outline).filter(|line| line.runs.include(backend));
        lines.map(|line| (line.identity, line.action))
    }

    /// Whether the pane of `identity` shows this call when the stage has ended.
    pub fn highlights(self, identity: Identity, call: &str) -> bool {
        self.def().highlight[identity as usize].contains(&call)
    }
}

/// The batch number `index` of `steps`.
pub fn next(steps: &[Step], index: usize, sources: Sources<'_>) -> Next {
    let Some(step) = steps.iter().filter(|step| step.runs.include(sources.backend)).nth(index) else {
        return Next::End;
    };
    match step.batch(&sources) {
        Ok(batch) => Next::Send(batch),
        Err(missing) => Next::Blocked(missing.to_string()),
    }
}
