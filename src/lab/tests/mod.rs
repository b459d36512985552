//! The lesson by tables: no server, no clock, no terminal.

mod checks;
mod consent;
mod copy;
mod doctor;
mod documents;
mod drills;
mod experiments;
mod fake;
mod flow;
mod golden;
mod insight;
mod leaving;
mod lesson;
mod log;
mod noticing;
mod presenting;
mod recall;
mod resume;
mod review;
mod test_user;
mod waits;
