//! The newest answers of each stage that was met, on the disk: what is shown as REPLAY when nothing answers.
//!
//! `verified/<place,region,profile>/<stage>.json`, readable by its owner alone. It holds what the panes show: ids as they
//! came, and no secret. What can't be read is ignored, with a sentence.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::disk;
use crate::lab::{Backend, RecordedStage, Stage, redact};

/// The version of the file's form.
const VERSION: u32 = 1;

/// Why responses can't be cached, or a file can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no place for files.
    #[error("no home folder is known")]
    NoFolder,
    /// The file can't be written.
    #[error(transparent)]
    Unwritable(#[from] io::Error),
    /// The file can't be read.
    #[error("the kept answer can't be read")]
    Unreadable,
    /// Another version of kmslab wrote it.
    #[error("the kept answer is of another version")]
    OtherVersion,
    /// Its content is not this stage's, or of another place.
    #[error("the kept answer is not of this stage")]
    OtherStage,
    /// It is of another account.
    #[error("the kept answer is of another account")]
    OtherAccount,
}

/// A file's content.
#[derive(Serialize, Deserialize)]
struct Content<V> {
    version: u32,
    /// The folder's name, too: where the calls went and whose they were.
    origin: String,
    #[serde(flatten)]
    verified: V,
}

/// Where the answers of one place, region and profile are kept.
#[derive(Debug, Clone)]
pub struct AnswerCache {
    folder: Option<PathBuf>,
    origin: String,
}

impl AnswerCache {
    /// The shelf for `backend` below `folder`; `None` where no folder is known, so that nothing is kept.
    pub fn new(folder: Option<&Path>, backend: &Backend, admin_profile: Option<&str>) -> AnswerCache {
        let parts = [backend.host().unwrap_or("aws"), &backend.region, admin_profile.unwrap_or("default")];
        let origin = parts.map(file_name).join(",");
        AnswerCache { folder: folder.map(|folder| folder.join(&origin)), origin }
    }

    fn path(&self, stage: Stage) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{}.json", stage.key())))
    }

    /// Writes `verified` in place of what was cached of this stage before.
    ///
    /// # Errors
    /// If it can't be written; what was cached before stays.
    pub fn store(&self, verified: &RecordedStage) -> Result<(), CacheError> {
        let (Some(folder), Some(path)) = (&self.folder, self.path(verified.stage)) else {
            return Err(CacheError::NoFolder);
        };
        let content = Content { version: VERSION, origin: self.origin.clone(), verified };
        Ok(write(folder, &path, &content)?)
    }

    /// Reads what was cached of `stage`, of `account` if that is known.
    ///
    /// # Errors
    /// If there is a file that can't be shown.
    pub fn load(&self, stage: Stage, account: Option<&str>) -> Result<Option<Box<RecordedStage>>, CacheError> {
        let Some(path) = self.path(stage) else { return Ok(None) };
        let content = match read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err(CacheError::Unreadable),
        };
        let verified = content.verified;
        if content.version != VERSION {
            return Err(CacheError::OtherVersion);
        }
        let is_of_stage = verified.exchanges.iter().all(|exchange| exchange.stage == stage);
        if content.origin != self.origin || verified.stage != stage || !is_of_stage || verified.exchanges.is_empty() {
            return Err(CacheError::OtherStage);
        }
        if account.is_some_and(|account| account != verified.admin.account) {
            return Err(CacheError::OtherAccount);
        }
        Ok(Some(Box::new(verified)))
    }
}

/// `text` as a part of a file's name, another one for every other text.
fn file_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    name
}

fn write(folder: &Path, path: &Path, content: &impl Serialize) -> io::Result<()> {
    disk::make_private(folder)?;
    disk::write(path, &serde_json::to_vec(content)?)
}

fn read(path: &Path) -> io::Result<Content<RecordedStage>> {
    let mut value: Value = serde_json::from_slice(&disk::read(path, disk::STATE)?)?;
    // As an answer from a server: somebody may have written into the file.
    redact::redact(&mut value);
    Ok(serde_json::from_value(value)?)
}
