//! The verdict of a call: its sign, its word and its colors.

use ratatui::text::Span;

use crate::lab::{Call, State, Verdict};

use super::theme::{Theme, VerdictStyle};

/// The badge of an answer that was recorded earlier.
pub fn replay(theme: &Theme) -> String {
    format!(" {} REPLAY ", theme.signs.replay)
}

/// The sign, the word and the style of a call's verdict.
pub fn verdict(call: &Call<'_>, theme: &Theme) -> (&'static str, &'static str, VerdictStyle) {
    let signs = &theme.signs;
    match call {
        Call::Waiting(_) => (signs.waiting, "WAITING", theme.waiting),
        Call::Held(_) => ("○", "NOT SENT", theme.waiting),
        Call::Answered(exchange) => match exchange.verdict {
            Verdict::Allowed => (signs.allowed, "ALLOWED", theme.allowed),
            Verdict::Denied(_) => (signs.denied, "DENIED", theme.denied),
            Verdict::Failed(_) if exchange.is_wanted_absence() => (signs.allowed, "GONE", theme.allowed),
            Verdict::Failed(_) => (signs.failed, "FAILED", theme.failed),
        },
    }
}

/// The badge of a call's verdict. REPLAY stands before it, so that no width cuts it off.
pub fn badge(call: &Call<'_>, state: &State, theme: &Theme) -> Vec<Span<'static>> {
    let (sign, word, looks) = verdict(call, theme);
    let badge = Span::styled(format!(" {sign} {word} "), looks.badge);
    match state.is_replay() {
        true => vec![Span::styled(replay(theme), theme.replay()), Span::raw(" "), badge],
        false => vec![badge],
    }
}
