//! The debrief: one question at a time on an otherwise empty screen, then the card to keep.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Widget};

use crate::lab::State;
use crate::lab::debrief::{Asked, Entry, Item, Reply};
use crate::lab::lesson::CardLine;

use super::text::{width, wrap, wrap_plain};
use super::theme::Theme;
use super::{lesson, score};

/// The widest question.
const WIDEST: usize = 92;

/// The widest card, without its frame.
const WIDEST_CARD: usize = 98;

/// Draws the question or the card between header and footer.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    match state.debrief_question() {
        Some(asked) => question(state, &asked, theme, area, buffer),
        None => card(state, theme, area, buffer),
    }
}

/// The header's text: how far the debrief is, or how the lab went.
pub fn title(state: &State) -> String {
    let (debrief, words) = (state.debrief(), state.interface());
    match debrief.current() {
        Some(_) => number(state),
        None => words.say("the card to keep").to_owned(),
    }
}

/// Which question is shown, of how many.
pub fn number(state: &State) -> String {
    let (debrief, words) = (state.debrief(), state.interface());
    let (at, all) = debrief.number();
    match debrief.current() {
        Some(entry) if entry.again => words.fill("debrief   once more, {} of {}", &[&at, &all]),
        _ => words.fill("debrief   {} of {}", &[&at, &all]),
    }
}

/// A sign for each question of the debrief; for the card the score, in at most `columns`.
pub fn progress(state: &State, theme: &Theme, columns: usize) -> Vec<Span<'static>> {
    let debrief = state.debrief();
    let looks = |style| theme.bar.patch(style);
    if debrief.current().is_none() {
        let fitting = scores(state).into_iter().find(|text| width(text) <= columns);
        return fitting.map(|text| Span::styled(text, looks(theme.strong))).into_iter().collect();
    }
    let sign = |(at, entry): (usize, &Entry)| match entry.reply {
        Some(Reply { right: true, .. }) => Span::styled("✔", looks(theme.allowed.text)),
        Some(_) => Span::styled("✘", looks(theme.failed.text)),
        None if at == debrief.position() => Span::styled("●", theme.focus),
        None => Span::styled("○", looks(theme.dim)),
    };
    let is_again = debrief.current().is_some_and(|entry| entry.again);
    debrief.entries().iter().enumerate().filter(|(_, entry)| entry.again == is_again).map(sign).collect()
}

/// How the lab went: with the drills, without them, the stages alone.
fn scores(state: &State) -> Vec<String> {
    let stages = state.summary_in(state.interface());
    let right = state.score().map(|score| score::text(state, score)).filter(|text| !text.is_empty());
    let drills = (!state.drills().results().is_empty())
        .then(|| state.interface().fill("drills: {} points", &[&state.drills().points()]));
    let mut parts: Vec<String> = std::iter::once(stages).chain(right).chain(drills).collect();
    let mut choices = Vec::new();
    while !parts.is_empty() {
        choices.push(parts.join("   "));
        parts.pop();
    }
    choices
}

fn question(state: &State, asked: &Asked<'_>, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width.saturating_sub(3)).min(WIDEST);
    let mut lines = vec![Line::default()];
    lines.extend(lead(state, asked).iter().flat_map(|lead| wrap_plain(lead, theme.dim, columns)));
    lines.push(Line::default());
    lines.extend(wrap_plain(asked.text, theme.strong, columns));
    lines.push(Line::default());
    for (place, (letter, text)) in asked.answers.iter().enumerate() {
        let is_chosen = asked.reply.is_some_and(|(chosen, _)| chosen == Some(place));
        let (mark, looks) = if is_chosen { ("▸", theme.focus) } else { (" ", theme.base) };
        let lead =
            vec![Span::styled(format!(" {mark} "), theme.focus), Span::styled(format!("{letter}   "), theme.hint)];
        lines.extend(wrap(lead, vec![Span::styled((*text).to_owned(), looks)], columns, 7));
    }
    lines.push(Line::default());
    match asked.reply {
        Some((_, is_right)) => lines.extend(verdict(state, asked, is_right, theme, columns)),
        None => lines.extend(what_follows(state).iter().flat_map(|text| wrap_plain(text, theme.dim, columns))),
    }
    let place = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(2), ..area };
    Paragraph::new(lines).render(place, buffer);
}

/// What was said in the stage, or that a claim follows.
pub fn lead(state: &State, asked: &Asked<'_>) -> Option<String> {
    let words = state.interface();
    Some(match (asked.item, asked.again) {
        (Item::Claim(_), false) => words.say("True or false?").to_owned(),
        (_, true) => words.say("Once more:").to_owned(),
        (Item::Extra(_), false) => words.say("A question that no stage asked.").to_owned(),
        (Item::Question(stage), false) => match (asked.said, asked.was_asked) {
            (Some(said), _) => words.fill("In stage {} you said: {}. Try it again.", &[&stage.number(), &said]),
            (None, true) => words.fill("You skipped this question in stage {}. Try it now.", &[&stage.number()]),
            (None, false) => words.fill("Stage {} didn't ask you this. Try it now.", &[&stage.number()]),
        },
    })
}

fn verdict(state: &State, asked: &Asked<'_>, is_right: bool, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = state.lesson().words();
    let (sign, word, looks) = match (is_right, asked.is_skipped()) {
        (true, _) => ("✔", &words.right, theme.allowed.text),
        (false, true) => ("○", &words.skipped, theme.dim),
        (false, false) => ("✘", &words.not_quite, theme.failed.text),
    };
    let content = vec![
        Span::styled(format!("{sign} {word} "), looks),
        Span::styled(asked.explanation.trim().to_owned(), theme.base),
    ];
    let mut lines = wrap(vec![Span::raw(" ")], content, columns, 3);
    if state.debrief().shows_sources() {
        lines.extend(lesson::sources(state, asked.sources.iter().map(String::as_str).collect(), theme, columns));
    }
    lines
}

/// "Then: four claims, true or false."
fn what_follows(state: &State) -> Option<String> {
    let debrief = state.debrief();
    let is_claim = |entry: &Entry| matches!(entry.item, Item::Claim(_));
    let rest = debrief.entries().get(debrief.position()..)?;
    let claims = rest.iter().filter(|entry| is_claim(entry)).count();
    let is_question = !rest.first().is_some_and(is_claim);
    (is_question && claims > 0).then(|| state.interface().fill("Then: {} claims, true or false.", &[&claims]))
}

fn card(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let card = state.lesson().card(state.own_way());
    let columns = usize::from(area.width.saturating_sub(4)).min(WIDEST_CARD);
    let lines = card.lines(columns);
    let rows = usize::from(area.height);
    // Where rows are few, the empty lines between the steps go, then the frame.
    let is_roomy = lines.len() + 6 <= rows;
    let mut shown = vec![Line::default(), Line::styled(card.title.clone(), theme.strong), Line::default()];
    for line in lines.into_iter().filter(|line| is_roomy || *line != CardLine::default()) {
        let sign = if line.sign.starts_with('"') { theme.string } else { theme.strong };
        shown.push(Line::from(vec![
            Span::styled(line.name, theme.strong),
            Span::styled(line.sign, sign),
            Span::styled(line.text, theme.base),
        ]));
    }
    let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area }.intersection(area);
    if shown.len() + 2 > rows {
        shown.remove(0);
        if shown.len() > rows {
            shown.remove(1);
        }
        return Paragraph::new(shown).render(inner, buffer);
    }
    shown.push(Line::default());
    let height = u16::try_from(shown.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let width = u16::try_from(columns + 4).unwrap_or(u16::MAX).min(area.width);
    Block::bordered().border_style(theme.rule).render(Rect { height, width, ..area }, buffer);
    Paragraph::new(shown).render(Rect { y: area.y + 1, height: height.saturating_sub(2), ..inner }, buffer);
}
