//! Experiments in lines.

use super::{answered, call, observed, question, said, sources};
use crate::lab::model::prose::sentence;
use crate::lab::{Call, CallId, Check, Experiment, State, Status};

/// The list, with a number to type for each.
pub fn experiments(state: &State) -> Vec<String> {
    let word = |which: Experiment| match &state.trial(which).status {
        Status::Done(check) if check.met => ", tried",
        Status::Done(_) => ", not met",
        Status::Running => ", running",
        Status::Todo if state.is_out_of_reach(which) => ", not possible here",
        Status::Todo => "",
    };
    let row = |which: Experiment| format!("{}. {}{}", which.index() + 1, state.experiment(which).title, word(which));
    let lead = format!("{} experiments. Each breaks what the lab made, and then undoes it.", Experiment::ALL.len());
    [String::new(), lead].into_iter().chain(Experiment::ALL.into_iter().map(row)).collect()
}

/// An experiment: its heading, what it changes, and its question.
pub fn experiment(state: &State, which: Experiment) -> Vec<String> {
    let text = state.experiment(which);
    let heading = format!("Experiment {} of {}: {}", which.index() + 1, Experiment::ALL.len(), text.title);
    let mut lines = vec![String::new(), heading, text.setup.trim().to_owned()];
    if state.trial(which).status != Status::Todo {
        return lines;
    }
    lines.extend(question(state));
    if state.is_out_of_reach(which) {
        let text = "This experiment changes test-user's own policies, so the lab must have created that user.";
        lines.push(state.interface().say(text).to_owned());
    }
    lines
}

/// The answered calls of the shown experiment as sentences. What only undoes a change says so.
pub fn experiment_calls(state: &State) -> Vec<(CallId, Vec<String>)> {
    let told = answered(state).into_iter().map(|exchange| {
        let mut lines = call(state, exchange);
        let of = Call::Answered(exchange);
        let lead = match (state.is_undo(&of), state.is_later(&of)) {
            (true, _) => "Undo. ",
            (false, true) => "After the wait. ",
            (false, false) => "",
        };
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, lead);
        }
        (exchange.id, lines)
    });
    told.collect()
}

/// An experiment's outcome, the explanation of the answer, and what it teaches.
pub fn tried(state: &State, which: Experiment, check: &Check) -> Vec<String> {
    let mut lines = vec![observed(state, check)];
    // An unexpected outcome teaches nothing.
    if check.met {
        lines.extend(state.experiment_question(which).and_then(|asked| said(state, &asked)));
        lines.push(sentence(state.experiment(which).lesson.trim()));
    }
    lines
}

/// The lesson of an experiment. The answers are explained once it has been tried.
pub fn lesson(state: &State, which: Experiment) -> Vec<String> {
    let text = state.experiment(which);
    let is_done = matches!(state.trial(which).status, Status::Done(_));
    let mut ids: Vec<&String> = text.sources.iter().collect();
    let mut lines = vec![text.title.clone(), text.setup.trim().to_owned()];
    if let Some(asked) = state.experiment_question(which) {
        lines.push(asked.question.text.clone());
        for (at, (_, reply)) in asked.answers.iter().enumerate() {
            let explained = if is_done { format!(" {}", reply.explanation.trim()) } else { String::new() };
            lines.push(format!("{}. {}{explained}", at + 1, sentence(&reply.text)));
            ids.extend(reply.sources.iter().filter(|_| is_done));
        }
    }
    if is_done || !state.quiz().asks() {
        lines.push(sentence(text.lesson.trim()));
    }
    lines.extend(sources(state, ids));
    lines
}
