//! Two terminals: the lab, and the presenter's notes.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;

/// A lab and its notes, in one runtime folder.
struct Pair {
    lab: Terminal,
    notes: Terminal,
    _folder: tempfile::TempDir,
    labs: PathBuf,
}

impl Pair {
    fn start() -> Pair {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().to_str().unwrap().to_owned();
        let environment = [("XDG_RUNTIME_DIR", runtime.as_str())];
        let mut notes = Terminal::start(80, 24, &environment, &["notes"]);
        notes.wait_for(&["No lab runs here.", "Looked in", "q leave"]);
        let lab = Terminal::start(80, 24, &environment, &[]);
        let labs = folder.path().join("kmslab");
        Pair { lab, notes, _folder: folder, labs }
    }

    fn sockets(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.labs).map(|entries| entries.map(|entry| entry.unwrap().path()));
        let is_socket = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sock");
        entries.map(|entries| entries.filter(is_socket).collect()).unwrap_or_default()
    }
}

#[test]
fn notes_follow_the_lab_through_a_new_beginning_and_a_restart() {
    let mut pair = Pair::start();
    pair.notes.wait_for(&["1/9", "SANDBOX", "waiting for an answer", "stage 1/9 0", "ask", "RIGHT", "next "]);
    let sockets = pair.sockets();
    assert_eq!(sockets.len(), 1, "{sockets:?}");
    assert_eq!(std::fs::metadata(&sockets[0]).unwrap().permissions().mode() & 0o777, 0o600);

    pair.lab.do_stages(1);
    pair.notes.wait_for(&["2/9", "stage 2/9", "waiting for an answer"]);
    // Another test checks that it is sent before the picture is drawn.
    pair.lab.press("s");
    pair.notes.wait_for(&["● enter: "]);
    pair.lab.press(".");
    pair.lab.wait_for(&["b / . shows the lab again"]);
    pair.notes.wait_for(&["BLANK"]);
    pair.lab.press("b");
    pair.lab.wait_for(&["2/9"]);

    // A jump, then votes; the right answer is on the second screen alone.
    pair.lab.press("ljjjj\r");
    pair.lab.wait_for(&["6/9", "○ dynamodb:Scan"]);
    pair.notes.wait_for(&["6/9", "kms:Decrypt"]);
    pair.lab.press("#a12b3\r");
    pair.lab.wait_for(&["█ 12", "█ 3"]);
    pair.notes.wait_for(&["   12", "   3"]);
    pair.lab.press("\r");
    pair.lab.wait_for(&["✘ DENIED", "RIGHT"]);

    // A new run, in the same screens.
    let table = |terminal: &Terminal| {
        let picture = terminal.picture();
        picture.split_once("kmslab-user-").map(|(_, rest)| rest[..8].to_owned())
    };
    let first = table(&pair.lab).unwrap();
    pair.lab.press("X");
    pair.lab.wait_for(&["start over?"]);
    pair.lab.press("y");
    pair.lab.wait_for(&["1/9", "sts:GetCallerIdentity", "answer"]);
    pair.notes.wait_for(&["1/9", "waiting for an answer", "stage 1/9 0"]);
    pair.lab.press("ljjjjj\r");
    pair.lab.wait_for(&["6/9", "○ dynamodb:Scan"]);
    pair.lab.press("s\r");
    pair.lab.wait_for(&["✘ DENIED"]);
    assert_ne!(table(&pair.lab).unwrap(), first, "a new run has names of its own");
    pair.lab.leave_mid_lab();
    assert_eq!(pair.lab.ends(), 0);
    assert_eq!(pair.sockets(), Vec::<PathBuf>::new());
    pair.notes.wait_for(&["closed 0:0", "The lab is closed: 6 of 9 stages met.", "true or false?", "6/9"]);
    pair.notes.press("\x1b[6~");
    pair.notes.wait_for(&["PgDn ! not sent: no lab answers"]);

    // Another lab, which is killed and leaves its socket; and one more.
    let runtime = pair.labs.parent().unwrap().to_str().unwrap().to_owned();
    let environment = [("XDG_RUNTIME_DIR", runtime.as_str())];
    let mut killed = Terminal::start(80, 24, &environment, &[]);
    killed.do_stages(2);
    pair.notes.wait_for(&["3/9"]);
    killed.send("-KILL");
    pair.notes.wait_for(&["STOPPED 0:0", "It resumes at stage 3.", "LAST PAGE"]);
    let mut last = Terminal::start(80, 24, &environment, &["--no-questions", "--theme", "light"]);
    last.wait_for(&["1/9"]);
    pair.notes.wait_for(&["1/9", "● enter: "]);
    assert_eq!(pair.sockets().len(), 1, "the killed lab's socket is removed");
    // What is pressed there happens in the lab; but not everything.
    pair.notes.press("X");
    pair.notes.wait_for(&["X ! only in the lab's own window"]);
    pair.notes.press("\x1b[6~");
    last.wait_for(&["1/9", "As expected"]);
    pair.notes.press("\x1b[6~");
    last.wait_for(&["2/9"]);
    pair.notes.wait_for(&["PgDn ✔ the lab is at 2/9"]);
    pair.notes.press("q");
    assert_eq!(pair.notes.ends_in_order().0, 0);
    last.leave_mid_lab();
    assert_eq!(last.ends(), 0);
    let _ = killed.exit();
}

#[test]
fn notes_follow_the_newest_of_several_labs() {
    let mut pair = Pair::start();
    pair.lab.do_stages(1);
    pair.notes.wait_for(&["2/9"]);
    let runtime = pair.labs.parent().unwrap().to_str().unwrap().to_owned();
    let environment = [("XDG_RUNTIME_DIR", runtime.as_str())];
    let mut newer = Terminal::start(80, 24, &environment, &[]);
    newer.do_stages(2);
    // Who follows one hears of the other, goes there and back, and stays with the lab that begins again.
    pair.notes.wait_for(&["2/9", "tab another lab (1 more)"]);
    pair.notes.press("\t");
    pair.notes.wait_for(&["3/9"]);
    pair.notes.press("\t");
    pair.notes.wait_for(&["2/9"]);
    pair.lab.press("X");
    pair.lab.wait_for(&["start over?"]);
    pair.lab.press("y");
    pair.notes.wait_for(&["1/9", "stage 1/9 0"]);
    pair.lab.do_stages(1);
    pair.notes.wait_for(&["2/9"]);
    let mut other = Terminal::start(80, 24, &environment, &["notes"]);
    // The lab that began again is the newest now.
    other.wait_for(&["2/9", "tab another lab (1 more)"]);
    other.press("\t");
    other.wait_for(&["3/9"]);
    newer.press("X");
    newer.wait_for(&["start over?"]);
    newer.press("y");
    other.wait_for(&["1/9", "stage 1/9 0"]);
    other.press("\x03");
    assert_eq!(other.ends_in_order().0, 0);
    // By its path, too.
    let sockets = pair.sockets();
    let pid = format!("lab-{}.sock", pair.lab.child.process_id().unwrap());
    let path = sockets.iter().find(|path| path.ends_with(&pid)).unwrap().to_str().unwrap();
    let mut named = Terminal::start(60, 18, &environment, &["notes", "--socket", path]);
    named.wait_for(&["2/9"]);
    named.send("-TERM");
    assert_eq!(named.ends_in_order().0, 143);
    pair.lab.leave_mid_lab();
    assert_eq!(pair.lab.ends(), 0);
    for terminal in [&mut newer, &mut pair.notes] {
        terminal.press("q");
        assert_eq!(terminal.ends(), 0);
    }
}

/// Whatever answers there, it is reported, and the screen can be left.
#[test]
fn what_is_no_lab_or_says_nothing_is_told() {
    use std::io::Write;

    let folder = tempfile::tempdir().unwrap();
    let [silent, endless] = ["silent", "endless"].map(|name| folder.path().join(name));
    let _silent = std::os::unix::net::UnixListener::bind(&silent).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(&endless).unwrap();
    std::thread::spawn(move || {
        // Until the reader has had enough, each time.
        for mut stream in listener.incoming().flatten() {
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
    });
    for (path, says) in [(&silent, "The lab that runs here does not"), (&endless, "What answers there is no kmslab.")] {
        let mut notes = Terminal::start(80, 24, &[], &["notes", "--socket", path.to_str().unwrap()]);
        notes.wait_for(&[says, "Looked in /"]);
        assert!(!notes.picture().contains("labs and"), "nowhere else");
        notes.press("q");
        assert_eq!(notes.ends_in_order().0, 0);
    }
    let mut notes = Terminal::start(80, 24, &[], &["notes", "--socket", &"x".repeat(200)]);
    notes.wait_for(&["path must be shorter"]);
    notes.press("q");
    assert_eq!(notes.ends_in_order().0, 0);
}

#[test]
fn a_play_says_so_and_a_key_moves_it_on() {
    let mut talk = Terminal::start(80, 24, &[], &["--play", "--pace", "talk"]);
    talk.wait_for(&["1/9", " PLAY ", "playing: waiting for your answer", "enter plays it"]);
    talk.press("\r");
    talk.wait_for(&["2/9", " PLAY ", "playing: waiting for your answer"]);
    talk.press(" ");
    talk.wait_for(&["3/9", " PLAY "]);
    talk.leave_mid_lab();
    assert_eq!(talk.ends_in_order().0, 0);

    let mut read = Terminal::start(80, 24, &[], &["--play"]);
    read.wait_for(&["1/9", " PLAY "]);
    read.press("T");
    read.wait_for(&["playback has ended: the lab is yours", "stage 1/9"]);
    assert!(!read.picture().contains(" PLAY "), "{}", read.picture());
    read.press("s");
    read.wait_for(&["stage 1/9"]);
    read.press("q");
    assert_eq!(read.ends_in_order().0, 0);
}

#[test]
fn a_lab_whose_socket_has_no_place_goes_on_without() {
    let mut told = Terminal::start(80, 24, &[], &["--socket", "/dev/null/lab.sock"]);
    told.wait_for(&["1/9", "`kmslab notes` can't follow: /dev/null/lab.sock: not a directory"]);
    told.do_stages(1);
    told.leave_mid_lab();
    assert_eq!(told.ends_in_order().0, 0);
    let mut silent = Terminal::start(80, 24, &[("XDG_RUNTIME_DIR", "/dev/null"), ("XDG_STATE_HOME", "/dev/null")], &[]);
    silent.do_stages(1);
    assert!(!silent.picture().contains("notes"), "{}", silent.picture());
    silent.leave_mid_lab();
    assert_eq!(silent.ends_in_order().0, 0);
}

/// Elsewhere what was made is removed first, and the new run has a journal of its own.
#[test]
fn on_another_server_a_new_beginning_cleans_up_first() {
    let home = tempfile::tempdir().unwrap();
    let sandbox = kmslab::sandbox::Sandbox::start(kmslab::sandbox::Config::default()).unwrap();
    let admin = sandbox.admin();
    let environment = [
        ("XDG_STATE_HOME", home.path().to_str().unwrap()),
        ("AWS_ACCESS_KEY_ID", admin.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", admin.secret_access_key.as_str()),
    ];
    let options = ["--region", "us-east-1", "--no-questions", "--endpoint-url", sandbox.url()];
    let mut lab = Terminal::start(80, 24, &environment, &options);
    let journals = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(home.path().join("kmslab/runs")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    lab.wait_for(&["1/9"]);
    // A clicker's two buttons, as a terminal sends them.
    lab.press("\x1b[6~");
    lab.wait_for(&["✔ As expected"]);
    lab.press("\x1b[6~");
    lab.wait_for(&["2/9", "? keys"]);
    lab.press("\x1b[5~");
    lab.wait_for(&["1/9"]);
    lab.press("ljjj\r");
    lab.wait_for(&["4/9", "? keys"]);
    let first = journals();
    assert_eq!(first.len(), 1);
    lab.press("X");
    lab.wait_for(&["start over?", "kmslab-table-", "KMS key arn:"]);
    lab.press("y");
    lab.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    assert_eq!(journals(), Vec::<PathBuf>::new());
    lab.press("lj\r");
    lab.wait_for(&["2/9", "? keys"]);
    lab.press("\r");
    lab.wait_for(&["✔ As expected"]);
    let second = journals();
    assert!(second.len() == 1 && second != first, "{second:?} {first:?}");
    lab.press("q");
    lab.wait_for(&["leave?"]);
    lab.press("c");
    assert_eq!(lab.ends(), 0);
    assert_eq!(journals(), Vec::<PathBuf>::new());
}

/// With a seed and a folder, too: the new run's names are others.
#[test]
fn a_sandbox_that_is_kept_takes_the_new_run_beside_the_old_one() {
    let data = tempfile::tempdir().unwrap();
    let options = ["--no-questions", "--seed", "1", "--data", data.path().to_str().unwrap()];
    let mut lab = Terminal::start(80, 24, &[], &options);
    lab.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    lab.press("ljjjj\r");
    lab.wait_for(&["5/9", "? keys"]);
    lab.press("X");
    lab.wait_for(&["start over?"]);
    lab.press("y");
    lab.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    lab.press("ljjjj\r");
    lab.wait_for(&["5/9", "✔✔✔✔"]);
    lab.leave_mid_lab();
    assert_eq!(lab.ends_in_order().0, 0);
}
