//! The ladder by tables, and what the state does with what pages ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::fake::{Cloud, Lab, backend};
use crate::lab::insight::ladder::{Decided, Ladder, Lock, Word, earlier_decrypt};
use crate::lab::insight::{Finding, Inquiry, Known};
use crate::lab::{Effect, Event, Intent, Page, Stage};
use crate::policy::{
    AccessRequest, ConditionContext, Grant, GrantConstraints, NamedPolicy, PolicyDocument, PolicyKind, PolicySource,
    Principal, decide, decide_for_key,
};

const ACCOUNT: &str = "111122223333";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

fn policy(kind: PolicyKind, source: PolicySource, statements: &Value) -> NamedPolicy {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    NamedPolicy { source, document: Arc::new(PolicyDocument::parse(kind, &text).unwrap()) }
}

fn own(statements: &Value) -> Vec<NamedPolicy> {
    if *statements == json!([]) {
        return Vec::new();
    }
    let source = PolicySource::Inline { user: "alice".into(), name: "own".into() };
    vec![policy(PolicyKind::Identity, source, statements)]
}

fn grant(to: &str) -> Grant {
    Grant {
        grant_id: "0c237476b39f8bc44e45212e08498fbe3151305030726c0590dd8d3e9f3d6a60".into(),
        grant_token: "a token".into(),
        key_id: KEY.into(),
        grantee_principal: to.into(),
        retiring_principal: None,
        issuing_account: ACCOUNT.into(),
        name: None,
        operations: vec!["Decrypt".into()],
        constraints: Some(GrantConstraints::EncryptionContextSubset(BTreeMap::new())),
        creation_date: 0.0,
    }
}

/// alice asks for `kms:Decrypt`.
fn decided(request_id: &str, key_policy: &Value, identity: &Value, grants: &[Grant]) -> Decided {
    let alice = Principal::user(ACCOUNT, "alice", "AIDAALICE");
    let context = ConditionContext::default();
    let call = AccessRequest { principal: &alice, action: "kms:Decrypt", resource: KEY, context: &context };
    let key_policy = policy(PolicyKind::Key, PolicySource::KeyPolicy { key_arn: KEY.into() }, key_policy);
    let decision = decide_for_key(&call, &key_policy, ACCOUNT, &own(identity), grants, &BTreeMap::new());
    Decided {
        request_id: request_id.into(),
        principal: ALICE.into(),
        action: "kms:Decrypt".into(),
        resource: KEY.into(),
        decision,
    }
}

fn statement(effect: &str, principal: &str, action: &str) -> Value {
    json!({"Sid": "s", "Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": "*"})
}

fn root() -> Value {
    statement("Allow", "arn:aws:iam::111122223333:root", "kms:*")
}

fn may(action: &str) -> Value {
    json!([{"Effect": "Allow", "Action": action, "Resource": "*"}])
}

const NO: Word = Word::No;
const YES: Word = Word::Yes;
const BUT: Word = Word::YesBut;

#[rstest]
#[case::nothing(json!([statement("Allow", "arn:aws:iam::111122223333:user/bob", "kms:*")]), json!([]), vec![], [NO, NO, NO, NO], 2, "DENIED: no statement denies it, but none allows it")]
#[case::iam_has_nothing(json!([root()]), json!([]), vec![], [NO, NO, BUT, NO], 3, "DENIED: no statement denies it, but none allows it")]
#[case::iam_has_something_else(json!([root()]), may("kms:DescribeKey"), vec![grant(ALICE)], [NO, NO, BUT, YES], 4, "ALLOWED: the grant 0c237476… allows")]
#[case::iam_allows(json!([root()]), may("kms:Decrypt"), vec![], [NO, NO, YES, NO], 3, "ALLOWED: the key policy lets IAM decide, and alice's inline policy own allows it")]
#[case::iam_has_no_say(json!([statement("Allow", "arn:aws:iam::111122223333:user/bob", "kms:*")]), may("kms:*"), vec![], [NO, NO, NO, NO], 2, "DENIED: no statement denies it, but none allows it")]
#[case::named(json!([root(), statement("Allow", ALICE, "kms:Decrypt")]), json!([]), vec![], [NO, YES, BUT, NO], 2, "ALLOWED: the key policy allows it")]
#[case::named_for_something_else(json!([root(), statement("Allow", ALICE, "kms:Describe*")]), json!([]), vec![], [NO, BUT, BUT, NO], 3, "DENIED: no statement denies it, but none allows it")]
#[case::denied_by_the_key_policy(json!([root(), statement("Deny", ALICE, "kms:Decrypt")]), may("kms:*"), vec![grant(ALICE)], [YES, NO, YES, YES], 1, "DENIED: the key policy denies")]
#[case::denied_by_iam(json!([statement("Allow", ALICE, "kms:*")]), json!([{"Effect": "Deny", "Action": "kms:*", "Resource": "*"}]), vec![], [YES, YES, NO, NO], 1, "DENIED: alice's inline policy own denies")]
#[case::anothers_grant(json!([root()]), json!([]), vec![grant("dynamodb.us-east-1.amazonaws.com")], [NO, NO, BUT, NO], 3, "DENIED: no statement denies it, but none allows it")]
fn the_rungs_of_a_key(
    #[case] key_policy: Value,
    #[case] identity: Value,
    #[case] grants: Vec<Grant>,
    #[case] words: [Word; 4],
    #[case] decides: usize,
    #[case] verdict: &str,
) {
    let ladder = Ladder::of(&decided("r", &key_policy, &identity, &grants));
    assert_eq!(ladder.lock, Lock::Key);
    assert_eq!(ladder.rungs.iter().map(|rung| rung.word).collect::<Vec<_>>(), words, "{ladder:#?}");
    let deciding: Vec<usize> = (1..=4).filter(|number| ladder.rungs[number - 1].decides).collect();
    assert_eq!(deciding, [decides], "{ladder:#?}");
    assert!(ladder.verdict.starts_with(verdict), "{}", ladder.verdict);
    assert_eq!(ladder.allowed, verdict.starts_with("ALLOWED"));
    // What decides can be looked at, where there is something.
    let evidence = &ladder.rungs[decides - 1].looked_at;
    assert!(!evidence.is_empty() && evidence.iter().all(|evidence| evidence.json.is_object()), "{ladder:#?}");
    assert!(!format!("{ladder:?}").contains("a token"), "a grant's token is nobody's to see");
}

#[rstest]
#[case::everybody(json!([{"Sid": "all", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*",
    "Condition": {"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}}}]),
    BUT, "\"all\" matches only in part", "the key policy doesn't let IAM decide on kms:Decrypt")]
#[case::administered_by_iam(json!([{"Sid": "admin", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
    "Action": "kms:Put*", "Resource": "*"}]),
    NO, "no statement names the caller", "the key policy doesn't let IAM decide on kms:Decrypt")]
fn what_the_key_policy_says_is_told_as_it_is(
    #[case] key_policy: Value,
    #[case] word: Word,
    #[case] names: &str,
    #[case] delegates: &str,
) {
    let ladder = Ladder::of(&decided("r", &key_policy, &json!([]), &[]));
    assert_eq!((ladder.rungs[1].word, ladder.rungs[1].sentence.as_str()), (word, names));
    assert_eq!((ladder.rungs[2].word, ladder.rungs[2].sentence.as_str()), (NO, delegates));
}

#[rstest]
#[case(may("dynamodb:*"), [NO, YES], true)]
#[case(may("kms:*"), [NO, NO], false)]
#[case(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "dynamodb:Scan", "Resource": "*"}]), [YES, YES], false)]
fn the_rungs_of_a_table(#[case] identity: Value, #[case] words: [Word; 2], #[case] allowed: bool) {
    let alice = Principal::user(ACCOUNT, "alice", "AIDAALICE");
    let context = ConditionContext::default();
    let (action, resource) = ("dynamodb:Scan", "arn:aws:dynamodb:us-east-1:111122223333:table/t");
    let call = AccessRequest { principal: &alice, action, resource, context: &context };
    let ladder = Ladder::of(&Decided {
        request_id: "r".into(),
        principal: ALICE.into(),
        action: action.into(),
        resource: resource.into(),
        decision: decide(&call, &own(&identity)),
    });
    assert_eq!((ladder.lock, ladder.allowed), (Lock::Table, allowed));
    assert_eq!(ladder.rungs.iter().map(|rung| rung.word).collect::<Vec<_>>(), words);
    assert_eq!(ladder.rungs[0].decides, words[0] == YES);
    assert_eq!(ladder.denied_expressly(), words[0] == YES);
}

#[test]
fn a_long_list_of_actions_is_told_in_short_and_quoted_whole() {
    let actions: Vec<String> = (0..50).map(|n| format!("sns:A{n}")).chain(["kms:DescribeKey".to_owned()]).collect();
    let identity = json!([{"Effect": "Allow", "Action": actions, "Resource": "*"}]);
    let ladder = Ladder::of(&decided("r", &json!([root()]), &identity, &[]));
    let evidence = ladder.rungs[2].looked_at.first().unwrap();
    assert_eq!(evidence.result, "It applies to kms:DescribeKey or 50 other actions, but the call is kms:Decrypt.");
    assert_eq!(evidence.json["Action"].as_array().unwrap().len(), 51);
}

#[test]
fn a_table_key_in_memory_comes_from_the_newest_decrypt_before() {
    let allowed = json!([statement("Allow", ALICE, "kms:*")]);
    let of = |request, policy: &Value| decided(request, policy, &json!([]), &[]);
    let all = [of("a", &allowed), of("b", &allowed), of("c", &json!([root()])), of("d", &allowed), of("e", &allowed)];
    let earlier = |before, of_table: fn(&str) -> bool| {
        earlier_decrypt(&all, before, of_table).map(|decided| decided.request_id.as_str())
    };
    assert_eq!(earlier("d", |_| true), Some("b"));
    assert_eq!(earlier("d", |request| request != "b"), Some("a"), "of another table, or of the caller's own call");
    assert_eq!(earlier("a", |_| true), None);
    assert_eq!(earlier("z", |_| true), None);
}

fn asked(effects: &[Effect]) -> Vec<(u64, Inquiry)> {
    let inquiry = |effect: &Effect| match effect {
        Effect::Inspect { serial, inquiry } => Some((*serial, inquiry.clone())),
        _ => None,
    };
    effects.iter().filter_map(inquiry).collect()
}

fn lab(last: Stage) -> Lab {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(last);
    lab
}

#[test]
fn an_open_page_asks_and_asks_again_when_a_call_ends() {
    let mut lab = lab(Stage::ViewAdmin);
    let opened = asked(&lab.state.update(Event::Intent(Intent::TogglePage(Page::Trail))));
    assert!(matches!(opened[..], [(_, Inquiry::Trail)]));
    let (serial, _) = opened[0];
    lab.state.update(Event::Inspected { serial, finding: Finding::Trail(Vec::new()) });
    assert_eq!(lab.state.known(), Some(&Known::Trail(Vec::new())));

    lab.state.update(Event::Intent(Intent::Close));
    let effects = lab.state.update(Event::Intent(Intent::Retry));
    lab.state.update(Event::Intent(Intent::TogglePage(Page::Trail)));
    lab.inspections.clear();
    lab.perform(effects);
    assert_eq!(lab.inspections.len(), 1, "the Scan has ended");
    assert!(lab.inspections[0].0 > serial);
    assert!(lab.state.known().is_some(), "what was known stays in view until then");
    // What comes late is dropped.
    lab.state.update(Event::Inspected { serial, finding: Finding::Failed("late".into()) });
    assert_eq!(lab.state.known(), Some(&Known::Trail(Vec::new())));
}

#[test]
fn without_a_page_nothing_is_asked_and_another_page_forgets() {
    let mut lab = lab(Stage::CreateTable);
    assert!(lab.inspections.is_empty());
    let why = asked(&lab.state.update(Event::Intent(Intent::TogglePage(Page::Why))));
    let [(serial, Inquiry::Why { caller, key, .. })] = &why[..] else { panic!("{why:?}") };
    assert!(caller.as_deref().unwrap().contains(":user/") && key.is_some());
    lab.state.update(Event::Inspected { serial: *serial, finding: Finding::NotTold });
    assert_eq!(asked(&lab.state.update(Event::Intent(Intent::Close))), []);
    let at_rest = asked(&lab.state.update(Event::Intent(Intent::TogglePage(Page::AtRest))));
    assert_eq!(at_rest[0].1, Inquiry::AtRest { table: lab.state.names().table.clone() });
    assert_eq!(lab.state.known(), None);
}

#[test]
fn before_the_table_there_is_nothing_at_rest() {
    let mut lab = lab(Stage::CreateKey);
    assert_eq!(asked(&lab.state.update(Event::Intent(Intent::TogglePage(Page::AtRest)))), []);
}
