//! Files that are made of a whole film.

use std::io::Write;
use std::path::Path;

use super::{Film, svg};

/// How to write a film.
#[derive(Debug, Clone, Default)]
pub struct FilmOptions {
    /// Whether it may take the place of another file.
    pub force: bool,
}

/// Writes `film` to `path` as its ending says, and gives how many bytes that took.
///
/// # Errors
/// Why not, in words for a person.
pub fn write(film: &Film, path: &Path, options: &FilmOptions) -> Result<u64, String> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let text = match (ending.as_str(), film.pictures.as_slice()) {
        ("svg", [picture]) => svg(&picture.buffer, &film.palette, &film.title, &description(picture)),
        _ => return Err(format!("{}: not in this build", path.display())),
    };
    if path.exists() && !options.force {
        return Err(format!("{} exists: --force replaces it", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let trouble = |error: std::io::Error| format!("{} can't be written: {error}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(trouble)?;
    file.write_all(text.as_bytes()).map_err(trouble)?;
    file.persist(path).map_err(|error| trouble(error.error))?;
    Ok(text.len() as u64)
}

fn description(picture: &super::Picture) -> String {
    let area = picture.buffer.area;
    let cells = |y| (area.left()..area.right()).filter_map(move |x| picture.buffer.cell((x, y)));
    let row = |y| cells(y).map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned();
    (area.top()..area.bottom()).map(row).filter(|row| !row.is_empty()).collect::<Vec<_>>().join("\n")
}
