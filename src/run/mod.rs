//! The driver: the only place that awaits.
//!
//! `driver` is the one loop. A front ([`front`]: screen, plain lines, headless lines, a recording, a replay) shows the
//! state and chooses the next event from `inputs`. The driver updates the state, and [`effects`] performs the effects;
//! their outcomes arrive as events. The loop itself never waits for a call or a disk. It decides nothing about the
//! lesson, which belongs to `lab`, and draws nothing, which belongs to `ui`.
//!
//! On the disk: [`journal`] (what is about to be created), [`session_file`] (to resume), [`answer_cache`] (responses to show
//! again).

pub mod answer_cache;
pub mod audience;
pub mod autoplay;
pub mod class;
pub mod cleanup;
pub mod config;
pub mod debug;
pub mod director;
pub mod doctor;
mod driver;
pub mod effects;
pub mod event_log;
pub mod front;
pub mod input;
mod inputs;
pub mod inspect;
pub mod journal;
pub mod lesson;
pub mod looks;
pub mod network;
pub mod notes;
pub mod presentation;
pub mod pseudonyms;
pub mod report;
pub mod route;
pub mod session_file;
#[cfg(unix)]
pub mod shell;
pub mod signal;
pub mod watch;
pub mod why;
pub mod writes;

pub use driver::Ended;
