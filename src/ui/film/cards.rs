//! The cards of a film: its title, the setting, a question, the end.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Span;

use crate::lab::{BackendKind, Identity, Shot, Stage, Status};

use super::canvas::{Canvas, MARGIN};
use crate::ui::text::{width, wrap_plain};

/// Draws the title: two lines in block letters, or the one that was asked for.
pub(super) fn title(canvas: &mut Canvas<'_>, title: Option<&str>) {
    let theme = canvas.theme;
    let lines = match title {
        Some(title) => vec![title.to_owned()],
        None => ["title_1", "title_2"].map(|id| canvas.word(id)).to_vec(),
    };
    let card = canvas.card();
    let sandbox = canvas.state.backend().kind == BackendKind::Sandbox;
    let below = 1 + 2 * u16::from(sandbox);
    let room = card.height.saturating_sub(below + 2) / u16::try_from(lines.len()).unwrap_or(1).max(1);
    let mut y = card.y + card.height.saturating_sub(below + 2 + 6 * u16::try_from(lines.len()).unwrap_or(1)) / 2;
    for line in &lines {
        let area = Rect { x: 2, y, width: card.width.saturating_sub(4), height: room.clamp(1, 11) };
        // Two lines have the same size.
        let area = if lines.len() > 1 { Rect { height: area.height.min(5), ..area } } else { area };
        y += canvas.block_centered(area, line, theme.strong).rows + 1;
    }
    y += 1;
    let lesson = canvas.state.lesson().frame.export.title.clone();
    canvas.centered(y, vec![Span::styled(lesson, theme.strong)]);
    if sandbox {
        let about = canvas.word("about");
        canvas.centered(y + 2, vec![Span::styled(about, theme.dim)]);
    }
}

/// Draws both callers and the two locks.
pub(super) fn setting(canvas: &mut Canvas<'_>) {
    let (theme, text) = (canvas.theme, &canvas.state.lesson().frame.opening);
    let (lock_1, table, lock_2, key, goal) =
        (text.lock_1.clone(), text.table.clone(), text.lock_2.clone(), text.key.clone(), text.goal.clone());
    let card = canvas.card();
    let columns = usize::from(canvas.columns());
    let inner = [&table, &key, &"DynamoDB".to_owned()].iter().map(|text| width(text)).max().unwrap_or(8) + 2;
    let gap = if columns >= 84 { 8 } else { 4 };
    let wanted = 15 + 2 * (inner + 2) + 2 * (gap + 1) + width(&goal);
    let top = card.y + card.height.saturating_sub(7) / 2;
    let x = u16::try_from(columns.saturating_sub(wanted) / 2).unwrap_or(0);
    let boxes = u16::try_from(inner + 2).unwrap_or(12);
    let gap = u16::try_from(gap + 1).unwrap_or(9);
    let arrow = |columns: u16| format!("{}▸", "─".repeat(usize::from(columns).saturating_sub(3)));
    for (y, name) in [(top + 2, Identity::Admin), (top + 4, Identity::TestUser)] {
        canvas.put(
            x,
            y,
            vec![Span::styled(format!("{:<9} ", name.name()), theme.strong), Span::styled("─▸", theme.rule)],
        );
    }
    let first = x + 14;
    for (left, lock, service, guarded) in
        [(first, lock_1, "DynamoDB", table), (first + boxes + gap, lock_2, "KMS", key)]
    {
        let middle = |text: &str| left + boxes.saturating_sub(u16::try_from(width(text)).unwrap_or(0)) / 2;
        canvas.text(middle(&lock), top, &lock, theme.dim);
        canvas.boxed(Rect { x: left, y: top + 1, width: boxes, height: 5 }, "");
        canvas.text(middle(service), top + 2, service, theme.strong);
        canvas.text(middle(&guarded), top + 4, &guarded, theme.base);
        canvas.text(left + boxes + 1, top + 3, &arrow(gap), theme.rule);
    }
    canvas.text(first + 2 * (boxes + gap), top + 3, &goal, theme.strong);
}

/// Draws a stage's question with its answers: a viewer has no key to press, so they have no letters.
pub(super) fn question(canvas: &mut Canvas<'_>, stage: Stage) {
    let theme = canvas.theme;
    let heading = canvas.word("question");
    canvas.stage(stage, &heading);
    let lane = canvas.lane();
    canvas.named(lane, lane.y.saturating_sub(1), "");
    let Some(asked) = canvas.state.question(stage) else { return };
    let columns = usize::from(lane.width.saturating_sub(2 * MARGIN));
    let text = canvas.state.lesson().stage(stage).question.text.trim().to_owned();
    let answers: Vec<String> = asked.answers.iter().map(|(_, reply)| reply.text.clone()).collect();
    let mut y = lane.y + 1;
    for line in wrap_plain(&text, theme.strong.add_modifier(Modifier::BOLD), columns) {
        canvas.put(MARGIN, y, line.spans);
        y += 1;
    }
    let step = if lane.bottom() > y + 2 * u16::try_from(answers.len()).unwrap_or(0) { 2 } else { 1 };
    for answer in answers {
        y += step;
        canvas.put(MARGIN, y, vec![Span::styled("·  ", theme.dim), Span::styled(answer, theme.base)]);
    }
}

/// Draws the end: what was seen, what it means, and where to get it.
pub(super) fn end(canvas: &mut Canvas<'_>, url: Option<&str>) {
    let theme = canvas.theme;
    let card = canvas.card();
    let told = told(canvas);
    let rows = 5 + 2 + u16::try_from(told.len()).unwrap_or(0) * 2 + 4;
    let mut y = card.y + card.height.saturating_sub(rows) / 2;
    let end = canvas.word("end");
    let area = Rect { x: 2, y, width: card.width.saturating_sub(4), height: 5 };
    y += canvas.block_centered(area, &end, theme.strong).rows + 2;
    for spans in told {
        canvas.centered(y, spans);
        y += 2;
    }
    let repository = env!("CARGO_PKG_REPOSITORY");
    let place = url.or((!repository.is_empty()).then_some(repository)).unwrap_or("kmslab");
    let try_it = format!("{}  ", canvas.word("try"));
    canvas.centered(y + 1, vec![Span::styled(try_it, theme.dim), Span::styled(place.to_owned(), theme.strong)]);
    let backend = canvas.state.backend();
    let filmed = match backend.kind {
        BackendKind::Sandbox => canvas.word("on_sandbox"),
        BackendKind::Endpoint => canvas.word("on_endpoint"),
        BackendKind::Aws => canvas.film.words.fill("on_aws", &[&backend.region]),
    };
    canvas.centered(y + 3, vec![Span::styled(filmed, theme.dim)]);
}

/// What was seen: only what has happened in this film.
fn told(canvas: &Canvas<'_>) -> Vec<Vec<Span<'static>>> {
    let (state, theme) = (canvas.state, canvas.theme);
    let is_met = |shot: Shot| {
        let stage = shot.stage().unwrap_or(Stage::Who);
        matches!(&state.record(stage).status, Status::Done(check) if check.met)
    };
    let mut told = vec![vec![Span::styled(canvas.word("locks"), theme.base)]];
    if [Shot::Denied, Shot::PolicyDone, Shot::Allowed].into_iter().all(is_met) {
        let arrow = || Span::styled("  ─▸  ", theme.rule);
        let sign = |sign: &str, word: &str| format!("{sign} {word}");
        told.push(vec![
            Span::styled(format!("{}   ", Identity::TestUser.name()), theme.strong),
            Span::styled(sign(theme.signs.denied, "DENIED"), theme.denied.text),
            arrow(),
            Span::styled(canvas.word("changed"), theme.base),
            arrow(),
            Span::styled(sign(theme.signs.allowed, "ALLOWED"), theme.allowed.text),
        ]);
    }
    told
}
