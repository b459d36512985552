//! The network side: HTTP/1.1 on a thread of its own.
//!
//! The runtime is single-threaded and the sandbox's own, so the server works whatever runtime its user has, and is never
//! starved by it.

use std::io;
use std::net::{IpAddr, TcpListener as StdListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::{self, Response};
use super::engine::Engine;
use super::error::StartError;
use super::request::{BODY_LIMIT, Body, Request};

/// How long a client may take to send a request's head; also how long an idle connection is kept.
/// Longer than the 90 seconds after which the AWS SDK drops one itself, so that the two do not race.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);
/// How long it may take to send the body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a body that is too large is still read, so that the client gets to read the refusal instead of a broken
/// pipe.
const DRAIN_LIMIT: usize = 4 * BODY_LIMIT;
/// How many connections are open at once. When there are that many the idle ones are closed, as a server may at any time;
/// further ones wait in the listener's queue.
const CONNECTIONS: usize = 256;
/// How long a request in progress may take to finish when the server stops.
const GRACE: Duration = Duration::from_millis(250);

/// The engine, shared by the server and the sandbox's handle. A std mutex: it is never held across an await, and the one
/// server thread takes it for as long as a request takes anyway.
pub(super) type Shared = Arc<Mutex<Engine>>;

/// Locks the engine. A request that panicked is undone, so a poisoned lock says nothing.
pub(super) fn lock(engine: &Shared) -> MutexGuard<'_, Engine> {
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server; dropping it stops it.
#[derive(Debug)]
pub(super) struct Server {
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Its sender goes with the thread.
    ended: watch::Receiver<()>,
}

impl Server {
    /// Serves `engine` on a listener that is already bound.
    pub(super) fn start(listener: StdListener, engine: Shared) -> Result<Self, StartError> {
        listener.set_nonblocking(true).map_err(StartError::Thread)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let (stop, stopped) = watch::channel(());
        let (runs, ended) = watch::channel(());
        let thread = std::thread::Builder::new()
            .name("kmslab-sandbox".to_owned())
            .spawn(move || {
                let _runs = runs;
                // An error here means that the listener is no socket of this process.
                let _ = runtime.block_on(serve(listener, engine, stopped));
            })
            .map_err(StartError::Thread)?;
        Ok(Self { stop: Some(stop), thread: Some(thread), ended })
    }

    /// Ends when the server has, whatever the reason.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.clone();
        async move { while ended.changed().await.is_ok() {} }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Accepts connections until the sender of `stopped` is dropped.
async fn serve(listener: StdListener, engine: Shared, mut stopped: watch::Receiver<()>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let (crowd, crowded) = watch::channel(());
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            if slots.available_permits() == 0 {
                crowd.send_replace(());
            }
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (slot, accepted) = accept => match accepted {
                Ok((stream, peer)) => {
                    let engine = Arc::clone(&engine);
                    let (stopped, mut crowded) = (stopped.clone(), crowded.clone());
                    crowded.mark_unchanged();
                    // An IPv4 client of a listener on `[::]` is an IPv4 client all the same, to `aws:SourceIp` too.
                    let peer = peer.ip().to_canonical();
                    connections.spawn(async move {
                        let _slot = slot;
                        connection(stream, peer, engine, stopped, crowded).await;
                    });
                }
                // Out of file descriptors, or the client is gone already: neither is cured by trying at once.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    engine: Shared,
    mut stopped: watch::Receiver<()>,
    mut crowded: watch::Receiver<()>,
) {
    // Answers are small and written at once; waiting to fill a segment would cost 40 ms.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| respond(request, peer, Arc::clone(&engine)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // A connection's error is its client's doing (gone, or no HTTP) and hyper has answered what can be answered.
        _ = connection.as_mut() => return,
        _ = stopped.changed() => {}
        _ = crowded.changed() => {}
    }
    // Ends at once when idle, after the answer when a request is in progress.
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Reads the body and hands the request to the engine.
///
/// # Errors
/// When the client goes away in the middle of the body; there is nobody left to answer.
async fn respond(
    request: hyper::Request<Incoming>,
    peer: IpAddr,
    engine: Shared,
) -> Result<hyper::Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let waits_for_go = parts.headers.contains_key(header::EXPECT);
    let body = match timeout(BODY_TIMEOUT, read(body, waits_for_go)).await {
        Ok(body) => body?,
        Err(_) => {
            let mut response = answer::page(408, "text/plain", "the request's body did not arrive in time\n");
            response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
            return Ok(response.map(Full::new));
        }
    };
    let request = Request { method: parts.method, uri: parts.uri, headers: parts.headers, body, peer };
    Ok(handle(&engine, &request).map(Full::new))
}

fn handle(engine: &Shared, request: &Request) -> Response {
    // No input should make the engine panic. Should one do so nevertheless, the learner's lab goes on.
    catch_unwind(AssertUnwindSafe(|| lock(engine).handle(request))).unwrap_or_else(|_| {
        let _ = lock(engine).undo();
        answer::page(500, "text/plain", "the sandbox failed; this is a defect of kmslab\n")
    })
}

async fn read(mut body: Incoming, waits_for_go: bool) -> Result<Body, hyper::Error> {
    let declared = body.size_hint().lower();
    let mut too_large = declared > BODY_LIMIT as u64;
    if too_large && (waits_for_go || declared > DRAIN_LIMIT as u64) {
        return Ok(Body::TooLarge);
    }
    let mut bytes = BytesMut::new();
    let mut total = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        total = total.saturating_add(data.len());
        if total > DRAIN_LIMIT {
            return Ok(Body::TooLarge);
        }
        too_large |= total > BODY_LIMIT;
        if too_large {
            bytes = BytesMut::new();
        } else {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(if too_large { Body::TooLarge } else { Body::Whole(bytes.freeze()) })
}
