//! Translates texts that the lab has put together in English, by the patterns of [`SENTENCES`].

use std::collections::BTreeMap;

use super::sentences::SENTENCES;
use crate::lab::model::prose::{capital, uncapitalized};

/// What separates parts of a text that are translated one by one.
const SEPARATORS: [&str; 5] = [". ", " · ", "; ", ": ", ", "];

/// The translation of `english`, or of the parts of it that have one; `None` if none has.
pub(super) fn translated(english: &str, words: &BTreeMap<String, String>) -> Option<String> {
    nested(english, words, DEEPEST)
}

/// How deep parts may stand in each other. What is deeper stays English: a server's text may be nested at will.
const DEEPEST: usize = 24;

/// The same, with parts at most `depth` deep.
fn nested(english: &str, words: &BTreeMap<String, String>, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    matched(english, words, depth).or_else(|| in_parts(english, words, depth))
}

/// The translation of the whole text, by the pattern that matches most of it. The first letter may be a capital.
fn matched(english: &str, words: &BTreeMap<String, String>, depth: usize) -> Option<String> {
    let lower = uncapitalized(english);
    let exact = best(english, words);
    let lowered =
        best(&lower, words).filter(|lowered| exact.as_ref().is_none_or(|exact| lowered.length > exact.length));
    match lowered {
        Some(lowered) => Some(capital(&lowered.filled(words, depth))),
        None => Some(exact?.filled(words, depth)),
    }
}

/// The translation part by part; each is looked at once.
fn in_parts(english: &str, words: &BTreeMap<String, String>, depth: usize) -> Option<String> {
    let separator = SEPARATORS.iter().find(|separator| english.contains(**separator))?;
    let stop = if *separator == ". " { "." } else { "" };
    let (mut text, mut rest, mut is_found) = (String::new(), english, false);
    while let Some((first, after)) = rest.split_once(separator) {
        let first = format!("{first}{stop}");
        let own = nested(&first, words, depth);
        is_found |= own.is_some();
        text += &(own.unwrap_or(first) + separator.trim_start_matches(stop));
        rest = after;
        if let Some(own) = matched(rest, words, depth) {
            return Some(text + &own);
        }
    }
    let own = in_parts(rest, words, depth);
    (is_found || own.is_some()).then(|| text + own.as_deref().unwrap_or(rest))
}

/// What matches a text: how much of it, the translation with its places, and what stands there.
struct Match<'w, 't> {
    length: usize,
    translation: &'w str,
    values: Vec<&'t str>,
}

impl Match<'_, '_> {
    fn filled(&self, words: &BTreeMap<String, String>, depth: usize) -> String {
        let mut values = self.values.iter();
        let mut parts = self.translation.split("{}");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let value = values.next().copied().unwrap_or("{}");
            text + &nested(value, words, depth).unwrap_or_else(|| value.to_owned()) + part
        })
    }
}

/// The words, or else the pattern, that match most of `text`.
fn best<'w, 't>(text: &'t str, words: &'w BTreeMap<String, String>) -> Option<Match<'w, 't>> {
    if let Some(translation) = words.get(text) {
        return Some(Match { length: text.len(), translation, values: Vec::new() });
    }
    let length = |pattern: &str| pattern.len() - 2 * places(pattern);
    let matching = SENTENCES.iter().filter_map(|pattern| Some((*pattern, values(pattern, text)?)));
    let (pattern, values) = matching.max_by_key(|(pattern, _)| length(pattern))?;
    Some(Match { length: length(pattern), translation: words.get(pattern)?, values })
}

/// What stands in `text` at the places of `pattern`.
fn values<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut values = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let at = match parts.peek() {
            None => rest.len().checked_sub(part.len()).filter(|_| rest.ends_with(part))?,
            Some(_) => rest.find(part)?,
        };
        values.push(rest.get(..at).filter(|value| !value.is_empty())?);
        rest = rest.get(at + part.len()..)?;
    }
    (rest.is_empty()).then_some(values)
}

pub(super) fn places(text: &str) -> usize {
    text.matches("{}").count()
}

#[cfg(test)]
mod tests {
    use super::super::interface::Interface;
    use super::*;

    #[test]
    fn a_sentence_is_translated_as_a_whole_or_in_parts() {
        let own = |(english, german): (&str, &str)| (english.to_owned(), german.to_owned());
        let words = BTreeMap::from(
            [("none", "keine"), ("{} and {}", "{} und {}"), ("yes", "ja"), ("done.", "fertig.")].map(own),
        );
        let german = Interface::new(&words);
        for (english, expected) in [
            ("none", "keine"),
            ("None", "Keine"),
            ("none and yes", "keine und ja"),
            ("x and none · yes, y", "x und keine · ja, y"),
            ("Done. x: none", "Fertig. x: keine"),
            ("nothing of it; here", "nothing of it; here"),
            ("", ""),
        ] {
            assert_eq!(german.sentence(english), expected);
        }
    }

    /// A server's text may have any number of parts. This would not end if each were looked at more than once.
    #[test]
    fn a_long_text_of_a_server_is_looked_at_once() {
        let words = BTreeMap::from([("{} and {}", "{} und {}")].map(|(one, other)| (one.to_owned(), other.to_owned())));
        let german = Interface::new(&words);
        let nested = "x and ".repeat(200) + "y";
        assert!(german.sentence(&nested).starts_with("x und x und") && german.sentence(&nested).ends_with("x and y"));
        let parts = "x, y. z: ".repeat(200);
        assert_eq!(german.sentence(&parts), parts);
    }
}
