//! What experiments and drills share: both change something for real, try it, and undo it.
//!
//! [`setup`] builds the calls, [`policies`] the policies. What must be undone is not declared: [`change::Changes`] notes
//! every change when the call that makes it is sent, and the newest is undone first. So nothing is forgotten, whatever
//! failed.

pub mod change;
pub mod ledger;
pub mod policies;
pub mod setup;
