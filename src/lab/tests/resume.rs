//! Going on where a kept session ended, at every call.

use rstest::rstest;

use super::fake::*;
use crate::lab::Experiment;
use crate::lab::resume::Looked;
use crate::lab::*;

fn endpoint() -> Backend {
    Backend { kind: BackendKind::Endpoint, ..backend() }
}

/// A lab whose session is kept; on a sandbox without a folder, or on an endpoint.
fn kept_lab(fleeting: bool, cloud: Cloud, run: &str) -> Lab {
    let backend = if fleeting { backend() } else { endpoint() };
    let mut lab = Lab::new(backend.clone(), cloud);
    lab.state = State::new(backend.clone(), Names::new(run)).with_quiz(Quiz::new(7));
    lab.state.save_at(Place::new(&backend));
    lab.at = 1_795_514_520;
    lab
}

/// Answers the question where there is one, and goes on.
fn step(lab: &mut Lab) {
    if lab.state.waits_for_answer() {
        lab.press(Intent::Choose(1));
    }
    lab.press(Intent::Advance);
}

fn go_to(lab: &mut Lab, last: Stage) {
    while lab.state.check(last).is_none() && !lab.is_dead() {
        step(lab);
    }
}

/// A lab in the place of `dead`, which has read what that has kept.
fn revive(mut dead: Lab, fleeting: bool) -> Lab {
    let kept = dead.saved.take();
    let mut cloud = std::mem::take(&mut dead.cloud);
    if fleeting {
        cloud =
            Cloud { user_arn: format!("arn:aws:iam::{ACCOUNT}:user/{}", Names::new("t2").user), ..Cloud::default() };
    }
    let mut lab = kept_lab(fleeting, cloud, "t2");
    if let Some(kept) = kept.filter(SavedSession::can_go_on) {
        let effects = lab.state.offer_to_resume(kept);
        lab.perform(effects);
        assert!(lab.state.can_resume(), "{:?}", lab.state.resume_offer().map(|offer| offer.looked()));
        lab.press(Intent::Advance);
        assert!(!lab.state.is_catching_up() && !lab.state.is_asking_to_resume());
    }
    lab
}

/// Whoever goes on after a crash in front of a class still has what it has said.
#[test]
fn votes_are_kept_beside_the_answers() {
    let mut lab = kept_lab(false, Cloud::default(), "t1");
    go_to(&mut lab, Stage::Who);
    lab.press(Intent::Advance);
    let votes = |lab: &mut Lab, count| {
        for wish in [
            PresenterAction::Tally,
            PresenterAction::Letter(1),
            PresenterAction::Digit(count),
            PresenterAction::TakeHands,
        ] {
            lab.press(Intent::Present(wish));
        }
    };
    // The second count changes no answer, and is kept as well.
    votes(&mut lab, 3);
    votes(&mut lab, 4);
    let revived = revive(lab, false);
    assert_eq!(revived.state.hands(Stage::CreateKey).and_then(|hands| hands.get(1)), Some(4));
    assert!(revived.state.question(Stage::CreateKey).is_some_and(|asked| asked.skipped));
}

/// How many calls a whole lab sends.
fn calls() -> usize {
    let mut lab = kept_lab(false, Cloud::default(), "t1");
    go_to(&mut lab, Stage::CleanUp);
    lab.sent.len()
}

#[rstest]
#[case::before_the_call(false)]
#[case::after_it(true)]
fn killed_at_every_call_it_goes_on_and_leaves_nothing(#[case] done: bool) {
    for call in 0..calls() {
        let mut lab = kept_lab(false, Cloud::default(), "t1");
        lab.dies_at = Some((call, done));
        go_to(&mut lab, Stage::CleanUp);
        let (killed_at, choices) = (lab.state.current(), lab.state.quiz().clone());
        let mut lab = revive(lab, false);
        assert_eq!(*lab.state.quiz(), choices, "call {call}");
        assert_eq!(lab.state.current(), killed_at, "call {call}: {:?}", lab.state.view().message);
        assert_eq!(lab.state.names().run, "t1", "call {call}");
        assert_eq!(lab.taken_over, ["t1"], "call {call}");
        go_to(&mut lab, Stage::CleanUp);
        assert_eq!(lab.state.met(), 9, "call {call}: {:?}", Stage::ALL.map(|stage| lab.state.check(stage).cloned()));
        assert!(lab.state.kernel().facts().made.is_empty(), "call {call}: {:?}", lab.state.kernel().facts().made);
        assert!(!lab.saved.unwrap().can_go_on());
    }
}

#[test]
fn a_fleeting_sandbox_is_set_up_again() {
    for call in 0..calls() {
        let mut lab = kept_lab(true, Cloud::default(), "t1");
        lab.dies_at = Some((call, true));
        go_to(&mut lab, Stage::CleanUp);
        let (killed_at, choices, kept) = (lab.state.current(), lab.state.quiz().clone(), lab.saved.clone().unwrap());
        let mut lab = revive(lab, true);
        assert_eq!((lab.state.current(), lab.state.quiz()), (killed_at, &choices), "call {call}");
        assert_eq!((lab.state.met(), lab.state.names().run.as_str()), (killed_at.index(), "t2"), "call {call}");
        let again = lab.state.saved().unwrap();
        for stage in Stage::ALL.into_iter().filter(|stage| *stage < killed_at) {
            assert_eq!(again.stage(stage).map(|kept| kept.times), kept.stage(stage).map(|kept| kept.times));
        }
        go_to(&mut lab, Stage::CleanUp);
        assert_eq!(lab.state.met(), 9, "call {call}");
    }
}

/// A lab that has done its stages up to `last`, and its successor, before Enter.
fn offered(last: Stage, change: impl FnOnce(&mut Cloud)) -> Lab {
    let mut lab = kept_lab(false, Cloud::default(), "t1");
    go_to(&mut lab, last);
    let kept = lab.saved.take().unwrap();
    let mut cloud = std::mem::take(&mut lab.cloud);
    change(&mut cloud);
    let mut lab = kept_lab(false, cloud, "t2");
    let effects = lab.state.offer_to_resume(kept);
    lab.perform(effects);
    lab
}

#[rstest]
#[case::a_stage(Stage::Who)]
#[case::most_stages(Stage::Grant)]
fn new_calls_get_ids_that_no_restored_call_has(#[case] last: Stage) {
    let mut lab = offered(last, |_| {});
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    let restored = Stage::ALL.iter().flat_map(|stage| &lab.state.record(*stage).calls).map(|call| call.id);
    let newest = restored.max().unwrap();
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Call { id, .. } => Some(*id),
        _ => None,
    });
    let sent: Vec<CallId> = sent.collect();
    assert!(!sent.is_empty() && sent.iter().all(|id| *id > newest), "{sent:?} after {newest:?}");
}

#[rstest]
#[case(Stage::Who, &[])]
#[case(Stage::CreateKey, &["key Enabled", "policy doesn't name test-user yet"])]
#[case(Stage::CreateUser, &["key Enabled", "policy doesn't name test-user yet", "table ACTIVE"])]
#[case(Stage::Grant, &["key Enabled", "policy names test-user", "table ACTIVE"])]
fn the_resume_question_changes_nothing_first(#[case] last: Stage, #[case] found: &[&str]) {
    let lab = offered(last, |_| {});
    let offer = lab.state.resume_offer().unwrap();
    assert_eq!(
        (offer.found(), offer.looked()),
        (&found.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..], &Looked::Done)
    );
    assert_eq!(offer.next_stage(), last.next().unwrap());
    assert_eq!(offer.needs_new_access_key(), last >= Stage::CreateUser);
    let asks = ["sts:GetCallerIdentity", "kms:DescribeKey", "kms:GetKeyPolicy", "dynamodb:DescribeTable"];
    assert!(lab.sent.iter().all(|call| asks.iter().any(|ask| call.ends_with(ask))), "{:?}", lab.sent);
    assert!(lab.saved.is_none(), "what is kept is not replaced before the answer");
}

fn no_key(cloud: &mut Cloud) {
    cloud.key_state = "PendingDeletion";
}

fn no_table(cloud: &mut Cloud) {
    cloud.table_exists = false;
}

fn no_grant(cloud: &mut Cloud) {
    cloud.key_policy = Cloud::default().key_policy;
}

fn no_items(cloud: &mut Cloud) {
    cloud.items.clear();
}

#[rstest]
#[case::key(no_key, Stage::CreateKey, "stage 2 has to be done again: KeyState PendingDeletion")]
#[case::table(
    no_table,
    Stage::CreateTable,
    "stage 3 has to be done again: admin DescribeTable FAILED: ResourceNotFound"
)]
#[case::items(no_items, Stage::ViewAdmin, "stage 4 has to be done again: admin ALLOWED (0 items), not the ones")]
#[case::grant(no_grant, Stage::Grant, "stage 7 has to be done again: ")]
fn a_stage_that_does_not_stand_any_more_is_to_do_again(
    #[case] change: fn(&mut Cloud),
    #[case] stage: Stage,
    #[case] message: &str,
) {
    let mut lab = offered(Stage::Grant, change);
    lab.press(Intent::Advance);
    assert_eq!(lab.state.current(), stage);
    let told = lab.state.view().message.clone().unwrap();
    assert!(told.starts_with(message), "{told}");
    assert_eq!(lab.state.record(stage).status, Status::Todo);
    assert!(Stage::ALL.into_iter().filter(|later| *later > stage).all(|later| lab.state.check(later).is_none()));
    assert_eq!(lab.state.met(), stage.index());
}

#[test]
fn a_lost_access_key_is_replaced_and_reported() {
    let mut lab = offered(Stage::CreateUser, |_| {});
    lab.sent.clear();
    lab.press(Intent::Advance);
    let keys = lab.sent.iter().filter(|call| call.contains("AccessKey")).cloned().collect::<Vec<_>>();
    assert_eq!(keys, ["admin iam:ListAccessKeys", "admin iam:DeleteAccessKey", "admin iam:CreateAccessKey"]);
    assert!(lab.state.view().message.clone().unwrap().contains("5 stages verified · new access key"));
}

#[test]
fn of_another_account_nothing_goes_on() {
    let mut lab = offered(Stage::CreateKey, |cloud| cloud.admin_arn = "arn:aws:iam::999999999999:user/a".into());
    assert!(matches!(lab.state.resume_offer().unwrap().looked(), Looked::Never(_)));
    assert_eq!(lab.sent, ["admin sts:GetCallerIdentity"]);
    lab.press(Intent::Advance);
    assert!(lab.state.is_asking_to_resume());
    lab.press(Intent::StartAfresh);
    assert_eq!((lab.state.current(), lab.state.names().run.as_str()), (Stage::Who, "t2"));
    assert_eq!(lab.state.view().message.as_deref(), Some("what run t1 made stays until `kmslab cleanup`"));
}

#[test]
fn silence_is_asked_again_and_condemns_no_stage() {
    let mut lab = offered(Stage::ViewAdmin, |cloud| cloud.faults.push(("GetCallerIdentity", 0, Default::default())));
    assert!(matches!(lab.state.resume_offer().unwrap().looked(), Looked::Unknown(_)));
    lab.press(Intent::Advance);
    assert_eq!(lab.state.resume_offer().unwrap().looked(), &Looked::Done);
    lab.cloud.faults.push(("Scan", 0, Default::default()));
    lab.press(Intent::Advance);
    assert_eq!(lab.state.stalled().map(|(stage, _)| stage), Some(Stage::ViewAdmin));
    lab.press(Intent::Close);
    assert!(lab.state.is_asking_to_resume(), "the question waits");
    assert_eq!(lab.state.met(), 4);
    let (shown, calls) = (lab.state.record(Stage::ViewAdmin), ["Scan"]);
    assert_eq!(shown.exchanges().map(|exchange| exchange.operation.name()).collect::<Vec<_>>(), calls, "as they were");
    assert!(shown.exchanges().all(|exchange| exchange.is_allowed()));
    lab.press(Intent::Advance);
    assert_eq!((lab.state.current(), lab.state.met()), (Stage::CreateUser, 4));
}

#[test]
fn killed_while_it_verifies_it_verifies_again() {
    let first = offered(Stage::Grant, |_| {});
    let before = first.sent.len();
    for call in 0..14 {
        let mut lab = offered(Stage::Grant, |_| {});
        lab.dies_at = Some((before + call, true));
        lab.press(Intent::Advance);
        let dead = lab.is_dead();
        let mut lab = revive(lab, false);
        assert_eq!(lab.state.current(), Stage::ViewAgain, "call {call}, {dead}: {:?}", lab.state.view().message);
        go_to(&mut lab, Stage::CleanUp);
        assert_eq!(lab.state.met(), 9);
        assert!(lab.state.kernel().facts().made.is_empty());
    }
}

#[test]
fn a_masked_session_is_kept_as_it_is_and_goes_on_masked() {
    let mut lab = kept_lab(false, Cloud::default(), "a1b2c3d4");
    lab.state.mask();
    lab.cloud.user_arn = format!("arn:aws:iam::{ACCOUNT}:user/kmslab-user-a1b2c3d4");
    go_to(&mut lab, Stage::CreateUser);
    let kept = lab.saved.take().unwrap();
    assert!(kept.stage(Stage::Who).unwrap().check.as_ref().unwrap().observed.contains(ACCOUNT));
    let mut next = kept_lab(false, std::mem::take(&mut lab.cloud), "t2");
    next.state.mask();
    let effects = next.state.offer_to_resume(kept);
    next.perform(effects);
    next.press(Intent::Advance);
    assert_eq!(next.state.met(), 5, "{:?}", next.state.view().message);
    assert!(!next.observed(Stage::Who).1.contains("kmslab-user-a1b2c3d4"));
    let shown = format!("{:?}{:?}", next.state.shown_facts(), next.state.shown_names());
    assert!(!shown.contains("a1b2c3d4") && !shown.contains(KEY_ID), "{shown}");
    assert!(next.state.kernel().facts().key_id() == Some(KEY_ID), "decided with as it came");
}

#[rstest]
fn killed_in_an_experiment_it_undoes_that_first(
    #[values(Experiment::DisableKey, Experiment::ExplicitDeny, Experiment::ScheduleDeletion)] which: Experiment,
) {
    let mut tried = 0;
    for call in 0.. {
        let mut lab = kept_lab(false, Cloud::default(), "t1");
        go_to(&mut lab, Stage::ViewAgain);
        lab.dies_at = Some((lab.sent.len() + call, true));
        lab.press(Intent::ToggleExperiments);
        lab.press(Intent::MoveCursor(i8::try_from(which.index()).unwrap()));
        lab.press(Intent::Advance);
        lab.press(Intent::Choose(0));
        lab.press(Intent::Advance);
        if !lab.is_dead() {
            break;
        }
        tried += 1;
        let mut lab = revive(lab, false);
        assert_eq!(lab.state.experiments().changes(), [], "call {call}");
        assert_eq!(
            (lab.state.current(), lab.state.met()),
            (Stage::CleanUp, 8),
            "{call}: {:?}",
            lab.state.view().message
        );
        assert!(lab.state.experiments().choice(which).is_some());
        assert!(lab.state.has_experiments());
        go_to(&mut lab, Stage::CleanUp);
        assert_eq!(lab.state.met(), 9, "call {call}");
        assert!(lab.state.kernel().facts().made.is_empty());
    }
    assert!(tried >= 3, "{tried} calls");
}

/// While things are being removed they can't be asked for, and a key that is removed needs no new one.
#[test]
fn killed_while_it_cleans_up_it_only_asks_who_it_is() {
    let mut lab = kept_lab(false, Cloud::default(), "t1");
    go_to(&mut lab, Stage::ViewAgain);
    lab.dies_at = Some((lab.sent.len(), true));
    go_to(&mut lab, Stage::CleanUp);
    let kept = lab.saved.take().unwrap();
    let mut lab = kept_lab(false, std::mem::take(&mut lab.cloud), "t2");
    let effects = lab.state.offer_to_resume(kept);
    lab.perform(effects);
    let offer = lab.state.resume_offer().unwrap();
    assert!(offer.next_stage() == Stage::CleanUp && !offer.needs_new_access_key());
    lab.sent.clear();
    lab.press(Intent::Advance);
    assert_eq!(lab.sent, ["admin sts:GetCallerIdentity"]);
}

/// Votes are told by the places of the answers: among other places they would say something else.
#[test]
fn votes_among_other_places_are_not_taken() {
    let mut lab = kept_lab(false, Cloud::default(), "t1");
    go_to(&mut lab, Stage::Who);
    lab.press(Intent::Advance);
    for wish in
        [PresenterAction::Tally, PresenterAction::Letter(1), PresenterAction::Digit(3), PresenterAction::TakeHands]
    {
        lab.press(Intent::Present(wish));
    }
    let kept = lab.saved.take().unwrap();
    let mut lab = kept_lab(false, std::mem::take(&mut lab.cloud), "t2");
    lab.state = lab.state.with_quiz(Quiz::default());
    let effects = lab.state.offer_to_resume(kept);
    lab.perform(effects);
    lab.press(Intent::Advance);
    assert_eq!(lab.state.hands(Stage::CreateKey), None);
}

#[test]
fn probe_results_are_reported_once_in_order() {
    let mut lab = offered(Stage::CreateUser, |cloud| cloud.faults.push(("DescribeTable", 0, Default::default())));
    assert!(matches!(lab.state.resume_offer().unwrap().looked(), Looked::Unknown(_)));
    let asked = lab.state.update(Event::Intent(Intent::Advance));
    let [Effect::Call { id, identity, operation }] = asked.as_slice() else { panic!("{asked:?}") };
    let answer = lab.cloud.call(*identity, operation);
    let mut asked = lab.state.update(Event::CallFinished { id: *id, answer });
    asked.reverse();
    lab.perform(asked);
    let found = ["key Enabled", "policy doesn't name test-user yet", "table ACTIVE"];
    assert_eq!(lab.state.resume_offer().unwrap().found(), found);
}

/// A jump that is under way while a saved session resumes waits until all its stages are verified.
#[rstest]
#[case::verified(false)]
#[case::stalled(true)]
fn a_jump_waits_for_the_verification(#[case] stalls: bool) {
    let mut lab = offered(Stage::CreateKey, |_| {});
    lab.sent.clear();
    let asked = lab.state.update(Event::Intent(Intent::Advance));
    // No key sets a destination meanwhile.
    assert_eq!(lab.state.jumpable(), Stage::Who);
    let kernel = lab.state.kernel().clone();
    assert_eq!(lab.state.presenting_mut().jump_to(Stage::CreateUser, &kernel).len(), 3);
    if stalls {
        lab.cloud.faults.push(("GetCallerIdentity", 0, Default::default()));
    }
    lab.perform(asked);
    if stalls {
        assert_eq!(lab.state.stalled().map(|(stage, _)| stage), Some(Stage::Who));
        assert_eq!((lab.sent.len(), lab.state.jumpable()), (1, Stage::CreateKey));
        lab.sent.clear();
        lab.press(Intent::Advance);
    }
    let calls = |name: &str| lab.sent.iter().filter(|call| call.ends_with(name)).count();
    assert_eq!((calls("kms:CreateKey"), calls("kms:DescribeKey")), (0, 1), "{:?}", lab.sent);
    assert_eq!((calls("dynamodb:CreateTable"), lab.state.destination()), (1, None), "then it goes on: {:?}", lab.sent);
    assert_eq!((lab.state.current(), lab.state.is_catching_up()), (Stage::CreateUser, false));
}
