//! The body of a pane, which scrolls: a call's answer in one of the four views.

use ratatui::layout::Size;
use ratatui::text::{Line, Span};

use crate::lab::{Call, Exchange, Identity, Operation, Path, Stage, State, Status, ViewMode};

use super::text::{labeled, wrap_plain};
use super::theme::Theme;
use super::{cli, diff, json, path, summary};

/// The lines of the pane of `identity`, as wide as `size`; its height only says whether there is room for details.
pub fn lines(state: &State, identity: Identity, theme: &Theme, size: Size) -> Vec<Line<'static>> {
    let columns = usize::from(size.width);
    let calls = state.calls(identity);
    match state.selected(identity).and_then(|selected| calls.get(selected)) {
        Some(Call::Answered(exchange)) => answered(state, exchange, theme, columns, size.height),
        Some(Call::Waiting(pending)) => match state.view().mode {
            ViewMode::Cli => command(state, identity, &pending.operation, theme, columns),
            _ if matches!(*pending.operation, Operation::Scan { .. }) => {
                path::rows(state, identity, &Path::waiting(identity.name()), theme, columns)
            }
            _ => wrap_plain(state.interface().say("sent; no response yet"), theme.dim, columns),
        },
        Some(Call::Held(operation)) => held(state, identity, operation, theme, columns),
        None => outline(state, identity, theme, columns),
    }
}

fn command(
    state: &State,
    identity: Identity,
    operation: &Operation,
    theme: &Theme,
    columns: usize,
) -> Vec<Line<'static>> {
    cli::lines(&state.command(identity, operation), theme, columns)
}

/// The lines of a held call: for a key policy, the statements that it changes.
fn held(state: &State, identity: Identity, operation: &Operation, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let policy = match operation {
        Operation::PutKeyPolicy { policy, .. } => policy.as_str(),
        _ => "",
    };
    match (state.view().mode, state.policy_diff(policy)) {
        (ViewMode::Cli, _) => command(state, identity, operation, theme, columns),
        (ViewMode::Json, _) | (_, None) => {
            json::pretty(&serde_json::from_str(policy).unwrap_or_default(), theme, columns)
        }
        (_, Some(diff)) if diff.is_empty() => {
            let text = "Nothing changes: the policy already says all of this.";
            wrap_plain(state.interface().say(text), theme.base, columns)
        }
        (_, Some(diff)) => diff::lines(&diff, state.interface(), theme, columns),
    }
}

fn heading(text: &str, state: &State, theme: &Theme) -> Line<'static> {
    let text = state.interface().sentence(text);
    Line::from(Span::styled(text, theme.dim))
}

/// The bodies of answer and request.
fn bodies(state: &State, exchange: &Exchange, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = match &exchange.answer.response {
        Ok(response) => json::pretty(&response.body, theme, columns),
        Err(none) => {
            wrap_plain(&state.interface().sentence(&format!("no response: {}", none.message)), theme.base, columns)
        }
    };
    lines.extend([Line::default(), heading("request", state, theme)]);
    lines.extend(json::pretty(&exchange.answer.request, theme, columns));
    lines
}

fn answered(state: &State, exchange: &Exchange, theme: &Theme, columns: usize, rows: u16) -> Vec<Line<'static>> {
    match state.view().mode {
        ViewMode::Summary => {
            let mut lines = path::block(state, exchange, theme, columns);
            lines.extend(summary::lines(exchange, state.facts_of_calls(), state.interface(), theme, columns));
            if matches!(exchange.operation, Operation::Scan { .. }) && lines.len() > usize::from(rows) {
                // Items without scrolling are worth more than the space between them.
                lines.retain(|line| !line.spans.is_empty());
            }
            lines
        }
        ViewMode::Json => bodies(state, exchange, theme, columns),
        ViewMode::Http => {
            let mut lines = json::http_message(&exchange.answer.wire.request, theme, columns);
            lines.extend([Line::default(), heading("response", state, theme)]);
            match &exchange.answer.response {
                Ok(_) => lines.extend(json::http_message(&exchange.answer.wire.response, theme, columns)),
                Err(none) => lines.extend(wrap_plain(&none.message, theme.base, columns)),
            }
            lines
        }
        ViewMode::Cli => command(state, exchange.identity, &exchange.operation, theme, columns),
    }
}

/// The calls that will be sent, or that come next, and earlier paths of the same calls.
fn outline(state: &State, identity: Identity, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = state.interface();
    if let Some(path) = state.path_before(identity) {
        let before = wrap_plain(words.say("before"), theme.dim, columns);
        return [before, vec![Line::default(), path::earlier(&path, words, theme, columns)]].concat();
    }
    if state.is_idle(identity) {
        return if shows_key_policy(state, identity) { key_policy(state, theme, columns) } else { Vec::new() };
    }
    if matches!(state.shown().status, Status::Done(_)) {
        return wrap_plain(words.say("Nothing was sent."), theme.dim, columns);
    }
    let coming = state.outline().into_iter().filter(|(who, _)| *who == identity);
    coming.flat_map(|(_, call)| labeled(("○ ", theme.dim), (words.sentence(&call), theme.base), columns, 2)).collect()
}

/// Whether the pane of `identity`, which makes no call, shows the new key's policy instead.
pub fn shows_key_policy(state: &State, identity: Identity) -> bool {
    let is_done = matches!(state.shown().status, Status::Done(_)) && state.view().experiment.is_none();
    is_done && state.view().shown == Stage::CreateKey && state.is_idle(identity) && key_policy_call(state).is_some()
}

fn key_policy_call(state: &State) -> Option<&Exchange> {
    let mut calls = state.calls(Identity::Admin).into_iter();
    calls.find_map(|call| match call {
        Call::Answered(exchange) if matches!(exchange.operation, Operation::GetKeyPolicy { .. }) => Some(exchange),
        _ => None,
    })
}

/// The policy that a new key comes with.
fn key_policy(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let Some(exchange) = key_policy_call(state) else { return Vec::new() };
    summary::lines(exchange, state.facts_of_calls(), state.interface(), theme, columns)
}
