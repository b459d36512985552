//! The pages of the lesson: a stage's question with all its answers, choices side by side, the debrief.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::lab::lesson::{Claim, Comparison, Source};
use crate::lab::model::prose::uncapitalized;
use crate::lab::quiz::Asked;
use crate::lab::{Choice, Experiment, Stage, State, Status};

use super::hands;
use super::text::{labeled, spans_width, width, wrap, wrap_plain};
use super::theme::Theme;

/// The lesson of the shown stage. The answers are explained once the stage has ended.
pub fn stage(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let shown = state.view().shown;
    let words = state.lesson().words();
    let text = state.lesson().stage(shown);
    let is_done = matches!(state.record(shown).status, Status::Done(_));
    let mut ids: Vec<&str> = text.sources.iter().map(String::as_str).collect();
    let mut lines = wrap_plain(state.text(shown).objective, theme.strong, columns);
    lines.push(Line::default());
    lines.extend(wrap_plain(state.text(shown).intro, theme.base, columns));
    // What the question asks must be answered first.
    if state.question(shown).is_none_or(|asked| !asked.is_open()) {
        for paragraph in &text.more {
            lines.push(Line::default());
            lines.extend(wrap_plain(paragraph.trim(), theme.base, columns));
        }
    }
    if let Some(asked) = state.question(shown) {
        lines.push(Line::default());
        lines.extend(question(state, &asked, is_done, &mut ids, theme, columns));
    }
    for hint in state.hints() {
        lines.extend(labeled((format!("{}: ", words.hint), theme.dim), (hint.clone(), theme.base), columns, 4));
    }
    if is_done || !state.quiz().asks() {
        lines.push(Line::default());
        lines.extend(claim(&words.misconception, &text.misconception.claim, theme, columns));
        lines.extend(claim(&words.correction, &text.misconception.correction, theme, columns));
        ids.extend(text.misconception.sources.iter().map(String::as_str));
    }
    lines.extend(sources(state, ids, theme, columns));
    lines
}

/// A question with its answers. With `is_done` they are explained, and their sources go to `ids`.
fn question<'a>(
    state: &State,
    asked: &Asked<'a>,
    is_done: bool,
    ids: &mut Vec<&'a str>,
    theme: &Theme,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut lines = wrap_plain(&asked.question.text, theme.strong, columns);
    for (place, (letter, reply)) in asked.answers.iter().enumerate() {
        let is_chosen = asked.chosen == Some(place);
        let looks = if is_chosen { theme.focus } else { theme.strong };
        let mut content = vec![Span::styled(format!(" {} ", reply.text), looks)];
        if is_done && reply.right {
            content.push(Span::styled(format!("  ✔ {}", state.lesson().words().right), theme.allowed.text));
        }
        lines.extend(wrap(vec![Span::styled(format!(" {letter} "), theme.hint)], content, columns, 4));
        if is_done {
            let explanation = vec![Span::styled(reply.explanation.clone(), theme.base)];
            lines.extend(wrap(vec![Span::raw("    ")], explanation, columns, 4));
            ids.extend(reply.sources.iter().map(String::as_str));
        }
    }
    lines
}

/// The lesson of an experiment. The answers are explained once it has been tried.
pub fn experiment(state: &State, which: Experiment, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let text = state.experiment(which);
    let is_done = matches!(state.trial(which).status, Status::Done(_));
    let mut ids: Vec<&str> = text.sources.iter().map(String::as_str).collect();
    let mut lines = wrap_plain(&text.setup, theme.base, columns);
    if let Some(asked) = state.experiment_question(which) {
        lines.push(Line::default());
        lines.extend(question(state, &asked, is_done, &mut ids, theme, columns));
    }
    if is_done || !state.quiz().asks() {
        lines.push(Line::default());
        lines.extend(wrap_plain(&text.lesson, theme.base, columns));
    }
    lines.extend(sources(state, ids, theme, columns));
    lines
}

fn claim(label: &str, text: &str, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    labeled((format!("{label}: "), theme.strong), (text.to_owned(), theme.base), columns, 2)
}

/// The publications of `ids`, each once.
pub fn sources(state: &State, ids: Vec<&str>, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut cited: Vec<&Source> = Vec::new();
    for source in ids.into_iter().filter_map(|id| state.lesson().sources.get(id)) {
        if !cited.iter().any(|known| known.url == source.url) {
            cited.push(source);
        }
    }
    if cited.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::default(), Line::from(Span::styled(state.lesson().words().sources.clone(), theme.dim))];
    for source in cited {
        let content =
            vec![Span::styled(format!("{}, ", source.title), theme.base), Span::styled(source.url.clone(), theme.dim)];
        lines.extend(wrap(vec![Span::styled("· ", theme.dim)], content, columns, 2));
    }
    lines
}

/// The choices of the shown stage, side by side.
pub fn comparison(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let Some(comparison) = state.comparison() else { return Vec::new() };
    let mut lines = wrap_plain(&comparison.title, theme.strong, columns);
    lines.push(Line::default());
    lines.extend(table(comparison, theme, columns));
    lines.extend(sources(state, comparison.sources.iter().map(String::as_str).collect(), theme, columns));
    lines
}

fn table(comparison: &Comparison, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    const GAP: usize = 2;
    let count = comparison.columns.len().max(1);
    let longest = comparison.rows.iter().map(|row| width(&row.label)).max().unwrap_or(0);
    let label = longest.min(columns / 5);
    let cell = columns.saturating_sub(label + GAP * count) / count;
    let row = |head: &str, cells: &[String], looks: &dyn Fn(usize) -> Style| {
        let mut stacks = vec![(label, wrap_plain(head, theme.dim, label))];
        for (place, text) in cells.iter().enumerate() {
            stacks.push((cell, wrap_plain(text, looks(place), cell)));
        }
        let height = stacks.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
        (0..height)
            .map(|y| {
                let mut spans = Vec::new();
                for (columns, lines) in &stacks {
                    let line = lines.get(y).cloned().unwrap_or_default();
                    let gap = (columns + GAP).saturating_sub(spans_width(&line.spans));
                    spans.extend(line.spans);
                    spans.push(Span::raw(" ".repeat(gap)));
                }
                Line::from(spans)
            })
            .collect::<Vec<_>>()
    };
    let chosen = comparison.chosen;
    let heads: Vec<String> = comparison
        .columns
        .iter()
        .enumerate()
        .map(|(place, head)| if place == chosen { format!("▸ {head}") } else { head.clone() })
        .collect();
    let mut lines = row("", &heads, &|place| if place == chosen { theme.focus } else { theme.strong });
    for each in &comparison.rows {
        lines.push(Line::default());
        lines.extend(row(&each.label, &each.cells, &|_| theme.base));
    }
    lines
}

/// The votes of the class on the question of `stage`, if it voted.
fn votes(state: &State, stage: Stage, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let parts = state.hands(stage).zip(state.question(stage)).zip(hands::line(state, stage, theme));
    let Some(((hands, asked), mut content)) = parts else { return Vec::new() };
    content.push(Span::styled(format!("   {}", hands::share(hands, &asked, state.interface())), theme.strong));
    wrap(
        vec![Span::styled(format!("{}  {}  ", stage.number(), state.interface().say("class")), theme.dim)],
        content,
        columns,
        3,
    )
}

/// The debrief: the score, the wrong answers, and the takeaways.
pub fn debrief(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(score) = state.score() {
        lines.extend(wrap_plain(&super::score::text(state, score), theme.strong, columns));
        lines.extend(Stage::ALL.into_iter().flat_map(|stage| votes(state, stage, theme, columns)));
    }
    if Experiment::ALL.iter().any(|which| state.trial(*which).status != Status::Todo) {
        let (tried, all) = (state.experiments_met(), Experiment::ALL.len());
        lines.extend(wrap_plain(
            &state.interface().fill("{} of {} experiments tried", &[&tried, &all]),
            theme.strong,
            columns,
        ));
    }
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    if state.is_saved() {
        lines.extend(wrap_plain(&state.lesson().frame.export.hint, theme.base, columns));
        lines.push(Line::default());
    }
    let words = state.lesson().words();
    let missed: Vec<Line<'static>> =
        Stage::ALL.into_iter().flat_map(|stage| missed(state, stage, theme, columns)).collect();
    if !missed.is_empty() {
        lines.extend(heading(words.not_quite.trim_end_matches('.'), theme));
        lines.extend(missed);
        lines.push(Line::default());
    }
    let words = &state.lesson().frame.export;
    lines.extend(heading(
        &format!("{} / {}?", uncapitalized(&words.true_claim), uncapitalized(&words.false_claim)),
        theme,
    ));
    let mut ids = Vec::new();
    for card in &state.lesson().frame.debrief {
        lines.extend(self::card(state, card, theme, columns));
        ids.extend(card.sources.iter().map(String::as_str));
    }
    lines.extend(sources(state, ids, theme, columns));
    lines
}

fn heading(text: &str, theme: &Theme) -> [Line<'static>; 1] {
    [Line::from(Span::styled(uncapitalized(text), theme.dim))]
}

/// A claim and its explanation. A false claim is no denial, so it has another sign.
pub fn card(state: &State, card: &Claim, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = &state.lesson().frame.export;
    let word = if card.is_true { &words.true_claim } else { &words.false_claim };
    let looks = if card.is_true { theme.allowed.text } else { theme.strong };
    let lead = vec![Span::styled(format!("{}:", uncapitalized(word)), looks), Span::raw(" ")];
    let mut lines = wrap(lead, vec![Span::styled(card.claim.clone(), theme.strong)], columns, 2);
    lines.extend(labeled(("  ", Style::new()), (card.explanation.clone(), theme.base), columns, 2));
    lines
}

/// A question that was answered wrongly or asked again: the first answer, the one in the debrief, and the right one.
fn missed(state: &State, stage: Stage, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = state.lesson().words();
    let Some(asked) = state.question(stage) else { return Vec::new() };
    let (said, again) = (asked.reply().map(|(_, reply)| reply), state.debrief().reply(stage));
    let Some((_, right)) = asked.right().filter(|_| said.is_some_and(|said| !said.right) || again.is_some()) else {
        return Vec::new();
    };
    let number = format!("{}  ", stage.number());
    let mut lines = labeled((number, theme.dim), (asked.question.text.clone(), theme.base), columns, 3);
    let again = again.map(|reply| match reply.choice {
        Choice::Answer(index) => asked.question.answers.get(index).map(|answer| &answer.text),
        Choice::Skipped => None,
    });
    let in_debrief = state.interface().say("in the debrief").to_owned();
    for (label, text, looks) in [
        (&words.your_answer, Some(said.map(|said| &said.text)), theme.base),
        (&in_debrief, again, theme.base),
        (&words.the_answer_was, Some(Some(&right.text)), theme.strong),
    ] {
        let Some(text) = text else { continue };
        let label = format!("   {}: ", uncapitalized(label));
        lines.extend(labeled((label, theme.dim), (text.unwrap_or(&words.skipped).clone(), looks), columns, 5));
    }
    lines
}
