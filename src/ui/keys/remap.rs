//! A person's own keys: which action gets which, and whether that works out.

use std::collections::BTreeMap;

use crate::lab::Keymap;

use super::chord::Chord;
use super::row::Binding;
use super::table::KEYS;

/// An action and the keys that it is to have, each with its line in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The action's name.
    pub action: String,
    /// Where it stands.
    pub line: usize,
    /// Names of keys, each with its line.
    pub keys: Vec<(String, usize)>,
}

/// Something that does not work out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line that it is about.
    pub line: usize,
    /// What it is.
    pub message: String,
}

/// How to leave in every program; it stays so, whatever else leaves.
const ALWAYS_QUITS: &str = "ctrl-c";

/// Keys that concern the terminal, in every place.
const TERMINALS: [(&str, &str); 2] = [("ctrl-l", "draws the screen again"), ("ctrl-z", "stops kmslab until `fg`")];

fn bindings() -> impl Iterator<Item = &'static Binding> {
    KEYS.iter().flat_map(|row| row.bindings)
}

/// The names of all actions, each once, in the order of the help.
pub fn actions() -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in bindings().map(|binding| binding.name).filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The key map with these wishes.
///
/// # Errors
/// All that does not work out: an action or a key that does not exist, an action without any key, a key for two actions
/// that may work at the same time.
pub fn remap(wanted: &[Wanted]) -> Result<Keymap, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for wish in wanted {
        let action = &wish.action;
        let mut problem = |line, message| problems.push(Problem { line, message });
        if !actions().contains(&action.as_str()) {
            problem(wish.line, format!("there is no action {action:?}; there are: {}", actions().join(", ")));
            continue;
        }
        let mut names = Vec::new();
        for (name, line) in &wish.keys {
            match Chord::parse(name).map(Chord::name) {
                Ok(name) if names.contains(&name) => {}
                Ok(name) if let Some((_, does)) = TERMINALS.iter().find(|(key, _)| *key == name) => {
                    problem(*line, format!("{action}: {name:?} {does}"));
                }
                Ok(name) => names.push(name),
                Err(error) => problem(*line, format!("{action}: {error}")),
            }
        }
        if wish.keys.is_empty() {
            problem(wish.line, format!("{action} is left without a key"));
        }
        if action == "quit" && !names.iter().any(|name| name == ALWAYS_QUITS) {
            names.push(ALWAYS_QUITS.to_owned());
        }
        own.insert(action.clone(), names);
    }
    let keymap = Keymap::new(own);
    // A key that is none may be what is in the way.
    if problems.is_empty() {
        problems = conflicts(&keymap, wanted);
    }
    if problems.is_empty() { Ok(keymap) } else { Err(problems) }
}

/// The action whose usual key may be given to another.
const YIELDS: &str = "ask_for_help";

/// The keys that two actions have in the same place.
fn conflicts(keymap: &Keymap, wanted: &[Wanted]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut told: Vec<([&str; 2], String)> = Vec::new();
    let line_of = |action: &str| wanted.iter().find(|wish| wish.action == action).map(|wish| wish.line);
    let name = |binding: &Binding| match binding.name {
        "" => "what is typed in a dialog or a list".to_owned(),
        name => name.to_owned(),
    };
    for (at, one) in bindings().enumerate() {
        for other in bindings().skip(at + 1) {
            if one.modes().and(other.modes()).is_empty() || one.name == other.name {
                continue;
            }
            // It is for classes alone: a person's own key is worth more.
            if [one.name, other.name].contains(&YIELDS) && line_of(YIELDS).is_none() {
                continue;
            }
            let theirs = other.keys(keymap);
            for key in one.keys(keymap).iter().filter(|key| theirs.contains(key)) {
                // The same two may meet more than once, in either order.
                let mut pair = [one.name, other.name];
                pair.sort_unstable();
                if told.contains(&(pair, key.clone())) {
                    continue;
                }
                told.push((pair, key.clone()));
                // The usual keys are none of them: one of the two has been asked for.
                let line = line_of(one.name).max(line_of(other.name)).unwrap_or(0);
                let message = format!("the key {key:?} is for both {} and {}", name(one), name(other));
                problems.push(Problem { line, message });
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::lab::{Mode, Modes};

    use super::*;

    /// `action: key key`, one a line.
    fn wanted(wishes: &str) -> Vec<Wanted> {
        let wish = |(at, wish): (usize, &str)| {
            let (action, keys) = wish.split_once(':').unwrap();
            let keys = keys.split_whitespace().map(|key| (key.to_owned(), at + 1)).collect();
            Wanted { action: action.to_owned(), line: at + 1, keys }
        };
        wishes.lines().enumerate().map(wish).collect()
    }

    #[test]
    fn the_usual_keys_are_nobody_elses() {
        assert_eq!(remap(&[]), Ok(Keymap::default()));
        // Nothing is without a name but what is typed as it is.
        let unnamed = bindings().filter(|binding| binding.name.is_empty());
        let typed = [Mode::Consent, Mode::List, Mode::Votes, Mode::Writing].map(Modes::of);
        assert!(unnamed.into_iter().all(|binding| typed.contains(&binding.modes())));
    }

    #[rstest]
    #[case::one("advance: %", "advance", &["%"])]
    #[case::several("advance: % F2 f2", "advance", &["%", "F2"])]
    #[case::swapped("down: k\nup: j", "down", &["k"])]
    #[case::elsewhere_it_is_free("retry: s", "retry", &["s"])]
    #[case::in_a_dialog("clean_up: h", "clean_up", &["h"])]
    #[case::of_classes("hint: H", "hint", &["H"])]
    #[case::there_is_always_a_way_out("quit: %", "quit", &["%", "ctrl-c"])]
    fn keys_are_given_to_actions(#[case] wishes: &str, #[case] action: &str, #[case] keys: &[&str]) {
        let keymap = remap(&wanted(wishes)).unwrap();
        assert_eq!(keymap.keys(action).unwrap(), keys);
    }

    #[rstest]
    #[case::action("advnce: %", 1, "there is no action \"advnce\"; there are: advance, start_afresh, ")]
    #[case::key("skip: %\nhint: hh", 2, "hint: there is no key \"hh\"")]
    #[case::none("quit: ", 1, "quit is left without a key")]
    #[case::wanted_by_both("hint: H\nask_for_help: H", 2, "the key \"H\" is for both hint and ask_for_help")]
    #[case::taken("hint: s", 1, "the key \"s\" is for both skip and hint")]
    #[case::both("zoom: %\nview: %", 2, "the key \"%\" is for both view and zoom")]
    #[case::quit("retry: q", 1, "the key \"q\" is for both retry and quit")]
    #[case::interrupt("retry: ctrl-c", 1, "the key \"ctrl-c\" is for both retry and quit")]
    #[case::redraw("retry: ctrl-l", 1, "retry: \"ctrl-l\" draws the screen again")]
    #[case::digit("back: 7", 1, "the key \"7\" is for both what is typed in a dialog or a list and back")]
    fn failed_steps_are_reported(#[case] wishes: &str, #[case] line: usize, #[case] says: &str) {
        let problems = remap(&wanted(wishes)).unwrap_err();
        assert_eq!((problems.len(), problems[0].line), (1, line), "{problems:?}");
        assert!(problems[0].message.starts_with(says), "{problems:?}");
    }
}
