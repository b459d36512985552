//! `config.toml`: a person's own keys and defaults. An error is reported with its line, and nothing starts.

use std::io;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::cli::{Environment, Options, UsageError, language};
use crate::disk;
use crate::lab::Keymap;
use crate::ui::keys::{self, Problem, Wanted};
use crate::ui::theme::ThemeChoice;

/// What the file says. Options come before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// `[keys]`: the keys of actions.
    pub keys: Keymap,
    /// `theme`
    pub theme: Option<ThemeChoice>,
    /// `lang`
    pub lang: Option<String>,
    /// `ascii`
    pub ascii: Option<bool>,
    /// `questions`
    pub questions: Option<bool>,
    /// `bell`
    pub bell: Option<bool>,
    /// `mouse`
    pub mouse: Option<bool>,
    /// `opening`: whether the lab starts with its opening card
    pub opening: Option<bool>,
}

impl Config {
    /// The file that `--config` names, else the one in the person's folder for such files, if there is one.
    ///
    /// # Errors
    /// When it can't be read, or something in it is wrong: all of that, by line.
    pub fn load(options: &Options, environment: &Environment) -> Result<Config, UsageError> {
        let Some(path) = options.config.as_ref().or(environment.config.as_ref()) else { return Ok(Config::default()) };
        match disk::read_text(path, disk::SETTINGS) {
            Ok(text) => Config::parse(&text).map_err(|problems| UsageError::new(told(path, problems))),
            // Where there is no home, as for many a service's user, it is /dev/null or the like.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
                    && options.config.is_none() =>
            {
                Ok(Config::default())
            }
            Err(error) => {
                let path = path.display();
                Err(UsageError::new(format!(
                    "the configuration file {path} can't be read: {error}; --config names another one"
                )))
            }
        }
    }

    /// The options, with this file's defaults where they say nothing.
    #[must_use]
    pub fn behind(&self, options: &Options) -> Options {
        let mut options = options.clone();
        options.theme = options.theme.or(self.theme);
        options.lang = options.lang.or_else(|| self.lang.clone());
        if !options.ascii && !options.no_ascii {
            options.ascii = self.ascii == Some(true);
            options.no_ascii = self.ascii == Some(false);
        }
        options.bell |= self.bell == Some(true);
        options.mouse |= self.mouse == Some(true);
        options.no_questions |= self.questions == Some(false) && !options.questions;
        options
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// All that is wrong, by line.
    pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
        let line = |offset: usize| text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| line(span.start));
            vec![Problem { line: at, message: error.message().to_owned() }]
        })?;
        let mut config = Config::default();
        let mut problems = Vec::new();
        for (name, value) in table.get_ref() {
            let at = line(value.span().start);
            let value = value.get_ref();
            let name: &str = name.get_ref();
            let wrong = match name {
                "keys" => match value.as_table() {
                    Some(table) => {
                        match wanted(table, &line).and_then(|wanted| keys::remap(&wanted)) {
                            Ok(keys) => config.keys = keys,
                            Err(of_keys) => problems.extend(of_keys),
                        }
                        None
                    }
                    None => Some("keys is a table: [keys]".to_owned()),
                },
                "theme" => set(&mut config.theme, value.as_str().unwrap_or_default().parse()),
                "lang" => set(&mut config.lang, language(value.as_str().unwrap_or_default())),
                "ascii" => set(&mut config.ascii, boolean(name, value)),
                "questions" => set(&mut config.questions, boolean(name, value)),
                "bell" => set(&mut config.bell, boolean(name, value)),
                "mouse" => set(&mut config.mouse, boolean(name, value)),
                "opening" => set(&mut config.opening, boolean(name, value)),
                other => Some(format!(
                    "there is no setting {other:?}; there are: theme, lang, ascii, questions, opening, bell, mouse, [keys]"
                )),
            };
            problems.extend(wrong.map(|message| Problem { line: at, message }));
        }
        problems.sort_by_key(|problem| problem.line);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }
}

/// Sets a value, or returns what is wrong with it.
fn set<T>(setting: &mut Option<T>, value: Result<T, impl ToString>) -> Option<String> {
    match value {
        Ok(value) => {
            *setting = Some(value);
            None
        }
        Err(wrong) => Some(wrong.to_string()),
    }
}

fn boolean(name: &str, value: &DeValue<'_>) -> Result<bool, UsageError> {
    value.as_bool().ok_or_else(|| UsageError::new(format!("{name} is true or false")))
}

/// `action = "key"` or `action = ["key", "key"]`.
fn wanted(table: &DeTable<'_>, line: &impl Fn(usize) -> usize) -> Result<Vec<Wanted>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut wanted = Vec::new();
    for (action, value) in table {
        let at = line(value.span().start);
        let keys: Option<Vec<(String, usize)>> = match value.get_ref() {
            DeValue::String(key) => Some(vec![(key.to_string(), at)]),
            DeValue::Array(keys) => {
                keys.iter().map(|key| Some((key.get_ref().as_str()?.to_owned(), line(key.span().start)))).collect()
            }
            _ => None,
        };
        let action = action.get_ref().to_string();
        match keys {
            Some(keys) => wanted.push(Wanted { action, line: at, keys }),
            None => problems.push(Problem {
                line: at,
                message: format!("{action} takes the name of a key in quotation marks, or a list of them"),
            }),
        }
    }
    if problems.is_empty() { Ok(wanted) } else { Err(problems) }
}

fn told(path: &Path, problems: Vec<Problem>) -> String {
    let lines = problems.into_iter().map(|problem| format!("{}:{}: {}", path.display(), problem.line, problem.message));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use crate::ui::ThemeName;
    use rstest::rstest;

    use super::*;

    #[test]
    fn all_settings_are_read() {
        let text = "theme = \"light\"\nlang = \"de\"\nascii = true\nquestions = false\n\n[keys]\nquit = \"Q\"\n\
                    advance = [\"enter\", # the usual one\n  \"%\"]\n";
        let config = Config::parse(text).unwrap();
        assert_eq!((config.theme, config.lang.as_deref()), (Some(ThemeName::Light.into()), Some("de")));
        assert_eq!((config.ascii, config.questions), (Some(true), Some(false)));
        assert_eq!(config.keys.keys("advance").unwrap(), ["enter", "%"]);
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[rstest]
    #[case("theme = \"pink\"", 1, "there is no theme \"pink\"")]
    #[case("\nlang = 3", 2, "a language looks like en or de")]
    #[case("ascii = \"yes\"", 1, "ascii is true or false")]
    #[case("colour = 1", 1, "there is no setting \"colour\"; there are: theme,")]
    #[case("theme = \"dark", 1, "")]
    #[case("[keys]\n\nadvnce = \"%\"", 3, "there is no action \"advnce\"")]
    #[case("[keys]\nadvance = 3", 2, "advance takes the name of a key in quotation marks")]
    #[case("[keys]\nadvance = [\n\"%\",\n\"xx\",\n]", 4, "advance: there is no key \"xx\"")]
    #[case("[keys]\nhint = \"%\"\nskip = \"%\"", 3, "the key \"%\" is for both skip and hint")]
    #[case("[keys]\nquit = []", 2, "quit is left without a key")]
    #[case("keys = 1", 1, "keys is a table: [keys]")]
    fn errors_name_their_line(#[case] text: &str, #[case] line: usize, #[case] says: &str) {
        let problems = Config::parse(text).unwrap_err();
        assert_eq!((problems.len(), problems[0].line), (1, line), "{problems:?}");
        assert!(problems[0].message.starts_with(says), "{problems:?}");
    }

    #[test]
    fn options_come_first() {
        let config = Config {
            theme: Some(ThemeName::Light.into()),
            lang: Some("de".to_owned()),
            ascii: Some(true),
            questions: Some(false),
            opening: None,
            ..Config::default()
        };
        let given = Options {
            theme: Some(ThemeName::Dark.into()),
            lang: Some("en".to_owned()),
            no_ascii: true,
            questions: true,
            ..Options::default()
        };
        let options = config.behind(&given);
        assert_eq!((options.theme, options.lang.as_deref()), (Some(ThemeName::Dark.into()), Some("en")));
        assert!(!options.ascii && !options.no_questions);
        let options = config.behind(&Options::default());
        assert_eq!((options.theme, options.lang.as_deref()), (Some(ThemeName::Light.into()), Some("de")));
        assert!(options.ascii && options.no_questions);
    }
}
