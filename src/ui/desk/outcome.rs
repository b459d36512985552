//! What was sent, and what became of it: the rung of the ladder that moved, and AWS's own words.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::lab::feature::attempts::Came;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::{Call, Exchange, Identity, State, Verdict};

use super::super::extent;
use super::super::path;
use super::super::text::{cut, labeled, width, wrap};
use super::super::theme::Theme;
use super::super::verdict;
use super::{PATH, at, rule};

/// The column where the text of a rung begins.
const RUNG: usize = 25;

/// The lines.
pub fn lines(state: &State, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let words = state.interface();
    let columns = usize::from(area.width).saturating_sub(1);
    let exchanges: Vec<&Exchange> = state.shown().exchanges().collect();
    let scan = exchanges.iter().rev().find(|exchange| exchange.identity == Identity::TestUser);
    let sent = exchanges.iter().filter(|exchange| exchange.identity == Identity::Admin);
    let is_read = |name: &str| ["Get", "List", "Scan"].iter().any(|read| name.starts_with(read));
    let sent: Vec<&&Exchange> = sent.filter(|exchange| !is_read(exchange.operation.name())).collect();
    let is_roomy = area.height >= 23;
    let gap = |lines: &mut Vec<Line<'static>>| lines.extend(is_roomy.then(Line::default));
    let mut lines = vec![Line::default()];
    let (text, looks) = headline(state, theme);
    lines.extend(labeled((" ", looks), (text, looks), columns, 1));
    lines.push(Line::default());
    lines.push(rule(words.say("you sent"), "", false, theme, area.width));
    let about = state.attempts().sent().map(|sent| state.sent_in_short(sent)).unwrap_or_default();
    for exchange in &sent {
        let (sign, _, looks) = verdict::verdict(&Call::Answered(exchange), theme);
        let is_it = state.attempts().sent().is_some_and(|sent| sent.mechanism.call() == exchange.operation.name());
        let mut spans = vec![Span::styled(format!(" {sign} "), looks.text)];
        spans.push(Span::styled(exchange.operation.action(), theme.strong));
        if is_it && Some(exchange.id) == sent.last().map(|last| last.id) {
            spans = at(spans, 24, format!("+ {about}"), theme.base);
        }
        lines.push(cut(spans, area.width.into()));
    }
    let refused = sent.last().filter(|exchange| scan.is_none() && !exchange.is_allowed());
    if let Some(exchange) = scan {
        let title = words.fill("both: {}, sent just now", &[&exchange.operation.action()]);
        lines.push(rule(&title, "", true, theme, area.width));
        gap(&mut lines);
        let column = verdict_columns(exchange, theme);
        let (others, own) = paths(state, &exchanges, column, theme);
        lines.extend(own.into_iter().filter(|_| is_roomy || exchange.is_allowed()));
        lines.extend(ladder(state, exchange, theme, area, is_roomy));
        // Where rows are few, AWS's words are worth more than what hasn't changed.
        lines.extend(others.into_iter().filter(|_| is_roomy || exchange.is_allowed()));
        gap(&mut lines);
        lines.extend(opened(state, column, theme, columns));
    }
    if let Some(exchange) = scan.copied().or(refused.map(|exchange| **exchange)) {
        gap(&mut lines);
        lines.extend(own_words(exchange, theme, columns));
        if is_same_message(state, exchange) && state.rungs().iter().any(|rung| rung.before.is_some()) {
            gap(&mut lines);
            let text =
                "AWS's message is the same as before. It names one policy type; it doesn't mention your statement.";
            lines.extend(labeled((" ", theme.strong), (words.say(text).to_owned(), theme.strong), columns, 1));
        }
    }
    lines
}

/// The other caller's paths, and the one of test-user's Scan before the attempt, below the verdict's column.
fn paths(
    state: &State,
    exchanges: &[&Exchange],
    column: usize,
    theme: &Theme,
) -> (Vec<Line<'static>>, Option<Line<'static>>) {
    let now = |identity: Identity| {
        let mut calls = exchanges.iter().rev().filter(|exchange| exchange.identity == identity);
        calls.find_map(|exchange| state.path_of(exchange))
    };
    let row = |(label, path): (String, Vec<Span<'static>>)| {
        let mut spans = at(vec![Span::styled(format!("   {label}"), theme.dim)], column, "", theme.base);
        spans.extend(path);
        Line::from(spans)
    };
    let rows = extent::paths(state, now, theme, PATH);
    let is_own = |(_, path): &(String, Vec<Span<'static>>)| {
        path.first().is_some_and(|span| span.content == Identity::TestUser.name())
    };
    let own = rows.iter().find(|row| is_own(row)).filter(|(label, _)| label == state.interface().say("before"));
    let own = own.cloned().map(row);
    (rows.into_iter().filter(|row| !is_own(row)).map(row).collect(), own)
}

/// What the attempt opens, once it has let test-user read.
fn opened(state: &State, column: usize, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let Some(opened) = state.extent().filter(|_| state.attempts().came() == Some(Came::Allowed)) else {
        return Vec::new();
    };
    let rows = extent::rows(&opened, state.interface());
    let column = rows.iter().map(|(label, _)| width(label) + 6).max().unwrap_or(0).max(column);
    let row = |(label, text): (String, String)| {
        let lead = at(vec![Span::styled(format!("   {label}"), theme.dim)], column, "", theme.base);
        wrap(lead, vec![Span::styled(text, theme.base)], columns, column)
    };
    rows.into_iter().flat_map(row).collect()
}

/// The columns before the path beside a verdict.
fn verdict_columns(exchange: &Exchange, theme: &Theme) -> usize {
    let (sign, word, _) = verdict::verdict(&Call::Answered(exchange), theme);
    width(sign) + width(word) + 6
}

fn headline(state: &State, theme: &Theme) -> (String, Style) {
    let (sign, looks) = match state.attempts().came() {
        None => (theme.signs.waiting, theme.waiting.text),
        Some(Came::Rejected) => (theme.signs.failed, theme.failed.text),
        Some(Came::Refused) => (theme.signs.denied, theme.denied.text),
        Some(Came::Allowed) => (theme.signs.allowed, theme.allowed.text),
    };
    (format!("{sign} {}", said(state)), looks)
}

/// What became of the attempt, in a sentence.
pub fn said(state: &State) -> String {
    let (words, attempts) = (state.interface(), state.attempts());
    let mechanism = attempts.sent().map_or(Mechanism::KeyPolicy, |sent| sent.mechanism);
    let service = if mechanism == Mechanism::IamPolicy { "IAM" } else { "KMS" };
    let text = match (attempts.came(), mechanism) {
        (None, _) => "sent as you wrote it: waiting for the responses",
        (Some(Came::Allowed), _) => "As you wrote it, test-user can read. Stage 7 is done.",
        (Some(Came::Refused), Mechanism::Grant) => "Not yet. KMS created your grant, and test-user is still refused.",
        (Some(Came::Rejected), _) => return words.fill("{} rejected it. Nothing has changed.", &[&service]),
        (Some(Came::Refused), _) => {
            return words.fill("Not yet. {} stored your policy, and test-user is still refused.", &[&service]);
        }
    };
    words.say(text).to_owned()
}

/// The verdict of the Scan, and the rungs that hang from the node that decided.
fn ladder(state: &State, exchange: &Exchange, theme: &Theme, area: Rect, is_roomy: bool) -> Vec<Line<'static>> {
    let words = state.interface();
    let (sign, word, looks) = verdict::verdict(&Call::Answered(exchange), theme);
    let mut spans = vec![Span::raw(" "), Span::styled(format!(" {sign} {word} "), looks.badge), Span::raw("  ")];
    let before: usize = spans.iter().map(|span| width(&span.content)).sum();
    let path = state.path_of(exchange).map(|path| path::line(&path, words, theme, PATH).spans).unwrap_or_default();
    let is_table = matches!(&exchange.verdict, Verdict::Denied(denied) if denied.action.as_deref().is_some_and(|action| action.starts_with("dynamodb:")));
    // The ladder hangs from the sign behind the service's name.
    let service = if is_table { "DynamoDB " } else { "KMS " };
    let node = path.iter().position(|span| span.content == service).map_or(0, |at| at + 1);
    let drop: usize = path.iter().take(node).map(|span| width(&span.content)).sum();
    spans.extend(path);
    let mut lines = vec![Line::from(spans)];
    let rungs = state.rungs();
    if rungs.is_empty() {
        return lines;
    }
    let names = rungs.iter().map(|rung| width(words.word(rung.label)) + 10);
    let column = names.max().unwrap_or(RUNG).max(RUNG);
    let length = (before + drop).saturating_sub(4);
    lines.push(Line::from(Span::styled(format!("   ┌{}┘", "─".repeat(length)), theme.rule)));
    for (number, rung) in rungs.iter().enumerate() {
        let moved = rung.before.is_some();
        let looks = if moved { theme.strong } else { theme.base };
        let spans = vec![
            Span::styled("   ├─ ", theme.rule),
            Span::styled(format!("{}  {}", number + 1, words.word(rung.label)), theme.dim),
        ];
        let mut content = vec![Span::styled(words.sentence(&rung.now), looks)];
        if moved {
            content.push(Span::styled(format!("   ◀ {}", words.say("moved")), theme.focus));
        }
        let lead = at(spans, column, "", looks);
        lines.extend(wrap(lead, content, usize::from(area.width).saturating_sub(1), column));
        if let Some(before) = rung.before.as_ref().filter(|_| is_roomy) {
            let text = words.fill("before: {}", &[&words.sentence(before)]);
            let spans = at(vec![Span::styled("   │", theme.rule)], column, text, theme.dim);
            lines.push(cut(spans, area.width.into()));
        }
    }
    let (sign, text) = match &exchange.verdict {
        Verdict::Denied(denied) => {
            let action = denied.action.clone().unwrap_or_default();
            let is_explicit = denied.reason.as_deref().is_some_and(|reason| reason.contains("explicit deny"));
            let text =
                if is_explicit { "a Deny matches {}: an explicit deny" } else { "nothing allows {}: an implicit deny" };
            (looks_of(theme, false), words.fill(text, &[&action]))
        }
        _ => (looks_of(theme, true), words.say("one allow is enough").to_owned()),
    };
    lines.push(cut(
        vec![
            Span::styled("   └─ ", theme.rule),
            Span::styled(sign.0, sign.1),
            Span::styled(format!("  {text}"), theme.base),
        ],
        area.width.into(),
    ));
    lines
}

fn looks_of(theme: &Theme, allowed: bool) -> (&'static str, Style) {
    if allowed { (theme.signs.allowed, theme.allowed.text) } else { (theme.signs.denied, theme.denied.text) }
}

/// AWS's own words, from the principal on.
fn own_words(exchange: &Exchange, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let (code, message) = match &exchange.verdict {
        Verdict::Allowed => return Vec::new(),
        Verdict::Denied(denied) => (exchange.error_code().unwrap_or("AccessDenied"), &denied.message),
        Verdict::Failed(failure) => (failure.code.as_deref().unwrap_or("no response"), &failure.message),
    };
    let message = message.find("User: ").map_or(message.as_str(), |at| &message[at..]);
    let message = message.split(" (Service: ").next().unwrap_or(message);
    let mut lines = vec![Line::from(Span::styled(format!(" {code}"), theme.string))];
    lines.extend(labeled((" ", theme.string), (message.to_owned(), theme.string), columns, 1));
    lines
}

/// Whether AWS gives the reason that it gave in stage 6.
fn is_same_message(state: &State, exchange: &Exchange) -> bool {
    let reason = |exchange: &Exchange| match &exchange.verdict {
        Verdict::Denied(denied) => Some((denied.action.clone(), denied.reason.clone())),
        Verdict::Allowed | Verdict::Failed(_) => None,
    };
    let denied = state.record(crate::lab::Stage::ViewDenied).exchanges();
    let earlier = denied.filter(|exchange| exchange.identity == Identity::TestUser).filter_map(reason).next_back();
    earlier.is_some() && earlier == reason(exchange)
}
