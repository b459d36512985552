//! The binary in a pseudo-terminal, from start to quit, and the ends a terminal can meet.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]
#![cfg(unix)]

mod classroom;
mod copy;
mod drills;
mod edge;
mod export;
mod leaving;
mod places;
mod presenting;
mod recording;
mod resume;
mod secrets;
mod shell;
#[expect(dead_code, unused_imports, reason = "most of it is for the other binary")]
#[path = "../support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use crate::support::port::ended;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Begins a synchronized update with an `h` behind it, and ends it with an `l`.
const UPDATE: &[u8] = b"\x1b[?2026";

struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    // Held open as a shell holds it: the terminal outlives the program.
    slave: Option<Box<dyn portable_pty::SlavePty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// Whether the picture is whole, and not in the middle of an update.
    is_whole: bool,
    child: Box<dyn Child + Send + Sync>,
    modes_before: Modes,
    tmp: tempfile::TempDir,
    /// Where sockets are.
    runtime: tempfile::TempDir,
    /// The home folder of somebody in another terminal.
    home: tempfile::TempDir,
    /// Asks the reading thread to let go of the terminal after what it reads next.
    let_go: Arc<AtomicBool>,
}

/// The modes a program must give back.
type Modes = String;

fn modes(master: &dyn MasterPty) -> Modes {
    let name = master.tty_name().expect("a name");
    let output = std::process::Command::new("stty").arg("-a").arg("-F").arg(name).output().expect("stty");
    assert!(output.status.success(), "stty");
    // The size is not a mode.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.splitn(4, ';').last().expect("modes").to_owned()
}

impl Terminal {
    fn start(columns: u16, rows: u16, environment: &[(&str, &str)], arguments: &[&str]) -> Terminal {
        Terminal::start_program(env!("CARGO_BIN_EXE_kmslab"), columns, rows, environment, arguments)
    }

    fn start_program(
        program: &str,
        columns: u16,
        rows: u16,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Terminal {
        let tmp = tempfile::tempdir().unwrap();
        let [runtime, others_home] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let pair = native_pty_system()
            .openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let modes_before = modes(&*pair.master);
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("TMPDIR", tmp.path());
        command.env("HOME", tmp.path());
        command.env("XDG_RUNTIME_DIR", runtime.path());
        for (name, value) in environment {
            command.env(name, value);
        }
        // Most tests are about the stages: their person has switched the opening card off.
        let home = environment.iter().find(|(name, _)| *name == "HOME").map_or(tmp.path(), |(_, home)| Path::new(home));
        let settings = home.join(".config/kmslab/config.toml");
        if home.is_dir() && !settings.exists() {
            std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
            std::fs::write(&settings, "opening = false\n").unwrap();
        }
        command.args(arguments);
        let child = pair.slave.spawn_command(command).expect("it starts");
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let writer = pair.master.take_writer().expect("its input");
        let (sender, output) = channel();
        let let_go = Arc::new(AtomicBool::new(false));
        let asked = let_go.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if asked.load(Ordering::SeqCst) || sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal {
            master: Some(pair.master),
            slave: Some(pair.slave),
            writer: Some(writer),
            output,
            parser: vt100::Parser::new(rows, columns, 0),
            bytes: Vec::new(),
            is_whole: true,
            child,
            modes_before,
            tmp,
            runtime,
            home: others_home,
            let_go,
        }
    }

    fn picture(&self) -> String {
        self.parser.screen().contents().replace('\u{a0}', " ")
    }

    fn take(&mut self, timeout: Duration) -> Result<(), RecvTimeoutError> {
        let bytes = self.output.recv_timeout(timeout)?;
        self.parser.process(&bytes);
        // What begins or ends an update may come in two parts.
        let new = self.bytes.len().saturating_sub(UPDATE.len());
        self.bytes.extend(bytes);
        let newest = self.bytes[new..].windows(UPDATE.len() + 1).rfind(|bytes| bytes.starts_with(UPDATE));
        self.is_whole = newest.map_or(self.is_whole, |bytes| bytes.ends_with(b"l"));
        Ok(())
    }

    fn wait_for(&mut self, texts: &[&str]) {
        let end = Instant::now() + PATIENCE;
        // A key that answers half a picture may be too early: an Esc and the key after it are one key then.
        while !self.is_whole || !texts.iter().all(|text| self.picture().contains(text)) {
            let left = end.saturating_duration_since(Instant::now());
            if self.take(left).is_err() {
                panic!("{texts:?} did not appear:\n{}", self.picture());
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.writer.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    fn do_stages(&mut self, count: usize) {
        for stage in 1..=count {
            self.do_stage(stage, "? keys");
        }
    }

    /// Answers, sends and goes on, once `ready` is there.
    fn do_stage(&mut self, stage: usize, ready: &str) {
        if stage == 7 {
            self.take_the_usual_way();
            self.review_key_policy();
        } else {
            self.wait_for(&[&format!("{stage}/9"), ready]);
            // A prediction first: enter waits for it.
            self.press("a\r");
        }
        self.wait_for(&["✔ As expected"]);
        if stage < 9 {
            self.press("\r");
        }
    }

    /// Answers, unless that has been done, and sends the key policy that is shown.
    fn review_key_policy(&mut self) {
        let end = Instant::now() + PATIENCE;
        let shows = |terminal: &Terminal, text: &str| terminal.picture().contains(text);
        while !shows(self, "NOT SENT") && !shows(self, "○ kms:GetKeyPolicy") && Instant::now() < end {
            let _ = self.take(Duration::from_millis(50));
        }
        if !shows(self, "NOT SENT") {
            self.press("a\r");
        }
        self.wait_for(&["NOT SENT"]);
        self.press("\r");
    }

    /// Chooses the usual way of stage 7.
    fn take_the_usual_way(&mut self) {
        self.wait_for(&["7/9", "the usual way"]);
        self.press("\r");
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, columns);
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// Leaves in the middle of a lab, where `q` warns first.
    fn leave_mid_lab(&mut self) {
        self.press("q");
        self.wait_for(&["press q again to leave"]);
        self.press("q");
    }

    fn exit(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.take_the_rest();
                return status;
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.picture());
            let _ = self.take(Duration::from_millis(20));
        }
    }

    /// Takes all that the program, which has ended, has written: it is there when what is written after it is.
    fn take_the_rest(&mut self) {
        const END: &[u8] = b"\x1b]the end\x07";
        let name = self.master.as_ref().unwrap().tty_name().unwrap();
        let mut tell = std::process::Command::new("sh");
        tell.args(["-c", "printf '\\033]the end\\007' > \"$1\"", "sh"]).arg(name);
        assert!(tell.status().unwrap().success());
        let end = Instant::now() + PATIENCE;
        while !self.bytes.ends_with(END) {
            self.take(end.saturating_duration_since(Instant::now())).expect("the end");
        }
        self.bytes.truncate(self.bytes.len() - END.len());
    }

    fn send(&self, signal: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Takes the terminal away and waits for the end.
    fn disappear(&mut self) {
        self.let_go.store(true, Ordering::SeqCst);
        self.press("?");
        while self.take(PATIENCE).is_ok() {}
        self.writer = None;
        self.slave = None;
        self.master = None;
        let end = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end, and gives the exit status; then the terminal must be as it was.
    fn ends(&mut self) -> u32 {
        let code = self.exit().exit_code();
        assert_eq!(modes(&**self.master.as_ref().unwrap()), self.modes_before, "the terminal's modes");
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is back");
        code
    }

    /// As [`Terminal::ends`], and no temporary file may be left.
    fn ends_in_order(mut self) -> (u32, String) {
        let code = self.ends();
        assert_eq!(count(self.tmp.path()), 0, "the temporary folder is removed");
        assert_eq!(count(self.runtime.path()), 0, "the socket is removed, and its folder");
        (code, self.picture())
    }
}

/// How many files are there; the state that a lab keeps and the settings of a test are not counted.
fn count(folder: &Path) -> usize {
    let is_counted = |name: std::ffi::OsString| name != ".local" && name != ".config";
    std::fs::read_dir(folder).unwrap().filter(|entry| is_counted(entry.as_ref().unwrap().file_name())).count()
}

/// A lab that was killed leaves its picture on the alternate screen.
#[test]
fn what_stands_on_the_screen_before_is_wiped() {
    let dirty = r#"printf '\033[?1049h\033[2Jleft over\033[17;50Hleft over'; exec "$0""#;
    let mut terminal = Terminal::start_program("/bin/sh", 80, 24, &[], &["-c", dirty, env!("CARGO_BIN_EXE_kmslab")]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    assert!(!terminal.picture().contains("left over"), "{}", terminal.picture());
    terminal.press("q");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn from_start_to_quit() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.do_stages(5);
    terminal.wait_for(&["6/9"]);
    terminal.press("b\r");
    terminal.wait_for(&["✔ ALLOWED", "✘ DENIED", "✔ As expected"]);
    terminal.press("\r");
    terminal.take_the_usual_way();
    terminal.wait_for(&["7/9", "a–d answer"]);
    terminal.press("b\r");
    terminal.wait_for(&["○ NOT SENT", "+ Allow use of the key", "= stays      Enable IAM User Permissions"]);
    // Left unsent, and taken up again.
    terminal.press("\x1b");
    terminal.take_the_usual_way();
    terminal.wait_for(&["○ NOT SENT"]);
    terminal.press("\r");
    terminal.wait_for(&["✔ As expected", "Allow use of the key"]);
    terminal.press("\r");
    terminal.wait_for(&["8/9"]);
    terminal.press("b\r");
    terminal.wait_for(&["✔ As expected", "before", "now"]);
    terminal.press("\r");
    terminal.wait_for(&["9/9"]);
    terminal.press("b\r");
    terminal.wait_for(&["9/9", "✔ As expected"]);
    terminal.press("q");
    let (code, picture) = terminal.ends_in_order();
    assert_eq!(code, 0);
    assert!(picture.contains("9 of 9 stages met"), "{picture}");
}

/// The rehearsal meets everything; then the server is gone.
#[test]
fn a_rehearsal_is_replayed_when_nothing_answers() {
    let home = tempfile::tempdir().unwrap();
    let sandbox = kmslab::sandbox::Sandbox::start(kmslab::sandbox::Config::default()).unwrap();
    let (url, admin) = (sandbox.url().to_owned(), sandbox.admin());
    let state = home.path().to_str().unwrap();
    let environment = [
        ("XDG_STATE_HOME", state),
        ("AWS_ACCESS_KEY_ID", admin.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", admin.secret_access_key.as_str()),
        ("AWS_MAX_ATTEMPTS", "1"),
    ];
    let options = ["--region", "us-east-1", "--endpoint-url", &url];
    let mut rehearsal = std::process::Command::new(env!("CARGO_BIN_EXE_kmslab"));
    rehearsal.arg("run").args(options).env_clear().env("HOME", home.path()).envs(environment);
    assert!(rehearsal.output().unwrap().status.success());

    let environment = environment.map(|(name, value)| (name, value.to_owned()));
    let _port = ended(sandbox);
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut terminal = Terminal::start(80, 24, &environment, &[&options[..], &["--no-questions"]].concat());
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.press("\r");
    terminal.wait_for(&["no response · r: try again · F: show the response of ", "F replay"]);
    terminal.press("F");
    terminal.wait_for(&["  ⟳ REPLAY   ✔ ALLOWED", "GetCallerIdentity", "✘ Not as expected"]);
    assert_eq!(terminal.picture().matches("⟳ REPLAY").count(), 2, "{}", terminal.picture());
    // The next stage is not recorded until it has failed, too.
    terminal.press("n");
    terminal.wait_for(&["2/9", "kms:CreateKey"]);
    assert!(!terminal.picture().contains("REPLAY"), "{}", terminal.picture());
    terminal.press("\x03");
    let (code, picture) = terminal.ends_in_order();
    assert!(picture.contains("0 of 9 stages met, 1 shown as REPLAY"), "{picture}");
    assert_eq!(code, 4);
}

#[test]
fn why_the_scan_was_denied_stands_in_the_terminal() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.do_stages(6);
    terminal.press("p");
    terminal.wait_for(&["6/9", "✘ DENIED"]);
    terminal.press("\tw");
    terminal.wait_for(&["1  explicit Deny", "2  key policy", "3  IAM policies"]);
    terminal.wait_for(&["names the account", "An allow at 2, 3 or 4 would be enough."]);
    terminal.press("G");
    terminal.wait_for(&["KMS key access denied error:"]);
    terminal.press("wt");
    terminal.wait_for(&["what KMS was asked", "kms:Decrypt  ✘ DENIED"]);
    terminal.press("te");
    terminal.wait_for(&["at rest", "item 1", "DENIED: sees nothing"]);
    terminal.press("e");
    terminal.wait_for(&["6/9", "As expected"]);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn the_lab_is_broken_and_mended_in_the_terminal_with_no_wait() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.do_stages(8);
    terminal.wait_for(&["9/9"]);
    terminal.press("x");
    terminal.wait_for(&["break it", "14  Schedule deletion, and cancel"]);
    terminal.press("j\r");
    terminal.wait_for(&["x 2/14", "Which one counts?"]);
    terminal.press("a\r");
    terminal.wait_for(&["admin ALLOWED, test-user DENIED on kms:Decrypt", "A Deny is a guard rail"]);
    terminal.press("\tw");
    terminal.wait_for(&["why?", "no Deny matches this call"]);
    terminal.press("\t");
    terminal.wait_for(&["why?", "explicit Deny", "Deny test-user"]);
    terminal.press("w");
    // Schedules the deletion, and cancels it; five minutes pass there at once.
    terminal.press("\x1b");
    terminal.wait_for(&["break it", "✔ tried"]);
    terminal.press("G\r");
    terminal.wait_for(&["x 14/14", "kms:CancelKeyDeletion"]);
    terminal.press("s\r");
    terminal.wait_for(&["admin and test-user FAILED: DisabledException"]);
    terminal.press("x");
    terminal.wait_for(&["9/9", "a–d answer"]);
    terminal.press("a\r");
    terminal.wait_for(&["✔ As expected"]);
    terminal.press("q");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn doctor_sees_the_terminal_that_it_runs_in() {
    let variables = [("COLORTERM", "truecolor")];
    let mut terminal = Terminal::start(120, 30, &variables, &["doctor"]);
    terminal.wait_for(&["ok       terminal           120 columns, 30 rows, 24-bit colors", "0 to fix"]);
    assert_eq!(terminal.ends_in_order().0, 0);
    let mut small = Terminal::start(79, 24, &[("NO_COLOR", "1")], &["doctor"]);
    small.wait_for(&["warning  terminal           79 columns, 24 rows, no colors", "0 to fix"]);
    assert_eq!(small.ends_in_order().0, 0, "a warning is no error");
}

#[test]
fn ctrl_c_at_every_stage_restores_the_terminal() {
    for stages in 0..=9 {
        let mut terminal = Terminal::start(80, 24, &[], &[]);
        terminal.do_stages(stages);
        if stages == 0 {
            terminal.wait_for(&["1/9"]);
        }
        terminal.press("\x03");
        let (code, picture) = terminal.ends_in_order();
        assert_eq!(code, 0, "after {stages} stages: {picture}");
        assert!(picture.contains(&format!("{stages} of 9 stages met")), "{picture}");
    }
}

#[test]
fn a_signal_restores_the_terminal() {
    for (signal, code) in [("-TERM", 143), ("-INT", 130), ("-HUP", 129)] {
        let mut terminal = Terminal::start(80, 24, &[], &[]);
        terminal.wait_for(&["1/9"]);
        terminal.send(signal);
        assert_eq!(terminal.ends_in_order().0, code, "{signal}");
    }
}

#[test]
fn a_terminal_that_disappears_leaves_no_file() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.do_stages(2);
    terminal.wait_for(&["3/9"]);
    assert_eq!(count(terminal.tmp.path()), 1);
    terminal.disappear();
    assert_eq!(count(terminal.tmp.path()), 0);
}

#[test]
fn a_terminal_too_small_says_what_is_needed_and_comes_back() {
    let mut terminal = Terminal::start(30, 8, &[], &[]);
    terminal.wait_for(&["60"]);
    terminal.resize(80, 24);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.press("s\r");
    terminal.wait_for(&["✔ As expected"]);
    terminal.resize(20, 5);
    terminal.wait_for(&["60"]);
    terminal.resize(200, 50);
    terminal.wait_for(&["✔ As expected", "test-user"]);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn a_dumb_terminal_gets_lines_without_escapes() {
    let mut terminal = Terminal::start(80, 24, &[("TERM", "dumb")], &[]);
    terminal.wait_for(&["Type 1 to 4"]);
    terminal.press("s\n\n");
    terminal.wait_for(&["As expected: ", "for the next stage"]);
    terminal.press("q\n");
    assert_eq!(terminal.exit().exit_code(), 0);
    let text = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert!(text.contains("TERM=dumb") && text.contains("1 of 9 stages met"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
}

/// The parameters of every "select graphic rendition" sequence.
fn renditions(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.split("\x1b[")
        .skip(1)
        .filter_map(|rest| {
            let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
            (rest[end..].starts_with('m')).then(|| rest[..end].to_owned())
        })
        .collect()
}

fn is_color(rendition: &str) -> bool {
    rendition.split(';').any(|part| matches!(part.parse::<u32>(), Ok(30..=38 | 40..=48 | 90..=97 | 100..=107)))
}

#[test]
fn no_color_keeps_bold_and_reversed_and_writes_no_color() {
    let mut terminal = Terminal::start(80, 24, &[("NO_COLOR", "1")], &[]);
    terminal.do_stages(1);
    terminal.leave_mid_lab();
    terminal.exit();
    let renditions = renditions(&terminal.bytes);
    assert!(!renditions.iter().any(|rendition| is_color(rendition)), "{renditions:?}");
    assert!(renditions.iter().any(|rendition| rendition == "7"), "reversed: {renditions:?}");
    assert!(renditions.iter().any(|rendition| rendition == "1"), "bold: {renditions:?}");
    assert!(!renditions.iter().any(|rendition| rendition == ";"), "crossterm's broken reset: {renditions:?}");
}

#[test]
fn an_empty_no_color_is_none_and_colors_are_written() {
    let mut terminal = Terminal::start(80, 24, &[("NO_COLOR", "")], &[]);
    terminal.do_stages(1);
    terminal.leave_mid_lab();
    terminal.exit();
    assert!(renditions(&terminal.bytes).iter().any(|rendition| is_color(rendition)));
}

#[test]
fn every_frame_is_one_synchronized_update() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.do_stages(1);
    terminal.leave_mid_lab();
    terminal.exit();
    let text = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert_eq!(text.matches("\x1b[?2026h").count(), text.matches("\x1b[?2026l").count());
    assert!(text.matches("\x1b[?2026h").count() >= 2);
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_lab_does_nothing() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.do_stages(1);
    terminal.wait_for(&["2/9"]);
    let pid = terminal.child.process_id().unwrap();
    // How often any thread of the process has given up the processor: a thread that wakes up does so again.
    let switches = || -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let count = |task: std::fs::DirEntry| {
            // A thread may end meanwhile.
            let Ok(status) = std::fs::read_to_string(task.path().join("status")) else { return 0 };
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
        };
        tasks.map(|task| count(task.unwrap())).sum()
    };
    // What the stage has left to do is done at some time, later on a busy machine; what wakes up again and again is not.
    let is_idle = (0..15).any(|_| {
        let before = switches();
        terminal.take(Duration::from_secs(2)).is_err() && switches() == before
    });
    assert!(is_idle, "never two seconds in which no thread wakes up and nothing is written");
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends_in_order().0, 0);
}
