//! Stage 7 as a choice: the three ways, the editor, and what became of an attempt.
//!
//! [`open`] shows the choice in place of the panes when stage 7 is to do. Enter leaves it for the usual way: question,
//! preview, PutKeyPolicy. 1 to 3 open the editor with that way's draft.

use super::drilling;
use super::flow::Intent;
use super::state::State;
use crate::lab::feature::attempts::{Sent, Then};
use crate::lab::feature::insight::forecast::{self, Forecast, Rung};
use crate::lab::kernel::event::{AttemptCommand, Command, RunId, TrialCommand};
use crate::lab::kernel::run::Status;
use crate::lab::model::attempt::{self, Insertable, Target};
use crate::lab::model::draft::{Draft, Edit};
use crate::lab::model::facts::Facts;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::operation::Identity;
use crate::lab::model::stage::Stage;
use crate::lab::view::{Desk, moved};

/// Shows the choice, or the last attempt, if the shown stage offers ways and is still to do.
pub(super) fn open(state: &mut State) {
    if is_offered(state) && state.destination().is_none() {
        let has_attempt = state.attempts.came().is_some();
        state.view.desk = Some(if has_attempt { Desk::Outcome } else { Desk::Choice });
    }
}

/// Whether the shown stage offers three ways: stage 7, until it is done.
pub(super) fn is_offered(state: &State) -> bool {
    let is_it = state.view.shown == Stage::Grant && state.view.experiment.is_none() && state.attempts.is_offered();
    is_it && state.record(Stage::Grant).status == Status::Todo && state.reachable() >= Stage::Grant
}

/// Takes a way and opens its editor; the key policy's question comes first.
pub(super) fn choose(state: &mut State, mechanism: Mechanism) -> Vec<Command> {
    state.attempts.choose(Some(mechanism));
    state.view.message = None;
    if mechanism == Mechanism::KeyPolicy && state.waits_for_answer() {
        state.view.desk = None;
        return Vec::new();
    }
    write(state)
}

/// Opens the editor, and reads what its forecast needs.
pub(super) fn write(state: &mut State) -> Vec<Command> {
    state.view.desk = Some(Desk::Editor);
    vec![Command::Inspect]
}

/// Takes what a person has typed.
pub(super) fn edited(state: &mut State, edit: &Edit) {
    if state.view.desk != Some(Desk::Editor) || state.view.overlay.is_some() || state.view.blank {
        return;
    }
    state.view.message = None;
    let Some(draft) = state.draft().cloned() else { return };
    let edit = state.masking.edit(&draft, edit);
    if let Some(draft) = draft_mut(state) {
        draft.apply(&edit);
    }
}

fn draft_mut(state: &mut State) -> Option<&mut Draft> {
    if state.is_drilling() { state.drills.draft_mut() } else { state.attempts.draft_mut() }
}

/// Performs an intent that means something in the editor alone.
pub(super) fn write_on(state: &mut State, intent: Intent) -> Vec<Command> {
    match intent {
        Intent::NextBlank(forward) => draft_mut(state).into_iter().for_each(|it| it.next_blank(forward)),
        Intent::InsertName => state.view.desk = Some(Desk::Names(0)),
        Intent::EditElsewhere => return vec![Command::EditElsewhere],
        _ if state.is_drilling() => drilling::send(state),
        _ => return send(state),
    }
    Vec::new()
}

/// The names that can be inserted, as they are shown.
pub(super) fn insertables(state: &State) -> Vec<Insertable> {
    let mechanism = state.draft_way().unwrap_or(Mechanism::KeyPolicy);
    attempt::insertables(mechanism, state.shown_facts(), state.shown_names(), &state.backend.region)
}

/// Moves the cursor among the names.
pub(super) fn move_cursor(state: &mut State, rows: i8) {
    let last = insertables(state).len().saturating_sub(1);
    if let Some(Desk::Names(row)) = &mut state.view.desk {
        *row = moved(*row, rows, last);
    }
}

/// Inserts the name under the cursor.
fn insert(state: &mut State, row: usize) {
    let name = insertables(state).into_iter().nth(row);
    state.view.desk = Some(Desk::Editor);
    if let (Some(name), Some(draft)) = (name, draft_mut(state)) {
        draft.insert(&name.text);
    }
}

/// What Enter does at the desk.
pub(super) fn advance(state: &mut State, desk: Desk) -> Vec<Command> {
    match desk {
        Desk::Choice => {
            state.attempts.choose(None);
            state.view.desk = None;
            if state.waits_for_answer() { Vec::new() } else { vec![Command::Start(Stage::Grant)] }
        }
        Desk::Editor => Vec::new(),
        Desk::Names(row) => {
            insert(state, row);
            Vec::new()
        }
        Desk::Outcome if state.kernel.is_met(Stage::Grant) => {
            state.view.desk = None;
            state.next_shown().into_iter().for_each(|next| state.show(next));
            Vec::new()
        }
        Desk::Outcome => write(state),
    }
}

/// What Esc does at the desk.
pub(super) fn close(state: &mut State, desk: Desk) {
    state.view.message = None;
    state.view.desk = match desk {
        Desk::Editor if state.is_drilling() => None,
        Desk::Choice => return state.view.shown.previous().into_iter().for_each(|stage| state.show(stage)),
        Desk::Editor => Some(Desk::Choice),
        Desk::Names(_) => Some(Desk::Editor),
        Desk::Outcome if state.kernel.is_met(Stage::Grant) => None,
        Desk::Outcome => Some(Desk::Choice),
    };
}

/// Sends what is written, as it is written.
pub(super) fn send(state: &mut State) -> Vec<Command> {
    let (Some(mechanism), Some(draft)) = (state.attempts.chosen(), state.attempts.draft()) else { return Vec::new() };
    let text = state.masking.unmasked(draft.text());
    // Whether it can be a call at all: the policy that it is added to is read on the way.
    let target = Target { key: "", user: "", policy: Some("{}") };
    if let Err(reason) = attempt::operation(mechanism, &text, &target) {
        let reason = forecast::unsendable(&reason, state.interface());
        state.view.message = Some(state.interface().fill("not sent: {}", &[&reason]));
        return Vec::new();
    }
    if state.asks_for_consent(Stage::Grant) {
        return Vec::new();
    }
    let expects = forecast(state).is_some_and(|forecast| forecast.allows());
    state.view.desk = Some(Desk::Outcome);
    state.view.message = None;
    state.attempts.send(text, expects)
}

/// Undoes the attempt that stands.
pub(super) fn undo(state: &mut State) -> Vec<Command> {
    state.attempts.undo_before(Then::Tell).unwrap_or_default()
}

/// What the evaluator expects of the draft; `None` without a draft.
pub(super) fn forecast(state: &State) -> Option<Forecast> {
    // In a drill nothing says beforehand what will help.
    let draft = state.attempts.draft().filter(|_| !state.is_drilling())?;
    Some(forecast::forecast(&question(state, state.attempts.chosen()?, draft)))
}

/// The rungs of the newest attempt's Scan, compared with those before it.
pub(super) fn rungs(state: &State) -> Vec<Rung> {
    let (Some(sent), Some(now)) = (state.attempts.sent(), state.attempts.now()) else { return Vec::new() };
    if state.attempts.is_running() {
        return Vec::new();
    }
    let draft = Draft::new(&sent.text);
    forecast::rungs(&question(state, sent.mechanism, &draft), now)
}

/// What was sent, in a few words: `"LetTestUserRead"  Allow kms:Encrypt to test-user`.
pub(super) fn in_short(state: &State, sent: &Sent) -> String {
    let draft = Draft::new(&sent.text);
    forecast::in_short(&question(state, sent.mechanism, &draft))
}

fn question<'a>(state: &'a State, mechanism: Mechanism, draft: &'a Draft) -> forecast::Question<'a> {
    forecast::Question {
        mechanism,
        draft,
        documents: state.attempts.before(),
        facts: state.shown_facts(),
        names: state.shown_names(),
        region: &state.backend.region,
        words: state.interface(),
    }
}

/// Does something for an attempt.
pub(super) fn apply(state: &mut State, command: AttemptCommand) -> Vec<Command> {
    match command {
        AttemptCommand::Begin { undoes } => {
            // A policy that was read earlier may have been changed since, unless an attempt has been added to it.
            let stands = state.attempts.keeps_policy();
            state.kernel.amend_facts(|facts: &mut Facts| {
                if !stands {
                    facts.policy_before = None;
                }
            });
            state.kernel.reset(RunId::Attempt);
            state.kernel.interrupt(RunId::Attempt, undoes);
        }
        AttemptCommand::Conclude(check) => {
            let outcome = state.masking.outcome(check);
            state.kernel.conclude(RunId::Attempt, outcome);
        }
        AttemptCommand::Complete => complete(state),
        AttemptCommand::Start(stage) => return vec![Command::Start(stage)],
        AttemptCommand::Drill => drilling::begin(state),
        AttemptCommand::Try(experiment) => return vec![Command::Trial(experiment, TrialCommand::Try)],
        AttemptCommand::CatchUp => return state.verify_from(Some(Stage::FIRST)),
        AttemptCommand::TellUndone => {
            let is_undone = state.attempts.standing().is_none();
            if is_undone {
                state.kernel.reset(RunId::Attempt);
                state.view.desk = state.view.desk.map(|_| Desk::Choice);
            }
            let text =
                if is_undone { "undone: everything is as it was before" } else { "not undone: see the responses" };
            state.view.message = Some(state.interface().say(text).to_owned());
            return vec![Command::Inspect];
        }
    }
    Vec::new()
}

/// The attempt has reached the stage's goal: the stage is done.
fn complete(state: &mut State) {
    let way = state.attempts.sent().map(|sent| sent.mechanism);
    state.kernel.amend_facts(|facts| facts.way = way);
    state.kernel.adopt_attempt(Stage::Grant);
    state.kernel.reset(RunId::Attempt);
    let check = state.judged(Stage::Grant);
    state.conclude(Stage::Grant, check);
    state.view.focus_on(Identity::TestUser);
}
