//! The lab's texts as lines for a voice or a dumb terminal: no boxes, no columns, a verdict as a sentence.
//!
//! One line is one thought, however long: screen readers read line by line, and terminals wrap by themselves.

use std::fmt::Display;

use serde_json::Value;

pub use self::experiment::{experiment, experiment_calls, experiments, tried};
pub use self::pages::{page, paths, shell, why};
pub use self::prompt::{help, prompt};
pub use self::resume::resume;
use super::diff;
use super::theme::Theme;
use crate::lab::backend::in_words;
use crate::lab::lesson::Source;
use crate::lab::lesson::interface::Interface;
use crate::lab::model::prose::{capital, sentence};
use crate::lab::quiz::Asked;
use crate::lab::{Call, Check, Exchange, Identity, Operation, Reason, Stage, State, Status, Verdict, consent};

pub mod drill;
mod experiment;
pub mod own_way;
mod pages;
mod prompt;
mod resume;

fn labeled(label: &str, text: &str) -> String {
    format!("{}: {}", capital(label), sentence(text))
}

/// Why an intent isn't allowed now, with what can be typed instead.
pub fn explain(state: &State, reason: Reason) -> String {
    let words = state.interface();
    match reason {
        Reason::AnswerFirst => words.say("Answer first, or type s to skip.").to_owned(),
        Reason::PolicyHeld => {
            let text = "Stage {} needs your OK. Press Enter there, or type no.";
            words.fill(text, &[&state.current().number()])
        }
        reason => remark(&state.explain(reason)),
    }
}

/// A message of the screen as a sentence.
pub fn remark(message: &str) -> String {
    sentence(&capital(&message.replace(" · ", ", ")))
}

/// The number and the title of a stage.
pub fn heading(state: &State, stage: Stage) -> String {
    let values: [&dyn Display; 3] = [&stage.number(), &Stage::ALL.len(), &state.text(stage).title];
    state.interface().fill("Stage {} of {}: {}", &values)
}

/// The shown stage: its heading, then the intro and the question or, once its calls have been sent, their outcome.
pub fn stage(state: &State) -> Vec<String> {
    let stage = state.view().shown;
    let text = state.text(stage);
    let mut lines = vec![String::new(), heading(state, stage), sentence(text.objective)];
    match &state.record(stage).status {
        Status::Todo => {
            lines.push(text.intro.to_owned());
            lines.extend(question(state));
        }
        Status::Running => lines.push(state.interface().say("Its calls are in progress.").to_owned()),
        Status::Done(check) => {
            lines.extend(calls(state));
            lines.extend(ended(state, stage, check));
        }
    }
    lines
}

/// The question of the shown stage with numbered answers, while it can be answered.
fn question(state: &State) -> Vec<String> {
    let Some(asked) = state.open_question() else { return Vec::new() };
    let mut lines = vec![String::new(), asked.question.text.clone()];
    lines.extend(asked.answers.iter().enumerate().map(|(at, (_, reply))| {
        let text = match asked.chosen == Some(at) {
            true => state.interface().fill("{} (your answer)", &[&reply.text]),
            false => reply.text.clone(),
        };
        format!("{}. {text}", at + 1)
    }));
    lines
}

/// The last hint that was asked for.
pub fn hint(state: &State) -> Option<String> {
    state.hints().last().map(|hint| labeled(&state.lesson().words().hint, hint))
}

/// All calls of the shown stage that were answered, as sentences.
pub fn calls(state: &State) -> Vec<String> {
    let recorded = state.replay_time();
    let recorded = recorded.map(|time| state.interface().fill("REPLAY, recorded {}, not sent now:", &[&time]));
    let told = answered(state).into_iter().flat_map(|exchange| call(state, exchange));
    recorded.into_iter().chain(told).collect()
}

/// The answered calls of what is shown, in their order.
fn answered(state: &State) -> Vec<&Exchange> {
    let calls = Identity::BOTH.into_iter().flat_map(|identity| state.calls(identity));
    let mut answered: Vec<&Exchange> = calls
        .filter_map(|call| match call {
            Call::Answered(exchange) => Some(exchange),
            Call::Waiting(_) | Call::Held(_) => None,
        })
        .collect();
    answered.sort_by_key(|exchange| exchange.id);
    answered
}

/// A call as sentences. A Scan has its path; what AWS says of a denial follows it.
pub fn call(state: &State, exchange: &Exchange) -> Vec<String> {
    let Some(path) = state.path_of(exchange).filter(|_| exchange.answer.response.is_ok()) else {
        return vec![without_path(exchange, state.interface())];
    };
    let (verdict, message) = match &exchange.verdict {
        Verdict::Allowed => ("ALLOWED", None),
        Verdict::Denied(denied) => ("DENIED", Some(&denied.message)),
        Verdict::Failed(failure) => ("FAILED", Some(&failure.message)),
    };
    let (who, what) = (exchange.identity.name(), exchange.operation.name());
    let words = state.interface();
    let path = words.fill("Path: {}", &[&sentence(&path.words(words))]);
    let code = exchange.error_code().map(|code| format!("{code}. ")).unwrap_or_default();
    let says = message.map(|message| words.fill("AWS says: {}", &[&format!("{code}{}", sentence(message))]));
    std::iter::once(format!("{who}: {what} {verdict}. {path}")).chain(says).collect()
}

/// A call as a sentence: who, what, the verdict in a word, and what is worth a word of the answer.
fn without_path(exchange: &Exchange, words: Interface<'_>) -> String {
    let lead = format!("{}: {}", exchange.identity.name(), exchange.operation.name());
    let text = match &exchange.verdict {
        Verdict::Allowed => match worth_a_word(exchange, words) {
            Some(what) => format!("{lead} ALLOWED, {what}"),
            None => format!("{lead} ALLOWED"),
        },
        Verdict::Denied(denied) => match (&denied.action, &denied.reason) {
            (Some(action), reason) => {
                let what = match &denied.resource {
                    Some(arn) => words.fill("{} DENIED, not allowed {} on {}", &[&lead, action, arn]),
                    None => words.fill("{} DENIED, not allowed {}", &[&lead, action]),
                };
                what + &reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
            }
            (None, _) => format!("{lead} DENIED: {}", denied.message),
        },
        Verdict::Failed(failure) if exchange.is_wanted_absence() => format!("{lead} GONE: {}", failure.message),
        Verdict::Failed(failure) => {
            let code = failure.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
            let remedy = failure.remedy.as_ref().map(|remedy| words.fill(" Try: {}", &[&words.sentence(remedy)]));
            format!("{lead} FAILED: {code}{}{}", sentence(&failure.message), remedy.unwrap_or_default())
        }
    };
    let tries = exchange.answer.tries;
    let text = if tries > 1 { words.fill("{} It took {} tries", &[&sentence(&text), &tries]) } else { text };
    sentence(&text)
}

/// The part of an answer that is worth a word.
fn worth_a_word(exchange: &Exchange, words: Interface<'_>) -> Option<String> {
    let body = exchange.body()?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if let Some(items) = body.get("Count").and_then(Value::as_u64) {
        return Some(if items == 1 { words.say("1 item").to_owned() } else { words.fill("{} items", &[&items]) });
    }
    [
        ("/Arn", "as {}"),
        ("/KeyMetadata/KeyState", "the key is {}"),
        ("/KeyState", "the key is {}"),
        ("/Table/TableStatus", "the table is {}"),
        ("/TableDescription/TableStatus", "the table is {}"),
        ("/User/UserName", "the user is {}"),
    ]
    .into_iter()
    .find_map(|(pointer, what)| text(pointer).map(|value| words.fill(what, &[&value])))
}

/// A stage's outcome: the verdict first, then the explanation of the answer. The lesson has the rest.
pub fn ended(state: &State, stage: Stage, check: &Check) -> Vec<String> {
    let mut lines = vec![observed(state, check)];
    if !check.met {
        lines.push(labeled(&state.lesson().words().expected, state.text(stage).expected));
    }
    lines.extend(state.question(stage).and_then(|asked| said(state, &asked)));
    lines
}

/// What was observed, after a word for whether it was expected.
pub fn observed(state: &State, check: &Check) -> String {
    let words = state.lesson().words();
    let verdict = if check.met { &words.as_expected } else { &words.not_as_expected };
    format!("{}: {}", capital(verdict), sentence(&state.interface().sentence(&check.observed)))
}

/// The number that an answer has here.
fn number(asked: &Asked<'_>, letter: char) -> usize {
    asked.answers.iter().position(|(other, _)| *other == letter).map_or(0, |at| at + 1)
}

/// The person's prediction, and its explanation.
fn said(state: &State, asked: &Asked<'_>) -> Option<String> {
    let words = state.lesson().words();
    let right = || {
        let (letter, reply) = asked.right()?;
        Some(format!("{}: {}. {}", words.the_answer_was, number(asked, letter), sentence(&reply.text)))
    };
    let Some((letter, reply)) = asked.reply() else {
        let (_, reply) = asked.right().filter(|_| asked.skipped)?;
        return Some(format!("{} {} {}", words.skipped, right()?, reply.explanation.trim()));
    };
    let yours = format!("{}: {}. {}", words.your_answer, number(asked, letter), sentence(&reply.text));
    let explanation = reply.explanation.trim();
    Some(match reply.right {
        true => format!("{yours} {} {explanation}", words.right),
        false => format!("{yours} {} {explanation} {}", words.not_quite, right()?),
    })
}

/// The lesson of the shown stage. The answers are explained once the stage has ended.
pub fn lesson(state: &State) -> Vec<String> {
    if let Some(which) = state.view().experiment {
        return experiment::lesson(state, which);
    }
    let shown = state.view().shown;
    let words = state.lesson().words();
    let text = state.lesson().stage(shown);
    let is_done = matches!(state.record(shown).status, Status::Done(_));
    let mut ids: Vec<&String> = text.sources.iter().collect();
    let mut lines = vec![
        state.text(shown).title.to_owned(),
        sentence(state.text(shown).objective),
        state.text(shown).intro.to_owned(),
    ];
    if state.question(shown).is_none_or(|asked| !asked.is_open()) {
        lines.extend(text.more.iter().map(|paragraph| paragraph.trim().to_owned()));
    }
    if let Some(asked) = state.question(shown) {
        lines.push(asked.question.text.clone());
        for (at, (_, reply)) in asked.answers.iter().enumerate() {
            let answer = format!("{}. {}", at + 1, sentence(&reply.text));
            lines.push(match (is_done, reply.right) {
                (false, _) => answer,
                (true, true) => format!("{answer} {} {}", words.right, reply.explanation.trim()),
                (true, false) => format!("{answer} {}", reply.explanation.trim()),
            });
            ids.extend(reply.sources.iter().filter(|_| is_done));
        }
    }
    lines.extend(state.hints().iter().map(|hint| labeled(&words.hint, hint)));
    if is_done || !state.quiz().asks() {
        lines.push(labeled(&words.expected, state.text(shown).expected));
        lines.push(labeled(&words.look_at, state.text(shown).look));
        lines.push(labeled(&words.misconception, &text.misconception.claim));
        lines.push(labeled(&words.correction, &text.misconception.correction));
        ids.extend(&text.misconception.sources);
    }
    lines.extend(sources(state, ids));
    lines
}

/// The publications of `ids`, each once.
fn sources<'a>(state: &State, ids: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut cited: Vec<&Source> = Vec::new();
    for source in ids.into_iter().filter_map(|id| state.lesson().sources.get(id)) {
        if !cited.iter().any(|known| known.url == source.url) {
            cited.push(source);
        }
    }
    let heading = (!cited.is_empty()).then(|| format!("{}:", state.lesson().words().sources));
    heading.into_iter().chain(cited.into_iter().map(|source| format!("{}, {}", source.title, source.url))).collect()
}

/// The choices of the shown stage, one after another.
pub fn comparison(state: &State) -> Vec<String> {
    let Some(comparison) = state.comparison() else { return Vec::new() };
    let mut lines = vec![comparison.title.clone()];
    for (at, column) in comparison.columns.iter().enumerate() {
        let column = match at == comparison.chosen {
            true => state.interface().fill("{} (the lab's choice)", &[column]),
            false => column.clone(),
        };
        lines.push(format!("{}. {column}", at + 1));
        let cells = comparison.rows.iter().filter_map(|row| row.cells.get(at).map(|cell| (&row.label, cell)));
        lines.extend(cells.map(|(label, cell)| labeled(label, cell)));
    }
    lines.extend(sources(state, &comparison.sources));
    lines
}

/// The shown question of the debrief, with its explanation once it is answered, or the card.
pub fn debrief(state: &State) -> Vec<String> {
    let words = state.lesson().words();
    let Some(asked) = state.debrief_question() else {
        let card = state.lesson().card(state.own_way()).text(usize::MAX);
        return std::iter::once(String::new()).chain(card.lines().map(str::to_owned)).collect();
    };
    if let Some((_, right)) = asked.reply {
        let verdict = match (right, asked.is_skipped()) {
            (true, _) => &words.right,
            (false, true) => &words.skipped,
            (false, false) => &words.not_quite,
        };
        return vec![format!("{verdict} {}", asked.explanation.trim())];
    }
    let number = super::debrief::number(state);
    let number = number.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = vec![String::new(), sentence(&number)];
    lines.extend(super::debrief::lead(state, &asked));
    lines.push(asked.text.to_owned());
    let answer = |(place, (_, text)): (usize, &(char, &str))| format!("{}. {text}", place + 1);
    lines.extend(asked.answers.iter().enumerate().map(answer));
    lines
}

/// How far each stage is.
pub fn stages(state: &State) -> Vec<String> {
    let (frame, words) = (state.lesson().words(), state.interface());
    let progress = |stage: Stage| match &state.record(stage).status {
        Status::Done(check) if check.met => &frame.met,
        Status::Done(_) => &frame.not_met,
        Status::Running => words.say("running"),
        Status::Todo if stage <= state.reachable() => words.say("next"),
        Status::Todo => words.say("later"),
    };
    let row = |stage: Stage| {
        let progress = match stage == state.view().shown {
            true => words.fill("{}, you are here", &[&progress(stage)]),
            false => progress(stage).to_owned(),
        };
        format!("{}. {} ({progress})", stage.number(), state.listed_title(stage))
    };
    Stage::ALL.into_iter().map(row).collect()
}

/// The responses as JSON: of the call that each identity's side is about or, with `all`, of every call of the stage.
pub fn responses(state: &State, all: bool) -> Vec<String> {
    let (mut lines, words) = (Vec::new(), state.interface());
    for identity in Identity::BOTH {
        let selected = state.selected(identity);
        for (_, call) in state.calls(identity).iter().enumerate().filter(|(at, _)| all || Some(*at) == selected) {
            let Call::Answered(exchange) = call else { continue };
            let lead = format!("{}: {}", identity.name(), exchange.operation.name());
            match &exchange.answer.response {
                Err(none) => lines.push(words.fill("{}, no response: {}", &[&lead, &none.message])),
                Ok(response) => {
                    lines.push(words.fill("{}, response with HTTP status {}:", &[&lead, &response.status]));
                    lines.extend(format!("{:#}", response.body).lines().map(str::to_owned));
                }
            }
        }
    }
    if lines.is_empty() {
        lines.push(words.say("There is no response yet. These calls will be sent:").to_owned());
        let outline = state.view().shown.outline(state.backend());
        lines.extend(outline.map(|(identity, call)| format!("{}: {call}", identity.name())));
    }
    lines
}

/// What a call that waits for a yes would change.
pub fn draft(state: &State) -> Vec<String> {
    let Some(Operation::PutKeyPolicy { policy, .. }) = state.held().map(|(_, operation)| operation) else {
        return Vec::new();
    };
    let words = state.interface();
    let first = words.say("PutKeyPolicy is not sent yet: it replaces the whole policy. It would change this:");
    let mut lines = vec![first.to_owned()];
    if let Some(changes) = state.policy_diff(policy) {
        let drawn = diff::lines(&changes, words, &Theme::plain(), usize::from(u16::MAX));
        lines.extend(drawn.iter().map(|line| spoken(&line.to_string(), words)));
    }
    lines
}

/// A line of the diff with a word for its sign.
fn spoken(line: &str, words: Interface<'_>) -> String {
    let parts: Vec<&str> = line.split_whitespace().collect();
    let rest = |from: usize| parts.get(from..).unwrap_or_default().join(" ");
    match parts.first() {
        Some(&"+") => words.fill("Added: {}", &[&rest(1)]),
        Some(&"−") => words.fill("Removed: {}", &[&rest(1)]),
        Some(&"~") => words.fill("Changed: {}", &[&rest(1)]),
        Some(&"=") => capital(&rest(1)),
        _ => rest(0),
    }
}

/// What stays if the lab is left now.
pub fn leaving(state: &State) -> Vec<String> {
    let words = state.interface();
    let first = words.say("If you leave now, this stays until `kmslab cleanup`, and may cost money:");
    let mut lines = vec![first.to_owned()];
    lines.extend(state.leftovers().iter().map(|left| words.sentence(left)));
    lines
}

/// What a person should know before saying yes to things being created.
pub fn consent(state: &State) -> Vec<String> {
    let facts = state.shown_facts();
    let admin = facts.admin.as_ref();
    let account = admin.map(|admin| admin.account.as_str()).unwrap_or_default();
    let words = state.interface();
    let user = words.word("a user that the lab creates");
    let mut lines = vec![
        String::new(),
        words.sentence("From here on, the lab creates things in your account."),
        words.fill("Account: {}, region {}.", &[&account, &state.backend().region]),
        format!("admin: {}", admin.map(|admin| admin.arn.as_str()).unwrap_or_default()),
        format!("test-user: {}", facts.test_user.as_ref().map_or(user, |user| &user.arn)),
    ];
    if !state.services().is_empty() {
        lines.push(words.fill("Calls go: {}", &[&words.sentence(&in_words(state.services()))]));
    }
    let makes = |(what, name): (&str, String)| words.fill("Makes: {} {}", &[&words.sentence(what), &name]);
    lines.extend(state.will_make().into_iter().map(makes));
    lines.extend(consent::COSTS.into_iter().map(|cost| words.fill("Costs: {}", &[&words.sentence(cost)])));
    lines.push(words.fill("Removal: {}", &[&words.sentence(consent::REMOVAL)]));
    match state.accepted_account() {
        Some(_) if state.is_masked() => lines.push(words.sentence("--yes-account names another account.")),
        Some(accepted) => lines.push(words.sentence(&format!("--yes-account names another account: {accepted}"))),
        None => {}
    }
    lines
}

/// The first line.
pub const GREETING: &str = "kmslab as plain text. Type ? and Enter for the commands.";

/// What follows wrong digits in the consent dialog.
pub const WRONG_DIGITS: &str = "Those are not its last four digits.";

/// While calls are under way: what the lab waits for.
pub fn waiting(state: &State) -> String {
    let words = state.interface();
    match state.record(state.current()).pending.len() {
        0 => words.say("Waiting before asking again.").to_owned(),
        1 => words.say("Still waiting for the response to 1 call.").to_owned(),
        calls => words.fill("Still waiting for the responses to {} calls.", &[&calls]),
    }
}
