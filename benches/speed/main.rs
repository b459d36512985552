//! How long a person waits, and how much memory that takes. `cargo bench` runs it on a release build and prints one
//! table; `benches/README.md` explains the rows.

mod boto3;
mod pty;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use boto3::Boto3;
use kmslab::aws::Clients;
use kmslab::lab::model::operation::{Identity, Operation};
use kmslab::sandbox::{Config, Sandbox};
use pty::Pty;
use serde_json::{Value, json};
use table::Figure;

const KMSLAB: &str = env!("CARGO_BIN_EXE_kmslab");
/// What a home without a session shows first, and what the ten-line program shows.
const WELCOME: &str = "A clinic keeps";
const GREETING: &str = "ten lines";
const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);
const HUGE: (u16, u16) = (500, 150);
const CTRL_C: &str = "\u{3}";
const CTRL_L: &str = "\u{c}";

fn main() {
    // A dev build is only a trial of the benchmark itself.
    let runs = if cfg!(debug_assertions) { 3 } else { 30 };
    let ten_lines = ten_lines();
    let ten_lines = ten_lines.to_str().expect("a path in UTF-8");
    table::head();
    first_frames(ten_lines, runs);
    whole_runs(runs);
    keys(ten_lines, runs);
    large_responses(runs);
    redraws(ten_lines, runs);
    recording(runs);
    jumps(runs);
}

/// The ten-line program: cargo builds it beside this one, and the newest is this build's.
fn ten_lines() -> PathBuf {
    let own = std::env::current_exe().expect("this program's path");
    let beside = own.parent().expect("its folder").read_dir().expect("its folder").flatten();
    let is_program = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("ten_lines-") && path.extension().is_none_or(|extension| extension == "exe")
    };
    let programs = beside.map(|entry| entry.path()).filter(|path| is_program(path));
    let newest = programs.max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    newest.expect("`cargo bench` builds ten_lines; `cargo bench --bench speed` needs `--bench ten_lines` too")
}

/// The lab without questions, at its first stage.
fn lab(size: (u16, u16), arguments: &[&str], environment: &[(&str, &str)]) -> Pty {
    let mut pty = Pty::start(KMSLAB, &[&["--no-questions"], arguments].concat(), size, environment);
    pty.wait_for("1/9");
    pty.settle();
    pty
}

/// Does the stage on the screen and goes on to the next one.
fn do_stage(pty: &mut Pty, stage: usize) {
    pty.press("\r");
    if stage == 7 {
        pty.wait_for("the usual way");
        pty.press("\r");
        pty.wait_for("NOT SENT");
        pty.press("\r");
    }
    pty.wait_for("✔ As expected");
    pty.settle();
    if stage < 9 {
        pty.press("\r");
        pty.wait_for(&format!("{}/9", stage + 1));
        pty.settle();
    }
}

fn do_stages(pty: &mut Pty, stages: std::ops::RangeInclusive<usize>) {
    stages.for_each(|stage| do_stage(pty, stage));
}

/// They take turns, so a busy machine slows both.
fn first_frames(ten_lines: &str, runs: usize) {
    let (mut times, mut sizes) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in 0..runs {
        for (index, (program, text, quit)) in
            [(KMSLAB, WELCOME, CTRL_C), (ten_lines, GREETING, "q")].into_iter().enumerate()
        {
            let start = Instant::now();
            let mut pty = Pty::start(program, &[], SMALL, &[]);
            times[index].push(pty.wait_for(text) - start);
            sizes[index].push(pty.peak_memory_kb());
            pty.quit(quit);
        }
    }
    let [ours, theirs] = times.map(|times| Figure::times(&times));
    table::row("process start to first frame, 80×24", &ours, "ten-line program", &theirs, Some(2.2));
    let [ours, theirs] = sizes.map(|sizes| Figure::sizes(&sizes));
    table::row("peak memory at the first frame", &ours, "ten-line program", &theirs, None);
    table::limited("peak memory at the first frame", &ours, 14.0);
}

fn whole_runs(runs: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("run.jsonl");
    let boto3 = Boto3::start();
    let (mut ours, mut calls, mut theirs, mut memory) = (vec![], vec![], vec![], vec![]);
    for _ in 0..runs {
        ours.push(whole_run(&file));
        calls.push(sum_of_calls(&file));
        if let Some(boto3) = &boto3 {
            let (time, peak) = boto3.calls(&file);
            theirs.push(time);
            memory.push(peak);
        }
    }
    let what = "whole `kmslab run --format jsonl`";
    let ours = Figure::times(&ours);
    table::row(what, &ours, "the sum of its calls", &Figure::times(&calls), Some(2.0));
    if boto3.is_some() {
        table::row(what, &ours, "the same by boto3 to moto", &Figure::times(&theirs), None);
        println!("{:<52} {:>10}  boto3, for comparison", "peak memory", Figure::sizes(&memory).to_string());
    } else {
        table::missing(what, "`python3` with boto3, or `moto_server`, is not on the path");
    }
}

/// From the process's start to its end. The lines go to `file`.
fn whole_run(file: &Path) -> Duration {
    let output = std::fs::File::create(file).expect("a file");
    let start = Instant::now();
    let status = Command::new(KMSLAB).args(["run", "--format", "jsonl"]).stdout(output).status();
    assert!(status.expect("kmslab starts").success());
    start.elapsed()
}

/// How long the calls of a run took, one after the other, as the run measured them.
fn sum_of_calls(file: &Path) -> Duration {
    let lines = std::fs::read_to_string(file).expect("the run's lines");
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let milliseconds: f64 = lines.filter_map(|line| line["duration_ms"].as_f64()).sum();
    Duration::from_secs_f64(milliseconds / 1e3)
}

/// Presses `key` this often, and waits for quiet in between.
fn answers(pty: &mut Pty, key: &str, runs: usize) -> Figure {
    Figure::times(&(0..runs).map(|_| pty.answer(key)).collect::<Vec<_>>())
}

fn keys(ten_lines: &str, runs: usize) {
    let mut pty = lab(LARGE, &[], &[]);
    do_stage(&mut pty, 1);
    let update = answers(&mut pty, "\t", runs);
    let page = answers(&mut pty, "?", runs);
    pty.quit(CTRL_C);
    let mut peer = Pty::start(ten_lines, &[], LARGE, &[]);
    peer.wait_for(GREETING);
    peer.settle();
    let theirs = answers(&mut peer, "x", runs);
    peer.quit("q");
    for (what, ours, limit) in [("tab to last byte, 200×50", update, 1.0), ("`?` to last byte, 200×50", page, 2.0)] {
        table::row(what, &ours, "ten-line program", &theirs, None);
        table::limited(what, &ours, limit);
    }
}

/// The same keys with a Scan of 1 MB in admin's pane, and with its three small items.
fn large_responses(runs: usize) {
    let sandbox = Sandbox::start(Config::default()).expect("a sandbox");
    let admin = sandbox.admin();
    let environment = [
        ("AWS_ACCESS_KEY_ID", admin.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", admin.secret_access_key.as_str()),
    ];
    let [small, large] = [false, true].map(|large| {
        let endpoint = ["--endpoint-url", sandbox.url(), "--region", sandbox.region()];
        let mut pty = lab(LARGE, &endpoint, &environment);
        do_stages(&mut pty, 1..=3);
        if large {
            put_a_megabyte(&sandbox);
        }
        pty.press("\r");
        pty.wait_for("ALLOWED"); // with 1 MB the stage says that there are more items than the lab put
        pty.settle();
        let figures = ["z", "v", "\t"].map(|key| answers(&mut pty, key, runs));
        let memory = Figure::sizes(&[pty.peak_memory_kb()]);
        pty.quit(CTRL_C);
        (figures, memory)
    });
    let names = ["`z` to last byte", "`v` to last byte", "tab to last byte"];
    for ((name, large), small) in names.iter().zip(&large.0).zip(&small.0) {
        table::row(&format!("{name}, a response of 1 MB, 200×50"), large, "3 small items", small, None);
    }
    table::row("peak memory with a response of 1 MB", &large.1, "3 small items", &small.1, None);
}

/// Adds almost 1 MB to the newest table: as much as one page of a Scan holds.
fn put_a_megabyte(sandbox: &Sandbox) {
    let admin = sandbox.admin();
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let call = |operation| runtime.block_on(clients.call(Identity::Admin, &operation)).response.expect("a response");
    let decisions = sandbox.decisions();
    let created = decisions.iter().rfind(|decision| decision.action == "dynamodb:CreateTable").expect("a table");
    let (_, table) = created.resource.rsplit_once('/').expect("a table's ARN");
    for id in ["p-101", "p-102", "p-103"] {
        let item = json!({ "id": { "S": id }, "diagnosis": { "S": "hay fever ".repeat(33_000) } });
        let Value::Object(item) = item else { unreachable!("an object") };
        let response = call(Operation::PutItem { table: table.to_owned(), item });
        assert_eq!(response.status, 200, "{}", response.body);
    }
}

fn redraws(ten_lines: &str, runs: usize) {
    let mut pty = lab(HUGE, &[], &[]);
    do_stage(&mut pty, 1);
    let ours = answers(&mut pty, CTRL_L, runs);
    pty.quit(CTRL_C);
    let mut peer = Pty::start(ten_lines, &["--full"], HUGE, &[]);
    peer.wait_for(GREETING);
    peer.settle();
    let theirs = answers(&mut peer, "x", runs);
    peer.quit("q");
    table::row("full redraw, 500×150", &ours, "ten-line program, full screen", &theirs, None);
}

fn recording(runs: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("lab.cast");
    let file = file.to_str().expect("a path in UTF-8");
    let [off, on] = [&[][..], &["--record", file]].map(|arguments| {
        let mut pty = lab(LARGE, arguments, &[]);
        do_stages(&mut pty, 1..=9);
        let update = answers(&mut pty, "?", runs);
        let memory = Figure::sizes(&[pty.peak_memory_kb()]);
        pty.quit(CTRL_C);
        (update, memory)
    });
    table::row("`?` to last byte with --record, 200×50", &on.0, "without", &off.0, None);
    table::row("peak memory after all stages with --record", &on.1, "without", &off.1, None);
    table::limited("peak memory after all stages", &off.1, 40.0);
}

/// From the list of stages to the last stage, with everything before it set up by the same calls as ever.
fn jumps(runs: usize) {
    let jump = || {
        let mut pty = lab(SMALL, &[], &[]);
        pty.press("lG");
        let start = Instant::now();
        pty.press("\r");
        let time = pty.wait_for("9/9") - start;
        pty.settle();
        pty.quit(CTRL_C);
        time
    };
    let times: Vec<Duration> = (0..runs).map(|_| jump()).collect();
    table::limited("jump from stage 1 to stage 9", &Figure::times(&times), 1000.0);
}
