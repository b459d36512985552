//! Moves the clock of a sandbox, by its own page.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the sandbox may take: it is on this machine.
const TIME: Duration = Duration::from_secs(5);

/// The longest answer that is read.
const LARGEST: usize = 64 * 1024;

/// Moves the clock of the sandbox at `url` forward; whether there is one that did it.
pub async fn advance(url: &str, seconds: u32) -> bool {
    timeout(TIME, post(url, seconds)).await.ok().flatten().is_some()
}

/// A sandbox speaks plain HTTP, and says the time as its answer: another server may say yes to anything.
async fn post(url: &str, seconds: u32) -> Option<()> {
    let uri: http::Uri = url.parse().ok()?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    // It ends when the answer has been read and the sender is gone.
    tokio::spawn(connection);
    let request = http::Request::post(format!("/_kmslab/advance?seconds={seconds}"))
        .header(http::header::HOST, authority.as_str())
        .body(Empty::<bytes::Bytes>::new())
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    let is_done = response.status().is_success();
    let body = Limited::new(response.into_body(), LARGEST).collect().await.ok()?.to_bytes();
    let answer: serde_json::Value = serde_json::from_slice(&body).ok()?;
    answer.get("time")?.as_str().filter(|_| is_done).map(drop)
}
