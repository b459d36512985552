//! How long a person waits: process start to first frame, the whole `kmslab run`, a jump to the last stage, and the
//! memory of the lab.
//!
//! `cargo bench` runs it on a release build. The first frame and its memory stand beside those of a ten-line ratatui
//! program, measured in turn in the same run; the rest beside its aim. `benches/README.md` explains the rows.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const RUNS: usize = 30;
/// The argument that makes this program the ten-line one.
const TEN_LINES: &str = "--ten-lines";
/// What the ten-line program shows.
const GREETING: &str = "ten lines";
/// What a home without a session shows first.
const WELCOME: &str = "A clinic keeps";
/// The first frame, as a multiple of the ten-line program's.
const PEER_AIM: f64 = 2.2;
const RUN_AIM: Duration = Duration::from_millis(80);
const JUMP_AIM: Duration = Duration::from_secs(1);
const MEMORY_AIM_KB: u64 = 40 * 1024;

fn main() {
    if std::env::args().any(|argument| argument == TEN_LINES) {
        return ten_lines().expect("a terminal");
    }
    first_frames();
    let mut runs: Vec<Duration> = (0..RUNS).map(|_| whole_run()).collect();
    let mut jumps: Vec<Duration> = (0..RUNS).map(|_| jump()).collect();
    report("whole `run --format jsonl`", &mut runs, RUN_AIM);
    report("jump from stage 1 to stage 9", &mut jumps, JUMP_AIM);
    let memory = lab_memory();
    println!(
        "peak memory after the whole interactive lab: {} MB, aim {} MB, ratio {:.2}",
        memory / 1024,
        MEMORY_AIM_KB / 1024,
        memory as f64 / MEMORY_AIM_KB as f64
    );
}

/// The smallest ratatui program: it draws a line and waits for a key.
fn ten_lines() -> std::io::Result<()> {
    let mut terminal = ratatui::init();
    terminal.draw(|frame| frame.render_widget(GREETING, frame.area()))?;
    crossterm::event::read()?;
    ratatui::restore();
    Ok(())
}

/// Compares the lab's first frame with the ten-line program's. They take turns, so a busy machine slows both.
fn first_frames() {
    let peer = std::env::current_exe().expect("this program's path");
    let peer = peer.to_str().expect("a path in UTF-8");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut our_memory, mut their_memory) = (0, 0);
    for _ in 0..RUNS {
        let (time, memory) = first_frame(env!("CARGO_BIN_EXE_kmslab"), &[], WELCOME);
        ours.push(time);
        our_memory = our_memory.max(memory);
        let (time, memory) = first_frame(peer, &[TEN_LINES], GREETING);
        theirs.push(time);
        their_memory = their_memory.max(memory);
    }
    ours.sort();
    theirs.sort();
    let (our_median, their_median) = (ours[RUNS / 2], theirs[RUNS / 2]);
    println!(
        "process start to first frame: median {:.1} ms, ten-line program {:.1} ms, ratio {:.2}, aim {PEER_AIM} ({RUNS} runs each)",
        ms(our_median),
        ms(their_median),
        our_median.as_secs_f64() / their_median.as_secs_f64(),
    );
    println!(
        "peak memory at the first frame: {:.1} MB, ten-line program {:.1} MB, ratio {:.2}",
        our_memory as f64 / 1024.0,
        their_memory as f64 / 1024.0,
        our_memory as f64 / their_memory as f64,
    );
}

fn report(what: &str, times: &mut [Duration], aim: Duration) {
    times.sort();
    let median = times[times.len() / 2];
    let slowest = times[times.len() - 1];
    println!(
        "{what}: median {:.1} ms, fastest {:.1} ms, slowest {:.1} ms, aim {:.0} ms, ratio {:.2} ({} runs)",
        ms(median),
        ms(times[0]),
        ms(slowest),
        ms(aim),
        median.as_secs_f64() / aim.as_secs_f64(),
        times.len()
    );
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The lab in a pseudo-terminal.
struct Pty {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    screen: vt100::Parser,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    _home: tempfile::TempDir,
}

impl Pty {
    /// With a home of its own: whoever has a kept session is asked whether it goes on.
    fn start(arguments: &[&str]) -> Pty {
        Pty::start_program(env!("CARGO_BIN_EXE_kmslab"), arguments)
    }

    fn start_program(program: &str, arguments: &[&str]) -> Pty {
        let pair = native_pty_system()
            .openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        let home = tempfile::tempdir().expect("a temporary folder");
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("HOME", home.path());
        command.env("XDG_STATE_HOME", home.path());
        command.env_remove("XDG_CONFIG_HOME");
        let reader = pair.master.try_clone_reader().expect("its output");
        let writer = pair.master.take_writer().expect("its input");
        let child = pair.slave.spawn_command(command).expect("it starts");
        Pty { child, reader, writer, screen: vt100::Parser::new(24, 80, 0), _master: pair.master, _home: home }
    }

    fn wait_for(&mut self, text: &str) {
        let mut buffer = [0; 64 * 1024];
        while !self.screen.screen().contents().contains(text) {
            let count = self.reader.read(&mut buffer).expect("output");
            assert!(count > 0, "the program ended early");
            self.screen.process(&buffer[..count]);
        }
    }

    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("input");
    }

    fn peak_memory_kb(&self) -> u64 {
        let Some(pid) = self.child.process_id() else { return 0 };
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
    }

    fn quit(mut self) {
        // At once: in the middle of a lab `q` asks for a second one.
        self.press("\u{3}");
        // Whatever is still written must be read, or the program can't end.
        let _ = self.reader.read_to_end(&mut Vec::new());
        self.child.wait().expect("it ends");
    }
}

/// How long `program` takes to show `text`, and its peak memory in KB by then.
fn first_frame(program: &str, arguments: &[&str], text: &str) -> (Duration, u64) {
    let start = Instant::now();
    let mut pty = Pty::start_program(program, arguments);
    pty.wait_for(text);
    let time = start.elapsed();
    let memory = pty.peak_memory_kb();
    pty.quit();
    (time, memory)
}

/// From the list of stages, with everything before set up by the same calls as ever.
fn jump() -> Duration {
    let mut pty = Pty::start(&[]);
    pty.wait_for(WELCOME);
    pty.press("\r");
    pty.wait_for("1/9");
    pty.press("lG");
    let start = Instant::now();
    pty.press("\r");
    pty.wait_for("9/9");
    pty.wait_for("will be sent");
    let time = start.elapsed();
    pty.quit();
    time
}

fn whole_run() -> Duration {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_kmslab"))
        .args(["run", "--format", "jsonl"])
        .stdout(Stdio::null())
        .status()
        .expect("kmslab starts");
    assert!(status.success());
    start.elapsed()
}

fn lab_memory() -> u64 {
    let mut pty = Pty::start(&["--no-questions"]);
    pty.wait_for(WELCOME);
    pty.press("\r");
    pty.wait_for("1/9");
    for stage in 1..=9 {
        pty.press("\r");
        if stage == 7 {
            pty.wait_for("send PutKeyPolicy");
            pty.press("\r");
        }
        pty.wait_for("✔ MET");
        if stage < 9 {
            pty.press("\r");
            pty.wait_for(&format!("{}/9", stage + 1));
            pty.wait_for("will be sent");
        }
    }
    let memory = pty.peak_memory_kb();
    pty.quit();
    memory
}
