//! What an answer proves about its call: that it took effect, that it didn't, or neither.
//!
//! A gateway may answer 503 for a call that the service has carried out, or 200 with a page of its own. Only an answer
//! that says so proves that a call had no effect. Everything else may have left a resource, which clean-up looks for.

use serde_json::Value;

use super::exchange::{Answer, error_code, is_already_there};
use super::operation::Operation;

/// Whether a call took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The service says what it did.
    Done,
    /// Nothing was sent, or the service says why it did nothing.
    NotDone,
    /// The answer was lost, came from elsewhere, or doesn't say.
    Unknown,
}

/// What `answer` proves about `operation`.
pub fn certainty(operation: &Operation, answer: &Answer) -> Certainty {
    let Ok(response) = &answer.response else {
        return if answer.tries == 0 { Certainty::NotDone } else { Certainty::Unknown };
    };
    let code = error_code(&response.body);
    match response.status {
        200..300 if names_result(operation, &response.body) => Certainty::Done,
        // Without an error code it is not from AWS.
        400..500 => match code {
            None => Certainty::Unknown,
            // It exists: perhaps an earlier try of this call made it.
            Some(code) if is_already_there(code) || is_fault_of_the_service(code) => Certainty::Unknown,
            Some(_) if answer.tries > 1 && is_sent_again(operation) => Certainty::Unknown,
            Some(_) => Certainty::NotDone,
        },
        _ => Certainty::Unknown,
    }
}

/// Whether the body of a success says what the service says when it has carried out `operation`. Most responses of this
/// lab that say nothing belong to calls whose resource has a name; those are looked for by name.
pub fn names_result(operation: &Operation, body: &Value) -> bool {
    use Operation as O;
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty());
    match operation {
        O::CreateKey { .. } => text("/KeyMetadata/KeyId").is_some() && text("/KeyMetadata/Arn").is_some_and(is_key_arn),
        O::CreateGrant { .. } => text("/GrantId").is_some(),
        O::CreateTable { table, .. } | O::DeleteTable { table } => {
            let is_table =
                body.pointer("/TableDescription").and_then(Value::as_object).is_some_and(|it| !it.is_empty());
            is_table && text("/TableDescription/TableName").is_none_or(|name| name == table)
        }
        O::CreateUser { user, .. } => text("/User/UserName") == Some(user),
        O::CreateAccessKey { .. } => text("/AccessKey/AccessKeyId").is_some(),
        O::ScheduleKeyDeletion { .. } => text("/KeyId").is_some(),
        _ => true,
    }
}

/// `arn:aws:kms:us-east-1:111122223333:key/1234abcd-…`
fn is_key_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let service = (parts.next(), parts.nth(1));
    service == (Some("arn"), Some("kms")) && parts.nth(2).is_some_and(|resource| resource.starts_with("key/"))
}

/// Whether the SDK sends it again even where an earlier try may have taken effect: twice is the same as once.
/// (`aws::ops` sends the other calls that create something only once.)
const fn is_sent_again(operation: &Operation) -> bool {
    use Operation as O;
    matches!(operation, O::AttachUserPolicy { .. } | O::PutUserPolicy { .. } | O::PutKeyPolicy { .. })
}

/// Errors in the middle of the work, whatever their status. (AWS sends them with 500 and 503.)
fn is_fault_of_the_service(code: &str) -> bool {
    matches!(
        code,
        "InternalFailure"
            | "InternalServerError"
            | "InternalError"
            | "InternalException"
            | "KMSInternalException"
            | "DependencyTimeoutException"
            | "ServiceFailure"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "RequestTimeout"
            | "RequestTimeoutException"
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::lab::{CallError, Response, Tags};

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn answer(status: u16, body: Value) -> Answer {
        let response = Ok(Response { status, request_id: None, body });
        Answer { request: json!({}), response, wire: Default::default(), duration_us: 1, at: 0, tries: 1 }
    }

    fn lost(tries: u32) -> Answer {
        let response = Err(CallError { message: "m".into(), remedy: "r".into() });
        Answer { response, tries, ..answer(200, json!({})) }
    }

    fn create_key() -> Operation {
        Operation::CreateKey { description: "d".into(), tags: Tags::default() }
    }

    fn attach() -> Operation {
        Operation::AttachUserPolicy { user: "u".into(), policy_arn: "arn:p".into() }
    }

    #[rstest]
    #[case::made(create_key(), answer(200, json!({"KeyMetadata": {"Arn": ARN, "KeyId": "1234"}})), Certainty::Done)]
    #[case::empty(create_key(), answer(200, json!({})), Certainty::Unknown)]
    #[case::useless(create_key(), answer(200, json!({"KeyMetadata": {"Arn": "?", "KeyId": "1"}})), Certainty::Unknown)]
    #[case::a_page(create_key(), answer(200, json!("<html>")), Certainty::Unknown)]
    #[case::redirected(create_key(), answer(302, json!({})), Certainty::Unknown)]
    #[case::denied(create_key(), answer(400, json!({"__type": "AccessDeniedException"})), Certainty::NotDone)]
    #[case::throttled(create_key(), answer(400, json!({"__type": "ThrottlingException"})), Certainty::NotDone)]
    #[case::of_a_gateway(create_key(), answer(408, json!("<html>")), Certainty::Unknown)]
    #[case::a_fault(create_key(), answer(400, json!({"__type": "KMSInternalException"})), Certainty::Unknown)]
    #[case::broken(create_key(), answer(500, json!({})), Certainty::Unknown)]
    #[case::busy(create_key(), answer(503, json!({"__type": "SlowDown"})), Certainty::Unknown)]
    #[case::lost(create_key(), lost(1), Certainty::Unknown)]
    #[case::never_sent(create_key(), lost(0), Certainty::NotDone)]
    #[case::nothing_to_say(attach(), answer(200, json!({})), Certainty::Done)]
    #[case::denied(attach(), answer(403, json!({"Error": {"Code": "AccessDenied"}})), Certainty::NotDone)]
    #[case::denied_after_a_try(
        attach(),
        Answer { tries: 2, ..answer(403, json!({"Error": {"Code": "AccessDenied"}})) },
        Certainty::Unknown
    )]
    #[case::there_already(
        Operation::CreateUser { user: "u".into(), tags: Tags::default() },
        answer(409, json!({"Error": {"Code": "EntityAlreadyExists"}})),
        Certainty::Unknown
    )]
    #[case::another_user(
        Operation::CreateUser { user: "u".into(), tags: Tags::default() },
        answer(200, json!({"User": {"UserName": "other"}})),
        Certainty::Unknown
    )]
    #[case::another_table(
        Operation::DeleteTable { table: "t".into() },
        answer(200, json!({"TableDescription": {"TableName": "other"}})),
        Certainty::Unknown
    )]
    fn only_what_an_answer_says_is_certain(
        #[case] operation: Operation,
        #[case] answer: Answer,
        #[case] expected: Certainty,
    ) {
        assert_eq!(certainty(&operation, &answer), expected);
    }
}
