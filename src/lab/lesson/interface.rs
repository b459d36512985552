//! The interface's words. The program has them in English; the table `[interface]` in a language's `lesson.toml` says
//! each of them in that language.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use super::Frame;
use super::audience::AUDIENCE;
use super::files::FALLBACK;
use super::sentences::SENTENCES;
use super::spoken::SPOKEN;
use super::translation::{places, translated};

/// All of them, each a name of the table. `{}` stands for what is put in.
pub const ALL: &[&str] = &[
    // What other clients do.
    "You ran {}. Stage {} is done.",
    "You ran {}. The lab uses your key from now on. Stage {} is done.",
    "You ran {}, and the table has its items. Stage {} is done.",
    "You ran {}. The lab made an access key for {}. Stage {} is done.",
    "You ran {} as test-user, and KMS refused it. Stage {} is done.",
    "You ran {}, and test-user can read. Stage {} is done.",
    "You ran {}, and nothing is left. Stage {} is done.",
    "You ran {}: test-user can read, but admin is locked out of the key. test-user can still change the policy.",
    "You ran {}: test-user can read, but admin is locked out of the key. {} starts over with a new key; on AWS only AWS \
     Support could help.",
    "You ran {}. Next, put three items into the table.",
    "You ran {}. Next, give the user a policy for DynamoDB.",
    "You ran {}. Still there: {}.",
    "You ran {}, but {} rejected it. Nothing has changed.",
    "You ran {}, but test-user is still refused: {}.",
    "You ran {}. The goal of stage {} isn't reached: {}.",
    "You deleted test-user's access key. The lab made a new one, so that it can still check this stage.",
    "You ran {}. The lab keeps it; stage {} comes first.",
    "You ran {}. Until the key is enabled again, every Scan fails.",
    "You ran {}. Stage {} has to be done again.",
    "no statement names test-user",
    "it doesn't allow kms:Decrypt",
    "it allows kms:Decrypt on {}, and the call is on {}",
    "the grant is for {}",
    "a condition or a Deny stops it",
    "nothing was sent from the shell",
    "a read leaves no trace here: {} checks stage {}",
    "nothing has changed yet; the lab keeps looking",
    "A read leaves no trace. If the lab doesn't notice yours, come back and press {}.",
    "Note",
    "kmslab: a shell for this lab, stage {} of {}. The lab keeps running. Type exit to go back.",
    "kmslab: a shell for this drill. The lab keeps running. Type exit to go back: both scan then.",
    "kmslab: a shell for this experiment. The lab keeps running. Type exit to go back.",
    "{} Use any call you like, as either person:",
    "(the default here)",
    "Goal",
    "Names",
    "Safe",
    "Stuck?",
    "Endpoint, region and both profiles work in this shell only. They are not real AWS keys.",
    "Endpoint, region and both profiles work in this shell only.",
    "Both profiles are set in this shell only. These are real calls in account …{}.",
    "kmslab hint shows commands for this stage.",
    "what you did",
    "checked by the lab",
    "checking stage {} …",
    "AWS says",
    "you sent",
    "the key had",
    "not in yours",
    "{} statements",
    "1 statement",
    "PutKeyPolicy replaces the whole document. What you leave out is gone.",
    "+ {} reads",
    "key policy",
    "IAM policy",
    "grant",
    "shell",
    "shell again",
    "your calls",
    "you have sent nothing of your own yet",
    // What a stage does and what came of it.
    "{} to answer, {} to skip",
    "waiting before asking again",
    "1 call in progress",
    "{} calls in progress, sent at the same time",
    "send PutKeyPolicy: this call replaces the whole policy",
    "send nothing; you can start this stage again",
    "This experiment changes test-user's own policies, so the lab must have created that user.",
    "waiting until DynamoDB has no table key in memory",
    // The debrief.
    "debrief   {} of {}",
    "debrief   once more, {} of {}",
    "the card to keep",
    "drills: {} points",
    "written in this folder: {}, and your result, {}",
    "nothing written: {}",
    "nothing written: this session isn't saved",
    "export",
    "your answers",
    "sources",
    "to the card",
    "$EDITOR",
    "True or false?",
    "Once more:",
    "In stage {} you said: {}. Try it again.",
    "You skipped this question in stage {}. Try it now.",
    "Stage {} didn't ask you this. Try it now.",
    "A question that no stage asked.",
    "in the debrief",
    "Then: {} claims, true or false.",
    // Hands up.
    "class",
    "RIGHT",
    "{} of {} right",
    "{} of {} experiments tried",
    "hands up: {} in all",
    // Phones that vote.
    "{} of {} voted",
    "join the vote",
    "Your remote, for one phone. Keep this address secret:",
    "Open this address on your phone:",
    "same network as this computer",
    "join code",
    "hide the code",
    "with an audience: the code that phones join with",
    "A letter, then its number: {} 12 {} 3; {} deletes a digit.",
    "Ignored: {}, which is not an answer, and what follows it.",
    "Ignored: an answer's letter must come before its number.",
    "Ignored: {} has more than {}.",
    "Press {} again to keep the rest.",
    "{} keeps it · {} discards it",
    "{} closes",
    // Around the panes' answers.
    "sent; no response yet",
    "Nothing was sent.",
    "Nothing changes: the policy already says all of this.",
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
    "no match",
    "search",
    "match",
    "keep",
    "Path: {}",
    "AWS says: {}",
    "{} makes no call in this stage.",
    "{} makes no call in this experiment.",
    "{} of {}",
    "{} more line",
    "{} more lines",
    "{} line above",
    "{} lines above",
    "{} above",
    "{} more",
    "before",
    "As expected.",
    "As expected: {}",
    "Not as expected: {}",
    "Only the key policy changed.",
    "Only test-user's IAM policy changed.",
    "Only a grant is new.",
    "You said {}. Right.",
    "You said {}. Not quite.",
    "You said {}. Not quite: {}",
    "No answer given.",
    "The answer: {}",
    "break it: {} experiments",
    "drills: find the fault",
    "this call replaces the whole policy",
    "no response",
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
    "ask",
    "q & a",
    "sent",
    "answer",
    "waiting for an answer",
    "calls in progress",
    "waiting for your OK",
    "the debrief",
    "{} min",
    "your answer",
    "leave",
    "another lab ({} more)",
    "other keys drive the lab",
    "the lab is at {}",
    "only in the lab's own window",
    "no answer from the lab",
    "not sent: no lab answers",
    "STOPPED {} ago",
    "LAST PAGE",
    "The lab has stopped. What to do:",
    "closed {} ago",
    "The lab is closed: {}.",
    "To end with, ask the class: true or false?",
    "In its window, start kmslab again, with the same options.",
    "Press {}. It resumes at stage {}.",
    "This screen follows it by itself. The clock keeps running.",
    // The message line, where nothing is wrong.
    "answer first, or press {} to skip",
    "press again to skip the question",
    "press {} again to leave; your progress is saved",
    "press {} again to leave; nothing is saved",
    "press {} again to stop the drills",
    "press {} again to forget this session and start over",
    "ask for help",
    "next name",
    "drills solved: {} of {}, {} point",
    "drills solved: {} of {}, {} points",
    "no help needed",
    "in a class: tell the teacher that you need help, or take it back",
    "your teacher sees that you need help; {} takes it back",
    "you no longer ask for help",
    "; `{}` writes it up",
    "; `{}` resumes here, `{} --fresh` starts over",
    "; `{}` with the same options resumes here; --fresh starts over",
    "nothing to explain yet: {}",
    "nothing to show yet: {}",
    "nothing to copy yet: {}",
    "this response is empty",
    "nothing to compare in this stage",
    "nothing to compare in this experiment",
    "the experiment undoes its changes itself",
    "nothing to undo: everything is as the lab left it",
    "wait until this experiment has finished",
    "the experiments come after stage {}: they break what the lab made",
    "no more experiments: clean-up removed what they would break",
    "the drills open after stage 8: they break what the lab has made",
    "the drills are over: clean-up removed what they break",
    "no drills on AWS: there each fix takes five minutes to show",
    "undo first what an experiment has left",
    "this is the last experiment",
    "finish this stage first: {} sends its calls",
    "wait until this stage has finished",
    "this is the last stage",
    "finish this stage first: {} tries it again",
    "{} sends the call",
    "no response yet",
    "{} sent nothing",
    "{}: {} experiments that break this (only before clean-up)",
    "sandbox clock: +{} min {} s",
    "the key policy hasn't been sent: press again to send it",
    "stage {} needs your OK: press {} or {} there first",
    "playing: waiting for your answer · {} plays it · {} skips",
    "playing: your answer, {} or {} continues",
    "playback has ended: the lab is yours",
    "nothing sent: the key policy is unchanged",
    "setting up stage {}: stage {} · {} stops",
    "stops after this stage",
    "stopped here on the way to stage {}",
    "not restarted: something is left, see above",
    "End of the lab: {}.",
    "{} of {} stages met",
    "{}, {} shown as REPLAY",
    // Lists, dialogs and pages.
    "why?",
    "what KMS was asked",
    "{} shows it",
    "{} sets it up",
    "{} stays",
    "leave?",
    "start over?",
    "running",
    "later",
    "your OK",
    "If you leave now, this stays until `kmslab cleanup`, and may cost money:",
    "Calls are in progress; clean-up starts after them.",
    "You start over with stage 1, as a new run. Answers, votes and times are forgotten.",
    "First the lab removes everything that this run made. Then you start over with stage 1, as a new run.",
    "not now",
    // What the footer says of keys.
    "again",
    "another hint",
    "at rest",
    "back",
    "start over",
    "blank",
    "both panes",
    "break it",
    "call",
    "choose",
    "clean up, then leave",
    "clicker",
    "a question is open: press once more to pass over it",
    "close",
    "consent",
    "copy",
    "count",
    "debrief",
    "don't send it",
    "drills",
    "ends",
    "experiment",
    "explains",
    "resume",
    "continue now",
    "half a page",
    "keys",
    "hint",
    "hint −1",
    "leave everything",
    "lesson",
    "level",
    "list",
    "live again",
    "look",
    "look again",
    "compare",
    "the result",
    "next drill",
    "pane",
    "quit",
    "replay",
    "rung",
    "billboard",
    "scroll",
    "send both Scans",
    "send it",
    "set up what comes before",
    "show this experiment",
    "show this stage",
    "skip",
    "stages",
    "stay",
    "stop",
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
    "why −1",
    "zoom",
    // Stage 7's three ways, and its editor.
    "not JSON yet: line {}",
    "a statement is a JSON object",
    "CreateGrant takes no such {}",
    "the key policy has not been read",
    "reading the policies that decide",
    "it is too long",
    "{} will reject it: {}",
    "admin could no longer change the policy",
    "KMS rejects principals that don't exist, and the lab doesn't know {}",
    "{} is no operation of a grant on this key",
    "{} is no principal",
    "who test-user is has not been read",
    "{} denies it: no allow overrides a Deny",
    "{} allows test-user {}",
    "{} allows it, but the key policy doesn't let IAM decide",
    "{} lets IAM decide, and no IAM policy allows it",
    "no statement allows {}",
    "the grant",
    "your statement",
    "{} is for {}, and the caller is test-user",
    "{} excludes test-user",
    "{} excludes {}",
    "{} allows {}; the call is {}",
    "{} denies {}; the call is {}",
    "Resource is {}. In a key policy, \"*\" means this key",
    "Resource is {}; the call is on {}",
    "{} must match {}; the request has none",
    "{} must match {}; the request has {}",
    "the request's encryption context has more pairs",
    "the key",
    "the table",
    "the alias",
    "the account",
    "{} to {}",
    "no statement matches: line {} names nobody",
    "no statement matches: line {} names no action",
    "no statement matches: line {} names no resource",
    "the grant is incomplete: line {} names no grantee",
    "the grant is incomplete: line {} names no operation",
    "the grant is incomplete: line {} names no table",
    "line {} has a blank",
    "who gets it?",
    "which operations?",
    "for which table?",
    "whose ARN?",
    "which action?",
    "which resource?",
    "what?",
    "not sent: {}",
    "undone: everything is as it was before",
    "not undone: see the responses",
    "the lab changes no policies of a user that it didn't create",
    "Nothing allows test-user to use the key. Any one of these three can. Which would you choose?",
    "stored with",
    "the user or role",
    "the key, as its own record",
    "counts",
    "always",
    "if the key policy lets IAM decide",
    "choose it for",
    "a few callers you can name; the key's owner decides",
    "many callers or keys, managed in one place",
    "access that comes and goes, and for AWS services",
    "can deny",
    "yes",
    "no",
    "the call",
    "to undo",
    "PutKeyPolicy again",
    "Stored with the key; names the principal. For a few callers you can name, when the key's owner should decide. PutKeyPolicy replaces the whole policy.",
    "Attached to the user or role; its Resource must match the key's ARN. Counts only if the key policy lets IAM decide. For many callers or keys, managed in one place. The call is PutUserPolicy.",
    "A record of its own: one key, one principal, a list of operations. It can never deny. For access that comes and goes, and for AWS services. The call is CreateGrant.",
    "write it yourself, in an editor with blanks",
    "the usual way: the lab adds the console's two key-user statements to the key policy",
    "2 is not offered: the lab changes no policies of a user that it didn't create.",
    "key policy, your new statement",
    "IAM policy of test-user, its statement",
    "grant, the parameters of CreateGrant",
    "Fill the blanks. It is sent as you write it, right or wrong.",
    "Change what you like. It is sent as you write it, right or wrong.",
    "key policy, the whole document",
    "IAM policy of test-user",
    "not accepted: {}",
    "no blank left",
    "1 blank left",
    "{} blanks left",
    "= stays: {} · PutKeyPolicy replaces the whole policy, so the lab sends it along.",
    "The lab makes it an inline policy of test-user: no Principal, it is test-user's own.",
    "The lab adds the key's id and a name.",
    "forecast",
    "nothing sent yet",
    "names you can insert: {}",
    "alias",
    "table's name",
    "both: {}, sent just now",
    "that is a secret: the lab doesn't keep it, and no policy needs one",
    "until you leave, the console's statements replace your {}",
    "your own {} stands again",
    "your own {} could not be put back; the console's statements stand",
    "rung that moved",
    "unchanged",
    "open to",
    "only through",
    "also allows",
    "kept while",
    "any use by test-user, not only through DynamoDB",
    "the key policy has your statement; PutKeyPolicy replaces all of them",
    "test-user has your policy, and {} lets IAM decide",
    "test-user has your policy, and the key policy lets IAM decide",
    "nobody revokes or retires your grant",
    "sent as you wrote it: waiting for the responses",
    "{} rejected it. Nothing has changed.",
    "Not yet. KMS created your grant, and test-user is still refused.",
    "Not yet. {} stored your policy, and test-user is still refused.",
    "As you wrote it, test-user can read. Stage 7 is done.",
    "explicit Deny",
    "IAM policies",
    "grants",
    "moved",
    "before: {}",
    "a Deny matches {}: an explicit deny",
    "nothing allows {}: an implicit deny",
    "one allow is enough",
    "AWS's message is the same as before. It names one policy type; it doesn't mention your statement.",
    "write it",
    "next blank",
    "next value",
    "send",
    "insert",
    "editor",
    "insert it",
    "the usual way",
    "edit again",
    "other way",
];

/// The interface's words in one language.
#[derive(Debug, Clone, Copy)]
pub struct Interface<'a>(Option<&'a BTreeMap<String, String>>);

impl<'a> Interface<'a> {
    /// As they stand in the program.
    pub const ENGLISH: Interface<'static> = Interface(None);

    /// Those of this table; what it lacks is English.
    pub fn new(words: &'a BTreeMap<String, String>) -> Interface<'a> {
        Interface((!words.is_empty()).then_some(words))
    }

    /// What `english` is in this language; itself where nobody knows, as of what comes from a lesson.
    pub fn word(self, english: &'a str) -> &'a str {
        self.0.and_then(|words| words.get(english)).map_or(english, String::as_str)
    }

    /// What `english`, which is one of [`ALL`], is in this language.
    pub fn say(self, english: &'static str) -> &'a str {
        debug_assert!(
            ALL.contains(&english) || SPOKEN.contains(&english),
            "{english:?} is none of the interface's words"
        );
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

impl Interface<'_> {
    /// A text that the lab writes in English, since it goes into logs and JSON, too: in this language, by the pattern of
    /// `SENTENCES` that matches most of it. What stands at its places is translated likewise; what no pattern matches
    /// stays as it is.
    pub fn sentence(self, english: &str) -> String {
        match self.0 {
            None => english.to_owned(),
            Some(words) => translated(english, words).unwrap_or_else(|| english.to_owned()),
        }
    }
}

/// All names of the table.
pub fn texts() -> impl Iterator<Item = &'static str> {
    [ALL, SPOKEN, SENTENCES, AUDIENCE].into_iter().flatten().copied()
}

/// What is wrong with a language's table, each with its place in the file.
pub(super) fn problems(language: &str, frame: &Frame) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    for (english, text) in &frame.interface {
        let place = || format!("interface.{english}");
        if !texts().any(|text| text == english) {
            problems.push((place(), format!("the interface does not say {english:?}")));
        } else if places(english) != places(text) {
            problems.push((place(), format!("{text:?} has not as many {{}} as {english:?}")));
        }
    }
    for english in texts().filter(|english| language != FALLBACK && !frame.interface.contains_key(*english)) {
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
        let all = [ALL, SPOKEN].concat();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), all.len());
    }
}
