//! A still of the screen as SVG, from the cells of the real frame.
//!
//! Text stays text: it can be selected and searched, and `<title>` and `<desc>` say what it shows. Lines are drawn as
//! paths, since glyphs of lines leave gaps between rows. The same buffer gives the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// A cell's size and the font's, in pixels: most monospace fonts are 0.6 as wide as high.
const CELL: (f64, f64) = (9.6, 20.0);
const FONT_SIZE: f64 = 16.0;

/// From a row's upper edge to the line that letters stand on.
const BASELINE: f64 = 15.0;

/// Around the picture.
const MARGIN: f64 = 12.0;

/// Common monospace fonts that have `✔`, `✘` and the arrows, then whatever there is.
const FONTS: &str = "'JetBrains Mono','DejaVu Sans Mono','Cascadia Mono','SF Mono',Menlo,Consolas,\
                     'Liberation Mono','Noto Sans Mono','Noto Sans Symbols 2',monospace";

/// What the terminal's own colours look like in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// [`Color::Reset`] behind text.
    pub background: (u8, u8, u8),
    /// [`Color::Reset`] as text.
    pub foreground: (u8, u8, u8),
    /// The 16 colours in ANSI order.
    pub ansi: [(u8, u8, u8); 16],
}

impl Palette {
    /// For the dark theme.
    pub const DARK: Palette = Palette { background: (0x10, 0x14, 0x18), foreground: (0xe8, 0xed, 0xf2), ansi: ANSI };

    /// For the light theme.
    pub const LIGHT: Palette =
        Palette { background: (0xff, 0xff, 0xff), foreground: (0x10, 0x14, 0x18), ansi: ANSI_ON_LIGHT };
}

const ANSI: [(u8, u8, u8); 16] = [
    (0x10, 0x14, 0x18),
    (0xe0, 0x6c, 0x75),
    (0x98, 0xc3, 0x79),
    (0xd1, 0x9a, 0x66),
    (0x61, 0xaf, 0xef),
    (0xc6, 0x78, 0xdd),
    (0x56, 0xb6, 0xc2),
    (0xc8, 0xcf, 0xd6),
    (0x6b, 0x77, 0x84),
    (0xff, 0x8b, 0x92),
    (0xb5, 0xe0, 0x90),
    (0xff, 0xc0, 0x7a),
    (0xa9, 0xb8, 0xc9),
    (0xf0, 0xa6, 0xe0),
    (0x8f, 0xd3, 0xff),
    (0xff, 0xff, 0xff),
];

const ANSI_ON_LIGHT: [(u8, u8, u8); 16] = [
    (0x10, 0x14, 0x18),
    (0x9b, 0x1c, 0x1c),
    (0x1b, 0x5e, 0x20),
    (0x6d, 0x4c, 0x00),
    (0x00, 0x55, 0x88),
    (0x8a, 0x1c, 0x72),
    (0x00, 0x60, 0x64),
    (0x6b, 0x77, 0x84),
    (0x4b, 0x55, 0x60),
    (0xb7, 0x1c, 0x1c),
    (0x2e, 0x6b, 0x32),
    (0x8f, 0x3d, 0x00),
    (0x0b, 0x57, 0xa8),
    (0x99, 0x2b, 0x84),
    (0x00, 0x6d, 0x77),
    (0xff, 0xff, 0xff),
];

/// How a cell looks in the end.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Looks {
    ink: (u8, u8, u8),
    paper: (u8, u8, u8),
    bold: bool,
    italic: bool,
    underlined: bool,
}

/// `buffer` as an SVG document with `title`, and `description` for those who can't see it.
pub fn svg(buffer: &Buffer, palette: &Palette, title: &str, description: &str) -> String {
    let area = buffer.area;
    let (width, height) =
        (f64::from(area.width) * CELL.0 + 2.0 * MARGIN, f64::from(area.height) * CELL.1 + 2.0 * MARGIN);
    let mut out = String::new();
    // The outermost colour is the one of most cells: a theme may paint its own background.
    let paper = area.positions().next().map_or(palette.background, |first| {
        let last = (area.right() - 1, area.bottom() - 1);
        let corner = buffer.cell(last).or_else(|| buffer.cell(first));
        corner.map_or(palette.background, |cell| looks(cell, palette).paper)
    });
    push(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
         aria-labelledby=\"t d\" font-family=\"{FONTS}\" font-size=\"{size}\">\n<title id=\"t\">{title}</title>\n\
         <desc id=\"d\">{description}</desc>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{paper}\"/>\n",
            w = number(width),
            h = number(height),
            size = number(FONT_SIZE),
            title = escape(title),
            description = escape(description),
            paper = hex(paper),
        ),
    );
    for y in area.top()..area.bottom() {
        row(&mut out, buffer, palette, y, paper);
    }
    out.push_str("</svg>\n");
    out
}

fn row(out: &mut String, buffer: &Buffer, palette: &Palette, y: u16, paper: (u8, u8, u8)) {
    let area = buffer.area;
    let top = MARGIN + f64::from(y - area.top()) * CELL.1;
    let mut text: Vec<Run> = Vec::new();
    let mut papers: Vec<(u16, u16, (u8, u8, u8))> = Vec::new();
    let mut strokes = Strokes::default();
    let mut x = area.left();
    while x < area.right() {
        let Some(cell) = buffer.cell((x, y)) else { break };
        let looks = looks(cell, palette);
        let columns = u16::try_from(cell.symbol().width()).unwrap_or(1).clamp(1, area.right() - x);
        match papers.last_mut() {
            Some((start, length, color)) if *color == looks.paper && *start + *length == x => *length += columns,
            _ => papers.push((x, columns, looks.paper)),
        }
        let left = MARGIN + f64::from(x - area.left()) * CELL.0;
        match cell.symbol().chars().next().and_then(arms) {
            Some(arms) => strokes.add(arms, (left, top), looks.ink),
            None => add(&mut text, cell.symbol(), x, columns, looks),
        }
        x += columns;
    }
    for (start, length, color) in papers.into_iter().filter(|(_, _, color)| *color != paper) {
        push(
            out,
            format_args!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n",
                number(MARGIN + f64::from(start - area.left()) * CELL.0),
                number(top),
                number(f64::from(length) * CELL.0),
                number(CELL.1),
                hex(color),
            ),
        );
    }
    strokes.write(out);
    for run in text {
        let content = run.text.trim_end_matches(' ');
        let columns = usize::from(run.columns) - (run.text.len() - content.len());
        if content.is_empty() {
            continue;
        }
        push(
            out,
            format_args!(
                "<text x=\"{}\" y=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" fill=\"{}\"",
                number(MARGIN + f64::from(run.x - area.left()) * CELL.0),
                number(top + BASELINE),
                number(f64::from(u16::try_from(columns).unwrap_or(u16::MAX)) * CELL.0),
                hex(run.looks.ink),
            ),
        );
        for (wanted, attribute) in [
            (run.looks.bold, " font-weight=\"bold\""),
            (run.looks.italic, " font-style=\"italic\""),
            (run.looks.underlined, " text-decoration=\"underline\""),
        ] {
            if wanted {
                out.push_str(attribute);
            }
        }
        push(out, format_args!(">{}</text>\n", escape(content)));
    }
}

/// Cells of one row that look the same.
struct Run {
    x: u16,
    columns: u16,
    text: String,
    looks: Looks,
}

fn add(text: &mut Vec<Run>, symbol: &str, x: u16, columns: u16, looks: Looks) {
    // A sign may come from another font with other widths; on its own it can't push its neighbours.
    let is_plain = symbol.is_ascii();
    // A space that shows nothing looks like anything.
    let is_blank = symbol == " " && !looks.underlined;
    match text.last_mut() {
        Some(run)
            if is_plain
                && run.text.is_ascii()
                && run.x + run.columns == x
                && (run.looks == looks || is_blank && !run.looks.underlined) =>
        {
            run.text.push_str(symbol);
            run.columns += columns;
        }
        _ if is_blank => {}
        _ => text.push(Run { x, columns, text: symbol.to_owned(), looks }),
    }
}

fn looks(cell: &Cell, palette: &Palette) -> Looks {
    let modifier = cell.modifier;
    let mut ink = rgb(cell.fg, palette, palette.foreground);
    let mut paper = rgb(cell.bg, palette, palette.background);
    if modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    if modifier.contains(Modifier::DIM) {
        ink = mixed(ink, paper);
    }
    if modifier.contains(Modifier::HIDDEN) {
        ink = paper;
    }
    Looks {
        ink,
        paper,
        bold: modifier.contains(Modifier::BOLD),
        italic: modifier.contains(Modifier::ITALIC),
        underlined: modifier.contains(Modifier::UNDERLINED),
    }
}

/// Two thirds of `ink`, as terminals show dim text.
fn mixed(ink: (u8, u8, u8), paper: (u8, u8, u8)) -> (u8, u8, u8) {
    let mix = |a: u8, b: u8| u8::try_from((u16::from(a) * 2 + u16::from(b)) / 3).unwrap_or(a);
    (mix(ink.0, paper.0), mix(ink.1, paper.1), mix(ink.2, paper.2))
}

fn rgb(color: Color, palette: &Palette, reset: (u8, u8, u8)) -> (u8, u8, u8) {
    let ansi = |index: usize| palette.ansi[index];
    match color {
        Color::Reset => reset,
        Color::Black => ansi(0),
        Color::Red => ansi(1),
        Color::Green => ansi(2),
        Color::Yellow => ansi(3),
        Color::Blue => ansi(4),
        Color::Magenta => ansi(5),
        Color::Cyan => ansi(6),
        Color::Gray => ansi(7),
        Color::DarkGray => ansi(8),
        Color::LightRed => ansi(9),
        Color::LightGreen => ansi(10),
        Color::LightYellow => ansi(11),
        Color::LightBlue => ansi(12),
        Color::LightMagenta => ansi(13),
        Color::LightCyan => ansi(14),
        Color::White => ansi(15),
        Color::Rgb(red, green, blue) => (red, green, blue),
        Color::Indexed(index @ 0..=15) => ansi(index.into()),
        // xterm's cube of 6×6×6 colours, then its 24 greys.
        Color::Indexed(index @ 16..=231) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
            let index = index - 16;
            (level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

/// Weights of a line's arms: up, right, down, left; 0 none, 1 light, 2 heavy.
type Arms = [u8; 4];

fn arms(symbol: char) -> Option<Arms> {
    Some(match symbol {
        '─' => [0, 1, 0, 1],
        '━' => [0, 2, 0, 2],
        '│' => [1, 0, 1, 0],
        '┃' => [2, 0, 2, 0],
        '┌' => [0, 1, 1, 0],
        '┐' => [0, 0, 1, 1],
        '└' => [1, 1, 0, 0],
        '┘' => [1, 0, 0, 1],
        '├' => [1, 1, 1, 0],
        '┤' => [1, 0, 1, 1],
        '┬' => [0, 1, 1, 1],
        '┭' => [0, 1, 1, 2],
        '┮' => [0, 2, 1, 1],
        '┯' => [0, 2, 1, 2],
        '┴' => [1, 1, 0, 1],
        '┼' => [1, 1, 1, 1],
        '┏' => [0, 2, 2, 0],
        '┓' => [0, 0, 2, 2],
        '┗' => [2, 2, 0, 0],
        '┛' => [2, 0, 0, 2],
        _ => return None,
    })
}

/// Lines of one row, by colour and weight, so that they become few paths.
#[derive(Default)]
struct Strokes(BTreeMap<(Ink, Weight), Vec<Segment>>);

/// Red, green, blue.
type Ink = (u8, u8, u8);

/// 1 light, 2 heavy.
type Weight = u8;

/// From x and y to x and y.
type Segment = [f64; 4];

impl Strokes {
    fn add(&mut self, arms: Arms, (left, top): (f64, f64), ink: (u8, u8, u8)) {
        let (right, bottom) = (left + CELL.0, top + CELL.1);
        let (x, y) = (left + CELL.0 / 2.0, top + CELL.1 / 2.0);
        for (weight, line) in
            arms.into_iter().zip([[x, top, x, y], [x, y, right, y], [x, y, x, bottom], [left, y, x, y]])
        {
            if weight == 0 {
                continue;
            }
            let lines = self.0.entry((ink, weight)).or_default();
            // The left arm comes last of a cell; it goes on to where the cell before ended, and so does the right one.
            match lines
                .iter_mut()
                .rev()
                .find(|before| before[1] == line[1] && before[3] == line[3] && joins(before, &line))
            {
                Some(before) if line[1] == line[3] => {
                    before[0] = before[0].min(line[0]);
                    before[2] = before[2].max(line[2]);
                }
                _ => lines.push(line),
            }
        }
    }

    fn write(self, out: &mut String) {
        for ((ink, weight), lines) in self.0 {
            let path: String = lines
                .into_iter()
                .map(|[x, y, to_x, to_y]| format!("M{} {}L{} {}", number(x), number(y), number(to_x), number(to_y)))
                .collect();
            let width = if weight == 1 { 1.2 } else { 2.6 };
            push(
                out,
                format_args!(
                    "<path d=\"{path}\" stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"square\" fill=\"none\"/>\n",
                    hex(ink),
                    number(width),
                ),
            );
        }
    }
}

/// Whether two horizontal lines touch.
fn joins(a: &[f64; 4], b: &[f64; 4]) -> bool {
    const NEAR: f64 = 0.01;
    b[0] <= a[2] + NEAR && a[0] <= b[2] + NEAR
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(arguments);
}

fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A number with at most one decimal and no needless zero.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to write these.
            c if c.is_control() && c != '\n' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn drawn() -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 3));
        buffer.set_string(0, 0, "─┬━ <a & \"b\"> ✘ DENIED", Style::new());
        buffer.set_string(0, 1, "reversed", Style::new().reversed().bold());
        buffer.set_string(10, 1, "dim", Style::new().dim());
        buffer.set_string(0, 2, "表 wide\u{7f}", Style::new().light_cyan().underlined());
        buffer
    }

    #[test]
    fn it_is_xml_with_every_visible_character() {
        let text = svg(&drawn(), &Palette::DARK, "a <title>", "what & why");
        let document = roxmltree::Document::parse(&text).unwrap();
        let all = |name: &str| -> String {
            document.descendants().filter(|n| n.has_tag_name(name)).filter_map(|n| n.text()).collect()
        };
        assert_eq!(all("title"), "a <title>");
        assert_eq!(all("desc"), "what & why");
        let content: String = all("text").chars().filter(|c| !c.is_whitespace()).collect();
        for expected in ["<a&\"b\">", "✘DENIED", "reversed", "dim", "表wide"] {
            assert!(content.contains(expected), "{expected} is not in {content}");
        }
        // Lines, and no glyphs of them: light ones and heavy ones.
        assert_eq!(document.descendants().filter(|n| n.has_tag_name("path")).count(), 2);
        assert!(!content.contains('─'));
    }

    #[test]
    fn reversed_and_dim_text_have_their_colours() {
        let text = svg(&drawn(), &Palette::DARK, "", "");
        let document = roxmltree::Document::parse(&text).unwrap();
        let fill = |content: &str| {
            let node = document.descendants().find(|n| n.has_tag_name("text") && n.text() == Some(content)).unwrap();
            node.attribute("fill").unwrap().to_owned()
        };
        assert_eq!(fill("reversed"), hex(Palette::DARK.background));
        assert_ne!(fill("dim"), hex(Palette::DARK.foreground));
        assert!(text.contains(&format!(
            "<rect x=\"12\" y=\"32\" width=\"76.8\" height=\"20\" fill=\"{}\"/>",
            hex(Palette::DARK.foreground)
        )));
    }

    #[test]
    fn it_is_the_same_every_time() {
        assert_eq!(svg(&drawn(), &Palette::LIGHT, "t", "d"), svg(&drawn(), &Palette::LIGHT, "t", "d"));
    }

    #[test]
    fn an_empty_picture_is_one_too() {
        let text = svg(&Buffer::empty(Rect::ZERO), &Palette::DARK, "", "");
        assert!(roxmltree::Document::parse(&text).is_ok());
    }
}
