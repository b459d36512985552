//! Values: stages, operations, calls and their responses, facts, policies. Imports nothing of the lab.

pub mod adoption;
pub mod backend;
pub mod backoff;
pub mod batch;
pub mod certainty;
pub mod choice;
pub mod command_line;
pub mod drill;
pub mod exchange;
pub mod experiment;
pub mod facts;
pub mod glyphs;
pub mod inspection;
pub mod key_policy;
pub mod keymap;
pub mod masked;
pub mod noticed;
pub mod operation;
pub mod outcome;
pub mod policy_diff;
pub mod redact;
pub mod search;
pub mod stage;
pub mod statement;
pub mod test_user;
pub mod until;
