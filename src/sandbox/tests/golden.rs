//! A seeded script through [`Engine::handle`], compared with a checked-in transcript: every operation, its common errors,
//! and denials of both shapes, each with its response, policy decisions and trail events.
//!
//! `KMSLAB_WRITE_GOLDEN=1 cargo test --lib golden` writes the transcript again.

mod keys;
mod roles;
mod script;
mod tables;
mod transactions;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, sign};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use crate::policy::{MatchResult, Mismatch, PolicySource};
use crate::sandbox::engine::Engine;
use crate::sandbox::request::{Body, Request};
use crate::sandbox::service::Service;
use crate::sandbox::tests;
use crate::sandbox::{Config, DecisionRecord};

/// An engine, the people who call it, and the transcript of their calls.
struct Recorder {
    engine: Engine,
    /// Access key id and secret by name.
    people: BTreeMap<String, (String, String)>,
    connection: u64,
    calls: usize,
    trail: usize,
    decisions: usize,
    called: Vec<(Service, String)>,
    transcript: String,
}

impl Recorder {
    fn new() -> Self {
        let engine = Engine::open(&Config { seed: Some(20_261_130), ..Config::default() }).unwrap();
        let (id, secret) = engine.account.state.iam.admin();
        let people = BTreeMap::from([("admin".to_owned(), (id, secret.to_string()))]);
        Self {
            engine,
            people,
            connection: 1,
            calls: 0,
            trail: 0,
            decisions: 0,
            called: Vec::new(),
            transcript: String::new(),
        }
    }

    fn kms(&mut self, who: &str, operation: &str, input: Value) -> Value {
        self.json(who, Service::Kms, operation, &input.to_string())
    }

    fn dynamodb(&mut self, who: &str, operation: &str, input: Value) -> Value {
        self.json(who, Service::DynamoDb, operation, &input.to_string())
    }

    /// A call in a JSON protocol; the response's body.
    fn json(&mut self, who: &str, service: Service, operation: &str, body: &str) -> Value {
        let prefix = service.target_prefix().unwrap();
        let version = if service == Service::DynamoDb { "1.0" } else { "1.1" };
        let target = format!("{prefix}.{operation}");
        let kind = format!("application/x-amz-json-{version}");
        let headers = [("content-type", kind.as_str()), ("x-amz-target", &target)];
        let title = format!("{who} {}:{operation} {body}", service.signing_name());
        let text = self.signed(who, service, &title, &headers, body);
        self.called.push((service, operation.to_owned()));
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn iam(&mut self, who: &str, action: &str, parameters: &[(&str, &str)]) -> String {
        self.query(who, Service::Iam, action, parameters)
    }

    /// A call in the query protocol; the response's body.
    fn query(&mut self, who: &str, service: Service, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", service.version()).extend_pairs(parameters);
        let body = form.finish();
        let shown: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let title = format!("{who} {}:{action} {}", service.signing_name(), shown.join(" "));
        self.called.push((service, action.to_owned()));
        self.signed(who, service, &title, &[("content-type", "application/x-www-form-urlencoded")], &body)
    }

    fn signed(&mut self, who: &str, service: Service, title: &str, headers: &[(&str, &str)], body: &str) -> String {
        let (access_key_id, secret) = self.people[who].clone();
        let identity = Credentials::new(access_key_id, secret, None, None, "golden").into();
        let parameters = tests::signing(&identity, service);
        let headers: Vec<(&str, &str)> =
            [("host", "golden"), ("user-agent", "golden/1")].iter().chain(headers).copied().collect();
        let body_bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", "/", headers.iter().copied(), body_bytes).unwrap();
        let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
        let headers: Vec<(&str, &str)> = headers.into_iter().chain(instructions.headers()).collect();
        self.send(title, Method::POST, "/", &headers, body)
    }

    /// Sends a request and writes down everything that it caused.
    fn send(&mut self, title: &str, method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap()));
        let response = self.engine.handle(&Request {
            method,
            uri: uri.parse().unwrap(),
            headers: headers.collect::<HeaderMap>(),
            body: Body::Whole(Bytes::copy_from_slice(body.as_bytes())),
            peer: [127, 0, 0, 1].into(),
            connection: self.connection,
        });
        self.calls += 1;
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        writeln!(self.transcript, "\n#{} {title}", self.calls).unwrap();
        writeln!(self.transcript, "{} {}", response.status().as_u16(), redact(&text)).unwrap();
        let header = |name: &str| response.headers().get(name).map_or("-", |value| value.to_str().unwrap());
        let checksum = if text.contains("SecretAccessKey") { "-" } else { header("x-amz-crc32") };
        let (kind, id) = (header("content-type"), header("x-amzn-requestid"));
        writeln!(self.transcript, "  {kind} {id} {checksum}").unwrap();
        let decisions = self.engine.account.decisions.all();
        for record in &decisions[self.decisions..] {
            write_decision(&mut self.transcript, record);
        }
        let trail = self.engine.account.trail.all();
        for event in &trail[self.trail..] {
            writeln!(self.transcript, "  trail {}", serde_json::to_string(event).unwrap()).unwrap();
        }
        (self.decisions, self.trail) = (decisions.len(), trail.len());
        text
    }

    /// Requests one of the sandbox's own pages.
    fn page(&mut self, method: Method, page: &str) -> String {
        let title = format!("{method} {page}");
        self.send(&title, method, page, &[("host", "127.0.0.1:1")], "")
    }

    /// Creates a user with an access key, and returns the key's id.
    fn person(&mut self, name: &str) -> String {
        self.iam("admin", "CreateUser", &[("UserName", name)]);
        let answer = self.iam("admin", "CreateAccessKey", &[("UserName", name)]);
        let (id, secret) = (element(&answer, "AccessKeyId"), element(&answer, "SecretAccessKey"));
        self.people.insert(name.to_owned(), (id.clone(), secret));
        id
    }
}

/// The text of the first XML element of this name.
fn element(text: &str, name: &str) -> String {
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
    rest.split('<').next().unwrap().to_owned()
}

/// The text without secrets, and without the path of the temporary database.
fn redact(text: &str) -> String {
    let mut shown = text.to_owned();
    let token = ("<SessionToken>", "</SessionToken>");
    for (from, to) in [("<SecretAccessKey>", "</SecretAccessKey>"), token, ("\"database\":\"", "\"")] {
        if let Some((before, rest)) = shown.clone().split_once(from) {
            shown = format!("{before}{from}[redacted]{to}{}", rest.split_once(to).unwrap().1);
        }
    }
    shown
}

fn write_decision(transcript: &mut String, record: &DecisionRecord) {
    let DecisionRecord { request_id, principal, action, resource, decision } = record;
    let outcome = serde_json::to_string(&decision.outcome).unwrap();
    writeln!(transcript, "  decision {request_id} {principal} {action} {resource} {outcome}").unwrap();
    for examined in &decision.trace {
        let source = match &examined.source {
            PolicySource::Managed { name, .. } | PolicySource::Inline { name, .. } => name,
            PolicySource::KeyPolicy { .. } => "key policy",
            PolicySource::Trust { .. } => "trust policy",
            PolicySource::Boundary { .. } => "boundary",
            PolicySource::Session { .. } => "session policy",
            PolicySource::Grant { grant_id } => &grant_id[..8],
        };
        let result = match &examined.result {
            MatchResult::NotMatched(mismatches) => mismatches.iter().map(mismatch).collect::<Vec<_>>().join(" "),
            other => format!("{other:?}"),
        };
        let (number, effect) = (examined.statement, examined.effect);
        writeln!(transcript, "    {source} {number} {effect:?} {result}").unwrap();
    }
}

/// A mismatch in short. Of a condition, what the request had.
fn mismatch(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Action { asked, .. } | Mismatch::GrantOperation { asked, .. } => format!("not {asked}"),
        Mismatch::Principal { caller, .. } | Mismatch::Grantee { caller, .. } => format!("not {caller}"),
        Mismatch::Condition { key, found, .. } if found.is_empty() => format!("{key}-"),
        Mismatch::Condition { key, found, .. } => format!("{key}={}", found.join(",")),
        other => serde_json::to_string(other).unwrap(),
    }
}

#[test]
fn golden_transcript() {
    let mut recorder = Recorder::new();
    recorder.run();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/tests/golden.txt");
    if std::env::var_os("KMSLAB_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &recorder.transcript).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    let calls = recorder.transcript.split("\n\n").zip(golden.split("\n\n"));
    for (now, before) in calls {
        assert_eq!(now, before, "the sandbox answers otherwise than in {}", path.display());
    }
    assert_eq!(recorder.transcript.len(), golden.len(), "as many calls");
}

/// A string in a response.
fn text_at(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}")).to_owned()
}

/// A policy with one statement.
fn policy(statement: Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}
