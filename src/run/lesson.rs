//! Where the lesson's texts come from: the program, or a folder of one's own; and `kmslab lesson check`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr};

use crate::cli::{Environment, Exit, Options, UsageError, out, printable};
use crate::disk;
use crate::lab::Lesson;
use crate::lab::lesson::{FALLBACK, Files, lint};

/// The lesson files of the folder `own`, or the embedded ones.
fn files(own: Option<&Path>) -> Result<Files, Report> {
    let Some(folder) = own else { return Ok(Files::embedded()) };
    let trouble = |path: &Path| UsageError::new(format!("the lesson file {} can't be read", path.display()));
    let mut files = Vec::new();
    let mut take = |path: &Path, name: String| -> Result<(), Report> {
        files.push((name, disk::read_text(path, disk::SETTINGS).wrap_err_with(|| trouble(path))?));
        Ok(())
    };
    for (path, name) in entries(folder)? {
        if path.is_dir() {
            for (inner, inner_name) in entries(&path)?.into_iter().filter(|(_, name)| name.ends_with(".toml")) {
                take(&inner, format!("{name}/{inner_name}"))?;
            }
        } else if name.ends_with(".toml") {
            take(&path, name)?;
        }
    }
    Ok(Files::new(files))
}

/// What is in a folder: paths and names, in order.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, String)>, Report> {
    let trouble = || UsageError::new(format!("the lesson folder {} can't be read", folder.display()));
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
        .wrap_err_with(trouble)?
        .into_iter()
        .map(|entry| (entry.path(), entry.file_name().to_string_lossy().into_owned()))
        .collect::<Vec<_>>();
    entries.sort();
    Ok(entries)
}

/// The lesson in the language that was asked for, or the locale's.
///
/// # Errors
/// When its files can't be read or are wrong, or there is none in the language that was asked for.
pub fn load(options: &Options, environment: &Environment) -> Result<Arc<Lesson>, Report> {
    let language = options.lang.as_deref().or(environment.language.as_deref()).unwrap_or(FALLBACK);
    if options.lesson.is_none() && language == FALLBACK {
        return Ok(Lesson::english());
    }
    let own = files(options.lesson.as_deref())?;
    if let Some(folder) = options.lesson.as_deref().filter(|_| own.languages().is_empty()) {
        let folder = folder.display();
        return Err(
            UsageError::new(format!("{folder} has no lesson: its files are named like {FALLBACK}/who.toml")).into()
        );
    }
    // What a folder lacks comes from the embedded set.
    let files = own.or(Files::embedded());
    let language = match &options.lang {
        _ if files.has_language(language) => language,
        Some(unknown) => {
            let message = format!("there is no lesson in {unknown}; there are: {}", files.languages().join(", "));
            return Err(UsageError::new(message).into());
        }
        None => FALLBACK,
    };
    Ok(Arc::new(Lesson::parse(&files, language).map_err(|problem| UsageError::new(problem.to_string()))?))
}

/// Names what is wrong with the lesson files.
///
/// # Errors
/// When they can't be read, or the lines can't be written.
pub fn check(folder: Option<&Path>) -> Result<Exit, Report> {
    let files = files(folder)?;
    let problems = lint::check(&files);
    let mut out = out();
    let written = match problems.is_empty() {
        true => writeln!(out, "the lesson is complete in: {}", files.languages().join(", ")),
        false => problems.iter().try_for_each(|problem| writeln!(out, "{}", printable(&problem.to_string()))),
    };
    written.wrap_err("the lines could not be written")?;
    Ok(if problems.is_empty() { Exit::Met } else { Exit::NotMet })
}
