//! `kmslab man`: the manual page, for packages. Not in the help, since a package has it already.

use std::io::Write;

use color_eyre::eyre::{Report, WrapErr};

use crate::cli::{Exit, UsageError, help, out};

/// Prints the manual page of `command`, or of the program, in roff.
///
/// # Errors
/// When there is no such command, or nothing can be printed.
pub fn man(command: Option<&str>) -> Result<Exit, Report> {
    let Some(manual) = help::manual(command) else {
        let name = command.unwrap_or_default();
        return Err(UsageError::new(format!("there is no command {name:?}: `kmslab --help` lists them")).into());
    };
    let mut page = Vec::new();
    manual.render(&mut page).wrap_err("the manual page could not be made")?;
    let mut out = out();
    out.write_all(&page).and_then(|()| out.flush()).wrap_err("the manual page could not be printed")?;
    Ok(Exit::Met)
}
