//! Snapshots of screens: each in a file of its own, its text first, its styles after it.

use std::collections::BTreeSet;

use kmslab::lab::State;
use kmslab::ui::render;
use ratatui::layout::Size;

use super::dark;
use crate::support::lab::styled_dump;

/// Pictures with their names.
pub type Album = Vec<(String, String)>;

/// The states as they look at these sizes.
pub fn album<'a>(screens: impl IntoIterator<Item = (String, &'a State, Size)>) -> Album {
    let screens = screens.into_iter();
    screens.map(|(name, state, size)| (sized(&name, size), styled_dump(&render(state, &dark(), size)))).collect()
}

/// The name of a picture of this size.
pub fn sized(name: &str, size: Size) -> String {
    format!("{name} {}x{}", size.width, size.height)
}

/// Compares each picture with its snapshot.
pub fn assert_album(name: &str, album: Album) {
    let mut names = BTreeSet::new();
    for (picture_name, picture) in album {
        let suffix = slug(&picture_name);
        assert!(names.insert(suffix.clone()), "{name} has two pictures named {suffix}");
        insta::with_settings!({ snapshot_suffix => suffix }, { assert_picture(name, &picture) });
    }
}

/// Compares a picture with its snapshot.
pub fn assert_picture(name: &str, picture: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, picture);
    });
}

/// `name` as part of a file's name.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_lowercase()
}
