//! The question at the start: resume a saved session, or start over.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::lab::resume::Looked;
use crate::lab::{Stage, State};

use super::dialog::{self, FRAME_COLUMNS};
use super::keys::hints::hints;
use super::text::wrap_plain;
use super::theme::Theme;

/// Draws the question.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = area.width.saturating_sub(FRAME_COLUMNS + 2).min(72);
    let mut lines = lines(state, theme, columns.into());
    let hints = hints(state, area);
    // The choices are the last to go when there is little room.
    lines.truncate(usize::from(area.height.saturating_sub(2)).saturating_sub(hints.len()));
    lines.extend(dialog::choices(hints, 5, columns, theme));
    let words = state.interface();
    let (title, way_out) = (words.sentence("resume?"), words.sentence("q quits"));
    dialog::draw(&title, &way_out, columns, lines, theme, area, buffer);
}

fn lines(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let words = state.interface();
    let mut say = |text: String, looks| lines.extend(wrap_plain(&words.sentence(&text), looks, columns));
    let of = Stage::ALL.len();
    if let Some((stage, reason)) = state.stalled() {
        say(format!("No response while the lab verified stage {} of {of}.", stage.number()), theme.strong);
        say(reason.to_owned(), theme.base);
    } else if let Some(offer) = state.resume_offer() {
        let next = offer.next_stage();
        say(
            format!("Resume at stage {} of {of}: {}?", next.number(), state.text(next).title.trim_end_matches('?')),
            theme.strong,
        );
        let begun = offer.begun(state.now()).map(|begun| format!("started {begun} · ")).unwrap_or_default();
        say(format!("{begun}{}", words.fill("{} of {} stages met", &[&offer.met(), &of])), theme.base);
        match offer.looked() {
            Looked::Looking => say("checking what still exists …".to_owned(), theme.dim),
            Looked::Unknown(reason) => say(format!("can't check: {reason}"), theme.failed.text),
            Looked::Never(reason) => say(format!("can't resume: {reason}"), theme.failed.text),
            Looked::Done if !offer.found().is_empty() => {
                say(format!("found: {}", offer.found().join(" · ")), theme.base);
            }
            Looked::Done => {}
        }
        if offer.runs_again() && next > Stage::FIRST {
            let stages =
                if next.index() == 1 { "Stage 1 runs".to_owned() } else { format!("Stages 1 to {} run", next.index()) };
            say(format!("The sandbox ended with the program. {stages} again, with your answers."), theme.dim);
        }
        if offer.needs_new_access_key() {
            say(
                "The secret of test-user's access key was in memory only. The lab deletes that key and makes a new one."
                    .to_owned(),
                theme.dim,
            );
        }
    }
    lines.push(Line::default());
    lines
}
