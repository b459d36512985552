//! Looks for what other clients have made, on a server that reports no calls: what is read, and which calls follow.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

use kmslab::aws::Clients;
use kmslab::aws::look::Examined;
use kmslab::lab::facts::Caller;
use kmslab::lab::noticing::look::{Look, Told};
use kmslab::lab::{Facts, Identity, Names, Operation, Stage, TableKey, Tags};
use kmslab::sandbox::{Config, Sandbox};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::moto::Moto;
use crate::support::program::{program, text};

const ACCOUNT: &str = "111122223333";

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Everything that a look needs, on a sandbox.
struct World {
    runtime: Runtime,
    _sandbox: Sandbox,
    clients: Clients,
    look: Look,
    told: Told,
    examined: Examined,
}

fn caller(name: &str) -> Option<Caller> {
    Some(Caller { arn: format!("arn:aws:iam::{ACCOUNT}:user/{name}"), account: ACCOUNT.to_owned() })
}

fn tags(run: &str) -> Tags {
    Tags { run: run.to_owned(), created: None }
}

impl World {
    fn new(stage: Stage) -> World {
        let sandbox = Sandbox::start(Config::default()).unwrap();
        let admin = sandbox.admin();
        let (id, secret) = (admin.access_key_id.clone(), admin.secret_access_key.as_str().to_owned());
        let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &id, &secret);
        let facts = Facts { admin: caller("kmslab-admin"), test_user: caller("alice"), ..Facts::default() };
        let look = Look { stage, names: Names::new("t1"), facts };
        World {
            runtime: runtime(),
            _sandbox: sandbox,
            clients,
            look,
            told: Told::default(),
            examined: Examined::default(),
        }
    }

    fn call(&self, operation: Operation) -> Value {
        let answer = self.runtime.block_on(self.clients.call(Identity::Admin, &operation)).response.unwrap();
        assert!(answer.status < 300, "{operation:?}: {answer:?}");
        answer.body
    }

    fn key(&mut self, tags: Tags) -> (String, String) {
        let body = self.call(Operation::CreateKey { description: "mine".to_owned(), tags });
        let member = |name: &str| body["KeyMetadata"][name].as_str().unwrap().to_owned();
        (member("KeyId"), member("Arn"))
    }

    /// The calls that a look infers, each with the parameters of these names.
    fn looks(&mut self, names: &[&str]) -> Vec<String> {
        let seen = self.runtime.block_on(self.clients.look(&self.look, &mut self.examined));
        let calls = self.look.calls(&seen, &mut self.told, 1);
        let shown = |name: &&str, call: &kmslab::lab::model::noticed::NoticedCall| {
            call.parameter(name).map(|value| format!(" {value}")).unwrap_or_default()
        };
        calls
            .iter()
            .map(|call| names.iter().fold(call.operation.clone(), |all, name| all + &shown(name, call)))
            .collect()
    }
}

#[test]
fn things_of_ones_own_naming_are_found_by_their_tag() {
    let mut world = World::new(Stage::CreateKey);
    world.key(tags("t2"));
    assert_eq!(world.looks(&[]), [] as [&str; 0], "another run's");
    let (id, arn) = world.key(tags("t1"));
    world.call(Operation::CreateAlias { alias: "alias/mine".to_owned(), key: id.clone() });
    assert_eq!(world.looks(&["AliasName"]), ["CreateKey", "CreateAlias alias/mine"]);
    assert_eq!(world.looks(&[]), [] as [&str; 0]);

    world.look.stage = Stage::CreateTable;
    for (table, run) in [("others", "t2"), ("records", "t1")] {
        let key = TableKey::Customer(arn.clone());
        world.call(Operation::CreateTable { table: table.to_owned(), key, tags: tags(run) });
    }
    assert_eq!(world.looks(&["TableName"]), ["CreateTable records"]);
    let Value::Object(item) = json!({"id": {"S": "1"}}) else { panic!("an object") };
    let item: Map<String, Value> = item;
    while world.call(Operation::DescribeTable { table: "records".to_owned() })["Table"]["TableStatus"] != "ACTIVE" {}
    world.call(Operation::PutItem { table: "records".to_owned(), item });
    world.look.facts.made.table = true;
    world.look.names.table = "records".to_owned();
    assert_eq!(world.looks(&["TableName"]), ["PutItem records"]);

    world.look.stage = Stage::CreateUser;
    world.call(Operation::CreateUser { user: "bob".to_owned(), tags: tags("t2") });
    world.call(Operation::CreateUser { user: "alice".to_owned(), tags: tags("t1") });
    let policy = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}})
    .to_string();
    world.call(Operation::PutUserPolicy { user: "alice".to_owned(), name: "data".to_owned(), policy });
    assert_eq!(world.looks(&["UserName", "PolicyName"]), ["CreateUser alice", "PutUserPolicy alice data"]);
}

#[test]
fn each_way_to_allow_is_found() {
    let mut world = World::new(Stage::Grant);
    let (id, arn) = world.key(tags("t1"));
    world.call(Operation::CreateUser { user: "alice".to_owned(), tags: tags("t1") });
    world.look.facts.key = Some(json!({"KeyId": id, "Arn": arn}));
    let policy = world.call(Operation::GetKeyPolicy { key: id.clone() })["Policy"].as_str().unwrap().to_owned();
    world.look.facts.policy = Some(policy.clone());
    assert_eq!(world.looks(&[]), [] as [&str; 0]);

    let user = format!("arn:aws:iam::{ACCOUNT}:user/alice");
    world.call(Operation::CreateGrant {
        key: id.clone(),
        grantee: user.clone(),
        operations: vec!["Decrypt".to_owned()],
        constraints: None,
        name: "mine".to_owned(),
    });
    assert_eq!(world.looks(&["GranteePrincipal"]), [format!("CreateGrant {user}")]);
    let allow = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": arn}});
    let put = Operation::PutUserPolicy { user: "alice".to_owned(), name: "mine".to_owned(), policy: allow.to_string() };
    world.call(put);
    assert_eq!(world.looks(&["PolicyName"]), ["PutUserPolicy mine"]);
    let mut document: Value = serde_json::from_str(&policy).unwrap();
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": user}, "Action": "kms:Decrypt", "Resource": "*"});
    document["Statement"].as_array_mut().unwrap().push(statement);
    world.call(Operation::PutKeyPolicy { key: id, policy: document.to_string() });
    assert_eq!(world.looks(&[]), ["PutKeyPolicy"]);
    assert_eq!(world.looks(&[]), [] as [&str; 0]);
}

#[test]
fn what_is_gone_is_found() {
    let mut world = World::new(Stage::CleanUp);
    let (id, arn) = world.key(tags("t1"));
    world.look.facts.key = Some(json!({"KeyId": id, "Arn": arn}));
    let made = &mut world.look.facts.made;
    (made.key, made.alias, made.table, made.user) = (Some(arn), true, true, true);
    assert_eq!(world.looks(&[]), ["DeleteTable", "DeleteUser", "DeleteAlias"]);
    world.call(Operation::ScheduleKeyDeletion { key: id, days: 7 });
    assert_eq!(world.looks(&[]), ["ScheduleKeyDeletion"]);
}

/// A lab in lines, and what it says.
struct Lines {
    lab: Child,
    keys: ChildStdin,
    said: Receiver<String>,
}

impl Lines {
    fn says(&self, wanted: &str) {
        let mut all = Vec::new();
        loop {
            let line = self.said.recv().unwrap_or_else(|_| panic!("{wanted:?} was not said: {all:#?}"));
            if line.contains(wanted) {
                return;
            }
            all.push(line);
        }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.keys, "{line}").unwrap();
    }
}

#[test]
fn on_moto_a_learner_is_noticed_without_reports() {
    let home = tempfile::tempdir().unwrap();
    let Some(moto) = Moto::start(home.path()) else { return };
    let start = |arguments: &[&str]| {
        let mut command = program(home.path(), "testing", "testing");
        command.env("XDG_RUNTIME_DIR", home.path()).args(arguments);
        command
    };
    let arguments = ["--plain", "--fresh", "--no-questions", "--region", "us-east-1", "--endpoint-url", &moto.url];
    let mut lab = start(&arguments).stdin(Stdio::piped()).spawn().unwrap();
    let (keys, lines) = (lab.stdin.take().unwrap(), BufReader::new(lab.stdout.take().unwrap()).lines());
    let (say, said) = channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| say.send(line)));
    let mut lab = Lines { lab, keys, said };
    lab.types("");
    lab.says("As expected");
    let environment = text(&start(&["env"]).output().unwrap().stdout);
    let value = |name: &str| {
        let value = environment.lines().find_map(|line| line.strip_prefix(&format!("export {name}='")));
        value.unwrap_or_else(|| panic!("{name}: {environment}")).trim_end_matches('\'').to_owned()
    };
    let run = value("KMSLAB_RUN");
    let clients = Clients::for_sandbox(&moto.url, "us-east-1", "testing", "testing");
    let runtime = runtime();
    let call = |operation: Operation| {
        let answer = runtime.block_on(clients.call(Identity::Admin, &operation)).response.unwrap();
        assert!(answer.status < 300, "{operation:?}: {answer:?}");
        answer.body
    };
    let key = call(Operation::CreateKey { description: "mine".to_owned(), tags: tags(&run) });
    lab.says("You ran CreateKey. The lab uses your key from now on. Stage 2 is done.");
    let key = TableKey::Customer(key["KeyMetadata"]["Arn"].as_str().unwrap().to_owned());
    call(Operation::CreateTable { table: "records".to_owned(), key, tags: tags(&run) });
    for id in ["1", "2", "3"] {
        let Value::Object(item) = json!({"id": {"S": id}}) else { panic!("an object") };
        call(Operation::PutItem { table: "records".to_owned(), item });
    }
    lab.says("Stage 3 is done.");
    // Nobody else sees a Scan.
    for _ in 0..2 {
        lab.types("");
    }
    lab.says("As expected");
    call(Operation::CreateUser { user: "alice".to_owned(), tags: tags(&run) });
    let policy_arn = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess".to_owned();
    call(Operation::AttachUserPolicy { user: "alice".to_owned(), policy_arn });
    lab.says("The lab made an access key for alice. Stage 5 is done.");
    // A kill -9: what it had taken over is removed all the same.
    lab.lab.kill().unwrap();
    lab.lab.wait().unwrap();
    let cleanup = ["cleanup", "--region", "us-east-1", "--endpoint-url", &moto.url];
    let output = start(&cleanup).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let printed = text(&output.stdout);
    for gone in ["table/records", "user/alice", "scheduled    key"] {
        assert!(printed.contains(gone), "{gone}: {printed}");
    }
}
