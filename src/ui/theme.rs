//! Colors by role. Words and signs say everywhere what a color means, too.
//!
//! Three themes, each in three depths: none (only bold, dim, underlined, reversed), the terminal's own 16 colors, and
//! a fixed palette for terminals with true color, where the contrasts are known and tested. ALLOWED is blue and DENIED
//! orange or, of 16 colors, what is nearest to them, so that red-green blindness changes nothing.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use super::signs::Signs;

mod choice;

pub use choice::{ThemeChoice, ThemeName};

/// How many colors may be used. Decided once, by the code that knows the terminal and `NO_COLOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorLevel {
    /// None at all.
    None,
    /// The terminal's own 16.
    Ansi16,
    /// Any: the fixed palettes.
    True,
}

/// How a verdict looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerdictStyle {
    /// As a word in running text and in lists.
    pub text: Style,
    /// As the badge of a pane.
    pub badge: Style,
}

/// Keeps bold dark text dark. Many terminals, xterm among them, show bold text of the 8 dark colors in the 8 bright ones:
/// black turns gray. Such a cell is reversed with its colors swapped, which looks the same but makes the text's color a
/// bright one.
pub(super) fn keep_bold_dark(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.modifier.contains(Modifier::BOLD) && is_dark(cell.fg) && is_bright(cell.bg) {
            std::mem::swap(&mut cell.fg, &mut cell.bg);
            cell.modifier.toggle(Modifier::REVERSED);
        }
    }
}

/// Whether a color is one of the 8 that bold may brighten.
const fn is_dark(color: Color) -> bool {
    use Color as C;
    matches!(color, C::Black | C::Red | C::Green | C::Yellow | C::Blue | C::Magenta | C::Cyan | C::Gray)
}

/// Whether a color is one of the other 8.
const fn is_bright(color: Color) -> bool {
    use Color as C;
    matches!(
        color,
        C::DarkGray
            | C::LightRed
            | C::LightGreen
            | C::LightYellow
            | C::LightBlue
            | C::LightMagenta
            | C::LightCyan
            | C::White
    )
}

/// A style for each role, and the verdicts' signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The whole screen before anything is drawn.
    pub base: Style,
    /// The header's line.
    pub bar: Style,
    /// The stage's title.
    pub title: Style,
    /// What matters less: labels, ids, hints.
    pub dim: Style,
    /// What matters more: the objective, a call's name.
    pub strong: Style,
    /// Lines between parts.
    pub rule: Style,
    /// The line over the pane that keys go to.
    pub rule_focus: Style,
    /// The name of that pane, the cursor of a list, the key that goes on.
    pub focus: Style,
    /// The backend's badge.
    pub badge: Style,
    /// A key in the footer and in the help.
    pub hint: Style,
    /// ALLOWED, MET.
    pub allowed: VerdictStyle,
    /// DENIED.
    pub denied: VerdictStyle,
    /// FAILED, NOT MET.
    pub failed: VerdictStyle,
    /// WAITING.
    pub waiting: VerdictStyle,
    /// A member's name in an answer.
    pub key: Style,
    /// A string.
    pub string: Style,
    /// A number, `true`, `null`.
    pub number: Style,
    /// Braces, commas, quotation marks of structure.
    pub punctuation: Style,
    /// What a policy change added.
    pub added: Style,
    /// The verdicts' signs.
    pub signs: Signs,
}

impl Theme {
    /// The theme `name` in the depth `level`. Without colors all themes are the same.
    pub fn choose(name: ThemeName, level: ColorLevel) -> Theme {
        match (name, level) {
            (_, ColorLevel::None) => Theme::no_color(),
            (ThemeName::Dark, ColorLevel::Ansi16) => {
                Theme::ansi([Color::White, Color::Black], Color::LightCyan, Color::LightYellow, Color::Cyan)
            }
            // No warm one of the 16 can be read well on white: DENIED has its word, its sign and its weight.
            (ThemeName::Light, ColorLevel::Ansi16) => {
                Theme::ansi([Color::Black, Color::White], Color::Blue, Color::Black, Color::Blue)
            }
            (ThemeName::HighContrast, ColorLevel::Ansi16) => Theme::high_contrast(Color::White, Color::Black),
            (ThemeName::Dark, ColorLevel::True) => Theme::fixed(&DARK),
            (ThemeName::Light, ColorLevel::True) => Theme::fixed(&LIGHT),
            (ThemeName::HighContrast, ColorLevel::True) => {
                Theme::high_contrast(Color::Rgb(0xff, 0xff, 0xff), Color::Rgb(0, 0, 0))
            }
        }
    }

    /// The same theme for a terminal that shows only ASCII.
    #[must_use]
    pub fn in_ascii(self) -> Theme {
        Theme { signs: Signs::ASCII, ..self }
    }

    /// Whether only ASCII is shown.
    pub(super) fn is_ascii(&self) -> bool {
        self.signs == Signs::ASCII
    }

    /// A theme for counting lines: what is counted does not depend on it.
    pub(super) fn plain() -> Theme {
        Theme::no_color()
    }

    /// Recorded, not live: like nothing else in a frame, without colors too.
    pub fn replay(&self) -> Style {
        self.focus.add_modifier(Modifier::UNDERLINED)
    }

    /// Only modifiers; every color is left to the terminal.
    fn no_color() -> Theme {
        let plain = Style::new();
        let dim = plain.add_modifier(Modifier::DIM);
        Theme { dim, rule: dim, punctuation: dim, ..Theme::of_one_ink(plain, plain.add_modifier(Modifier::REVERSED)) }
    }

    /// Two styles, one the other reversed, and their weights.
    fn of_one_ink(plain: Style, reversed: Style) -> Theme {
        let bold = plain.add_modifier(Modifier::BOLD);
        let reversed = reversed.add_modifier(Modifier::BOLD);
        let underlined = bold.add_modifier(Modifier::UNDERLINED);
        Theme {
            base: plain,
            bar: plain,
            title: bold,
            dim: plain,
            strong: bold,
            rule: plain,
            rule_focus: bold,
            focus: reversed,
            badge: reversed,
            hint: bold,
            // The three verdicts differ in weight, too; the word and the sign say it anyway.
            allowed: VerdictStyle { text: bold, badge: underlined },
            denied: VerdictStyle { text: bold, badge: reversed },
            failed: VerdictStyle { text: underlined, badge: reversed.add_modifier(Modifier::UNDERLINED) },
            waiting: VerdictStyle { text: plain, badge: plain },
            key: plain,
            string: bold,
            number: bold,
            punctuation: plain,
            added: bold,
            signs: Signs::UNICODE,
        }
    }

    /// The terminal's own 16 colors, on black or on white whatever its background is: that may not be known, and what
    /// can be read on one can't be on the other. FAILED has no color: those that are left have too little contrast, so it
    /// is underlined.
    fn ansi([ink, background]: [Color; 2], allowed: Color, denied: Color, key: Color) -> Theme {
        let verdict = |color: Color| {
            let text = Style::new().fg(color).add_modifier(Modifier::BOLD);
            VerdictStyle { text, badge: text.add_modifier(Modifier::REVERSED) }
        };
        let plain = Style::new();
        Theme {
            base: plain.fg(ink).bg(background),
            bar: plain.fg(ink).bg(background),
            allowed: verdict(allowed),
            denied: verdict(denied),
            key: plain.fg(key),
            string: plain,
            number: plain,
            added: plain.fg(allowed).add_modifier(Modifier::BOLD),
            ..Theme::no_color()
        }
    }

    fn high_contrast(foreground: Color, background: Color) -> Theme {
        let plain = Style::new().fg(foreground).bg(background);
        let reversed = Style::new().fg(background).bg(foreground);
        let added = plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        Theme { added, ..Theme::of_one_ink(plain, reversed) }
    }

    fn fixed(palette: &Palette) -> Theme {
        let on = |foreground: Rgb, background: Rgb| Style::new().fg(foreground.into()).bg(background.into());
        let ink = |foreground: Rgb| Style::new().fg(foreground.into());
        let bold = |style: Style| style.add_modifier(Modifier::BOLD);
        let verdict = |color: Rgb| VerdictStyle { text: bold(ink(color)), badge: bold(on(palette.background, color)) };
        Theme {
            base: on(palette.text, palette.background),
            bar: on(palette.text, palette.bar),
            title: bold(on(palette.text, palette.bar)),
            dim: ink(palette.dim),
            strong: bold(ink(palette.text)),
            rule: ink(palette.rule),
            rule_focus: bold(ink(palette.text)),
            focus: bold(on(palette.background, palette.text)),
            badge: bold(on(palette.background, palette.dim)),
            hint: bold(ink(palette.text)),
            allowed: verdict(palette.allowed),
            denied: verdict(palette.denied),
            failed: verdict(palette.failed),
            waiting: VerdictStyle { text: ink(palette.dim), badge: bold(on(palette.text, palette.bar)) },
            key: ink(palette.key),
            string: ink(palette.string),
            number: ink(palette.number),
            punctuation: ink(palette.dim),
            added: bold(ink(palette.allowed)),
            signs: Signs::UNICODE,
        }
    }
}

/// A color by its three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rgb(u8, u8, u8);

impl From<Rgb> for Color {
    fn from(Rgb(red, green, blue): Rgb) -> Color {
        Color::Rgb(red, green, blue)
    }
}

/// Returns each color of the fixed dark theme, with the color of the light one that has its role.
pub fn dark_and_light() -> Vec<[(u8, u8, u8); 2]> {
    let all = |palette: &Palette| {
        let Palette { background, bar, text, dim, rule, allowed, denied, failed, key, string, number } = *palette;
        [background, bar, text, dim, rule, allowed, denied, failed, key, string, number]
    };
    let parts = |Rgb(red, green, blue): Rgb| (red, green, blue);
    all(&DARK).into_iter().zip(all(&LIGHT)).map(|(dark, light)| [parts(dark), parts(light)]).collect()
}

/// The colors of a fixed theme.
struct Palette {
    background: Rgb,
    bar: Rgb,
    text: Rgb,
    dim: Rgb,
    rule: Rgb,
    allowed: Rgb,
    denied: Rgb,
    failed: Rgb,
    key: Rgb,
    string: Rgb,
    number: Rgb,
}

const DARK: Palette = Palette {
    background: Rgb(0x10, 0x14, 0x18),
    bar: Rgb(0x1f, 0x27, 0x30),
    text: Rgb(0xe8, 0xed, 0xf2),
    dim: Rgb(0xa8, 0xb3, 0xbf),
    rule: Rgb(0x4a, 0x56, 0x63),
    allowed: Rgb(0x8f, 0xd3, 0xff),
    denied: Rgb(0xff, 0x9e, 0x5e),
    failed: Rgb(0xf0, 0xa6, 0xe0),
    key: Rgb(0xa9, 0xb8, 0xc9),
    string: Rgb(0xf0, 0xe4, 0xc0),
    number: Rgb(0xc9, 0xb9, 0xf7),
};

const LIGHT: Palette = Palette {
    background: Rgb(0xff, 0xff, 0xff),
    bar: Rgb(0xe6, 0xeb, 0xf0),
    text: Rgb(0x10, 0x14, 0x18),
    dim: Rgb(0x44, 0x4d, 0x57),
    rule: Rgb(0xa6, 0xb1, 0xbd),
    allowed: Rgb(0x00, 0x4f, 0x80),
    denied: Rgb(0x82, 0x37, 0x00),
    failed: Rgb(0x83, 0x15, 0x6a),
    key: Rgb(0x3c, 0x50, 0x66),
    string: Rgb(0x5c, 0x42, 0x00),
    number: Rgb(0x55, 0x33, 0xa0),
};

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use rstest::rstest;

    use super::*;

    /// Relative luminance and contrast as WCAG 2 defines them.
    fn luminance(Rgb(red, green, blue): Rgb) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The color that is seen: of the 16, as xterm shows them by default. A terminal may have others, and its own way to
    /// show dim text: that can't be known here, and is why there are fixed themes.
    fn seen(color: Color, reset: Rgb) -> Rgb {
        match color {
            Color::Rgb(red, green, blue) => Rgb(red, green, blue),
            Color::Black => Rgb(0, 0, 0),
            Color::DarkGray => Rgb(0x7f, 0x7f, 0x7f),
            Color::Red => Rgb(0xcd, 0, 0),
            Color::Blue => Rgb(0, 0, 0xee),
            Color::Magenta => Rgb(0xcd, 0, 0xcd),
            Color::Cyan => Rgb(0, 0xcd, 0xcd),
            Color::LightBlue => Rgb(0x5c, 0x5c, 0xff),
            Color::LightMagenta => Rgb(0xff, 0, 0xff),
            Color::LightCyan => Rgb(0, 0xff, 0xff),
            Color::LightYellow => Rgb(0xff, 0xff, 0),
            Color::White => Rgb(0xff, 0xff, 0xff),
            Color::Reset => reset,
            other => panic!("how does {other} look?"),
        }
    }

    /// The contrast of what is written with `style` where `under` lies under it; `reset` are the terminal's own colors.
    fn contrast_of(under: Style, style: Style, (foreground, background): (Rgb, Rgb)) -> f64 {
        let area = Rect::new(0, 0, 1, 1);
        let mut buffer = Buffer::empty(area);
        buffer.set_style(area, under);
        buffer.set_style(area, style);
        keep_bold_dark(&mut buffer);
        let cell = &buffer[(0, 0)];
        let ink = match cell.fg {
            Color::Black if cell.modifier.contains(Modifier::BOLD) => Color::DarkGray,
            Color::Blue if cell.modifier.contains(Modifier::BOLD) => Color::LightBlue,
            color => color,
        };
        // Reversed or not, it is the same pair.
        contrast(seen(ink, foreground), seen(cell.bg, background))
    }

    #[test]
    fn bold_text_that_stays_dark_looks_as_it_did() {
        let area = Rect::new(0, 0, 2, 1);
        let dark = Style::new().fg(Color::Black).bg(Color::White).add_modifier(Modifier::BOLD);
        let mut buffer = Buffer::empty(area);
        buffer.set_style(Rect::new(0, 0, 1, 1), dark);
        buffer.set_style(Rect::new(1, 0, 1, 1), dark.add_modifier(Modifier::REVERSED));
        keep_bold_dark(&mut buffer);
        let seen = |x| (buffer[(x, 0)].fg, buffer[(x, 0)].bg, buffer[(x, 0)].modifier);
        assert_eq!(seen(0), (Color::White, Color::Black, Modifier::BOLD | Modifier::REVERSED));
        assert_eq!(seen(1), (Color::White, Color::Black, Modifier::BOLD));
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast(Rgb(0, 0, 0), Rgb(0xff, 0xff, 0xff)) - 21.0).abs() < 0.01);
        assert!((contrast(Rgb(0x77, 0x77, 0x77), Rgb(0xff, 0xff, 0xff)) - 4.48).abs() < 0.01);
    }

    #[rstest]
    fn all_text_has_a_contrast_of_seven(
        #[values(ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast)] name: ThemeName,
        #[values(ColorLevel::None, ColorLevel::Ansi16, ColorLevel::True)] level: ColorLevel,
        #[values(false, true)] on_light: bool,
    ) {
        let theme = Theme::choose(name, level);
        // What the terminal's own colors are, which may not be known.
        let own = if on_light { (Rgb(0, 0, 0), Rgb(0xff, 0xff, 0xff)) } else { (Rgb(0xe5, 0xe5, 0xe5), Rgb(0, 0, 0)) };
        let verdicts = [theme.allowed, theme.denied, theme.failed, theme.waiting];
        let anywhere = verdicts.iter().map(|verdict| verdict.text).chain([
            theme.base,
            theme.dim,
            theme.strong,
            theme.hint,
            theme.focus,
            theme.badge,
            theme.title,
            theme.replay(),
        ]);
        let below = verdicts.iter().map(|verdict| verdict.badge).chain([
            theme.key,
            theme.string,
            theme.number,
            theme.punctuation,
            theme.added,
        ]);
        for (under, style) in anywhere
            .clone()
            .map(|style| (theme.bar, style))
            .chain(anywhere.chain(below).map(|style| (theme.base, style)))
        {
            let ratio = contrast_of(under, style, own);
            assert!(ratio >= 7.0, "{style:?} on {under:?} has a contrast of {ratio:.2}");
        }
    }

    /// For people who don't see these colors: words and signs differ, and no two of them begin alike.
    #[test]
    fn no_verdict_is_told_by_its_color_alone() {
        for signs in [Signs::UNICODE, Signs::ASCII] {
            let told = [
                (signs.allowed, "ALLOWED"),
                (signs.denied, "DENIED"),
                (signs.failed, "FAILED"),
                (signs.waiting, "WAITING"),
            ];
            for (at, (sign, word)) in told.iter().enumerate() {
                assert!(told[..at].iter().all(|(other, said)| other != sign && said[..1] != word[..1]));
            }
        }
    }

    #[rstest]
    #[case::dark(&DARK)]
    #[case::light(&LIGHT)]
    fn allowed_is_blue_and_denied_is_orange(#[case] palette: &Palette) {
        let Rgb(red, _, blue) = palette.allowed;
        assert!(blue > red);
        let Rgb(red, green, blue) = palette.denied;
        assert!(red > green && green > blue);
    }

    #[test]
    fn names_are_read_back() {
        for theme in ThemeName::ALL {
            assert_eq!(theme.to_string().parse(), Ok(ThemeChoice::Named(theme)));
        }
        assert!("pink".parse::<ThemeChoice>().unwrap_err().to_string().contains("high-contrast"));
    }

    #[rstest]
    fn verdicts_differ_without_any_color(
        #[values(ColorLevel::None, ColorLevel::Ansi16, ColorLevel::True)] level: ColorLevel,
    ) {
        let theme = Theme::choose(ThemeName::HighContrast, level);
        let inks = [theme.allowed.text.fg, theme.denied.text.fg, theme.failed.text.fg, theme.waiting.text.fg];
        assert!(inks.iter().all(|ink| *ink == inks[0]), "one color for all: it means nothing");
        let badges = [theme.allowed.badge, theme.denied.badge, theme.failed.badge, theme.waiting.badge];
        for (index, badge) in badges.iter().enumerate() {
            assert!(!badges[..index].contains(badge));
        }
    }
}
