//! What happened: API calls in CloudTrail's record shape, and the policy decisions behind them. Both in memory, bounded.

use std::collections::VecDeque;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::policy::Decision;

/// How many records each ring keeps.
const CAPACITY: usize = 1000;
/// How many bytes they may take together, about. A key policy may have 32 KB and a decision quotes most of it, so a
/// thousand of them can take hundreds of megabytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// One API call, in the shape of a CloudTrail record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailEvent {
    /// `2026-01-01T00:00:00Z`
    pub event_time: String,
    /// `kms.amazonaws.com`
    pub event_source: String,
    /// `Decrypt`
    pub event_name: String,
    /// Who called.
    pub user_identity: UserIdentity,
    /// The region.
    pub aws_region: String,
    /// The caller's address, or the service's name when a service called.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: String,
    /// The caller's user agent, or the service's name.
    pub user_agent: String,
    /// Whether `kmslab why` asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub explains: bool,
    /// What was asked; never plaintext or keys.
    pub request_parameters: Map<String, Value>,
    /// What the call was about.
    pub resources: Vec<Resource>,
    /// The error's code, when the call failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The error's message, when the call failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// This record's own uuid.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// The request's id, as the caller saw it.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// When a service made this call for somebody: the request id of the call that made it do so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was done.
    Allowed,
    /// The caller was not allowed to.
    Denied,
    /// Allowed, but it did not work.
    Failed,
}

/// CloudTrail's `userIdentity`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity {
    /// `IAMUser`, `AssumedRole`, `Root` or `AWSService`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `AKIA…`; the page of the trail leaves it out.
    #[serde(skip)]
    pub access_key_id: Option<String>,
    /// `AIDA…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// The principal's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The service that called on the principal's behalf, `dynamodb.amazonaws.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
    /// Whose temporary credentials they are, and since when; never the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_context: Option<Value>,
}

/// CloudTrail's `resources[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// The ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// `AWS::KMS::Key`
    #[serde(rename = "type")]
    pub kind: String,
    /// Twelve digits.
    #[serde(rename = "accountId")]
    pub account_id: String,
}

/// One policy decision, with the trace that explains it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionRecord {
    /// The request that asked, as its caller saw it (`x-amzn-RequestId`).
    pub request_id: String,
    /// Whose permissions were looked at.
    pub principal: String,
    /// `kms:Decrypt`
    pub action: String,
    /// The ARN.
    pub resource: String,
    /// The verdict and why.
    pub decision: Decision,
}

/// Something a [`BoundedLog`] can keep.
pub trait Record: Clone {
    /// About how many bytes it takes.
    fn size(&self) -> usize;

    /// Writes it to the debug log.
    fn log(&self) {}
}

impl Record for TrailEvent {
    /// Names and an encryption context, which KMS limits: it doesn't vary much.
    fn size(&self) -> usize {
        1024
    }

    fn log(&self) {
        let Self { event_source, event_name, request_id, verdict, error_code, error_message, .. } = self;
        let caller = self.user_identity.arn.as_deref().or(self.user_identity.invoked_by.as_deref());
        tracing::debug!(caller, event_source, event_name, request_id, ?verdict, error_code, error_message, "call");
    }
}

impl Record for DecisionRecord {
    fn size(&self) -> usize {
        size_of::<Self>() + self.decision.size()
    }

    fn log(&self) {
        let Self { request_id, principal, action, resource, decision } = self;
        tracing::debug!(request_id, principal, action, resource, outcome = ?decision.outcome, "decision");
    }
}

/// The newest thousand of something, or as many as fit.
#[derive(Debug, Clone)]
pub struct BoundedLog<T> {
    records: VecDeque<T>,
    bytes: usize,
    /// How many were ever pushed.
    total: usize,
}

impl<T> Default for BoundedLog<T> {
    fn default() -> Self {
        Self { records: VecDeque::new(), bytes: 0, total: 0 }
    }
}

impl<T: Record> BoundedLog<T> {
    /// Adds one; the oldest go when there are too many. The newest is always there.
    pub fn push(&mut self, record: T) {
        self.total += 1;
        record.log();
        self.bytes += record.size();
        self.records.push_back(record);
        while self.records.len() > CAPACITY || (self.bytes > MOST_BYTES && self.records.len() > 1) {
            let oldest = self.records.pop_front();
            self.bytes -= oldest.map_or(0, |record| record.size());
        }
    }

    /// How many records were ever pushed.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The records after the first `total`, newest first.
    pub fn since(&self, total: usize) -> impl Iterator<Item = &T> {
        self.records.iter().rev().take(self.total - total)
    }

    /// The records with their numbers, counted from 1 over all that were ever pushed; newest first.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &T)> {
        (1..=self.total).rev().zip(self.records.iter().rev())
    }

    /// All of them, oldest first.
    pub fn all(&self) -> Vec<T> {
        self.records.iter().cloned().collect()
    }
}

impl<T: Serialize> Serialize for BoundedLog<T> {
    /// A list, oldest first.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.records.serialize(serializer)
    }
}

/// The newest API calls.
pub type Trail = BoundedLog<TrailEvent>;

/// The newest policy decisions.
pub type Decisions = BoundedLog<DecisionRecord>;

#[cfg(test)]
mod tests {
    use super::*;

    /// A number and how many bytes it claims to take.
    impl Record for (usize, usize) {
        fn size(&self) -> usize {
            self.1
        }
    }

    #[test]
    fn the_ring_forgets_the_oldest() {
        let mut ring = BoundedLog::default();
        (0..CAPACITY + 3).for_each(|n| ring.push((n, 1)));
        assert_eq!((ring.all().len(), ring.all()[0].0), (CAPACITY, 3));
    }

    #[test]
    fn the_ring_keeps_fewer_when_they_are_large() {
        let mut ring = BoundedLog::default();
        let kept = |ring: &BoundedLog<(usize, usize)>| ring.all().iter().map(|(n, _)| *n).collect::<Vec<_>>();
        (0..5).for_each(|n| ring.push((n, MOST_BYTES / 2)));
        assert_eq!(kept(&ring), [3, 4]);
        ring.push((5, 2 * MOST_BYTES));
        assert_eq!(kept(&ring), [5]);
        (6..8).for_each(|n| ring.push((n, 1)));
        assert_eq!(kept(&ring), [6, 7]);
        assert_eq!(serde_json::to_string(&ring).unwrap(), "[[6,1],[7,1]]");
    }

    #[test]
    fn a_decision_is_about_as_large_as_what_it_quotes() {
        use crate::policy::{Effect, MatchResult, Mismatch, Missing, Outcome, PolicySource, StatementTrace};
        let of = |wanted: Vec<String>| Decision {
            outcome: Outcome::ImplicitDeny { missing: Missing::IdentityPolicy },
            trace: vec![StatementTrace {
                source: PolicySource::Grant { grant_id: String::new() },
                statement: 0,
                sid: None,
                effect: Effect::Allow,
                result: MatchResult::NotMatched(vec![Mismatch::Action {
                    wanted,
                    negated: false,
                    asked: String::new(),
                }]),
                json: std::sync::Arc::new(Value::Null),
            }],
        };
        assert!(of(vec!["x".repeat(30_000)]).size() > 30_000);
        assert!(of(vec![String::new(); 2000]).size() > 2000 * size_of::<String>());
        assert!(of(Vec::new()).size() < 1000);
    }

    #[test]
    fn an_event_serializes_like_cloudtrail() {
        let event = TrailEvent {
            event_time: "2026-01-01T00:00:00Z".into(),
            event_source: "kms.amazonaws.com".into(),
            event_name: "Decrypt".into(),
            user_identity: UserIdentity {
                kind: "IAMUser".into(),
                access_key_id: None,
                principal_id: None,
                arn: Some("arn:aws:iam::111122223333:user/alice".into()),
                account_id: Some("111122223333".into()),
                user_name: Some("alice".into()),
                invoked_by: Some("dynamodb.amazonaws.com".into()),
                session_context: None,
            },
            aws_region: "us-east-1".into(),
            source_ip_address: "dynamodb.amazonaws.com".into(),
            user_agent: "dynamodb.amazonaws.com".into(),
            explains: false,
            request_parameters: Map::from_iter([(
                "encryptionContext".into(),
                serde_json::json!({ "aws:dynamodb:tableName": "t" }),
            )]),
            resources: vec![Resource { arn: "a".into(), kind: "AWS::KMS::Key".into(), account_id: "1".into() }],
            error_code: None,
            error_message: None,
            event_id: "e".into(),
            request_id: "r".into(),
            caused_by: None,
            verdict: Verdict::Allowed,
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["userIdentity"]["type"], "IAMUser");
        assert_eq!(json["requestParameters"]["encryptionContext"]["aws:dynamodb:tableName"], "t");
        assert_eq!(json["resources"][0]["ARN"], "a");
        assert_eq!(json["verdict"], "allowed");
        assert!(json.get("errorCode").is_none() && json["sourceIPAddress"] == "dynamodb.amazonaws.com");
    }
}
