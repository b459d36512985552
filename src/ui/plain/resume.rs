//! The question whether to resume a saved session, in lines.

use crate::lab::model::prose::sentence;
use crate::lab::resume::Looked;
use crate::lab::{Stage, State};

/// The question; `None` while it isn't asked, or the lab still looks at what is left.
pub fn resume(state: &State) -> Option<Vec<String>> {
    if !state.is_asking_to_resume() {
        return None;
    }
    let (of, words) = (Stage::ALL.len(), state.interface());
    if let Some((stage, reason)) = state.stalled() {
        let first = words.sentence(&format!("No response while the lab verified stage {} of {of}.", stage.number()));
        return Some(vec![String::new(), first, sentence(&words.sentence(reason))]);
    }
    let offer = state.resume_offer().filter(|offer| *offer.looked() != Looked::Looking)?;
    let next = offer.next_stage();
    let met = offer.met();
    let mut lines = vec![
        String::new(),
        match offer.begun(state.now()) {
            Some(begun) => {
                words.fill("A session is saved, begun {}: {} of {} stages met.", &[&words.sentence(&begun), &met, &of])
            }
            None => words.fill("A session is saved: {} of {} stages met.", &[&met, &of]),
        },
        words.fill("It resumes at stage {}: {}", &[&next.number(), &state.text(next).title]),
    ];
    let reason = |reason: &str| sentence(&words.sentence(reason));
    match offer.looked() {
        Looked::Unknown(why) => lines.push(words.fill("The lab can't look what is left: {}", &[&reason(why)])),
        Looked::Never(why) => lines.push(words.fill("It can't resume here: {}", &[&reason(why)])),
        Looked::Done if !offer.found().is_empty() => {
            let found: Vec<String> = offer.found().iter().map(|thing| words.sentence(thing)).collect();
            lines.push(words.fill("Found: {}.", &[&found.join(", ")]));
        }
        Looked::Done | Looked::Looking => {}
    }
    if offer.runs_again() && next > Stage::FIRST {
        lines.push(match next.index() {
            1 => words
                .say("The sandbox ended with the program, so the lab runs stage 1 again. Your answers stay.")
                .to_owned(),
            last => words.fill(
                "The sandbox ended with the program, so the lab runs stages 1 to {} again. Your answers stay.",
                &[&last],
            ),
        });
    }
    if offer.needs_new_access_key() {
        let text =
            "The secret of test-user's access key was in memory only: the lab deletes that key and makes a new one.";
        lines.push(words.say(text).to_owned());
    }
    Some(lines)
}
