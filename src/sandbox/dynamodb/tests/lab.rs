//! An engine with an administrator, and short ways to call it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::context::Caller;
use crate::sandbox::engine::Engine;
use crate::sandbox::error::Fault;
use crate::sandbox::log::{TrailEvent, Verdict};
use crate::sandbox::service::Service;
pub use crate::sandbox::tests::ACCOUNT;
use crate::sandbox::tests::code_and_message;
use crate::sandbox::{Config, tests};

pub struct Lab {
    pub engine: Engine,
    pub admin: Caller,
}

impl Lab {
    pub fn new() -> Self {
        Self::open(&Config { seed: Some(7), ..Config::default() })
    }

    pub fn open(config: &Config) -> Self {
        let (engine, admin) = tests::open(config);
        Self { engine, admin }
    }

    /// A new user whose inline policy allows these actions on everything.
    pub fn user(&mut self, name: &str, actions: &[&str]) -> Caller {
        self.user_with(
            name,
            &json!({
                "Version": "2012-10-17",
                "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
            }),
        )
    }

    pub fn user_with(&mut self, name: &str, policy: &Value) -> Caller {
        tests::user(&mut self.engine, &self.admin, name, Some(policy))
    }

    pub fn kms(&mut self, operation: &str, input: Value) -> Value {
        let admin = self.admin.clone();
        tests::kms(&mut self.engine, &admin, operation, &input).unwrap_or_else(|e| panic!("{operation}: {e:?}"))
    }

    /// A new customer managed key's ARN.
    pub fn key(&mut self) -> String {
        self.kms("CreateKey", json!({}))["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    pub fn call(&mut self, who: &Caller, operation: &str, input: &Value) -> Result<Value, Fault> {
        tests::dynamodb(&mut self.engine, who, operation, input)
    }

    /// A call that works, as the administrator.
    pub fn ok(&mut self, operation: &str, input: Value) -> Value {
        let admin = self.admin.clone();
        self.call(&admin, operation, &input).unwrap_or_else(|e| panic!("{operation} {input}: {e:?}"))
    }

    /// A call that fails, as the administrator: code and message.
    pub fn fails(&mut self, operation: &str, input: Value) -> (String, String) {
        let admin = self.admin.clone();
        self.fails_as(&admin, operation, input)
    }

    pub fn fails_as(&mut self, who: &Caller, operation: &str, input: Value) -> (String, String) {
        match self.call(who, operation, &input) {
            Ok(answer) => panic!("{operation} {input} worked: {answer}"),
            Err(error) => code_and_message(Service::DynamoDb, &error),
        }
    }

    /// A table with a string partition key `id`.
    pub fn table(&mut self, name: &str, sse: Value) -> Value {
        self.ok("CreateTable", create(name, sse))
    }

    pub fn wait(&mut self, seconds: u64) {
        self.engine.account.state.clock.advance(Duration::from_secs(seconds));
    }

    pub fn events(&self) -> Vec<TrailEvent> {
        let events = self.engine.account.trail.all().into_iter();
        events.filter(|event| event.user_identity.invoked_by.is_some()).collect()
    }

    /// What happened in KMS for DynamoDB since the `from`th event: name, identity, verdict.
    pub fn since(&self, from: usize) -> Vec<(String, String, Verdict)> {
        let events = self.events();
        let identity = |event: &TrailEvent| {
            event.user_identity.user_name.clone().unwrap_or_else(|| event.user_identity.kind.clone())
        };
        events[from..].iter().map(|event| (event.event_name.clone(), identity(event), event.verdict)).collect()
    }
}

pub fn create(name: &str, sse: Value) -> Value {
    let mut input = json!({
        "TableName": name,
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    if !sse.is_null() {
        input["SSESpecification"] = sse;
    }
    input
}

pub fn customer(key: &str) -> Value {
    json!({ "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key })
}

/// `message` with every uuid after `Request ID: ` replaced, for comparing.
pub fn without_request_id(message: &str) -> String {
    match message.split_once("Request ID: ") {
        Some((start, rest)) => format!("{start}Request ID: <uuid>{}", &rest[36..]),
        None => message.to_owned(),
    }
}
