//! Calls of other clients.

use rstest::rstest;
use serde_json::{Map, Value, json};

use super::fake::{Cloud, KEY_ARN, KEY_ID, Lab, backend, names, sandbox};
use crate::lab::debrief::Item;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::noticing::LedTo;
use crate::lab::noticing::goal::Step;
use crate::lab::session::shell;
use crate::lab::*;

const ADMIN: &str = "arn:aws:iam::111122223333:user/admin";

fn call(service: &str, operation: &str, parameters: Value) -> NoticedCall {
    let parameters: Map<String, Value> = serde_json::from_value(parameters).unwrap();
    NoticedCall {
        service: service.to_owned(),
        operation: operation.to_owned(),
        principal: ADMIN.to_owned(),
        parameters,
        ..NoticedCall::default()
    }
}

fn create_key() -> NoticedCall {
    let Value::Object(result) = json!({"KeyId": KEY_ID, "Arn": KEY_ARN}) else { panic!("an object") };
    NoticedCall { result, ..call("kms", "CreateKey", json!({})) }
}

/// Reports calls, and answers what the lab asks then.
fn noticed(lab: &mut Lab, calls: impl IntoIterator<Item = NoticedCall>) {
    let effects = lab.state.update(Event::Noticed(calls.into_iter().collect()));
    lab.perform(effects);
}

fn led_to(lab: &Lab) -> Option<&LedTo> {
    lab.state.noticing().note().map(|note| &note.led_to)
}

fn lab_after(stage: Stage) -> Lab {
    let mut lab = sandbox();
    lab.run_to(stage);
    lab
}

#[test]
fn a_stage_is_done_once_its_goal_is_verified() {
    let mut lab = lab_after(Stage::Who);
    noticed(&mut lab, [create_key()]);
    assert_eq!(led_to(&lab), Some(&LedTo::Reached(Stage::CreateKey)));
    let asked: Vec<&str> = lab.state.record(Stage::CreateKey).exchanges().map(|call| call.operation.name()).collect();
    assert_eq!(asked, ["DescribeKey", "GetKeyPolicy"], "with calls of the lab's own");
    assert!(lab.state.record(Stage::CreateKey).status.check().unwrap().met);
    assert_eq!(lab.state.view().shown, Stage::CreateKey);
}

#[test]
fn names_may_be_the_learners_own() {
    let mut lab = lab_after(Stage::Who);
    let alias = json!({"AliasName": "alias/mine", "TargetKeyId": KEY_ID});
    noticed(&mut lab, [create_key(), call("kms", "CreateAlias", alias)]);
    noticed(&mut lab, [call("dynamodb", "CreateTable", json!({"TableName": "records"}))]);
    assert_eq!(led_to(&lab), Some(&LedTo::Step(Stage::CreateTable, Step::Items)));
    // After a kill -9 clean-up must know them.
    assert_eq!(lab.adopted, [format!("CreateKey {KEY_ARN}").as_str(), "CreateAlias alias/mine", "CreateTable records"]);
    let own = names();
    assert_eq!(lab.state.names().alias, "alias/mine");
    assert_eq!((lab.state.names().table.as_str(), &lab.state.names().user), ("records", &own.user));
}

#[rstest]
#[case::a_failure("MalformedPolicyDocumentException")]
#[case::a_denial("AccessDeniedException")]
fn a_rejected_call_changes_nothing(#[case] code: &str) {
    let mut lab = lab_after(Stage::ViewDenied);
    let put = call("kms", "PutKeyPolicy", json!({"KeyId": KEY_ID, "Policy": "{}"}));
    let before = lab.state.shown_facts().clone();
    noticed(&mut lab, [NoticedCall { error_code: Some(code.to_owned()), ..put }]);
    assert_eq!(led_to(&lab), Some(&LedTo::Rejected(Stage::Grant)));
    let text = "You ran PutKeyPolicy, but KMS rejected it. Nothing has changed.";
    assert_eq!(lab.state.view().message.as_deref(), Some(text));
    assert_eq!(*lab.state.shown_facts(), before);
    assert_eq!(lab.state.record(Stage::Grant).status, Status::Todo);
}

#[test]
fn a_call_that_misses_the_goal_leaves_the_stage_to_do() {
    let mut lab = lab_after(Stage::ViewDenied);
    let policy =
        json!({"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:dynamodb:r:1:table/t"}});
    let user = lab.state.names().user.clone();
    let put = json!({"UserName": user, "PolicyName": "p", "PolicyDocument": policy.to_string()});
    noticed(&mut lab, [call("iam", "PutUserPolicy", put)]);
    assert!(matches!(led_to(&lab), Some(LedTo::Missed(Stage::Grant, _))), "{:?}", led_to(&lab));
    let message = lab.state.view().message.clone().unwrap();
    assert!(message.contains("still refused: it allows kms:Decrypt on table/t, and the call is on key/"), "{message}");
    assert_eq!(lab.state.record(Stage::Grant).status, Status::Todo);
    assert_eq!(lab.state.shown_facts().made.added.inline, ["p"], "clean-up removes it");
    // The usual way is still open.
    lab.run_to(Stage::Grant);
    assert!(lab.state.record(Stage::Grant).status.check().unwrap().met);
}

#[test]
fn a_deleted_access_key_is_made_again() {
    let mut lab = lab_after(Stage::ViewDenied);
    let (user, id) = (lab.state.names().user.clone(), lab.state.shown_facts().made.access_key.clone());
    noticed(&mut lab, [call("iam", "DeleteAccessKey", json!({"UserName": user, "AccessKeyId": id}))]);
    assert_eq!(led_to(&lab), Some(&LedTo::NewAccessKey));
    assert!(lab.state.shown_facts().made.access_key.is_some());
    assert_eq!(lab.state.current(), Stage::ViewDenied, "the lab is where it was");
}

#[test]
fn calls_wait_for_the_labs_own() {
    let mut lab = lab_after(Stage::Who);
    lab.press(Intent::Advance);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    assert!(lab.state.is_running());
    let theirs = vec![call("dynamodb", "CreateTable", json!({"TableName": "records"}))];
    assert_eq!(lab.state.update(Event::Noticed(theirs)), []);
    assert_eq!(lab.state.noticing().calls().len(), 0);
    lab.perform(effects);
    assert_eq!(lab.state.noticing().calls().len(), 1);
}

#[test]
fn foreign_resources_are_reported_and_left_alone() {
    let mut lab = lab_after(Stage::CreateTable);
    noticed(&mut lab, [call("dynamodb", "CreateTable", json!({"TableName": "other"}))]);
    let facts = lab.state.shown_facts();
    assert_eq!(facts.made.added.others, ["table other"]);
    assert_eq!(lab.state.names().table, names().table);
}

#[test]
fn on_a_shared_server_others_calls_are_ignored() {
    let mut lab = Lab::new(super::fake::endpoint(false), Cloud::default());
    lab.run_to(Stage::Who);
    noticed(&mut lab, [create_key(), call("dynamodb", "CreateTable", json!({"TableName": "kmslab-table-other"}))]);
    assert_eq!(lab.state.noticing().note(), None);
    assert!(!lab.state.shown_facts().made.table && lab.state.shown_facts().made.key.is_none());
}

/// Stage 2 is done with another client, and its question is skipped.
#[test]
fn the_debrief_asks_what_nobody_has_answered() {
    let mut lab = sandbox();
    lab.state = lab.state.clone().with_quiz(Quiz::new(3));
    for stage in Stage::ALL {
        if stage == Stage::CreateKey {
            noticed(&mut lab, [create_key()]);
            lab.press(Intent::Skip);
            continue;
        }
        while lab.state.view().shown != stage || lab.state.open_question().is_none() {
            lab.press(Intent::Advance);
        }
        let answers = lab.state.open_question().unwrap().answers;
        let right = answers.iter().position(|(_, reply)| reply.right).unwrap();
        lab.press(Intent::Choose(right.try_into().unwrap()));
        lab.run_to(stage);
    }
    lab.press(Intent::Advance);
    let asked = lab.state.debrief_question().unwrap();
    assert_eq!((asked.item, asked.said), (Item::Question(Stage::CreateKey), None));
    let question = &lab.state.lesson().stage(Stage::CreateKey).question;
    let right = &question.answers[question.right().unwrap()].text;
    let place = asked.answers.iter().position(|(_, text)| text == right).unwrap();
    assert_eq!(lab.state.corrected(), 0);
    lab.press(Intent::Choose(place.try_into().unwrap()));
    assert_eq!((lab.state.corrected(), lab.state.score().unwrap().right), (1, 8), "what was said first stays");
    lab.press(Intent::Advance);
    assert_eq!(lab.state.debrief_question().unwrap().item, Item::Extra(0), "then the one about taking access away");
}

fn scanned(who: &str) -> NoticedCall {
    let table = json!({"TableName": names().table});
    NoticedCall { principal: who.to_owned(), ..call("dynamodb", "Scan", table) }
}

#[test]
fn a_question_that_the_panes_answer_is_left_to_the_debrief() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.state = std::mem::replace(&mut lab.state, State::new(backend(), names())).with_quiz(Quiz::new(1));
    while lab.state.check(Stage::CreateUser).is_none() {
        lab.press(Intent::Skip);
        lab.press(Intent::Advance);
    }
    let user = lab.state.shown_facts().test_user.clone().unwrap().arn;
    noticed(&mut lab, [NoticedCall { error_code: Some("AccessDeniedException".to_owned()), ..scanned(&user) }]);
    assert_eq!(led_to(&lab), Some(&LedTo::Reached(Stage::ViewDenied)));
    assert!(!lab.state.waits_for_answer());
    assert_eq!((lab.state.mode(), lab.state.view().shown), (Mode::Done, Stage::ViewDenied));
    let score = lab.state.score().unwrap();
    assert_eq!((score.answered, score.skipped), (0, 6), "five were skipped by hand");
    lab.press(Intent::Advance);
    assert_eq!(lab.state.view().shown, Stage::Grant);
}

#[rstest]
#[case::a_grant("kms", "CreateGrant", json!({"KeyId": KEY_ID, "Operations": ["Decrypt"]}), &["RevokeGrant"])]
#[case::an_inline_policy(
    "iam", "PutUserPolicy",
    json!({"UserName": names().user, "PolicyName": "p", "PolicyDocument":
        json!({"Statement": {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*"}}).to_string()}),
    &["DeleteUserPolicy"]
)]
#[case::one_for_both_locks(
    "iam", "PutUserPolicy",
    json!({"UserName": names().user, "PolicyName": "p", "PolicyDocument":
        json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}).to_string()}),
    &["PutUserPolicy"]
)]
#[case::a_managed_policy(
    "iam", "AttachUserPolicy",
    json!({"UserName": names().user, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    &["DetachUserPolicy"]
)]
fn drills_begin_where_the_usual_way_ends(
    #[case] service: &str,
    #[case] operation: &str,
    #[case] parameters: Value,
    #[case] taken_back: &[&str],
) {
    let mut lab = lab_after(Stage::ViewDenied);
    lab.cloud.enforces_kms = false;
    let Value::Object(result) = json!({"GrantId": "g-1"}) else { panic!("an object") };
    noticed(&mut lab, [NoticedCall { result, ..call(service, operation, parameters) }]);
    assert_eq!(led_to(&lab), Some(&LedTo::Reached(Stage::Grant)));
    lab.run_to(Stage::ViewAgain);
    let before = lab.sent.len();
    assert_eq!(lab.state.permit(Intent::Drill(DrillAction::Open)), Permit::Yes);
    lab.press(Intent::Drill(DrillAction::Open));
    let sent: Vec<&str> = lab.sent[before..].iter().filter_map(|call| call.rsplit(':').next()).collect();
    let expected = [&["GetKeyPolicy", "PutKeyPolicy", "GetKeyPolicy"], taken_back].concat();
    assert_eq!(sent[..expected.len()], expected, "{sent:?}");
    assert!(lab.state.shown_facts().names_user() && lab.state.view().drill);
    assert_eq!(lab.state.shown_facts().made.added.openings, []);
}

#[test]
fn a_shell_is_offered_beside_the_three_ways() {
    let mut lab = sandbox();
    lab.state = std::mem::replace(&mut lab.state, State::new(backend(), names())).with_ways();
    lab.run_to(Stage::ViewDenied);
    lab.press(Intent::Advance);
    assert_eq!((lab.state.mode(), lab.state.permit(Intent::OpenShell)), (Mode::Choosing, Permit::Yes));
}

#[test]
fn a_shell_in_an_experiment_is_about_that() {
    let mut lab = lab_after(Stage::ViewAgain);
    lab.press(Intent::ToggleExperiments);
    lab.press(Intent::Advance);
    let text = shell::welcome(&lab.state, Identity::TestUser).join("\n");
    assert!(text.starts_with("kmslab: a shell for this experiment.") && !text.contains("Delete"), "{text}");
    assert!(text.contains("--profile kmslab-test-user  (the default here)\n"), "{text}");
}

#[test]
fn the_goal_decides_whose_calls_a_shell_makes() {
    let mut lab = sandbox();
    let mut defaults = Vec::new();
    for stage in Stage::ALL {
        defaults.push(shell::default_identity(&lab.state));
        lab.run_to(stage);
    }
    let theirs = [Stage::ViewDenied, Stage::ViewAgain];
    let expected = Stage::ALL.map(|stage| match theirs.contains(&stage) {
        true => Identity::TestUser,
        false => Identity::Admin,
    });
    assert_eq!(defaults, expected);
    // The person decides otherwise, for this stage.
    let mut lab = lab_after(Stage::ViewDenied);
    assert_eq!(lab.state.view().focus(), Identity::TestUser, "there is the refusal to read");
    lab.press(Intent::FocusOther);
    lab.press(Intent::FocusOther);
    assert_eq!(shell::default_identity(&lab.state), Identity::TestUser);
    lab.run_to(Stage::ViewAgain);
    assert_eq!(shell::default_identity(&lab.state), Identity::Admin);
}

#[rstest]
fn a_shells_first_lines_break_between_words(#[values(40, 60, 80, 100)] columns: usize) {
    let lab = lab_after(Stage::CreateTable);
    let whole = shell::welcome(&lab.state, Identity::Admin).join("\n");
    let text = shell::wrapped(&whole, columns);
    assert!(text.lines().all(|line| line.chars().count() <= columns || line.contains("aws ...")), "{text}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&text), words(&whole));
}

#[test]
fn a_tag_proves_whose_a_thing_is_on_a_shared_server() {
    let mut lab = Lab::new(super::fake::endpoint(false), Cloud::default());
    lab.run_to(Stage::Who);
    let tagged = |run: &str| json!({"Tags": [{"TagKey": "kmslab:run", "TagValue": run}]});
    noticed(&mut lab, [NoticedCall { parameters: Map::new(), ..create_key() }]);
    assert_eq!(led_to(&lab), None);
    for (run, reached) in [("t2", None), ("t1", Some(&LedTo::Reached(Stage::CreateKey)))] {
        let parameters = serde_json::from_value(tagged(run)).unwrap();
        noticed(&mut lab, [NoticedCall { parameters, ..create_key() }]);
        assert_eq!(led_to(&lab), reached, "{run}");
    }
    // What a look finds twice is no second key.
    noticed(&mut lab, [NoticedCall { parameters: serde_json::from_value(tagged("t1")).unwrap(), ..create_key() }]);
    assert_eq!(lab.state.shown_facts().made.added.others, [] as [&str; 0]);
}

#[test]
fn only_what_leaves_a_trace_is_looked_for() {
    let mut lab = Lab::new(super::fake::endpoint(false), Cloud::default());
    let looked = |lab: &Lab| shell::look(&lab.state).map(|look| look.stage);
    let mut stages = Vec::new();
    for stage in Stage::ALL {
        stages.extend(looked(&lab));
        lab.run_to(stage);
    }
    assert_eq!(stages, [Stage::CreateKey, Stage::CreateTable, Stage::CreateUser, Stage::Grant, Stage::CleanUp]);
    assert_eq!(shell::look(&sandbox().state), None, "its calls are reported");
}

/// A lab in which a learner's PutKeyPolicy has this statement, and lets test-user read.
fn after_policy(statements: Value) -> Lab {
    let mut lab = lab_after(Stage::ViewDenied);
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    lab.cloud.key_policy.clone_from(&policy);
    noticed(&mut lab, [call("kms", "PutKeyPolicy", json!({"KeyId": KEY_ID, "Policy": policy}))]);
    assert!(lab.state.record(Stage::Grant).status.check().is_some_and(|check| check.met));
    lab
}

fn for_user(action: &str) -> Value {
    let user = format!("arn:aws:iam::111122223333:user/{}", names().user);
    json!({"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": user}, "Action": action, "Resource": "*"})
}

#[test]
fn a_way_through_a_shell_is_remembered() {
    let root = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*",
        "Resource": "*"});
    let lab = after_policy(json!([root, for_user("kms:Decrypt")]));
    assert_eq!(led_to(&lab), Some(&LedTo::Reached(Stage::Grant)));
    let way = lab.state.shown_facts().way.clone().unwrap();
    assert!(way.document().is_some_and(|document| document.contains("\"Mine\"")), "{way:?}");
    assert_eq!(lab.state.change_before(), Some("Only the key policy changed."));
    let expected = lab.state.text(Stage::Grant).expected;
    assert_eq!(expected, "test-user can read, by your key policy");
}

#[rstest]
#[case::not_by_test_user_either("kms:Decrypt", false)]
#[case::but_by_test_user("kms:*", true)]
fn a_policy_that_locks_admin_out_is_told(#[case] action: &str, #[case] can_repair: bool) {
    let lab = after_policy(json!([for_user(action)]));
    assert_eq!(led_to(&lab), Some(&LedTo::LockedOut(can_repair)));
    let message = lab.state.view().message.clone().unwrap();
    assert!(message.contains("admin is locked out of the key"), "{message}");
    assert_eq!(message.contains("X starts over"), !can_repair, "{message}");
}
