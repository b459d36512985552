//! Turns keys into edits. The widget keeps nothing that counts: text and cursor are in the state, and where they differ
//! from the widget's, the widget takes them over. It has the history for undo and redo.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui_textarea::{CursorMove, Input, Key, TextArea};

use crate::lab::model::draft::{BLANK, Draft, Edit};

/// How many edits can be undone.
const HISTORY: usize = 200;

/// A keyboard for drafts.
#[derive(Debug, Default)]
pub struct Typist {
    area: Option<TextArea<'static>>,
}

impl Typist {
    /// The edit that a key makes of `draft`; `None` for a key that changes nothing.
    pub fn press(&mut self, key: KeyEvent, draft: &Draft) -> Option<Edit> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        // A line break in a string is never JSON: enter goes to the next field, as in a form.
        if key.code == KeyCode::Enter && (draft.blank_here().or_else(|| draft.value_here())).is_some() {
            let mut moved = draft.clone();
            moved.next_field(true);
            return Some(draft.edit_to(draft.text(), moved.cursor()));
        }
        let input = input(key)?;
        let area = self.follow(draft);
        if matches!(input, Input { key: Key::Char(_), ctrl: false, alt: false, .. }) {
            take_blank(area, draft);
        }
        area.input(input);
        edit(area, draft)
    }

    /// The edit that pasted text makes of `draft`.
    pub fn paste(&mut self, text: &str, draft: &Draft) -> Option<Edit> {
        let area = self.follow(draft);
        take_blank(area, draft);
        area.insert_str(text);
        edit(area, draft)
    }

    /// The widget with the draft's text and cursor.
    fn follow(&mut self, draft: &Draft) -> &mut TextArea<'static> {
        let area = self.area.get_or_insert_with(|| editor(draft));
        if !draft.lines().eq(area.lines().iter().map(String::as_str)) {
            take_over(area, draft);
        }
        jump(area, draft.cursor());
        area
    }
}

/// Makes the widget's text that of `draft`, by edits that can be undone. Another draft begins a history of its own.
fn take_over(area: &mut TextArea<'_>, draft: &Draft) {
    let old = Draft::new(&area.lines().join("\n"));
    let edit = old.edit_to(draft.text(), (0, 0));
    let length = old.text().chars().count();
    let is_blank = old.text().chars().skip(edit.at).take(edit.removed).all(|c| BLANK.contains(c));
    if edit.removed > length / 2 && !is_blank {
        *area = editor(draft);
        return;
    }
    jump(area, old.place(edit.at));
    // The deletion and the insertion are two edits, and an empty one would be one to undo.
    if edit.removed > 0 {
        area.delete_str(edit.removed);
    }
    if !edit.inserted.is_empty() {
        area.insert_str(&edit.inserted);
    }
}

fn editor(draft: &Draft) -> TextArea<'static> {
    let mut area = TextArea::new(draft.lines().map(str::to_owned).collect());
    area.set_max_histories(HISTORY);
    area
}

fn jump(area: &mut TextArea<'_>, (row, column): (usize, usize)) {
    let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
    area.cancel_selection();
    area.move_cursor(CursorMove::Jump(place(row), place(column)));
}

/// Deletes the blank under the cursor: what is typed takes its place.
fn take_blank(area: &mut TextArea<'_>, draft: &Draft) {
    if let Some(spot) = draft.blank_here() {
        jump(area, (spot.row, spot.column));
        area.delete_str(spot.length);
    }
}

fn edit(area: &TextArea<'_>, draft: &Draft) -> Option<Edit> {
    let cursor = area.cursor();
    let text = area.lines().join("\n");
    let cursor = (cursor.0, cursor.1);
    (text != draft.text() || cursor != draft.cursor()).then(|| draft.edit_to(&text, cursor))
}

/// A key as the widget knows it. Shift moves without selecting: a selection would have to be part of the state.
fn input(key: KeyEvent) -> Option<Input> {
    let known = match key.code {
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Enter => Key::Enter,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Delete => Key::Delete,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    };
    let has = |modifier| key.modifiers.contains(modifier);
    Some(Input { key: known, ctrl: has(KeyModifiers::CONTROL), alt: has(KeyModifiers::ALT), shift: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(typist: &mut Typist, draft: &mut Draft, code: KeyCode, modifiers: KeyModifiers) {
        if let Some(edit) = typist.press(KeyEvent::new(code, modifiers), draft) {
            draft.apply(&edit);
        }
    }

    #[test]
    fn keys_write_and_can_be_undone() {
        let (mut typist, mut draft) = (Typist::default(), Draft::new("ab"));
        for c in ['x', 'y'] {
            press(&mut typist, &mut draft, KeyCode::Char(c), KeyModifiers::NONE);
        }
        press(&mut typist, &mut draft, KeyCode::Enter, KeyModifiers::NONE);
        assert_eq!((draft.text(), draft.cursor()), ("xy\nab", (1, 0)));
        for _ in 0..3 {
            press(&mut typist, &mut draft, KeyCode::Char('u'), KeyModifiers::CONTROL);
        }
        assert_eq!(draft.text(), "ab");
        press(&mut typist, &mut draft, KeyCode::Char('r'), KeyModifiers::CONTROL);
        assert_eq!(draft.text(), "xab");
    }

    #[test]
    fn enter_in_a_value_goes_to_the_next_one() {
        let (mut typist, mut draft) = (Typist::default(), Draft::new("{\"a\": \"________\", \"b\": \"c\"}"));
        for code in [KeyCode::Char('x'), KeyCode::Enter, KeyCode::Char('d')] {
            press(&mut typist, &mut draft, code, KeyModifiers::NONE);
        }
        assert_eq!(draft.text(), "{\"a\": \"x\", \"b\": \"cd\"}");
    }

    #[test]
    fn what_the_state_changes_is_followed_and_can_be_undone() {
        let (mut typist, mut draft) = (Typist::default(), Draft::new("a ________"));
        press(&mut typist, &mut draft, KeyCode::Left, KeyModifiers::NONE);
        draft.next_blank(true);
        draft.insert("name");
        press(&mut typist, &mut draft, KeyCode::Char('!'), KeyModifiers::NONE);
        assert_eq!(draft.text(), "a name!");
        for _ in 0..3 {
            press(&mut typist, &mut draft, KeyCode::Char('u'), KeyModifiers::CONTROL);
        }
        assert_eq!(draft.text(), "a ________");
    }

    #[test]
    fn pasted_text_comes_at_the_cursor() {
        let (mut typist, mut draft) = (Typist::default(), Draft::new("[]"));
        press(&mut typist, &mut draft, KeyCode::Right, KeyModifiers::SHIFT);
        let edit = typist.paste("1,\n2", &draft).unwrap();
        draft.apply(&edit);
        assert_eq!((draft.text(), draft.cursor()), ("[1,\n2]", (1, 1)));
    }

    #[test]
    fn what_is_typed_takes_the_place_of_a_blank() {
        let (mut typist, mut draft) = (Typist::default(), Draft::new("\"kms:________\""));
        for c in "De".chars() {
            press(&mut typist, &mut draft, KeyCode::Char(c), KeyModifiers::NONE);
        }
        assert_eq!((draft.text(), draft.cursor()), ("\"kms:De\"", (0, 7)));
        for _ in 0..3 {
            press(&mut typist, &mut draft, KeyCode::Char('u'), KeyModifiers::CONTROL);
        }
        assert_eq!(draft.text(), "\"kms:________\"");
        let edit = typist.paste("Encrypt", &draft).unwrap();
        draft.apply(&edit);
        assert_eq!(draft.text(), "\"kms:Encrypt\"");
    }

    #[test]
    fn undo_never_leads_to_another_draft() {
        let mut typist = Typist::default();
        let (mut one, mut other) = (Draft::new("one text"), Draft::new("something else"));
        press(&mut typist, &mut one, KeyCode::Char('1'), KeyModifiers::NONE);
        press(&mut typist, &mut other, KeyCode::Char('u'), KeyModifiers::CONTROL);
        press(&mut typist, &mut other, KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(other.text(), "something else");
    }

    #[test]
    fn another_draft_is_another_text() {
        let mut typist = Typist::default();
        let (mut one, mut other) = (Draft::new("one"), Draft::new("other"));
        press(&mut typist, &mut one, KeyCode::Char('1'), KeyModifiers::NONE);
        press(&mut typist, &mut other, KeyCode::Char('2'), KeyModifiers::NONE);
        assert_eq!((one.text(), other.text()), ("1one", "2other"));
    }
}
