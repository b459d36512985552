//! A still of the screen as SVG, from the cells of the real frame.
//!
//! Text stays text: it can be selected and searched, and `<title>` and `<desc>` say what it shows. Lines are drawn as
//! paths, since glyphs of lines leave gaps between rows. The same buffer gives the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Size;

use super::film::{Film, Picture, Row, Rows};
use super::font::SIGN;
use super::palette::{Palette, Rgb, blend};
use super::shapes::{Arms, arms, block, is_sign};
use super::style::{CellStyle, background, cells};
use super::text::reading;
use crate::lab::glyphs::glyphs;

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

/// Draws `buffer` as an SVG document with `title`, and `description` for readers who can't see it.
pub fn svg(buffer: &Buffer, palette: &Palette, title: &str, description: &str) -> String {
    document(&Rows::default().of(buffer), buffer.area.as_size(), palette, [title, description, ""])
}

/// Draws one picture of `film`, described by its text, with these styles.
pub(super) fn still(film: &Film, picture: &Picture, style: &str) -> String {
    document(&picture.rows, film.size, &film.palette, [&film.title, &reading(picture).join("\n"), style])
}

fn document(rows: &[Row], size: Size, palette: &Palette, [title, description, style]: [&str; 3]) -> String {
    let around = background(rows, palette);
    let mut out = open(size, around, title, description);
    if !style.is_empty() {
        push(&mut out, format_args!("<style>{style}</style>\n"));
    }
    for (y, cells) in rows.iter().enumerate() {
        row(&mut out, cells, palette, around, top(y));
    }
    out.push_str("</svg>\n");
    out
}

/// Begins a document for pictures of `size`.
pub(super) fn open(size: Size, background: Rgb, title: &str, description: &str) -> String {
    let [view_box, width, height, family, font_size] =
        attributes(size).map(|(name, value)| format!("{name}=\"{value}\""));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" {view_box} {width} {height} role=\"img\" aria-labelledby=\"t d\" \
         {family} {font_size}>\n<title id=\"t\">{title}</title>\n<desc id=\"d\">{description}</desc>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{background}\"/>\n",
        title = escape(title),
        description = escape(description),
        background = hex(background),
    )
}

/// Returns the attributes of the `svg` element for pictures of `size`.
pub(super) fn attributes(size: Size) -> [(&'static str, String); 5] {
    let width = number(f64::from(size.width) * CELL.0 + 2.0 * MARGIN);
    let height = number(f64::from(size.height) * CELL.1 + 2.0 * MARGIN);
    [
        ("viewBox", format!("0 0 {width} {height}")),
        ("width", width),
        ("height", height),
        ("font-family", FONTS.to_owned()),
        ("font-size", number(FONT_SIZE)),
    ]
}

/// Returns where a row begins.
pub(super) fn top(row: usize) -> f64 {
    MARGIN + row as f64 * CELL.1
}

/// Draws a row at `top`, on a picture whose background is `around`.
pub(super) fn row(out: &mut String, row: &[Cell], palette: &Palette, around: Rgb, top: f64) {
    let mut runs: Vec<Run> = Vec::new();
    let mut backgrounds: Vec<(u16, u16, Rgb)> = Vec::new();
    let mut strokes = Strokes::default();
    let mut blocks: Vec<([f64; 4], Rgb)> = Vec::new();
    for (x, columns, cell) in cells(row) {
        let style = CellStyle::new(cell, palette);
        match backgrounds.last_mut() {
            Some((start, length, color)) if *color == style.background && *start + *length == x => *length += columns,
            _ => backgrounds.push((x, columns, style.background)),
        }
        let first = cell.symbol().chars().next().unwrap_or(' ');
        match (arms(first), block(first)) {
            (Some(arms), _) => strokes.add(arms, (left(x), top), style.foreground),
            (None, Some((part, strength))) => {
                let [from_x, from_y, to_x, to_y] = part.map(|eighths| f64::from(eighths) / 8.0);
                let size = [(to_x - from_x) * CELL.0, (to_y - from_y) * CELL.1];
                let corner = [left(x) + from_x * CELL.0, top + from_y * CELL.1];
                let color = blend(style.foreground, style.background, strength);
                blocks.push(([corner[0], corner[1], size[0], size[1]], color));
            }
            (None, None) => Run::add(&mut runs, cell.symbol(), x, columns, style),
        }
    }
    let backgrounds = backgrounds.into_iter().filter(|(_, _, color)| *color != around);
    let backgrounds =
        backgrounds.map(|(x, columns, color)| ([left(x), top, f64::from(columns) * CELL.0, CELL.1], color));
    for (rectangle, color) in backgrounds.chain(blocks) {
        let ([x, y, width, height], fill) = (rectangle.map(number), hex(color));
        push(out, format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>\n"));
    }
    strokes.write(out);
    runs.iter().for_each(|run| run.write(out, top));
}

/// Returns where a column begins.
fn left(column: u16) -> f64 {
    MARGIN + f64::from(column) * CELL.0
}

/// Cells of one row that have the same style.
struct Run {
    x: u16,
    columns: u16,
    text: String,
    style: CellStyle,
}

impl Run {
    /// Adds a cell to the last run, or begins a new one.
    fn add(runs: &mut Vec<Run>, symbol: &str, x: u16, columns: u16, style: CellStyle) {
        // A sign may come from another font with other widths; on its own it can't push its neighbors.
        let is_plain = symbol.is_ascii();
        // An invisible space joins any style.
        let is_blank = symbol == " " && !style.underlined;
        match runs.last_mut() {
            Some(run)
                if is_plain
                    && run.text.is_ascii()
                    && run.x + run.columns == x
                    && (run.style == style || is_blank && !run.style.underlined) =>
            {
                run.text.push_str(symbol);
                run.columns += columns;
            }
            _ if is_blank => {}
            _ => runs.push(Run { x, columns, text: symbol.to_owned(), style }),
        }
    }

    fn write(&self, out: &mut String, top: f64) {
        let content = self.text.trim_end_matches(' ');
        let columns = usize::from(self.columns) - (self.text.len() - content.len());
        if content.is_empty() {
            return;
        }
        let wide = columns as f64 * CELL.0;
        let margin = match content.chars().all(is_sign) {
            true => wide * (1.0 - f64::from(SIGN)) / 2.0,
            // Wide characters are as wide as the font is high: two cells would stretch them.
            false if columns == 2 && glyphs(content).count() == 1 => (wide - FONT_SIZE) / 2.0,
            false => 0.0,
        };
        let [x, y, length] = [left(self.x) + margin, top + BASELINE, wide - 2.0 * margin].map(number);
        let fill = hex(self.style.foreground);
        push(
            out,
            format_args!(
                "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" \
                 xml:space=\"preserve\" fill=\"{fill}\""
            ),
        );
        for (has, attribute) in [
            (self.style.bold, " font-weight=\"bold\""),
            (self.style.italic, " font-style=\"italic\""),
            (self.style.underlined, " text-decoration=\"underline\""),
        ] {
            out.push_str(if has { attribute } else { "" });
        }
        push(out, format_args!(">{}</text>\n", escape(content)));
    }
}

/// Lines of one row by color and weight, so that they become few paths.
#[derive(Default)]
struct Strokes(BTreeMap<(Rgb, Weight), Vec<Segment>>);

/// 1 light, 2 heavy.
type Weight = u8;

/// From x and y to x and y.
type Segment = [f64; 4];

impl Strokes {
    fn add(&mut self, arms: Arms, (left, top): (f64, f64), color: Rgb) {
        let (right, bottom) = (left + CELL.0, top + CELL.1);
        let (x, y) = (left + CELL.0 / 2.0, top + CELL.1 / 2.0);
        for (weight, line) in
            arms.into_iter().zip([[x, top, x, y], [x, y, right, y], [x, y, x, bottom], [left, y, x, y]])
        {
            if weight == 0 {
                continue;
            }
            let lines = self.0.entry((color, weight)).or_default();
            // The left and right arms join the lines of the cell before.
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
        for ((color, weight), lines) in self.0 {
            let path: String = lines
                .into_iter()
                .map(|[x, y, to_x, to_y]| format!("M{} {}L{} {}", number(x), number(y), number(to_x), number(to_y)))
                .collect();
            let width = if weight == 1 { 1.2 } else { 2.6 };
            push(
                out,
                format_args!(
                    "<path d=\"{path}\" stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"square\" fill=\"none\"/>\n",
                    hex(color),
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

/// Appends formatted text.
pub(super) fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(arguments);
}

/// Formats a color as `#rrggbb`.
pub(super) fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Formats a number with at most one decimal.
pub(super) fn number(value: f64) -> String {
    decimals(value, 1)
}

/// Formats a number with at most `places` decimals, without trailing zeros.
pub(super) fn decimals(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Escapes text for XML and HTML, attributes included.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML can't represent these.
            c if c.is_control() && !['\n', '\t'].contains(&c) => escaped.push('\u{fffd}'),
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
    fn reversed_and_dim_text_have_their_colors() {
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

    /// In a browser's font it may be of any width: it is neither stretched nor does it push what follows.
    #[test]
    fn a_wide_character_is_in_the_middle_of_its_cells() {
        let text = svg(&drawn(), &Palette::DARK, "", "");
        let document = roxmltree::Document::parse(&text).unwrap();
        let place = |content: &str| {
            let node = document.descendants().find(|n| n.has_tag_name("text") && n.text() == Some(content)).unwrap();
            ["x", "textLength"].map(|name| node.attribute(name).unwrap().parse::<f64>().unwrap())
        };
        let [x, wide] = place("表");
        assert_eq!([x + wide / 2.0, wide], [MARGIN + CELL.0, FONT_SIZE]);
        assert_eq!(place(" wide")[0], MARGIN + 2.0 * CELL.0);
    }
}
