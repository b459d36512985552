//! The temporary folder of a database, and the folders and films that killed processes have left.
//!
//! A lock on a file in the folder, or on the film, says that a process has it. The system lets go of the lock when the process ends,
//! however that happens.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
#[cfg(unix)]
use std::time::Duration;

use tempfile::TempDir;

use super::{LOCK_FILE, Lock};
use crate::disk;

const PREFIX: &str = "kmslab-";

/// How the pictures end that a film is made of for ffmpeg.
const FILM: &str = ".gif";

/// A film is locked much sooner.
#[cfg(unix)]
const NEW: Duration = Duration::from_secs(60);

/// The folders of this process.
static OWN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A temporary folder that is held. It is removed when dropped.
#[derive(Debug)]
pub(super) struct Temporary {
    // Before the lock: nobody else may take the folder for a dead process's while it goes.
    folder: TempDir,
    _lock: Lock,
}

impl Temporary {
    /// Makes one. Folders that nobody holds any more are removed meanwhile.
    pub(super) fn new() -> io::Result<Temporary> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir()?;
        let made = folder.path().join("new.lock");
        let file = disk::create_private(&made)?;
        // A file of the name that others look for is held from its first moment on.
        file.lock()?;
        fs::rename(&made, folder.path().join(LOCK_FILE))?;
        own().push(folder.path().to_owned());
        if let Some(parent) = folder.path().parent().map(Path::to_owned) {
            // There may be thousands of other files. Where there can be no thread, they stay for another time.
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

/// Removes what killed processes have left in `parent`.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        // Somebody else's, or in use, or gone by now: none of that is for this process to mend.
        let _ = match name.to_str() {
            Some(name) if name.starts_with(PREFIX) && name.ends_with(FILM) => remove_film(&entry.path()),
            Some(name) if name.starts_with(PREFIX) => remove_abandoned(&entry.path()),
            _ => Ok(()),
        };
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

/// Removes what was to become a video, if this user has made it and nobody holds it. A new one may be about to be locked.
#[cfg(unix)]
fn remove_film(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    let is_new = metadata.modified()?.elapsed().is_ok_and(|age| age < NEW);
    if !metadata.is_file() || (metadata.len() == 0 && is_new) || !is_own(&metadata) {
        return Ok(());
    }
    let file = File::open(path)?;
    if file.try_lock().is_err() {
        return Ok(());
    }
    fs::remove_file(path)
}

/// Films are not locked there.
#[cfg(not(unix))]
fn remove_film(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether this user has made it and nobody else may look into it. In a folder like /tmp nobody else can give it such an
/// owner.
#[cfg(unix)]
fn is_own(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o077 == 0
}

/// There a temporary folder is its user's own.
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
    fn what_nobody_holds_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let dead = folder(parent.path(), "kmslab-dead", true);
        let held = folder(parent.path(), "kmslab-held", true);
        let lock = File::options().write(true).open(held.join(LOCK_FILE)).unwrap();
        lock.lock().unwrap();
        let no_lock = folder(parent.path(), "kmslab-without", false);
        let others = folder(parent.path(), "other-dead", true);
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
        #[cfg(unix)]
        assert!(open.exists() && linked.exists());
        drop(lock);
        sweep(parent.path());
        assert!(!held.exists());
    }

    #[cfg(unix)]
    #[test]
    fn films_that_nobody_holds_are_removed_and_nothing_else() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let film = |name: &str, content: &str| {
            let path = parent.path().join(name);
            disk::create_private(&path).unwrap();
            fs::write(&path, content).unwrap();
            path
        };
        let [dead, held, open] = ["kmslab-a.gif", "kmslab-b.gif", "kmslab-c.gif"].map(|name| film(name, "GIF89a"));
        let (new, old, others) = (film("kmslab-d.gif", ""), film("kmslab-f.gif", ""), film("holiday.gif", "GIF89a"));
        let long_ago = std::time::SystemTime::now() - NEW * 2;
        File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        let linked = parent.path().join("kmslab-e.gif");
        std::os::unix::fs::symlink(&others, &linked).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
        let lock = File::open(&held).unwrap();
        lock.lock().unwrap();
        sweep(parent.path());
        assert!(!dead.exists() && !old.exists());
        assert!([&held, &open, &new, &others, &linked].into_iter().all(|path| path.exists()));
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
