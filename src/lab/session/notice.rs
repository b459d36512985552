//! What the lab does with calls of other clients.

use super::drilling;
use super::state::State;
use crate::lab::feature::noticing::goal::{self, Meaning, Step};
use crate::lab::feature::noticing::look;
use crate::lab::feature::noticing::{Checking, LedTo, Note};
use crate::lab::kernel::event::{Command, RunId};
use crate::lab::kernel::run::Status;
use crate::lab::model::adoption::Taken;
use crate::lab::model::backend::BackendKind;
use crate::lab::model::facts::Caller;
use crate::lab::model::lockout::lock_out;
use crate::lab::model::masked::Masked;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::model::operation::Identity;
use crate::lab::model::outcome::Check;
use crate::lab::model::own_way::OwnWay;
use crate::lab::model::stage::Stage;
use crate::lab::view::{Overlay, Page};

/// Takes calls that the backend has reported.
pub(super) fn take(state: &mut State, calls: Vec<NoticedCall>) {
    let calls = calls.into_iter().map(NoticedCall::cleaned).map(|raw| {
        let shown = state.masking.value(raw.clone()).unwrap_or_default();
        Masked::new(raw, shown)
    });
    let calls = calls.collect();
    state.noticing.queue(calls);
}

/// Goes on with the queue, unless calls of the lab's own are in progress. Returns what follows from the next call, or
/// `None` where nothing does.
pub(super) fn next(state: &mut State) -> Option<Vec<Command>> {
    if is_busy(state) {
        return None;
    }
    while let Some(call) = state.noticing.next() {
        if is_of_another_lab(state, call.raw()) {
            continue;
        }
        let (is_key_gone, taken) = adopt(state, call.raw());
        let is_checking = follow(state, &call, is_key_gone);
        if is_checking || !taken.is_empty() {
            let save = (!taken.is_empty()).then_some(Command::Save);
            return Some(taken.into_iter().map(Command::Adopt).chain(save).collect());
        }
    }
    None
}

/// Whether a call must wait: until the lab's own calls are answered, and whatever leads through the lab is over. In a
/// drill, which undoes what it changes, no stage is at stake.
pub(super) fn is_busy(state: &State) -> bool {
    state.kernel.is_running()
        || state.kernel.is_probing()
        || state.kernel.is_interrupted()
        || state.kernel.is_leaving()
        || state.resuming.is_open()
        || state.destination().is_some()
        || state.is_asking_for_consent()
        || state.view.drill
}

/// Whether `call` is about things of another lab on the same server. Only the sandbox in the program is the lab's alone.
fn is_of_another_lab(state: &State, call: &NoticedCall) -> bool {
    if state.backend.kind == BackendKind::Sandbox {
        return false;
    }
    let (names, facts) = (&state.names, state.kernel.facts());
    let is_named = call.parameters.values().filter_map(|value| value.as_str()).any(|text| {
        [&names.table, &names.user, &names.alias, &names.key_description()].contains(&&text.to_owned())
            || facts.is_key(Some(text))
    });
    let is_caller = call.operation == "GetCallerIdentity" && goal::identity(call, facts, names).is_some();
    !is_named && !is_caller && !call.has_tag_of(&names.run)
}

/// Lets the facts learn. Returns whether test-user's access key is gone, and what the lab has taken over as its own.
fn adopt(state: &mut State, call: &NoticedCall) -> (bool, Vec<Taken>) {
    let names = state.names.clone();
    let before = state.kernel.facts().made.clone();
    let mut is_key_gone = false;
    // Before stage 7 the person gives test-user the table.
    let may_open = call.is_allowed() && goal_of(state).is_some_and(|stage| stage >= Stage::Grant);
    state.kernel.amend_facts(|facts| {
        is_key_gone = facts.adopt(call, &names);
        if may_open {
            facts.note_opening(call, &names);
        }
    });
    let adopted = state.kernel.facts().adopted.clone();
    state.names = names.adopting(&adopted);
    state.masking.names_changed(&state.names);
    (is_key_gone, Taken::between(&before, &state.kernel.facts().made, &state.names))
}

/// The stage whose goal is next.
pub(super) fn goal_of(state: &State) -> Option<Stage> {
    let current = state.kernel.current();
    match state.kernel.stage(current).status {
        Status::Done(_) if state.kernel.is_met(current) => current.next(),
        _ => Some(current),
    }
}

/// Does what follows from a call. Returns whether the lab sends calls now.
fn follow(state: &mut State, call: &Masked<NoticedCall>, is_key_gone: bool) -> bool {
    let Some(stage) = goal_of(state) else { return false };
    let (facts, names) = (state.kernel.facts(), &state.names);
    if is_key_gone && stage > Stage::CreateUser && stage < Stage::CleanUp {
        check(state, Stage::CreateUser, call.shown().clone(), true);
        return true;
    }
    let meaning = goal::meaning(stage, call.raw(), facts, names);
    if stage == Stage::Grant && meaning == Meaning::Check {
        state.noticing.remember_way(OwnWay::of_noticed(call.raw(), &names.user));
    }
    let broken = goal::broken(call.raw(), facts, names).filter(|broken| *broken < stage && stage < Stage::CleanUp);
    let led_to = match meaning {
        Meaning::Check => {
            check(state, stage, call.shown().clone(), false);
            return true;
        }
        Meaning::Rejected => LedTo::Rejected(stage),
        Meaning::Step(step) => LedTo::Step(stage, step),
        Meaning::Nothing => match broken {
            Some(broken) => {
                if broken != Stage::CreateKey {
                    state.restart_from(broken);
                }
                LedTo::Broken(broken)
            }
            None if is_early(stage, call.raw()) => LedTo::Early(stage),
            None => return false,
        },
    };
    note(state, call.shown().clone(), led_to);
    false
}

/// Whether `call` does what a later stage does.
fn is_early(stage: Stage, call: &NoticedCall) -> bool {
    let makes = match call.operation.as_str() {
        "CreateKey" => Stage::CreateKey,
        "CreateTable" => Stage::CreateTable,
        "CreateUser" => Stage::CreateUser,
        _ => return false,
    };
    call.is_allowed() && stage < makes
}

/// Begins to check with the lab's own calls whether the goal of `stage` is reached.
fn check(state: &mut State, stage: Stage, call: NoticedCall, only_key: bool) {
    let current = state.kernel.current();
    let mut before = state.kernel.stage(stage).clone();
    if before.held.is_some() {
        // What waits for a yes was built on what has changed now.
        before = Default::default();
    }
    state.noticing.begin(Checking { stage, before: Box::new(before), current, call, only_key });
    state.kernel.notice(stage);
}

/// Ends a check that was not met: the stage is as it was.
pub(super) fn missed(state: &mut State, checked: Check) {
    let Some(checking) = state.noticing.end() else { return };
    put_back(state, &checking);
    let Checking { stage, call, .. } = checking;
    let lacks_items = stage == Stage::CreateTable && state.kernel.facts().table_status() == Some("ACTIVE");
    let led_to = match lacks_items && !checked.observed.contains("another key") {
        true if checked.observed.contains("no SSEDescription") => LedTo::Missed(stage, checked.observed),
        true => LedTo::Step(stage, Step::Items),
        false => LedTo::Missed(stage, state.masking.text(checked.observed)),
    };
    note(state, call, led_to);
}

fn put_back(state: &mut State, checking: &Checking) {
    *state.kernel.run_mut(RunId::Stage(checking.stage)) = (*checking.before).clone();
    state.kernel.reach(checking.current);
}

/// Follows the end of a stage that another client may have reached. Its question is skipped: the panes show the answer, so
/// the debrief asks instead.
pub(super) fn ended(state: &mut State, stage: Stage) -> Option<Command> {
    let checking = state.noticing.end()?;
    if state.kernel.is_leaving() {
        return None;
    }
    if checking.only_key {
        put_back(state, &checking);
        note(state, checking.call, LedTo::NewAccessKey);
        return None;
    }
    // Of all that is reached in one shell, the learner's own way is explained first: enter leads on.
    let waits = stage == Stage::ViewAgain && state.noticing.is_shell_open() && state.noticing.has_reached(Stage::Grant);
    if state.view.overlay.is_none() && state.view.experiment.is_none() && !waits {
        state.view.show(stage);
    }
    if stage.def().scans.compares() && !waits {
        state.view.focus_on(Identity::TestUser);
    }
    if stage == Stage::Grant {
        let way = state.noticing.take_way();
        state.kernel.amend_facts(|facts| facts.way = way);
        state.attempts.outdate();
    }
    let call = checking.call;
    note(state, call.clone(), if stage == Stage::Grant { lockout(state) } else { LedTo::Reached(stage) });
    // What comes next may have been made already.
    if let Some(next) = stage.next().filter(|next| goal::is_made(*next, state.kernel.facts())) {
        check(state, next, call, false);
    }
    state.skip_question(stage)
}

/// What stage 7 has led to: with the safety check off, KMS takes a policy that locks admin out.
fn lockout(state: &State) -> LedTo {
    let facts = state.kernel.facts();
    let locks_out = |caller: &Option<Caller>| {
        let known = facts.policy.as_deref().zip(caller.as_ref()).zip(facts.key_arn());
        known.is_some_and(|((policy, caller), key)| lock_out(policy, caller, key).is_some())
    };
    match locks_out(&facts.admin) {
        true => LedTo::LockedOut(facts.test_user.is_some() && !locks_out(&facts.test_user)),
        false => LedTo::Reached(Stage::Grant),
    }
}

fn note(state: &mut State, call: NoticedCall, led_to: LedTo) {
    state.view.opening = false;
    let note = Note { call, led_to };
    state.view.message = Some(note.text(state));
    state.noticing.set_note(note);
}

/// Opens a shell.
pub(super) fn open_shell(state: &mut State) -> Command {
    state.noticing.open_shell();
    state.view.close();
    Command::OpenShell
}

/// Shows what was done in a shell that has ended.
pub(super) fn close_shell(state: &mut State) {
    if !state.noticing.is_shell_open() {
        // It was stopped before, and that has been told.
        return;
    }
    let has_news = state.noticing.close_shell();
    if state.view.drill {
        drilling::check(state);
    } else if has_news {
        if state.view.overlay.is_none() || state.view.page().is_some() {
            state.view.overlay = Some(Overlay::Page { page: Page::Noticed, scroll: 0 });
        }
    } else {
        state.view.message = Some(nothing_noticed(state));
    }
}

/// What is said after a shell of which the lab has noticed nothing.
fn nothing_noticed(state: &State) -> String {
    let words = state.interface();
    let stage = goal_of(state).unwrap_or_else(|| state.kernel.current());
    match state.backend.kind {
        BackendKind::Sandbox => words.say("nothing was sent from the shell").to_owned(),
        _ if look::is_read(stage, state.backend.given_user) => {
            let enter = state.view.keys.first("advance", "enter");
            words.fill("a read leaves no trace here: {} checks stage {}", &[&enter, &stage.number()])
        }
        _ => words.say("nothing has changed yet; the lab keeps looking").to_owned(),
    }
}
