//! The server: two pages, a stream for each, votes, and the teacher's three buttons.
//!
//! A phone can do nothing but vote. Other origins can do nothing: requests must name an address and not a host name, a
//! foreign `Origin` is refused, and a page of another origin can't send JSON without asking first.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, response};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::ballots::{Ballots, Phone, Refusal};
use super::pages::{PHONE, Pages, TEACHER};
use super::{Codes, Teacher};
use crate::lab::poll::Poll;
use crate::lab::presenting::phones::Turnout;
use crate::lab::{Event, Intent, PresenterAction, Stage};
use crate::run::network::{self, lock, parse};

/// The largest body of a request, in bytes.
const BODY: usize = 256;

/// The lab is told of votes this often at most.
const TELL_LAB: Duration = Duration::from_millis(25);

/// And the phones this often.
const TELL_PHONES: Duration = Duration::from_secs(1);

/// What the lab's thread and the server's share.
pub(super) struct Shared {
    pub codes: Codes,
    pages: Pages,
    polls: watch::Sender<Arc<str>>,
    teacher: watch::Sender<Arc<str>>,
    turnout: watch::Sender<Arc<str>>,
    ballots: Mutex<Ballots>,
    /// A phone has come, gone or voted.
    changed: Notify,
    events: Mutex<Option<UnboundedSender<Event>>>,
}

fn json(value: &impl Serialize) -> Arc<str> {
    serde_json::to_string(value).unwrap_or_default().into()
}

impl Shared {
    pub fn new(codes: Codes, pages: Pages) -> Shared {
        let empty = || watch::Sender::new(Arc::from("{}"));
        Shared {
            codes,
            pages,
            polls: empty(),
            teacher: empty(),
            turnout: empty(),
            ballots: Mutex::default(),
            changed: Notify::new(),
            events: Mutex::default(),
        }
    }

    pub fn report_to(&self, events: UnboundedSender<Event>) {
        *lock(&self.events) = Some(events);
        self.changed.notify_one();
    }

    pub fn tell(&self, poll: &Poll, teacher: &Teacher) {
        lock(&self.ballots).open(poll.open());
        self.polls.send_replace(json(poll));
        self.teacher.send_replace(json(teacher));
    }

    fn report(&self, event: Event) {
        if let Some(events) = &*lock(&self.events) {
            let _ = events.send(event);
        }
    }

    fn is_phones(&self, code: &str) -> bool {
        code.eq_ignore_ascii_case(&self.codes.phones)
    }

    fn is_teachers(&self, code: &str) -> bool {
        // 128 bits: no timing tells enough of them.
        code == self.codes.teacher
    }

    /// Tells the lab, and less often the phones, how the votes stand.
    async fn herald(self: Arc<Shared>) {
        let (mut told, mut at) = (None, Instant::now());
        loop {
            let is_behind = told.is_some_and(|told| *self.turnout.borrow() != json(&Counts::of(told)));
            match is_behind {
                true => drop(timeout(TELL_PHONES.saturating_sub(at.elapsed()), self.changed.notified()).await),
                false => self.changed.notified().await,
            }
            let turnout = lock(&self.ballots).turnout();
            if told.replace(turnout) != Some(turnout) {
                self.report(Event::Turnout(turnout));
            }
            if at.elapsed() >= TELL_PHONES {
                at = Instant::now();
                self.turnout.send_replace(json(&Counts::of(turnout)));
            }
            sleep(TELL_LAB).await;
        }
    }
}

/// How many phones there are and have voted: not for what.
#[derive(Serialize)]
struct Counts {
    phones: u16,
    voted: u16,
}

impl Counts {
    fn of(turnout: Turnout) -> Counts {
        Counts { phones: turnout.phones, voted: turnout.votes.iter().sum() }
    }
}

/// Starts the server on a thread of its own. It ends when the sender of `stopped` is dropped.
pub(super) fn start(listener: TcpListener, shared: Arc<Shared>, stopped: watch::Receiver<()>) -> io::Result<()> {
    network::serve("audience", listener, router(shared.clone()), shared.herald(), stopped)
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(|| async { (StatusCode::NOT_FOUND, "Add / and the code from the big screen to the address.") }))
        .route("/{code}", get(page))
        .route("/{code}/events", get(events))
        .route("/{code}/vote", post(vote))
        .route("/{code}/do", post(act))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(shared)
}

async fn page(State(shared): State<Arc<Shared>>, Path(code): Path<String>) -> Response {
    match code {
        code if shared.is_phones(&code) => Html(PHONE).into_response(),
        code if shared.is_teachers(&code) => Html(TEACHER).into_response(),
        _ => (StatusCode::NOT_FOUND, "This code is not valid. Look at the big screen.").into_response(),
    }
}

#[derive(Deserialize)]
struct Who {
    phone: Option<String>,
}

async fn events(State(shared): State<Arc<Shared>>, Path(code): Path<String>, Query(who): Query<Who>) -> Response {
    if shared.is_teachers(&code) {
        let feed = vec![Feed::new("lab", &shared.teacher), Feed::new("turnout", &shared.turnout)];
        return stream_of(shared.pages.teacher.clone(), feed, None);
    }
    if !shared.is_phones(&code) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(phone) = who.phone.as_deref().and_then(Phone::parse) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if !lock(&shared.ballots).connect(phone) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    shared.changed.notify_one();
    let presence = Presence { shared: shared.clone(), phone };
    let feed = vec![Feed::new("poll", &shared.polls), Feed::new("turnout", &shared.turnout)];
    stream_of(shared.pages.phone.clone(), feed, Some(presence))
}

/// A phone's stream. Dropping it says that the phone has gone.
struct Presence {
    shared: Arc<Shared>,
    phone: Phone,
}

impl Drop for Presence {
    fn drop(&mut self) {
        lock(&self.shared.ballots).disconnect(self.phone);
        self.shared.changed.notify_one();
    }
}

/// A value that changes, and its name in a stream.
struct Feed {
    name: &'static str,
    value: watch::Receiver<Arc<str>>,
}

impl Feed {
    fn new(name: &'static str, value: &watch::Sender<Arc<str>>) -> Feed {
        let mut value = value.subscribe();
        value.mark_changed();
        Feed { name, value }
    }
}

/// The words, then the newest value of each feed. A slow phone misses values, never the newest.
fn stream_of(words: String, feeds: Vec<Feed>, presence: Option<Presence>) -> Response {
    let first = stream::iter([Ok::<_, Infallible>(Sse::default().event("words").data(words))]);
    let rest = stream::unfold((feeds, presence), |(mut feeds, presence)| async move {
        let [one, other] = feeds.get_disjoint_mut([0, 1]).ok()?;
        let feed = tokio::select! {
            biased;
            changed = one.value.changed() => changed.ok().map(|()| one)?,
            changed = other.value.changed() => changed.ok().map(|()| other)?,
        };
        let event = Sse::default().event(feed.name).data(&*feed.value.borrow_and_update());
        Some((Ok(event), (feeds, presence)))
    });
    sse(futures_util::StreamExt::chain(first, rest))
}

fn sse(events: impl Stream<Item = Result<Sse, Infallible>> + Send + 'static) -> Response {
    response::Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

#[derive(Deserialize)]
struct Vote {
    phone: String,
    stage: Stage,
    answer: usize,
}

async fn vote(
    State(shared): State<Arc<Shared>>,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !shared.is_phones(&code) {
        return StatusCode::NOT_FOUND;
    }
    let Some(vote) = parse::<Vote>(&headers, &body) else { return StatusCode::BAD_REQUEST };
    let Some(phone) = Phone::parse(&vote.phone) else { return StatusCode::BAD_REQUEST };
    let taken = lock(&shared.ballots).vote(phone, vote.stage, vote.answer, Instant::now());
    shared.changed.notify_one();
    match taken {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(Refusal::Closed) => StatusCode::CONFLICT,
        Err(Refusal::NoAnswer) => StatusCode::BAD_REQUEST,
        Err(Refusal::Unknown) => StatusCode::FORBIDDEN,
        Err(Refusal::TooFast) => StatusCode::TOO_MANY_REQUESTS,
    }
}

/// The teacher's buttons.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Button {
    Next,
    Back,
    Blank,
}

#[derive(Deserialize)]
struct Press {
    button: Button,
}

async fn act(
    State(shared): State<Arc<Shared>>,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !shared.is_teachers(&code) {
        return StatusCode::NOT_FOUND;
    }
    let Some(press) = parse::<Press>(&headers, &body) else { return StatusCode::BAD_REQUEST };
    shared.report(Event::Intent(match press.button {
        Button::Next => Intent::Present(PresenterAction::Next),
        Button::Back => Intent::ShowPrevious,
        Button::Blank => Intent::Present(PresenterAction::Blank),
    }));
    StatusCode::NO_CONTENT
}
