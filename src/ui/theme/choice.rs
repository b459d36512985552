//! Which theme is wanted.

use std::fmt;
use std::str::FromStr;

use super::ThemeName;

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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == Self::AUTO {
            return Ok(ThemeChoice::Auto);
        }
        text.parse().map(ThemeChoice::Named).map_err(|_: String| {
            let names = ThemeName::ALL.map(ThemeName::name).join(", ");
            format!("there is no theme {text:?}: use {}, {names}", Self::AUTO)
        })
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
        assert_eq!(trouble, "there is no theme \"pink\": use auto, dark, light, high-contrast");
        assert_eq!(ThemeChoice::default().fixed(), ThemeName::Dark);
    }
}
