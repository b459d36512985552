//! Sessions that nobody has thought up: steps by chance, the same each time.

use std::fmt::Write as _;

use ratatui::layout::Size;
use serde_json::{Value, json};

use super::super::fake::*;
use super::{compare, hash, take};
use crate::lab::insight::{Finding, Inquiry};
use crate::lab::*;
use crate::ui::{ColorLevel, Theme, ThemeName, render};

const BEGUN: u64 = 1_795_514_520;

/// How many walks are compared.
const WALKS: u64 = 40;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

struct Walk {
    chance: Chance,
    lab: Lab,
    waiting: Vec<Event>,
    transcript: String,
    is_on: bool,
    asked: usize,
    is_masked: bool,
}

impl Walk {
    fn new(seed: u64) -> Walk {
        let mut chance = Chance(seed);
        let kind = chance.one(&[BackendKind::Sandbox, BackendKind::Endpoint, BackendKind::Aws]);
        let endpoint = (kind != BackendKind::Aws).then(|| "http://127.0.0.1:1".to_owned());
        let backend = Backend { kind, endpoint, given_user: chance.below(4) == 0, ..backend() };
        let mut earlier = Lab::new(backend.clone(), Cloud::default());
        earlier.state.set_accepted_account(Some(ACCOUNT.to_owned()));
        earlier.at = BEGUN;
        earlier.run_to(Stage::CleanUp);
        let creating = chance.below(3).try_into().unwrap();
        let mut lab = Lab::new(backend, Cloud { creating, unknown_key: 1, ..Cloud::default() });
        lab.kept = earlier.kept;
        lab.at = BEGUN;
        let is_masked = chance.below(2) == 0;
        let mut walk =
            Walk { chance, lab, waiting: Vec::new(), transcript: String::new(), is_on: true, asked: 0, is_masked };
        walk.begin("t1");
        walk
    }

    /// A fresh state for the same cloud.
    fn begin(&mut self, run: &str) {
        let backend = self.lab.state.backend().clone();
        let mut state = State::new(backend.clone(), Names::new(run));
        if self.chance.below(4) > 0 {
            state.save_at(Place::new(&backend));
        }
        if self.is_masked {
            state.mask();
        }
        if self.chance.below(4) > 0 {
            state = state.with_quiz(Quiz::new(5));
        }
        if self.chance.below(4) > 0 {
            state = state.with_review();
        }
        state.set_accepted_account(
            self.chance.one(&[None, None, Some(ACCOUNT), Some("999988887777")]).map(str::to_owned),
        );
        self.lab.state = state;
    }

    /// The program has ended at once, and begins again.
    fn die(&mut self) {
        let Some(kept) = self.lab.saved.take().filter(SavedSession::can_go_on) else { return };
        writeln!(self.transcript, "- dies").unwrap();
        self.waiting.clear();
        self.asked += 1;
        self.begin(&format!("u{}", self.asked));
        self.lab.state.save_at(Place::new(&self.lab.state.backend().clone()));
        let effects = self.lab.state.offer_to_resume(kept);
        self.follow(effects);
    }

    fn event(&mut self, event: Event) {
        if self.is_on {
            let effects = take(&mut self.lab.state, event, &mut self.transcript);
            self.follow(effects);
        }
    }

    fn follow(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let event = match effect {
                Effect::Call { id, identity, operation } => {
                    let mut answer = self.lab.cloud.call(identity, &operation);
                    answer.at = BEGUN + id.0;
                    if let Ok(response) = &mut answer.response {
                        response.request_id = Some(format!("REQUEST{:020}", id.0));
                    }
                    Event::CallFinished { id, answer }
                }
                Effect::After { timer, .. } => Event::TimerFired(timer),
                Effect::Advance { timer, .. } => Event::Advanced { timer, moved: timer.0.is_multiple_of(2) },
                Effect::Trace(requests) => Event::Traced(self.lab.cloud.trace(requests)),
                Effect::Inspect { serial, inquiry } => Event::Inspected { serial, finding: self.find(inquiry) },
                Effect::LoadResponses { stage, .. } => {
                    self.asked += 1;
                    let kept = self.lab.kept.iter().find(|kept| kept.stage == stage).cloned().map(Box::new);
                    let broken = self.asked.is_multiple_of(3);
                    let found = if broken { Err("the kept answer can't be read".to_owned()) } else { Ok(kept) };
                    Event::ResponsesLoaded { stage, found }
                }
                Effect::Save(kept) => {
                    self.lab.saved = Some(*kept);
                    continue;
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
                key_policy: Some(self.lab.cloud.key_policy.clone()),
                unread: vec![format!("policies of {}", self.lab.cloud.user_arn)],
                ..Default::default()
            }),
            Inquiry::Why { .. } => Finding::Decisions(Vec::new()),
            Inquiry::Documents { .. } => Finding::Documents(insight::documents::Documents {
                key_policy: Some(self.lab.cloud.key_policy.clone()),
                ..Default::default()
            }),
            Inquiry::Trail => Finding::NotTold,
            Inquiry::AtRest { table } => Finding::Failed(format!("no {table} in {ACCOUNT}")),
        }
    }

    fn arrive(&mut self, at: usize) {
        if at < self.waiting.len() {
            let event = self.waiting.remove(at);
            self.event(event);
        }
    }

    fn settle(&mut self) {
        for _ in 0..300 {
            if self.waiting.is_empty() || !self.is_on {
                return;
            }
            self.arrive(0);
        }
    }

    /// Asks for what a key, a line or a signal can ask for now.
    fn intend(&mut self, intents: &[Intent]) {
        for intent in intents {
            if self.lab.state.permit(*intent) != Permit::No {
                self.event(Event::Intent(*intent));
            }
        }
    }

    fn intent(&mut self) -> Intent {
        let pages = [Page::Help, Page::Why, Page::AtRest, Page::Trail, Page::Lesson, Page::Comparison, Page::Debrief];
        let digit = self.chance.below(10).try_into().unwrap();
        let place = self.chance.below(5).try_into().unwrap();
        let wishes = [
            PresenterAction::Blank,
            PresenterAction::Timer,
            PresenterAction::Next,
            PresenterAction::Tally,
            PresenterAction::Letter(place),
            PresenterAction::Digit(digit),
            PresenterAction::Erase,
            PresenterAction::TakeHands,
            PresenterAction::AskToStartOver,
            PresenterAction::StartOver,
        ];
        let plain = [
            Intent::Advance,
            Intent::ShowNext,
            Intent::ShowPrevious,
            Intent::Skip,
            Intent::Hint,
            Intent::Retry,
            Intent::Retry,
            Intent::FocusOther,
            Intent::ToggleZoom,
            Intent::ToggleReplay,
            Intent::CycleView,
            Intent::SelectPrevious,
            Intent::SelectNext,
            Intent::ToggleStages,
            Intent::Close,
            Intent::Close,
            Intent::AskToQuit,
            Intent::EraseDigit,
            Intent::StartAfresh,
            Intent::ToggleExperiments,
            Intent::Undo,
            Intent::Copy(Copied::Command),
            Intent::Copy(Copied::Answer),
            Intent::Choose(place),
        ];
        match self.chance.below(60) {
            0..36 => self.chance.one(&plain),
            36..42 => Intent::TogglePage(self.chance.one(&pages)),
            42..50 => Intent::Present(self.chance.one(&wishes)),
            50 => Intent::ScrollTo(self.chance.below(50).try_into().unwrap()),
            51..54 => Intent::MoveCursor(i8::try_from(self.chance.below(20)).unwrap() - 10),
            54..58 => Intent::TypeDigit(if self.chance.below(3) > 0 { 3 } else { digit }),
            58 => Intent::Quit,
            _ => Intent::CleanUpAndQuit,
        }
    }

    fn go_on(&mut self) {
        self.intend(&[Intent::Close, Intent::Skip, Intent::Advance]);
        if self.lab.state.is_asking_for_consent() {
            self.intend(&[3; 4].map(Intent::TypeDigit));
        }
        self.intend(&[Intent::Advance]);
        self.settle();
    }

    fn fault(&mut self) {
        let calls = ["Scan", "CreateKey", "CreateTable", "PutKeyPolicy", "GetKeyPolicy", "DescribeTable", "EnableKey"];
        let more = ["DeleteTable", "CreateAccessKey", "DescribeKey", "GetCallerIdentity", "CreateAlias", "CreateGrant"];
        let name = if self.chance.below(2) == 0 { self.chance.one(&calls) } else { self.chance.one(&more) };
        let codes = ["InternalFailure", "AccessDeniedException", "ThrottlingException", "ResourceNotFoundException"];
        let body = json!({"__type": self.chance.one(&codes), "message": "later"});
        let status = self.chance.one(&[0_u16, 400, 500]);
        let body = if status == 0 { Value::Null } else { body };
        self.lab.cloud.faults.push((name, status, body));
    }

    fn step(&mut self) {
        match self.chance.below(46) {
            0..16 => {
                let intent = self.intent();
                self.intend(&[intent]);
            }
            16..22 => {
                let at = self.chance.below(3);
                self.arrive(at);
            }
            22..26 => self.settle(),
            26..31 => self.go_on(),
            31..36 => {
                let which = i8::try_from(self.chance.below(14)).unwrap();
                self.intend(&[Intent::ToggleExperiments, Intent::MoveCursor(i8::MIN), Intent::MoveCursor(which)]);
                self.intend(&[Intent::Advance, Intent::Skip, Intent::Advance]);
            }
            36 => {
                let lost = ["Scan", "CreateKey", "GetKeyPolicy", "DescribeTable"].map(|name| (name, 0, Value::Null));
                self.lab.cloud.faults.extend(lost);
                self.go_on();
                self.intend(&[Intent::ToggleReplay]);
            }
            37 => (0..7).for_each(|_| self.event(Event::Tick)),
            38 => {
                let seconds = self.chance.below(5_000) as u64;
                self.event(Event::Clock(seconds));
            }
            39..41 => self.fault(),
            41 => self.die(),
            42 => {
                let stage = i8::try_from(self.chance.below(9)).unwrap();
                self.intend(&[Intent::ToggleStages, Intent::MoveCursor(i8::MIN), Intent::MoveCursor(stage)]);
                self.intend(&[Intent::Advance]);
            }
            43 => {
                let at = self.chance.one(&["the disk is full", "no permission"]).to_owned();
                self.event(Event::SessionNotSaved(at));
            }
            44 => self.lab.cloud.table_exists &= self.chance.below(3) > 0,
            _ => {
                let intents = [Intent::Close, Intent::Advance, Intent::Advance];
                self.intend(&intents);
            }
        }
    }

    fn look(&mut self, theme: &Theme) {
        let screen = render(&self.lab.state, theme, Size::new(100, 28));
        writeln!(self.transcript, "# {}", hash(&format!("{screen:?}"))).unwrap();
    }
}

#[test]
fn walks_come_out_as_they_were_written_down() {
    let dump = std::env::var_os("KMSLAB_GOLDEN_DUMP").map(std::path::PathBuf::from);
    let count = std::env::var("KMSLAB_GOLDEN_WALKS").ok().and_then(|count| count.parse().ok()).unwrap_or(WALKS);
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
    let mut all = String::new();
    for seed in 0..count {
        let mut walk = Walk::new(seed);
        (0..walk.chance.below(10)).for_each(|_| walk.go_on());
        for at in 0..80 {
            walk.step();
            if at % 8 == 0 {
                walk.look(&theme);
            }
        }
        walk.look(&theme);
        if let Some(dump) = &dump {
            std::fs::write(dump.join(format!("{seed}.txt")), &walk.transcript).unwrap();
        }
        let (lines, met) = (walk.transcript.lines().count(), walk.lab.state.met());
        writeln!(all, "{seed} {lines} {met} {}", hash(&walk.transcript)).unwrap();
    }
    if count == WALKS {
        compare("walks.txt", &all);
    }
}
