//! The temporary folder of a database, and those that killed processes have left.
//!
//! A lock on a file in the folder says that a process has it. The system lets go of the lock when the process ends,
//! however that happens.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::lock::Lock;
use crate::disk;

const PREFIX: &str = "kmslab-";

/// Not the file name of a `--data` folder's lock: such a folder may have any name, may even be beside these folders, and
/// must never be removed.
const LOCK_FILE: &str = "temporary.lock";

/// The folders of this process.
static OWN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A locked temporary folder. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Temporary {
    // Before the lock: nobody else may take the folder for a dead process's while it goes.
    folder: TempDir,
    _lock: Lock,
}

impl Temporary {
    /// Creates one. Removes folders that no process has locked, in the background.
    pub(super) fn new() -> io::Result<Temporary> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir()?;
        let made = folder.path().join("new.lock");
        let file = disk::create_private(&made)?;
        // The file that others look for is locked from the moment it has its name.
        file.lock()?;
        fs::rename(&made, folder.path().join(LOCK_FILE))?;
        own().push(folder.path().to_owned());
        if let Some(parent) = folder.path().parent().map(Path::to_owned) {
            // There may be thousands of other files. If no thread can start, they stay until the next time.
            let sweeping = std::thread::Builder::new().name("kmslab-sweep".to_owned());
            let _ = sweeping.spawn(move || sweep(&parent));
        }
        Ok(Temporary { folder, _lock: Lock(file) })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        own().retain(|path| path != self.folder.path());
    }
}

fn own() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the temporary folders of this process, which is about to end without dropping anything.
pub fn abandon() {
    for folder in own().drain(..) {
        // The next process tries again.
        let _ = fs::remove_dir_all(folder);
    }
}

/// Removes the folders in `parent` that killed processes have left.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            // If it is another user's, in use or already gone, it is left alone.
            let _ = remove_abandoned(&entry.path());
        }
    }
}

/// Removes `folder` if this user has made it, with a lock in it that nobody holds.
fn remove_abandoned(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    let path = folder.join(LOCK_FILE);
    let lock = fs::symlink_metadata(&path)?;
    if !(metadata.is_dir() && lock.is_file() && is_own(&metadata) && is_own(&lock)) {
        return Ok(());
    }
    let file = File::options().read(true).write(true).open(path)?;
    if file.try_lock().is_err() {
        return Ok(());
    }
    let lock = Lock(file);
    fs::remove_dir_all(folder)?;
    drop(lock);
    Ok(())
}

/// Returns whether it belongs to this user and is closed to others. In a folder like /tmp nobody else can make a file of
/// this user's.
#[cfg(unix)]
fn is_own(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o077 == 0
}

/// On these systems a temporary folder belongs to its user.
#[cfg(not(unix))]
fn is_own(_: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(parent: &Path, name: &str, lock: bool) -> PathBuf {
        let path = parent.join(name);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).unwrap();
        fs::write(path.join("kmslab.db"), "x").unwrap();
        if lock {
            disk::create_private(&path.join(LOCK_FILE)).unwrap();
        }
        path
    }

    #[test]
    fn only_abandoned_folders_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let dead = folder(parent.path(), "kmslab-dead", true);
        let held = folder(parent.path(), "kmslab-held", true);
        let lock = File::options().write(true).open(held.join(LOCK_FILE)).unwrap();
        lock.lock().unwrap();
        let no_lock = folder(parent.path(), "kmslab-without", false);
        let others = folder(parent.path(), "other-dead", true);
        let kept = parent.path().join("kmslab-data");
        drop(super::super::Store::persistent(&kept).unwrap());
        #[cfg(unix)]
        let (open, linked) = {
            use std::os::unix::fs::PermissionsExt;
            let open = folder(parent.path(), "kmslab-open", true);
            fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
            let linked = parent.path().join("kmslab-link");
            std::os::unix::fs::symlink(&others, &linked).unwrap();
            (open, linked)
        };
        sweep(parent.path());
        assert!(!dead.exists());
        assert!(held.join("kmslab.db").exists() && no_lock.exists() && others.join("kmslab.db").exists());
        assert!(kept.join("kmslab.db").exists(), "--data folders are not temporary, whatever their names");
        #[cfg(unix)]
        assert!(open.exists() && linked.exists());
        drop(lock);
        sweep(parent.path());
        assert!(!held.exists());
    }

    #[test]
    fn a_new_one_is_held_until_it_goes() {
        let temporary = Temporary::new().unwrap();
        let path = temporary.path().to_owned();
        assert!(remove_abandoned(&path).is_ok() && path.exists());
        drop(temporary);
        assert!(!path.exists());
    }
}
