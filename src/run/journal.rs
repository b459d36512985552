//! What a lab is about to create, written down before it asks: a lab that dies in the middle leaves a list behind.
//!
//! A journal is a file of JSON lines, `<run>.jsonl`. The first line says where the run's calls go; an `intent` line is on
//! the disk before a creating call is sent, a `result` line follows the answer. The file is locked while the lab lives.
//! It holds names and ids, never a secret.

mod left;
mod line;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError as TryLockMutexError};

use serde::Serialize;

use crate::disk;
use crate::lab::certainty::{Certainty, certainty};
use crate::lab::model::adoption::Taken;
use crate::lab::{Answer, CallError, Operation};

use left::open;
pub use left::{Journals, Left, is_living};
pub use line::Head;
use line::Line;

/// The journal of a living run. Its file is made when the first creating call is near.
#[derive(Debug)]
pub struct Journal {
    folder: Option<PathBuf>,
    /// Never locked while a disk is waited for.
    known: Mutex<Known>,
    /// Locked as long as a line is being written.
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Known {
    head: Head,
    /// The creating calls that were sent, or were about to be, each once.
    begun: Vec<String>,
    /// Creating calls that may have created something though they did not succeed: operation and name.
    uncertain: BTreeSet<(&'static str, String)>,
    /// Whether there is a file.
    has_file: bool,
    /// Whether the file is another lab's, and not opened yet.
    is_taken_over: bool,
}

#[derive(Debug, Default)]
struct Written {
    /// Locked, as long as it is open.
    file: Option<File>,
    /// A line could not be written: nothing can be promised any more.
    failed: Option<String>,
}

/// Whether `operation` may only be sent once the journal has its intent.
pub fn is_journaled(operation: &Operation) -> bool {
    use Operation as O;
    matches!(
        operation,
        O::CreateKey { .. }
            | O::CreateAlias { .. }
            | O::CreateTable { .. }
            | O::CreateUser { .. }
            | O::AttachUserPolicy { .. }
            | O::CreateAccessKey { .. }
            | O::PutKeyPolicy { .. }
            | O::CreateGrant { .. }
            | O::PutUserPolicy { .. }
    )
}

impl Journal {
    /// A journal in `folder`; `None` where no folder is known, which stops every creating call. Nothing is written yet.
    pub fn new(folder: Option<PathBuf>, head: Head) -> Journal {
        let known =
            Known { head, begun: Vec::new(), uncertain: BTreeSet::new(), has_file: false, is_taken_over: false };
        Journal { folder, known: Mutex::new(known), written: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The journal is that of the run `run` from here on, which began at `created` and whose lab has died: what it was
    /// about to create stays written down. Its file is opened by [`Journal::hold`], or by the first intent.
    pub fn take_over(&self, run: &str, created: Option<String>) {
        let mut known = self.known();
        known.head.run = run.to_owned();
        known.head.started = created.unwrap_or_default();
        known.is_taken_over = true;
        known.begun.push(format!("run {run}"));
    }

    /// Opens the file of a run that was taken over, which takes as long as the disk takes. Where it can't be had, every
    /// intent fails.
    pub fn hold(&self) {
        self.open_taken_over(&mut self.written());
    }

    fn open_taken_over(&self, written: &mut Written) {
        let known = self.known();
        let (Some(folder), true) = (&self.folder, known.is_taken_over) else { return };
        let path = path(folder, &known.head);
        drop(known);
        let opened = open(&path);
        let mut known = self.known();
        known.is_taken_over = false;
        match opened {
            Ok(Some(file)) => {
                written.file = Some(file);
                known.has_file = true;
                return;
            }
            Ok(None) => written.failed = Some("another lab is at work on this run".to_owned()),
            // Nothing had been created, or all was cleaned up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => written.failed = Some(error.to_string()),
        }
        let run = format!("run {}", known.head.run);
        known.begun.retain(|begun| *begun != run);
    }

    /// Takes down whose account the calls work in, for the first line.
    pub fn account(&self, account: &str) {
        self.known().head.account = Some(account.to_owned());
    }

    /// Puts the intent on the disk, which takes as long as the disk takes.
    ///
    /// # Errors
    /// When that fails; `operation` must not be sent then. What comes back is for the person to read.
    pub fn intend(&self, operation: &Operation) -> Result<(), CallError> {
        let line = Line::Intent { intent: operation.name().to_owned(), name: operation.subject().to_owned() };
        let call = format!("{} {}", operation.name(), operation.subject()).trim_end().to_owned();
        let mut known = self.known();
        if !known.begun.contains(&call) {
            known.begun.push(call);
        }
        drop(known);
        self.write(&mut self.written(), &line).map_err(|error| CallError {
            message: format!("nothing was sent: the journal can't be written ({error})"),
            remedy: format!(
                "what is created without a journal could be lost: make {} writable, or set XDG_STATE_HOME",
                self.folder.as_deref().unwrap_or(Path::new("~/.local/state")).display()
            ),
        })
    }

    /// Notes what became of `operation`, which takes as long as the disk takes. Where that can't be written, the next
    /// intent fails.
    pub fn note(&self, operation: &Operation, answer: &Answer) {
        let (ok, id) = match (certainty(operation, answer), &answer.response) {
            (Certainty::Done, Ok(response)) => (Some(true), created_id(&response.body)),
            (Certainty::Done | Certainty::Unknown, _) => (None, None),
            (Certainty::NotDone, _) => (Some(false), None),
        };
        let line = Line::Result { result: operation.name().to_owned(), id, ok };
        let nameless = matches!(operation, Operation::CreateKey { .. } | Operation::CreateAccessKey { .. });
        let call = (operation.name(), operation.subject().to_owned());
        let mut known = self.known();
        if ok.is_none() && operation.creates().is_some() {
            known.uncertain.insert(call);
        } else if ok == Some(true) && !nameless {
            // Of a name there is one, and it is known now. A second key or access key may exist beside the first.
            known.uncertain.remove(&call);
        }
        drop(known);
        self.keep(&line);
    }

    /// Takes down what the lab has taken over from another client, which takes as long as the disk takes.
    pub fn adopt(&self, taken: &Taken) {
        self.known().begun.push(format!("{} {}", taken.operation, taken.name));
        let line = Line::Adopted { adopted: taken.operation.to_owned(), name: taken.name.clone() };
        self.keep(&line);
    }

    /// Writes a line that the next intent waits for: it fails if this one can't be written.
    fn keep(&self, line: &Line) {
        let mut written = self.written();
        if let Err(error) = self.write(&mut written, line) {
            written.failed = Some(error.to_string());
        }
    }

    fn write(&self, written: &mut Written, line: &Line) -> Result<(), WriteError> {
        self.open_taken_over(written);
        if let Some(reason) = &written.failed {
            return Err(WriteError::Earlier(reason.clone()));
        }
        if written.file.is_none() {
            let folder = self.folder.as_deref().ok_or(WriteError::NoHome)?;
            let head = self.known().head.clone();
            let file = create(folder, &head).map_err(|error| WriteError::Create(path(folder, &head), error))?;
            written.file = Some(file);
            self.known().has_file = true;
        }
        let Some(file) = &mut written.file else { return Ok(()) };
        Ok(append(file, line)?)
    }

    /// What may exist though no answer says that it was created. In words.
    pub fn uncertain(&self) -> Vec<String> {
        self.known().uncertain.iter().map(|(call, name)| format!("{call} {name}").trim_end().to_owned()).collect()
    }

    /// Every creating call so far, in words: what it created may still be there. Empty where nothing was sent, and after
    /// [`Journal::remove`].
    pub fn begun(&self) -> Vec<String> {
        let known = self.known();
        if known.has_file || known.is_taken_over { known.begun.clone() } else { Vec::new() }
    }

    /// Ends the journal of a run that has left nothing. Where the file can't be removed, or is still being written,
    /// `kmslab cleanup` does it.
    pub fn remove(&self) {
        let mut written = match self.written.try_lock() {
            Ok(written) => written,
            Err(TryLockMutexError::Poisoned(error)) => error.into_inner(),
            Err(TryLockMutexError::WouldBlock) => return,
        };
        self.open_taken_over(&mut written);
        let mut known = self.known();
        if let (Some(_), Some(folder)) = (&written.file, &self.folder) {
            let _ = fs::remove_file(path(folder, &known.head));
        }
        *written = Written { file: None, failed: Some("the run has ended".to_owned()) };
        known.has_file = false;
    }
}

/// Why a line could not be written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("{0}")]
    Earlier(String),
    #[error("neither XDG_STATE_HOME nor HOME is set")]
    NoHome,
    #[error("{}: {}", .0.display(), .1)]
    Create(PathBuf, io::Error),
    #[error(transparent)]
    Append(#[from] io::Error),
}

fn path(folder: &Path, head: &Head) -> PathBuf {
    folder.join(format!("{}.jsonl", head.run))
}

/// A locked file with its first line. It gets its name when it has both, so that `kmslab cleanup` never meets one without.
fn create(folder: &Path, head: &Head) -> io::Result<File> {
    disk::make_private(folder)?;
    let path = path(folder, head);
    let mut file = disk::beside(&path)?;
    file.as_file().try_lock()?;
    append(file.as_file_mut(), head)?;
    // It is at its end, where the next line belongs.
    disk::keep(file, &path, true)
}

fn append(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)?;
    file.sync_data()
}

/// The id or ARN of what was created, as the answer has it.
fn created_id(body: &serde_json::Value) -> Option<String> {
    let paths = ["/KeyMetadata/Arn", "/TableDescription/TableArn", "/User/Arn", "/AccessKey/AccessKeyId"];
    paths.iter().find_map(|path| body.pointer(path)?.as_str()).map(str::to_owned)
}

/// The head of the journal of a run that works on `backend`.
pub fn head(names: &crate::lab::Names, backend: &crate::lab::Backend, admin_profile: Option<String>) -> Head {
    Head {
        run: names.run.clone(),
        started: names.created.clone().unwrap_or_default(),
        backend: backend.kind.key().to_owned(),
        endpoint: backend.endpoint.clone(),
        region: backend.region.clone(),
        admin_profile,
        account: None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::lab::{Response, Tags};

    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

    fn start(folder: &Path) -> Journal {
        let head = Head {
            run: "4f2a".into(),
            started: "2026-01-01T00:00:00Z".into(),
            backend: "endpoint".into(),
            endpoint: Some("http://127.0.0.1:1".into()),
            region: "us-east-1".into(),
            admin_profile: None,
            account: None,
        };
        Journal::new(Some(folder.to_owned()), head)
    }

    fn answer(status: u16, body: serde_json::Value) -> Answer {
        let response = Ok(Response { status, request_id: None, body });
        Answer { request: json!({}), response, wire: Default::default(), duration_us: 1, at: 0, tries: 1 }
    }

    fn create_key() -> Operation {
        Operation::CreateKey { description: "d".into(), tags: Tags::default() }
    }

    fn create_user() -> Operation {
        Operation::CreateUser { user: "u".into(), tags: Tags::default() }
    }

    #[test]
    fn a_living_journal_is_seen_as_such_and_a_left_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("runs");
        let journal = start(&folder);
        assert!(!folder.exists(), "nothing is written before something is created");
        journal.intend(&create_key()).unwrap();
        let secret = json!({"KeyMetadata": {"KeyId": "k", "Arn": KEY}, "SecretAccessKey": "geheim"});
        journal.note(&create_key(), &answer(200, secret));
        journal.intend(&create_user()).unwrap();
        let journals = Journals::read(&folder).unwrap();
        assert_eq!((journals.living, journals.left.len()), (vec!["4f2a".to_owned()], 0));

        let head = journal.known().head.clone();
        drop(journal);
        let text = fs::read_to_string(folder.join("4f2a.jsonl")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1..],
            [
                r#"{"intent":"CreateKey","name":""}"#,
                r#"{"result":"CreateKey","id":"arn:aws:kms:us-east-1:111122223333:key/k","ok":true}"#,
                r#"{"intent":"CreateUser","name":"u"}"#,
            ]
        );
        let mut journals = Journals::read(&folder).unwrap();
        let left = journals.left.pop().unwrap();
        assert_eq!((&left.head, left.keys.as_slice()), (&head, [KEY.to_owned()].as_slice()));
        assert_eq!(Journals::read(&folder).unwrap().living, ["4f2a"], "two clean-ups do not meet");
        left.remove().unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[rstest]
    fn a_run_that_is_taken_over_goes_on_in_its_own_file(#[values(false, true)] held_first: bool) {
        let folder = tempfile::tempdir().unwrap();
        let before = start(folder.path());
        before.intend(&create_key()).unwrap();
        drop(before);
        let head = Head { run: "9999".into(), ..start(folder.path()).known().head.clone() };
        let journal = Journal::new(Some(folder.path().to_owned()), head);
        journal.take_over("4f2a", None);
        assert_eq!(journal.begun(), ["run 4f2a"], "it may have left something, whatever the disk says");
        if held_first {
            journal.hold();
            assert_eq!(journal.begun(), ["run 4f2a"]);
        }
        journal.intend(&create_user()).unwrap();
        journal.hold();
        assert!(is_living(folder.path(), "4f2a"));
        let mut begun = journal.begun();
        begun.sort();
        assert_eq!(begun, ["CreateUser u", "run 4f2a"]);
        drop(journal);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let text = fs::read_to_string(folder.path().join("4f2a.jsonl")).unwrap();
        let (key, user) = (r#"{"intent":"CreateKey","name":""}"#, r#"{"intent":"CreateUser","name":"u"}"#);
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), [key, user]);
    }

    #[test]
    fn what_was_adopted_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let journal = start(folder.path());
        let names =
            [("CreateTable", "records"), ("CreateKey", KEY), ("CreateUser", "bob\u{1b}[2J"), ("CreateUser", "")];
        for (operation, name) in names {
            journal.adopt(&Taken { operation, name: name.to_owned() });
        }
        assert_eq!(journal.begun()[0], "CreateTable records");
        drop(journal);
        let left = Journals::read(folder.path()).unwrap().left.pop().unwrap();
        let adopted: Vec<_> =
            left.adopted.iter().map(|(operation, name)| (operation.as_str(), name.as_str())).collect();
        assert_eq!(adopted, [("CreateKey", KEY), ("CreateTable", "records")], "no name drives a terminal");
        assert_eq!((left.keys, left.may_have_key), (vec![KEY.to_owned()], false));
    }

    #[test]
    fn another_labs_run_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let living = start(folder.path());
        living.intend(&create_key()).unwrap();
        let take_over = || {
            let journal = start(folder.path());
            journal.take_over("4f2a", None);
            journal
        };
        let told = take_over().intend(&create_user()).unwrap_err().message;
        assert!(told.contains("another lab is at work on this run"), "{told}");
        drop(living);
        take_over().remove();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_journal_that_cannot_be_written_stops_the_call() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let none = start(&file).intend(&create_key()).unwrap_err();
        assert!(none.message.starts_with("nothing was sent: the journal can't be written ("), "{none:?}");
        assert!(none.remedy.contains(file.to_str().unwrap()), "{none:?}");
        let journal = Journal { folder: None, ..start(&file) };
        assert!(journal.intend(&create_key()).unwrap_err().message.contains("HOME"));
    }

    #[rstest]
    #[case::made(create_key(), answer(200, json!({"KeyMetadata": {"KeyId": "k", "Arn": KEY}})), false)]
    #[case::says_nothing(create_key(), answer(200, json!({})), true)]
    #[case::denied(create_key(), answer(400, json!({"__type": "AccessDeniedException"})), false)]
    #[case::broken(create_key(), answer(500, json!({})), true)]
    #[case::too_busy(create_key(), answer(503, json!({})), true)]
    #[case::an_earlier_try_made_it(create_user(), answer(409, json!({"Error": {"Code": "EntityAlreadyExists"}})), true)]
    #[case::lost(
        create_user(),
        Answer { response: Err(CallError { message: "m".into(), remedy: "r".into() }), ..answer(200, json!({})) },
        true
    )]
    fn what_may_exist_is_known(#[case] operation: Operation, #[case] answer: Answer, #[case] uncertain: bool) {
        let folder = tempfile::tempdir().unwrap();
        let journal = start(folder.path());
        journal.intend(&operation).unwrap();
        journal.note(&operation, &answer);
        assert_eq!(!journal.uncertain().is_empty(), uncertain);
        let written = fs::read_to_string(folder.path().join("4f2a.jsonl")).unwrap();
        assert_eq!(written.lines().last().unwrap().ends_with(r#""ok":null}"#), uncertain, "{written}");
    }

    #[rstest]
    #[case::never_asked(&[], false)]
    #[case::no_answer_yet(&[None], true)]
    #[case::refused(&[Some(answer(400, json!({"__type": "AccessDeniedException"})))], false)]
    #[case::lost(&[Some(answer(500, json!({})))], true)]
    #[case::lost_then_refused(&[Some(answer(500, json!({}))), Some(answer(400, json!({})))], true)]
    #[case::made(&[Some(answer(200, json!({"KeyMetadata": {"KeyId": "k", "Arn": KEY}})))], true)]
    fn whether_there_may_be_a_key_is_read_back(#[case] calls: &[Option<Answer>], #[case] may_be: bool) {
        let folder = tempfile::tempdir().unwrap();
        let journal = start(folder.path());
        journal.account("111122223333");
        journal.intend(&create_user()).unwrap();
        for call in calls {
            journal.intend(&create_key()).unwrap();
            if let Some(answer) = call {
                journal.note(&create_key(), answer);
            }
        }
        drop(journal);
        let left = Journals::read(folder.path()).unwrap().left.pop().unwrap();
        assert_eq!((left.may_have_key, left.head.account.as_deref()), (may_be, Some("111122223333")));
    }

    #[rstest]
    #[case::empty("", "it is empty")]
    #[case::a_diary("dear diary\n", "its first line is none")]
    fn a_file_that_is_no_journal_is_reported_and_kept(#[case] content: &str, #[case] says: &str) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.jsonl"), content).unwrap();
        let journals = Journals::read(folder.path()).unwrap();
        assert!(journals.unreadable[0].1.starts_with(says), "{journals:?}");
        assert!(folder.path().join("x.jsonl").exists());
    }
}
