//! Texts that a person writes: with pseudonyms while they are written, and with the originals when they are sent.

use std::collections::BTreeMap;

use super::{BEFORE_NAMES, LEADS, Masker, is_of_name, lead, run_of};

/// Unfinished ids are masked from this length on: a shorter beginning says nothing.
const BEGUN: usize = 5;

impl Masker {
    /// `text` with the originals of its pseudonyms.
    pub fn original(&self, text: &str) -> String {
        let originals: BTreeMap<&str, &str> = self.pseudonyms.iter().map(|(it, stands)| (&**stands, &**it)).collect();
        let mut original = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let (before, rest) = text.split_at(at);
            let found = |length: usize| Some((length, *originals.get(rest.get(..length)?)?));
            let is_whole = |length: &usize| !rest[*length..].starts_with(|c: char| c.is_ascii_alphanumeric());
            let word =
                if before.ends_with(|c: char| c.is_ascii_alphanumeric()) { "" } else { run_of(rest, is_of_name) };
            let word = (1..=word.len()).rev().filter(is_whole).find_map(found);
            // An account's number may be a part of a word.
            let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let is_number = number == 12 && !before.ends_with(|c: char| c.is_ascii_digit());
            let number = found(number).filter(|_| is_number);
            let (taken, put) = word.or(number).unwrap_or((c.len_utf8(), &rest[..c.len_utf8()]));
            original.push_str(put);
            at += taken;
        }
        original
    }

    /// A text that a person is writing. The word at the character `cursor` may be the beginning of an id or a name.
    pub fn draft(&mut self, text: &str, cursor: usize) -> String {
        let chars: Vec<char> = text.chars().collect();
        let cursor = cursor.min(chars.len());
        let start = chars[..cursor].iter().rposition(|c| !is_of_name(*c)).map_or(0, |at| at + 1);
        let end = chars[cursor..].iter().position(|c| !is_of_name(*c)).map_or(chars.len(), |at| cursor + at);
        let [before, word, after] = [&chars[..start], &chars[start..end], &chars[end..]].map(String::from_iter);
        let word = self.unfinished(&before, &word);
        let rest = format!("{before}{}{after}", "\0".repeat(end - start));
        let masked: Vec<char> = self.text(&rest).chars().collect();
        if masked.len() != chars.len() {
            return self.text(text);
        }
        [&String::from_iter(&masked[..start]), &word, &String::from_iter(&masked[end..])].map(String::as_str).concat()
    }

    /// A word that may go on, behind `before`.
    fn unfinished(&mut self, before: &str, word: &str) -> String {
        let (word, end) = word.split_at(run_of(word, is_of_name).len());
        self.begun(before, word) + end
    }

    fn begun(&mut self, before: &str, word: &str) -> String {
        let masked = self.text(word);
        let keep = lead(word);
        let begun = &word[keep..];
        let is_lead = begun.is_empty() || LEADS.iter().any(|lead| lead.starts_with(word));
        let is_word = is_lead || self.is_told(word) || !begun.contains(|c: char| c.is_ascii_alphanumeric());
        if masked != word || is_word || self.stands_for_another(word) {
            return masked;
        }
        let is_name = begun.len() > 2 && BEFORE_NAMES.iter().any(|prefix| before.ends_with(prefix));
        let is_number = begun.bytes().all(|byte| byte.is_ascii_digit());
        let is_known = || self.pseudonyms.keys().any(|known| known.starts_with(begun));
        let is_id = begun.len() >= BEGUN && (is_number || is_known());
        if is_name || is_id { self.pseudonym(word, keep) } else { masked }
    }
}
