//! What every screen of a film is drawn with.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::lab::lesson::FilmText;
use crate::lab::{Stage, State};

use crate::ui::block_letters::wide;
use crate::ui::text::{contents, cut, guard, spans_width, truncate, width, wrap_plain};
use crate::ui::theme::{Theme, keep_bold_dark};
use crate::ui::{KeyCast, overlay, screen, signs};

/// The row of the line above the lanes.
const TOP: u16 = 4;

/// Columns left of everything in a lane of its own.
pub(super) const MARGIN: u16 = 4;

/// The fewest rows for the caption.
const CAPTION: u16 = 2;

/// A drawn screen.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Its cells.
    pub buffer: Buffer,
    /// What it says in block letters, which no text of its cells has.
    pub blocks: Vec<String>,
}

impl Screen {
    /// All that there is to read.
    pub fn text(&self) -> String {
        let blocks = self.blocks.iter().map(String::as_str);
        std::iter::once(contents(&self.buffer).as_str()).chain(blocks).collect::<Vec<_>>().join("\n")
    }
}

/// What large text has taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    pub rows: u16,
    pub columns: u16,
    /// Whether it is drawn in block letters.
    pub is_block: bool,
}

/// A screen of a film under way.
pub(super) struct Canvas<'a> {
    pub state: &'a State,
    pub theme: &'a Theme,
    pub film: &'a FilmText,
    buffer: Buffer,
    blocks: Vec<String>,
    caption: Vec<Line<'static>>,
}

impl<'a> Canvas<'a> {
    pub fn new(state: &'a State, theme: &'a Theme, size: Size, caption: Option<&str>) -> Canvas<'a> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        buffer.set_style(buffer.area, theme.base);
        let looks = theme.strong.add_modifier(Modifier::BOLD);
        let columns = usize::from(size.width.saturating_sub(6));
        let mut caption = caption.map(|text| wrap_plain(text, looks, columns)).unwrap_or_default();
        // Two lines of the same length are read faster than a long and a short one.
        if let [_, _] = caption[..]
            && let Some(text) = caption.iter().map(line_text).reduce(|one, other| format!("{one} {other}"))
        {
            let even = (width(&text) / 2 + 1..columns).find_map(|columns| {
                let lines = wrap_plain(&text, looks, columns);
                (lines.len() == 2).then_some(lines)
            });
            caption = even.unwrap_or(caption);
        }
        Canvas { state, theme, film: &state.lesson().film, buffer, blocks: Vec::new(), caption }
    }

    pub fn columns(&self) -> u16 {
        self.buffer.area.width
    }

    /// The row below the lanes.
    pub fn bottom(&self) -> u16 {
        let caption = u16::try_from(self.caption.len()).unwrap_or(CAPTION).max(CAPTION);
        self.buffer.area.height.saturating_sub(caption + 4).max(TOP + 2)
    }

    /// The rows between the two lines, without margins.
    pub fn lane(&self) -> Rect {
        Rect { x: 0, y: TOP + 1, width: self.columns(), height: self.bottom().saturating_sub(TOP + 1) }
    }

    /// The rows of a card: all above the caption.
    pub fn card(&self) -> Rect {
        Rect { x: 0, y: 1, width: self.columns(), height: self.bottom() }
    }

    /// The word of a film with this id.
    pub fn word(&self, id: &str) -> String {
        self.film.words.word(id).to_owned()
    }

    /// Draws `spans` from `x`, cut at the right edge.
    pub fn put(&mut self, x: u16, y: u16, spans: Vec<Span<'static>>) {
        let room = self.columns().saturating_sub(x);
        self.put_within(Rect { x, y, width: room, height: 1 }, spans);
    }

    /// Draws `spans` in the first row of `area`.
    pub fn put_within(&mut self, area: Rect, spans: Vec<Span<'static>>) {
        let area = Rect { height: 1, ..area }.intersection(self.buffer.area);
        cut(spans, area.width.into()).render(area, &mut self.buffer);
    }

    pub fn text(&mut self, x: u16, y: u16, text: &str, style: Style) {
        self.put(x, y, vec![Span::styled(text.to_owned(), style)]);
    }

    pub fn centered(&mut self, y: u16, spans: Vec<Span<'static>>) {
        let columns = u16::try_from(spans_width(&spans)).unwrap_or(u16::MAX);
        self.put(self.columns().saturating_sub(columns) / 2, y, spans);
    }

    /// Draws a box with a heading in its upper line.
    pub fn boxed(&mut self, area: Rect, heading: &str) {
        let looks = self.theme.rule;
        let inner = usize::from(area.width.saturating_sub(2));
        let heading = if heading.is_empty() {
            String::new()
        } else {
            format!(" {} ", truncate(heading, inner.saturating_sub(2)))
        };
        let rest = "─".repeat(inner.saturating_sub(width(&heading)));
        let upper = vec![
            Span::styled("┌", looks),
            Span::styled(heading, self.theme.base),
            Span::styled(format!("{rest}┐"), looks),
        ];
        self.put_within(area, upper);
        for y in area.y + 1..area.bottom().saturating_sub(1) {
            self.text(area.x, y, "│", looks);
            self.text(area.right().saturating_sub(1), y, "│", looks);
        }
        self.text(area.x, area.bottom().saturating_sub(1), &format!("└{}┘", "─".repeat(inner)), looks);
    }

    /// Draws `text` in block letters at the left of `area`, as large as fits: twice as large, in one line, in a line for
    /// each word, or else in bold.
    pub fn block(&mut self, area: Rect, text: &str, style: Style) -> Drawn {
        let (lines, drawn) = self.lettered(area, text, style);
        for (y, line) in (area.y..).zip(lines) {
            self.put_within(Rect { y, ..area }, line.spans);
        }
        drawn
    }

    /// The same in the middle of `area`.
    pub fn block_centered(&mut self, area: Rect, text: &str, style: Style) -> Drawn {
        let (lines, drawn) = self.lettered(area, text, style);
        let x = area.x + area.width.saturating_sub(drawn.columns) / 2;
        for (y, line) in (area.y..).zip(lines) {
            self.put_within(Rect { x, y, width: drawn.columns, height: 1 }, line.spans);
        }
        drawn
    }

    fn lettered(&mut self, area: Rect, text: &str, style: Style) -> (Vec<Line<'static>>, Drawn) {
        let fits = |lines: &Vec<String>| {
            lines.len() <= usize::from(area.height) && lines.iter().all(|line| width(line) <= usize::from(area.width))
        };
        let words = || {
            let words = text.split(' ').map(|word| wide(word, 1)).collect::<Option<Vec<_>>>()?;
            Some(words.join(&String::new()))
        };
        // Blocks of # are no letters.
        let choices = [2, 1].iter().map(|scale| wide(text, *scale)).chain([words()]);
        let blocks = choices.flatten().find(fits).filter(|_| !self.theme.is_ascii());
        let is_block = blocks.is_some();
        let lines: Vec<Line<'static>> = match blocks {
            Some(lines) => {
                self.blocks.push(text.to_owned());
                lines.into_iter().map(|line| Line::from(Span::styled(line, style))).collect()
            }
            None => wrap_plain(text, style.add_modifier(Modifier::BOLD), area.width.into()),
        };
        let columns = lines.iter().map(|line| spans_width(&line.spans)).max().unwrap_or(0);
        let rows = u16::try_from(lines.len()).unwrap_or(area.height);
        (lines, Drawn { rows, columns: u16::try_from(columns).unwrap_or(area.width), is_block })
    }

    /// Draws the header of a stage, the call, and the lines around the lanes.
    pub fn stage(&mut self, stage: Stage, call: &str) {
        let place = format!("{}/{}", stage.number(), Stage::ALL.len());
        let title = self.state.text(stage).title.to_owned();
        self.header(&place, &title);
        self.call(call);
    }

    pub fn header(&mut self, place: &str, title: &str) {
        let (state, theme) = (self.state, self.theme);
        let mut right: Vec<Span<'static>> = Stage::ALL
            .iter()
            .map(|stage| {
                let (sign, _, looks) = overlay::progress(state, *stage, theme);
                Span::styled(sign, looks)
            })
            .collect();
        right
            .push(Span::styled(format!("   {} ", screen::backend_name(state.backend(), state.services())), theme.base));
        let columns = u16::try_from(spans_width(&right)).unwrap_or(0);
        let x = self.columns().saturating_sub(columns);
        let left = vec![Span::styled(format!(" {place}  {title}"), theme.strong)];
        self.put_within(Rect { x: 0, y: 0, width: x.saturating_sub(1), height: 1 }, left);
        self.put(x, 0, right);
    }

    /// Draws the call and the line below the lanes.
    pub fn call(&mut self, call: &str) {
        let (bottom, columns) = (self.bottom(), usize::from(self.columns()));
        self.text(2, 2, call, self.theme.strong);
        self.text(0, bottom, &"─".repeat(columns), self.theme.rule);
    }

    /// Draws the line above a lane, with the caller's name.
    pub fn named(&mut self, area: Rect, y: u16, name: &str) {
        let rest = usize::from(area.width).saturating_sub(width(name) + 3);
        let spans = vec![
            Span::styled("─ ", self.theme.rule),
            Span::styled(name.to_owned(), self.theme.strong),
            Span::styled(format!(" {}", "─".repeat(rest)), self.theme.rule),
        ];
        self.put_within(Rect { y, ..area }, spans);
    }

    /// Draws labels and values from row `y` on, with a blank line between them if there is room.
    pub fn fields(&mut self, area: Rect, fields: &[(String, String)]) {
        let longest = fields.iter().map(|(label, _)| width(label)).max().unwrap_or(0) + 3;
        let step = if fields.len() * 2 <= usize::from(area.height) + 1 { 2 } else { 1 };
        for ((label, value), y) in fields.iter().zip((area.y..area.bottom()).step_by(step)) {
            let spans = vec![
                Span::styled(format!("{label}{}", " ".repeat(longest.saturating_sub(width(label)))), self.theme.dim),
                Span::styled(value.clone(), self.theme.strong),
            ];
            self.put_within(Rect { y, ..area }, spans);
        }
    }

    /// Draws the screen that a learner has in its place.
    pub fn learner(&mut self) {
        let size = Size { width: self.columns(), height: self.bottom() };
        let drawn = screen::render_with(self.state, self.theme, &KeyCast::default(), size);
        for y in 0..size.height {
            for x in 0..size.width {
                if let (Some(cell), Some(source)) = (self.buffer.cell_mut((x, y)), drawn.cell((x, y))) {
                    *cell = source.clone();
                }
            }
        }
    }

    /// Draws caption and progress, and returns the screen.
    pub fn finish(mut self, (shown, all): (usize, usize)) -> Screen {
        let height = self.buffer.area.height;
        let lines = std::mem::take(&mut self.caption);
        let rows = u16::try_from(lines.len()).unwrap_or(0).max(CAPTION);
        for (y, line) in (height.saturating_sub(rows + 2)..).zip(lines) {
            let bar = Span::styled("▌ ", self.theme.strong);
            self.put(2, y, std::iter::once(bar).chain(line.spans).collect());
        }
        let columns = usize::from(self.columns());
        let done = columns * shown.min(all) / all.max(1);
        let bar = vec![
            Span::styled("━".repeat(done), self.theme.strong),
            Span::styled("─".repeat(columns - done), self.theme.rule),
        ];
        self.put(0, height.saturating_sub(1), bar);
        let Canvas { mut buffer, blocks, theme, .. } = self;
        guard(&mut buffer);
        keep_bold_dark(&mut buffer);
        if theme.is_ascii() {
            signs::translate(&mut buffer);
        }
        Screen { buffer, blocks }
    }
}

fn line_text(line: &Line<'static>) -> String {
    line.spans.iter().map(|span| span.content.as_ref()).collect()
}
