//! A key policy is looked at before it is sent, and one that locks admin out is not sent at all.

use rstest::rstest;
use serde_json::{Value, json};

use super::fake::*;
use crate::lab::model::lockout::lock_out;
use crate::lab::*;

/// A lab with a person, who has gone to `grant` and sees what PutKeyPolicy would change.
fn looking() -> Lab {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.state = lab.state.with_review();
    lab.run_to(Stage::ViewDenied);
    lab.press(Intent::Advance);
    lab.press(Intent::Advance);
    lab
}

fn puts(lab: &Lab) -> usize {
    lab.sent.iter().filter(|call| *call == "admin kms:PutKeyPolicy").count()
}

#[test]
fn a_person_sees_what_changes_before_it_is_sent() {
    let mut lab = looking();
    assert_eq!(lab.sent.last().unwrap(), "admin kms:GetKeyPolicy");
    assert!(!lab.state.is_running(), "there is nothing to wait for");
    let Some(Call::Held(operation)) = lab.state.selected_call(Identity::Admin) else { panic!("nothing to look at") };
    let Operation::PutKeyPolicy { policy, .. } = operation else { panic!("{operation:?}") };
    let diff = lab.state.policy_diff(policy).unwrap();
    assert_eq!(diff.counts(), "2 statements added, none removed");
    assert_eq!(diff.kept[0].name(), "Enable IAM User Permissions");
    // Looking elsewhere sends nothing, and it is still there afterwards.
    lab.press(Intent::ShowPrevious);
    assert_eq!(lab.state.held(), None);
    lab.press(Intent::Close);
    lab.press(Intent::Advance);
    assert_eq!((puts(&lab), lab.state.held().is_some()), (0, true));
    lab.press(Intent::Advance);
    assert!(lab.observed(Stage::Grant).0);
    assert_eq!((puts(&lab), lab.state.held()), (1, None));
    assert_eq!(lab.state.granted(), Some(diff));
}

#[test]
fn an_unsent_policy_is_read_again_later() {
    let mut lab = looking();
    lab.press(Intent::Close);
    assert_eq!((puts(&lab), lab.state.held()), (0, None));
    assert_eq!(lab.state.record(Stage::Grant), &Run::default());
    assert!(lab.state.view().message.as_ref().unwrap().starts_with("nothing sent"));
    let changed = lab.cloud.key_policy.replace("Enable IAM User Permissions", "renamed meanwhile");
    lab.cloud.key_policy = changed;
    lab.press(Intent::Advance);
    lab.press(Intent::Advance);
    assert!(lab.observed(Stage::Grant).0, "{:?}", lab.observed(Stage::Grant));
    assert!(lab.cloud.key_policy.contains("renamed meanwhile"));
}

#[test]
fn leaving_while_looking_sends_nothing_and_cleans_up() {
    let mut lab = looking();
    lab.press(Intent::CleanUpAndQuit);
    assert_eq!((puts(&lab), lab.exited, lab.state.held()), (0, true, None));
    assert!(lab.observed(Stage::Grant).1.contains("not finished"));
    assert!(lab.observed(Stage::CleanUp).0);
}

#[test]
fn without_a_person_nothing_is_held() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::Grant);
    assert_eq!((puts(&lab), lab.state.held()), (1, None));
}

#[test]
fn a_new_user_that_is_not_known_yet_is_not_looked_at_twice() {
    let mut lab = Lab::new(Backend { kind: BackendKind::Endpoint, ..backend() }, Cloud::default());
    lab.state = lab.state.with_review();
    lab.run_to(Stage::ViewDenied);
    let unknown = json!({"__type": "MalformedPolicyDocumentException", "message": "one or more invalid principals"});
    lab.cloud.faults.push(("PutKeyPolicy", 400, unknown));
    for _ in 0..3 {
        lab.press(Intent::Advance);
    }
    assert!(lab.observed(Stage::Grant).0, "{:?}", lab.observed(Stage::Grant));
    assert_eq!(puts(&lab), 2);
}

#[rstest]
fn a_policy_that_locks_admin_out_is_never_sent(#[values(false, true)] person: bool) {
    let mut lab = Lab::new(backend(), Cloud::default());
    if person {
        lab.state = lab.state.with_review();
    }
    lab.run_to(Stage::ViewDenied);
    let whole = lab.cloud.key_policy.clone();
    // Somebody has taken the statement of the account out meanwhile.
    lab.cloud.key_policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "others", "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:user/other"}, "Action": "kms:*", "Resource": "*"}]})
    .to_string();
    lab.run_to(Stage::Grant);
    let (met, observed) = lab.observed(Stage::Grant);
    assert_eq!(
        (met, observed),
        (
            false,
            "this policy would lock admin out of the key: no statement gives kms:PutKeyPolicy to admin or to account \
             111122223333; nothing was sent"
        )
    );
    assert_eq!(puts(&lab), 0);
    // Once it is mended, the stage can be done: the policy is read again.
    lab.cloud.key_policy = whole;
    lab.press(Intent::Retry);
    if person {
        lab.press(Intent::Advance);
    }
    assert!(lab.observed(Stage::Grant).0, "{:?}", lab.observed(Stage::Grant));
}

const USER: &str = "arn:aws:iam::111122223333:user/admin";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Lab/alice";

fn statement(effect: &str, principal: Value, action: &str) -> Value {
    json!({"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"})
}

#[rstest]
#[case::account(USER, vec![statement("Allow", json!({"AWS": "arn:aws:iam::111122223333:root"}), "kms:*")], None)]
#[case::account_by_id(USER, vec![statement("Allow", json!({"AWS": "111122223333"}), "kms:*")], None)]
#[case::admin(USER, vec![statement("Allow", json!({"AWS": USER}), "kms:PutKeyPolicy")], None)]
#[case::everybody(USER, vec![statement("Allow", json!("*"), "kms:Put*")], None)]
#[case::role(
    SESSION,
    vec![statement("Allow", json!({"AWS": "arn:aws:iam::111122223333:role/path/Lab"}), "kms:*")],
    None
)]
#[case::another_role(
    SESSION,
    vec![statement("Allow", json!({"AWS": "arn:aws:iam::111122223333:role/Other"}), "kms:*")],
    Some("no statement gives")
)]
#[case::another_account(
    USER,
    vec![statement("Allow", json!({"AWS": "444455556666"}), "kms:*")],
    Some("no statement gives")
)]
#[case::only_use(USER, vec![statement("Allow", json!({"AWS": USER}), "kms:Decrypt")], Some("no statement gives"))]
#[case::only_use_to_account(
    USER,
    vec![statement("Allow", json!({"AWS": "111122223333"}), "kms:Decrypt")],
    Some("no statement gives")
)]
#[case::a_condition_that_fails(
    USER,
    vec![json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/other"}}})],
    Some("no statement gives")
)]
#[case::denied(
    USER,
    vec![statement("Allow", json!({"AWS": "111122223333"}), "kms:*"), statement("Deny", json!("*"), "kms:Put*")],
    Some("a statement without Sid denies kms:PutKeyPolicy")
)]
#[case::all_but_root_denied(
    USER,
    vec![
        statement("Allow", json!({"AWS": "111122223333"}), "kms:*"),
        json!({"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:Put*",
            "Resource": "*"}),
    ],
    Some("a statement without Sid denies kms:PutKeyPolicy")
)]
#[case::plain_http_denied(
    USER,
    vec![
        statement("Allow", json!({"AWS": "111122223333"}), "kms:*"),
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    ],
    None
)]
#[case::gov_account(
    "arn:aws-us-gov:iam::111122223333:user/admin",
    vec![statement("Allow", json!({"AWS": "arn:aws-us-gov:iam::111122223333:root"}), "kms:*")],
    None
)]
#[case::china_user(
    "arn:aws-cn:iam::111122223333:user/admin",
    vec![statement("Allow", json!({"AWS": "arn:aws-cn:iam::111122223333:user/admin"}), "kms:*")],
    None
)]
#[case::gov_role(
    "arn:aws-us-gov:sts::111122223333:assumed-role/Lab/alice",
    vec![statement("Allow", json!({"AWS": "arn:aws-us-gov:iam::111122223333:role/path/Lab"}), "kms:*")],
    None
)]
#[case::unreadable(USER, vec![json!({"Effect": "Allow"})], Some("can't be checked"))]
fn who_is_locked_out(#[case] arn: &str, #[case] statements: Vec<Value>, #[case] reason: Option<&str>) {
    let admin = facts::Caller { arn: arn.to_owned(), account: ACCOUNT.to_owned() };
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let found = lock_out(&policy, &admin, KEY_ARN);
    match reason {
        Some(reason) => assert!(found.as_ref().is_some_and(|found| found.contains(reason)), "{found:?}"),
        None => assert_eq!(found, None),
    }
}
