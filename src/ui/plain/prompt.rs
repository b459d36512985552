//! What can be typed: the prompt and the help.

use crate::lab::feature::attempts::Came;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::{Call, DrillAction, Experiment, Identity, Intent, Mode, Overlay, Permit, State, Status};

/// The question, and what may be typed.
pub fn prompt(state: &State) -> String {
    let words = state.interface();
    let say = |text: &'static str| words.say(text).to_owned();
    match state.view().overlay {
        Some(Overlay::Consent { .. }) => say(match state.is_masked() {
            true => "Type the last four digits of the real account to say yes, or no.",
            false => "Type the last four digits of the account to say yes, or no.",
        }),
        Some(Overlay::Resume) => match (state.can_resume(), state.resume_label()) {
            (true, "resume") => say("Press Enter to resume, or type fresh to start over, q to quit."),
            (true, _) if state.can_start_afresh() => {
                say("Press Enter to look again, or type fresh to start over, q to quit.")
            }
            (true, _) => say("Press Enter to try again, q to quit."),
            (false, _) => say("Type fresh to start over, q to quit."),
        },
        Some(Overlay::Experiments { .. }) => {
            let count = Experiment::ALL.len();
            words.fill("Type 1 to {} to choose one, or back for the stage, q to quit.", &[&count])
        }
        Some(Overlay::Quit) => say("Type c to clean up and then leave, q to leave everything, or s to stay."),
        Some(Overlay::Debrief) => {
            let next = match state.debrief_question() {
                Some(asked) if state.debrief().is_open() => {
                    words.fill("Type 1 to {}, s to skip", &[&asked.answers.len()])
                }
                Some(_) => say("Press Enter to go on, or type card for the card"),
                None => say("Type answers for your answers, export to write up this lab"),
            };
            words.fill("{}, q to quit.", &[&next])
        }
        None if state.mode() == Mode::Writing && !state.is_drilling() => {
            say("Type send to send it as it is, write to write it again, or drop to leave it, q to quit.")
        }
        None if state.mode() == Mode::Tried => words.fill("{}, ? for help, q to quit.", &[&next_after_attempt(state)]),
        _ if state.is_drilling() => words.fill("{}, ? for help, q to stop.", &[&super::drill::next(state)]),
        _ => words.fill("{}, ? for help, q to quit.", &[&next(state)]),
    }
}

/// What can be done next when an attempt has ended.
fn next_after_attempt(state: &State) -> String {
    let words = state.interface();
    if state.attempts().came() == Some(Came::Allowed) {
        return words.say("Type why, or press Enter to go on").to_owned();
    }
    let can_undo = state.permit(Intent::Undo) == Permit::Yes;
    let others = [(can_undo, "undo to undo it"), (true, "drop for the usual way")];
    words.say("Press Enter to write it again").to_owned() + &listed(state, &others)
}

/// What can be done next, as the beginning of a sentence.
fn next(state: &State) -> String {
    if let Some(which) = state.view().experiment {
        return next_of_experiment(state, which);
    }
    let words = state.interface();
    match &state.shown().status {
        Status::Todo => match state.open_question() {
            Some(asked) if asked.is_open() => {
                words.fill("Type 1 to {}, s to skip", &[&asked.answers.len()])
                    + listed(state, &[(state.has_hint(), "h for a hint")]).as_str()
            }
            asked => {
                let yours =
                    asked.and_then(|asked| asked.chosen).map(|at| words.fill("Your answer is {}. ", &[&(at + 1)]));
                let action = state.text(state.view().shown).action;
                let is_offered = state.permit(Intent::ChooseWay(Mechanism::KeyPolicy)) == Permit::Yes;
                yours.unwrap_or_default()
                    + &words.fill("Press Enter: {}", &[&action])
                    + &listed(state, &[(is_offered, "or type compare to write it yourself")])
            }
        },
        // What runs is not asked about, but for a call that waits to be looked at.
        Status::Running => words.say("Press Enter to send it, or type no to send nothing").to_owned(),
        Status::Done(check) => {
            let onward = words.say(match (has_denial(state), state.view().shown.next()) {
                (true, Some(_)) => "Type why, or press Enter for the next stage",
                (false, Some(_)) => "Press Enter for the next stage",
                (true, None) => "Type why, or press Enter for what to take home",
                (false, None) => "Press Enter for what to take home",
            });
            let (retries, replays) = (state.can_retry(), state.can_replay());
            let is_drilled = state.permit_behind_page(Intent::Drill(DrillAction::Open)) == Permit::Yes;
            let others = [
                (retries && check.met, "r to send the calls again"),
                (retries && !check.met, "r to try again"),
                (replays && !state.is_replay(), "f for the recorded answers"),
                (replays && state.is_replay(), "f for the live responses again"),
                (state.has_experiments(), "break for the experiments"),
                (is_drilled, "drills for the drills"),
            ];
            onward.to_owned() + &listed(state, &others)
        }
    }
}

/// What else can be typed, each behind a comma.
fn listed(state: &State, choices: &[(bool, &'static str)]) -> String {
    let possible = choices.iter().filter(|(is_possible, _)| *is_possible);
    possible.map(|(_, text)| format!(", {}", state.interface().say(text))).collect()
}

/// Whether a denied call is shown, which `why` explains.
fn has_denial(state: &State) -> bool {
    let is_denied = |call: &Call<'_>| matches!(call, Call::Answered(exchange) if exchange.verdict.key() == "denied");
    Identity::BOTH.into_iter().any(|identity| state.selected_call(identity).is_some_and(|call| is_denied(&call)))
}

/// What can be done next in an experiment.
fn next_of_experiment(state: &State, which: Experiment) -> String {
    let words = state.interface();
    let text = match &state.shown().status {
        Status::Todo if state.is_out_of_reach(which) => "Type break for the list",
        Status::Todo => match state.open_question().filter(|asked| asked.is_open()) {
            Some(asked) => {
                return words.fill("Type 1 to {}, s to skip, break for the list", &[&asked.answers.len()]);
            }
            None => "Press Enter to try it, or type break for the list",
        },
        Status::Running => "Press Enter to stop waiting and go on, or type no to stop and undo",
        Status::Done(_) => match (has_denial(state), which.next().is_some()) {
            (true, true) => "Type why, or press Enter for the next experiment, r to try again, break for the list",
            (true, false) => "Type why, or press Enter for the list, r to try again, break for the list",
            (false, true) => "Press Enter for the next experiment, r to try again, break for the list",
            (false, false) => "Press Enter for the list, r to try again, break for the list",
        },
    };
    words.say(text).to_owned()
}

/// The commands of a drill.
const IN_DRILL: [&str; 7] = [
    "1, 2 and so on: name the lock, the rung, then the fix.",
    "look 1 to look 4: the key policy, the IAM policies, the grants and the key's state. Looking is free.",
    "h: a hint, for a point. w or why: why test-user was denied, for a point. why all: with the statements.",
    "level: the next level, before your first answer. again: read the drill once more.",
    "Enter alone: at level 3, both Scans again after your fix. Once the drill is solved: go on.",
    "r: the drill again, once it is solved. u: undo again what could not be undone.",
    "q: stop. What the drill changed is undone.",
];

/// The commands.
pub fn help(state: &State) -> Vec<String> {
    let words = state.interface();
    let mut lines = vec!["Type one of these, then Enter:"];
    if state.is_drilling() {
        lines.extend(IN_DRILL);
        return lines.into_iter().map(|text| words.say(text).to_owned()).collect();
    }
    if state.quiz().asks() {
        lines.push("1 to 4: answer the question. s: skip it. h: a hint, then another.");
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
            "write key policy, write iam policy, write grant: at stage 7, write it yourself. Then send or drop. undo: undo it.",
            "drills: faults to diagnose and fix, after stage 8. break or x: the experiments. undo or u: undo again what an experiment couldn't. back: leave it.",
            "shell or !: a shell for this lab; exit comes back.",
            "export: write up this lab, into files in this folder.",
            "q: leave; asks first if something would stay behind. Ctrl-C leaves at once.",
        ],
    );
    lines.into_iter().map(|text| words.say(text).to_owned()).collect()
}
