//! `kmslab notes`: follows a lab, and the next one when that has ended.

use std::io::{self, Write};
use std::time::Duration;

use crossterm::event::{Event as Input, KeyCode, KeyEventKind, KeyModifiers};
use futures_util::{Stream, StreamExt};
use ratatui::layout::Size;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::{Place, now};
use crate::lab::presenting::line::Line;
#[cfg(unix)]
use crate::lab::presenting::line::NO_LAB;
use crate::run::Ended;
use crate::ui::Theme;
#[cfg(unix)]
use crate::ui::notes::PATIENCE;
use crate::ui::notes::{Notes, extent};
use crate::ui::terminal::Screen;

/// Between two looks for a lab.
#[cfg(unix)]
const LOOK: Duration = Duration::from_millis(250);

/// A lab that has said nothing by then is said to be silent; so often others are counted.
#[cfg(unix)]
const SILENCE: Duration = Duration::from_secs(2);

/// What was heard.
#[derive(Debug)]
enum Heard {
    /// A line of the lab that is followed; so many others live.
    Line(Box<Line>, usize),
    /// So many others are there.
    Others(usize),
    /// There is none to follow, for this reason where there is one.
    Nobody(Option<String>),
}

/// Shows the notes of the lab at `place` on `screen` until the person leaves.
///
/// # Errors
/// When the terminal can't be read or written.
pub async fn run<W: Write>(
    place: Place,
    mut input: impl Stream<Item = io::Result<Input>> + Unpin,
    screen: &mut Screen<W>,
    theme: &Theme,
    mut stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let (sender, mut heard) = unbounded_channel();
    let (other, turn) = unbounded_channel();
    let looked_in = match &place.socket {
        Some(path) => std::slice::from_ref(path),
        None => &place.folders,
    };
    let looked_in = looked_in.iter().map(|path| path.display().to_string()).collect();
    let following = tokio::spawn(follow(place, sender, turn));
    let mut notes = Notes { looked_in, ..Notes::default() };
    let mut next_second = Instant::now();
    let ended = loop {
        notes.now = now();
        screen.paint(|frame| crate::ui::notes::draw(&notes, theme, frame.area(), frame.buffer_mut()))?;
        tokio::select! {
            biased;
            Some(signal) = stop.next() => break Ended::Signal(signal),
            Some(heard) = heard.recv() => match heard {
                Heard::Line(line, others) => notes.hear(*line, others),
                Heard::Others(others) => notes.others = others,
                Heard::Nobody(reason) => notes.lose(reason),
            },
            event = input.next() => match event {
                None => break Ended::InputClosed,
                Some(input) => match understand(input?, &mut notes, screen.size()) {
                    Some(Said::Leave) => break Ended::Finished,
                    Some(Said::Other) => {
                        // The task lives as long as this loop.
                        let _ = other.send(());
                    }
                    Some(Said::Size(size)) => screen.resized(size),
                    None => {}
                },
            },
            () = tokio::time::sleep_until(next_second), if notes.line.is_some() => {
                next_second = Instant::now() + Duration::from_secs(1);
            }
        }
    };
    following.abort();
    Ok(ended)
}

enum Said {
    Leave,
    /// Follow the next lab that lives.
    Other,
    Size(Size),
}

fn understand(input: Input, notes: &mut Notes, size: Size) -> Option<Said> {
    let key = match input {
        Input::Key(key) if key.kind != KeyEventKind::Release => key,
        Input::Resize(width, height) => return Some(Said::Size(Size { width, height })),
        _ => return None,
    };
    let last = extent(notes, size).last_scroll();
    let half = (size.height / 2).max(1);
    let scroll = notes.scroll.min(last);
    notes.scroll = match key.code {
        KeyCode::Char('q') => return Some(Said::Leave),
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Some(Said::Leave),
        KeyCode::Tab if notes.others > 0 => return Some(Said::Other),
        KeyCode::Char('j') | KeyCode::Down => scroll + 1,
        KeyCode::Char('k') | KeyCode::Up => scroll.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => scroll + half,
        KeyCode::PageUp => scroll.saturating_sub(half),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => last,
        _ => scroll,
    }
    .min(last);
    None
}

/// Looks for a lab, tells its lines, and looks again when it has ended.
#[cfg(unix)]
async fn follow(place: Place, heard: UnboundedSender<Heard>, mut turn: UnboundedReceiver<()>) {
    let mut followed = place.socket.clone();
    let (mut turns, mut missed) = (0, 0);
    loop {
        if place.socket.is_none() {
            let living = super::socket::living(&place.folders);
            let at = living.iter().position(|path| Some(path) == followed.as_ref());
            missed = if at.is_some() { 0 } else { missed + 1 };
            match at {
                Some(at) => followed = living.get((at + turns) % living.len()).cloned(),
                // A lab that begins again is back in a moment.
                None if followed.is_some() && missed < PATIENCE => {}
                None => followed = living.first().cloned(),
            }
            turns = 0;
        }
        let reason = match &followed {
            None => None,
            Some(path) => match tokio::net::UnixStream::connect(path).await {
                Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused].contains(&error.kind()) => {
                    None
                }
                Err(error) => Some(format!("{}: {error}", path.display())),
                Ok(stream) => tokio::select! {
                    ended = hear(stream, &place, &heard) => ended.err(),
                    Some(()) = turn.recv() => {
                        turns = 1;
                        None
                    }
                },
            },
        };
        if heard.send(Heard::Nobody(reason)).is_err() {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How many labs there are besides the one that is followed.
#[cfg(unix)]
fn others(place: &Place) -> usize {
    if place.socket.is_some() { 0 } else { super::socket::found(&place.folders).len().saturating_sub(1) }
}

/// Tells the lines of the lab at the other end of `stream` until it ends.
///
/// # Errors
/// Why they can't be read.
#[cfg(unix)]
async fn hear(stream: tokio::net::UnixStream, place: &Place, heard: &UnboundedSender<Heard>) -> Result<(), String> {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

    /// No line is so long.
    const LONGEST: u64 = 1 << 20;

    let mut stream = BufReader::new(stream).take(LONGEST);
    let mut text = Vec::new();
    let mut is_silent = true;
    let mut look = tokio::time::interval_at(Instant::now() + SILENCE, SILENCE);
    loop {
        // What has been read of a line stays in `text` when the other branch comes first.
        tokio::select! {
            read = stream.read_until(b'\n', &mut text) => match read {
                Ok(1..) if text.ends_with(b"\n") => {}
                Ok(1..) if stream.limit() == 0 => return Err(NO_LAB.to_owned()),
                _ => return Ok(()),
            },
            _ = look.tick() => {
                let _ = heard.send(match is_silent {
                    // A lab speaks at once. This one is stopped, or has as many readers as it takes.
                    true => Heard::Nobody(Some("The lab that runs here does not answer.".to_owned())),
                    false => Heard::Others(others(place)),
                });
                continue;
            }
        }
        let line = Line::parse(String::from_utf8_lossy(&text).trim_end())?;
        // Where nobody wants to know it any more, the task that this runs in is ended.
        let _ = heard.send(Heard::Line(Box::new(line), others(place)));
        is_silent = false;
        text.clear();
        stream.set_limit(LONGEST);
    }
}

/// There are no such sockets here.
#[cfg(not(unix))]
async fn follow(_: Place, heard: UnboundedSender<Heard>, _turn: UnboundedReceiver<()>) {
    let reason = "`kmslab notes` needs Unix sockets, which this system does not have".to_owned();
    let _ = heard.send(Heard::Nobody(Some(reason)));
}
