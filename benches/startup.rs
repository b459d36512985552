//! How long a person waits: process start to first frame, the whole `kmslab run`, a jump to the last stage, and the
//! memory of the lab.
//!
//! `cargo bench` runs it on a release build. Each figure stands beside its aim, with the ratio.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const RUNS: usize = 30;
const FIRST_FRAME_AIM: Duration = Duration::from_millis(20);
const RUN_AIM: Duration = Duration::from_millis(80);
const JUMP_AIM: Duration = Duration::from_secs(1);
const MEMORY_AIM_KB: u64 = 40 * 1024;

fn main() {
    let mut frames = Vec::new();
    let mut frame_memory = 0;
    for _ in 0..RUNS {
        let (time, memory) = first_frame();
        frames.push(time);
        frame_memory = frame_memory.max(memory);
    }
    let mut runs: Vec<Duration> = (0..RUNS).map(|_| whole_run()).collect();
    let mut jumps: Vec<Duration> = (0..RUNS).map(|_| jump()).collect();
    report("process start to first frame", &mut frames, FIRST_FRAME_AIM);
    report("whole `run --format jsonl`", &mut runs, RUN_AIM);
    report("jump from stage 1 to stage 9", &mut jumps, JUMP_AIM);
    println!(
        "peak memory at the first frame: {} MB, aim {} MB, ratio {:.2}",
        frame_memory / 1024,
        MEMORY_AIM_KB / 1024,
        frame_memory as f64 / MEMORY_AIM_KB as f64
    );
    let memory = lab_memory();
    println!(
        "peak memory after the whole interactive lab: {} MB, aim {} MB, ratio {:.2}",
        memory / 1024,
        MEMORY_AIM_KB / 1024,
        memory as f64 / MEMORY_AIM_KB as f64
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
        let pair = native_pty_system()
            .openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_kmslab"));
        let home = tempfile::tempdir().expect("a temporary folder");
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("HOME", home.path());
        command.env("XDG_STATE_HOME", home.path());
        command.env_remove("XDG_CONFIG_HOME");
        let reader = pair.master.try_clone_reader().expect("its output");
        let writer = pair.master.take_writer().expect("its input");
        let child = pair.slave.spawn_command(command).expect("kmslab starts");
        Pty { child, reader, writer, screen: vt100::Parser::new(24, 80, 0), _master: pair.master, _home: home }
    }

    fn wait_for(&mut self, text: &str) {
        let mut buffer = [0; 64 * 1024];
        while !self.screen.screen().contents().contains(text) {
            let count = self.reader.read(&mut buffer).expect("output");
            assert!(count > 0, "kmslab ended early");
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

fn first_frame() -> (Duration, u64) {
    let start = Instant::now();
    let mut pty = Pty::start(&[]);
    pty.wait_for("1/9");
    let time = start.elapsed();
    let memory = pty.peak_memory_kb();
    pty.quit();
    (time, memory)
}

/// From the list of stages, with everything before set up by the same calls as ever.
fn jump() -> Duration {
    let mut pty = Pty::start(&[]);
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
