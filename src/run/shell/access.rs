//! The lab's side: it keeps its private folder up to date.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UnixListener;

use super::contents::{self, OwnProfiles};
use super::folder::Folder;
use crate::aws::Clients;
use crate::lab::State;

/// What shells get of a living lab.
#[derive(Debug)]
pub struct Access {
    folder: Folder,
    own: Option<OwnProfiles>,
    /// Whether credentials are written.
    is_open: AtomicBool,
    /// What was written last: a new state rarely changes it.
    newest: Mutex<Vec<(&'static str, String)>>,
}

impl Access {
    /// Makes the folder below one of `parents`.
    ///
    /// # Errors
    /// When there can be none.
    pub fn new(parents: &[PathBuf], own: Option<OwnProfiles>) -> io::Result<Access> {
        let folder = Folder::make(parents)?;
        Ok(Access { folder, own, is_open: AtomicBool::new(false), newest: Mutex::default() })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Listens for those who ask for credentials.
    ///
    /// # Errors
    /// When there can be no socket.
    pub fn listen(&self) -> io::Result<UnixListener> {
        self.folder.listen()
    }

    /// Writes the credentials from here on, whenever they change.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn open(&self, clients: &Clients) -> io::Result<()> {
        self.is_open.store(true, Ordering::SeqCst);
        self.folder.write(vec![contents::credentials(clients, self.own.as_ref())])
    }

    /// Writes what needs no secret, before anything reads it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_now(&self, state: &State) -> io::Result<()> {
        self.folder.write(contents::open(state, self.path()))
    }

    /// Writes what has changed, in a thread of its own: the disk may be slow.
    pub fn refresh(self: &Arc<Access>, state: &State, clients: &Clients) {
        let mut files = contents::open(state, self.path());
        if self.is_open.load(Ordering::SeqCst) {
            files.push(contents::credentials(clients, self.own.as_ref()));
        }
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if *newest == files {
            return;
        }
        newest.clone_from(&files);
        drop(newest);
        let access = self.clone();
        tokio::task::spawn_blocking(move || {
            // A shell shows what it finds; the lab goes on.
            if let Err(error) = access.folder.write(files) {
                tracing::debug!(%error, "the shell's folder can't be written");
            }
        });
    }
}
