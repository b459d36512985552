//! The feed of calls: which operations were called, by whom, and what became of them. Unlike the trail it covers all
//! services. It holds names and policies, and never plaintext, items or secrets.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::context::Caller;
use super::error::Fault;
use super::form::Form;
use super::log::{BoundedLog, Record};
use super::operation::{Operation, Output};
use super::service::Service;
use super::validate::Params;

/// The members of requests that the feed quotes: names, and policies that the caller wrote.
const QUOTED: &[&str] = &[
    "AccessKeyId",
    "AliasName",
    "AssumeRolePolicyDocument",
    "BillingMode",
    "Constraints",
    "Description",
    "GrantId",
    "GranteePrincipal",
    "KeyId",
    "Name",
    "Operations",
    "PendingWindowInDays",
    "Policy",
    "PolicyArn",
    "PolicyDocument",
    "PolicyName",
    "RoleArn",
    "RoleName",
    "RoleSessionName",
    "SSESpecification",
    "TableName",
    "Tags",
    "TargetKeyId",
    "UserName",
];

/// The feed quotes no longer members, in bytes: a key policy has at most 32 KB.
const LONGEST: usize = 40 * 1024;

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRecord {
    /// Counts calls from 1, without gaps.
    pub serial: usize,
    /// Unix time, in seconds.
    pub at: i64,
    /// `kms`
    pub service: &'static str,
    /// `CreateKey`
    pub operation: &'static str,
    /// The caller's ARN.
    pub principal: String,
    /// What was asked, without plaintext, items and secrets.
    pub parameters: Map<String, Value>,
    /// What was made or found: ids and counts.
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
    /// Whether `kmslab why` asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub explains: bool,
}

/// The newest calls.
pub type Calls = BoundedLog<CallRecord>;

impl Record for CallRecord {
    fn size(&self) -> usize {
        let quoted = self.parameters.values().filter_map(Value::as_str).map(str::len).sum::<usize>();
        1024 + quoted
    }
}

impl CallRecord {
    /// The record of a call that has ended.
    pub fn new(
        (serial, at): (usize, i64),
        caller: &Caller,
        operation: &Operation,
        params: &Params,
        result: Result<&Output, &Fault>,
    ) -> Self {
        let error = result.err();
        Self {
            serial,
            at,
            service: operation.service.signing_name(),
            operation: operation.name,
            principal: caller.principal.arn.clone(),
            parameters: quoted(params),
            result: result.map(made).unwrap_or_default(),
            error_code: error.map(|error| error.code(operation.service).to_owned()),
            error_message: error.and_then(|error| message(error, operation.service)),
            request_id: caller.origin.request_id.clone(),
            explains: caller.origin.explains,
        }
    }
}

/// An error's message; some quote what was sent.
fn message(error: &Fault, service: Service) -> Option<String> {
    Some(error.message(service)?.chars().take(2048).collect())
}

fn quoted(params: &Params) -> Map<String, Value> {
    let member = |name: &&str| match params {
        Params::Json(members) => members.get(*name).cloned(),
        Params::Query(form) if *name == "Tags" => tags(form),
        Params::Query(form) => form.get(name).map(Value::from),
    };
    let quoted = QUOTED.iter().filter_map(|name| Some(((*name).to_owned(), member(name)?)));
    quoted.filter(|(_, value)| value.as_str().map_or_else(|| value.to_string().len(), str::len) <= LONGEST).collect()
}

/// The tags of a query, as JSON would have them; `None` without any.
fn tags(form: &Form) -> Option<Value> {
    let tag = |at: usize| {
        let member = |name: &str| form.get(&format!("Tags.member.{at}.{name}"));
        Some(json!({"Key": member("Key")?, "Value": member("Value")?}))
    };
    let tags: Vec<Value> = (1..).map_while(tag).collect();
    (!tags.is_empty()).then_some(Value::Array(tags))
}

/// Ids and counts of a response.
fn made(output: &Output) -> Map<String, Value> {
    let mut made = Map::new();
    match output {
        Output::Json(body) => {
            let paths = [
                ("KeyId", "/KeyMetadata/KeyId"),
                ("Arn", "/KeyMetadata/Arn"),
                ("GrantId", "/GrantId"),
                ("Count", "/Count"),
            ];
            for (name, path) in paths {
                made.extend(body.pointer(path).map(|value| (name.to_owned(), value.clone())));
            }
        }
        Output::Xml(body) => {
            // Of a new access key the id alone.
            let id = body.split_once("<AccessKeyId>").and_then(|(_, rest)| rest.split_once('<'));
            made.extend(id.map(|(id, _)| ("AccessKeyId".to_owned(), id.into())));
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_contents_are_not() {
        let members = json!({
            "TableName": "t", "Item": {"id": {"S": "geheim"}}, "Plaintext": "geheim", "CiphertextBlob": "geheim",
            "Policy": "x".repeat(LONGEST + 1), "KeyId": "k",
        });
        let Value::Object(members) = members else { panic!("an object") };
        assert_eq!(Value::Object(quoted(&Params::Json(members))), json!({"TableName": "t", "KeyId": "k"}));
    }

    #[test]
    fn tags_of_a_query_are_those_of_json() {
        let pairs = [("UserName", "u"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
        let quoted = Value::Object(quoted(&Params::Query(pairs.into_iter().collect())));
        assert_eq!(quoted, json!({"UserName": "u", "Tags": [{"Key": "k", "Value": "v"}]}));
    }

    #[test]
    fn of_a_new_access_key_the_id_alone_is_kept() {
        let body = "<AccessKey><AccessKeyId>AKIA1</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey></AccessKey>";
        assert_eq!(Value::Object(made(&Output::Xml(body.to_owned()))), json!({"AccessKeyId": "AKIA1"}));
        let body = json!({"Items": [{"id": {"S": "geheim"}}], "Count": 1, "Plaintext": "geheim"});
        assert_eq!(Value::Object(made(&Output::Json(body))), json!({"Count": 1}));
    }
}
