//! How an audience joins the vote: a QR code in test-user's pane while a question is open, and how many have voted.

use qrcode::{Color, EcLevel, QrCode};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::State;

use super::text::width;
use super::theme::Theme;

/// Light modules around a code. The standard wants 4; above and below, phones read 2 as well.
const QUIET: (usize, usize) = (4, 2);

/// The rows of a code's pane, with its two lines, for an address of the usual length.
const PANE_ROWS: usize = 17;

/// The bar of those who have voted.
const BAR: usize = 36;

/// The colors of a code: black on white in every theme. Some phones read nothing else.
pub const CODE: Style =
    Style::new().fg(ratatui::style::Color::Rgb(255, 255, 255)).bg(ratatui::style::Color::Rgb(0, 0, 0));

/// Whether a code may be shown: a question takes the votes of phones.
pub fn shows_code(state: &State) -> bool {
    state.voting().is_some() && state.phones().address().is_some() && !state.phones().hides_code()
}

/// Whether the votes for each answer stay hidden: else the room follows the longest bar.
pub fn hides_votes(state: &State) -> bool {
    state.voting().is_some() && state.phones().address().is_some()
}

/// The most lines above the panes that leave room for a code, of `most` without one.
pub fn most_above(most: usize) -> usize {
    // Seven rows are the panes' in any case.
    let with_code = (most + 7).saturating_sub(PANE_ROWS);
    if with_code >= 6 { with_code } else { most }
}

/// `24 of 31 voted ████──`; with the address, if there is no room for a code.
pub fn voters(state: &State, columns: usize, has_code: bool, theme: &Theme) -> Option<Vec<Span<'static>>> {
    let stage = state.voting()?;
    let address = state.phones().address()?;
    let (words, phones) = (state.interface(), state.phones());
    let voted = phones.votes(stage).map_or(0, |votes| votes.total());
    let text = format!(" {}", words.fill("{} of {} voted", &[&voted, &phones.connected().max(voted)]));
    if !has_code && !phones.hides_code() {
        let tail = format!("   {}: {address}", words.say("join the vote"));
        return Some(vec![Span::styled(text, theme.base), Span::styled(tail, theme.strong)]);
    }
    let room = columns.saturating_sub(width(&text) + 3).min(BAR);
    let most = usize::from(phones.connected().max(voted)).max(1);
    let full = usize::from(voted) * room / most;
    let (dark, light) = if theme.is_ascii() { ("#", "-") } else { ("█", "─") };
    Some(vec![
        Span::styled(format!("{text}  "), theme.base),
        Span::styled(dark.repeat(full), theme.strong),
        Span::styled(light.repeat(room - full), theme.dim),
    ])
}

/// Whether a code of this address fits into a pane.
pub fn has_room(state: &State, area: Rect, theme: &Theme) -> bool {
    let inner = (area.width.into(), usize::from(area.height.saturating_sub(2)));
    rows_of(state, theme).is_some_and(|rows| rows.len() <= inner.1 && rows.iter().all(|row| width(row) <= inner.0))
}

/// Draws the code with its address, in a pane.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(address) = state.phones().address() else { return };
    let words = state.interface();
    let line = |y: u16, text: &str, buffer: &mut Buffer| {
        buffer.set_stringn(area.x, y, "─".repeat(area.width.into()), area.width.into(), theme.rule);
        buffer.set_stringn(area.x + 1, y, format!(" {text} "), usize::from(area.width).saturating_sub(2), theme.strong);
    };
    line(area.y, words.say("join the vote"), buffer);
    line(area.bottom().saturating_sub(1), address, buffer);
    let inner = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    code(state, theme, inner, buffer);
}

/// Draws the code in the middle of `area`; where it has no room, the address in words.
pub fn code(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(address) = state.phones().address() else { return };
    let rows = rows_of(state, theme).filter(|rows| rows.len() <= area.height.into());
    let rows = rows.filter(|rows| rows.iter().all(|row| width(row) <= area.width.into()));
    let Some(rows) = rows else {
        let words = state.interface();
        let texts = [
            ("", theme.base),
            (words.say("Open this address on your phone:"), theme.base),
            ("", theme.base),
            (address, theme.title),
            ("", theme.base),
            (words.say("same network as this computer"), theme.dim),
        ];
        let lines = texts.map(|(text, style)| Line::from(Span::styled(text.to_owned(), style)).centered());
        return Paragraph::new(lines.to_vec()).render(area, buffer);
    };
    let columns = rows.first().map_or(0, |row| width(row));
    let place = Rect {
        x: area.x + (area.width - u16::try_from(columns).unwrap_or(area.width)) / 2,
        y: area.y + (area.height - u16::try_from(rows.len()).unwrap_or(area.height)) / 2,
        ..area
    };
    let lines: Vec<Line<'static>> = rows.into_iter().map(|row| Line::from(Span::styled(row, CODE))).collect();
    Paragraph::new(lines).render(place.intersection(area), buffer);
}

/// The code's rows, two modules to a character; `None` in ASCII.
fn rows_of(state: &State, theme: &Theme) -> Option<Vec<String>> {
    let address = state.phones().address().filter(|_| !theme.is_ascii())?;
    rows(&format!("http://{address}"))
}

/// The code of `url`, which is in capitals: a denser code, and the server reads both.
pub fn rows(url: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(url.to_uppercase(), EcLevel::L).ok()?;
    let size = code.width();
    let colors = code.to_colors();
    let (across, above) = QUIET;
    let is_light = |x: usize, y: usize| {
        let inside = x.checked_sub(across).zip(y.checked_sub(above)).filter(|(x, y)| *x < size && *y < size);
        inside.is_none_or(|(x, y)| colors[y * size + x] == Color::Light)
    };
    let cell = |x: usize, y: usize| match (is_light(x, y), is_light(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let row = |y: usize| (0..size + 2 * across).map(|x| cell(x, y)).collect();
    Some((0..size + 2 * above).step_by(2).map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_address_fits_into_a_pane() {
        for url in ["http://192.168.1.23:4180/7KQ2", "http://192.168.100.123:41800/7KQ2"] {
            let rows = rows(url).unwrap();
            assert!(rows.len() <= PANE_ROWS - 2, "{} rows", rows.len());
            assert!(rows.iter().all(|row| row.chars().count() == 33));
        }
    }

    #[test]
    fn a_code_leaves_the_question_its_lines() {
        // 100x28 has 16 lines above the panes, 80x24 has 14: a code has no room there.
        assert_eq!(most_above(16), 6);
        assert_eq!(most_above(14), 14);
        assert_eq!(most_above(38), 28);
    }
}
