//! Ladders in sentences: for plain mode, screen readers and write-ups.

use super::documents::{Documents, decide_again, request_id};
use super::ladder::{self, Ladder, Lock, Rung, Word};
use super::trail;
use crate::lab::lesson::interface::Interface;
use crate::lab::model::exchange::Exchange;
use crate::lab::model::facts::Facts;
use crate::lab::model::prose::{capital, sentence};

/// A line for each lock, and for each rung of the lock that decides. With `reads` it is DynamoDB that asks KMS.
pub fn lines(ladders: &[Ladder], reads: bool, words: Interface<'_>) -> Vec<String> {
    let count = ladders.len();
    let numbered = ladders.iter().enumerate();
    let lines = numbered.map(|(at, ladder)| lock(ladder, (count > 1).then_some(at + 1), at + 1 == count, reads, words));
    lines.flatten().collect()
}

/// Why `denied` was denied, by the policies that the `earlier` calls of the lab show; `None` if those may not be all.
pub fn denied_after<'a>(
    earlier: impl Iterator<Item = &'a Exchange>,
    denied: &Exchange,
    facts: &Facts,
    region: &str,
    words: Interface<'_>,
) -> Option<Vec<String>> {
    let documents = Documents::of_calls(earlier)?;
    let (decided, unread) = decide_again(denied, facts.caller(denied.identity)?, facts, region, &documents);
    let ladders = ladder::ladders(&decided, request_id(denied));
    let result = ladders.last().filter(|last| unread.is_empty() && !last.allowed)?;
    let verdict = sentence(&capital(&words.sentence(&result.verdict)));
    Some(lines(&ladders, true, words).into_iter().chain([verdict]).collect())
}

/// A lock, and the rungs of the one that decides.
fn lock(ladder: &Ladder, number: Option<usize>, is_last: bool, reads: bool, words: Interface<'_>) -> Vec<String> {
    let name = words.sentence(match ladder.lock {
        Lock::Table => "the table",
        Lock::Key => "the key",
        Lock::Other => "the permission",
    });
    let answer = words.say(if ladder.allowed { "yes" } else { "no" });
    let who = trail::short(&ladder.principal);
    let asked = match ladder.lock {
        Lock::Key if reads => words.fill("DynamoDB asked KMS for {}, on behalf of {}.", &[&ladder.action, &who]),
        _ => words.fill("{} asked for {}.", &[&who, &ladder.action]),
    };
    let lead = match number {
        Some(number) => words.fill("Lock {}, {}: {}.", &[&number, &name, &answer]),
        None => words.fill("The lock, {}: {}.", &[&name, &answer]),
    };
    let decisive = ladder.rungs.iter().find(|rung| rung.decides);
    if let (true, false, Some(rung)) = (ladder.allowed, is_last, decisive) {
        return vec![format!("{lead} {}", sentence(&capital(&words.sentence(&rung.sentence))))];
    }
    let rungs = ladder.rungs.iter().enumerate().map(|(at, rung)| line(at + 1, rung, ladder.allowed, words));
    std::iter::once(format!("{lead} {asked}")).chain(rungs).collect()
}

/// A rung as a sentence. The one that decides says so.
fn line(number: usize, rung: &Rung, is_allowed: bool, words: Interface<'_>) -> String {
    let text = words.sentence(&rung.sentence);
    let answer = match rung.word {
        Word::No => format!("{}. {}", words.say("no"), capital(&text)),
        Word::Yes => format!("{}. {}", words.say("yes"), capital(&text)),
        Word::YesBut => words.fill("yes, but {}", &[&text]),
    };
    let decides = match (rung.decides, is_allowed, rung.word) {
        (false, _, _) => "",
        (true, true, _) => words.say(" This allows it."),
        (true, false, Word::Yes) => words.say(" This denies it."),
        (true, false, _) => words.say(" This is what's missing."),
    };
    let question = words.sentence(rung.question);
    let rung = words.fill("Rung {}, {}: {}", &[&number, &question.trim_end_matches('?'), &sentence(&answer)]);
    rung + decides
}
