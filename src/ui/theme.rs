//! Colours by role. What a colour means is said in words and by a sign everywhere, too.
//!
//! Three themes, each in three depths: none (only bold, dim, underlined, reversed), the terminal's own 16 colours, and
//! a fixed palette for terminals with true colour, where the contrasts are known and tested. ALLOWED is blue and DENIED
//! orange or, of 16 colours, what is nearest to them, so that red-green blindness changes nothing.

use std::fmt;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};

/// The themes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// Black, white, reversed and underlined only.
    HighContrast,
}

impl ThemeName {
    /// All of them.
    pub const ALL: [ThemeName; 3] = [ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            ThemeName::Dark => "dark",
            ThemeName::Light => "light",
            ThemeName::HighContrast => "high-contrast",
        }
    }
}

impl fmt::Display for ThemeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ThemeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ThemeName::ALL.into_iter().find(|theme| theme.name() == text).ok_or_else(|| {
            format!("there is no theme {text:?}: use {}", ThemeName::ALL.map(ThemeName::name).join(", "))
        })
    }
}

/// How many colours may be used. Decided once, by whoever knows the terminal and `NO_COLOR`.
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

/// A style for each role.
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
}

impl Theme {
    /// The theme `name` in the depth `level`. Without colours all themes are the same.
    pub fn choose(name: ThemeName, level: ColorLevel) -> Theme {
        match (name, level) {
            (_, ColorLevel::None) => Theme::no_color(),
            (ThemeName::Dark, ColorLevel::Ansi16) => {
                Theme::ansi(Color::LightCyan, Color::LightYellow, Color::LightMagenta, Color::LightBlue)
            }
            (ThemeName::Light, ColorLevel::Ansi16) => Theme::ansi(Color::Blue, Color::Red, Color::Reset, Color::Blue),
            (ThemeName::HighContrast, ColorLevel::Ansi16) => Theme::high_contrast(Color::White, Color::Black),
            (ThemeName::Dark, ColorLevel::True) => Theme::fixed(&DARK),
            (ThemeName::Light, ColorLevel::True) => Theme::fixed(&LIGHT),
            (ThemeName::HighContrast, ColorLevel::True) => {
                Theme::high_contrast(Color::Rgb(0xff, 0xff, 0xff), Color::Rgb(0, 0, 0))
            }
        }
    }

    /// A theme for counting lines: what is counted does not depend on it.
    pub(super) fn plain() -> Theme {
        Theme::no_color()
    }

    /// Recorded, not live: like nothing else in a frame, without colours too.
    pub fn replay(&self) -> Style {
        self.focus.add_modifier(Modifier::UNDERLINED)
    }

    /// Only modifiers; every colour is left to the terminal.
    fn no_color() -> Theme {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        let reversed = bold.add_modifier(Modifier::REVERSED);
        let underlined = bold.add_modifier(Modifier::UNDERLINED);
        Theme {
            base: plain,
            bar: plain,
            title: bold,
            dim,
            strong: bold,
            rule: dim,
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
            punctuation: dim,
            added: bold,
        }
    }

    /// The terminal's own colours on its own background.
    fn ansi(allowed: Color, denied: Color, failed: Color, key: Color) -> Theme {
        let verdict = |color: Color| {
            let text = Style::new().fg(color).add_modifier(Modifier::BOLD);
            VerdictStyle { text, badge: text.add_modifier(Modifier::REVERSED) }
        };
        let plain = Style::new();
        Theme {
            allowed: verdict(allowed),
            denied: verdict(denied),
            failed: verdict(failed),
            key: plain.fg(key),
            string: plain,
            number: plain,
            added: plain.fg(allowed).add_modifier(Modifier::BOLD),
            ..Theme::no_color()
        }
    }

    fn high_contrast(foreground: Color, background: Color) -> Theme {
        let plain = Style::new().fg(foreground).bg(background);
        let bold = plain.add_modifier(Modifier::BOLD);
        let reversed = Style::new().fg(background).bg(foreground).add_modifier(Modifier::BOLD);
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
            allowed: VerdictStyle { text: bold, badge: underlined },
            denied: VerdictStyle { text: bold, badge: reversed },
            failed: VerdictStyle { text: underlined, badge: reversed.add_modifier(Modifier::UNDERLINED) },
            waiting: VerdictStyle { text: plain, badge: plain },
            key: plain,
            string: bold,
            number: bold,
            punctuation: plain,
            added: underlined,
        }
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
        }
    }
}

/// A colour by its three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rgb(u8, u8, u8);

impl From<Rgb> for Color {
    fn from(Rgb(red, green, blue): Rgb) -> Color {
        Color::Rgb(red, green, blue)
    }
}

/// The colours of a fixed theme.
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
    dim: Rgb(0x9a, 0xa5, 0xb1),
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
    dim: Rgb(0x4b, 0x55, 0x60),
    rule: Rgb(0xa6, 0xb1, 0xbd),
    allowed: Rgb(0x00, 0x55, 0x88),
    denied: Rgb(0x8f, 0x3d, 0x00),
    failed: Rgb(0x83, 0x15, 0x6a),
    key: Rgb(0x3c, 0x50, 0x66),
    string: Rgb(0x5c, 0x42, 0x00),
    number: Rgb(0x55, 0x33, 0xa0),
};

#[cfg(test)]
mod tests {
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

    #[rstest]
    #[case::dark(&DARK)]
    #[case::light(&LIGHT)]
    fn all_text_of_a_fixed_palette_has_a_contrast_of_seven(#[case] palette: &Palette) {
        for (name, color) in [
            ("text", palette.text),
            ("dim", palette.dim),
            ("allowed", palette.allowed),
            ("denied", palette.denied),
            ("failed", palette.failed),
            ("key", palette.key),
            ("string", palette.string),
            ("number", palette.number),
        ] {
            let ratio = contrast(color, palette.background);
            assert!(ratio >= 7.0, "{name} has a contrast of {ratio:.1}");
        }
        assert!(contrast(palette.text, palette.bar) >= 7.0);
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
            assert_eq!(theme.to_string().parse(), Ok(theme));
        }
        assert!("pink".parse::<ThemeName>().unwrap_err().contains("high-contrast"));
    }

    #[rstest]
    fn verdicts_differ_without_any_colour(#[values(ColorLevel::None, ColorLevel::True)] level: ColorLevel) {
        let theme = Theme::choose(ThemeName::HighContrast, level);
        let badges = [theme.allowed.badge, theme.denied.badge, theme.failed.badge, theme.waiting.badge];
        for (index, badge) in badges.iter().enumerate() {
            assert!(!badges[..index].contains(badge));
        }
    }
}
