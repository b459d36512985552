//! A key with its modifiers, and its name.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Why a text names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChordError {
    /// No key types this character.
    #[error("there is no key {0:?}")]
    NoKey(String),
    /// A terminal sends the same for a key with another name.
    #[error("{0:?} is what terminals send for {1:?}")]
    SameAs(String, &'static str),
    /// No key has this name.
    #[error("there is no key {0:?}: write a character, ctrl- and a letter, F1 to F12, {names}", names = names())]
    NoName(String),
}

/// The names of keys that are no characters.
fn names() -> String {
    NAMED.map(|(_, name)| name).join(", ")
}

/// A key with its modifiers. Shift is part of a character and not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    control: bool,
}

pub(super) const fn key(code: KeyCode) -> Chord {
    Chord { code, control: false }
}

pub(super) const fn char(c: char) -> Chord {
    key(KeyCode::Char(c))
}

pub(super) const fn control(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), control: true }
}

/// Keys that are no characters, as people write them.
const NAMED: [(KeyCode, &str); 16] = [
    (KeyCode::Char(' '), "space"),
    (KeyCode::Enter, "enter"),
    (KeyCode::Esc, "esc"),
    (KeyCode::Tab, "tab"),
    (KeyCode::BackTab, "shift-tab"),
    (KeyCode::Backspace, "backspace"),
    (KeyCode::Delete, "delete"),
    (KeyCode::Insert, "insert"),
    (KeyCode::Left, "left"),
    (KeyCode::Right, "right"),
    (KeyCode::Up, "up"),
    (KeyCode::Down, "down"),
    (KeyCode::PageUp, "PgUp"),
    (KeyCode::PageDown, "PgDn"),
    (KeyCode::Home, "Home"),
    (KeyCode::End, "End"),
];

impl Chord {
    /// The key of an event; `None` with modifiers that no binding has.
    pub fn of(event: KeyEvent) -> Option<Chord> {
        let modifiers = event.modifiers;
        if modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
            return None;
        }
        let control = modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            // Some terminals send a shifted tab so.
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            KeyCode::Char(c) if control => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        Some(Chord { code, control })
    }

    /// Its character, if it types one.
    pub(super) fn typed(self) -> Option<char> {
        match self {
            Chord { code: KeyCode::Char(c), control: false } => Some(c),
            _ => None,
        }
    }

    /// The key with its modifiers, as a terminal sends it.
    pub fn pressed(self) -> (KeyCode, KeyModifiers) {
        (self.code, if self.control { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    }

    /// How people write it.
    pub fn name(self) -> String {
        let prefix = if self.control { "ctrl-" } else { "" };
        if let Some((_, name)) = NAMED.iter().find(|(code, _)| *code == self.code) {
            return format!("{prefix}{name}");
        }
        match self.code {
            KeyCode::Char(c) => format!("{prefix}{c}"),
            KeyCode::F(number) => format!("{prefix}F{number}"),
            other => format!("{prefix}{other}"),
        }
    }

    /// The key that [`Chord::name`] writes so. In names that are longer than one character capitals do not matter.
    ///
    /// # Errors
    /// If there is no such key, or it is the same as another.
    pub fn parse(name: &str) -> Result<Chord, ChordError> {
        let mut characters = name.chars();
        if let (Some(c), None) = (characters.next(), characters.next()) {
            let is_key = !c.is_control() && (c == ' ' || !c.is_whitespace());
            return if is_key { Ok(char(c)) } else { Err(ChordError::NoKey(name.to_owned())) };
        }
        let lower = name.to_ascii_lowercase();
        if let Some((code, _)) = NAMED.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)) {
            return Ok(key(*code));
        }
        let letter = |rest: &str| rest.parse::<char>().ok().filter(char::is_ascii_lowercase);
        let function = |rest: &str| rest.parse::<u8>().ok().filter(|number| (1..=12).contains(number));
        match (lower.strip_prefix("ctrl-").map(letter), lower.strip_prefix('f').and_then(function)) {
            // A terminal sends the same byte for both.
            (Some(Some('i')), _) => Err(ChordError::SameAs(name.to_owned(), "tab")),
            (Some(Some('m')), _) => Err(ChordError::SameAs(name.to_owned(), "enter")),
            (Some(Some(c)), _) => Ok(control(c)),
            (_, Some(number)) => Ok(key(KeyCode::F(number))),
            _ => Err(ChordError::NoName(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a", char('a'))]
    #[case("G", char('G'))]
    #[case("?", char('?'))]
    #[case("ü", char('ü'))]
    #[case(" ", char(' '))]
    #[case("space", char(' '))]
    #[case("ctrl-d", control('d'))]
    #[case("Ctrl-D", control('d'))]
    #[case("pgdn", key(KeyCode::PageDown))]
    #[case("PgDn", key(KeyCode::PageDown))]
    #[case("f1", key(KeyCode::F(1)))]
    #[case("F12", key(KeyCode::F(12)))]
    #[case("f", char('f'))]
    #[case("shift-tab", key(KeyCode::BackTab))]
    fn names_are_read(#[case] name: &str, #[case] chord: Chord) {
        assert_eq!(Chord::parse(name), Ok(chord));
        assert_eq!(Chord::parse(&chord.name()), Ok(chord), "what is shown can be written");
    }

    #[rstest]
    #[case("")]
    #[case("\u{1b}")]
    #[case("\t")]
    #[case("entr")]
    #[case("f13")]
    #[case("f0")]
    #[case("ctrl-")]
    #[case("ctrl-1")]
    #[case("ctrl-left")]
    #[case("alt-x")]
    #[case("ctrl-i")]
    #[case("ctrl-m")]
    fn other_names_are_none(#[case] name: &str) {
        let trouble = Chord::parse(name).unwrap_err().to_string();
        assert!(trouble.contains(&format!("{name:?}")), "{trouble}");
    }
}
