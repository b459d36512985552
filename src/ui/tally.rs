//! Hands up: bars with their numbers, for a class to see. `#` is on every terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::learn::{Asked, LETTERS};
use crate::lab::lesson::interface::Interface;
use crate::lab::presenting::tally::Hands;
use crate::lab::{Stage, State, Status};

use super::keys;
use super::overlay::{FRAME_COLUMNS, open, rows_of};
use super::text::{width, wrap, wrap_plain};
use super::theme::Theme;

/// The longest bar.
const BAR: usize = 24;

/// A bar of at most `columns` columns: the most hands fill it, and one hand is to be seen.
fn bar(hands: Hands, place: usize, columns: usize) -> String {
    let count = usize::from(hands.get(place).unwrap_or(0));
    let most = usize::from(hands.most());
    let length = if most == 0 { 0 } else { (count * columns).div_ceil(most) };
    "#".repeat(length)
}

/// `#### 12`: no longer than `columns` with a bar of `bar` columns.
fn bar_and_number(hands: Hands, place: usize, columns: usize) -> String {
    let Some(count) = hands.get(place) else { return String::new() };
    let bar = bar(hands, place, columns);
    if bar.is_empty() { count.to_string() } else { format!("{bar} {count}") }
}

/// What stands beside an answer of `own` columns, where the longest one has `longest` and a line has `columns`.
pub fn beside(hands: Hands, place: usize, longest: usize, columns: usize, own: usize, theme: &Theme) -> Span<'static> {
    // ` a  text ` before it and ` 999` after it.
    let room = columns.saturating_sub(longest + 12);
    let text = bar_and_number(hands, place, room.min(BAR));
    let gap = if room >= 4 { longest - own + 1 } else { 1 };
    Span::styled(format!("{}{text}", " ".repeat(gap)), theme.strong)
}

/// All answers of a stage that has ended in one line: `a ## 3   b ###### 12 RIGHT`; `None` without votes.
pub fn line(state: &State, stage: Stage, theme: &Theme) -> Option<Vec<Span<'static>>> {
    const SHORT: usize = 6;
    let hands = state.hands(stage)?;
    let asked = state.question(stage)?;
    let mut spans = Vec::new();
    for (place, (letter, reply)) in asked.answers.iter().enumerate() {
        let gap = if place > 0 { "   " } else { "" };
        let votes = match hands.get(place) {
            Some(_) => bar_and_number(hands, place, SHORT),
            None => "-".to_owned(),
        };
        spans.push(Span::styled(format!("{gap}{letter} {votes}"), theme.base));
        if reply.right {
            spans.push(Span::styled(format!(" {}", state.interface().say("RIGHT")), theme.allowed.text));
        }
    }
    Some(spans)
}

/// `12 of 17 right`
pub fn share(hands: Hands, asked: &Asked<'_>, words: Interface<'_>) -> String {
    let right = asked.answers.iter().position(|(_, reply)| reply.right);
    let right = right.and_then(|place| hands.get(place)).unwrap_or(0);
    words.fill("{} of {} right", &[&right, &hands.total()])
}

/// The dialog: numbers are typed before the answer is seen, and looked at after it.
pub fn dialog(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let stage = state.view.shown;
    let Some(asked) = state.question(stage) else { return };
    let is_seen = matches!(state.record(stage).status, Status::Done(_));
    let (entry, words) = (state.entry(), state.interface());
    let columns = area.width.saturating_sub(FRAME_COLUMNS).min(74);
    let all = usize::from(columns);
    let mut lines = wrap_plain(&asked.question.text, theme.strong, all);
    for (place, (letter, reply)) in asked.answers.iter().enumerate() {
        let looks = if entry.at == Some(place) { theme.focus } else { theme.hint };
        let lead = vec![Span::styled(format!(" {letter} "), looks), Span::raw(" ")];
        let mut content = vec![Span::styled(reply.text.clone(), theme.base)];
        if is_seen && reply.right {
            content.push(Span::styled(format!("  {}", words.say("RIGHT")), theme.allowed.text));
        }
        lines.extend(wrap(lead, content, all, 4));
        let votes = match entry.hands.get(place) {
            Some(_) => bar_and_number(entry.hands, place, all.saturating_sub(12)),
            None if entry.at == Some(place) => "_".to_owned(),
            None => "-".to_owned(),
        };
        lines.push(Line::from(vec![Span::raw("    "), Span::styled(votes, theme.strong)]));
    }
    lines.push(Line::default());
    let keymap = &state.view.keys;
    let take = keys::first("take_votes", keymap);
    let (help, way_out) = match is_seen {
        true => (share(entry.hands, &asked, words), words.fill("{} closes", &[&take])),
        false => (
            words.fill(
                "A letter, then its number: {} 12 {} 3; {} takes a digit back.",
                &[&LETTERS[0], &LETTERS[1], &keys::first("erase", keymap)],
            ),
            words.fill("{} takes it · {} forgets it", &[&take, &keys::first("back", keymap)]),
        ),
    };
    lines.extend(wrap_plain(&help, theme.dim, all));
    let rows = rows_of(&lines);
    let title = words.fill("hands up: {} in all", &[&entry.hands.total()]);
    let place =
        open(&title, &way_out, columns.max(u16::try_from(width(&title)).unwrap_or(0)), rows, theme, area, buffer);
    Paragraph::new(lines).render(place, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_votes_no_bar() {
        assert_eq!(bar_and_number(Hands::default(), 0, 20), "");
        assert_eq!(bar(Hands::default(), 0, 20), "");
    }
}
