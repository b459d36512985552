mod any;

use std::collections::VecDeque;

use rstest::rstest;
use serde_json::json;

use super::fake::*;
use crate::lab::log::{Entry, Head, Logged};
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
            self.log.extend(self.lab.state.logged(&event));
            for effect in effects {
                match effect {
                    Effect::Call { id, identity, operation } => {
                        let answer = self.lab.cloud.call(identity, &operation);
                        events.push_back(Event::CallFinished { id, answer });
                    }
                    Effect::After { timer, .. } => events.push_back(Event::TimerFired(timer)),
                    Effect::Inspect { serial, .. } => {
                        let finding = insight::Finding::Failed(format!("no trail in {ACCOUNT}"));
                        events.push_back(Event::Inspected { serial, finding });
                    }
                    Effect::Recall { stage, .. } => events.push_back(Event::Recalled { stage, found: Ok(None) }),
                    Effect::Advance { timer, .. } => events.push_back(Event::Advanced { timer, moved: true }),
                    Effect::Keep(_) | Effect::Remember(_) | Effect::TakeOver { .. } | Effect::Report(_) => {}
                    Effect::Copy(_) | Effect::StartOver | Effect::Exit => {}
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
            state.take_logged(entry.what).unwrap();
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
        assert_eq!(again.record(stage).exchanges, live.record(stage).exchanges);
    }
    assert_eq!(again.view, live.view);
    assert_eq!((again.known(), again.score()), (live.known(), live.score()));
    assert_eq!(again.replay_time().as_deref(), Some("24 Nov 10:02 UTC"));

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
    assert_eq!(again.record(Stage::CreateTable).exchanges, logging.lab.state.record(Stage::CreateTable).exchanges);
    assert_eq!(again.view, logging.lab.state.view);
}

#[test]
fn an_answer_to_no_call_is_refused() {
    let mut state = Logging::new(Lab::new(backend(), Cloud::default()), false).head.state(0);
    let stray = Logged::Answer { id: CallId(7), answer: answer(200, json!({})) };
    assert_eq!(state.take_logged(stray), Err("call 7 is answered and was not made".to_owned()));
}
