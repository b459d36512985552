//! REPLAY: the answers of an earlier run, for when nothing answers any more. They are shown and decide nothing: a stage
//! that is looked at so is as unmet as before. (A whole session that is shown again is `run/replay.rs`.)

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use super::backend::BackendKind;
use super::exchange::Exchange;
use super::facts::{Caller, Facts};
use super::flow::Effect;
use super::kernel::event::Command;
use super::kernel::run::Status;
use super::lesson::interface::Interface;
use super::stage::Stage;
use super::state::State;

/// After so many ticks, some three seconds, a call that is under way may have been lost. The clients give it up later:
/// a call to a server that is well may take so long.
const OVERDUE: u64 = 12;

/// Seconds of a day: what is older is told with its date.
const DAY: u64 = 24 * 60 * 60;

/// A stage's calls as they were when it was met. Secrets are gone before ([`super::redact`]); ids are as they came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verified {
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

/// What the lab knows of recorded answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Replays {
    stages: [Option<Replay>; Stage::ALL.len()],
    /// Why there is none for a stage though there is a file.
    problems: [Option<String>; Stage::ALL.len()],
    /// Why this session's own answers could not be kept.
    not_kept: Option<String>,
    /// When the whole session was recorded, where it is shown again.
    session: Option<String>,
    /// Whether that session's log has pseudonyms.
    pub(super) has_pseudonyms: bool,
    /// Whether that session was kept, as far as it was told.
    pub(super) was_kept: bool,
}

/// A stage's recorded answers, as they are shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replay {
    at: u64,
    account: String,
    /// Learnt from these answers alone.
    facts: Facts,
    exchanges: Vec<Arc<Exchange>>,
    is_on: bool,
    /// Whether it has been looked at.
    was_on: bool,
}

impl State {
    /// Whether what the panes show now was recorded earlier.
    pub fn is_replay(&self) -> bool {
        self.replay().is_some()
    }

    /// The same state, of a session that was recorded at `at` and is shown again at `now`, both in unix time.
    #[must_use]
    pub fn recorded_at(mut self, at: u64, now: u64) -> State {
        self.replays.session = Some(stamp(at, now, true));
        self
    }

    /// When what the panes show was recorded, `24 Nov 10:02 UTC`; `None` where it is live.
    pub fn replay_time(&self) -> Option<String> {
        self.replay().map(|replay| stamp(replay.at, self.now(), true)).or_else(|| self.replays.session.clone())
    }

    /// The recorded answers of `stage` as they are shown, for a session's log.
    pub(super) fn recalled_as_shown(&self, stage: Stage) -> Result<Option<Box<Verified>>, String> {
        let at = stage.index();
        if let Some(problem) = &self.replays.problems[at] {
            return Err(problem.clone());
        }
        Ok(self.replays.stages[at].as_ref().and_then(|replay| {
            Some(Box::new(Verified {
                stage,
                at: replay.at,
                run: self.shown_names().run.clone(),
                admin: replay.facts.admin.clone()?,
                test_user: replay.facts.test_user.clone(),
                exchanges: replay.exchanges.iter().map(|exchange| (**exchange).clone()).collect(),
            }))
        }))
    }

    /// Whether there is something else to show for the shown stage, which got no answer.
    pub fn can_replay(&self) -> bool {
        self.view.bench.is_none()
            && self.is_silent(self.view.shown)
            && self.replays.stages[self.view.shown.index()].is_some()
    }

    /// How many stages were not met and looked at as they were recorded.
    pub fn replayed(&self) -> usize {
        let is_met = |stage: Stage| self.check(stage).is_some_and(|check| check.met);
        let was_on = |stage: Stage| self.replays.stages[stage.index()].as_ref().is_some_and(|replay| replay.was_on);
        Stage::ALL.into_iter().filter(|stage| was_on(*stage) && !is_met(*stage)).count()
    }

    /// `9 of 9 stages met`; what was only shown as it was recorded is told apart.
    pub fn summary(&self) -> String {
        self.summary_in(Interface::ENGLISH)
    }

    /// The same in these words.
    pub fn summary_in(&self, words: Interface<'_>) -> String {
        let met = words.fill("{} of {} stages met", &[&self.met(), &Stage::ALL.len()]);
        match self.replayed() {
            0 => met,
            replayed => words.fill("{}, {} shown as REPLAY", &[&met, &replayed]),
        }
    }

    /// Why this session's answers could not be kept, if so.
    pub fn not_kept(&self) -> Option<&str> {
        self.replays.not_kept.as_deref()
    }

    /// The facts that go with the calls which are shown.
    pub fn facts_of_calls(&self) -> &Facts {
        self.replay().map_or_else(|| self.shown_facts(), |replay| &replay.facts)
    }

    /// What can be done where the shown stage got no answer: one line of 80 columns.
    pub fn offer(&self) -> Option<String> {
        let stage = self.view.shown;
        let replay = self.view.keys.first("replay", "F");
        if self.is_replay() {
            return Some(format!("REPLAY: recorded earlier · {replay}: the live answers again"));
        }
        if self.view.bench.is_some() || !self.is_silent(stage) {
            return None;
        }
        let record = self.record(stage);
        let from = if self.backend.kind == BackendKind::Aws { " from AWS" } else { "" };
        let what = match record.status {
            Status::Running => format!("no answer{from} yet"),
            _ if record.calls.is_empty() => "not attempted".to_owned(),
            _ => format!("no answer{from}"),
        };
        let again = self.can_retry().then(|| format!("{}: try again", self.view.keys.first("retry", "r")));
        let recorded = match (&self.replays.stages[stage.index()], &self.replays.problems[stage.index()]) {
            (Some(kept), _) => Some(format!("{replay}: show the answer of {}", stamp(kept.at, self.now(), false))),
            (None, Some(problem)) => Some(problem.clone()),
            (None, None) => None,
        };
        Some([Some(what), again, recorded].into_iter().flatten().collect::<Vec<_>>().join(" · "))
    }

    /// The answered calls of the shown stage: recorded ones where those are looked at.
    pub(super) fn answered(&self) -> impl DoubleEndedIterator<Item = &Exchange> {
        let recorded = self.replay().map(|replay| replay.exchanges.iter().map(AsRef::as_ref));
        let live = recorded.is_none().then(|| self.shown().exchanges());
        live.into_iter().flatten().chain(recorded.into_iter().flatten())
    }

    /// The recorded answers that are looked at.
    fn replay(&self) -> Option<&Replay> {
        let stage = self.view.shown;
        let replay = self.replays.stages[stage.index()].as_ref();
        replay.filter(|replay| replay.is_on && self.view.bench.is_none() && self.is_silent(stage))
    }

    /// Whether recorded answers may stand for those of `stage`: it got none, or has been waiting long for one.
    fn is_silent(&self, stage: Stage) -> bool {
        let record = self.record(stage);
        let is_waiting = record.status == Status::Running && self.backend.kind != BackendKind::Sandbox;
        let is_overdue = self.kernel.overdue(stage).is_some_and(|ticks| ticks >= OVERDUE);
        self.is_cut_off(stage) || (is_waiting && (is_overdue || record.exchanges().any(is_lost)))
    }

    /// Asks for the recorded answers when a call is overdue: whoever speaks to a class can't wait until it is given up.
    pub(super) fn recall_overdue(&mut self) -> Vec<Command> {
        let stage = self.kernel.current();
        if self.kernel.overdue(stage) != Some(OVERDUE) || !self.is_silent(stage) {
            return Vec::new();
        }
        // What was waited for is not what is waited for now.
        self.view.message = None;
        vec![Command::Recall(stage)]
    }

    /// Whether `stage` ended unmet since a call got no answer, or was not attempted after such a stage.
    fn is_cut_off(&self, stage: Stage) -> bool {
        let record = self.record(stage);
        if self.backend.kind == BackendKind::Sandbox || !record.status.is_unmet() {
            return false;
        }
        if !record.calls.is_empty() {
            return record.exchanges().any(is_lost);
        }
        let mut earlier = Stage::ALL.into_iter().filter(|earlier| *earlier < stage).map(|earlier| self.record(earlier));
        earlier.any(|record| record.status.is_unmet() && record.exchanges().any(is_lost))
    }

    /// What the world must do with the answers of `stage`, which has ended.
    pub(super) fn keep_or_recall(&self, stage: Stage) -> Option<Effect> {
        if self.is_cut_off(stage) {
            return Some(Effect::Recall { stage, account: self.account() });
        }
        let is_met = self.check(stage).is_some_and(|check| check.met);
        if self.backend.kind == BackendKind::Sandbox || !is_met {
            return None;
        }
        let exchanges: Vec<Exchange> = self.record(stage).raw().into_iter().cloned().collect();
        Some(Effect::Keep(Box::new(Verified {
            stage,
            at: exchanges.iter().map(|exchange| exchange.answer.at).max()?,
            run: self.names.run.clone(),
            admin: self.kernel.facts().admin.clone()?,
            test_user: self.kernel.facts().test_user.clone(),
            exchanges,
        })))
    }

    /// The account of this session: STS's word or, where it gave none, that of the first recorded answers, so that all
    /// are of one.
    pub(super) fn account(&self) -> Option<String> {
        let recorded = || self.replays.stages.iter().flatten().map(|replay| replay.account.clone()).next();
        self.kernel.facts().admin.as_ref().map(|admin| admin.account.clone()).or_else(recorded)
    }

    /// Takes in what was found for `stage`.
    pub(super) fn recalled(&mut self, stage: Stage, found: Result<Option<Box<Verified>>, String>) {
        // A stage that is looked at so before its last call is given up stays as it is.
        let before = self.replays.stages[stage.index()].take();
        let (is_on, was_on) = before.map_or((false, false), |replay| (replay.is_on, replay.was_on));
        let (replay, problem) = match found {
            Ok(Some(verified)) => (Some(Replay { is_on, was_on, ..self.replay_of(*verified) }), None),
            Ok(None) => (None, None),
            Err(problem) => (None, Some(problem)),
        };
        self.replays.stages[stage.index()] = replay;
        self.replays.problems[stage.index()] = problem;
    }

    fn replay_of(&mut self, verified: Verified) -> Replay {
        let Verified { at, run, admin, test_user, exchanges, .. } = verified;
        let account = admin.account.clone();
        self.masking.add_run(&run);
        let masking = &mut self.masking;
        let mut caller = |Caller { arn, account }| Caller { arn: masking.text(arn), account: masking.text(account) };
        let mut facts = Facts { admin: Some(caller(admin)), test_user: test_user.map(&mut caller), ..Facts::default() };
        let exchanges: Vec<_> = exchanges.into_iter().map(|e| self.masking.exchange(&Arc::new(e))).collect();
        exchanges.iter().for_each(|exchange| facts.learn(exchange));
        Replay { at, account, facts, exchanges, is_on: false, was_on: false }
    }

    /// Shows the recorded answers, or the live ones again.
    pub(super) fn toggle_replay(&mut self) {
        let stage = self.view.shown;
        if let Some(replay) = &mut self.replays.stages[stage.index()] {
            replay.is_on = !replay.is_on;
            replay.was_on = true;
        }
        // Other calls: what was selected and scrolled means nothing any more.
        self.view.show(stage);
    }

    /// `stage` begins anew: what comes now is live.
    pub(super) fn end_replay(&mut self, stage: Stage) {
        if let Some(replay) = &mut self.replays.stages[stage.index()] {
            replay.is_on = false;
        }
    }

    /// Takes in that answers could not be kept. That is told once.
    pub(super) fn could_not_keep(&mut self, reason: &str) {
        if self.replays.not_kept.is_none() {
            let text = format!("the answers can't be kept for a REPLAY: {reason}");
            self.view.message = Some(text.clone());
            self.replays.not_kept = Some(text);
        }
    }
}

/// Whether a call got no answer. Of what was not even sent, something else than the network is the cause.
fn is_lost(exchange: &Exchange) -> bool {
    exchange.answer.response.is_err() && exchange.answer.tries > 0
}

/// `10:02 UTC`, with the day where that is longer ago than a day, or is asked for; with the year where it is another.
pub(super) fn stamp(at: u64, now: u64, with_day: bool) -> String {
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
