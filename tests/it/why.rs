//! `kmslab why` on the sandbox: its verdict is the one of a real Scan, whatever the fault.

mod evidence;
mod faults;
mod stub;

use std::process::Output;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, SseSpecification,
    SseType,
};
use aws_sdk_sts::config::Credentials;
use kmslab::aws::Clients;
use kmslab::lab::why::json::document;
use kmslab::lab::why::{Case, Named};
use kmslab::run::why::judge;
use kmslab::sandbox::{Config, Sandbox};
use serde_json::{Value, json};

use crate::support::program::{program, text};
use crate::support::things::{block_on, client};

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "us-east-1";
pub const TABLE: &str = "orders";
pub const USER: &str = "app";

/// A table under its own key, and a user who has all of DynamoDB and nothing of KMS.
pub struct World {
    pub sandbox: Sandbox,
    pub key: String,
    pub key_arn: String,
    pub home: tempfile::TempDir,
    user: Credentials,
}

impl World {
    pub fn new() -> World {
        let sandbox = Sandbox::start(Config { region: REGION.to_owned(), ..Config::default() }).unwrap();
        let (key, key_arn, user) = block_on(async {
            let kms = client!(aws_sdk_kms, sandbox);
            let key = kms.create_key().send().await.unwrap().key_metadata.unwrap();
            let arn = key.arn.unwrap();
            create_table(&sandbox, TABLE, Some(&arn)).await;
            let iam = client!(aws_sdk_iam, sandbox);
            iam.create_user().user_name(USER).send().await.unwrap();
            let access = iam.create_access_key().user_name(USER).send().await.unwrap().access_key.unwrap();
            let user = Credentials::new(access.access_key_id, access.secret_access_key, None, None, "test");
            (key.key_id, arn, user)
        });
        let world = World { sandbox, key, key_arn, home: tempfile::tempdir().unwrap(), user };
        world.user_policy("data", &statement("Allow", "dynamodb:*", "*"));
        world
    }

    pub fn user_arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:user/{USER}")
    }

    pub fn user_policy(&self, name: &str, statement: &Value) {
        let policy = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        block_on(async {
            let iam = client!(aws_sdk_iam, self.sandbox);
            iam.put_user_policy().user_name(USER).policy_name(name).policy_document(policy).send().await.unwrap();
        });
    }

    pub fn without_user_policy(&self, name: &str) {
        block_on(async {
            let iam = client!(aws_sdk_iam, self.sandbox);
            iam.delete_user_policy().user_name(USER).policy_name(name).send().await.unwrap();
        });
    }

    /// The key policy: the root statement, unless it is to go, and others.
    pub fn key_policy(&self, with_root: bool, statements: &[Value]) {
        let root = json!({"Sid": "Enable IAM User Permissions", "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"});
        let admin = json!({"Sid": "admin", "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/kmslab-admin")}, "Action": "kms:*", "Resource": "*"});
        let first = if with_root { root } else { admin };
        let statements: Vec<&Value> = std::iter::once(&first).chain(statements).collect();
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        block_on(async {
            let kms = client!(aws_sdk_kms, self.sandbox);
            kms.put_key_policy().key_id(&self.key).policy(policy).send().await.unwrap();
        });
    }

    /// What a real Scan as the user comes to, on a connection of its own: the verdict, and the message.
    pub fn scan(&self, table: &str) -> (&'static str, String) {
        block_on(async {
            let dynamodb = client!(aws_sdk_dynamodb, self.sandbox, self.user.clone());
            match dynamodb.scan().table_name(table).send().await {
                Ok(_) => ("allowed", String::new()),
                Err(error) => {
                    let error = error.into_service_error();
                    let denied = error.meta().code() == Some("AccessDeniedException");
                    let message = error.meta().message().unwrap_or_default().to_owned();
                    (if denied { "denied" } else { "failed" }, message)
                }
            }
        })
    }

    /// `kmslab why …` with the admin's keys.
    pub fn why(&self, arguments: &[&str]) -> Output {
        let admin = self.sandbox.admin();
        program(self.home.path(), &admin.access_key_id, admin.secret_access_key.as_str())
            .args(["why", "--region", REGION, "--endpoint-url", self.sandbox.url()])
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The document about the user and `table`.
    pub fn report(&self, table: &str) -> Value {
        let output = self.why(&["--table", table, "--as", &self.user_arn(), "--format", "json"]);
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)));
        assert_eq!(document["exit"], json!(output.status.code()), "{document:#}");
        document
    }

    /// The same without a program of its own.
    pub fn judged(&self, table: &str) -> Value {
        let admin = self.sandbox.admin();
        let (id, secret) = (&admin.access_key_id, &admin.secret_access_key);
        let clients = Clients::for_sandbox(self.sandbox.url(), REGION, id, secret);
        let named = Named { table: Some(table.to_owned()), principal: Some(self.user_arn()), ..Named::default() };
        let report = block_on(judge(Case::new(named).unwrap(), &clients)).unwrap();
        document(&report)
    }

    /// The lines about the user and the table.
    pub fn lines(&self, more: &[&str]) -> String {
        let arn = self.user_arn();
        let output = self.why(&[&["--table", TABLE, "--as", &arn], more].concat());
        assert_eq!(text(&output.stderr), "");
        text(&output.stdout)
    }
}

pub fn statement(effect: &str, action: &str, resource: &str) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": resource})
}

pub async fn create_table(sandbox: &Sandbox, name: &str, key: Option<&str>) {
    let dynamodb = client!(aws_sdk_dynamodb, sandbox);
    let attribute =
        AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build().unwrap();
    let id = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let sse = key.map(|key| {
        let sse = SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
        if key.is_empty() { sse.build() } else { sse.kms_master_key_id(key).build() }
    });
    let create = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(attribute).key_schema(id).set_sse_specification(sse);
    create.send().await.unwrap();
    for _ in 0..200 {
        let table = dynamodb.describe_table().table_name(name).send().await.unwrap().table.unwrap();
        if table.table_status.is_some_and(|status| status.as_str() == "ACTIVE") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    dynamodb.put_item().table_name(name).item("id", AttributeValue::S("1".to_owned())).send().await.unwrap();
}
