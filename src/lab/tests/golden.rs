//! What the lab does, as it was written down once: effects and what is shown, event by event. Other tests say what must
//! hold; these say that nothing else has changed.
//!
//! `KMSLAB_WRITE_GOLDEN=1` writes the files again. `KMSLAB_GOLDEN_DUMP=DIR` writes the transcripts behind the hashes of
//! the walks, to see where two versions part.

mod logs;
mod scripts;
mod sessions;
mod walks;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::lab::insight::Inquiry;
use crate::lab::log::Logged;
use crate::lab::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lab/tests/golden")
}

/// Whether the files are to be written again.
fn writes() -> bool {
    std::env::var_os("KMSLAB_WRITE_GOLDEN").is_some()
}

/// Compares `text` with the golden file `name`, line by line.
fn compare(name: &str, text: &str) {
    let path = folder().join(name);
    if writes() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    let lines = golden.lines().zip(text.lines()).enumerate();
    for (at, (expected, found)) in lines {
        assert_eq!(found, expected, "{name}, line {}", at + 1);
    }
    assert_eq!(text.len(), golden.len(), "{name} has more or fewer lines");
}

/// FNV-1a: the same on every machine.
fn hash(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

/// An effect in one line. What is long is hashed. Spelled out: names of types may change.
fn line(effect: &Effect) -> String {
    match effect {
        Effect::Call { id, identity, operation } => {
            format!("call {} {} {} {}", id.0, identity.name(), operation.action(), hash(&json(operation)))
        }
        Effect::After { timer, millis } => format!("after {} {millis}", timer.0),
        Effect::Advance { timer, seconds } => format!("advance {} {seconds}", timer.0),
        Effect::Inspect { serial, inquiry } => match inquiry {
            Inquiry::Why { call, caller, key } => format!("inspect {serial} why {} {caller:?} {key:?}", call.0),
            Inquiry::Documents { caller, key } => format!("inspect {serial} documents {caller:?} {key:?}"),
            Inquiry::Trail => format!("inspect {serial} trail"),
            Inquiry::AtRest { table } => format!("inspect {serial} at rest {table}"),
        },
        Effect::Trace(requests) => format!("trace {requests:?}"),
        Effect::Reconnect => "reconnect".to_owned(),
        Effect::CacheResponses(verified) => format!("keep {}", hash(&json(verified))),
        Effect::Save(kept) => format!("remember {}", hash(&json(kept))),
        Effect::Adopt(taken) => format!("adopt {} {}", taken.operation, taken.name),
        Effect::TakeOver { run, created } => format!("take over {run} {created:?}"),
        Effect::LoadResponses { stage, account } => format!("recall {} {account:?}", stage.key()),
        Effect::Report(Report::Started(stage)) => format!("started {}", stage.key()),
        Effect::Report(Report::Call(exchange)) => format!("answered {} {}", exchange.id.0, hash(&json(&**exchange))),
        Effect::Report(Report::Stage(stage, check)) => {
            format!("ended {} {} {:?}", stage.key(), check.met, check.observed)
        }
        Effect::Copy(text) => format!("copy {text:?}"),
        Effect::OpenShell => "open shell".to_owned(),
        Effect::Export(_) => "export".to_owned(),
        Effect::Edit(text) => format!("edit {text:?}"),
        Effect::StartOver => "start over".to_owned(),
        Effect::Exit => "exit".to_owned(),
    }
}

fn event_line(event: &Event) -> String {
    match event {
        Event::Intent(intent) => format!("> {}", json(intent)),
        Event::Edited(edit) => format!("> edited {}", json(edit)),
        Event::CallFinished { id, answer } => format!("> finished {} {}", id.0, hash(&json(answer))),
        Event::Inspected { serial, .. } => format!("> inspected {serial}"),
        Event::Traced(asked) => format!("> traced {}", json(asked)),
        Event::TimerFired(timer) => format!("> timer {}", timer.0),
        Event::Advanced { timer, moved } => format!("> advanced {} {moved}", timer.0),
        Event::ResponsesLoaded { stage, found } => format!("> recalled {} {}", stage.key(), hash(&json(found))),
        Event::ResponsesNotCached(reason) => format!("> not kept {reason}"),
        Event::SessionNotSaved(reason) => format!("> not remembered {reason}"),
        Event::Noticed(calls) => format!("> noticed {}", hash(&json(calls))),
        Event::Turnout(turnout) => format!("> turnout {}", json(turnout)),
        Event::ShellClosed => "> shell closed".to_owned(),
        Event::Tick => "> tick".to_owned(),
        Event::Clock(seconds) => format!("> clock {seconds}"),
        Event::Say(text) => format!("> say {text}"),
    }
}

/// What is shown, in one line.
fn summary(state: &State) -> String {
    let telling = PresenterSnapshot::of(state);
    let leftovers = state.leftovers();
    format!(
        "= {}/{} {:?} met {} ended {} {} {} {:?}",
        telling.number,
        telling.current,
        telling.progress,
        state.met(),
        state.ended(),
        hash(&json(&telling)),
        hash(&json(&leftovers)),
        state.view().message.as_deref().unwrap_or_default(),
    )
}

/// Takes `event` in, and writes down what follows.
fn take(state: &mut State, event: Event, transcript: &mut String) -> Vec<Effect> {
    let effects = state.update(event.clone());
    writeln!(transcript, "{}", event_line(&event)).unwrap();
    let mut saved = String::new();
    for effect in &effects {
        let line = line(effect);
        // The same session saved twice in one update is as good as once.
        if line != saved {
            writeln!(transcript, "  {line}").unwrap();
        }
        saved = if line.starts_with("remember ") { line } else { saved };
    }
    let logged = Logged::of(state, &event).map(|logged| hash(&json(&logged)));
    writeln!(transcript, "{} {}", summary(state), logged.unwrap_or_default()).unwrap();
    effects
}
