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

    /// Keeps `verified` in place of what was kept of this stage before.
    ///
    /// # Errors
    /// Why that is not possible; what was kept before stays.
    pub fn store(&self, verified: &RecordedStage) -> Result<(), String> {
        let (Some(folder), Some(path)) = (&self.folder, self.path(verified.stage)) else {
            return Err("no home folder is known".to_owned());
        };
        let content = Content { version: VERSION, origin: self.origin.clone(), verified };
        write(folder, &path, &content).map_err(|error| error.to_string())
    }

    /// What was kept of `stage`, of `account` where that is known.
    ///
    /// # Errors
    /// A sentence where something was kept that can't be shown.
    pub fn load(&self, stage: Stage, account: Option<&str>) -> Result<Option<Box<RecordedStage>>, String> {
        let Some(path) = self.path(stage) else { return Ok(None) };
        let content = match read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err("the kept answer can't be read".to_owned()),
        };
        let verified = content.verified;
        if content.version != VERSION {
            return Err("the kept answer is of another version".to_owned());
        }
        let is_of_stage = verified.exchanges.iter().all(|exchange| exchange.stage == stage);
        if content.origin != self.origin || verified.stage != stage || !is_of_stage || verified.exchanges.is_empty() {
            return Err("the kept answer is not of this stage".to_owned());
        }
        if account.is_some_and(|account| account != verified.admin.account) {
            return Err("the kept answer is of another account".to_owned());
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
