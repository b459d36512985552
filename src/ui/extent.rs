//! What the learner's own way changed and opens: the paths before and now, and what it is limited by.

use ratatui::text::Span;

use crate::lab::insight::forecast::Rung;
use crate::lab::lesson::interface::Interface;
use crate::lab::model::extent::Extent;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::path::Path;
use crate::lab::{Identity, Stage, State};

use super::path;
use super::theme::Theme;

/// The condition key that names the service which may ask.
const VIA_SERVICE: &str = "kms:ViaService";

/// The most values that a row names.
const NAMED: usize = 3;

/// Which rung moved, with its number; `None` where none did.
pub fn moved(state: &State) -> Option<(usize, Rung)> {
    let rungs = state.rungs();
    let changed = |rung: &&Rung| rung.before.is_some();
    let own = rungs.iter().position(|rung| changed(&rung) && Some(rung.label) == own_label(state));
    let at = own.or_else(|| rungs.iter().position(|rung| changed(&rung)))?;
    Some((at + 1, rungs.into_iter().nth(at)?))
}

fn own_label(state: &State) -> Option<&'static str> {
    Some(match state.extent()?.mechanism {
        Mechanism::KeyPolicy => "key policy",
        Mechanism::IamPolicy => "IAM policies",
        Mechanism::Grant => "grants",
    })
}

/// What the way opens: labels and texts.
pub fn rows(extent: &Extent, words: Interface<'_>) -> Vec<(String, String)> {
    let mut rows: Vec<(&str, String)> = Vec::new();
    if extent.only.is_empty() {
        rows.push(("open to", words.say("any use by test-user, not only through DynamoDB").to_owned()));
    }
    for (key, values) in &extent.only {
        let values = list(values);
        let text = if key == VIA_SERVICE { values } else { format!("{} {values}", key.trim_start_matches("kms:")) };
        rows.push(("only through", text));
    }
    if !extent.also.is_empty() {
        rows.push(("also allows", list(&extent.also)));
    }
    rows.push(("kept while", kept_while(extent, words)));
    rows.into_iter().map(|(label, text)| (words.say(label).to_owned(), text)).collect()
}

fn kept_while(extent: &Extent, words: Interface<'_>) -> String {
    match (extent.mechanism, &extent.delegated_by) {
        (Mechanism::KeyPolicy, _) => {
            words.say("the key policy has your statement; PutKeyPolicy replaces all of them").to_owned()
        }
        (Mechanism::IamPolicy, Some(sid)) if !sid.is_empty() => {
            let sid = format!("\"{sid}\"");
            words.fill("test-user has your policy, and {} lets IAM decide", &[&sid])
        }
        (Mechanism::IamPolicy, _) => {
            words.say("test-user has your policy, and the key policy lets IAM decide").to_owned()
        }
        (Mechanism::Grant, _) => words.say("nobody revokes or retires your grant").to_owned(),
    }
}

/// `a, b, c, …`
fn list(all: &[String]) -> String {
    let mut named: Vec<&str> = all.iter().take(NAMED).map(String::as_str).collect();
    if all.len() > NAMED {
        named.push("…");
    }
    named.join(", ")
}

/// The paths of both callers' Scans before the change, and now; one path where nothing changed.
pub fn paths(
    state: &State,
    now: impl Fn(Identity) -> Option<Path>,
    theme: &Theme,
    columns: usize,
) -> Vec<(String, Vec<Span<'static>>)> {
    let words = state.interface();
    let mut rows = Vec::new();
    for identity in [Identity::TestUser, Identity::Admin] {
        let (before, now) = (state.path_in(Stage::ViewDenied, identity), now(identity));
        let is_same = before
            .as_ref()
            .zip(now.as_ref())
            .is_some_and(|(before, now)| (before.table, before.key, before.end) == (now.table, now.key, now.end));
        let mut put = |label: &'static str, spans: Vec<Span<'static>>| rows.push((words.say(label).to_owned(), spans));
        match (before, now) {
            (_, Some(now)) if is_same => put("unchanged", path::line(&now, words, theme, columns).spans),
            (before, now) => {
                let label = if now.is_some() { "before" } else { "now" };
                if let Some(before) = before {
                    put(label, path::earlier(&before, words, theme, columns).spans);
                }
                if let Some(now) = now {
                    put("now", path::line(&now, words, theme, columns).spans);
                }
            }
        }
    }
    rows
}
