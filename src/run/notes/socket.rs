//! Where the socket of a lab is: `lab-PROCESS.sock` in a folder that only its owner may look into.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::net::UnixListener;

use super::Place;

/// The socket of this lab. It is removed when dropped.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    /// Its folder, where the lab chose it: it goes, too, when it is empty.
    folder: Option<PathBuf>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Where it is gone already, so much the better.
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Opens the socket of this lab. What dead labs left in the folder is removed.
///
/// # Errors
/// The last reason why there can be none.
pub fn listen(place: &Place) -> io::Result<(UnixListener, Socket)> {
    if let Some(path) = &place.socket {
        return Ok((bind(path)?, Socket { path: path.clone(), folder: None }));
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "there is no folder for it: set XDG_RUNTIME_DIR or HOME");
    for folder in &place.folders {
        let path = folder.join(format!("lab-{}.sock", std::process::id()));
        match make(folder).and_then(|()| bind(&path)) {
            Ok(listener) => {
                living(std::slice::from_ref(folder));
                return Ok((listener, Socket { path, folder: Some(folder.clone()) }));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Makes `folder` one that only its owner may look into.
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // One that was there may be open to others.
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// Binds `path`, which nobody else can ever connect to: a socket is made with the permissions of the umask, so it is
/// made in a folder of its own and moved when it has the right ones. A dead lab's socket is replaced, anything else is
/// left alone.
fn bind(path: &Path) -> io::Result<UnixListener> {
    // The folder in which it is made has a shorter name: otherwise only a client would see that this one is too long.
    SocketAddr::from_pathname(path)?;
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something else of this name"));
        }
        Ok(_) if is_living(path) => {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another lab is followed there"));
        }
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let private = tempfile::Builder::new().prefix(".").rand_bytes(4).tempdir_in(folder);
    // Its own error tells the path of the folder that there is not.
    let private = private.map_err(|error| io::Error::from(error.kind()))?;
    let made = private.path().join("s");
    let listener = UnixListener::bind(&made)?;
    fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    fs::rename(&made, path)?;
    Ok(listener)
}

/// Whether somebody may listen there: nobody does where a connection is refused.
fn is_living(path: &Path) -> bool {
    UnixStream::connect(path).map_or_else(|error| error.kind() != io::ErrorKind::ConnectionRefused, |_| true)
}

/// The sockets of labs, the newest first.
pub fn found(folders: &[PathBuf]) -> Vec<PathBuf> {
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let metadata = entry.metadata().ok()?;
            let is_labs = name.starts_with("lab-") && name.ends_with(".sock") && metadata.file_type().is_socket();
            is_labs.then(|| (metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), entry.path()))
        })
        .collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Those of labs that live. Those of dead ones are removed.
pub fn living(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = found(folders);
    found.retain(|path| match UnixStream::connect(path) {
        Ok(_) => true,
        Err(error) => {
            if error.kind() == io::ErrorKind::ConnectionRefused {
                let _ = fs::remove_file(path);
            }
            false
        }
    });
    found
}
