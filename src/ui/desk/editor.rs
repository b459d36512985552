//! The editor: the draft with a question beside each blank, what stays, the forecast, and names to insert.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::lab::State;
use crate::lab::model::attempt::question;
use crate::lab::model::draft::{BLANK, Draft};
use crate::lab::model::mechanism::Mechanism;
use crate::lab::view::Desk;

use super::super::keys::names;
use super::super::text::{cut, labeled, width};
use super::super::theme::Theme;
use super::{at, expected, rule};

/// Columns before the text: the line's number.
const MARGIN: usize = 7;

/// The rows of a forecast's reason.
const REASON: usize = 2;

/// The column where a label's text begins.
const LABELED: usize = 16;

/// The lines of the editor.
pub fn lines(state: &State, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let words = state.interface();
    let (Some(mechanism), Some(draft)) = (state.draft_way(), state.draft()) else { return Vec::new() };
    // A drill begins with what is on the server.
    let is_whole = state.is_drilling() && mechanism != Mechanism::Grant;
    // Empty lines go first where rows are few.
    let needed = |is_roomy: bool| {
        let below =
            [stays(state, mechanism, theme, area), forecast(state, theme, area, is_roomy), inserts(state, theme, area)];
        below.iter().map(Vec::len).sum::<usize>() + draft.lines().count() + 4 + 2 * usize::from(is_roomy)
    };
    let is_roomy = needed(true) <= usize::from(area.height);
    let below =
        [stays(state, mechanism, theme, area), forecast(state, theme, area, is_roomy), inserts(state, theme, area)];
    let intro = words.say(match is_whole {
        true => "Change what you like. It is sent as you write it, right or wrong.",
        false => "Fill the blanks. It is sent as you write it, right or wrong.",
    });
    let mut lines = vec![Line::default()];
    lines.extend(labeled((" ", theme.base), (intro.to_owned(), theme.base), area.width.into(), 1));
    lines.push(Line::default());
    let title = match mechanism {
        Mechanism::KeyPolicy if is_whole => "key policy, the whole document",
        Mechanism::IamPolicy if is_whole => "IAM policy of test-user",
        Mechanism::KeyPolicy => "key policy, your new statement",
        Mechanism::IamPolicy => "IAM policy of test-user, its statement",
        Mechanism::Grant => "grant, the parameters of CreateGrant",
    };
    let blanks = draft.blanks().len();
    let note = match blanks {
        0 if is_whole => String::new(),
        0 => words.say("no blank left").to_owned(),
        1 => words.say("1 blank left").to_owned(),
        _ => words.fill("{} blanks left", &[&blanks]),
    };
    let is_focused = state.view().desk == Some(Desk::Editor);
    lines.push(rule(words.say(title), &note, is_focused, theme, area.width));
    let gap = usize::from(is_roomy);
    let used = lines.len() + below.iter().map(Vec::len).sum::<usize>() + 2 * gap;
    let height = usize::from(area.height).saturating_sub(used);
    // Where rows are few, or the document is long, the names go first: ctrl-n still shows them.
    let is_short = is_whole || height < draft.lines().count().min(6);
    let short = is_short && state.view().desk == Some(Desk::Editor);
    let kept = if short { &below[..2] } else { &below[..] };
    let used = lines.len() + kept.iter().map(Vec::len).sum::<usize>() + 2 * gap;
    let height = usize::from(area.height).saturating_sub(used).max(3);
    lines.extend((0..gap).map(|_| Line::default()));
    lines.extend(text(state, draft, theme, area.width, height));
    lines.extend((0..gap).map(|_| Line::default()));
    lines.extend(kept.iter().flatten().cloned());
    lines
}

fn text(state: &State, draft: &Draft, theme: &Theme, columns: u16, rows: usize) -> Vec<Line<'static>> {
    let words = state.interface();
    // Where everything fits, nothing moves.
    let (all, cursor) = (draft.lines().count(), draft.cursor().0);
    let first = cursor.saturating_sub(rows.saturating_sub(1)).min(all.saturating_sub(1));
    let has_focus = state.view().desk == Some(Desk::Editor);
    let question = |line: &str| words.word(question(line)).to_owned();
    self::draft(draft, first, rows, has_focus, theme, columns, question)
}

/// `rows` lines of a draft, from the line `first` on, with their numbers. Beside a line with a blank stands its question.
pub fn draft(
    draft: &Draft,
    first: usize,
    rows: usize,
    has_cursor: bool,
    theme: &Theme,
    columns: u16,
    question: impl Fn(&str) -> String,
) -> Vec<Line<'static>> {
    let (row, column) = draft.cursor();
    let line = |(number, line): (usize, &str)| {
        let lead = vec![Span::styled(format!("{:>4}  ", number + 1), theme.dim), Span::raw(" ")];
        let asks = line.contains(BLANK).then(|| format!("◀ {}", question(line)));
        // A member's name is worth more than its question.
        let fits = |asks: &String| MARGIN + width(line) + width(asks) + 3 <= usize::from(columns);
        let asks = asks.map(|asks| if fits(&asks) { asks } else { "◀".to_owned() });
        let note = asks.as_deref().map_or(0, |text| width(text) + 2);
        let room = usize::from(columns).saturating_sub(MARGIN + note + 1);
        let cursor = (has_cursor && number == row).then_some(column);
        let mut spans = lead;
        spans.extend(visible(line, cursor, room, theme));
        if let Some(asks) = asks {
            let place = usize::from(columns).saturating_sub(note).min(MARGIN + 68);
            spans = at(spans, place, asks, theme.focus);
        }
        cut(spans, columns.into())
    };
    draft.lines().enumerate().skip(first).take(rows).map(line).collect()
}

/// A line in at most `room` columns. The one with the cursor shows what is around it, the others their beginning.
fn visible(line: &str, cursor: Option<usize>, room: usize, theme: &Theme) -> Vec<Span<'static>> {
    // The cursor may stand behind the last character.
    let mut chars: Vec<char> = line.chars().collect();
    if cursor.is_some_and(|at| at >= chars.len()) {
        chars.push(' ');
    }
    let is_long = chars.len() > room;
    let start = cursor.filter(|_| is_long).map_or(0, |at| at.saturating_sub(room.saturating_sub(8)));
    let blanks: Vec<usize> = line.match_indices(BLANK).map(|(at, _)| line[..at].chars().count()).collect();
    let is_blank = |at: usize| blanks.iter().any(|start| (*start..*start + BLANK.len()).contains(&at));
    let end = chars.len().min(start + room);
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (at, c) in chars.iter().enumerate().take(end).skip(start) {
        let is_cut = (at == start && start > 0) || (at + 1 == end && end < chars.len());
        let shown = if is_cut && cursor != Some(at) { '…' } else { *c };
        let looks = if is_blank(at) { theme.strong.add_modifier(Modifier::REVERSED) } else { theme.base };
        // On a reversed blank the cursor is not reversed.
        let looks = if cursor == Some(at) {
            if is_blank(at) {
                theme.focus.add_modifier(Modifier::UNDERLINED)
            } else {
                theme.base.add_modifier(Modifier::REVERSED)
            }
        } else {
            looks
        };
        match spans.last_mut() {
            Some(span) if span.style == looks => span.content.to_mut().push(shown),
            _ => spans.push(Span::styled(shown.to_string(), looks)),
        }
    }
    spans
}

/// What the call does besides.
fn stays(state: &State, mechanism: Mechanism, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let words = state.interface();
    let columns = usize::from(area.width).saturating_sub(2);
    let text = match mechanism {
        Mechanism::KeyPolicy if state.is_drilling() => {
            words.say("PutKeyPolicy replaces the whole document. What you leave out is gone.").to_owned()
        }
        Mechanism::KeyPolicy => {
            let sids = state.attempts().before().and_then(|documents| documents.key_policy.as_deref()).map(sids);
            let sids = sids.unwrap_or_default().join(", ");
            words.fill("= stays: {} · PutKeyPolicy replaces the whole policy, so the lab sends it along.", &[&sids])
        }
        Mechanism::IamPolicy => {
            words.say("The lab makes it an inline policy of test-user: no Principal, it is test-user's own.").to_owned()
        }
        Mechanism::Grant => words.say("The lab adds the key's id and a name.").to_owned(),
    };
    labeled(("   ", theme.dim), (text, theme.dim), columns, 3)
}

/// The names of a policy's statements, in quotes.
fn sids(policy: &str) -> Vec<String> {
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap_or_default();
    let all = crate::lab::key_policy::statements(&policy).into_iter();
    all.filter_map(|statement| statement.get("Sid")?.as_str().map(|sid| format!("\"{sid}\""))).collect()
}

fn forecast(state: &State, theme: &Theme, area: Rect, is_roomy: bool) -> Vec<Line<'static>> {
    let words = state.interface();
    let Some(forecast) = state.forecast() else { return Vec::new() };
    let mut lines = vec![rule(words.say("forecast"), words.say("nothing sent yet"), false, theme, area.width)];
    let gap = || is_roomy.then(Line::default);
    lines.extend(gap());
    let mut spans = vec![Span::raw("  ")];
    spans.extend(expected(forecast.table, forecast.key, words, theme));
    lines.push(Line::from(spans));
    // Always as many rows: what stands below doesn't move while a person types.
    let columns = usize::from(area.width).saturating_sub(1);
    let mut reason = labeled(("  ", theme.dim), (forecast.reason, theme.dim), columns, 2);
    reason.resize(REASON, Line::default());
    lines.extend(reason);
    lines
}

fn inserts(state: &State, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let (words, keymap) = (state.interface(), &state.view().keys);
    let cursor = match state.view().desk {
        Some(Desk::Names(row)) => Some(row),
        _ => None,
    };
    let title = words.fill("names you can insert: {}", &[&names::first("insert_name", keymap)]);
    let mut lines = vec![rule(&title, "", cursor.is_some(), theme, area.width)];
    for (row, name) in state.insertables().into_iter().enumerate() {
        let is_cursor = cursor == Some(row);
        let sign = if is_cursor { "▸" } else { " " };
        let looks = if is_cursor { theme.focus } else { theme.base };
        let spans = vec![Span::styled(
            format!(" {sign} {}", words.word(name.label)),
            if is_cursor { looks } else { theme.strong },
        )];
        lines.push(cut(at(spans, LABELED, name.text, looks), area.width.into()));
    }
    lines
}
