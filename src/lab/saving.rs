//! What is saved of a session: enough to resume it after the program has ended, and to write the lab up. It contains no
//! secret.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::lab::feature::attempts;
use crate::lab::feature::debrief::Debrief;
use crate::lab::feature::experiments;
use crate::lab::feature::presenting::hands::Votes;
use crate::lab::feature::presenting::pace::Pace;
use crate::lab::feature::quiz::Quiz;
use crate::lab::model::backend::{Backend, BackendKind};
use crate::lab::model::drill::DrillResult;
use crate::lab::model::exchange::Exchange;
use crate::lab::model::facts::Facts;
use crate::lab::model::masked::Answered;
use crate::lab::model::operation::Operation;
use crate::lab::model::outcome::Check;
use crate::lab::model::stage::Stage;

/// The version of the saved form.
pub(in crate::lab) const VERSION: u32 = 1;

/// Where a session's calls go. A session goes on only where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The kind of backend, as JSONL names it.
    pub backend: String,
    /// The endpoint; `None` is AWS itself, or the sandbox, whose port is another each time.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The admin's profile; `None` is the SDK's default chain.
    pub admin_profile: Option<String>,
    /// test-user's profile; `None` where the lab makes the user.
    pub user_profile: Option<String>,
    /// The folder that keeps the sandbox's data; without one they end with the program.
    pub data: Option<String>,
}

impl Place {
    /// The place of a session on `backend`.
    pub fn new(backend: &Backend) -> Place {
        Place {
            backend: backend.kind.key().to_owned(),
            endpoint: backend.endpoint.clone().filter(|_| backend.kind != BackendKind::Sandbox),
            region: backend.region.clone(),
            admin_profile: None,
            user_profile: None,
            data: None,
        }
    }

    /// Whether it is a sandbox inside of the program.
    pub fn is_sandbox(&self) -> bool {
        self.backend == BackendKind::Sandbox.key()
    }

    /// Whether everything in it is gone when the program ends.
    pub fn is_fleeting(&self) -> bool {
        self.is_sandbox() && self.data.is_none()
    }

    /// Its name without the region.
    pub fn name(&self) -> String {
        match &self.endpoint {
            _ if self.is_sandbox() => "sandbox".to_owned(),
            Some(endpoint) => endpoint.clone(),
            None => "AWS".to_owned(),
        }
    }

    /// In a few words, for a person.
    pub fn describe(&self) -> String {
        let article = if self.is_sandbox() { "the " } else { "" };
        format!("{article}{}, {}", self.name(), self.region)
    }
}

/// When a stage sent its first call and got its last answer, as unix time in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When it began.
    pub begun: Option<u64>,
    /// When it ended.
    pub ended: Option<u64>,
}

/// A saved session. Ids are as they came, whether or not the screen was masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedSession {
    pub(in crate::lab) version: u32,
    /// Where its calls went.
    pub place: Place,
    /// The run's id: it is in the names.
    pub run: String,
    /// When it began, RFC 3339.
    pub created: Option<String>,
    /// What was known.
    pub facts: Facts,
    /// Questions and answers, and the hints that were shown.
    pub quiz: Quiz,
    /// How a class voted.
    #[serde(default)]
    pub(in crate::lab) votes: Votes,
    /// What a presenter's clock showed at the last save.
    #[serde(default)]
    pub(in crate::lab) pace: Pace,
    /// What was written and sent in stage 7.
    #[serde(default, skip_serializing_if = "attempts::Saved::is_empty")]
    pub attempts: attempts::Saved,
    /// What experiments have changed, and the answers to their questions.
    #[serde(default)]
    #[serde(rename = "bench")]
    pub experiments: experiments::Saved,
    /// For each drill the best result and the latest, of this session and earlier ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drills: Vec<DrillResult>,
    /// The debrief, and how far it was.
    #[serde(default)]
    pub debrief: Debrief,
    /// The account in which things might be created.
    pub(in crate::lab) consented: Option<String>,
    /// When the key stopped costing anything.
    pub(in crate::lab) key_ended_at: Option<u64>,
    /// Whether clean-up has begun: what the stages before it have made may be gone.
    pub(in crate::lab) ending: bool,
    /// All stages, in order.
    pub stages: Vec<SavedStage>,
}

/// What is saved of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedStage {
    /// Which.
    pub stage: Stage,
    /// When it was done.
    pub times: Times,
    /// Its outcome, if it has ended.
    pub check: Option<Check>,
    /// Its calls, in order.
    #[serde(with = "shared")]
    pub exchanges: Vec<Arc<Exchange>>,
    /// Calls that were under way.
    pub(in crate::lab) pending: Vec<Operation>,
    /// How far its calls were: see [`Run`](crate::lab::Run).
    pub(in crate::lab) batch: usize,
    pub(in crate::lab) attempt: u32,
    pub(in crate::lab) batch_start: usize,
}

impl SavedStage {
    fn is_met(&self) -> bool {
        self.check.as_ref().is_some_and(|check| check.met)
    }

    /// Whether it has sent anything.
    fn is_begun(&self) -> bool {
        self.check.is_some() || !self.exchanges.is_empty() || !self.pending.is_empty()
    }
}

impl SavedSession {
    /// Whether it has the form that this program writes: every stage once and in order.
    pub fn is_whole(&self) -> bool {
        self.version == VERSION
            && self.stages.iter().map(|kept| kept.stage).eq(Stage::ALL)
            && self.stages.iter().all(|kept| kept.batch_start <= kept.exchanges.len())
            && self.stages.iter().all(|kept| kept.exchanges.iter().all(|exchange| exchange.stage == kept.stage))
    }

    /// When the first call was sent or, where nobody looked at a clock, when the session is said to have begun, as unix
    /// time in seconds.
    pub fn begun(&self) -> Option<u64> {
        let created = || OffsetDateTime::parse(self.created.as_deref()?, &Rfc3339).ok();
        let first = self.stages.iter().find_map(|kept| kept.times.begun);
        first.or_else(|| u64::try_from(created()?.unix_timestamp()).ok())
    }

    /// A stage of it.
    pub fn stage(&self, stage: Stage) -> Option<&SavedStage> {
        self.stages.get(stage.index())
    }

    /// How many stages have ended.
    pub fn ended(&self) -> usize {
        self.stages.iter().filter(|kept| kept.check.is_some()).count()
    }

    /// Whether all stages have ended.
    pub fn is_finished(&self) -> bool {
        self.ended() == self.stages.len()
    }

    /// How many stages were met.
    pub fn met(&self) -> usize {
        self.stages.iter().filter(|kept| kept.is_met()).count()
    }

    /// Where to go on: at the last stage that has ended where that was not met, else after it.
    pub fn next_stage(&self) -> Stage {
        if self.ending {
            return Stage::CleanUp;
        }
        match self.stages.iter().rev().find(|kept| kept.check.is_some()) {
            Some(kept) if kept.is_met() => kept.stage.next().unwrap_or(kept.stage),
            Some(kept) => kept.stage,
            None => Stage::FIRST,
        }
    }

    /// Whether there is something to go on with: begun, and not cleaned up.
    pub fn can_go_on(&self) -> bool {
        let is_begun = self.stages.iter().any(|kept| kept.is_begun() || self.quiz.choice(kept.stage).is_some());
        is_begun && !self.stage(Stage::CleanUp).is_some_and(SavedStage::is_met)
    }
}

/// Where and whether a session is saved, and when each stage was done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Where the session is; it is saved if this is known.
    place: Option<Place>,
    /// When each stage was done.
    times: [Times; Stage::ALL.len()],
    /// Whether clean-up had begun.
    ending: bool,
    /// Whether the person knows that nothing can be saved.
    could_not: bool,
}

impl Progress {
    /// Saves the session at `place` from here on.
    pub(in crate::lab) fn save_at(&mut self, place: Place) {
        self.place = Some(place);
    }

    /// Where the session is saved, if it is.
    pub(in crate::lab) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// When `stage` was done.
    pub(in crate::lab) fn times(&self, stage: Stage) -> Times {
        self.times[stage.index()]
    }

    /// Whether clean-up had begun.
    pub(in crate::lab) fn is_ending(&self) -> bool {
        self.ending
    }

    /// Takes the times of a saved session whose stages are run again.
    pub(in crate::lab) fn redo(&mut self, kept: &SavedSession) {
        self.times = Stage::ALL.map(|stage| kept.stage(stage).map(|kept| kept.times).unwrap_or_default());
    }

    /// Takes over what a saved session knows. Where this one is saved stays.
    pub(in crate::lab) fn resume(&mut self, kept: &SavedSession) {
        self.redo(kept);
        self.ending = kept.ending;
        self.could_not = false;
    }

    /// Notes that the session could not be saved. Returns whether that is new.
    pub(in crate::lab) fn fail(&mut self) -> bool {
        !std::mem::replace(&mut self.could_not, true)
    }

    /// Notes that a stage has ended. One that is only verified has its times.
    pub fn end(&mut self, stage: Stage, begun: Option<u64>, now: u64) {
        let times = &mut self.times[stage.index()];
        times.begun = times.begun.or(begun);
        times.ended = times.ended.or((now > 0).then_some(now));
    }

    /// Forgets a stage, so that it starts over.
    pub fn forget(&mut self, stage: Stage) {
        self.times[stage.index()] = Times::default();
    }
}

/// When the first of `calls` was sent.
pub(in crate::lab) fn begun(calls: &[Answered]) -> Option<u64> {
    let answer = &calls.first()?.answer;
    (answer.at > 0).then(|| answer.at.saturating_sub(answer.duration_us / 1_000_000))
}

impl Quiz {
    /// The saved answers, if questions are asked now; else none.
    pub(in crate::lab) fn resumed(kept: &Quiz, now: &Quiz) -> Quiz {
        if now.asks() && kept.asks() { kept.clone() } else { now.clone() }
    }
}

/// Shared exchanges as a list of plain ones.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Exchange;

    pub fn serialize<S: Serializer>(exchanges: &[Arc<Exchange>], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(exchanges.iter().map(AsRef::as_ref))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Arc<Exchange>>, D::Error> {
        Ok(Vec::<Exchange>::deserialize(from)?.into_iter().map(Arc::new).collect())
    }
}
