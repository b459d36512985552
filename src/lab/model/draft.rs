//! A text that a person is writing: the text and the cursor, as data.
//!
//! A widget edits it, and nothing else of the widget is part of the state: what it did is an [`Edit`], which a session's
//! log records and a replay applies again. So a recorded session shows the same editor without a keyboard.
//!
//! To open an editor elsewhere, as a drill does for its fix: keep a [`Draft`] in your feature, apply the [`Edit`]s that the
//! session routes to it, and let `ui::editor` draw it.

use serde::{Deserialize, Serialize};

use super::redact::without_secrets;

/// The most characters that a draft holds: as many as fit into a key policy on AWS (KMS guide, "quotas": 32 KB).
pub const LONGEST: usize = 32 * 1024;

/// What marks a blank in a template.
pub const BLANK: &str = "________";

/// A text and the place of the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    text: String,
    row: usize,
    column: usize,
}

/// A change of a draft: characters are replaced by others, and the cursor moves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The first replaced character, counted from the start of the text.
    pub at: usize,
    /// How many characters are removed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub removed: usize,
    /// What is inserted instead.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub inserted: String,
    /// The cursor's line afterwards, counted from 0.
    pub row: usize,
    /// The cursor's place in that line afterwards, in characters.
    pub column: usize,
    /// Whether a secret was written. It is not kept: a blank is inserted in its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_secret: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A place in a draft, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The line, counted from 0.
    pub row: usize,
    /// The first character in that line.
    pub column: usize,
    /// How many characters.
    pub length: usize,
}

impl Draft {
    /// A draft of this text, with the cursor on its first blank.
    pub fn new(text: &str) -> Draft {
        let mut draft = Draft { text: tidy(text), row: 0, column: 0 };
        draft.next_blank(true);
        draft
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines; at least one.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n')
    }

    /// The cursor: line and character, counted from 0.
    pub const fn cursor(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    /// The change that makes this draft the text `after` with its cursor at `cursor`. Secrets don't get into it: drafts
    /// and edits are saved, and recorded.
    pub fn edit_to(&self, after: &str, cursor: (usize, usize)) -> Edit {
        let blanked = without_secrets(after, BLANK);
        let is_secret = blanked.is_some();
        let after = blanked.as_deref().unwrap_or(after);
        let (old, new): (Vec<char>, Vec<char>) = (self.text.chars().collect(), after.chars().collect());
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let rest = old[same..].iter().rev().zip(new[same..].iter().rev());
        let tail = rest.take_while(|(old, new)| old == new).count();
        Edit {
            at: same,
            removed: old.len() - same - tail,
            inserted: new[same..new.len() - tail].iter().collect(),
            row: cursor.0,
            column: cursor.1,
            is_secret,
        }
    }

    /// Applies a change. What lies outside of the text is ignored; a text that would be too long is cut.
    pub fn apply(&mut self, edit: &Edit) {
        let chars: Vec<char> = self.text.chars().collect();
        let at = edit.at.min(chars.len());
        let end = at.saturating_add(edit.removed).min(chars.len());
        let room = LONGEST.saturating_sub(chars.len() - (end - at));
        let inserted: String = tidy(&edit.inserted).chars().take(room).collect();
        self.text = chars[..at].iter().collect::<String>() + &inserted + &chars[end..].iter().collect::<String>();
        self.move_to(edit.row, edit.column);
    }

    /// The same draft with another text, and its cursor where it was.
    #[must_use]
    pub fn with_text(&self, text: &str) -> Draft {
        let mut draft = self.clone();
        draft.apply(&self.edit_to(text, self.cursor()));
        draft
    }

    /// The cursor, in characters from the start of the text.
    pub fn at(&self) -> usize {
        self.offset(self.row, self.column)
    }

    /// Inserts a text at the cursor, in place of the blank or the value under it.
    pub fn insert(&mut self, text: &str) {
        let spot = self.blank_here().or_else(|| self.value_here());
        let (column, removed) = spot.map_or((self.column, 0), |spot| (spot.column, spot.length));
        let at = self.offset(self.row, column);
        let column = column + text.chars().count();
        let row = self.row;
        self.apply(&Edit { at, removed, inserted: text.to_owned(), row, column, ..Edit::default() });
    }

    /// The blank under the cursor, or right before it.
    pub fn blank_here(&self) -> Option<Spot> {
        self.under_cursor(self.blanks())
    }

    /// The line and character of the character at `at`, counted from the start of the text.
    pub fn place(&self, at: usize) -> (usize, usize) {
        let before: String = self.text.chars().take(at).collect();
        let row = before.matches('\n').count();
        (row, before.rsplit('\n').next().map_or(0, |line| line.chars().count()))
    }

    /// Moves the cursor to the next blank, or to the one before; around the ends. Does nothing without blanks.
    pub fn next_blank(&mut self, forward: bool) {
        let starts: Vec<_> = self.blanks().iter().map(|spot| (spot.row, spot.column)).collect();
        self.go_around(&starts, forward);
    }

    /// Moves the cursor to the next field, or to the one before; around the ends. Fields are the blanks and, once all are
    /// filled, the values. In a value the cursor is behind the last character: what is wrong is corrected from there.
    pub fn next_field(&mut self, forward: bool) {
        if !self.blanks().is_empty() {
            return self.next_blank(forward);
        }
        let ends: Vec<_> = self.values().iter().map(|spot| (spot.row, spot.column + spot.length)).collect();
        self.go_around(&ends, forward);
    }

    /// Moves the cursor to the next of `places`, which are in order, or to the one before; around the ends.
    fn go_around(&mut self, places: &[(usize, usize)], forward: bool) {
        let here = self.cursor();
        let next = match forward {
            true => places.iter().find(|place| **place > here).or(places.first()),
            false => places.iter().rev().find(|place| **place < here).or(places.last()),
        };
        if let Some(place) = next {
            (self.row, self.column) = *place;
        }
    }

    /// Whether there is a field to go to.
    pub fn has_fields(&self) -> bool {
        !self.blanks().is_empty() || !self.values().is_empty()
    }

    /// The value under the cursor, or right before it.
    pub fn value_here(&self) -> Option<Spot> {
        self.under_cursor(self.values())
    }

    fn under_cursor(&self, spots: Vec<Spot>) -> Option<Spot> {
        let has_cursor = |spot: &Spot| (spot.column..=spot.column + spot.length).contains(&self.column);
        spots.into_iter().find(|spot| spot.row == self.row && has_cursor(spot))
    }

    /// The strings that are values, without their quotes, in order. JSON has no line break in a string.
    fn values(&self) -> Vec<Spot> {
        self.lines().enumerate().flat_map(|(row, line)| values_of(row, line)).collect()
    }

    /// The blanks that are left, in order.
    pub fn blanks(&self) -> Vec<Spot> {
        let in_line = |(row, line): (usize, &str)| {
            let spots = line.match_indices(BLANK).map(|(at, _)| (line[..at].chars().count(), BLANK.len()));
            spots.map(|(column, length)| Spot { row, column, length }).collect::<Vec<_>>()
        };
        self.lines().enumerate().flat_map(in_line).collect()
    }

    /// Puts the cursor there, as far as there is text.
    pub fn move_to(&mut self, row: usize, column: usize) {
        let last = self.lines().count() - 1;
        self.row = row.min(last);
        let length = self.lines().nth(self.row).map_or(0, |line| line.chars().count());
        self.column = column.min(length);
    }

    fn offset(&self, row: usize, column: usize) -> usize {
        self.lines().take(row).map(|line| line.chars().count() + 1).sum::<usize>() + column
    }
}

/// The strings of a line that no colon follows. A string without its closing quote doesn't count.
fn values_of(row: usize, line: &str) -> Vec<Spot> {
    let chars: Vec<char> = line.chars().collect();
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        match (c, start) {
            ('"', None) => start = Some(at + 1),
            ('\\', Some(_)) => at += 1,
            ('"', Some(column)) => {
                let is_key = chars.iter().skip(at + 1).find(|c| !c.is_whitespace()) == Some(&':');
                found.extend((!is_key).then_some(Spot { row, column, length: at - column }));
                start = None;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// A text of lines: tabs are spaces, and what no line shows is left out.
fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "  ");
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cursor_goes_from_blank_to_blank() {
        let mut draft = Draft::new("a ________\nb\n  ________ ________");
        let places = [(2, 2), (2, 11), (0, 2)].map(|place| {
            draft.next_blank(true);
            assert_eq!(draft.cursor(), place);
        });
        assert_eq!(places.len(), draft.blanks().len());
        draft.next_blank(false);
        assert_eq!(draft.cursor(), (2, 11));
    }

    #[test]
    fn without_blanks_the_cursor_goes_from_value_to_value() {
        let mut draft = Draft::new(
            r#"{
  "Effect": "Allow", "Action": ["kms:\"x", "é"],
  "Open": "x
}"#,
        );
        let places = [(1, 18), (1, 40), (1, 45), (1, 18)].map(|place| {
            draft.next_field(true);
            assert_eq!(draft.cursor(), place);
        });
        assert!(draft.has_fields() && places.len() > 3);
        draft.next_field(false);
        assert_eq!(draft.cursor(), (1, 45));
        draft.insert("kms:Decrypt");
        assert_eq!(draft.lines().nth(1), Some(r#"  "Effect": "Allow", "Action": ["kms:\"x", "kms:Decrypt"],"#));
        assert!(!Draft::new("no value").has_fields());
    }

    #[test]
    fn a_name_takes_the_place_of_a_blank() {
        let mut draft = Draft::new("{\n  \"Resource\": \"________\"\n}");
        draft.insert("arn:aws:kms:x");
        assert_eq!(draft.text(), "{\n  \"Resource\": \"arn:aws:kms:x\"\n}");
        assert_eq!(draft.cursor(), (1, 28));
        assert_eq!(draft.blanks(), []);
    }

    #[test]
    fn a_draft_is_bounded_and_has_no_control_characters() {
        let mut draft = Draft::new("a\u{1b}[31m\tb\r\nc");
        assert_eq!(draft.text(), "a[31m  b\nc");
        draft.apply(&Edit { inserted: "x".repeat(LONGEST * 2), ..Edit::default() });
        assert_eq!(draft.text().chars().count(), LONGEST);
        draft.apply(&Edit { at: 9 * LONGEST, removed: 7, row: 99, column: 99, ..Edit::default() });
        assert_eq!(draft.text().chars().count(), LONGEST);
    }

    #[test]
    fn a_secret_is_not_kept() {
        let mut draft = Draft::new("\"Resource\": \"\"");
        let edit = draft.edit_to("\"Resource\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"", (0, 53));
        assert!(edit.is_secret && !edit.inserted.contains("MDENG"), "{edit:?}");
        draft.apply(&edit);
        assert_eq!(draft.text(), format!("\"Resource\": \"{BLANK}\""));
    }

    proptest! {
        #[test]
        fn an_edit_leads_from_one_text_to_the_other(
            before in "[a-z_é\n]{0,40}", after in "[a-z_é\n]{0,40}", row in 0..9_usize, column in 0..9_usize,
        ) {
            let mut draft = Draft::new(&before);
            let edit = draft.edit_to(&after, (row, column));
            draft.apply(&edit);
            prop_assert_eq!(draft.text(), after.as_str());
            let length = draft.lines().nth(draft.cursor().0).map(|line| line.chars().count());
            prop_assert!(length.is_some_and(|length| draft.cursor().1 <= length));
        }
    }
}
