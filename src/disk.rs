//! Files as the program reads and writes them: it reads regular files of a sane size, and it replaces a file as a whole.
//!
//! A pipe or a device may have any file's name. Opening one must not block, and reading one must end.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The largest file of settings: `config.toml`, a lesson file.
pub const SETTINGS: u64 = 1024 * 1024;

/// The largest file that the program keeps for itself, such as a session or a journal.
pub const STATE: u64 = 16 * 1024 * 1024;

/// The largest recording, and the largest font.
pub const RECORDING: u64 = 256 * 1024 * 1024;

/// Reads the file at `path`, of `most` bytes at most.
///
/// # Errors
/// When it can't be read, is larger, or is not a regular file.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    if file.metadata()?.len() > most {
        return Err(too_large(most));
    }
    read_all(file, most)
}

/// As [`read`], for text in UTF-8.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text; save it as UTF-8");
    String::from_utf8(read(path, most)?).map_err(not_text)
}

/// Reads `reader` to its end, of `most` bytes at most.
///
/// # Errors
/// When it can't be read, or has more.
pub fn read_all(reader: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// Opens a regular file to read. `/dev/null` counts as one: it stands for an empty file.
///
/// # Errors
/// When it can't be opened, or is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let file = unblocked(OpenOptions::new().read(true)).open(path)?;
    let metadata = file.metadata()?;
    if is_null(&metadata) { Ok(file) } else { regular(&metadata).map(|()| file) }
}

/// Opens a regular file as `options` say: a lock, a journal.
///
/// # Errors
/// When it can't be opened, or is not a regular file.
pub fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let opened = unblocked(options).open(path);
    // To write to a pipe that nobody reads fails with "no such device": say what it is.
    let metadata = match &opened {
        Ok(file) => file.metadata(),
        Err(_) => fs::metadata(path),
    };
    if let Ok(metadata) = metadata {
        regular(&metadata)?;
    }
    opened
}

/// Opens a regular file to write to, such as a lock. It is made for its owner alone where it is missing.
///
/// # Errors
/// When it can't be opened, or is not a regular file.
pub fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    open_with(options.write(true).create(true).truncate(false), path)
}

/// Opens a regular file to append to. Only its owner can read it from now on.
///
/// # Errors
/// When it can't be opened or changed, or is not a regular file.
pub fn append_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = open_with(options.append(true).create(true), path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

/// Creates a file that only its owner can read.
///
/// # Errors
/// If it can't be created; [`io::ErrorKind::AlreadyExists`] if the path is taken.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path)
}

/// `options` that do not wait for the other end of a pipe.
pub fn unblocked(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    options
}

/// Makes writes to a file wait that [`unblocked`] has opened: only its opening must not.
///
/// # Errors
/// When the system refuses.
pub fn block(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    rustix::fs::fcntl_setfl(file, rustix::fs::fcntl_getfl(file)? - rustix::fs::OFlags::NONBLOCK)?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    #[cfg(unix)]
    let what = if std::os::unix::fs::FileTypeExt::is_fifo(&kind) { "pipe" } else { "device or a socket" };
    #[cfg(not(unix))]
    let what = "device";
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is a {what}, not a regular file")))
}

#[cfg(unix)]
fn is_null(metadata: &Metadata) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let null = || fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev());
    metadata.file_type().is_char_device() && null()
}

#[cfg(not(unix))]
fn is_null(_: &Metadata) -> bool {
    false
}

/// Returns why `path` can't be written if its folder is missing or is a file; `None` if that is not the reason.
pub fn missing_folder(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())?;
    let (path, shown) = (path.display(), folder.display());
    Some(match folder.exists() {
        true => format!("{path} can't be written: {shown} is not a folder"),
        false => format!("{path} can't be written: there is no folder {shown}; create it first"),
    })
}

fn too_large(most: u64) -> io::Error {
    let most = if most < 1024 * 1024 { format!("{most} bytes") } else { format!("{} MB", most / 1024 / 1024) };
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most}"))
}

/// Makes `folder`, where it is not there, for its owner alone.
///
/// # Errors
/// When that is not possible.
pub fn make_private(folder: &Path) -> io::Result<()> {
    let mut folders = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.recursive(true).create(folder)
}

/// A nameless file beside `path`, for its owner alone. [`keep`] gives it that name.
///
/// # Errors
/// When there can be none.
pub fn beside(path: &Path) -> io::Result<NamedTempFile> {
    beside_for(path, 0o600)
}

/// As [`beside`], with other permissions, of which the umask takes its part.
///
/// # Errors
/// As [`beside`].
pub fn beside_for(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let path = target(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kmslab-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder.tempfile_in(folder)
}

/// Puts `file` on the disk and then in the place of `path`: after a power cut there is the old file or the new one.
/// Without `replace`, a file that is there stays.
///
/// # Errors
/// When that is not possible; [`io::ErrorKind::AlreadyExists`] where one stays.
pub fn keep(file: NamedTempFile, path: &Path, replace: bool) -> io::Result<File> {
    file.as_file().sync_all()?;
    let path = target(path);
    let kept = if replace { file.persist(&path) } else { file.persist_noclobber(&path) }.map_err(|it| it.error)?;
    // The name, too, must be on the disk.
    if let Some(folder) = path.parent() {
        sync_folder(folder)?;
    }
    Ok(kept)
}

/// Flushes a folder's list of names to the disk. Does nothing on systems that can't.
///
/// # Errors
/// If the folder can't be opened or flushed.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match File::open(folder)?.sync_all() {
        // A few file systems can't flush a folder.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

/// Writes a file for its owner alone, in place of one that is there.
///
/// # Errors
/// When that is not possible; what was there stays.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(content)?;
    keep(file, path, true).map(drop)
}

/// The file that a link leads to: it is replaced, and the link stays.
fn target(path: &Path) -> PathBuf {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "four").unwrap();
        assert_eq!(read_text(&path, 4).unwrap(), "four");
        assert_eq!(read(&path, 3).unwrap_err().to_string(), "it is larger than 3 bytes");
        assert_eq!(read_all(io::repeat(0), 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, 4).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read(folder.path(), 4).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(&folder.path().join("none"), 4).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(read(&pipe, 4).unwrap_err().to_string(), "it is a pipe, not a regular file");
        assert!(open_with(OpenOptions::new().read(true).append(true), &pipe).is_err());
        assert_eq!(open_or_make(&pipe).unwrap_err().to_string(), "it is a pipe, not a regular file");
        assert!(read(Path::new("/dev/zero"), 4).unwrap_err().to_string().contains("device"));
        assert_eq!(read_text(Path::new("/dev/null"), 4).unwrap(), "");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_as_a_whole_behind_its_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        write(&path, b"old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        let mut half = beside(&link).unwrap();
        half.write_all(b"half").unwrap();
        drop(half);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = beside(&path).unwrap();
        assert_eq!(keep(second, &path, false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
