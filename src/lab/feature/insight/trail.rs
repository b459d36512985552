//! What KMS was asked: by DynamoDB for somebody, and by the lab itself; each with the call that caused it.

use std::collections::BTreeMap;

use super::documents::request_id;
use super::{Place, place_of};
use crate::lab::kernel::Kernel;
use crate::lab::kernel::run::Run;
use crate::lab::model::exchange::Exchange;
use crate::lab::model::facts::Facts;
pub use crate::lab::model::inspection::{Event, Parameters, Traced, Who};
use crate::lab::model::noticed::is_read;
use crate::lab::model::operation::Service;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// The caller was not allowed to.
    Denied,
    /// It did not work.
    Failed,
}

impl Outcome {
    /// From the word in JSON.
    fn of(word: &str) -> Outcome {
        match word {
            "allowed" => Outcome::Allowed,
            "denied" => Outcome::Denied,
            _ => Outcome::Failed,
        }
    }
}

/// Whose idea a request was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// This call of the lab.
    Call(Place, &'static str),
    /// A call of the lab that is not in view any more.
    Lab,
    /// A call that an earlier lab has sent, or another client.
    Another,
}

/// A line of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// `00:00:12`
    pub time: String,
    /// The principal's name; a service by its own.
    pub principal: String,
    /// Whether DynamoDB asked; otherwise the principal did so itself.
    pub by_dynamodb: bool,
    /// `Decrypt`
    pub operation: String,
    /// The encryption context.
    pub context: BTreeMap<String, String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The call that caused it.
    pub cause: Cause,
}

/// The end of an ARN, from `user/` or `root` on; anything else as it is.
pub fn short(principal: &str) -> &str {
    if principal.starts_with("arn:") { principal.rsplit(':').next().unwrap_or(principal) } else { principal }
}

/// The last part of an ARN, `alice`; anything else as it is.
fn name(principal: &str) -> &str {
    short(principal).rsplit('/').next().unwrap_or(principal)
}

/// What KMS was asked because of each of these requests to DynamoDB, by the trail.
pub fn asked(events: &[Event], requests: Vec<String>) -> Vec<(String, Traced)> {
    let of = |request: &String| {
        let mut decrypts = events.iter().filter(|event| event.event_name == "Decrypt");
        match decrypts.find(|event| event.caused_by.as_ref() == Some(request)).map(|event| Outcome::of(&event.verdict))
        {
            Some(Outcome::Allowed) => Traced::Allowed,
            Some(Outcome::Denied) => Traced::Denied,
            Some(Outcome::Failed) => Traced::Failed,
            None => Traced::Nothing,
        }
    };
    requests.into_iter().map(|request| (request.clone(), of(&request))).collect()
}

/// What the sandbox has seen, oldest first, without what the lab has read aside.
pub(in crate::lab) fn of_events(events: &[Event], kernel: &Kernel) -> Vec<Entry> {
    let calls: BTreeMap<&str, &Exchange> =
        exchanges(kernel).into_iter().map(|exchange| (request_id(exchange), exchange)).collect();
    let cause_of = |event: &Event| {
        let id = event.caused_by.as_ref().unwrap_or(&event.request_id);
        calls.get(id.as_str())
    };
    // To forecast and to explain, the lab reads what decides, again and again.
    let is_aside = |event: &Event| {
        event.is_own && event.caused_by.is_none() && is_read(&event.event_name) && cause_of(event).is_none()
    };
    events
        .iter()
        .filter(|event| !is_aside(event))
        .map(|event| {
            let cause = cause_of(event);
            let service = event.user_identity.invoked_by.as_deref();
            Entry {
                time: event.event_time.get(11..19).unwrap_or(&event.event_time).to_owned(),
                principal: event.user_identity.arn.as_deref().or(service).map(name).unwrap_or_default().to_owned(),
                by_dynamodb: service.is_some(),
                operation: event.event_name.clone(),
                context: event.request_parameters.encryption_context.clone(),
                outcome: Outcome::of(&event.verdict),
                cause: match cause {
                    Some(call) => Cause::Call(place_of(call, kernel), call.operation.name()),
                    None if event.is_own => Cause::Lab,
                    None => Cause::Another,
                },
            }
        })
        .collect()
}

/// What the lab itself has asked KMS: all that is known where there is no trail to read.
pub(in crate::lab) fn of_exchanges(kernel: &Kernel, shown: &Facts) -> Vec<Entry> {
    exchanges(kernel)
        .into_iter()
        .filter(|exchange| exchange.operation.service() == Service::Kms)
        .map(|exchange| {
            let caller = shown.caller(exchange.identity);
            let nobody = || exchange.identity.name().to_owned();
            Entry {
                time: clock(exchange.answer.at),
                principal: caller.map_or_else(nobody, |caller| name(&caller.arn).to_owned()),
                by_dynamodb: false,
                operation: exchange.operation.name().to_owned(),
                context: BTreeMap::new(),
                outcome: Outcome::of(exchange.verdict.key()),
                cause: Cause::Call(place_of(exchange, kernel), exchange.operation.name()),
            }
        })
        .collect()
}

/// All answered calls that are in view, those of experiments among them, in the order of sending.
fn exchanges(kernel: &Kernel) -> Vec<&Exchange> {
    let mut all: Vec<&Exchange> = kernel.runs().flat_map(Run::exchanges).collect();
    all.sort_by_key(|exchange| exchange.id);
    all
}

/// The time of day, in UTC.
fn clock(unix: u64) -> String {
    let of_day = unix % 86_400;
    format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}
