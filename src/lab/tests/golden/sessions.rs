//! SavedSession sessions: what an earlier program has written can be read, and is written so again.

use super::super::fake::*;
use super::scripts::Script;
use super::{compare, folder};
use crate::lab::*;

/// A session at one of three moments.
fn moment(name: &str) -> Session {
    let backend = endpoint(false);
    let mut lab = Lab::new(backend.clone(), Cloud::default());
    lab.state = State::new(backend.clone(), Names::new("t1").created("2026-11-24T10:02:00Z".to_owned()));
    lab.state = lab.state.with_quiz(Quiz::new(5)).with_review();
    lab.state.save_at(Place::new(&backend));
    let mut script = Script::new(name, lab);
    match name {
        "session-under-way" => {
            script.run_to(Stage::CreateTable);
            script.lab.cloud.faults.push(("CreateUser", 0, serde_json::Value::Null));
            for intent in [Intent::Advance, Intent::Skip, Intent::Advance, Intent::Advance, Intent::Skip] {
                script.press(&[intent]);
            }
            // Its first call is not answered.
            script.lab.state.update(Event::Intent(Intent::Advance));
        }
        "session-granted" => {
            script.run_to(Stage::Grant);
            script.press(&[Intent::Advance]);
            let votes = [
                PresenterAction::Tally,
                PresenterAction::Letter(1),
                PresenterAction::Digit(3),
                PresenterAction::TakeHands,
            ];
            votes.into_iter().for_each(|wish| script.press(&[Intent::Present(wish)]));
            script.event(Event::Clock(95));
        }
        _ => {
            script.run_to(Stage::ViewAgain);
            let fault = serde_json::json!({"__type": "InternalFailure", "message": "later"});
            script.lab.cloud.faults.push(("EnableKey", 500, fault));
            let first = [Intent::ToggleExperiments, Intent::MoveCursor(i8::MIN), Intent::Advance];
            script.press(&first);
            script.press(&[Intent::Choose(0), Intent::Advance]);
        }
    }
    Session(script.lab.state.saved().unwrap())
}

struct Session(SavedSession);

#[test]
fn kept_sessions_are_read_and_written_as_ever() {
    for name in ["session-under-way", "session-granted", "session-experiment"] {
        let text = serde_json::to_string_pretty(&moment(name).0).unwrap() + "\n";
        compare(&format!("{name}.json"), &text);
        let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let kept: SavedSession = serde_json::from_str(&text).unwrap();
        assert!(kept.is_whole() && kept.can_go_on());
        assert_eq!(serde_json::to_string_pretty(&kept).unwrap() + "\n", text, "{name}");
    }
}
