//! All keys: rows of data. What they ask for is an [`Action`]; whether that is allowed stands elsewhere.

use crossterm::event::KeyCode;
use ratatui::layout::Rect;

use crate::lab::model::mechanism::Mechanism;
use crate::lab::{
    Copied, DrillAction, Intent, Look, Mode, Modes, Overlay, Page, PresenterAction, SearchAction, State, Status,
};

use super::chord::{Chord, char, control, key};
use super::labels::{advance_label, back_label, close_or, explains_elsewhere};
use super::row::{Action, Binding, Find, Group, Label, NEVER, Press, Row, Scroll};

const fn on(name: &'static str, chords: &'static [Chord], intent: Intent) -> Binding {
    Binding { name, chords, action: Action::Do(intent), within: Modes::ALL, press: Press::Once }
}

const fn present(name: &'static str, chords: &'static [Chord], action: PresenterAction) -> Binding {
    on(name, chords, Intent::Present(action))
}

const fn action(name: &'static str, chords: &'static [Chord], action: Action) -> Binding {
    Binding { name, chords, action, within: Modes::ALL, press: Press::Once }
}

/// In the panes a digit answers.
const fn way(name: &'static str, chords: &'static [Chord], mechanism: Mechanism) -> Binding {
    Binding { within: Modes::DESK, ..on(name, chords, Intent::ChooseWay(mechanism)) }
}

const fn scroll(name: &'static str, chords: &'static [Chord], scroll: Scroll) -> Binding {
    Binding { press: Press::Repeats, ..action(name, chords, Action::Scroll(scroll)) }
}

const fn row(label: &'static str, help: &'static str, group: Group, rank: u8, bindings: &'static [Binding]) -> Row {
    Row { bindings, label: Label::Is(label), help, group, rank }
}

const fn labeled(
    label: fn(&State, Rect) -> &str,
    help: &'static str,
    group: Group,
    rank: u8,
    bindings: &'static [Binding],
) -> Row {
    Row { bindings, label: Label::Of(label), help, group, rank }
}

/// All keys, in the order of footer and help. Of two bindings for one key the first that is allowed counts.
pub const KEYS: &[Row] = &[
    labeled(
        advance_label,
        "run this stage; then the next",
        Group::Learn,
        0,
        &[on("advance", &[key(KeyCode::Enter), char(' ')], Intent::Advance)],
    ),
    // The question at the start says it.
    row("start over", "", Group::Go, 1, &[on("start_afresh", &[char('x')], Intent::StartAfresh)]),
    row(
        "answer",
        "answer the question, before enter",
        Group::Learn,
        1,
        &[
            on("answer_1", &[char('a'), char('1')], Intent::Choose(0)),
            on("answer_2", &[char('b'), char('2')], Intent::Choose(1)),
            on("answer_3", &[char('c'), char('3')], Intent::Choose(2)),
            on("answer_4", &[char('d'), char('4')], Intent::Choose(3)),
            on("claim_true", &[char('t')], Intent::Judge(true)),
            on("claim_false", &[char('f')], Intent::Judge(false)),
        ],
    ),
    // In a drill digits look.
    row(
        "answer",
        "in a drill: name the lock, the rung, the fix",
        Group::Learn,
        1,
        &[
            on("drill_1", &[char('a')], Intent::Drill(DrillAction::Answer(0))),
            on("drill_2", &[char('b')], Intent::Drill(DrillAction::Answer(1))),
            on("drill_3", &[char('c')], Intent::Drill(DrillAction::Answer(2))),
            on("drill_4", &[char('d')], Intent::Drill(DrillAction::Answer(3))),
        ],
    ),
    row(
        "look",
        "in a drill: key policy, IAM policies, grants, state",
        Group::Look,
        4,
        &[
            on("look_1", &[char('1')], Intent::Drill(DrillAction::Look(Look::KeyPolicy))),
            on("look_2", &[char('2')], Intent::Drill(DrillAction::Look(Look::IamPolicies))),
            on("look_3", &[char('3')], Intent::Drill(DrillAction::Look(Look::Grants))),
            on("look_4", &[char('4')], Intent::Drill(DrillAction::Look(Look::KeyState))),
        ],
    ),
    row(
        "level",
        "in a drill: the next level, before the first answer",
        Group::Learn,
        6,
        &[on("level", &[char('L')], Intent::Drill(DrillAction::Level))],
    ),
    row(
        "editor",
        "in a drill: write the fix, or change the document on the left",
        Group::Learn,
        5,
        &[on("drill_write", &[char('e')], Intent::Drill(DrillAction::Write))],
    ),
    row(
        "write it",
        "stage 7: write it, for key policy, IAM or a grant",
        Group::Learn,
        1,
        &[
            way("way_1", &[char('1')], Mechanism::KeyPolicy),
            way("way_2", &[char('2')], Mechanism::IamPolicy),
            way("way_3", &[char('3')], Mechanism::Grant),
        ],
    ),
    labeled(
        |state, _| {
            if state.draft().is_some_and(|draft| draft.blanks().is_empty()) { "next value" } else { "next blank" }
        },
        "in the editor: the next blank or value, or back",
        Group::Learn,
        1,
        &[
            on("next_blank", &[key(KeyCode::Tab)], Intent::NextBlank(true)),
            on("previous_blank", &[key(KeyCode::BackTab)], Intent::NextBlank(false)),
        ],
    ),
    row("send", "in the editor: send it as it is", Group::Learn, 1, &[on("send", &[control('s')], Intent::Send)]),
    row(
        "$EDITOR",
        "in the editor: the same text in your own $EDITOR",
        Group::Learn,
        5,
        &[on("edit_elsewhere", &[control('e')], Intent::EditElsewhere)],
    ),
    // The editor knows these itself.
    row(
        "undo",
        "in the editor: undo, or redo what was undone",
        Group::Learn,
        NEVER,
        &[
            Binding { within: Modes::of(Mode::Writing), ..action("", &[control('u')], Action::Type) },
            Binding { within: Modes::of(Mode::Writing), ..action("", &[control('r')], Action::Type) },
        ],
    ),
    labeled(
        |state, _| if state.mode() == Mode::Naming { "next name" } else { "insert" },
        "in the editor: insert an ARN; again: the next one",
        Group::Learn,
        2,
        &[
            on("insert_name", &[control('n')], Intent::InsertName),
            Binding { within: Modes::of(Mode::Naming), ..on("insert_name", &[control('n')], Intent::MoveCursor(1)) },
        ],
    ),
    row("skip", "skip the question", Group::Learn, 3, &[on("skip", &[char('s')], Intent::Skip)]),
    labeled(
        |state, _| match () {
            () if state.is_drilling() => "hint −1",
            () if state.hints().is_empty() => "hint",
            () => "another hint",
        },
        "a hint; press again for another",
        Group::Learn,
        4,
        &[on("hint", &[char('h')], Intent::Hint)],
    ),
    labeled(
        |state, _| match &state.shown().status {
            Status::Done(check) if check.met || state.is_drilling() => "again",
            _ => "try again",
        },
        "send the calls again, or resume where it failed",
        Group::Learn,
        4,
        &[on("retry", &[char('r')], Intent::Retry)],
    ),
    labeled(
        |state, _| if state.is_replay() { "live again" } else { "replay" },
        "no response? show a recorded one; again for live",
        Group::Look,
        4,
        &[on("replay", &[char('F')], Intent::ToggleReplay)],
    ),
    row(
        "clean up, then leave",
        "when leaving: clean up first",
        Group::Go,
        1,
        &[Binding { within: Modes::of(Mode::Leaving), ..on("clean_up", &[char('c')], Intent::CleanUpAndQuit) }],
    ),
    // The consent dialog says it, and it opens on AWS alone.
    row(
        "consent",
        "",
        Group::Go,
        NEVER,
        &[
            Binding { within: Modes::of(Mode::Consent), ..action("", DIGITS, Action::Type) },
            on("erase", &[key(KeyCode::Backspace)], Intent::EraseDigit),
        ],
    ),
    labeled(
        |state, _| if state.view().experiment.is_some() { "experiment" } else { "stage" },
        "next or previous stage; nothing is sent again",
        Group::Go,
        6,
        &[on("next_stage", &[char('n')], Intent::ShowNext), on("previous_stage", &[char('p')], Intent::ShowPrevious)],
    ),
    // Two buttons are enough. In a page they turn it.
    row(
        "clicker",
        "a clicker: next (twice to skip a question), or back",
        Group::Teach,
        NEVER,
        &[
            present("clicker_next", &[key(KeyCode::PageDown), key(KeyCode::Right)], PresenterAction::Next),
            action("clicker_next", &[key(KeyCode::PageDown), key(KeyCode::Right)], Action::ClickNext),
            on("clicker_back", &[key(KeyCode::PageUp), key(KeyCode::Left)], Intent::ShowPrevious),
            action("clicker_back", &[key(KeyCode::PageUp), key(KeyCode::Left)], Action::ClickBack),
            Binding { within: PAGE, ..scroll("page_down", &[key(KeyCode::PageDown), char(' ')], Scroll::Halves(1)) },
            Binding { within: PAGE, ..scroll("page_up", &[key(KeyCode::PageUp)], Scroll::Halves(-1)) },
        ],
    ),
    // The start button of a clicker sends F5 and Esc in turn. The experiments are off the way that two buttons lead:
    // a class on its way to the clean-up must not be taken through them.
    row(
        "break it",
        "a clicker's start button: the experiments, or back",
        Group::Teach,
        NEVER,
        &[Binding {
            within: Modes::of(Mode::Done).or(Mode::List),
            press: Press::Silent,
            ..on("clicker_bench", &[key(KeyCode::F(5))], Intent::ToggleExperiments)
        }],
    ),
    row(
        "your answers",
        "in the debrief: turn the card over",
        Group::Learn,
        4,
        &[Binding { within: DEBRIEF, ..on("answers", &[key(KeyCode::Tab)], Intent::TogglePage(Page::Debrief)) }],
    ),
    labeled(
        |state, _| if state.view().page() == Some(Page::Debrief) { "to the card" } else { "pane" },
        "switch panes",
        Group::Look,
        5,
        &[on("other_pane", &[key(KeyCode::Tab), key(KeyCode::BackTab)], Intent::FocusOther)],
    ),
    row(
        "call",
        "previous or next call of this pane",
        Group::Look,
        7,
        &[on("previous_call", &[char('[')], Intent::SelectPrevious), on("next_call", &[char(']')], Intent::SelectNext)],
    ),
    labeled(
        |state, _| match state.cursor() {
            _ if state.rung().is_some() => "rung",
            Some(_) => "choose",
            None => "scroll",
        },
        "scroll this pane; in a list, move",
        Group::Look,
        8,
        &[
            scroll("down", &[char('j'), key(KeyCode::Down)], Scroll::Lines(1)),
            scroll("up", &[char('k'), key(KeyCode::Up)], Scroll::Lines(-1)),
            Binding { press: Press::Repeats, ..on("down", &[char('j'), key(KeyCode::Down)], Intent::MoveCursor(1)) },
            Binding { press: Press::Repeats, ..on("up", &[char('k'), key(KeyCode::Up)], Intent::MoveCursor(-1)) },
        ],
    ),
    row(
        "half a page",
        "scroll by half a page",
        Group::Look,
        NEVER,
        &[
            scroll("half_page_down", &[control('d')], Scroll::Halves(1)),
            scroll("half_page_up", &[control('u')], Scroll::Halves(-1)),
        ],
    ),
    row(
        "ends",
        "scroll to the beginning or to the end",
        Group::Look,
        NEVER,
        &[
            action("top", &[char('g'), key(KeyCode::Home)], Action::Scroll(Scroll::Lines(i32::MIN))),
            action("bottom", &[char('G'), key(KeyCode::End)], Action::Scroll(Scroll::Lines(i32::MAX))),
            on("top", &[char('g'), key(KeyCode::Home)], Intent::MoveCursor(i8::MIN)),
            on("bottom", &[char('G'), key(KeyCode::End)], Intent::MoveCursor(i8::MAX)),
        ],
    ),
    row(
        "search",
        "search in a pane, page or list",
        Group::Look,
        9,
        &[on("search", &[char('/')], Intent::Search(SearchAction::Open))],
    ),
    row(
        "match",
        "next or previous match of a search",
        Group::Look,
        2,
        &[
            action("next_match", &[char('n')], Action::Find(Find::Next)),
            action("previous_match", &[char('N')], Action::Find(Find::Previous)),
        ],
    ),
    // What else is typed belongs to the query.
    row(
        "keep",
        "",
        Group::Look,
        NEVER,
        &[
            action("keep_match", &[key(KeyCode::Enter)], Action::Find(Find::Keep)),
            on("erase", &[key(KeyCode::Backspace)], Intent::Search(SearchAction::Erase)),
        ],
    ),
    row(
        "view",
        "responses as summary, JSON, HTTP, aws command",
        Group::Look,
        4,
        &[on("view", &[char('v')], Intent::CycleView)],
    ),
    row(
        "copy",
        "copy the call as an aws command, or its response",
        Group::Look,
        12,
        &[
            on("copy_command", &[char('y')], Intent::Copy(Copied::Command)),
            on("copy_answer", &[char('Y')], Intent::Copy(Copied::Answer)),
        ],
    ),
    row(
        "export",
        "on the card: write up the lab, into this folder",
        Group::Learn,
        3,
        &[Binding { within: DEBRIEF, ..on("export", &[char('E')], Intent::Export) }],
    ),
    labeled(
        |state, _| if state.view().zoom { "both panes" } else { "zoom" },
        "this pane alone, or both panes",
        Group::Look,
        11,
        &[on("zoom", &[char('z')], Intent::ToggleZoom)],
    ),
    labeled(
        |state, _| close_or(state, Page::Why, if state.drills().why_costs() { "why −1" } else { "why" }),
        "why this call was allowed or denied",
        Group::Learn,
        3,
        &[on("why", &[char('w')], Intent::TogglePage(Page::Why))],
    ),
    labeled(
        |state, _| close_or(state, Page::AtRest, "at rest"),
        "the table as it is stored, and its keys",
        Group::Look,
        13,
        &[on("at_rest", &[char('e')], Intent::TogglePage(Page::AtRest))],
    ),
    labeled(
        |state, _| close_or(state, Page::Trail, "trail"),
        "what DynamoDB and the callers asked KMS",
        Group::Look,
        12,
        &[on("trail", &[char('t')], Intent::TogglePage(Page::Trail))],
    ),
    labeled(
        |state, _| if state.view().page().is_some() { "shell again" } else { "shell" },
        "a shell for this lab: use your own calls",
        Group::Learn,
        11,
        &[on("shell", &[char('!')], Intent::OpenShell)],
    ),
    labeled(
        |state, _| close_or(state, Page::Noticed, "your calls"),
        "what you did in a shell, and what the lab says about it",
        Group::Look,
        NEVER,
        &[on("noticed", &[char('m')], Intent::TogglePage(Page::Noticed))],
    ),
    labeled(
        |state, area| {
            let label = match state.view().overlay {
                Some(Overlay::Debrief) => "sources",
                _ if explains_elsewhere(state, area) => "explains",
                _ => "lesson",
            };
            close_or(state, Page::Lesson, label)
        },
        "the lesson: question, answers, common mistakes",
        Group::Learn,
        3,
        &[on("lesson", &[char('i')], Intent::TogglePage(Page::Lesson))],
    ),
    labeled(
        |state, _| close_or(state, Page::Comparison, "compare"),
        "compare the choices, if any",
        Group::Learn,
        5,
        &[on("options", &[char('o')], Intent::TogglePage(Page::Comparison))],
    ),
    labeled(
        |state, _| if state.cursor().is_some() { "close" } else { "stages" },
        "stages by arrow or number; earlier ones are set up",
        Group::Go,
        10,
        &[on("stages", &[char('l')], Intent::ToggleStages)],
    ),
    // In a list a number is a row's.
    row(
        "stage",
        "",
        Group::Go,
        NEVER,
        &[Binding { within: Modes::of(Mode::List), ..action("", STAGES, Action::Type) }],
    ),
    // `b` is an answer before the calls are sent.
    row(
        "blank",
        "blank the screen or show it again; b: not as answer",
        Group::Teach,
        NEVER,
        &[
            Binding {
                within: Modes::of(Mode::Running).or(Mode::Done).or(Mode::Blank),
                ..present("blank", &[char('b')], PresenterAction::Blank)
            },
            present("blank", &[char('.')], PresenterAction::Blank),
        ],
    ),
    labeled(
        |state, _| if state.view().billboard { "back" } else { "billboard" },
        "only the paths and verdicts, readable from the back row",
        Group::Teach,
        14,
        &[Binding { within: Modes::PANES, ..present("billboard", &[char('B')], PresenterAction::Billboard) }],
    ),
    // Everywhere else it is not worth room.
    row(
        "billboard",
        "",
        Group::Teach,
        NEVER,
        &[Binding {
            within: Modes::DESK.or(Mode::Page).or(Mode::List),
            ..present("billboard", &[char('B')], PresenterAction::Billboard)
        }],
    ),
    row(
        "theme",
        "the next theme: dark, light, high-contrast",
        Group::Teach,
        NEVER,
        &[present("theme", &[char('C')], PresenterAction::Theme)],
    ),
    row(
        "timer",
        "the time of stage and lab against the plan",
        Group::Teach,
        NEVER,
        &[present("timer", &[char('T')], PresenterAction::Timer)],
    ),
    row(
        "take it",
        "show of hands: how the class answers, before the result",
        Group::Teach,
        NEVER,
        &[
            present("votes", &[char('#')], PresenterAction::Tally),
            present("take_votes", &[key(KeyCode::Enter)], PresenterAction::TakeHands),
        ],
    ),
    labeled(
        |state, _| if state.phones().hides_code() { "join code" } else { "hide the code" },
        "with an audience: the code that phones join with",
        Group::Teach,
        12,
        &[present("join_code", &[char('A')], PresenterAction::JoinCode)],
    ),
    labeled(
        |state, _| if state.asks_for_help() { "no help needed" } else { "ask for help" },
        "in a class: tell the teacher that you need help, or take it back",
        Group::Go,
        5,
        &[on("ask_for_help", &[char('H')], Intent::AskForHelp)],
    ),
    // The dialog for votes says its keys itself.
    row(
        "count",
        "",
        Group::Go,
        NEVER,
        &[
            Binding { within: Modes::of(Mode::Votes), ..action("", LETTERS, Action::Type) },
            Binding { within: Modes::of(Mode::Votes), ..action("", DIGITS, Action::Type) },
            present("erase", &[key(KeyCode::Backspace)], PresenterAction::Erase),
        ],
    ),
    // Asks first. A letter and not enter says yes: a habit must not decide.
    row(
        "start over",
        "start over with stage 1, as a new run; asks first",
        Group::Teach,
        NEVER,
        &[
            present("start_over", &[char('X')], PresenterAction::AskToStartOver),
            present("start_over_yes", &[char('y')], PresenterAction::StartOver),
        ],
    ),
    labeled(
        |state, _| match state.view().overlay {
            Some(_) => "close",
            None if state.view().experiment.is_some() => "stage",
            None => "break it",
        },
        "after stage 8: experiments that break the lab",
        Group::Learn,
        3,
        &[on("bench", &[char('x')], Intent::ToggleExperiments)],
    ),
    row(
        "drills",
        "after stage 8: faults to diagnose and fix",
        Group::Learn,
        3,
        &[on("drills", &[char('d')], Intent::Drill(DrillAction::Open))],
    ),
    labeled(
        |state, _| if state.view().desk.is_some() { "undo" } else { "undo again" },
        "undo an attempt, or what an experiment left",
        Group::Learn,
        1,
        &[on("undo", &[char('u')], Intent::Undo)],
    ),
    labeled(
        |state, _| close_or(state, Page::Help, "keys"),
        "this help",
        Group::Go,
        2,
        &[on("help", &[char('?'), key(KeyCode::F(1))], Intent::TogglePage(Page::Help))],
    ),
    labeled(
        back_label,
        "go back one level; never leaves the lab",
        Group::Go,
        3,
        &[action("back", &[key(KeyCode::Esc)], Action::Unzoom), on("back", &[key(KeyCode::Esc)], Intent::Close)],
    ),
    labeled(
        |state, _| if state.view().is_asking_to_quit() { "leave everything" } else { "quit" },
        "leave; mid-lab press q twice, ctrl-c once",
        Group::Go,
        1,
        &[on("quit", &[char('q'), control('c')], Intent::AskToQuit)],
    ),
];

const PAGE: Modes = Modes::of(Mode::Page);
const DEBRIEF: Modes = Modes::of(Mode::Debrief);

const DIGITS: &[Chord] =
    &[char('0'), char('1'), char('2'), char('3'), char('4'), char('5'), char('6'), char('7'), char('8'), char('9')];
const STAGES: &[Chord] = DIGITS.split_at(1).1;
const LETTERS: &[Chord] = &[char('a'), char('b'), char('c'), char('d')];
