//! A whole masked lab on the sandbox: no id that came from it is in any frame or line.

use std::collections::BTreeSet;

use futures_util::stream;
use kmslab::aws::Clients;
use kmslab::lab::insight::Known;
use kmslab::lab::{Answer, Backend, BackendKind, Effect, Event, Identity, Intent, Names, Page, Place, Stage, State};
use kmslab::run::effects::EffectHandler;
use kmslab::run::front::headless::{self, Format};
use kmslab::sandbox::{Config, Sandbox};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::layout::Size;
use serde_json::Value;

const RUN: &str = "q7k2m9x4";

/// A masked lab, on a backend that may leave something behind.
fn lab(sandbox: &Sandbox) -> (State, Clients) {
    let admin = sandbox.admin();
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
    let backend = Backend {
        kind: BackendKind::Endpoint,
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.url().to_owned()),
        given_user: false,
    };
    let mut state = State::new(backend, Names::new(RUN));
    state.mask();
    (state, clients)
}

/// Adds what `value` holds under the names of ids.
fn ids_of(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_id = ["KeyId", "AccessKeyId", "Account", "AWSAccountId", "UserId", "UserName", "TableId"];
                match member {
                    Value::String(id) if is_id.contains(&name.as_str()) => {
                        ids.insert(id.rsplit('/').next().unwrap().to_owned());
                    }
                    Value::String(arn) if name == "Arn" || name.ends_with("Arn") => {
                        ids.extend(arn.split([':', '/']).filter(|part| part.contains(RUN)).map(str::to_owned));
                        ids.insert(arn.rsplit('/').next().unwrap().to_owned());
                    }
                    member => ids_of(member, ids),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| ids_of(element, ids)),
        _ => {}
    }
}

/// The ids of an answer as it came from the server.
fn ids(answer: &Answer, ids: &mut BTreeSet<String>) {
    if let Ok(response) = &answer.response {
        ids.extend(response.request_id.clone());
        ids_of(&response.body, ids);
    }
}

/// What stands on the screen, as rows and without the breaks between them.
fn frames(state: &State) -> String {
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::Ansi16);
    let mut text = String::new();
    for size in [Size::new(80, 24), Size::new(240, 60)] {
        let buffer = render(state, &theme, size);
        let rows: Vec<String> = buffer
            .content
            .chunks(size.width.into())
            .map(|row| row.iter().map(|cell| cell.symbol()).collect())
            .collect();
        text.push_str(&rows.join("\n"));
        text.push_str(&rows.iter().map(|row| row.trim()).collect::<String>());
    }
    text
}

#[test]
fn no_frame_of_a_masked_lab_shows_an_id_as_it_came() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut state, clients) = lab(&sandbox);
    let mut originals = BTreeSet::from([RUN.to_owned()]);
    let mut seen = String::new();
    runtime.block_on(async {
        let (world, mut events) = EffectHandler::new(clients);
        while !state.is_finished() {
            let mut event = Event::Intent(Intent::Advance);
            loop {
                if let Event::CallFinished { answer, .. } = &event {
                    ids(answer, &mut originals);
                }
                for effect in state.update(event) {
                    assert_ne!(effect, Effect::Exit);
                    world.perform(effect);
                }
                seen.push_str(&frames(&state));
                if !state.is_running() {
                    break;
                }
                event = events.recv().await.unwrap();
            }
            look_at_everything(&state, &mut seen);
            look_into_everything(&mut state, &world, &mut events, &mut seen).await;
        }
    });
    assert_eq!(state.met(), Stage::ALL.len());
    assert!(state.leftovers().is_empty());
    // Calls and decisions find each other by what stands for their ids.
    for words in [
        "◀\u{a0}AWS's\u{a0}message\u{a0}names\u{a0}this\u{a0}one",
        "decrypted for PutItem",
        "for\u{a0}Scan,\u{a0}stage\u{a0}6",
    ] {
        assert!(seen.contains(words), "{words}");
    }
    // The sandbox's admin is called like the profile in every command line, which is no id.
    assert!(originals.remove("kmslab-admin"));
    originals.insert("user/kmslab-admin".to_owned());
    let originals: Vec<_> = originals.into_iter().filter(|id| id.len() >= 8).collect();
    assert!(originals.len() > 30, "there are ids to be found: {originals:?}");
    let found: Vec<_> = originals.iter().filter(|id| seen.contains(id.as_str())).collect();
    assert_eq!(found, Vec::<&String>::new());
}

/// Every call of the shown stage in every view, zoomed so that nothing is broken, and the dialogs.
fn look_at_everything(state: &State, seen: &mut String) {
    let mut looked = state.clone();
    let mut go = |intent| {
        looked.update(Event::Intent(intent));
        looked.clone()
    };
    go(Intent::ToggleZoom);
    for identity in Identity::BOTH {
        let identity = if state.view().focus() == Identity::Admin { identity } else { identity.other() };
        let calls = state.calls(identity).len();
        for _ in 0..4 {
            go(Intent::CycleView);
            (0..calls).for_each(|_| drop(go(Intent::SelectNext)));
            (0..calls).for_each(|_| seen.push_str(&frames(&go(Intent::SelectPrevious))));
        }
        go(Intent::FocusOther);
    }
    seen.push_str(&frames(&go(Intent::Quit)));
}

/// The pages that ask the server, for both panes.
async fn look_into_everything(
    state: &mut State,
    world: &EffectHandler,
    events: &mut tokio::sync::mpsc::UnboundedReceiver<Event>,
    seen: &mut String,
) {
    for _ in Identity::BOTH {
        for page in [Page::Why, Page::Trail, Page::AtRest] {
            let effects = state.update(Event::Intent(Intent::TogglePage(page)));
            let asks = !effects.is_empty();
            for effect in effects {
                world.perform(effect);
            }
            if asks {
                // The trail of earlier Scans may come first.
                loop {
                    let found = events.recv().await.unwrap();
                    let is_awaited = matches!(found, Event::Inspected { .. });
                    assert!(is_awaited || matches!(found, Event::Traced(_)), "{found:?}");
                    state.update(found);
                    if is_awaited {
                        break;
                    }
                }
                assert!(
                    !matches!(state.known(), None | Some(Known::Failed(_) | Known::NotTold)),
                    "{:?}",
                    state.known()
                );
            }
            for line in (0..200).step_by(50) {
                state.update(Event::Intent(Intent::ScrollTo(line)));
                seen.push_str(&frames(state));
            }
            state.update(Event::Intent(Intent::Close));
        }
        state.update(Event::Intent(Intent::FocusOther));
    }
}

#[test]
fn a_masked_labs_lines_have_only_pseudonyms() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for format in [Format::Jsonl, Format::Text] {
        let (state, clients) = lab(&sandbox);
        let (world, events) = EffectHandler::new(clients);
        let mut out = Vec::new();
        let (mut state, _) = runtime.block_on(headless::run(state, world, events, format, &mut out, stream::pending()));
        assert_eq!(state.met(), Stage::ALL.len());
        let lines = String::from_utf8(out).unwrap();
        state.save_at(Place::new(&state.backend().clone()));
        let raw = state.saved().unwrap().facts;
        let admin = raw.admin.as_ref().unwrap();
        let user = admin.arn.rsplit('/').next().unwrap();
        let key = raw.key_id().unwrap();
        for original in [RUN, &admin.account, user, key, &state.names().table, &state.names().user] {
            assert!(!lines.contains(original), "{original}: {lines}");
        }
        let shown = state.shown_facts();
        assert_eq!(shown.key_id().unwrap().len(), key.len());
        if format == Format::Jsonl {
            assert!(lines.matches(shown.key_id().unwrap()).count() > 5, "one pseudonym for one key");
            assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
        }
    }
}
