//! `kmslab class DIR`: a table of the `result.json` files of a class, with those who need help first.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use color_eyre::eyre::Report;
use serde::Deserialize;

use super::report::print;
use crate::cli::{Exit, UsageError, printable, tell};
use crate::disk;
use crate::lab::Stage;
use crate::lab::class::table::{Row, as_csv, as_text, sort};

/// The largest result, in bytes. A real one has about 4 KB.
const LARGEST: u64 = 256 * 1024;
/// The most files that are read.
const MOST_FILES: usize = 2_000;
/// The most entries of a folder that are looked at.
const MOST_ENTRIES: usize = 20_000;
/// The longest name, in characters.
const LONGEST_NAME: usize = 80;
/// The version of the schema that this program reads.
const SCHEMA: u32 = 1;
/// What is read of a file. All else in it is ignored.
#[derive(Deserialize)]
struct Read {
    schema: u32,
    name: Option<String>,
    seconds: Option<u64>,
    stages: Vec<ReadStage>,
    drills: Vec<ReadDrill>,
}

#[derive(Deserialize)]
struct ReadStage {
    stage: String,
    met: Option<bool>,
    answer: String,
    hints: u32,
}

#[derive(Deserialize)]
struct ReadDrill {
    drill: String,
    solved: bool,
}

/// Prints the table of the results in `folder`, or writes it as CSV to `csv`; `-` is stdout.
///
/// # Errors
/// If the folder can't be read, has no result, or the table can't be written.
pub fn table(folder: &Path, csv: Option<&Path>) -> Result<Exit, Report> {
    let mut rows = Vec::new();
    for file in files(folder)? {
        match disk::read_text(&file, LARGEST).map_err(Unreadable::from).and_then(|text| row(&text, &file)) {
            Ok(row) => rows.push(row),
            Err(why) => tell(format_args!("{} is skipped: {why}", file.display())),
        }
    }
    if rows.is_empty() {
        let advice = "learners write theirs with `kmslab export result.json --name NAME`";
        return Err(UsageError::new(format_args!("{} has no results: {advice}", folder.display())).into());
    }
    sort(&mut rows);
    match csv {
        None => print(as_text(&rows).trim_end())?,
        Some(file) if file == Path::new("-") => print(as_csv(&rows).trim_end())?,
        Some(file) => {
            let made = OpenOptions::new().write(true).create_new(true).open(file);
            let written = made.and_then(|mut made| made.write_all(as_csv(&rows).as_bytes()));
            let wrong =
                |error| UsageError::new(format_args!("{} can't be written: {error}: name a new file", file.display()));
            written.map_err(wrong)?;
        }
    }
    Ok(Exit::Met)
}

/// The `.json` files of `folder`, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Report> {
    let wrong = |error| UsageError::new(format_args!("{} can't be read: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(wrong)?;
    let mut files = Vec::new();
    for (index, entry) in entries.enumerate() {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            files.push(path);
        }
        if files.len() > MOST_FILES || index >= MOST_ENTRIES {
            let most = format!("at most {MOST_FILES} results among {MOST_ENTRIES} files");
            return Err(UsageError::new(format_args!("{} has too many files: {most}", folder.display())).into());
        }
    }
    files.sort();
    Ok(files)
}

/// Why a file gives no line.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error("it is no result of kmslab ({0})")]
    NoResult(#[from] serde_json::Error),
    #[error("its schema is {0}, and this program reads {SCHEMA}")]
    Schema(u32),
    #[error("it has a stage twice, or one that the lab doesn't have")]
    Stages,
}

/// The line of the result `text`. Without a name in it, the learner is called as `file`.
fn row(text: &str, file: &Path) -> Result<Row, Unreadable> {
    let read: Read = serde_json::from_str(text)?;
    if read.schema != SCHEMA {
        return Err(Unreadable::Schema(read.schema));
    }
    let mut seen: Vec<&str> = read.stages.iter().map(|stage| stage.stage.as_str()).collect();
    seen.sort_unstable();
    seen.dedup();
    let known = |key: &&str| Stage::ALL.into_iter().any(|stage| stage.key() == *key);
    if seen.len() != read.stages.len() || !seen.iter().all(known) {
        return Err(Unreadable::Stages);
    }
    let count = |met| read.stages.iter().filter(|stage| stage.met == Some(met)).count();
    let answers = |wanted: &[&str]| read.stages.iter().filter(|stage| wanted.contains(&stage.answer.as_str())).count();
    let stem = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = read.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(stem);
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_NAME).collect();
    // A file has the best and the latest result of a drill.
    let distinct = |only_solved: bool| {
        let drills = read.drills.iter().filter(|drill| drill.solved || !only_solved);
        drills.map(|drill| drill.drill.as_str()).collect::<BTreeSet<_>>().len()
    };
    Ok(Row {
        name: printable(name.trim()),
        met: count(true),
        not_met: count(false),
        right: answers(&["right"]),
        answered: answers(&["right", "wrong"]),
        hints: read.stages.iter().map(|stage| u64::from(stage.hints)).sum(),
        solved: distinct(true),
        drills: distinct(false),
        seconds: read.seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, stages: &str) -> Result<Row, Unreadable> {
        let name = serde_json::to_string(name).unwrap();
        let text = format!(
            r#"{{"schema":1,"name":{name},"seconds":9,"stages":[{stages}],"drills":[{{"drill":"a","solved":true}}]}}"#
        );
        row(&text, Path::new("file.json"))
    }

    fn stage(index: usize, met: bool, answer: &str) -> String {
        format!(r#"{{"stage":"{}","met":{met},"answer":"{answer}","hints":1}}"#, Stage::ALL[index].key())
    }

    #[test]
    fn a_learner_with_an_unmet_stage_comes_first() {
        let mut rows = vec![
            named("Ada", &stage(0, true, "right")).unwrap(),
            named("Ben", &stage(0, true, "wrong")).unwrap(),
            named("Chidi", &stage(0, false, "skipped")).unwrap(),
            named("", "").unwrap(),
        ];
        sort(&mut rows);
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["Chidi", "file", "Ben", "Ada"]);
        assert_eq!((rows[3].right, rows[3].answered, rows[0].answered, rows[3].hints), (1, 1, 0, 1));
    }

    #[test]
    fn no_name_is_a_formula_or_breaks_a_line() {
        for (name, expected) in [
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("\t@SUM(A1)", "\"'@SUM(A1)\""),
            ("A \"B\", C\nD", "\"A \"\"B\"\", C D\""),
        ] {
            let text = as_csv(&[named(name, "").unwrap()]);
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.lines().nth(1).unwrap().starts_with(expected), "{text}");
        }
        assert_eq!(named(&"x".repeat(999), "").unwrap().name.len(), LONGEST_NAME);
    }

    #[test]
    fn a_foreign_file_is_refused() {
        assert!(row("[]", Path::new("a.json")).is_err());
        let newer = row(r#"{"schema":2,"stages":[],"drills":[]}"#, Path::new("a.json"));
        assert!(matches!(newer, Err(Unreadable::Schema(2))));
        assert!(named("Ada", &[stage(0, true, "right"), stage(0, true, "right")].join(",")).is_err());
    }
}
