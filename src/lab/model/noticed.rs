//! A call that another client made, as the backend reports it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::operation::RUN_TAG;
use super::redact::clean;

/// The longest text that is kept of a call. A key policy has at most 32 KB.
const LONGEST: usize = 40 * 1024;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It was done.
    Allowed,
    /// The caller was not permitted.
    Denied,
    /// Anything else went wrong.
    Failed,
}

/// A call that another client made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NoticedCall {
    /// Counts the calls that the backend served.
    pub serial: u64,
    /// Unix time, in seconds.
    pub at: u64,
    /// `kms`
    pub service: String,
    /// `CreateKey`
    pub operation: String,
    /// The caller's ARN.
    pub principal: String,
    /// Names and policies of the request.
    pub parameters: Map<String, Value>,
    /// Ids and counts of the response.
    pub result: Map<String, Value>,
    /// The error's code, when the call failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The error's message, when the call failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The request's id, as the caller saw it.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// Whether `kmslab why` asked: it only explains.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub explains: bool,
}

impl NoticedCall {
    /// The action as policies write it, `kms:CreateKey`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// What became of it.
    pub fn became(&self) -> Became {
        match self.error_code.as_deref() {
            None => Became::Allowed,
            Some("AccessDenied" | "AccessDeniedException") => Became::Denied,
            Some(_) => Became::Failed,
        }
    }

    /// Whether the service did what was asked.
    pub fn is_allowed(&self) -> bool {
        self.error_code.is_none()
    }

    /// A parameter that is a text.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)?.as_str()
    }

    /// A part of the result that is a text.
    pub fn resulting(&self, name: &str) -> Option<&str> {
        self.result.get(name)?.as_str()
    }

    /// Whether the request tags what it makes as this run's.
    pub fn has_tag_of(&self, run: &str) -> bool {
        let Some(tags) = self.parameters.get("Tags") else { return false };
        let names = |tag: &Value| {
            let text = |name: &str| tag.get(name).and_then(Value::as_str);
            (text("TagKey").or(text("Key")), text("TagValue").or(text("Value"))) == (Some(RUN_TAG), Some(run))
        };
        tags.as_array().is_some_and(|tags| tags.iter().any(names))
    }

    /// Whether the call changes nothing.
    pub fn is_read(&self) -> bool {
        is_read(&self.operation)
    }

    /// The same call without control characters, which a server could put into any text, and without endless texts.
    #[must_use]
    pub fn cleaned(self) -> NoticedCall {
        NoticedCall {
            service: short(&self.service),
            operation: short(&self.operation),
            principal: short(&self.principal),
            parameters: members(self.parameters),
            result: members(self.result),
            error_code: self.error_code.as_deref().map(short),
            error_message: self.error_message.as_deref().map(short),
            request_id: short(&self.request_id),
            ..self
        }
    }
}

/// Whether an operation of this name changes nothing.
pub fn is_read(operation: &str) -> bool {
    const READS: [&str; 8] = ["Get", "BatchGet", "TransactGet", "List", "Describe", "Scan", "Query", "Simulate"];
    READS.iter().any(|read| operation.starts_with(read))
}

fn short(text: &str) -> String {
    clean(&text.chars().take(2048).collect::<String>())
}

fn members(members: Map<String, Value>) -> Map<String, Value> {
    let member = |(name, value): (String, Value)| {
        let value = match value {
            // A policy may have line breaks; it is parsed, and shown by its parts.
            Value::String(text) if name.starts_with("Policy") && text.len() <= LONGEST => Value::String(text),
            Value::String(text) => Value::String(short(&text)),
            other if other.to_string().len() <= LONGEST => other,
            _ => Value::Null,
        };
        (short(&name), value)
    };
    members.into_iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(None, Became::Allowed)]
    #[case(Some("AccessDenied"), Became::Denied)]
    #[case(Some("AccessDeniedException"), Became::Denied)]
    #[case(Some("MalformedPolicyDocumentException"), Became::Failed)]
    fn an_error_code_decides_the_outcome(#[case] code: Option<&str>, #[case] became: Became) {
        let call = NoticedCall { error_code: code.map(str::to_owned), ..NoticedCall::default() };
        assert_eq!(call.became(), became);
    }

    #[rstest]
    #[case("GetKeyPolicy", true)]
    #[case("Scan", true)]
    #[case("PutItem", false)]
    #[case("ScheduleKeyDeletion", false)]
    fn reads_are_known_by_their_names(#[case] operation: &str, #[case] is_read: bool) {
        let call = NoticedCall { operation: operation.to_owned(), ..NoticedCall::default() };
        assert_eq!(call.is_read(), is_read);
    }

    #[test]
    fn a_server_can_put_no_escape_sequence_into_a_call() {
        let parameters = json!({"TableName": "a\u{1b}[2J", "\u{1b}x": 1});
        let Value::Object(parameters) = parameters else { panic!("an object") };
        let call = NoticedCall { operation: "Scan\u{7}".to_owned(), parameters, ..NoticedCall::default() }.cleaned();
        assert!(!format!("{}{:?}", call.operation, call.parameters).contains(['\u{7}', '\u{1b}']), "{call:?}");
    }
}
