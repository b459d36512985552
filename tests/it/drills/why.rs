//! `kmslab why` on the fault of each drill.

use kmslab::lab::drills::{Task, catalog};
use kmslab::lab::why::json::document;
use kmslab::lab::why::{Case, Named};
use kmslab::lab::{Drill, Identity, Intent, Level, Operation, Rung, Verdict};
use kmslab::run::why::judge;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Lab, plan, sandbox};

impl Lab {
    /// What `kmslab why` says of test-user and the table.
    fn why(&self) -> Value {
        let user = self.state.shown_facts().principal(Identity::TestUser);
        let named = Named { table: Some(self.state.names().table.clone()), principal: user, ..Named::default() };
        document(&self.runtime.block_on(judge(Case::new(named).unwrap(), &self.clients)).unwrap())
    }

    /// Does what a fix says, as it is written.
    fn follow(&self, fix: &Value) {
        let key = self.state.shown_facts().key_id().unwrap().to_owned();
        let user = self.state.names().user.clone();
        let is_id = |statement: &Value| statement.to_string().contains("\"AIDA");
        let put = |change: &dyn Fn(&mut Vec<Value>)| {
            let policy = self.ask(&Operation::GetKeyPolicy { key: key.clone() })["Policy"].as_str().unwrap().to_owned();
            let mut policy: Value = serde_json::from_str(&policy).unwrap();
            let statements = policy["Statement"].as_array_mut().unwrap();
            // The id of a deleted user can't be stored again.
            statements.retain(|statement| !is_id(statement));
            change(statements);
            self.ask(&Operation::PutKeyPolicy { key: key.clone(), policy: policy.to_string() });
        };
        let statement = &fix["statement"];
        match fix["way"].as_str().unwrap() {
            "iam_policy" => {
                let policy = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
                self.ask(&Operation::PutUserPolicy { user, name: "fix".to_owned(), policy });
            }
            "key_policy" => put(&|all| all.push(statement.clone())),
            "change_deny" if fix["lock"] == "table" => {
                self.ask(&Operation::DeleteUserPolicy { user, name: "kmslab-bench".to_owned() });
            }
            "change_deny" => put(&|all| {
                let before = all.len();
                all.retain(|one| one != statement);
                assert_eq!(all.len() + 1, before, "{fix:#}");
            }),
            "grant" => {
                let grantee = self.state.shown_facts().principal(Identity::TestUser).unwrap();
                let command = fix["command"].as_str().unwrap();
                assert!(command.contains(&grantee) && command.contains("--operations Decrypt "), "{command}");
                self.ask(&Operation::CreateGrant {
                    key,
                    grantee,
                    operations: vec!["Decrypt".to_owned()],
                    constraints: None,
                    name: "fix".to_owned(),
                });
            }
            "key_state" => {
                for command in fix["command"].as_str().unwrap().split(" && ") {
                    let (call, id) = command.strip_prefix("aws kms ").unwrap().split_once(" --key-id ").unwrap();
                    assert_eq!(id, key);
                    self.ask(&match call {
                        "enable-key" => Operation::EnableKey { key: key.clone() },
                        "cancel-key-deletion" => Operation::CancelKeyDeletion { key: key.clone() },
                        other => panic!("{other}"),
                    });
                }
            }
            other => panic!("{other}"),
        }
    }
}

/// The drill's rung, as a report names it.
fn rung(drill: Drill) -> &'static str {
    match catalog::of(drill).rung {
        Rung::Deny => "explicit_deny",
        Rung::KeyPolicy => "key_policy",
        Rung::IamPolicy => "iam_policies",
        Rung::Grant => "grants",
        Rung::KeyState => "",
    }
}

#[rstest]
fn why_finds_each_fault_and_its_fixes_work(#[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)] at: usize) {
    for drill in [Drill::ALL[at], Drill::ALL[at + 11]] {
        let sandbox = sandbox();
        let mut lab = Lab::new(&sandbox, plan(Some(drill), Level::Three));
        let mut round = 0;
        loop {
            let report = lab.why();
            let real = match lab.scan(Identity::TestUser).verdict {
                Verdict::Allowed => "allowed",
                Verdict::Denied(_) => "denied",
                Verdict::Failed(_) => "failed",
            };
            assert_eq!(report["verdict"], real, "{drill:?}: {report:#}");
            let lock = if catalog::of(drill).lock == kmslab::lab::Lock::Table { "table" } else { "key" };
            match rung(drill) {
                "" => assert!(report["failure"].as_str().unwrap().starts_with("key_"), "{drill:?}: {report:#}"),
                rung => assert_eq!(report["refused"], json!({"lock": lock, "rung": rung}), "{drill:?}: {report:#}"),
            }
            let fixes = report["fixes"].as_array().unwrap();
            assert!(!fixes.is_empty(), "{drill:?}: {report:#}");
            lab.diagnose();
            lab.follow(&fixes[round]);
            assert_eq!(lab.why()["verdict"], "allowed", "{drill:?}: {:#}", fixes[round]);
            lab.press(Intent::Advance);
            assert_eq!(lab.task(), Task::Solved, "{drill:?}: {:#}", fixes[round]);
            round += 1;
            if round == fixes.len() {
                break;
            }
            lab.press(Intent::Retry);
        }
    }
}
