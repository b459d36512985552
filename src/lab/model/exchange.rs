//! One call and its response: the unit that panes, lines and JSONL show.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operation::{Identity, Operation};
use super::stage::Stage;

/// Identifies a call of a session. An answer whose id is not awaited any more is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallId(pub u64);

/// What the world says about a call that has ended. Everything in it has been through [`super::redact`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The request's parameters as they were sent.
    pub request: Value,
    /// The response, unless none came.
    pub response: Result<Response, CallError>,
    /// Both messages as they went over the wire.
    pub wire: Wire,
    /// From sending to the last byte of the answer, in microseconds.
    pub duration_us: u64,
    /// When it ended, as unix time in seconds; 0 where nobody looked at a clock.
    pub at: u64,
    /// How often the SDK sent the call: more than 1 where it was throttled or the network failed; 0 where nothing was
    /// sent.
    pub tries: u32,
}

/// A response of the service, success or error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The service's id of this request.
    pub request_id: Option<String>,
    /// The body; XML answers (IAM, STS) are shown as the same tree in JSON.
    pub body: Value,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    /// What went wrong, from the outermost cause to the innermost.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// What to send about a fault of kmslab, where no debug log is written.
pub const REPORT_IT: &str = "please report it, with this text and the file of a run with `--debug FILE`";

impl CallError {
    /// A fault of kmslab itself.
    pub fn fault(message: String) -> CallError {
        CallError { message, remedy: format!("this is a fault of kmslab: {REPORT_IT}") }
    }
}

/// The HTTP messages, with secrets replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wire {
    /// Request line, headers, body.
    pub request: String,
    /// Status line, headers, body; empty when nothing came back.
    pub response: String,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The service did it.
    Allowed,
    /// The service refused for want of permission. In this lab that is often the expected outcome.
    Denied(Denied),
    /// Anything else: a validation error, a missing resource, no answer at all.
    Failed(Failure),
}

impl Verdict {
    /// The word in JSONL.
    pub const fn key(&self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Denied(_) => "denied",
            Verdict::Failed(_) => "failed",
        }
    }
}

/// What a denial's message names. Parts that the message does not give are `None`: older wordings name nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// The principal's ARN.
    pub principal: Option<String>,
    /// `kms:Decrypt`
    pub action: Option<String>,
    /// The resource's ARN.
    pub resource: Option<String>,
    /// The end of the sentence: which kind of policy lacked an allow, or denied.
    pub reason: Option<String>,
    /// The whole message.
    pub message: String,
}

/// An outcome that is neither an answer nor a denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// AWS's error code, if a service answered.
    pub code: Option<String>,
    /// What went wrong.
    pub message: String,
    /// What to do next, where it is known.
    pub remedy: Option<String>,
}

/// A call with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The call.
    pub id: CallId,
    /// The stage it belongs to.
    pub stage: Stage,
    /// Who signed it.
    pub identity: Identity,
    /// What was called.
    pub operation: Operation,
    /// 1 for the first try; more where the lab waits for something to become true.
    pub attempt: u32,
    /// What came back.
    pub answer: Answer,
    /// What that means.
    pub verdict: Verdict,
}

impl Exchange {
    /// The response body, if there was a response.
    pub fn body(&self) -> Option<&Value> {
        self.answer.response.as_ref().ok().map(|response| &response.body)
    }

    /// Whether `other` is the same call, sent another time.
    pub fn is_same_call(&self, other: &Exchange) -> bool {
        self.identity == other.identity && self.operation == other.operation
    }

    /// Whether the service did what was asked.
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allowed
    }

    /// Whether this error is what the stage wanted to hear: a deleted thing is not found any more.
    pub fn is_wanted_absence(&self) -> bool {
        self.stage == Stage::CleanUp && self.error_code().is_some_and(is_not_found)
    }

    /// Whether this error says that an earlier ScheduleKeyDeletion has done it.
    pub fn says_deletion_is_scheduled(&self) -> bool {
        matches!(self.operation, Operation::ScheduleKeyDeletion { .. })
            && self.error_code() == Some("KMSInvalidStateException")
            && self.body().and_then(error_message).is_some_and(|message| message.contains("pending deletion"))
    }

    /// AWS's error code, if the service answered with an error.
    pub fn error_code(&self) -> Option<&str> {
        self.answer.response.as_ref().ok().filter(|r| r.status >= 400).and_then(|r| error_code(&r.body))
    }
}

impl Answer {
    /// Reads the verdict off the answer.
    pub fn verdict(&self) -> Verdict {
        let response = match &self.response {
            Ok(response) => response,
            Err(none) => {
                return Verdict::Failed(Failure {
                    code: None,
                    message: none.message.clone(),
                    remedy: Some(none.remedy.clone()),
                });
            }
        };
        if response.status < 300 {
            return Verdict::Allowed;
        }
        let code = error_code(&response.body);
        let message = error_message(&response.body).unwrap_or_default();
        match code {
            Some("AccessDenied" | "AccessDeniedException") => Verdict::Denied(Denied::parse(message)),
            _ => Verdict::Failed(Failure {
                code: code.map(str::to_owned),
                message: if message.is_empty() {
                    format!("HTTP status {}", response.status)
                } else {
                    message.to_owned()
                },
                remedy: code.map_or(Some(NOT_AWS), |code| remedy(code, message)).map(str::to_owned),
            }),
        }
    }
}

/// What to do about an error without AWS's error code.
const NOT_AWS: &str = "the answer was cut off or is not AWS's: check what answers at this endpoint";

/// What to do about an error that is not about the call but about who sent it, when, and where to.
fn remedy(code: &str, message: &str) -> Option<&'static str> {
    match code {
        // STS and the JSON services say in words what is wrong with a signature (observed at AWS).
        _ if is_credential_error(code) && message.contains("scoped to a valid region") => {
            Some("give the region of this endpoint with --region")
        }
        _ if is_credential_error(code)
            && ["Signature expired", "not yet current"].iter().any(|words| message.contains(words)) =>
        {
            Some(CLOCK)
        }
        "RequestTimeTooSkewed" | "RequestExpired" => Some(CLOCK),
        "UnrecognizedClientException" | "InvalidClientTokenId" => Some(
            "the service does not know this profile's access key: check it, and that the account has this region enabled",
        ),
        "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            Some("check the secret key of this profile and this machine's clock")
        }
        "ExpiredTokenException" | "ExpiredToken" => Some("sign in again: the session of this profile has ended"),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "SlowDown"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException" => {
            Some("the service gets too many requests: wait a moment, then retry")
        }
        "InternalFailure"
        | "InternalServerError"
        | "InternalError"
        | "InternalException"
        | "KMSInternalException"
        | "ServiceFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => Some("the service is in trouble: wait a moment, then retry"),
        _ => None,
    }
}

const CLOCK: &str = "set this machine's clock: AWS takes requests that are at most five minutes off";

/// Whether an error code says that the credentials were refused before any policy was asked.
pub fn is_credential_error(code: &str) -> bool {
    matches!(
        code,
        "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignatureException"
            | "IncompleteSignature"
            | "MissingAuthenticationTokenException"
            | "MissingAuthenticationToken"
            | "ExpiredTokenException"
            | "ExpiredToken"
    )
}

/// Whether an error code says that a thing does not exist.
pub fn is_not_found(code: &str) -> bool {
    matches!(code, "ResourceNotFoundException" | "NotFoundException" | "NoSuchEntity" | "NoSuchEntityException")
}

/// Whether an error code says that a thing of this name exists already, or is just coming to be.
pub fn is_already_there(code: &str) -> bool {
    matches!(
        code,
        "AlreadyExistsException"
            | "EntityAlreadyExists"
            | "EntityAlreadyExistsException"
            | "ResourceInUseException"
            | "TableAlreadyExistsException"
    )
}

/// The error code of an AWS error body: `__type` without its namespace (JSON protocols), or `Error.Code` (query).
pub fn error_code(body: &Value) -> Option<&str> {
    let full = body.get("__type").or_else(|| body.pointer("/Error/Code"))?.as_str()?;
    let code = full.rsplit('#').next().unwrap_or(full);
    // Some servers add an URI after a colon.
    Some(code.split(':').next().unwrap_or(code))
}

/// The error message of an AWS error body; services spell the member both ways.
pub fn error_message(body: &Value) -> Option<&str> {
    ["/message", "/Message", "/Error/Message"].iter().find_map(|path| body.pointer(path)?.as_str())
}

impl Denied {
    /// Takes a denial's message apart.
    ///
    /// The sentence is `User: <principal> is not authorized to perform: <action> on resource: <resource> because
    /// <reason>`, where DynamoDB wraps it into a longer one and ends it with `(Service: …)`; an explicit deny has
    /// `with an explicit deny in …` instead of `because …`.
    pub fn parse(message: &str) -> Denied {
        let mut denied = Denied { message: message.to_owned(), ..Denied::default() };
        let Some((_, sentence)) = message.split_once("User: ") else {
            return denied;
        };
        let sentence = sentence.split(" (Service: ").next().unwrap_or(sentence);
        let Some((principal, rest)) = sentence.split_once(" is not authorized to perform: ") else {
            return denied;
        };
        denied.principal = Some(principal.to_owned());
        let (action, rest) = match rest.split_once(" on resource: ") {
            Some((action, rest)) => (action, Some(rest)),
            // Some answers say "on this resource" and do not name it, or name no resource at all.
            None => (rest.split_whitespace().next().unwrap_or(rest), None),
        };
        denied.action = Some(action.to_owned());
        if let Some(rest) = rest {
            let resource = rest.split_whitespace().next().unwrap_or(rest);
            denied.resource = Some(resource.to_owned());
        }
        denied.reason = ["because ", "with an explicit deny"].iter().find_map(|mark| {
            let at = sentence.find(mark)?;
            Some(sentence[at..].trim_start_matches("because ").to_owned())
        });
        denied
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const USER: &str = "arn:aws:iam::111122223333:user/test";
    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234";

    fn answered(status: u16, body: Value) -> Answer {
        Answer {
            request: Value::Null,
            response: Ok(Response { status, request_id: None, body }),
            wire: Wire::default(),
            duration_us: 0,
            at: 0,
            tries: 1,
        }
    }

    #[rstest]
    #[case::direct(
        format!("User: {USER} is not authorized to perform: kms:Decrypt on resource: {KEY} because no identity-based policy allows the kms:Decrypt action"),
        Some("no identity-based policy allows the kms:Decrypt action")
    )]
    #[case::wrapped_by_dynamodb(
        format!("KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: {USER} is not authorized to perform: kms:Decrypt on resource: {KEY} because no resource-based policy allows the kms:Decrypt action (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: 0000; Proxy: null)"),
        Some("no resource-based policy allows the kms:Decrypt action")
    )]
    #[case::explicit(
        format!("User: {USER} is not authorized to perform: kms:Decrypt on resource: {KEY} with an explicit deny in a resource-based policy"),
        Some("with an explicit deny in a resource-based policy")
    )]
    #[case::no_reason(format!("User: {USER} is not authorized to perform: kms:Decrypt on resource: {KEY}"), None)]
    fn a_denial_names_principal_action_resource_and_reason(#[case] message: String, #[case] reason: Option<&str>) {
        let denied = Denied::parse(&message);
        assert_eq!(denied.principal.as_deref(), Some(USER));
        assert_eq!(denied.action.as_deref(), Some("kms:Decrypt"));
        assert_eq!(denied.resource.as_deref(), Some(KEY));
        assert_eq!(denied.reason.as_deref(), reason);
        assert_eq!(denied.message, message);
    }

    #[test]
    fn an_older_wording_is_a_denial_that_names_nothing() {
        let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this \
                       region, or you are not allowed to access.";
        assert_eq!(Denied::parse(message), Denied { message: message.into(), ..Denied::default() });
    }

    #[rstest]
    #[case(json!({"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "m"}), "denied")]
    #[case(json!({"__type": "AccessDeniedException", "Message": "m"}), "denied")]
    #[case(json!({"Error": {"Code": "AccessDenied", "Message": "m"}}), "denied")]
    #[case(json!({"__type": "com.amazon.coral.validate#ValidationException", "message": "m"}), "failed")]
    #[case(json!({"odd": "body"}), "failed")]
    fn verdicts_are_read_off_every_protocol(#[case] body: Value, #[case] verdict: &str) {
        assert_eq!(answered(400, body).verdict().key(), verdict);
    }

    #[test]
    fn silence_is_a_failure_with_a_remedy() {
        assert_eq!(answered(200, json!({})).verdict(), Verdict::Allowed);
        let mut silent = answered(200, json!({}));
        silent.response = Err(CallError { message: "connection refused".into(), remedy: "start it".into() });
        let Verdict::Failed(failure) = silent.verdict() else { panic!("not a failure") };
        assert_eq!(failure.remedy.as_deref(), Some("start it"));
    }
}
