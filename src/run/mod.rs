//! The driver: the only place that awaits.
//!
//! [`driver`] is the one loop: a front ([`front`]: screen, plain lines, headless lines, a recording, a replay) shows the
//! state and chooses the next event from [`inputs`]; the driver updates the state, and [`effects`] performs what it asks
//! for. Outcomes arrive as events. The loop itself waits for no call and no disk. It decides nothing of the lesson,
//! which is `lab`'s, and draws nothing, which is `ui`'s.
//!
//! On the disk: [`journal`] (what is about to be created), [`session`] (to resume), [`verified`] (responses to show
//! again).

pub mod cleanup;
pub mod config;
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
pub mod live;
pub mod looks;
pub mod notes;
pub mod play;
pub mod session;
pub mod signal;
pub mod verified;
pub mod writes;

pub use driver::Ended;
