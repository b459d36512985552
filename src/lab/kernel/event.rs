//! Domain events, which the kernel emits, and commands, which features answer with.

use serde::{Deserialize, Serialize};

use crate::lab::model::adoption::Taken;
use crate::lab::model::exchange::{Answer, CallId};
use crate::lab::model::experiment::Experiment;
use crate::lab::model::masked::Answered;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::outcome::{Check, Outcome};
use crate::lab::model::stage::Stage;

/// Identifies a timer. A timer that fires late is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimerId(pub u64);

/// Calls that belong together: a stage's, or those of an experiment, which interrupts the stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunId {
    /// A stage.
    Stage(Stage),
    /// An experiment.
    Experiment(Experiment),
    /// The drill at work.
    Drill,
    /// What the learner has written in stage 7: it is sent, and tried.
    Attempt,
}

/// A call to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// To be echoed.
    pub id: CallId,
    /// Whose credentials sign it.
    pub identity: Identity,
    /// What to call.
    pub operation: Operation,
}

/// A pause before a batch is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// To be echoed when the pause is over.
    pub timer: TimerId,
    /// How long the pause is.
    pub millis: u64,
    /// What is awaited.
    pub what: &'static str,
    /// Milliseconds that the wait has lasted.
    pub waited: u64,
    /// Milliseconds that it may last.
    pub limit: u64,
}

/// Something that has happened. Only the kernel makes these; features handle them.
#[derive(Debug, Clone, PartialEq)]
pub enum DomainEvent {
    /// A stage has begun. One that is only verified has not.
    StageStarted(Stage),
    /// The batch with this index has to be supplied.
    BatchWanted(RunId, usize),
    /// A call was answered.
    CallAnswered(RunId, Answered),
    /// All calls of a batch were answered.
    BatchAnswered(RunId),
    /// A call that belongs to no run was answered.
    Probed(Operation, Box<Answer>),
    /// A batch will be sent again after a pause.
    RetryWanted(Retry),
    /// A run can't go on, for this reason.
    RunStopped(RunId, String),
    /// A run has ended; its outcome is known.
    RunEnded(RunId),
    /// A stage has ended before it began: nobody has consented.
    StageWithheld(Stage),
    /// The facts have changed.
    FactsChanged,
}

/// What a feature asks the session to do. The router applies commands in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin a stage, after its gates: consent, and undoing what experiments have changed.
    Start(Stage),
    /// Begin a stage without its gates.
    StartNow(Stage),
    /// Send the calls of the shown stage again, all of them or from the one that failed.
    Retry,
    /// Verify that a stage that was met still stands.
    Verify(Stage),
    /// Send calls that belong to no run.
    Probe(Vec<Operation>),
    /// Send the batch that waits for a yes.
    SendHeld,
    /// Show a stage.
    Show(Stage),
    /// Skip the question of a stage, if it is open.
    SkipQuestion(Stage),
    /// Say that a jump to this stage has ended before it.
    TellStop(Stage),
    /// Say how a stage is set up on the way to a later one, if it is running.
    TellJourney(Stage),
    /// Offer to wait again, if a stage gave up waiting.
    OfferToWait(Stage),
    /// Bring a resumed session to where it ended.
    CatchUp,
    /// Take the run's journal over.
    TakeOver,
    /// Take down what the lab has taken over from another client.
    Adopt(Taken),
    /// Do something for an experiment.
    Trial(Experiment, TrialCommand),
    /// Do something for the drills.
    Drill(DrillCommand),
    /// Do something for an attempt.
    Attempt(AttemptCommand),
    /// Say how long an experiment waits, and send the timer back after a second.
    CountDown {
        /// To be echoed.
        timer: TimerId,
        /// Seconds that are left.
        left: u16,
    },
    /// Move the server's clock forward, where that is possible.
    AdvanceClock {
        /// To be echoed.
        timer: TimerId,
        /// Seconds.
        seconds: u32,
    },
    /// Find out what the open page needs.
    Inspect,
    /// Find out what KMS was asked because of these requests.
    Trace(Vec<String>),
    /// Look for the recorded responses of a stage.
    LoadResponses(Stage),
    /// Save the session: something has changed that no call shows.
    Save,
    /// Hand a text to the clipboard.
    Copy(String),
    /// Write the session up.
    Export,
    /// Open a shell in the lab's terminal.
    OpenShell,
    /// Let the person write in an editor of their own.
    EditElsewhere,
    /// Begin the lab again, unless something is left behind.
    StartOver,
    /// Leave the program.
    Exit,
}

/// What the session does for an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum AttemptCommand {
    /// Interrupt the stages with it, or with its undoing.
    Begin {
        /// Whether it is only undone.
        undoes: bool,
    },
    /// End it with this outcome.
    Conclude(Check),
    /// It was successful: the stage is done.
    Complete,
    /// Try an experiment, now that the key policy is as experiments need it.
    Try(Experiment),
    /// Begin the drills, now that the key policy is as experiments need it.
    Drill,
    /// Start a stage, now that the attempt is undone.
    Start(Stage),
    /// Bring a resumed session to where it ended, now that the attempt is undone.
    CatchUp,
    /// Say that it is undone.
    TellUndone,
    /// Put the learner's own way back, for which the console's statements stand in.
    PutBack,
    /// Say that it stands again, after the console's statements stood in for it.
    TellBack,
}

/// What the session does for an experiment.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialCommand {
    /// Show it.
    Show,
    /// Show it in the list.
    List,
    /// Try it, after what an earlier one has left is undone.
    Try,
    /// Interrupt the stages with it, or with its undoing.
    Begin {
        /// Whether it is only undone.
        undoes: bool,
    },
    /// Go on after a pause.
    GoOn,
    /// Take this verdict, then undo.
    End(Check),
    /// Conclude it: it is undone.
    Conclude(Outcome),
    /// Bring a resumed session to where it ended, now that the experiment is undone.
    CatchUp,
}

/// What the session does for the drills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrillCommand {
    /// Go on with the batch after a pause.
    GoOn,
    /// Begin the first drill, or say why it can't begin: the stages before it have ended.
    Prepared,
}
