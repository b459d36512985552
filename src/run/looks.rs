//! The colors of a screen, which may depend on the terminal's background.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::Instant;

use crate::ui::Theme;
use crate::ui::terminal::Screen;

/// A reply that comes later changes nothing: nobody wants the colors to change in the middle of a sentence.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How a screen looks.
#[derive(Debug, Clone)]
pub struct Looks {
    /// Its colors now.
    pub theme: Theme,
    /// All themes, which a key shows one after the other.
    all: Vec<Theme>,
    /// What they are to be on either background, where the terminal is asked for its own.
    either: Option<Either>,
}

#[derive(Debug, Clone)]
struct Either {
    dark: Theme,
    light: Theme,
    asked: Option<Instant>,
}

impl From<Theme> for Looks {
    fn from(theme: Theme) -> Looks {
        Looks { theme, all: Vec::new(), either: None }
    }
}

impl Looks {
    /// One of these two: `theme` until the terminal has told its background.
    pub fn either(theme: Theme, dark: Theme, light: Theme) -> Looks {
        Looks { theme, all: Vec::new(), either: Some(Either { dark, light, asked: None }) }
    }

    /// The same looks with these themes to choose among.
    #[must_use]
    pub fn among(self, all: impl IntoIterator<Item = Theme>) -> Looks {
        Looks { all: all.into_iter().collect(), ..self }
    }

    /// Returns the theme after the next one was asked for so often.
    pub fn theme_after(&self, times: u8) -> Theme {
        let first = self.all.iter().position(|theme| *theme == self.theme).unwrap_or(0);
        let next = self.all.iter().cycle().nth(first + usize::from(times));
        next.copied().filter(|_| times > 0).unwrap_or(self.theme)
    }

    /// Asks the terminal for its background, once. To be called after the first picture, which waits for nothing.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn ask<W: Write>(&mut self, screen: &mut Screen<W>) -> io::Result<()> {
        match &mut self.either {
            Some(Either { asked: asked @ None, .. }) => {
                *asked = Some(Instant::now());
                screen.ask_for_background()
            }
            _ => Ok(()),
        }
    }

    /// Applies a reply of the terminal.
    pub fn told(&mut self, light: bool) {
        if let Some(Either { dark, light: on_light, asked: Some(asked) }) = &self.either
            && asked.elapsed() < TIMEOUT
        {
            self.theme = if light { *on_light } else { *dark };
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;
    use crate::ui::{ColorLevel, ThemeName};

    #[test]
    fn themes_follow_each_other_in_a_circle() {
        let all = ThemeName::ALL.map(|name| Theme::choose(name, ColorLevel::True));
        let [dark, light, contrast] = all;
        let looks = Looks::from(light).among(all);
        assert!([0, 1, 2, 3].map(|times| looks.theme_after(times)) == [light, contrast, dark, light]);
        assert!(Looks::from(light).theme_after(5) == light, "there is but one");
    }

    #[test]
    fn the_first_reply_in_time_decides() {
        let [dark, light] = [ThemeName::Dark, ThemeName::Light].map(|name| Theme::choose(name, ColorLevel::Ansi16));
        let mut screen = Screen::over(Vec::new(), Size::new(80, 24));
        let mut looks = Looks::either(dark, dark, light);
        looks.told(true);
        assert!(looks.theme == dark, "nobody has asked");
        looks.ask(&mut screen).unwrap();
        looks.ask(&mut screen).unwrap();
        assert_eq!(screen.writer(), b"\x1b]11;?\x1b\\", "once");
        looks.told(true);
        assert!(looks.theme == light);
        looks.either.as_mut().unwrap().asked = Instant::now().checked_sub(TIMEOUT);
        looks.told(false);
        assert!(looks.theme == light, "too late");
        let mut fixed = Looks::from(dark);
        fixed.ask(&mut screen).unwrap();
        fixed.told(true);
        assert!(fixed.theme == dark);
    }
}
