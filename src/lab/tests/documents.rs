//! The ladder from the documents, for callers and policies that the sandbox has none of.

use rstest::rstest;
use serde_json::{Value, json};

use super::fake::{ACCOUNT, Cloud, KEY_ARN, Lab, backend};
use crate::lab::Stage;
use crate::lab::facts::Caller;
use crate::lab::insight::documents::{Documents, decide_again};
use crate::lab::insight::ladder::{Ladder, Lock, Word};
use crate::policy::{Grant, PolicySource};

const ROLE: &str = "arn:aws:iam::111122223333:role/teams/a/Admin";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Admin/jane";

fn text(statements: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn root_statement() -> Value {
    json!({"Sid": "root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*",
        "Resource": "*"})
}

fn with(key_policy: Value, identity: Value) -> Documents {
    let source = PolicySource::Inline { user: "jane".into(), name: "own".into() };
    Documents { key_policy: Some(text(key_policy)), identity: vec![(source, text(identity))], ..Documents::default() }
}

/// Admin's Scan, decided as a call of `arn`.
fn scan(arn: &str, documents: &Documents) -> (Vec<Ladder>, Vec<String>) {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::ViewAdmin);
    let exchange = lab.state.record(Stage::ViewAdmin).exchanges().next().unwrap().clone();
    let caller = Caller { arn: arn.to_owned(), account: ACCOUNT.to_owned() };
    let (decided, unread) = decide_again(&exchange, &caller, lab.state.kernel().facts(), "us-east-1", documents);
    (decided.iter().map(Ladder::of).collect(), unread)
}

#[test]
fn the_root_user_needs_no_iam_policy_but_a_key_policy() {
    let documents = Documents { key_policy: Some(text(json!([root_statement()]))), ..Documents::default() };
    let (ladders, unread) = scan("arn:aws:iam::111122223333:root", &documents);
    let [key] = &ladders[..] else { panic!("{ladders:#?}") };
    assert_eq!((key.lock, key.allowed, key.rungs[1].word), (Lock::Key, true, Word::Yes));
    assert_eq!(unread, Vec::<String>::new());
}

#[rstest]
#[case::allowed(json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Decrypt", "Resource": "*"}), Word::Yes)]
#[case::for_something_else(json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Get*", "Resource": "*"}), Word::YesBut)]
#[case::anothers(json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/Other"}, "Action": "kms:Decrypt", "Resource": "*"}), Word::No)]
fn a_session_is_named_by_its_role(#[case] statement: Value, #[case] word: Word) {
    let may_scan = json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]);
    let (ladders, _) = scan(SESSION, &with(json!([root_statement(), statement]), may_scan));
    assert_eq!(ladders[1].rungs[1].word, word, "{:#?}", ladders[1].rungs[1]);
    assert_eq!(ladders[1].allowed, word == Word::Yes);
}

#[test]
fn a_grant_to_the_role_covers_its_session() {
    let only_role = json!({"Sid": "others", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt",
        "Resource": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}});
    let may_scan = json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]);
    let mut documents = with(json!([root_statement(), only_role]), may_scan);
    documents.grants.push(Grant {
        grant_id: "0c237476b39f8bc44e45212e08498fbe".into(),
        grant_token: String::new(),
        key_id: KEY_ARN.into(),
        grantee_principal: ROLE.into(),
        retiring_principal: None,
        issuing_account: ACCOUNT.into(),
        name: None,
        operations: vec!["Decrypt".into()],
        constraints: None,
        creation_date: 0.0,
    });
    let (ladders, unread) = scan(SESSION, &documents);
    assert_eq!((ladders[1].rungs[0].word, ladders[1].rungs[3].word), (Word::No, Word::Yes), "{:#?}", ladders[1].rungs);
    assert_eq!(unread, Vec::<String>::new());
    // Where nothing tells the role's path, what turns on it is not known.
    documents.grants.clear();
    let (_, unread) = scan(SESSION, &documents);
    assert_eq!(unread, ["a condition of the key policy needs aws:PrincipalArn, which isn't known here"]);
}

#[rstest]
#[case(json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}), Some("aws:MultiFactorAuthPresent"))]
#[case(json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), Some("aws:SourceIp"))]
#[case(json!({"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}), None)]
fn a_denial_that_fits_for_want_of_knowledge_is_no_certain_one(#[case] condition: Value, #[case] unknown: Option<&str>) {
    let identity = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "dynamodb:Scan", "Resource": "*", "Condition": condition}]);
    let user = format!("arn:aws:iam::{ACCOUNT}:user/jane");
    let (ladders, unread) = scan(&user, &with(json!([root_statement()]), identity));
    assert!(ladders[0].denied_expressly());
    let expected =
        unknown.map(|key| format!("a condition of jane's inline policy own needs {key}, which isn't known here"));
    assert_eq!(unread, Vec::from_iter(expected));
}

#[rstest]
#[case::through_dynamodb("dynamodb.us-east-1.amazonaws.com", true)]
#[case::through_another_service("s3.us-east-1.amazonaws.com", false)]
fn the_key_is_asked_through_dynamodb(#[case] service: &str, #[case] allowed: bool) {
    let user = format!("arn:aws:iam::{ACCOUNT}:user/jane");
    let only = json!({"Effect": "Allow", "Principal": {"AWS": user}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": service, "kms:CallerAccount": ACCOUNT}}});
    let may_scan = json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]);
    let (ladders, unread) = scan(&user, &with(json!([only]), may_scan));
    assert_eq!((ladders[1].allowed, unread.len()), (allowed, 0), "{:#?}", ladders[1].rungs);
}
