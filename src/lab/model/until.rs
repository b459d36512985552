//! What a batch of calls waits for.

use super::exchange::{Exchange, Verdict, error_message, is_not_found};
use super::key_policy;
use super::operation::{Identity, Operation};

/// How long a new tag may be unknown to authorization, in seconds (KMS guide, "ABAC for AWS KMS").
pub const NEW_TAG: u32 = 300;

/// When a batch is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// As soon as it is answered.
    Answered,
    /// When DescribeTable says ACTIVE.
    TableActive,
    /// When the table is not in the way of its own deletion any more: one that is being created can't be deleted yet.
    TableDeletable,
    /// When DescribeTable does not find the table any more.
    TableGone,
    /// When a new access key is known to the service (IAM is eventually consistent).
    CredentialsKnown,
    /// When what has just been made is found: KMS and IAM are eventually consistent.
    Found,
    /// When the KMS that DynamoDB asks knows a new key.
    KeyKnown,
    /// When a new user's policy and access key are known to DynamoDB: until then it refuses the Scan by itself, and KMS
    /// is not asked.
    UserKnown,
    /// When KMS knows the principals of a new key policy: a new user is not known everywhere at once.
    PrincipalsKnown,
    /// When GetKeyPolicy gives the policy that was put.
    PolicySeen,
    /// When nothing is denied any more (key policies are eventually consistent).
    NothingDenied,
    /// When nothing is allowed any more (IAM is eventually consistent).
    NothingAllowed,
    /// When authorization knows the tags of a key that was created at this unix time, in seconds.
    TagKnown(u64),
    /// When IAM sees that nothing is attached to the user any more (IAM is eventually consistent).
    UserFree,
}

impl Until {
    /// Whether `answers`, the batch's newest, fulfil it.
    pub fn is_met(self, answers: &[&Exchange]) -> bool {
        let status = |exchange: &Exchange| {
            exchange.body().and_then(|body| body.pointer("/Table/TableStatus")?.as_str().map(str::to_owned))
        };
        match self {
            Until::Answered => true,
            Until::TableActive => answers.iter().all(|exchange| status(exchange).as_deref() == Some("ACTIVE")),
            Until::TableDeletable => !answers.iter().any(|e| e.error_code() == Some("ResourceInUseException")),
            Until::TableGone => {
                answers.iter().all(|exchange| exchange.error_code() == Some("ResourceNotFoundException"))
            }
            Until::CredentialsKnown => answers.iter().all(|exchange| exchange.is_allowed()),
            Until::Found => !answers.iter().any(|e| is_not_found_yet(e)),
            Until::KeyKnown => !answers.iter().any(|e| names_unknown_key(e)),
            Until::UserKnown => !answers.iter().any(|e| is_unknown_user(e)),
            Until::PrincipalsKnown => !answers.iter().any(|e| names_unknown_principal(e)),
            Until::PolicySeen => answers.iter().all(|e| key_policy::has_key_user(&policy_of(e))),
            Until::NothingDenied => !answers.iter().any(|e| is_denied(e) || is_unknown_user(e)),
            Until::NothingAllowed => !answers.iter().any(|exchange| exchange.is_allowed()),
            Until::TagKnown(_) => !answers.iter().any(|e| is_denied(e)),
            Until::UserFree => !answers.iter().any(|e| e.error_code() == Some("DeleteConflict")),
        }
    }

    /// Whether asking again can change anything after these answers.
    pub fn may_change(self, answers: &[&Exchange]) -> bool {
        match self {
            Until::Answered => false,
            Until::TableActive => {
                answers.iter().all(|exchange| exchange.is_allowed())
                    || answers.iter().any(|e| e.error_code() == Some("ResourceNotFoundException"))
            }
            Until::TableGone => answers.iter().all(|exchange| exchange.is_allowed()),
            Until::CredentialsKnown => answers
                .iter()
                .all(|e| e.is_allowed() || e.error_code().is_some_and(super::exchange::is_credential_error)),
            Until::PolicySeen => answers.iter().all(|exchange| exchange.is_allowed()),
            // Of an older key authorization knows the tags: it is denied for another reason.
            Until::TagKnown(created) => answers.iter().any(|e| e.answer.at < created + u64::from(NEW_TAG)),
            Until::TableDeletable
            | Until::Found
            | Until::KeyKnown
            | Until::UserKnown
            | Until::PrincipalsKnown
            | Until::NothingDenied
            | Until::NothingAllowed
            | Until::UserFree => true,
        }
    }

    /// What is being waited for, for the message line.
    pub const fn describe(self) -> &'static str {
        match self {
            Until::Answered => "the answer",
            Until::TableActive => "the table to become ACTIVE",
            Until::TableDeletable => "the table to become deletable",
            Until::TableGone => "the table to be gone",
            Until::CredentialsKnown => "the new access key to take effect",
            Until::Found => "what was just created to be visible everywhere",
            Until::KeyKnown => "DynamoDB to see the new key",
            Until::UserKnown => "DynamoDB to see the new user's policy and key",
            Until::PrincipalsKnown => "KMS to see the new user",
            Until::PolicySeen => "GetKeyPolicy to return the new policy",
            Until::NothingDenied => "the new key policy to take effect everywhere",
            Until::NothingAllowed => "the removed permission to stop working everywhere",
            Until::TagKnown(_) => "the key's new tag to take effect",
            Until::UserFree => "IAM to see that the user's key and policy are gone",
        }
    }
}

/// Whether a call was throttled, and sending it again can't do it twice.
///
/// A client error proves that the call had no effect. A 503 doesn't, so a call that creates something is not repeated
/// after one.
pub fn is_throttled(exchange: &Exchange) -> bool {
    let is_once =
        exchange.operation.creates().is_some() || matches!(exchange.operation, Operation::RotateKeyOnDemand { .. });
    let status = exchange.answer.response.as_ref().map_or(0, |response| response.status);
    (status < 500 || !is_once) && exchange.error_code().is_some_and(is_throttling)
}

/// Whether an error code says that the service gets too many requests.
pub fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "SlowDown"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "ProvisionedThroughputExceededException"
    )
}

fn is_denied(exchange: &Exchange) -> bool {
    matches!(exchange.verdict, Verdict::Denied(_))
}

/// Whether DynamoDB refuses a table because KMS does not know its key (observed on AWS with keys that were just made).
fn names_unknown_key(exchange: &Exchange) -> bool {
    exchange.error_code() == Some("ValidationException")
        && exchange
            .body()
            .and_then(error_message)
            .is_some_and(|text| text.starts_with("KMS validation error") && text.contains("NotFoundException"))
}

/// Whether PutKeyPolicy refuses the document for a principal: one that is new may only not be known to KMS yet (KMS's
/// documentation of PutKeyPolicy: "you might need to enforce a delay before including the new principal").
fn names_unknown_principal(exchange: &Exchange) -> bool {
    exchange.error_code() == Some("MalformedPolicyDocumentException")
        && exchange.body().and_then(error_message).is_some_and(|text| text.to_ascii_lowercase().contains("principal"))
}

/// Whether an error says that a thing is not there which the lab has just made. Of what IAM does not find, only the user
/// is new; a managed policy is there or isn't.
fn is_not_found_yet(exchange: &Exchange) -> bool {
    let names_it = || exchange.body().and_then(error_message).is_some_and(|m| m.contains(exchange.operation.subject()));
    match exchange.error_code() {
        Some("NotFoundException") => true,
        Some(code) if is_not_found(code) => names_it(),
        _ => false,
    }
}

/// Whether test-user's call was refused because its access key, or the policy that lets it use DynamoDB, is not known
/// there yet.
fn is_unknown_user(exchange: &Exchange) -> bool {
    let is_denied_table = match &exchange.verdict {
        Verdict::Denied(denied) => denied.action.as_deref().is_some_and(|action| action.starts_with("dynamodb:")),
        _ => false,
    };
    let is_unknown_key = matches!(exchange.error_code(), Some("UnrecognizedClientException" | "InvalidClientTokenId"));
    exchange.identity == Identity::TestUser && (is_denied_table || is_unknown_key)
}

fn policy_of(exchange: &Exchange) -> String {
    exchange.body().and_then(|body| body.get("Policy")?.as_str()).unwrap_or_default().to_owned()
}
