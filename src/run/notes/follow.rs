//! `kmslab notes`: follows a lab, passes keys on to it, and follows the next one when that has ended.

use std::io::{self, Write};
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use futures_util::{Stream, StreamExt};
use ratatui::layout::Size;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Place, now};
use crate::lab::line::Line;
#[cfg(unix)]
use crate::lab::line::LineError;
use crate::lab::remote::RemoteKey;
use crate::run::Ended;
use crate::run::input::{Input, attend};
use crate::run::inputs::{AT_ONCE, at_hand};
use crate::run::looks::Looks;
use crate::ui::keys::Chord;
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

/// What the person asks of the task that follows.
#[derive(Debug)]
enum Asked {
    /// To follow the next lab that lives.
    Other,
    /// To press this key in the lab.
    Key(RemoteKey),
}

/// Shows the notes of the lab at `place` on `screen` until the person leaves.
///
/// # Errors
/// When the terminal can't be read or written.
pub async fn run<W: Write, I: Into<Input>>(
    place: Place,
    input: impl Stream<Item = io::Result<I>> + Unpin,
    screen: &mut Screen<W>,
    looks: Looks,
    stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let (sender, hear) = unbounded_channel();
    let (ask, asked) = unbounded_channel();
    let looked_in = match &place.socket {
        Some(path) => std::slice::from_ref(path),
        None => &place.folders,
    };
    let looked_in = looked_in.iter().map(|path| path.display().to_string()).collect();
    // Dropped with this loop, which ends the task.
    let mut following = JoinSet::new();
    following.spawn(follow(place, sender, asked));
    show(looked_in, following, Channels { hear, ask }, input, screen, looks, stop).await
}

/// To and from the task that follows.
struct Channels {
    hear: UnboundedReceiver<Heard>,
    ask: UnboundedSender<Asked>,
}

async fn show<W: Write, I: Into<Input>>(
    looked_in: Vec<String>,
    mut following: JoinSet<()>,
    mut channels: Channels,
    mut input: impl Stream<Item = io::Result<I>> + Unpin,
    screen: &mut Screen<W>,
    mut looks: Looks,
    mut stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let mut notes = Notes { looked_in, window: std::process::id(), ..Notes::default() };
    let mut next_second = Instant::now();
    loop {
        notes.now = now();
        screen.paint(|frame| crate::ui::notes::draw(&notes, &looks.theme, frame.area(), frame.buffer_mut()))?;
        looks.ask(screen)?;
        tokio::select! {
            biased;
            Some(signal) = stop.next() => return Ok(Ended::Signal(signal)),
            // It goes on for as long as somebody listens: it has failed.
            Some(ended) = following.join_next() => {
                let why = ended.err().map(|error| format!(": {error}")).unwrap_or_default();
                return Err(io::Error::other(format!("the task that follows the lab has ended{why}")));
            }
            Some(heard) = channels.hear.recv() => match heard {
                Heard::Line(line, others) => notes.hear(*line, others),
                Heard::Others(others) => notes.others = others,
                Heard::Nobody(reason) => notes.lose(reason),
            },
            first = input.next() => {
                let Some(mut next) = first else { return Ok(Ended::InputClosed) };
                for _ in 0..AT_ONCE {
                    match understand(next?.into(), &mut notes, screen, &mut looks)? {
                        Some(Said::Leave) => return Ok(Ended::Finished),
                        // The task lives as long as this loop.
                        Some(Said::Ask(asked)) => drop(channels.ask.send(asked)),
                        None => {}
                    }
                    let Some(another) = at_hand(&mut input) else { break };
                    next = another;
                }
            },
            () = tokio::time::sleep_until(next_second), if notes.line.is_some() => {
                next_second = Instant::now() + Duration::from_secs(1);
            }
        }
    }
}

enum Said {
    Leave,
    Ask(Asked),
}

fn understand<W: Write>(
    input: Input,
    notes: &mut Notes,
    screen: &mut Screen<W>,
    looks: &mut Looks,
) -> io::Result<Option<Said>> {
    let input = attend(input, screen)?;
    if let Some(Input::Background { light }) = input {
        looks.told(light);
    }
    Ok(input.and_then(|input| input.key()).and_then(|key| press(key, notes, screen.size())))
}

/// Keys that scroll, choose a lab or leave are for this window. All others are for the lab, so that a clicker works
/// whichever window it types into.
fn press(key: KeyEvent, notes: &mut Notes, size: Size) -> Option<Said> {
    let last = extent(notes, size).last_scroll();
    let scroll = notes.scroll.min(last);
    notes.scroll = match key.code {
        KeyCode::Char('q') => return Some(Said::Leave),
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Some(Said::Leave),
        KeyCode::Tab if notes.others > 0 => return Some(Said::Ask(Asked::Other)),
        KeyCode::Char('j') => scroll + 1,
        KeyCode::Char('k') => scroll.saturating_sub(1),
        _ => return send(key, notes),
    }
    .min(last);
    None
}

/// Returns what asks the lab to press `key`, if it is followed now.
fn send(key: KeyEvent, notes: &mut Notes) -> Option<Said> {
    let name = Chord::of(key)?.name();
    let number = notes.sends(name.clone());
    number.map(|number| Said::Ask(Asked::Key(RemoteKey { number, key: name })))
}

/// Which lab is followed.
#[cfg(unix)]
#[derive(Debug, Default)]
struct Choice {
    followed: Option<PathBuf>,
    /// How often in a row it was not there. It may be so for hours.
    missed: u8,
}

#[cfg(unix)]
impl Choice {
    /// Updates the list of live labs, newest first, and moves on by this many of them.
    fn among(&mut self, living: &[PathBuf], turns: usize) {
        let at = living.iter().position(|path| Some(path) == self.followed.as_ref());
        self.missed = if at.is_some() { 0 } else { self.missed.saturating_add(1) };
        match at {
            Some(at) => self.followed = living.get((at + turns) % living.len()).cloned(),
            // A lab that begins again is back in a moment.
            None if self.followed.is_some() && self.missed < PATIENCE => {}
            None => self.followed = living.first().cloned(),
        }
    }
}

/// Looks for a lab, tells its lines, and looks again when it has ended.
#[cfg(unix)]
async fn follow(place: Place, heard: UnboundedSender<Heard>, mut asked: UnboundedReceiver<Asked>) {
    let mut choice = Choice { followed: place.socket.clone(), missed: 0 };
    let mut turns = 0;
    loop {
        if place.socket.is_none() {
            choice.among(&super::socket::living(&place.folders), std::mem::take(&mut turns));
        }
        let reason = match &choice.followed {
            None => None,
            Some(path) => match tokio::net::UnixStream::connect(path).await {
                Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused].contains(&error.kind()) => {
                    None
                }
                Err(error) => Some(format!("{}: {error}", path.display())),
                Ok(stream) => match attached(stream, &place, &heard, &mut asked).await {
                    Detached::Ended(error) => error.map(|error| error.to_string()),
                    Detached::Other => {
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

/// Why a lab is no longer followed.
#[cfg(unix)]
enum Detached {
    /// It has ended, or can't be understood.
    Ended(Option<LineError>),
    /// The person wants to follow another.
    Other,
}

/// Tells the lines of the lab at the other end of `stream`, and passes keys on to it.
#[cfg(unix)]
async fn attached(
    stream: tokio::net::UnixStream,
    place: &Place,
    heard: &UnboundedSender<Heard>,
    asked: &mut UnboundedReceiver<Asked>,
) -> Detached {
    use tokio::io::AsyncWriteExt;

    let (read, mut write) = stream.into_split();
    let hearing = hear(read, place, heard);
    tokio::pin!(hearing);
    // Nothing is kept for a lab that comes later.
    while asked.try_recv().is_ok() {}
    loop {
        tokio::select! {
            ended = &mut hearing => return Detached::Ended(ended.err()),
            Some(asked) = asked.recv() => match asked {
                Asked::Other => return Detached::Other,
                Asked::Key(key) => {
                    // What can't be sent is not answered either, and the screen says so.
                    let Ok(text) = serde_json::to_string(&key) else { continue };
                    let _ = tokio::time::timeout(LOOK, write.write_all((text + "\n").as_bytes())).await;
                }
            },
        }
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
async fn hear(
    stream: tokio::net::unix::OwnedReadHalf,
    place: &Place,
    heard: &UnboundedSender<Heard>,
) -> Result<(), LineError> {
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
                Ok(1..) if stream.limit() == 0 => return Err(LineError::NoLab),
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
async fn follow(_: Place, heard: UnboundedSender<Heard>, _asked: UnboundedReceiver<Asked>) {
    let reason = "`kmslab notes` needs Unix sockets, which this system does not have".to_owned();
    let _ = heard.send(Heard::Nobody(Some(reason)));
}

#[cfg(all(test, unix))]
mod tests {
    use futures_util::stream;
    use ratatui::layout::Size;

    use super::*;
    use crate::ui::{ColorLevel, Theme, ThemeName};

    #[test]
    fn hours_without_a_lab_do_no_harm() {
        let mut choice = Choice::default();
        for _ in 0..1_000 {
            choice.among(&[], 0);
        }
        let labs = [PathBuf::from("/a"), PathBuf::from("/b")];
        choice.among(&labs, 0);
        choice.among(&labs, 1);
        assert_eq!((choice.followed.as_deref(), choice.missed), (Some(labs[1].as_path()), 0));
        for missed in 1..PATIENCE {
            choice.among(&labs[..1], 0);
            assert_eq!((choice.followed.as_deref(), choice.missed), (Some(labs[1].as_path()), missed));
        }
        choice.among(&labs[..1], 0);
        assert_eq!(choice.followed.as_deref(), Some(labs[0].as_path()));
    }

    /// Nobody would ever hear from it again.
    #[test]
    fn a_follower_that_has_ended_ends_the_notes() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut screen = Screen::over(io::sink(), Size::new(80, 24));
        let looks = Theme::choose(ThemeName::Dark, ColorLevel::None).into();
        for follower in [true, false] {
            let ended = runtime.block_on(async {
                let mut following = JoinSet::new();
                following.spawn(async move { assert!(follower, "on purpose") });
                let (_heard, hear) = unbounded_channel();
                let channels = Channels { hear, ask: unbounded_channel().0 };
                let (input, stop) = (stream::pending::<io::Result<Input>>(), stream::pending());
                let looks: &Looks = &looks;
                show(Vec::new(), following, channels, input, &mut screen, looks.clone(), stop).await
            });
            let told = ended.unwrap_err().to_string();
            assert!(told.starts_with("the task that follows the lab has ended"), "{told}");
        }
    }
}
