//! The keys of a presenter: rows of the one table.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::lab::{Intent, Overlay, Status, Wish};

use super::{
    BLANKED, Context, DONE, Group, LIST, NEVER, OVERLAYS, PAGE, PANES, RESUMING, RUNNING, Row, START, TODO, VOTES,
    bind, can_advance, can_choose, char, key, repeating,
};
use crate::ui::Class;

impl Context<'_> {
    fn turns_pages(self, down: bool) -> bool {
        self.state.view.page().is_some() && self.can_scroll(down)
    }

    /// The experiment under the cursor has not been tried: it is what comes next. After the last one the stage is.
    fn points_at_untried(self) -> bool {
        match self.overlay() {
            Some(Overlay::Bench { cursor }) => self.state.bench.record(cursor).status == Status::Todo,
            _ => false,
        }
    }

    /// The cursor of the stage list can go to the stage at this row.
    fn can_point(self, row: usize) -> bool {
        self.stages() && self.cursor().is_some_and(|(at, last)| row <= last && row != at)
    }

    fn point(self, row: usize) -> Intent {
        let at = self.cursor().map_or(row, |(at, _)| at);
        Intent::MoveCursor(i8::try_from(row).unwrap_or(0) - i8::try_from(at).unwrap_or(0))
    }

    fn counting(self) -> bool {
        self.state.can_count(0)
    }

    fn erasing(self) -> bool {
        let entry = self.state.entry();
        self.state.can_count(0) && (entry.at.is_some() || entry.stray.is_some())
    }

    /// In the dialog for votes nothing that is typed goes without a word, not even what no row of the table knows.
    pub(super) fn typed(self, key: KeyEvent) -> Option<Intent> {
        let KeyCode::Char(c) = key.code else { return None };
        let is_plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let is_typed = is_plain && key.kind == KeyEventKind::Press && self.place() == VOTES;
        (is_typed && self.state.is_no_letter(c)).then_some(Intent::Present(Wish::Other(c)))
    }

    fn starting_over(self) -> bool {
        self.overlay() == Some(Overlay::StartOver) && Class::of(self.area) != Class::TooSmall
    }
}

/// Two buttons are enough. In a page they turn it.
pub const CLICKER: Row = Row {
    bindings: &[
        bind(
            "clicker_next",
            PANES,
            &[key(KeyCode::PageDown), key(KeyCode::Right)],
            |c| can_advance(c) && c.panes() || c.panes() && c.state.waits_for_answer(),
            |_| Intent::Present(Wish::Next),
        ),
        bind(
            "clicker_next",
            LIST,
            &[key(KeyCode::PageDown), key(KeyCode::Right)],
            |c| c.experiments(),
            |c| if c.points_at_untried() { Intent::Advance } else { Intent::Close },
        ),
        bind(
            "clicker_back",
            PANES,
            &[key(KeyCode::PageUp), key(KeyCode::Left)],
            |c| c.can_show(false),
            |_| Intent::ShowPrevious,
        ),
        bind(
            "clicker_back",
            LIST,
            &[key(KeyCode::PageUp), key(KeyCode::Left)],
            |c| c.experiments(),
            |c| if c.points_at_untried() { Intent::Close } else { Intent::Advance },
        ),
        repeating("page_down", PAGE, &[key(KeyCode::PageDown)], |c| c.turns_pages(true), |c| c.scroll(c.half_page())),
        repeating("page_up", PAGE, &[key(KeyCode::PageUp)], |c| c.turns_pages(false), |c| c.scroll(-c.half_page())),
    ],
    label: |_| "clicker",
    help: "a clicker: on (twice past a question), or back",
    group: Group::Teach,
    rank: NEVER,
};

/// The start button of a clicker sends F5 and Esc in turn. The bench is off the way that two buttons lead: who goes
/// straight to the clean-up must not be taken through experiments.
pub const CLICKER_BENCH: Row = Row {
    bindings: &[bind(
        "clicker_bench",
        DONE | LIST,
        &[key(KeyCode::F(5))],
        |c| c.place() & (DONE | LIST) != 0 && c.can_toggle_bench(),
        |_| Intent::ToggleBench,
    )],
    label: |_| "break it",
    help: "a clicker's start button: the experiments, or back",
    group: Group::Teach,
    rank: NEVER,
};

/// `b` is an answer before the calls are sent.
pub const BLANK: Row = Row {
    bindings: &[
        bind(
            "blank",
            RUNNING | DONE | BLANKED,
            &[char('b')],
            |c| c.state.is_blank() || c.panes() && c.place() != TODO && !can_choose(c, 1),
            |_| Intent::Present(Wish::Blank),
        ),
        bind("blank", PANES | OVERLAYS | RESUMING, &[char('.'), char('B')], |_| true, |_| Intent::Present(Wish::Blank)),
    ],
    label: |_| "blank",
    help: "blank the screen or show it again; b: not as answer",
    group: Group::Teach,
    rank: NEVER,
};

/// The time on the message line.
pub const TIMER: Row = Row {
    bindings: &[bind("timer", PANES, &[char('T')], |c| c.panes(), |_| Intent::Present(Wish::Timer))],
    label: |_| "timer",
    help: "the time of stage and lab against the plan",
    group: Group::Teach,
    rank: NEVER,
};

/// Opens the dialog for votes, or takes what it has.
pub const TALLY: Row = Row {
    bindings: &[
        bind("votes", PANES, &[char('#')], |c| c.panes() && c.state.can_tally(), |_| Intent::Present(Wish::Tally)),
        bind("take_votes", VOTES, &[key(KeyCode::Enter)], |c| c.state.is_tallying(), |_| Intent::Present(Wish::Keep)),
    ],
    label: |_| "take it",
    help: "hands up: how the class answers, before it is seen",
    group: Group::Teach,
    rank: NEVER,
};

/// The keys of that dialog, which tells them itself.
pub const HANDS: Row = Row {
    bindings: &[
        bind("", VOTES, &[char('a')], |c| c.state.can_letter(0), |_| Intent::Present(Wish::Letter(0))),
        bind("", VOTES, &[char('b')], |c| c.state.can_letter(1), |_| Intent::Present(Wish::Letter(1))),
        bind("", VOTES, &[char('c')], |c| c.state.can_letter(2), |_| Intent::Present(Wish::Letter(2))),
        bind("", VOTES, &[char('d')], |c| c.state.can_letter(3), |_| Intent::Present(Wish::Letter(3))),
        bind("", VOTES, &[char('0')], |c| c.counting(), |_| Intent::Present(Wish::Digit(0))),
        bind("", VOTES, &[char('1')], |c| c.counting(), |_| Intent::Present(Wish::Digit(1))),
        bind("", VOTES, &[char('2')], |c| c.counting(), |_| Intent::Present(Wish::Digit(2))),
        bind("", VOTES, &[char('3')], |c| c.counting(), |_| Intent::Present(Wish::Digit(3))),
        bind("", VOTES, &[char('4')], |c| c.counting(), |_| Intent::Present(Wish::Digit(4))),
        bind("", VOTES, &[char('5')], |c| c.counting(), |_| Intent::Present(Wish::Digit(5))),
        bind("", VOTES, &[char('6')], |c| c.counting(), |_| Intent::Present(Wish::Digit(6))),
        bind("", VOTES, &[char('7')], |c| c.counting(), |_| Intent::Present(Wish::Digit(7))),
        bind("", VOTES, &[char('8')], |c| c.counting(), |_| Intent::Present(Wish::Digit(8))),
        bind("", VOTES, &[char('9')], |c| c.counting(), |_| Intent::Present(Wish::Digit(9))),
        bind("erase", VOTES, &[key(KeyCode::Backspace)], |c| c.erasing(), |_| Intent::Present(Wish::Erase)),
    ],
    label: |_| "count",
    help: "",
    group: Group::Go,
    rank: NEVER,
};

/// In the stage list a number is a stage's.
pub const NUMBERS: Row = Row {
    bindings: &[
        bind("", LIST, &[char('1')], |c| c.can_point(0), |c| c.point(0)),
        bind("", LIST, &[char('2')], |c| c.can_point(1), |c| c.point(1)),
        bind("", LIST, &[char('3')], |c| c.can_point(2), |c| c.point(2)),
        bind("", LIST, &[char('4')], |c| c.can_point(3), |c| c.point(3)),
        bind("", LIST, &[char('5')], |c| c.can_point(4), |c| c.point(4)),
        bind("", LIST, &[char('6')], |c| c.can_point(5), |c| c.point(5)),
        bind("", LIST, &[char('7')], |c| c.can_point(6), |c| c.point(6)),
        bind("", LIST, &[char('8')], |c| c.can_point(7), |c| c.point(7)),
        bind("", LIST, &[char('9')], |c| c.can_point(8), |c| c.point(8)),
    ],
    label: |_| "stage",
    help: "",
    group: Group::Go,
    rank: NEVER,
};

/// Asks first; a letter and not enter says yes: a habit must not decide.
pub const START_OVER: Row = Row {
    bindings: &[
        bind(
            "start_over",
            PANES,
            &[char('X')],
            |c| c.panes() && (c.state.can_start_over() || c.state.holds_policy()),
            |_| Intent::Present(Wish::AskToStartOver),
        ),
        bind(
            "start_over_yes",
            START,
            &[char('y')],
            |c| c.starting_over() && c.state.can_start_over(),
            |_| Intent::Present(Wish::StartOver),
        ),
    ],
    label: |_| "begin again",
    help: "begin again with stage 1, as a new run; asks first",
    group: Group::Teach,
    rank: NEVER,
};
