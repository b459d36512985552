//! The score, as the screen says it.

use crate::lab::snapshot::ClassScore;
use crate::lab::{Score, State};

/// The score in the lesson's words: the person's, and the class's, whose teacher skipped the question.
pub fn text(state: &State, score: Score) -> String {
    let words = state.lesson().words();
    let of_class = ClassScore::of(state);
    let skipped = score.skipped.saturating_sub(of_class.map_or(0, |class| class.questions));
    let answered = (score.answered > 0).then(|| format!("{}/{} {}", score.right, score.answered, words.score));
    let skipped = (skipped > 0).then(|| format!("{skipped} {}", words.score_skipped));
    let class = of_class
        .map(|class| format!("{} {}/{} {}", state.interface().say("class"), class.right, class.hands, words.score));
    let corrected = state.corrected();
    let corrected = (corrected > 0).then(|| format!("{corrected} {}", words.score_corrected));
    let parts: Vec<String> = answered.into_iter().chain(skipped).chain(corrected).chain(class).collect();
    parts.join(" · ")
}

/// The same after a summary; empty where nothing was answered.
pub fn after_summary(state: &State) -> String {
    let score = state.score().map(|score| text(state, score)).filter(|text| !text.is_empty());
    score.map(|text| format!(", {text}")).unwrap_or_default()
}
