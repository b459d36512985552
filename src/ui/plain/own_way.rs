//! Stage 7 in a way of the learner's own, in lines: the three ways, the draft, its forecast, and what became of it.

use crate::lab::State;
use crate::lab::feature::attempts::Came;
use crate::lab::insight::forecast::Sign;
use crate::lab::lesson::interface::Interface;
use crate::lab::model::draft::BLANK;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::prose::{capital, sentence};
use crate::ui::{desk, extent};

use super::{call, labeled};

/// The three ways, one after another.
pub fn ways(state: &State) -> Vec<String> {
    let words = state.interface();
    let mut lines = vec![words.say("Any one of these three can allow test-user to use the key.").to_owned()];
    for (at, mechanism) in Mechanism::ALL.into_iter().enumerate() {
        lines.push(format!("{}. {}", at + 1, capital(words.word(mechanism.name()))));
        lines.extend(desk::ROWS.iter().map(|(label, cells)| labeled(words.word(label), words.word(cells[at]))));
    }
    lines.push(how_to_write(state));
    lines
}

/// The commands that open the editor.
pub fn how_to_write(state: &State) -> String {
    let text = match state.backend().given_user {
        true => "To write one yourself: write key policy, write grant.",
        false => "To write one yourself: write key policy, write iam policy, write grant.",
    };
    state.interface().say(text).to_owned()
}

/// What to type now: the draft, and the names that fit in.
pub fn template(state: &State) -> Vec<String> {
    let (Some(mechanism), Some(draft)) = (state.draft_way(), state.draft()) else { return Vec::new() };
    let words = state.interface();
    let name = words.word(mechanism.name());
    let mut lines = vec![words.fill("Here is the {} as it is now. {} stands for a blank.", &[&name, &BLANK])];
    lines.extend(draft.lines().map(str::to_owned));
    lines.push(words.say("Names:").to_owned());
    lines.extend(state.insertables().into_iter().map(|name| format!("{}: {}", words.word(name.label), name.text)));
    let how = "Type all of it, line by line, then a line with a single dot. A dot alone keeps it as it is.";
    lines.push(words.say(how).to_owned());
    lines
}

/// What the evaluator expects of the draft.
pub fn forecast(state: &State) -> Vec<String> {
    let Some(forecast) = state.forecast() else { return Vec::new() };
    let words = state.interface();
    let services = [("DynamoDB", forecast.table), ("KMS", forecast.key)];
    let path: Vec<String> = services.into_iter().map(|(service, sign)| expected(service, sign, words)).collect();
    let reason = sentence(&capital(&forecast.reason));
    vec![words.fill("Forecast, nothing is sent yet: {} {}", &[&sentence(&path.join(", ")), &reason])]
}

fn expected(service: &str, sign: Sign, words: Interface<'_>) -> String {
    match sign {
        Sign::Yes => words.fill("{} yes", &[&service]),
        Sign::No => words.fill("{} no", &[&service]),
        Sign::NotAsked => words.fill("{} not asked", &[&service]),
        Sign::Unknown => words.fill("{} unknown", &[&service]),
    }
}

/// What was sent, and what became of it.
pub fn outcome(state: &State) -> Vec<String> {
    let words = state.interface();
    let mut lines = vec![sentence(&desk::said(state))];
    if state.attempts().came() != Some(Came::Allowed) {
        lines.extend(state.shown().exchanges().flat_map(|exchange| call(state, exchange)));
    }
    if let Some((number, rung)) = extent::moved(state) {
        let now = sentence(&words.sentence(&rung.now));
        lines.push(words.fill("Rung {} moved, {}: {}", &[&number, &words.word(rung.label), &now]));
        lines.extend(rung.before.map(|before| labeled(words.say("before"), &words.sentence(&before))));
    }
    if let Some(opened) = state.extent().filter(|_| state.attempts().came() == Some(Came::Allowed)) {
        lines.extend(extent::rows(&opened, words).into_iter().map(|(label, text)| labeled(&label, &text)));
    }
    lines
}
