//! Stage 7's choice, editor and outcome as they are seen.

use std::sync::Arc;

use kmslab::lab::attempts::Came;
use kmslab::lab::insight::forecast::Sign;
use kmslab::lab::lesson::Files;
use kmslab::lab::model::attempt;
use kmslab::lab::model::mechanism::Mechanism;
use kmslab::lab::{BackendKind, Intent, Lesson, Mode, Place, State};
use kmslab::ui::render;
use ratatui::layout::Size;
use serde_json::{Value, json};

use super::{Lab, right, sandbox};
use crate::screens::album::{album, assert_album};
use crate::screens::dark;
use crate::support::lab::text_dump;

/// The key policy's right statement, for DynamoDB alone.
fn limited(state: &State) -> String {
    let mut statement: Value = serde_json::from_str(&right(Mechanism::KeyPolicy, state)).unwrap();
    statement["Condition"] = json!({"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}});
    serde_json::to_string_pretty(&statement).unwrap()
}

#[test]
fn stage_7_as_a_choice_on_the_screen() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    lab.wait_until(|state| state.attempts().before().is_some());
    let mut seen = vec![("choice", lab.state.clone())];
    lab.press(Intent::ChooseWay(Mechanism::Grant));
    lab.write_here(attempt::template(Mechanism::Grant).text());
    seen.push(("editor, a grant", lab.state.clone()));
    lab.press(Intent::Close);
    lab.press(Intent::ChooseWay(Mechanism::KeyPolicy));
    lab.wait_until(|state| state.attempts().now().is_some());
    seen.push(("editor, a key policy", lab.state.clone()));
    let text = limited(&lab.state);
    lab.write_here(&text.replace("kms:Decrypt\"", "kms:Encrypt"));
    seen.push(("editor, a missing quote", lab.state.clone()));
    lab.write_here(&text.replace("kms:Decrypt", "kms:Encrypt"));
    assert_eq!(lab.send(), Some(Came::Refused));
    assert_eq!(lab.moved().len(), 1);
    seen.push(("outcome, refused", lab.state.clone()));
    lab.press(Intent::Advance);
    lab.write_here(&text);
    assert_eq!(lab.send(), Some(Came::Allowed));
    assert_eq!(lab.moved().len(), 1);
    seen.push(("outcome, allowed", lab.state.clone()));
    let sizes = [Size::new(80, 24), Size::new(100, 28), Size::new(200, 50)];
    let english = seen.iter().flat_map(|(name, state)| sizes.map(|size| ((*name).to_owned(), state, size)));
    assert_album("ways", album(english));
    let german = Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap());
    let seen = seen.into_iter().map(|(name, state)| (format!("german {name}"), state.with_lesson(german.clone())));
    let seen: Vec<(String, State)> = seen.collect();
    assert_album("ways", album(seen.iter().map(|(name, state)| (name.clone(), state, sizes[1]))));
}

#[test]
fn a_small_screen_names_all_ways_and_how_to_insert() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let german = Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap());
    let small = |state: &State| text_dump(&render(state, &dark(), Size::new(60, 18)));
    for text in [small(&lab.state), small(&lab.state.clone().with_lesson(german))] {
        for call in ["PutKeyPolicy", "PutUserPolicy", "CreateGrant"] {
            assert!(text.contains(call), "{call}:\n{text}");
        }
        assert!(text.contains("   1 2 3   ") && text.contains("   enter   "), "the choices, too:\n{text}");
    }
    lab.press(Intent::ChooseWay(Mechanism::Grant));
    let text = small(&lab.state);
    assert!(text.contains("ctrl-n insert") && text.contains("esc back"), "{text}");
}

#[test]
fn the_first_ctrl_c_in_the_editor_names_itself() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    lab.press(Intent::ChooseWay(Mechanism::Grant));
    lab.press(Intent::AskToQuit);
    let message = lab.state.view().message.clone().unwrap();
    assert!(message.starts_with("press ctrl-c again to leave"), "{message}");
    assert_eq!(lab.state.mode(), Mode::Writing);
}

#[test]
fn a_pasted_secret_is_not_kept() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    lab.state.save_at(Place::new(lab.state.backend()));
    lab.write(Mechanism::IamPolicy, &format!("{{\"Sid\": \"{secret}\"}}"));
    assert!(lab.state.view().message.as_deref().is_some_and(|text| text.contains("secret")));
    let saved = serde_json::to_string(&lab.state.saved().unwrap()).unwrap();
    assert!(!saved.contains("MDENG") && saved.contains("________"));
}

#[test]
fn what_is_no_call_is_not_sent() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let forecast = lab.write(Mechanism::KeyPolicy, "{\n  \"Sid\": \"a\"\n  ,,\n}");
    assert_eq!((forecast.key, forecast.reason.as_str()), (Sign::Unknown, "not JSON yet: line 3"));
    assert_eq!((lab.send(), lab.state.mode()), (None, Mode::Writing));
    assert_eq!(lab.state.view().message.as_deref(), Some("not sent: not JSON yet: line 3"));
}
