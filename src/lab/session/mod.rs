//! The session: the composition of kernel and features, and the router between them.

mod classroom;
mod desk;
mod drilling;
pub mod flow;
pub mod log;
pub mod modes;
mod notice;
mod paths;
mod perform;
pub mod permit;
mod read;
mod save;
pub mod shell;
pub mod state;
mod update;
