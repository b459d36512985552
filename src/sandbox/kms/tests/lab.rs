//! An engine with an administrator, and short ways to call it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::sandbox::context::Caller;
use crate::sandbox::engine::Engine;
use crate::sandbox::error::Fault;
use crate::sandbox::service::Service;
pub use crate::sandbox::tests::ACCOUNT;
use crate::sandbox::tests::code_and_message;
use crate::sandbox::{Config, tests};

pub const REGION: &str = "us-east-1";
/// Well-formed, and nobody's.
pub const NO_KEY: &str = "00000000-0000-4000-8000-000000000000";

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

    /// A new user; `policy` becomes its inline policy.
    pub fn user(&mut self, name: &str, policy: Option<Value>) -> Caller {
        tests::user(&mut self.engine, &self.admin, name, policy.as_ref())
    }

    pub fn call(&mut self, who: &Caller, operation: &str, input: Value) -> Result<Value, Fault> {
        tests::kms(&mut self.engine, who, operation, &input)
    }

    /// A call that works, as the administrator.
    pub fn ok(&mut self, operation: &str, input: Value) -> Value {
        let admin = self.admin.clone();
        self.call(&admin, operation, input.clone()).unwrap_or_else(|e| panic!("{operation} {input}: {e:?}"))
    }

    /// A call that fails, as the administrator: code and message.
    pub fn fails(&mut self, operation: &str, input: Value) -> (String, String) {
        let admin = self.admin.clone();
        self.fails_as(&admin, operation, input)
    }

    pub fn fails_as(&mut self, who: &Caller, operation: &str, input: Value) -> (String, String) {
        match self.call(who, operation, input.clone()) {
            Ok(answer) => panic!("{operation} {input} worked: {answer}"),
            Err(error) => code_and_message(Service::Kms, &error),
        }
    }

    /// A new key's id.
    pub fn key(&mut self) -> String {
        text(&self.ok("CreateKey", json!({}))["KeyMetadata"]["KeyId"])
    }

    /// A new key of this kind; its id.
    pub fn key_of(&mut self, spec: &str, usage: &str) -> String {
        text(&self.ok("CreateKey", json!({ "KeySpec": spec, "KeyUsage": usage }))["KeyMetadata"]["KeyId"])
    }

    /// A new key whose policy has these statements besides the default one.
    pub fn key_with(&mut self, statements: &[Value]) -> String {
        let policy = key_policy(statements);
        text(&self.ok("CreateKey", json!({ "Policy": policy }))["KeyMetadata"]["KeyId"])
    }

    pub fn encrypt(&mut self, key: &str, plaintext: &[u8], context: Value) -> String {
        let input = json!({ "KeyId": key, "Plaintext": b64(plaintext), "EncryptionContext": context });
        text(&self.ok("Encrypt", input)["CiphertextBlob"])
    }

    pub fn wait(&mut self, days: f64) {
        self.engine.account.state.clock.advance(Duration::from_secs_f64(days * 86_400.0));
    }
}

/// The default statement, then these.
pub fn key_policy(statements: &[Value]) -> String {
    let root = json!({
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
        "Action": "kms:*",
        "Resource": "*",
    });
    let all: Vec<Value> = std::iter::once(root).chain(statements.iter().cloned()).collect();
    json!({ "Version": "2012-10-17", "Statement": all }).to_string()
}

/// An identity policy with one statement.
pub fn allow(actions: &[&str]) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
    })
}

/// A statement of a key policy for one user.
pub fn for_user(effect: &str, user: &str, actions: &[&str]) -> Value {
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{user}");
    json!({ "Effect": effect, "Principal": { "AWS": arn }, "Action": actions, "Resource": "*" })
}

pub fn arn(key_id: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}")
}

pub fn alias_arn(name: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:{name}")
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

pub fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(text(value)).unwrap()
}

/// A pair of owned strings to compare an error with.
pub fn error(code: &str, message: impl Into<String>) -> (String, String) {
    (code.to_owned(), message.into())
}
