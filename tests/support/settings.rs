//! Settings of the person who runs the tests, which the tests must not see.

use std::process::Command;

/// Takes the settings of AWS's clients, and proxies, from the environment of `command`.
pub fn without_settings(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command
}
