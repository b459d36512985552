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
use crate::lab::model::adoption::Opening;
use crate::lab::model::attempt::{self, Insertable, Target};
use crate::lab::model::choice::Choice;
use crate::lab::model::draft::{Draft, Edit};
use crate::lab::model::extent::{self, Extent};
use crate::lab::model::facts::Facts;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::mentioned::Mentioned;
use crate::lab::model::operation::Identity;
use crate::lab::model::own_way::OwnWay;
use crate::lab::model::stage::Stage;
use crate::lab::view::{Desk, moved};

/// Shows the choice, or the last attempt, if the shown stage offers ways and is still to do.
pub(super) fn open(state: &mut State) {
    if is_offered(state) && state.attempts.shows_choice() && state.destination().is_none() {
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
    // What opens is inspected anyway.
    let is_open = state.view.desk.replace(Desk::Editor).is_some();
    is_open.then_some(Command::Inspect).into_iter().collect()
}

/// Takes what a person has typed.
pub(super) fn edited(state: &mut State, edit: &Edit) {
    if state.view.desk != Some(Desk::Editor) || state.view.overlay.is_some() || state.view.blank {
        return;
    }
    let secret = "that is a secret: the lab doesn't keep it, and no policy needs one";
    state.view.message = edit.is_secret.then(|| state.interface().say(secret).to_owned());
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
        Intent::NextBlank(forward) => draft_mut(state).into_iter().for_each(|it| it.next_field(forward)),
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
            // A question that was answered before is explained first.
            let answered =
                state.attempts.shows_choice() && matches!(state.quiz.choice(Stage::Grant), Some(Choice::Answer(_)));
            state.next_shown().filter(|_| !answered).into_iter().for_each(|next| state.show(next));
            Vec::new()
        }
        Desk::Outcome => write(state),
    }
}

/// What Esc does at the desk.
pub(super) fn close(state: &mut State, desk: Desk) {
    state.view.message = None;
    let shows_choice = state.attempts.shows_choice();
    if !shows_choice && matches!(desk, Desk::Editor | Desk::Outcome) {
        state.attempts.choose(None);
    }
    state.view.desk = match desk {
        Desk::Editor if state.is_drilling() => None,
        Desk::Editor | Desk::Outcome if !shows_choice => None,
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

/// Opens the editor with what was sent in the saved session, which doesn't stand any more. Returns what to say.
pub(super) fn offer_again(state: &mut State) -> Option<String> {
    if !is_offered(state) {
        return None;
    }
    let now = Mentioned::of(state.shown_facts(), state.shown_names(), &state.backend.region);
    let mechanism = state.attempts.offer_again(&now)?;
    state.view.desk = Some(Desk::Editor);
    Some(format!("your {} is undone; send it again, or change it", mechanism.name()))
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

/// The way that was taken, or tried last.
fn tried(state: &State) -> Option<Mechanism> {
    state.own_way().or_else(|| state.attempts.sent().map(|sent| sent.mechanism))
}

/// The rungs of the Scan after the learner's own way, compared with those before it.
pub(super) fn rungs(state: &State) -> Vec<Rung> {
    let (Some(mechanism), Some(now)) = (tried(state), state.attempts.now()) else { return Vec::new() };
    if state.attempts.is_running() {
        return Vec::new();
    }
    forecast::rungs(&question(state, mechanism, &Draft::default()), now)
}

/// What the learner's own way opens.
pub(super) fn extent(state: &State) -> Option<Extent> {
    let (before, now) = (state.attempts.before()?, state.attempts.now()?);
    let draft = Draft::default();
    let question = question(state, tried(state)?, &draft);
    extent::between(&question.decision(before)?.decision, &question.decision(now)?.decision)
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

/// Puts the learner's own way back, if the console's statements stand in for it and nothing else is changed.
pub(super) fn put_back(state: &mut State) -> Vec<Command> {
    let is_elsewhere = state.view.experiment.is_some() || state.view.overlay.is_some() || state.view.drill;
    if is_elsewhere || state.kernel.is_interrupted() || !state.experiments.changes().is_empty() {
        return Vec::new();
    }
    let text = state.attempts.accepted().map(|sent| state.masking.unmasked(&sent.text)).unwrap_or_default();
    state.attempts.put_back(text, state.kernel.facts()).unwrap_or_default()
}

/// Puts the console's statements in place of the learner's own way, in the editor or in a shell, then goes on. `None`
/// where the usual way was taken.
pub(super) fn use_console(state: &mut State, then: Then) -> Option<Vec<Command>> {
    let facts = state.kernel.facts();
    let is_shells = state.attempts.standing().is_none() && !facts.names_user();
    // It is replaced as a whole, and not added to: without its name there is no taking test-user out of it.
    let own = facts.policy.clone().filter(|policy| is_shells && facts.policy_before.as_ref() != Some(policy));
    let has_openings = !facts.made.added.openings.is_empty();
    let commands = state.attempts.use_console(then, facts)?;
    if let Some(policy) = own.filter(|_| !has_openings && state.attempts.keeps_policy()) {
        state.kernel.amend_facts(|facts| facts.made.added.lent.push(Opening::KeyPolicy(policy)));
    }
    Some(commands)
}

/// What is said while the console's statements stand in for the learner's own way; `None` while they don't.
pub(super) fn stand_in(state: &State) -> Option<String> {
    let mechanism = replaced(state)?;
    let text = "until you leave, the console's statements replace your {}";
    Some(state.interface().fill(text, &[&state.interface().word(mechanism.name())]))
}

/// The learner's own way, in the editor or in a shell, for which the console's statements stand in.
fn replaced(state: &State) -> Option<Mechanism> {
    state.attempts.replaced().or_else(|| state.kernel.facts().made.added.lent_mechanism())
}

fn own_name(state: &State) -> &str {
    let own = replaced(state).or_else(|| state.own_way());
    let mechanism = own.or_else(|| Some(state.attempts.accepted()?.mechanism)).unwrap_or(Mechanism::KeyPolicy);
    state.interface().word(mechanism.name())
}

/// Does something for an attempt.
pub(super) fn apply(state: &mut State, command: AttemptCommand) -> Vec<Command> {
    match command {
        AttemptCommand::Begin { undoes } => {
            // A policy that was read earlier may have been changed since, unless an attempt has been added to it.
            let stands = state.attempts.keeps_policy() || replaced(state).is_some();
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
        AttemptCommand::PutBack => return put_back(state),
        AttemptCommand::TellBack => {
            let is_back = replaced(state).is_none();
            if is_back {
                state.kernel.reset(RunId::Attempt);
            }
            let text = if is_back {
                "your own {} stands again"
            } else {
                "your own {} could not be put back; the console's statements stand"
            };
            let name = own_name(state);
            state.view.message = Some(state.interface().fill(text, &[&name]));
        }
        AttemptCommand::TellUndone => {
            let is_open = !state.kernel.facts().made.added.openings.is_empty();
            let is_undone = state.attempts.standing().is_none() && !is_open;
            if is_undone {
                state.kernel.reset(RunId::Attempt);
                state.view.desk = state.view.desk.map(|_| Desk::Choice).filter(|_| state.attempts.shows_choice());
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
    let way = state.attempts.sent().map(|sent| {
        let mut calls = state.kernel.run(RunId::Attempt).calls.iter().rev().map(|call| call.raw());
        let put = calls.find(|call| call.is_allowed() && call.operation.name() == sent.mechanism.call());
        OwnWay { mechanism: sent.mechanism, call: put.map(|call| call.operation.clone()) }
    });
    state.kernel.amend_facts(|facts| facts.way = way);
    state.kernel.adopt_attempt(Stage::Grant);
    state.kernel.reset(RunId::Attempt);
    let check = state.judged(Stage::Grant);
    state.conclude(Stage::Grant, check);
    state.view.focus_on(Identity::TestUser);
}
