//! REPLAY: no still of recorded answers can be taken for a live one.

use kmslab::lab::{Identity, Intent, Stage, State, Status, ViewMode};
use kmslab::ui::layout::Plan;
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::layout::{Rect, Size};
use ratatui::style::Modifier;

use super::dark;
use crate::support::lab::{Session, text_dump};

const BADGE: &str = " ⟳ REPLAY 1 Jan 0";

pub fn replayed() -> Session {
    let mut session = Session::cut_off(Stage::ViewDenied);
    session.intent(Intent::ToggleReplay);
    session
}

#[test]
fn the_badge_is_in_every_still_and_on_every_verdict() {
    for stage in Stage::ALL {
        let mut session = Session::cut_off(stage);
        // Where nothing was sent, nothing can be cut off.
        if !session.state.can_replay() {
            assert!(matches!(&session.state.shown().status, Status::Done(check) if check.met), "{}", stage.key());
            continue;
        }
        let live = |state: &State| {
            let text = text_dump(&render(state, &dark(), Size::new(80, 24)));
            assert!(!text.contains("⟳ REPLAY"), "{text}");
        };
        live(&session.state);
        session.intent(Intent::ToggleReplay);
        for mode in ViewMode::ALL {
            for zoom in [false, true] {
                for focus in Identity::BOTH {
                    assert_eq!((session.state.view().mode, session.state.view().zoom), (mode, zoom));
                    for size in [(60, 18), (79, 50), (80, 24), (100, 28), (200, 50)] {
                        let (width, height) = size;
                        let buffer = render(&session.state, &dark(), Size::new(width, height));
                        let text = text_dump(&buffer);
                        let context = format!("{} {mode:?} {zoom} {focus:?} {size:?}\n{text}", stage.key());
                        assert!(text.lines().next().unwrap().contains(BADGE), "{context}");
                        for pane in Plan::new(&session.state, Rect::new(0, 0, width, height)).panes {
                            let verdict = pane.head.y + pane.head.height.min(2) - 1;
                            let row: String =
                                (pane.head.left()..pane.head.right()).map(|x| buffer[(x, verdict)].symbol()).collect();
                            let is_empty = session.state.calls(pane.identity).is_empty();
                            assert!(is_empty || row.starts_with(" ⟳ REPLAY "), "{context}");
                        }
                    }
                    session.intent(Intent::FocusOther);
                }
                session.intent(Intent::ToggleZoom);
            }
            session.intent(Intent::CycleView);
        }
        session.intent(Intent::ToggleReplay);
        live(&session.state);
    }
}

#[test]
fn no_colors_still_tell_the_badges_apart() {
    let (replayed, live) = (replayed(), Session::cut_off(Stage::ViewDenied));
    for name in ThemeName::ALL {
        for level in [ColorLevel::None, ColorLevel::Ansi16, ColorLevel::True] {
            let theme = Theme::choose(name, level);
            let style_of = |session: &Session, text: &str| {
                let buffer = render(&session.state, &theme, Size::new(80, 24));
                let x = (0..80).find(|x| buffer[(*x, 0)].symbol() == text).unwrap();
                buffer[(x, 0)].style()
            };
            let (recorded, place) = (style_of(&replayed, "⟳"), style_of(&live, "W"));
            assert!(recorded.add_modifier.contains(Modifier::UNDERLINED | Modifier::BOLD), "{name} {level:?}");
            assert!(!place.add_modifier.contains(Modifier::UNDERLINED), "{name} {level:?}");
        }
    }
}
