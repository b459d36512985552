//! Looking for what other clients have made, where the server reports no calls: how often, for what, and which calls it
//! must have been. Reads leave no trace; nobody can look for them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::lab::model::facts::{Facts, Names};
use crate::lab::model::inspection::Documents;
use crate::lab::model::mechanism::ATTEMPT;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::model::operation::{Identity, RUN_TAG};
use crate::lab::model::stage::Stage;
use crate::lab::model::test_user;
use crate::policy::PolicySource;

/// The seconds before the next look, after this many. Somebody who has just opened a shell waits for the lab;
/// after an hour nobody does.
pub const fn pause(looks: u32) -> u64 {
    match looks {
        0..20 => 3,
        20..80 => 10,
        _ => 60,
    }
}

/// Whether the goal of `stage` is a read, so that no look finds that it is reached.
pub const fn is_read(stage: Stage, given_user: bool) -> bool {
    match stage {
        Stage::Who | Stage::ViewAdmin | Stage::ViewDenied | Stage::ViewAgain => true,
        Stage::CreateUser => given_user,
        Stage::CreateKey | Stage::CreateTable | Stage::Grant | Stage::CleanUp => false,
    }
}

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The stage whose goal is next.
    pub stage: Stage,
    /// The run's names.
    pub names: Names,
    /// What is known.
    pub facts: Facts,
}

/// A key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenKey {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its aliases.
    pub aliases: Vec<String>,
}

/// What a look has seen: what belongs to the run by its name or its tag.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The key.
    pub key: Option<SeenKey>,
    /// The table's name, and how many items it has.
    pub table: Option<(String, u64)>,
    /// The user's name.
    pub user: Option<String>,
    /// What decides about the user and the key.
    pub documents: Option<Documents>,
    /// The calls that have removed what the lab knows.
    pub removed: Vec<&'static str>,
}

/// What earlier looks have told, so that nothing is told twice.
#[derive(Debug, Clone, Default)]
pub struct Told(BTreeMap<String, String>);

impl Told {
    /// Whether `value` is another one than before for the thing of this name.
    fn is_news(&mut self, thing: &str, value: &str) -> bool {
        self.0.insert(thing.to_owned(), value.to_owned()).is_none_or(|before| before != value)
    }

    /// The same for a thing that was there before: its first value is no news.
    fn is_change(&mut self, thing: &str, value: &str) -> bool {
        self.0.insert(thing.to_owned(), value.to_owned()).is_some_and(|before| before != value)
    }
}

impl Look {
    /// The calls that must have been made since the last look, at this unix time in seconds.
    pub fn calls(&self, seen: &Seen, told: &mut Told, at: u64) -> Vec<NoticedCall> {
        let mut calls = Vec::new();
        match self.stage {
            Stage::CreateKey => self.key(seen, told, &mut calls),
            Stage::CreateTable => self.table(seen, told, &mut calls),
            Stage::CreateUser => {
                self.user(seen, told, &mut calls);
                self.policies(seen, told, &mut calls);
            }
            Stage::Grant => {
                self.policies(seen, told, &mut calls);
                self.key_permissions(seen, told, &mut calls);
            }
            Stage::CleanUp => self.removed(seen, told, &mut calls),
            Stage::Who | Stage::ViewAdmin | Stage::ViewDenied | Stage::ViewAgain => {}
        }
        let principal = self.facts.caller(Identity::Admin).map(|admin| admin.arn.clone()).unwrap_or_default();
        let numbered = |(number, call): (u64, NoticedCall)| {
            // No two looks begin within a second.
            NoticedCall { serial: at * 1_000 + number, at, principal: principal.clone(), ..call }
        };
        (0..).zip(calls).map(numbered).collect()
    }

    fn key(&self, seen: &Seen, told: &mut Told, calls: &mut Vec<NoticedCall>) {
        let Some(key) = seen.key.as_ref().filter(|_| self.facts.made.key.is_none()) else { return };
        if told.is_news("key", &key.arn) {
            let tag = json!({"Tags": self.tag()});
            calls.push(call("kms", "CreateKey", tag, json!({"KeyId": key.id, "Arn": key.arn})));
            let alias = |alias: &String| json!({"AliasName": alias, "TargetKeyId": key.id});
            calls.extend(key.aliases.iter().map(|name| call("kms", "CreateAlias", alias(name), Value::Null)));
        }
    }

    fn table(&self, seen: &Seen, told: &mut Told, calls: &mut Vec<NoticedCall>) {
        let Some((table, items)) = &seen.table else { return };
        if !self.facts.made.table && told.is_news("table", table) {
            let parameters = json!({"TableName": table, "Tags": self.tag()});
            calls.push(call("dynamodb", "CreateTable", parameters, Value::Null));
        }
        if *items > 0 && told.is_news("items", &items.to_string()) {
            let parameters = json!({"TableName": table, "Tags": self.tag()});
            calls.push(call("dynamodb", "PutItem", parameters, Value::Null));
        }
    }

    fn user(&self, seen: &Seen, told: &mut Told, calls: &mut Vec<NoticedCall>) {
        let Some(user) = &seen.user else { return };
        if !self.facts.made.user && told.is_news("user", user) {
            calls.push(call("iam", "CreateUser", json!({"UserName": user, "Tags": self.tag()}), Value::Null));
        }
    }

    fn policies(&self, seen: &Seen, told: &mut Told, calls: &mut Vec<NoticedCall>) {
        let user = seen.user.as_ref().unwrap_or(&self.names.user);
        let (made, documents) = (&self.facts.made, seen.documents.iter());
        for (source, text) in documents.flat_map(|documents| &documents.identity) {
            match source {
                PolicySource::Managed { arn, .. } => {
                    let is_known = made.policy_attached.as_ref() == Some(arn) || made.added.attached.contains(arn);
                    if !is_known && told.is_news(arn, "") {
                        let parameters = json!({"UserName": user, "PolicyArn": arn});
                        calls.push(call("iam", "AttachUserPolicy", parameters, Value::Null));
                    }
                }
                PolicySource::Inline { name, .. } => {
                    let is_known = match name.as_str() {
                        test_user::POLICY => made.inline_policy,
                        ATTEMPT => made.attempt_policy,
                        name => made.added.inline.iter().any(|added| added == name),
                    };
                    let thing = format!("inline policy {name}");
                    let is_new = if is_known { told.is_change(&thing, text) } else { told.is_news(&thing, text) };
                    if is_new {
                        let parameters = json!({"UserName": user, "PolicyName": name, "PolicyDocument": text});
                        calls.push(call("iam", "PutUserPolicy", parameters, Value::Null));
                    }
                }
                PolicySource::KeyPolicy { .. }
                | PolicySource::Trust { .. }
                | PolicySource::Boundary { .. }
                | PolicySource::Session { .. }
                | PolicySource::Grant { .. } => {}
            }
        }
    }

    fn key_permissions(&self, seen: &Seen, told: &mut Told, calls: &mut Vec<NoticedCall>) {
        let (Some(documents), Some(key)) = (&seen.documents, self.facts.key_id()) else { return };
        let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
        if let Some(policy) = &documents.key_policy {
            let known = self.facts.policy.as_deref();
            let is_known = known.is_some_and(|known| known == policy || parsed(known) == parsed(policy));
            if !is_known && told.is_news("key policy", policy) {
                calls.push(call("kms", "PutKeyPolicy", json!({"KeyId": key, "Policy": policy}), Value::Null));
            }
        }
        // DynamoDB has a grant of its own for each table.
        let is_persons = |grantee: &str| !grantee.ends_with(".amazonaws.com");
        for grant in documents.grants.iter().filter(|grant| is_persons(&grant.grantee_principal)) {
            let is_known = self.facts.made.attempt_grant.as_ref() == Some(&grant.grant_id);
            if !is_known && told.is_news(&grant.grant_id, "") {
                let (grantee, operations) = (&grant.grantee_principal, &grant.operations);
                let mut parameters = json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": operations});
                if let Some(constraints) = &grant.constraints {
                    parameters["Constraints"] = json!({constraints.name(): constraints.pairs()});
                }
                if let Some(retiring) = &grant.retiring_principal {
                    parameters["RetiringPrincipal"] = json!(retiring);
                }
                calls.push(call("kms", "CreateGrant", parameters, json!({"GrantId": grant.grant_id})));
            }
        }
    }

    fn removed(&self, seen: &Seen, told: &mut Told, calls: &mut Vec<NoticedCall>) {
        for operation in &seen.removed {
            let (service, parameters) = match *operation {
                "DeleteTable" => ("dynamodb", json!({"TableName": self.names.table})),
                "DeleteUser" => ("iam", json!({"UserName": self.names.user})),
                "DeleteAlias" => ("kms", json!({"AliasName": self.names.alias})),
                _ => ("kms", json!({"KeyId": self.facts.key_id()})),
            };
            if told.is_news(operation, "") {
                calls.push(call(service, operation, parameters, Value::Null));
            }
        }
    }

    /// The tag that proves whose a thing is.
    fn tag(&self) -> Value {
        json!([{"Key": RUN_TAG, "Value": self.names.run}])
    }
}

fn call(service: &str, operation: &str, parameters: Value, result: Value) -> NoticedCall {
    let members = |value| match value {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    NoticedCall {
        service: service.to_owned(),
        operation: operation.to_owned(),
        parameters: members(parameters),
        result: members(result),
        ..NoticedCall::default()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 3)]
    #[case(19, 3)]
    #[case(20, 10)]
    #[case(79, 10)]
    #[case(80, 60)]
    #[case(u32::MAX, 60)]
    fn looks_become_rare(#[case] looks: u32, #[case] seconds: u64) {
        assert_eq!(pause(looks), seconds);
    }

    fn look(stage: Stage) -> Look {
        let facts = Facts { key: Some(json!({"KeyId": "k", "Arn": "arn:k"})), ..Facts::default() };
        Look { stage, names: Names::new("t1"), facts }
    }

    fn operations(look: &Look, seen: &Seen, told: &mut Told) -> Vec<String> {
        look.calls(seen, told, 1).into_iter().map(|call| call.operation).collect()
    }

    #[test]
    fn nothing_is_told_twice() {
        let (look, mut told) = (look(Stage::CreateTable), Told::default());
        let of = |items| Seen { table: Some(("records".to_owned(), items)), ..Seen::default() };
        assert_eq!(operations(&look, &of(0), &mut told), ["CreateTable"]);
        assert_eq!(operations(&look, &of(0), &mut told), [] as [&str; 0]);
        assert_eq!(operations(&look, &of(2), &mut told), ["PutItem"]);
        assert_eq!(operations(&look, &of(2), &mut told), [] as [&str; 0]);
        assert_eq!(operations(&look, &of(3), &mut told), ["PutItem"]);
    }

    #[test]
    fn what_the_lab_knows_is_no_news_until_it_changes() {
        let (mut look, mut told) = (look(Stage::Grant), Told::default());
        look.facts.made.inline_policy = true;
        look.facts.policy = Some(r#"{"Version": "2012-10-17"}"#.to_owned());
        let of = |text: &str, policy: &str| {
            let source = PolicySource::Inline { user: "u".to_owned(), name: test_user::POLICY.to_owned() };
            let identity = vec![(source, text.to_owned())];
            let documents = Documents { key_policy: Some(policy.to_owned()), identity, ..Documents::default() };
            Seen { documents: Some(documents), ..Seen::default() }
        };
        let same = r#"{"Version":"2012-10-17"}"#;
        assert_eq!(operations(&look, &of("{}", same), &mut told), [] as [&str; 0]);
        assert_eq!(operations(&look, &of("{\"Id\":1}", same), &mut told), ["PutUserPolicy"]);
        assert_eq!(operations(&look, &of("{\"Id\":1}", "{}"), &mut told), ["PutKeyPolicy"]);
    }

    #[test]
    fn a_grant_of_dynamodb_is_no_persons() {
        let grant = |grantee: &str| crate::policy::Grant {
            grant_id: grantee.to_owned(),
            grant_token: String::new(),
            key_id: "k".to_owned(),
            grantee_principal: grantee.to_owned(),
            retiring_principal: None,
            issuing_account: String::new(),
            name: None,
            operations: vec!["Decrypt".to_owned()],
            constraints: None,
            creation_date: 0.0,
        };
        let grants = vec![grant("dynamodb.us-east-1.amazonaws.com"), grant("arn:aws:iam::111122223333:user/u")];
        let seen = Seen { documents: Some(Documents { grants, ..Documents::default() }), ..Seen::default() };
        let calls = look(Stage::Grant).calls(&seen, &mut Told::default(), 1);
        let grantees: Vec<_> = calls.iter().filter_map(|call| call.parameter("GranteePrincipal")).collect();
        assert_eq!(grantees, ["arn:aws:iam::111122223333:user/u"]);
    }
}
