//! The lines under the header: what the stage does and asks, and what came of it.

use std::fmt::Display;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::learn::Asked;
use crate::lab::{Check, State, Status};

use super::keys;
use super::layout::Class;
use super::tally;
use super::text::{cut, width, wrap};
use super::theme::Theme;

mod bench;

/// The fewest rows that are left to the panes, with their frame, while a question stands over them.
const PANES: u16 = 7;

/// How many lines there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// At least: so that the panes do not move when a stage ends.
    least: usize,
    /// At most, where there is a choice.
    most: usize,
    /// At most, before the calls are sent: the panes have little to show.
    before: usize,
}

impl Budget {
    /// The budget of a screen.
    pub fn of(area: Rect) -> Budget {
        let rest = usize::from(area.height.saturating_sub(PANES + 3));
        match (Class::of(area), area.height) {
            (Class::Full, 40..) => Budget { least: 4, most: 16, before: rest - 2 },
            (Class::Full, 28..) => Budget { least: 4, most: 10, before: rest - 2 },
            // One pane for want of columns leaves rows enough.
            (_, 24..) => Budget { least: 4, most: 7, before: rest },
            _ => Budget { least: 2, most: 2, before: rest },
        }
    }
}

/// Rows that the lines take.
pub fn height(state: &State, columns: u16, budget: Budget) -> u16 {
    u16::try_from(lines(state, &Theme::plain(), columns, budget).len()).unwrap_or(u16::MAX)
}

/// Draws them.
pub fn draw(state: &State, theme: &Theme, area: Rect, screen: Rect, buffer: &mut Buffer) {
    Paragraph::new(lines(state, theme, screen.width, Budget::of(screen))).render(area, buffer);
}

fn lines(state: &State, theme: &Theme, columns: u16, budget: Budget) -> Vec<Line<'static>> {
    let brief = Brief { state, theme, columns: usize::from(columns).saturating_sub(1), label: label_columns(state) };
    let mut lines = match &state.shown().status {
        status if state.view.bench.is_some() => brief.bench(status, budget),
        Status::Todo => brief.before(budget.before),
        Status::Running if state.draft().is_some() => brief.review(budget.most),
        Status::Running => brief.running(budget.most),
        Status::Done(check) => brief.after(check, budget.most),
    };
    lines.resize(lines.len().max(budget.least), Line::default());
    lines
}

/// Columns of the labels, with their margins.
fn label_columns(state: &State) -> usize {
    let words = state.lesson.words();
    let labels = [&words.look_at, &words.expected, &words.observed, &words.your_answer, &words.hint];
    labels.into_iter().map(|label| width(label)).max().unwrap_or(0) + 3
}

/// A labelled text.
#[derive(Clone)]
struct Part<'a> {
    label: Option<&'a str>,
    content: Vec<Span<'static>>,
}

#[derive(Clone, Copy)]
struct Brief<'a> {
    state: &'a State,
    theme: &'a Theme,
    columns: usize,
    label: usize,
}

impl<'a> Brief<'a> {
    fn part(self, label: Option<&'a str>, text: &str) -> Part<'a> {
        Part { label, content: vec![Span::styled(text.to_owned(), self.theme.base)] }
    }

    fn objective(self) -> Part<'a> {
        let objective = self.state.text(self.state.view.shown).objective;
        Part { label: None, content: vec![Span::styled(objective.to_owned(), self.theme.strong)] }
    }

    fn look(self) -> Part<'a> {
        self.part(Some(&self.state.lesson.words().look_at), self.state.text(self.state.view.shown).look)
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
        if most <= 2 {
            // Each on its own line says more than the whole of the first.
            let parts = choices.last().into_iter().flatten();
            return parts.map(|part| self.one_line(part)).take(most).collect();
        }
        // A long error is in the pane, too, where it scrolls.
        lines.truncate(most - 1);
        lines.push(Line::from(Span::styled(format!("{:width$}…", "", width = self.label), self.theme.dim)));
        lines
    }

    /// Before the calls are sent: what to know, and what to predict.
    fn before(self, most: usize) -> Vec<Line<'static>> {
        let intro = self.part(None, self.state.lesson.stage(self.state.view.shown).intro.trim());
        let objective = vec![self.objective()];
        let Some(asked) = self.state.open_question() else {
            let enter = vec![self.enter()];
            return self.fitting(
                &[
                    [objective.clone(), vec![intro, self.look()], enter.clone()].concat(),
                    [objective.clone(), vec![self.look()], enter.clone()].concat(),
                    [objective, enter].concat(),
                ],
                most,
            );
        };
        let hint = &self.state.lesson.words().hint;
        let hints: Vec<Part<'a>> = self.state.hints().iter().map(|text| self.part(Some(hint), text.trim())).collect();
        // One line either way, so that nothing moves when an answer is chosen.
        let keys = Span::styled(self.how_to_answer(), self.theme.dim);
        let next = if asked.is_open() { Part { label: None, content: vec![keys] } } else { self.enter() };
        let rest = [self.question(&asked), hints, vec![next]].concat();
        let blank = vec![self.part(None, "")];
        self.fitting(
            &[
                [objective.clone(), vec![intro.clone()], blank.clone(), rest.clone()].concat(),
                [objective.clone(), vec![intro], rest.clone()].concat(),
                [objective.clone(), blank, rest.clone()].concat(),
                [objective, rest.clone()].concat(),
                rest,
            ],
            most,
        )
    }

    fn how_to_answer(self) -> String {
        let keymap = &self.state.view.keys;
        let keys: [&dyn Display; 2] = [&keys::answers(keymap), &keys::first("skip", keymap)];
        format!(" {}", self.state.interface().fill("{} answers, {} skips", &keys))
    }

    fn enter(self) -> Part<'a> {
        let key = Span::styled(format!(" {} ", keys::first("advance", &self.state.view.keys)), self.theme.focus);
        let action = match self.state.view.bench {
            Some(_) => self.state.interface().say("try it"),
            None => self.state.text(self.state.view.shown).action,
        };
        Part { label: None, content: vec![key, Span::styled(format!("  {action}"), self.theme.strong)] }
    }

    fn question(self, asked: &Asked<'_>) -> Vec<Part<'a>> {
        let text = Span::styled(asked.question.text.clone(), self.theme.strong);
        let longest = asked.answers.iter().map(|(_, reply)| width(&reply.text)).max().unwrap_or(0);
        let answers = asked.answers.iter().enumerate().map(|(place, (letter, reply))| {
            let is_chosen = asked.chosen == Some(place);
            let (letter_looks, looks) =
                if is_chosen { (self.theme.focus, self.theme.focus) } else { (self.theme.hint, self.theme.base) };
            let mut content = vec![
                Span::styled(format!(" {letter} "), letter_looks),
                Span::styled(format!(" {} ", reply.text), looks),
            ];
            if let Some(hands) = self.state.hands(self.state.view.shown) {
                content.push(tally::beside(hands, place, longest, self.columns, width(&reply.text), self.theme));
            }
            Part { label: None, content }
        });
        std::iter::once(Part { label: None, content: vec![text] }).chain(answers).collect()
    }

    fn running(self, most: usize) -> Vec<Line<'static>> {
        let running = self.under_way();
        self.fitting(&[vec![self.objective(), self.look(), running.clone()], vec![self.objective(), running]], most)
    }

    fn under_way(self) -> Part<'a> {
        let words = self.state.interface();
        let under_way = match self.state.shown().pending.len() {
            0 => words.say("waiting before asking again").to_owned(),
            1 => words.say("1 call under way").to_owned(),
            calls => words.fill("{} calls under way, sent at the same time", &[&calls]),
        };
        let sign = Span::styled(format!("{}  ", spinner(self.state.ticks)), self.theme.strong);
        Part { label: None, content: vec![sign, Span::styled(under_way, self.theme.base)] }
    }

    /// What waits to be looked at, and what can be done with it.
    fn review(self, most: usize) -> Vec<Line<'static>> {
        let key = |action| format!(" {:^5} ", keys::first(action, &self.state.view.keys));
        let choice = |action, text: &'static str| Part {
            label: None,
            content: vec![
                Span::styled(key(action), self.theme.focus),
                Span::styled(format!("  {}", self.state.interface().say(text)), self.theme.strong),
            ],
        };
        let enter = choice("advance", "send PutKeyPolicy: this call replaces the whole policy");
        let esc = choice("back", "send nothing; the stage can be begun again");
        self.fitting(&[vec![self.objective(), enter.clone(), esc.clone()], vec![enter, esc]], most)
    }

    /// What came, and whether it was what had to come.
    fn observed(self, check: &Check) -> Part<'a> {
        let words = self.state.lesson.words();
        let (sign, word, style) = if check.met {
            ("✔", &words.met, self.theme.allowed.text)
        } else {
            ("✘", &words.not_met, self.theme.failed.text)
        };
        Part {
            label: Some(&words.observed),
            content: vec![
                Span::styled(format!("{sign} {word}  "), style),
                Span::styled(check.observed.clone(), self.theme.base),
            ],
        }
    }

    /// What was expected and what came; what was predicted, and what is to be said of that.
    fn after(self, check: &Check, most: usize) -> Vec<Line<'static>> {
        let stage = self.state.view.shown;
        let words = self.state.lesson.words();
        let observed = self.observed(check);
        let seen = vec![self.part(Some(&words.expected), self.state.text(stage).expected), observed.clone()];
        let said = self.said();
        let look = vec![self.look()];
        let all = [vec![self.objective()], look.clone(), seen.clone(), said.clone()].concat();
        let with_look = [look.clone(), seen.clone(), said.clone()].concat();
        if most <= 2 {
            return self.fitting(&[seen], most);
        }
        if !check.met {
            // What went wrong comes first, then the lesson.
            return self.fitting(&[all, with_look, [look, seen.clone()].concat(), seen], most);
        }
        let misconception = &self.state.lesson.stage(stage).misconception;
        let claims = vec![
            self.part(Some(""), &format!("{}: {}", words.misconception, misconception.claim.trim())),
            self.part(Some(""), &format!("{}: {}", words.correction, misconception.correction.trim())),
        ];
        let with_claims = [all.clone(), claims].concat();
        let brief = [look.clone(), vec![observed.clone()], said.clone()].concat();
        let choices = match said.is_empty() {
            true => vec![with_claims, all, [look, seen.clone()].concat(), seen],
            // What was met is said by what was observed: where rows are few they are the answer's.
            false if most < 8 => vec![brief, [vec![observed], said].concat()],
            false => vec![with_claims, all, with_look, brief],
        };
        self.fitting(&choices, most)
    }

    /// What the person predicted and the class voted, and what is to be said of that.
    fn said(self) -> Vec<Part<'a>> {
        let votes = tally::line(self.state, self.state.view.shown, self.theme);
        let votes = votes.map(|content| Part { label: Some(self.state.interface().say("class")), content });
        votes.into_iter().chain(self.replied()).collect()
    }

    fn replied(self) -> Vec<Part<'a>> {
        let words = self.state.lesson.words();
        let Some(asked) = self.state.shown_question() else { return Vec::new() };
        let right = asked.right();
        let Some((letter, reply)) = asked.reply() else {
            let Some((letter, reply)) = right.filter(|_| asked.skipped) else { return Vec::new() };
            let text = format!("{}: {letter}, {}. {}", words.the_answer_was, reply.text, reply.explanation.trim());
            return vec![self.part(Some(""), &text)];
        };
        let (word, style) =
            if reply.right { (&words.right, self.theme.allowed.text) } else { (&words.not_quite, self.theme.strong) };
        let mut content = vec![
            Span::styled(format!("{letter}  "), self.theme.strong),
            Span::styled(format!("{word} "), style),
            Span::styled(reply.explanation.trim().to_owned(), self.theme.base),
        ];
        if let Some((letter, _)) = right.filter(|_| !reply.right) {
            content.push(Span::styled(format!(" {}: {letter}.", words.the_answer_was), self.theme.strong));
        }
        vec![Part { label: Some(&words.your_answer), content }]
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
        let (lead, hang) = self.lead(part);
        wrap(lead, part.content.clone(), self.columns, hang)
    }

    fn one_line(self, part: &Part<'_>) -> Line<'static> {
        let (mut spans, _) = self.lead(part);
        spans.extend(part.content.clone());
        cut(spans, self.columns)
    }
}

/// The waiting sign after so many ticks.
pub fn spinner(ticks: u64) -> &'static str {
    const FRAMES: [&str; 4] = ["◐", "◓", "◑", "◒"];
    FRAMES[usize::try_from(ticks % 4).unwrap_or(0)]
}
