//! The drills on the screen: how they begin, what each intent does in them, and how they end.

use super::flow::{DrillAction, Intent, PresenterAction};
use super::state::State;
use crate::lab::feature::drills::{Current, Outlook, Part, Then};
use crate::lab::kernel::event::{Command, RunId};
use crate::lab::model::drill::{Drill, Level, Plan};
use crate::lab::model::masked::Masked;
use crate::lab::model::operation::Identity;
use crate::lab::model::outcome::Check;
use crate::lab::model::stage::Stage;
use crate::lab::stages::Sources;
use crate::lab::view::Page;

/// Begins the drills, after stage 8.
pub(super) fn open(state: &mut State) {
    let seed = state.quiz.seed().unwrap_or(state.kernel.now());
    let plan = Plan { seed, count: Drill::ALL.len(), only: None, level: Level::One };
    let sources = Sources { names: &state.names, facts: state.kernel.facts(), backend: &state.backend };
    state.drills.open(plan, false, &sources);
    prepared(state);
}

/// Begins the first drill, unless the stages before it have failed.
pub(super) fn prepared(state: &mut State) {
    state.drills.end_preparing();
    if !state.kernel.is_met(Stage::ViewAgain) {
        return;
    }
    state.view.show_drill();
    if let Some(part) = state.drills.begin() {
        begin_part(state, part);
    }
}

/// Performs an intent in the drills.
pub(super) fn perform(state: &mut State, intent: Intent) -> Vec<Command> {
    let (is_idle, given_user) = (!state.kernel.is_interrupted(), state.backend.given_user);
    state.view.message = None;
    let part = match intent {
        Intent::Drill(DrillAction::Answer(place)) => state.drills.answer(place.into(), given_user),
        Intent::Drill(DrillAction::Look(look)) => match state.drills.current().and_then(Current::look) {
            Some(open) if open == look => {
                state.drills.look_away();
                state.view.focus_on(Identity::TestUser);
                None
            }
            _ => {
                state.view.scroll_to(0);
                state.view.focus_on(Identity::Admin);
                Some(Part::Look(look))
            }
        },
        Intent::Drill(_) => {
            state.drills.change_level();
            None
        }
        Intent::Hint => {
            state.drills.hint();
            None
        }
        Intent::Undo => Some(Part::Undo),
        Intent::Advance if state.drills.is_over() => return follow(state, Then::Leave),
        Intent::Advance => state.drills.go_on(is_idle, Then::Next),
        Intent::Retry => state.drills.go_on(is_idle, Then::Again),
        Intent::TogglePage(page) => {
            if page == Page::Why {
                state.drills.pay_why();
            }
            state.view.toggle_page(page);
            return vec![Command::Inspect];
        }
        Intent::Close => return leave(state, Then::Leave),
        Intent::Quit | Intent::AskToQuit => return leave(state, Then::Quit),
        Intent::CleanUpAndQuit => return state.clean_up_and_quit(),
        Intent::FocusOther => {
            state.view.focus_other();
            None
        }
        Intent::ScrollTo(line) => {
            state.view.scroll_to(line);
            None
        }
        Intent::Present(PresenterAction::Blank) => {
            state.view.blank = true;
            None
        }
        _ => None,
    };
    part.into_iter().for_each(|part| begin_part(state, part));
    Vec::new()
}

/// Leaves the drills, after what the one at work has changed is undone.
fn leave(state: &mut State, then: Then) -> Vec<Command> {
    let is_undone = state.experiments.changes().is_empty() && !state.kernel.is_interrupted();
    // A second time: the undoing takes too long for this person, or fails.
    if is_undone || state.drills.current().is_none() || state.drills.is_leaving() {
        return follow(state, then);
    }
    state.drills.leave(then);
    if !state.kernel.is_interrupted() {
        begin_part(state, Part::Undo);
    }
    Vec::new()
}

/// Does what comes when a drill is undone, or can't be.
pub(super) fn follow(state: &mut State, then: Then) -> Vec<Command> {
    let names = state.shown_names();
    let left: Vec<String> = state.experiments.changes().iter().map(|change| change.describe(names)).collect();
    state.drills.tell_left(left.clone());
    let part = match then {
        Then::Stay => None,
        Then::Next | Then::Again if !left.is_empty() => None,
        Then::Next => state.drills.next_drill(),
        Then::Again => state.drills.begin(),
        Then::CleanUp => {
            state.drills.close();
            state.view.show(Stage::CleanUp);
            return vec![Command::StartNow(Stage::CleanUp)];
        }
        Then::Leave if !state.drills.is_alone() => {
            state.drills.close();
            state.view.show(state.view.shown);
            if !left.is_empty() {
                let undo = state.view.keys.first("undo", "u");
                state.view.message = Some(format!("{undo}: undo again · not undone: {}", left.join(", ")));
            }
            return Vec::new();
        }
        Then::Leave | Then::Quit => {
            state.drills.close();
            if state.leftovers().is_empty() {
                return vec![Command::Exit];
            }
            state.view.ask_to_quit();
            None
        }
    };
    part.into_iter().for_each(|part| begin_part(state, part));
    Vec::new()
}

/// Begins a part of the drill at work.
fn begin_part(state: &mut State, part: Part) {
    state.drills.start(part);
    if part == Part::Undo {
        state.view.focus_on(Identity::TestUser);
    }
    match part {
        Part::SetUp => state.kernel.interrupt(RunId::Drill, false),
        part => state.kernel.interrupt_again(RunId::Drill, part == Part::Undo),
    }
}

/// Ends a part of the drill at work; `stopped` says why it could not go on.
pub(super) fn end_part(state: &mut State, stopped: Option<String>) -> Vec<Command> {
    let run = state.kernel.run(RunId::Drill);
    let outlook = state.drills.judge(state.experiments.ledger(), run, stopped, state.kernel.is_leaving());
    if let Outlook::Begin(part) = outlook {
        begin_part(state, part);
        return Vec::new();
    }
    let check = Check { met: true, observed: String::new() };
    state.kernel.conclude(RunId::Drill, Masked::new(check.clone(), check));
    match outlook {
        Outlook::Over(then) => follow(state, then),
        _ => Vec::new(),
    }
}
