//! The drills in lines.

use crate::lab::drills::{Part, Task, Undone};
use crate::lab::model::prose::sentence;
use crate::lab::{Identity, Level, Look, State, Verdict};
use crate::ui::drill::{also_right, document_text, lock_name, look_name, rung_name, sum, summary};
use crate::ui::plain::{capital, labeled};

/// Everything about the drill at work. Of two texts in a row, a front tells the lines that are new.
pub fn lines(state: &State) -> Vec<String> {
    let (drills, words) = (state.drills(), &state.lesson().drills);
    let Some(it) = drills.current() else {
        return match drills.is_over() {
            true => vec![summary(state)],
            false => vec![state.interface().say("Setting up your lab with real calls.").to_owned()],
        };
    };
    let (at, all) = drills.number();
    let title = format!("{}, {}.", words.fill("drill", &[&at, &all]), words.fill("level", &[&drills.level().number()]));
    let mut lines = vec![capital(&title)];
    let text = words.text(it.drill());
    lines.extend(text.map(|text| text.ticket.clone()));
    match it.task() {
        Task::Wait => return lines,
        Task::Impossible => {
            lines.push(words.fill("impossible", &[&it.trouble().unwrap_or_default()]));
            return lines;
        }
        _ => {}
    }
    lines.extend(Identity::BOTH.into_iter().filter_map(|identity| scan(state, identity)));
    if let Some(look) = it.look().filter(|_| !state.is_running()) {
        lines.push(format!("{}:", capital(look_name(state, look))));
        lines.extend(document_text(state));
    }
    let hint = it.hints().checked_sub(1).and_then(|at| text?.hints.get(at));
    lines.extend(hint.map(|hint| labeled(words.word("hint"), hint)));
    if let Some(remark) = it.remark() {
        let price = if remark.costs() { format!("{}: ", words.word("price")) } else { String::new() };
        lines.push(format!("{price}{}", words.remark(remark.id())));
    }
    if it.task() == Task::Solved {
        lines.push(format!("{} {}", words.word("solved"), sum(state)));
        lines.extend(text.map(|text| text.teaches.clone()));
        let others = also_right(state);
        if !others.is_empty() {
            lines.push(words.fill("also_right", &[&others.join("; ")]));
        }
        lines.push(match it.undone() {
            Undone::No => sentence(words.word("undoing")),
            Undone::Yes => words.word("undone").to_owned(),
            Undone::Failed(left) => words.fill("not_undone", &[&left.join(", "), &"u"]),
        });
    } else if let Some(question) = question(state) {
        lines.push(question);
    }
    lines
}

/// What both Scans have returned.
fn scan(state: &State, identity: Identity) -> Option<String> {
    let exchange = state.drill_scan(identity)?;
    let (verdict, message) = match &exchange.verdict {
        Verdict::Allowed => return Some(format!("{}: Scan ALLOWED.", identity.name())),
        Verdict::Denied(denied) => ("DENIED", &denied.message),
        Verdict::Failed(failure) => ("FAILED", &failure.message),
    };
    let says = state.interface().fill("AWS says: {}", &[message]);
    Some(format!("{}: Scan {verdict}. {}", identity.name(), sentence(&says)))
}

/// The open question with its answers.
fn question(state: &State) -> Option<String> {
    let (drills, words) = (state.drills(), &state.lesson().drills);
    let it = drills.current()?;
    let (label, answers): (&str, Vec<String>) = match it.task() {
        Task::Lock => {
            let locks = crate::lab::Lock::ALL.map(|lock| lock_name(state, lock).to_owned());
            (words.word("lock"), locks.into())
        }
        Task::Rung => {
            let fine = drills.fine();
            let name = |rung| match fine.contains(&rung) {
                true => format!("{} ({})", rung_name(state, rung), words.word("fine")),
                false => rung_name(state, rung).to_owned(),
            };
            (words.word("rung"), drills.rungs().map(name).into())
        }
        Task::Fix if drills.level() == Level::Three => {
            return Some(words.fill("write_elsewhere", &[&"Enter"]));
        }
        Task::Fix => {
            let fixes = drills.fixes(state.backend().given_user);
            (words.word("fix"), fixes.iter().map(|(fix, _)| words.fix(fix.id()).to_owned()).collect())
        }
        Task::Wait | Task::Solved | Task::Impossible => return None,
    };
    let answers = answers.iter().enumerate().map(|(at, text)| format!("{}: {text}", at + 1));
    Some(format!("{}? {}.", capital(label), answers.collect::<Vec<_>>().join(". ")))
}

/// What may be typed, as the beginning of a sentence.
pub fn next(state: &State) -> String {
    let (drills, words) = (state.drills(), state.interface());
    let (at, all) = drills.number();
    let text = match drills.current().map(|it| (it.task(), it.part(), it.undone())) {
        Some((_, _, Undone::Failed(_))) => "Type u to undo it again",
        Some((Task::Solved | Task::Impossible, Part::Undo, _)) if at == all => {
            "Press Enter for the result, r for the drill again"
        }
        Some((Task::Solved | Task::Impossible, Part::Undo, _)) => "Press Enter for the next drill, r for it again",
        Some(_) => {
            let answer = match drills.answers(state.backend().given_user) {
                0 => words.say("Press Enter for both Scans").to_owned(),
                2 => words.say("Type 1 or 2").to_owned(),
                count => words.fill("Type 1 to {}", &[&count]),
            };
            let looks = Look::ALL.len();
            return words.fill("{}, h for a hint (−1), w for why (−1), look 1 to look {}", &[&answer, &looks]);
        }
        None => "Press Enter to end",
    };
    words.say(text).to_owned()
}
