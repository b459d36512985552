//! Hands up: bars with their numbers, for a class to see. `#` is on every terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::lesson::Reply;
use crate::lab::lesson::interface::Interface;
use crate::lab::presenting::hands::{HandCount, MOST, Stray};
use crate::lab::quiz::{Asked, LETTERS};
use crate::lab::{Stage, State, Status};

use super::dialog::{FRAME_COLUMNS, open, rows_of};
use super::keys::names;
use super::text::{width, wrap, wrap_plain};
use super::theme::Theme;

/// The longest bar.
const BAR: usize = 24;

/// The longest one of several in a line.
const SHORT: usize = 8;

/// A bar of at most `columns` columns. The most hands fill it, and a single hand is visible; it grows by eighths of a
/// column.
fn bar(hands: HandCount, place: usize, columns: usize, theme: &Theme) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let (count, most) = (usize::from(hands.get(place).unwrap_or(0)), usize::from(hands.most()));
    if count == 0 {
        return String::new();
    }
    if theme.is_ascii() {
        return "#".repeat(((2 * count * columns + most) / (2 * most)).max(1));
    }
    let eighths = (count * columns * 8 / most).max(1);
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

/// `███▌ 12`: no longer than `columns` with a bar of `bar` columns.
fn bar_and_number(hands: HandCount, place: usize, columns: usize, theme: &Theme) -> String {
    let Some(count) = hands.get(place) else { return String::new() };
    let bar = bar(hands, place, columns, theme);
    if bar.is_empty() { count.to_string() } else { format!("{bar} {count}") }
}

/// The bar beside an answer of `own` columns, where the longest answer has `longest` and a line has `columns`.
pub fn beside(
    hands: HandCount,
    place: usize,
    longest: usize,
    columns: usize,
    own: usize,
    theme: &Theme,
) -> Span<'static> {
    // ` a  text ` before it and ` 999` after it.
    let room = columns.saturating_sub(longest + 12);
    let text = bar_and_number(hands, place, room.min(BAR), theme);
    let gap = if room >= 4 { longest - own + 1 } else { 1 };
    Span::styled(format!("{}{text}", " ".repeat(gap)), theme.strong)
}

/// All answers of a stage that has ended in one line: `a ██ 3   b ████████ 12 RIGHT`; `None` without votes.
pub fn line(state: &State, stage: Stage, theme: &Theme) -> Option<Vec<Span<'static>>> {
    let hands = state.hands(stage)?;
    let asked = state.question(stage)?;
    let mut spans = Vec::new();
    for (place, (letter, reply)) in asked.answers.iter().enumerate() {
        let gap = if place > 0 { "   " } else { "" };
        let votes = match hands.get(place) {
            Some(_) => bar_and_number(hands, place, SHORT, theme),
            None => "-".to_owned(),
        };
        spans.push(Span::styled(format!("{gap}{letter} {votes}"), theme.base));
        if reply.right {
            spans.push(Span::styled(format!(" {}", state.interface().say("RIGHT")), theme.allowed.text));
        }
    }
    Some(spans)
}

/// The same with the answers' words, one answer to a line of `columns` columns: nobody remembers an answer by its letter.
pub fn rows(state: &State, stage: Stage, columns: usize, theme: &Theme) -> Option<Vec<Vec<Span<'static>>>> {
    let hands = state.hands(stage)?;
    let asked = state.question(stage)?;
    let longest = asked.answers.iter().map(|(_, reply)| width(&reply.text)).max().unwrap_or(0);
    let right = state.interface().say("RIGHT");
    let rows = asked.answers.iter().enumerate().map(|(place, (letter, reply))| {
        let votes = match hands.get(place) {
            Some(_) => {
                beside(hands, place, longest, columns.saturating_sub(width(right) + 1), width(&reply.text), theme)
            }
            None => Span::styled(format!("{}-", " ".repeat(longest - width(&reply.text) + 1)), theme.dim),
        };
        let mut row = vec![Span::styled(format!("{letter}  {} ", reply.text), theme.base), votes];
        if reply.right {
            row.push(Span::styled(format!(" {right}"), theme.allowed.text));
        }
        row
    });
    Some(rows.collect())
}

/// The answer with the most votes for the question of `stage`; `None` without votes, or if two answers share the lead.
pub fn favorite(state: &State, stage: Stage) -> Option<(char, &Reply)> {
    let hands = state.hands(stage)?;
    let asked = state.question(stage)?;
    let leads = |place: usize| hands.get(place).is_some_and(|count| count > 0 && count == hands.most());
    let mut leaders = asked.answers.into_iter().enumerate().filter(|(place, _)| leads(*place));
    let (_, answer) = leaders.next()?;
    leaders.next().is_none().then_some(answer)
}

/// `12 of 17 right`
pub fn share(hands: HandCount, asked: &Asked<'_>, words: Interface<'_>) -> String {
    let right = asked.answers.iter().position(|(_, reply)| reply.right);
    let right = right.and_then(|place| hands.get(place)).unwrap_or(0);
    words.fill("{} of {} right", &[&right, &hands.total()])
}

/// Draws the dialog. Numbers are typed before the class sees the answer, and shown again after it.
pub fn dialog(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let stage = state.view().shown;
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
            Some(_) => bar_and_number(entry.hands, place, all.saturating_sub(12), theme),
            None if entry.at == Some(place) => "_".to_owned(),
            None => "-".to_owned(),
        };
        lines.push(Line::from(vec![Span::raw("    "), Span::styled(votes, theme.strong)]));
    }
    lines.push(Line::default());
    let keymap = &state.view().keys;
    let take = names::first("take_votes", keymap);
    let (help, way_out) = match is_seen {
        true => (share(entry.hands, &asked, words), words.fill("{} closes", &[&take])),
        false => (
            words.fill(
                "A letter, then its number: {} 12 {} 3; {} deletes a digit.",
                &[&LETTERS[0], &LETTERS[1], &names::first("erase", keymap)],
            ),
            words.fill("{} keeps it · {} discards it", &[&take, &names::first("back", keymap)]),
        ),
    };
    match entry.stray {
        Some(stray) => lines.extend(wrap_plain(&not_taken(state, stray, &asked), theme.failed.text, all)),
        None => lines.extend(wrap_plain(&help, theme.dim, all)),
    }
    let rows = rows_of(&lines);
    let title = words.fill("hands up: {} in all", &[&entry.hands.total()]);
    let place =
        open(&title, &way_out, columns.max(u16::try_from(width(&title)).unwrap_or(0)), rows, theme, area, buffer);
    Paragraph::new(lines).render(place, buffer);
}

/// What was typed and not taken, with the reason.
fn not_taken(state: &State, stray: Stray, asked: &Asked<'_>) -> String {
    let (words, take) = (state.interface(), names::first("take_votes", &state.view().keys));
    let why = match stray {
        Stray::NoAnswer(c) => words.fill("Ignored: {}, which is not an answer, and what follows it.", &[&c]),
        Stray::NoLetter => words.say("Ignored: an answer's letter must come before its number.").to_owned(),
        Stray::TooMany(place) => {
            let letter = asked.answers.get(place).map_or(' ', |(letter, _)| *letter);
            words.fill("Ignored: {} has more than {}.", &[&letter, &MOST])
        }
    };
    match state.entry().is_warned() {
        true => format!("{why} {}", words.fill("Press {} again to keep the rest.", &[&take])),
        false => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hands(counts: [u16; 4]) -> HandCount {
        serde_json::from_value(serde_json::json!(counts)).unwrap()
    }

    #[test]
    fn no_votes_no_bar() {
        for theme in [Theme::plain(), Theme::plain().in_ascii()] {
            assert_eq!(bar_and_number(HandCount::default(), 0, 20, &theme), "");
            assert_eq!(bar(HandCount::default(), 0, 20, &theme), "");
            assert_eq!(bar(hands([0, 0, 0, 0]), 0, 20, &theme), "");
        }
    }

    #[test]
    fn a_difference_is_to_be_seen() {
        let votes = hands([12, 3, 14, 1]);
        let bars = |theme: &Theme, columns| [0, 1, 2, 3].map(|place| bar(votes, place, columns, theme));
        assert_eq!(bars(&Theme::plain(), 8), ["██████▊", "█▋", "████████", "▌"]);
        assert_eq!(bars(&Theme::plain().in_ascii(), 8), ["#######", "##", "########", "#"]);
        let crowd = hands([999, 998, 1, 0]);
        assert_eq!(bar(crowd, 2, 8, &Theme::plain()), "▏", "one hand is to be seen");
    }
}
