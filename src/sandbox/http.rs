//! The network side: HTTP/1.1 on a thread of its own.
//!
//! The runtime is single-threaded and the sandbox's own, so the server works whatever runtime its user has, and is never
//! starved by it.

mod crowd;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, TcpListener as StdListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, sleep_until, timeout};

use self::crowd::{Crowd, Limits, Seat, Watched};
use super::engine::{Shared, lock};
use super::request::{BODY_LIMIT, Body, Request};
use super::respond::{self, Response};
use super::start_error::StartError;

/// How much of a body that is too large is still read, so that the client gets to read the refusal instead of a broken
/// pipe.
const DRAIN_LIMIT: usize = 4 * BODY_LIMIT;
/// How long a request in progress may take to finish when the server stops.
const GRACE: Duration = Duration::from_millis(250);

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
        Self::start_with(listener, engine, Limits::default())
    }

    fn start_with(listener: StdListener, engine: Shared, limits: Limits) -> Result<Self, StartError> {
        listener.set_nonblocking(true).map_err(StartError::Thread)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let (stop, stopped) = watch::channel(());
        let (runs, ended) = watch::channel(());
        let thread = std::thread::Builder::new()
            .name("kmslab-sandbox".to_owned())
            .spawn(move || {
                let _runs = runs;
                // An error here means that the listener is no socket of this process.
                let _ = runtime.block_on(serve(listener, engine, limits, stopped));
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
async fn serve(
    listener: StdListener,
    engine: Shared,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    let stop = stopped.clone();
    tokio::select! {
        _ = stopped.changed() => {}
        () = accept(&listener, &engine, limits, &stop, &mut connections) => {}
    }
    drop(listener);
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}

/// Accepts connections for ever. One that comes when there are too many waits until another one has made room.
async fn accept(
    listener: &TcpListener,
    engine: &Shared,
    limits: Limits,
    stopped: &watch::Receiver<()>,
    connections: &mut JoinSet<()>,
) {
    let crowd = Arc::new(Crowd::new(limits));
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, or the client has already gone: retrying at once helps with neither.
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        crowd.make_room().await;
        let seat = crowd.enter(Arc::clone(engine));
        // An IPv4 client of a listener on `[::]` is an IPv4 client all the same, to `aws:SourceIp` too.
        connections.spawn(connection(stream, peer.ip().to_canonical(), seat, stopped.clone()));
    }
}

/// Serves one connection until either side closes it, it takes too long, or it is asked to make room.
async fn connection(stream: TcpStream, peer: IpAddr, seat: Seat, mut stopped: watch::Receiver<()>) {
    // Responses are small and written at once; waiting to fill a segment would cost 40 ms.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(seat.line())));
    let service = service_fn(|request| respond(request, peer, &seat));
    // Without a timer hyper has no time limits: those are the seat's.
    let mut connection = pin!(http1::Builder::new().serve_connection(io, service));
    let mut leaves = false;
    loop {
        let deadline = seat.line().deadline();
        tokio::select! {
            biased;
            // A connection's error is its client's doing (gone, or no HTTP) and hyper has responded where it can.
            _ = connection.as_mut() => return,
            _ = stopped.changed(), if !leaves => {}
            () = seat.line().changed(), if !leaves => {
                if !seat.line().is_asked_to_leave() {
                    continue;
                }
                // A request may have arrived that nothing has read yet: it is served. The yield reads the sockets.
                yield_now().await;
                if poll_once(connection.as_mut()).await || seat.line().may_leave() {
                    return;
                }
            }
            () = sleep_until(deadline.into()) => {
                if seat.line().is_overdue() {
                    return;
                }
                continue;
            }
        }
        // Ends at once when idle, after the response when a request is in progress; a client that does not read it is not
        // waited for any longer than before.
        leaves = true;
        connection.as_mut().graceful_shutdown();
    }
}

/// Polls `future` once; whether it has ended.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

/// Reads the body and hands the request to the engine.
///
/// # Errors
/// When the client goes away in the middle of the body; there is nobody left to respond to.
async fn respond(
    request: hyper::Request<Incoming>,
    peer: IpAddr,
    seat: &Seat,
) -> Result<hyper::Response<Full<Bytes>>, hyper::Error> {
    let _working = seat.line().work();
    let (parts, body) = request.into_parts();
    let waits_for_go = parts.headers.contains_key(header::EXPECT);
    let body = match timeout(seat.line().limits().body, read(body, waits_for_go)).await {
        Ok(body) => body?,
        Err(_) => {
            let mut response = respond::page(408, "text/plain", "the request's body did not arrive in time\n");
            response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
            return Ok(response.map(Full::new));
        }
    };
    let request = Request {
        method: parts.method,
        uri: parts.uri,
        headers: parts.headers,
        body,
        peer,
        connection: seat.line().id(),
    };
    Ok(handle(seat.engine(), &request).map(Full::new))
}

fn handle(engine: &Shared, request: &Request) -> Response {
    // No input should make the engine panic. Should one do so nevertheless, the learner's lab goes on.
    catch_unwind(AssertUnwindSafe(|| lock(engine).handle(request)))
        .unwrap_or_else(|_| respond::page(500, "text/plain", "the sandbox failed; this is a defect of kmslab\n"))
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
