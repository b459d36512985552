//! Where the calls go.

use serde::{Deserialize, Serialize};

use super::operation::Service;

/// Where the calls go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Which kind.
    pub kind: BackendKind,
    /// The region that requests are signed for.
    pub region: String,
    /// The endpoint; `None` is AWS itself.
    pub endpoint: Option<String>,
    /// Whether test-user is a profile that was given; otherwise the lab makes the user and removes it.
    pub given_user: bool,
}

impl Backend {
    /// Host and port of the endpoint; `None` is AWS itself.
    pub fn host(&self) -> Option<&str> {
        self.endpoint.as_deref().map(host_of)
    }

    /// Whether a change may take a while to take effect: everywhere but on the sandbox.
    pub fn is_eventually_consistent(&self) -> bool {
        self.kind != BackendKind::Sandbox
    }

    /// Whether the lab asks IAM beforehand if admin can create test-user.
    pub fn simulates(&self) -> bool {
        self.kind == BackendKind::Aws && !self.given_user
    }

    /// Whether test-user gets the managed policy for DynamoDB. Where there may be tables of others it gets an inline
    /// policy for the lab's own table instead.
    pub fn has_managed_policy(&self) -> bool {
        self.kind == BackendKind::Sandbox
    }
}

/// Where the calls of one service go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePlace {
    /// The service.
    pub service: Service,
    /// The endpoint; `None` is AWS itself.
    pub endpoint: Option<String>,
}

/// The services by their places: what is alike, `AWS` or as `shorten` has an endpoint, stands together.
fn grouped(services: &[ServicePlace], shorten: impl Fn(&str) -> String) -> Vec<(String, Vec<&'static str>)> {
    let mut groups: Vec<(String, Vec<&'static str>)> = Vec::new();
    for ServicePlace { service, endpoint } in services {
        let place = endpoint.as_deref().map_or_else(|| "AWS".to_owned(), &shorten);
        match groups.iter_mut().find(|(known, _)| *known == place) {
            Some((_, members)) => members.push(service.name()),
            None => groups.push((place, vec![service.name()])),
        }
    }
    groups
}

/// Where each service's calls go: `STS, DynamoDB and IAM to AWS; KMS to http://127.0.0.1:4599`.
pub fn in_words(services: &[ServicePlace]) -> String {
    let listed = |(place, members): (String, Vec<&str>)| match members.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last} to {place}", rest.join(", ")),
        members => format!("{} to {place}", members.join(", ")),
    };
    grouped(services, str::to_owned).into_iter().map(listed).collect::<Vec<_>>().join("; ")
}

/// The same in a few columns: `KMS 127.0.0.1:4599 · else AWS`. What most services share comes last.
pub fn in_short(services: &[ServicePlace]) -> String {
    let mut groups = grouped(services, |url| host_of(url).to_owned());
    groups.sort_by_key(|(_, members)| members.len());
    let Some((rest, _)) = groups.pop() else { return String::new() };
    let apart = groups.into_iter().map(|(place, members)| format!("{} {place}", members.join("+")));
    apart.chain([format!("else {rest}")]).collect::<Vec<_>>().join(" · ")
}

/// Host and port of a URL.
fn host_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or(host);
    // A name and a password may stand before the host.
    host.rsplit('@').next().unwrap_or(host)
}

/// The kinds of backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")] // as `key`
pub enum BackendKind {
    /// The server inside this process.
    Sandbox,
    /// Another AWS-compatible endpoint.
    Endpoint,
    /// AWS itself.
    Aws,
}

impl BackendKind {
    /// The name in JSONL.
    pub const fn key(self) -> &'static str {
        match self {
            BackendKind::Sandbox => "sandbox",
            BackendKind::Endpoint => "endpoint",
            BackendKind::Aws => "aws",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_differ_are_named() {
        let place = |service, endpoint: Option<&str>| ServicePlace { service, endpoint: endpoint.map(str::to_owned) };
        let kms = Some("http://127.0.0.1:4599");
        let services = [
            place(Service::Sts, None),
            place(Service::Kms, kms),
            place(Service::DynamoDb, None),
            place(Service::Iam, None),
        ];
        assert_eq!(in_words(&services), "STS, DynamoDB and IAM to AWS; KMS to http://127.0.0.1:4599");
        assert_eq!(in_short(&services), "KMS 127.0.0.1:4599 · else AWS");
        let two = [
            place(Service::Sts, kms),
            place(Service::Kms, kms),
            place(Service::DynamoDb, Some("https://me:pw@db/x")),
            place(Service::Iam, None),
        ];
        assert_eq!(in_short(&two), "DynamoDB db · IAM AWS · else 127.0.0.1:4599");
    }
}
