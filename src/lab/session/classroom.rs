//! A lab that belongs to a class: it reports its progress, and the learner can ask for help.

use super::state::State;
use crate::lab::kernel::event::Command;

/// Asks for help, or takes that back.
pub(super) fn ask_for_help(state: &mut State) -> Vec<Command> {
    let asks = !state.asks_for_help();
    state.presenting.asks_for_help = Some(asks);
    let key = state.view.keys.first("ask_for_help", "H").to_owned();
    let words = state.interface();
    let text = match asks {
        true => words.fill("your teacher sees that you need help; {} takes it back", &[&key]),
        false => words.say("you no longer ask for help").to_owned(),
    };
    state.view.message = Some(text);
    Vec::new()
}
