//! A pane of a drill: a Scan, or the document that is looked at.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use serde_json::Value;

use crate::lab::drills::Current;
use crate::lab::lesson::interface::Interface;
use crate::lab::{Call, Exchange, Facts, Identity, Look, Operation, State, Verdict, key_policy};
use crate::ui::text::{truncate, width, wrap, wrap_plain};
use crate::ui::theme::Theme;
use crate::ui::verdict::badge;
use crate::ui::{brief, path, summary};

/// Draws the pane of `identity`, or of the document that is looked at.
pub fn draw(state: &State, theme: &Theme, identity: Option<Identity>, area: Rect, divided: bool, buffer: &mut Buffer) {
    if area.height < 2 {
        return;
    }
    let is_focused = match identity {
        Some(identity) => state.view().focus() == identity,
        None => state.view().focus() == Identity::Admin,
    };
    let (rule, style) = if is_focused { ("━", theme.rule_focus) } else { ("─", theme.rule) };
    let line = |symbol: &str, style: Style| Line::from(Span::styled(symbol.repeat(area.width.into()), style));
    line(rule, style).render(Rect { height: 1, ..area }, buffer);
    line("─", theme.rule).render(Rect { y: area.bottom() - 1, height: 1, ..area }, buffer);
    title(state, theme, identity, is_focused, area, buffer);
    let inner = Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height - 2 };
    let columns = usize::from(inner.width);
    let lines = match identity {
        Some(identity) => scan(state, theme, identity, columns, inner.height.into()),
        None => {
            let lines = document(state, theme, columns);
            let rows = usize::from(inner.height);
            let first = usize::from(state.view().scroll(Identity::Admin)).min(lines.len().saturating_sub(rows));
            more(state, theme, lines.len().saturating_sub(first + rows), area, buffer);
            lines.into_iter().skip(first).collect()
        }
    };
    Paragraph::new(lines).render(inner, buffer);
    if divided {
        divider(state, theme, area, buffer);
    }
}

fn title(state: &State, theme: &Theme, identity: Option<Identity>, is_focused: bool, area: Rect, buffer: &mut Buffer) {
    let looks = if is_focused { theme.focus } else { theme.dim };
    let room = usize::from(area.width.saturating_sub(3));
    let text = match identity {
        Some(identity) => format!(" {} ", identity.name()),
        None => {
            let look = state.drills().current().and_then(Current::look).unwrap_or(Look::KeyPolicy);
            let place = Look::ALL.iter().position(|other| *other == look).unwrap_or(0);
            format!(" {}  {} ", place + 1, look_name(state, look))
        }
    };
    buffer.set_stringn(area.x + 1, area.y, truncate(&text, room), room, looks);
    let caller = identity.and_then(|identity| state.shown_caller(identity));
    if let (Some(Identity::TestUser), Some(caller)) = (identity, caller) {
        let tail = caller.arn.rsplit(':').next().unwrap_or(&caller.arn);
        let at = area.x + 2 + u16::try_from(width(&text)).unwrap_or(0);
        let room = usize::from(area.right().saturating_sub(at + 1));
        if room > 6 {
            buffer.set_stringn(at, area.y, format!(" {} ", truncate(tail, room - 2)), room, theme.dim);
        }
    }
}

/// The name of a document.
pub fn look_name(state: &State, look: Look) -> &str {
    let words = &state.lesson().drills;
    words.word(match look {
        Look::KeyPolicy => "look_key_policy",
        Look::IamPolicies => "look_iam_policies",
        Look::Grants => "look_grants",
        Look::KeyState => "look_key_state",
    })
}

fn more(state: &State, theme: &Theme, below: usize, area: Rect, buffer: &mut Buffer) {
    if below == 0 {
        return;
    }
    let text = if below == 1 { "{} more line" } else { "{} more lines" };
    let text = format!(" ▼ {} ", state.interface().fill(text, &[&below]));
    let columns = u16::try_from(width(&text)).unwrap_or(u16::MAX);
    let x = area.right().saturating_sub(columns + 2).max(area.x);
    buffer.set_stringn(x, area.bottom() - 1, text, usize::from(area.width), theme.strong);
}

fn divider(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let x = area.right() - 1;
    for y in area.top()..area.bottom() {
        let symbol = match (y, state.view().focus()) {
            (y, Identity::Admin) if y == area.top() => "┭",
            (y, Identity::TestUser) if y == area.top() => "┮",
            (y, _) if y + 1 == area.bottom() => "┴",
            _ => "│",
        };
        buffer.set_stringn(x, y, symbol, 1, theme.rule);
    }
}

/// The newest Scan of `identity`: its verdict, its path, and AWS's error.
fn scan(state: &State, theme: &Theme, identity: Identity, columns: usize, rows: usize) -> Vec<Line<'static>> {
    let Some(exchange) = state.drill_scan(identity) else {
        return vec![Line::from(Span::styled(brief::spinner(state.ticks()), theme.strong))];
    };
    let gap = rows >= 12;
    let mut lines = Vec::new();
    lines.extend(gap.then(Line::default));
    let mut verdict = Line::from(badge(&Call::Answered(exchange), state, theme));
    let mut code = code(exchange, theme);
    // Where rows are few, the code has none of its own.
    if !gap && code.as_ref().is_some_and(|code| verdict.width() + 3 + code.width() <= columns) {
        verdict.push_span("   ");
        verdict.extend(code.take());
    }
    lines.push(verdict);
    lines.extend(gap.then(Line::default));
    if let Some(path) = state.path_of(exchange) {
        let is_named = state.drills().current().is_some_and(Current::has_lock);
        let path = if is_named { path } else { path.hidden() };
        lines.push(path::line(&path, state.interface(), theme, columns));
    }
    lines.extend((rows >= 10).then(Line::default));
    lines.extend(code.map(Line::from));
    lines.extend(message(exchange, theme, columns));
    if lines.len() > rows {
        lines.truncate(rows);
        let last = lines.pop().map(|last| cut_off(last, columns));
        lines.extend(last);
    }
    lines
}

/// The code of AWS's error.
fn code(exchange: &Exchange, theme: &Theme) -> Option<Span<'static>> {
    let code = exchange.error_code().filter(|_| exchange.verdict != Verdict::Allowed)?;
    Some(Span::styled(code.to_owned(), theme.denied.text))
}

/// AWS's error, without what the SDK's layers have put around it.
fn message(exchange: &Exchange, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let message = match &exchange.verdict {
        Verdict::Allowed => return Vec::new(),
        Verdict::Denied(denied) => denied.message.as_str(),
        Verdict::Failed(failure) => failure.message.as_str(),
    };
    wrap(Vec::new(), vec![Span::styled(plain(message), theme.string)], columns, 0)
}

/// A line that says that more would follow.
fn cut_off(line: Line<'static>, columns: usize) -> Line<'static> {
    let style = line.spans.last().map(|span| span.style).unwrap_or_default();
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    let text = if width(&text) < columns { text + "…" } else { truncate(&(text + "…"), columns) };
    Line::from(Span::styled(text, style))
}

/// KMS's sentence inside of DynamoDB's, with short ARNs.
pub fn plain(message: &str) -> String {
    let sentence = message.rsplit("Exception: ").next().unwrap_or(message);
    let sentence = sentence.split(" (Service: ").next().unwrap_or(sentence);
    let short = |word: &str| match word.strip_prefix("arn:").and_then(|arn| arn.splitn(5, ':').nth(4)) {
        Some(rest) => format!("…:{}", shorter(rest)),
        None => word.to_owned(),
    };
    sentence.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// `key/1234abcd-…` for a key's whole id.
fn shorter(resource: &str) -> String {
    let end = resource.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '-')).unwrap_or(resource.len());
    let (name, rest) = resource.split_at(end);
    match name.strip_prefix("key/").filter(|id| id.len() > 12).and_then(|id| id.split_once('-')) {
        Some((first, _)) => format!("key/{first}-…{rest}"),
        None => resource.to_owned(),
    }
}

/// The document that is looked at.
pub fn document(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let Some(look) = state.drills().current().and_then(Current::look) else { return Vec::new() };
    let words = &state.lesson().drills;
    let newest = |is_it: &dyn Fn(&Operation) -> bool| {
        let mut exchanges = state.shown().exchanges().rev();
        exchanges.find(|exchange| is_it(&exchange.operation))
    };
    let facts = Facts::default();
    let told = |exchange: Option<&Exchange>| match exchange {
        Some(exchange) => summary::lines(exchange, &facts, state.interface(), theme, columns),
        None => Vec::new(),
    };
    match look {
        Look::KeyPolicy => {
            let policy = newest(&|operation| matches!(operation, Operation::GetKeyPolicy { .. }));
            let text = policy.and_then(|exchange| exchange.body()?.get("Policy")?.as_str());
            of_policy(
                &text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
                state.interface(),
                theme,
                columns,
            )
        }
        Look::KeyState => told(newest(&|operation| matches!(operation, Operation::DescribeKey { .. }))),
        Look::Grants => {
            let grants = newest(&|operation| matches!(operation, Operation::ListGrants { .. }));
            let grants = grants.and_then(|exchange| exchange.body()?.get("Grants")?.as_array());
            grants.into_iter().flatten().flat_map(|grant| of_grant(state, grant, theme, columns)).collect()
        }
        Look::IamPolicies => {
            let attached = newest(&|operation| matches!(operation, Operation::ListAttachedUserPolicies { .. }));
            let mut lines = Vec::new();
            for name in names(attached, "/AttachedPolicies", "PolicyName") {
                lines.extend(wrap_plain(&words.fill("attached", &[&name]), theme.strong, columns));
            }
            let listed = newest(&|operation| matches!(operation, Operation::ListUserPolicies { .. }));
            for name in names(listed, "/PolicyNames", "") {
                lines.push(Line::default());
                lines.extend(wrap_plain(&words.fill("inline", &[&name]), theme.strong, columns));
                let is_it = |operation: &Operation| matches!(operation, Operation::GetUserPolicy { name: other, .. } if *other == name);
                let text = newest(&is_it).and_then(|exchange| exchange.body()?.get("PolicyDocument")?.as_str());
                lines.extend(of_policy(&text.and_then(decoded).unwrap_or_default(), state.interface(), theme, columns));
            }
            lines
        }
    }
}

/// The texts in a list of an answer: its elements, or a member of each.
fn names(exchange: Option<&Exchange>, list: &str, member: &str) -> Vec<String> {
    let elements = exchange.and_then(|exchange| exchange.body()?.pointer(list)?.as_array());
    let text = |element: &Value| element.get(member).unwrap_or(element).as_str().map(str::to_owned);
    elements.into_iter().flatten().filter_map(text).collect()
}

/// A policy document as IAM sends it, percent-encoded (RFC 3986).
fn decoded(text: &str) -> Option<Value> {
    let pair = format!("policy={text}");
    let (_, text) = form_urlencoded::parse(pair.as_bytes()).next()?;
    serde_json::from_str(&text).ok()
}

/// A policy's statements, one below the other.
fn of_policy(policy: &Value, words: Interface<'_>, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for statement in key_policy::statements(policy) {
        let indented = summary::value(statement, words, theme, columns.saturating_sub(2)).into_iter().enumerate();
        lines.extend(indented.map(|(at, line)| {
            let lead = Span::styled(if at == 0 { "• " } else { "  " }, theme.dim);
            Line::from([vec![lead], line.spans].concat())
        }));
    }
    lines
}

fn of_grant(state: &State, grant: &Value, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = &state.lesson().drills;
    let grantee = grant.get("GranteePrincipal").and_then(Value::as_str).unwrap_or_default();
    let operations = grant.get("Operations").and_then(Value::as_array);
    let operations: Vec<&str> = operations.into_iter().flatten().filter_map(Value::as_str).collect();
    let service = grantee.starts_with("dynamodb.").then(|| words.word("of_dynamodb").to_owned());
    let grantee = service.unwrap_or_else(|| grantee.rsplit(':').next().unwrap_or(grantee).to_owned());
    let text = words.fill("granted", &[&operations.join(", "), &grantee]);
    wrap(vec![Span::styled("• ", theme.dim)], vec![Span::styled(text, theme.base)], columns, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_sentence_stands_alone_and_its_arns_are_short() {
        let message = "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: \
            arn:aws:iam::111122223333:user/u is not authorized to perform: kms:Decrypt on resource: \
            arn:aws:kms:us-east-1:111122223333:key/b8753f27-20ca-438c-abb3-7d2e6bf4117d because no identity-based \
            policy allows the kms:Decrypt action (Service: AWSKMS; Status Code: 400; Proxy: null)";
        assert_eq!(
            plain(message),
            "User: …:user/u is not authorized to perform: kms:Decrypt on resource: …:key/b8753f27-… because no \
             identity-based policy allows the kms:Decrypt action"
        );
        assert_eq!(plain("short"), "short");
    }

    #[test]
    fn an_encoded_policy_is_decoded() {
        assert_eq!(decoded("%7B%22a%22%3A%20%22x%2B1%22%7D"), Some(serde_json::json!({"a": "x+1"})));
        assert_eq!(decoded("%7B"), None);
    }
}
