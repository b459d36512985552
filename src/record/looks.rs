//! How a cell looks in a picture: its colours, its weight, and the shapes that are drawn and not written. The writers
//! of all picture formats ask here.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use super::Row;
use crate::lab::glyphs::glyph_width;

/// Red, green, blue.
pub(super) type Rgb = (u8, u8, u8);

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

const ANSI: [Rgb; 16] = [
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

const ANSI_ON_LIGHT: [Rgb; 16] = [
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looks {
    pub ink: Rgb,
    pub paper: Rgb,
    pub bold: bool,
    pub italic: bool,
    pub underlined: bool,
}

/// The cells of a row that show something: column, how many columns it takes, the cell. What a wide character covers is
/// left out.
pub(super) fn cells(row: &[Cell]) -> impl Iterator<Item = (u16, u16, &Cell)> {
    let right = u16::try_from(row.len()).unwrap_or(u16::MAX);
    let mut x = 0;
    std::iter::from_fn(move || {
        let cell = row.get(usize::from(x)).filter(|_| x < right)?;
        let columns = u16::try_from(glyph_width(cell.symbol())).unwrap_or(1).clamp(1, right - x);
        x += columns;
        Some((x - columns, columns, cell))
    })
}

/// The colour around a picture, that of its last cell: a theme may paint a background of its own.
pub(super) fn ground(rows: &[Row], palette: &Palette) -> Rgb {
    rows.last().and_then(|row| row.last()).map_or(palette.background, |cell| looks(cell, palette).paper)
}

pub(super) fn looks(cell: &Cell, palette: &Palette) -> Looks {
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
fn mixed(ink: Rgb, paper: Rgb) -> Rgb {
    blend(ink, paper, 170)
}

/// `ink` over `paper`: 255 is ink alone.
pub(super) fn blend(ink: Rgb, paper: Rgb, strength: u8) -> Rgb {
    let strength = u32::from(strength);
    let mix = |a: u8, b: u8| {
        let sum = u32::from(a) * strength + u32::from(b) * (255 - strength);
        u8::try_from((sum + 127) / 255).unwrap_or(a)
    };
    (mix(ink.0, paper.0), mix(ink.1, paper.1), mix(ink.2, paper.2))
}

fn rgb(color: Color, palette: &Palette, reset: Rgb) -> Rgb {
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

/// Whether a character is one of the signs that fonts draw as wide as they like: arrows, shapes and marks.
pub(super) fn is_sign(symbol: char) -> bool {
    matches!(symbol, '\u{2190}'..='\u{21ff}' | '\u{25a0}'..='\u{27ff}') && arms(symbol).is_none()
}

/// Weights of a line's arms: up, right, down, left; 0 none, 1 light, 2 heavy.
pub(super) type Arms = [u8; 4];

/// The arms of a character that is a line.
pub(super) fn arms(symbol: char) -> Option<Arms> {
    Some(match symbol {
        '─' => [0, 1, 0, 1],
        '━' => [0, 2, 0, 2],
        '│' => [1, 0, 1, 0],
        '┃' => [2, 0, 2, 0],
        '┌' | '╭' => [0, 1, 1, 0],
        '┐' | '╮' => [0, 0, 1, 1],
        '└' | '╰' => [1, 1, 0, 0],
        '┘' | '╯' => [1, 0, 0, 1],
        '├' => [1, 1, 1, 0],
        '┤' => [1, 0, 1, 1],
        '┬' => [0, 1, 1, 1],
        '┭' => [0, 1, 1, 2],
        '┮' => [0, 2, 1, 1],
        '┯' => [0, 2, 1, 2],
        '┴' => [1, 1, 0, 1],
        '┵' => [1, 1, 0, 2],
        '┶' => [1, 2, 0, 1],
        '┷' => [1, 2, 0, 2],
        '┼' => [1, 1, 1, 1],
        '┿' => [1, 2, 1, 2],
        '┠' => [2, 1, 2, 0],
        '┨' => [2, 0, 2, 1],
        '┣' => [2, 2, 2, 0],
        '┫' => [2, 0, 2, 2],
        '┳' => [0, 2, 2, 2],
        '┻' => [2, 2, 0, 2],
        '╋' => [2, 2, 2, 2],
        '╴' => [0, 0, 0, 1],
        '╵' => [1, 0, 0, 0],
        '╶' => [0, 1, 0, 0],
        '╷' => [0, 0, 1, 0],
        '┏' => [0, 2, 2, 0],
        '┓' => [0, 0, 2, 2],
        '┗' => [2, 2, 0, 0],
        '┛' => [2, 0, 0, 2],
        _ => return None,
    })
}

/// The part of its cell that a block element fills, in eighths: from the left and the top to the right and the bottom;
/// and how strong its ink is.
pub(super) fn block(symbol: char) -> Option<([u8; 4], u8)> {
    let part = |first: char| u8::try_from(u32::from(symbol) - u32::from(first)).unwrap_or_default();
    Some(match symbol {
        '▀' => ([0, 0, 8, 4], 255),
        '▁'..='█' => ([0, 7 - part('▁'), 8, 8], 255),
        '▉'..='▏' => ([0, 0, 7 - part('▉'), 8], 255),
        '▐' => ([4, 0, 8, 8], 255),
        '░'..='▓' => ([0, 0, 8, 8], 64 * (1 + part('░'))),
        '▔' => ([0, 0, 8, 1], 255),
        '▕' => ([7, 0, 8, 8], 255),
        _ => return None,
    })
}
