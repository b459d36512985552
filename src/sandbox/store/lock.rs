//! The lock that says which process has a folder.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::disk;
use crate::sandbox::start_error::StartError;

const LOCK_FILE: &str = "kmslab.lock";

/// The lock of a folder. Dropping it unlocks the file explicitly: a child process that was just started holds a copy of the
/// open file for a moment, and closing ours alone would leave that copy locked.
#[derive(Debug)]
pub(super) struct Lock(pub(super) File);

impl Lock {
    /// Takes the lock of a data folder.
    ///
    /// # Errors
    /// If another process holds it, or the file can't be made.
    pub(super) fn take(folder: &Path) -> Result<Self, StartError> {
        let path = folder.join(LOCK_FILE);
        let failed = |source| StartError::Folder { path: path.clone(), source };
        let file = disk::open_or_make(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StartError::InUse { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
