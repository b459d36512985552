//! The three ways to let test-user use the key.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::lab::State;
use crate::lab::insight::forecast::Sign;
use crate::lab::lesson::interface::Interface;
use crate::lab::model::mechanism::Mechanism;

use super::super::keys::names;
use super::super::text::{labeled, wrap, wrap_plain};
use super::super::theme::Theme;
use super::{at, expected};

/// From this width on the ways stand side by side.
const TABLE: u16 = 96;

/// The column where the first way begins.
const FIRST: usize = 20;

/// What the table compares, and what it says of each way.
pub const ROWS: [(&str, [&str; 3]); 6] = [
    ("stored with", ["the key", "the user or role", "the key, as its own record"]),
    ("counts", ["always", "if the key policy lets IAM decide", "always"]),
    (
        "choose it for",
        [
            "a few callers you can name; the key's owner decides",
            "many callers or keys, managed in one place",
            "access that comes and goes, and for AWS services",
        ],
    ),
    ("can deny", ["yes", "yes", "no"]),
    ("the call", ["PutKeyPolicy", "PutUserPolicy", "CreateGrant"]),
    ("to undo", ["PutKeyPolicy again", "DeleteUserPolicy", "RevokeGrant"]),
];

/// The row that decides, and that of the calls.
const DECIDES: &str = "choose it for";
const CALL: &str = "the call";

/// The same in sentences, where the table has no room.
const SENTENCES: [&str; 3] = [
    "Stored with the key; names the principal. For a few callers you can name, when the key's owner should decide. \
     PutKeyPolicy replaces the whole policy.",
    "Attached to the user or role; its Resource must match the key's ARN. Counts only if the key policy lets IAM \
     decide. For many callers or keys, managed in one place. The call is PutUserPolicy.",
    "A record of its own: one key, one principal, a list of operations. It can never deny. For access that comes and \
     goes, and for AWS services. The call is CreateGrant.",
];

/// The lines of the choice. Where the sentences have no room, each way says when to choose it, and no more.
pub fn lines(state: &State, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let lines = lines_with(state, theme, area, way_in_sentences, true);
    if lines.len() <= usize::from(area.height) {
        return lines;
    }
    lines_with(state, theme, area, way_in_brief, false)
}

/// The texts of a way on a narrow screen.
type InWords = fn(Mechanism, Interface<'_>) -> String;

fn way_in_sentences(mechanism: Mechanism, words: Interface<'_>) -> String {
    words.word(SENTENCES[mechanism.index()]).to_owned()
}

fn way_in_brief(mechanism: Mechanism, words: Interface<'_>) -> String {
    let of = |label| ROWS.iter().find(|(row, _)| *row == label).map_or("", |(_, cells)| cells[mechanism.index()]);
    format!("{} · {}", words.word(of(DECIDES)), of(CALL))
}

fn lines_with(state: &State, theme: &Theme, area: Rect, in_words: InWords, is_airy: bool) -> Vec<Line<'static>> {
    let words = state.interface();
    let columns = usize::from(area.width).saturating_sub(2);
    let indent = |text: &str, style| labeled((" ", style), (text.to_owned(), style), columns, 1);
    let is_tight = area.height < 25;
    let gap = |lines: &mut Vec<Line<'static>>| {
        if !is_tight {
            lines.push(Line::default());
        }
    };
    let mut lines = Vec::new();
    let blank = |lines: &mut Vec<Line<'static>>| lines.extend(is_airy.then(Line::default));
    blank(&mut lines);
    let intro =
        words.say("Nothing allows test-user to use the key. Any one of these three can. Which would you choose?");
    lines.extend(indent(intro, theme.strong));
    blank(&mut lines);
    let mut spans = vec![Span::raw("   ")];
    spans.extend(expected(Sign::Yes, Sign::No, words, theme));
    lines.push(Line::from(spans));
    lines.push(Line::default());
    if area.width >= TABLE {
        lines.extend(table(state, theme, area.width));
        gap(&mut lines);
    } else {
        for mechanism in Mechanism::ALL {
            let number = names::first(way(mechanism), &state.view().keys);
            let head = format!("{number}  {}  ", words.word(mechanism.name()));
            let lead = vec![Span::raw(" "), Span::styled(head, theme.focus)];
            let text = vec![Span::styled(in_words(mechanism, words), theme.base)];
            lines.extend(wrap(lead, text, columns, 4));
        }
    }
    lines.push(Line::default());
    lines.extend(options(state, theme, columns));
    if state.backend().given_user {
        let text = "2 is not offered: the lab changes no policies of a user that it didn't create.";
        gap(&mut lines);
        lines.extend(indent(words.say(text), theme.dim));
    }
    lines
}

/// The ways side by side.
fn table(state: &State, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let words = state.interface();
    let each = (usize::from(columns) - FIRST - 1) / 3;
    let place = |way: usize| FIRST + way * each;
    let mut head = Vec::new();
    for mechanism in Mechanism::ALL {
        let number = names::first(way(mechanism), &state.view().keys);
        let text = format!("{number}  {}", words.word(mechanism.name()));
        head = at(head, place(mechanism.index()), text, theme.focus);
    }
    let line = "─".repeat(usize::from(columns).saturating_sub(2));
    let mut lines = vec![Line::from(head), Line::from(vec![Span::raw(" "), Span::styled(line, theme.rule)])];
    for (label, cells) in ROWS {
        let looks = if label == DECIDES { theme.strong } else { theme.base };
        let cells = cells.map(|cell| wrap_plain(words.word(cell), looks, each.saturating_sub(2)));
        let rows = cells.iter().map(Vec::len).max().unwrap_or_default();
        for row in 0..rows {
            let label = if row == 0 { words.word(label) } else { "" };
            let mut spans = vec![Span::styled(format!("   {label}"), theme.dim)];
            for (way, cell) in cells.iter().enumerate() {
                let text: String = cell.get(row).map(ToString::to_string).unwrap_or_default();
                spans = at(spans, place(way), text, looks);
            }
            lines.push(Line::from(spans));
        }
    }
    lines
}

/// What the keys do.
fn options(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let (words, keymap) = (state.interface(), &state.view().keys);
    let numbers = Mechanism::ALL.map(|mechanism| names::first(way(mechanism), keymap)).join(" ");
    let all = [
        (numbers, "write it yourself, in an editor with blanks"),
        (
            names::first("advance", keymap),
            "the usual way: the lab adds the console's two key-user statements to the key policy",
        ),
    ];
    let option = |(key, text): (String, &'static str)| {
        let lead = vec![Span::styled(format!("   {key:<8}"), theme.focus)];
        wrap(lead, vec![Span::styled(words.say(text).to_owned(), theme.base)], columns, 11)
    };
    all.into_iter().flat_map(option).collect()
}

/// The name of the key that chooses a way.
pub fn way(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::KeyPolicy => "way_1",
        Mechanism::IamPolicy => "way_2",
        Mechanism::Grant => "way_3",
    }
}
