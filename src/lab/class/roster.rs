//! All learners of a class, with the newest report of each.

use super::report::{Doing, Report, StageReport, VERSION};
use crate::lab::model::glyphs;
use crate::lab::model::stage::Stage;

/// The most learners of a class.
pub const MOST: usize = 400;

/// The longest name that is kept, in characters.
const LONGEST_NAME: usize = 24;

/// A lab says something at least every ten seconds: after so many without a word it is lost.
pub const SILENCE: u64 = 30;

/// How long a learner whom the teacher has helped stays out of the first places, in seconds.
pub const HELPED: u64 = 300;

/// A learner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learner {
    /// The name, made safe to show; a second learner of one name has a number.
    pub name: String,
    /// The newest report.
    pub report: Report,
    /// When it came, in seconds of Unix time.
    pub heard: u64,
    /// When it last said something new.
    pub moved: u64,
    /// Since when the learner asks for help.
    pub asked: Option<u64>,
    /// When the teacher marked the learner as helped.
    pub helped: Option<u64>,
}

impl Learner {
    /// Whether the connection is gone at `now`.
    pub fn is_lost(&self, now: u64) -> bool {
        self.report.doing != Doing::Left && now.saturating_sub(self.heard) > SILENCE
    }

    /// The seconds in the stage that the lab is at: they pass between two reports, too, while the lab answers.
    pub fn in_stage(&self, now: u64) -> u64 {
        let since =
            if self.is_lost(now) || self.report.doing == Doing::Left { 0 } else { now.saturating_sub(self.heard) };
        self.report.here().seconds.saturating_add(since)
    }

    /// Whether the teacher has helped a moment ago.
    pub fn is_helped(&self, now: u64) -> bool {
        self.helped.is_some_and(|at| now.saturating_sub(at) < HELPED)
    }
}

/// Why a report counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The class has as many learners as it takes.
    #[error("the class is full")]
    Full,
    /// It isn't a report of this version, or says what no lab says.
    #[error("the report can't be read")]
    Unreadable,
}

/// The learners.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    learners: Vec<Learner>,
}

impl Roster {
    /// All of them, in the order they joined.
    pub fn learners(&self) -> &[Learner] {
        &self.learners
    }

    /// Takes a report that came at `now`. Returns the name under which the learner is listed.
    ///
    /// # Errors
    /// If the class is full, or the report is none.
    pub fn hear(&mut self, report: Report, now: u64) -> Result<&str, Refused> {
        let report = checked(report)?;
        let at = match self.learners.iter().position(|learner| learner.report.lab == report.lab) {
            Some(at) => at,
            None if self.learners.len() >= MOST => return Err(Refused::Full),
            None => {
                let name = self.free_name(&report.name);
                let learner =
                    Learner { name, report: report.clone(), heard: now, moved: now, asked: None, helped: None };
                self.learners.push(learner);
                self.learners.len() - 1
            }
        };
        let learner = &mut self.learners[at];
        if learner.report.without_time() != report.without_time() {
            learner.moved = now;
        }
        learner.asked = if report.asks { learner.asked.or(Some(now)) } else { None };
        learner.heard = learner.heard.max(now);
        learner.report = report;
        Ok(&learner.name)
    }

    /// Marks a learner as helped, or takes that back.
    pub fn mark(&mut self, lab: &str, now: u64) {
        if let Some(learner) = self.learners.iter_mut().find(|learner| learner.report.lab == lab) {
            learner.helped = if learner.is_helped(now) { None } else { Some(now) };
        }
    }

    /// Removes a learner whose connection is gone, or who has left. A lab that reports again is listed again.
    pub fn remove(&mut self, lab: &str, now: u64) {
        self.learners.retain(|learner| {
            learner.report.lab != lab || !(learner.is_lost(now) || learner.report.doing == Doing::Left)
        });
    }

    /// How many learners are at each stage; those who have left are counted where they were.
    pub fn at_stages(&self) -> [usize; Stage::ALL.len()] {
        let mut counts = [0; Stage::ALL.len()];
        for learner in &self.learners {
            counts[learner.report.at.index()] += 1;
        }
        counts
    }

    /// How many are lost at `now`, and how many ask for help.
    pub fn troubles(&self, now: u64) -> (usize, usize) {
        let count = |is: &dyn Fn(&Learner) -> bool| self.learners.iter().filter(|learner| is(learner)).count();
        (count(&|learner| learner.is_lost(now)), count(&|learner| learner.asked.is_some()))
    }

    /// `name`, with a number if somebody else has it.
    fn free_name(&self, name: &str) -> String {
        let is_taken = |name: &str| self.learners.iter().any(|learner| learner.name == name);
        let mut numbered = (2..).map(|number| format!("{name} {number}"));
        if is_taken(name) { numbered.find(|name| !is_taken(name)).unwrap_or_default() } else { name.to_owned() }
    }
}

/// The report with what it says kept within limits: it came over a network.
fn checked(report: Report) -> Result<Report, Refused> {
    let is_lab = report.lab.len() == 32 && report.lab.bytes().all(|byte| byte.is_ascii_hexdigit());
    if report.version != VERSION || report.stages.len() != Stage::ALL.len() || !is_lab {
        return Err(Refused::Unreadable);
    }
    let letter = |stage: &StageReport| stage.answer.is_none_or(|answer| ('a'..='d').contains(&answer.letter));
    if !report.stages.iter().all(letter) || report.drills.0 > report.drills.1 {
        return Err(Refused::Unreadable);
    }
    let day = 24 * 3_600;
    let stages = report.stages.iter().map(|stage| StageReport { seconds: stage.seconds.min(day), ..*stage }).collect();
    Ok(Report { name: name(&report.name), stages, seconds: report.seconds.min(day), ..report })
}

/// A name that can be shown: one short line without control characters.
pub fn name(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let shown = glyphs::shown(line.trim());
    let short: String = shown.trim().chars().take(LONGEST_NAME).collect();
    if short.trim().is_empty() { "learner".to_owned() } else { short.trim().to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The report of a lab at `at` which does `doing`; the stages before are met.
    pub fn report(name: &str, lab: u128, at: Stage, doing: Doing) -> Report {
        let stages = Stage::ALL.map(|stage| StageReport {
            met: (stage < at || (stage == at && doing == Doing::Met)).then_some(true),
            tries: u32::from(stage < at),
            ..StageReport::default()
        });
        Report {
            version: VERSION,
            name: name.into(),
            lab: format!("{lab:032x}"),
            at,
            doing,
            way: None,
            refused: false,
            stages: stages.to_vec(),
            drills: (0, 0),
            seconds: 60,
            asks: false,
        }
    }

    #[test]
    fn one_lab_keeps_its_row_and_another_of_one_name_gets_a_number() {
        let mut roster = Roster::default();
        assert_eq!(roster.hear(report("Emre", 1, Stage::Who, Doing::Question), 10), Ok("Emre"));
        assert_eq!(roster.hear(report("Emre", 2, Stage::Who, Doing::Question), 11), Ok("Emre 2"));
        assert_eq!(roster.hear(report("Emre", 1, Stage::Grant, Doing::Writing), 50), Ok("Emre"));
        let rows: Vec<_> = roster.learners().iter().map(|row| (row.name.as_str(), row.report.at, row.heard)).collect();
        assert_eq!(rows, [("Emre", Stage::Grant, 50), ("Emre 2", Stage::Who, 11)]);
        assert_eq!(roster.at_stages()[Stage::Grant.index()], 1);
    }

    #[test]
    fn a_silent_lab_is_lost_and_one_that_was_left_is_not() {
        let mut roster = Roster::default();
        roster.hear(report("Ada", 1, Stage::Who, Doing::Question), 100).unwrap();
        roster.hear(report("Ben", 2, Stage::Who, Doing::Left), 100).unwrap();
        assert_eq!(roster.troubles(100 + SILENCE), (0, 0));
        assert_eq!(roster.troubles(101 + SILENCE), (1, 0));
        let ada = roster.learners()[0].report.lab.clone();
        roster.remove(&ada, 101);
        assert_eq!(roster.learners().len(), 2, "one who is there stays");
        roster.remove(&ada, 101 + SILENCE);
        assert_eq!(roster.learners().len(), 1);
    }

    #[test]
    fn asking_for_help_counts_from_the_first_report() {
        let mut roster = Roster::default();
        let mut asking = report("Rosa", 1, Stage::Grant, Doing::NotMet);
        asking.asks = true;
        roster.hear(asking.clone(), 5).unwrap();
        asking.seconds += 9;
        roster.hear(asking.clone(), 14).unwrap();
        let row = &roster.learners()[0];
        assert_eq!((row.asked, row.moved, row.heard), (Some(5), 5, 14), "time alone is nothing new");
        asking.asks = false;
        roster.hear(asking, 20).unwrap();
        assert_eq!((roster.learners()[0].asked, roster.learners()[0].moved), (None, 20));
    }

    #[test]
    fn what_no_lab_says_is_refused_and_names_are_made_safe() {
        let mut roster = Roster::default();
        let good = report("Ada", 1, Stage::Who, Doing::Question);
        let letter = Some(super::super::report::Answer { letter: 'z', right: true });
        for wrong in [
            Report { version: 2, ..good.clone() },
            Report { lab: "x".into(), ..good.clone() },
            Report { stages: Vec::new(), ..good.clone() },
            Report { stages: vec![StageReport { answer: letter, ..StageReport::default() }; 9], ..good.clone() },
            Report { drills: (3, 2), ..good.clone() },
        ] {
            assert_eq!(roster.hear(wrong, 1), Err(Refused::Unreadable));
        }
        let named = Report { name: "\u{1b}[31mA\u{202e}b\n\tc".repeat(9), seconds: u64::MAX, ..good };
        let name = roster.hear(named, 1).unwrap().to_owned();
        assert!(name.chars().count() <= LONGEST_NAME && !name.contains(['\u{1b}', '\u{202e}', '\n', '\t']), "{name:?}");
        assert_eq!(roster.learners()[0].report.seconds, 24 * 3_600);
        assert_eq!(super::name(" \u{7} "), "learner");
    }

    #[test]
    fn a_class_has_an_end() {
        let mut roster = Roster::default();
        for number in 0..MOST {
            roster.hear(report("x", number as u128, Stage::Who, Doing::Question), 1).unwrap();
        }
        let one_more = report("x", MOST as u128, Stage::Who, Doing::Question);
        assert_eq!(roster.hear(one_more, 1), Err(Refused::Full));
        assert!(roster.hear(report("x", 0, Stage::CreateKey, Doing::Met), 2).is_ok());
        assert_eq!(roster.learners()[MOST - 1].name, format!("x {MOST}"));
    }
}
