//! The lesson by tables: no server, no clock, no terminal.

mod checks;
mod consent;
mod fake;
mod flow;
