//! The program in a home of its own, with nothing of this machine in its environment.

use std::path::Path;
use std::process::{Command, Stdio};

/// `kmslab` without AWS settings; its home is where its temporary files are, too.
pub fn bare(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmslab"));
    command.env_clear().env("HOME", home).env("TMPDIR", home).env("AWS_EC2_METADATA_DISABLED", "true");
    command.stdin(Stdio::null());
    command
}
