//! The teacher's server: it takes reports of learners who know the code, and tells nobody anything but their own name.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use super::now;
use crate::lab::class::roster::Refused;
use crate::lab::class::{Code, Report, Roster};
use crate::run::network::{self, lock, parse};

/// The largest report, in bytes. A real one has about 1 KB.
const BODY: usize = 8 * 1024;

/// What the dashboard's thread and the server's share.
pub(super) struct Shared {
    code: Mutex<Code>,
    roster: Mutex<Roster>,
    /// A report has come.
    pub changed: Notify,
}

impl Shared {
    pub fn new(code: Code) -> Shared {
        Shared { code: Mutex::new(code), roster: Mutex::default(), changed: Notify::new() }
    }

    pub fn code(&self) -> Code {
        lock(&self.code).clone()
    }

    pub fn renew(&self, code: Code) {
        *lock(&self.code) = code;
    }

    pub fn roster(&self) -> MutexGuard<'_, Roster> {
        lock(&self.roster)
    }

    fn is_code(&self, text: &str) -> bool {
        text.parse::<Code>().is_ok_and(|code| code == *lock(&self.code))
    }
}

/// What a learner's lab is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    /// Under which name the learner is listed.
    pub name: String,
}

/// Starts the server on a thread of its own. It ends when the sender of `stopped` is dropped.
pub(super) fn start(listener: TcpListener, shared: Arc<Shared>, stopped: watch::Receiver<()>) -> io::Result<()> {
    let router = Router::new()
        .route(
            "/",
            get(|| async { (StatusCode::NOT_FOUND, "Join this class with: kmslab --join CODE@ADDRESS --name YOU") }),
        )
        .route("/{code}", post(report))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(shared);
    network::serve("class", listener, router, std::future::pending(), stopped)
}

async fn report(
    State(shared): State<Arc<Shared>>,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !shared.is_code(&code) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(report) = parse::<Report>(&headers, &body) else { return StatusCode::BAD_REQUEST.into_response() };
    let heard = shared.roster().hear(report, now()).map(|name| Heard { name: name.to_owned() });
    match heard {
        Ok(heard) => {
            shared.changed.notify_one();
            Json(heard).into_response()
        }
        Err(Refused::Full) => StatusCode::INSUFFICIENT_STORAGE.into_response(),
        Err(Refused::Unreadable) => StatusCode::BAD_REQUEST.into_response(),
    }
}
