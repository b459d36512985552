//! Servers for others on the same network: the audience's phones, and a class.
//!
//! Each has a thread and an async runtime of its own, so nobody can slow the lab down. Connections, requests, heads and
//! times are limited. Other origins can do nothing: requests must name an address and not a host name, a foreign `Origin`
//! is refused, and a page of another origin can't send JSON without asking first.

pub mod address;
mod limits;

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::lab::class::code::LETTERS;
use limits::{Limits, Seat};

/// How long a request's head may take, and its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Headers of each response.
const FIXED: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Locks what threads share. One that has panicked leaves it whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Draws `count` random letters and digits, none of which looks like another.
///
/// # Errors
/// If there is no randomness.
pub fn random_letters(count: usize) -> io::Result<String> {
    let mut random = vec![0; count];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(random.iter().map(|byte| char::from(LETTERS[usize::from(*byte % 32)])).collect())
}

/// Serves `router` and runs `besides` on a thread of this name. It ends when the sender of `stopped` is dropped.
///
/// # Errors
/// If there is no thread, or no async runtime.
pub fn serve(
    name: &str,
    listener: TcpListener,
    router: Router,
    besides: impl Future<Output = ()> + Send + 'static,
    mut stopped: watch::Receiver<()>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = move || {
        runtime.block_on(async {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            tokio::spawn(besides);
            tokio::select! {
                () = accept(&listener, router.layer(middleware::from_fn(guard))) => {}
                _ = stopped.changed() => {}
            }
        });
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(serve)?;
    Ok(())
}

async fn accept(listener: &tokio::net::TcpListener, router: Router) {
    let limits = Arc::new(Limits::default());
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let Some(seat) = limits.enter(from.ip(), Instant::now()) else { continue };
                let service = TowerToHyperService::new(router.clone().layer(Extension(Arc::new(seat))));
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    let mut http = hyper::server::conn::http1::Builder::new();
                    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 * 1024);
                    // A connection that fails is a client that has gone.
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
            // No more files, say. It passes.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Refuses requests of other origins, and too many of one address. No response may be framed or kept.
async fn guard(Extension(seat): Extension<Arc<Seat>>, request: Request, next: Next) -> Response {
    if !seat.may_ask(Instant::now()) {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    if !is_of_this_page(request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut response = match timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    for (name, value) in FIXED {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a request names an address, and comes from a page of that address or from none.
fn is_of_this_page(headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
    let host = header(HOST).unwrap_or_default();
    let is_own = |origin: &str| origin.strip_prefix("http://") == Some(host);
    address::is_address(host) && header(ORIGIN).is_none_or(is_own)
}

/// Reads a JSON body that says it is one: a page of another origin can't say that without asking first.
pub fn parse<T: for<'a> Deserialize<'a>>(headers: &HeaderMap, body: &Bytes) -> Option<T> {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    serde_json::from_slice(body).ok().filter(|_| is_json)
}
