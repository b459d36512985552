//! The lab tells its second screen; jumps; begins again.

use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use kmslab::lab::Timing;
use kmslab::lab::line::Line;
use kmslab::lab::snapshot::Progress;

use super::*;

/// What arrives at a reader.
struct Reader {
    stream: UnixStream,
    text: Vec<u8>,
}

impl Reader {
    /// Takes what has arrived by now, and gives the newest line.
    fn newest(&mut self) -> Option<Line> {
        let mut buffer = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => self.text.extend(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        let text = String::from_utf8_lossy(&self.text).into_owned();
        let whole = text.rfind('\n').map(|end| &text[..end])?;
        whole.lines().last().map(|line| Line::parse(line).unwrap())
    }
}

async fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < end, "it does not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn reader(path: &Path) -> Reader {
    let stream = until(|| UnixStream::connect(path).ok()).await;
    stream.set_nonblocking(true).unwrap();
    Reader { stream, text: Vec::new() }
}

fn at(folder: &Path) -> Place {
    Place { socket: Some(folder.join("lab.sock")), folders: Vec::new() }
}

/// The stage in the picture, and the one that was told by then.
type Seen = (Option<usize>, usize);

fn stage_of(picture: &str) -> Option<usize> {
    picture.split_once("/9").and_then(|(before, _)| before.chars().last()?.to_digit(10)).map(|digit| digit as usize)
}

/// The second screen is written before the frame: no clock has to say so.
#[test]
fn the_second_screen_is_told_before_the_first_one_is_drawn() {
    with_lab(async || {
        let folder = tempfile::tempdir().unwrap();
        let reading: Arc<Mutex<Option<Reader>>> = Arc::default();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (follower, noted) = (reading.clone(), seen.clone());
        let witness: Witness = Arc::new(Mutex::new(move |picture: &str| {
            if let Some(line) = follower.lock().unwrap().as_mut().and_then(Reader::newest) {
                noted.lock().unwrap().push((stage_of(picture), line.lab.number));
            }
        }));
        let lab = Lab::followed(80, 24, Some(at(folder.path())), Some(witness));
        let mut reader = reader(&folder.path().join("lab.sock")).await;
        let first = until(|| reader.newest()).await;
        assert_eq!((first.lab.number, first.lab.progress, first.process), (1, Progress::Todo, std::process::id()));
        *reading.lock().unwrap() = Some(reader);
        for number in 1..=8 {
            lab.wait_for(&[&format!("{number}/9"), "○ "]).await;
            lab.press(KeyCode::PageDown);
            lab.wait_for(&["As expected"]).await;
            lab.press(KeyCode::PageDown);
        }
        lab.wait_for(&["9/9"]).await;
        let seen = seen.lock().unwrap().clone();
        assert!(seen.len() >= 16, "{seen:?}");
        assert!(seen.iter().all(|(drawn, told)| *drawn == Some(*told)), "{seen:?}");
        let last = reading.lock().unwrap().as_mut().and_then(Reader::newest).unwrap();
        assert_eq!((last.lab.number, last.lab.met), (9, 8));
        lab.leave();
        assert_eq!(lab.ended().await.1, Ended::Finished);
        assert!(!folder.path().join("lab.sock").exists(), "the socket is removed");
    });
}

#[test]
fn a_stalled_notes_reader_holds_nothing_up() {
    with_lab(async || {
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::followed(80, 24, Some(at(folder.path())), None);
        let mut slow = reader(&folder.path().join("lab.sock")).await;
        let dead = reader(&folder.path().join("lab.sock")).await;
        until(|| slow.newest()).await;
        drop(dead);
        // Each is a line of some two thousand bytes, far more than a socket holds.
        for _ in 0..500 {
            lab.press(KeyCode::Char('.'));
            lab.wait_for(&["b / . shows the lab again"]).await;
            lab.press(KeyCode::Char('.'));
            lab.wait_for(&["1/9"]).await;
        }
        lab.do_stage(Stage::Who).await;
        let line = until(|| slow.newest().filter(|line| line.lab.met == 1)).await;
        assert_eq!(line.lab.progress, Progress::Met);
        let lines = slow.text.iter().filter(|byte| **byte == b'\n').count();
        assert!(lines < 1_000, "{lines}: nothing was left out, so nothing was slow");
        lab.leave();
        assert_eq!(lab.ended().await.1, Ended::Finished);
    });
}

#[test]
fn a_socket_is_for_its_owner_alone() {
    with_lab(async || {
        let folder = tempfile::tempdir().unwrap();
        let labs = folder.path().join("labs");
        std::fs::create_dir(&labs).unwrap();
        // A lab that was killed has left this.
        drop(std::os::unix::net::UnixListener::bind(labs.join("lab-1.sock")).unwrap());
        std::fs::write(labs.join("lab-2.sock"), "not a socket").unwrap();
        let place = Place { socket: None, folders: vec![folder.path().join("lab-2.sock/x"), labs.clone()] };
        std::fs::write(folder.path().join("lab-2.sock"), "").unwrap();
        let lab = Lab::followed(80, 24, Some(place), None);
        let path = labs.join(format!("lab-{}.sock", std::process::id()));
        let mut reader = reader(&path).await;
        until(|| reader.newest()).await;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&labs)), (0o600, 0o700));
        assert!(!labs.join("lab-1.sock").exists(), "a dead lab's socket is removed");
        assert!(labs.join("lab-2.sock").exists());

        // Another lab does not take a living one's place, and nothing else's either; nor a name that nobody can connect
        // to.
        for (taken, told) in [
            (path.clone(), ".sock: another lab is followed there"),
            (labs.join("lab-2.sock"), "2.sock: there is something else of this name"),
            (labs.join("x".repeat(100)), "xxx: path must be shorter than SUN_LEN"),
        ] {
            let place = Place { socket: Some(taken), folders: Vec::new() };
            let other = Lab::followed(80, 24, Some(place), None);
            other.wait_for(&["`kmslab notes` can't follow: /", told]).await;
            other.leave();
            assert_eq!(other.ended().await.1, Ended::Finished);
        }
        lab.leave();
        lab.ended().await;
        assert!(!path.exists());
        assert_eq!(std::fs::read_to_string(labs.join("lab-2.sock")).unwrap(), "not a socket");
    });
}

#[test]
fn a_jump_sets_everything_up_by_real_calls() {
    with_lab(async || {
        let lab = Lab::start(80, 24);
        lab.wait_for(&["ask STS"]).await;
        lab.press(KeyCode::Char('l'));
        (0..5).for_each(|_| lab.press(KeyCode::Down));
        lab.wait_for(&["enter sets it up"]).await;
        let began = Instant::now();
        lab.press(KeyCode::Enter);
        lab.wait_for(&["6/9", "○ dynamodb:Scan", "scan as both"]).await;
        println!("set up in {} ms", began.elapsed().as_millis());
        lab.do_stage(Stage::ViewDenied).await;
        lab.wait_for(&["✔ ALLOWED", "✘ DENIED", "kms:Decrypt"]).await;
        lab.leave();
        let (state, _) = lab.ended().await;
        assert_eq!((state.met(), state.ended()), (6, 6));
        let exchanges = |stage| state.record(stage).exchanges().len();
        assert_eq!(Stage::ALL[..5].iter().map(|stage| exchanges(*stage)).collect::<Vec<_>>(), [1, 4, 5, 1, 4]);
    });
}

#[test]
fn on_the_sandbox_a_new_beginning_ends_this_run_at_once() {
    with_lab(async || {
        let lab = Lab::start(80, 24);
        lab.go_to(Stage::CreateTable).await;
        lab.wait_for(&["3/9"]).await;
        lab.press(KeyCode::Char('X'));
        lab.wait_for(&["start over?"]).await;
        lab.press(KeyCode::Enter);
        lab.press(KeyCode::Char('y'));
        let (state, ended) = lab.ended().await;
        assert_eq!((ended, state.met()), (Ended::StartOver, 2));
    });
}

/// The timer ticks by itself, and a blank screen stands still.
#[test]
fn the_time_ticks_while_it_is_to_be_seen() {
    with_lab(async || {
        let lab = Lab::start(80, 24);
        lab.wait_for(&["ask STS"]).await;
        lab.press(KeyCode::Char('T'));
        lab.wait_for(&["stage 1/9 0"]).await;
        // Of a busy machine some seconds may not be seen.
        let time = || {
            let picture = lab.picture();
            picture.split_once("stage 1/9 ").and_then(|(_, time)| Some(time.split_whitespace().next()?.to_owned()))
        };
        let begun = time();
        until(|| time().filter(|time| Some(time) != begun.as_ref())).await;
        lab.press(KeyCode::Char('.'));
        lab.wait_for(&["b / . shows the lab again"]).await;
        let writes = *lab.emulator.writes.borrow();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(*lab.emulator.writes.borrow(), writes);
        lab.leave();
        assert_eq!(Timing::of(&lab.ended().await.0).stage, 1);
    });
}
