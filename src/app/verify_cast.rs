//! `kmslab verify-cast`.

use std::io;
use std::path::Path;

use color_eyre::eyre::Report;

use super::report::print;
use crate::cli::{Exit, UsageError};
use crate::disk;
use crate::record::clock;
use crate::record::verify::{Allowed, Found, verify as find};

/// Searches a recording for what should not be published, except the texts in the file `allow`. `-` is the standard
/// input.
///
/// # Errors
/// If a file can't be read, or the recording is not text.
pub fn verify(file: &Path, allow: Option<&Path>) -> Result<Exit, Report> {
    let unreadable =
        |path: &Path, error: io::Error| UsageError::new(format!("{} can't be read: {error}", path.display()));
    let allowed =
        allow.map(|path| disk::read_text(path, disk::SETTINGS).map_err(|error| unreadable(path, error))).transpose()?;
    let allowed = Allowed::parse(&allowed.unwrap_or_default());
    let read = match file == Path::new("-") {
        true => disk::read_all(io::stdin(), disk::RECORDING),
        false => disk::read(file, disk::RECORDING),
    };
    let bytes = read.map_err(|error| unreadable(file, error))?;
    // "Nothing found" would be wrong: pictures are not searched.
    if bytes.contains(&0) {
        let text = "it is no text; what stands in pictures can't be looked for";
        let advice = "record a .cast or a .kmslab of the same lab, and look into that";
        return Err(UsageError::new(format!("{}: {text}\n  {advice}", file.display())).into());
    }
    let lines: Vec<String> = find(&bytes, allowed)
        .into_iter()
        .map(|Found { line, column, at, what, shown }| {
            let at = at.map(|at| format!("at {}: ", clock(at))).unwrap_or_default();
            format!("{}:{line}:{column}: {at}{what}: {}…", file.display(), shown.escape_debug())
        })
        .collect();
    if lines.is_empty() {
        print(&format!("{}: nothing found", file.display()))?;
        return Ok(Exit::Met);
    }
    print(&lines.join("\n"))?;
    Ok(Exit::NotMet)
}
