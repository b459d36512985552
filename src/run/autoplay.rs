//! Autoplay: a director who presses the keys. It waits for what the lab shows, never for a time that a call may take,
//! and holds where there is something to read.

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::KeyCode;

use crate::lab::reading::new_words;
use crate::lab::stages::Scans;
use crate::lab::{Identity, Overlay, Pace, Page, Stage, State, Status};

/// Between two keys that belong together.
const NEXT_KEY: u64 = 700;

/// A learner's attempt at stage 7: a pause in milliseconds, then keys. A control character is ctrl and its letter,
/// `<` goes to the left.
const ATTEMPT: [(u64, &str); 7] = [
    (3_500, "2"),
    (2_500, "Encrypt"),
    (900, "\t\u{e}"),
    (900, "vv\n"),
    (3_000, "\u{13}"),
    (5_500, "\n"),
    (1_200, "^<<\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}Decrypt"),
];

/// How long its last forecast stays before it is sent.
const LOOKED_OVER: u64 = 2_500;

/// How long its end stays.
const ENDED: u64 = 5_000;

/// Between two keys of a word.
const TYPED: u64 = 110;

/// Keys that change nothing are not pressed for ever.
const TRIES: u32 = 3;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    /// This key, then.
    Press(Duration, KeyCode),
    /// Nothing before something arrives.
    Wait,
    /// Nothing before a person has pressed a key.
    Person,
    /// The play is over, then.
    End(Duration),
    /// It can't go on: the lab asks what only a person may answer, or nothing changes any more.
    Stuck,
}

/// What the lab shows, as far as it matters for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    Question,
    Ready,
    Draft,
    Calls,
    Verdict,
    Page(Page),
    /// A question of the debrief, or the card.
    Debrief {
        asks: bool,
    },
    Other,
}

/// Plays the lab.
#[derive(Debug)]
pub struct Autoplay {
    pace: Pace,
    /// From this stage to that one; what is before is passed over.
    part: Option<(Stage, Stage)>,
    /// The keys of a learner's attempt that are still to come, each with the milliseconds before it.
    attempt: Option<VecDeque<(u64, KeyCode)>>,
    /// Whether there is a person at a keyboard.
    attended: bool,
    scene: Option<(Stage, Scene)>,
    since: Duration,
    /// How many keys have been pressed in this scene.
    pressed: u32,
    seen: Seen,
    /// What the screen shows.
    screen: String,
    /// Whether a page has more lines below.
    has_more: bool,
    /// Whether it stays, or the next key is pressed at once.
    is_held: bool,
    /// What it showed when it was last held.
    read: String,
}

/// What has been shown once.
#[derive(Debug, Default)]
struct Seen {
    why: bool,
    /// test-user's pane, alone or in focus.
    test_user: Option<Stage>,
    debrief: bool,
}

impl Autoplay {
    /// A director for the whole lab.
    pub fn new(pace: Pace) -> Autoplay {
        Autoplay {
            pace,
            part: None,
            attempt: None,
            attended: false,
            scene: None,
            since: Duration::ZERO,
            pressed: 0,
            seen: Seen::default(),
            screen: String::new(),
            has_more: false,
            is_held: false,
            read: String::new(),
        }
    }

    /// Notes what the screen shows: how long it stays depends on its new words. `has_more` says whether a page has more
    /// lines below.
    pub fn saw(&mut self, screen: String, has_more: bool) {
        self.screen = screen;
        self.has_more = has_more;
    }

    fn new_words(&self) -> usize {
        new_words(&self.read, &self.screen)
    }

    /// The same with a person at a keyboard.
    #[must_use]
    pub fn attended(self) -> Autoplay {
        Autoplay { attended: true, ..self }
    }

    /// The same for the stages from `first` to `last`.
    #[must_use]
    pub fn only(self, first: Stage, last: Stage) -> Autoplay {
        Autoplay { part: Some((first, last)), ..self }
    }

    /// The same for a learner's own attempt at stage 7: a wrong statement, then the right one.
    #[must_use]
    pub fn attempting(self) -> Autoplay {
        let keys = ATTEMPT.into_iter().chain([(LOOKED_OVER, "\u{13}")]).flat_map(|(millis, keys)| {
            let pauses = std::iter::once(millis).chain(std::iter::repeat(TYPED));
            pauses.zip(keys.chars().map(typed))
        });
        Autoplay { attempt: Some(keys.collect()), ..self.only(Stage::Grant, Stage::Grant) }
    }

    /// Whether what is shown is to be seen: it is not before the first stage that is played.
    pub fn is_on(&self, state: &State) -> bool {
        self.part.is_none_or(|(first, _)| state.view().shown >= first)
    }

    /// Whether a person's key belongs to the play, and does not end it.
    pub fn takes_keys(&self) -> bool {
        self.pace == Pace::Talk
    }

    /// The key that answers for a person whose answer is waited for.
    pub fn answer(&self, state: &State) -> Option<KeyCode> {
        let waits = self.attended && self.takes_keys() && scene(state) == Scene::Question;
        waits.then(|| KeyCode::Char(answer(state, self.part.is_none())))
    }

    /// What comes next, for what is shown now.
    pub fn cue(&mut self, state: &State, now: Duration) -> Cue {
        let scene = (state.view().shown, scene(state));
        if self.scene != Some(scene) {
            self.scene = Some(scene);
            self.since = now;
            self.pressed = 0;
        }
        if self.pressed >= TRIES {
            return Cue::Stuck;
        }
        let (stage, scene) = scene;
        let is_on = self.is_on(state);
        if let Some(keys) = self.attempt.as_ref().filter(|_| is_on) {
            return match keys.front() {
                Some((millis, key)) => Cue::Press(self.since + Duration::from_millis(*millis), *key),
                None => Cue::End(self.since + Duration::from_millis(ENDED)),
            };
        }
        let read = self.pace.hold(self.new_words());
        let (millis, key) = match scene {
            Scene::Calls => return Cue::Wait,
            Scene::Other => return if self.attended { Cue::Person } else { Cue::Stuck },
            Scene::Question if !is_on => (0, KeyCode::Char('s')),
            Scene::Question if self.attended && self.takes_keys() => return Cue::Person,
            Scene::Question => (read, KeyCode::Char(answer(state, self.part.is_none()))),
            Scene::Ready | Scene::Draft => (read, KeyCode::Enter),
            Scene::Verdict if is_on => match self.after_verdict(state, stage, read) {
                (millis, Some(key)) => (millis, key),
                (millis, None) => return Cue::End(self.since + Duration::from_millis(millis)),
            },
            Scene::Verdict => (0, KeyCode::Enter),
            // A key that scrolls nothing shows no new word.
            Scene::Page(_) if self.has_more && self.new_words() > 0 => (read, KeyCode::PageDown),
            Scene::Page(Page::Why) => (read, KeyCode::Char('w')),
            // Nobody watches a film answer questions: it shows the card.
            Scene::Debrief { asks: true } => (0, KeyCode::Esc),
            Scene::Debrief { asks: false } => {
                self.seen.debrief = true;
                return Cue::End(self.since + Duration::from_millis(read));
            }
            Scene::Page(_) => (read, KeyCode::Esc),
        };
        let millis = if is_on { millis } else { 0 };
        self.is_held = millis > 0;
        Cue::Press(self.since + Duration::from_millis(millis), key)
    }

    /// Where a verdict stands: after so many milliseconds what else is shown of it, then the next stage; no
    /// key where the play ends. `read` is how long reading the screen takes.
    fn after_verdict(&self, state: &State, stage: Stage, read: u64) -> (u64, Option<KeyCode>) {
        let is_twin = stage.def().scans.compares();
        let is_denied = stage.def().scans == Scans::TestUserDenied;
        let of_interest = is_denied || (is_twin && state.view().zoom);
        if of_interest && self.seen.test_user != Some(stage) && state.view().focus() == Identity::Admin {
            return (read, Some(KeyCode::Tab));
        }
        if is_denied && !self.seen.why {
            // The lab itself shows test-user's pane; where a key did, the verdict has been looked at, if not alone.
            let is_seen = self.seen.test_user == Some(stage) && !state.view().zoom;
            return (if is_seen { NEXT_KEY } else { read }, Some(KeyCode::Char('w')));
        }
        let is_last = self.part.is_some_and(|(_, last)| stage >= last) || self.seen.debrief;
        (if is_denied { NEXT_KEY } else { read }, (!is_last).then_some(KeyCode::Enter))
    }

    /// Takes in that the key of a cue was pressed at `now`.
    pub fn pressed(&mut self, state: &State, key: KeyCode, now: Duration) {
        self.pressed += 1;
        if self.is_held {
            self.read.clone_from(&self.screen);
        }
        let is_on = self.is_on(state);
        match key {
            _ if is_on && self.attempt.as_mut().is_some_and(|keys| keys.pop_front().is_some()) => {}
            KeyCode::Tab => self.seen.test_user = Some(state.view().shown),
            KeyCode::Char('w') => self.seen.why = true,
            KeyCode::PageDown => {}
            _ => return,
        }
        // What they show is a scene of its own.
        self.pressed = 0;
        self.since = now;
    }
}

/// The key of a character in [`ATTEMPT`].
fn typed(c: char) -> KeyCode {
    match c {
        '\n' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        '\u{8}' => KeyCode::Backspace,
        '^' => KeyCode::Up,
        'v' => KeyCode::Down,
        '<' => KeyCode::Left,
        c => KeyCode::Char(c),
    }
}

pub(super) fn scene(state: &State) -> Scene {
    match state.view().overlay {
        _ if state.is_blank() => return Scene::Other,
        Some(Overlay::Page { page, .. }) => return Scene::Page(page),
        Some(Overlay::Debrief) => return Scene::Debrief { asks: state.debrief().current().is_some() },
        Some(_) => return Scene::Other,
        None => {}
    }
    match state.shown().status {
        Status::Todo if state.waits_for_answer() => Scene::Question,
        Status::Todo => Scene::Ready,
        Status::Running if state.held().is_some() => Scene::Draft,
        Status::Running => Scene::Calls,
        Status::Done(_) => Scene::Verdict,
    }
}

/// The letter to press. Where most people are wrong the play is wrong, too, so that its explanation is seen.
fn answer(state: &State, may_be_wrong: bool) -> char {
    let is_trap = may_be_wrong && state.view().shown.def().scans == Scans::TestUserDenied;
    let question = &state.lesson().stage(state.view().shown).question;
    let trap = question.answers.iter().find(|answer| is_trap && !answer.right);
    let asked = state.open_question();
    let mut answers = asked.iter().flat_map(|asked| &asked.answers);
    let wanted = |reply: &crate::lab::lesson::Reply| trap.map_or(reply.right, |trap| trap.text == reply.text);
    answers.find(|(_, reply)| wanted(reply)).map_or('s', |(letter, _)| *letter)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::lab::consent::Digits;
    use crate::lab::{Backend, BackendKind, Event, Intent, Names, Quiz};

    fn state() -> State {
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        State::new(backend, Names::new("t1")).with_quiz(Quiz::new(3))
    }

    fn cue(director: &mut Autoplay, state: &State, millis: u64) -> Cue {
        director.cue(state, Duration::from_millis(millis))
    }

    #[rstest]
    #[case(Pace::Fast, 1_637)]
    #[case(Pace::Read, 2_250)]
    #[case(Pace::Talk, 2_813)]
    fn a_prediction_stays_until_it_is_read(#[case] pace: Pace, #[case] stays: u64) {
        let mut state = state();
        let mut director = Autoplay::new(pace);
        director.saw("one two three four five six seven eight nine ten eleven twelve 1 2 3".to_owned(), false);
        let right = state.open_question().unwrap().right().unwrap().0;
        let pressed = Cue::Press(Duration::from_millis(400 + stays), KeyCode::Char(right));
        assert_eq!(cue(&mut director, &state, 400), pressed);
        // What is drawn meanwhile delays nothing.
        assert_eq!(cue(&mut director, &state, 900), pressed);
        director.pressed(&state, KeyCode::Char(right), Duration::from_secs(6));
        let place = state.open_question().unwrap().answers.iter().position(|(letter, _)| *letter == right).unwrap();
        state.update(Event::Intent(Intent::Choose(u8::try_from(place).unwrap())));
        // Nothing new to read.
        assert_eq!(cue(&mut director, &state, 6_000), Cue::Press(Duration::from_millis(7_500), KeyCode::Enter));
        state.update(Event::Intent(Intent::Advance));
        assert_eq!(cue(&mut director, &state, 9_000), Cue::Wait, "a call takes what it takes");
    }

    #[test]
    fn a_long_page_is_scrolled_to_its_end() {
        let mut state = state();
        state.view_mut().overlay = Some(Overlay::Page { page: Page::Help, scroll: 0 });
        let mut director = Autoplay::new(Pace::Fast);
        for (screen, has_more, key) in
            [("one", true, KeyCode::PageDown), ("two", true, KeyCode::PageDown), ("three", false, KeyCode::Esc)]
        {
            director.saw(screen.to_owned(), has_more);
            let Cue::Press(_, pressed) = cue(&mut director, &state, 0) else { panic!("no key") };
            assert_eq!(pressed, key, "{screen}");
            director.pressed(&state, pressed, Duration::ZERO);
        }
        director.saw("three".to_owned(), true);
        assert!(matches!(cue(&mut director, &state, 0), Cue::Press(_, KeyCode::Esc)), "a key that scrolls nothing");
    }

    #[test]
    fn a_speaker_is_waited_for() {
        let mut director = Autoplay::new(Pace::Talk).attended();
        assert_eq!(cue(&mut director, &state(), 0), Cue::Person);
        assert!(director.takes_keys());
        // Who has nothing to say has the play answer, which answers as it does alone.
        let alone = cue(&mut Autoplay::new(Pace::Talk), &state(), 0);
        let Cue::Press(_, key) = alone else { panic!("{alone:?}") };
        assert_eq!(director.answer(&state()), Some(key));
        assert_eq!(Autoplay::new(Pace::Read).attended().answer(&state()), None);
        assert!(!Autoplay::new(Pace::Read).attended().takes_keys());
    }

    #[test]
    fn consent_is_a_persons() {
        let mut state = state();
        state.view_mut().overlay =
            Some(Overlay::Consent { stage: Stage::CreateKey, typed: Digits::default(), wrong: false });
        assert_eq!(cue(&mut Autoplay::new(Pace::Read), &state, 0), Cue::Stuck);
        assert_eq!(cue(&mut Autoplay::new(Pace::Read).attended(), &state, 0), Cue::Person);
    }

    #[test]
    fn a_key_that_changes_nothing_is_not_pressed_for_ever() {
        let state = state();
        let mut director = Autoplay::new(Pace::Fast);
        for at in 0..3 {
            let Cue::Press(_, key) = cue(&mut director, &state, at) else { panic!("no key") };
            director.pressed(&state, key, Duration::from_millis(at));
        }
        assert_eq!(cue(&mut director, &state, 9), Cue::Stuck);
    }
}
