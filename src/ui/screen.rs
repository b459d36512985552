//! The whole screen: header, brief, panes, message line and footer, and what lies over them.

use std::ops::Range;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::backend::in_short;
use crate::lab::presenting::pace::clock;
use crate::lab::view::Desk;
use crate::lab::{Backend, BackendKind, Experiment, Identity, Overlay, ServicePlace, Stage, State, Timing};

use super::key_cast::KeyCast;
use super::keys::row::KeyHint;
use super::keys::{hints, names};
use super::layout::Plan;
use super::size::{Class, FULL, SINGLE};
use super::text::{cut, spans_width, truncate, width, wrap_plain};
use super::theme::Theme;
use super::{
    billboard, brief, debrief, desk, drill, experiments, join, opening, overlay, pane, score, signs, text,
    theme as themes, verdict,
};

/// Draws `state` on the whole frame, with the last key and a caption if `key_cast` shows them.
pub fn view(state: &State, theme: &Theme, key_cast: &KeyCast, frame: &mut Frame<'_>) {
    let area = frame.area();
    draw(state, theme, key_cast, area, frame.buffer_mut());
}

/// Draws `state` at `size`, for stills, recordings and tests.
pub fn render(state: &State, theme: &Theme, size: Size) -> Buffer {
    render_with(state, theme, &KeyCast::default(), size)
}

/// The same with the last key and a caption.
pub fn render_with(state: &State, theme: &Theme, key_cast: &KeyCast, size: Size) -> Buffer {
    let area = Rect::from((ratatui::layout::Position::ORIGIN, size));
    let mut buffer = Buffer::empty(area);
    draw(state, theme, key_cast, area, &mut buffer);
    buffer
}

fn draw(state: &State, theme: &Theme, key_cast: &KeyCast, area: Rect, buffer: &mut Buffer) {
    draw_all(state, theme, key_cast, area, buffer);
    text::guard(buffer);
    themes::keep_bold_dark(buffer);
    if theme.is_ascii() {
        signs::translate(buffer);
    }
}

fn draw_all(state: &State, theme: &Theme, key_cast: &KeyCast, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, theme.base);
    // Blanked: draw nothing of it.
    if state.is_blank() {
        return overlay::blank(state, theme, area, buffer);
    }
    if Class::of(area) == Class::TooSmall {
        return too_small(state, theme, area, buffer);
    }
    if state.is_drilling() {
        return drill_screen(state, theme, key_cast, area, buffer);
    }
    if state.view().opening {
        return opening_card(state, theme, key_cast, area, buffer);
    }
    let plan = Plan::new(state, area);
    header(state, theme, key_cast, plan.header, buffer);
    if state.view().overlay == Some(Overlay::Debrief) {
        let (top, bottom) = (plan.header.bottom(), plan.message.y);
        let between = Rect { y: top, height: bottom.saturating_sub(top), ..area };
        debrief::draw(state, theme, between, buffer);
    } else if let Some(desk) = state.view().desk.filter(|desk| !covers(state, *desk)) {
        let top = plan.header.bottom();
        let place = Rect { y: top, height: plan.message.y.saturating_sub(top), ..area };
        desk::draw(state, desk, theme, place, buffer);
    } else if state.view().billboard {
        // A question is asked in words.
        let asks = state.open_question().is_some();
        let top = if asks { plan.brief.bottom() } else { plan.header.bottom() };
        if asks {
            brief::draw(state, theme, plan.brief, area, buffer);
        }
        let rest = Rect { y: top, height: plan.message.y.saturating_sub(top), ..area };
        match join::shows_code(state) {
            true => join::code(state, theme, rest, buffer),
            false => billboard::draw(state, theme, rest, buffer),
        }
    } else {
        brief::draw(state, theme, plan.brief, area, buffer);
        for pane in &plan.panes {
            // Before the calls, both panes only list what will be sent.
            let is_code = pane.identity == Identity::TestUser && plan.panes.len() > 1 && join::shows_code(state);
            match is_code && join::has_room(state, pane.area, theme) {
                true => join::draw(state, theme, pane.area, buffer),
                false => pane::draw(state, theme, pane, buffer),
            }
        }
    }
    message_line(state, theme, key_cast, plan.message, buffer);
    footer(state, theme, plan.footer, area, buffer);
    overlay::draw(state, theme, area, buffer);
}

/// Whether the billboard stands in the place of stage 7's desk: what is being written must be seen.
fn covers(state: &State, desk: Desk) -> bool {
    state.view().billboard && matches!(desk, Desk::Choice | Desk::Outcome)
}

/// The card before the first stage, and a page over it.
fn opening_card(state: &State, theme: &Theme, key_cast: &KeyCast, area: Rect, buffer: &mut Buffer) {
    let row = |y: u16, height: u16| Rect { y, height, ..area }.intersection(area);
    let bottom = area.bottom().saturating_sub(1);
    header(state, theme, key_cast, row(area.y, 1), buffer);
    let gap = u16::from(area.height >= 28);
    let top = area.y + 1 + gap;
    opening::draw(state, theme, row(top, bottom.saturating_sub(top + gap)), buffer);
    message_line(state, theme, key_cast, row(bottom.saturating_sub(1), 1), buffer);
    footer(state, theme, row(bottom, 1), area, buffer);
    overlay::draw(state, theme, area, buffer);
}

/// Draws the drills: header, drill, message line and footer.
fn drill_screen(state: &State, theme: &Theme, key_cast: &KeyCast, area: Rect, buffer: &mut Buffer) {
    let row = |y: u16| Rect { y, height: 1, ..area }.intersection(area);
    header(state, theme, key_cast, row(area.y), buffer);
    match state.view().desk {
        Some(desk) => {
            let place = Rect { y: area.y + 1, height: area.height.saturating_sub(3), ..area }.intersection(area);
            desk::draw(state, desk, theme, place, buffer);
        }
        None => drill::draw(state, theme, area, buffer),
    }
    message_line(state, theme, key_cast, row(area.bottom().saturating_sub(2)), buffer);
    footer(state, theme, row(area.bottom().saturating_sub(1)), area, buffer);
    overlay::draw(state, theme, area, buffer);
}

/// The last key, what has just happened or a caption and, at the right, the time or the cost.
fn message_line(state: &State, theme: &Theme, key_cast: &KeyCast, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width);
    let key = key_cast.key(theme);
    let least = state.shows_timer().then(|| least_time(state));
    let taken = spans_width(&key) + least.as_deref().map_or(0, |text| width(text) + 1);
    let room = columns.saturating_sub(taken + 2);
    // What the next key does goes before what has happened.
    let warning = || message(state, room).filter(|_| state.warns_of_leaving());
    let message = warning()
        .or_else(|| key_cast.ended(state))
        .or_else(|| message(state, room))
        .or_else(|| key_cast.waits(state, room))
        .or_else(|| key_cast.caption(state, room))
        .or_else(|| to_the_experiments(state).filter(|_| buffer.area.height < FULL.1));
    let taken = spans_width(&key) + message.as_deref().map_or(0, |text| width(text) + 2);
    let room = columns.saturating_sub(taken);
    let right = match least {
        // The timer stays, whatever else is said.
        Some(least) => {
            let (timing, words) = (Timing::of(state), state.interface());
            let drift = timing.drift(words);
            let choices = [
                format!("{} ({drift}) · {}", timing.of_stage(words), timing.of_all(words)),
                format!("{} ({drift})", timing.of_stage(words)),
            ];
            let fitting = choices.into_iter().find(|text| width(text) < room);
            Span::styled(format!("{} ", fitting.unwrap_or(least)), theme.strong)
        }
        // Where both have no room, what has just happened matters more.
        None => match state.cost_line().filter(|cost| width(cost) < room) {
            Some(cost) => Span::styled(format!("{cost} "), theme.dim),
            None => Span::default(),
        },
    };
    let room = columns.saturating_sub(width(&right.content) + usize::from(!right.content.is_empty()));
    Line::from(right).right_aligned().render(area, buffer);
    let text = message.map(|text| Span::styled(format!(" {text}"), theme.strong));
    let spans: Vec<Span<'static>> = key.into_iter().chain(text).collect();
    if !spans.is_empty() {
        cut(spans, room).render(area, buffer);
    }
}

/// The time in few columns, `stage 9/9 02:10 · 1:05 ahead`.
fn least_time(state: &State) -> String {
    let (timing, words) = (Timing::of(state), state.interface());
    let stage = format!("{} {}/{}", words.say("stage"), timing.stage, timing.stages);
    format!("{stage} {} · {}", clock(timing.spent), timing.drift(words))
}

fn too_small(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (columns, rows) = SINGLE;
    let [clean_up, quit, back] = ["clean_up", "quit", "back"].map(|name| names::first(name, &state.view().keys));
    let text = if state.view().is_asking_to_quit() {
        let left = state.leftovers().len();
        format!("If you leave now, {left} things stay. {clean_up} cleans up first, {quit} leaves, {back} goes back.")
    } else if state.is_asking_to_resume() {
        let [go_on, afresh] = ["advance", "start_afresh"].map(|name| names::first(name, &state.view().keys));
        format!(
            "There is a saved session. {go_on} resumes it, {afresh} starts over, {quit} quits. Enlarge the window to \
             read more."
        )
    } else if state.is_asking_for_consent() {
        format!("The lab asks before it creates things in your account. Enlarge the window to answer. {back} says no.")
    } else {
        format!(
            "kmslab needs {columns}×{rows}, this window has {}×{}. Enlarge it, or use `kmslab --plain`. {quit} quits.",
            area.width, area.height
        )
    };
    Paragraph::new(wrap_plain(&state.interface().sentence(&text), theme.base, area.width.into())).render(area, buffer);
}

/// What has just happened; under the last stage, that it was the last, in what fits into `columns`.
fn message(state: &State, columns: usize) -> Option<String> {
    let finished = || {
        let is_last = state.view().shown.next().is_none() && state.check(state.view().shown).is_some();
        // In the debrief the header says it.
        let is_in_header = state.view().overlay == Some(Overlay::Debrief);
        (is_last && !is_in_header).then(|| {
            let score = score::after_summary(state);
            let (words, summary) = (state.interface(), state.summary_in(state.interface()));
            let end = |text: &str| words.fill("End of the lab: {}.", &[&text]);
            let choices = [end(&format!("{summary}{score}")), end(&summary)];
            choices.into_iter().find(|text| width(text) <= columns).unwrap_or(summary)
        })
    };
    let message = state.view().message.clone().or_else(|| state.offer());
    message.map(|text| state.interface().sentence(&text)).or_else(finished)
}

/// Under the lab's last reading: the experiments, before clean-up removes everything.
fn to_the_experiments(state: &State) -> Option<String> {
    let is_read =
        state.view().shown == Stage::ViewAgain && state.view().experiment.is_none() && state.has_experiments();
    let is_met = is_read && !state.is_drilling() && state.check(Stage::ViewAgain).is_some_and(|check| check.met);
    let (key, count) = (names::first("bench", &state.view().keys), Experiment::ALL.len());
    let text = "{}: {} experiments that break this (only before clean-up)";
    is_met.then(|| state.interface().fill(text, &[&key, &count]))
}

/// The badge: where the calls go.
pub(super) fn backend_name(backend: &Backend, services: &[ServicePlace]) -> String {
    match (backend.kind, backend.host()) {
        _ if !services.is_empty() => truncate(&in_short(services), 56),
        (BackendKind::Sandbox, _) => "SANDBOX".to_owned(),
        (_, None) => "AWS".to_owned(),
        (_, Some(host)) => truncate(host, 28),
    }
}

/// Where the calls go within AWS. The sandbox's region is fictional.
fn region(state: &State, style: Style) -> Span<'static> {
    match state.backend().kind {
        BackendKind::Sandbox => Span::default(),
        _ => Span::styled(format!(" {} ", state.backend().region), style),
    }
}

/// What is on the screen: the stage, the experiment or the drill, with its number.
fn place(state: &State, theme: &Theme) -> Vec<Span<'static>> {
    let (stage, is_opening) = (state.view().shown, state.view().opening);
    let level = drill::title(state);
    let (number, title) = match state.view().experiment {
        None if is_opening => (String::new(), state.lesson().frame.opening.title.as_str()),
        _ if state.is_drilling() => (drill::number(state), level.as_str()),
        Some(which) => (experiments::number(which), state.experiment(which).title.as_str()),
        None => (format!("{}/{}", stage.number(), Stage::ALL.len()), state.text(stage).title),
    };
    let mut left = vec![Span::styled(" kmslab  ", theme.bar.patch(theme.dim))];
    if state.view().overlay == Some(Overlay::Debrief) {
        left.push(Span::styled(format!(" {}", debrief::title(state)), theme.title));
    } else {
        left.extend((!is_opening).then(|| Span::styled(format!(" {number} "), theme.title)));
        left.push(Span::styled(format!(" {title}"), theme.title));
    }
    left
}

fn header(state: &State, theme: &Theme, key_cast: &KeyCast, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, theme.bar);
    let columns = usize::from(area.width);
    let stage = state.view().shown;
    let dim = theme.bar.patch(theme.dim);
    let is_opening = state.view().opening;
    let is_debrief = state.view().overlay == Some(Overlay::Debrief);
    let mut left = place(state, theme);
    let stages = Stage::ALL.into_iter().filter(|_| !is_opening).map(|each| {
        let (sign, _, looks) = overlay::progress(state, each, theme);
        Span::styled(sign, if each == stage { theme.focus } else { theme.bar.patch(looks) })
    });
    // What was recorded has nothing to do with where calls go now.
    let (badge, region) = match state.replay_time() {
        Some(time) => (Span::styled(format!("{}{time} ", verdict::replay(theme)), theme.replay()), Span::default()),
        None => (
            Span::styled(format!(" {} ", backend_name(state.backend(), state.services())), theme.badge),
            region(state, dim),
        ),
    };
    let space = |spans: usize| Span::styled(" ".repeat(spans), theme.bar);
    // The badge is the last to go: where the calls go must be clear.
    let progress: Vec<Span<'static>> = match () {
        () if is_debrief => {
            // With a space before and three before the badge.
            let taken = spans_width(&left) + spans_width(&[badge.clone(), region.clone()]) + 5;
            debrief::progress(state, theme, columns.saturating_sub(taken))
        }
        () if state.is_drilling() => drill::score(state, theme),
        () => stages.collect(),
    };
    let with_progress = |rest: &[Span<'static>]| [&progress, rest].concat();
    let mut right = with_progress(&[space(3), badge.clone(), region.clone()]);
    let mut less = vec![with_progress(&[space(1), badge.clone(), region.clone()])];
    less.extend([vec![badge.clone(), region], vec![badge]]);
    for less in less {
        if spans_width(&left) + 2 + spans_width(&right) <= columns {
            break;
        }
        right = less;
    }
    if key_cast.is_playing() {
        let play = format!(" {} ", state.interface().say("PLAY"));
        right.splice(0..0, [Span::styled(play, theme.focus), space(1)]);
    }
    let room = columns.saturating_sub(spans_width(&right));
    if spans_width(&left) + 1 > room {
        left = cut(left, room.saturating_sub(1)).spans;
    }
    let gap = room.saturating_sub(spans_width(&left));
    left.push(space(gap));
    left.extend(right);
    Line::from(left).render(area, buffer);
}

/// Columns between two keys of the footer.
fn gap(area: Rect) -> usize {
    if area.width < 100 { 2 } else { 3 }
}

/// The keys of the footer with their columns.
pub fn footer_hints(state: &State, area: Rect, screen: Rect) -> Vec<(Range<u16>, KeyHint)> {
    let gap = gap(area);
    let columns_of = |hint: &KeyHint| width(&hint.keys) + 1 + width(&hint.label) + gap;
    // The gap after the last one need not fit.
    let columns = usize::from(area.width).saturating_sub(2) + gap;
    let mut at = area.x + 1;
    let placed = |hint: KeyHint| {
        let from = at;
        at = at.saturating_add(u16::try_from(columns_of(&hint)).unwrap_or(u16::MAX));
        (from..at, hint)
    };
    hints::footer(state, screen, columns, columns_of).into_iter().map(placed).collect()
}

fn footer(state: &State, theme: &Theme, area: Rect, screen: Rect, buffer: &mut Buffer) {
    let gap = gap(area);
    let mut spans = vec![Span::raw(" ")];
    for (_, hint) in footer_hints(state, area, screen) {
        spans.push(Span::styled(hint.keys, if hint.is_next { theme.focus } else { theme.hint }));
        spans.push(Span::styled(format!(" {}{}", hint.label, " ".repeat(gap)), theme.dim));
    }
    Line::from(spans).render(area, buffer);
}
