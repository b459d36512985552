//! The kept session on the disk: `session.json`, readable by its owner alone.
//!
//! It is written by a thread of its own, so that the screen never waits for a disk; a call waits until what was to be
//! kept before it is written. One lab at a time has the file: the lock goes with the process, however that ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use color_eyre::eyre::{Report, WrapErr};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::journal;
use super::writes::UnderWay;
use crate::cli::{Environment, Exit, Options, UsageError, tell};
use crate::disk;
use crate::lab::model::drill::best_and_latest;
use crate::lab::{Effect, Event, Place, SavedSession, Stage, State, redact};

const FILE: &str = "session.json";
/// The newest session that went through all stages, once another has begun.
const FINISHED: &str = "finished.json";

const LOCK: &str = "session.lock";

/// Why a session file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SessionFileError {
    /// The file can't be read.
    #[error("{} can't be read: {error}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Another version of kmslab wrote it.
    #[error("{} is of another version", .0.display())]
    OtherVersion(PathBuf),
    /// It contains something else.
    #[error("{} is no kept session: {error}", path.display())]
    NoSession {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        error: serde_json::Error,
    },
}

/// The one session that may be kept in a folder.
#[derive(Debug)]
pub struct SessionLock {
    folder: PathBuf,
    _lock: File,
}

impl SessionLock {
    /// Takes hold of the session in `folder`; `None` where another lab has it.
    ///
    /// # Errors
    /// When the folder can't be made or written.
    pub fn take(folder: &Path) -> io::Result<Option<SessionLock>> {
        disk::make_private(folder)?;
        let lock = disk::open_or_make(&folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(SessionLock { folder: folder.to_owned(), _lock: lock })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Replaces the saved session by `kept`. A reader finds either of them, whole.
    fn write(&self, kept: &SavedSession) -> io::Result<()> {
        disk::write(&self.folder.join(FILE), &serde_json::to_vec(kept)?)
    }

    /// Keeps a finished session beside the one of the run `next`, which is to take its place.
    fn set_finished_aside(&self, next: &str) -> io::Result<()> {
        match read(&self.folder) {
            Ok(Some(kept)) if kept.is_finished() && kept.run != next => {
                fs::rename(self.folder.join(FILE), self.folder.join(FINISHED))
            }
            _ => Ok(()),
        }
    }
}

/// The session that is kept in `folder`, if any.
///
/// # Errors
/// If there is a file that can't be used.
pub fn read(folder: &Path) -> Result<Option<SavedSession>, SessionFileError> {
    read_file(&folder.join(FILE))
}

/// The session to write up: the one that is kept in `folder` if it is finished, else the newest that was, else the one
/// that is kept.
///
/// # Errors
/// If there is a file that can't be used.
pub fn read_to_write_up(folder: &Path) -> Result<Option<SavedSession>, SessionFileError> {
    let kept = read(folder)?;
    if kept.as_ref().is_some_and(SavedSession::is_finished) {
        return Ok(kept);
    }
    Ok(read_file(&folder.join(FINISHED))?.or(kept))
}

fn read_file(path: &Path) -> Result<Option<SavedSession>, SessionFileError> {
    let text = match disk::read(path, disk::STATE) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SessionFileError::Unreadable { path: path.to_owned(), error }),
    };
    let parse = || -> serde_json::Result<SavedSession> {
        let mut value: Value = serde_json::from_slice(&text)?;
        // As an answer from a server: somebody may have written into the file.
        redact::redact(&mut value);
        serde_json::from_value(value)
    };
    match parse() {
        Ok(kept) if kept.is_whole() => Ok(Some(kept)),
        Ok(_) => Err(SessionFileError::OtherVersion(path.to_owned())),
        Err(error) => Err(SessionFileError::NoSession { path: path.to_owned(), error }),
    }
}

/// Writes sessions, the newest first and the others not at all.
#[derive(Debug)]
pub struct SessionWriter {
    sender: Sender<(u64, Box<SavedSession>)>,
    last: AtomicU64,
    written: watch::Receiver<u64>,
}

impl SessionWriter {
    /// Starts the writer of the locked session. It sends failures to `events`. Once it is dropped, what was to be
    /// kept is still written, and the session is let go; `under_way` is, until then.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(hold: SessionLock, events: UnboundedSender<Event>, under_way: UnderWay) -> io::Result<SessionWriter> {
        let (sender, receiver) = channel();
        let (done, written) = watch::channel(0);
        let work = move || {
            keep(hold, &receiver, &done, &events);
            drop(under_way);
        };
        std::thread::Builder::new().name("kmslab-session".to_owned()).spawn(work)?;
        Ok(SessionWriter { sender, last: AtomicU64::new(0), written })
    }

    /// Has `kept` written, and returns at once.
    pub fn save(&self, kept: Box<SavedSession>) {
        let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        // The thread ends with the sender.
        let _ = self.sender.send((number, kept));
    }

    /// Ends when everything that was to be kept by now is written, or could not be.
    pub fn settled(&self) -> impl Future<Output = ()> + Send + 'static {
        let (number, mut written) = (self.last.load(Ordering::SeqCst), self.written.clone());
        async move {
            let _ = written.wait_for(|written| *written >= number).await;
        }
    }
}

fn keep(
    hold: SessionLock,
    sessions: &Receiver<(u64, Box<SavedSession>)>,
    done: &watch::Sender<u64>,
    events: &UnboundedSender<Event>,
) {
    let mut is_first = true;
    while let Ok(first) = sessions.recv() {
        let (number, kept) = sessions.try_iter().last().unwrap_or(first);
        let aside = if std::mem::take(&mut is_first) { hold.set_finished_aside(&kept.run) } else { Ok(()) };
        if let Err(error) = aside.and_then(|()| hold.write(&kept)) {
            let _ = events.send(Event::SessionNotSaved(format!("{}: {error}", hold.folder.join(FILE).display())));
        }
        done.send_replace(number);
    }
}

/// Has the session of `state` kept, and looks for one that can go on: gives the hold, and what to do first.
pub fn begin(state: &mut State, options: &Options, environment: &Environment) -> (Option<SessionLock>, Vec<Effect>) {
    let Some(folder) = environment.state.as_deref() else { return (None, Vec::new()) };
    let hold = match SessionLock::take(folder) {
        Ok(Some(hold)) => hold,
        Ok(None) => {
            state.say(Some("another kmslab is at work: your progress here is not kept".to_owned()));
            return (None, Vec::new());
        }
        Err(error) => {
            state.say(Some(format!("your progress can't be saved: {}: {error}", folder.display())));
            return (None, Vec::new());
        }
    };
    let place = place(state, options);
    state.save_at(place.clone());
    let kept = read(folder);
    if let Ok(Some(kept)) = &kept {
        state.carry_over_drills(kept);
    }
    let kept = match kept {
        Ok(Some(kept)) if kept.can_go_on() => kept,
        Ok(_) => return (Some(hold), Vec::new()),
        Err(reason) => {
            state.say(Some(reason.to_string()));
            return (Some(hold), Vec::new());
        }
    };
    // Another lab may have taken that run over, and keep nothing.
    let is_living = environment.journals.as_deref().is_some_and(|folder| journal::is_living(folder, &kept.run));
    if options.fresh || is_living {
        state.mention_leftovers(&kept);
    } else if kept.place == place {
        return (Some(hold), state.offer_to_resume(kept));
    } else {
        let (where_, ended) = (kept.place.describe(), kept.ended());
        let of = Stage::ALL.len();
        state.say(Some(format!("a session on {where_} is kept ({ended} of {of}); this one replaces it")));
    }
    (Some(hold), Vec::new())
}

/// Adds the results of drills to the saved sessions. If there is none, it saves one with these results alone.
///
/// # Errors
/// If it can't be read or written.
pub fn add_drills(state: &State, options: &Options, environment: &Environment) -> Result<(), Report> {
    let results = state.drills().results();
    let Some(folder) = environment.state.as_deref().filter(|_| !results.is_empty()) else { return Ok(()) };
    let Some(_hold) = SessionLock::take(folder)? else {
        tell("another kmslab is at work: the results of the drills are not kept");
        return Ok(());
    };
    let alone = || {
        let mut alone = State::new(state.backend().clone(), state.names().clone());
        alone.save_at(place(state, options));
        alone.saved()
    };
    let (newest, finished) = (read(folder)?, read_file(&folder.join(FINISHED))?);
    let newest = if finished.is_some() { newest } else { newest.or_else(alone) };
    for (file, kept) in [(FILE, newest), (FINISHED, finished)] {
        let Some(mut kept) = kept else { continue };
        kept.drills = best_and_latest(kept.drills.iter().chain(results));
        disk::write(&folder.join(file), &serde_json::to_vec(&kept)?)?;
    }
    Ok(())
}

/// Where a session with these options is.
fn place(state: &State, options: &Options) -> Place {
    let data = options.data.as_deref().map(|data| fs::canonicalize(data).unwrap_or_else(|_| data.to_owned()));
    Place {
        admin_profile: options.admin_profile.clone(),
        user_profile: options.user_profile.clone(),
        data: data.map(|data| data.to_string_lossy().into_owned()),
        ..Place::new(state.backend())
    }
}

/// `kmslab reset`: deletes what is kept, unless something that the session has made may still exist.
///
/// # Errors
/// When another lab has it, or it can't be deleted.
pub fn reset(environment: &Environment) -> Result<Exit, Report> {
    let is_kept = |folder: &&Path| folder.join(FILE).exists() || folder.join(FINISHED).exists();
    let Some(folder) = environment.state.as_deref().filter(is_kept) else {
        tell("no session is kept");
        return Ok(Exit::Met);
    };
    let path = folder.join(FILE);
    let trouble = || format!("{} can't be deleted", path.display());
    let Some(_hold) = SessionLock::take(folder).wrap_err_with(trouble)? else {
        return Err(UsageError::new("a lab is at work: leave it first").into());
    };
    let kept = read(folder);
    if let Ok(Some(kept)) = &kept {
        let journal = environment.journals.as_deref().map(|folder| folder.join(format!("{}.jsonl", kept.run)));
        if journal.is_some_and(|journal| journal.exists()) {
            tell(format_args!("things of run {} may still exist: {}", kept.run, kept.place.describe()));
            for left in kept.facts.made.list(&crate::lab::Names::new(&kept.run)) {
                tell(format_args!("left behind: {left}"));
            }
            tell("nothing was deleted; `kmslab cleanup` removes them, then `kmslab reset` again");
            return Ok(Exit::Survivors);
        }
    }
    if fs::remove_file(folder.join(FINISHED)).is_ok() {
        tell(format_args!("deleted {}", folder.join(FINISHED).display()));
    }
    if !path.exists() {
        return Ok(Exit::Met);
    }
    fs::remove_file(&path).wrap_err_with(trouble)?;
    match kept {
        Ok(Some(kept)) => {
            let begun = kept.created.as_deref().unwrap_or("at an unknown time");
            let (met, of) = (kept.met(), Stage::ALL.len());
            tell(format_args!("deleted {}: {met} of {of} stages met, begun {begun}", path.display()));
        }
        _ => tell(format_args!("deleted {}, which was no kept session", path.display())),
    }
    Ok(Exit::Met)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokio::sync::mpsc::unbounded_channel;

    use super::super::writes::Writes;
    use super::*;
    use crate::lab::{Backend, BackendKind, Check, Names, Quiz};

    fn state(run: &str) -> State {
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        let place = Place::new(&backend);
        let mut state = State::new(backend, Names::new(run)).with_quiz(Quiz::new(3));
        state.save_at(place);
        state
    }

    fn kept(run: &str) -> Box<SavedSession> {
        Box::new(state(run).saved().unwrap())
    }

    #[test]
    fn the_newest_session_is_on_the_disk_when_a_call_may_be_sent() {
        let folder = tempfile::tempdir().unwrap();
        let (events, mut told) = unbounded_channel();
        let writes = Writes::default();
        let keeper =
            SessionWriter::start(SessionLock::take(folder.path()).unwrap().unwrap(), events, writes.begin()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for run in 0..50 {
            keeper.save(kept(&run.to_string()));
        }
        runtime.block_on(keeper.settled());
        assert_eq!(read(folder.path()).unwrap().unwrap(), *kept("49"));
        keeper.save(kept("last"));
        drop((keeper, writes));
        assert_eq!(read(folder.path()).unwrap().unwrap().run, "last", "written before the program ends");
        assert!(SessionLock::take(folder.path()).unwrap().is_some(), "and let go");
        assert!(told.try_recv().is_err(), "nothing went wrong");
    }

    #[test]
    fn a_finished_session_stays_for_a_write_up() {
        let folder = tempfile::tempdir().unwrap();
        let begin = |run: &str, finished: bool| {
            let (events, _) = unbounded_channel();
            // Dropped last.
            let writes = Writes::default();
            let keeper =
                SessionWriter::start(SessionLock::take(folder.path()).unwrap().unwrap(), events, writes.begin())
                    .unwrap();
            let mut kept = kept(run);
            keeper.save(kept.clone());
            if finished {
                kept.stages.iter_mut().for_each(|stage| stage.check = Some(Check { met: true, observed: run.into() }));
                keeper.save(kept);
            }
        };
        let to_write_up = || read_to_write_up(folder.path()).unwrap().unwrap().run;
        begin("early", false);
        assert_eq!(to_write_up(), "early");
        for run in ["first", "second"] {
            begin(run, true);
            assert_eq!(to_write_up(), run);
            begin("begun", false);
            assert_eq!((to_write_up().as_str(), read(folder.path()).unwrap().unwrap().run.as_str()), (run, "begun"));
        }
    }

    #[test]
    fn a_failed_save_is_reported_and_stops_no_call() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("kmslab");
        let (events, mut told) = unbounded_channel();
        let writes = Writes::default();
        let keeper = SessionWriter::start(SessionLock::take(&inner).unwrap().unwrap(), events, writes.begin()).unwrap();
        fs::remove_dir_all(&inner).unwrap();
        keeper.save(kept("a"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(keeper.settled());
        assert!(matches!(told.try_recv(), Ok(Event::SessionNotSaved(reason)) if reason.contains("session.json")));
    }

    #[test]
    fn one_lab_at_a_time_has_the_session() {
        let folder = tempfile::tempdir().unwrap();
        let hold = SessionLock::take(folder.path()).unwrap().unwrap();
        assert!(SessionLock::take(folder.path()).unwrap().is_none());
        drop(hold);
        assert!(SessionLock::take(folder.path()).unwrap().is_some());
    }

    #[rstest]
    #[case::nothing("", "is no kept session")]
    #[case::something_else("{}", "is no kept session")]
    #[case::cut_off(r#"{"version":1,"#, "is no kept session")]
    fn a_file_that_is_no_session_is_reported(#[case] text: &str, #[case] reason: &str) {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        fs::write(folder.path().join(FILE), text).unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains(reason));
        let whole = serde_json::to_string(&kept("a")).unwrap();
        fs::write(folder.path().join(FILE), whole.replacen("\"version\":1", "\"version\":99", 1)).unwrap();
        assert!(matches!(read(folder.path()), Err(SessionFileError::OtherVersion(_))));
    }
}
