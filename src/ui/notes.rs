//! The presenter's second screen: what to say, what comes next, and the time.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::lesson::interface::Interface;
use crate::lab::line::Line as Told;
use crate::lab::snapshot::{EXPECTED, LOOK_AT, MET, NOT_MET, NextView, PresenterSnapshot, Progress, QuestionView};

use super::signs;
use super::size::Extent;
use super::text::{cut, guard, spans_width, width, wrap, wrap_plain};
use super::theme::{Theme, keep_bold_dark};

/// For so many looks in vain the notes stay as they are: a lab that begins again is back by then.
pub const PATIENCE: u8 = 3;

/// The labels.
const LABELS: [&str; 8] = ["now", "say", EXPECTED, LOOK_AT, "answer", "class", "next", "asked"];

/// What the second screen shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// The newest line, if a lab is followed.
    pub line: Option<Told>,
    /// Why there is none, where that is known.
    pub reason: Option<String>,
    /// Where labs are looked for.
    pub looked_in: Vec<String>,
    /// How many other labs live.
    pub others: usize,
    /// Now, in milliseconds of Unix time.
    pub now: u64,
    /// The first line shown.
    pub scroll: u16,
    /// How often in a row none was found.
    pub missed: u8,
}

impl Notes {
    /// Takes in what the lab says.
    pub fn hear(&mut self, line: Told, others: usize) {
        if self.line.as_ref().is_none_or(|before| before.lab.number != line.lab.number) {
            self.scroll = 0;
        }
        (self.line, self.others, self.missed, self.reason) = (Some(line), others, 0, None);
    }

    /// Notes that there is no lab to follow now.
    pub fn lose(&mut self, reason: Option<String>) {
        self.missed = self.missed.saturating_add(1);
        if self.missed >= PATIENCE || reason.is_some() {
            self.line = None;
        }
        self.reason = reason;
    }
}

/// The rows of the notes, between header, time and footer.
fn body(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        y: area.y + 3.min(area.height),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(4),
    }
    .intersection(area)
}

/// How much the notes scroll on a screen of `size`.
pub fn extent(notes: &Notes, size: Size) -> Extent {
    let body = body(Rect::from((Position::ORIGIN, size)));
    let lines = notes.line.as_ref().map_or(0, |line| lines(&line.lab, &Theme::plain(), body.width.into()).len());
    Extent { lines: u16::try_from(lines).unwrap_or(u16::MAX), height: body.height }
}

/// Draws `notes`.
pub fn draw(notes: &Notes, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    draw_all(notes, theme, area, buffer);
    guard(buffer);
    keep_bold_dark(buffer);
    if theme.is_ascii() {
        signs::translate(buffer);
    }
}

fn draw_all(notes: &Notes, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, theme.base);
    let row = |y: u16| Rect { y: area.y + y, height: 1, ..area }.intersection(area);
    let Some(line) = &notes.line else {
        header("notes", " no lab", "", theme, row(0), buffer);
        let columns = usize::from(area.width.saturating_sub(2));
        let mut text = match &notes.reason {
            Some(reason) => wrap_plain(reason, theme.failed.text, columns),
            None => wrap_plain("No lab runs here.", theme.strong, columns),
        };
        let help = "Start `kmslab` in another terminal, as the same user: this screen follows it.";
        text.extend(wrap_plain(help, theme.base, columns));
        let places = format!("Looked in {}", notes.looked_in.join(" and "));
        text.extend(wrap_plain(&places, theme.dim, columns));
        Paragraph::new(text).render(body(area), buffer);
        return footer(notes, 0, theme, area, buffer);
    };
    let (lab, words) = (&line.lab, Interface::new(&line.lab.words));
    let back = match lab.current == lab.number {
        true => String::new(),
        false => format!("  {}", words.fill("looking back from {}", &[&lab.current])),
    };
    let blank = if lab.blank { format!("  {}", words.say("BLANK")) } else { String::new() };
    let replay = if lab.replay { "  REPLAY" } else { "" };
    let right = format!("{}{replay}{blank} ", lab.backend.to_uppercase());
    header(
        words.say("notes"),
        &format!(" {}/{}  {}{back}", lab.number, lab.of, lab.title),
        &right,
        theme,
        row(0),
        buffer,
    );
    let timing = line.timing_at(notes.now);
    let looks = if timing.behind() > 0 { theme.denied.text } else { theme.strong };
    let (all, drift) = (timing.of_all(words), timing.drift(words));
    // Its number stands above, too.
    let short = timing.of_stage(words).split_once(' ').map_or(String::new(), |(_, rest)| rest.to_owned());
    let room = usize::from(area.width).saturating_sub(width(&all) + width(&drift) + 7);
    let stage = Some(timing.of_stage(words)).filter(|text| width(text) <= room).unwrap_or(short);
    let time = vec![
        Span::styled(format!(" {stage} ("), theme.strong),
        Span::styled(drift, looks),
        Span::styled(format!(")   {all}"), theme.strong),
    ];
    cut(time, area.width.into()).render(row(1), buffer);
    let place = body(area);
    let extent = extent(notes, area.as_size());
    let scroll = notes.scroll.min(extent.last_scroll());
    let shown = lines(lab, theme, place.width.into());
    let shown: Vec<Line<'static>> = shown.into_iter().skip(scroll.into()).take(place.height.into()).collect();
    Paragraph::new(shown).render(place, buffer);
    footer(notes, extent.last_scroll() - scroll, theme, area, buffer);
}

fn header(name: &str, left: &str, right: &str, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, theme.bar);
    let columns = usize::from(area.width);
    let right = vec![Span::styled(right.to_owned(), theme.bar.patch(theme.dim))];
    let left =
        vec![Span::styled(format!(" {name} "), theme.bar.patch(theme.dim)), Span::styled(left.to_owned(), theme.title)];
    let room = columns.saturating_sub(spans_width(&right));
    Line::from(right).right_aligned().render(area, buffer);
    cut(left, room).render(area, buffer);
}

fn footer(notes: &Notes, below: u16, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let area = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }.intersection(area);
    let words = notes.line.as_ref().map_or(Interface::ENGLISH, |line| Interface::new(&line.lab.words));
    let mut spans = vec![
        Span::raw(" "),
        Span::styled("q", theme.hint),
        Span::styled(format!(" {}", words.say("leave")), theme.dim),
    ];
    if below > 0 {
        spans.extend([
            Span::styled("   j", theme.hint),
            Span::styled(format!(" {}", words.fill("{} more", &[&below])), theme.dim),
        ]);
    }
    if notes.others > 0 && notes.line.is_some() {
        let others = format!(" {}", words.fill("another lab ({} more)", &[&notes.others]));
        spans.extend([Span::styled("   tab", theme.hint), Span::styled(others, theme.dim)]);
    }
    cut(spans, area.width.into()).render(area, buffer);
}

/// Columns of the labels, with the gap after them.
fn label_columns(lab: &PresenterSnapshot) -> usize {
    let words = Interface::new(&lab.words);
    LABELS.into_iter().map(|label| width(words.word(label))).max().unwrap_or(0) + 2
}

/// A label in its columns.
fn lead(lab: &PresenterSnapshot, label: &'static str, theme: &Theme) -> Vec<Span<'static>> {
    let label = Interface::new(&lab.words).word(label);
    vec![Span::styled(format!("{label:<columns$}", columns = label_columns(lab)), theme.dim)]
}

fn lines(lab: &PresenterSnapshot, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = Interface::new(&lab.words);
    let labeled = |label: &'static str, looks: Style, text: &str| {
        wrap(lead(lab, label, theme), vec![Span::styled(text.to_owned(), looks)], columns, label_columns(lab))
    };
    let mut lines = Vec::new();
    let (word, looks) = progress(lab, theme);
    lines.extend(labeled("now", looks, &word));
    lines.push(Line::default());
    for (at, note) in lab.notes.iter().enumerate() {
        let label = if at == 0 { "say" } else { "" };
        let lead = [lead(lab, label, theme), vec![Span::styled("• ", theme.dim)]].concat();
        lines.extend(wrap(lead, vec![Span::styled(note.clone(), theme.base)], columns, label_columns(lab) + 2));
    }
    lines.push(Line::default());
    if !lab.expected.is_empty() {
        lines.extend(labeled(EXPECTED, theme.strong, &lab.expected));
    }
    lines.extend(labeled(LOOK_AT, theme.base, &lab.look));
    if let Some(question) = &lab.question {
        lines.extend(asked(lab, question, theme, columns));
    }
    let next = match &lab.next {
        Some(NextView { number, title, minutes: 0 }) => format!("x {number}  {title}"),
        Some(NextView { number, title, minutes }) => format!("{number}  {title}, {}", words.fill("{} min", &[minutes])),
        None => words.say("the debrief").to_owned(),
    };
    lines.extend(labeled("next", theme.strong, &next));
    lines.push(Line::default());
    for likely in &lab.audience {
        lines.extend(labeled("asked", theme.strong, &likely.question));
        lines.extend(labeled("", theme.base, likely.answer.trim()));
    }
    lines
}

/// What happens now or has happened.
fn progress(lab: &PresenterSnapshot, theme: &Theme) -> (String, Style) {
    let words = Interface::new(&lab.words);
    let observed = words.sentence(lab.observed.as_deref().unwrap_or_default());
    let is_open = lab.question.as_ref().is_some_and(|question| question.open);
    match lab.progress {
        Progress::Todo if is_open => (format!("● {}", words.say("waiting for an answer")), theme.strong),
        Progress::Todo => (format!("● {}: {}", lab.key, lab.action), theme.strong),
        Progress::Running => (format!("… {}", words.say("calls in progress")), theme.strong),
        Progress::Waiting => (format!("● {}", words.say("waiting for your OK")), theme.strong),
        Progress::Met => (format!("✔ {}  {observed}", words.word(MET)), theme.allowed.text),
        Progress::NotMet => (format!("✘ {}  {observed}", words.word(NOT_MET)), theme.failed.text),
    }
}

/// The right answer, and what the class and the presenter said.
fn asked(lab: &PresenterSnapshot, question: &QuestionView, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for answer in question.answers.iter().filter(|answer| answer.right) {
        let content = vec![
            Span::styled(format!("{}  ", answer.letter), theme.strong),
            Span::styled(answer.text.clone(), theme.strong),
        ];
        lines.extend(wrap(lead(lab, "answer", theme), content, columns, label_columns(lab)));
    }
    let hands = question.answers.iter().filter_map(|answer| Some(format!("{} {}", answer.letter, answer.hands?)));
    let mut said: Vec<String> = hands.collect();
    let chosen = question.answers.iter().filter(|answer| answer.chosen && !answer.right);
    said.extend(chosen.map(|answer| Interface::new(&lab.words).fill("you said {}", &[&answer.letter])));
    if !said.is_empty() {
        let said = vec![Span::styled(said.join("   "), theme.base)];
        lines.extend(wrap(lead(lab, "class", theme), said, columns, label_columns(lab)));
    }
    lines
}
