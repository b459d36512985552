//! The drills' screen: the complaint, both Scans, and the three answers.
//!
//! ```text
//!  "I was given an IAM policy for the key this morning. …"        what a colleague says
//! ─ admin ─────────────────┮━ test-user ━━━━━━━━━━━━━━━━━━━━━━    both Scans; at the left a document that is looked at
//!  ✔ ALLOWED               │ ✘ DENIED
//! ─────────────────────────┴──────────────────────────────────
//!    lock   ✔  the key                                            what was named
//!  ▸ rung   a  a Deny   b  the key policy   c  …                  what is to be named
//! ```

mod answers;
mod pane;

pub use answers::{also_right, lock_name, points, rung_name, sum};
pub use pane::look_name;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::drills::Task;
use crate::lab::presenting::pace::clock;
use crate::lab::{Identity, Stage, State};

use super::size::{Class, Extent};
use super::text::{labeled, wrap, wrap_plain};
use super::theme::Theme;

/// The fewest rows of the panes, with their frame.
const PANES: u16 = 8;

/// The parts of the screen between header and message line.
struct Areas {
    ticket: Rect,
    panes: Vec<(Option<Identity>, Rect)>,
    answers: Rect,
}

/// The number in the header, and the title.
pub fn number(state: &State) -> String {
    let (at, all) = state.drills().number();
    let words = &state.lesson().drills;
    match state.drills().is_preparing() {
        true => "drill".to_owned(),
        false => words.fill("drill", &[&at, &all]),
    }
}

/// The title in the header: the level.
pub fn title(state: &State) -> String {
    match state.drills().is_preparing() {
        true => String::new(),
        false => state.lesson().drills.fill("level", &[&state.drills().level().number()]),
    }
}

/// Streak, points and time, for the header.
pub fn score(state: &State, theme: &Theme) -> Vec<Span<'static>> {
    if state.drills().is_preparing() {
        return Vec::new();
    }
    let (drills, words) = (state.drills(), &state.lesson().drills);
    let streak = words.fill("streak", &[&drills.streak()]);
    let points = words.fill("points", &[&signed(drills.points())]);
    let text = format!("{streak}   {points}   {}", clock(drills.seconds()));
    vec![Span::styled(text, theme.bar)]
}

/// A number with a real minus sign.
fn signed(number: i32) -> String {
    if number < 0 { format!("−{}", number.unsigned_abs()) } else { number.to_string() }
}

fn areas(state: &State, area: Rect) -> Areas {
    let roomy = Class::of(area) == Class::Full && area.height >= 28;
    let gap = u16::from(roomy);
    let theme = Theme::plain();
    let columns = usize::from(area.width.saturating_sub(2));
    let rows = |lines: &[Line<'_>]| u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = area.y + 1 + gap;
    let ticket_rows = rows(&ticket(state, &theme, columns));
    let bottom = area.bottom().saturating_sub(2);
    let used = ticket_rows + 2 * gap;
    let room = bottom.saturating_sub(top).saturating_sub(used);
    let answers_rows = rows(&answers::lines(state, &theme, columns, room.saturating_sub(PANES).into()));
    let ticket = Rect { x: area.x, y: top, width: area.width, height: ticket_rows }.intersection(area);
    let panes_top = ticket.bottom() + gap;
    let most = if area.height > 36 { 24 } else { 14 };
    let panes_height = room.saturating_sub(answers_rows).min(most);
    let panes = Rect { x: area.x, y: panes_top, width: area.width, height: panes_height }.intersection(area);
    let top = panes.bottom() + gap;
    let answers = Rect { x: area.x, y: top, width: area.width, height: bottom.saturating_sub(top) }.intersection(area);
    let is_looking = state.drills().current().is_some_and(|it| it.look().is_some());
    let left = if is_looking { None } else { Some(Identity::Admin) };
    let panes = match Class::of(area) {
        Class::Full => {
            let width = panes.width / 2;
            let right = Rect { x: panes.x + width, width: panes.width - width, ..panes };
            vec![(left, Rect { width, ..panes }), (Some(Identity::TestUser), right)]
        }
        _ if is_looking => vec![(None, panes)],
        _ => vec![(Some(state.view().focus()), panes)],
    };
    Areas { ticket, panes, answers }
}

/// Draws the drill, or how the lab is set up for it.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width.saturating_sub(2));
    if state.drills().is_preparing() || state.drills().current().is_none() {
        let lines =
            if state.drills().is_over() { over(state, theme, columns) } else { preparing(state, theme, columns) };
        let place = Rect { x: area.x + 1, y: area.y + 2, ..area }.intersection(area);
        return Paragraph::new(lines).render(place, buffer);
    }
    let Areas { ticket: top, panes, answers: bottom } = areas(state, area);
    Paragraph::new(ticket(state, theme, columns)).render(top, buffer);
    let divided = panes.len() == 2;
    for (at, (identity, place)) in panes.into_iter().enumerate() {
        pane::draw(state, theme, identity, place, divided && at == 0, buffer);
    }
    Paragraph::new(answers::lines(state, theme, columns, bottom.height.into())).render(bottom, buffer);
}

/// How much the document that is looked at scrolls, and its first line.
pub fn scrolled(state: &State, area: Rect) -> Option<(Extent, u16)> {
    state.drills().current()?.look()?;
    let (_, place) = areas(state, area).panes.into_iter().find(|(identity, _)| identity.is_none())?;
    let lines = pane::document(state, &Theme::plain(), usize::from(place.width.saturating_sub(2))).len();
    let height = place.height.saturating_sub(2);
    Some((Extent { lines: u16::try_from(lines).unwrap_or(u16::MAX), height }, state.view().scroll(Identity::Admin)))
}

/// The complaint or, when the drill is solved, the sum.
fn ticket(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let Some(it) = state.drills().current() else { return Vec::new() };
    let words = &state.lesson().drills;
    match it.task() {
        Task::Solved => {
            let lead = vec![Span::styled(format!(" {} ", theme.signs.allowed), theme.allowed.text)];
            let solved = Span::styled(format!("{}   ", words.word("solved")), theme.strong);
            wrap(lead, vec![solved, Span::styled(sum(state), theme.base)], columns, 3)
        }
        _ => {
            let text = words.text(it.drill()).map_or("", |text| text.ticket.as_str());
            labeled((" ", theme.base), (format!("\"{text}\""), theme.strong), columns, 1)
        }
    }
}

fn preparing(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = &state.lesson().drills;
    let stage = state.current();
    if let Some(check) = state.check(stage).filter(|_| !state.drills().is_preparing()) {
        let text = words.fill("not_prepared", &[&stage.number(), &state.interface().sentence(&check.observed)]);
        return wrap_plain(&text, theme.strong, columns);
    }
    let text = words.fill("preparing", &[&stage.number(), &Stage::ALL.len()]);
    wrap_plain(&text, theme.strong, columns)
}

/// All drills are done: how they came out.
pub fn summary(state: &State) -> String {
    let drills = state.drills();
    let solved = drills.results().iter().filter(|result| result.solved).count();
    let points = points(state, drills.points());
    state.lesson().drills.fill("over", &[&solved, &drills.results().len(), &points, &drills.best_streak()])
}

/// The same, and how each came out.
fn over(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let (drills, words) = (state.drills(), &state.lesson().drills);
    let mut lines = wrap_plain(&summary(state), theme.strong, columns);
    lines.push(Line::default());
    for result in drills.results() {
        let (sign, looks) = match result.solved {
            true => (theme.signs.allowed, theme.allowed.text),
            false => (theme.signs.denied, theme.denied.text),
        };
        let level = words.fill("level", &[&result.level.number()]);
        let (points, id, time) = (points(state, result.points), result.drill.id(), clock(result.seconds));
        let rest = format!("{id:<20} {level}   {time}   {points}");
        lines.push(Line::from(vec![Span::styled(format!("{sign} "), looks), Span::styled(rest, theme.base)]));
    }
    lines
}

/// The document that is looked at, without looks.
pub fn document_text(state: &State) -> Vec<String> {
    let lines = pane::document(state, &Theme::plain(), usize::from(u16::MAX));
    lines.iter().map(ToString::to_string).filter(|line| !line.trim().is_empty()).collect()
}
