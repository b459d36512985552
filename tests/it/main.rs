//! The integration tests of everything but terminals and signals, in one binary.
//!
//! No test here changes its environment or working directory: all share one process.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]

mod app;
mod architecture;
#[cfg(unix)]
mod attempts;
mod audience;
mod aws;
mod classroom;
#[cfg(unix)]
mod cleanup;
mod clients;
mod command_line;
mod consent;
#[cfg(unix)]
mod drills;
mod endpoints;
mod experiments;
mod faults;
mod insight;
mod lab_admin;
mod licences;
#[cfg(unix)]
mod looking;
mod mask;
#[cfg(unix)]
mod moto;
mod plain;
#[cfg(unix)]
mod profiles;
mod readme;
mod recording;
mod sandbox_sdk;
mod sandbox_wire;
mod screens;
#[path = "../support/mod.rs"]
mod support;
#[cfg(unix)]
mod tls;
mod why;
