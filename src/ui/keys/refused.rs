//! Keys that mean something, but not now: they say why. Neither footer nor help has them a second time.

use crossterm::event::KeyCode;

use crate::lab::{Copied, Intent, Page};

use super::{Group, NEVER, PANES, Row, TODO, bind, char, key};

/// The keys where their own rows don't take them. An intent that can't be done is refused with a sentence.
pub const REFUSED: Row = Row {
    bindings: &[
        bind(
            "advance",
            TODO,
            &[key(KeyCode::Enter), char(' ')],
            |c| c.panes() && c.state.waits_for_answer(),
            |_| Intent::Advance,
        ),
        bind("next_stage", PANES, &[char('n')], |c| c.panes() && !c.can_show(true), |_| Intent::ShowNext),
        bind("view", PANES, &[char('v')], |c| c.panes() && !c.has_answer(), |_| Intent::CycleView),
        bind(
            "copy_command",
            PANES,
            &[char('y')],
            |c| c.panes() && !c.can_copy(Copied::Command),
            |_| Intent::Copy(Copied::Command),
        ),
        bind(
            "copy_answer",
            PANES,
            &[char('Y')],
            |c| c.panes() && !c.can_copy(Copied::Answer),
            |_| Intent::Copy(Copied::Answer),
        ),
        bind(
            "why",
            PANES,
            &[char('w')],
            |c| c.panes() && c.state.focused_exchange().is_none(),
            |_| Intent::TogglePage(Page::Why),
        ),
        bind(
            "options",
            PANES,
            &[char('o')],
            |c| c.panes() && c.state.comparison().is_none(),
            |_| Intent::TogglePage(Page::Comparison),
        ),
        bind("bench", PANES, &[char('x')], |c| c.panes() && !c.can_toggle_bench(), |_| Intent::ToggleBench),
        bind("undo", PANES, &[char('u')], |c| c.panes() && !c.state.can_undo(), |_| Intent::Undo),
    ],
    label: |_| "not now",
    help: "",
    group: Group::Learn,
    rank: NEVER,
};
