//! Presenting by tables: what the second screen shows, the clicker, votes, jumping ahead, beginning again.

use rstest::rstest;
use serde_json::json;

use super::fake::*;
use crate::lab::snapshot::Progress;
use crate::lab::*;

fn asking() -> Lab {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.state = lab.state.with_quiz(Quiz::new(1)).with_review();
    lab
}

fn on(kind: BackendKind) -> Lab {
    let mut lab = Lab::new(Backend { kind, ..backend() }, Cloud::default());
    lab.state = lab.state.with_quiz(Quiz::new(1)).with_review();
    lab
}

fn wish(lab: &mut Lab, wish: PresenterAction) {
    lab.press(Intent::Present(wish));
}

fn jump(lab: &mut Lab, stage: Stage) {
    lab.press(Intent::ToggleStages);
    lab.press(Intent::MoveCursor(i8::MIN));
    lab.press(Intent::MoveCursor(stage.index().try_into().unwrap()));
    lab.press(Intent::Advance);
}

fn tally(lab: &mut Lab, keys: &str) {
    wish(lab, PresenterAction::Tally);
    for key in keys.bytes() {
        wish(
            lab,
            if key.is_ascii_digit() { PresenterAction::Digit(key - b'0') } else { PresenterAction::Letter(key - b'a') },
        );
    }
    wish(lab, PresenterAction::TakeHands);
}

#[test]
fn a_jump_sets_up_earlier_stages_by_the_usual_calls() {
    let mut step_by_step = Lab::new(backend(), Cloud::default());
    step_by_step.run_to(Stage::CreateUser);
    let mut lab = asking();
    jump(&mut lab, Stage::ViewDenied);
    assert_eq!(lab.sent, step_by_step.sent);
    assert_eq!((lab.state.met(), lab.state.ended()), (5, 5));
    assert_eq!((lab.state.view().shown, lab.state.current()), (Stage::ViewDenied, Stage::ViewDenied));
    assert_eq!(lab.state.record(Stage::ViewDenied).status, Status::Todo);
    assert_eq!(lab.state.score(), Some(Score { skipped: 5, ..Score::default() }));
    assert!(lab.state.waits_for_answer(), "its own question is asked");
    // From there on, with what has been answered left as it is, and the key policy sent without a look.
    lab.press(Intent::Choose(0));
    jump(&mut lab, Stage::CleanUp);
    assert_eq!((lab.state.met(), lab.state.view().shown), (8, Stage::CleanUp));
    assert_eq!(lab.state.score().unwrap().answered, 1);
    assert_eq!(lab.state.destination(), None);
    // Back again sends nothing.
    let sent = lab.sent.len();
    jump(&mut lab, Stage::Who);
    assert_eq!((lab.sent.len(), lab.state.view().shown), (sent, Stage::Who));
}

/// From each stage, whose calls have not been sent or have, to each other.
#[test]
fn every_stage_is_reached_from_every_other() {
    for from in Stage::ALL {
        for done in [false, true] {
            for to in Stage::ALL {
                let mut lab = asking();
                jump(&mut lab, from);
                if done {
                    lab.press(Intent::Skip);
                    (0..2).for_each(|_| lab.press(Intent::Advance));
                    lab.state.view_mut().overlay = None;
                    lab.state.view_mut().show(from);
                }
                let before = lab.state.ended();
                jump(&mut lab, to);
                let state = &lab.state;
                let ended = before.max(to.index());
                assert_eq!(
                    (state.view().shown, state.ended(), state.met()),
                    (to, ended, ended),
                    "{from:?} {done} {to:?}"
                );
                assert_eq!((state.destination(), state.view().overlay), (None, None), "{from:?} {done} {to:?}");
                assert_eq!(state.waits_for_answer(), to.index() >= before, "{from:?} {done} {to:?}");
            }
        }
    }
}

#[test]
fn a_failure_on_the_way_stops_there() {
    let mut lab = asking();
    lab.cloud.faults.push(("CreateTable", 400, json!({"__type": "x#LimitExceededException", "message": "too many"})));
    jump(&mut lab, Stage::Grant);
    assert_eq!((lab.state.view().shown, lab.state.ended(), lab.state.met()), (Stage::CreateTable, 3, 2));
    assert_eq!(lab.state.view().message.as_deref(), Some("stopped here on the way to stage 7"));
    assert_eq!(lab.state.destination(), None);
    lab.press(Intent::Retry);
    assert_eq!((lab.state.met(), lab.state.view().shown), (3, Stage::CreateTable), "and goes no further by itself");
    jump(&mut lab, Stage::Grant);
    assert_eq!((lab.state.met(), lab.state.view().shown), (6, Stage::Grant));
}

#[test]
fn on_aws_the_way_asks_for_consent_and_shows_the_key_policy() {
    let mut lab = on(BackendKind::Aws);
    jump(&mut lab, Stage::ViewAgain);
    assert!(lab.state.is_asking_for_consent());
    assert_eq!(lab.sent, ["admin sts:GetCallerIdentity", "admin iam:SimulatePrincipalPolicy"]);
    (0..4).for_each(|_| lab.press(Intent::TypeDigit(3)));
    assert!(lab.state.held().is_some(), "a policy is looked at before it is sent");
    lab.press(Intent::Advance);
    assert_eq!((lab.state.met(), lab.state.view().shown), (7, Stage::ViewAgain));

    let mut refused = on(BackendKind::Aws);
    jump(&mut refused, Stage::ViewAgain);
    refused.press(Intent::Close);
    assert_eq!((refused.state.destination(), refused.state.is_asking_for_consent()), (None, false));
    assert_eq!(refused.sent, ["admin sts:GetCallerIdentity", "admin iam:SimulatePrincipalPolicy"]);
}

#[test]
fn an_unknown_admin_stops_a_jump_on_aws() {
    let mut lab = on(BackendKind::Aws);
    lab.cloud.faults.push(("GetCallerIdentity", 0, json!(null)));
    jump(&mut lab, Stage::ViewDenied);
    assert_eq!((lab.state.destination(), lab.state.ended(), lab.sent.len()), (None, 1, 1));
    jump(&mut lab, Stage::ViewDenied);
    assert_eq!((lab.state.destination(), lab.state.ended(), lab.sent.len()), (None, 2, 1));
}

#[test]
fn escape_ends_the_way_after_the_stage_that_is_under_way() {
    let mut lab = asking();
    lab.press(Intent::ToggleStages);
    lab.press(Intent::MoveCursor(5));
    let mut effects = lab.state.update(Event::Intent(Intent::Advance));
    assert!(lab.state.view().message.as_deref().unwrap().starts_with("setting up stage 6: stage 1"));
    effects.extend(lab.state.update(Event::Intent(Intent::Close)));
    lab.perform(effects);
    assert_eq!((lab.state.view().shown, lab.state.ended()), (Stage::Who, 1));
}

#[test]
fn a_clicker_warns_before_it_skips_a_question() {
    let mut lab = asking();
    wish(&mut lab, PresenterAction::Next);
    assert!(lab.state.view().message.as_deref().unwrap().contains("press again"), "{:?}", lab.state.view().message);
    // Whatever comes between makes the next press a first one.
    wish(&mut lab, PresenterAction::Timer);
    wish(&mut lab, PresenterAction::Next);
    assert_eq!((lab.sent.len(), lab.state.waits_for_answer()), (0, true));
    wish(&mut lab, PresenterAction::Next);
    assert_eq!(lab.state.met(), 1);
    let mut presses = 0;
    while lab.state.view().overlay != Some(Overlay::Debrief) {
        wish(&mut lab, PresenterAction::Next);
        presses += 1;
        assert!(presses < 99);
    }
    // On, ask, pass over: three for a stage; two for the key policy; one for the debrief.
    assert_eq!((lab.state.met(), presses), (9, 8 * 3 + 2 + 1));
}

#[test]
fn a_stage_that_ends_keeps_the_warning_of_leaving() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::Who);
    let mut effects = Vec::new();
    while !lab.state.is_running() {
        effects = lab.state.update(Event::Intent(Intent::Advance));
    }
    assert_eq!(lab.state.update(Event::Intent(Intent::AskToQuit)), []);
    lab.perform(effects);
    assert_eq!((lab.state.met(), lab.state.warns_of_leaving()), (2, true), "{:?}", lab.state.view().message);
    assert_eq!(lab.state.update(Event::Intent(Intent::AskToQuit)), [Effect::Exit]);
}

#[test]
fn a_stray_key_does_not_end_a_lab_that_has_begun() {
    let mut lab = asking();
    let leave = |lab: &mut Lab, intent| lab.state.update(Event::Intent(intent)) == [Effect::Exit];
    assert!(leave(&mut lab, Intent::AskToQuit), "nothing is lost yet");
    (0..3).for_each(|_| wish(&mut lab, PresenterAction::Next));
    assert_eq!(lab.state.met(), 1);
    wish(&mut lab, PresenterAction::Blank);
    assert!(!leave(&mut lab, Intent::AskToQuit));
    assert!(lab.state.is_blank() && lab.state.view().message.is_none(), "on a blank screen it does nothing");
    wish(&mut lab, PresenterAction::Blank);
    assert!(!leave(&mut lab, Intent::AskToQuit));
    let said = |lab: &Lab| lab.state.view().message.clone().unwrap_or_default();
    assert_eq!(said(&lab), "press q again to leave; nothing is saved");
    // Whatever comes between makes the next press a first one.
    wish(&mut lab, PresenterAction::Timer);
    assert_eq!(said(&lab), "");
    lab.state.save_at(Place::new(lab.state.backend()));
    lab.press(Intent::TogglePage(Page::Help));
    assert!(!leave(&mut lab, Intent::AskToQuit));
    assert_eq!(lab.state.view().overlay, None, "nor may a page hide it");
    assert_eq!(said(&lab), "press q again to leave; your progress is saved");
    assert!(leave(&mut lab, Intent::AskToQuit));
    assert!(!leave(&mut lab, Intent::AskToQuit));
    lab.state.update(Event::Say("something else".to_owned()));
    assert!(!leave(&mut lab, Intent::AskToQuit), "nothing on the screen speaks of leaving any more");
    wish(&mut lab, PresenterAction::Timer);
    assert!(leave(&mut lab, Intent::Quit), "ctrl-c does it at once");
    while !lab.state.is_finished() {
        wish(&mut lab, PresenterAction::Next);
    }
    assert!(leave(&mut lab, Intent::AskToQuit), "at the end nothing is interrupted");
}

#[test]
fn a_new_stage_begins_with_the_summary() {
    let mut lab = asking();
    jump(&mut lab, Stage::ViewAdmin);
    let next = |lab: &mut Lab| (0..2).for_each(|_| wish(lab, PresenterAction::Next));
    next(&mut lab);
    (0..2).for_each(|_| lab.press(Intent::CycleView));
    lab.press(Intent::ShowPrevious);
    lab.press(Intent::ShowNext);
    assert_eq!((lab.state.view().shown, lab.state.view().mode), (Stage::ViewAdmin, ViewMode::Http));
    lab.press(Intent::Advance);
    assert_eq!((lab.state.view().shown, lab.state.view().mode), (Stage::CreateUser, ViewMode::Summary));
    jump(&mut lab, Stage::ViewAgain);
    next(&mut lab);
    lab.press(Intent::CycleView);
    lab.press(Intent::ToggleExperiments);
    lab.press(Intent::Advance);
    assert_eq!((lab.state.view().experiment.is_some(), lab.state.view().mode), (true, ViewMode::Summary));
}

#[test]
fn a_button_pressed_twice_by_mistake_sends_no_key_policy() {
    let mut lab = asking();
    jump(&mut lab, Stage::Grant);
    (0..2).for_each(|_| wish(&mut lab, PresenterAction::Next));
    assert!(lab.state.held().is_some());
    let sent = lab.sent.len();
    wish(&mut lab, PresenterAction::Next);
    assert!(
        lab.state.view().message.as_deref().unwrap().contains("hasn't been sent"),
        "{:?}",
        lab.state.view().message
    );
    assert_eq!((lab.sent.len(), lab.state.held().is_some()), (sent, true));
    wish(&mut lab, PresenterAction::Next);
    assert_eq!((lab.sent.len() > sent, lab.state.met()), (true, 7));
}

#[test]
fn the_lab_says_what_a_held_key_policy_blocks() {
    for intent in [Intent::Present(PresenterAction::AskToStartOver), Intent::ToggleStages] {
        let mut lab = asking();
        jump(&mut lab, Stage::Grant);
        lab.press(Intent::Skip);
        lab.press(Intent::Advance);
        assert!(lab.state.holds_policy());
        lab.press(intent);
        let told = lab.state.view().message.clone().unwrap();
        assert_eq!(told, "stage 7 needs your OK: press enter or esc there first");
        assert_ne!(lab.state.view().overlay, Some(Overlay::StartOver));
        lab.press(Intent::Close);
        (0..2).for_each(|_| lab.press(Intent::Close));
        assert!(!lab.state.holds_policy());
        wish(&mut lab, PresenterAction::AskToStartOver);
        assert_eq!(lab.state.view().overlay, Some(Overlay::StartOver));
    }
}

#[test]
fn uncounted_votes_are_reported_before_they_are_lost() {
    let mut lab = asking();
    wish(&mut lab, PresenterAction::Tally);
    for each in [
        PresenterAction::Letter(1),
        PresenterAction::Digit(3),
        PresenterAction::Other('e'),
        PresenterAction::Digit(4),
        PresenterAction::TakeHands,
    ] {
        wish(&mut lab, each);
    }
    assert!(lab.state.is_tallying() && lab.state.entry().is_warned());
    wish(&mut lab, PresenterAction::TakeHands);
    let hands = lab.state.hands(Stage::Who).unwrap();
    assert_eq!((lab.state.is_tallying(), hands.get(1), hands.total()), (false, Some(3), 3));
}

#[test]
fn a_blank_screen_comes_back_as_it_was() {
    let mut lab = asking();
    lab.press(Intent::TogglePage(Page::Help));
    lab.press(Intent::ScrollTo(3));
    let before = lab.state.clone();
    wish(&mut lab, PresenterAction::Blank);
    assert!(lab.state.is_blank());
    assert!(PresenterSnapshot::of(&lab.state).blank);
    wish(&mut lab, PresenterAction::Blank);
    assert_eq!(lab.state, before);
    wish(&mut lab, PresenterAction::Blank);
    for stray in [Intent::AskToQuit, Intent::Advance, Intent::ShowNext, Intent::Present(PresenterAction::Next)] {
        assert_eq!(lab.state.permit(stray), Permit::No, "{stray:?}");
    }
    lab.press(Intent::Close);
    assert_eq!(lab.state, before, "escape shows the lab again and closes nothing else");
    wish(&mut lab, PresenterAction::Timer);
    wish(&mut lab, PresenterAction::Blank);
    assert!(!lab.state.shows_timer(), "nothing ticks behind a blank screen");
}

/// What opens behind a blank screen shows nobody an account.
#[test]
fn a_blank_screen_stays_blank_when_the_lab_asks_for_consent() {
    let mut lab = on(BackendKind::Aws);
    lab.press(Intent::ToggleStages);
    lab.press(Intent::MoveCursor(5));
    let mut effects = lab.state.update(Event::Intent(Intent::Advance));
    effects.extend(lab.state.update(Event::Intent(Intent::Present(PresenterAction::Blank))));
    lab.perform(effects);
    assert!(lab.state.is_blank() && lab.state.is_asking_for_consent());
    assert_eq!(
        (PresenterSnapshot::of(&lab.state).progress, PresenterSnapshot::of(&lab.state).blank),
        (Progress::Waiting, true)
    );
    lab.press(Intent::Close);
    assert!(!lab.state.is_blank() && lab.state.is_asking_for_consent(), "escape has not said no");
    wish(&mut lab, PresenterAction::Blank);
    lab.press(Intent::Quit);
    assert_eq!(lab.state.is_blank(), lab.state.leftovers().is_empty(), "a question must be seen");
}

#[test]
fn a_vote_overrides_the_presenters_own_answer() {
    let mut lab = asking();
    tally(&mut lab, "a12b3");
    let hands = lab.state.hands(Stage::Who).unwrap();
    assert_eq!((hands.get(0), hands.get(1), hands.get(2), hands.total()), (Some(12), Some(3), None, 15));
    assert!(!lab.state.waits_for_answer());
    // An answer of one's own is still possible, and votes can be mended.
    lab.press(Intent::Choose(1));
    tally(&mut lab, "c7");
    assert_eq!(lab.state.hands(Stage::Who).unwrap().total(), 22);
    assert_eq!(lab.state.question(Stage::Who).unwrap().chosen, Some(1));
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    wish(&mut lab, PresenterAction::Tally);
    assert_eq!(lab.state.view().overlay, None, "nothing to count any more, and nothing to see yet");
    lab.perform(effects);
    assert_eq!(lab.state.met(), 1);
    // Seen is seen.
    tally(&mut lab, "a0");
    assert_eq!(lab.state.hands(Stage::Who).unwrap().total(), 22);
    assert_eq!(lab.state.view().overlay, None);
}

#[test]
fn abandoned_and_empty_votes_do_not_count() {
    let mut lab = asking();
    wish(&mut lab, PresenterAction::Tally);
    wish(&mut lab, PresenterAction::Letter(0));
    wish(&mut lab, PresenterAction::Digit(5));
    lab.press(Intent::Close);
    tally(&mut lab, "a");
    assert_eq!(lab.state.hands(Stage::Who), None);
    assert!(lab.state.waits_for_answer());
    let mut unasked = Lab::new(backend(), Cloud::default());
    wish(&mut unasked, PresenterAction::Tally);
    assert_eq!(unasked.state.view().overlay, None, "without questions there is nothing to vote on");
}

#[test]
fn on_the_sandbox_the_lab_begins_again_at_once() {
    let mut lab = asking();
    jump(&mut lab, Stage::ViewDenied);
    let sent = lab.sent.len();
    wish(&mut lab, PresenterAction::AskToStartOver);
    assert_eq!(lab.state.view().overlay, Some(Overlay::StartOver));
    lab.press(Intent::Close);
    assert!(!lab.started_over);
    wish(&mut lab, PresenterAction::AskToStartOver);
    wish(&mut lab, PresenterAction::StartOver);
    assert!(lab.started_over);
    assert_eq!(lab.sent.len(), sent);
}

#[rstest]
#[case(BackendKind::Aws)]
#[case(BackendKind::Endpoint)]
fn elsewhere_it_is_cleaned_up_first(#[case] kind: BackendKind) {
    let mut lab = on(kind);
    lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
    jump(&mut lab, Stage::ViewDenied);
    wish(&mut lab, PresenterAction::AskToStartOver);
    wish(&mut lab, PresenterAction::StartOver);
    assert!(lab.started_over);
    assert!(lab.state.check(Stage::CleanUp).unwrap().met);
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());

    let mut lab = on(kind);
    lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
    jump(&mut lab, Stage::ViewDenied);
    lab.cloud.faults.push(("DeleteTable", 403, json!({"__type": "x#AccessDeniedException", "message": "no"})));
    wish(&mut lab, PresenterAction::AskToStartOver);
    wish(&mut lab, PresenterAction::StartOver);
    assert!(!lab.started_over, "something is left");
    assert!(lab.state.view().message.as_deref().unwrap().starts_with("not restarted"));
    lab.press(Intent::Retry);
    assert!(!lab.started_over, "the failure was shown; the person asks again");
    wish(&mut lab, PresenterAction::AskToStartOver);
    wish(&mut lab, PresenterAction::StartOver);
    assert!(lab.started_over);
}

#[test]
fn a_new_run_keeps_what_belongs_to_the_person() {
    let mut lab = asking();
    jump(&mut lab, Stage::CreateKey);
    lab.press(Intent::ShowPrevious);
    lab.press(Intent::CycleView);
    lab.press(Intent::Copy(Copied::Command));
    wish(&mut lab, PresenterAction::Timer);
    wish(&mut lab, PresenterAction::Blank);
    let mut next = State::new(backend(), Names::new("t2")).succeeding(&lab.state);
    assert_eq!((next.view().mode, next.copied()), (ViewMode::Json, lab.state.copied()));
    assert_eq!((next.copied().len(), next.shows_timer(), next.ended(), next.is_blank()), (1, false, 0, true));
    next.update(Event::Intent(Intent::Close));
    assert!(next.shows_timer());
}

#[test]
fn the_clock_compares_the_time_with_the_plan() {
    let mut lab = asking();
    let lesson = lab.state.lesson().clone();
    let budget = |stage| u64::from(lesson.stage(stage).minutes) * 60;
    let (first, second) = (budget(Stage::Who), budget(Stage::CreateKey));
    lab.state.update(Event::Clock(first + 20));
    lab.press(Intent::Skip);
    lab.press(Intent::Advance);
    lab.press(Intent::Advance);
    lab.state.update(Event::Clock(first + 30));
    // Looking back is time of the stage that is to be done.
    lab.press(Intent::ShowPrevious);
    lab.state.update(Event::Clock(first + 40));
    let timing = Timing::of(&lab.state);
    assert_eq!((timing.stage, timing.spent, timing.budget, timing.total), (2, 20, second, first + 40));
    assert_eq!((timing.before, timing.drift(lab.state.interface()).as_str()), (first, "+0:20 behind"));
    assert_eq!(timing.planned, Stage::ALL.into_iter().map(budget).sum::<u64>());
}

#[test]
fn the_second_screen_shows_answer_and_progress() {
    let mut lab = asking();
    jump(&mut lab, Stage::ViewDenied);
    let told = PresenterSnapshot::of(&lab.state);
    assert_eq!((told.number, told.of, told.progress, told.observed), (6, 9, Progress::Todo, None));
    let question = told.question.unwrap();
    let right: Vec<_> = question.answers.iter().filter(|answer| answer.right).collect();
    assert!(question.open && right.len() == 1 && right[0].text.contains("access denied"), "{question:?}");
    assert_eq!(told.next.unwrap().number, 7);
    assert!(!told.notes.is_empty() && !told.audience.is_empty());
    lab.press(Intent::Skip);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    assert_eq!(PresenterSnapshot::of(&lab.state).progress, Progress::Running);
    lab.perform(effects);
    let told = PresenterSnapshot::of(&lab.state);
    assert_eq!((told.progress, told.observed.is_some(), told.met), (Progress::Met, true, 6));
    jump(&mut lab, Stage::Who);
    assert_eq!((PresenterSnapshot::of(&lab.state).number, PresenterSnapshot::of(&lab.state).current), (1, 6));
}

/// A line contains no secret; when masked, no id either.
#[test]
fn a_masked_labs_messages_are_masked() {
    let mut lab = asking();
    lab.state.mask();
    for stage in Stage::ALL {
        jump(&mut lab, stage);
        lab.press(Intent::Skip);
        lab.press(Intent::Advance);
        lab.press(Intent::Advance);
        let told = serde_json::to_string(&PresenterSnapshot::of(&lab.state)).unwrap();
        for id in [ACCOUNT, KEY_ID, "kmslab-user-t1", "kmslab-table-t1"] {
            assert!(!told.contains(id), "{} tells {id}: {told}", stage.key());
        }
    }
}
