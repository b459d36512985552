//! A class: what a learner's lab reports, and the teacher's roster of all learners.
//!
//! [`report`] is what one lab sends: progress alone, no items, ids, policies or secrets. [`roster`] keeps the newest
//! report of each learner, [`need`] says who needs help first, and [`table`] writes the roster down.

pub mod code;
pub mod need;
pub mod report;
pub mod roster;
pub mod table;
pub mod xapi;

pub use code::{Code, Join};
pub use report::Report;
pub use roster::Roster;
