//! Lanes: of each caller the path and the verdict, side by side, or one above the other on a narrow screen.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::lab::path::{Mark, Note, Path};
use crate::lab::{Call, Denied, Exchange, Identity, Verdict};

use super::canvas::{Canvas, MARGIN};
use crate::ui::path;
use crate::ui::text::width;
use crate::ui::verdict::verdict;

/// From this width on, ALLOWED in block letters fits twice in a row.
const WIDE: u16 = 98;

/// Draws one lane with `name` over it, and returns its place without the margins.
pub(super) fn single(canvas: &mut Canvas<'_>, identity: Identity) -> Rect {
    let lane = canvas.lane();
    canvas.named(lane, lane.y.saturating_sub(1), identity.name());
    inner(lane, MARGIN)
}

/// Draws both lanes, and returns their places without the margins.
pub(super) fn both(canvas: &mut Canvas<'_>) -> [(Identity, Rect); 2] {
    let lane = canvas.lane();
    let looks = canvas.theme.rule;
    let [admin, test_user] = Identity::BOTH;
    if lane.width < WIDE {
        let half = lane.height.saturating_sub(1) / 2;
        let upper = Rect { height: half, ..lane };
        let lower = Rect { y: lane.y + half + 1, height: lane.height.saturating_sub(half + 1), ..lane };
        canvas.named(upper, upper.y.saturating_sub(1), admin.name());
        canvas.named(lower, lower.y.saturating_sub(1), test_user.name());
        return [(admin, inner(upper, 2)), (test_user, inner(lower, 2))];
    }
    let half = lane.width / 2 - 1;
    let left = Rect { width: half, ..lane };
    let right = Rect { x: half + 1, width: lane.width - half - 1, ..lane };
    canvas.named(left, lane.y.saturating_sub(1), admin.name());
    canvas.named(right, lane.y.saturating_sub(1), test_user.name());
    for y in lane.y..lane.bottom() {
        canvas.text(half, y, "│", looks);
    }
    canvas.text(half, lane.y.saturating_sub(1), "┬", looks);
    canvas.text(half, lane.bottom(), "┴", looks);
    [(admin, inner(left, 1)), (test_user, inner(right, 1))]
}

fn inner(lane: Rect, margin: u16) -> Rect {
    Rect { x: lane.x + margin, width: lane.width.saturating_sub(margin + 1), ..lane }
}

/// The place of the path, and that of everything below it. Few rows are left to the block letters.
pub(super) fn parts(lane: Rect) -> (Rect, Rect) {
    let gap = u16::from(lane.height >= 10);
    let path = Rect { y: lane.y + gap, height: 1, ..lane };
    let taken = 1 + gap * 2;
    let below = Rect { y: lane.y + taken, height: lane.height.saturating_sub(taken), ..lane };
    (path, below)
}

/// The path to a service that doesn't lead any further: `admin ─▸ KMS …`.
pub(super) fn to_service(
    canvas: &Canvas<'_>,
    who: Identity,
    service: &str,
    sign: (&'static str, Style),
) -> Vec<Span<'static>> {
    let theme = canvas.theme;
    vec![
        Span::styled(who.name().to_owned(), theme.base),
        Span::styled(" ─▸ ", theme.rule),
        Span::styled(format!("{service} "), theme.base),
        Span::styled(sign.0, sign.1),
    ]
}

/// The path of a Scan.
pub(super) fn of_scan(canvas: &Canvas<'_>, path: &Path, columns: u16) -> Vec<Span<'static>> {
    let words = canvas.state.interface();
    // KMS said yes earlier, and the table key is still in memory: the lock is open.
    let key = if path.note == Some(Note::FromMemory) { Mark::Yes } else { path.key };
    let line = Path { key, note: None, ..path.clone() }.line(words, columns.into(), 0, canvas.theme.is_ascii());
    path::spans(line, canvas.theme)
}

/// The rows of block letters in a lane: the same before and after the calls, so that only the word changes.
pub(super) fn letters(below: Rect) -> Rect {
    let gap = below.height.saturating_sub(9).min(2);
    Rect { y: below.y + gap, height: below.height.saturating_sub(gap), ..below }
}

/// A verdict in block letters, and in words below them, or beside them where rows are few; of one that was another
/// `before`, both. A screen reader has only the words.
pub(super) fn judged(canvas: &mut Canvas<'_>, area: Rect, exchange: &Exchange, before: Option<&Exchange>) {
    let theme = canvas.theme;
    let now = in_words(canvas, exchange);
    let rows = match before.filter(|before| before.verdict != exchange.verdict) {
        Some(before) => {
            let labels = [canvas.word("before"), canvas.word("now")];
            let longest = labels.iter().map(|label| width(label)).max().unwrap_or(0) + 2;
            let label = |label: &str| Span::styled(format!("{label}{}", " ".repeat(longest - width(label))), theme.dim);
            let before = in_words(canvas, before);
            [(&labels[0], before), (&labels[1], now)]
                .map(|(text, words)| std::iter::once(label(text)).chain(words).collect())
                .to_vec()
        }
        None => vec![now],
    };
    let (_, word, looks) = verdict(&Call::Answered(exchange), theme);
    let room = Rect { height: area.height.min(5), ..area };
    let drawn = canvas.block(room, word, looks.text);
    let taken = u16::try_from(rows.len() * 2).unwrap_or(0);
    let (place, step) = match drawn.is_block {
        false => (area, 1),
        true if area.height > drawn.rows + taken => (Rect { y: area.y + drawn.rows + 2, ..area }, 2),
        true if area.height > drawn.rows + 1 => (Rect { y: area.y + drawn.rows + 1, ..area }, 1),
        true => {
            let columns = drawn.columns + 3;
            (Rect { x: area.x + columns, y: area.y + 1, width: area.width.saturating_sub(columns), ..area }, 2)
        }
    };
    for (spans, y) in rows.into_iter().zip((place.y..area.bottom()).step_by(step)) {
        canvas.put_within(Rect { y, ..place }, spans);
    }
}

/// `✘ DENIED on kms:Decrypt`.
pub(super) fn in_words(canvas: &Canvas<'_>, exchange: &Exchange) -> Vec<Span<'static>> {
    let (sign, word, looks) = verdict(&Call::Answered(exchange), canvas.theme);
    match &exchange.verdict {
        Verdict::Denied(Denied { action: Some(action), .. }) => {
            let text = canvas.film.words.fill("denied_on", &[action]);
            let rest = text.strip_prefix(word).unwrap_or_default().to_owned();
            vec![Span::styled(format!("{sign} {word}"), looks.text), Span::styled(rest, canvas.theme.base)]
        }
        _ => vec![Span::styled(format!("{sign} {word}"), looks.text)],
    }
}
