//! What can be typed: the prompt and the help.

use crate::lab::{Call, DrillAction, Experiment, Identity, Intent, Overlay, Permit, State, Status};

/// The question, and what may be typed.
pub fn prompt(state: &State) -> String {
    match state.view().overlay {
        Some(Overlay::Consent { .. }) => {
            let of = if state.is_masked() { "the real account" } else { "the account" };
            format!("Type the last four digits of {of} to say yes, or no.")
        }
        Some(Overlay::Resume) => match (state.can_resume(), state.resume_label()) {
            (true, "resume") => "Press Enter to resume, or type fresh to start over, q to quit.".to_owned(),
            (true, _) if state.can_start_afresh() => {
                "Press Enter to look again, or type fresh to start over, q to quit.".to_owned()
            }
            (true, _) => "Press Enter to try again, q to quit.".to_owned(),
            (false, _) => "Type fresh to start over, q to quit.".to_owned(),
        },
        Some(Overlay::Experiments { .. }) => {
            format!("Type 1 to {} to choose one, or back for the stage, q to quit.", Experiment::ALL.len())
        }
        Some(Overlay::Quit) => "Type c to clean up and then leave, q to leave everything, or s to stay.".to_owned(),
        Some(Overlay::Debrief) => {
            let next = match state.debrief_question() {
                Some(asked) if state.debrief().is_open() => format!("Type 1 to {}, s to skip", asked.answers.len()),
                Some(_) => "Press Enter to go on, or type card for the card".to_owned(),
                None => "Type answers for your answers, export to write up this lab".to_owned(),
            };
            format!("{next}, q to quit.")
        }
        _ if state.is_drilling() => format!("{}, ? for help, q to stop.", super::drill::next(state)),
        _ => format!("{}, ? for help, q to quit.", next(state)),
    }
}

/// What can be done next, as the beginning of a sentence.
fn next(state: &State) -> String {
    if let Some(which) = state.view().experiment {
        return next_of_experiment(state, which);
    }
    match &state.shown().status {
        Status::Todo => match state.open_question() {
            Some(asked) if asked.is_open() => {
                let hint = if state.has_hint() { ", h for a hint" } else { "" };
                format!("Type 1 to {}, s to skip{hint}", asked.answers.len())
            }
            asked => {
                let yours = asked.and_then(|asked| asked.chosen).map(|at| format!("Your answer is {}. ", at + 1));
                format!("{}Press Enter: {}", yours.unwrap_or_default(), state.text(state.view().shown).action)
            }
        },
        // What runs is not asked about, but for a call that waits to be looked at.
        Status::Running => "Press Enter to send it, or type no to send nothing".to_owned(),
        Status::Done(check) => {
            let onward = match state.view().shown.next() {
                Some(_) => "for the next stage",
                None => "for what to take home",
            };
            let again = match (state.can_retry(), check.met) {
                (true, true) => ", r to send the calls again",
                (true, false) => ", r to try again",
                (false, _) => "",
            };
            let replay = match (state.can_replay(), state.is_replay()) {
                (false, _) => "",
                (true, false) => ", f for the recorded answers",
                (true, true) => ", f for the live responses again",
            };
            let why = if has_denial(state) { "Type why, or press" } else { "Press" };
            let breaks = if state.has_experiments() { ", break for the experiments" } else { "" };
            let is_drilled = state.permit_behind_page(Intent::Drill(DrillAction::Open)) == Permit::Yes;
            let drills = if is_drilled { ", drills for the drills" } else { "" };
            format!("{why} Enter {onward}{again}{replay}{breaks}{drills}")
        }
    }
}

/// Whether a denied call is shown, which `why` explains.
fn has_denial(state: &State) -> bool {
    let is_denied = |call: &Call<'_>| matches!(call, Call::Answered(exchange) if exchange.verdict.key() == "denied");
    Identity::BOTH.into_iter().any(|identity| state.selected_call(identity).is_some_and(|call| is_denied(&call)))
}

/// What can be done next in an experiment.
fn next_of_experiment(state: &State, which: Experiment) -> String {
    match &state.shown().status {
        Status::Todo if state.is_out_of_reach(which) => "Type break for the list".to_owned(),
        Status::Todo => match state.open_question().filter(|asked| asked.is_open()) {
            Some(asked) => format!("Type 1 to {}, s to skip, break for the list", asked.answers.len()),
            None => "Press Enter to try it, or type break for the list".to_owned(),
        },
        Status::Running => "Press Enter to stop waiting and go on, or type no to stop and undo".to_owned(),
        Status::Done(_) => {
            let onward = if which.next().is_some() { "the next experiment" } else { "the list" };
            let why = if has_denial(state) { "Type why, or press" } else { "Press" };
            format!("{why} Enter for {onward}, r to try again, break for the list")
        }
    }
}

/// The commands.
pub fn help(state: &State) -> Vec<String> {
    let mut lines = vec!["Type one of these, then Enter:".to_owned()];
    if state.quiz().asks() {
        lines.push("1 to 4: answer the question. s: skip it. h: a hint, then another.".to_owned());
    }
    lines.extend(
        [
            "Enter alone: do this stage's action; when it is done, go to the next stage.",
            "again: read this stage once more. lesson or i: the lesson, with all answers and sources.",
            "r: send the calls again, or go on where it failed.",
            "f: the recorded answers where none came, or the live ones again.",
            "path: which services the call passes. why or w: why it was allowed or denied. why admin or why test-user: \
             why that identity's call. why all: with the statements.",
            "items or e: the table as it is stored. trail or t: what KMS was asked.",
            "v: the responses as JSON that this stage is about. v all: those of all its calls. y: the call as an aws command.",
            "compare or o: the choices side by side, where there are some.",
            "n and p: the next or previous stage; nothing is sent again. stages or l: the list. stage 5: go there.",
            "drills: faults to diagnose and fix, after stage 8. break or x: the experiments. undo or u: undo again what an experiment couldn't. back: leave it.",
            "shell or !: how to send calls of your own.",
            "export: write up this lab, into files in this folder.",
            "q: leave; asks first if something would stay behind. Ctrl-C leaves at once.",
        ]
        .map(str::to_owned),
    );
    lines
}
