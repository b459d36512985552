//! A learner's side: sends the lab's progress to the class, from a thread of its own.
//!
//! The lab leaves its newest report and goes on; it never waits. What can't be sent is replaced by the next report, which
//! has everything that the earlier one had.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::server::Heard;
use super::store::{self, Store};
use crate::lab::class::report::{Doing, Member};
use crate::lab::class::roster::name;
use crate::lab::class::{Join, Report};
use crate::lab::{Event, State};
use crate::run::network::lock;

/// A lab with nothing new says so often that it is there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Between two reports there is at least so much time.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a report may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a lab that is left waits for its last report.
const LAST: Duration = Duration::from_secs(1);

/// The largest response that is read, in bytes.
const RESPONSE: usize = 1_024;

/// Why a report didn't arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// There is no connection, or no answer.
    Unreachable,
    /// The code is not that of the class, or no longer.
    WrongCode,
    /// The class is full.
    Full,
    /// The class speaks another version, or isn't one.
    Refused,
}

impl Failure {
    fn text(self) -> &'static str {
        match self {
            Failure::Unreachable => "class: no connection, your lab goes on",
            Failure::WrongCode => "class: this code is not valid any more; ask for the new one",
            Failure::Full => "class: the class is full, your lab goes on",
            Failure::Refused => "class: the teacher's program doesn't understand this one; use the same kmslab",
        }
    }
}

/// Sends a lab's progress.
pub struct Reporter {
    member: Member,
    /// Of the class's code: it shuffles the answers.
    seed: Option<u64>,
    /// The newest report; without a sender the thread sends it and ends.
    latest: Mutex<Option<watch::Sender<Option<Report>>>>,
    /// The lab hears here what becomes of its reports.
    events: watch::Sender<Option<UnboundedSender<Event>>>,
    ended: Mutex<std_mpsc::Receiver<()>>,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("member", &self.member).finish_non_exhaustive()
    }
}

impl Reporter {
    /// A reporter for the class at `join`, and for a course's `store`.
    ///
    /// # Errors
    /// If there is no randomness or no thread.
    pub fn start(join: Option<Join>, store: Option<Store>, own_name: &str) -> io::Result<Reporter> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let lab = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let (latest, reports) = watch::channel(None);
        let seed = join.as_ref().map(|join| join.code.seed());
        let (events, tell) = watch::channel(None);
        let (end, ended) = std_mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let send = move || {
            runtime.block_on(async {
                let to_class = async {
                    if let Some(join) = &join {
                        send_all(join, reports.clone(), tell.clone()).await;
                    }
                };
                let to_store = async {
                    if let Some(store) = &store {
                        store::send_all(store, reports.clone(), tell.clone()).await;
                    }
                };
                tokio::join!(to_class, to_store);
            });
            let _ = end.send(());
        };
        std::thread::Builder::new().name("reporter".to_owned()).spawn(send)?;
        let member = Member { name: name(own_name), lab };
        Ok(Reporter { member, seed, latest: Mutex::new(Some(latest)), events, ended: Mutex::new(ended) })
    }

    /// What shuffles the answers of all labs in the class; `None` without a class.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Tells the lab with these events what becomes of reports.
    pub fn report_to(&self, events: UnboundedSender<Event>) {
        self.events.send_replace(Some(events));
    }

    /// Notes the progress of `state`; it is sent if it is new. The lab doesn't wait.
    pub fn tell(&self, state: &State) {
        let report = Report::of(state, &self.member);
        let latest = lock(&self.latest);
        let Some(latest) = &*latest else { return };
        latest.send_if_modified(|latest| {
            let is_new = latest.as_ref().is_none_or(|latest| latest.without_time() != report.without_time());
            // The time goes along with the next one, or with the next sign of life.
            *latest = Some(report);
            is_new
        });
    }

    /// Says that the lab was left, and waits a moment until that is sent.
    pub fn leave(&self, state: &State) {
        let Some(latest) = lock(&self.latest).take() else { return };
        latest.send_replace(Some(Report { doing: Doing::Left, asks: false, ..Report::of(state, &self.member) }));
        drop(latest);
        let _ = lock(&self.ended).recv_timeout(LAST);
    }
}

/// Sends each newer report, and a sign of life now and then, until the lab has ended.
async fn send_all(
    join: &Join,
    mut reports: watch::Receiver<Option<Report>>,
    events: watch::Receiver<Option<UnboundedSender<Event>>>,
) {
    let mut told: Option<Result<String, Failure>> = None;
    loop {
        let has_ended = match timeout(HEARTBEAT, reports.changed()).await {
            Ok(changed) => changed.is_err(),
            Err(_) => false,
        };
        let report = reports.borrow_and_update().clone();
        let Some(report) = report else {
            if has_ended {
                return;
            }
            continue;
        };
        let sent = timeout(PATIENCE, post(join, &report)).await.unwrap_or(Err(Failure::Unreachable));
        if told.as_ref() != Some(&sent) {
            let text = match (&sent, &told) {
                (Ok(name), None) => format!("class: you have joined as {name}"),
                (Ok(_), Some(_)) => "class: connected again".to_owned(),
                (Err(failure), _) => failure.text().to_owned(),
            };
            if let Some(events) = &*events.borrow() {
                let _ = events.send(Event::Say(text));
            }
            told = Some(sent);
        }
        if has_ended || report.doing == Doing::Left {
            return;
        }
        sleep(PAUSE).await;
    }
}

/// Sends one report. Returns the name under which the learner is listed.
async fn post(join: &Join, report: &Report) -> Result<String, Failure> {
    let lost = |_| Failure::Unreachable;
    let stream = TcpStream::connect((join.host.as_str(), join.port)).await.map_err(lost)?;
    // By its address: a page of another origin could make a name mean this machine, so names are refused.
    let host = stream.peer_addr().map_err(lost)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| Failure::Unreachable)?;
    let body = serde_json::to_vec(report).map_err(|_| Failure::Refused)?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/{}", join.code.short()))
        .header("host", host.to_string())
        .header("content-type", "application/json")
        .body(Full::new(bytes::Bytes::from(body)))
        .map_err(|_| Failure::Refused)?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|_| Failure::Unreachable)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), RESPONSE).collect().await.map_err(|_| Failure::Refused)?;
        match status {
            StatusCode::OK => serde_json::from_slice::<Heard>(&body.to_bytes()).map_err(|_| Failure::Refused),
            StatusCode::NOT_FOUND => Err(Failure::WrongCode),
            StatusCode::INSUFFICIENT_STORAGE => Err(Failure::Full),
            // Too many at once: later.
            StatusCode::TOO_MANY_REQUESTS => Err(Failure::Unreachable),
            _ => Err(Failure::Refused),
        }
    };
    // It ends with the sender, or with the other side.
    tokio::spawn(connection);
    answered.await.map(|heard| heard.name)
}
