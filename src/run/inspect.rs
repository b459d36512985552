//! Finds out what a page shows: from the sandbox's own pages where the backend is one, else from AWS's documents.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::aws::Clients;
use crate::lab::insight::trail::{Event, asked};
use crate::lab::insight::{Finding, Inquiry, Traced};
use crate::lab::model::noticed::NoticedCall;

/// How long a page of the sandbox may take: it comes from this machine.
const PAGE_TIME: Duration = Duration::from_secs(5);

/// How long the documents may take together.
const DOCUMENTS_TIME: Duration = Duration::from_secs(30);

/// The largest page that is read: the sandbox keeps 8 MB of decisions.
const LARGEST: usize = 64 * 1024 * 1024;

/// Finds out what `inquiry` asks for. It changes nothing, and ends in time.
pub async fn find_out(clients: &Clients, inquiry: &Inquiry) -> Finding {
    if let Inquiry::Documents { caller, key } = inquiry {
        return documents(clients, caller.as_deref(), key.as_deref()).await;
    }
    if let Some(url) = clients.endpoint() {
        match get::<Value>(url, "/_kmslab/health").await {
            Ok(health) if health["status"] == "ok" && health["account"].is_string() => {
                let found = of_sandbox(url, inquiry).await;
                return found.map_or_else(|trouble| Finding::Failed(trouble.message()), |found| owning(clients, found));
            }
            // Where nobody answers nothing else need be asked.
            Err(Trouble::Unreachable(message)) => return Finding::Failed(message),
            // Another server.
            Ok(_) | Err(Trouble::Other(_)) => {}
        }
    }
    match inquiry {
        Inquiry::Why { caller, key, .. } | Inquiry::Documents { caller, key } => {
            documents(clients, caller.as_deref(), key.as_deref()).await
        }
        Inquiry::Trail | Inquiry::AtRest { .. } => Finding::NotTold,
    }
}

/// Marks what the lab itself has asked in the trail.
fn owning(clients: &Clients, mut finding: Finding) -> Finding {
    if let Finding::Trail(events) = &mut finding {
        let of_lab = |event: &Event| clients.has_sent(event.caused_by.as_ref().unwrap_or(&event.request_id));
        events.iter_mut().for_each(|event| event.is_own |= of_lab(event));
    }
    finding
}

/// Finds out in the sandbox's trail what KMS was asked because of `requests`.
pub async fn trace(clients: &Clients, requests: Vec<String>) -> Vec<(String, Traced)> {
    match find_out(clients, &Inquiry::Trail).await {
        Finding::Trail(events) => asked(&events, requests),
        _ => requests.into_iter().map(|request| (request, Traced::NotTold)).collect(),
    }
}

/// Reads the documents that decide, on every backend by the same calls.
async fn documents(clients: &Clients, caller: Option<&str>, key: Option<&str>) -> Finding {
    match timeout(DOCUMENTS_TIME, clients.documents(caller, key)).await {
        Ok(mut documents) => {
            // A server that doesn't know a call has nothing that the call would list: the sandbox has no groups.
            documents.unread.retain(|unread| !unread.contains(": InvalidAction ("));
            Finding::Documents(documents)
        }
        Err(_) => Finding::Failed(format!("no answer within {} s", DOCUMENTS_TIME.as_secs())),
    }
}

/// Why a page did not come.
#[derive(Debug)]
enum Trouble {
    /// Nobody answers.
    Unreachable(String),
    /// Anything else.
    Other(String),
}

impl Trouble {
    fn message(self) -> String {
        match self {
            Trouble::Unreachable(message) | Trouble::Other(message) => message,
        }
    }
}

async fn of_sandbox(url: &str, inquiry: &Inquiry) -> Result<Finding, Trouble> {
    #[derive(serde::Deserialize)]
    struct Decisions<T> {
        decisions: Vec<T>,
    }
    #[derive(serde::Deserialize)]
    struct Events<T> {
        events: Vec<T>,
    }
    Ok(match inquiry {
        Inquiry::Why { .. } | Inquiry::Documents { .. } => {
            let Decisions { decisions } = get(url, "/_kmslab/decisions").await?;
            Finding::Decisions(decisions)
        }
        Inquiry::Trail => {
            let Events { events } = get(url, "/_kmslab/trail").await?;
            Finding::Trail(events)
        }
        Inquiry::AtRest { table } => {
            let query: String = form_urlencoded::byte_serialize(table.as_bytes()).collect();
            Finding::AtRest(get(url, &format!("/_kmslab/at-rest?table={query}")).await?)
        }
    })
}

/// The calls that the sandbox at `url` has served after the number `after`, and the number of the newest; `None` where
/// no sandbox of kmslab answers.
pub async fn calls(url: &str, after: u64) -> Option<(u64, Vec<NoticedCall>)> {
    #[derive(serde::Deserialize)]
    struct Calls {
        newest: u64,
        calls: Vec<NoticedCall>,
    }
    let Calls { newest, calls } = get(url, &format!("/_kmslab/calls?after={after}")).await.ok()?;
    Some((newest, calls))
}

/// One page of the sandbox, which speaks plain HTTP.
async fn get<T: DeserializeOwned>(url: &str, page: &str) -> Result<T, Trouble> {
    ask(Method::GET, url, page).await
}

/// Moves the clock of the sandbox at `url` forward; whether there is one that did it.
pub async fn advance(url: &str, seconds: u32) -> bool {
    let answer = ask::<Value>(Method::POST, url, &format!("/_kmslab/advance?seconds={seconds}")).await;
    // It says the time. Another server may say yes to anything.
    answer.is_ok_and(|answer| answer["time"].is_string())
}

async fn ask<T: DeserializeOwned>(method: Method, url: &str, page: &str) -> Result<T, Trouble> {
    let body = timeout(PAGE_TIME, fetch(method, url, page)).await;
    let body = body.map_err(|_| Trouble::Unreachable(format!("no answer within {} s", PAGE_TIME.as_secs())))??;
    serde_json::from_slice(&body)
        .map_err(|error| Trouble::Other(format!("the sandbox's answer could not be read: {error}")))
}

async fn fetch(method: Method, url: &str, page: &str) -> Result<Bytes, Trouble> {
    let other = |what: &str, error: &dyn Display| Trouble::Other(format!("{what}: {error}"));
    let uri: http::Uri = url.parse().map_err(|error| other("this is no URL", &error))?;
    let authority = match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) => authority,
        _ => return Err(Trouble::Other("a sandbox speaks plain http".to_owned())),
    };
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await;
    let stream = stream.map_err(|error| Trouble::Unreachable(format!("the server can't be reached: {error}")))?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| other("the server does not speak HTTP", &error))?;
    // It ends when the answer has been read and the sender is gone.
    tokio::spawn(connection);
    let request = http::Request::builder()
        .method(method)
        .uri(page)
        .header(http::header::HOST, authority.as_str())
        .body(Empty::<Bytes>::new());
    let request = request.map_err(|error| other("the request could not be made", &error))?;
    let response = sender.send_request(request).await;
    let response = response.map_err(|error| other("the server did not answer", &error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| other("the server's answer broke off", &error))?.to_bytes();
    if status.is_success() {
        return Ok(body);
    }
    let message = serde_json::from_slice::<Value>(&body).ok();
    let message = message.and_then(|body| Some(body["message"].as_str()?.to_owned()));
    Err(Trouble::Other(message.unwrap_or_else(|| format!("the server answered with HTTP status {status}"))))
}
