//! The screen's pages in lines.

use super::sentence;
use crate::lab::exchange::Verdict;
use crate::lab::insight::documents::request_id;
use crate::lab::insight::ladder::{self, Ladder, Lock};
use crate::lab::insight::{Known, spoken};
use crate::lab::lesson::interface::Interface;
use crate::lab::{Exchange, Identity, Operation, Page, State};
use crate::ui::page as screen;

/// A page of the screen: its lines without signs, whose words stand beside them, and with the gaps of columns closed.
pub fn page(state: &State, page: Page) -> Vec<String> {
    const SIGNS: [char; 12] = ['✔', '✘', '◀', '•', '└', '→', '▸', '⟳', '─', '┤', '○', '◐'];
    let words = state.interface();
    let spoken = |line: String| {
        let line: String = line.replace(" · ", ", ").replace('←', words.say("from"));
        line.replace(SIGNS, " ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    screen::text(state, page).into_iter().map(spoken).collect()
}

/// The paths of the shown Scans.
pub fn paths(state: &State) -> Vec<String> {
    let path = |identity: Identity| Some((identity, state.path(identity)?.words(state.interface())));
    let paths: Vec<String> = Identity::BOTH
        .into_iter()
        .filter_map(path)
        .filter(|(_, words)| !words.is_empty())
        .map(|(identity, words)| format!("{}: {}", identity.name(), sentence(&words)))
        .collect();
    match paths.is_empty() {
        true => vec![state.interface().say("No Scan has been sent here, so there is no path to show.").to_owned()],
        false => paths,
    }
}

/// How to act in this lab oneself, where there is no terminal for a shell.
pub fn shell(words: Interface<'_>) -> Vec<String> {
    [
        "Type kmslab shell in another terminal: it opens your shell with the profiles kmslab-admin and kmslab-test-user.",
        "There, aws commands go to this lab. The lab says here what it notices.",
        "kmslab env prints the same settings for a shell of your own.",
    ]
    .map(|text| words.say(text).to_owned())
    .to_vec()
}

/// Why the selected call was allowed or denied: a line for each lock, for each rung of the lock that decides, and for
/// the result.
pub fn why(state: &State) -> Vec<String> {
    let words = state.interface();
    let Some(exchange) = state.focused_exchange() else {
        return vec![words.say("No call has a response yet.").to_owned()];
    };
    let verdict = match &exchange.verdict {
        Verdict::Allowed => "ALLOWED",
        Verdict::Denied(_) => "DENIED",
        Verdict::Failed(_) => "FAILED",
    };
    let (action, who) = (exchange.operation.action(), exchange.identity.name());
    let mut lines = vec![words.fill("{} {} as {}.", &[&verdict, &action, &who])];
    let mut say = |text: &str| lines.push(words.sentence(text));
    if let Verdict::Failed(failure) = &exchange.verdict {
        say(&words.fill("It failed, but not because of permissions: {}", &[&sentence(&failure.message)]));
    }
    if state.is_replay() {
        say("This response is a recording. How it was decided isn't recorded.");
        return lines;
    }
    match state.known() {
        Some(Known::Decisions { all, unread }) => lines.extend(decisions(state, exchange, all, unread.as_deref())),
        Some(Known::Failed(reason)) => say(&format!("The lab couldn't find out why: {}", sentence(reason))),
        Some(_) => say("This server doesn't show how it decides."),
        None => say(words.say("The lab is still looking it up. Type why again.")),
    }
    lines
}

fn decisions(state: &State, exchange: &Exchange, all: &[ladder::Decided], unread: Option<&[String]>) -> Vec<String> {
    let (mut lines, words): (Vec<String>, _) = (Vec::new(), state.interface());
    let id = request_id(exchange);
    let mut ladders = ladder::ladders(all, id);
    let reads = matches!(exchange.operation, Operation::Scan { .. } | Operation::PutItem { .. });
    if reads && exchange.is_allowed() && !ladders.iter().any(|ladder| ladder.lock == Lock::Key) {
        let earlier = ladder::earlier_decrypt(all, id, |earlier| state.use_same_table(earlier, id));
        if let Some(earlier) = earlier {
            let text = "KMS wasn't asked this time: DynamoDB still had the table key. An earlier call decided lock 2.";
            lines.push(words.say(text).to_owned());
            ladders.push(Ladder::of(earlier));
        }
    }
    if unread.is_some() && !ladders.is_empty() {
        lines.push(words.say("Worked out from the policies as they are now.").to_owned());
    }
    let unsure = |reason: &String| words.fill("Incomplete: {}", &[&sentence(&words.sentence(reason))]);
    lines.extend(unread.into_iter().flatten().map(unsure));
    lines.extend(spoken::lines(&ladders, reads, words));
    lines.push(match ladders.last() {
        None => words.say("No permission was checked for this call.").to_owned(),
        Some(_) if unread.is_some_and(|unread| !unread.is_empty()) => {
            words.say("Result: uncertain. Something that the lab couldn't read may decide otherwise.").to_owned()
        }
        Some(last) => words.fill("Result: {}", &[&sentence(&words.sentence(&last.verdict))]),
    });
    lines.push(words.say("Type why all for the statements.").to_owned());
    lines
}
