//! The words of the dashboard.

use crate::lab::class::need::Need;
use crate::lab::class::report::{Answer, Doing};
use crate::lab::class::roster::Learner;
use crate::lab::presenting::pace::minutes;
use crate::lab::stage::Stage;

/// The sign and the word of what a learner is doing.
pub(super) const fn doing(doing: Doing) -> &'static str {
    match doing {
        Doing::Question => "… QUESTION",
        Doing::Waiting => "… WAITING",
        Doing::Writing => "… WRITING",
        Doing::Drill => "… DRILL",
        Doing::Met => "✔ MET",
        Doing::NotMet => "! NOT MET",
        Doing::Left => "○ LEFT",
    }
}

/// `b ✘`
pub(super) fn answer(answer: Option<Answer>) -> String {
    answer.map(|answer| format!("{} {}", answer.letter, if answer.right { "✔" } else { "✘" })).unwrap_or_default()
}

/// `1/2`, or a dash without a drill.
pub(super) fn drills((solved, tried): (u16, u16)) -> String {
    if tried == 0 { "–".to_owned() } else { format!("{solved}/{tried}") }
}

/// Why a learner needs help; in short, without what else helps to find the learner's trouble.
pub(super) fn need(need: Need, learner: &Learner, now: u64, is_short: bool) -> String {
    let report = &learner.report;
    match need {
        Need::Asked(seconds) => format!("asked for help {} ago", minutes(seconds)),
        Need::Tries(tries) => {
            let call = report.way.filter(|_| report.at == Stage::Grant).map(|way| format!(" at {}", way.call()));
            let rest = if is_short { "" } else { ", none worked" };
            format!("{tries} tries{}{rest}", call.unwrap_or_default())
        }
        Need::Slow { seconds, planned } => {
            let text = format!("{} min in a {planned} min stage", seconds / 60);
            let still = now.saturating_sub(learner.moved) / 60;
            if is_short || still == 0 { text } else { format!("{text}, nothing new for {still} min") }
        }
        Need::Lost(seconds) => {
            let was = if report.doing == Doing::Question { "the question" } else { "the calls" };
            let text = format!("✘ LOST {} ago", minutes(seconds));
            if is_short { text } else { format!("{text}, was at {was}") }
        }
        Need::Hints => "2 hints, still at the question".to_owned(),
        Need::Behind(stages) if is_short => format!("{stages} stages behind"),
        Need::Behind(stages) => format!("{stages} stages behind the class"),
    }
}

/// What a teacher can try; a question to ask, not the solution.
pub(super) fn advice(need: Need, at: Stage) -> &'static str {
    match (need, at) {
        (Need::Lost(_), _) => "Is the learner on the right network, and is the lab still open?",
        (_, Stage::Who) => "Ask: what does STS need to know to answer?",
        (_, Stage::CreateKey) => "Ask: could you decrypt anything with what CreateKey sends back?",
        (_, Stage::CreateTable) => "Ask: which key did you name, and what does it protect?",
        (_, Stage::ViewAdmin) => "Ask: who decrypted these items, and with which key?",
        (_, Stage::CreateUser) => "Ask: which policies does test-user have?",
        (_, Stage::ViewDenied) => "Ask: which action does the error name, and whose is it?",
        (_, Stage::Grant) => "Ask: whose ARN is in the new statement, which action, which resource?",
        (_, Stage::ViewAgain) => "Ask: what has changed since the last Scan, and what hasn't?",
        (_, Stage::CleanUp) => "Ask: what would happen to the table without its key?",
    }
}
