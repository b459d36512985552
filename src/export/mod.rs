//! `kmslab export`: the lab to take home, as a write-up or as a script.

mod html;
mod markdown;
mod script;
mod write_up;

use std::io::{self, Write};
use std::path::Path;

use color_eyre::eyre::Report;

use crate::cli::{Environment, Exit, Options, UsageError, tell};
use crate::disk;
use crate::lab::Stage;
use crate::run::{lesson, session};
pub use write_up::{Block, document};

/// What a file is, by its ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Markdown,
    Html,
    Script,
}

impl Kind {
    fn of(file: &Path) -> Option<Kind> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "md" => Some(Kind::Markdown),
            "html" => Some(Kind::Html),
            "sh" => Some(Kind::Script),
            _ => None,
        }
    }
}

/// Writes the kept session, or the whole lab as a script, to `file`.
///
/// # Errors
/// Wrong usage: when the ending is unknown, the file is there already or can't be written, or no session is kept.
pub fn export(file: &Path, force: bool, options: &Options, environment: &Environment) -> Result<Exit, Report> {
    let usage = |message: String| Report::from(UsageError::new(message));
    let Some(kind) = Kind::of(file) else {
        return Err(usage(format!("{}: the ending is none of .md, .html and .sh", file.display())));
    };
    let lesson = lesson::load(options, environment)?;
    let mut note = None;
    let text = match kind {
        Kind::Script => script::script(&lesson),
        Kind::Markdown | Kind::Html => {
            let kept =
                environment.state.as_deref().map(session::read_to_write_up).transpose().map_err(usage)?.flatten();
            let kept = kept.filter(|kept| kept.ended() > 0).ok_or_else(|| {
                usage("no session is kept that could be written up: do a stage of the lab first".to_owned())
            })?;
            let (ended, of) = (kept.ended(), Stage::ALL.len());
            note = (ended < of).then(|| format!("{ended} of {of} stages have been done; the others are not in it"));
            let blocks = document(&kept, &lesson, !options.no_mask);
            if kind == Kind::Html { html::render(&blocks, &lesson.code) } else { markdown::render(&blocks) }
        }
    };
    match write(file, &text, force, kind == Kind::Script) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(usage(format!("{} is there already; --force replaces it", file.display())));
        }
        Err(error) => {
            let reason = || format!("{} can't be written: {error}", file.display());
            return Err(usage(disk::missing_folder(file).unwrap_or_else(reason)));
        }
    }
    tell(format_args!("wrote {}", file.display()));
    if let Some(note) = note {
        tell(note);
    }
    Ok(Exit::Met)
}

/// Writes the file as a whole. One that is replaced keeps its permissions.
fn write(file: &Path, text: &str, force: bool, executable: bool) -> io::Result<()> {
    let there = std::fs::metadata(file).ok();
    if !force && (there.is_some() || file.is_symlink()) {
        return Err(io::ErrorKind::AlreadyExists.into());
    } else if there.as_ref().is_some_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut draft = disk::beside_for(file, if executable { 0o755 } else { 0o666 })?;
    draft.write_all(text.as_bytes())?;
    if let Some(there) = there {
        draft.as_file().set_permissions(there.permissions())?;
    }
    disk::keep(draft, file, force).map(drop)
}
