//! The lesson. Pure: no clock, no terminal, no network.
//!
//! [`State::update`] takes an [`Event`] and returns [`Effect`]s. From bottom to top; each layer imports only those below:
//! - [`model`]: values. [`stage`], [`operation`], [`exchange`] (a call and its response), [`facts`] (what responses have
//!   shown), [`certainty`] (what a response proves), [`redact`] (removes secrets, before anything else).
//! - [`lesson`]: the texts. [`stages`]: what each stage sends, verifies and expects.
//! - [`kernel`]: runs of stages and experiments. It sends batches, waits, repeats, and emits domain events.
//! - [`feature`]: each owns its data, handles domain events and returns commands. [`consent`] (before the lab creates
//!   something on AWS), [`review`] (before PutKeyPolicy), [`experiments`], [`insight`] (the pages why, trail and at
//!   rest), [`presenting`] (in front of a class), [`quiz`], [`copy`], [`replay`] (responses of an earlier run),
//!   [`noticing`] (what other clients do), and masking ([`mask`]).
//! - [`saving`] and [`resume`]: a saved session has a part of each feature.
//! - [`session`]: puts them together. Read [`flow`] first (event, intent, effect), then [`state`] (the whole state, whose
//!   fields only the session sees), [`permit`] (whether an intent is allowed now) and `update` (the router). [`log`] is a
//!   recorded session.
//!
//! Beside them: [`view`] (what is shown), [`calls`] (the calls of a pane), [`path`] (the path of a read), [`cost`],
//! [`wait`], [`snapshot`] (what a presenter's second screen gets), [`remote`] (what it may ask for), [`poll`] (what
//! phones show), [`class`] (what a learner's lab reports,
//! and the teacher's roster), [`doctor`] and [`why`] (`kmslab why`).

pub mod calls;
pub mod class;
pub mod cost;
pub mod doctor;
pub mod feature;
pub mod kernel;
pub mod lesson;
pub mod line;
pub mod model;
pub mod path;
pub mod poll;
pub mod remote;
pub mod resume;
pub mod saving;
pub mod session;
pub mod snapshot;
pub mod stages;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod view;
pub mod wait;
pub mod why;

pub use feature::attempts;
pub use feature::drills;
pub use feature::experiments;
pub use feature::insight;
pub use feature::masking::masker as mask;
pub use feature::{consent, copy, debrief, noticing, presenting, quiz, replay, review, search};
pub use model::search as text_search;
pub use model::{
    backend, certainty, exchange, facts, glyphs, key_policy, keymap, operation, policy_diff, reading, redact, shot,
    stage, test_user,
};
pub use session::{flow, log, modes, permit, state};

pub use backend::{Backend, BackendKind, ServicePlace};
pub use calls::Call;
pub use copy::{Copied, Profiles, Way};
pub use exchange::{Answer, CallError, CallId, Denied, Exchange, REPORT_IT, Response, Verdict, Wire};
pub use experiments::Experiments;
pub use facts::{Facts, Names};
pub use flow::{DrillAction, Effect, Event, Intent, PresenterAction, Report, TimerId};
pub use kernel::run::{Run, Status};
pub use keymap::Keymap;
pub use lesson::Lesson;
pub use model::choice::Choice;
pub use model::command_line::cli_line;
pub use model::drill::{self, Drill, DrillResult, Level, Lock, Look, Plan, Rung};
pub use model::experiment::Experiment;
pub use model::outcome::Check;
pub use model::own_way::OwnWay;
pub use modes::{Mode, Modes};
pub use operation::{Identity, Operation, Service, TableKey, Tags};
pub use path::Path;
pub use permit::{Permit, Reason};
pub use policy_diff::PolicyDiff;
pub use presenting::pace::Timing;
pub use quiz::{Quiz, Score};
pub use reading::Pace;
pub use replay::RecordedStage;
pub use saving::{Place, SavedSession};
pub use search::{Search, SearchAction};
pub use shot::Shot;
pub use snapshot::{Closing, PresenterSnapshot};
pub use stage::Stage;
pub use state::State;
pub use view::{Overlay, Page, View, ViewMode};
