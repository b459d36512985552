//! The interface's words. The program has them in English; the table `[interface]` in a language's `lesson.toml` says
//! each of them in that language.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use super::{FALLBACK, Frame};

/// All of them, each a name of the table. `{}` stands for what is put in.
pub const ALL: &[&str] = &[
    // What a stage does and what came of it.
    "{} answers, {} skips",
    "waiting before asking again",
    "1 call under way",
    "{} calls under way, sent at the same time",
    "send PutKeyPolicy: this call replaces the whole policy",
    "send nothing; the stage can be begun again",
    "This one changes test-user's own policies: it needs a user that the lab makes.",
    "waiting until DynamoDB has no table key in memory",
    // Hands up.
    "class",
    "RIGHT",
    "{} of {} right",
    "{} of {} experiments tried",
    "hands up: {} in all",
    "A letter, then its number: {} 12 {} 3; {} takes a digit back.",
    "Not taken: {} is no answer, nor is what follows.",
    "Not taken: a number needs the letter of an answer before it.",
    "Not taken: {} has more than {}.",
    "{} once more takes the rest.",
    "{} takes it · {} forgets it",
    "{} closes",
    // Around the panes' answers.
    "will be sent",
    "comes next",
    "sent; no answer yet",
    "Nothing was sent.",
    "Nothing changes: the policy says all of this already.",
    "summary",
    "{} items",
    "1 item",
    "no items",
    "items",
    "not asked: DynamoDB still had the table key",
    "not asked: DynamoDB owns the key",
    "failed: the key is disabled",
    "failed: the key is pending deletion",
    "{} yes",
    "{} no",
    "{} failed",
    "{} not asked",
    "{} unknown",
    "waiting for {}",
    "{} has no call in this stage.",
    "{} has no call in this experiment.",
    "{} of {}",
    "{} more line",
    "{} more lines",
    "{} line above",
    "{} lines above",
    "{} above",
    "{} more",
    "before",
    "{} s ago",
    "{} min ago",
    "{} h ago",
    "this call replaces the whole policy",
    "no answer",
    "{} tries",
    "attempt {}",
    // Time, and the blank screen.
    "stage",
    "total",
    "on time",
    "{} behind",
    "{} ahead",
    "{} shows the lab again",
    // A play.
    "PLAY",
    // The second screen.
    "notes",
    "looking back from {}",
    "BLANK",
    "now",
    "say",
    "next",
    "asked",
    "answer",
    "the question is open",
    "calls are under way",
    "it waits for your yes",
    "the debrief",
    "{} min",
    "you said {}",
    "leave",
    "another lab ({} more)",
    // The message line, where nothing is wrong.
    "first your answer; {} passes over the question",
    "a question is open: press once more to pass over it",
    "{} once more leaves: the session is kept, and can go on here",
    "{} once more leaves: nothing of this session is kept",
    "nothing to explain yet: {}",
    "nothing to show yet: {}",
    "nothing to copy yet: {}",
    "this answer is empty",
    "this stage has no choices to compare",
    "this experiment has no choices to compare",
    "the experiment undoes its changes itself",
    "nothing to undo: everything is as the lab left it",
    "first the experiment under way ends",
    "the bench opens after stage 8: it breaks what the lab has made",
    "the bench is gone: clean-up has removed what it would break",
    "this is the last experiment",
    "first this stage: {} sends its calls",
    "first this stage ends",
    "this is the last stage",
    "first this stage: {} tries it again",
    "{} sends the call",
    "no answer has come",
    "{} has sent nothing",
    "{}: {} experiments that break this, before clean-up ends it",
    "the sandbox's clock was moved on by {} min {} s",
    "the key policy is not sent yet: press once more to send it",
    "stage {} waits for your yes: {} or {} there comes first",
    "playing: it waits for your answer · {} takes the play's · {} passes over",
    "playing: your answer, {} or {} goes on",
    "the play has ended: the lab is yours",
    "nothing was sent: the key policy is as it was",
    "setting up stage {}: stage {} · {} stops",
    "stops after this stage",
    "stopped here on the way to stage {}",
    "not begun again: something is left, see what was observed",
    "End of the lab: {}.",
    "{} of {} stages met",
    "{}, {} shown as REPLAY",
    // What the footer says of keys.
    "again",
    "another hint",
    "at rest",
    "back",
    "begin afresh",
    "begin again",
    "blank",
    "both panes",
    "break it",
    "call",
    "choose",
    "clean up, then leave",
    "clicker",
    "close",
    "consent",
    "copy",
    "count",
    "debrief",
    "don't send it",
    "ends",
    "experiment",
    "explains",
    "go on",
    "go on now",
    "half a page",
    "help",
    "hint",
    "leave everything",
    "lesson",
    "list",
    "live again",
    "look again",
    "options",
    "pane",
    "quit",
    "replay",
    "scroll",
    "send it",
    "set up what comes before",
    "show this experiment",
    "show this stage",
    "skip",
    "stages",
    "stay",
    "stop here",
    "take it",
    "timer",
    "trail",
    "try again",
    "try it",
    "undo",
    "undo again",
    "view",
    "why",
    "zoom",
];

/// The interface's words in one language.
#[derive(Debug, Clone, Copy)]
pub struct Interface<'a>(Option<&'a BTreeMap<String, String>>);

impl<'a> Interface<'a> {
    /// As they stand in the program.
    pub const ENGLISH: Interface<'static> = Interface(None);

    /// Those of this table; what it lacks is English.
    pub fn new(words: &'a BTreeMap<String, String>) -> Interface<'a> {
        Interface(Some(words))
    }

    /// What `english` is in this language; itself where nobody knows, as of what comes from a lesson.
    pub fn word(self, english: &'a str) -> &'a str {
        self.0.and_then(|words| words.get(english)).map_or(english, String::as_str)
    }

    /// What `english`, which is one of [`ALL`], is in this language.
    pub fn say(self, english: &'static str) -> &'a str {
        debug_assert!(ALL.contains(&english), "{english:?} is none of the interface's words");
        self.word(english)
    }

    /// The same with `values` in place of each `{}`.
    pub fn fill(self, english: &'static str, values: &[&dyn Display]) -> String {
        let mut parts = self.say(english).split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (value, part) in values.iter().zip(parts) {
            // Writing to a string does not fail.
            let _ = write!(text, "{value}{part}");
        }
        text
    }
}

fn places(text: &str) -> usize {
    text.matches("{}").count()
}

/// What is wrong with a language's table, with the place that it is told of.
pub(super) fn problems(language: &str, frame: &Frame) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    for (english, text) in &frame.interface {
        let place = || format!("interface.{english}");
        if !ALL.contains(&english.as_str()) {
            problems.push((place(), format!("the interface does not say {english:?}")));
        } else if places(english) != places(text) {
            problems.push((place(), format!("{text:?} has not as many {{}} as {english:?}")));
        }
    }
    for english in ALL.iter().filter(|english| language != FALLBACK && !frame.interface.contains_key(**english)) {
        problems.push((String::new(), format!("the interface's {english:?} is not translated")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_said_in_a_language_or_in_english() {
        let words = BTreeMap::from([("{} of {}".to_owned(), "{} von {}".to_owned())]);
        let german = Interface::new(&words);
        assert_eq!(german.fill("{} of {}", &[&3, &"9"]), "3 von 9");
        assert_eq!(Interface::ENGLISH.fill("{} of {}", &[&3, &"9"]), "3 of 9");
        assert_eq!((german.say("next"), german.word("ask STS")), ("next", "ask STS"));
    }

    #[test]
    fn each_stands_there_once() {
        let mut sorted = ALL.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), ALL.len());
    }
}
