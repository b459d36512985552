use rstest::rstest;
use serde_json::json;

use super::fake::*;
use crate::lab::*;

#[test]
fn the_whole_lab_meets_nine_of_nine() {
    let mut lab = sandbox();
    lab.run_to(Stage::CleanUp);
    let unmet: Vec<_> = Stage::ALL.iter().filter(|s| !lab.observed(**s).0).map(|s| lab.observed(*s)).collect();
    assert_eq!(unmet, [], "every stage is met");
    assert!(lab.state.is_finished());
    assert_eq!(
        lab.sent,
        [
            "admin sts:GetCallerIdentity",
            "admin kms:CreateKey",
            "admin kms:CreateAlias",
            "admin kms:DescribeKey",
            "admin kms:GetKeyPolicy",
            "admin dynamodb:CreateTable",
            "admin dynamodb:DescribeTable",
            "admin dynamodb:PutItem",
            "admin dynamodb:PutItem",
            "admin dynamodb:PutItem",
            "admin dynamodb:Scan",
            "admin iam:CreateUser",
            "admin iam:AttachUserPolicy",
            "admin iam:CreateAccessKey",
            "test-user sts:GetCallerIdentity",
            "admin dynamodb:Scan",
            "test-user dynamodb:Scan",
            "admin kms:GetKeyPolicy",
            "admin kms:PutKeyPolicy",
            "admin kms:GetKeyPolicy",
            "admin dynamodb:Scan",
            "test-user dynamodb:Scan",
            "admin dynamodb:DeleteTable",
            "admin dynamodb:DescribeTable",
            "admin iam:DetachUserPolicy",
            "admin iam:DeleteAccessKey",
            "admin iam:DeleteUser",
            "admin kms:DeleteAlias",
            "admin kms:ScheduleKeyDeletion",
            "admin kms:DescribeKey",
        ]
    );
    assert!(lab.state.kernel().facts().made.is_empty());
}

#[test]
fn the_outline_of_every_stage_is_what_is_really_sent() {
    let kinds = [BackendKind::Sandbox, BackendKind::Endpoint, BackendKind::Aws];
    for (kind, given_user) in kinds.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let mut lab = Lab::new(Backend { kind, given_user, ..backend() }, Cloud::default());
        lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
        for stage in Stage::ALL {
            lab.sent.clear();
            lab.run_to(stage);
            let outlined: Vec<String> = stage
                .outline(lab.state.backend())
                .flat_map(|(identity, call)| {
                    let (call, times) = call.split_once(" ×3").map_or((call, 1), |(call, _)| (call, 3));
                    vec![format!("{} {call}", identity.name()); times]
                })
                .collect();
            assert_eq!(lab.sent, outlined, "{} on {kind:?} with given_user {given_user}", stage.key());
        }
    }
}

#[test]
fn both_scans_of_a_pair_are_sent_before_either_is_answered() {
    for stage in [Stage::ViewDenied, Stage::ViewAgain] {
        let mut lab = sandbox();
        lab.run_to(stage.previous().unwrap());
        lab.press(Intent::Advance);
        let effects = lab.state.update(Event::Intent(Intent::Advance));
        let calls = effects.iter().filter(|effect| matches!(effect, Effect::Call { .. })).count();
        assert_eq!(calls, 2, "{}", stage.key());
    }
}

#[test]
fn responses_are_kept_in_the_order_of_sending() {
    let mut lab = sandbox();
    lab.run_to(Stage::CreateUser);
    lab.press(Intent::Advance);
    let mut calls: Vec<_> = lab
        .state
        .update(Event::Intent(Intent::Advance))
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Call { id, identity, operation } => Some((id, identity, operation)),
            _ => None,
        })
        .collect();
    calls.reverse();
    for (id, identity, operation) in calls {
        let answer = lab.cloud.call(identity, &operation);
        let effects = lab.state.update(Event::CallFinished { id, answer });
        lab.perform(effects);
    }
    let identities: Vec<_> = lab.state.record(Stage::ViewDenied).exchanges().map(|e| e.identity).collect();
    assert_eq!(identities, Identity::BOTH);
    assert!(lab.observed(Stage::ViewDenied).0);
}

#[test]
fn an_answer_that_nobody_awaits_changes_nothing() {
    let mut lab = sandbox();
    lab.run_to(Stage::Who);
    let before = lab.state.clone();
    assert_eq!(lab.state.update(Event::CallFinished { id: CallId(1), answer: silence() }), []);
    assert_eq!(lab.state.update(Event::CallFinished { id: CallId(99), answer: silence() }), []);
    assert_eq!(lab.state.update(Event::TimerFired(TimerId(1))), []);
    assert_eq!(lab.state, before);
}

#[rstest]
#[case(Intent::Advance)]
#[case(Intent::Retry)]
fn nothing_is_sent_twice_while_calls_are_in_progress(#[case] intent: Intent) {
    let mut lab = sandbox();
    let first = lab.state.update(Event::Intent(Intent::Advance));
    assert!(first.iter().any(|effect| matches!(effect, Effect::Call { .. })));
    assert!(lab.state.is_running());
    assert_eq!(lab.state.update(Event::Intent(intent)), []);
}

#[test]
fn looking_back_and_forth_sends_nothing_and_keeps_the_answers() {
    let mut lab = sandbox();
    lab.run_to(Stage::Grant);
    let sent = lab.sent.len();
    let records: Vec<_> = Stage::ALL.map(|stage| lab.state.record(stage).clone()).to_vec();
    for _ in 0..12 {
        lab.press(Intent::ShowPrevious);
    }
    assert_eq!(lab.state.view().shown, Stage::Who);
    // Enter on a finished stage goes forward and does nothing else.
    lab.press(Intent::Advance);
    assert_eq!(lab.state.view().shown, Stage::CreateKey);
    for _ in 0..12 {
        lab.press(Intent::ShowNext);
    }
    assert_eq!(lab.state.view().shown, Stage::ViewAgain, "the next stage can be looked at, not the one after it");
    assert_eq!(lab.sent.len(), sent);
    assert_eq!(Stage::ALL.map(|stage| lab.state.record(stage).clone()).to_vec(), records);
}

#[test]
fn the_stage_list_goes_back_and_not_past_running_calls() {
    let mut lab = sandbox();
    lab.run_to(Stage::CreateTable);
    lab.press(Intent::Advance);
    lab.state.update(Event::Intent(Intent::Advance));
    lab.press(Intent::ToggleStages);
    lab.press(Intent::MoveCursor(100));
    assert_eq!(lab.state.view().overlay, Some(Overlay::Stages { cursor: Stage::ViewAdmin }));
    lab.press(Intent::MoveCursor(-100));
    lab.press(Intent::Advance);
    assert_eq!((lab.state.view().shown, lab.state.view().overlay), (Stage::Who, None));
    assert_eq!(lab.state.current(), Stage::ViewAdmin);
}

#[test]
fn a_stage_that_only_reads_can_be_sent_again_as_a_whole() {
    let mut lab = sandbox();
    lab.run_to(Stage::ViewDenied);
    lab.sent.clear();
    assert!(lab.state.can_retry());
    lab.press(Intent::Retry);
    assert_eq!(lab.sent, ["admin dynamodb:Scan", "test-user dynamodb:Scan"]);
    assert_eq!(lab.state.record(Stage::ViewDenied).exchanges().len(), 2);
}

#[test]
fn a_creating_stage_resumes_where_it_failed() {
    let mut lab = sandbox();
    lab.cloud.faults.push(("CreateAlias", 0, json!(null)));
    lab.run_to(Stage::CreateKey);
    let (met, observed) = lab.observed(Stage::CreateKey);
    assert!(!met && observed.contains("CreateAlias FAILED: connection refused"), "{observed}");
    lab.press(Intent::Retry);
    assert!(lab.observed(Stage::CreateKey).0);
    assert_eq!(lab.sent.iter().filter(|call| call.ends_with("kms:CreateKey")).count(), 1);
    assert_eq!(lab.sent.iter().filter(|call| call.ends_with("kms:CreateAlias")).count(), 2);
    assert_eq!(lab.state.record(Stage::CreateKey).exchanges().len(), 4);
    assert!(!lab.state.can_retry(), "a met stage that creates is not run again");
}

#[rstest]
#[case("CreateKey", Stage::CreateKey)]
#[case("CreateTable", Stage::CreateTable)]
#[case("CreateUser", Stage::CreateUser)]
fn a_failed_creation_is_cleaned_up(#[case] fault: &'static str, #[case] at: Stage) {
    let mut lab = sandbox();
    lab.cloud.faults.push((fault, 500, json!({"__type": "InternalFailure", "message": "boom"})));
    lab.run_to(Stage::CleanUp);
    assert!(!lab.observed(at).0);
    assert!(lab.state.is_finished());
    assert!(lab.observed(Stage::CleanUp).0, "{:?}", lab.observed(Stage::CleanUp));
    assert!(lab.state.kernel().facts().made.is_empty());
    let blocked = Stage::ALL.iter().filter(|s| lab.observed(**s).1.starts_with("not attempted")).count();
    assert!(blocked > 0 || at == Stage::CreateUser);
}

#[test]
fn the_table_is_waited_for_with_growing_pauses() {
    let mut lab = sandbox();
    lab.cloud.creating = 4;
    lab.run_to(Stage::CreateTable);
    assert!(lab.observed(Stage::CreateTable).0);
    assert_eq!(lab.waited_ms, [100, 200, 400, 800]);
    let describes = lab.state.record(Stage::CreateTable).exchanges();
    let describes: Vec<_> = describes.filter(|e| e.operation.name() == "DescribeTable").collect();
    assert_eq!(describes.len(), 1, "only the newest answer of a repeated call is kept");
    assert_eq!(describes[0].attempt, 5);
}

#[test]
fn waiting_ends_and_says_what_for() {
    let mut lab = sandbox();
    lab.cloud.creating = u32::MAX;
    lab.run_to(Stage::CreateTable);
    let (met, observed) = lab.observed(Stage::CreateTable);
    assert!(!met);
    assert!(observed.contains("gave up waiting for the table to become ACTIVE after 45 s"), "{observed}");
    assert!(lab.state.can_retry());
    let message = lab.state.view().message.clone().unwrap();
    assert!(message.starts_with("r: wait again · Enter: go on without it"), "{message}");
    lab.cloud.creating = 3;
    lab.press(Intent::Retry);
    assert!(lab.observed(Stage::CreateTable).0);
    assert_eq!(lab.sent.iter().filter(|call| call.ends_with("CreateTable")).count(), 1);
}

#[test]
fn a_new_user_may_not_be_known_to_kms_yet() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::CreateUser);
    let unknown = json!({"__type": "MalformedPolicyDocumentException",
        "message": "Policy contains a statement with one or more invalid principals."});
    lab.cloud.faults = vec![("PutKeyPolicy", 400, unknown.clone()); 3];
    lab.run_to(Stage::Grant);
    assert!(lab.observed(Stage::Grant).0, "{:?}", lab.observed(Stage::Grant));
    assert_eq!(lab.waited_ms, [100, 200, 400]);

    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::CreateUser);
    lab.cloud.faults = vec![("PutKeyPolicy", 400, unknown); 100];
    lab.run_to(Stage::Grant);
    let (met, observed) = lab.observed(Stage::Grant);
    assert!(!met && observed.starts_with("gave up waiting for KMS to see the new user after 45 s"), "{observed}");
    assert!(observed.contains("invalid principals"), "{observed}");
    lab.cloud.faults.clear();
    lab.press(Intent::Retry);
    assert!(lab.observed(Stage::Grant).0);
}

#[rstest]
#[case::the_key(Stage::CreateKey, "CreateAlias", "NotFoundException", "Key 'arn:k' does not exist", 3)]
#[case::the_keys_policy(Stage::CreateKey, "GetKeyPolicy", "NotFoundException", "Key 'arn:k' does not exist", 3)]
#[case::the_user(Stage::CreateUser, "PutUserPolicy", "NoSuchEntity", "The user with name kmslab-user-t1 ...", 3)]
#[case::the_users_key(Stage::CreateUser, "CreateAccessKey", "NoSuchEntity", "The user with name kmslab-user-t1 ...", 3)]
// Waiting would not help.
#[case::something_else(Stage::CreateUser, "PutUserPolicy", "NoSuchEntity", "Something else ...", 0)]
fn a_new_resource_is_waited_for_until_found(
    #[case] stage: Stage,
    #[case] call: &'static str,
    #[case] code: &str,
    #[case] message: &str,
    #[case] waits: usize,
) {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(stage.previous().unwrap());
    lab.cloud.faults = vec![(call, 400, json!({"__type": code, "message": message})); 3];
    lab.run_to(stage);
    assert_eq!((lab.waited_ms.len(), lab.observed(stage).0), (waits, waits > 0), "{:?}", lab.observed(stage));
}

#[test]
fn the_policy_is_attached_in_the_admins_partition() {
    let admin_arn = "arn:aws-cn:iam::111122223333:user/kmslab-admin".to_owned();
    let mut lab = Lab::new(backend(), Cloud { admin_arn, ..Cloud::default() });
    lab.run_to(Stage::CreateUser);
    let attached = lab.state.kernel().facts().made.policy_attached.as_deref();
    assert_eq!(attached, Some("arn:aws-cn:iam::aws:policy/AmazonDynamoDBFullAccess"));
}

#[test]
fn a_malformed_policy_is_not_waited_for() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::CreateUser);
    lab.cloud.faults =
        vec![("PutKeyPolicy", 400, json!({"__type": "MalformedPolicyDocumentException", "message": "not JSON"}))];
    lab.run_to(Stage::Grant);
    assert!(!lab.observed(Stage::Grant).0);
    assert_eq!(lab.waited_ms, Vec::<u64>::new());
}

#[test]
fn a_new_access_key_is_waited_for() {
    let mut lab = Lab::new(endpoint(false), Cloud { unknown_key: 3, ..Cloud::default() });
    lab.run_to(Stage::CreateUser);
    assert!(lab.observed(Stage::CreateUser).0);
    assert_eq!(lab.waited_ms.len(), 3);
}

#[test]
fn the_sandbox_does_not_wait_out_a_denial() {
    let mut lab = sandbox();
    lab.run_to(Stage::Grant);
    lab.cloud.user_arn = "arn:aws:iam::111122223333:user/somebody-else".into();
    lab.run_to(Stage::ViewAgain);
    assert!(!lab.observed(Stage::ViewAgain).0);
    assert_eq!(lab.waited_ms, Vec::<u64>::new());
}

#[test]
fn elsewhere_a_denial_after_the_grant_is_asked_again() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::Grant);
    lab.cloud.user_arn = "arn:aws:iam::111122223333:user/somebody-else".into();
    lab.run_to(Stage::ViewAgain);
    assert_eq!(lab.waited_ms.len(), 19);
    let (met, observed) = lab.observed(Stage::ViewAgain);
    assert!(
        !met && observed.starts_with("gave up waiting for the new key policy to take effect everywhere"),
        "{observed}"
    );
    assert!(observed.contains("test-user DENIED on kms:Decrypt"), "{observed}");
    let told = lab.reports.iter().rev().find_map(|report| match report {
        Report::Stage(Stage::ViewAgain, check) => Some(check.observed.clone()),
        _ => None,
    });
    assert_eq!(told.as_deref(), Some(observed));
}

#[test]
fn an_unreachable_backend_is_no_unmet_expectation() {
    let mut lab = sandbox();
    lab.cloud.faults.push(("GetCallerIdentity", 0, json!(null)));
    lab.run_to(Stage::Who);
    assert!(lab.state.backend_is_unusable().is_some());

    let mut lab = sandbox();
    let refused = json!({"Error": {"Code": "InvalidClientTokenId", "Message": "no"}});
    lab.cloud.faults.push(("GetCallerIdentity", 403, refused));
    lab.run_to(Stage::Who);
    assert!(lab.state.backend_is_unusable().is_some());

    let mut lab = Lab::new(backend(), Cloud { admin_arn: "arn:aws:iam::111122223333:root".into(), ..Cloud::default() });
    lab.run_to(Stage::Who);
    assert!(!lab.observed(Stage::Who).0);
    assert!(lab.state.backend_is_unusable().is_none());
}

#[test]
fn the_highlighted_call_is_shown_first() {
    let mut lab = sandbox();
    lab.run_to(Stage::CreateKey);
    assert_eq!(lab.state.selected(Identity::Admin), Some(0), "CreateKey");
    (0..9).for_each(|_| lab.press(Intent::SelectNext));
    assert_eq!(lab.state.selected(Identity::Admin), Some(3));
    for _ in 0..9 {
        lab.press(Intent::SelectPrevious);
    }
    assert_eq!(lab.state.selected(Identity::Admin), Some(0));
    assert_eq!(lab.state.selected(Identity::TestUser), None);
}

#[test]
fn a_failed_call_is_shown_first() {
    let mut lab = sandbox();
    lab.cloud.faults.push(("CreateAlias", 400, json!({"__type": "AlreadyExistsException", "message": "taken"})));
    lab.run_to(Stage::CreateKey);
    assert_eq!(lab.state.selected(Identity::Admin), Some(1));
}

fn not_found() -> serde_json::Value {
    json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "not yet"})
}

#[test]
fn a_table_not_seen_yet_is_awaited_and_cleaned_up() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.cloud.faults.push(("DescribeTable", 400, not_found()));
    lab.run_to(Stage::CleanUp);
    for stage in Stage::ALL {
        assert!(lab.observed(stage).0, "{}: {}", stage.key(), lab.observed(stage).1);
    }
    assert!(lab.sent.contains(&"admin dynamodb:DeleteTable".to_owned()));
}

#[test]
fn a_table_being_created_is_deleted_once_possible() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::ViewAgain);
    let busy = json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceInUseException", "message": "creating"});
    lab.cloud.faults.extend([("DeleteTable", 400, busy.clone()), ("DeleteTable", 400, busy)]);
    lab.run_to(Stage::CleanUp);
    assert!(lab.observed(Stage::CleanUp).0, "{:?}", lab.observed(Stage::CleanUp));
    assert_eq!(lab.waited_ms, [100, 200]);
}

#[test]
fn a_table_that_can_not_be_deleted_is_not_waited_for() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::ViewAgain);
    let refused = json!({"__type": "AccessDeniedException", "message": "no"});
    lab.cloud.faults.push(("DeleteTable", 400, refused));
    lab.run_to(Stage::CleanUp);
    assert!(!lab.observed(Stage::CleanUp).0);
    assert_eq!(lab.waited_ms, Vec::<u64>::new());
}

#[test]
fn a_deletion_with_a_lost_response_leaves_no_key() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::ViewAgain);
    lab.cloud.key_state = "PendingDeletion";
    let pending = json!({"__type": "KMSInvalidStateException", "message": "arn is pending deletion."});
    lab.cloud.faults.push(("ScheduleKeyDeletion", 400, pending));
    lab.run_to(Stage::CleanUp);
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());
}

#[test]
fn answers_of_a_stage_that_is_not_looked_at_move_no_focus() {
    let mut lab = sandbox();
    lab.run_to(Stage::CreateUser);
    lab.press(Intent::Advance);
    let under_way = lab.state.update(Event::Intent(Intent::Advance));
    lab.press(Intent::ShowPrevious);
    let focus = lab.state.view().focus();
    lab.perform(under_way);
    assert!(lab.observed(Stage::ViewDenied).0);
    assert_eq!((lab.state.view().shown, lab.state.view().focus()), (Stage::CreateUser, focus));
}

/// Somebody has removed it already, which is as good as removing it.
#[test]
fn what_an_experiment_takes_back_may_be_gone() {
    let mut lab = sandbox();
    lab.run_to(Stage::ViewAgain);
    let gone = json!({"Error": {"Code": "NoSuchEntity", "Message": "The user policy cannot be found."}});
    lab.cloud.faults.push(("DeleteUserPolicy", 404, gone));
    let which = Experiment::IamAllow;
    lab.press(Intent::ToggleExperiments);
    lab.press(Intent::MoveCursor(i8::try_from(which.index()).unwrap()));
    for intent in [Intent::Advance, Intent::Choose(0), Intent::Advance] {
        lab.press(intent);
    }
    let record = lab.state.trial(which);
    let gone: Vec<_> = record.exchanges().filter(|exchange| !exchange.is_allowed()).collect();
    assert!(matches!(gone.as_slice(), [.., last] if last.is_wanted_absence()), "{gone:?}");
    assert_eq!(lab.state.experiments().changes(), []);
}

#[test]
fn a_stage_without_a_failed_call_keeps_its_responses() {
    let mut lab = Lab::new(endpoint(false), Cloud { key_state: "Disabled", ..Cloud::default() });
    lab.run_to(Stage::CreateKey);
    let before = lab.state.record(Stage::CreateKey).clone();
    assert!(!lab.state.can_retry());
    lab.press(Intent::Retry);
    assert_eq!(*lab.state.record(Stage::CreateKey), before);
}

#[test]
fn a_grant_that_had_no_effect_can_be_tried_again() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::ViewDenied);
    let stale = json!({"Policy": lab.cloud.key_policy, "PolicyName": "default"});
    lab.cloud.faults = vec![("GetKeyPolicy", 200, stale); 100];
    lab.run_to(Stage::Grant);
    let gave_up = "gave up waiting for GetKeyPolicy to return the new policy after 45 s";
    assert_eq!(lab.observed(Stage::Grant), (false, gave_up));
    lab.cloud.faults.clear();
    lab.press(Intent::Retry);
    assert!(lab.observed(Stage::Grant).0, "{:?}", lab.observed(Stage::Grant));
}

#[test]
fn a_failed_stage_can_be_retried_after_a_look_ahead() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.cloud.faults.push(("CreateKey", 400, json!({"__type": "LimitExceededException", "message": "too many"})));
    lab.run_to(Stage::CreateTable);
    assert!(lab.observed(Stage::CreateTable).1.starts_with("not attempted"));
    lab.press(Intent::ShowPrevious);
    assert!(lab.state.can_retry());
    lab.press(Intent::Retry);
    assert!(lab.observed(Stage::CreateKey).0);
    assert_eq!(lab.state.record(Stage::CreateTable).status, Status::Todo);
    lab.run_to(Stage::CreateTable);
    assert!(lab.observed(Stage::CreateTable).0, "{:?}", lab.observed(Stage::CreateTable));
    lab.press(Intent::ShowPrevious);
    assert!(!lab.state.can_retry(), "the table was built on this key");
}

#[rstest]
#[case::a_web_server(404, json!("<html>not here</html>"), true)]
#[case::a_proxy(502, json!("bad gateway"), true)]
#[case::a_server_in_trouble(500, json!({"__type": "InternalFailure", "message": "boom"}), true)]
#[case::not_allowed(403, json!({"Error": {"Code": "AccessDenied", "Message": "no"}}), false)]
fn what_is_no_usable_backend(#[case] status: u16, #[case] body: serde_json::Value, #[case] unusable: bool) {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.cloud.faults.push(("GetCallerIdentity", status, body));
    lab.run_to(Stage::Who);
    assert_eq!(lab.state.backend_is_unusable().is_some(), unusable);
}
