//! The sandbox's own pages under `/_kmslab/`: what happened and why, and moving the clock.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::account::Account;
use super::dynamodb::at_rest;
use super::log::{BoundedLog, Record};
use super::request::Request;
use super::respond::{self, Response};
use super::transaction;

/// The longest step of the clock, in seconds: about a hundred years.
const LONGEST_STEP: u64 = 100 * 366 * 24 * 60 * 60;

/// Why a sender may not see these pages.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("these pages are for this machine only")]
    OtherMachine,
    #[error("the Host header must be a loopback name, not '{0}'")]
    Host(String),
    #[error("requests from web pages are refused")]
    WebPage,
}

/// Responds to a request for `/_kmslab/{page}`.
pub fn respond(account: &mut Account, request: &Request, page: &str) -> Response {
    if let Err(reason) = check_sender(request) {
        return refusal(403, &reason.to_string());
    }
    match (&request.method, page) {
        (&Method::GET, "health") => json(json!({
            "status": "ok",
            "account": account.id,
            "region": account.region,
            "time": account.state.clock.timestamp(),
        })),
        (&Method::GET, "trail") => list("events", &account.trail),
        (&Method::GET, "decisions") => list("decisions", &account.decisions),
        (&Method::GET, "calls") => calls(account, request.uri.query().unwrap_or_default()),
        (&Method::GET, "at-rest") => table_at_rest(account, request.uri.query().unwrap_or_default()),
        (&Method::POST, "advance") => advance(account, request.uri.query().unwrap_or_default()),
        (_, "health" | "trail" | "decisions" | "calls" | "at-rest") => refusal(405, "use GET"),
        (_, "advance") => refusal(405, "use POST"),
        _ => refusal(404, "there are: health, trail, decisions, calls, at-rest, advance"),
    }
}

/// The calls after the number `after`, oldest first, and the number of the newest.
fn calls(account: &Account, query: &str) -> Response {
    let calls = &account.calls;
    let after = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
    let after = after.and_then(|(_, value)| value.parse::<usize>().ok()).unwrap_or(0);
    let mut newer: Vec<_> = calls.since(after.min(calls.total())).collect();
    newer.reverse();
    json(json!({ "newest": calls.total(), "calls": newer }))
}

fn table_at_rest(account: &Account, query: &str) -> Response {
    let table = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "table");
    let Some((_, table)) = table else { return refusal(400, "table=NAME is needed") };
    match at_rest::describe(account, &table) {
        Ok(Some(found)) => json(found),
        Ok(None) => refusal(404, "there is no table of this name"),
        Err(error) => refusal(500, &error.to_string()),
    }
}

fn advance(account: &mut Account, query: &str) -> Response {
    let seconds = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "seconds")
        .and_then(|(_, value)| value.parse::<u64>().ok())
        .filter(|seconds| *seconds <= LONGEST_STEP);
    let Some(seconds) = seconds else {
        return refusal(400, &format!("seconds must be a whole number from 0 to {LONGEST_STEP}"));
    };
    match transaction::advance(account, Duration::from_secs(seconds)) {
        Ok(()) => json(json!({ "time": account.state.clock.timestamp() })),
        Err(error) => refusal(500, &error.to_string()),
    }
}

/// Lets in this machine only, and no web page. These pages need no signature, so nobody on the network must reach them
/// when the sandbox listens there, and neither must a page in a browser: not by a name of its own that it points at this
/// machine (then `Host` is that name) nor straight (then the browser sends `Origin` or says that the request crosses
/// sites).
fn check_sender(request: &Request) -> Result<(), Refused> {
    if !request.peer.is_loopback() {
        return Err(Refused::OtherMachine);
    }
    let host = request.header("host").unwrap_or_default();
    if !is_loopback(host) {
        return Err(Refused::Host(host.to_owned()));
    }
    let crosses = matches!(request.header("sec-fetch-site"), Some(site) if site != "none" && site != "same-origin");
    if request.headers.contains_key("origin") || crosses {
        return Err(Refused::WebPage);
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn list<T: Record + Serialize>(name: &str, items: &BoundedLog<T>) -> Response {
    match serde_json::to_string(&BTreeMap::from([(name, items)])) {
        Ok(text) => respond::page(200, "application/json", text),
        Err(error) => refusal(500, &error.to_string()),
    }
}

fn json(value: Value) -> Response {
    respond::page(200, "application/json", value.to_string())
}

fn refusal(status: u16, message: &str) -> Response {
    respond::page(status, "application/json", json!({ "message": message }).to_string())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Uri};
    use rstest::rstest;

    use super::*;
    use crate::sandbox::request::Body;

    #[rstest]
    #[case("127.0.0.1", true)]
    #[case("::1", true)]
    #[case("192.168.1.2", false)]
    #[case("2001:db8::1", false)]
    fn another_machine_is_refused_despite_a_loopback_host(#[case] peer: IpAddr, #[case] passes: bool) {
        let request = Request {
            method: Method::POST,
            uri: Uri::from_static("/_kmslab/advance?seconds=9"),
            headers: HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("127.0.0.1:4599"))]),
            body: Body::Whole(bytes::Bytes::new()),
            peer,
            connection: 0,
        };
        assert_eq!(check_sender(&request).is_ok(), passes);
    }

    #[rstest]
    #[case("localhost", true)]
    #[case("LocalHost:4599", true)]
    #[case("127.0.0.1:80", true)]
    #[case("127.8.9.1", true)]
    #[case("[::1]:4599", true)]
    #[case("", false)]
    #[case("evil.example:4599", false)]
    #[case("localhost.evil.example", false)]
    #[case("127.0.0.1.evil.example:1", false)]
    #[case("192.168.1.2:4599", false)]
    #[case("[fe80::1]:4599", false)]
    fn only_loopback_names_pass(#[case] host: &str, #[case] passes: bool) {
        assert_eq!(is_loopback(host), passes);
    }
}
