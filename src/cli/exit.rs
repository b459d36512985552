//! The exit status, and the error that stands for wrong usage.

use std::process::ExitCode;

/// The exit status, as the contract has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every stage's expectation was met; for a lab left early: of every stage that was run.
    Met,
    /// An expectation was not met.
    NotMet,
    /// Wrong usage or configuration.
    Usage,
    /// Something survived the clean-up.
    Survivors,
    /// The backend can't be reached or refuses the credentials.
    Backend,
    /// Ended by this signal.
    Signal(u8),
}

impl Exit {
    /// Returns its number.
    pub fn status(self) -> u8 {
        match self {
            Exit::Met => 0,
            Exit::NotMet => 1,
            Exit::Usage => 2,
            Exit::Survivors => 3,
            Exit::Backend => 4,
            Exit::Signal(number) => 128 + number,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.status())
    }
}

/// The exit status that a shell reports for a program that SIGPIPE (13) has ended.
pub const READER_GONE: Exit = Exit::Signal(13);

/// Wrong usage or configuration, as a sentence that says what to do. Ends the program with [`Exit::Usage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl UsageError {
    /// Makes an error from a message, or from another error.
    pub fn new(message: impl ToString) -> UsageError {
        UsageError(message.to_string())
    }
}
