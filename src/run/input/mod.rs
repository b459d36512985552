//! What the terminal sends, and what the system says of it: keys, pastes, a new size, Ctrl-Z.

#[cfg(unix)]
mod decode;
#[cfg(unix)]
mod unix;

use std::io::{self, Write};
use std::sync::Once;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEvent, MouseEventKind};
use futures_util::{Stream, StreamExt};
use ratatui::layout::Size;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::run::notes::server::Pressed;
use crate::ui::terminal::Screen;

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// The mouse, where the terminal reports it.
    Mouse(MouseEvent),
    /// Pasted text: no keys, except for an editor. Empty where the terminal doesn't tell it from keys.
    Paste(String),
    /// A key that was pressed in the notes' window.
    Remote(Pressed),
    /// The terminal's background, which was asked for.
    Background {
        /// Whether it is light.
        light: bool,
    },
    /// The terminal has this size now.
    Resize(Size),
    /// The program is to stop until `fg`, as a signal says.
    Suspend,
    /// The program goes on after a stop: the terminal may be as the shell left it.
    Continued,
    /// The terminal has taken what was written: a picture that had to wait can be drawn.
    Ready,
    /// Nothing that matters here.
    Other,
}

impl From<Event> for Input {
    fn from(event: Event) -> Input {
        match event {
            Event::Key(key) => Input::Key(key),
            Event::Mouse(mouse) => Input::Mouse(mouse),
            Event::Paste(text) => Input::Paste(text),
            Event::Resize(width, height) => Input::Resize(Size { width, height }),
            _ => Input::Other,
        }
    }
}

impl Input {
    /// The key, where it is one that was pressed or is held down.
    pub fn key(&self) -> Option<KeyEvent> {
        match self {
            Input::Key(key) if key.kind != KeyEventKind::Release => Some(*key),
            _ => None,
        }
    }

    /// Whether a key was pressed.
    pub fn is_key_press(&self) -> bool {
        matches!(self, Input::Key(key) if key.kind == KeyEventKind::Press)
    }

    /// Whether a key or a button of the mouse was pressed.
    pub fn is_press(&self) -> bool {
        let is_button = matches!(self, Input::Mouse(mouse) if matches!(mouse.kind, MouseEventKind::Down(_)));
        self.is_key_press() || is_button
    }
}

/// What arrives from now on, read by a thread of its own. The screen is measured again: a new size is heard of from here
/// on, and one that came before must not be lost.
///
/// The stream ends with the terminal. An error comes when any part of the program panics: the terminal has been given
/// back by then, and nothing else would wake the loop.
///
/// # Errors
/// When there is no terminal to read from, or there can be no thread.
pub fn input<W: Write>(screen: &mut Screen<W>) -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin + use<W>> {
    let (others, mut other) = unbounded_channel();
    report_panics(others.clone());
    screen.when_ready(move || drop(others.send(Ok(Input::Ready))));
    #[cfg(unix)]
    let mut terminal = unix::terminal()?;
    #[cfg(not(unix))]
    let mut terminal = elsewhere::terminal()?;
    screen.measure()?;
    Ok(futures_util::stream::poll_fn(move |context| match other.poll_recv(context) {
        std::task::Poll::Ready(Some(other)) => std::task::Poll::Ready(Some(other)),
        _ => terminal.poll_next_unpin(context),
    }))
}

/// Reads nothing of the terminal until [`release`]: a shell has it.
pub(super) fn hold() {
    #[cfg(unix)]
    unix::hold();
}

/// Reads the terminal again.
pub(super) fn release() {
    #[cfg(unix)]
    unix::release();
}

/// A panic anywhere becomes an error of the input, after its message.
fn report_panics(to: UnboundedSender<io::Result<Input>>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            previous(info);
            let _ = to.send(Err(io::Error::other("a part of kmslab has panicked, as told above")));
        }));
    });
}

/// Deals with what concerns the terminal alone, and gives the rest to the loop.
///
/// # Errors
/// When the terminal can't be changed.
pub(super) fn attend<W: Write>(input: Input, screen: &mut Screen<W>) -> io::Result<Option<Input>> {
    let control = |c| {
        let is = |key: KeyEvent| key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char(c);
        input.is_key_press() && input.key().is_some_and(is)
    };
    match input {
        Input::Resize(size) => screen.resized(size),
        Input::Continued => screen.resume()?,
        Input::Suspend => suspend(screen)?,
        Input::Ready | Input::Other => {}
        _ if control('l') => screen.repaint(),
        _ if control('z') => stop_job(screen)?,
        input => return Ok(Some(input)),
    }
    Ok(None)
}

/// Gives the terminal back, stops this process, and takes the terminal again when it goes on.
fn suspend<W: Write>(screen: &mut Screen<W>) -> io::Result<()> {
    screen.pause()?;
    #[cfg(unix)]
    unix::stop();
    screen.resume()
}

/// As Ctrl-Z does in a terminal that is not in raw mode: all processes of the job stop. Where no shell waits for the job,
/// nobody could let it go on, and so it doesn't stop.
fn stop_job<W: Write>(screen: &mut Screen<W>) -> io::Result<()> {
    screen.pause()?;
    #[cfg(unix)]
    unix::stop_job();
    screen.resume()
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    use futures_util::{Stream, stream};
    use tokio::sync::mpsc::channel;

    use super::Input;

    /// What crossterm reads.
    pub fn terminal() -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin> {
        let (sender, mut receiver) = channel(1_024);
        std::thread::Builder::new().name("kmslab-input".to_owned()).spawn(move || {
            loop {
                let input = crossterm::event::read().map(Input::from);
                let failed = input.is_err();
                if sender.blocking_send(input).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(stream::poll_fn(move |context| receiver.poll_recv(context)))
    }
}
