//! `--ascii`: every sign of the screen has an ASCII form, and nothing else changes its place.

use std::sync::Arc;

use kmslab::lab::lesson::Files;
use kmslab::lab::{Intent, Lesson, Page, Stage, State};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::layout::Size;

use crate::support::lab::{Session, every_state, text_dump};

const SIZES: [Size; 4] = [Size::new(80, 24), Size::new(200, 50), Size::new(60, 18), Size::new(20, 5)];

fn theme() -> Theme {
    Theme::choose(ThemeName::Dark, ColorLevel::True).in_ascii()
}

fn others(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii()).collect()
}

#[test]
fn every_state_is_drawn_in_ascii() {
    let theme = theme();
    for (name, state) in every_state() {
        for size in SIZES {
            let text = text_dump(&render(state, &theme, size));
            assert_eq!(others(&text), "", "{name} {size:?}\n{text}");
        }
    }
}

/// The lesson's pages, in the language with the most letters of its own.
#[test]
fn so_are_the_pages_of_the_german_lesson() {
    let german = Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap());
    for stage in Stage::ALL {
        let state = Session::sandbox().after(stage).state.with_lesson(german.clone());
        for page in [Page::Lesson, Page::Comparison, Page::Debrief] {
            let mut state: State = state.clone();
            state.update(kmslab::lab::Event::Intent(Intent::TogglePage(page)));
            let text = text_dump(&render(&state, &theme(), Size::new(100, 50)));
            assert_eq!(others(&text), "", "{stage:?} {page:?}\n{text}");
        }
    }
}

/// What a service sends may have letters that nothing in ASCII stands for: they stay, rather than become nothing.
#[test]
fn data_that_cannot_be_said_in_ascii_stays() {
    let state = Session::named("名前-é\u{1b}").after(Stage::ViewDenied).state;
    let text = text_dump(&render(&state, &theme(), Size::new(200, 50)));
    assert!(text.contains('名') && text.contains("-e^"), "{text}");
}
