//! MP4, through ffmpeg: encoders of video are large, and whoever wants one has it.

use std::ffi::OsStr;
use std::io::{self, Seek};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Film, FilmOptions, pixels};

/// Whether that program is there.
pub(super) fn is_there(ffmpeg: &OsStr) -> bool {
    let mut ask = Command::new(ffmpeg);
    ask.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// Has ffmpeg write `film` to `path`, which it may replace. Gives the characters that no font has.
///
/// # Errors
/// When the pictures can't be written, or ffmpeg fails; then with what it said.
pub(super) fn mp4(film: &Film, options: &FilmOptions, path: &Path) -> io::Result<Vec<char>> {
    // Its frames stay as long as the film's pictures; raw ones would be gigabytes.
    let mut pictures = tempfile::tempfile()?;
    let boxes = pixels::gif(film, options, options.stop.guard(&mut pictures))?;
    pictures.rewind()?;
    // Ctrl-C ends it as it ends this program: a terminal sends it to both.
    let output = Command::new(&options.ffmpeg)
        .args(["-hide_banner", "-loglevel", "error", "-y", "-f", "gif", "-ignore_loop", "1", "-i", "-", "-an"])
        // Few frames: most of them show what the one before does, and 30 in a second took four times as long.
        .args(["-vf", "fps=10,format=yuv420p"])
        // Even sizes are the grid's. Players begin to show a file whose index comes first before all of it is there.
        .args(["-movflags", "+faststart", "-f", "mp4"])
        .arg(path)
        .stdin(pictures)
        .output()?;
    if output.status.success() {
        return Ok(boxes);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.lines().last().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    Err(io::Error::other(format!("ffmpeg failed ({}): {said}", output.status)))
}
