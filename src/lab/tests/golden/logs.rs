//! Recorded sessions: each gives the same screens as ever.

use ratatui::layout::Size;

use super::{compare, folder, hash};
use crate::lab::PresenterSnapshot;
use crate::lab::log::{Entry, Head};
use crate::ui::{ColorLevel, Theme, ThemeName, render};

/// The screen after every n-th event is compared.
const EVERY: usize = 10;

#[test]
fn recorded_sessions_show_the_same_screens() {
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "kmslab"));
    files.sort();
    assert!(files.len() > 3, "{files:?}");
    let mut screens = String::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        let head: Head = serde_json::from_str(lines.next().unwrap()).unwrap();
        let mut state = head.state(head.timestamp);
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let entries: Vec<Entry> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = entries.len();
        for (at, entry) in entries.into_iter().enumerate() {
            entry.what.replay_on(&mut state).unwrap();
            if at % EVERY == 0 || at + 1 == last {
                let screen = render(&state, &theme, Size::new(100, 28));
                let telling = serde_json::to_string(&PresenterSnapshot::of(&state)).unwrap();
                screens += &format!("{name} {at} {} {}\n", hash(&format!("{screen:?}")), hash(&telling));
            }
        }
    }
    compare("screens.txt", &screens);
}
