//! Videos and animated WebP, by means of ffmpeg: video encoders are large, and anyone who needs one has it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::film::Film;
use super::format::Format;
use super::options::{Cancel, FilmOptions};
use super::pixels;
use crate::lab::glyphs;

/// The interval at which ffmpeg is checked.
const LOOK: Duration = Duration::from_millis(20);

/// The number of bytes read of ffmpeg's messages: the last ones give the reason.
const MESSAGES: u64 = 8 << 10;

/// The number of those lines that are shown.
const LINES: usize = 5;

/// Returns whether `ffmpeg` can be run.
pub(super) fn is_there(ffmpeg: &OsStr) -> bool {
    let mut ask = Command::new(ffmpeg);
    ask.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// Lets ffmpeg write `film` in `format` to `path`, which it may replace. Returns the characters that no font has.
///
/// # Errors
/// If the pictures can't be written, or ffmpeg fails; then with its last messages.
pub(super) fn video(
    film: &Film,
    format: Format,
    options: &FilmOptions,
    cancel: &Cancel,
    path: &Path,
) -> io::Result<Vec<char>> {
    // Its frames stay as long as the film's pictures; raw ones would be gigabytes. It is a file with a name: ffmpeg seeks
    // in a GIF, and through a pipe ffmpeg 5.1 fails at whatever is longer than its buffer of 64 kB. Only its owner can
    // read it, and it is removed when it is dropped.
    let mut builder = tempfile::Builder::new();
    let mut pictures = builder.prefix("kmslab-").suffix(".gif").tempfile()?;
    let missing = pixels::gif(film, options, cancel.guard(pictures.as_file_mut()))?;
    let mut messages = tempfile::tempfile()?;
    let mut ffmpeg = Command::new(&options.ffmpeg);
    ffmpeg
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-f", "gif", "-ignore_loop", "1", "-i"])
        .arg(pictures.path())
        .args(encoding(format, options.loops))
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(messages.try_clone()?);
    let status = wait(ffmpeg.spawn()?, cancel)?;
    if status.success() {
        return Ok(missing);
    }
    Err(io::Error::other(format!("ffmpeg failed ({status}): {}", last_lines(&mut messages)?)))
}

/// Returns how ffmpeg encodes this format.
fn encoding(format: Format, loops: u16) -> Vec<String> {
    let [filter, how] = match format {
        // As fast as it can: slower ways took minutes, and text stays as sharp.
        Format::Webm => [
            "fps=10,format=yuv420p",
            "-c:v libvpx-vp9 -b:v 0 -crf 38 -deadline realtime -cpu-used 8 -static-thresh 100 -row-mt 1 -f webm",
        ],
        // Each picture once, however long it stays. Lossless is smaller: the pictures have few colors.
        Format::Webp => ["format=bgra", "-fps_mode vfr -c:v libwebp_anim -lossless 1 -compression_level 2 -f webp"],
        // Even sizes are the grid's. Players begin to show a file whose index comes first before all of it is there.
        _ => ["fps=10,format=yuv420p", "-c:v libx264 -movflags +faststart -f mp4"],
    };
    // Few frames: most of them show what the one before does, and 30 in a second took four times as long.
    let all = ["-an", "-vf", filter].into_iter().chain(how.split(' '));
    let mut all: Vec<String> = all.map(str::to_owned).collect();
    if format == Format::Webp {
        all.extend(["-loop".to_owned(), loops.to_string()]);
    }
    all
}

/// Waits for ffmpeg, and kills it if the writing is cancelled: a signal may have reached this process alone.
fn wait(mut ffmpeg: Child, cancel: &Cancel) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = ffmpeg.try_wait()? {
            return Ok(status);
        }
        if cancel.is_cancelled() {
            // It may have ended on its own meanwhile.
            let _ = ffmpeg.kill();
            return ffmpeg.wait();
        }
        sleep(LOOK);
    }
}

/// Returns the last lines that ffmpeg wrote, as one line that is safe to show.
fn last_lines(messages: &mut File) -> io::Result<String> {
    let length = messages.seek(SeekFrom::End(0))?;
    messages.seek(SeekFrom::Start(length.saturating_sub(MESSAGES)))?;
    let mut said = Vec::new();
    messages.take(MESSAGES).read_to_end(&mut said)?;
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("; ");
    Ok(if last.is_empty() { "it gave no reason".to_owned() } else { glyphs::shown(&last).into_owned() })
}
