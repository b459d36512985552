//! How much a terminal's size allows to show.

use ratatui::layout::Rect;

/// From this size on both panes are shown side by side.
pub const FULL: (u16, u16) = (80, 24);

/// From this size on one pane is shown at a time.
pub const SINGLE: (u16, u16) = (60, 18);

/// How much of the screen can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Both panes.
    Full,
    /// The focused pane.
    Single,
    /// Only a line that says what is needed.
    TooSmall,
}

impl Class {
    /// Returns what fits into `area`.
    pub fn of(area: Rect) -> Class {
        let fits = |(width, height): (u16, u16)| area.width >= width && area.height >= height;
        match (fits(FULL), fits(SINGLE)) {
            (true, _) => Class::Full,
            (_, true) => Class::Single,
            _ => Class::TooSmall,
        }
    }
}

/// How much there is to scroll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Lines in all.
    pub lines: u16,
    /// Lines that fit.
    pub height: u16,
}

impl Extent {
    /// The largest first line that still fills the height.
    pub fn last_scroll(self) -> u16 {
        self.lines.saturating_sub(self.height)
    }
}
