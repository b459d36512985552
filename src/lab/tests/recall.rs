use rstest::rstest;
use serde_json::json;

use super::fake::*;
use crate::lab::*;

/// 24 Nov 2026, 10:02 UTC.
const RECORDED: u64 = 1_795_514_520;

fn on(kind: BackendKind) -> Lab {
    let endpoint = (kind != BackendKind::Aws).then(|| "http://127.0.0.1:1".to_owned());
    let mut lab = Lab::new(Backend { kind, endpoint, ..backend() }, Cloud::default());
    lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
    lab.at = RECORDED;
    lab
}

/// A lab that comes after one which met everything, two days later.
fn after_a_good_run(kind: BackendKind) -> Lab {
    let mut first = on(kind);
    first.state.set_names(Names::new("0ldrun77"));
    first.cloud.user_arn = format!("arn:aws:iam::{ACCOUNT}:user/kmslab-user-0ldrun77");
    first.run_to(Stage::CleanUp);
    let mut lab = on(kind);
    lab.kept = first.kept;
    lab.at = RECORDED + 2 * 24 * 60 * 60;
    lab
}

/// No call is answered any more.
fn cut(lab: &mut Lab) {
    for operation in ["GetCallerIdentity", "CreateKey", "Scan", "GetKeyPolicy", "ListKeys", "DescribeTable"] {
        lab.cloud.faults.extend((0..20).map(|_| (operation, 0, json!(null))));
    }
}

#[rstest]
#[case(BackendKind::Sandbox, 0)]
#[case(BackendKind::Endpoint, 9)]
#[case(BackendKind::Aws, 9)]
fn what_was_met_is_kept_wherever_there_is_a_network(#[case] kind: BackendKind, #[case] kept: usize) {
    let mut lab = on(kind);
    lab.run_to(Stage::CleanUp);
    assert_eq!((lab.state.met(), lab.kept.len()), (9, kept));
    for kept in &lab.kept {
        assert_eq!((kept.at, kept.run.as_str(), kept.admin.account.as_str()), (RECORDED, "t1", ACCOUNT));
        assert_eq!(kept.test_user.is_some(), kept.stage >= Stage::CreateUser);
        assert!(kept.exchanges.iter().all(|exchange| exchange.stage == kept.stage));
        let text = serde_json::to_string(kept).unwrap();
        assert!(text.contains(&format!(r#""stage":"{}""#, kept.stage.key())), "{text}");
        assert_eq!(serde_json::from_str::<RecordedStage>(&text).unwrap(), *kept);
    }
    assert_eq!(lab.loads, []);
}

#[rstest]
#[case::denied(400, json!({"__type": "AccessDeniedException", "message": "no"}))]
#[case::failed(500, json!({"__type": "InternalFailure", "message": "no"}))]
fn an_unmet_stage_is_neither_saved_nor_replaced(#[case] status: u16, #[case] body: serde_json::Value) {
    let mut lab = after_a_good_run(BackendKind::Endpoint);
    lab.kept.retain(|kept| kept.stage != Stage::CreateKey);
    lab.cloud.faults.push(("CreateKey", status, body));
    lab.run_to(Stage::CreateKey);
    assert!(!lab.observed(Stage::CreateKey).0);
    assert_eq!((lab.loads.len(), lab.state.can_replay(), lab.state.offer()), (0, false, None));
    assert!(!lab.kept.iter().any(|kept| kept.stage == Stage::CreateKey));
}

/// After a good run, with the calls of `view_denied` under way and never answered.
fn overdue(ticks: usize) -> (Lab, Vec<CallId>, Vec<Effect>) {
    let mut lab = after_a_good_run(BackendKind::Aws);
    lab.run_to(Stage::CreateUser);
    lab.press(Intent::Advance);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Call { id, .. } => Some(*id),
        _ => None,
    });
    let effects = (0..ticks).flat_map(|_| lab.state.update(Event::Tick)).collect();
    (lab, ids.collect(), effects)
}

#[test]
fn a_slow_call_does_not_leave_the_screen_empty() {
    let (lab, _, effects) = overdue(11);
    assert_eq!((effects, lab.state.offer(), lab.state.can_replay()), (Vec::new(), None, false));
    let (mut lab, ids, effects) = overdue(30);
    let recall = Effect::LoadResponses { stage: Stage::ViewDenied, account: Some(ACCOUNT.to_owned()) };
    assert_eq!(effects, [recall], "once");
    assert_eq!(lab.state.offer().as_deref(), Some("no response from AWS yet"));
    lab.perform(effects);
    let offer = lab.state.offer().unwrap();
    assert_eq!(offer, "no response from AWS yet · F: show the response of 24 Nov 10:02 UTC");
    lab.press(Intent::ToggleReplay);
    for identity in Identity::BOTH {
        let calls = lab.state.calls(identity);
        assert!(matches!(calls.as_slice(), [Call::Answered(_)]), "{calls:?}");
        assert_eq!(lab.state.selected(identity), Some(0));
    }
    // One answer is late, the other one lost: what is looked at stays.
    for (id, answer) in ids.into_iter().zip([answer(200, json!({"Items": []})), silence()]) {
        assert!(lab.state.is_replay() && lab.state.is_running());
        let effects = lab.state.update(Event::CallFinished { id, answer });
        lab.perform(effects);
    }
    assert!(lab.state.is_replay() && !lab.observed(Stage::ViewDenied).0);
    assert_eq!(lab.state.summary(), "5 of 9 stages met, 1 shown as REPLAY");
}

#[test]
fn a_late_answer_takes_the_place_of_the_recorded_one() {
    let (mut lab, ids, effects) = overdue(12);
    lab.perform(effects);
    lab.press(Intent::ToggleReplay);
    for (id, identity) in ids.into_iter().zip(Identity::BOTH) {
        assert!(lab.state.is_replay());
        let answer = lab.cloud.call(identity, &Operation::Scan { table: names().table });
        let effects = lab.state.update(Event::CallFinished { id, answer });
        lab.perform(effects);
    }
    assert!(lab.observed(Stage::ViewDenied).0 && !lab.state.is_replay());
    assert_eq!(lab.state.summary(), "6 of 9 stages met");
}

#[test]
fn what_was_not_sent_has_another_cause_than_the_network() {
    let mut lab = after_a_good_run(BackendKind::Endpoint);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    let Some(Effect::Call { id, .. }) = effects.last() else { panic!("{effects:?}") };
    let mut answer = silence();
    answer.tries = 0;
    let effects = lab.state.update(Event::CallFinished { id: *id, answer });
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::LoadResponses { .. })), "{effects:?}");
}

#[rstest]
#[case(BackendKind::Endpoint, "no response · r: try again · F: show the response of 24 Nov 10:02 UTC")]
#[case(BackendKind::Aws, "no response from AWS · r: try again · F: show the response of 24 Nov 10:02 UTC")]
fn a_stage_that_got_no_answer_offers_the_recorded_one(#[case] kind: BackendKind, #[case] offer: &str) {
    let mut lab = after_a_good_run(kind);
    lab.run_to(Stage::CreateUser);
    lab.press(Intent::Advance);
    cut(&mut lab);
    lab.press(Intent::Advance);
    assert_eq!(lab.loads, [(Stage::ViewDenied, Some(ACCOUNT.to_owned()))]);
    assert_eq!(lab.state.offer().as_deref(), Some(offer));
    assert!(offer.chars().count() < 80);

    let live = lab.state.clone();
    lab.press(Intent::ToggleReplay);
    assert_eq!(lab.state.replay_time().as_deref(), Some("24 Nov 10:02 UTC"));
    let calls = lab.state.calls(Identity::TestUser);
    let [Call::Answered(scan)] = calls.as_slice() else { panic!("{calls:?}") };
    let Verdict::Denied(denied) = &scan.verdict else { panic!("{scan:?}") };
    assert_eq!(denied.action.as_deref(), Some("kms:Decrypt"));
    let user = lab.state.facts_of_calls().test_user.as_ref().unwrap();
    assert!(user.arn.ends_with("kmslab-user-0ldrun77"), "{user:?}");
    // It decides nothing.
    assert_eq!((lab.state.met(), lab.observed(Stage::ViewDenied).0), (live.met(), false));
    assert_eq!((lab.state.kernel().facts(), lab.state.leftovers()), (live.kernel().facts(), live.leftovers()));
    assert_eq!(lab.state.summary(), "5 of 9 stages met, 1 shown as REPLAY");

    lab.press(Intent::ToggleReplay);
    assert_eq!(lab.state.calls(Identity::TestUser), live.calls(Identity::TestUser));
    assert_eq!((lab.state.replay_time(), lab.state.offer().as_deref()), (None, Some(offer)));
    assert_eq!(lab.state.facts_of_calls(), live.kernel().facts());
}

#[test]
fn the_network_is_back_and_the_stage_is_live_again() {
    let mut lab = after_a_good_run(BackendKind::Aws);
    lab.cloud.faults.push(("GetCallerIdentity", 0, json!(null)));
    lab.press(Intent::Advance);
    lab.press(Intent::ToggleReplay);
    assert!(lab.state.is_replay());
    lab.press(Intent::Retry);
    assert!(lab.observed(Stage::Who).0);
    assert_eq!((lab.state.replay_time(), lab.state.can_replay(), lab.state.offer()), (None, false, None));
    lab.run_to(Stage::CleanUp);
    assert_eq!(lab.state.summary(), "9 of 9 stages met");
    let newest = lab.kept.iter().map(|kept| kept.at).min();
    assert_eq!((lab.kept.len(), newest), (9, Some(lab.at)), "what came now has taken the place of what was kept");
}

#[rstest]
#[case(BackendKind::Endpoint)]
#[case(BackendKind::Aws)]
fn a_whole_class_goes_on_without_a_network(#[case] kind: BackendKind) {
    let mut lab = after_a_good_run(kind);
    cut(&mut lab);
    for stage in Stage::ALL {
        lab.press(Intent::ShowNext);
        lab.press(Intent::Advance);
        assert_eq!(lab.state.view().shown, stage);
        if lab.observed(stage).0 {
            continue; // clean-up, where nothing had been made
        }
        lab.press(Intent::ToggleReplay);
        assert!(lab.state.is_replay(), "{}: {:?}", stage.key(), lab.state.offer());
        assert!(Identity::BOTH.iter().any(|identity| !lab.state.calls(*identity).is_empty()));
        assert!(!lab.observed(stage).0);
    }
    // Nobody but STS knows the account; the first recorded one is then the account of all.
    assert_eq!(lab.loads[0], (Stage::Who, None));
    assert!(lab.loads[1..].iter().all(|(_, account)| account.as_deref() == Some(ACCOUNT)), "{:?}", lab.loads);
    assert_eq!(lab.state.replayed() + lab.state.met(), 9);
    assert!(lab.state.summary().ends_with("shown as REPLAY"));
}

#[test]
fn a_mask_lies_over_what_was_recorded_too() {
    let mut lab = after_a_good_run(BackendKind::Endpoint);
    lab.state.mask();
    lab.run_to(Stage::CreateUser);
    lab.press(Intent::Advance);
    cut(&mut lab);
    lab.press(Intent::Advance);
    lab.press(Intent::ToggleReplay);
    assert!(lab.state.is_replay());
    let shown = format!("{:?} {:?}", lab.state.answered().collect::<Vec<_>>(), lab.state.facts_of_calls());
    for original in [ACCOUNT, KEY_ID, "0ldrun77"] {
        assert!(!shown.contains(original), "{original}: {shown}");
    }
    // The user of the recorded answers has one pseudonym in all of them.
    let user = lab.state.facts_of_calls().test_user.as_ref().unwrap().arn.clone();
    assert!(format!("{:?}", lab.state.answered().collect::<Vec<_>>()).contains(&user), "{user}: {shown}");
    assert!(lab.kept.iter().all(|kept| kept.admin.account == ACCOUNT), "what is kept is as it came");
}

#[rstest]
#[case(Ok(None), "no response from AWS · r: try again")]
#[case(
    Err("the kept answer is of another account".to_owned()),
    "no response from AWS · r: try again · the kept answer is of another account"
)]
fn where_there_is_nothing_to_show_that_is_said(
    #[case] found: Result<Option<Box<RecordedStage>>, String>,
    #[case] offer: &str,
) {
    let mut lab = on(BackendKind::Aws);
    cut(&mut lab);
    lab.press(Intent::Advance);
    lab.state.update(Event::ResponsesLoaded { stage: Stage::Who, found });
    assert_eq!(lab.state.offer().as_deref(), Some(offer));
    assert!(offer.chars().count() < 80 && !lab.state.can_replay());
    let before = lab.state.clone();
    lab.press(Intent::ToggleReplay);
    assert_eq!(lab.state, before, "there is nothing to be shown");
}

#[test]
fn a_lab_that_cannot_save_says_so_once_and_goes_on() {
    let mut lab = on(BackendKind::Endpoint);
    lab.run_to(Stage::Who);
    lab.state.update(Event::ResponsesNotCached("Permission denied (os error 13)".to_owned()));
    let told = lab.state.view().message.clone().unwrap();
    assert!(told.ends_with("Permission denied (os error 13)") && told.chars().count() < 80, "{told}");
    lab.run_to(Stage::CreateKey);
    lab.state.update(Event::ResponsesNotCached("Permission denied (os error 13)".to_owned()));
    assert_eq!((lab.state.view().message.as_ref(), lab.state.not_cached()), (None, Some(told.as_str())));
    lab.run_to(Stage::CleanUp);
    assert_eq!(lab.state.met(), 9);
}

#[test]
fn the_names_in_files_are_those_of_the_contract() {
    for stage in Stage::ALL {
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.key());
    }
    for identity in Identity::BOTH {
        assert_eq!(serde_json::to_value(identity).unwrap(), identity.name());
    }
    for service in [Service::Sts, Service::Kms, Service::DynamoDb, Service::Iam] {
        assert_eq!(serde_json::to_value(service).unwrap(), service.prefix());
    }
}

#[test]
fn the_newest_response_dates_a_recording() {
    let mut lab = on(BackendKind::Endpoint);
    lab.run_to(Stage::CreateUser);
    lab.press(Intent::Advance);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    let mut kept = Vec::new();
    for (effect, at) in effects.into_iter().filter(|effect| matches!(effect, Effect::Call { .. })).zip([20, 10]) {
        let Effect::Call { id, identity, operation } = effect else { unreachable!() };
        let mut answer = lab.cloud.call(identity, &operation);
        answer.at = at;
        kept.extend(lab.state.update(Event::CallFinished { id, answer }));
    }
    let at =
        kept.iter().find_map(|effect| if let Effect::CacheResponses(kept) = effect { Some(kept.at) } else { None });
    assert_eq!(at, Some(20));
}

#[test]
fn a_retry_is_not_replayed_unasked() {
    let mut lab = after_a_good_run(BackendKind::Endpoint);
    cut(&mut lab);
    lab.press(Intent::Advance);
    lab.press(Intent::ToggleReplay);
    assert!(lab.state.is_replay());
    lab.press(Intent::Retry);
    assert!(!lab.observed(Stage::Who).0 && lab.state.can_replay() && !lab.state.is_replay());
}

#[test]
fn an_overdue_response_replaces_the_waiting_message() {
    let (mut lab, _, _) = overdue(11);
    lab.state.view_mut().message = Some("waiting for the table".to_owned());
    let effects = lab.state.update(Event::Tick);
    assert!(matches!(effects.as_slice(), [Effect::LoadResponses { .. }]), "{effects:?}");
    assert_eq!(lab.state.view().message, None);
}
