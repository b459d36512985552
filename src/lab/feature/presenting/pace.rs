//! Time in front of a class: what each stage has taken, against what the lesson plans.

use serde::{Deserialize, Serialize};

use crate::lab::lesson::interface::Interface;
use crate::lab::model::stage::Stage;

/// Seconds since the lab began, in all and by stage. They come from outside: the lab has no clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// In all.
    pub total: u64,
    /// By stage.
    pub stages: [u64; Stage::ALL.len()],
    /// The newest time of that clock, which starts at 0 with each program.
    #[serde(skip)]
    heard: u64,
}

impl Pace {
    /// Advances the clock to `now`, in seconds. Those since the last time were spent on `stage`.
    pub fn advance(&mut self, stage: Stage, now: u64) {
        let passed = now.saturating_sub(self.heard);
        self.stages[stage.index()] = self.stages[stage.index()].saturating_add(passed);
        self.total = self.total.saturating_add(passed);
        self.heard = self.heard.max(now);
    }

    /// Goes on with what a saved session had spent, from now on.
    pub fn resume(&mut self, saved: Pace) {
        *self = Pace { heard: self.heard, ..saved };
    }
}

/// The timing of a talk at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// The stage that is next, under way or newest done, counted from 1.
    pub stage: usize,
    /// How many there are.
    pub stages: usize,
    /// Seconds spent on it.
    pub spent: u64,
    /// Seconds planned for it.
    pub budget: u64,
    /// Seconds since the lab began.
    pub total: u64,
    /// Seconds planned for the stages before it.
    pub before: u64,
    /// Seconds planned for all stages.
    pub planned: u64,
}

impl Timing {
    /// The timing `seconds` later.
    #[must_use]
    pub fn later(self, seconds: u64) -> Timing {
        Timing { spent: self.spent.saturating_add(seconds), total: self.total.saturating_add(seconds), ..self }
    }

    /// Seconds behind the plan, negative where ahead of it. A stage that is within its budget is on time.
    pub fn behind(self) -> i64 {
        let plan = self.before.saturating_add(self.spent.min(self.budget));
        i64::try_from(self.total).unwrap_or(i64::MAX).saturating_sub_unsigned(plan)
    }

    /// `+0:20 behind`, `1:05 ahead`, `on time`.
    pub fn drift(self, words: Interface<'_>) -> String {
        let behind = self.behind();
        let text = minutes(behind.unsigned_abs());
        match behind {
            0 => words.say("on time").to_owned(),
            1.. => words.fill("{} behind", &[&format!("+{text}")]),
            _ => words.fill("{} ahead", &[&text]),
        }
    }

    /// `stage 3/9 04:10 of 05:00`
    pub fn of_stage(self, words: Interface<'_>) -> String {
        let time = words.fill("{} of {}", &[&clock(self.spent), &clock(self.budget)]);
        format!("{} {}/{} {time}", words.say("stage"), self.stage, self.stages)
    }

    /// `total 12:34 of 33:00`
    pub fn of_all(self, words: Interface<'_>) -> String {
        let time = words.fill("{} of {}", &[&clock(self.total), &clock(self.planned)]);
        format!("{} {time}", words.say("total"))
    }
}

/// `4:10`, and minutes also beyond an hour.
pub fn minutes(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `04:10`, from an hour on `1:04:10`.
pub fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::lab::{Backend, BackendKind, Event, Names, State};

    #[rstest]
    #[case(0, "00:00")]
    #[case(250, "04:10")]
    #[case(3_599, "59:59")]
    #[case(3_850, "1:04:10")]
    fn a_clock_reads_as_clocks_do(#[case] seconds: u64, #[case] text: &str) {
        assert_eq!(clock(seconds), text);
    }

    /// Of a stage of five minutes, with ten before it.
    #[rstest]
    #[case::within_and_the_earlier_ones_too_long(250, 870, "+0:20 behind")]
    #[case::within_and_on_time(250, 850, "on time")]
    #[case::over_its_own_budget(365, 965, "+1:05 behind")]
    #[case::jumped_there(10, 15, "9:55 ahead")]
    fn behind_is_what_the_plan_does_not_have(#[case] spent: u64, #[case] total: u64, #[case] drift: &str) {
        let timing = Timing { stage: 3, stages: 9, spent, budget: 300, total, before: 600, planned: 1_980 };
        assert_eq!(timing.drift(Interface::ENGLISH), drift);
    }

    #[test]
    fn a_saved_pace_continues_on_a_new_clock() {
        let mut kept = Pace::default();
        kept.advance(Stage::Who, 60);
        let kept: Pace = serde_json::from_value(serde_json::to_value(kept).unwrap()).unwrap();
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        let mut state = State::new(backend, Names::new("t1"));
        state.update(Event::Clock(5));
        state.presenting_mut().pace.resume(kept);
        state.update(Event::Clock(8));
        assert_eq!((Timing::of(&state).spent, Timing::of(&state).total), (63, 63));
    }

    #[test]
    fn seconds_go_to_the_stage_that_was_current_and_never_back() {
        let mut pace = Pace::default();
        pace.advance(Stage::Who, 5);
        pace.advance(Stage::CreateKey, 9);
        pace.advance(Stage::Who, 7);
        assert_eq!((pace.total, &pace.stages[..2]), (9, &[5, 4][..]));
    }
}
