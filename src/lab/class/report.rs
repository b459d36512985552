//! What a learner's lab sends: progress, and nothing that a teacher could not read off the learner's screen.

use serde::{Deserialize, Serialize};

use crate::lab::kernel::run::Status;
use crate::lab::model::choice::Choice;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::stage::Stage;
use crate::lab::session::modes::Mode;
use crate::lab::session::state::State;
use crate::lab::view::Desk;

/// The version of a report. It grows when an older dashboard could not read it.
pub const VERSION: u32 = 1;

/// What a learner is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// A question is open.
    Question,
    /// The stage's calls could be sent, or are under way.
    Waiting,
    /// A statement is being written.
    Writing,
    /// A drill.
    Drill,
    /// The stage was met.
    Met,
    /// The stage ended otherwise.
    NotMet,
    /// The lab was left.
    Left,
}

/// The answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its letter on the learner's screen, the same on every screen of the class.
    pub letter: char,
    /// Whether it is right.
    pub right: bool,
}

/// One stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    /// Whether it was met; `None` before it has ended.
    pub met: Option<bool>,
    /// The answer, if one was given.
    pub answer: Option<Answer>,
    /// How many hints were shown.
    pub hints: u8,
    /// How often its calls were sent; in stage 7 the learner's own statements.
    pub tries: u32,
    /// The seconds spent on it.
    pub seconds: u64,
}

/// The progress of one lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// The learner's name, as the learner gave it.
    pub name: String,
    /// A random number of this lab, in hexadecimal: two learners may have one name.
    pub lab: String,
    /// The stage that the lab is at.
    pub at: Stage,
    /// What the learner is doing.
    pub doing: Doing,
    /// Which way is being written in stage 7, or was sent last.
    pub way: Option<Way>,
    /// Whether the newest own statement was refused.
    pub refused: bool,
    /// All stages, in order.
    pub stages: Vec<StageReport>,
    /// The drills: solved, and tried.
    pub drills: (u16, u16),
    /// The seconds since the lab began.
    pub seconds: u64,
    /// Whether the learner asks for help.
    pub asks: bool,
}

/// A way to let test-user use the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A statement in the key policy.
    KeyPolicy,
    /// An IAM policy.
    IamPolicy,
    /// A grant.
    Grant,
}

impl Way {
    /// The call that it takes.
    pub const fn call(self) -> &'static str {
        match self {
            Way::KeyPolicy => "PutKeyPolicy",
            Way::IamPolicy => "PutUserPolicy",
            Way::Grant => "CreateGrant",
        }
    }
}

impl From<Mechanism> for Way {
    fn from(mechanism: Mechanism) -> Way {
        match mechanism {
            Mechanism::KeyPolicy => Way::KeyPolicy,
            Mechanism::IamPolicy => Way::IamPolicy,
            Mechanism::Grant => Way::Grant,
        }
    }
}

/// Who reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The learner's name.
    pub name: String,
    /// A random number of this lab, in hexadecimal.
    pub lab: String,
}

impl Report {
    /// The progress of the lab with `state`.
    pub fn of(state: &State, member: &Member) -> Report {
        let drilled = state.drills().best_and_latest();
        let count = |only_solved: bool| {
            let counted = drilled.iter().filter(|result| result.solved || !only_solved).map(|result| result.drill);
            u16::try_from(counted.collect::<std::collections::BTreeSet<_>>().len()).unwrap_or(u16::MAX)
        };
        let attempts = state.attempts();
        Report {
            version: VERSION,
            name: member.name.clone(),
            lab: member.lab.clone(),
            at: state.current(),
            doing: doing(state),
            way: attempts.chosen().or(attempts.sent().map(|sent| sent.mechanism)).map(Way::from),
            refused: attempts.came() == Some(crate::lab::attempts::Came::Refused),
            stages: Stage::ALL.into_iter().map(|stage| of_stage(state, stage)).collect(),
            drills: (count(true), count(false)),
            seconds: state.pace().total,
            asks: state.asks_for_help(),
        }
    }

    /// The same without the times, which pass by themselves.
    #[must_use]
    pub fn without_time(&self) -> Report {
        let stages = self.stages.iter().map(|stage| StageReport { seconds: 0, ..*stage }).collect();
        Report { stages, seconds: 0, ..self.clone() }
    }

    /// The stage that the lab is at.
    pub fn here(&self) -> StageReport {
        self.stages.get(self.at.index()).copied().unwrap_or_default()
    }

    /// How many stages were met.
    pub fn met(&self) -> usize {
        self.stages.iter().filter(|stage| stage.met == Some(true)).count()
    }

    /// The answers: right ones, and all.
    pub fn answers(&self) -> (usize, usize) {
        let answers = || self.stages.iter().filter_map(|stage| stage.answer);
        (answers().filter(|answer| answer.right).count(), answers().count())
    }

    /// The newest answer.
    pub fn last_answer(&self) -> Option<Answer> {
        self.stages.iter().rev().find_map(|stage| stage.answer)
    }
}

fn doing(state: &State) -> Doing {
    match &state.shown().status {
        _ if state.is_drilling() => Doing::Drill,
        _ if matches!(state.view().desk, Some(Desk::Editor | Desk::Names(_))) || state.mode() == Mode::Writing => {
            Doing::Writing
        }
        Status::Todo if state.waits_for_answer() => Doing::Question,
        Status::Todo | Status::Running => Doing::Waiting,
        Status::Done(check) if check.met => Doing::Met,
        Status::Done(_) => Doing::NotMet,
    }
}

fn of_stage(state: &State, stage: Stage) -> StageReport {
    let asked = state.question(stage);
    let reply = asked.as_ref().and_then(|asked| asked.reply());
    let is_answered = matches!(state.quiz().choice(stage), Some(Choice::Answer(_)));
    let own = if stage == Stage::Grant { state.attempts().count() } else { 0 };
    let sent = u32::from(state.record(stage).exchanges().len() > 0);
    StageReport {
        met: state.check(stage).map(|check| check.met),
        answer: reply.filter(|_| is_answered).map(|(letter, reply)| Answer { letter, right: reply.right }),
        hints: u8::try_from(state.quiz().hints(stage)).unwrap_or(u8::MAX),
        tries: own.max(sent),
        seconds: state.pace().stages[stage.index()],
    }
}
