//! The question whether to resume a saved session, in lines.

use crate::lab::model::prose::sentence;
use crate::lab::resume::Looked;
use crate::lab::{Stage, State};

/// The question; `None` while it isn't asked, or the lab still looks at what is left.
pub fn resume(state: &State) -> Option<Vec<String>> {
    if !state.is_asking_to_resume() {
        return None;
    }
    let of = Stage::ALL.len();
    if let Some((stage, reason)) = state.stalled() {
        let first = format!("No response while the lab verified stage {} of {of}.", stage.number());
        return Some(vec![String::new(), first, sentence(reason)]);
    }
    let offer = state.resume_offer().filter(|offer| *offer.looked() != Looked::Looking)?;
    let next = offer.next_stage();
    let begun = offer.begun(state.now()).map(|begun| format!(", begun {begun}")).unwrap_or_default();
    let mut lines = vec![
        String::new(),
        format!("A session is saved{begun}: {} of {of} stages met.", offer.met()),
        format!("It resumes at stage {}: {}", next.number(), state.text(next).title),
    ];
    match offer.looked() {
        Looked::Unknown(reason) => lines.push(format!("The lab can't look what is left: {}", sentence(reason))),
        Looked::Never(reason) => lines.push(format!("It can't resume here: {}", sentence(reason))),
        Looked::Done if !offer.found().is_empty() => lines.push(format!("Found: {}.", offer.found().join(", "))),
        Looked::Done | Looked::Looking => {}
    }
    if offer.runs_again() && next > Stage::FIRST {
        let stages = if next.index() == 1 { "stage 1".to_owned() } else { format!("stages 1 to {}", next.index()) };
        lines.push(format!("The sandbox ended with the program, so the lab runs {stages} again. Your answers stay."));
    }
    if offer.needs_new_access_key() {
        let text =
            "The secret of test-user's access key was in memory only: the lab deletes that key and makes a new one.";
        lines.push(text.to_owned());
    }
    Some(lines)
}
