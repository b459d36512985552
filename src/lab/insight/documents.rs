//! The same decisions as the services make, made again from the documents: for a backend that keeps no trace.
//!
//! Conditions see what DynamoDB sends with its calls to KMS (DynamoDB guide, "encryption at rest usage notes") and what
//! is known of the caller. What is not known can't be judged, and is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ladder::Decided;
use crate::lab::exchange::Exchange;
use crate::lab::facts::{Caller, Facts};
pub use crate::lab::model::inspection::Documents;
use crate::lab::operation::{Operation, Service, TableKey};
use crate::lab::review::{names_of, partition_of};
use crate::policy::{
    AccessRequest, ConditionContext, Decision, MatchResult, Mismatch, NamedPolicy, PolicyDocument, PolicyKind,
    PolicySource, Principal, account_of, decide, decide_for_key,
};
use serde_json::Value;

/// What is asked of whom.
struct Question {
    action: String,
    resource: String,
    /// Whether DynamoDB asks for its caller; then the call carries the table's encryption context.
    by_dynamodb: bool,
    of_key: bool,
}

/// The decisions that `exchange` needed, and what keeps them from being complete.
pub fn decide_again(
    exchange: &Exchange,
    caller: &Caller,
    facts: &Facts,
    region: &str,
    documents: &Documents,
) -> (Vec<Decided>, Vec<String>) {
    let mut unread = documents.unread.clone();
    let mut parse = |kind, source: PolicySource, text: &str| match PolicyDocument::parse(kind, text) {
        Ok(document) => Some(NamedPolicy { source, document: Arc::new(document) }),
        Err(error) => {
            unread.push(format!("{source} could not be understood: {error}"));
            None
        }
    };
    let identity: Vec<NamedPolicy> = documents
        .identity
        .iter()
        .filter_map(|(source, text)| parse(PolicyKind::Identity, source.clone(), text))
        .collect();
    let key_policy = documents.key_policy.as_deref().and_then(|text| {
        let key_arn = facts.key_arn().unwrap_or_default().to_owned();
        parse(PolicyKind::Key, PolicySource::KeyPolicy { key_arn }, text)
    });
    // A session is named by its role, too: that takes the place of an id, which is not known of it.
    let of_policy = key_policy.iter().flat_map(|policy| policy.document.principals());
    let grantees = documents.grants.iter().map(|grant| grant.grantee_principal.as_str());
    let role = names_of(caller, of_policy.chain(grantees)).into_iter().nth(1);
    let principal = Principal {
        arn: caller.arn.clone(),
        account: caller.account.clone(),
        unique_id: documents.unique_id.clone().or(role).unwrap_or_default(),
        user_name: caller.arn.split_once(":user/").and_then(|(_, path)| path.rsplit('/').next()).map(str::to_owned),
        tags: Vec::new(),
    };
    let mut decided = Vec::new();
    for question in questions(&exchange.operation, facts, caller, region) {
        // The root user needs no IAM policy (IAM guide); of a key nobody has anything without its policy (KMS guide).
        if principal.is_root() && !question.of_key {
            continue;
        }
        let (conditions, encryption_context) = conditions(&question, &principal, exchange, region);
        let call = AccessRequest {
            principal: &principal,
            action: &question.action,
            resource: &question.resource,
            context: &conditions,
        };
        let decision = match (&key_policy, question.of_key) {
            (Some(policy), true) => {
                let owner = question.resource.split(':').nth(4).unwrap_or_default();
                decide_for_key(&call, policy, owner, &identity, &documents.grants, &encryption_context)
            }
            // Without its policy nothing can be said of the key.
            (None, true) => continue,
            (_, false) => decide(&call, &identity),
        };
        let allowed = decision.is_allowed();
        unread.extend(unknown_conditions(&decision, &conditions));
        decided.push(Decided {
            request_id: request_id(exchange).to_owned(),
            principal: principal.arn.clone(),
            action: question.action,
            resource: question.resource,
            decision,
        });
        // Whoever is refused is asked nothing more, if that is certain.
        if !allowed && unread.is_empty() {
            break;
        }
    }
    unread.dedup();
    (decided, unread)
}

/// The id by which an exchange and its decisions find each other; empty where the server gave none.
pub fn request_id(exchange: &Exchange) -> &str {
    exchange.answer.response.as_ref().ok().and_then(|response| response.request_id.as_deref()).unwrap_or_default()
}

fn questions(operation: &Operation, facts: &Facts, caller: &Caller, region: &str) -> Vec<Question> {
    use Operation as O;
    let (account, partition) = (&caller.account, partition_of(&caller.arn));
    let ask = |action: &str, resource: &str| Question {
        action: action.to_owned(),
        resource: resource.to_owned(),
        by_dynamodb: false,
        of_key: false,
    };
    let key = facts.key_arn().unwrap_or_default();
    let of_key = |action: &str| Question { of_key: true, ..ask(action, key) };
    let by_dynamodb = |action: &str| Question { by_dynamodb: true, ..of_key(action) };
    let own = operation.action();
    let table = |name: &str| format!("arn:{partition}:dynamodb:{region}:{account}:table/{name}");
    match operation {
        // It needs no permission.
        O::GetCallerIdentity => Vec::new(),
        O::CreateKey { .. } => vec![ask(&own, "*"), ask("kms:TagResource", "*")],
        O::ListKeys => vec![ask(&own, "*")],
        O::CreateAlias { alias, .. } | O::DeleteAlias { alias } => {
            vec![ask(&own, &format!("arn:{partition}:kms:{region}:{account}:{alias}")), of_key(&own)]
        }
        O::DescribeKey { .. }
        | O::GetKeyPolicy { .. }
        | O::PutKeyPolicy { .. }
        | O::ScheduleKeyDeletion { .. }
        | O::CancelKeyDeletion { .. }
        | O::DisableKey { .. }
        | O::EnableKey { .. }
        | O::RotateKeyOnDemand { .. }
        | O::CreateGrant { .. }
        | O::ListGrants { .. }
        | O::RevokeGrant { .. }
        | O::Encrypt { .. }
        | O::Decrypt { .. } => vec![of_key(&own)],
        // AWS's own keys ask nobody who may create a table.
        O::CreateTable { table: name, key: TableKey::AwsOwned | TableKey::AwsManaged, .. } => {
            vec![ask(&own, &table(name)), ask("dynamodb:TagResource", &table(name))]
        }
        O::CreateTable { table: name, .. } => vec![
            ask(&own, &table(name)),
            ask("dynamodb:TagResource", &table(name)),
            by_dynamodb("kms:DescribeKey"),
            by_dynamodb("kms:CreateGrant"),
        ],
        O::PutItem { table: name, .. } | O::Scan { table: name } => {
            vec![ask(&own, &table(name)), by_dynamodb("kms:Decrypt")]
        }
        O::DescribeTable { table: name } | O::DeleteTable { table: name } => vec![ask(&own, &table(name))],
        // A role may have a path, which is in no request.
        O::GetRole { role } => vec![ask(&own, &format!("arn:aws:iam::{account}:role/{role}"))],
        O::SimulatePrincipalPolicy { principal, .. } => vec![ask(&own, principal)],
        O::CreateUser { user, .. }
        | O::AttachUserPolicy { user, .. }
        | O::CreateAccessKey { user }
        | O::ListAccessKeys { user }
        | O::DetachUserPolicy { user, .. }
        | O::PutUserPolicy { user, .. }
        | O::DeleteUserPolicy { user, .. }
        | O::DeleteAccessKey { user, .. }
        | O::DeleteUser { user } => vec![ask(&own, &format!("arn:{partition}:iam::{account}:user/{user}"))],
    }
}

/// What the conditions of a policy can see of the call, and its encryption context.
fn conditions(
    question: &Question,
    principal: &Principal,
    exchange: &Exchange,
    region: &str,
) -> (ConditionContext, BTreeMap<String, String>) {
    let via = question.by_dynamodb.then_some("dynamodb.amazonaws.com");
    let owner = account_of(&question.resource).unwrap_or(&principal.account);
    let mut conditions = ConditionContext::of_request(principal, owner, via);
    if principal.arn.contains(":assumed-role/") {
        // Of a session it is the role's ARN (IAM guide, "global condition context keys"), and the id is not known.
        conditions.remove("aws:PrincipalArn").remove("aws:userid");
        if principal.unique_id.starts_with("arn:") {
            conditions.set("aws:PrincipalArn", &principal.unique_id);
        }
    }
    conditions.set("aws:RequestedRegion", region);
    let mut encryption_context = BTreeMap::new();
    if question.action.starts_with("kms:") {
        conditions.set("kms:CallerAccount", &principal.account);
    }
    if question.by_dynamodb {
        conditions.set("kms:ViaService", format!("dynamodb.{region}.amazonaws.com"));
        if question.action == "kms:CreateGrant" {
            conditions.set("kms:GrantIsForAWSResource", "true");
        }
        if question.action != "kms:DescribeKey" && exchange.operation.service() == Service::DynamoDb {
            encryption_context.extend([
                ("aws:dynamodb:tableName".to_owned(), exchange.operation.subject().to_owned()),
                ("aws:dynamodb:subscriberId".to_owned(), principal.account.clone()),
            ]);
        }
    }
    for (name, value) in &encryption_context {
        conditions.set(&format!("kms:EncryptionContext:{name}"), value);
        conditions.add("kms:EncryptionContextKeys", name);
    }
    (conditions, encryption_context)
}

/// Condition keys that a statement turns on and of which nothing is known here.
fn unknown_conditions(decision: &Decision, known: &ConditionContext) -> Vec<String> {
    let mut unknown = Vec::new();
    for examined in &decision.trace {
        // A statement that fails elsewhere, too, does not turn on its condition. One that fits may do so because
        // nothing is known: "unless the address is ours", "if there is such a thing".
        let turns = match &examined.result {
            MatchResult::NotMatched(parts) => parts.iter().all(|part| matches!(part, Mismatch::Condition { .. })),
            MatchResult::Matched | MatchResult::DelegatesToAccount => true,
        };
        let operators = examined.json.get("Condition").and_then(Value::as_object).filter(|_| turns);
        let keys = operators.into_iter().flatten().filter_map(|(_, tests)| tests.as_object());
        unknown.extend(
            keys.flat_map(|tests| tests.keys()).filter(|key| known.get(key).is_none()).map(|key| {
                format!("a condition of {} is about {key}, of which nothing is known here", examined.source)
            }),
        );
    }
    unknown
}
