//! The presenter's second screen: what to say, what comes next, and the time. If the lab dies, its last page stays.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::lesson::interface::Interface;
use crate::lab::line::Line as Told;
use crate::lab::presenting::pace::minutes;
use crate::lab::remote::KeyOutcome;
use crate::lab::snapshot::{
    Closing, EXPECTED, LOOK_AT, MET, NOT_MET, NextView, PresenterSnapshot, Progress, QuestionView,
};

use super::join;
use super::signs;
use super::size::Extent;
use super::text::{clean, cut, guard, spans_width, width, wrap, wrap_plain};
use super::theme::{Theme, keep_bold_dark};

/// For so many looks in vain the notes stay as they are: a lab that begins again is back by then.
pub const PATIENCE: u8 = 3;

/// A lab that has not answered a key by then has not got it, in milliseconds.
const UNANSWERED: u64 = 1_000;

/// The labels.
const LABELS: [&str; 8] = ["now", "say", EXPECTED, LOOK_AT, "ask", "next", "q & a", "sent"];

/// What the second screen shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// The newest line, if a lab has been followed.
    pub line: Option<Told>,
    /// Since when that lab is gone, in milliseconds of Unix time.
    pub lost: Option<u64>,
    /// Why no lab is followed, where that is known.
    pub reason: Option<String>,
    /// The newest key for the lab.
    pub sent: Option<Sent>,
    /// The number of this window, which no other has.
    pub window: u32,
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

/// A key that was pressed for the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    key: String,
    /// `None`: there was no lab to send it to.
    number: Option<u64>,
    /// When, in milliseconds of Unix time.
    at: u64,
}

impl Notes {
    /// Takes in what the lab says.
    pub fn hear(&mut self, line: Told, others: usize) {
        if self.line.as_ref().is_none_or(|before| before.lab.number != line.lab.number) {
            self.scroll = 0;
        }
        (self.line, self.others, self.missed, self.reason, self.lost) = (Some(line), others, 0, None, None);
    }

    /// Notes that there is no lab to follow now. Its last page stays, and its clock goes on.
    pub fn lose(&mut self, reason: Option<String>) {
        self.missed = self.missed.saturating_add(1);
        if (self.missed >= PATIENCE || reason.is_some()) && self.line.is_some() && self.lost.is_none() {
            (self.lost, self.scroll) = (Some(self.now), 0);
        }
        self.reason = reason;
    }

    /// Notes that a key was pressed for the lab, and returns the number to send it with, if there is a lab.
    pub fn sends(&mut self, key: String) -> Option<u64> {
        self.line.as_ref()?;
        let before = self.sent.as_ref().and_then(|sent| sent.number).unwrap_or(u64::from(self.window) << 32);
        let number = self.lost.is_none().then_some(before + 1);
        self.sent = Some(Sent { key, number, at: self.now });
        number
    }

    /// Returns what became of the newest key: whether it is well, and a text.
    fn outcome(&self, words: Interface<'_>) -> Option<(bool, String)> {
        let (Sent { number, at, .. }, line) = (self.sent.as_ref()?, self.line.as_ref()?);
        let Some(number) = number else { return Some((false, words.say("not sent: no lab answers").to_owned())) };
        let answer = line.key.filter(|answer| answer.number == *number).map(|answer| answer.outcome);
        let place = || words.fill("the lab is at {}", &[&format!("{}/{}", line.lab.number, line.lab.of)]);
        Some(match answer {
            Some(KeyOutcome::Done) => (true, place()),
            Some(KeyOutcome::NotNow) => (false, words.say("not now").to_owned()),
            Some(KeyOutcome::OnlyInLab) => (false, words.say("only in the lab's own window").to_owned()),
            None if self.now < at + UNANSWERED => (true, "…".to_owned()),
            None => (false, words.say("no answer from the lab").to_owned()),
        })
    }
}

/// The rows of the notes, between header, time and footer.
fn body(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        y: area.y + 3.min(area.height),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(5),
    }
    .intersection(area)
}

/// How much the notes scroll on a screen of `size`.
pub fn extent(notes: &Notes, size: Size) -> Extent {
    let body = body(Rect::from((Position::ORIGIN, size)));
    let lines = content(notes, &Theme::plain(), body.width.into()).len();
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
    let title = format!(" {}/{}  {}{back}", lab.number, lab.of, lab.title);
    header(words.say("notes"), &title, &followed(notes, line), theme, row(0), buffer);
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
    let shown: Vec<Line<'static>> =
        content(notes, theme, place.width.into()).into_iter().skip(scroll.into()).take(place.height.into()).collect();
    Paragraph::new(shown).render(place, buffer);
    footer(notes, extent.last_scroll() - scroll, theme, area, buffer);
}

/// Which lab it is, and how it is: `kmslab 4711 · SANDBOX · en`.
fn followed(notes: &Notes, line: &Told) -> String {
    let (lab, words) = (&line.lab, Interface::new(&line.lab.words));
    let process = format!("kmslab {}", line.process);
    if let Some(lost) = notes.lost {
        let since = minutes(notes.now.saturating_sub(lost) / 1_000);
        if line.closed.is_some() {
            return format!("{process} {} ", words.fill("closed {} ago", &[&since]));
        }
        return format!("✘ {process} {} ", words.fill("STOPPED {} ago", &[&since]));
    }
    let backend = lab.backend.to_uppercase();
    let replay = if lab.replay { "REPLAY" } else { "" };
    let blank = if lab.blank { words.say("BLANK") } else { "" };
    let parts = [process.as_str(), &backend, &lab.lang, replay, blank];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{} ", parts.join(" · "))
}

/// Everything between the time and the footer.
fn content(notes: &Notes, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let Some(Told { lab, teacher, closed, .. }) = &notes.line else { return Vec::new() };
    let mut page = lines(lab, theme, columns);
    if notes.lost.is_none() {
        page.extend(teacher.iter().flat_map(|address| remote(lab, address, theme, columns)));
        return page;
    }
    if let Some(closing) = closed {
        return closing_lines(lab, closing, theme, columns);
    }
    for span in page.iter_mut().flat_map(|line| &mut line.spans) {
        span.style = theme.dim;
    }
    let words = Interface::new(&lab.words);
    let mut lines = wrap_plain(words.say("The lab has stopped. What to do:"), theme.strong, columns);
    if let Some(reason) = &notes.reason {
        lines.extend(wrap_plain(reason, theme.failed.text, columns));
    }
    let steps = [
        words.say("In its window, start kmslab again, with the same options.").to_owned(),
        words.fill("Press {}. It resumes at stage {}.", &[&lab.key, &lab.current]),
        words.say("This screen follows it by itself. The clock keeps running.").to_owned(),
    ];
    for (number, step) in (1..).zip(steps) {
        let lead = vec![Span::styled(format!("{number}  "), theme.strong)];
        lines.extend(wrap(lead, vec![Span::styled(step, theme.base)], columns, 3));
    }
    lines.extend([Line::default(), Line::styled(words.say("LAST PAGE").to_owned(), theme.strong), Line::default()]);
    lines.append(&mut page);
    lines
}

/// How the lab went, and the debrief's claims to ask the class about.
fn closing_lines(lab: &PresenterSnapshot, closing: &Closing, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = Interface::new(&lab.words);
    let mut lines = wrap_plain(&words.fill("The lab is closed: {}.", &[&closing.summary]), theme.strong, columns);
    let ask = "To end with, ask the class: true or false?";
    lines.extend(wrap_plain(words.say(ask), theme.base, columns));
    for (number, claim) in (1..).zip(&closing.claims) {
        lines.push(Line::default());
        let lead = vec![Span::styled(format!("{number}  "), theme.strong)];
        lines.extend(wrap(lead, vec![Span::styled(claim.question.clone(), theme.strong)], columns, 3));
        lines.extend(wrap(vec![Span::raw("   ")], vec![Span::styled(claim.answer.clone(), theme.base)], columns, 3));
    }
    lines
}

/// The address of the teacher's page, and its code.
fn remote(lab: &PresenterSnapshot, address: &str, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = Interface::new(&lab.words);
    let mut lines = vec![Line::default()];
    lines.extend(wrap_plain(words.say("Your remote, for one phone. Keep this address secret:"), theme.dim, columns));
    lines.push(Line::styled(clean(address), theme.strong));
    let code = join::rows(address).filter(|rows| !theme.is_ascii() && rows.iter().all(|row| width(row) <= columns));
    lines.extend(code.into_iter().flatten().map(|row| Line::styled(row, join::CODE)));
    lines
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
    if let Some(line) = notes.line.as_ref().filter(|_| notes.lost.is_none()) {
        let words = Interface::new(&line.lab.words);
        spans.push(Span::styled(format!("   {}", words.say("other keys drive the lab")), theme.dim));
    }
    cut(spans, area.width.into()).render(area, buffer);
    sent(notes, theme, Rect { y: area.y.saturating_sub(1), ..area }, buffer);
}

/// The newest key for the lab, and what became of it.
fn sent(notes: &Notes, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (Some(line), Some(sent)) = (&notes.line, &notes.sent) else { return };
    let words = Interface::new(&line.lab.words);
    let Some((is_well, text)) = notes.outcome(words) else { return };
    let (sign, looks) = if is_well { ("✔", theme.strong) } else { ("!", theme.failed.text) };
    let spans = vec![
        Span::styled(format!(" {}  ", words.say("sent")), theme.dim),
        Span::styled(sent.key.clone(), theme.strong),
        Span::styled(format!(" {sign} {text}"), looks),
    ];
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
    let question = lab.question.as_ref().map(|question| (question.open, asked(lab, question, theme, columns)));
    // First what the room sees now.
    let (first, later) = match question {
        Some((true, question)) => (question, Vec::new()),
        Some((false, question)) => (Vec::new(), question),
        None => Default::default(),
    };
    lines.extend(first);
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
    lines.extend(later);
    let next = match &lab.next {
        Some(NextView { number, title, minutes: 0 }) => format!("x {number}  {title}"),
        Some(NextView { number, title, minutes }) => format!("{number}  {title}, {}", words.fill("{} min", &[minutes])),
        None => words.say("the debrief").to_owned(),
    };
    lines.extend(labeled("next", theme.strong, &next));
    lines.push(Line::default());
    for likely in &lab.audience {
        lines.extend(labeled("q & a", theme.strong, &likely.question));
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

/// The question with its answers: which one is right, the hands that went up for each, and the presenter's own.
fn asked(lab: &PresenterSnapshot, question: &QuestionView, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = Interface::new(&lab.words);
    let text = vec![Span::styled(question.text.clone(), theme.strong)];
    let mut lines = wrap(lead(lab, "ask", theme), text, columns, label_columns(lab));
    for answer in &question.answers {
        let hands = answer.hands.map(|hands| hands.to_string());
        let right = answer.right.then(|| words.say("RIGHT").to_owned());
        let chosen = answer.chosen.then(|| words.say("your answer").to_owned());
        let marks: Vec<String> = [hands, right, chosen].into_iter().flatten().collect();
        let looks = if answer.right { theme.strong } else { theme.base };
        let content = vec![
            Span::styled(answer.text.clone(), looks),
            Span::styled(
                if marks.is_empty() { String::new() } else { format!("   {}", marks.join(" · ")) },
                theme.strong,
            ),
        ];
        let lead = [lead(lab, "", theme), vec![Span::styled(format!("{}  ", answer.letter), looks)]].concat();
        lines.extend(wrap(lead, content, columns, label_columns(lab) + 3));
    }
    lines.push(Line::default());
    lines
}
