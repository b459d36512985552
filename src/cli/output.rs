//! The standard streams. The reader of the output may go away: `kmslab … | head` is no error.

use std::fmt::Display;
use std::io::{self, ErrorKind, StdoutLock, Write};

use crate::lab::glyphs;

/// Nothing reads the output anymore. Other programs end by SIGPIPE then, without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing reads the output anymore")]
pub struct ReaderGone;

/// The standard output, which every command prints to. Its errors tell a reader that has gone from a connection that broke:
/// both are [`ErrorKind::BrokenPipe`].
pub fn out() -> Out<StdoutLock<'static>> {
    Out(io::stdout().lock())
}

/// See [`out`].
#[derive(Debug)]
pub struct Out<W>(W);

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(mark_broken_pipe)
    }

    /// A line in one piece: the standard output writes what `write` gets in two, the text and its end.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).map_err(mark_broken_pipe)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(mark_broken_pipe)
    }
}

fn mark_broken_pipe(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, ReaderGone),
        _ => error,
    }
}

/// Whether an error says that the output's reader has gone.
pub fn is_reader_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        if inner.is_some_and(|inner| inner.is::<ReaderGone>()) {
            return true;
        }
        next = error.source();
    }
    false
}

/// A line for a person, on stderr. Unlike `eprintln!`, it does not panic where stderr is closed.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "kmslab: {}", printable(&line.to_string()));
}

/// `text` with its lines as a terminal may show them. Names of files, lesson files and texts of servers hold what they
/// like: nothing of it is a command to the terminal.
pub fn printable(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(glyphs::shown).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_broken_connection_is_no_reader_that_has_gone() {
        let gone = Out(Broken).write_all(b"x").unwrap_err();
        assert!(is_reader_gone(&gone));
        assert!(!is_reader_gone(&io::Error::from(ErrorKind::BrokenPipe)));
        let told = color_eyre::eyre::Report::new(gone).wrap_err("the lines could not be written");
        assert!(is_reader_gone(told.as_ref()));
    }
}
