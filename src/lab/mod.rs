//! The lesson. Pure: no clock, no terminal, no network.
//!
//! [`State::update`] takes an [`Event`] and returns [`Effect`]s. Read [`flow`] first, then [`state`] (what there is),
//! [`permit`] (whether an intent is allowed now), `update` (what it does), `batch` (how calls are sent, awaited and
//! repeated) and [`stages`] (what each stage sends and expects).
//!
//! A state's methods stand with their subject:
//! - what a stage is and has: [`stage`], [`operation`], [`exchange`] (a call and its answer), [`certainty`] (what an
//!   answer proves), `outcome` (a stage's calls, and whether they were as expected), [`facts`] (what the answers told),
//!   [`test_user`] (its policy and its principal), [`wait`] (what a batch waits for, and how long), `progress` (how far
//!   it is);
//! - what holds a call back: [`consent`] (on AWS), [`review`] (before PutKeyPolicy), [`quiz`] (a question);
//! - what is looked at: [`view`], [`calls`] (of a pane), [`insight`] (why, the trail, at rest), [`copy`], [`cost`];
//! - what is not shown: [`redact`] (secrets, before anything else), [`mask`] and `shown` (pseudonyms);
//! - what outlives a run: [`saving`] and [`resume`] (going on), [`replay`] (answers of an earlier run), [`log`] (a
//!   recorded session);
//! - beside the nine stages: [`experiments`], [`presenting`] (in front of a class), [`doctor`].

pub mod calls;
pub mod copy;
pub mod cost;
pub mod doctor;
pub mod feature;
pub mod kernel;
pub mod lesson;
pub mod line;
pub mod locks;
pub mod model;
pub mod quiz;
pub mod session;
pub mod snapshot;
pub mod stages;
#[cfg(test)]
mod tests;
pub mod view;
pub mod wait;

pub use feature::experiments;
pub use feature::insight;
pub use feature::masking::masker as mask;
pub use feature::{consent, presenting, replay, resume, review, saving};
pub use model::{
    backend, certainty, exchange, facts, glyphs, key_policy, keymap, operation, policy_diff, redact, stage, test_user,
};
pub use session::{flow, log, permit, state};

pub use backend::{Backend, BackendKind, ServicePlace};
pub use calls::Call;
pub use copy::{Copied, Profiles, Way};
pub use exchange::{Answer, CallId, Denied, Exchange, NoResponse, REPORT_IT, Response, Verdict, Wire};
pub use experiments::Experiments;
pub use facts::{Facts, Names};
pub use flow::{Effect, Event, Intent, PresenterAction, Report, TimerId};
pub use kernel::run::{Run, Status};
pub use keymap::Keymap;
pub use lesson::Lesson;
pub use locks::{LockState, Locks};
pub use model::command_line::cli_line;
pub use model::experiment::Experiment;
pub use model::outcome::Check;
pub use operation::{Identity, Operation, Service, TableKey, Tags};
pub use permit::{Mode, Modes, Permit, Reason};
pub use policy_diff::PolicyDiff;
pub use presenting::pace::Timing;
pub use quiz::{Choice, Quiz, Score};
pub use replay::Verified;
pub use saving::{Kept, Place};
pub use snapshot::PresenterSnapshot;
pub use stage::Stage;
pub use state::State;
pub use view::{Overlay, Page, View, ViewMode};
