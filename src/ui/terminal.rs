//! The terminal's edge: one guard that enters and leaves, and one write for each frame that changed something.

use std::io::{self, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use crossterm::terminal::{Clear, ClearType as Part, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, queue};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};
use ratatui::{Frame, Terminal};

/// A terminal shows nothing between these two: a frame appears at once. Terminals that don't know them ignore them.
const BEGIN_UPDATE: &[u8] = b"\x1b[?2026h";
const END_UPDATE: &[u8] = b"\x1b[?2026l";

/// Whether this process has changed the terminal and not changed it back.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The screen: draws states, writes bytes.
///
/// Made by [`Screen::enter`] it is the process's terminal, which is restored when it is dropped, and when the program
/// panics. Made by [`Screen::over`] it writes anywhere.
pub struct Screen<W: Write> {
    terminal: Terminal<Frames>,
    out: W,
    owns_terminal: bool,
}

impl Screen<Stdout> {
    /// Takes over the terminal: raw mode, the alternate screen, no cursor. No mouse and no bracketed paste, so that
    /// text can be selected as everywhere.
    ///
    /// # Errors
    /// When the terminal does not play along; it is then as it was.
    pub fn enter() -> io::Result<Self> {
        restore_on_panic();
        let (width, height) = crossterm::terminal::size()?;
        crossterm::terminal::enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        let mut screen = Screen::over(io::stdout(), Size { width, height });
        screen.owns_terminal = true;
        // A lab that was killed has left its picture there; ratatui takes the screen for empty.
        queue!(screen.out, EnterAlternateScreen, Clear(Part::All), cursor::Hide)?;
        screen.out.flush()?;
        Ok(screen)
    }

    /// Asks the terminal for its size again.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn measure(&mut self) -> io::Result<()> {
        let (width, height) = crossterm::terminal::size()?;
        self.resized(Size { width, height });
        Ok(())
    }
}

impl<W: Write> Screen<W> {
    /// A screen of this size that writes its frames to `out`.
    pub fn over(out: W, size: Size) -> Screen<W> {
        // Colours are the theme's business; with `NO_COLOR` set crossterm 0.29 would write resets in their place, which
        // switch off bold and reversed, too.
        crossterm::style::force_color_output(true);
        let backend = Frames { bytes: Vec::new(), size, changed: false };
        match Terminal::new(backend) {
            Ok(terminal) => Screen { terminal, out, owns_terminal: false },
            // `Terminal::new` asks the backend for its size, which it has.
            Err(error) => unreachable!("a backend in memory can't fail: {error}"),
        }
    }

    /// Draws what `view` draws and writes what has changed since the last frame, all at once; writes nothing when
    /// nothing has. Says whether it wrote.
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
        see(self.terminal.draw(view)?.buffer);
        let frames = self.terminal.backend_mut();
        let bytes = std::mem::take(&mut frames.bytes);
        if !std::mem::take(&mut frames.changed) {
            return Ok(false);
        }
        let frame = [BEGIN_UPDATE, &bytes, END_UPDATE].concat();
        self.out.write_all(&frame)?;
        self.out.flush()?;
        Ok(true)
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
    pub fn resized(&mut self, size: Size) {
        self.terminal.backend_mut().size = size;
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
        if std::mem::take(&mut self.owns_terminal) { restore() } else { Ok(()) }
    }

    /// Where the frames go.
    pub fn writer(&self) -> &W {
        &self.out
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        if self.owns_terminal {
            // There is nobody left to tell.
            let _ = restore();
        }
    }
}

/// Undoes what [`Screen::enter`] did, once.
fn restore() -> io::Result<()> {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut out = io::stdout();
    let written = queue!(out, LeaveAlternateScreen, cursor::Show).and_then(|()| out.flush());
    let cooked = crossterm::terminal::disable_raw_mode();
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

/// Collects a frame's bytes and knows whether any cell changed. Ratatui writes some bytes for each frame, changed or
/// not, and asks the terminal for its size and its cursor; here nothing is asked and nothing is written in vain.
struct Frames {
    bytes: Vec<u8>,
    size: Size,
    changed: bool,
}

impl Frames {
    /// What knows the escape sequences.
    fn terminal_over_bytes(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.bytes)
    }
}

impl Backend for Frames {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.changed = true;
        self.terminal_over_bytes().draw(content)
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
        self.changed = true;
        self.terminal_over_bytes().clear()
    }

    fn clear_region(&mut self, kind: ClearType) -> io::Result<()> {
        self.changed = true;
        self.terminal_over_bytes().clear_region(kind)
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
