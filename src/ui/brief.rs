//! The lines under the header: the stage's objective and question, then its outcome.

use std::fmt::Display;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::quiz::Asked;
use crate::lab::{State, Status};

use super::hands;
use super::join;
use super::keys::names;
use super::size::Class;
use super::text::{cut, width, wrap};
use super::theme::Theme;

mod experiment;
mod verdict;

/// The fewest rows of the panes, with their frame, under a question.
const PANES: u16 = 7;

/// The fewest once there are answers, which come first: enough for what `look at` names.
const PANES_AFTER: u16 = 14;

/// The same on a roomy screen, the size of recordings.
const PANES_AFTER_ROOMY: u16 = 16;

/// The most lines on a screen without room for explanations: the outcome, and the words of two answers.
const SHORT: usize = 4;

/// The longest line, with its label, from which the eye finds the next one. A screen may be wider.
const LONGEST: usize = 120;

/// The most lines that can be read at a glance.
const MOST: usize = 16;

/// The number of lines that a screen allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// At least this many, so that the panes don't move when a stage ends.
    least: usize,
    /// At most this many, where there is a choice.
    most: usize,
    /// At most this many before the calls are answered, when the panes have little to show.
    before: usize,
    /// Whether there is room for repetition.
    is_roomy: bool,
}

impl Budget {
    /// The budget of a screen.
    pub fn of(area: Rect) -> Budget {
        // Besides header, message line and footer.
        let rest = |panes: u16| usize::from(area.height.saturating_sub(panes + 3));
        let is_roomy = Class::of(area) == Class::Full && area.height >= 28;
        match area.height {
            28.. if is_roomy => {
                let most = (rest(PANES_AFTER_ROOMY) - 2).min(MOST);
                Budget { least: 4, most, before: rest(PANES) - 2, is_roomy }
            }
            24.. => Budget { least: 4, most: rest(PANES_AFTER).min(MOST), before: rest(PANES), is_roomy },
            _ => Budget { least: 2, most: SHORT, before: rest(PANES), is_roomy },
        }
    }

    /// Whether there is no room for explanations.
    const fn is_short(self) -> bool {
        self.most <= SHORT
    }
}

/// The number of lines.
pub fn height(state: &State, columns: u16, budget: Budget) -> u16 {
    u16::try_from(lines(state, &Theme::plain(), columns, budget).len()).unwrap_or(u16::MAX)
}

/// Draws the lines.
pub fn draw(state: &State, theme: &Theme, area: Rect, screen: Rect, buffer: &mut Buffer) {
    Paragraph::new(lines(state, theme, screen.width, Budget::of(screen))).render(area, buffer);
}

fn lines(state: &State, theme: &Theme, columns: u16, budget: Budget) -> Vec<Line<'static>> {
    let brief = Brief {
        state,
        theme,
        columns: usize::from(columns).saturating_sub(1).min(LONGEST),
        label: label_columns(state),
        has_code: join::shows_code(state) && join::most_above(budget.before) < budget.before && !state.view().zoom,
    };
    let mut lines = match &state.shown().status {
        status if state.view().experiment.is_some() => brief.experiment(status, budget),
        // The code to join with needs the rows of the panes.
        Status::Todo if brief.has_code => brief.before(join::most_above(budget.before)),
        Status::Todo => brief.before(budget.before),
        Status::Running if state.held().is_some() => {
            brief.review(if budget.is_short() { SHORT - 1 } else { budget.most })
        }
        Status::Running => brief.running(budget),
        Status::Done(_) if state.waits_for_answer() => brief.before(budget.before),
        Status::Done(check) => brief.after(check, budget),
    };
    // After the calls the panes have the rows.
    let least = if matches!(state.shown().status, Status::Done(_)) { 2 } else { budget.least };
    lines.resize(lines.len().max(least), Line::default());
    lines
}

/// Columns of the labels, with their margins.
fn label_columns(state: &State) -> usize {
    let words = state.lesson().words();
    let labels = [words.look_at.as_str(), words.hint.as_str(), state.interface().say("class")];
    labels.into_iter().map(width).max().unwrap_or(0) + 3
}

/// A labeled text.
#[derive(Clone, Default)]
struct Part<'a> {
    label: Option<&'a str>,
    content: Vec<Span<'static>>,
    /// Whether it is cut to one line.
    is_cut: bool,
}

impl Part<'_> {
    fn plain(content: Vec<Span<'static>>) -> Self {
        Part { content, ..Part::default() }
    }

    fn in_one_line(self) -> Self {
        Part { is_cut: true, ..self }
    }
}

#[derive(Clone, Copy)]
struct Brief<'a> {
    state: &'a State,
    theme: &'a Theme,
    columns: usize,
    label: usize,
    /// Whether a code to join the vote stands below.
    has_code: bool,
}

impl<'a> Brief<'a> {
    fn part(self, label: Option<&'a str>, text: &str) -> Part<'a> {
        Part { label, ..Part::plain(vec![Span::styled(text.to_owned(), self.theme.base)]) }
    }

    fn objective(self) -> Part<'a> {
        let objective = self.state.text(self.state.view().shown).objective;
        Part::plain(vec![Span::styled(objective.to_owned(), self.theme.strong)])
    }

    /// The first of `choices` that fits, else the last one, cut.
    fn fitting(self, choices: &[Vec<Part<'a>>], most: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for choice in choices {
            lines = choice.iter().flat_map(|part| self.wrapped(part)).collect();
            if lines.len() <= most {
                return lines;
            }
        }
        if most <= SHORT {
            // One line of each says more than all lines of the first.
            let parts = choices.last().into_iter().flatten();
            return parts.map(|part| self.one_line(part)).take(most).collect();
        }
        // A long error is in the pane, too, which scrolls.
        lines.truncate(most - 1);
        lines.push(Line::from(Span::styled(format!("{:width$}…", "", width = self.label), self.theme.dim)));
        lines
    }

    /// Before the calls are sent: the intro and the question.
    fn before(self, most: usize) -> Vec<Line<'static>> {
        let Some(asked) = self.state.open_question() else {
            let (intro, blank, enter) = (self.intro(), self.part(None, ""), self.enter());
            let choices =
                [vec![intro.clone(), blank.clone(), enter.clone(), blank], vec![intro, enter.clone()], vec![enter]];
            return self.fitting(&choices, most);
        };
        // The sign of calls in progress comes into the last line, so that nothing moves.
        self.asking(&asked, self.part(None, ""), most)
    }

    fn intro(self) -> Part<'a> {
        self.part(None, self.state.text(self.state.view().shown).intro)
    }

    /// The question with its answers, and what comes next.
    fn asking(self, asked: &Asked<'_>, next: Part<'a>, most: usize) -> Vec<Line<'static>> {
        let intro = self.intro();
        let hint = &self.state.lesson().words().hint;
        let hints: Vec<Part<'a>> = self.state.hints().iter().map(|text| self.part(Some(hint), text.trim())).collect();
        let newest = hints.last().cloned();
        let question = self.question(asked);
        let blank = vec![self.part(None, "")];
        let intro = vec![intro];
        let airy = [question[..1].to_vec(), blank.clone(), question[1..].to_vec()].concat();
        let next = vec![next];
        self.fitting(
            &[
                [intro.clone(), blank.clone(), airy, hints.clone(), next.clone()].concat(),
                [intro.clone(), blank, question.clone(), hints.clone(), next.clone()].concat(),
                [intro.clone(), question.clone(), hints.clone(), next.clone()].concat(),
                [intro, question.clone(), hints.clone()].concat(),
                [question.clone(), hints].concat(),
                // The others are on the lesson's page.
                [question.clone(), newest.iter().cloned().collect()].concat(),
                [question.clone(), newest.map(Part::in_one_line).into_iter().collect()].concat(),
                question,
            ],
            most,
        )
    }

    fn how_to_answer(self, asked: &Asked<'_>) -> Part<'a> {
        let keymap = &self.state.view().keys;
        let answers = names::answers(keymap, asked.answers.len());
        let keys: [&dyn Display; 2] = [&answers, &names::first("skip", keymap)];
        let text = format!(" {}", self.state.interface().fill("{} to answer, {} to skip", &keys));
        Part::plain(vec![Span::styled(text, self.theme.dim)])
    }

    fn enter(self) -> Part<'a> {
        let key = Span::styled(format!(" {} ", names::first("advance", &self.state.view().keys)), self.theme.focus);
        let action = match self.state.view().experiment {
            Some(_) => self.state.interface().say("try it"),
            None if self.state.attempts().chosen().is_some() => self.state.interface().say("write it"),
            None => self.state.text(self.state.view().shown).action,
        };
        Part::plain(vec![key, Span::styled(format!("  {action}"), self.theme.strong)])
    }

    fn question(self, asked: &Asked<'_>) -> Vec<Part<'a>> {
        let text = Span::styled(asked.question.text.clone(), self.theme.strong);
        let longest = asked.answers.iter().map(|(_, reply)| width(&reply.text)).max().unwrap_or(0);
        let answers = asked.answers.iter().enumerate().map(|(place, (letter, reply))| {
            let is_chosen = asked.chosen == Some(place);
            let (letter_looks, looks) =
                if is_chosen { (self.theme.focus, self.theme.focus) } else { (self.theme.hint, self.theme.base) };
            let mark = if is_chosen { "▸" } else { " " };
            let mut content = vec![
                Span::styled(format!("{mark} "), self.theme.strong),
                Span::styled(format!("{letter} "), letter_looks),
                Span::styled(format!(" {} ", reply.text), looks),
            ];
            if let Some(hands) = self.state.hands(self.state.view().shown).filter(|_| !join::hides_votes(self.state)) {
                content.push(hands::beside(hands, place, longest, self.columns, width(&reply.text), self.theme));
            }
            Part::plain(content)
        });
        let question = std::iter::once(Part::plain(vec![text])).chain(answers);
        question.chain(join::voters(self.state, self.columns, self.has_code, self.theme).map(Part::plain)).collect()
    }

    /// The prediction stays until there is an answer, so that nothing moves before it.
    fn running(self, budget: Budget) -> Vec<Line<'static>> {
        let running = self.under_way();
        if let Some(asked) = self.state.shown_question().filter(|asked| !asked.is_open()) {
            return self.asking(&asked, running, budget.before);
        }
        self.fitting(&[vec![self.intro(), self.part(None, ""), running.clone()], vec![running]], budget.most)
    }

    fn under_way(self) -> Part<'a> {
        let words = self.state.interface();
        let under_way = match self.state.shown().pending.len() {
            0 => words.say("waiting before asking again").to_owned(),
            1 => words.say("1 call in progress").to_owned(),
            calls => words.fill("{} calls in progress, sent at the same time", &[&calls]),
        };
        let sign = Span::styled(format!("{}  ", spinner(self.state.ticks())), self.theme.strong);
        Part::plain(vec![sign, Span::styled(under_way, self.theme.base)])
    }

    /// A held call, and what can be done with it.
    fn review(self, most: usize) -> Vec<Line<'static>> {
        let key = |action| format!(" {:^5} ", names::first(action, &self.state.view().keys));
        let choice = |action, text: &'static str| {
            let key = Span::styled(key(action), self.theme.focus);
            let text = format!("  {}", self.state.interface().say(text));
            Part::plain(vec![key, Span::styled(text, self.theme.strong)])
        };
        let enter = choice("advance", "send PutKeyPolicy: this call replaces the whole policy");
        let esc = choice("back", "send nothing; you can start this stage again");
        self.fitting(&[vec![self.objective(), enter.clone(), esc.clone()], vec![enter, esc]], most)
    }

    /// The label, and the column that the text hangs from.
    fn lead(self, part: &Part<'_>) -> (Vec<Span<'static>>, usize) {
        match part.label {
            Some(label) => {
                (vec![Span::styled(format!(" {label:<width$}", width = self.label - 1), self.theme.dim)], self.label)
            }
            None => (vec![Span::raw(" ")], 1),
        }
    }

    fn wrapped(self, part: &Part<'_>) -> Vec<Line<'static>> {
        if part.is_cut {
            return vec![self.one_line(part)];
        }
        let (lead, hang) = self.lead(part);
        // A space at the end needs no line of its own.
        let mut content = part.content.clone();
        if let Some(last) = content.iter_mut().rfind(|span| !span.content.is_empty()) {
            last.content = last.content.trim_end_matches(' ').to_owned().into();
        }
        let mut lines = wrap(lead, content, self.columns, hang);
        lines.iter_mut().flat_map(|line| &mut line.spans).for_each(unglue);
        lines
    }

    fn one_line(self, part: &Part<'_>) -> Line<'static> {
        let (mut spans, _) = self.lead(part);
        spans.extend(part.content.clone());
        spans.iter_mut().for_each(unglue);
        cut(spans, self.columns)
    }
}

/// Replaces spaces at which no line breaks, so that searching the screen finds the words.
fn unglue(span: &mut Span<'static>) {
    if span.content.contains('\u{a0}') {
        span.content = span.content.replace('\u{a0}', " ").into();
    }
}

/// The waiting sign after so many ticks.
pub fn spinner(ticks: u64) -> &'static str {
    const FRAMES: [&str; 4] = ["◐", "◓", "◑", "◒"];
    FRAMES[usize::try_from(ticks % 4).unwrap_or(0)]
}
