//! What a command prints of its result, and the exit status of an error.

use std::io::Write;

use color_eyre::eyre::{Report, WrapErr};

use crate::aws::ConfigError;
use crate::cli::{Exit, READER_GONE, UsageError, is_reader_gone, out, printable};
use crate::run::pseudonyms;
use crate::sandbox::StartError;

/// Describes an error: its message and those of its causes, each once; masked where everything is.
pub fn describe(error: &Report) -> String {
    pseudonyms::written(&crate::aws::chain(error.as_ref()))
}

/// Returns the exit status of an error.
pub fn exit_of(error: &Report) -> Exit {
    if is_reader_gone(error.as_ref()) {
        return READER_GONE;
    }
    // The user's or the machine's setup is wrong; any other error counts as an expectation not met.
    if error.downcast_ref::<ConfigError>().is_some_and(ConfigError::is_unreachable) {
        return Exit::Backend;
    }
    if error.is::<StartError>() || error.is::<ConfigError>() || error.is::<UsageError>() {
        Exit::Usage
    } else {
        Exit::NotMet
    }
}

/// Prints lines on stdout.
pub(super) fn print(text: &str) -> Result<(), Report> {
    let mut out = out();
    writeln!(out, "{}", printable(text)).and_then(|()| out.flush()).wrap_err("the lines could not be written")
}
