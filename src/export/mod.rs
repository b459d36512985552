//! `kmslab export`: the lab to take home, as a write-up or as a script.

mod html;
mod markdown;
mod own_way;
mod result;
mod script;
mod write_up;

use std::io::{self, Write};
use std::path::Path;

use color_eyre::eyre::Report;
use tempfile::NamedTempFile;

use crate::cli::{Environment, Exit, Options, UsageError, tell};
use crate::disk;
use crate::lab::lesson::interface::Interface;
use crate::lab::mask::Masker;
use crate::lab::{Lesson, SavedSession, Stage};
use crate::run::{lesson, session_file};
use own_way::Own;
pub use write_up::{Block, document};

/// What a file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Markdown,
    Html,
    Script,
    Result,
}

impl Format {
    /// Returns the format that the extension of `file` stands for.
    fn of(file: &Path) -> Result<Format, UsageError> {
        let is = |name: &str| file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(name));
        let known =
            [("md", Format::Markdown), ("html", Format::Html), ("sh", Format::Script), ("json", Format::Result)];
        known.into_iter().find(|(name, _)| is(name)).map(|(_, format)| format).ok_or_else(|| {
            UsageError::new(format!("{}: the extension must be .md, .html, .json or .sh", file.display()))
        })
    }
}

/// What to export.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where to. The extension decides the format.
    pub file: &'a Path,
    /// Whether to replace a file that exists.
    pub force: bool,
    /// The learner's name, for a result.
    pub name: Option<&'a str>,
}

/// Writes the saved session, the learner's result, or the whole lab as a script.
///
/// # Errors
/// A usage error if the extension is unknown, the file exists or can't be written, no session is saved, or a name is
/// given for another format than a result.
pub fn export(wanted: &Wanted<'_>, options: &Options, environment: &Environment) -> Result<Exit, Report> {
    let Wanted { file, force, name } = *wanted;
    let format = Format::of(file)?;
    if name.is_some() && format != Format::Result {
        return Err(UsageError::new("--name is for a result: kmslab export FILE.json").into());
    }
    let lesson = lesson::load(options, environment)?;
    let note;
    let text = match format {
        Format::Script => {
            // Nothing of a session is needed: without one the script takes the usual way.
            let saved =
                environment.state.as_deref().map(session_file::read_to_write_up).transpose().ok().flatten().flatten();
            let call = saved.as_ref().and_then(|saved| {
                let masks = !options.no_mask;
                let mut masker = masks.then(|| Masker::new(&saved.run).of_sandbox(saved.place.is_sandbox()));
                Own::of(saved).call(saved, &mut masker)
            });
            note = call.as_ref().map(|call| format!("stage 7 is your own way: {}", call.name()));
            script::script(&lesson, call.as_ref())
        }
        Format::Markdown | Format::Html | Format::Result => {
            let kept = environment.state.as_deref().map(session_file::read_to_write_up).transpose();
            let has_content =
                |kept: &SavedSession| kept.ended() > 0 || (format == Format::Result && !kept.drills.is_empty());
            let kept = kept
                .map_err(UsageError::new)?
                .flatten()
                .filter(has_content)
                .ok_or_else(|| UsageError::new("there is nothing to write up yet: do a stage of the lab first"))?;
            let (ended, of) = (kept.ended(), Stage::ALL.len());
            note = (ended < of).then(|| format!("{ended} of {of} stages have been done; the others are not in it"));
            let blocks = || document(&kept, &lesson, !options.no_mask);
            match format {
                Format::Result => result::result(&kept, &lesson, name),
                Format::Html => html::render(&blocks(), &lesson.code),
                Format::Markdown | Format::Script => markdown::render(&blocks()),
            }
        }
    };
    write(file, &text, force, format == Format::Script).map_err(|error| {
        UsageError::new(match error.kind() {
            io::ErrorKind::AlreadyExists => format!("{} is there already; --force replaces it", file.display()),
            _ => disk::missing_folder(file).unwrap_or_else(|| format!("{} can't be written: {error}", file.display())),
        })
    })?;
    tell(format_args!("wrote {}", file.display()));
    if let Some(note) = note {
        tell(note);
    }
    Ok(Exit::Met)
}

/// Writes the session up in the current folder, with the learner's result beside it, under a name that is free. Returns
/// the message for the learner.
pub fn beside(saved: Option<&SavedSession>, lesson: &Lesson, masks: bool) -> String {
    let words = Interface::new(&lesson.frame.interface);
    let Some(saved) = saved else { return words.say("nothing written: this session isn't saved").to_owned() };
    let run: String = saved.run.chars().filter(char::is_ascii_alphanumeric).collect();
    let stems = std::iter::once(format!("kmslab-{run}")).chain((2..100).map(|number| format!("kmslab-{run}-{number}")));
    let write_up = html::render(&document(saved, lesson, masks), &lesson.code);
    let result = result::result(saved, lesson, None);
    let written = stems.map(|stem| [format!("{stem}.html"), format!("{stem}.json")]).find_map(|[page, data]| {
        match write_all(&[(Path::new(&page), &write_up), (Path::new(&data), &result)]) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
            written => Some(written.map(|()| (page, data))),
        }
    });
    match written {
        Some(Ok((page, data))) => words.fill("written in this folder: {}, and your result, {}", &[&page, &data]),
        Some(Err(error)) => words.fill("nothing written: {}", &[&error]),
        None => words.fill("nothing written: {}", &[&io::Error::from(io::ErrorKind::AlreadyExists)]),
    }
}

/// Writes new files: all of them, or none.
fn write_all(files: &[(&Path, &str)]) -> io::Result<()> {
    let drafts = files.iter().map(|(file, text)| draft(file, text, false, false));
    let files: Vec<&Path> = files.iter().map(|(file, _)| *file).collect();
    keep_all(drafts.collect::<io::Result<_>>()?, &files)
}

/// Gives the drafts their names. If one is taken meanwhile, none of them stays.
fn keep_all(drafts: Vec<NamedTempFile>, files: &[&Path]) -> io::Result<()> {
    for (at, (draft, file)) in drafts.into_iter().zip(files).enumerate() {
        if let Err(error) = disk::keep(draft, file, false) {
            files[..at].iter().for_each(|file| drop(std::fs::remove_file(file)));
            return Err(error);
        }
    }
    Ok(())
}

/// Writes the file as a whole. One that is replaced keeps its permissions.
fn write(file: &Path, text: &str, force: bool, executable: bool) -> io::Result<()> {
    disk::keep(draft(file, text, force, executable)?, file, force).map(drop)
}

/// The whole text in a file beside the one that it will be.
fn draft(file: &Path, text: &str, force: bool, executable: bool) -> io::Result<NamedTempFile> {
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
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let [page, data] = ["a.html", "a.json"].map(|name| folder.path().join(name));
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        let nowhere = folder.path().join("none/a.json");
        assert!(write_all(&[(&page, "page"), (&nowhere, "data")]).is_err());
        assert_eq!(names(), 0);
        std::fs::write(&data, "mine").unwrap();
        let taken = write_all(&[(&page, "page"), (&data, "data")]).unwrap_err();
        assert_eq!((taken.kind(), names()), (io::ErrorKind::AlreadyExists, 1));
        // Somebody else's comes while ours are being written.
        let late = folder.path().join("late.json");
        let drafts = [(&page, "page"), (&late, "data")].map(|(file, text)| draft(file, text, false, false).unwrap());
        std::fs::write(&late, "mine").unwrap();
        assert!(keep_all(drafts.into(), &[&page, &late]).is_err());
        assert!(!page.exists() && std::fs::read_to_string(&late).unwrap() == "mine");
        std::fs::remove_file(&data).unwrap();
        write_all(&[(&page, "page"), (&data, "data")]).unwrap();
        assert_eq!([&page, &data].map(|file| std::fs::read_to_string(file).unwrap()), ["page", "data"]);
    }
}
