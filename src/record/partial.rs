//! What is kept of a film while it exists only in memory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::buffer::Buffer;

use super::cast::{Cast, Header};
use super::line_file::LineFile;

/// An asciicast beside the file of a film, kept in case the program is killed. It stays when it is dropped.
#[derive(Debug)]
pub struct PartialCast {
    path: PathBuf,
    /// `None` once it could not be written; the film goes on without it.
    cast: Option<Cast<LineFile>>,
}

impl PartialCast {
    /// Creates it beside `film`, under an unused name: what earlier films left is kept. `None` if that is not possible;
    /// the film goes on without it.
    pub(super) fn create(film: &Path, header: &Header) -> Option<PartialCast> {
        let name = film.file_name().unwrap_or_default();
        let mut paths = (1..100).map(|number| {
            let mut name = name.to_owned();
            name.push(if number == 1 { ".partial.cast".to_owned() } else { format!(".partial-{number}.cast") });
            film.with_file_name(name)
        });
        let path = paths.find(|path| !path.exists())?;
        let file = LineFile::create(&path, false).ok()?;
        Some(PartialCast { cast: Cast::new(file, header).ok(), path })
    }

    /// Adds a picture.
    pub(super) fn picture(&mut self, at: Duration, buffer: &Buffer, chapter: Option<&str>) {
        if let Some(cast) = &mut self.cast
            && cast.picture_with_marker(at, buffer, chapter).is_err()
        {
            self.cast = None;
        }
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file: the film is written.
    pub fn discard(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
