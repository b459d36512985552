//! `assets/policies/lab-admin.json`: exactly what the lab's admin needs, and no more.

use std::sync::Arc;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use futures_util::stream;
use kmslab::aws::Clients;
use kmslab::lab::{
    Backend, BackendKind, Effect, Experiment, Identity, Intent, Names, Operation, Stage, State, Status, TableKey,
};
use kmslab::policy::{
    AccessRequest, ConditionContext, NamedPolicy, PolicyDocument, PolicyKind, PolicySource, Principal, decide,
};
use kmslab::run::Ended;
use kmslab::run::cleanup::{Consent, Outcome, Scope, Target, Work, clean};
use kmslab::run::effects::EffectHandler;
use kmslab::run::front::headless::{self, Format};
use kmslab::sandbox::{Config, Sandbox};
use rstest::rstest;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::drive::press;

const POLICY: &str = include_str!("../../assets/policies/lab-admin.json");
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// What KMS knows of the lab's key, and of no other.
const TAGGED: (&str, &str) = ("aws:ResourceTag/kmslab:run", "operator1");
/// The tags that CreateKey is sent with.
const TAGS: [(&str, &str); 2] = [("aws:RequestTag/kmslab:run", "operator1"), ("aws:TagKeys", "kmslab:run")];
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
        context.add(key, value.as_str());
    }
    let call = AccessRequest { principal: &principal, action, resource, context: &context };
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
        O::CreateKey { .. } => vec![ask(&action, "*", &TAGS), ask("kms:TagResource", "*", &TAGS)],
        // Both on the alias and on the key (KMS reference).
        O::CreateAlias { alias, .. } | O::DeleteAlias { alias } => {
            [one(KEY), one(&format!("arn:aws:kms:us-east-1:111122223333:{alias}"))].concat()
        }
        O::DescribeKey { .. } | O::GetKeyPolicy { .. } | O::PutKeyPolicy { .. } => one(KEY),
        O::ScheduleKeyDeletion { .. } => vec![ask(&action, KEY, &[TAGGED])],
        // DynamoDB asks KMS on behalf of the table's creator, for everything that its guide lists.
        // An AWS key of an experiment's tables asks the admin for nothing.
        O::CreateTable { table: name, key: TableKey::AwsOwned | TableKey::AwsManaged, .. } => {
            [one(&table(name)), vec![ask("dynamodb:TagResource", &table(name), &[])]].concat()
        }
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
        // Only after an answer was lost; not among the calls of a lab that goes well.
        O::ListKeys => one("*"),
        O::ListAccessKeys { user: name } => one(&user(name)),
        O::CreateUser { user: name, .. } => [one(&user(name)), vec![ask("iam:TagUser", &user(name), &[])]].concat(),
        O::CreateAccessKey { user: name } | O::DeleteAccessKey { user: name, .. } | O::DeleteUser { user: name } => {
            one(&user(name))
        }
        O::PutUserPolicy { user: name, .. } | O::DeleteUserPolicy { user: name, .. } => one(&user(name)),
        O::SimulatePrincipalPolicy { principal, .. } => one(principal),
        _ => asks_of_the_experiments(operation),
    }
}

/// The lab on the sandbox with these keys.
fn lab(sandbox: &Sandbox, id: &str, secret: &str) -> (State, Clients) {
    let backend = Backend {
        kind: BackendKind::Aws,
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.url().to_owned()),
        given_user: false,
    };
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), id, secret);
    let mut state = State::new(backend, Names::new("operator1"));
    state.set_accepted_account(Some("111122223333".to_owned()));
    (state, clients)
}

/// Whether it goes on, which it does, after `sent` has seen what the admin sends.
fn seen(effect: &Effect, sent: &mut impl FnMut(&Operation)) -> bool {
    if let Effect::Call { identity: Identity::Admin, operation, .. } = effect {
        sent(operation);
    }
    true
}

/// Takes `state` through the stages up to `last`.
fn run_to(last: Stage, state: &mut State, clients: Clients, runtime: &Runtime, mut sent: impl FnMut(&Operation)) {
    runtime.block_on(async {
        let (world, mut events) = EffectHandler::new(clients);
        while state.check(last).is_none() {
            press(Intent::Advance, state, &world, &mut events, |_, effect| seen(effect, &mut sent)).await;
        }
    });
}

/// `kmslab cleanup` by tags alone.
fn clean_up(sandbox: &Sandbox, clients: &Clients, runtime: &Runtime) -> (Outcome, String) {
    let endpoint = Some(sandbox.url().to_owned());
    let target = Target { endpoint, region: sandbox.region().to_owned(), admin_profile: None };
    let nobody = |_: &str| Ok(None);
    let everyones = Consent { accepted: Some("111122223333"), ask: &nobody };
    let scope = Scope::All(&everyones);
    let work = Work { clients, target: &target, folder: None, scope, older_than: None, dry_run: false };
    let mut out = Vec::new();
    let outcome = runtime.block_on(clean(&work, Vec::new(), &mut None, &mut out)).0;
    (outcome, String::from_utf8(out).unwrap())
}

fn iam_of(sandbox: &Sandbox) -> aws_sdk_iam::Client {
    let admin = sandbox.admin();
    let (id, secret) = (&admin.access_key_id, admin.secret_access_key.as_str());
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(sandbox.region().to_owned()))
        .endpoint_url(sandbox.url())
        .credentials_provider(Credentials::new(id, secret, None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_iam::Client::from_conf(config.build())
}

const MANAGED: &str = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess";

const TRIED: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}"#;

/// Every permission that a clean-up after a lab asks for, from what the sandbox really decided.
fn asked_by_clean_up() -> Vec<Ask> {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let admin = sandbox.admin();
    let (mut state, clients) = lab(&sandbox, &admin.access_key_id, &admin.secret_access_key);
    let runtime = runtime();
    run_to(Stage::ViewAgain, &mut state, clients, &runtime, |_| ());
    let put = iam_of(&sandbox).put_user_policy().user_name(&state.names().user).policy_name("tried");
    runtime.block_on(put.policy_document(TRIED).send()).unwrap();
    // As labs before the inline policy left their users.
    let attach = iam_of(&sandbox).attach_user_policy().user_name(&state.names().user).policy_arn(MANAGED);
    runtime.block_on(attach.send()).unwrap();
    let before = sandbox.decisions().len();
    let clients = lab(&sandbox, &admin.access_key_id, &admin.secret_access_key).1;
    let (outcome, printed) = clean_up(&sandbox, &clients, &runtime);
    assert_eq!(outcome, Outcome::Clean, "{printed}");
    // What DynamoDB does with its own grant, it does in its own name.
    let of_admin = |principal: &str| principal.ends_with(":user/kmslab-admin");
    let decisions = sandbox.decisions().into_iter().skip(before).filter(|decided| of_admin(&decided.principal));
    decisions
        .map(|decided| match decided.action.as_str() {
            action @ "kms:ScheduleKeyDeletion" => ask(action, &decided.resource, &[TAGGED]),
            action @ "iam:DetachUserPolicy" => ask(action, &decided.resource, &[("iam:PolicyARN", MANAGED)]),
            action => ask(action, &decided.resource, &[]),
        })
        .collect()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Every permission that a whole lab asks for, from the calls that it really sends.
fn asked() -> Vec<Ask> {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (mut state, clients) = lab(&sandbox, &sandbox.admin().access_key_id, &sandbox.admin().secret_access_key);
    let mut asked = Vec::new();
    run_to(Stage::CleanUp, &mut state, clients, &runtime(), |operation| asked.extend(asks_of(operation)));
    asked
}

#[test]
fn the_lab_admin_policy_is_exact() {
    // Asked only where admin or test-user is a role.
    let of_a_role = vec![ask("iam:GetRole", "arn:aws:iam::111122223333:role/team/reader", &[])];
    let asked = [asked(), asked_by_clean_up(), of_a_role].concat();
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
#[case::a_managed_policy("iam:AttachUserPolicy", &user("kmslab-user-1"), &[("iam:PolicyARN", MANAGED)])]
#[case::a_policy_of_another_user("iam:PutUserPolicy", &user("alice"), &[])]
#[case::taking_another_policy("iam:DetachUserPolicy", &user("kmslab-user-1"), &[("iam:PolicyARN", "arn:aws:iam::aws:policy/AdministratorAccess")])]
#[case::decrypt_directly("kms:Decrypt", KEY, &[])]
#[case::decrypt_through_s3("kms:Decrypt", KEY, &[("kms:ViaService", "s3.us-east-1.amazonaws.com")])]
#[case::grant_directly("kms:CreateGrant", KEY, &[])]
#[case::another_alias("kms:DeleteAlias", "arn:aws:kms:us-east-1:111122223333:alias/production", &[])]
#[case::disable("kms:DisableKey", KEY, &[TAGGED])]
#[case::delete_another_key("kms:ScheduleKeyDeletion", KEY, &[])]
#[case::delete_a_key_with_other_tags("kms:ScheduleKeyDeletion", KEY, &[("aws:ResourceTag/team", "red")])]
#[case::a_key_without_the_tag("kms:CreateKey", "*", &[])]
#[case::other_tags("kms:TagResource", KEY, &[TAGS[0], TAGS[1], ("aws:TagKeys", "team")])]
#[case::untag("kms:UntagResource", KEY, &[TAGGED, ("aws:TagKeys", "kmslab:run")])]
fn what_the_lab_does_not_do_is_not_allowed(
    #[case] action: &str,
    #[case] resource: &str,
    #[case] context: &[(&'static str, &str)],
) {
    assert!(!is_allowed(POLICY, &ask(action, resource, context)));
}

/// The lab on `sandbox` as a user with this policy alone.
fn operator(sandbox: &Sandbox, runtime: &Runtime) -> (State, Clients) {
    runtime.block_on(async {
        let iam = iam_of(sandbox);
        iam.create_user().user_name("operator").send().await.unwrap();
        let put = iam.put_user_policy().user_name("operator").policy_name("lab-admin");
        put.policy_document(POLICY).send().await.unwrap();
        let made = iam.create_access_key().user_name("operator").send().await.unwrap();
        let keys = made.access_key().unwrap();
        lab(sandbox, keys.access_key_id(), keys.secret_access_key())
    })
}

#[test]
fn a_user_with_this_policy_alone_goes_through_the_whole_lab() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let runtime = runtime();
    let (state, clients) = operator(&sandbox, &runtime);
    let (state, ended) = runtime.block_on(async {
        let (world, events) = EffectHandler::new(clients);
        headless::run(state, world, events, Format::Text, &mut Vec::new(), stream::pending()).await
    });
    let unmet: Vec<_> = Stage::ALL.iter().filter_map(|stage| state.check(*stage)).filter(|check| !check.met).collect();
    assert_eq!(unmet, Vec::<&kmslab::lab::Check>::new());
    assert_eq!(ended.unwrap(), Ended::Finished);
}

#[test]
fn this_policy_alone_cleans_up_after_a_killed_lab() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let runtime = runtime();
    let (mut state, clients) = operator(&sandbox, &runtime);
    let put = |name: &str| iam_of(&sandbox).put_user_policy().user_name(name).policy_name("tried");
    run_to(Stage::ViewAgain, &mut state, clients, &runtime, |_| ());
    runtime.block_on(put(&state.names().user).policy_document(TRIED).send()).unwrap();
    let keys = runtime.block_on(iam_of(&sandbox).create_access_key().user_name("operator").send()).unwrap();
    let keys = keys.access_key().unwrap();
    let clients = lab(&sandbox, keys.access_key_id(), keys.secret_access_key()).1;
    let (outcome, printed) = clean_up(&sandbox, &clients, &runtime);
    assert_eq!(outcome, Outcome::Clean, "{printed}");
    for kind in ["deleted      table", "deleted      user", "deleted      alias", "scheduled    key"] {
        assert!(printed.contains(kind), "{printed}");
    }
}

// The experiments: what they need besides. A policy of its own, since both are more than a user's inline policies may have
// together, and since not everybody wants to allow it.

const EXPERIMENTS: &str = include_str!("../../assets/policies/lab-admin-bench.json");
const GRANTEE: (&str, &str) = ("kms:GranteePrincipal", "arn:aws:iam::111122223333:user/kmslab-user-operator1");
const GRANTED: (&str, &str) = ("kms:GrantOperations", "Decrypt");

fn asks_of_the_experiments(operation: &Operation) -> Vec<Ask> {
    use Operation as O;
    let action = operation.action();
    match operation {
        O::DisableKey { .. }
        | O::EnableKey { .. }
        | O::CancelKeyDeletion { .. }
        | O::RotateKeyOnDemand { .. }
        | O::ListGrants { .. }
        | O::RevokeGrant { .. } => vec![ask(&action, KEY, &[TAGGED])],
        O::CreateGrant { grantee, operations, .. } => {
            let operations = operations.iter().map(|operation| ("kms:GrantOperations", operation.as_str()));
            let facts: Vec<_> = [TAGGED, ("kms:GranteePrincipal", grantee)].into_iter().chain(operations).collect();
            vec![ask(&action, KEY, &facts)]
        }
        other => panic!("what does {other:?} ask for?"),
    }
}

fn statements(policy: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(policy).unwrap()["Statement"].as_array().unwrap().clone()
}

fn document(statements: Vec<Value>) -> String {
    serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// Takes `state` through every experiment; `change` does something before the first of it.
fn try_the_experiments(
    state: &mut State,
    clients: Clients,
    runtime: &Runtime,
    change: impl AsyncFnOnce(),
    mut sent: impl FnMut(&Operation),
) {
    // On AWS an experiment counts five minutes down; here it moves the clock.
    state.set_backend(Backend { kind: BackendKind::Endpoint, ..state.backend().clone() });
    runtime.block_on(async {
        let (world, mut events) = EffectHandler::new(clients);
        let mut change = Some(change);
        let mut intents = Vec::new();
        loop {
            let intent = intents.pop().unwrap_or(Intent::Advance);
            press(intent, state, &world, &mut events, |_, effect| seen(effect, &mut sent)).await;
            if !intents.is_empty() || state.check(Stage::ViewAgain).is_none() {
                continue;
            }
            match state.view().experiment {
                None => {
                    change.take().unwrap()().await;
                    intents = vec![Intent::Advance, Intent::Advance, Intent::ToggleExperiments];
                }
                Some(which) if which.next().is_some() => intents = vec![Intent::Advance, Intent::ShowNext],
                Some(_) => return,
            }
        }
    });
    let unmet: Vec<_> = Experiment::ALL.iter().map(|which| &state.trial(*which).status).collect();
    assert!(unmet.iter().all(|status| matches!(status, Status::Done(check) if check.met)), "{unmet:?}");
}

#[test]
fn the_experiments_policy_is_exact() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (mut state, clients) = lab(&sandbox, &sandbox.admin().access_key_id, &sandbox.admin().secret_access_key);
    // Asked only after an answer was lost.
    let mut asked = asks_of_the_experiments(&Operation::ListGrants { key: KEY.to_owned() });
    try_the_experiments(&mut state, clients, &runtime(), async || {}, |operation| asked.extend(asks_of(operation)));
    let both = |more: Vec<Value>| document([statements(POLICY), more].concat());
    let refused: Vec<&Ask> = asked.iter().filter(|ask| !is_allowed(&both(statements(EXPERIMENTS)), ask)).collect();
    assert_eq!(refused, Vec::<&Ask>::new());
    for at in 0..statements(EXPERIMENTS).len() {
        for which in 0..statements(EXPERIMENTS)[at]["Action"].as_array().unwrap().len() {
            let mut less = statements(EXPERIMENTS);
            let action = std::mem::replace(&mut less[at]["Action"][which], "sts:DecodeAuthorizationMessage".into());
            let less = both(less);
            assert!(asked.iter().any(|ask| !is_allowed(&less, ask)), "{action} is allowed in vain");
        }
    }
}

#[rstest]
#[case::disable_another_key("kms:DisableKey", KEY, &[])]
#[case::grant_to_another("kms:CreateGrant", KEY, &[TAGGED, ("kms:GranteePrincipal", "arn:aws:iam::111122223333:user/alice"), GRANTED])]
#[case::grant_grants("kms:CreateGrant", KEY, &[TAGGED, GRANTEE, ("kms:GrantOperations", "CreateGrant")])]
#[case::grant_on_another_key("kms:CreateGrant", KEY, &[GRANTEE, GRANTED])]
#[case::policy_of_a_user("iam:PutUserPolicy", &user("kmslab-user-operator1"), &[])]
#[case::decrypt_directly("kms:Decrypt", KEY, &[TAGGED])]
fn what_no_experiment_does_is_not_allowed(
    #[case] action: &str,
    #[case] resource: &str,
    #[case] context: &[(&'static str, &str)],
) {
    assert!(!is_allowed(EXPERIMENTS, &ask(action, resource, context)));
}

#[test]
fn a_user_with_both_policies_tries_every_experiment() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let runtime = runtime();
    let (mut state, clients) = operator(&sandbox, &runtime);
    // As an inline policy both have room for what the experiments need, without what made the lab's things.
    let done = ["MakeTheKeyWithItsTags", "NameTheKey", "LookAround", "DeleteKeysWithTheTag", "OlderUsers"];
    let mut rest: Vec<Value> = [POLICY, EXPERIMENTS].into_iter().flat_map(statements).collect();
    rest.retain(|statement| !done.contains(&statement["Sid"].as_str().unwrap()));
    let delete = serde_json::json!({"Effect": "Allow", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"});
    rest.push(delete);
    rest.iter_mut().for_each(|statement| drop(statement.as_object_mut().unwrap().remove("Sid")));
    let iam = iam_of(&sandbox);
    let put = async || {
        let put = iam.put_user_policy().user_name("operator").policy_name("lab-admin");
        drop(put.policy_document(document(rest)).send().await.unwrap());
    };
    try_the_experiments(&mut state, clients, &runtime, put, |_| ());
}
