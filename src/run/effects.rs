//! Performs effects. Their outcomes arrive as events.

#[cfg(unix)]
use std::io;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(unix)]
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::answer_cache::AnswerCache;
use super::class::reporter::Reporter;
use super::debug;
use super::inspect;
use super::journal::{self, Journal};
use super::notes::Place;
use super::session_file::{SessionLock, SessionWriter};
#[cfg(unix)]
use super::shell::{access::Access, contents::OwnProfiles, folder, terminal, terminal::Came};
use super::watch::{OwnCalls, Watch};
use super::writes::Writes;
use crate::aws::Clients;
#[cfg(unix)]
use crate::disk;
use crate::lab::Stage;
use crate::lab::insight::Finding;
#[cfg(unix)]
use crate::lab::model::draft::Draft;
use crate::lab::replay::RecordedStage;
#[cfg(unix)]
use crate::lab::session::shell::default_identity;
use crate::lab::{Answer, CallError, CallId, Effect, Event, Identity, Operation, REPORT_IT, SavedSession, State};

/// The largest text that an editor may leave, in bytes. A draft that is too long is cut.
#[cfg(unix)]
const LONGEST_FILE: u64 = 256 * 1024;

#[cfg(unix)]
fn no_folder() -> io::Error {
    io::Error::other("there is no private folder for it: set XDG_RUNTIME_DIR")
}

/// Reports what a shell has sent last.
#[cfg(unix)]
async fn last_look(watch: Option<&Watch>) {
    let Some(watch) = watch else { return };
    for _ in 0..20 {
        if watch.look().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Writes a session up, and returns the message for the learner. `None`: it isn't saved.
pub type Exporter = Arc<dyn Fn(Option<&SavedSession>) -> String + Send + Sync>;

/// Performs effects in tasks of their own; their outcomes arrive at the receiver. When it is dropped, the async runtime
/// drops the tasks, and nothing is sent any more.
pub struct EffectHandler {
    clients: Arc<Clients>,
    events: UnboundedSender<Event>,
    journal: Option<Arc<Journal>>,
    shelf: Option<Arc<AnswerCache>>,
    /// Dropped before `writes`, which then waits for what it has still to write.
    keeper: Option<SessionWriter>,
    place: Option<Place>,
    /// The class that the lab belongs to.
    class: Option<Arc<Reporter>>,
    exporter: Option<Exporter>,
    own: Arc<OwnCalls>,
    watch: Option<Arc<Watch>>,
    #[cfg(unix)]
    access: Option<Arc<Access>>,
    writes: Writes,
}

impl EffectHandler {
    /// Returns a handler whose calls go through `clients`, and the receiver of its events.
    pub fn new(clients: Clients) -> (EffectHandler, UnboundedReceiver<Event>) {
        let (events, receiver) = unbounded_channel();
        let handler = EffectHandler {
            clients: Arc::new(clients),
            events,
            journal: None,
            shelf: None,
            keeper: None,
            place: None,
            class: None,
            exporter: None,
            own: Arc::default(),
            watch: None,
            #[cfg(unix)]
            access: None,
            writes: Writes::default(),
        };
        (handler, receiver)
    }

    /// Where events of the lab go.
    pub fn events(&self) -> UnboundedSender<Event> {
        self.events.clone()
    }

    /// The same handler, which sends no creating call before `journal` has its intent.
    pub fn with_journal(self, journal: Option<Arc<Journal>>) -> EffectHandler {
        EffectHandler { journal, ..self }
    }

    /// The same handler, which keeps the answers of stages that were met on `shelf`.
    pub fn with_shelf(self, shelf: Option<AnswerCache>) -> EffectHandler {
        EffectHandler { shelf: shelf.map(Arc::new), ..self }
    }

    /// The same handler, which keeps the session that is held.
    pub fn with_session(self, hold: Option<SessionLock>) -> EffectHandler {
        let keeper = hold.and_then(|hold| match SessionWriter::start(hold, self.events.clone(), self.writes.begin()) {
            Ok(keeper) => Some(keeper),
            Err(error) => {
                let _ = self.events.send(Event::SessionNotSaved(error.to_string()));
                None
            }
        });
        EffectHandler { keeper, ..self }
    }

    /// The same handler, which tells a class of the lab's progress.
    pub fn with_class(self, class: Option<Arc<Reporter>>) -> EffectHandler {
        EffectHandler { class, ..self }
    }

    /// Tells the class, if the lab belongs to one, how far it is.
    pub(super) fn report(&self, state: &State) {
        self.class.iter().for_each(|class| class.tell(state));
    }

    /// The same handler, in which the lab can be followed at `place`.
    pub fn with_notes(self, place: Option<Place>) -> EffectHandler {
        EffectHandler { place, ..self }
    }

    /// The same handler, which writes sessions up with `exporter`.
    pub fn with_exporter(self, exporter: Exporter) -> EffectHandler {
        EffectHandler { exporter: Some(exporter), ..self }
    }

    /// The same handler, whose lab a shell can act in: it has a private folder below one of `parents`, and what other
    /// clients do is noticed. Call it inside a runtime.
    #[cfg(unix)]
    #[must_use]
    pub fn with_shell(mut self, parents: &[PathBuf], own: Option<OwnProfiles>, is_shared: bool) -> EffectHandler {
        let watch = Watch::new(&self.clients, self.own.clone(), self.events.clone());
        self.watch = Some(watch.clone());
        self.access = Access::new(parents, own).map(Arc::new).ok();
        if let Some(access) = &self.access
            && let Ok(listener) = access.listen()
        {
            let (access, watch, clients) = (Arc::downgrade(access), watch.clone(), self.clients.clone());
            tokio::spawn(async move {
                while let Ok((mut asker, _)) = listener.accept().await {
                    let Some(access) = access.upgrade() else { return };
                    if access.open(&clients).is_ok() {
                        watch.begin();
                        let _ = asker.write_all(&[1]).await;
                    }
                }
            });
        }
        tokio::spawn(watch.run(is_shared));
        self
    }

    /// Keeps the private folder up to date.
    #[cfg(unix)]
    pub fn refresh(&self, state: &State) {
        if let Some(access) = &self.access {
            access.refresh(state, &self.clients);
        }
    }

    /// Tells what is to be looked for from here on.
    #[cfg(unix)]
    pub fn watch(&self, state: &State) {
        self.watch.iter().for_each(|watch| watch.want(state));
    }

    /// Opens a shell in the lab's terminal. Its end, or a stop, arrives as [`Event::ShellClosed`], after the last calls.
    ///
    /// # Errors
    /// When there is no folder or no terminal for it, or the shell can't be started.
    #[cfg(unix)]
    pub fn open_shell(&self, state: &State) -> io::Result<terminal::Open> {
        let access = self.access.as_ref().ok_or_else(no_folder)?;
        access.write_now(state)?;
        access.open(&self.clients)?;
        self.watch.iter().for_each(|watch| watch.begin());
        let (open, mut waiter) = terminal::open(access.path(), default_identity(state))?;
        let (watch, events) = (self.watch.clone(), self.events.clone());
        let goes_on = format!("your shell is stopped: {} goes back to it", state.view().keys.first("shell", "!"));
        self.answer(async move {
            while let Came::Stopped = waiter.next().await {
                last_look(watch.as_deref()).await;
                let _ = events.send(Event::ShellClosed);
                let _ = events.send(Event::Say(goes_on.clone()));
            }
            last_look(watch.as_deref()).await;
            Event::ShellClosed
        });
        Ok(open)
    }

    /// Opens the person's editor in the lab's terminal with the draft. Its end arrives as [`Event::Edited`], even if
    /// nothing has changed.
    ///
    /// # Errors
    /// When there is no folder or no terminal for it, the draft can't be written, or the editor can't be started.
    #[cfg(unix)]
    pub fn open_editor(&self, draft: &Draft) -> io::Result<terminal::Open> {
        let access = self.access.as_ref().ok_or_else(no_folder)?;
        let file = access.path().join("statement.json");
        folder::put(&file, &format!("{}\n", draft.text()))?;
        let (open, mut waiter) = terminal::edit(&file)?;
        let (draft, events) = (draft.clone(), self.events.clone());
        self.answer(async move {
            let ended = waiter.ended().await;
            let text = disk::read_text(&file, LONGEST_FILE);
            let _ = std::fs::remove_file(&file);
            let problem = match (ended, text) {
                (Ok(status), Ok(text)) if status.success() => {
                    return Event::Edited(draft.edit_to(text.trim_end(), draft.cursor()));
                }
                (Ok(_), Ok(_)) => "the editor failed: nothing has changed".to_owned(),
                (Err(error), _) | (_, Err(error)) => format!("the text can't be read: {error}"),
            };
            // The lab gets its terminal back before it says so.
            let _ = events.send(Event::Edited(draft.edit_to(draft.text(), draft.cursor())));
            Event::Say(problem)
        });
        Ok(open)
    }

    /// Where the lab can be followed.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Begins `effect` and returns at once: another task or thread reads and writes, because its disk may be slow.
    pub fn perform(&self, effect: Effect) {
        match effect {
            Effect::Call { id, identity, operation } => self.call(id, identity, operation),
            Effect::After { timer, millis } => {
                let pause = jittered(millis);
                self.answer(async move {
                    tokio::time::sleep(pause).await;
                    Event::TimerFired(timer)
                });
            }
            Effect::Advance { timer, seconds } => {
                let url = self.clients.endpoint().map(str::to_owned);
                self.answer(async move {
                    let moved = match url {
                        Some(url) => inspect::advance(&url, seconds).await,
                        None => false,
                    };
                    Event::Advanced { timer, moved }
                });
            }
            Effect::Inspect { serial, inquiry } => {
                let (clients, in_flight) = (self.clients.clone(), self.own.begin());
                self.answer(async move {
                    let finding = tokio::spawn(async move { inspect::find_out(&clients, &inquiry).await }).await;
                    drop(in_flight);
                    let finding = finding.unwrap_or_else(|_| Finding::Failed(broken().message));
                    Event::Inspected { serial, finding }
                });
            }
            Effect::Trace(requests) => {
                let clients = self.clients.clone();
                self.answer(async move { Event::Traced(inspect::trace(&clients, requests).await) });
            }
            Effect::Reconnect => self.clients.reconnect(),
            Effect::CacheResponses(verified) => self.cache(verified),
            Effect::LoadResponses { stage, account } => self.load(stage, account),
            Effect::Save(kept) => {
                if let Some(keeper) = &self.keeper {
                    keeper.save(kept);
                }
            }
            Effect::TakeOver { run, created } => {
                if let Some(journal) = self.journal.clone() {
                    journal.take_over(&run, created);
                    tokio::task::spawn_blocking(move || journal.hold());
                }
            }
            Effect::Adopt(taken) => {
                if let Some(journal) = self.journal.clone() {
                    tokio::task::spawn_blocking(move || journal.adopt(&taken));
                }
            }
            Effect::Export(session) => self.export(session),
            // The driver's own.
            Effect::Report(_) | Effect::Copy(_) | Effect::Edit(_) | Effect::OpenShell => {}
            Effect::StartOver | Effect::Exit => {}
        }
    }

    /// Loads what `account` answered in `stage` the last time.
    fn load(&self, stage: Stage, account: Option<String>) {
        let shelf = self.shelf.clone();
        let recall = tokio::task::spawn_blocking(move || {
            let found = shelf.map_or(Ok(None), |shelf| shelf.load(stage, account.as_deref()));
            found.map_err(|error| error.to_string())
        });
        self.answer(async move {
            let found = recall.await.unwrap_or_else(|_| Err(broken().message));
            Event::ResponsesLoaded { stage, found }
        });
    }

    /// Writes a session up in another thread; the end of the program waits for that.
    fn export(&self, session: Option<Box<SavedSession>>) {
        let Some(exporter) = self.exporter.clone() else { return };
        let (events, write) = (self.events.clone(), self.writes.begin());
        tokio::task::spawn_blocking(move || {
            let _write = write;
            let _ = events.send(Event::Say(exporter(session.as_deref())));
        });
    }

    /// Sends the event that `work` ends with.
    fn answer(&self, work: impl Future<Output = Event> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            // Nobody listens if the lab has ended meanwhile.
            let _ = events.send(work.await);
        });
    }

    /// Writes the responses of a stage; the end of the program waits for that.
    fn cache(&self, verified: Box<RecordedStage>) {
        let Some(shelf) = self.shelf.clone() else { return };
        let (events, write) = (self.events.clone(), self.writes.begin());
        tokio::task::spawn_blocking(move || {
            let _write = write;
            if let Err(reason) = shelf.store(&verified) {
                let _ = events.send(Event::ResponsesNotCached(reason.to_string()));
            }
        });
    }

    /// Sends a call once what was to be kept before it is written, and a creating one only with its intent on the disk.
    fn call(&self, id: CallId, identity: Identity, operation: Operation) {
        let (clients, journal) = (self.clients.clone(), self.journal.clone());
        let settled = self.keeper.as_ref().map(SessionWriter::settled);
        let in_flight = self.own.begin();
        self.answer(async move {
            if let Some(settled) = settled {
                settled.await;
            }
            let names_account = (identity, &operation) == (Identity::Admin, &Operation::GetCallerIdentity);
            let mut answer = Box::new(match &journal {
                Some(journal) if journal::is_journaled(&operation) => {
                    journaled(clients, identity, operation, journal.clone()).await
                }
                _ => call(clients, identity, operation).await,
            });
            drop(in_flight);
            if let Some(account) = account_of(&answer).filter(|_| names_account)
                && let Some(journal) = &journal
            {
                journal.account(account);
            }
            if let Err(none) = &mut answer.response {
                none.remedy = none.remedy.replace(REPORT_IT, &debug::what_to_send());
            }
            answer.at = unix_time();
            log_call(id, &answer);
            Event::CallFinished { id, answer }
        });
    }
}

/// Sends a creating call between its intent and its result; without an intent on the disk it is not sent. The disk is
/// waited for by another thread: this one draws the screen.
async fn journaled(clients: Arc<Clients>, identity: Identity, operation: Operation, journal: Arc<Journal>) -> Answer {
    let (book, intent) = (journal.clone(), operation.clone());
    let intended = tokio::task::spawn_blocking(move || book.intend(&intent)).await;
    if let Err(none) = intended.unwrap_or_else(|_| Err(broken())) {
        return unsent(none);
    }
    let answer = call(clients, identity, operation.clone()).await;
    let told = answer.clone();
    // Where that fails, the answer is no less true.
    let _ = tokio::task::spawn_blocking(move || journal.note(&operation, &told)).await;
    answer
}

async fn call(clients: Arc<Clients>, identity: Identity, operation: Operation) -> Answer {
    unbroken(async move { clients.call(identity, &operation).await }).await
}

/// What `work` gives; where it panics, an answer all the same: the lab would wait for it for ever.
async fn unbroken(work: impl Future<Output = Answer> + Send + 'static) -> Answer {
    // It may have been sent by then.
    tokio::spawn(work).await.unwrap_or_else(|_| Answer { tries: 1, ..unsent(broken()) })
}

/// Writes to the debug log how a call ended. The answer holds no secrets: `aws` has removed them.
fn log_call(CallId(id): CallId, answer: &Answer) {
    let (tries, micros, request) = (answer.tries, answer.duration_us, &answer.request);
    match &answer.response {
        Ok(response) if response.status < 300 => {
            tracing::debug!(id, response.status, response.request_id, tries, micros, %request, "call answered");
        }
        Ok(response) => {
            let body = &response.body;
            tracing::debug!(id, response.status, response.request_id, tries, micros, %request, %body, "call refused");
        }
        Err(none) => tracing::debug!(id, none.message, tries, micros, %request, "call without a response"),
    }
}

/// What is said where a part of the program has panicked.
fn broken() -> CallError {
    CallError::fault("a part of kmslab has failed while the call was under way".to_owned())
}

/// The answer where nothing is known to have been sent.
fn unsent(none: CallError) -> Answer {
    Answer {
        request: serde_json::Value::Null,
        response: Err(none),
        wire: Default::default(),
        duration_us: 0,
        at: 0,
        tries: 0,
    }
}

/// The account that an answer to GetCallerIdentity names.
fn account_of(answer: &Answer) -> Option<&str> {
    answer.response.as_ref().ok()?.body.get("Account")?.as_str()
}

/// Now, in seconds; 0 where the clock stands before 1970.
fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A pause of about `millis`, up to a fifth shorter or longer: many labs that were begun together, as in a classroom,
/// do not ask at the same moments.
fn jittered(millis: u64) -> Duration {
    let mut byte = [0];
    // Where the system has no randomness the pause is a fifth shorter.
    let _ = getrandom::fill(&mut byte);
    Duration::from_micros(millis * 800 + millis * 400 * u64::from(byte[0]) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_panics_is_answered() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(unbroken(async { panic!("on purpose") }));
        assert!(answer.response.unwrap_err().message.starts_with("a part of kmslab has failed"));
    }

    #[test]
    fn pauses_differ_by_a_fifth_at_most() {
        let pauses: Vec<Duration> = (0..64).map(|_| jittered(1_000)).collect();
        assert!(pauses.iter().all(|pause| (800..=1_200).contains(&pause.as_millis())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
    }
}
