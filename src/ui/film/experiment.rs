//! An experiment in a film: what is changed, then what comes of it.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::lab::path::Path;
use crate::lab::{Experiment, Identity, Operation};

use super::canvas::{Canvas, MARGIN};
use super::lanes;
use crate::ui::experiments;
use crate::ui::text::wrap_plain;

/// Draws an experiment before or after its calls.
pub(super) fn draw(canvas: &mut Canvas<'_>, which: Experiment, after: bool) {
    let state = canvas.state;
    let text = state.experiment(which);
    canvas.header(&experiments::number(which), &text.title);
    let calls: Vec<String> = state.outline().into_iter().map(|(_, call)| call).collect();
    canvas.call(&calls.join("  "));
    if after { outcome(canvas, which) } else { setup(canvas, text.setup.trim()) }
}

fn setup(canvas: &mut Canvas<'_>, setup: &str) {
    let theme = canvas.theme;
    let lane = canvas.lane();
    canvas.named(lane, lane.y.saturating_sub(1), Identity::Admin.name());
    let block = canvas.word("experiment");
    let area = Rect { x: MARGIN, y: lane.y + 2, width: lane.width.saturating_sub(2 * MARGIN), height: 5 };
    let rows = canvas.block(area, &block, theme.strong).rows;
    let looks = theme.base.add_modifier(Modifier::BOLD);
    for (line, y) in wrap_plain(setup, looks, area.width.into()).into_iter().zip(area.y + rows + 2..lane.bottom()) {
        canvas.put(MARGIN, y, line.spans);
    }
}

/// The newest Scan of each caller; if there is none, the newest call.
fn outcome(canvas: &mut Canvas<'_>, which: Experiment) {
    let state = canvas.state;
    let run = state.trial(which);
    let scan = |who: Identity| {
        let mut own = run.exchanges().rev().filter(move |exchange| exchange.identity == who);
        own.find(|exchange| matches!(exchange.operation, Operation::Scan { .. }))
    };
    let judged = Identity::BOTH.map(scan);
    if judged.iter().all(Option::is_none) {
        let lane = lanes::single(canvas, Identity::Admin);
        let (path, below) = lanes::parts(lane);
        if let Some(exchange) = run.exchanges().next_back() {
            canvas.put_within(path, vec![exchange.operation.action().into()]);
            lanes::judged(canvas, lanes::letters(below), exchange, None);
        }
        return;
    }
    for ((_, lane), exchange) in lanes::both(canvas).into_iter().zip(judged) {
        let (path_row, below) = lanes::parts(lane);
        if let Some(exchange) = exchange {
            let path: Option<Path> = state.path_of(exchange);
            if let Some(path) = path {
                let spans = lanes::of_scan(canvas, &path, path_row.width);
                canvas.put_within(path_row, spans);
            }
            lanes::judged(canvas, lanes::letters(below), exchange, None);
        }
    }
}
