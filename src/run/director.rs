//! The director of a film: follows a route through the real lab and says which screen is shown when. It presses the
//! keys of a learner, and waits for responses, never for a time.

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};

use super::autoplay::{Scene as Place, scene};
use super::route::{Route, Step, What};
use crate::lab::{Experiment, Identity, Overlay, Page, Shot, Stage, State, Status};
use crate::ui::film::Scene;
use crate::ui::keys::Chord;

/// The most keys between two screens: keys that change nothing are not pressed for ever.
const KEYS: u32 = 150;

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// This screen.
    Show(Shown),
    /// This key.
    Press(KeyCode),
    /// Nothing before something arrives.
    Wait,
    /// The film is over.
    End,
    /// It can't go on; why, if that is known.
    Stuck(Option<String>),
}

/// A screen that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it shows.
    pub scene: Scene,
    /// Its caption.
    pub caption: String,
    /// How much longer it stays when somebody speaks, in milliseconds.
    pub beat: u64,
    /// Which screen it is, and of how many.
    pub progress: (usize, usize),
}

/// Follows a route.
#[derive(Debug)]
pub struct Director {
    route: Route,
    steps: VecDeque<Step>,
    /// The screens of the step that are still to come; none before it begins.
    queue: Option<VecDeque<Scene>>,
    /// How many screens have been shown or left out, and how many there are.
    progress: (usize, usize),
    /// When the newest stage began, and how long it took.
    began: Option<Duration>,
    took: Duration,
    /// How many keys have been pressed since the newest screen.
    keys: u32,
}

impl Director {
    /// A director for `route`.
    pub fn new(route: Route) -> Director {
        Director {
            steps: route.steps.iter().cloned().collect(),
            progress: (0, route.screens()),
            route,
            queue: None,
            began: None,
            took: Duration::ZERO,
            keys: 0,
        }
    }

    /// The route.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// What comes next for what the lab shows at `now`.
    pub fn next(&mut self, state: &State, now: Duration) -> Move {
        loop {
            let Some(step) = self.steps.front() else { return Move::End };
            let (what, line) = (step.what.clone(), step.line);
            let next = match what {
                What::Card(shot) => self.screens(state, [Scene::Shot(shot)]),
                What::Key(chord) => self.key(state, as_code(chord)),
                What::Wait { who, verdict, seconds } => {
                    let failed = self.failed_wait(state, who, &verdict, seconds);
                    failed.map(|why| Move::Stuck(Some(format!("line {line}: {why}"))))
                }
                What::Stage { stage, ask } => self.stage(state, stage, ask, now),
                What::Experiment(which) => self.experiment(state, which),
            };
            match next {
                Some(Move::Press(code)) => return self.pressed(code),
                Some(next) => return next,
                None => {
                    self.steps.pop_front();
                    self.queue = None;
                }
            }
        }
    }

    /// Shows the screens of a step one after the other.
    fn screens<const COUNT: usize>(&mut self, state: &State, scenes: [Scene; COUNT]) -> Option<Move> {
        self.queue.get_or_insert_with(|| scenes.into());
        self.take(state)
    }

    /// The next screen of the queue.
    fn take(&mut self, state: &State) -> Option<Move> {
        let scene = self.queue.as_mut()?.pop_front()?;
        Some(Move::Show(self.shown(state, scene)))
    }

    fn shown(&mut self, state: &State, scene: Scene) -> Shown {
        self.progress.0 += 1;
        self.keys = 0;
        let own = self.steps.front().and_then(|step| step.caption.clone());
        // A step's own caption is that of its last screen.
        let is_last = match scene {
            Scene::Shot(shot) if !shot.is_after() => shot.stage().is_none(),
            Scene::Experiment(_, after) => after,
            Scene::Question(_) => false,
            _ => self.queue.as_ref().is_none_or(VecDeque::is_empty),
        };
        let caption = own.filter(|_| is_last).unwrap_or_else(|| caption(state, scene, self.route.teaser));
        let beat = match scene {
            Scene::Shot(shot) if !self.route.teaser => shot.beat(),
            _ => 0,
        };
        Shown { scene, caption, beat, progress: self.progress }
    }

    /// Presses a key, unless too many have led to no screen.
    fn pressed(&mut self, code: KeyCode) -> Move {
        self.keys += 1;
        if self.keys > KEYS { Move::Stuck(None) } else { Move::Press(code) }
    }

    /// The moves of a stage; none once it is over.
    fn stage(&mut self, state: &State, stage: Stage, ask: bool, now: Duration) -> Option<Move> {
        let shown = state.view().shown;
        let press = |code| Some(Move::Press(code));
        let place = scene(state);
        if matches!(place, Place::Calls) {
            return Some(Move::Wait);
        }
        if state.view().experiment.is_some() {
            return press(KeyCode::Esc);
        }
        if shown > stage {
            return None;
        }
        if shown < stage {
            return match place {
                Place::Question => press(KeyCode::Char('s')),
                Place::Ready | Place::Draft | Place::Verdict => press(KeyCode::Enter),
                Place::Page(_) | Place::Debrief { .. } => press(KeyCode::Esc),
                Place::Calls | Place::Other => Some(Move::Stuck(None)),
            };
        }
        match place {
            Place::Question => {
                let scenes = if ask { vec![Scene::Question(stage)] } else { Vec::new() };
                self.queue.get_or_insert_with(|| scenes.into());
                self.take(state).or_else(|| {
                    self.queue = None;
                    press(KeyCode::Char('s'))
                })
            }
            Place::Ready => {
                if self.queue.is_none() {
                    self.queue = Some(self.shots(stage, false, |shot| shot != Shot::Policy));
                }
                self.take(state).or_else(|| {
                    self.queue = None;
                    self.began = Some(now);
                    press(KeyCode::Enter)
                })
            }
            Place::Draft => {
                if self.queue.is_none() {
                    self.queue = Some(self.shots(stage, false, |shot| shot == Shot::Policy));
                }
                self.take(state).or_else(|| {
                    self.queue = None;
                    press(KeyCode::Enter)
                })
            }
            Place::Verdict => self.verdict(state, stage, now),
            Place::Page(Page::Why) => match self.queue.as_ref().and_then(VecDeque::front) {
                Some(Scene::Shot(Shot::Why)) => self.why(state),
                _ => press(KeyCode::Char('w')),
            },
            Place::Page(_) | Place::Debrief { .. } => press(KeyCode::Esc),
            Place::Calls | Place::Other => Some(Move::Stuck(None)),
        }
    }

    /// The screens of a stage before or after its calls.
    fn shots(&self, stage: Stage, after: bool, wanted: impl Fn(Shot) -> bool) -> VecDeque<Scene> {
        Shot::of(stage, after).filter(|shot| self.route.shows(*shot) && wanted(*shot)).map(Scene::Shot).collect()
    }

    /// What is shown of a verdict: of one that wasn't expected only the first screen.
    fn verdict(&mut self, state: &State, stage: Stage, now: Duration) -> Option<Move> {
        if let Some(began) = self.began.take() {
            self.took = now.saturating_sub(began);
        }
        if self.queue.is_none() {
            let mut shots = self.shots(stage, true, |_| true);
            if state.check(stage).is_some_and(|check| !check.met) {
                let all = shots.len();
                shots.truncate(1);
                self.progress.0 += all - shots.len();
            }
            self.queue = Some(shots);
        }
        if self.queue.as_ref().and_then(VecDeque::front) != Some(&Scene::Shot(Shot::Why)) {
            return self.take(state);
        }
        let code = if state.view().focus() == Identity::Admin { KeyCode::Tab } else { KeyCode::Char('w') };
        Some(Move::Press(code))
    }

    /// The ladder while its page is open; nothing of a server that doesn't say how it decides.
    fn why(&mut self, state: &State) -> Option<Move> {
        if !state.explained().ladders.is_empty() {
            return self.take(state);
        }
        self.queue.as_mut().and_then(VecDeque::pop_front);
        self.progress.0 += 1;
        Some(Move::Press(KeyCode::Char('w')))
    }

    /// A key, and then what it shows.
    fn key(&mut self, state: &State, code: KeyCode) -> Option<Move> {
        if scene(state) == Place::Calls {
            return Some(Move::Wait);
        }
        if self.queue.is_none() {
            self.queue = Some(VecDeque::from([Scene::Learner]));
            return Some(Move::Press(code));
        }
        self.take(state)
    }

    /// The moves of an experiment; none once it is undone.
    fn experiment(&mut self, state: &State, which: Experiment) -> Option<Move> {
        let press = |code| Some(Move::Press(code));
        if scene(state) == Place::Calls {
            return Some(Move::Wait);
        }
        match (state.view().overlay, state.view().experiment) {
            // It has been shown: back from the list.
            (Some(_), _) if self.queue.is_some() => press(KeyCode::Esc),
            (Some(Overlay::Experiments { cursor }), _) if cursor == which => press(KeyCode::Enter),
            (Some(Overlay::Experiments { cursor }), _) if cursor < which => press(KeyCode::Down),
            (Some(Overlay::Experiments { .. }), _) => press(KeyCode::Up),
            (Some(_), _) => press(KeyCode::Esc),
            (None, Some(shown)) if shown == which => match scene(state) {
                Place::Question => press(KeyCode::Char('s')),
                Place::Ready | Place::Draft => {
                    self.queue.get_or_insert_with(|| VecDeque::from([Scene::Experiment(which, false)]));
                    self.take(state).or_else(|| {
                        self.queue = None;
                        press(KeyCode::Enter)
                    })
                }
                Place::Verdict => {
                    self.queue.get_or_insert_with(|| VecDeque::from([Scene::Experiment(which, true)]));
                    self.take(state).or_else(|| press(KeyCode::Esc))
                }
                _ => Some(Move::Wait),
            },
            (None, Some(_)) => press(KeyCode::Esc),
            // It has been shown, and the lab has left it.
            (None, None) if self.queue.is_some() => None,
            (None, None)
                if matches!(state.record(Stage::ViewAgain).status, Status::Done(_))
                    && scene(state) == Place::Verdict =>
            {
                press(KeyCode::Char('x'))
            }
            (None, None) => match scene(state) {
                Place::Question => press(KeyCode::Char('s')),
                Place::Ready | Place::Draft | Place::Verdict => press(KeyCode::Enter),
                _ => Some(Move::Stuck(None)),
            },
        }
    }

    /// Why a verdict that a script waits for hasn't come.
    fn failed_wait(&self, state: &State, who: Identity, verdict: &str, seconds: u64) -> Option<String> {
        let run = state.record(state.view().shown);
        let came =
            run.exchanges().rev().find(|exchange| exchange.identity == who).map(|exchange| exchange.verdict.key());
        match came {
            None => Some(format!("{} has made no call in this stage", who.name())),
            Some(came) if came != verdict => Some(format!("{} was {came}, not {verdict}", who.name())),
            Some(_) if self.took > Duration::from_secs(seconds) => {
                Some(format!("{} was {verdict} only after {} seconds", who.name(), self.took.as_secs()))
            }
            Some(_) => None,
        }
    }
}

/// A chord as a key code; a control character is ctrl and its letter.
fn as_code(chord: Chord) -> KeyCode {
    match chord.pressed() {
        (KeyCode::Char(c @ 'a'..='z'), KeyModifiers::CONTROL) => {
            KeyCode::Char(char::from_u32(u32::from(c) - 0x60).unwrap_or(c))
        }
        (code, _) => code,
    }
}

/// The lesson's caption of a screen.
fn caption(state: &State, scene: Scene, teaser: bool) -> String {
    let film = &state.lesson().film;
    match scene {
        Scene::Shot(shot) => {
            let unmet = shot.stage().filter(|_| shot.is_after()).and_then(|stage| state.check(stage));
            match unmet.filter(|check| !check.met) {
                Some(check) => film.words.fill("not_met", &[&state.interface().sentence(&check.observed)]),
                None => film.shot(shot).map(|text| text.caption(teaser).to_owned()).unwrap_or_default(),
            }
        }
        Scene::Experiment(which, true) => state.experiment(which).lesson.trim().to_owned(),
        Scene::Experiment(..) | Scene::Question(_) | Scene::Learner => String::new(),
    }
}
