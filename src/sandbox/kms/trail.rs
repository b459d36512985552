//! The trail of calls to KMS, in CloudTrail's shape: what a call was about, and never what it carried or returned.

use serde_json::{Map, Value, json};

use crate::policy::Principal;
use crate::sandbox::context::{Caller, Context};
use crate::sandbox::error::Fault;
use crate::sandbox::log::{Resource, TrailEvent, UserIdentity, Verdict};
use crate::sandbox::operation::{Operation, Output};
use crate::sandbox::service::Service;
use crate::sandbox::validate::Params;

/// The trail keeps no longer names and messages: they may be as long as a request.
const LONGEST_NAME: usize = 2048;
/// Nor longer encryption contexts, in bytes of JSON.
const LONGEST_CONTEXT: usize = 8192;

/// What the trail says about a call.
#[derive(Debug)]
pub struct TrailEntry {
    name: &'static str,
    /// The `KeyId` of the call.
    key: String,
    parameters: Map<String, Value>,
}

impl TrailEntry {
    /// A call of the operation `name` on `key`.
    pub fn new(name: &'static str, key: &str) -> Self {
        Self { name, key: key.to_owned(), parameters: Map::new() }
    }

    /// Adds a request parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// What a caller's own request says.
    fn of_request(name: &'static str, params: &Params) -> Self {
        let text = |member: &str| params.member(member).and_then(Value::as_str);
        let mut entry = Self::new(name, text("KeyId").or_else(|| text("TargetKeyId")).unwrap_or_default());
        for (member, name) in [("KeyId", "keyId"), ("TargetKeyId", "targetKeyId"), ("AliasName", "aliasName")] {
            if let Some(text) = text(member).filter(|text| text.len() <= LONGEST_NAME) {
                entry = entry.with(name, text);
            }
        }
        for (member, name) in
            [("MacAlgorithm", "macAlgorithm"), ("SigningAlgorithm", "signingAlgorithm"), ("KeyPairSpec", "keyPairSpec")]
        {
            if let Some(text) = text(member).filter(|text| text.len() <= LONGEST_NAME) {
                entry = entry.with(name, text);
            }
        }
        match params.member("EncryptionContext").filter(|context| context.to_string().len() <= LONGEST_CONTEXT) {
            Some(context) => entry.with("encryptionContext", context.clone()),
            None => entry,
        }
    }

    /// The ARN of the key that the call names, if it exists.
    pub fn resource(&self, cx: &Context<'_>) -> Option<String> {
        cx.existing_key(&self.key).ok().map(|key| key.record.arn.clone())
    }

    /// Writes the event of a call that has ended.
    pub fn record(self, cx: &mut Context<'_>, request_id: &str, resource: Option<String>, error: Option<&Fault>) {
        let (account, caller) = (&mut *cx.account, &cx.caller);
        let as_resource = |arn| Resource { arn, kind: "AWS::KMS::Key".to_owned(), account_id: account.id.clone() };
        let origin = &caller.origin;
        let event = TrailEvent {
            event_time: account.state.clock.timestamp(),
            event_source: "kms.amazonaws.com".to_owned(),
            event_name: self.name.to_owned(),
            user_identity: identity(caller),
            aws_region: account.region.clone(),
            source_ip_address: caller.via.unwrap_or(&origin.source_ip).to_owned(),
            user_agent: caller.via.unwrap_or(&origin.user_agent).to_owned(),
            explains: caller.via.is_none() && origin.explains,
            request_parameters: self.parameters,
            resources: resource.into_iter().map(as_resource).collect(),
            error_code: error.map(|error| error.code(Service::Kms).to_owned()),
            // Some quote what was sent.
            error_message: error
                .and_then(|error| Some(error.message(Service::Kms)?.chars().take(LONGEST_NAME).collect())),
            event_id: cx.entropy.uuid().to_string(),
            request_id: request_id.to_owned(),
            caused_by: caller.via.map(|_| origin.request_id.clone()),
            verdict: match error {
                None => Verdict::Allowed,
                Some(Fault::Denied(_)) => Verdict::Denied,
                Some(_) => Verdict::Failed,
            },
        };
        account.trail.push(event);
    }
}

/// CloudTrail's `userIdentity`.
fn identity(caller: &Caller) -> UserIdentity {
    let principal = &*caller.principal;
    let invoked_by = caller.via.map(str::to_owned);
    if principal.is_service() {
        let kind = "AWSService".to_owned();
        return UserIdentity { kind, invoked_by, ..UserIdentity::default() };
    }
    UserIdentity {
        kind: match &principal.role {
            Some(_) => "AssumedRole",
            None if principal.is_root() => "Root",
            None => "IAMUser",
        }
        .to_owned(),
        access_key_id: Some(caller.access_key_id.clone()),
        principal_id: Some(principal.unique_id.clone()),
        arn: Some(principal.arn.clone()),
        account_id: Some(principal.account.clone()),
        user_name: principal.user_name.clone(),
        invoked_by,
        session_context: session_context(principal),
    }
}

/// CloudTrail's `sessionContext`, for temporary credentials.
fn session_context(principal: &Principal) -> Option<Value> {
    let issued = principal.token_issued.as_ref()?;
    let mut context = json!({ "attributes": { "creationDate": issued, "mfaAuthenticated": "false" } });
    if let Some(role) = &principal.role {
        let name = role.arn.rsplit('/').next();
        context["sessionIssuer"] = json!({ "type": "Role", "principalId": role.unique_id, "arn": role.arn,
            "accountId": principal.account, "userName": name });
    }
    Some(context)
}

/// Runs a caller's own call to KMS and records it.
///
/// # Errors
/// The operation's own.
pub fn recorded(cx: &mut Context<'_>, operation: &Operation) -> Result<Output, Fault> {
    let entry = TrailEntry::of_request(operation.name, cx.params);
    let before = entry.resource(cx);
    let result = operation.run(cx);
    // A new key is known only now.
    let created = || match &result {
        Ok(Output::Json(output)) => output.pointer("/KeyMetadata/Arn")?.as_str().map(str::to_owned),
        _ => None,
    };
    let resource = before.or_else(created);
    let request_id = cx.caller.origin.request_id.clone();
    entry.record(cx, &request_id, resource, result.as_ref().err());
    result
}
