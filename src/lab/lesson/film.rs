//! What a film says, `film.toml`: the captions of its screens, and the words on them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::files::{FALLBACK, Files, Problem, read};
use super::phrases::Phrases;
use crate::lab::model::shot::Shot;

/// What a film says in one language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilmText {
    /// The words on its screens.
    pub words: Phrases,
    shots: BTreeMap<String, ShotText>,
}

/// What a screen of a film says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShotText {
    /// What is drawn in block letters.
    #[serde(default)]
    pub block: String,
    caption: String,
    /// A shorter caption: a teaser is watched without sound.
    teaser: Option<String>,
}

impl ShotText {
    /// The caption, in a teaser the shorter one.
    pub fn caption(&self, teaser: bool) -> &str {
        self.teaser.as_deref().filter(|_| teaser).unwrap_or(&self.caption)
    }
}

impl FilmText {
    /// Reads what a film says in a language; English if that language has none.
    ///
    /// # Errors
    /// A file can't be read, or a screen is missing.
    pub(super) fn parse(files: &Files, path: String) -> Result<FilmText, Problem> {
        let film: FilmText = match files.get(&path) {
            Some(_) => read(files, path.clone(), None)?.1,
            // Your own lesson files may be older than the films.
            None => read(&Files::embedded(), format!("{FALLBACK}/film.toml"), None)?.1,
        };
        match film.problems().into_iter().next() {
            Some(message) => Err(Problem { file: path, line: 0, stage: None, message }),
            None => Ok(film),
        }
    }

    /// What is wrong with the ids.
    pub(super) fn problems(&self) -> Vec<String> {
        let missing = Shot::all().filter(|shot| !self.shots.contains_key(shot.id()));
        let missing = missing.map(|shot| format!("the screen {} is missing", shot.id()));
        let unknown = self.shots.keys().filter(|id| Shot::all().all(|shot| shot.id() != id.as_str()));
        missing.chain(unknown.map(|id| format!("a film has no screen {id}"))).collect()
    }

    /// What a screen says.
    pub fn shot(&self, shot: Shot) -> Option<&ShotText> {
        self.shots.get(shot.id())
    }

    /// The text of a screen in block letters; empty if it has none.
    pub fn block(&self, shot: Shot) -> &str {
        self.shot(shot).map_or("", |text| &text.block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Lesson;
    use crate::lab::model::reading::words;

    #[test]
    fn both_languages_have_the_same_words() {
        let [english, german] = ["en", "de"].map(|code| Lesson::parse(&Files::embedded(), code).unwrap().film);
        assert_eq!(english.words.ids(), german.words.ids());
        let places = |film: &FilmText, id: &str| film.words.word(id).matches("{}").count();
        for id in english.words.ids() {
            assert_eq!(places(&english, id), places(&german, id), "{id}");
        }
    }

    #[test]
    fn no_caption_before_the_denial_gives_it_away() {
        for code in ["en", "de"] {
            let film = Lesson::parse(&Files::embedded(), code).unwrap().film;
            for shot in Shot::all().take_while(|shot| *shot != Shot::Denied) {
                let text = film.shot(shot).unwrap();
                for caption in [text.caption(false), text.caption(true)] {
                    assert!(!caption.contains("Decrypt") && words(caption).count() <= 21, "{code} {shot:?}: {caption}");
                }
            }
        }
    }
}
