//! The semantic diff of key policies: tables, and what holds for any two policies.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn policy(statements: Vec<Value>) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn root() -> Value {
    json!({"Sid": "root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:*", "Resource": "*"})
}

#[rstest]
#[case::order(
    json!([{"Sid": "a", "Action": ["kms:A", "kms:B"]}, {"Sid": "b", "Resource": ["*"]}]),
    json!([{"Resource": "*", "Sid": "b"}, {"Action": ["kms:B", "kms:A"], "Sid": "a"}])
)]
#[case::a_list_of_one(json!([{"Action": ["kms:A"]}]), json!({"Action": "kms:A"}))]
#[case::the_case_of_actions(json!([{"Action": "kms:decrypt"}]), json!([{"Action": "KMS:Decrypt"}]))]
#[case::an_account(
    json!([{"Principal": {"AWS": "111122223333"}}]),
    json!([{"Principal": {"AWS": ["arn:aws:iam::111122223333:root"]}}])
)]
#[case::everybody(json!([{"Principal": "*"}]), json!([{"Principal": {"AWS": "*"}}]))]
#[case::conditions(
    json!([{"Condition": {"StringEquals": {"kms:ViaService": ["b", "a"]}}}]),
    json!([{"Condition": {"stringequals": {"KMS:viaservice": ["a", "b", "a"]}}}])
)]
#[case::said_twice(json!([{"Sid": "a"}, {"Sid": "a"}]), json!([{"Sid": "a"}]))]
fn no_difference(#[case] before: Value, #[case] after: Value) {
    let policy = |statements: Value| json!({"Statement": statements});
    let before = serde_json::to_string_pretty(&policy(before)).unwrap();
    let diff = PolicyDiff::between(&before, &policy(after).to_string());
    assert!(diff.is_empty(), "{diff:?}");
}

#[rstest]
#[case::principal("Principal", json!({"AWS": ["a", "b"]}), json!({"AWS": ["b", "c"]}), &["c"], &["a"])]
#[case::service("Principal", json!({"AWS": "a"}), json!({"AWS": "a", "Service": "s"}), &["Service s"], &[])]
#[case::action("Action", json!(["kms:A", "kms:B"]), json!("kms:A"), &[], &["kms:B"])]
#[case::resource("Resource", json!("*"), json!("arn:x"), &["arn:x"], &["*"])]
#[case::effect("Effect", json!("Allow"), json!("Deny"), &["Deny"], &["Allow"])]
#[case::condition(
    "Condition",
    json!({"Bool": {"k": "true"}}),
    json!({"Bool": {"k": "true"}, "StringLike": {"s": ["x", "y"]}}),
    &["StringLike s = x or y"],
    &[]
)]
fn a_statement_that_changes_says_in_which_member(
    #[case] member: &str,
    #[case] before: Value,
    #[case] after: Value,
    #[case] added: &[&str],
    #[case] removed: &[&str],
) {
    let with = |value: Value| policy(vec![root(), json!({"Sid": "x", member: value})]);
    let diff = PolicyDiff::between(&with(before), &with(after));
    assert_eq!(diff.counts(), "no statements added, none removed, 1 changed");
    assert_eq!(diff.kept.iter().map(Statement::name).collect::<Vec<_>>(), ["root"]);
    let expected = MemberChange { member, added: added.to_vec(), removed: removed.to_vec() };
    assert_eq!(diff.changed[0].members(), [expected]);
}

#[test]
fn statements_without_a_name_come_and_go_whole() {
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"});
    let diff = PolicyDiff::between(&policy(vec![root()]), &policy(vec![deny.clone()]));
    assert_eq!(diff.added, [Statement::read(&deny)]);
    assert_eq!(diff.removed, [Statement::read(&root())]);
    assert_eq!(diff.added[0].name(), "a statement without Sid");
    let told: Vec<_> = diff.added[0].members().collect();
    let expected = [("Effect", "Deny"), ("Principal", "*"), ("Action", "kms:Decrypt"), ("Resource", "*")];
    assert_eq!(told, expected.map(|(member, entry)| (member, vec![entry])));
}

#[test]
fn the_version_is_a_difference_too() {
    let (old, new) = (json!({"Version": "2008-10-17"}).to_string(), json!({"Version": "2012-10-17"}).to_string());
    let expected = ("Version".to_owned(), Some("2008-10-17".to_owned()), Some("2012-10-17".to_owned()));
    assert_eq!(PolicyDiff::between(&old, &new).document, [expected]);
}

#[test]
fn actions_have_words() {
    assert_eq!(in_words("kms:Decrypt"), "decrypt");
    assert_eq!(in_words("kms:GenerateDataKey*"), "generate data keys");
    assert_eq!(in_words("kms:Sign"), "kms:Sign");
}

/// A statement of few words, so that two policies have some in common.
fn any_statement() -> impl Strategy<Value = Value> {
    let some = |words: &'static [&'static str]| proptest::sample::subsequence(words, 1..=words.len());
    (
        proptest::option::of(proptest::sample::select(vec!["a", "b", "c", ""])),
        proptest::sample::select(vec!["Allow", "Deny"]),
        some(&["arn:aws:iam::111122223333:user/u", "111122223333", "*"]),
        some(&["kms:Decrypt", "kms:Encrypt", "kms:*"]),
        proptest::option::of(some(&["x", "y"])),
    )
        .prop_map(|(sid, effect, principals, actions, condition)| {
            let mut statement =
                json!({"Effect": effect, "Principal": {"AWS": principals}, "Action": actions, "Resource": "*"});
            if let Some(sid) = sid {
                statement["Sid"] = json!(sid);
            }
            if let Some(values) = condition {
                statement["Condition"] = json!({"StringEquals": {"kms:ViaService": values}});
            }
            statement
        })
}

fn any_policy() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(any_statement(), 1..6)
}

/// The same, written in another way.
fn rewritten(value: &Value) -> Value {
    match value {
        Value::Array(elements) if elements.len() == 1 => rewritten(&elements[0]),
        Value::Array(elements) => elements.iter().rev().map(rewritten).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().rev().map(|(name, member)| (name.clone(), rewritten(member))).collect())
        }
        other => other.clone(),
    }
}

/// What a policy with these statements becomes by `diff`.
fn applied(before: &str, diff: &PolicyDiff) -> Vec<Statement> {
    let mut all = read(&serde_json::from_str(before).unwrap());
    let gone = |statement: &Statement| {
        diff.removed.contains(statement) || diff.changed.iter().any(|changed| changed.before == *statement)
    };
    all.retain(|statement| !gone(statement));
    all.extend(diff.added.iter().cloned());
    all.extend(diff.changed.iter().map(|changed| changed.after.clone()));
    all
}

fn same_set(a: &[Statement], b: &[Statement]) -> bool {
    a.len() == b.len() && a.iter().all(|statement| b.contains(statement))
}

proptest! {
    #[test]
    fn a_policy_does_not_differ_from_itself(statements in any_policy()) {
        let text = policy(statements.clone());
        prop_assert!(PolicyDiff::between(&text, &text).is_empty());
        let other = json!({"Statement": rewritten(&json!(statements)), "Version": "2012-10-17"});
        let pretty = serde_json::to_string_pretty(&other).unwrap();
        let diff = PolicyDiff::between(&text, &pretty);
        prop_assert!(diff.is_empty(), "{:?}", diff);
    }

    #[test]
    fn the_difference_makes_one_of_the_other(before in any_policy(), after in any_policy()) {
        let (before, after) = (policy(before), policy(after));
        let diff = PolicyDiff::between(&before, &after);
        let wanted = read(&serde_json::from_str(&after).unwrap());
        prop_assert!(same_set(&applied(&before, &diff), &wanted), "{:?}", diff);
        prop_assert_eq!(diff.is_empty(), PolicyDiff::between(&after, &before).is_empty());
        for changed in &diff.changed {
            prop_assert!(!changed.members().is_empty());
        }
        let mirrored = PolicyDiff::between(&after, &before);
        prop_assert!(same_set(&mirrored.added, &diff.removed) || !diff.changed.is_empty());
        prop_assert_eq!(mirrored.changed.len(), diff.changed.len());
    }
}
