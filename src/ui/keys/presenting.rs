//! The keys of a presenter: rows of the one table.

use crossterm::event::KeyCode;

use crate::lab::{Intent, Overlay, Wish};

use super::{Context, NEVER, Row, bind, can_choose, char, key, repeating};
use crate::ui::Class;

impl Context<'_> {
    /// Something that can be blanked is to be seen: nothing that waits for a decision.
    fn can_blank(self) -> bool {
        self.panes() || self.stages() || self.state.view.page().is_some_and(|page| self.page(page))
    }

    fn turns_pages(self, down: bool) -> bool {
        self.overlay().is_some() && self.can_scroll(down)
    }

    fn counting(self) -> bool {
        self.state.can_count(0) && self.state.entry().at.is_some()
    }

    fn starting_over(self) -> bool {
        self.overlay() == Some(Overlay::StartOver) && Class::of(self.area) != Class::TooSmall
    }
}

/// Two buttons are enough. In a page they turn it.
pub const CLICKER: Row = Row {
    bindings: &[
        bind(
            &[key(KeyCode::PageDown), key(KeyCode::Right)],
            |c| c.panes() && c.state.can_click(),
            |_| Intent::Present(Wish::Next),
        ),
        bind(
            &[key(KeyCode::PageUp), key(KeyCode::Left)],
            |c| c.panes() && c.state.view.shown.previous().is_some(),
            |_| Intent::ShowPrevious,
        ),
        repeating(&[key(KeyCode::PageDown)], |c| c.turns_pages(true), |c| c.scroll(c.half_page())),
        repeating(&[key(KeyCode::PageUp)], |c| c.turns_pages(false), |c| c.scroll(-c.half_page())),
    ],
    label: |_| "clicker",
    help: "a clicker: what comes next, twice past a question; back",
    rank: NEVER,
};

/// `b` is an answer while a question is open.
pub const BLANK: Row = Row {
    bindings: &[
        bind(&[char('b')], |c| c.state.is_blank() || c.panes() && !can_choose(c, 1), |_| Intent::Present(Wish::Blank)),
        bind(&[char('.'), char('B')], |c| c.state.is_blank() || c.can_blank(), |_| Intent::Present(Wish::Blank)),
    ],
    label: |_| "blank",
    help: "blank the screen, or show it again (b: not as answer)",
    rank: NEVER,
};

/// The time on the message line.
pub const TIMER: Row = Row {
    bindings: &[bind(&[char('T')], |c| c.panes(), |_| Intent::Present(Wish::Timer))],
    label: |_| "timer",
    help: "the time of stage and lab against the plan",
    rank: NEVER,
};

/// Opens the dialog for votes, or takes what it has.
pub const TALLY: Row = Row {
    bindings: &[
        bind(&[char('#')], |c| c.panes() && c.state.can_tally(), |_| Intent::Present(Wish::Tally)),
        bind(&[key(KeyCode::Enter)], |c| c.state.is_tallying(), |_| Intent::Present(Wish::Keep)),
    ],
    label: |_| "take it",
    help: "hands up: how the class answers, before it is seen",
    rank: NEVER,
};

/// The keys of that dialog, which tells them itself.
pub const HANDS: Row = Row {
    bindings: &[
        bind(&[char('a')], |c| c.state.can_letter(0), |_| Intent::Present(Wish::Letter(0))),
        bind(&[char('b')], |c| c.state.can_letter(1), |_| Intent::Present(Wish::Letter(1))),
        bind(&[char('c')], |c| c.state.can_letter(2), |_| Intent::Present(Wish::Letter(2))),
        bind(&[char('d')], |c| c.state.can_letter(3), |_| Intent::Present(Wish::Letter(3))),
        bind(&[char('0')], |c| c.counting(), |_| Intent::Present(Wish::Digit(0))),
        bind(&[char('1')], |c| c.counting(), |_| Intent::Present(Wish::Digit(1))),
        bind(&[char('2')], |c| c.counting(), |_| Intent::Present(Wish::Digit(2))),
        bind(&[char('3')], |c| c.counting(), |_| Intent::Present(Wish::Digit(3))),
        bind(&[char('4')], |c| c.counting(), |_| Intent::Present(Wish::Digit(4))),
        bind(&[char('5')], |c| c.counting(), |_| Intent::Present(Wish::Digit(5))),
        bind(&[char('6')], |c| c.counting(), |_| Intent::Present(Wish::Digit(6))),
        bind(&[char('7')], |c| c.counting(), |_| Intent::Present(Wish::Digit(7))),
        bind(&[char('8')], |c| c.counting(), |_| Intent::Present(Wish::Digit(8))),
        bind(&[char('9')], |c| c.counting(), |_| Intent::Present(Wish::Digit(9))),
        bind(&[key(KeyCode::Backspace)], |c| c.counting(), |_| Intent::Present(Wish::Erase)),
    ],
    label: |_| "count",
    help: "",
    rank: NEVER,
};

/// Asks first; a letter and not enter says yes: a habit must not decide.
pub const START_OVER: Row = Row {
    bindings: &[
        bind(&[char('X')], |c| c.panes() && c.state.can_start_over(), |_| Intent::Present(Wish::AskToStartOver)),
        bind(&[char('y')], |c| c.starting_over() && c.state.can_start_over(), |_| Intent::Present(Wish::StartOver)),
    ],
    label: |_| "begin again",
    help: "begin again with stage 1, as a new run; asks first",
    rank: NEVER,
};
