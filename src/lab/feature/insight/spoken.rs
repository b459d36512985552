//! Ladders in sentences: for plain mode, screen readers and write-ups.

use super::documents::{Documents, decide_again, request_id};
use super::ladder::{self, Ladder, Lock, Rung, Word};
use super::trail;
use crate::lab::model::exchange::Exchange;
use crate::lab::model::facts::Facts;
use crate::lab::model::prose::{capital, sentence};

/// A line for each lock, and for each rung of the lock that decides. With `reads` it is DynamoDB that asks KMS.
pub fn lines(ladders: &[Ladder], reads: bool) -> Vec<String> {
    let count = ladders.len();
    let numbered = ladders.iter().enumerate();
    let lines = numbered.map(|(at, ladder)| lock(ladder, (count > 1).then_some(at + 1), at + 1 == count, reads));
    lines.flatten().collect()
}

/// Why `denied` was denied, by the policies that the `earlier` calls of the lab show; `None` if those may not be all.
pub fn denied_after<'a>(
    earlier: impl Iterator<Item = &'a Exchange>,
    denied: &Exchange,
    facts: &Facts,
    region: &str,
) -> Option<Vec<String>> {
    let documents = Documents::of_calls(earlier)?;
    let (decided, unread) = decide_again(denied, facts.caller(denied.identity)?, facts, region, &documents);
    let ladders = ladder::ladders(&decided, request_id(denied));
    let result = ladders.last().filter(|last| unread.is_empty() && !last.allowed)?;
    Some(lines(&ladders, true).into_iter().chain([sentence(&capital(&result.verdict))]).collect())
}

/// A lock, and the rungs of the one that decides.
fn lock(ladder: &Ladder, number: Option<usize>, is_last: bool, reads: bool) -> Vec<String> {
    let name = match ladder.lock {
        Lock::Table => "the table",
        Lock::Key => "the key",
        Lock::Other => "the permission",
    };
    let number = number.map_or_else(|| "The lock".to_owned(), |number| format!("Lock {number}"));
    let answer = if ladder.allowed { "yes" } else { "no" };
    let who = trail::short(&ladder.principal);
    let asked = match ladder.lock {
        Lock::Key if reads => format!("DynamoDB asked KMS for {}, on behalf of {who}.", ladder.action),
        _ => format!("{who} asked for {}.", ladder.action),
    };
    let lead = format!("{number}, {name}: {answer}.");
    let decisive = ladder.rungs.iter().find(|rung| rung.decides);
    if let (true, false, Some(rung)) = (ladder.allowed, is_last, decisive) {
        return vec![format!("{lead} {}", sentence(&capital(&rung.sentence)))];
    }
    let rungs = ladder.rungs.iter().enumerate().map(|(at, rung)| line(at + 1, rung, ladder.allowed));
    std::iter::once(format!("{lead} {asked}")).chain(rungs).collect()
}

/// A rung as a sentence. The one that decides says so.
fn line(number: usize, rung: &Rung, is_allowed: bool) -> String {
    let answer = match rung.word {
        Word::No => format!("no. {}", capital(&rung.sentence)),
        Word::Yes => format!("yes. {}", capital(&rung.sentence)),
        Word::YesBut => format!("yes, but {}", rung.sentence),
    };
    let decides = match (rung.decides, is_allowed, rung.word) {
        (false, _, _) => "",
        (true, true, _) => " This allows it.",
        (true, false, Word::Yes) => " This denies it.",
        (true, false, _) => " This is what's missing.",
    };
    format!("Rung {number}, {}: {}{decides}", rung.question.trim_end_matches('?'), sentence(&answer))
}
