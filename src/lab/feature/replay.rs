//! REPLAY: the answers of an earlier run, for when nothing answers any more. They are shown and decide nothing: a stage
//! that is looked at so is as unmet as before. (A whole session that is shown again is `run/replay.rs`.)

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::lab::kernel::Kernel;
use crate::lab::kernel::run::Status;
use crate::lab::model::backend::BackendKind;
use crate::lab::model::exchange::Exchange;
use crate::lab::model::facts::{Caller, Facts};
use crate::lab::model::stage::Stage;

/// Ticks, about three seconds in all, after which a pending call may be lost. The clients give up later: even a healthy
/// server may take that long.
const OVERDUE: u64 = 12;

/// Seconds of a day: anything older is shown with its date.
const DAY: u64 = 24 * 60 * 60;

/// A stage's calls as they were when it was met. Secrets are gone before ([`crate::lab::redact`]); ids are as they came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedStage {
    /// Which stage.
    pub stage: Stage,
    /// Unix time of the newest answer, in seconds.
    pub at: u64,
    /// The run's id: it is in the names.
    pub run: String,
    /// Who signed the admin's calls, and in which account.
    pub admin: Caller,
    /// Who signed test-user's calls, if that was known.
    pub test_user: Option<Caller>,
    /// The calls in the order of sending.
    pub exchanges: Vec<Exchange>,
}

/// The recorded responses of a stage as they are shown: masked, if the session is.
pub(in crate::lab) struct Shown {
    pub at: u64,
    /// The real account.
    pub account: String,
    pub admin: Caller,
    pub test_user: Option<Caller>,
    pub exchanges: Vec<Arc<Exchange>>,
}

/// What the lab knows of recorded answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::lab) struct Replays {
    stages: [Option<Replay>; Stage::ALL.len()],
    /// Why a stage has no recorded responses although there is a file.
    problems: [Option<String>; Stage::ALL.len()],
    /// Why this session's own answers could not be kept.
    not_cached: Option<String>,
    /// When the whole session was recorded, where it is shown again.
    session: Option<String>,
    /// Whether that session's log has pseudonyms.
    has_pseudonyms: bool,
    /// Whether that session was kept, as far as it was told.
    was_saved: bool,
}

/// A stage's recorded answers, as they are shown.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lab) struct Replay {
    at: u64,
    account: String,
    /// Learnt from these answers alone.
    facts: Facts,
    exchanges: Vec<Arc<Exchange>>,
    is_on: bool,
    /// Whether it has been looked at.
    was_on: bool,
}

impl Replays {
    /// The replays of a session that was recorded at `at` and is shown again at `now`, both in unix time.
    pub(in crate::lab) fn record(&mut self, at: u64, now: u64) {
        self.session = Some(stamp(at, now, true));
    }

    /// Whether the log of the session that is shown again has pseudonyms.
    pub(in crate::lab) fn has_pseudonyms(&self) -> bool {
        self.has_pseudonyms
    }

    /// Notes whether the log has pseudonyms.
    pub(in crate::lab) fn log_has_pseudonyms(&mut self, masked: bool) {
        self.has_pseudonyms = masked;
    }

    /// Whether the session that is shown again was saved, as far as its log says.
    pub(in crate::lab) fn was_saved(&self) -> bool {
        self.was_saved
    }

    /// Notes whether the log says that the session was saved.
    pub(in crate::lab) fn log_was_saved(&mut self, kept: bool) {
        self.was_saved = kept;
    }

    /// When the whole session was recorded, where it is shown again.
    pub(in crate::lab) fn session(&self) -> Option<String> {
        self.session.clone()
    }

    /// The recorded answers of `stage` as they are shown, for a session's log.
    pub(in crate::lab) fn as_shown(&self, stage: Stage, run: &str) -> Result<Option<Box<RecordedStage>>, String> {
        let at = stage.index();
        if let Some(problem) = &self.problems[at] {
            return Err(problem.clone());
        }
        Ok(self.stages[at].as_ref().and_then(|replay| {
            Some(Box::new(RecordedStage {
                stage,
                at: replay.at,
                run: run.to_owned(),
                admin: replay.facts.admin.clone()?,
                test_user: replay.facts.test_user.clone(),
                exchanges: replay.exchanges.iter().map(|exchange| (**exchange).clone()).collect(),
            }))
        }))
    }

    /// Why this session's responses could not be kept, if so.
    pub(in crate::lab) fn not_cached(&self) -> Option<&str> {
        self.not_cached.as_deref()
    }

    /// The time of the recorded responses of `stage`, or why they can't be shown.
    pub(in crate::lab) fn recorded(&self, stage: Stage) -> Option<Result<u64, &str>> {
        let replay = self.stages[stage.index()].as_ref().map(|replay| Ok(replay.at));
        replay.or_else(|| self.problems[stage.index()].as_deref().map(Err))
    }

    /// The recorded responses that are looked at in place of those of `stage`.
    pub(in crate::lab) fn shown(&self, kernel: &Kernel, stage: Stage) -> Option<&Replay> {
        self.stages[stage.index()].as_ref().filter(|replay| replay.is_on && self.is_silent(kernel, stage))
    }

    /// Whether there are recorded responses for `stage`, which got none.
    pub(in crate::lab) fn can_show(&self, kernel: &Kernel, stage: Stage) -> bool {
        self.stages[stage.index()].is_some() && self.is_silent(kernel, stage)
    }

    /// How many stages were not met and looked at as they were recorded.
    pub(in crate::lab) fn looked_at(&self, kernel: &Kernel) -> usize {
        let was_on = |stage: &Stage| self.stages[stage.index()].as_ref().is_some_and(|replay| replay.was_on);
        Stage::ALL.iter().filter(|stage| was_on(stage) && !kernel.is_met(**stage)).count()
    }

    /// Whether recorded responses may stand for those of `stage`: it got none, or has been waiting long for one.
    pub(in crate::lab) fn is_silent(&self, kernel: &Kernel, stage: Stage) -> bool {
        let run = kernel.stage(stage);
        let is_waiting = run.status == Status::Running && kernel.kind() != BackendKind::Sandbox;
        let is_overdue = kernel.overdue(stage).is_some_and(|ticks| ticks >= OVERDUE);
        self.is_cut_off(kernel, stage) || (is_waiting && (is_overdue || run.exchanges().any(is_lost)))
    }

    /// The current stage, when its call has just become overdue.
    pub(in crate::lab) fn overdue(&self, kernel: &Kernel) -> Option<Stage> {
        let stage = kernel.current();
        (kernel.overdue(stage) == Some(OVERDUE) && self.is_silent(kernel, stage)).then_some(stage)
    }

    /// Whether `stage` ended unmet since a call got no response, or was not attempted after such a stage.
    pub(in crate::lab) fn is_cut_off(&self, kernel: &Kernel, stage: Stage) -> bool {
        let run = kernel.stage(stage);
        if kernel.kind() == BackendKind::Sandbox || !run.status.is_unmet() {
            return false;
        }
        if !run.calls.is_empty() {
            return run.exchanges().any(is_lost);
        }
        let mut earlier =
            Stage::ALL.into_iter().filter(|earlier| *earlier < stage).map(|earlier| kernel.stage(earlier));
        earlier.any(|run| run.status.is_unmet() && run.exchanges().any(is_lost))
    }

    /// The responses of `stage`, if it was met: an earlier run for later ones.
    pub(in crate::lab) fn verified(&self, kernel: &Kernel, run: &str, stage: Stage) -> Option<RecordedStage> {
        if kernel.kind() == BackendKind::Sandbox || !kernel.is_met(stage) {
            return None;
        }
        let exchanges: Vec<Exchange> = kernel.stage(stage).raw().into_iter().cloned().collect();
        Some(RecordedStage {
            stage,
            at: exchanges.iter().map(|exchange| exchange.answer.at).max()?,
            run: run.to_owned(),
            admin: kernel.facts().admin.clone()?,
            test_user: kernel.facts().test_user.clone(),
            exchanges,
        })
    }

    /// The account of this session: STS's word or, where it gave none, that of the first recorded responses, so that all
    /// are of one.
    pub(in crate::lab) fn account(&self, kernel: &Kernel) -> Option<String> {
        let recorded = || self.stages.iter().flatten().map(|replay| replay.account.clone()).next();
        kernel.facts().admin.as_ref().map(|admin| admin.account.clone()).or_else(recorded)
    }

    /// Takes what was found for `stage`.
    pub(in crate::lab) fn found(&mut self, stage: Stage, found: Result<Option<Shown>, String>) {
        // A stage that is looked at so before its last call is given up stays as it is.
        let before = self.stages[stage.index()].take();
        let (is_on, was_on) = before.map_or((false, false), |replay| (replay.is_on, replay.was_on));
        let (replay, problem) = match found {
            Ok(Some(shown)) => (Some(Replay { is_on, was_on, ..Replay::new(shown) }), None),
            Ok(None) => (None, None),
            Err(problem) => (None, Some(problem)),
        };
        self.stages[stage.index()] = replay;
        self.problems[stage.index()] = problem;
    }

    /// Shows the recorded responses, or the live ones again.
    pub(in crate::lab) fn toggle(&mut self, stage: Stage) {
        if let Some(replay) = &mut self.stages[stage.index()] {
            replay.is_on = !replay.is_on;
            replay.was_on = true;
        }
    }

    /// `stage` begins: what arrives now is live.
    pub(in crate::lab) fn end(&mut self, stage: Stage) {
        if let Some(replay) = &mut self.stages[stage.index()] {
            replay.is_on = false;
        }
    }

    /// Notes that responses could not be saved. Returns the message to show, once.
    pub(in crate::lab) fn could_not_cache(&mut self, reason: &str) -> Option<String> {
        if self.not_cached.is_none() {
            self.not_cached = Some(format!("the responses can't be saved for a REPLAY: {reason}"));
            return self.not_cached.clone();
        }
        None
    }
}

impl Replay {
    fn new(shown: Shown) -> Replay {
        let Shown { at, account, admin, test_user, exchanges } = shown;
        let mut facts = Facts { admin: Some(admin), test_user, ..Facts::default() };
        exchanges.iter().for_each(|exchange| facts.learn(exchange));
        Replay { at, account, facts, exchanges, is_on: false, was_on: false }
    }

    pub(in crate::lab) fn at(&self) -> u64 {
        self.at
    }

    pub(in crate::lab) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(in crate::lab) fn exchanges(&self) -> impl DoubleEndedIterator<Item = &Exchange> {
        self.exchanges.iter().map(AsRef::as_ref)
    }
}

/// Whether a call got no answer. Of what was not even sent, something else than the network is the cause.
fn is_lost(exchange: &Exchange) -> bool {
    exchange.answer.response.is_err() && exchange.answer.tries > 0
}

/// `10:02 UTC`, with the day where that is longer ago than a day, or is asked for; with the year where it is another.
pub(in crate::lab) fn stamp(at: u64, now: u64, with_day: bool) -> String {
    let time = |seconds: u64| i64::try_from(seconds).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    let Some(then) = time(at) else { return "an unknown time".to_owned() };
    let is_old = at.abs_diff(now) >= DAY;
    let text = if is_old && time(now).is_none_or(|now| now.year() != then.year()) {
        then.format(format_description!("[day padding:none] [month repr:short] [year] [hour]:[minute] UTC"))
    } else if is_old || with_day {
        then.format(format_description!("[day padding:none] [month repr:short] [hour]:[minute] UTC"))
    } else {
        then.format(format_description!("[hour]:[minute] UTC"))
    };
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::today(1_795_514_520, 1_795_518_000, false, "10:02 UTC")]
    #[case::today_in_the_badge(1_795_514_520, 1_795_518_000, true, "24 Nov 10:02 UTC")]
    #[case::yesterday(1_795_428_120, 1_795_518_000, false, "23 Nov 10:02 UTC")]
    #[case::a_day_ago(1_795_431_600, 1_795_518_000, false, "23 Nov 11:00 UTC")]
    #[case::a_clock_set_back(1_795_514_520, 1_795_428_000, false, "24 Nov 10:02 UTC")]
    #[case::last_year(1_763_978_520, 1_795_518_000, false, "24 Nov 2025 10:02 UTC")]
    #[case::tampered(u64::MAX, 1_795_518_000, true, "an unknown time")]
    fn times_are_as_exact_as_they_must_be(#[case] at: u64, #[case] now: u64, #[case] day: bool, #[case] text: &str) {
        assert_eq!(stamp(at, now, day), text);
    }
}
