//! `--record` in a real terminal, and whatever can happen to it there.

use std::path::PathBuf;
use std::time::Duration;

use rstest::rstest;

use super::*;
use crate::support::asciicast;

impl Terminal {
    fn file(&self, name: &str) -> PathBuf {
        self.tmp.path().join(name)
    }

    /// kmslab, which records into this file of its temporary folder.
    fn recording(name: &str, more: &str) -> Terminal {
        let script = format!("cd \"$TMPDIR\" && {more} exec {} --record {name} $MORE", env!("CARGO_BIN_EXE_kmslab"));
        Terminal::start_program("/bin/sh", 100, 28, &[("PATH", "/usr/bin:/bin")], &["-c", &script])
    }

    fn events(&self, name: &str) -> Vec<asciicast::Event> {
        asciicast::read(&std::fs::read(self.file(name)).unwrap()).unwrap().1
    }
}

fn labels(events: &[asciicast::Event]) -> Vec<&str> {
    events.iter().filter(|event| event.1 == 'm').map(|event| event.2.as_str()).collect()
}

#[test]
fn what_is_done_by_hand_is_recorded() {
    let mut terminal = Terminal::recording("lab.cast", "");
    terminal.do_stages(2);
    terminal.wait_for(&["3/9", "a–d answer"]);
    terminal.press("p");
    terminal.wait_for(&["2/9", "✔ As expected"]);
    // What goes to the clipboard is not on the screen.
    terminal.press("y");
    terminal.wait_for(&["copied"]);
    terminal.press("\x03");
    assert_eq!(terminal.ends(), 0);
    let left = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert!(left.contains("recorded lab.cast: 100×28"), "{left}");
    let events = terminal.events("lab.cast");
    assert_eq!(
        labels(&events),
        [
            "1 Who is asking?",
            "1 Who is asking? MET",
            "2 Create the KMS key",
            "2 Create the KMS key: MET",
            "3 Create the encrypted table"
        ]
    );
    assert!(events.iter().all(|event| event.1 != 'i' && !event.2.contains("\u{1b}]")));
    let mut shown = vt100::Parser::new(28, 100, 0);
    events.iter().filter(|event| event.1 == 'o').for_each(|event| shown.process(event.2.as_bytes()));
    let shown = shown.screen().contents();
    assert!(shown.contains("2/9") && shown.contains("copied"), "{shown}");
    assert!(!shown.contains("111122223333:key"), "ids are pseudonyms: {shown}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(terminal.file("lab.cast")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a session is its owner's");
    }
}

#[test]
fn a_session_is_logged_and_shown_again_by_keys() {
    let mut terminal = Terminal::recording("lab.kmslab", "");
    terminal.do_stages(2);
    terminal.wait_for(&["3/9", "a–d answer"]);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends(), 0);
    let file = terminal.file("lab.kmslab");
    let mut again = Terminal::start(100, 28, &[], &["replay", file.to_str().unwrap()]);
    again.wait_for(&["⟳ REPLAY", "space pause", "1/9"]);
    again.press(" ");
    again.wait_for(&["‖"]);
    again.press("n");
    again.wait_for(&["✔ As expected"]);
    again.press("n");
    again.wait_for(&["2/9", "kms:CreateKey"]);
    again.press("nnn");
    again.wait_for(&["■", "3/9"]);
    again.press("pppp");
    again.wait_for(&["1/9", "✔ As expected"]);
    again.press(",");
    again.wait_for(&["1/9", "WAITING"]);
    again.press(",");
    again.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    again.press("+");
    again.wait_for(&["×1.5"]);
    again.resize(80, 24);
    again.wait_for(&["⟳ REPLAY", "1/9"]);
    #[cfg(target_os = "linux")]
    assert_eq!(connections(again.child.process_id().unwrap()), Vec::<String>::new(), "it asks nobody");
    again.press("q");
    assert_eq!(again.ends(), 0);
}

/// What was tried in an experiment is in the log like everything else: the last picture is the same, and a chapter leads there.
#[test]
fn an_experiment_is_logged_and_shown_again() {
    let mut terminal = Terminal::recording("lab.kmslab", "");
    terminal.do_stages(8);
    terminal.wait_for(&["9/9", "a–d answer"]);
    terminal.press("x");
    terminal.wait_for(&["Disable the key"]);
    terminal.press("\r");
    terminal.wait_for(&["x 1/14", "kms:DisableKey"]);
    terminal.press("a\r");
    terminal.wait_for(&["✔ As expected", "kms:DisableKey", "enter next"]);
    // Without the header's badge and the keys.
    let middle = |terminal: &Terminal| -> Vec<String> {
        terminal.picture().lines().skip(1).take(25).map(|row| row.trim_end().to_owned()).collect()
    };
    let live = middle(&terminal);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends(), 0);
    let told = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert!(told.contains("recorded") && told.contains("lab.kmslab"), "{told}");
    let file = terminal.file("lab.kmslab");
    let mut again = Terminal::start(100, 28, &[], &["replay", file.to_str().unwrap()]);
    again.wait_for(&["⟳ REPLAY", "1/9", "space pause"]);
    again.press(" ");
    again.wait_for(&["‖", "space play"]);
    again.press("\u{1b}[F");
    again.wait_for(&["■", "x 1/14", "q quit"]);
    assert_eq!(middle(&again), live);
    again.press("p");
    again.wait_for(&["x 1/14", "✔ As expected", "‖"]);
    again.press("\u{1b}[H");
    again.wait_for(&["1/9", "0:00/"]);
    again.press("q");
    assert_eq!(again.ends(), 0);
}

/// What the process has of TCP and UDP.
#[cfg(target_os = "linux")]
fn connections(process: u32) -> Vec<String> {
    let tables = ["tcp", "tcp6", "udp", "udp6"].map(|name| format!("/proc/{process}/net/{name}"));
    let known: Vec<String> = tables
        .iter()
        .flat_map(|table| {
            std::fs::read_to_string(table).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| line.split_whitespace().nth(9).map(|inode| format!("socket:[{inode}]")))
        .collect();
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let open = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    open.map(|target| target.to_string_lossy().into_owned()).filter(|target| known.contains(target)).collect()
}

#[test]
fn a_killed_recording_is_whole() {
    let mut terminal = Terminal::recording("lab.cast", "");
    terminal.do_stages(1);
    terminal.wait_for(&["2/9", "a–d answer"]);
    terminal.press("?");
    terminal.wait_for(&["esc closes"]);
    terminal.send("-KILL");
    terminal.exit();
    assert_eq!(labels(&terminal.events("lab.cast"))[..2], ["1 Who is asking?", "1 Who is asking? MET"]);
}

/// A film is in memory until its end: what was shown is beside its file as long as that is not there.
#[test]
fn a_killed_film_leaves_its_pictures() {
    let mut terminal = Terminal::recording("lab.gif", "");
    terminal.do_stages(1);
    terminal.wait_for(&["2/9", "a–d answer"]);
    terminal.press("?");
    terminal.wait_for(&["esc closes"]);
    terminal.send("-KILL");
    terminal.exit();
    let left = terminal.events("lab.gif.partial.cast");
    assert_eq!(labels(&left)[..2], ["1 Who is asking?", "1 Who is asking? MET"]);
    assert!(!terminal.file("lab.gif").exists());
}

#[test]
fn a_film_that_is_whole_leaves_nothing_else() {
    let mut terminal = Terminal::recording("lab.html", "");
    terminal.do_stages(1);
    assert!(terminal.file("lab.html.partial.cast").exists());
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends(), 0);
    assert!(terminal.file("lab.html").exists() && !terminal.file("lab.html.partial.cast").exists());
}

#[test]
fn a_resize_is_reported_once_and_the_recording_keeps_its_size() {
    let mut terminal = Terminal::recording("lab.cast", "");
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.resize(80, 24);
    terminal.wait_for(&["the recording stays at 100×28"]);
    terminal.press("a\r");
    terminal.wait_for(&["✔ As expected"]);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends(), 0);
    let events = terminal.events("lab.cast");
    assert!(events.iter().all(|event| event.1 != 'r'));
    let mut shown = vt100::Parser::new(28, 100, 0);
    events.iter().filter(|event| event.1 == 'o').for_each(|event| shown.process(event.2.as_bytes()));
    let rows: Vec<String> = shown.screen().rows(0, 100).collect();
    assert!(rows[27].contains("q quit") && rows[0].contains("1/9"), "{}", rows.join("\n"));
}

#[test]
fn a_full_disk_is_reported_and_the_lab_goes_on() {
    // 250 kB: the sandbox's database is smaller, the recording of so large a screen is not.
    let mut terminal = Terminal::recording(
        "lab.cast",
        "trap '' XFSZ; ulimit -f 500; export COLORTERM=truecolor; MORE='--size 400x200';",
    );
    let mut stage = 1;
    let is_told = |terminal: &mut Terminal| {
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end && !terminal.picture().contains("the recording ended at") {
            let _ = terminal.take(Duration::from_millis(100));
        }
        terminal.picture().contains("the recording ended at")
    };
    loop {
        terminal.wait_for(&[&format!("{stage}/9"), "a–d answer"]);
        if is_told(&mut terminal) {
            break;
        }
        terminal.press("a\r");
        terminal.wait_for(&["As expected"]);
        if is_told(&mut terminal) {
            break;
        }
        terminal.press("\r");
        stage += 1;
        assert!(stage < 6, "{}", terminal.picture());
    }
    terminal.wait_for(&["what was recorded is kept"]);
    terminal.press("?");
    terminal.wait_for(&["esc closes"]);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends(), 0);
    let left = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert!(left.contains("kmslab: the recording ended at 0:") && left.contains("recorded lab.cast"), "{left}");
    assert!(terminal.events("lab.cast").len() > 2);
}

#[rstest]
#[case::left("q")]
#[case::ended("-TERM")]
#[case::hung_up("-HUP")]
#[case::without_a_terminal("")]
fn a_film_is_whole_however_the_lab_ends(#[case] how: &str) {
    let mut terminal = Terminal::recording("lab.svg", "");
    terminal.do_stages(1);
    terminal.wait_for(&["2/9", "a–d answer"]);
    match how {
        "" => terminal.disappear(),
        "q" => {
            terminal.leave_mid_lab();
            assert_eq!(terminal.ends(), 0);
        }
        signal => {
            terminal.send(signal);
            assert!(terminal.ends() > 128);
        }
    }
    let film = std::fs::read_to_string(terminal.file("lab.svg")).unwrap();
    assert!(
        film.contains("1 Who is asking? MET; ")
            && film.contains("2 Create the KMS key</desc>")
            && film.ends_with("</svg>\n")
    );
}

#[test]
fn a_film_whose_place_is_taken_is_kept_elsewhere() {
    let mut terminal = Terminal::recording("lab.svg", "");
    terminal.do_stages(1);
    std::fs::write(terminal.file("lab.svg"), "mine").unwrap();
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends(), 0);
    assert_eq!(std::fs::read_to_string(terminal.file("lab.svg")).unwrap(), "mine");
    let left = String::from_utf8_lossy(&terminal.bytes).into_owned();
    let (_, place) = left.split_once("lab.svg exists: --force replaces it; what was recorded is ").unwrap();
    let place = place.lines().next().unwrap().trim_end();
    assert!(place.starts_with(terminal.tmp.path().to_str().unwrap()), "{place}");
    assert!(std::fs::read_to_string(place).unwrap().contains("<svg"));
}

#[test]
fn it_plays_by_itself_until_a_key_is_pressed() {
    let mut terminal = Terminal::recording("lab.cast", "MORE='--play --pace fast --seed 1 --keys';");
    terminal.wait_for(&["2/9", "⏎"]);
    terminal.press("l");
    terminal.wait_for(&["enter shows it"]);
    let before = terminal.picture();
    assert!(terminal.take(Duration::from_millis(2_500)).is_err() || terminal.picture() == before);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends(), 0);
    // Its pauses are meant: a verdict's would be too long for a player, were there nothing in it.
    let events = terminal.events("lab.cast");
    let times = events.windows(2).map(|events| events[1].0 - events[0].0);
    let second = events.iter().position(|event| event.2 == "2 Create the KMS key").unwrap();
    assert!(times.take(second).all(|time| time < 2.4), "{events:?}");
    assert!(events[..second].iter().any(|event| event.2 == "\u{1b}[0m"), "{events:?}");
}

#[test]
fn an_impossible_recording_is_refused_at_the_start() {
    for (name, says) in [("none/lab.cast", "can't be written"), ("lab.mov", "the extension decides")] {
        let mut terminal = Terminal::recording(name, "");
        assert_eq!(terminal.ends(), 2);
        let told = String::from_utf8_lossy(&terminal.bytes).into_owned();
        assert!(told.contains(says) && !told.contains("\u{1b}[?1049h"), "{told}");
    }
    let mut terminal = Terminal::recording("lab.cast", "echo mine > lab.cast;");
    assert_eq!(terminal.ends(), 2);
    assert_eq!(std::fs::read_to_string(terminal.file("lab.cast")).unwrap(), "mine\n");
}
