//! The themes, and which one is wanted.

use std::fmt;
use std::str::FromStr;

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

/// A name that no theme has. Displays a sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no theme {name:?}: use auto, {}", ThemeName::ALL.map(ThemeName::name).join(", "))]
pub struct UnknownTheme {
    name: String,
}

/// The theme that a person asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThemeChoice {
    /// Dark or light, as the terminal's background is.
    #[default]
    Auto,
    /// This one.
    Named(ThemeName),
}

impl ThemeChoice {
    const AUTO: &str = "auto";

    /// The theme where there is no terminal to ask, or nobody may: recordings are the same wherever they are made.
    pub fn fixed(self) -> ThemeName {
        match self {
            ThemeChoice::Auto => ThemeName::default(),
            ThemeChoice::Named(name) => name,
        }
    }
}

impl fmt::Display for ThemeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ThemeChoice::Auto => f.write_str(Self::AUTO),
            ThemeChoice::Named(name) => name.fmt(f),
        }
    }
}

impl From<ThemeName> for ThemeChoice {
    fn from(name: ThemeName) -> ThemeChoice {
        ThemeChoice::Named(name)
    }
}

impl FromStr for ThemeChoice {
    type Err = UnknownTheme;

    fn from_str(text: &str) -> Result<Self, UnknownTheme> {
        if text == Self::AUTO {
            return Ok(ThemeChoice::Auto);
        }
        let theme = ThemeName::ALL.into_iter().find(|theme| theme.name() == text);
        theme.map(ThemeChoice::Named).ok_or_else(|| UnknownTheme { name: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_back() {
        for choice in ThemeName::ALL.map(ThemeChoice::Named).into_iter().chain([ThemeChoice::Auto]) {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        let trouble = "pink".parse::<ThemeChoice>().unwrap_err();
        assert_eq!(trouble.to_string(), "there is no theme \"pink\": use auto, dark, light, high-contrast");
        assert_eq!(ThemeChoice::default().fixed(), ThemeName::Dark);
    }
}
