//! The same decisions as the services make, made again from the documents: for a backend that keeps no trace.
//!
//! Conditions see what DynamoDB sends with its calls to KMS (DynamoDB guide, "encryption at rest usage notes") and what
//! is known of the caller. What is not known can't be judged, and is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ladder::Decided;
use crate::lab::model::exchange::Exchange;
use crate::lab::model::facts::{Caller, Facts};
pub use crate::lab::model::inspection::Documents;
use crate::lab::model::operation::{Operation, OperationDef, Resource, Service, TableKey};
use crate::lab::model::test_user;
use crate::policy::{
    AccessRequest, ConditionContext, Decision, Grant, MatchResult, Mismatch, NamedPolicy, PolicyDocument, PolicyKind,
    PolicySource, Principal, account_of, decide, decide_for_key,
};
use serde_json::Value;

impl Documents {
    /// The documents that the lab's own calls show, in order; `None` if it attached a policy whose text isn't known here.
    pub(super) fn of_calls<'a>(calls: impl Iterator<Item = &'a Exchange>) -> Option<Documents> {
        let mut documents = Documents::default();
        for call in calls.filter(|call| call.is_allowed()) {
            match &call.operation {
                Operation::GetKeyPolicy { .. } => {
                    let policy = call.body().and_then(|body| body.get("Policy")?.as_str());
                    documents.key_policy = policy.map(str::to_owned);
                }
                Operation::AttachUserPolicy { policy_arn, .. } => {
                    let name = policy_arn.rsplit('/').next().filter(|name| *name == test_user::MANAGED)?.to_owned();
                    let source = PolicySource::Managed { name, arn: policy_arn.clone() };
                    documents.identity.push((source, test_user::MANAGED_POLICY.to_owned()));
                }
                Operation::PutUserPolicy { user, name, policy } => {
                    let source = PolicySource::Inline { user: user.clone(), name: name.clone() };
                    documents.identity.push((source, policy.clone()));
                }
                _ => {}
            }
        }
        Some(documents)
    }
}

/// What is asked of whom.
struct Question {
    action: String,
    resource: String,
    /// Whether DynamoDB asks for its caller; then the call carries the table's encryption context.
    by_dynamodb: bool,
    of_key: bool,
}

/// What decides the calls of one caller.
struct Policies<'a> {
    principal: Principal,
    key: Option<NamedPolicy>,
    identity: Vec<NamedPolicy>,
    grants: &'a [Grant],
}

impl<'a> Policies<'a> {
    /// Parses the documents. Returns with the policies what could not be read.
    fn parse(documents: &'a Documents, caller: &Caller, facts: &Facts) -> (Policies<'a>, Vec<String>) {
        let mut unread = documents.unread.clone();
        let mut parse = |kind, source: PolicySource, text: &str| match PolicyDocument::parse(kind, text) {
            Ok(document) => Some(NamedPolicy { source, document: Arc::new(document) }),
            Err(error) => {
                unread.push(format!("{source} can't be parsed: {error}"));
                None
            }
        };
        let texts = documents.identity.iter();
        let identity = texts.filter_map(|(source, text)| parse(PolicyKind::Identity, source.clone(), text)).collect();
        let key = documents.key_policy.as_deref().and_then(|text| {
            let key_arn = facts.key_arn().unwrap_or_default().to_owned();
            parse(PolicyKind::Key, PolicySource::KeyPolicy { key_arn }, text)
        });
        // A session is named by its role, too: that takes the place of an id, which is not known of it.
        let of_policy = key.iter().flat_map(|policy| policy.document.principals());
        let grantees = documents.grants.iter().map(|grant| grant.grantee_principal.as_str());
        let role = caller.names(of_policy.chain(grantees)).into_iter().nth(1);
        let user_name = caller.arn.split_once(":user/").and_then(|(_, path)| path.rsplit('/').next());
        let principal = Principal {
            arn: caller.arn.clone(),
            account: caller.account.clone(),
            unique_id: documents.unique_id.clone().or(role).unwrap_or_default(),
            user_name: user_name.map(str::to_owned),
            tags: Vec::new(),
            role: None,
            token_issued: None,
        };
        (Policies { principal, key, identity, grants: &documents.grants }, unread)
    }

    /// Decides one question; `None` where nothing can be said.
    fn decide(
        &self,
        question: &Question,
        conditions: &ConditionContext,
        encryption_context: &BTreeMap<String, String>,
    ) -> Option<Decision> {
        let request = AccessRequest {
            principal: &self.principal,
            action: &question.action,
            resource: &question.resource,
            context: conditions,
        };
        if !question.of_key {
            return Some(decide(&request, &self.identity));
        }
        let owner = question.resource.split(':').nth(4).unwrap_or_default();
        let policy = self.key.as_ref()?;
        Some(decide_for_key(&request, policy, owner, &self.identity, self.grants, encryption_context))
    }
}

/// Returns the decisions that `exchange` needed, and what keeps them from being complete.
pub fn decide_again(
    exchange: &Exchange,
    caller: &Caller,
    facts: &Facts,
    region: &str,
    documents: &Documents,
) -> (Vec<Decided>, Vec<String>) {
    decide_operation(&exchange.operation, request_id(exchange), caller, facts, region, documents)
}

/// The same for a call that has not been sent.
pub fn decide_operation(
    operation: &Operation,
    request_id: &str,
    caller: &Caller,
    facts: &Facts,
    region: &str,
    documents: &Documents,
) -> (Vec<Decided>, Vec<String>) {
    let (policies, mut unread) = Policies::parse(documents, caller, facts);
    let principal = &policies.principal;
    let mut decided = Vec::new();
    for question in questions(operation, facts, caller, region) {
        // The root user needs no IAM policy (IAM guide); of a key nobody has anything without its policy (KMS guide).
        if principal.is_root() && !question.of_key {
            continue;
        }
        let of_table = operation.service() == Service::DynamoDb;
        let seen = Seen {
            action: &question.action,
            resource: &question.resource,
            by_dynamodb: question.by_dynamodb,
            table: of_table.then(|| operation.subject()),
        };
        let (conditions, encryption_context) = conditions(&seen, principal, region);
        let Some(decision) = policies.decide(&question, &conditions, &encryption_context) else { continue };
        let is_allowed = decision.is_allowed();
        unread.extend(unknown_conditions(&decision, &conditions));
        decided.push(Decided {
            request_id: request_id.to_owned(),
            principal: principal.arn.clone(),
            action: question.action,
            resource: question.resource,
            decision,
        });
        // After a refusal nothing more is asked, if the refusal is certain.
        if !is_allowed && unread.is_empty() {
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

/// Returns the questions of permission that `operation` raises, in the order in which services ask them.
fn questions(operation: &Operation, facts: &Facts, caller: &Caller, region: &str) -> Vec<Question> {
    use Operation as O;
    let (account, partition) = (&caller.account, caller.partition());
    let ask = |action: &str, resource: &str| Question {
        action: action.to_owned(),
        resource: resource.to_owned(),
        by_dynamodb: false,
        of_key: false,
    };
    let key = facts.key_arn().unwrap_or_default();
    let of_key = |action: &str| Question { of_key: true, ..ask(action, key) };
    let by_dynamodb = |action: &str| Question { by_dynamodb: true, ..of_key(action) };
    let (own, OperationDef { resource, subject, .. }) = (operation.action(), operation.def());
    let in_iam = |partition: &str, kind: &str| ask(&own, &format!("arn:{partition}:iam::{account}:{kind}/{subject}"));
    let mut questions = match resource {
        Resource::Nothing => Vec::new(),
        Resource::Any => vec![ask(&own, "*")],
        Resource::Key => vec![of_key(&own)],
        Resource::Alias => vec![ask(&own, &format!("arn:{partition}:kms:{region}:{account}:{subject}")), of_key(&own)],
        Resource::Table => vec![ask(&own, &format!("arn:{partition}:dynamodb:{region}:{account}:table/{subject}"))],
        // A role may have a path, which is in no request.
        Resource::Role => vec![in_iam("aws", "role")],
        Resource::User => vec![in_iam(partition, "user")],
        Resource::Principal => Vec::new(),
    };
    let table = questions.first().map(|question| question.resource.clone()).unwrap_or_default();
    match operation {
        O::SimulatePrincipalPolicy { principal, .. } => questions.push(ask(&own, principal)),
        O::CreateKey { .. } => questions.push(ask("kms:TagResource", "*")),
        O::CreateTable { key, .. } => {
            questions.push(ask("dynamodb:TagResource", &table));
            // AWS's own keys ask nobody who may create a table.
            if let TableKey::Customer(_) = key {
                questions.extend(["kms:DescribeKey", "kms:CreateGrant"].map(by_dynamodb));
            }
        }
        O::PutItem { .. } | O::Scan { .. } => questions.push(by_dynamodb("kms:Decrypt")),
        _ => {}
    }
    questions
}

/// A question of permission, as far as conditions can see it.
pub(in crate::lab) struct Seen<'a> {
    /// `kms:Decrypt`
    pub(in crate::lab) action: &'a str,
    /// The ARN.
    pub(in crate::lab) resource: &'a str,
    /// Whether DynamoDB asks for its caller.
    pub(in crate::lab) by_dynamodb: bool,
    /// The table whose key DynamoDB asks about.
    pub(in crate::lab) table: Option<&'a str>,
}

/// What the conditions of a policy can see of the call, and its encryption context.
pub(in crate::lab) fn conditions(
    seen: &Seen<'_>,
    principal: &Principal,
    region: &str,
) -> (ConditionContext, BTreeMap<String, String>) {
    let via = seen.by_dynamodb.then_some("dynamodb.amazonaws.com");
    let owner = account_of(seen.resource).unwrap_or(&principal.account);
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
    if seen.action.starts_with("kms:") {
        conditions.set("kms:CallerAccount", &principal.account);
    }
    if seen.by_dynamodb {
        conditions.set("kms:ViaService", format!("dynamodb.{region}.amazonaws.com"));
        if seen.action == "kms:CreateGrant" {
            conditions.set("kms:GrantIsForAWSResource", "true");
        }
        if let Some(table) = seen.table.filter(|_| seen.action != "kms:DescribeKey") {
            encryption_context.extend([
                ("aws:dynamodb:tableName".to_owned(), table.to_owned()),
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
            keys.flat_map(|tests| tests.keys())
                .filter(|key| known.get(key).is_none())
                .map(|key| format!("a condition of {} needs {key}, which isn't known here", examined.source)),
        );
    }
    unknown
}
