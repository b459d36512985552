//! One identity's pane: title, calls, verdict, answer.
//!
//! ```text
//! ━━ test-user ━ user/kmslab-user-4f2a ━━━━━━━━━━━━━━━ 1 of 2 ━   title; heavy: keys go here
//!  ▸ ✘ dynamodb:Scan            400                               the calls, where there are several
//!    …
//!
//!  ✘ DENIED                                                       the verdict
//!
//!  test-user ─▸ DynamoDB ✔ ─▸ KMS ✘ ─┤ no items                   the path of a Scan, and the response: scrolls
//!  …
//! ─────────────────────────────────────────── ▼ 9 more lines ─
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::lesson::interface::Interface;
use crate::lab::{Call, Exchange, Identity, Operation, State, Status, ViewMode};

use super::answer::{self, shows_key_policy};
use super::brief;
use super::layout::PanePlan;
use super::search;
use super::text::{cut, truncate, width};
use super::theme::Theme;
use super::verdict::{badge, verdict};

/// Draws the pane.
pub fn draw(state: &State, theme: &Theme, plan: &PanePlan, buffer: &mut Buffer) {
    let calls = state.calls(plan.identity);
    let selected = state.selected(plan.identity);
    title(state, theme, plan, buffer);
    list(state, &calls, selected, theme, plan, buffer);
    if let Some(call) = selected.and_then(|selected| calls.get(selected)) {
        let head = head(call, state, theme, plan.head.width.into());
        Paragraph::new(head).render(plan.head, buffer);
    }
    body(state, theme, plan, buffer);
    if plan.divided {
        divider(state, theme, plan, buffer);
    }
}

fn rule_style(state: &State, identity: Identity, theme: &Theme) -> (&'static str, Style) {
    if state.view().focus() == identity { ("━", theme.rule_focus) } else { ("─", theme.rule) }
}

/// Draws `text` from column `x` on, at most to column `end`, and returns the column after it.
fn put(buffer: &mut Buffer, x: u16, y: u16, end: u16, text: &str, style: Style) -> u16 {
    if x >= end {
        return x;
    }
    // Nothing of what lies under it may shine through: bold and dim together look different everywhere.
    let style = style.remove_modifier(Modifier::all() - style.add_modifier);
    buffer.set_stringn(x, y, text, usize::from(end - x), style).0
}

fn title(state: &State, theme: &Theme, plan: &PanePlan, buffer: &mut Buffer) {
    let area = plan.area;
    if area.is_empty() {
        return;
    }
    let (rule, style) = rule_style(state, plan.identity, theme);
    let (y, end) = (area.y, area.right());
    put(buffer, area.x, y, end, &rule.repeat(area.width.into()), style);
    // Which of the calls: at the right end.
    let calls = state.calls(plan.identity).len();
    // The last column of a divided pane is the divider's.
    let mut room = end.saturating_sub(u16::from(plan.divided));
    if let (Some(selected), 2..) = (state.selected(plan.identity), calls) {
        let text = format!(" {} ", state.interface().fill("{} of {}", &[&(selected + 1), &calls]));
        let x = end.saturating_sub(2).saturating_sub(width(&text).try_into().unwrap_or(u16::MAX)).max(area.x);
        put(buffer, x, y, end, &text, theme.dim);
        room = x.saturating_sub(1);
    }
    let mut x = area.x + 1;
    for identity in Identity::BOTH {
        let is_this = identity == plan.identity;
        let alone = area.width == buffer.area.width;
        if !is_this && !alone {
            continue;
        }
        let name = name(state, identity);
        x = put(
            buffer,
            x,
            y,
            room,
            &name,
            if is_this && state.view().focus() == identity { theme.focus } else { theme.dim },
        );
        if alone {
            // One pane at a time: the titles are tabs, and both verdicts stay in view.
            let calls = state.calls(identity);
            if let Some(call) = state.selected(identity).and_then(|selected| calls.get(selected)) {
                let (sign, word, looks) = verdict(call, theme);
                x = put(buffer, x, y, room, &format!(" {sign} {word} "), looks.text);
            }
            x = put(buffer, x, y, room, &rule.repeat(2), style);
        }
    }
    // Before the calls, who signs is not what a question is about.
    let is_shown = state.shown().status != Status::Todo && state.view().focus() == plan.identity;
    if let Some(caller) = state.facts_of_calls().caller(plan.identity).filter(|_| is_shown) {
        let tail = caller.arn.rsplit(':').next().unwrap_or(&caller.arn);
        let space = usize::from(room.saturating_sub(x + 1));
        if space > 6 {
            put(buffer, x + 1, y, room, &format!(" {} ", truncate(tail, space - 2)), theme.dim);
        }
    }
}

/// The name of an identity in its pane's title: with a sign where it makes no call.
fn name(state: &State, identity: Identity) -> String {
    match state.is_idle(identity) {
        true if shows_key_policy(state, identity) => format!(" {} ", state.interface().say("key policy")),
        true => format!(" {} ○ ", identity.name()),
        false => format!(" {} ", identity.name()),
    }
}

fn list(
    state: &State,
    calls: &[Call<'_>],
    selected: Option<usize>,
    theme: &Theme,
    plan: &PanePlan,
    buffer: &mut Buffer,
) {
    let rows = usize::from(plan.list.height);
    let words = state.interface();
    let selected = selected.unwrap_or(0);
    // The selected call in the middle, as far as the ends allow.
    let first = selected.saturating_sub(rows / 2).min(calls.len().saturating_sub(rows));
    for (row, (index, call)) in calls.iter().enumerate().skip(first).take(rows).enumerate() {
        let (sign, _, looks) = verdict(call, theme);
        let action = call.operation().action();
        let status = match call {
            Call::Answered(exchange) if state.view().mode != ViewMode::Summary => status(exchange),
            _ => String::new(),
        };
        let is_selected = index == selected;
        // A longer sign takes its columns from the gap after the action.
        let rest = 29_usize.saturating_sub(width(sign));
        let spans = vec![
            Span::styled(if is_selected { "▸ " } else { "  " }, theme.strong),
            Span::styled(format!("{sign} "), looks.text),
            Span::styled(format!("{action:<rest$} "), if is_selected { theme.strong } else { theme.base }),
            Span::styled(status, theme.dim),
            Span::styled(
                match () {
                    () if state.is_undo(call) => format!("  {}", words.say("undo")),
                    () if state.is_later(call) => "  +5 min".to_owned(),
                    () => String::new(),
                },
                theme.hint,
            ),
        ];
        let line = Rect { y: plan.list.y + u16::try_from(row).unwrap_or(0), height: 1, ..plan.list };
        cut(spans, plan.list.width.into()).render(line, buffer);
    }
}

fn status(exchange: &Exchange) -> String {
    exchange.answer.response.as_ref().map(|response| response.status.to_string()).unwrap_or_else(|_| "none".to_owned())
}

/// The verdict. Unless it is above a summary: with the request, and the service's id of it.
fn head(call: &Call<'_>, state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = state.interface();
    let is_summary = state.view().mode == ViewMode::Summary && !matches!(call, Call::Held(_));
    let operation = call.operation();
    // Of an ARN the end: the rest is in the answer, and no row has room for it all.
    let subject = operation.subject();
    let subject = if subject.starts_with("arn:") { subject.rsplit('/').next().unwrap_or(subject) } else { subject };
    let request = vec![
        Span::styled(format!("{} ", operation.action()), theme.strong),
        Span::styled(subject.to_owned(), theme.base),
    ];
    let mut verdict = badge(call, state, theme);
    let mut id = Vec::new();
    let attempt = match call {
        Call::Waiting(pending) => {
            verdict.push(Span::styled(format!("  {}", brief::spinner(state.ticks())), theme.strong));
            pending.attempt
        }
        Call::Held(_) => {
            let text = words.say("this call replaces the whole policy");
            verdict.push(Span::styled(format!("  {text}"), theme.strong));
            1
        }
        Call::Answered(exchange) if is_summary => {
            if state.is_later(call) {
                verdict.push(Span::styled(format!("  {}", words.sentence("after 5 min")), theme.hint));
            }
            exchange.attempt
        }
        Call::Answered(exchange) => {
            verdict.extend(response(exchange, state.is_later(call), words, theme));
            let response = exchange.answer.response.as_ref().ok();
            let text = response.and_then(|response| response.request_id.as_deref()).unwrap_or("none");
            id.push(Span::styled(format!("request id {text}"), theme.dim));
            exchange.attempt
        }
    };
    if state.is_undo(call) {
        verdict.push(Span::styled(format!(" · {}", words.say("undo")), theme.hint));
    }
    if attempt > 1 {
        verdict.push(Span::styled(format!(" · {}", words.fill("attempt {}", &[&attempt])), theme.dim));
    }
    if is_summary {
        // Of a Scan the path says more.
        let is_scan = matches!(operation, Operation::Scan { .. });
        let action = if is_scan { String::new() } else { format!("  {}", operation.action()) };
        verdict.push(Span::styled(action, theme.base));
        return vec![cut(verdict, columns)];
    }
    [request, verdict, id].map(|spans| cut(spans, columns)).to_vec()
}

/// The response's status, how long it took and how many tries; `is_later`: the first after five idle minutes.
fn response(exchange: &Exchange, is_later: bool, words: Interface<'_>, theme: &Theme) -> Vec<Span<'static>> {
    let took = milliseconds(exchange.answer.duration_us);
    let mut spans = match &exchange.answer.response {
        Ok(response) => vec![
            Span::styled(format!("  HTTP {}", response.status), theme.base),
            // In a narrow pane one of the two has room, and how long this took is no surprise.
            match is_later {
                true => Span::styled(format!(" · {}", words.sentence("after 5 min")), theme.hint),
                false => Span::styled(format!(" · {took}"), theme.dim),
            },
        ],
        Err(_) => vec![Span::styled(format!("  {} · {took}", words.say("no response")), theme.dim)],
    };
    if exchange.answer.tries > 1 {
        let text = words.fill("{} tries", &[&exchange.answer.tries]);
        spans.push(Span::styled(format!(" · {text}"), theme.dim));
    }
    spans
}

/// A duration in milliseconds, to three figures at most.
fn milliseconds(micros: u64) -> String {
    // A recorded one may be any number.
    let tenths = micros.saturating_add(50) / 100;
    if tenths < 1_000 {
        format!("{}.{} ms", tenths / 10, tenths % 10)
    } else {
        format!("{} ms", micros.saturating_add(500) / 1_000)
    }
}

fn body(state: &State, theme: &Theme, plan: &PanePlan, buffer: &mut Buffer) {
    let lines = answer::lines(state, plan.identity, theme, plan.body.as_size());
    let (total, height) = (lines.len(), usize::from(plan.body.height));
    let found = plan.found(state);
    let scroll = found.as_ref().map_or(state.view().scroll(plan.identity), |found| found.scroll);
    let first = usize::from(scroll).min(total.saturating_sub(height));
    let lines = match (&found, state.view().search()) {
        (Some(found), Some(search)) => found.highlighted(lines, search.query(), theme),
        _ => lines,
    };
    let shown: Vec<Line<'static>> = lines.into_iter().skip(first).take(height).collect();
    Paragraph::new(shown).render(plan.body, buffer);
    let count = found.map(|found| found.count());
    bottom(state, theme, plan, (first, total.saturating_sub(first + height)), count, buffer);
}

/// The line under the body: how the answer is shown, and how much more there is, or how a search goes.
fn bottom(
    state: &State,
    theme: &Theme,
    plan: &PanePlan,
    (above, below): (usize, usize),
    found: Option<(usize, usize)>,
    buffer: &mut Buffer,
) {
    let area = plan.area;
    if area.height < 2 {
        return;
    }
    let (y, end) = (area.bottom() - 1, area.right());
    put(buffer, area.x, y, end, &"─".repeat(area.width.into()), theme.rule);
    let words = state.interface();
    let mut x = area.x + 1;
    if let Some(call) = state.selected_call(plan.identity) {
        // What is not sent yet has no HTTP: there it is what it changes.
        let mode = match (state.view().mode, call) {
            (ViewMode::Http, Call::Held(_)) => ViewMode::Summary,
            (mode, _) => mode,
        };
        if mode != ViewMode::Summary {
            x = put(buffer, x, y, end, &format!(" {} ", words.word(mode.name())), theme.dim);
        }
    }
    let room = usize::from(end.saturating_sub(3).saturating_sub(x)).saturating_sub(2);
    let text = match (above, below) {
        _ if found.is_some() => format!(" {} ", search::way_out(state, String::new(), found.unwrap_or_default(), room)),
        (0, 0) => return,
        (0, 1) => format!(" ▼ {} ", words.fill("{} more line", &[&1])),
        (0, below) => format!(" ▼ {} ", words.fill("{} more lines", &[&below])),
        (1, 0) => format!(" ▲ {} ", words.fill("{} line above", &[&1])),
        (above, 0) => format!(" ▲ {} ", words.fill("{} lines above", &[&above])),
        (above, below) => {
            format!(" ▲ {} ▼ {} ", words.fill("{} above", &[&above]), words.fill("{} more", &[&below]))
        }
    };
    let columns = u16::try_from(width(&text)).unwrap_or(u16::MAX);
    put(buffer, end.saturating_sub(2 + columns).max(x), y, end.saturating_sub(1), &text, theme.strong);
}

/// The line between the panes.
fn divider(state: &State, theme: &Theme, plan: &PanePlan, buffer: &mut Buffer) {
    let (x, top, bottom) = (plan.area.right().saturating_sub(1), plan.area.top(), plan.area.bottom());
    for y in top..bottom {
        let symbol = match (y, state.view().focus()) {
            (y, Identity::Admin) if y == top => "┭",
            (y, Identity::TestUser) if y == top => "┮",
            (y, _) if y + 1 == bottom => "┴",
            _ => "│",
        };
        put(buffer, x, y, x + 1, symbol, theme.rule);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0.0 ms")]
    #[case(1_749, "1.7 ms")]
    #[case(99_949, "99.9 ms")]
    #[case(99_951, "100 ms")]
    #[case(1_234_567, "1235 ms")]
    #[case(u64::MAX, "18446744073709551 ms")]
    fn durations_are_short(#[case] micros: u64, #[case] text: &str) {
        assert_eq!(milliseconds(micros), text);
    }
}
