//! Why a Scan was denied: the ladder hangs from the node of the path that refused.

use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::lab::insight::ladder::{Ladder, Rung, Word};
use crate::lab::{Identity, Shot, Verdict};

use super::canvas::Canvas;
use super::{lanes, stages};
use crate::ui::text::width;

/// Columns of DENIED in block letters.
const VERDICT: u16 = 36;

/// Draws the ladder of test-user's Scan.
pub(super) fn draw(canvas: &mut Canvas<'_>) {
    let (state, theme) = (canvas.state, canvas.theme);
    let why = canvas.word("why");
    canvas.stage(crate::lab::Stage::ViewDenied, &why);
    let lane = lanes::single(canvas, Identity::TestUser);
    let (path_row, _) = lanes::parts(lane);
    let Some(exchange) = stages::scan(state, Shot::Why, Identity::TestUser) else { return };
    let Some(path) = state.path_of(exchange) else { return };
    let spans = lanes::of_scan(canvas, &path, lane.width);
    let before = spans.iter().take_while(|span| !span.content.starts_with("KMS"));
    let trunk = lane.x + u16::try_from(before.map(|span| width(&span.content)).sum::<usize>()).unwrap_or(0) + 1;
    canvas.put_within(path_row, spans);
    let explained = state.explained();
    let Some(ladder) = explained.ladders.last() else { return };
    let step = if lane.bottom() >= path_row.y + 2 + 3 * 4 { 3 } else { 2 };
    let names: Vec<String> = ladder.rungs.iter().map(|rung| canvas.word(name_of(rung))).collect();
    let longest = u16::try_from(names.iter().map(|name| width(name)).max().unwrap_or(0)).unwrap_or(0);
    // Under a narrow path, the ladder moves to the left rather than lose its words.
    let trunk = trunk.min(canvas.columns().saturating_sub(longest + 24));
    let last = path_row.y + 2 + step * u16::try_from(ladder.rungs.len().saturating_sub(1)).unwrap_or(0);
    for y in path_row.y + 1..last {
        canvas.text(trunk, y, "│", theme.rule);
    }
    let mut right = trunk;
    for ((rung, name), y) in ladder.rungs.iter().zip(&names).zip((path_row.y + 2..).step_by(step.into())) {
        canvas.text(trunk, y, if y == last { "└─" } else { "├─" }, theme.rule);
        if rung.decides {
            let (sign, looks) = if ladder.allowed {
                (theme.signs.allowed, theme.allowed.text)
            } else {
                (theme.signs.denied, theme.denied.text)
            };
            canvas.text(trunk + 3, y, sign, looks);
        }
        canvas.text(trunk + 5, y, name, theme.base);
        let answer = state.interface().sentence(word(rung).text());
        canvas.text(trunk + 5 + longest + 3, y, &answer, theme.strong);
        right = right.max(trunk + 5 + longest + 3 + u16::try_from(width(&answer)).unwrap_or(0));
        if is_missing(ladder, rung) {
            let spans = vec![Span::styled(format!("◀ {}", canvas.word("missing")), theme.denied.text)];
            canvas.put(trunk + 5 + longest + 8, y, spans);
        }
    }
    let room = Rect { x: right + 2, y: path_row.y + 2, width: VERDICT, height: 5 };
    if matches!(exchange.verdict, Verdict::Denied(_)) && room.right() < canvas.columns() && room.bottom() < last {
        canvas.block(room, "DENIED", theme.denied.text);
    }
}

/// The answer of a rung. That IAM may decide, but no IAM policy allows it, is a no.
const fn word(rung: &Rung) -> Word {
    match rung.word {
        Word::Yes => Word::Yes,
        Word::No | Word::YesBut => Word::No,
    }
}

/// The name of a rung.
fn name_of(rung: &Rung) -> &'static str {
    match rung.question {
        "explicit deny?" => "explicit_deny",
        "key policy allows it?" => "by_key_policy",
        "a grant?" => "by_grant",
        _ => "by_iam",
    }
}

/// Whether the verdict comes from a rung that nothing answers with yes.
fn is_missing(ladder: &Ladder, rung: &Rung) -> bool {
    rung.decides && !ladder.allowed && word(rung) == Word::No
}
