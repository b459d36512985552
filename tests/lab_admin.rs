//! `assets/policies/lab-admin.json`: exactly what the lab's admin needs, and no more.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]

use std::sync::Arc;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use futures_util::stream;
use kmslab::aws::Clients;
use kmslab::lab::{Backend, BackendKind, Effect, Event, Identity, Intent, Names, Operation, State};
use kmslab::policy::{
    Call, ConditionContext, NamedPolicy, PolicyDocument, PolicyKind, PolicySource, Principal, decide,
};
use kmslab::run::Ended;
use kmslab::run::headless::{self, Format};
use kmslab::run::world::World;
use kmslab::sandbox::{Config, Sandbox};
use rstest::rstest;
use serde_json::Value;

const POLICY: &str = include_str!("../assets/policies/lab-admin.json");
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const VIA: (&str, &str) = ("kms:ViaService", "dynamodb.us-east-1.amazonaws.com");

/// Something that is asked: action, resource, what conditions see.
type Ask = (String, String, Vec<(&'static str, String)>);

fn ask(action: &str, resource: &str, context: &[(&'static str, &str)]) -> Ask {
    (action.into(), resource.into(), context.iter().map(|(key, value)| (*key, (*value).to_owned())).collect())
}

fn is_allowed(policy: &str, (action, resource, facts): &Ask) -> bool {
    let document = Arc::new(PolicyDocument::parse(PolicyKind::Identity, policy).unwrap());
    let source = PolicySource::Inline { user: "operator".into(), name: "lab-admin".into() };
    let principal = Principal::user("111122223333", "operator", "AIDAOPERATOROPERATOR");
    let mut context = ConditionContext::default();
    for (key, value) in facts {
        context.set(key, value.as_str());
    }
    let call = Call { principal: &principal, action, resource, context: &context };
    decide(&call, &[NamedPolicy { source, document }]).is_allowed()
}

fn table(name: &str) -> String {
    format!("arn:aws:dynamodb:us-east-1:111122223333:table/{name}")
}

fn user(name: &str) -> String {
    format!("arn:aws:iam::111122223333:user/{name}")
}

/// The permissions that a call of the lab asks for.
fn asks_of(operation: &Operation) -> Vec<Ask> {
    use Operation as O;
    let action = operation.action();
    let one = |resource: &str| vec![ask(&action, resource, &[])];
    match operation {
        // It needs no permission (STS reference).
        O::GetCallerIdentity => vec![],
        // With its tags (KMS reference, "CreateKey").
        O::CreateKey { .. } => [one("*"), vec![ask("kms:TagResource", "*", &[])]].concat(),
        // Both on the alias and on the key (KMS reference).
        O::CreateAlias { alias, .. } | O::DeleteAlias { alias } => {
            [one(KEY), one(&format!("arn:aws:kms:us-east-1:111122223333:{alias}"))].concat()
        }
        O::DescribeKey { .. } | O::GetKeyPolicy { .. } | O::PutKeyPolicy { .. } | O::ScheduleKeyDeletion { .. } => {
            one(KEY)
        }
        // DynamoDB asks KMS in the name of whoever creates the table, for all that its guide lists.
        O::CreateTable { table: name, .. } => {
            let on_behalf = [
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ];
            let own = [one(&table(name)), vec![ask("dynamodb:TagResource", &table(name), &[])]].concat();
            own.into_iter().chain(on_behalf.map(|action| ask(action, KEY, &[VIA]))).collect()
        }
        O::DescribeTable { table: name } | O::DeleteTable { table: name } => one(&table(name)),
        O::PutItem { table: name, .. } | O::Scan { table: name } => {
            [one(&table(name)), vec![ask("kms:Decrypt", KEY, &[VIA])]].concat()
        }
        O::CreateUser { user: name, .. } => [one(&user(name)), vec![ask("iam:TagUser", &user(name), &[])]].concat(),
        O::CreateAccessKey { user: name } | O::DeleteAccessKey { user: name, .. } | O::DeleteUser { user: name } => {
            one(&user(name))
        }
        O::AttachUserPolicy { user: name, policy_arn } | O::DetachUserPolicy { user: name, policy_arn } => {
            vec![ask(&action, &user(name), &[("iam:PolicyARN", policy_arn)])]
        }
    }
}

/// The lab on the sandbox with these keys.
fn lab(sandbox: &Sandbox, id: &str, secret: &str) -> (State, Clients) {
    let backend = Backend {
        kind: BackendKind::Endpoint,
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.url().to_owned()),
        given_user: false,
    };
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), id, secret);
    (State::new(backend, Names::new("operator1")), clients)
}

/// Every permission that a whole lab asks for, from the calls that it really sends.
fn asked() -> Vec<Ask> {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (mut state, clients) = lab(&sandbox, &sandbox.admin().access_key_id, &sandbox.admin().secret_access_key);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut asked = Vec::new();
    runtime.block_on(async {
        let (world, mut events) = World::new(clients);
        while !state.is_finished() {
            let mut event = Event::Intent(Intent::Advance);
            loop {
                for effect in state.update(event) {
                    if let Effect::Call { identity: Identity::Admin, operation, .. } = &effect {
                        asked.extend(asks_of(operation));
                    }
                    world.perform(effect);
                }
                if !state.is_running() {
                    break;
                }
                event = events.recv().await.unwrap();
            }
        }
    });
    asked
}

#[test]
fn every_call_of_the_lab_is_allowed_and_no_action_is_allowed_in_vain() {
    let asked = asked();
    let refused: Vec<&Ask> = asked.iter().filter(|ask| !is_allowed(POLICY, ask)).collect();
    assert_eq!(refused, Vec::<&Ask>::new());
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let mut actions = 0;
    for (at, statement) in policy["Statement"].as_array().unwrap().iter().enumerate() {
        let all = statement["Action"].as_array().unwrap();
        for (which, action) in all.iter().enumerate() {
            let mut less = policy.clone();
            less["Statement"][at]["Action"].as_array_mut().unwrap().remove(which);
            // A statement must have an action; this one allows nothing.
            less["Statement"][at]["Action"].as_array_mut().unwrap().push("sts:DecodeAuthorizationMessage".into());
            let less = less.to_string();
            assert!(asked.iter().any(|ask| !is_allowed(&less, ask)), "{action} is allowed in vain");
            actions += 1;
        }
    }
    assert!(actions > 20);
}

#[rstest]
#[case::another_table("dynamodb:DeleteTable", &table("orders"), &[])]
#[case::another_user("iam:DeleteUser", &user("alice"), &[])]
#[case::keys_for_another_user("iam:CreateAccessKey", &user("alice"), &[])]
#[case::another_policy("iam:AttachUserPolicy", &user("kmslab-user-1"), &[("iam:PolicyARN", "arn:aws:iam::aws:policy/AdministratorAccess")])]
#[case::decrypt_directly("kms:Decrypt", KEY, &[])]
#[case::decrypt_through_s3("kms:Decrypt", KEY, &[("kms:ViaService", "s3.us-east-1.amazonaws.com")])]
#[case::grant_directly("kms:CreateGrant", KEY, &[])]
#[case::another_alias("kms:DeleteAlias", "arn:aws:kms:us-east-1:111122223333:alias/production", &[])]
#[case::disable("kms:DisableKey", KEY, &[])]
fn what_the_lab_does_not_do_is_not_allowed(
    #[case] action: &str,
    #[case] resource: &str,
    #[case] context: &[(&'static str, &str)],
) {
    assert!(!is_allowed(POLICY, &ask(action, resource, context)));
}

#[test]
fn a_user_with_this_policy_alone_goes_through_the_whole_lab() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let admin = sandbox.admin();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (state, ended) = runtime.block_on(async {
        let iam = aws_sdk_iam::Client::from_conf(
            aws_sdk_iam::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(sandbox.region().to_owned()))
                .endpoint_url(sandbox.url())
                .credentials_provider(Credentials::new(
                    &admin.access_key_id,
                    admin.secret_access_key.as_str(),
                    None,
                    None,
                    "test",
                ))
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .build(),
        );
        iam.create_user().user_name("operator").send().await.unwrap();
        iam.put_user_policy()
            .user_name("operator")
            .policy_name("lab-admin")
            .policy_document(POLICY)
            .send()
            .await
            .unwrap();
        let made = iam.create_access_key().user_name("operator").send().await.unwrap();
        let keys = made.access_key().unwrap();
        let (state, clients) = lab(&sandbox, keys.access_key_id(), keys.secret_access_key());
        let (world, events) = World::new(clients);
        let mut out = Vec::new();
        headless::run(state, world, events, Format::Text, &mut out, stream::pending()).await
    });
    let unmet: Vec<_> =
        kmslab::lab::Stage::ALL.iter().filter_map(|stage| state.check(*stage)).filter(|check| !check.met).collect();
    assert_eq!(unmet, Vec::<&kmslab::lab::Check>::new());
    assert_eq!(ended.unwrap(), Ended::Finished);
}
