//! The keys: one table, from which dispatch, footer and help are made.
//!
//! A binding works when its `when` says so; a key that does not work is not in the footer and does nothing. Every
//! binding is called by its name in a person's own key map, [`remap()`].

mod chord;
mod context;
mod presenting;
mod refused;
mod remap;
mod told;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};
use ratatui::layout::Rect;

use crate::lab::{Copied, Intent, Keymap, Page, State, Status};

pub use chord::Chord;
use chord::{char, control, key};
pub use context::Context;
use presenting::{BLANK, CLICKER, CLICKER_BENCH, HANDS, NUMBERS, START_OVER, TALLY, TIMER};
use refused::REFUSED;
pub use remap::{Problem, Wanted, remap};
pub use told::{Group, Hint, all, answers, first, footer, grouped, help, hints};

use super::layout::Class;

/// Where a binding may work: bits that are set for each place. What may work in the same place needs different keys.
pub type Place = u16;

/// A stage whose calls have not been sent.
const TODO: Place = 1;
/// A stage whose calls are under way.
const RUNNING: Place = 1 << 1;
/// A stage that has ended.
const DONE: Place = 1 << 2;
/// The panes, whatever the stage.
const PANES: Place = TODO | RUNNING | DONE;
/// A page to read.
const PAGE: Place = 1 << 3;
/// A list to choose from.
const LIST: Place = 1 << 4;
/// The consent dialog.
const CONSENT: Place = 1 << 5;
/// The leaving dialog.
const LEAVING: Place = 1 << 6;
/// The question at the start, whether to go on with a kept session.
const RESUMING: Place = 1 << 7;
/// The dialog for hands up.
const VOTES: Place = 1 << 8;
/// The dialog before a new beginning.
const START: Place = 1 << 9;
/// The blank screen.
const BLANKED: Place = 1 << 10;
/// Whatever is open and can be closed.
const OVERLAYS: Place = PAGE | LIST | CONSENT | LEAVING | VOTES | START | BLANKED;

/// What some keys do, and when.
pub struct Binding {
    /// What a key map calls it. Bindings with one name have the same keys; one without a name keeps its own.
    pub name: &'static str,
    /// Where it may work.
    pub places: Place,
    /// The keys; the footer shows the first.
    pub chords: &'static [Chord],
    /// Whether it works now.
    pub when: When,
    /// What it does.
    pub intent: What,
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
    /// Its heading in the help.
    pub group: Group,
    /// The footer drops the rows with the highest numbers first.
    pub rank: u8,
}

impl Binding {
    /// The names of its keys, which may be a person's own.
    pub fn keys(&self, keymap: &Keymap) -> Vec<String> {
        match keymap.keys(self.name) {
            Some(own) => own.to_vec(),
            None => self.chords.iter().map(|chord| chord.name()).collect(),
        }
    }

    fn has(&self, pressed: Chord, keymap: &Keymap) -> bool {
        match keymap.keys(self.name) {
            Some(own) => own.contains(&pressed.name()),
            None => self.chords.contains(&pressed),
        }
    }
}

type When = fn(Context<'_>) -> bool;
type What = fn(Context<'_>) -> Intent;

const fn bind(name: &'static str, places: Place, chords: &'static [Chord], when: When, intent: What) -> Binding {
    Binding { name, places, chords, when, intent, repeats: false }
}

const fn repeating(name: &'static str, places: Place, chords: &'static [Chord], when: When, intent: What) -> Binding {
    Binding { name, places, chords, when, intent, repeats: true }
}

/// All keys, in the order of footer and help.
pub const KEYS: &[Row] = &[
    Row {
        bindings: &[bind("advance", PANES | LIST | RESUMING, &[key(KeyCode::Enter), char(' ')], can_advance, |_| {
            Intent::Advance
        })],
        label: advance_label,
        help: "do this stage's action; when done, the next stage",
        group: Group::Learn,
        rank: 0,
    },
    Row {
        bindings: &[bind(
            "start_afresh",
            RESUMING,
            &[char('x')],
            |c| c.state.can_start_afresh(),
            |_| Intent::StartAfresh,
        )],
        label: |_| "begin afresh",
        help: "", // the question at the start says it
        group: Group::Go,
        rank: 1,
    },
    Row {
        bindings: &[
            bind("answer_1", TODO, &[char('a'), char('1')], |c| can_choose(c, 0), |_| Intent::Choose(0)),
            bind("answer_2", TODO, &[char('b'), char('2')], |c| can_choose(c, 1), |_| Intent::Choose(1)),
            bind("answer_3", TODO, &[char('c'), char('3')], |c| can_choose(c, 2), |_| Intent::Choose(2)),
            bind("answer_4", TODO, &[char('d'), char('4')], |c| can_choose(c, 3), |_| Intent::Choose(3)),
        ],
        label: |_| "answer",
        help: "answer the question, before enter",
        group: Group::Learn,
        rank: 1,
    },
    Row {
        bindings: &[bind("skip", TODO, &[char('s')], |c| c.panes() && c.state.waits_for_answer(), |_| Intent::Skip)],
        label: |_| "skip",
        help: "pass over the question",
        group: Group::Learn,
        rank: 3,
    },
    Row {
        bindings: &[bind("hint", TODO, &[char('h')], |c| c.panes() && c.state.has_hint(), |_| Intent::Hint)],
        label: |c| if c.state.hints().is_empty() { "hint" } else { "another hint" },
        help: "a hint for the question, then another",
        group: Group::Learn,
        rank: 4,
    },
    Row {
        bindings: &[bind("retry", DONE, &[char('r')], |c| c.panes() && c.state.can_retry(), |_| Intent::Retry)],
        label: |c| match &c.state.shown().status {
            Status::Done(check) if check.met => "again",
            _ => "try again",
        },
        help: "send the calls again, or go on where it failed",
        group: Group::Learn,
        rank: 4,
    },
    Row {
        bindings: &[bind(
            "replay",
            RUNNING | DONE,
            &[char('F')],
            |c| c.panes() && c.state.can_replay(),
            |_| Intent::ToggleReplay,
        )],
        label: |c| if c.state.is_replay() { "live again" } else { "replay" },
        help: "no answer comes? one recorded earlier; again: live",
        group: Group::Look,
        rank: 4,
    },
    Row {
        bindings: &[bind("clean_up", LEAVING, &[char('c')], |c| c.leaving(), |_| Intent::CleanUpAndQuit)],
        label: |_| "clean up, then leave",
        help: "in the leaving dialog: clean up first",
        group: Group::Go,
        rank: 1,
    },
    Row {
        bindings: &[
            bind("", CONSENT, &[char('0')], |c| c.consenting(), |_| Intent::TypeDigit(0)),
            bind("", CONSENT, &[char('1')], |c| c.consenting(), |_| Intent::TypeDigit(1)),
            bind("", CONSENT, &[char('2')], |c| c.consenting(), |_| Intent::TypeDigit(2)),
            bind("", CONSENT, &[char('3')], |c| c.consenting(), |_| Intent::TypeDigit(3)),
            bind("", CONSENT, &[char('4')], |c| c.consenting(), |_| Intent::TypeDigit(4)),
            bind("", CONSENT, &[char('5')], |c| c.consenting(), |_| Intent::TypeDigit(5)),
            bind("", CONSENT, &[char('6')], |c| c.consenting(), |_| Intent::TypeDigit(6)),
            bind("", CONSENT, &[char('7')], |c| c.consenting(), |_| Intent::TypeDigit(7)),
            bind("", CONSENT, &[char('8')], |c| c.consenting(), |_| Intent::TypeDigit(8)),
            bind("", CONSENT, &[char('9')], |c| c.consenting(), |_| Intent::TypeDigit(9)),
            bind("erase", CONSENT, &[key(KeyCode::Backspace)], |c| c.consenting(), |_| Intent::EraseDigit),
        ],
        label: |_| "consent",
        help: "", // the dialog says it, and it opens on AWS alone
        group: Group::Go,
        rank: NEVER,
    },
    Row {
        bindings: &[
            bind("next_stage", PANES, &[char('n')], |c| c.can_show(true), |_| Intent::ShowNext),
            bind("previous_stage", PANES, &[char('p')], |c| c.can_show(false), |_| Intent::ShowPrevious),
        ],
        label: |c| if c.bench().is_some() { "experiment" } else { "stage" },
        help: "next or previous stage; nothing is sent again",
        group: Group::Go,
        rank: 6,
    },
    CLICKER,
    CLICKER_BENCH,
    Row {
        bindings: &[bind(
            "other_pane",
            PANES,
            &[key(KeyCode::Tab), key(KeyCode::BackTab)],
            |c| c.panes(),
            |_| Intent::FocusOther,
        )],
        label: |_| "pane",
        help: "keys go to the other pane",
        group: Group::Look,
        rank: 5,
    },
    Row {
        bindings: &[
            bind(
                "previous_call",
                PANES,
                &[char('[')],
                |c| c.call().is_some_and(|(at, _)| at > 0),
                |_| Intent::SelectPrevious,
            ),
            bind(
                "next_call",
                PANES,
                &[char(']')],
                |c| c.call().is_some_and(|(at, of)| at + 1 < of),
                |_| Intent::SelectNext,
            ),
        ],
        label: |_| "call",
        help: "previous or next call of this pane",
        group: Group::Look,
        rank: 7,
    },
    Row {
        bindings: &[
            repeating("down", PANES | PAGE, &[char('j'), key(KeyCode::Down)], |c| c.can_scroll(true), |c| c.scroll(1)),
            repeating("up", PANES | PAGE, &[char('k'), key(KeyCode::Up)], |c| c.can_scroll(false), |c| c.scroll(-1)),
            repeating("down", LIST, &[char('j'), key(KeyCode::Down)], |c| c.can_move(true), |_| Intent::MoveCursor(1)),
            repeating("up", LIST, &[char('k'), key(KeyCode::Up)], |c| c.can_move(false), |_| Intent::MoveCursor(-1)),
        ],
        label: |c| if c.cursor().is_some() { "choose" } else { "scroll" },
        help: "scroll this pane; in a list, move",
        group: Group::Look,
        rank: 8,
    },
    Row {
        bindings: &[
            repeating(
                "half_page_down",
                PANES | PAGE,
                &[control('d')],
                |c| c.can_scroll(true),
                |c| c.scroll(c.half_page()),
            ),
            repeating(
                "half_page_up",
                PANES | PAGE,
                &[control('u')],
                |c| c.can_scroll(false),
                |c| c.scroll(-c.half_page()),
            ),
        ],
        label: |_| "half a page",
        help: "scroll by half a page",
        group: Group::Look,
        rank: NEVER,
    },
    Row {
        bindings: &[
            bind(
                "top",
                PANES | PAGE,
                &[char('g'), key(KeyCode::Home)],
                |c| c.can_scroll(false),
                |c| c.scroll(i32::MIN),
            ),
            bind(
                "bottom",
                PANES | PAGE,
                &[char('G'), key(KeyCode::End)],
                |c| c.can_scroll(true),
                |c| c.scroll(i32::MAX),
            ),
            bind("top", LIST, &[char('g'), key(KeyCode::Home)], |c| c.can_move(false), |_| Intent::MoveCursor(i8::MIN)),
            bind(
                "bottom",
                LIST,
                &[char('G'), key(KeyCode::End)],
                |c| c.can_move(true),
                |_| Intent::MoveCursor(i8::MAX),
            ),
        ],
        label: |_| "ends",
        help: "scroll to the beginning or to the end",
        group: Group::Look,
        rank: NEVER,
    },
    Row {
        bindings: &[bind("view", PANES, &[char('v')], |c| c.has_answer(), |_| Intent::CycleView)],
        label: |_| "view",
        help: "answers as summary, JSON, HTTP, aws command",
        group: Group::Look,
        rank: 4,
    },
    Row {
        bindings: &[
            bind(
                "copy_command",
                PANES,
                &[char('y')],
                |c| c.can_copy(Copied::Command),
                |_| Intent::Copy(Copied::Command),
            ),
            bind("copy_answer", PANES, &[char('Y')], |c| c.can_copy(Copied::Answer), |_| Intent::Copy(Copied::Answer)),
        ],
        label: |_| "copy",
        help: "copy the call as an aws command, or its answer",
        group: Group::Look,
        rank: 12,
    },
    Row {
        bindings: &[bind(
            "zoom",
            PANES,
            &[char('z')],
            |c| c.panes() && Class::of(c.area) == Class::Full,
            |_| Intent::ToggleZoom,
        )],
        label: |c| if c.state.view.zoom { "both panes" } else { "zoom" },
        help: "this pane alone, or both panes",
        group: Group::Look,
        rank: 11,
    },
    Row {
        bindings: &[bind(
            "why",
            PANES | PAGE,
            &[char('w')],
            |c| c.can_toggle() && (c.page(Page::Why) || c.state.focused_exchange().is_some()),
            |_| Intent::TogglePage(Page::Why),
        )],
        label: |c| if c.page(Page::Why) { "close" } else { "why" },
        help: "why this call was allowed or denied",
        group: Group::Learn,
        rank: 3,
    },
    Row {
        bindings: &[bind(
            "at_rest",
            PANES | PAGE,
            &[char('e')],
            |c| c.can_toggle(),
            |_| Intent::TogglePage(Page::AtRest),
        )],
        label: |c| if c.page(Page::AtRest) { "close" } else { "at rest" },
        help: "the table as it lies in the database, and its keys",
        group: Group::Look,
        rank: 13,
    },
    Row {
        bindings: &[bind("trail", PANES | PAGE, &[char('t')], |c| c.can_toggle(), |_| Intent::TogglePage(Page::Trail))],
        label: |c| if c.page(Page::Trail) { "close" } else { "trail" },
        help: "what DynamoDB and the callers asked KMS",
        group: Group::Look,
        rank: 12,
    },
    Row {
        bindings: &[bind(
            "lesson",
            PANES | PAGE,
            &[char('i')],
            |c| c.can_toggle(),
            |_| Intent::TogglePage(Page::Lesson),
        )],
        label: |c| c.lesson_label(),
        help: "the lesson: question, answers, what is often got wrong",
        group: Group::Learn,
        rank: 3,
    },
    Row {
        bindings: &[bind(
            "options",
            PANES | PAGE,
            &[char('o')],
            |c| c.can_toggle() && c.state.comparison().is_some(),
            |_| Intent::TogglePage(Page::Comparison),
        )],
        label: |c| if c.page(Page::Comparison) { "close" } else { "options" },
        help: "the choices side by side, where there are some",
        group: Group::Learn,
        rank: 5,
    },
    Row {
        bindings: &[bind(
            "stages",
            PANES | LIST,
            &[char('l')],
            |c| c.panes() && c.bench().is_none() || c.stages(),
            |_| Intent::ToggleStages,
        )],
        label: |c| if c.stages() { "close" } else { "stages" },
        help: "stages by arrow or number; earlier ones are set up",
        group: Group::Go,
        rank: 10,
    },
    NUMBERS,
    BLANK,
    TIMER,
    TALLY,
    HANDS,
    START_OVER,
    Row {
        bindings: &[bind("bench", PANES | LIST, &[char('x')], |c| c.can_toggle_bench(), |_| Intent::ToggleBench)],
        label: |c| match c.experiments() {
            true => "close",
            false if c.bench().is_some() => "stage",
            false => "break it",
        },
        help: "after stage 8: experiments that break the lab",
        group: Group::Learn,
        rank: 3,
    },
    Row {
        bindings: &[bind("undo", PANES, &[char('u')], |c| c.panes() && c.state.can_undo(), |_| Intent::Undo)],
        label: |_| "undo again",
        help: "undo again what an experiment could not undo",
        group: Group::Learn,
        rank: 1,
    },
    Row {
        bindings: &[bind(
            "help",
            PANES | PAGE,
            &[char('?'), key(KeyCode::F(1))],
            |c| c.can_toggle(),
            |_| Intent::TogglePage(Page::Help),
        )],
        label: |c| if c.page(Page::Help) { "close" } else { "help" },
        help: "this help",
        group: Group::Go,
        rank: 2,
    },
    Row {
        bindings: &[
            bind(
                "back",
                OVERLAYS,
                &[key(KeyCode::Esc)],
                |c| c.state.is_blank() || c.overlay().is_some() && !c.state.is_asking_to_resume(),
                |_| Intent::Close,
            ),
            bind("back", PANES, &[key(KeyCode::Esc)], |c| c.panes() && c.zoomed(), |_| Intent::ToggleZoom),
            bind(
                "back",
                PANES,
                &[key(KeyCode::Esc)],
                |c| c.panes() && !c.zoomed() && (c.state.draft().is_some() || c.state.destination().is_some()),
                |_| Intent::Close,
            ),
            bind("back", PANES, &[key(KeyCode::Esc)], |c| c.can_leave_experiment(), |_| Intent::Close),
        ],
        label: |c| match c.leaving() {
            true => "stay",
            false if c.panes() && !c.zoomed() && c.state.draft().is_some() => "don't send it",
            false if c.panes() && !c.zoomed() && c.bench().is_none() => "stop here",
            false => "back",
        },
        help: "one level back, what is not sent yet stays unsent; never leaves the lab",
        group: Group::Go,
        rank: 3,
    },
    Row {
        bindings: &[bind(
            "quit",
            PANES | OVERLAYS | RESUMING,
            &[char('q'), control('c')],
            |_| true,
            // Where there is no room to say that it takes a second press, it takes none.
            |c| if Class::of(c.area) == Class::TooSmall { Intent::Quit } else { Intent::AskToQuit },
        )],
        label: |c| if c.leaving() { "leave everything" } else { "quit" },
        help: "leave; twice in mid-lab; asks if something stays",
        group: Group::Go,
        rank: 1,
    },
    REFUSED,
];

/// The rank of what only the help shows.
pub const NEVER: u8 = u8::MAX;

fn can_advance(c: Context<'_>) -> bool {
    if !c.panes() {
        return c.cursor().is_some() || c.state.can_resume();
    }
    if let Some(which) = c.bench() {
        return match c.state.shown().status {
            _ if c.state.bench.is_running() => c.state.bench.pause().is_some(),
            Status::Todo => !c.state.waits_for_answer() && !c.state.is_out_of_reach(which),
            Status::Running | Status::Done(_) => true,
        };
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
        _ if c.jumping() => "set up what comes before",
        _ if c.stages() => "show this stage",
        _ if c.state.is_asking_to_resume() => c.state.resume_label(),
        _ if c.experiments() => "show this experiment",
        Status::Todo if c.bench().is_some() => "try it",
        Status::Running if c.bench().is_some() => "go on now",
        Status::Done(_) if c.bench().is_some_and(|which| which.next().is_none()) => "list",
        Status::Done(_) if c.bench().is_some() => "next",
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
    let meant = bound(event, context).map(|(_, binding)| match (binding.intent)(context) {
        // No stray finger presses these two.
        Intent::AskToQuit if Chord::of(event) == Some(control('c')) => Intent::Quit,
        intent => intent,
    });
    meant.or_else(|| context.typed(event))
}

/// The name of the key that `event` is of, and what it does now; `None` where it does nothing, or where something is
/// typed that others must not see.
pub fn named(event: KeyEvent, state: &State, area: Rect) -> Option<Hint> {
    let context = Context::new(state, area);
    let (row, _) = bound(event, context).filter(|_| !state.is_asking_for_consent())?;
    let label = state.interface().word((row.label)(context)).to_owned();
    Some(Hint::new(Chord::of(event)?.name(), label, row.rank))
}

/// Whether `event` is of a key of the action `name`.
pub fn is(name: &str, event: KeyEvent, keymap: &Keymap) -> bool {
    let pressed = Chord::of(event);
    let mut named = KEYS.iter().flat_map(|row| row.bindings).filter(|binding| binding.name == name);
    pressed.is_some_and(|pressed| named.any(|binding| binding.has(pressed, keymap)))
}

/// What is bound to `event` now.
fn bound(event: KeyEvent, context: Context<'_>) -> Option<(&'static Row, &'static Binding)> {
    let pressed = Chord::of(event)?;
    KEYS.iter()
        .flat_map(|row| row.bindings.iter().map(move |binding| (row, binding)))
        .filter(|(_, binding)| match event.kind {
            KeyEventKind::Press => true,
            KeyEventKind::Repeat => binding.repeats,
            KeyEventKind::Release => false,
        })
        .find(|(_, binding)| binding.has(pressed, &context.state.view.keys) && context.works(binding))
}
