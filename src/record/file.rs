//! The file that a recording is written to, line by line: whole lines only, whatever happens.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use crate::disk;

/// A file in which every write is kept whole or not at all.
#[derive(Debug)]
pub struct Kept {
    file: File,
    /// The bytes that are good.
    good: u64,
}

impl Kept {
    /// Makes the file; in place of one that is there only with `force`.
    ///
    /// # Errors
    /// In words for a person.
    pub fn create(path: &Path, force: bool) -> Result<Kept, String> {
        let mut options = OpenOptions::new();
        options.write(true);
        if force {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        #[cfg(unix)]
        {
            // Somebody's session is theirs.
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut open = || {
            let file = disk::unblocked(&mut options).open(path)?;
            // A pipe's reader may be slow, and every line is for it.
            disk::block(&file)?;
            // One that is replaced has the mode that it had. What is no file, a device say, is not ours.
            #[cfg(unix)]
            if file.metadata()?.is_file() {
                file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            }
            Ok(Kept { file, good: 0 })
        };
        open().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => format!("{} exists: --force replaces it", path.display()),
            _ => super::missing_folder(path).unwrap_or_else(|| format!("{} can't be written: {error}", path.display())),
        })
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.good
    }
}

impl Write for Kept {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.file.write_all(line) {
            Ok(()) => {
                self.good += line.len() as u64;
                Ok(line.len())
            }
            Err(error) => {
                // Readers refuse a file with half a line. What is no file, a device say, can't be cut.
                let _ = self.file.set_len(self.good).and_then(|()| self.file.seek(SeekFrom::Start(self.good)));
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
        let refused = Kept::create(&path, true).unwrap_err();
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
        let mut kept = loop {
            // Until the reader is there.
            match Kept::create(&path, true) {
                Ok(kept) => break kept,
                Err(_) => std::thread::yield_now(),
            }
        };
        kept.write_all(&[b'x'; 300_000]).unwrap();
        drop(kept);
        assert_eq!(reader.join().unwrap(), 300_000);
    }
}
