//! A file that is written line by line and never ends in half a line.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use super::error::RecordError;
use crate::disk;

/// A file that keeps every write whole or not at all.
#[derive(Debug)]
pub struct LineFile {
    file: File,
    /// How many bytes were written completely.
    bytes: u64,
}

impl LineFile {
    /// Creates the file; replaces an existing one only if `overwrite` is set.
    ///
    /// # Errors
    /// [`RecordError::Exists`], [`RecordError::NoFolder`] or [`RecordError::Io`].
    pub fn create(path: &Path, overwrite: bool) -> Result<LineFile, RecordError> {
        let mut options = OpenOptions::new();
        options.write(true);
        if overwrite {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        #[cfg(unix)]
        {
            // Only its owner may read a session.
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut open = || {
            let file = disk::unblocked(&mut options).open(path)?;
            // The reader of a pipe may be slow and still gets every line.
            disk::block(&file)?;
            // A replaced file keeps its mode. Devices are left alone.
            #[cfg(unix)]
            if file.metadata()?.is_file() {
                file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            }
            Ok(LineFile { file, bytes: 0 })
        };
        open().map_err(|source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => RecordError::Exists(path.to_owned()),
            _ => match disk::missing_folder(path) {
                Some(reason) => RecordError::NoFolder(reason),
                None => RecordError::Io { path: path.to_owned(), source },
            },
        })
    }

    /// Returns how many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Write for LineFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.file.write_all(line) {
            Ok(()) => {
                self.bytes += line.len() as u64;
                Ok(line.len())
            }
            Err(error) => {
                // Readers refuse half a line. Devices can't be truncated.
                let _ = self.file.set_len(self.bytes).and_then(|()| self.file.seek(SeekFrom::Start(self.bytes)));
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_that_nobody_reads_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.cast");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let refused = LineFile::create(&path, true).unwrap_err().to_string();
        assert!(refused.contains("lab.cast can't be written"), "{refused}");
    }

    #[test]
    fn a_slow_reader_of_a_pipe_gets_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.cast");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let pipe = path.clone();
        let reader = std::thread::spawn(move || {
            let mut file = File::open(pipe).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(100));
            io::copy(&mut file, &mut io::sink()).unwrap()
        });
        let mut file = loop {
            // Retry until the reader has opened it.
            match LineFile::create(&path, true) {
                Ok(file) => break file,
                Err(_) => std::thread::yield_now(),
            }
        };
        file.write_all(&[b'x'; 300_000]).unwrap();
        drop(file);
        assert_eq!(reader.join().unwrap(), 300_000);
    }
}
