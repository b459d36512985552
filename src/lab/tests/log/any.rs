//! Whatever a person does, and in whatever order answers come: the log gives the same session again.

use proptest::prelude::*;
use ratatui::layout::Size;

use super::super::fake::*;
use crate::lab::insight::{Finding, Inquiry, ladder::Decided};
use crate::lab::log::{Entry, Head, Logged};
use crate::lab::model::mechanism::Mechanism;
use crate::lab::*;
use crate::ui::{ColorLevel, Theme, ThemeName, render};

const RECORDED: u64 = 1_795_514_520;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A person wants something.
    Intent(Intent),
    /// Something arrives of what is awaited.
    Arrive(usize),
    /// All of it arrives.
    Settle,
    /// What leads on: the question is passed over, all is sent and answered.
    GoOn,
    /// An experiment is chosen and tried.
    Try(u8),
    /// Nothing answers any more, and what was recorded earlier is looked at.
    LoadResponses,
    Tick,
    Clock(u64),
    /// The next call of this name comes to this.
    Fault(&'static str, u16),
}

fn any_intent() -> impl Strategy<Value = Intent> {
    let wishes = prop_oneof![
        Just(PresenterAction::Blank),
        Just(PresenterAction::Timer),
        Just(PresenterAction::Theme),
        Just(PresenterAction::Billboard),
        Just(PresenterAction::Next),
        Just(PresenterAction::Tally),
        (0_u8..5).prop_map(PresenterAction::Letter),
        (0_u8..10).prop_map(PresenterAction::Digit),
        Just(PresenterAction::Erase),
        Just(PresenterAction::TakeHands),
        Just(PresenterAction::AskToStartOver),
        Just(PresenterAction::StartOver),
    ];
    let searches = prop_oneof![
        2 => Just(SearchAction::Open),
        3 => proptest::sample::select(vec!['a', 'e', 'K', 'ü']).prop_map(SearchAction::Type),
        1 => Just(SearchAction::Erase),
        1 => Just(SearchAction::Keep),
        1 => any::<[u16; 2]>().prop_map(|[line, scroll]| SearchAction::Go { line, scroll }),
    ];
    let pages = [Page::Help, Page::Why, Page::AtRest, Page::Trail, Page::Lesson, Page::Comparison, Page::Debrief];
    let plain = [
        Intent::Advance,
        Intent::ShowNext,
        Intent::ShowPrevious,
        Intent::Skip,
        Intent::Hint,
        Intent::Retry,
        Intent::FocusOther,
        Intent::ToggleZoom,
        Intent::ToggleReplay,
        Intent::CycleView,
        Intent::SelectPrevious,
        Intent::SelectNext,
        Intent::ToggleStages,
        Intent::Close,
        Intent::Quit,
        Intent::AskToQuit,
        Intent::CleanUpAndQuit,
        Intent::EraseDigit,
        Intent::StartAfresh,
        Intent::ToggleExperiments,
        Intent::Undo,
        Intent::ChooseWay(Mechanism::KeyPolicy),
        Intent::ChooseWay(Mechanism::IamPolicy),
        Intent::ChooseWay(Mechanism::Grant),
        Intent::NextBlank(true),
        Intent::InsertName,
        Intent::Send,
        Intent::Copy(Copied::Command),
        Intent::Copy(Copied::Answer),
    ];
    prop_oneof![
        8 => proptest::sample::select(plain.to_vec()),
        2 => proptest::sample::select(pages.to_vec()).prop_map(Intent::TogglePage),
        2 => wishes.prop_map(Intent::Present),
        1 => (0_u8..5).prop_map(Intent::Choose),
        1 => any::<u16>().prop_map(Intent::ScrollTo),
        3 => searches.prop_map(Intent::Search),
        1 => any::<i8>().prop_map(Intent::MoveCursor),
        2 => prop_oneof![Just(3_u8), Just(3), 0_u8..10].prop_map(Intent::TypeDigit),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let calls = ["Scan", "CreateKey", "CreateTable", "PutKeyPolicy", "GetKeyPolicy", "DescribeTable", "EnableKey"];
    let fault = (proptest::sample::select(calls.to_vec()), proptest::sample::select(vec![0_u16, 400, 500]));
    prop_oneof![
        16 => any_intent().prop_map(Step::Intent),
        8 => (0_usize..3).prop_map(Step::Arrive),
        4 => Just(Step::Settle),
        3 => Just(Step::GoOn),
        6 => (0_u8..14).prop_map(Step::Try),
        2 => Just(Step::LoadResponses),
        2 => Just(Step::Tick),
        1 => (0_u64..5_000).prop_map(Step::Clock),
        1 => fault.prop_map(|(name, status)| Step::Fault(name, status)),
    ]
}

/// A session, and what its log makes of it.
struct Twins {
    live: Lab,
    again: State,
    waiting: Vec<Event>,
    kept: Vec<RecordedStage>,
    /// Whether the log goes on.
    is_on: bool,
    asked: u32,
}

impl Twins {
    fn new(kind: BackendKind, [masked, given_user]: [bool; 2], accepted: Option<&str>) -> Twins {
        let endpoint = (kind != BackendKind::Aws).then(|| "http://127.0.0.1:1".to_owned());
        let backend = Backend { kind, endpoint, given_user, ..backend() };
        let mut earlier = Lab::new(backend.clone(), Cloud::default());
        earlier.state.set_accepted_account(Some(ACCOUNT.to_owned()));
        earlier.at = RECORDED;
        earlier.run_to(Stage::CleanUp);
        let cloud = Cloud { creating: 1, unknown_key: 1, ..Cloud::default() };
        let mut live = Lab::new(backend, cloud);
        if masked {
            live.state.mask();
        }
        live.state = live.state.with_review().with_quiz(Quiz::new(5)).with_ways();
        live.state.view_mut().zoom = given_user;
        live.state.set_accepted_account(accepted.map(str::to_owned));
        let head = serde_json::to_string(&Head::new(&live.state, RECORDED)).unwrap();
        let again = serde_json::from_str::<Head>(&head).unwrap().state(RECORDED);
        Twins { live, again, waiting: Vec::new(), kept: earlier.kept, is_on: true, asked: 0 }
    }

    fn event(&mut self, event: Event) {
        if !self.is_on {
            return;
        }
        let effects = self.live.state.update(event.clone());
        if let Some(what) = Logged::of(&self.live.state, &event) {
            let text = serde_json::to_string(&Entry { at: 0, what }).unwrap();
            let entry: Entry = serde_json::from_str(&text).unwrap();
            entry.what.replay_on(&mut self.again).unwrap();
        }
        for effect in effects {
            let event = match effect {
                Effect::Call { id, identity, operation } => {
                    let mut answer = self.live.cloud.call(identity, &operation);
                    answer.at = RECORDED + id.0;
                    Event::CallFinished { id, answer }
                }
                Effect::After { timer, .. } => Event::TimerFired(timer),
                Effect::Advance { timer, .. } => Event::Advanced { timer, moved: timer.0 % 2 == 0 },
                Effect::Trace(requests) => Event::Traced(self.live.cloud.trace(requests)),
                Effect::Inspect { serial, inquiry } => Event::Inspected { serial, finding: self.find(inquiry) },
                Effect::LoadResponses { stage, .. } => {
                    let kept = self.kept.iter().find(|kept| kept.stage == stage).cloned().map(Box::new);
                    self.asked += 1;
                    let found = if self.asked.is_multiple_of(3) {
                        Err("the kept answer can't be read".to_owned())
                    } else {
                        Ok(kept)
                    };
                    Event::ResponsesLoaded { stage, found }
                }
                Effect::StartOver | Effect::Exit => {
                    self.is_on = false;
                    return;
                }
                _ => continue,
            };
            self.waiting.push(event);
        }
    }

    fn find(&mut self, inquiry: Inquiry) -> Finding {
        self.asked += 1;
        match inquiry {
            Inquiry::Why { .. } if self.asked.is_multiple_of(2) => Finding::Documents(insight::documents::Documents {
                key_policy: Some(self.live.cloud.key_policy.clone()),
                unread: vec![format!("policies of {}", self.live.cloud.user_arn)],
                ..Default::default()
            }),
            Inquiry::Why { .. } => Finding::Decisions(Vec::<Decided>::new()),
            Inquiry::Documents { .. } => Finding::Documents(insight::documents::Documents {
                key_policy: Some(self.live.cloud.key_policy.clone()),
                ..Default::default()
            }),
            Inquiry::Trail => Finding::NotTold,
            Inquiry::AtRest { table } => Finding::Failed(format!("no {table} in {ACCOUNT}")),
        }
    }

    fn settle(&mut self) {
        for _ in 0..2_000 {
            if self.waiting.is_empty() || !self.is_on {
                return;
            }
            let event = self.waiting.remove(0);
            self.event(event);
        }
    }

    fn intend(&mut self, intents: &[Intent]) {
        intents.iter().for_each(|intent| self.event(Event::Intent(*intent)));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Intent(intent) => self.intend(&[intent]),
            Step::Arrive(at) => {
                if at < self.waiting.len() {
                    let event = self.waiting.remove(at);
                    self.event(event);
                }
            }
            Step::Settle => self.settle(),
            Step::GoOn => {
                self.intend(&[Intent::Close, Intent::Skip, Intent::Advance]);
                if self.live.state.is_asking_for_consent() {
                    assert!(self.again.is_asking_for_consent(), "nobody has said yes");
                    self.intend(&[3; 4].map(Intent::TypeDigit));
                }
                self.intend(&[Intent::Advance]);
                self.settle();
            }
            Step::Try(which) => {
                self.intend(&[Intent::ToggleExperiments, Intent::MoveCursor(i8::MIN)]);
                self.intend(&[Intent::MoveCursor(i8::try_from(which).unwrap()), Intent::Advance]);
                self.intend(&[Intent::Skip, Intent::Advance]);
            }
            Step::LoadResponses => {
                let kind = self.live.state.backend().kind;
                let calls = ["Scan", "CreateKey", "GetKeyPolicy", "DescribeTable"];
                let lost = calls.map(|name| (name, 0, serde_json::Value::Null));
                self.live.cloud.faults.extend(lost.into_iter().filter(|_| kind != BackendKind::Sandbox));
                self.step(Step::GoOn);
                self.compare();
                self.intend(&[Intent::ToggleReplay]);
            }
            Step::Tick => self.event(Event::Tick),
            Step::Clock(seconds) => self.event(Event::Clock(seconds)),
            Step::Fault(name, status) => {
                let body = serde_json::json!({"__type": "InternalFailure", "message": "later"});
                self.live.cloud.faults.push((name, status, body));
            }
        }
    }

    /// Both show the same, whatever is looked at.
    fn compare(&self) {
        if !self.is_on {
            return;
        }
        let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
        let live = self.live.state.clone().recorded_at(RECORDED, RECORDED);
        // There, what is typed is somebody's account; see `Logged::Consented`.
        if live.is_asking_for_consent() {
            assert!(self.again.is_asking_for_consent());
            return;
        }
        for stage in Stage::ALL {
            assert_eq!(self.again.check(stage), live.check(stage));
            assert!(self.again.record(stage).exchanges().eq(live.record(stage).exchanges()), "{}", stage.key());
        }
        for which in Experiment::ALL {
            assert!(self.again.trial(which).exchanges().eq(live.trial(which).exchanges()));
            assert_eq!(self.again.trial(which).status, live.trial(which).status);
        }
        assert_eq!(PresenterSnapshot::of(&self.again), PresenterSnapshot::of(&live));
        assert_eq!(self.again.view(), live.view());
        let size = Size::new(100, 28);
        assert_eq!(render(&self.again, &theme, size), render(&live, &theme, size));
    }
}

proptest! {
    #[test]
    fn a_log_gives_the_same_session_again(
        kind in proptest::sample::select(vec![BackendKind::Sandbox, BackendKind::Endpoint, BackendKind::Aws]),
        manner: [bool; 2],
        accepted in proptest::sample::select(vec![None, Some(ACCOUNT), Some("999988887777")]),
        begun in prop_oneof![0_usize..8, Just(8)],
        steps in proptest::collection::vec(any_step(), 1..80),
    ) {
        let mut twins = Twins::new(kind, manner, accepted);
        (0..begun).for_each(|_| twins.step(Step::GoOn));
        for (at, step) in steps.into_iter().enumerate() {
            twins.step(step);
            if !twins.is_on {
                break;
            }
            if at % 10 == 9 {
                twins.compare();
            }
        }
        twins.compare();
    }
}
