//! The journals of other runs: what a run has left behind, and whether its lab is alive.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::line::{Head, Line};
use crate::disk;
use crate::lab::redact;

/// A journal that a run has left.
#[derive(Debug)]
pub struct Left {
    /// Its first line.
    pub head: Head,
    /// The ARNs of the keys that the run is known to have created.
    pub keys: Vec<String>,
    /// Whether there is, or may be, a key: a CreateKey was sent, and not every one was refused.
    pub may_have_key: bool,
    /// What the lab had taken over from another client: the operation that made it, and its name.
    pub adopted: BTreeSet<(String, String)>,
    path: PathBuf,
    /// Locked, as long as it is open: no other clean-up works on the same run.
    _file: File,
}

impl Left {
    /// Removes the file: nothing of the run is left.
    ///
    /// # Errors
    /// When the file can't be removed.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// Why a file is not a journal.
#[derive(Debug, thiserror::Error)]
enum NotAJournal {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("it is not UTF-8 text")]
    NotText,
    #[error("it is empty")]
    Empty,
    #[error("its first line is none: {0}")]
    FirstLine(#[from] serde_json::Error),
    #[error("its {name} is {value:?}, which no lab writes")]
    Value { name: &'static str, value: String },
}

/// All journals of a folder.
#[derive(Debug, Default)]
pub struct Journals {
    /// Of runs that have ended; each is locked.
    pub left: Vec<Left>,
    /// Runs whose journal is locked by somebody else: a living lab, or another clean-up.
    pub living: Vec<String>,
    /// Files that are no journals, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl Journals {
    /// Reads the journals in `folder`. A folder that does not exist holds none.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn read(folder: &Path) -> io::Result<Journals> {
        let mut journals = Journals::default();
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(journals),
            Err(error) => return Err(error),
        };
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        for path in paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")) {
            let run = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match open(&path) {
                Ok(Some(file)) => match parse(&file) {
                    Ok(Parsed { head, keys, may_have_key, adopted }) => {
                        journals.left.push(Left { head, keys, may_have_key, adopted, path, _file: file });
                    }
                    Err(reason) => journals.unreadable.push((path, reason.to_string())),
                },
                Ok(None) => journals.living.push(run),
                // The lab that had it has ended meanwhile and left nothing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => journals.unreadable.push((path, error.to_string())),
            }
        }
        Ok(journals)
    }
}

/// Whether the lab of this run is alive: its journal is locked.
pub fn is_living(folder: &Path, run: &str) -> bool {
    matches!(open(&folder.join(format!("{run}.jsonl"))), Ok(None))
}

/// The locked file, or `None` where somebody else has locked it.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    let file = disk::open_with(OpenOptions::new().read(true).append(true), path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Refuses a first line that no lab has written: its values lead to servers and go into names, and they are shown.
fn check(head: &Head) -> Result<(), NotAJournal> {
    let is_id = |text: &str| !text.is_empty() && text.len() <= 32 && text.bytes().all(|c| c.is_ascii_alphanumeric());
    let is_region = |text: &str| text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    let is_clean = |text: &Option<String>| text.as_ref().is_none_or(|text| redact::clean(text) == *text);
    let wrong = [
        ("run", is_id(&head.run), &Some(head.run.clone())),
        ("region", is_region(&head.region), &Some(head.region.clone())),
        ("endpoint", is_clean(&head.endpoint), &head.endpoint),
        ("admin_profile", is_clean(&head.admin_profile), &head.admin_profile),
        ("account", is_clean(&head.account), &head.account),
    ];
    match wrong.into_iter().find(|(_, fits, _)| !fits) {
        Some((name, _, value)) => Err(NotAJournal::Value { name, value: value.clone().unwrap_or_default() }),
        None => Ok(()),
    }
}

/// What a journal says.
struct Parsed {
    head: Head,
    keys: Vec<String>,
    may_have_key: bool,
    adopted: BTreeSet<(String, String)>,
}

/// The first line, the keys that were created, whether there may be one, and what was adopted. A last line that was cut off
/// is left out: its call was not sent, or it is the result of one whose intent is there.
fn parse(file: &File) -> Result<Parsed, NotAJournal> {
    let text = disk::read_all(file, disk::STATE)?;
    let text = String::from_utf8(text).map_err(|_| NotAJournal::NotText)?;
    let mut lines = text.lines();
    let head = lines.next().ok_or(NotAJournal::Empty)?;
    let head: Head = serde_json::from_str(head)?;
    check(&head)?;
    let (mut keys, mut open, mut adopted) = (Vec::new(), 0_u32, BTreeSet::new());
    for line in lines.filter_map(|line| serde_json::from_str(line).ok()) {
        match line {
            Line::Intent { intent, .. } if intent == "CreateKey" => open += 1,
            Line::Result { result, ok: Some(false), .. } if result == "CreateKey" => open = open.saturating_sub(1),
            Line::Result { result, id: Some(id), ok: Some(true) } if result == "CreateKey" => keys.push(id),
            // Names go into calls, and are shown.
            Line::Adopted { name, .. } if name.is_empty() || redact::clean(&name) != name => {}
            Line::Adopted { adopted: operation, name } => {
                keys.extend((operation == "CreateKey").then(|| name.clone()));
                adopted.insert((operation, name));
            }
            Line::Intent { .. } | Line::Result { .. } => {}
        }
    }
    Ok(Parsed { head, keys, may_have_key: open > 0, adopted })
}
