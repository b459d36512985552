//! Sessions that somebody has thought up, written down in full.

use std::collections::VecDeque;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::fake::*;
use super::{compare, take};
use crate::lab::*;

const BEGUN: u64 = 1_795_514_520;

/// A lab whose events are written down.
pub struct Script {
    pub lab: Lab,
    pub transcript: String,
    /// Whether calls are answered at once.
    answers: bool,
    waiting: VecDeque<Event>,
}

impl Script {
    pub fn new(title: &str, lab: Lab) -> Script {
        let mut script = Script { lab, transcript: format!("# {title}\n"), answers: true, waiting: VecDeque::new() };
        script.lab.at = BEGUN;
        script
    }

    fn on(title: &str, kind: BackendKind) -> Script {
        let endpoint = (kind != BackendKind::Aws).then(|| "http://127.0.0.1:1".to_owned());
        let backend = Backend { kind, endpoint, ..backend() };
        let mut lab = Lab::new(backend.clone(), Cloud::default());
        lab.state = lab.state.with_quiz(Quiz::new(5)).with_review();
        lab.state.save_at(Place::new(&backend));
        Script::new(title, lab)
    }

    pub fn event(&mut self, event: Event) {
        let effects = take(&mut self.lab.state, event, &mut self.transcript);
        self.follow(effects);
        while self.answers {
            let Some(event) = self.waiting.pop_front() else { break };
            let effects = take(&mut self.lab.state, event, &mut self.transcript);
            assert!(self.transcript.len() < 2_000_000, "it never ends");
            self.follow(effects);
        }
    }

    /// What the world makes of `effects`.
    fn follow(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Call { id, identity, operation } => {
                    let mut answer = self.lab.cloud.call(identity, &operation);
                    answer.at = BEGUN + id.0;
                    answer.duration_us = self.lab.cloud.takes_us;
                    if let Ok(response) = &mut answer.response {
                        response.request_id = Some(format!("REQUEST{:020}", id.0));
                    }
                    self.waiting.push_back(Event::CallFinished { id, answer });
                }
                Effect::After { timer, .. } => self.waiting.push_back(Event::TimerFired(timer)),
                Effect::Advance { timer, .. } => self.waiting.push_back(Event::Advanced { timer, moved: true }),
                Effect::Trace(requests) => {
                    let asked = self.lab.cloud.trace(requests);
                    self.waiting.push_back(Event::Traced(asked));
                }
                Effect::Inspect { serial, .. } => {
                    let finding = insight::Finding::Failed(format!("no trail in {ACCOUNT}"));
                    self.waiting.push_back(Event::Inspected { serial, finding });
                }
                Effect::CacheResponses(verified) => {
                    self.lab.kept.retain(|kept| kept.stage != verified.stage);
                    self.lab.kept.push(*verified);
                }
                Effect::LoadResponses { stage, .. } => {
                    let found = Ok(self.lab.kept.iter().find(|kept| kept.stage == stage).cloned().map(Box::new));
                    self.waiting.push_back(Event::ResponsesLoaded { stage, found });
                }
                Effect::Save(kept) => {
                    let text = serde_json::to_string(&kept).unwrap();
                    self.lab.saved = Some(serde_json::from_str(&text).unwrap());
                }
                _ => {}
            }
        }
    }

    /// Asks for what a key, a line or a signal can ask for now.
    pub fn press(&mut self, intents: &[Intent]) {
        for intent in intents {
            if self.lab.state.permit(*intent) != Permit::No {
                self.event(Event::Intent(*intent));
            }
        }
    }

    fn wish(&mut self, wish: PresenterAction) {
        self.press(&[Intent::Present(wish)]);
    }

    /// Answers the question, goes on, and says yes where that is asked.
    fn step(&mut self) {
        if self.lab.state.waits_for_answer() {
            self.press(&[Intent::Choose(1)]);
        }
        self.press(&[Intent::Advance]);
        if self.lab.state.is_asking_for_consent() {
            self.press(&[9, 9, 9, 9, 3, 3, 3, 3].map(Intent::TypeDigit));
        }
    }

    pub fn run_to(&mut self, last: Stage) {
        for _ in 0..40 {
            if self.lab.state.check(last).is_none() {
                self.step();
            }
        }
    }

    fn jump(&mut self, stage: Stage) {
        let rows = Intent::MoveCursor(stage.index().try_into().unwrap());
        self.press(&[Intent::ToggleStages, Intent::MoveCursor(i8::MIN), rows, Intent::Advance]);
    }

    fn fault(&mut self, name: &'static str, status: u16, code: &str) {
        let body = json!({"__type": code, "message": "User: arn:aws:iam::111122223333:user/x is not authorized"});
        self.lab.cloud.faults.push((name, status, if status == 0 { Value::Null } else { body }));
    }

    fn experiment(&mut self, which: i8) {
        self.press(&[
            Intent::ToggleExperiments,
            Intent::MoveCursor(i8::MIN),
            Intent::MoveCursor(which),
            Intent::Advance,
        ]);
        self.press(&[Intent::Choose(0), Intent::Advance]);
    }

    fn note(&mut self, text: &str) {
        writeln!(self.transcript, "- {text}").unwrap();
    }
}

/// The whole lab, with a look around.
fn whole(masked: bool, kind: BackendKind) -> String {
    let mut script = Script::on(&format!("the whole lab, masked {masked}, {}", kind.key()), kind);
    script.lab.cloud.creating = 2;
    script.lab.cloud.unknown_key = 2;
    if masked {
        script.lab.state.mask();
    }
    script.press(&[Intent::Advance, Intent::Hint, Intent::TogglePage(Page::Lesson), Intent::Close]);
    script.run_to(Stage::ViewDenied);
    script.press(&[Intent::TogglePage(Page::Why), Intent::Close, Intent::TogglePage(Page::Trail), Intent::Close]);
    script.press(&[Intent::Copy(Copied::Command), Intent::Copy(Copied::Answer), Intent::CycleView, Intent::SelectNext]);
    script.run_to(Stage::CleanUp);
    script.press(&[Intent::TogglePage(Page::AtRest), Intent::Close, Intent::ShowPrevious, Intent::Quit]);
    script.transcript
}

fn denied() -> String {
    let mut script = Script::on("calls that fail, and are tried again", BackendKind::Endpoint);
    script.fault("CreateKey", 400, "x#LimitExceededException");
    script.fault("CreateTable", 400, "x#AccessDeniedException");
    script.fault("Scan", 400, "x#AccessDeniedException");
    script.fault("DescribeTable", 400, "ThrottlingException");
    for _ in 0..7 {
        script.step();
        script.press(&[Intent::Retry]);
    }
    script.fault("DeleteTable", 403, "x#AccessDeniedException");
    script.run_to(Stage::CleanUp);
    script.press(&[Intent::Retry, Intent::Quit, Intent::CleanUpAndQuit]);
    script.transcript
}

fn silent() -> String {
    let mut script = Script::on("no answer, and what was recorded earlier", BackendKind::Endpoint);
    script.run_to(Stage::ViewDenied);
    script.press(&[Intent::ShowPrevious, Intent::ShowPrevious]);
    script.fault("Scan", 0, "");
    script.fault("Scan", 0, "");
    script.press(&[Intent::ShowNext, Intent::ShowNext, Intent::Retry, Intent::ToggleReplay, Intent::CycleView]);
    script.press(&[Intent::ToggleReplay, Intent::Retry]);
    script.answers = false;
    script.step();
    script.step();
    (0..14).for_each(|_| script.event(Event::Tick));
    script.event(Event::ResponsesNotCached("the disk is full".to_owned()));
    script.event(Event::SessionNotSaved("the disk is full".to_owned()));
    script.transcript
}

fn experiments(kind: BackendKind) -> String {
    let mut script = Script::on(&format!("experiments, {}", kind.key()), kind);
    script.run_to(Stage::ViewAgain);
    let tried: &[i8] = if kind == BackendKind::Aws { &[0, 6] } else { &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] };
    tried.iter().for_each(|which| script.experiment(*which));
    script.fault("EnableKey", 500, "InternalFailure");
    script.press(&[Intent::ToggleExperiments]);
    script.experiment(0);
    script.press(&[Intent::Retry, Intent::Undo, Intent::Close, Intent::Close]);
    script.fault("EnableKey", 500, "InternalFailure");
    script.experiment(0);
    script.press(&[Intent::ToggleExperiments, Intent::ShowNext]);
    script.run_to(Stage::CleanUp);
    script.transcript
}

fn review() -> String {
    let mut script = Script::on("a key policy is looked at", BackendKind::Endpoint);
    script.run_to(Stage::ViewDenied);
    script.step();
    script.step();
    script.press(&[Intent::ShowPrevious, Intent::Close, Intent::ShowNext, Intent::ToggleStages, Intent::Close]);
    script.press(&[Intent::Advance, Intent::Close]);
    // One that locks admin out.
    let policy = script.lab.cloud.key_policy.clone();
    script.lab.cloud.key_policy = policy.replace("root", "user/nobody");
    script.press(&[Intent::Advance, Intent::Advance]);
    script.lab.cloud.key_policy = policy;
    script.fault("PutKeyPolicy", 400, "MalformedPolicyDocumentException");
    script.press(&[Intent::Retry, Intent::Advance, Intent::Advance]);
    script.run_to(Stage::ViewAgain);
    script.transcript
}

fn presenter() -> String {
    let mut script = Script::on("in front of a class", BackendKind::Sandbox);
    script.event(Event::Clock(7));
    for wish in [
        PresenterAction::Next,
        PresenterAction::Next,
        PresenterAction::Blank,
        PresenterAction::Blank,
        PresenterAction::Timer,
        PresenterAction::Next,
        PresenterAction::Tally,
    ] {
        script.wish(wish);
    }
    for wish in [
        PresenterAction::Letter(1),
        PresenterAction::Digit(3),
        PresenterAction::Other('e'),
        PresenterAction::Erase,
        PresenterAction::Digit(4),
        PresenterAction::TakeHands,
        PresenterAction::TakeHands,
    ] {
        script.wish(wish);
    }
    script.press(&[Intent::Advance]);
    script.event(Event::Clock(95));
    script.jump(Stage::Grant);
    script.press(&[Intent::AskToQuit, Intent::Hint, Intent::Advance]);
    (0..4).for_each(|_| script.wish(PresenterAction::Next));
    script.wish(PresenterAction::AskToStartOver);
    script.press(&[Intent::Close]);
    script.fault("Scan", 500, "InternalFailure");
    script.jump(Stage::CleanUp);
    script.wish(PresenterAction::StartOver);
    script.press(&[Intent::AskToQuit, Intent::AskToQuit]);
    script.transcript
}

fn jump_on_aws() -> String {
    let mut script = Script::on("a jump on AWS, and beginning again", BackendKind::Aws);
    script.jump(Stage::ViewDenied);
    script.press(&[3, 3, 3, 3].map(Intent::TypeDigit));
    script.wish(PresenterAction::AskToStartOver);
    script.wish(PresenterAction::StartOver);
    script.note("once more, with an answer that names another account");
    script.press(&[Intent::Quit, Intent::Close]);
    script.transcript
}

fn leaving() -> String {
    let mut all = String::new();
    for calls in 0..5 {
        let mut script = Script::on(&format!("leaving after {calls} answers of create_key"), BackendKind::Endpoint);
        script.run_to(Stage::Who);
        script.step();
        script.answers = false;
        script.step();
        for _ in 0..calls {
            let event = script.waiting.pop_front();
            event.into_iter().for_each(|event| script.event(event));
        }
        script.press(&[Intent::Quit]);
        script.answers = true;
        script.press(&[Intent::CleanUpAndQuit]);
        all += &script.transcript;
    }
    all
}

/// A session that ended at `last` goes on, where `change` has happened meanwhile.
fn resumed(title: &str, last: Stage, masked: bool, change: impl FnOnce(&mut Script)) -> String {
    let mut script = Script::on(title, BackendKind::Endpoint);
    script.run_to(last);
    script.note("killed");
    let kept = script.lab.saved.take().unwrap();
    script.lab.state = State::new(script.lab.state.backend().clone(), Names::new("t2")).with_quiz(Quiz::new(7));
    script.lab.state.save_at(Place::new(&script.lab.state.backend().clone()));
    if masked {
        script.lab.state.mask();
    }
    change(&mut script);
    let effects = script.lab.state.offer_to_resume(kept);
    script.follow(effects);
    script.event(Event::Tick);
    (0..3).for_each(|_| script.press(&[Intent::Advance]));
    script.run_to(Stage::CleanUp);
    script.transcript
}

fn resume() -> String {
    let mut all = resumed("going on", Stage::Grant, false, |_| {});
    all += &resumed("going on, masked", Stage::ViewAgain, true, |_| {});
    all += &resumed("the table is gone", Stage::ViewDenied, false, |script| script.lab.cloud.table_exists = false);
    all += &resumed("nothing answers", Stage::ViewDenied, false, |script| {
        (0..2).for_each(|_| script.fault("DescribeTable", 0, ""));
    });
    all += &resumed("another account", Stage::CreateTable, false, |script| {
        script.lab.cloud.admin_arn = "arn:aws:iam::999988887777:user/x".to_owned();
        script.press(&[Intent::StartAfresh]);
    });
    all
}

#[test]
fn sessions_come_out_as_they_were_written_down() {
    let mut all = String::new();
    for kind in [BackendKind::Sandbox, BackendKind::Endpoint, BackendKind::Aws] {
        all += &whole(kind == BackendKind::Endpoint, kind);
    }
    for part in [denied(), silent(), experiments(BackendKind::Sandbox), experiments(BackendKind::Aws), review()] {
        all += &part;
    }
    for part in [presenter(), jump_on_aws(), leaving(), resume()] {
        all += &part;
    }
    compare("transcript.txt", &all);
}
