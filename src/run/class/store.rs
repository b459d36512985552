//! A course's learning record store: it gets xAPI statements. The lab goes on whether or not it answers.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::lab::class::Report;
use crate::lab::class::report::Doing;
use crate::lab::class::xapi::{self, Course};
use crate::lab::{Event, Lesson, Stage};

/// The most statements that wait for a store that doesn't answer. A lab makes about thirty.
const MOST: usize = 500;

/// The most of one request.
const BATCH: usize = 50;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The shortest and the longest pause after a failure.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The largest response that is read, in bytes.
const RESPONSE: usize = 64 * 1024;

/// Where the store is, and how to sign in.
#[derive(Clone)]
pub struct Store {
    /// Without user and password.
    endpoint: Uri,
    /// The value of the header, a secret.
    authorization: Option<String>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What is no address of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a learning record store has an address like https://lrs.example/xapi")]
pub struct NoStore;

impl Store {
    /// The store at `url`, which may name user and password; `auth` is `user:password` otherwise.
    ///
    /// # Errors
    /// If `url` is no `http` or `https` address.
    pub fn new(url: &str, auth: Option<&str>) -> Result<Store, NoStore> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(NoStore)?;
        let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let decoded = user.map(|user| percent_encoding::percent_decode_str(user).decode_utf8_lossy().into_owned());
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let path = path.strip_suffix("/statements").unwrap_or(path);
        let is_web = ["http", "https"].contains(&scheme) && !host.is_empty();
        let endpoint = format!("{scheme}://{host}{path}/statements").parse::<Uri>().ok().filter(|_| is_web);
        let authorization = decoded.or(auth.map(str::to_owned)).map(|auth| format!("Basic {}", BASE64.encode(auth)));
        Ok(Store { endpoint: endpoint.ok_or(NoStore)?, authorization })
    }

    /// The address of the store's host.
    pub fn home(&self) -> String {
        let host = self.endpoint.authority().map(ToString::to_string).unwrap_or_default();
        format!("{}://{host}", self.endpoint.scheme_str().unwrap_or("https"))
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// It is stored, now or earlier.
    Stored,
    /// There is no connection, no answer, or the store can't now.
    Later,
    /// The store takes nothing from this lab, with this status.
    Refused(StatusCode),
}

/// Sends statements about each newer report until the lab has ended.
pub(super) async fn send_all(
    store: &Store,
    mut reports: watch::Receiver<Option<Report>>,
    events: watch::Receiver<Option<UnboundedSender<Event>>>,
) {
    let say = |text: String| {
        if let Some(events) = &*events.borrow() {
            let _ = events.send(Event::Say(text));
        }
    };
    let Some(client) = client() else { return say("xapi: this machine has no certificates, your lab goes on".into()) };
    let english = Lesson::english();
    let titles = Stage::ALL.map(|stage| english.stage(stage).title.clone()).to_vec();
    let course = Course { home: store.home(), titles };
    let (mut before, mut waiting, mut number) = (None, VecDeque::new(), 0);
    let (mut pause, mut is_down) = (PAUSES.0, false);
    loop {
        let has_ended = match waiting.is_empty() {
            true => reports.changed().await.is_err(),
            false => timeout(pause, reports.changed()).await.is_ok_and(|changed| changed.is_err()),
        };
        let report = reports.borrow_and_update().clone();
        if let Some(report) = report.filter(|report| before.as_ref() != Some(report)) {
            let at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
            let statements = xapi::statements(before.as_ref(), &report, &course, number, &at);
            number += statements.len() as u64;
            waiting.extend(statements);
            waiting.truncate(MOST);
            before = Some(report);
        }
        let is_over = has_ended || before.as_ref().is_some_and(|report| report.doing == Doing::Left);
        match flush(&client, store, &mut waiting).await {
            Sent::Stored => {
                if std::mem::take(&mut is_down) {
                    say("xapi: connected again".to_owned());
                }
                pause = PAUSES.0;
            }
            Sent::Refused(status) => {
                let code = status.as_u16();
                return say(format!("xapi: the store refuses your progress ({code}), your lab goes on"));
            }
            Sent::Later => {
                if !std::mem::replace(&mut is_down, true) {
                    say("xapi: no connection to the store, your lab goes on".to_owned());
                }
                pause = (pause * 2).min(PAUSES.1);
            }
        }
        if is_over {
            return;
        }
        if waiting.is_empty() {
            // Many changes at once are one request.
            sleep(PAUSES.0 / 4).await;
        }
    }
}

/// Sends what waits, until nothing does or something goes wrong.
async fn flush(client: &Https, store: &Store, waiting: &mut VecDeque<Value>) -> Sent {
    while !waiting.is_empty() {
        let batch: Vec<&Value> = waiting.iter().take(BATCH).collect();
        let (sent, count) = (post(client, store, &batch).await, batch.len());
        if sent != Sent::Stored {
            return sent;
        }
        waiting.drain(..count);
    }
    Sent::Stored
}

type Https = Client<HttpsConnector<HttpConnector>, Full<bytes::Bytes>>;

/// A client that trusts this machine's certificates; `None` where it has none.
fn client() -> Option<Https> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let connector = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider).ok()?;
    let connector = connector.https_or_http().enable_http1().build();
    Some(Client::builder(TokioExecutor::new()).build(connector))
}

async fn post(client: &Https, store: &Store, statements: &[&Value]) -> Sent {
    let Ok(body) = serde_json::to_vec(statements) else { return Sent::Later };
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(store.endpoint.clone())
        .header(CONTENT_TYPE, "application/json")
        .header("x-experience-api-version", xapi::VERSION);
    if let Some(authorization) = &store.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let Ok(request) = request.body(Full::new(bytes::Bytes::from(body))) else { return Sent::Later };
    let answered = async {
        let response = client.request(request).await.ok()?;
        let status = response.status();
        // It is read to its end, so that the connection can be used again.
        let _ = Limited::new(response.into_body(), RESPONSE).collect().await;
        Some(status)
    };
    match timeout(PATIENCE, answered).await.ok().flatten() {
        // A statement that is stored already: the answer to its first request was lost.
        Some(status) if status.is_success() || status == StatusCode::CONFLICT => Sent::Stored,
        Some(status) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => Sent::Refused(status),
        _ => Sent::Later,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://lrs.example/xapi", None, "https://lrs.example/xapi/statements", None)]
    #[case("https://lrs.example/xapi/statements/", None, "https://lrs.example/xapi/statements", None)]
    #[case("http://u:p%40@lrs.example:8080", None, "http://lrs.example:8080/statements", Some("u:p@"))]
    #[case("https://lrs.example?x=1", Some("a:b"), "https://lrs.example/statements", Some("a:b"))]
    fn a_store_has_an_address_and_perhaps_a_password(
        #[case] url: &str,
        #[case] auth: Option<&str>,
        #[case] endpoint: &str,
        #[case] signed: Option<&str>,
    ) {
        let store = Store::new(url, auth).unwrap();
        assert_eq!(store.endpoint.to_string(), endpoint);
        assert_eq!(store.authorization, signed.map(|signed| format!("Basic {}", BASE64.encode(signed))));
        assert!(!format!("{store:?}").contains("Basic") && !format!("{store:?}").contains('@'));
    }

    #[rstest]
    #[case("")]
    #[case("lrs.example")]
    #[case("ftp://lrs.example")]
    #[case("https://")]
    #[case("https://a b")]
    fn anything_else_is_no_store(#[case] url: &str) {
        assert_eq!(Store::new(url, None).unwrap_err(), NoStore);
    }
}
