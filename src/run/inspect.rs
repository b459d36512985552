//! Finds out what a page shows: from the sandbox's own pages where the backend is one, else from AWS's documents.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::aws::Clients;
use crate::lab::insight::{Finding, Inquiry};

/// How long a page of the sandbox may take: it comes from this machine.
const PAGE_TIME: Duration = Duration::from_secs(5);

/// How long the documents may take together.
const DOCUMENTS_TIME: Duration = Duration::from_secs(30);

/// The largest page that is read: the sandbox keeps 8 MB of decisions.
const LARGEST: usize = 64 * 1024 * 1024;

/// Finds out what `inquiry` asks for. It changes nothing, and ends in time.
pub async fn find_out(clients: &Clients, inquiry: &Inquiry) -> Finding {
    if let Some(url) = clients.endpoint()
        && is_sandbox(url).await
    {
        return of_sandbox(url, inquiry).await.unwrap_or_else(Finding::Failed);
    }
    match inquiry {
        Inquiry::Why { caller, key, .. } => {
            let reading = clients.documents(caller.as_deref(), key.as_deref());
            match timeout(DOCUMENTS_TIME, reading).await {
                Ok(documents) => Finding::Documents(documents),
                Err(_) => Finding::Failed(format!("no answer within {} s", DOCUMENTS_TIME.as_secs())),
            }
        }
        Inquiry::Trail | Inquiry::AtRest { .. } => Finding::NotTold,
    }
}

/// Whether a sandbox of kmslab answers at `url`.
async fn is_sandbox(url: &str) -> bool {
    let health = get::<Value>(url, "/_kmslab/health").await;
    health.is_ok_and(|health| health["status"] == "ok" && health["account"].is_string())
}

async fn of_sandbox(url: &str, inquiry: &Inquiry) -> Result<Finding, String> {
    #[derive(serde::Deserialize)]
    struct Decisions<T> {
        decisions: Vec<T>,
    }
    #[derive(serde::Deserialize)]
    struct Events<T> {
        events: Vec<T>,
    }
    Ok(match inquiry {
        Inquiry::Why { .. } => {
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

/// One page of the sandbox, which speaks plain HTTP.
async fn get<T: DeserializeOwned>(url: &str, page: &str) -> Result<T, String> {
    let body = timeout(PAGE_TIME, fetch(url, page)).await;
    let body = body.map_err(|_| format!("no answer within {} s", PAGE_TIME.as_secs()))??;
    serde_json::from_slice(&body).map_err(|error| format!("the sandbox's answer could not be read: {error}"))
}

async fn fetch(url: &str, page: &str) -> Result<bytes::Bytes, String> {
    let uri: http::Uri = url.parse().map_err(|error| format!("{url} is no URL: {error}"))?;
    let authority = match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) => authority,
        _ => return Err("a sandbox speaks plain http".to_owned()),
    };
    let fail = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)));
    let stream = stream.await.map_err(|error| fail("the sandbox can't be reached", &error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| fail("the sandbox does not speak HTTP", &error))?;
    // It ends when the answer has been read and the sender is gone.
    tokio::spawn(connection);
    let request =
        http::Request::get(page).header(http::header::HOST, authority.as_str()).body(Empty::<bytes::Bytes>::new());
    let request = request.map_err(|error| fail("the request could not be made", &error))?;
    let response = sender.send_request(request).await.map_err(|error| fail("the sandbox did not answer", &error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| fail("the sandbox's answer broke off", &error))?.to_bytes();
    if status.is_success() {
        return Ok(body);
    }
    let message =
        serde_json::from_slice::<Value>(&body).ok().and_then(|body| Some(body["message"].as_str()?.to_owned()));
    Err(message.unwrap_or_else(|| format!("the sandbox answered with HTTP status {status}")))
}
