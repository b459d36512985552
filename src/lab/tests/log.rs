mod any;

use std::collections::VecDeque;

use rstest::rstest;
use serde_json::json;

use super::fake::*;
use crate::lab::log::{Entry, Head, Logged, ReplayError};
use crate::lab::model::mechanism::Mechanism;
use crate::lab::*;

/// A lab whose events are logged as they are taken in.
struct Logging {
    lab: Lab,
    head: Head,
    log: Vec<Logged>,
}

impl Logging {
    fn new(mut lab: Lab, masked: bool) -> Logging {
        if masked {
            lab.state.mask();
        }
        lab.state = lab.state.with_review().with_quiz(Quiz::new(5));
        Logging { head: Head::new(&lab.state, 1_795_514_520), lab, log: Vec::new() }
    }

    fn happens(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let effects = self.lab.state.update(event.clone());
            self.log.extend(Logged::of(&self.lab.state, &event));
            for effect in effects {
                match effect {
                    Effect::Call { id, identity, operation } => {
                        let answer = self.lab.cloud.call(identity, &operation);
                        events.push_back(Event::CallFinished { id, answer });
                    }
                    Effect::After { timer, .. } => events.push_back(Event::TimerFired(timer)),
                    Effect::Trace(requests) => events.push_back(Event::Traced(self.lab.cloud.trace(requests))),
                    Effect::Inspect { serial, .. } => {
                        let finding = insight::Finding::Failed(format!("no trail in {ACCOUNT}"));
                        events.push_back(Event::Inspected { serial, finding });
                    }
                    Effect::LoadResponses { stage, .. } => {
                        events.push_back(Event::ResponsesLoaded { stage, found: Ok(None) })
                    }
                    Effect::Advance { timer, .. } => events.push_back(Event::Advanced { timer, moved: true }),
                    Effect::CacheResponses(_) | Effect::Save(_) | Effect::Report(_) => {}
                    Effect::TakeOver { .. } | Effect::Adopt(_) => {}
                    Effect::Copy(_) | Effect::Export(_) | Effect::Edit(_) | Effect::StartOver | Effect::Exit => {}
                    Effect::Reconnect | Effect::OpenShell => {}
                }
            }
        }
    }

    fn press(&mut self, intents: &[Intent]) {
        intents.iter().for_each(|intent| self.happens(Event::Intent(*intent)));
    }

    /// The whole lab, with a look at a page.
    fn run(&mut self) {
        while !self.lab.state.is_finished() {
            if self.lab.state.waits_for_answer() {
                self.press(&[Intent::Choose(1)]);
            }
            if self.lab.state.is_asking_for_consent() {
                self.press(&[9, 9, 9, 9, 3, 3, 3, 3].map(Intent::TypeDigit));
            }
            self.happens(Event::Tick);
            self.press(&[Intent::Advance]);
        }
        self.press(&[Intent::TogglePage(Page::Trail), Intent::Close, Intent::CycleView, Intent::ShowPrevious]);
    }

    /// The session as it is shown again, through the text of its log.
    fn again(&self) -> State {
        let head: Head = serde_json::from_str(&serde_json::to_string(&self.head).unwrap()).unwrap();
        let mut state = head.state(1_795_514_520);
        for (at, what) in self.log.iter().enumerate() {
            let text = serde_json::to_string(&Entry { at: at as u64, what: what.clone() }).unwrap();
            let entry: Entry = serde_json::from_str(&text).unwrap();
            assert_eq!(entry.what, *what, "{text}");
            entry.what.replay_on(&mut state).unwrap();
        }
        state
    }
}

#[rstest]
fn a_session_comes_out_the_same(
    #[values(BackendKind::Sandbox, BackendKind::Endpoint, BackendKind::Aws)] kind: BackendKind,
    #[values(false, true)] masked: bool,
) {
    let endpoint = (kind != BackendKind::Aws).then(|| "http://127.0.0.1:1".to_owned());
    let cloud = Cloud { creating: 2, unknown_key: 2, ..Cloud::default() };
    let mut logging = Logging::new(Lab::new(Backend { kind, endpoint, ..backend() }, cloud), masked);
    logging.run();
    let (live, again) = (&logging.lab.state, logging.again());
    assert_eq!((again.met(), again.summary()), (9, live.summary()));
    for stage in Stage::ALL {
        assert_eq!(again.check(stage), live.check(stage));
        assert!(again.record(stage).exchanges().eq(live.record(stage).exchanges()));
    }
    assert_eq!(again.view(), live.view());
    assert_eq!((again.known(), again.score()), (live.known(), live.score()));
    assert_eq!(again.replay_time().as_deref(), Some("24 Nov 10:02 UTC"));
    assert_eq!(again.has_pseudonyms(), masked, "the screen says so");

    let log =
        format!("{}{}", serde_json::to_string(&logging.head).unwrap(), serde_json::to_string(&logging.log).unwrap());
    assert!(!log.contains("type_digit"), "of a consent no digit is logged");
    assert_eq!(log.contains(r#"{"consented":"create_key"}"#), kind == BackendKind::Aws);
    assert_eq!(log.contains(ACCOUNT), !masked);
}

#[test]
fn a_stage_that_fails_and_is_tried_again_comes_out_the_same() {
    let mut cloud = Cloud::default();
    cloud.faults.push(("CreateTable", 400, json!({"__type": "LimitExceededException", "message": "later"})));
    let mut logging = Logging::new(Lab::new(Backend { kind: BackendKind::Endpoint, ..backend() }, cloud), true);
    for _ in 0..3 {
        logging.press(&[Intent::Skip, Intent::Advance, Intent::Advance]);
    }
    logging.press(&[Intent::ShowPrevious, Intent::Retry, Intent::Quit]);
    assert!(logging.lab.state.check(Stage::CreateTable).unwrap().met);
    let again = logging.again();
    assert!(again.record(Stage::CreateTable).exchanges().eq(logging.lab.state.record(Stage::CreateTable).exchanges()));
    assert_eq!(again.view(), logging.lab.state.view());
}

/// An experiment that could not be undone is tried again: its record starts over with the last response of the undoing.
#[test]
fn a_response_that_starts_the_lab_over_is_logged() {
    let mut logging = Logging::new(Lab::new(backend(), Cloud::default()), false);
    while logging.lab.state.check(Stage::ViewAgain).is_none() {
        logging.press(&[Intent::Skip, Intent::Advance]);
    }
    let later = json!({"__type": "InternalFailure", "message": "later"});
    logging.lab.cloud.faults.push(("EnableKey", 500, later));
    logging.press(&[
        Intent::ToggleExperiments,
        Intent::MoveCursor(i8::MIN),
        Intent::Advance,
        Intent::Skip,
        Intent::Advance,
    ]);
    let which = Experiment::DisableKey;
    assert_eq!(logging.lab.state.view().message.as_deref(), Some("u: undo again · not undone: the disabled key"));
    logging.press(&[Intent::Retry]);
    let (live, again) = (&logging.lab.state, logging.again());
    assert_eq!(again.trial(which).status, live.trial(which).status);
    assert!(again.trial(which).exchanges().eq(live.trial(which).exchanges()));
}

#[test]
fn an_answer_to_no_call_is_refused() {
    let mut state = Logging::new(Lab::new(backend(), Cloud::default()), false).head.state(0);
    let stray = Logged::Answer { id: CallId(7), answer: answer(200, json!({})), accepted: false };
    assert_eq!(stray.replay_on(&mut state), Err(ReplayError::UnknownCall(CallId(7))));
}

#[rstest]
fn a_replay_repeats_whether_the_session_was_saved(#[values(false, true)] kept: bool) {
    let mut logging = Logging::new(Lab::new(backend(), Cloud::default()), false);
    if kept {
        logging.lab.state.save_at(Place::new(&backend()));
    }
    logging.press(&[Intent::Skip, Intent::Advance, Intent::AskToQuit]);
    let live = logging.lab.state.view().message.clone().unwrap();
    assert_eq!(live.contains("progress is saved"), kept, "{live}");
    assert_eq!(logging.again().view().message, Some(live));
}

/// A yes is to one account: digits for another one are not logged before they are a yes, either.
#[test]
fn a_yes_is_logged_when_it_is_one() {
    let backend = Backend { kind: BackendKind::Aws, endpoint: None, ..backend() };
    let mut logging = Logging::new(Lab::new(backend, Cloud::default()), false);
    let yes = |logging: &Logging| logging.log.iter().filter(|what| matches!(what, Logged::Consented(_))).count();
    let go_on = [Intent::Skip, Intent::Advance, Intent::Advance, Intent::Skip, Intent::Advance];
    logging.press(&go_on);
    logging.press(&[Intent::TypeDigit(4); 4]);
    assert_eq!(yes(&logging), 0, "others are no yes");
    // The call that the yes was for comes to nothing, and STS names another account when it is asked again.
    logging.lab.cloud.faults.push(("CreateKey", 400, json!({"__type": "LimitExceededException", "message": "later"})));
    logging.press(&[3; 4].map(Intent::TypeDigit));
    assert_eq!(yes(&logging), 1);
    logging.lab.state.kernel_mut().facts_mut().admin.as_mut().unwrap().account = "999988887777".to_owned();
    logging.press(&[Intent::Retry]);
    assert!(logging.lab.state.is_asking_for_consent());
    logging.press(&[7; 3].map(Intent::TypeDigit));
    assert_eq!(yes(&logging), 1);
    logging.press(&[Intent::TypeDigit(7)]);
    assert_eq!(yes(&logging), 2);
    assert!(logging.log.contains(&Logged::Consented(Stage::CreateKey)));
}

/// `--yes-account` says yes while the answer that names the account is taken in, where one jumps; or does not.
#[rstest]
#[case(ACCOUNT, 6)]
#[case("999988887777", 1)]
fn the_log_has_the_consent_and_not_its_digits(#[case] accepted: &str, #[case] met: usize) {
    let backend = Backend { kind: BackendKind::Aws, endpoint: None, ..backend() };
    let mut lab = Lab::new(backend, Cloud::default());
    lab.state.set_accepted_account(Some(accepted.to_owned()));
    let mut logging = Logging::new(lab, true);
    logging.press(&[Intent::ToggleStages, Intent::MoveCursor(i8::MAX), Intent::Advance]);
    let (live, again) = (&logging.lab.state, logging.again());
    assert_eq!((live.met(), again.met()), (met, met));
    assert_eq!(live.is_asking_for_consent(), met == 1);
    assert_eq!(again.view(), live.view());
    let log = serde_json::to_string(&logging.log).unwrap();
    assert!(!log.contains(accepted));
}

/// A log that is not masked can be shown so.
#[test]
fn a_session_that_was_not_masked_is_masked_when_it_is_shown() {
    let mut logging = Logging::new(Lab::new(backend(), Cloud::default()), false);
    for _ in 0..4 {
        logging.press(&[Intent::Skip, Intent::Advance, Intent::Advance]);
    }
    logging.press(&[Intent::TogglePage(Page::Trail)]);
    let mut state = logging.head.state(0);
    state.mask();
    logging.log.iter().for_each(|what| what.clone().replay_on(&mut state).unwrap());
    assert_eq!(state.met(), 4);
    let shown = |state: &State| {
        let exchanges: Vec<_> = Stage::ALL.iter().flat_map(|stage| state.record(*stage).exchanges()).collect();
        format!("{exchanges:?} {:?} {:?}", state.known(), state.view())
    };
    for id in [ACCOUNT, KEY_ID, &names().table] {
        assert!(shown(&logging.lab.state).contains(id));
        assert!(!shown(&state).contains(id), "{id}");
    }
    assert!(state.known().is_some_and(|known| format!("{known:?}").contains("no trail in ")));

    let effects = state.update(Event::Intent(Intent::TogglePage(Page::AtRest)));
    let [Effect::Inspect { serial, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let stored = insight::at_rest::Stored {
        nonce: "1234567890abcdef12345678".into(),
        ciphertext: "ab".repeat(32),
        bytes: 32,
        tag: "cd".repeat(16),
    };
    let at_rest = insight::at_rest::AtRest {
        database: "/tmp/kmslab.db".into(),
        table: names().table,
        key_arn: Some(KEY_ARN.into()),
        encryption_context: None,
        table_key: insight::at_rest::Length { bytes: 1 },
        data_key: insight::at_rest::Length { bytes: 1 },
        items: 1,
        records: vec![stored.clone()],
    };
    let known = Box::new(insight::Known::AtRest(Box::new(at_rest)));
    Logged::Found { serial: *serial, known }.replay_on(&mut state).unwrap();
    let Some(insight::Known::AtRest(shown)) = state.known() else { panic!("{:?}", state.known()) };
    assert_eq!(shown.records, [stored], "bytes name nobody");
    assert!(shown.table != names().table && shown.key_arn.as_deref() != Some(KEY_ARN), "{shown:?}");
}

/// What is pasted or typed into the editor is shown, logged and kept without an id, and sent with it.
#[test]
fn a_masked_editor_shows_and_logs_no_id() {
    let mut lab = sandbox();
    lab.state = lab.state.with_ways();
    lab.state.mask();
    while lab.state.mode() != Mode::Choosing {
        lab.press(Intent::Advance);
    }
    lab.press(Intent::ChooseWay(Mechanism::IamPolicy));
    let statement = format!(
        "{{\"Effect\": \"Allow\", \"Action\": \"kms:Decrypt\", \"Resource\": \"{KEY_ARN}\", \"Sid\": \"Of{ACCOUNT}\"}}"
    );
    let mut log = String::new();
    let edit = |state: &mut State, text: &str, log: &mut String| {
        let draft = state.draft().unwrap();
        let event = Event::Edited(draft.edit_to(text, (0, text.chars().count())));
        state.update(event.clone());
        log.push_str(&serde_json::to_string(&Logged::of(state, &event).unwrap()).unwrap());
        state.draft().unwrap().text().to_owned()
    };
    let pasted = edit(&mut lab.state, &statement, &mut log);
    assert_eq!(pasted.chars().count(), statement.chars().count());
    // Another one, letter by letter, at the end.
    let mut shown = pasted;
    for c in " 987654321098 ".chars() {
        shown = edit(&mut lab.state, &format!("{shown}{c}"), &mut log);
    }
    for id in [ACCOUNT, KEY_ID, "98765"] {
        assert!(!shown.contains(id) && !log.contains(id), "{id}: {shown}\n{log}");
    }
    lab.state.save_at(Place::new(&lab.state.backend().clone()));
    let kept = serde_json::to_string(&lab.state.saved().unwrap()).unwrap();
    assert!(kept.contains(KEY_ID) && kept.contains(" 987654321098 "), "kept as it is, for whoever goes on");
    edit(&mut lab.state, &statement.replace("kms:Decrypt", "kms:Encrypt"), &mut log);
    let effects = lab.state.update(Event::Intent(Intent::Send));
    let sent = |effect: &Effect| matches!(effect, Effect::Call { operation: Operation::PutUserPolicy { policy, .. }, .. } if policy.contains(KEY_ARN));
    assert!(effects.iter().any(sent), "{effects:?}");
}
