//! A logged error: DynamoDB's wrapped form and KMS's own, in today's wording and in that of earlier years.
//!
//! People paste errors with line breaks, quotes and what their client wrote before them. ARNs, actions and names have no
//! spaces, so the text is read without any.

use crate::lab::model::redact::clean;

/// What an error text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The text on one line.
    pub text: String,
    /// `Scan`, where the client named the call.
    pub operation: Option<String>,
    /// Whether DynamoDB asked KMS, and passed its answer on.
    pub by_dynamodb: bool,
    /// What happened.
    pub fault: Fault,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It was denied.
    Denied {
        /// The caller's ARN.
        principal: Option<String>,
        /// `kms:Decrypt`
        action: Option<String>,
        /// The resource's ARN.
        resource: Option<String>,
        /// The reason that the text gives.
        reason: Reason,
    },
    /// The key is disabled.
    Disabled {
        /// The key's ARN.
        key: Option<String>,
    },
    /// The key is pending deletion.
    PendingDeletion {
        /// The key's ARN.
        key: Option<String>,
    },
    /// The key or alias was not found.
    KeyMissing {
        /// Its ARN, or its alias.
        key: Option<String>,
    },
    /// The table was not found.
    TableMissing {
        /// Its name.
        table: Option<String>,
    },
}

/// Why a call was denied, as the text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No policy of this type allows it.
    NoAllow(Type),
    /// A policy of this type denies it.
    Deny(Type),
    /// The key does not exist here, or its policy does not let the caller know.
    Absent,
    /// The text gives no reason, as before 2021.
    NotSaid,
}

/// A type of policy, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Attached to the caller.
    Identity,
    /// Attached to the table or key.
    Resource,
    /// The limit of a user's or role's policies.
    Boundary,
    /// An organization's, for its accounts.
    ServiceControl,
    /// An organization's, for its resources.
    ResourceControl,
    /// Given with a session.
    Session,
    /// A VPC endpoint's.
    Endpoint,
}

impl Type {
    const ALL: [Type; 7] = [
        Type::Identity,
        Type::Resource,
        Type::Boundary,
        Type::ServiceControl,
        Type::ResourceControl,
        Type::Session,
        Type::Endpoint,
    ];

    /// Its name in AWS's messages.
    pub const fn name(self) -> &'static str {
        match self {
            Type::Identity => "identity-based policy",
            Type::Resource => "resource-based policy",
            Type::Boundary => "permissions boundary",
            Type::ServiceControl => "service control policy",
            Type::ResourceControl => "resource control policy",
            Type::Session => "session policy",
            Type::Endpoint => "VPC endpoint policy",
        }
    }
}

/// The longest text that is read.
const LONGEST: usize = 64 * 1024;

/// Before 2021, and in some regions later, KMS said no more than this.
const OLD_KMS: &str = "thatdoesnotexist,doesnotexistinthisregion,oryouarenotallowedtoaccess";

impl Logged {
    /// Reads a text; `None` where it is no error that this program knows.
    pub fn parse(text: &str) -> Option<Logged> {
        let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
        // A log writes line breaks as two characters, and quotes within JSON likewise.
        let text = plain(&text[..end]);
        let text = clean(&text.replace("\\n", " ").replace("\\r", " ").replace("\\t", " ").replace('\\', ""));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let fault = fault(&squeezed)?;
        let operation = between(&squeezed, "whencallingthe", "operation").filter(|name| is_name(name));
        let wrapped = ["KMSkey", "KMSvalidationerror:", "KMSinternalerror:", "Service:AWSKMS"];
        let by_dynamodb = wrapped[..3].iter().any(|mark| squeezed.contains(mark))
            || (squeezed.contains("com.amazonaws.services.kms") && squeezed.contains(wrapped[3]));
        Some(Logged { text, operation, by_dynamodb, fault })
    }

    /// Who was denied.
    pub fn principal(&self) -> Option<&str> {
        match &self.fault {
            Fault::Denied { principal, .. } => principal.as_deref(),
            _ => None,
        }
    }

    /// The key that the text names.
    pub fn key(&self) -> Option<&str> {
        match &self.fault {
            Fault::Denied { resource: Some(resource), .. } if service(resource) == "kms" => Some(resource),
            Fault::Disabled { key } | Fault::PendingDeletion { key } | Fault::KeyMissing { key } => {
                key.as_deref().filter(|key| key.starts_with("arn:") && key.contains(":key/"))
            }
            _ => None,
        }
    }

    /// The table that the text names: an ARN, or a name.
    pub fn table(&self) -> Option<&str> {
        match &self.fault {
            Fault::Denied { resource: Some(resource), .. } if service(resource) == "dynamodb" => {
                let table = resource.split("/index/").next().unwrap_or(resource);
                Some(table.split("/stream/").next().unwrap_or(table))
            }
            Fault::TableMissing { table } => table.as_deref(),
            _ => None,
        }
    }

    /// The part of an index behind the table's ARN: `/index/by-date`.
    pub fn index(&self) -> Option<&str> {
        match &self.fault {
            Fault::Denied { resource: Some(resource), .. } => resource.find("/index/").map(|at| &resource[at..]),
            _ => None,
        }
    }

    /// The action that was denied.
    pub fn action(&self) -> Option<&str> {
        match &self.fault {
            Fault::Denied { action, .. } => action.as_deref(),
            _ => None,
        }
    }
}

/// `text` without the colors of a terminal: `ESC [`, its parameters and a letter. A log may write ESC as six characters.
fn plain(text: &str) -> String {
    let text = text.replace("\\u001b", "\u{1b}").replace("\\x1b", "\u{1b}").replace("\\033", "\u{1b}");
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| {
        let end = part.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':' | '?'))).unwrap_or(part.len());
        part[end..].chars().skip(1)
    });
    rest.fold(first, |mut whole, part| {
        whole.extend(part);
        whole
    })
}

fn service(arn: &str) -> &str {
    arn.split(':').nth(2).unwrap_or_default()
}

fn fault(squeezed: &str) -> Option<Fault> {
    const DENIED: &str = "isnotauthorizedtoperform:";
    if let Some((before, after)) = squeezed.split_once(DENIED) {
        return Some(denied(before, after));
    }
    if squeezed.contains(OLD_KMS) {
        let key = arn_in(squeezed, "kms");
        return Some(Fault::Denied { principal: None, action: None, resource: key, reason: Reason::NotSaid });
    }
    let key = arn_in(squeezed, "kms");
    if squeezed.contains("ispendingdeletion") {
        return Some(Fault::PendingDeletion { key });
    }
    if squeezed.contains("isdisabled.") || squeezed.contains("DisabledException") {
        return Some(Fault::Disabled { key });
    }
    if squeezed.contains("Requestedresourcenotfound") {
        let table = squeezed.split("notfound:Table:").nth(1).map(|rest| end_of(rest, &["notfound"]).to_owned());
        return Some(Fault::TableMissing { table: table.filter(|table| is_table(table)) });
    }
    let is_key = squeezed.contains("doesnotexist") && squeezed.contains("Key'");
    let is_alias = squeezed.contains("isnotfound.") && squeezed.contains("Alias");
    (is_key || is_alias).then_some(Fault::KeyMissing { key })
}

/// Reads what stands around "is not authorized to perform".
fn denied(before: &str, after: &str) -> Fault {
    let principal = before.rsplit("User:").next().map(trimmed).filter(|arn| is_principal(arn));
    let sentence = end_of(after, &["(Service:"]);
    let reasons = ["becauseno", "becausethe", "withanexplicitdeny"];
    let stated = end_of(sentence, &reasons);
    let (action, resource) = match stated.split_once("onresource:") {
        Some((action, resource)) => (action, Some(resource)),
        // "on this resource", or no resource at all.
        None => (end_of(stated, &["onthisresource", "onarn:", "ontheresource"]), None),
    };
    let action = Some(trimmed(word(action))).filter(|action| is_action(action));
    let resource = resource.map(|resource| trimmed(word(resource)));
    // Without a reason, nothing says where the key's id ends and what the client wrote after it begins.
    let resource = match stated.len() == sentence.len() && sentence.len() == after.len() {
        true => resource.map(up_to_id),
        false => resource,
    };
    let resource = resource.filter(|arn| is_arn(arn));
    Fault::Denied {
        principal: principal.map(str::to_owned),
        action: action.map(str::to_owned),
        resource: resource.map(str::to_owned),
        reason: reason(&sentence[stated.len()..]),
    }
}

fn reason(squeezed: &str) -> Reason {
    let name = |of: Type| of.name().chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let of_type = |prefix: &str| {
        let rest = squeezed.strip_prefix(prefix)?;
        Type::ALL.into_iter().find(|of| rest.starts_with(&name(*of)))
    };
    if let Some(of) = of_type("becauseno") {
        return Reason::NoAllow(of);
    }
    if let Some(of) = of_type("withanexplicitdenyinan").or_else(|| of_type("withanexplicitdenyina")) {
        return Reason::Deny(of);
    }
    if squeezed.starts_with("becausetheresourcedoesnotexist") { Reason::Absent } else { Reason::NotSaid }
}

/// `text` up to the first of `marks`.
fn end_of<'a>(text: &'a str, marks: &[&str]) -> &'a str {
    let end = marks.iter().filter_map(|mark| text.find(mark)).min();
    &text[..end.unwrap_or(text.len())]
}

fn between(text: &str, from: &str, to: &str) -> Option<String> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(inside, _)| inside.to_owned())
}

/// The ARN of a key without what follows its id: a UUID, or `mrk-` and 32 digits, both 36 characters.
fn up_to_id(arn: &str) -> &str {
    const ID: usize = 36;
    let end = arn.find(":key/").map(|at| at + ":key/".len() + ID);
    end.and_then(|end| arn.get(..end)).unwrap_or(arn)
}

/// `text` up to the first quote or bracket: no ARN and no action has one.
fn word(text: &str) -> &str {
    let text = text.trim_start_matches(['"', '\'', '`', '<', '[', '(']);
    text.split(['"', '\'', '`', '<', '>', '{', '}', '(', ')', ';']).next().unwrap_or(text)
}

/// Without the quotes, brackets and stops that stand around a word.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| "\"'`,.;{}()[]<>".contains(c))
}

fn arn_in(squeezed: &str, of: &str) -> Option<String> {
    let mark = format!(":{of}:");
    let starts = squeezed.match_indices("arn:").map(|(at, _)| &squeezed[at..]);
    let arn = starts.map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ":/-_.".contains(c))).unwrap_or(rest.len());
        let arn = &rest[..end];
        // Where the sentence goes on without a space.
        trimmed(end_of(arn, &["isdisabled", "ispending", "doesnotexist", "isnotfound"])).to_owned()
    });
    arn.into_iter().find(|arn| arn.contains(&mark) && is_arn(arn))
}

/// Whether a text may be an ARN: six parts, none with a quote.
pub(super) fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
        && text.splitn(6, ':').filter(|part| !part.is_empty()).count() >= 4
        && text.len() < 2048
        && !text.contains(['"', '\'', '\\'])
}

/// Whether a text may be the ARN of a caller: it has an account and a name.
pub(super) fn is_principal(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_account = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_named = |part: &str| part == "root" || part.split('/').filter(|name| !name.is_empty()).count() >= 2;
    is_arn(text)
        && matches!(parts[..], [_, _, _, _, account, name] if is_account(account) && is_named(name) && !name.ends_with('/'))
}

fn is_action(text: &str) -> bool {
    let Some((service, name)) = text.split_once(':') else { return false };
    !service.is_empty() && service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && is_name(name)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() < 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_table(text: &str) -> bool {
    (3..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
