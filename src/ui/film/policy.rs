//! The key policy: one box that looks the same before and after the change.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use serde_json::Value;

use crate::lab::model::statement::{Statement, statements};
use crate::lab::{Identity, Operation, PolicyDiff, Shot, Stage};

use super::canvas::Canvas;
use super::{lanes, stages};

/// The widest box.
const WIDEST: u16 = 70;

/// Draws the key policy as it was read when the key was new.
pub(super) fn first(canvas: &mut Canvas<'_>, sign: (&'static str, Style)) {
    let theme = canvas.theme;
    let area = frame(canvas, Stage::CreateKey, "kms:GetKeyPolicy", sign);
    let policy = stages::body(canvas.state, Stage::CreateKey, "GetKeyPolicy")
        .and_then(|body| stages::find(body, "Policy"))
        .and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let Some(policy) = policy else { return };
    let mut rows = Vec::new();
    for statement in statements(&policy) {
        let member = |name: &str| statement.get(name).map(stages::shown).unwrap_or_default();
        rows.push(vec![Span::styled(Statement::read(statement).name().to_owned(), theme.strong)]);
        let fields = [("principal", stages::find(statement, "AWS").unwrap_or_default()), ("action", member("Action"))];
        for (label, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            let label = Span::styled(format!("{:<12}", canvas.word(label)), theme.dim);
            rows.push(vec![label, Span::styled(value, theme.base)]);
        }
    }
    fill(canvas, area, rows);
}

/// Draws what PutKeyPolicy changes: before its call, or after it.
pub(super) fn change(canvas: &mut Canvas<'_>, shot: Shot, sign: (&'static str, Style)) {
    let state = canvas.state;
    let area = frame(canvas, Stage::Grant, "kms:PutKeyPolicy", sign);
    let diff = match state.held() {
        Some((_, Operation::PutKeyPolicy { policy, .. })) if shot == Shot::Policy => state.policy_diff(policy),
        _ => state.granted(),
    };
    let rows = diff.map(|diff| rows(canvas, &diff)).unwrap_or_default();
    fill(canvas, area, rows);
}

fn rows(canvas: &Canvas<'_>, diff: &PolicyDiff) -> Vec<Vec<Span<'static>>> {
    let theme = canvas.theme;
    let row = |sign: &'static str, looks: Style, statement: &Statement| {
        vec![Span::styled(format!("{sign}  "), looks), Span::styled(statement.name().to_owned(), looks)]
    };
    let kept = diff.kept.iter().map(|statement| row("=", theme.dim, statement));
    let changed = diff.changed.iter().map(|changed| row("~", theme.strong, &changed.after));
    let removed = diff.removed.iter().map(|statement| row("−", theme.denied.text, statement));
    let added = diff.added.iter().map(|statement| row("+", theme.added, statement));
    kept.chain(changed).chain(removed).chain(added).collect()
}

/// Draws header, path and box. Returns the inside of the box.
fn frame(canvas: &mut Canvas<'_>, stage: Stage, call: &str, sign: (&'static str, Style)) -> Rect {
    canvas.stage(stage, call);
    let lane = lanes::single(canvas, Identity::Admin);
    let (path, below) = lanes::parts(lane);
    let spans = lanes::to_service(canvas, Identity::Admin, "KMS", sign);
    canvas.put_within(path, spans);
    let outer = Rect { width: below.width.min(WIDEST), height: below.height.saturating_sub(1), ..below };
    let heading = canvas.word("key_policy");
    canvas.boxed(outer, &heading);
    Rect {
        x: outer.x + 3,
        y: outer.y + 1,
        width: outer.width.saturating_sub(4),
        height: outer.height.saturating_sub(2),
    }
}

/// Draws rows in the middle of a box.
fn fill(canvas: &mut Canvas<'_>, area: Rect, rows: Vec<Vec<Span<'static>>>) {
    let count = u16::try_from(rows.len()).unwrap_or(u16::MAX);
    let step = if count * 2 <= area.height + 1 { 2 } else { 1 };
    let top = area.y + area.height.saturating_sub(count * step) / 2;
    for (spans, y) in rows.into_iter().zip((top..area.bottom()).step_by(step.into())) {
        canvas.put_within(Rect { y, ..area }, spans);
    }
}
