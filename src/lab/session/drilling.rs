//! The drills on the screen: how they begin, what each intent does in them, and how they end.

use super::desk;
use super::flow::{DrillAction, Intent, PresenterAction};
use super::notice;
use super::state::State;
use crate::lab::feature::attempts;
use crate::lab::feature::drills::{Current, Outlook, Part, Then};
use crate::lab::feature::insight::forecast;
use crate::lab::feature::presenting::PressTwice;
use crate::lab::kernel::event::{AttemptCommand, Command, RunId};
use crate::lab::model::drill::{Drill, Level, Look, Plan};
use crate::lab::model::masked::Masked;
use crate::lab::model::operation::Identity;
use crate::lab::model::outcome::Check;
use crate::lab::model::stage::Stage;
use crate::lab::stages::Sources;
use crate::lab::view::{Desk, Page};

/// Begins the drills, after stage 8. Like experiments, they begin where the usual way ends: the console's statements take
/// the place of the learner's own way.
pub(super) fn open(state: &mut State) -> Vec<Command> {
    let commands = desk::use_console(state, attempts::Then::Drill);
    commands.unwrap_or_else(|| {
        begin(state);
        Vec::new()
    })
}

/// Begins the drills, now that the key policy names test-user.
pub(super) fn begin(state: &mut State) {
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
pub(super) fn perform(state: &mut State, intent: Intent, is_second_press: bool) -> Vec<Command> {
    if !is_second_press && stops_drill(state, intent) {
        warn_of_stopping(state, intent);
        return Vec::new();
    }
    let (is_idle, given_user) = (!state.kernel.is_interrupted(), state.backend.given_user);
    state.view.message = None;
    let part = match intent {
        Intent::Drill(DrillAction::Answer(place)) => state.drills.answer(place.into(), given_user),
        Intent::Drill(DrillAction::Look(look)) => toggle_look(state, look),
        Intent::Drill(DrillAction::Write) => state.drills.write(given_user),
        Intent::OpenShell => return vec![notice::open_shell(state)],
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
        Intent::Close if state.drills.is_looking() => {
            look_away(state);
            None
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
        Intent::Present(action @ (PresenterAction::Theme | PresenterAction::Blank)) => {
            return state.perform_action(action, false);
        }
        _ => None,
    };
    part.into_iter().for_each(|part| begin_part(state, part));
    Vec::new()
}

/// Whether `intent` would end a drill that is under way and not solved. Where a document is looked at, going back only
/// closes that.
fn stops_drill(state: &State, intent: Intent) -> bool {
    let stops = match intent {
        Intent::Close => !state.drills.is_looking(),
        intent => intent == Intent::AskToQuit,
    };
    stops && state.drills.current().is_some_and(Current::is_open) && !state.drills.is_leaving()
}

/// Says that a second press stops: one stray key must not end a series.
fn warn_of_stopping(state: &mut State, intent: Intent) {
    let (press, key) = match intent {
        Intent::Close => (PressTwice::StopDrills, state.view.keys.first("back", "esc")),
        _ => (PressTwice::Leave, state.quit_key()),
    };
    let text = state.interface().fill("press {} again to stop the drills", &[&key]);
    state.view.message = state.presenting.ask_again(press, text);
}

/// Looks at a document, or away from it.
fn toggle_look(state: &mut State, look: Look) -> Option<Part> {
    if state.drills.current().and_then(Current::look) == Some(look) {
        look_away(state);
        return None;
    }
    state.view.scroll_to(0);
    state.view.focus_on(Identity::Admin);
    Some(Part::Look(look))
}

/// Closes the document that is looked at.
fn look_away(state: &mut State) {
    state.drills.look_away();
    state.view.focus_on(Identity::TestUser);
}

/// Leaves the drills, after what the one at work has changed is undone.
fn leave(state: &mut State, then: Then) -> Vec<Command> {
    let is_undone = state.experiments.changes().is_empty() && !state.kernel.is_interrupted();
    // A second time: the undoing takes too long for this person, or fails.
    if is_undone || state.drills.current().is_none() || state.drills.is_leaving() {
        return follow(state, then);
    }
    state.view.desk = None;
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
    state.drills.name_leftovers(left.clone());
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
            state.noticing.forget();
            state.view.show(state.view.shown);
            if !left.is_empty() {
                let undo = state.view.keys.first("undo", "u");
                state.view.message = Some(format!("{undo}: undo again · not undone: {}", left.join(", ")));
            }
            return vec![Command::Attempt(AttemptCommand::PutBack)];
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

/// Sends what the learner has written, as it is written.
pub(super) fn send(state: &mut State) {
    let Some(text) = state.draft().map(|draft| state.masking.unmasked(draft.text())) else { return };
    let key = state.kernel.facts().key_id().unwrap_or_default().to_owned();
    match state.drills.send(&text, &key, &state.names.user) {
        Ok(part) => {
            (state.view.desk, state.view.message) = (None, None);
            state.drills.look_away();
            part.into_iter().for_each(|part| begin_part(state, part));
        }
        Err(reason) => {
            let reason = forecast::unsendable(&reason, state.interface());
            state.view.message = Some(state.interface().fill("not sent: {}", &[&reason]));
        }
    }
}

/// After a shell: both scan again, the learner may have changed something.
pub(super) fn check(state: &mut State) {
    let is_open = state.drills.current().is_some_and(Current::is_open);
    if is_open && !state.kernel.is_interrupted() {
        state.drills.look_away();
        begin_part(state, Part::Check);
    }
}

/// Why the learner's own call was rejected, if it was.
fn rejection(state: &State) -> Option<String> {
    let is_own = state.drills.current().is_some_and(|it| it.part() == Part::Own);
    let mut sent = state.kernel.run(RunId::Drill).exchanges().rev().filter(|_| is_own);
    let call = sent.find(|exchange| exchange.operation.name() != "Scan").filter(|call| !call.is_allowed())?;
    Some(state.interface().fill("not accepted: {}", &[&call.error_code().unwrap_or_default()]))
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
    state.view.message = rejection(state).or_else(|| state.view.message.take());
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
        _ => {
            if state.drills.open_draft(state.kernel.run(RunId::Drill)) {
                state.view.desk = Some(Desk::Editor);
            }
            Vec::new()
        }
    }
}
