//! The drill at work: what the learner has done so far, and what is known of the run.

use super::baseline::Baseline;
use super::own::Own;
use super::score::{Remark, Score};
use super::{Part, Task, Then, Undone, catalog};
use crate::lab::model::drill::{Drill, Lock, Look, Rung};
use crate::lab::trial::change::Change;

/// The drill at work.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    pub(super) drill: Drill,
    pub(super) part: Part,
    pub(super) task: Task,
    pub(super) score: Score,
    /// The rung that was named, and is right.
    pub(super) named: Option<Rung>,
    /// What solved it.
    pub(super) solved_by: Option<Part>,
    /// The document that is looked at.
    pub(super) look: Option<Look>,
    /// What the learner writes.
    pub(super) own: Option<Own>,
    pub(super) remark: Option<Remark>,
    /// Why the fault could not be set up.
    pub(super) trouble: Option<String>,
    pub(super) began: u64,
    pub(super) ended: Option<u64>,
    pub(super) before: Baseline,
    pub(super) after: Baseline,
    /// What was tried to undo, by the number of its batch.
    pub(super) tried: Vec<Undoing>,
    pub(super) undone: Undone,
    pub(super) then: Then,
}

/// A batch of the undoing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Undoing {
    Change(Change),
    Read,
}

/// What screens read of a drill.
impl Current {
    /// Which.
    pub fn drill(&self) -> Drill {
        self.drill
    }

    /// What the run does now, or did last.
    pub fn part(&self) -> Part {
        self.part
    }

    /// What the learner has to do.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The points so far, and what cost some.
    pub fn score(&self) -> &Score {
        &self.score
    }

    /// The rung that was named or, before that, the one that refuses.
    pub fn named_rung(&self) -> Rung {
        self.named.unwrap_or(catalog::of(self.drill).rung)
    }

    /// What solved it: a fix, or the learner's own change. What is at work, before.
    pub fn part_solved(&self) -> Part {
        self.solved_by.unwrap_or(self.part)
    }

    /// The document that is looked at.
    pub fn look(&self) -> Option<Look> {
        self.look
    }

    /// What is to be said about the last answer.
    pub fn remark(&self) -> Option<Remark> {
        self.remark
    }

    /// Why the fault could not be set up.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How many hints have been shown.
    pub fn hints(&self) -> usize {
        self.score.hints.into()
    }

    /// Whether everything that the drill has changed is undone.
    pub fn undone(&self) -> &Undone {
        &self.undone
    }

    /// Whether the lock was named.
    pub fn has_lock(&self) -> bool {
        matches!(self.task, Task::Rung | Task::Fix | Task::Solved)
    }

    /// Whether the rung was named.
    pub fn has_rung(&self) -> bool {
        matches!(self.task, Task::Fix | Task::Solved)
    }

    /// Whether there is something to answer.
    pub fn is_open(&self) -> bool {
        matches!(self.task, Task::Lock | Task::Rung | Task::Fix)
    }
}

/// What an answer changes.
impl Current {
    /// The drill before anything is sent.
    pub(super) fn new(drill: Drill, now: u64) -> Current {
        Current {
            drill,
            part: Part::SetUp,
            task: Task::Wait,
            score: Score::default(),
            named: None,
            solved_by: None,
            look: None,
            own: None,
            remark: None,
            trouble: None,
            began: now,
            ended: None,
            before: Baseline::default(),
            after: Baseline::default(),
            tried: Vec::new(),
            undone: Undone::No,
            then: Then::Stay,
        }
    }

    pub(super) fn name_lock(&mut self, lock: Lock) {
        let def = catalog::of(self.drill);
        if lock == def.lock {
            (self.task, self.remark) = (Task::Rung, None);
        } else {
            self.remark = Some(self.score.wrong_lock(lock, &def));
        }
    }

    pub(super) fn name_rung(&mut self, rung: Rung) {
        let def = catalog::of(self.drill);
        if def.accepts(rung) {
            (self.task, self.named) = (Task::Fix, Some(rung));
            self.remark = def.nothing_allows.then_some(Remark::AnyWouldDo);
        } else {
            self.remark = Some(self.score.wrong_rung(rung, &def));
        }
    }
}
