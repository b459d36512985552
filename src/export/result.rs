//! `kmslab export result.json`: a learner's own result. The schema is documented in the guide on learning.
//!
//! It is self-reported: anyone can edit the file. It proves nothing, and helps a teacher to see what was hard.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::lab::debrief::Item;
use crate::lab::saving::{SavedStage, Times};
use crate::lab::{Choice, DrillResult, Experiment, Lesson, SavedSession};

/// The version of the schema. It grows when a member changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// A learner's result.
#[derive(Debug, Serialize)]
struct LabResult<'a> {
    schema: u32,
    program: String,
    self_reported: bool,
    name: Option<&'a str>,
    run: &'a str,
    backend: &'a str,
    language: &'a str,
    /// RFC 3339.
    started: Option<String>,
    /// From the first call to the last response.
    seconds: Option<u64>,
    stages_met: usize,
    stages: Vec<StageResult>,
    experiments: Vec<ExperimentResult>,
    drills: &'a [DrillResult],
    debrief: Vec<DebriefResult>,
}

#[derive(Debug, Serialize)]
struct StageResult {
    stage: &'static str,
    /// `null` for a stage that has not ended.
    met: Option<bool>,
    /// From the end of the stage before, so reading and answering count. The first stage counts from its first call.
    seconds: Option<u64>,
    answer: AnswerResult,
    hints: usize,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum AnswerResult {
    Right,
    Wrong,
    Skipped,
    None,
}

#[derive(Debug, Serialize)]
struct ExperimentResult {
    experiment: &'static str,
    answer: AnswerResult,
}

#[derive(Debug, Serialize)]
struct DebriefResult {
    /// The stage of a question; `null` for a claim.
    stage: Option<&'static str>,
    /// The number of a claim, from 1; `null` for a question.
    claim: Option<usize>,
    /// The number of a question that no stage asks, from 1; otherwise `null`.
    extra: Option<usize>,
    answer: AnswerResult,
    /// Whether it was asked for the second time.
    again: bool,
}

/// The result of `saved` as JSON, with the learner's name if one is given.
pub fn result(saved: &SavedSession, lesson: &Lesson, name: Option<&str>) -> String {
    let started = saved.begun();
    let ended = saved.stages.iter().filter_map(|saved| saved.times.ended).max();
    let result = LabResult {
        schema: SCHEMA,
        program: format!("kmslab {}", env!("CARGO_PKG_VERSION")),
        self_reported: true,
        name,
        run: &saved.run,
        backend: &saved.place.backend,
        language: &lesson.code,
        started: started.and_then(rfc3339),
        seconds: started.zip(ended).map(|(started, ended)| ended.saturating_sub(started)),
        stages_met: saved.met(),
        stages: saved.stages.iter().map(|stage| of_stage(stage, saved, lesson)).collect(),
        experiments: Experiment::ALL.into_iter().filter_map(|which| of_experiment(which, saved, lesson)).collect(),
        drills: &saved.drills,
        debrief: saved.debrief.entries().iter().filter_map(of_debrief).collect(),
    };
    // No member can fail to serialize: there are only strings, numbers and lists.
    let mut text = serde_json::to_string_pretty(&result).unwrap_or_default();
    text.push('\n');
    text
}

fn of_stage(stage: &SavedStage, saved: &SavedSession, lesson: &Lesson) -> StageResult {
    let earlier = saved.stages.iter().filter(|other| other.stage < stage.stage).map(|other| other.times);
    let right = lesson.stage(stage.stage).question.right();
    StageResult {
        stage: stage.stage.key(),
        met: stage.check.as_ref().map(|check| check.met),
        seconds: seconds(stage.times, earlier),
        answer: of_choice(saved.quiz.choice(stage.stage), right),
        hints: saved.quiz.hints(stage.stage),
    }
}

/// How long a stage took: from the end of the stage before, or else from its own first call.
fn seconds(times: Times, earlier: impl Iterator<Item = Times>) -> Option<u64> {
    let before = earlier.filter_map(|times| times.ended).max();
    // After a jump back, the newest end of an earlier stage may be later than this stage.
    let before = before.filter(|before| times.begun.is_none_or(|begun| *before <= begun));
    before.or(times.begun).zip(times.ended).map(|(from, ended)| ended.saturating_sub(from))
}

fn of_experiment(which: Experiment, saved: &SavedSession, lesson: &Lesson) -> Option<ExperimentResult> {
    let choice = saved.experiments.choice(which)?;
    let right = lesson.frame.experiments.get(which.index())?.question.right();
    Some(ExperimentResult { experiment: which.id(), answer: of_choice(Some(choice), right) })
}

fn of_debrief(entry: &crate::lab::debrief::Entry) -> Option<DebriefResult> {
    let reply = entry.reply?;
    let answer = match (reply.choice, reply.right) {
        (Choice::Skipped, _) => AnswerResult::Skipped,
        (_, true) => AnswerResult::Right,
        (_, false) => AnswerResult::Wrong,
    };
    let (stage, claim, extra) = match entry.item {
        Item::Question(stage) => (Some(stage.key()), None, None),
        Item::Claim(index) => (None, Some(index + 1), None),
        Item::Extra(index) => (None, None, Some(index + 1)),
    };
    Some(DebriefResult { stage, claim, extra, answer, again: entry.again })
}

fn of_choice(choice: Option<Choice>, right: Option<usize>) -> AnswerResult {
    match choice {
        Some(Choice::Answer(index)) if right == Some(index) => AnswerResult::Right,
        Some(Choice::Answer(_)) => AnswerResult::Wrong,
        Some(Choice::Skipped) => AnswerResult::Skipped,
        None => AnswerResult::None,
    }
}

fn rfc3339(at: u64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(at).ok()?).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn times(begun: u64, ended: u64) -> Times {
        Times { begun: (begun > 0).then_some(begun), ended: (ended > 0).then_some(ended) }
    }

    #[rstest]
    #[case::first_stage(times(100, 103), &[], Some(3))]
    #[case::reading_counts(times(160, 161), &[times(100, 103)], Some(58))]
    #[case::not_ended(times(160, 0), &[times(100, 103)], None)]
    #[case::done_again_later(times(160, 161), &[times(300, 301)], Some(1))]
    #[case::the_stage_between_was_jumped_over(times(160, 161), &[times(100, 103), times(0, 0)], Some(58))]
    fn a_stage_lasts_from_the_end_before(#[case] own: Times, #[case] earlier: &[Times], #[case] expected: Option<u64>) {
        assert_eq!(seconds(own, earlier.iter().copied()), expected);
    }
}
