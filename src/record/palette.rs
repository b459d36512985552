//! The terminal's colors as red, green and blue.

use ratatui::style::Color;

/// Red, green, blue.
pub(super) type Rgb = (u8, u8, u8);

/// The colors of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// [`Color::Reset`] behind text.
    pub background: (u8, u8, u8),
    /// [`Color::Reset`] as text.
    pub foreground: (u8, u8, u8),
    /// The 16 colors in ANSI order.
    pub ansi: [(u8, u8, u8); 16],
}

impl Palette {
    /// For the dark theme.
    pub const DARK: Palette = Palette { background: (0x10, 0x14, 0x18), foreground: (0xe8, 0xed, 0xf2), ansi: ANSI };

    /// For the light theme.
    pub const LIGHT: Palette =
        Palette { background: (0xff, 0xff, 0xff), foreground: (0x10, 0x14, 0x18), ansi: ANSI_ON_LIGHT };
}

const ANSI: [Rgb; 16] = unpacked([
    0x101418, 0xe06c75, 0x98c379, 0xd19a66, 0x61afef, 0xc678dd, 0x56b6c2, 0xc8cfd6, 0x6b7784, 0xff8b92, 0xb5e090,
    0xffc07a, 0xa9b8c9, 0xf0a6e0, 0x8fd3ff, 0xffffff,
]);

const ANSI_ON_LIGHT: [Rgb; 16] = unpacked([
    0x101418, 0x9b1c1c, 0x1b5e20, 0x6d4c00, 0x005588, 0x8a1c72, 0x006064, 0x6b7784, 0x4b5560, 0xb71c1c, 0x2e6b32,
    0x8f3d00, 0x0b57a8, 0x992b84, 0x006d77, 0xffffff,
]);

const fn unpacked(colors: [u32; 16]) -> [Rgb; 16] {
    let mut all = [(0, 0, 0); 16];
    let mut index = 0;
    while index < all.len() {
        let [_, red, green, blue] = colors[index].to_be_bytes();
        all[index] = (red, green, blue);
        index += 1;
    }
    all
}

/// Blends `foreground` over `background`; a strength of 255 is the foreground alone.
pub(super) fn blend(foreground: Rgb, background: Rgb, strength: u8) -> Rgb {
    let strength = u32::from(strength);
    let mix = |a: u8, b: u8| {
        let sum = u32::from(a) * strength + u32::from(b) * (255 - strength);
        u8::try_from((sum + 127) / 255).unwrap_or(a)
    };
    (mix(foreground.0, background.0), mix(foreground.1, background.1), mix(foreground.2, background.2))
}

impl Palette {
    /// Returns a color of a cell; `reset` stands for [`Color::Reset`].
    pub(super) fn rgb(&self, color: Color, reset: Rgb) -> Rgb {
        let ansi = |index: usize| self.ansi[index];
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
            // xterm's cube of 6×6×6 colors, then its 24 grays.
            Color::Indexed(index @ 16..=231) => {
                let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
                let index = index - 16;
                (level(index / 36), level(index / 6 % 6), level(index % 6))
            }
            Color::Indexed(index) => {
                let gray = 8 + 10 * (index - 232);
                (gray, gray, gray)
            }
        }
    }
}
