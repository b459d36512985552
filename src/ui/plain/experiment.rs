//! Experiments in lines.

use std::fmt::Display;

use super::{answered, call, observed, question, said, sources};
use crate::lab::model::prose::sentence;
use crate::lab::{Call, CallId, Check, Experiment, State, Status};

/// The list, with a number to type for each.
pub fn experiments(state: &State) -> Vec<String> {
    let words = state.interface();
    let row = |which: Experiment| {
        let title = state.experiment(which).title.as_str();
        let text = match &state.trial(which).status {
            Status::Done(check) if check.met => words.fill("{}, tried", &[&title]),
            Status::Done(_) => words.fill("{}, not met", &[&title]),
            Status::Running => words.fill("{}, running", &[&title]),
            Status::Todo if state.is_out_of_reach(which) => words.fill("{}, not possible here", &[&title]),
            Status::Todo => match &state.experiment(which).teaser {
                Some(teaser) => format!("{title}. {teaser}"),
                None => title.to_owned(),
            },
        };
        format!("{}. {text}", which.index() + 1)
    };
    let count = Experiment::ALL.len();
    let lead = words.fill("{} experiments. Each breaks what the lab made, and then undoes it.", &[&count]);
    [String::new(), lead].into_iter().chain(Experiment::ALL.into_iter().map(row)).collect()
}

/// An experiment: its heading, what it changes, and its question.
pub fn experiment(state: &State, which: Experiment) -> Vec<String> {
    let text = state.experiment(which);
    let values: [&dyn Display; 3] = [&(which.index() + 1), &Experiment::ALL.len(), &text.title];
    let heading = state.interface().fill("Experiment {} of {}: {}", &values);
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
        let words = state.interface();
        if let Some(first) = lines.first_mut() {
            match (state.is_undo(&of), state.is_later(&of)) {
                (true, _) => *first = words.fill("Undo. {}", &[first]),
                (false, true) => *first = words.fill("After the wait. {}", &[first]),
                (false, false) => {}
            }
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
