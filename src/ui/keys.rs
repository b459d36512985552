//! The keys: one table, from which dispatch, footer and help are made.
//!
//! A binding works when its `when` says so; a key that does not work is not in the footer and does nothing.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;

use crate::lab::{Copied, Intent, Overlay, Page, State, Status};

use super::layout::{self, Class, Extent};
use super::overlay;

/// A key with its modifiers. Shift is part of a character and not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    control: bool,
}

const fn key(code: KeyCode) -> Chord {
    Chord { code, control: false }
}

const fn char(c: char) -> Chord {
    key(KeyCode::Char(c))
}

const fn control(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), control: true }
}

impl Chord {
    fn matches(self, event: KeyEvent) -> bool {
        let modifiers = event.modifiers;
        let control = modifiers.contains(KeyModifiers::CONTROL);
        let other = modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META);
        let code = match event.code {
            // Some terminals send a shifted tab so.
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            KeyCode::Char(c) if control => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        code == self.code && control == self.control && !other
    }

    /// How people write it.
    pub fn name(self) -> String {
        match (self.code, self.control) {
            (KeyCode::Char(' '), _) => "space".to_owned(),
            (KeyCode::Char(c), true) => format!("ctrl-{c}"),
            (KeyCode::Char(c), false) => c.to_string(),
            (KeyCode::Enter, _) => "enter".to_owned(),
            (KeyCode::Esc, _) => "esc".to_owned(),
            (KeyCode::Tab, _) => "tab".to_owned(),
            (KeyCode::BackTab, _) => "shift-tab".to_owned(),
            (KeyCode::Left, _) => "←".to_owned(),
            (KeyCode::Right, _) => "→".to_owned(),
            (KeyCode::Up, _) => "↑".to_owned(),
            (KeyCode::Down, _) => "↓".to_owned(),
            (KeyCode::PageUp, _) => "PgUp".to_owned(),
            (KeyCode::PageDown, _) => "PgDn".to_owned(),
            (KeyCode::Home, _) => "Home".to_owned(),
            (KeyCode::End, _) => "End".to_owned(),
            (other, _) => other.to_string(),
        }
    }
}

/// What a binding is judged by: the state, and the size of the screen.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    state: &'a State,
    area: Rect,
    /// How far what scrolls now can be scrolled, and its first line: worked out once, since it takes wrapping a text.
    scrolled: Option<(Extent, u16)>,
}

impl<'a> Context<'a> {
    /// The state as it is shown on `area`.
    pub fn new(state: &'a State, area: Rect) -> Context<'a> {
        Context { state, area, scrolled: layout::scrolled(state, area) }
    }
}

impl Context<'_> {
    fn overlay(self) -> Option<Overlay> {
        self.state.view.overlay
    }

    /// Nothing lies over the panes, and they are to be seen.
    fn panes(self) -> bool {
        self.overlay().is_none() && Class::of(self.area) != Class::TooSmall
    }

    /// This page is open, and there is room to read it.
    fn page(self, page: Page) -> bool {
        self.state.view.page() == Some(page) && Class::of(self.area) != Class::TooSmall
    }

    /// This page can be opened or closed.
    fn can_toggle(self, page: Page) -> bool {
        self.panes() || self.page(page)
    }

    fn stages(self) -> bool {
        matches!(self.overlay(), Some(Overlay::Stages { .. })) && Class::of(self.area) != Class::TooSmall
    }

    /// The question is asked, and all of it can be read.
    fn consenting(self) -> bool {
        self.state.is_asking_for_consent() && overlay::consent_fits(self.state, self.area)
    }

    fn leaving(self) -> bool {
        self.overlay() == Some(Overlay::Quit)
    }

    /// Whether something can be scrolled in this direction.
    fn can_scroll(self, down: bool) -> bool {
        self.scrolled.is_some_and(|(extent, first)| if down { first < extent.last_scroll() } else { first > 0 })
    }

    /// Scrolls by `lines`, or as far as there is something.
    fn scroll(self, lines: i32) -> Intent {
        let (extent, first) = self.scrolled.unwrap_or((Extent { lines: 0, height: 0 }, 0));
        let target = i32::from(first).saturating_add(lines).clamp(0, i32::from(extent.last_scroll()));
        Intent::ScrollTo(u16::try_from(target).unwrap_or(0))
    }

    /// Half of what is visible.
    fn half_page(self) -> i32 {
        self.scrolled.map_or(1, |(extent, _)| i32::from(extent.height / 2).max(1))
    }

    fn cursor(self) -> Option<usize> {
        match self.overlay() {
            Some(Overlay::Stages { cursor }) if self.stages() => Some(cursor.index()),
            _ => None,
        }
    }

    fn can_move(self, down: bool) -> bool {
        self.cursor().is_some_and(|row| if down { row < self.state.reachable().index() } else { row > 0 })
    }

    /// The selected call of the focused pane, and how many there are.
    fn call(self) -> Option<(usize, usize)> {
        let identity = self.state.view.focus();
        self.panes().then(|| self.state.selected(identity).map(|at| (at, self.state.calls(identity).len())))?
    }

    /// One pane has the width of two.
    fn zoomed(self) -> bool {
        self.state.view.zoom && Class::of(self.area) == Class::Full
    }

    fn can_copy(self, what: Copied) -> bool {
        self.panes() && self.state.to_copy(what).is_some()
    }

    fn has_answer(self) -> bool {
        self.panes() && crate::lab::Identity::BOTH.iter().any(|identity| self.state.selected(*identity).is_some())
    }
}

/// What some keys do, and when.
pub struct Binding {
    /// The keys; the footer shows the first.
    pub chords: &'static [Chord],
    /// Whether it works now.
    pub when: fn(Context<'_>) -> bool,
    /// What it does.
    pub intent: fn(Context<'_>) -> Intent,
    /// Whether holding the key down repeats it.
    pub repeats: bool,
}

/// A row of the table: keys that belong together.
pub struct Row {
    /// The keys.
    pub bindings: &'static [Binding],
    /// A word or two for the footer.
    pub label: for<'a> fn(Context<'a>) -> &'a str,
    /// A sentence for the help; empty where it needs none.
    pub help: &'static str,
    /// The footer drops the rows with the highest numbers first.
    pub rank: u8,
}

const fn bind(chords: &'static [Chord], when: fn(Context<'_>) -> bool, intent: fn(Context<'_>) -> Intent) -> Binding {
    Binding { chords, when, intent, repeats: false }
}

const fn repeating(
    chords: &'static [Chord],
    when: fn(Context<'_>) -> bool,
    intent: fn(Context<'_>) -> Intent,
) -> Binding {
    Binding { chords, when, intent, repeats: true }
}

/// All keys, in the order of footer and help.
pub const KEYS: &[Row] = &[
    Row {
        bindings: &[bind(&[key(KeyCode::Enter), char(' ')], can_advance, |_| Intent::Advance)],
        label: advance_label,
        help: "do this stage's action; when done, the next stage",
        rank: 0,
    },
    Row {
        bindings: &[
            bind(&[char('a'), char('1')], |c| can_choose(c, 0), |_| Intent::Choose(0)),
            bind(&[char('b'), char('2')], |c| can_choose(c, 1), |_| Intent::Choose(1)),
            bind(&[char('c'), char('3')], |c| can_choose(c, 2), |_| Intent::Choose(2)),
            bind(&[char('d'), char('4')], |c| can_choose(c, 3), |_| Intent::Choose(3)),
        ],
        label: |_| "answer",
        help: "answer the question, before enter",
        rank: 1,
    },
    Row {
        bindings: &[bind(&[char('s')], |c| c.panes() && c.state.waits_for_answer(), |_| Intent::Skip)],
        label: |_| "skip",
        help: "pass over the question",
        rank: 3,
    },
    Row {
        bindings: &[bind(&[char('h')], |c| c.panes() && c.state.has_hint(), |_| Intent::Hint)],
        label: |c| if c.state.hints().is_empty() { "hint" } else { "another hint" },
        help: "a hint for the question, then another",
        rank: 4,
    },
    Row {
        bindings: &[bind(&[char('r')], |c| c.panes() && c.state.can_retry(), |_| Intent::Retry)],
        label: |c| if c.state.check(c.state.view.shown).is_some_and(|check| check.met) { "again" } else { "try again" },
        help: "send the calls again, or go on where it failed",
        rank: 4,
    },
    Row {
        bindings: &[bind(&[char('F')], |c| c.panes() && c.state.can_replay(), |_| Intent::ToggleReplay)],
        label: |c| if c.state.is_replay() { "live again" } else { "replay" },
        help: "the recorded answer where none comes, or live again",
        rank: 4,
    },
    Row {
        bindings: &[bind(&[char('c')], |c| c.leaving(), |_| Intent::CleanUpAndQuit)],
        label: |_| "clean up, then leave",
        help: "in the leaving dialog: clean up first",
        rank: 1,
    },
    Row {
        bindings: &[
            bind(&[char('0')], |c| c.consenting(), |_| Intent::TypeDigit(0)),
            bind(&[char('1')], |c| c.consenting(), |_| Intent::TypeDigit(1)),
            bind(&[char('2')], |c| c.consenting(), |_| Intent::TypeDigit(2)),
            bind(&[char('3')], |c| c.consenting(), |_| Intent::TypeDigit(3)),
            bind(&[char('4')], |c| c.consenting(), |_| Intent::TypeDigit(4)),
            bind(&[char('5')], |c| c.consenting(), |_| Intent::TypeDigit(5)),
            bind(&[char('6')], |c| c.consenting(), |_| Intent::TypeDigit(6)),
            bind(&[char('7')], |c| c.consenting(), |_| Intent::TypeDigit(7)),
            bind(&[char('8')], |c| c.consenting(), |_| Intent::TypeDigit(8)),
            bind(&[char('9')], |c| c.consenting(), |_| Intent::TypeDigit(9)),
            bind(&[key(KeyCode::Backspace)], |c| c.consenting(), |_| Intent::EraseDigit),
        ],
        label: |_| "consent",
        help: "", // the dialog says it, and it opens on AWS alone
        rank: NEVER,
    },
    Row {
        bindings: &[
            bind(
                &[char('n'), key(KeyCode::Right), key(KeyCode::PageDown)],
                |c| c.panes() && c.state.next_shown().is_some(),
                |_| Intent::ShowNext,
            ),
            bind(
                &[char('p'), key(KeyCode::Left), key(KeyCode::PageUp)],
                |c| c.panes() && c.state.view.shown.previous().is_some(),
                |_| Intent::ShowPrevious,
            ),
        ],
        label: |_| "stage",
        help: "next or previous stage; nothing is sent again",
        rank: 5,
    },
    Row {
        bindings: &[bind(&[key(KeyCode::Tab), key(KeyCode::BackTab)], |c| c.panes(), |_| Intent::FocusOther)],
        label: |_| "pane",
        help: "keys go to the other pane",
        rank: 6,
    },
    Row {
        bindings: &[
            bind(&[char('[')], |c| c.call().is_some_and(|(at, _)| at > 0), |_| Intent::SelectPrevious),
            bind(&[char(']')], |c| c.call().is_some_and(|(at, of)| at + 1 < of), |_| Intent::SelectNext),
        ],
        label: |_| "call",
        help: "previous or next call of this pane",
        rank: 8,
    },
    Row {
        bindings: &[
            repeating(&[char('j'), key(KeyCode::Down)], |c| c.can_scroll(true), |c| c.scroll(1)),
            repeating(&[char('k'), key(KeyCode::Up)], |c| c.can_scroll(false), |c| c.scroll(-1)),
            repeating(&[char('j'), key(KeyCode::Down)], |c| c.can_move(true), |_| Intent::MoveCursor(1)),
            repeating(&[char('k'), key(KeyCode::Up)], |c| c.can_move(false), |_| Intent::MoveCursor(-1)),
        ],
        label: |c| if c.stages() { "choose" } else { "scroll" },
        help: "scroll this pane; in a list, move",
        rank: 7,
    },
    Row {
        bindings: &[
            repeating(&[control('d')], |c| c.can_scroll(true), |c| c.scroll(c.half_page())),
            repeating(&[control('u')], |c| c.can_scroll(false), |c| c.scroll(-c.half_page())),
        ],
        label: |_| "half a page",
        help: "scroll by half a page",
        rank: NEVER,
    },
    Row {
        bindings: &[
            bind(&[char('g'), key(KeyCode::Home)], |c| c.can_scroll(false), |c| c.scroll(i32::MIN)),
            bind(&[char('G'), key(KeyCode::End)], |c| c.can_scroll(true), |c| c.scroll(i32::MAX)),
            bind(&[char('g'), key(KeyCode::Home)], |c| c.can_move(false), |_| Intent::MoveCursor(i8::MIN)),
            bind(&[char('G'), key(KeyCode::End)], |c| c.can_move(true), |_| Intent::MoveCursor(i8::MAX)),
        ],
        label: |_| "ends",
        help: "scroll to the beginning or to the end",
        rank: NEVER,
    },
    Row {
        bindings: &[bind(&[char('v')], |c| c.has_answer(), |_| Intent::CycleView)],
        label: |_| "view",
        help: "answers as summary, JSON, HTTP, aws command",
        rank: 9,
    },
    Row {
        bindings: &[
            bind(&[char('y')], |c| c.can_copy(Copied::Command), |_| Intent::Copy(Copied::Command)),
            bind(&[char('Y')], |c| c.can_copy(Copied::Answer), |_| Intent::Copy(Copied::Answer)),
        ],
        label: |_| "copy",
        help: "copy the call as an aws command, or its answer",
        rank: 12,
    },
    Row {
        bindings: &[bind(&[char('z')], |c| c.panes() && Class::of(c.area) == Class::Full, |_| Intent::ToggleZoom)],
        label: |c| if c.state.view.zoom { "both panes" } else { "zoom" },
        help: "this pane alone, or both panes",
        rank: 11,
    },
    Row {
        bindings: &[bind(
            &[char('w')],
            |c| c.panes() && c.state.focused_exchange().is_some() || c.page(Page::Why),
            |_| Intent::TogglePage(Page::Why),
        )],
        label: |c| if c.page(Page::Why) { "close" } else { "why" },
        help: "why this call was allowed or denied",
        rank: 8,
    },
    Row {
        bindings: &[bind(&[char('e')], |c| c.can_toggle(Page::AtRest), |_| Intent::TogglePage(Page::AtRest))],
        label: |c| if c.page(Page::AtRest) { "close" } else { "at rest" },
        help: "the table as it lies in the database, and its keys",
        rank: 13,
    },
    Row {
        bindings: &[bind(&[char('t')], |c| c.can_toggle(Page::Trail), |_| Intent::TogglePage(Page::Trail))],
        label: |c| if c.page(Page::Trail) { "close" } else { "trail" },
        help: "what DynamoDB and the callers asked KMS",
        rank: 12,
    },
    Row {
        bindings: &[bind(&[char('i')], |c| c.can_toggle(Page::Lesson), |_| Intent::TogglePage(Page::Lesson))],
        label: |c| if c.page(Page::Lesson) { "close" } else { "lesson" },
        help: "the lesson: question, answers, what is often got wrong",
        rank: 9,
    },
    Row {
        bindings: &[bind(
            &[char('o')],
            |c| c.can_toggle(Page::Comparison) && c.state.comparison().is_some(),
            |_| Intent::TogglePage(Page::Comparison),
        )],
        label: |c| if c.page(Page::Comparison) { "close" } else { "options" },
        help: "the choices side by side, where there are some",
        rank: 8,
    },
    Row {
        bindings: &[bind(&[char('l')], |c| c.panes() || c.stages(), |_| Intent::ToggleStages)],
        label: |c| if c.stages() { "close" } else { "stages" },
        help: "the list of stages",
        rank: 10,
    },
    Row {
        bindings: &[bind(
            &[char('?'), key(KeyCode::F(1))],
            |c| c.can_toggle(Page::Help),
            |_| Intent::TogglePage(Page::Help),
        )],
        label: |c| if c.page(Page::Help) { "close" } else { "help" },
        help: "this help",
        rank: 2,
    },
    Row {
        bindings: &[
            bind(&[key(KeyCode::Esc)], |c| c.overlay().is_some(), |_| Intent::Close),
            bind(&[key(KeyCode::Esc)], |c| c.panes() && c.zoomed(), |_| Intent::ToggleZoom),
            bind(&[key(KeyCode::Esc)], |c| c.panes() && !c.zoomed() && c.state.draft().is_some(), |_| Intent::Close),
        ],
        label: |c| match c.leaving() {
            true => "stay",
            false if c.panes() && !c.zoomed() => "don't send it",
            false => "back",
        },
        help: "one level back, what is not sent yet stays unsent; never leaves the lab",
        rank: 3,
    },
    Row {
        bindings: &[bind(&[char('q'), control('c')], |_| true, |_| Intent::Quit)],
        label: |c| if c.leaving() { "leave everything" } else { "quit" },
        help: "leave; asks first if something would stay behind",
        rank: 1,
    },
];

/// The rank of what only the help shows.
const NEVER: u8 = u8::MAX;

fn can_advance(c: Context<'_>) -> bool {
    if !c.panes() {
        return c.stages();
    }
    match c.state.shown().status {
        Status::Todo => !c.state.waits_for_answer(),
        Status::Running => c.state.draft().is_some(),
        // After the last stage comes the debrief.
        Status::Done(_) => c.state.next_shown().is_some() || c.state.is_at_the_end(),
    }
}

fn advance_label(c: Context<'_>) -> &str {
    match c.state.shown().status {
        _ if c.stages() => "show this stage",
        Status::Todo => c.state.text(c.state.view.shown).action,
        Status::Running => "send it",
        Status::Done(_) if c.state.next_shown().is_none() => "debrief",
        _ => "next",
    }
}

/// The answer at `place` can be chosen.
fn can_choose(c: Context<'_>, place: usize) -> bool {
    c.panes() && c.state.open_question().is_some_and(|asked| place < asked.answers.len())
}

/// What `event` means now, if anything. Only presses count; a key that is held down only scrolls.
pub fn intent(event: KeyEvent, state: &State, area: Rect) -> Option<Intent> {
    let context = Context::new(state, area);
    bound(event, context).map(|(_, binding, _)| (binding.intent)(context))
}

/// The name of the key that `event` is of, and what it does now; `None` where it does nothing, or where something is
/// typed that others must not see.
pub fn named(event: KeyEvent, state: &State, area: Rect) -> Option<Hint> {
    let context = Context::new(state, area);
    let (row, _, chord) = bound(event, context).filter(|_| !state.is_asking_for_consent())?;
    Some(Hint { keys: chord.name(), label: (row.label)(context).to_owned(), rank: row.rank })
}

/// What is bound to `event` now.
fn bound(event: KeyEvent, context: Context<'_>) -> Option<(&'static Row, &'static Binding, Chord)> {
    KEYS.iter()
        .flat_map(|row| row.bindings.iter().map(move |binding| (row, binding)))
        .filter(|(_, binding)| match event.kind {
            KeyEventKind::Press => true,
            KeyEventKind::Repeat => binding.repeats,
            KeyEventKind::Release => false,
        })
        .find_map(|(row, binding)| {
            let chord = binding.chords.iter().find(|chord| chord.matches(event))?;
            (binding.when)(context).then_some((row, binding, *chord))
        })
}

/// A part of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The keys that work, `n/p`.
    pub keys: String,
    /// What they do.
    pub label: String,
    rank: u8,
}

/// The keys that work now.
pub fn hints(state: &State, area: Rect) -> Vec<Hint> {
    let context = Context::new(state, area);
    KEYS.iter()
        .filter(|row| row.rank != NEVER)
        .filter_map(|row| {
            let working: Vec<String> = row
                .bindings
                .iter()
                .filter(|binding| (binding.when)(context))
                .filter_map(|binding| binding.chords.first())
                .map(|chord| chord.name())
                .collect();
            let keys = working.join("/");
            (!keys.is_empty()).then(|| Hint { keys, label: (row.label)(context).to_owned(), rank: row.rank })
        })
        .collect()
}

/// As many of the keys that work now as fit into `columns`, the least important dropped first.
pub fn footer(state: &State, area: Rect, columns: usize, columns_of: impl Fn(&Hint) -> usize) -> Vec<Hint> {
    let mut hints = hints(state, area);
    while hints.iter().map(&columns_of).sum::<usize>() > columns {
        let Some(least) = hints.iter().enumerate().max_by_key(|(_, hint)| hint.rank).map(|(index, _)| index) else {
            break;
        };
        hints.remove(least);
    }
    hints
}

/// The help: all keys of a row, and its sentence.
pub fn help() -> impl Iterator<Item = (String, &'static str)> {
    KEYS.iter().filter(|row| !row.help.is_empty()).map(|row| {
        let mut names: Vec<String> = Vec::new();
        for chord in row.bindings.iter().flat_map(|binding| binding.chords) {
            if !names.contains(&chord.name()) {
                names.push(chord.name());
            }
        }
        (names.join(" "), row.help)
    })
}
