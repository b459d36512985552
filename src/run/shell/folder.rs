//! The private folder of a living lab: what a shell needs to act in the lab, and nobody else may read.
//!
//! `lab-PROCESS.aws` lies beside the sockets of `kmslab notes`. Only its owner may look into it. The lab holds a lock in
//! it; a folder whose lock nobody holds is a dead lab's and is removed by the next one. Credentials are written only
//! when somebody asks for them: `!` in the lab, `kmslab shell` or `kmslab env`.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::net::UnixListener;

use crate::disk;
use crate::lab::Identity;
use crate::lab::stages::items;

/// The lock of a living lab.
const LOCK: &str = "lock";
/// The socket at which somebody asks for credentials.
const ASK: &str = "ask";
/// How long a lab may take to write them.
const PATIENCE: Duration = Duration::from_secs(5);
/// The credentials of both profiles.
pub const CREDENTIALS: &str = "credentials";
/// The settings of both profiles.
pub const CONFIG: &str = "config";
/// Names and values for a shell, one a line.
pub const VARIABLES: &str = "variables";
/// The first lines of a shell in which `who` is the default.
pub const fn welcome(who: Identity) -> &'static str {
    match who {
        Identity::Admin => "welcome-admin",
        Identity::TestUser => "welcome-test-user",
    }
}
/// Whose calls a shell makes by default: a profile's name.
pub const DEFAULT: &str = "default";
/// The commands of the stage that is next.
pub const HINT: &str = "hint";

/// The folder of this lab. It is removed when dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The parent, where it was made for this.
    parent: PathBuf,
    _lock: File,
    /// What each file holds: it is written only when that changes.
    written: Mutex<Vec<(&'static str, String)>>,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Where it is gone already, so much the better.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_dir(&self.parent);
    }
}

impl Folder {
    /// Makes the folder of this lab in the first of `parents` that takes one. What dead labs have left is removed.
    ///
    /// # Errors
    /// The last reason why there can be none.
    pub fn make(parents: &[PathBuf]) -> io::Result<Folder> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "there is no place for it: set XDG_RUNTIME_DIR or HOME");
        for parent in parents {
            sweep(parent);
            match Folder::make_in(parent) {
                Ok(folder) => return Ok(folder),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn make_in(parent: &Path) -> io::Result<Folder> {
        disk::make_private(parent)?;
        fs::set_permissions(parent, fs::Permissions::from_mode(0o700))?;
        // A process may run several labs, one after the other or, in tests, at once.
        let made = (0..100).find_map(|number| {
            let path = parent.join(format!("lab-{}.{number}.aws", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                made => Some(made.map(|()| path)),
            }
        });
        let path = made.unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::AlreadyExists)))?;
        let lock = disk::create_private(&path.join(LOCK))?;
        lock.try_lock()?;
        let folder = Folder { path, parent: parent.to_owned(), _lock: lock, written: Mutex::default() };
        for (number, item) in (1..).zip(items()) {
            put(&folder.path.join(format!("item-{number}.json")), &serde_json::Value::Object(item).to_string())?;
        }
        if let Ok(program) = std::env::current_exe() {
            DirBuilder::new().mode(0o700).create(folder.path.join("bin"))?;
            symlink(program, folder.path.join("bin/kmslab"))?;
        }
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Listens for those who ask for credentials.
    ///
    /// # Errors
    /// When there can be no socket: the path may be too long.
    pub fn listen(&self) -> io::Result<UnixListener> {
        UnixListener::bind(self.path.join(ASK))
    }

    /// Writes the files whose text has changed.
    ///
    /// # Errors
    /// When one can't be written.
    pub fn write(&self, files: Vec<(&'static str, String)>) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, text) in files {
            if written.iter().any(|(known, same)| *known == name && *same == text) {
                continue;
            }
            put(&self.path.join(name), &text)?;
            written.retain(|(known, _)| *known != name);
            written.push((name, text));
        }
        Ok(())
    }
}

/// Replaces a file that only its owner can read. It need not survive a power cut: nobody waits for the disk.
pub(in crate::run) fn put(path: &Path, text: &str) -> io::Result<()> {
    let mut file = disk::beside(path)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// The folders of labs below `parent`, whether they live or not.
fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let is_labs = |entry: &fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap_or_default();
        // No link: what is removed must lie here.
        name.starts_with("lab-") && name.ends_with(".aws") && entry.file_type().is_ok_and(|kind| kind.is_dir())
    };
    entries.filter(is_labs).map(|entry| entry.path()).collect()
}

/// Whether the lab of a folder lives. One that is just being made has no lock yet.
fn is_living(folder: &Path) -> io::Result<bool> {
    let lock = disk::open(&folder.join(LOCK))?;
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes what dead labs have left below `parent`.
pub fn sweep(parent: &Path) {
    for folder in folders(parent) {
        let age = |folder: &Path| fs::metadata(folder).ok()?.modified().ok()?.elapsed().ok();
        let is_dead = match is_living(&folder) {
            Ok(is_living) => !is_living,
            // Its lab died before it had the lock.
            Err(_) => age(&folder).is_some_and(|age| age.as_secs() > 60),
        };
        if is_dead {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The folder of the newest living lab.
pub fn newest(parents: &[PathBuf]) -> Option<PathBuf> {
    let living = parents.iter().flat_map(|parent| folders(parent)).filter(|path| is_living(path).unwrap_or(false));
    let began = |folder: &PathBuf| fs::metadata(folder.join(LOCK)).and_then(|lock| lock.modified());
    living.max_by_key(|folder| began(folder).unwrap_or(SystemTime::UNIX_EPOCH))
}

/// Asks the lab of `folder` for credentials, and waits until they are there.
///
/// # Errors
/// When the lab gives none in time.
pub fn ask(folder: &Path) -> io::Result<()> {
    let mut lab = UnixStream::connect(folder.join(ASK))?;
    lab.set_read_timeout(Some(PATIENCE))?;
    lab.read_exact(&mut [0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_its_owner_may_look_into_the_folder() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().join("kmslab");
        let folder = Folder::make(std::slice::from_ref(&parent)).unwrap();
        folder.write(vec![(CREDENTIALS, "secret".to_owned())]).unwrap();
        assert_eq!((mode(&parent), mode(folder.path())), (0o700, 0o700));
        for entry in fs::read_dir(folder.path()).unwrap().flatten() {
            if entry.file_name() == "bin" {
                continue; // a link to the program
            }
            let expected = if entry.file_type().unwrap().is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&entry.path()), expected, "{entry:?}");
        }
        drop(folder);
        assert!(!parent.exists());
    }

    #[test]
    fn a_dead_labs_folder_is_swept_and_a_living_one_found() {
        let parent = tempfile::tempdir().unwrap();
        let parents = [parent.path().to_owned()];
        let dead = parent.path().join("lab-1.0.aws");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join(CREDENTIALS), "secret").unwrap();
        let other = parent.path().join("lab-2.sock");
        fs::write(&other, "").unwrap();
        assert_eq!(newest(&parents), None);
        let folder = Folder::make(&parents).unwrap();
        assert!(!dead.exists() && other.exists());
        assert_eq!(newest(&parents).as_deref(), Some(folder.path()));
        let second = Folder::make(&parents).unwrap();
        assert_ne!(second.path(), folder.path());
        assert!(ask(folder.path()).is_err(), "nobody listens");
    }
}
