//! The lesson. Pure: no clock, no terminal, no network.
//!
//! [`State::update`] takes an [`Event`] and gives [`Effect`]s: read [`flow`] first, then [`script`] (what each stage
//! sends), [`check`] (what each stage expects) and [`state`].

pub mod backend;
pub mod bench;
pub mod calls;
pub mod check;
pub mod consent;
pub mod copy;
pub mod cost;
pub mod doctor;
pub mod exchange;
pub mod facts;
pub mod flow;
pub mod insight;
pub mod key_policy;
pub mod keymap;
pub mod learn;
pub mod lesson;
pub mod log;
pub mod mask;
pub mod operation;
pub mod policy_diff;
pub mod presenting;
mod progress;
pub mod quiz;
mod record;
pub mod redact;
mod refusal;
pub mod replay;
pub mod resume;
pub mod review;
pub mod script;
pub mod session;
mod shown;
pub mod stage;
pub mod state;
#[cfg(test)]
mod tests;
pub mod view;

pub use backend::{Backend, BackendKind};
pub use bench::{Bench, Experiment};
pub use calls::Call;
pub use copy::{Copied, Way};
pub use exchange::{Answer, CallId, Denied, Exchange, NoResponse, Response, Verdict, Wire};
pub use facts::{Facts, Names};
pub use flow::{Effect, Event, Intent, Report, TimerId};
pub use keymap::Keymap;
pub use lesson::Lesson;
pub use operation::{Identity, Operation, Service, TableKey, Tags, cli_line};
pub use policy_diff::PolicyDiff;
pub use presenting::Wish;
pub use quiz::{Choice, Quiz, Score};
pub use replay::Verified;
pub use review::Draft;
pub use session::{Kept, Place};
pub use stage::Stage;
pub use state::{Check, Record, State, Status};
pub use view::{Overlay, Page, View, ViewMode};
