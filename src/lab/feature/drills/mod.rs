//! Drills: a fault is set up with real calls, and the learner names lock, rung and fix until both callers can read.
//!
//! [`catalog`] declares each drill, [`fix`] what each fix sends. A drill is one run of the kernel in several parts: set
//! up, looks, fixes, undo. Between two parts the learner thinks, and nothing runs. What must be undone is noted in the
//! ledger that experiments have; [`baseline`] checks by reading calls that everything is undone.

pub mod baseline;
pub mod catalog;
mod current;
pub mod fix;
mod own;
mod plan;
mod run;
mod score;

pub use self::current::Current;
pub use self::fix::Fix;
pub use self::run::lock_of;
pub use self::score::{Remark, Score};
use crate::lab::kernel::event::TimerId;
use crate::lab::lesson::interface::Interface;
use crate::lab::model::drill::{self, Drill, DrillResult, Level, Lock, Look, Plan, Rung};
use crate::lab::stages::Sources;

/// What the run of a drill does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Reads how everything is, then makes the fault.
    SetUp,
    /// Reads a document.
    Look(Look),
    /// Applies a fix, and scans.
    Fix(Fix),
    /// Sends what the learner has written, and scans.
    Own,
    /// Scans: the learner may have changed something.
    Check,
    /// Undoes everything.
    Undo,
}

/// What the learner has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Wait: the fault is being set up.
    Wait,
    /// Name the lock.
    Lock,
    /// Name the rung.
    Rung,
    /// Fix it.
    Fix,
    /// Nothing: both can read.
    Solved,
    /// Nothing: the fault could not be set up.
    Impossible,
}

/// What comes when a drill is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: it stays on the screen.
    Stay,
    /// The next drill.
    Next,
    /// The same drill.
    Again,
    /// The stage from which the drills began, or the end of the program.
    Leave,
    /// The end of the program.
    Quit,
    /// Clean-up.
    CleanUp,
}

/// Whether a drill is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// Not yet.
    No,
    /// Reading calls have shown that it is.
    Yes,
    /// Not everything; in words.
    Failed(Vec<String>),
}

/// What follows an event of the run.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lab) enum Outlook {
    /// The run has ended for now.
    Rest,
    /// This part begins.
    Begin(Part),
    /// Everything is undone, or can't be.
    Over(Then),
}

/// The drills of a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drills {
    plan: Option<Plan>,
    /// Whether the program runs for the drills alone.
    is_alone: bool,
    /// Whether the stages before them are being run.
    is_preparing: bool,
    order: Vec<Drill>,
    at: usize,
    level: Level,
    points: i32,
    streak: u32,
    best_streak: u32,
    clock: u64,
    current: Option<Current>,
    pause: Option<TimerId>,
    /// Whether all drills are done.
    is_over: bool,
    results: Vec<DrillResult>,
    /// Those of earlier rounds and sessions.
    earlier: Vec<DrillResult>,
}

/// What screens read.
impl Drills {
    /// Whether the program runs for the drills alone.
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Whether the stages before the drills are being run.
    pub fn is_preparing(&self) -> bool {
        self.is_preparing
    }

    /// The plan of a session that began with drills.
    pub fn plan(&self) -> Option<Plan> {
        self.plan
    }

    /// The drill's number, counted from 1, and how many there are.
    pub fn number(&self) -> (usize, usize) {
        (self.at + 1, self.order.len())
    }

    /// The level of the drills to come.
    pub fn level(&self) -> Level {
        self.level
    }

    /// All points of the session.
    pub fn points(&self) -> i32 {
        self.points
    }

    /// How many drills in a row were solved without a wrong answer.
    pub fn streak(&self) -> u32 {
        self.streak
    }

    /// The longest streak.
    pub fn best_streak(&self) -> u32 {
        self.best_streak
    }

    /// Whether all drills are done.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// How each drill of this round came out.
    pub fn results(&self) -> &[DrillResult] {
        &self.results
    }

    /// What is kept: of all rounds, for each drill the best result and the latest.
    pub fn best_and_latest(&self) -> Vec<DrillResult> {
        drill::best_and_latest(self.earlier.iter().chain(&self.results))
    }

    /// How the session came out, in a sentence part.
    pub fn summary(&self, words: Interface<'_>) -> String {
        let solved = self.results.iter().filter(|result| result.solved).count();
        let text = match self.points {
            1 => "drills solved: {} of {}, {} point",
            _ => "drills solved: {} of {}, {} points",
        };
        words.fill(text, &[&solved, &self.results.len(), &self.points])
    }

    /// The drill at work.
    pub fn current(&self) -> Option<&Current> {
        self.current.as_ref()
    }

    /// The seconds that the drill at work has taken.
    pub fn seconds(&self) -> u64 {
        self.current.as_ref().map_or(0, |it| it.ended.unwrap_or(self.clock).saturating_sub(it.began))
    }

    /// Whether a document is looked at.
    pub fn is_looking(&self) -> bool {
        self.current.as_ref().is_some_and(|it| it.look.is_some())
    }

    /// Whether its time goes on.
    pub fn is_timed(&self) -> bool {
        self.current.as_ref().is_some_and(|it| it.ended.is_none())
    }
}

/// What a person asks for.
impl Drills {
    /// Begins drills as `plan` says; `alone`: the program runs for them, after the stages.
    pub(in crate::lab) fn open(&mut self, plan: Plan, alone: bool, sources: &Sources<'_>) {
        let earlier = self.best_and_latest();
        let order = plan::order(plan, sources);
        let clock = self.clock;
        *self = Drills {
            plan: Some(plan),
            is_alone: alone,
            is_preparing: alone,
            order,
            level: plan.level,
            clock,
            earlier,
            ..Drills::default()
        };
    }

    /// Takes over the results of earlier sessions.
    pub(in crate::lab) fn carry_over(&mut self, earlier: Vec<DrillResult>) {
        self.earlier = earlier;
    }

    /// The stages before the drills have ended, well or not.
    pub(in crate::lab) fn end_preparing(&mut self) {
        self.is_preparing = false;
    }

    /// Forgets the drill at work: the lab ends.
    pub(in crate::lab) fn close(&mut self) {
        self.record(false);
        self.current = None;
    }

    /// Begins the drill that is next; `None` when all are done.
    pub(in crate::lab) fn begin(&mut self) -> Option<Part> {
        let drill = *self.order.get(self.at)?;
        self.current = Some(Current::new(drill, self.clock));
        Some(Part::SetUp)
    }

    /// The order of the rungs in the answers of the drill at work.
    pub fn rungs(&self) -> [Rung; 4] {
        self.current.as_ref().map_or(plan::RUNGS, |it| plan::rungs(catalog::of(it.drill).rung))
    }

    /// The rungs that level 1 marks as fine.
    pub fn fine(&self) -> Vec<Rung> {
        match (&self.current, self.level) {
            (Some(it), Level::One) => plan::fine(it.drill, self.seed()),
            _ => Vec::new(),
        }
    }

    /// The fixes of the drill at work, in the order in which they are listed; none at level 3.
    pub fn fixes(&self, given_user: bool) -> Vec<(Fix, bool)> {
        match &self.current {
            Some(it) if self.level != Level::Three => plan::fixes(it.drill, given_user, self.seed()),
            _ => Vec::new(),
        }
    }

    fn seed(&self) -> u64 {
        self.plan.map_or(0, |plan| plan.seed)
    }

    /// How many answers there are to choose from.
    pub fn answers(&self, given_user: bool) -> usize {
        match self.current.as_ref().map(|it| it.task) {
            Some(Task::Lock) => Lock::ALL.len(),
            Some(Task::Rung) => self.rungs().len(),
            Some(Task::Fix) => self.fixes(given_user).len(),
            _ => 0,
        }
    }

    /// Whether Enter scans: the learner writes the fix.
    pub fn can_check(&self) -> bool {
        self.level == Level::Three && self.current.as_ref().is_some_and(|it| it.task == Task::Fix)
    }

    /// Goes on: to the next drill, when this one is undone, or with a Scan to see whether it is solved.
    pub(in crate::lab) fn go_on(&mut self, is_idle: bool, then: Then) -> Option<Part> {
        let can_check = self.can_check();
        let it = self.current.as_mut()?;
        match it.task {
            Task::Solved | Task::Impossible if !is_idle => {
                it.then = then;
                None
            }
            Task::Solved | Task::Impossible => match then {
                Then::Again => self.begin(),
                _ => self.next_drill(),
            },
            _ => can_check.then_some(Part::Check),
        }
    }

    /// Takes an answer; a fix begins.
    pub(in crate::lab) fn answer(&mut self, place: usize, given_user: bool) -> Option<Part> {
        let (rungs, fixes) = (self.rungs(), self.fixes(given_user));
        let it = self.current.as_mut()?;
        let before = it.score.total();
        let begins = match it.task {
            Task::Lock => {
                it.name_lock(*Lock::ALL.get(place)?);
                None
            }
            Task::Rung => {
                it.name_rung(*rungs.get(place)?);
                None
            }
            Task::Fix => {
                it.remark = None;
                Some(Part::Fix(fixes.get(place)?.0))
            }
            Task::Wait | Task::Solved | Task::Impossible => None,
        };
        self.points += it.score.total() - before;
        begins
    }

    /// Shows another hint, for a point.
    pub(in crate::lab) fn hint(&mut self) {
        if let Some(it) = &mut self.current {
            it.score.hints += 1;
            it.remark = None;
            self.points -= 1;
        }
    }

    /// Whether `w` costs a point now.
    pub fn why_costs(&self) -> bool {
        self.current.as_ref().is_some_and(|it| it.is_open() && !it.score.saw_why)
    }

    /// Takes the point that `w` costs, once for each drill.
    pub(in crate::lab) fn pay_why(&mut self) {
        if self.why_costs()
            && let Some(it) = &mut self.current
        {
            it.score.saw_why = true;
            self.points -= 1;
        }
    }

    /// Changes the level: until the first answer, since it says how much help there is.
    pub(in crate::lab) fn change_level(&mut self) {
        self.level = self.level.next();
    }

    /// Whether the level can change.
    pub fn can_change_level(&self) -> bool {
        self.current.as_ref().is_some_and(|it| it.task == Task::Lock && it.score == Score::default())
    }

    /// Notes that this part begins.
    pub(in crate::lab) fn start(&mut self, part: Part) {
        let Some(it) = &mut self.current else { return };
        it.part = part;
        match part {
            Part::Fix(_) => it.remark = None,
            Part::Look(look) => it.look = Some(look),
            Part::Undo => (it.tried, it.undone, it.look) = (Vec::new(), Undone::No, None),
            Part::SetUp | Part::Own | Part::Check => {}
        }
    }

    /// Closes the document that is looked at.
    pub(in crate::lab) fn look_away(&mut self) {
        if let Some(it) = &mut self.current {
            it.look = None;
        }
    }

    /// Leaves the drill: what it has changed is undone, then comes `then`.
    pub(in crate::lab) fn leave(&mut self, then: Then) {
        self.record(false);
        if let Some(it) = &mut self.current {
            it.then = then;
            it.ended = it.ended.or(Some(self.clock));
        }
    }

    /// Whether the drill at work is being left.
    pub fn is_leaving(&self) -> bool {
        self.current.as_ref().is_some_and(|it| !matches!(it.then, Then::Stay | Then::Next | Then::Again))
    }

    /// Goes on after the drill at work.
    pub(in crate::lab) fn next_drill(&mut self) -> Option<Part> {
        self.at += 1;
        let part = self.begin();
        if part.is_none() {
            self.at = self.at.saturating_sub(1);
            self.current = None;
            self.is_over = true;
        }
        part
    }

    /// Takes the seconds since the lab began.
    pub(in crate::lab) fn advance(&mut self, seconds: u64) {
        self.clock = seconds;
    }

    fn record(&mut self, solved: bool) {
        let seconds = self.seconds();
        let Some(it) = self.current.as_mut().filter(|it| it.is_open() || solved) else { return };
        if it.ended.is_some() {
            return;
        }
        it.ended = Some(self.clock);
        let (score, level) = (&it.score, self.level);
        let hints = score.hints + u8::from(score.saw_why);
        let points = score.total();
        self.results.push(DrillResult { drill: it.drill, level, points, hints, seconds, solved });
        match (solved, it.score.is_without_mistake(), it.score.is_without_help()) {
            (true, true, true) => self.streak += 1,
            (true, true, false) => {}
            _ => self.streak = 0,
        }
        self.best_streak = self.best_streak.max(self.streak);
    }
}
