//! The terminal's edge: one guard that enters and leaves, and one write for each frame that changed something.

mod links;
mod outlet;

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};
use ratatui::{Frame, Terminal};

use links::{Linked, Links};
pub use outlet::{Outlet, is_stuck};
use outlet::{discard_output, in_time, lock_output};

/// A terminal shows nothing between these two: a frame appears at once. Terminals that don't know them ignore them.
const BEGIN_UPDATE: &[u8] = b"\x1b[?2026h";
const END_UPDATE: &[u8] = b"\x1b[?2026l";

/// The alternate screen, wiped because a lab that was killed has left its picture there; no cursor; pastes between marks.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h";
/// All of it undone.
const LEAVE: &[u8] = b"\x1b[?2004l\x1b[?1049l\x1b[?25h";
/// The same after a frame that was cut off somewhere.
const LEAVE_TORN: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1049l\x1b[?25h";
/// Undoes what another program has left behind, and leaves the cursor where it is: the alternate screen, a scroll
/// region (which moves the cursor), looks and character sets. [`ENTER`] saves the cursor, [`LEAVE`] restores it.
const TIDY: &[u8] = b"\x1b[?47l\x1b7\x1b[r\x1b8\x1b[0m\x1b(B\x0f";
/// The rest, on the alternate screen: the origin mode moves the cursor to the corner when it is reset, and resetting the
/// saved cursor would bring the mode back. Then the scroll region of this screen, other modes of the cursor and of keys, all that reports the mouse or the focus, and the cursor's shape.
const TIDY_INSIDE: &[u8] = b"\x1b[r\x1b[?6l\x1b[?7h\x1b[4l\x1b[?1l\x1b>\
    \x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[0 q";
/// Asks for the color of the background (xterm's control sequences, OSC 11).
const BACKGROUND: &[u8] = b"\x1b]11;?\x1b\\";

/// Reports clicks and the wheel, with places as numbers.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// Undone.
const NO_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// A terminal that takes nothing for so long is given up, where the program is to end.
const PATIENCE: Duration = Duration::from_millis(150);
/// Otherwise.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// A terminal that doesn't know its size has this one, as many programs take it.
const USUAL: Size = Size { width: 80, height: 24 };

/// Whether this process has changed the terminal and not changed it back.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Whether the terminal is to report the mouse while this process has it.
static HAS_MOUSE: AtomicBool = AtomicBool::new(false);

/// Whether the program has to end now, whether or not the terminal takes what is written.
static HURRY: AtomicBool = AtomicBool::new(false);

/// The screen: draws states, writes bytes.
///
/// Made by [`Screen::enter`] it is the process's terminal, which is restored when it is dropped, and when the program
/// panics. Made by [`Screen::over`] it writes anywhere.
pub struct Screen<W: Write> {
    terminal: Terminal<Frames>,
    /// What the terminal shows when it has taken all that was written.
    shown: Buffer,
    /// The links that it shows then.
    linked: Linked,
    /// What may become a link; nothing where the terminal knows none.
    links: Links,
    out: W,
    /// Of the process's terminal: whether it takes a frame now.
    outlet: Option<Outlet>,
    owns_terminal: bool,
}

/// The size of the terminal.
///
/// # Errors
/// If standard output is no terminal.
pub fn size() -> io::Result<Size> {
    let (width, height) = crossterm::terminal::size()?;
    Ok(sized(width, height))
}

/// A size that can be drawn on. A terminal that was never told its own, as on serial lines and in some containers, has
/// 0 columns and rows.
fn sized(width: u16, height: u16) -> Size {
    Size {
        width: if width == 0 { USUAL.width } else { width },
        height: if height == 0 { USUAL.height } else { height },
    }
}

/// From now on nobody waits for a terminal that takes nothing.
pub fn hurry() {
    HURRY.store(true, Ordering::SeqCst);
}

impl Screen<Outlet> {
    /// Takes over the terminal: raw mode, the alternate screen, no cursor, marked pastes. No mouse, so that text can be
    /// selected as everywhere.
    ///
    /// # Errors
    /// When the terminal does not play along; it is then as it was.
    pub fn enter() -> io::Result<Self> {
        restore_on_panic();
        let size = size()?;
        let out = Outlet::new(&ENTERED)?;
        crossterm::terminal::enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        let mut screen = Screen::over(out.clone(), size);
        screen.outlet = Some(out);
        screen.owns_terminal = true;
        screen.out.write_all(ENTER)?;
        screen.out.flush()?;
        Ok(screen)
    }
}

impl<W: Write> Screen<W> {
    /// Has the terminal report clicks and the wheel until the screen is left. It selects no text by itself then, except
    /// with shift.
    ///
    /// # Errors
    /// When it can't be written: the terminal is gone.
    pub fn use_mouse(&mut self) -> io::Result<()> {
        HAS_MOUSE.store(self.owns_terminal, Ordering::SeqCst);
        self.out.write_all(MOUSE)?;
        self.out.flush()
    }

    /// Rings the terminal's bell.
    ///
    /// # Errors
    /// When it can't be written: the terminal is gone.
    pub fn ring(&mut self) -> io::Result<()> {
        self.out.write_all(b"\x07")?;
        self.out.flush()
    }

    /// A screen of this size that writes its frames to `out`.
    pub fn over(out: W, size: Size) -> Screen<W> {
        // Colors are the theme's business; with `NO_COLOR` set crossterm 0.29 would write resets in their place, which
        // switch off bold and reversed, too.
        crossterm::style::force_color_output(true);
        let backend = Frames { size, cleared: false };
        match Terminal::new(backend) {
            Ok(terminal) => Screen {
                terminal,
                shown: blank(size),
                linked: Linked::new(),
                links: Links::default(),
                out,
                outlet: None,
                owns_terminal: false,
            },
            // `Terminal::new` asks the backend for its size, which it has.
            Err(error) => unreachable!("a backend in memory can't fail: {error}"),
        }
    }

    /// Draws what `view` draws and writes what has changed since the last frame, all at once; writes nothing when
    /// nothing has, or while the terminal has not taken the last frame. Says whether it wrote.
    ///
    /// # Errors
    /// When it can't be written: the terminal is gone, or was given back because some part of the program has panicked.
    pub fn paint(&mut self, view: impl FnOnce(&mut Frame<'_>)) -> io::Result<bool> {
        self.paint_seen(view, |_| ())
    }

    /// The same; `see` gets the whole picture.
    ///
    /// # Errors
    /// Likewise.
    pub fn paint_seen(&mut self, view: impl FnOnce(&mut Frame<'_>), see: impl FnOnce(&Buffer)) -> io::Result<bool> {
        if self.owns_terminal && !ENTERED.load(Ordering::SeqCst) {
            return Err(io::Error::other("a part of kmslab has panicked, as told above"));
        }
        let picture = self.terminal.draw(view)?.buffer.clone();
        see(&picture);
        // What is not written now is written with what comes later: the outlet tells when it is ready.
        if !self.outlet.as_ref().is_none_or(Outlet::is_ready) {
            return Ok(false);
        }
        let mut frame = BEGIN_UPDATE.to_vec();
        if std::mem::take(&mut self.terminal.backend_mut().cleared) {
            self.shown = blank(picture.area.as_size());
            self.linked.clear();
            CrosstermBackend::new(&mut frame).clear()?;
        }
        let linked = self.links.find(&picture);
        let changes = self.changes(&picture, &linked);
        if changes.is_empty() && frame.len() == BEGIN_UPDATE.len() {
            return Ok(false);
        }
        let link = |change: &(u16, u16, &Cell)| linked.get(&(change.1, change.0)).copied();
        for part in changes.chunk_by(|one, next| link(one) == link(next)) {
            let number = part.first().and_then(link);
            frame.extend(number.map(|number| self.links.begin(number)).unwrap_or_default());
            CrosstermBackend::new(&mut frame).draw(part.iter().copied())?;
            frame.extend_from_slice(if number.is_some() { links::END } else { b"" });
        }
        (self.shown, self.linked) = (picture, linked);
        frame.extend_from_slice(END_UPDATE);
        self.out.write_all(&frame)?;
        self.out.flush()?;
        Ok(true)
    }

    /// The cells that differ from what is shown, row by row: in what they show, or in what they lead to.
    fn changes<'p>(&self, picture: &'p Buffer, linked: &Linked) -> Vec<(u16, u16, &'p Cell)> {
        let mut changes = self.shown.diff(picture);
        let mut others: Vec<(u16, u16)> = self.linked.keys().chain(linked.keys()).copied().collect();
        others.retain(|place| self.linked.get(place) != linked.get(place));
        others.retain(|(y, x)| !changes.iter().any(|(column, row, _)| (row, column) == (y, x)));
        if !others.is_empty() {
            changes.extend(others.into_iter().filter_map(|(y, x)| Some((x, y, picture.cell((x, y))?))));
            changes.sort_by_key(|(x, y, _)| (*y, *x));
            changes.dedup_by_key(|(x, y, _)| (*y, *x));
        }
        changes
    }

    /// Makes links of these addresses wherever they are shown, for a terminal that knows links.
    pub fn use_links(&mut self, urls: impl IntoIterator<Item = String>) {
        self.links = Links::new(urls);
    }

    /// Calls `tell` when the terminal is ready for a frame that had to wait.
    pub fn when_ready(&mut self, tell: impl Fn() + Send + 'static) {
        if let Some(outlet) = &self.outlet {
            outlet.when_ready(Box::new(tell));
        }
    }

    /// Asks the terminal for its size again.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn measure(&mut self) -> io::Result<()> {
        if self.owns_terminal {
            self.resized(size()?);
        }
        Ok(())
    }

    /// Asks the terminal for the color of its background. It may reply at any time, or never.
    ///
    /// # Errors
    /// When it can't be written: the terminal is gone.
    pub fn ask_for_background(&mut self) -> io::Result<()> {
        self.out.write_all(BACKGROUND)?;
        self.out.flush()
    }

    /// The next frame is drawn whole: something else has written there.
    pub fn repaint(&mut self) {
        self.terminal.backend_mut().cleared = true;
    }

    /// Gives the terminal back until [`Screen::resume`].
    ///
    /// # Errors
    /// The first that occurred; everything is tried.
    pub fn pause(&mut self) -> io::Result<()> {
        if !self.owns_terminal {
            return Ok(());
        }
        self.drain();
        restore()
    }

    /// Takes the terminal over again, whatever has become of it meanwhile.
    ///
    /// # Errors
    /// When it does not play along.
    pub fn resume(&mut self) -> io::Result<()> {
        if !self.owns_terminal {
            return Ok(());
        }
        // Crossterm takes a terminal that it has put into raw mode to be in it still; a shell may have changed that.
        crossterm::terminal::disable_raw_mode()?;
        crossterm::terminal::enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        self.out.write_all(TIDY)?;
        self.out.write_all(ENTER)?;
        self.out.write_all(TIDY_INSIDE)?;
        if HAS_MOUSE.load(Ordering::SeqCst) {
            self.out.write_all(MOUSE)?;
        }
        self.out.flush()?;
        self.measure()?;
        self.repaint();
        Ok(())
    }

    /// Waits until the terminal has taken all, or has had its time.
    fn drain(&self) {
        if let Some(outlet) = &self.outlet {
            outlet.drain(|waited| waited >= if HURRY.load(Ordering::SeqCst) { PATIENCE } else { LONG_PATIENCE });
        }
    }

    /// Asks the terminal to put `text` into the clipboard (xterm's control sequences, OSC 52). Base64 has no escape
    /// sequences, whatever the text has.
    ///
    /// # Errors
    /// When it can't be written: the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let sequence = format!("\x1b]52;c;{}\x07", BASE64.encode(text));
        self.out.write_all(sequence.as_bytes())?;
        self.out.flush()
    }

    /// Notes a new size; the next frame is drawn whole.
    pub fn resized(&mut self, Size { width, height }: Size) {
        self.terminal.backend_mut().size = sized(width, height);
    }

    /// The size that is drawn for.
    pub fn size(&self) -> Size {
        self.terminal.backend().size
    }

    /// Gives the terminal back. Dropping does the same and can't tell of an error.
    ///
    /// # Errors
    /// The first that occurred; everything is tried.
    pub fn leave(mut self) -> io::Result<()> {
        self.pause().inspect(|()| self.owns_terminal = false)
    }

    /// Where the frames go.
    pub fn writer(&self) -> &W {
        &self.out
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.pause();
    }
}

/// Undoes what [`Screen::enter`] did, once. It waits for a terminal that takes nothing only for a moment: what such a one
/// has not taken by then is dropped, so that it finds at least this when it reads again.
pub fn restore() -> io::Result<()> {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    // First what takes no time.
    let cooked = crossterm::terminal::disable_raw_mode();
    let mut output = lock_output(PATIENCE);
    let is_torn = output.is_none() || is_stuck();
    if is_torn {
        drop(output);
        discard_output();
        output = lock_output(PATIENCE);
    }
    let written = in_time(PATIENCE, move || {
        let mut out = io::stdout();
        // Also after a frame that was cut off.
        if HAS_MOUSE.load(Ordering::SeqCst) {
            out.write_all(NO_MOUSE)?;
        }
        out.write_all(if is_torn { LEAVE_TORN } else { LEAVE }).and_then(|()| out.flush())
    });
    drop(output);
    written.and(cooked)
}

/// A panic's message must appear on the terminal as it was before, so the hook restores first.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let _ = restore();
            previous(info);
        }));
    });
}

fn blank(size: Size) -> Buffer {
    Buffer::empty(ratatui::layout::Rect::from((Position::ORIGIN, size)))
}

/// Holds a picture's size, and nothing else: what is written is the difference to what was written before, which is not
/// always the picture before.
struct Frames {
    size: Size,
    /// Whether the terminal's screen is to be wiped first.
    cleared: bool,
}

impl Backend for Frames {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, _: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(()) // hidden since the beginning
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _: P) -> io::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.cleared = true;
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
