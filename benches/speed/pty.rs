//! A program in a pseudo-terminal with a home of its own, so that no kept session asks whether to go on.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// How long nothing may be written before an answer counts as whole.
const QUIET: Duration = Duration::from_millis(60);
/// How long to wait for a text. The bench ends with the screen in its message instead of standing still.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Pty {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    output: Receiver<(Instant, Vec<u8>)>,
    writer: Box<dyn Write + Send>,
    screen: vt100::Parser,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    _home: tempfile::TempDir,
}

impl Pty {
    pub fn start(program: &str, arguments: &[&str], (cols, rows): (u16, u16), environment: &[(&str, &str)]) -> Pty {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        let home = tempfile::tempdir().expect("a temporary folder");
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("HOME", home.path());
        command.env("XDG_STATE_HOME", home.path());
        command.env_remove("XDG_CONFIG_HOME");
        environment.iter().for_each(|(name, value)| command.env(name, value));
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let writer = pair.master.take_writer().expect("its input");
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if send.send((Instant::now(), buffer[..count].to_vec())).is_err() {
                    break;
                }
            }
        });
        let child = pair.slave.spawn_command(command).expect("it starts");
        Pty { child, output, writer, screen: vt100::Parser::new(rows, cols, 0), _master: pair.master, _home: home }
    }

    /// When `text` was on the screen.
    pub fn wait_for(&mut self, text: &str) -> Instant {
        let end = Instant::now() + PATIENCE;
        let mut at = Instant::now();
        while !self.screen.screen().contents().contains(text) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok((when, bytes)) => {
                    at = when;
                    self.screen.process(&bytes);
                }
                Err(_) => panic!("no {text:?} on this screen:\n{}", self.screen.screen().contents()),
            }
        }
        at
    }

    /// Waits until nothing more is written. Returns when the last byte arrived, if one did.
    pub fn settle(&mut self) -> Option<Instant> {
        let mut last = None;
        loop {
            match self.output.recv_timeout(QUIET) {
                Ok((when, bytes)) => {
                    last = Some(when);
                    self.screen.process(&bytes);
                }
                Err(RecvTimeoutError::Timeout) => return last,
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended early"),
            }
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("input");
    }

    /// From pressing `key` to the last byte that it caused.
    pub fn answer(&mut self, key: &str) -> Duration {
        let start = Instant::now();
        self.press(key);
        let Ok((first, bytes)) = self.output.recv_timeout(PATIENCE) else {
            panic!("{key:?} changed nothing on this screen:\n{}", self.screen.screen().contents());
        };
        self.screen.process(&bytes);
        self.settle().unwrap_or(first) - start
    }

    /// Peak memory in KB; 0 outside Linux.
    pub fn peak_memory_kb(&self) -> u64 {
        self.child.process_id().map_or(0, peak_memory_kb)
    }

    /// Ends the program with this key, or by force if it asks something first.
    pub fn quit(mut self, key: &str) {
        self.press(key);
        // All that is still written must be read, or the program can't end.
        let end = Instant::now() + Duration::from_secs(2);
        while self.output.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.child.kill().expect("it can be ended");
            self.child.wait().expect("it ends");
        }
    }
}

/// Peak memory of a process in KB; 0 outside Linux.
pub fn peak_memory_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}
