//! The session: the composition of kernel and features, and the router between them.

mod desk;
pub mod flow;
pub mod log;
mod notice;
mod perform;
pub mod permit;
mod read;
mod save;
pub mod shell;
pub mod state;
mod update;
