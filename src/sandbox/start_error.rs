//! Why the sandbox did not start.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::entropy::NoRandomness;
use super::store::error::StoreError;

/// Why the sandbox did not start: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("the sandbox can't listen on {address}: {source}. {}", other_address(source))]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder can't be made, read or written.
    #[error("the sandbox can't use {}: {source}. Check that the folder exists and is yours to write", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the data.
    #[error("{} is in use by another kmslab. Stop that one, or choose another folder with --data", path.display())]
    InUse {
        /// The folder or database.
        path: PathBuf,
    },
    /// The file is no database of ours.
    #[error("{} is not a kmslab database. Choose another folder with --data, or move the file away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite can't use the database.
    #[error(
        "the database {} can't be opened: {source}. Restore it from a copy, or choose another folder with --data",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database opened, but what it holds is not what was written.
    #[error(
        "the database {} is damaged: {what}. Restore the folder {} from a copy, or start with an empty folder: \
         --data DIR",
        path.display(), folder(path)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another version of kmslab wrote the database.
    #[error(
        "the database {} has layout {found}, this kmslab knows layout {known}. Use the kmslab that wrote it, or choose \
         another folder with --data",
        path.display()
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The layout found.
        found: i64,
        /// The layout this program writes.
        known: i64,
    },
    /// There is a database, but not the key that seals it.
    #[error(
        "the root key {} is missing and the database beside it can't be read without it. Put the file back, or start \
         with an empty folder",
        path.display()
    )]
    RootKeyMissing {
        /// Where the key should be.
        path: PathBuf,
    },
    /// The key is not the database's.
    #[error(
        "the root key {} does not belong to the database beside it. Put the right file back, or start with an empty \
         folder",
        path.display()
    )]
    RootKeyWrong {
        /// The key file.
        path: PathBuf,
    },
    /// The operating system has no randomness to give.
    #[error("{0}. Try again in a moment")]
    Randomness(#[from] NoRandomness),
    /// The server's thread or runtime could not be made.
    #[error("the sandbox's server could not start: {0}")]
    Thread(io::Error),
}

impl StartError {
    /// What a failure of the database at `path` means when the sandbox starts.
    pub(super) fn of_store(path: &Path, error: StoreError) -> Self {
        match error {
            StoreError::Randomness(source) => Self::Randomness(source),
            StoreError::Database(source) if !is_corruption(&source) => Self::Broken { path: path.to_owned(), source },
            StoreError::Damaged(what) => Self::Damaged { path: path.to_owned(), what },
            other => Self::Damaged { path: path.to_owned(), what: other.to_string() },
        }
    }
}

/// Whether SQLite complains about the file's content, and not about the disk or its rights.
fn is_corruption(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code().is_none_or(|code| code == rusqlite::ErrorCode::DatabaseCorrupt)
}

fn folder(path: &Path) -> std::path::Display<'_> {
    path.parent().unwrap_or(path).display()
}

/// What to do where an address can't be listened on.
fn other_address(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => "Choose an address of this machine, such as 127.0.0.1",
        io::ErrorKind::PermissionDenied => "Choose a port from 1024 on, or port 0 for any free one",
        _ => "Choose another port, or port 0 for any free one",
    }
}
