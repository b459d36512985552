//! Who needs help first, and why.

use std::cmp::Reverse;

use super::report::Doing;
use super::roster::{Learner, Roster};
use crate::lab::lesson::Lesson;
use crate::lab::model::stage::Stage;

/// So many tries at one stage without meeting it are too many.
const TRIES: u32 = 3;

/// A learner so many stages behind the middle of the class is behind.
const BEHIND: usize = 2;

/// Why a learner needs help. The order is that of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Asked for help, so many seconds ago.
    Asked(u64),
    /// So many tries at a stage, none met.
    Tries(u32),
    /// So many seconds in a stage, which is planned for so many minutes.
    Slow {
        /// The seconds.
        seconds: u64,
        /// The minutes of the plan.
        planned: u8,
    },
    /// No connection for so many seconds.
    Lost(u64),
    /// All hints of the open question were shown.
    Hints,
    /// So many stages behind the middle of the class.
    Behind(usize),
}

impl Need {
    /// The rank in the list, the most urgent first. Within one rank the longest comes first.
    fn rank(self) -> (u8, Reverse<u64>) {
        match self {
            Need::Asked(seconds) => (0, Reverse(seconds)),
            Need::Tries(tries) => (1, Reverse(tries.into())),
            Need::Slow { seconds, .. } => (2, Reverse(seconds)),
            Need::Lost(seconds) => (3, Reverse(seconds)),
            Need::Hints => (4, Reverse(0)),
            Need::Behind(stages) => (5, Reverse(stages as u64)),
        }
    }
}

/// Why `learner` needs help at `now`; `None` for one who doesn't, or has just been helped. `middle` is the stage in the
/// middle of the class, counted from 0.
pub fn need(learner: &Learner, middle: usize, lesson: &Lesson, now: u64) -> Option<Need> {
    if learner.is_helped(now) {
        return None;
    }
    let report = &learner.report;
    if report.doing == Doing::Left {
        return None;
    }
    let here = report.here();
    let planned = lesson.stage(report.at).minutes;
    let seconds = learner.in_stage(now);
    // Over twice the plan, and two minutes over it: a short stage is soon over its plan.
    let budget = u64::from(planned) * 60;
    let is_slow = here.met != Some(true) && seconds > (2 * budget).max(budget + 120);
    let at = report.at.index();
    if let Some(since) = learner.asked {
        return Some(Need::Asked(now.saturating_sub(since)));
    }
    if here.met != Some(true) && here.tries >= TRIES {
        return Some(Need::Tries(here.tries));
    }
    if is_slow && !learner.is_lost(now) {
        return Some(Need::Slow { seconds, planned });
    }
    if learner.is_lost(now) {
        return Some(Need::Lost(now.saturating_sub(learner.heard)));
    }
    if report.doing == Doing::Question && here.hints >= 2 {
        return Some(Need::Hints);
    }
    (at + BEHIND <= middle).then(|| Need::Behind(middle - at))
}

/// How the list is sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Those who need help first, all others by stage.
    #[default]
    Help,
    /// By stage, the earliest first.
    Stage,
    /// By name.
    Name,
    /// By the whole time, the longest first.
    Time,
}

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<'a> {
    /// The learner.
    pub learner: &'a Learner,
    /// Why the learner needs help.
    pub need: Option<Need>,
}

/// The list at `now`.
pub fn rows<'a>(roster: &'a Roster, sort: Sort, lesson: &Lesson, now: u64) -> Vec<Row<'a>> {
    let middle = middle(roster);
    let row = |learner: &'a Learner| Row { learner, need: need(learner, middle, lesson, now) };
    let mut rows: Vec<Row<'a>> = roster.learners().iter().map(row).collect();
    // Stable: those who joined first come first.
    match sort {
        Sort::Help => rows.sort_by_key(|row| match row.need {
            Some(need) => (need.rank(), 0),
            None => ((u8::MAX, Reverse(0)), row.learner.report.met()),
        }),
        Sort::Stage => rows.sort_by_key(|row| (row.learner.report.at, row.learner.report.met())),
        Sort::Name => rows.sort_by_key(|row| row.learner.name.to_lowercase()),
        Sort::Time => rows.sort_by_key(|row| Reverse(row.learner.report.seconds)),
    }
    rows
}

/// The stage in the middle of the class, counted from 0.
fn middle(roster: &Roster) -> usize {
    let mut at: Vec<usize> = roster.learners().iter().map(|learner| learner.report.at.index()).collect();
    at.sort_unstable();
    at.get(at.len() / 2).copied().unwrap_or(Stage::FIRST.index())
}

#[cfg(test)]
mod tests {
    use super::super::roster::tests::report;
    use super::super::roster::{HELPED, SILENCE};
    use super::*;

    fn heard(reports: Vec<super::super::Report>, now: u64) -> Roster {
        let mut roster = Roster::default();
        for report in reports {
            roster.hear(report, now).unwrap();
        }
        roster
    }

    fn names(roster: &Roster, sort: Sort, now: u64) -> Vec<&str> {
        rows(roster, sort, &Lesson::english(), now).iter().map(|row| row.learner.name.as_str()).collect()
    }

    /// A class in which each learner needs help for another reason, or for none.
    fn class() -> Roster {
        let mut asks = report("Rosa", 1, Stage::Grant, Doing::NotMet);
        asks.asks = true;
        let mut tries = report("Chidi", 2, Stage::Grant, Doing::Writing);
        tries.stages[Stage::Grant.index()].tries = 3;
        let mut slow = report("Viktor", 3, Stage::CreateTable, Doing::Waiting);
        slow.stages[Stage::CreateTable.index()].seconds = 14 * 60;
        let mut hints = report("Hana", 5, Stage::Grant, Doing::Question);
        hints.stages[Stage::Grant.index()].hints = 2;
        let behind = report("Goran", 6, Stage::ViewAdmin, Doing::Question);
        let others = [report("Ben", 7, Stage::Grant, Doing::Waiting), report("Ada", 8, Stage::CleanUp, Doing::Met)];
        let mut roster = heard(vec![report("Emre", 4, Stage::Grant, Doing::Question)], 1_000 - SILENCE - 1);
        for report in others.into_iter().chain([behind, hints, slow, tries, asks]) {
            roster.hear(report, 1_000).unwrap();
        }
        roster
    }

    #[test]
    fn those_who_need_help_come_first_in_order_of_need() {
        let roster = class();
        let order = ["Rosa", "Chidi", "Viktor", "Emre", "Hana", "Goran", "Ben", "Ada"];
        assert_eq!(names(&roster, Sort::Help, 1_000), order);
        let rows = rows(&roster, Sort::Help, &Lesson::english(), 1_000);
        let needs: Vec<_> = rows.iter().map(|row| row.need).collect();
        let planned = Lesson::english().stage(Stage::CreateTable).minutes;
        let expected = [
            Some(Need::Asked(0)),
            Some(Need::Tries(3)),
            Some(Need::Slow { seconds: 14 * 60, planned }),
            Some(Need::Lost(SILENCE + 1)),
            Some(Need::Hints),
            Some(Need::Behind(3)),
            None,
            None,
        ];
        assert_eq!(needs, expected);
    }

    #[test]
    fn other_orders_are_by_stage_name_and_time() {
        let roster = class();
        assert_eq!(names(&roster, Sort::Stage, 1_000)[..2], ["Viktor", "Goran"]);
        assert_eq!(names(&roster, Sort::Name, 1_000)[..3], ["Ada", "Ben", "Chidi"]);
        let mut slow = report("Zoe", 9, Stage::Who, Doing::Question);
        slow.seconds = 9_000;
        let mut roster = roster;
        roster.hear(slow, 1_000).unwrap();
        assert_eq!(names(&roster, Sort::Time, 1_000)[0], "Zoe");
    }

    #[test]
    fn one_who_was_helped_leaves_the_top_for_five_minutes() {
        let mut roster = class();
        let rosa = format!("{:032x}", 1);
        roster.mark(&rosa, 1_000);
        assert_ne!(names(&roster, Sort::Help, 1_000)[0], "Rosa");
        for lab in [2_u128, 3, 4, 5, 6, 7, 8] {
            roster.remove(&format!("{lab:032x}"), 1_000 + HELPED);
        }
        let later = rows(&roster, Sort::Help, &Lesson::english(), 1_000 + HELPED);
        assert_eq!(later.iter().find(|row| row.learner.name == "Rosa").unwrap().need, Some(Need::Asked(HELPED)));
        roster.mark(&rosa, 1_000 + HELPED);
        roster.mark(&rosa, 1_000 + HELPED);
        assert!(!roster.learners().iter().any(|learner| learner.is_helped(1_000 + HELPED)), "v again takes it back");
    }

    #[test]
    fn one_who_has_left_needs_nothing() {
        let mut left = report("Ada", 1, Stage::Grant, Doing::Left);
        left.stages[Stage::Grant.index()].tries = 9;
        let roster = heard(vec![left], 0);
        assert_eq!(rows(&roster, Sort::Help, &Lesson::english(), 10_000)[0].need, None);
    }
}
