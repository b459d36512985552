//! What the tests of more than one service need: an engine with an administrator, users, and calls.

mod golden;
mod transactions;

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use aws_sigv4::http_request::{SigningParams, SigningSettings};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use serde_json::Value;

use super::catalog;
use super::config::Config;
use super::context::{Caller, Context, Origin};
use super::engine::Engine;
use super::error::Fault;
use super::form::Form;
use super::operation::Output;
use super::service::Service;
use super::validate::Params;
use super::xml::Xml;
use crate::policy::Principal;

pub const ACCOUNT: &str = "111122223333";

/// The code and message of a failed call.
pub fn code_and_message(service: Service, fault: &Fault) -> (String, String) {
    (fault.code(service).to_owned(), fault.message(service).unwrap_or_default().into_owned())
}

/// What a signature of `identity` for a call of `service` is made with: now, over every header that is given.
pub fn signing(identity: &Identity, service: Service) -> SigningParams<'_> {
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    v4::SigningParams::builder()
        .identity(identity)
        .region("us-east-1")
        .name(service.signing_name())
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .unwrap()
        .into()
}

/// An engine, and its administrator.
pub fn open(config: &Config) -> (Engine, Caller) {
    let engine = Engine::open(config).unwrap();
    let (access_key_id, _) = engine.account.state.iam.admin();
    let (principal, _) = engine.account.state.iam.secret_of(&access_key_id).unwrap();
    (engine, caller(principal))
}

/// A caller whose permissions are read with every call.
pub fn caller(principal: Principal) -> Caller {
    Caller {
        principal: Arc::new(principal),
        permissions: Arc::default(),
        limits: Arc::default(),
        access_key_id: "AKIATEST".to_owned(),
        via: None,
        origin: Arc::new(Origin {
            request_id: "ANSWER".to_owned(),
            source_ip: "127.0.0.1".to_owned(),
            user_agent: "test".to_owned(),
            explains: false,
            connection: 0,
        }),
    }
}

/// No parameters.
static NO_PARAMS: LazyLock<Params> = LazyLock::new(|| Params::Query(Form::default()));

/// The context of a call of `who`, without parameters.
pub fn context<'a>(engine: &'a mut Engine, who: &Caller) -> Context<'a> {
    let entropy = engine.next_entropy("test");
    let caller = with_permissions(engine, who);
    Context { account: &mut engine.account, caller, entropy, params: &NO_PARAMS }
}

fn with_permissions(engine: &Engine, who: &Caller) -> Caller {
    Caller { permissions: Arc::new(engine.account.state.iam.policies_of(&who.principal)), ..who.clone() }
}

/// Runs a call.
fn call(engine: &mut Engine, who: &Caller, service: Service, name: &str, params: &Params) -> Result<Output, Fault> {
    let operation = catalog::find(service, name)?;
    let entropy = engine.next_entropy("test");
    let caller = with_permissions(engine, who);
    engine.run(caller, entropy, operation, params)
}

fn json(engine: &mut Engine, who: &Caller, service: Service, name: &str, input: &Value) -> Result<Value, Fault> {
    let params = Params::read(service, input.to_string().as_bytes(), Form::default())?;
    match call(engine, who, service, name, &params)? {
        Output::Json(output) => Ok(output),
        Output::Xml(xml) => panic!("{xml}"),
    }
}

/// A call to KMS.
pub fn kms(engine: &mut Engine, who: &Caller, operation: &str, input: &Value) -> Result<Value, Fault> {
    json(engine, who, Service::Kms, operation, input)
}

/// A call to CloudTrail.
pub fn cloudtrail(engine: &mut Engine, who: &Caller, operation: &str, input: &Value) -> Result<Value, Fault> {
    json(engine, who, Service::CloudTrail, operation, input)
}

/// A call to DynamoDB.
pub fn dynamodb(engine: &mut Engine, who: &Caller, operation: &str, input: &Value) -> Result<Value, Fault> {
    json(engine, who, Service::DynamoDb, operation, input)
}

/// A call to IAM or STS.
pub fn query(
    engine: &mut Engine,
    who: &Caller,
    service: Service,
    action: &str,
    parameters: &[(&str, &str)],
) -> Result<Xml, Fault> {
    match call(engine, who, service, action, &Params::Query(parameters.iter().copied().collect()))? {
        Output::Xml(xml) => Ok(xml),
        Output::Json(output) => panic!("{output}"),
    }
}

/// A call to IAM.
pub fn iam(engine: &mut Engine, who: &Caller, action: &str, parameters: &[(&str, &str)]) -> Result<Xml, Fault> {
    query(engine, who, Service::Iam, action, parameters)
}

/// A new user; `policy` becomes its inline policy.
pub fn user(engine: &mut Engine, admin: &Caller, name: &str, policy: Option<&Value>) -> Caller {
    iam(engine, admin, "CreateUser", &[("UserName", name)]).unwrap();
    if let Some(policy) = policy {
        let document = policy.to_string();
        let parameters = [("UserName", name), ("PolicyName", "p"), ("PolicyDocument", &document)];
        iam(engine, admin, "PutUserPolicy", &parameters).unwrap();
    }
    caller(engine.account.state.iam.find_principal(&format!("arn:aws:iam::{ACCOUNT}:user/{name}")).unwrap())
}
