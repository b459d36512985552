//! What a typed line asks for.

use crate::lab::model::mechanism::Mechanism;
use crate::lab::{
    Call, Copied, DrillAction, Experiment, Identity, Intent, Look, Mode, Overlay, Page, Permit, Stage, State,
};
use crate::ui::plain;

/// What a line asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    /// The lab does something.
    Do(Vec<Intent>),
    /// Lines are printed, and nothing changes.
    Tell(Vec<String>),
    /// The shown stage is printed once more.
    Again,
    /// The open page is printed with everything on it.
    WholePage,
    /// The statement is written once more.
    Write,
    /// It means nothing now.
    Nothing,
}

/// The words for intents. A letter is the screen's key.
const INTENTS: [(&[&str], Intent); 22] = [
    (&["1", "a"], Intent::Choose(0)),
    (&["2", "b"], Intent::Choose(1)),
    (&["3", "c"], Intent::Choose(2)),
    (&["4", "d"], Intent::Choose(3)),
    (&[""], Intent::Advance),
    (&["s", "skip"], Intent::Skip),
    (&["h", "hint"], Intent::Hint),
    (&["r", "retry"], Intent::Retry),
    (&["f", "replay"], Intent::ToggleReplay),
    (&["n", "next"], Intent::ShowNext),
    (&["p", "previous"], Intent::ShowPrevious),
    (&["no", "back"], Intent::Close),
    (&["e", "items"], Intent::TogglePage(Page::AtRest)),
    (&["t", "trail"], Intent::TogglePage(Page::Trail)),
    (&["calls"], Intent::TogglePage(Page::Noticed)),
    (&["x", "break", "experiments"], Intent::ToggleExperiments),
    (&["u", "undo"], Intent::Undo),
    (&["drill", "drills"], Intent::Drill(DrillAction::Open)),
    (&["q", "quit"], Intent::Quit),
    (&["debrief"], Intent::TogglePage(Page::Debrief)),
    (&["export"], Intent::Export),
    (&["fresh"], Intent::StartAfresh),
];

/// Returns what `line` asks for, under what is open now.
pub(super) fn asked(line: &str, state: &State) -> Asked {
    let found = match state.view().overlay {
        Some(Overlay::Consent { .. }) => consent(line),
        Some(Overlay::Quit) => leaving(line),
        // A typed word is no stray key: it needs no second one.
        Some(Overlay::Resume) if line == "fresh" => Some(vec![Intent::StartAfresh; 2]),
        Some(Overlay::Resume) => intent(line, state, &[Intent::Advance, Intent::Quit]),
        Some(Overlay::Experiments { .. }) => experiment(line, state),
        Some(Overlay::Debrief) => debrief(line, state),
        _ => return anywhere(line, state),
    };
    found.map_or(Asked::Nothing, Asked::Do)
}

/// Opens a shell in the terminal. An open page is closed first.
pub(super) fn shell(state: &State) -> Vec<Intent> {
    let closes = state.permit(Intent::OpenShell) != Permit::Yes && state.view().page().is_some();
    closes.then_some(Intent::Close).into_iter().chain([Intent::OpenShell]).collect()
}

/// Consent is four digits and nothing else.
fn consent(line: &str) -> Option<Vec<Intent>> {
    let digits: Option<Vec<u8>> =
        line.chars().map(|c| c.to_digit(10).and_then(|digit| u8::try_from(digit).ok())).collect();
    match digits {
        Some(digits) if digits.len() == 4 => Some(digits.into_iter().map(Intent::TypeDigit).collect()),
        _ if matches!(line, "no" | "n" | "q") => Some(vec![Intent::Close]),
        _ => None,
    }
}

fn leaving(line: &str) -> Option<Vec<Intent>> {
    Some(vec![match line {
        "c" => Intent::CleanUpAndQuit,
        "q" => Intent::Quit,
        "s" | "stay" | "no" => Intent::Close,
        _ => return None,
    }])
}

/// One of `intents`, if it is allowed now.
fn intent(line: &str, state: &State, intents: &[Intent]) -> Option<Vec<Intent>> {
    let (_, intent) = INTENTS.into_iter().find(|(words, _)| words.contains(&line))?;
    (intents.contains(&intent) && state.permit(intent) == Permit::Yes).then(|| vec![intent])
}

/// An answer in the debrief, or one of its words.
fn debrief(line: &str, state: &State) -> Option<Vec<Intent>> {
    let is_claim = state.debrief().stage().is_none();
    let intent = match line {
        "1" | "t" | "true" if is_claim => Intent::Judge(true),
        "2" | "f" | "false" if is_claim => Intent::Judge(false),
        "answers" => Intent::TogglePage(Page::Debrief),
        "sources" | "i" => Intent::TogglePage(Page::Lesson),
        "card" | "back" | "no" => Intent::Close,
        _ => INTENTS.into_iter().find(|(words, _)| words.contains(&line))?.1,
    };
    (state.permit(intent) == Permit::Yes).then(|| vec![intent])
}

/// An experiment by its number, or the way back.
fn experiment(line: &str, state: &State) -> Option<Vec<Intent>> {
    let back = matches!(line, "back" | "no" | "x" | "break" | "experiments");
    match line.parse::<usize>() {
        Ok(number) if (1..=Experiment::ALL.len()).contains(&number) => Some(choose(state, number - 1)),
        _ if back => Some(vec![Intent::Close]),
        _ => intent(line, state, &[Intent::Quit]),
    }
}

/// Moves the cursor of the open list to `row`, and takes it.
fn choose(state: &State, row: usize) -> Vec<Intent> {
    let from = state.cursor().map_or(0, |(row, _)| row);
    let rows = |row: usize| i8::try_from(row).unwrap_or(i8::MAX);
    vec![Intent::MoveCursor(rows(row) - rows(from)), Intent::Advance]
}

/// What a line asks for in the drills, besides what it asks for elsewhere, too.
fn drill(line: &str, state: &State) -> Option<Intent> {
    let action = match line.strip_prefix("look ") {
        Some(number) => DrillAction::Look(*Look::ALL.get(number.parse::<usize>().ok()?.checked_sub(1)?)?),
        None if line == "level" => DrillAction::Level,
        None => match INTENTS.into_iter().find(|(words, _)| words.contains(&line))?.1 {
            Intent::Choose(place) => DrillAction::Answer(place),
            _ => return None,
        },
    };
    let intent = Intent::Drill(action);
    (state.permit_behind_page(intent) == Permit::Yes).then_some(intent)
}

/// What a line asks for beside a text that is written and not sent.
fn written(line: &str, state: &State) -> Asked {
    let ways = Mechanism::ALL.into_iter().find(|mechanism| line == way(*mechanism));
    match (line, ways) {
        ("send", _) => Asked::Do(vec![Intent::Send]),
        ("drop" | "no" | "back", _) => Asked::Do(vec![Intent::Close]),
        ("q" | "quit", _) => Asked::Do(vec![Intent::Quit]),
        ("write", _) => Asked::Write,
        (_, Some(mechanism)) if state.draft_way() == Some(mechanism) => Asked::Write,
        (_, Some(mechanism)) => Asked::Do(vec![Intent::Close, Intent::ChooseWay(mechanism)]),
        ("?" | "help", _) => Asked::Tell(plain::help(state)),
        _ => Asked::Nothing,
    }
}

/// The line that asks for a way.
fn way(mechanism: Mechanism) -> String {
    format!("write {}", mechanism.name().to_lowercase())
}

/// A way to write, once the key policy's question is answered.
fn write(mechanism: Mechanism, state: &State) -> Asked {
    let intent = Intent::ChooseWay(mechanism);
    let say = |text: &'static str| state.interface().say(text).to_owned();
    match state.permit_behind_page(intent) {
        Permit::Yes if mechanism == Mechanism::KeyPolicy && state.waits_for_answer() => {
            Asked::Tell(vec![say("Answer first, or type s to skip: the question is about this call.")])
        }
        Permit::Yes => {
            let close = state.view().page().is_some().then_some(Intent::Close);
            Asked::Do(close.into_iter().chain([intent]).collect())
        }
        Permit::Because(reason) => Asked::Tell(vec![plain::explain(state, reason)]),
        Permit::No => Asked::Tell(vec![say("That is for stage 7, before it is done.")]),
    }
}

fn anywhere(line: &str, state: &State) -> Asked {
    if state.mode() == Mode::Writing && !state.is_drilling() {
        return written(line, state);
    }
    if let Some(mechanism) = Mechanism::ALL.into_iter().find(|mechanism| line == way(*mechanism)) {
        return write(mechanism, state);
    }
    if line == "drop" && state.mode() == Mode::Tried {
        return Asked::Do(vec![Intent::Close]);
    }
    let page = state.view().page();
    if let Some(intent) = drill(line, state).filter(|_| state.is_drilling()) {
        let close = page.is_some().then_some(Intent::Close);
        return Asked::Do(close.into_iter().chain([intent]).collect());
    }
    // A page that was told still lies over the stage.
    let close = page.is_some().then_some(Intent::Close);
    let doing = |intents: Vec<Intent>| Asked::Do(close.into_iter().chain(intents).collect());
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["w" | "why", ..] if state.is_drilling() && !can_explain(state) => {
            return Asked::Tell(vec![state.interface().say("There is no denial to explain now.").to_owned()]);
        }
        ["w" | "why", "all"] if page == Some(Page::Why) => return Asked::WholePage,
        ["w" | "why"] => return doing(why(None, state)),
        ["w" | "why", "all"] => return doing(why(None, state)),
        ["w" | "why", name] if Identity::BOTH.iter().any(|identity| identity.name() == *name) => {
            return doing(why(Some(name), state));
        }
        ["l" | "stage", number] => return stage(number, state).map_or(Asked::Nothing, doing),
        // From an experiment it leads to the list of all.
        ["x" | "break" | "experiments"] if state.view().experiment.is_some() => return doing(vec![Intent::Close]),
        _ => {}
    }
    let known = INTENTS.into_iter().find(|(words, _)| words.contains(&line));
    match known.map(|(_, intent)| (intent, state.permit_behind_page(intent))) {
        // A typed word is no stray key: it needs no second one.
        Some((Intent::Close, Permit::Yes)) if state.is_drilling() && !state.drills().is_looking() => {
            doing(vec![Intent::Close; 2])
        }
        Some((intent, Permit::Yes)) => doing(vec![intent]),
        Some((intent, Permit::Because(reason))) if intent != Intent::Advance => {
            Asked::Tell(vec![plain::explain(state, reason)])
        }
        _ => told(line, state),
    }
}

/// Whether the page that explains a decision can open, or is open.
fn can_explain(state: &State) -> bool {
    state.permit_behind_page(Intent::TogglePage(Page::Why)) == Permit::Yes
}

/// Why a call was decided as it was: of the identity that is named, else of the one that was denied.
fn why(name: Option<&str>, state: &State) -> Vec<Intent> {
    let is_denied = |identity: &Identity| {
        let calls = state.calls(*identity);
        let shown = state.selected(*identity).and_then(|at| calls.get(at));
        matches!(shown, Some(Call::Answered(exchange)) if exchange.verdict.key() == "denied")
    };
    let wanted = match name {
        Some(name) => Identity::BOTH.into_iter().find(|identity| identity.name() == name),
        None => Identity::BOTH.into_iter().find(is_denied),
    };
    let other = wanted.is_some_and(|identity| identity != state.view().focus()).then_some(Intent::FocusOther);
    other.into_iter().chain([Intent::TogglePage(Page::Why)]).collect()
}

/// Shows the stage of this number, or jumps there; `None` where that isn't possible now.
fn stage(number: &str, state: &State) -> Option<Vec<Intent>> {
    let row = number.parse::<usize>().ok()?.checked_sub(1)?;
    let is_possible = row <= state.jumpable().index() && row < Stage::ALL.len();
    if !is_possible || state.permit_behind_page(Intent::ToggleStages) != Permit::Yes {
        return None;
    }
    let rows = |row: usize| i8::try_from(row).unwrap_or(i8::MAX);
    let from = state.view().shown.index();
    Some(vec![Intent::ToggleStages, Intent::MoveCursor(rows(row) - rows(from)), Intent::Advance])
}

/// What only tells.
fn told(line: &str, state: &State) -> Asked {
    let nothing = |text: &'static str| vec![state.interface().say(text).to_owned()];
    Asked::Tell(match line {
        "?" | "help" => plain::help(state),
        "i" | "lesson" => plain::lesson(state),
        "o" | "compare" if state.comparison().is_some() => plain::comparison(state),
        "o" | "compare" if state.view().shown == Stage::Grant => plain::own_way::ways(state),
        "o" | "compare" => nothing("Nothing to compare in this stage."),
        "l" | "stages" => plain::stages(state),
        "path" => plain::paths(state),
        "export" => nothing("There is nothing to write up yet: do a stage first."),
        "shell" | "!" => plain::shell(state.interface()),
        "y" | "command" => match state.to_copy(Copied::Command) {
            Some(command) => vec![command],
            None => nothing("There is no call to copy yet."),
        },
        "v" => plain::responses(state, false),
        "v all" => plain::responses(state, true),
        "again" => return Asked::Again,
        "" if state.waits_for_answer() => nothing("Answer first, or type s to skip."),
        _ => return Asked::Nothing,
    })
}
