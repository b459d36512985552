//! The program as a person with keys starts it.

use std::path::Path;
use std::process::{Command, Stdio};

use super::bare::bare;

/// `kmslab` with these keys in the environment; its home is where its temporary files are, too.
pub fn program(home: &Path, access_key_id: &str, secret_access_key: &str) -> Command {
    let mut command = bare(home);
    command.env("AWS_ACCESS_KEY_ID", access_key_id).env("AWS_SECRET_ACCESS_KEY", secret_access_key);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it has printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
