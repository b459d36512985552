//! What the tests of more than one service need: an engine with an administrator, and users.

mod golden;

use serde_json::Value;
use uuid::Uuid;

use super::engine::{Engine, RequestContext};
use super::error::Fault;
use super::service::Service;
use super::{Config, Form, iam};
use crate::policy::Principal;

pub const ACCOUNT: &str = "111122223333";

/// The code and message of a failed call.
pub fn code_and_message(service: Service, fault: &Fault) -> (String, String) {
    (fault.code(service).to_owned(), fault.message(service).unwrap_or_default().into_owned())
}

/// An engine, and its administrator.
pub fn open(config: &Config) -> (Engine, RequestContext) {
    let engine = Engine::open(config).unwrap();
    let (access_key_id, _) = engine.iam.admin();
    let (principal, _) = engine.iam.secret_of(&access_key_id).unwrap();
    (engine, context(principal))
}

pub fn context(principal: Principal) -> RequestContext {
    RequestContext {
        principal,
        access_key_id: "AKIAEXAMPLE".to_owned(),
        request_id: Uuid::nil(),
        answer_id: "ANSWER".to_owned(),
        source_ip: "127.0.0.1".to_owned(),
        user_agent: "test".to_owned(),
        connection: 0,
    }
}

/// A new user; `policy` becomes its inline policy.
pub fn user(engine: &mut Engine, admin: &RequestContext, name: &str, policy: Option<&Value>) -> RequestContext {
    iam::call(engine, admin, "CreateUser", &Form::from_iter([("UserName", name)])).unwrap();
    if let Some(policy) = policy {
        let document = policy.to_string();
        let form = Form::from_iter([("UserName", name), ("PolicyName", "p"), ("PolicyDocument", &document)]);
        iam::call(engine, admin, "PutUserPolicy", &form).unwrap();
    }
    context(engine.iam.find_principal(&format!("arn:aws:iam::{ACCOUNT}:user/{name}")).unwrap())
}
