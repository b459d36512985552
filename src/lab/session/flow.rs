//! What a person wants, what happened, and what the world must do: the three small enums everything flows through.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lab::feature::copy::Copied;
use crate::lab::feature::presenting::phones::Turnout;
use crate::lab::feature::replay::RecordedStage;
pub use crate::lab::feature::search::SearchAction;
use crate::lab::insight::{Finding, Inquiry, Traced};
use crate::lab::kernel::event::Outgoing;
pub use crate::lab::kernel::event::TimerId;
use crate::lab::model::adoption::Taken;
use crate::lab::model::draft::Edit;
use crate::lab::model::drill::Look;
use crate::lab::model::exchange::{Answer, CallId, Exchange};
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::outcome::Check;
use crate::lab::model::stage::Stage;
use crate::lab::saving::SavedSession;
use crate::lab::view::Page;

/// What a person asks for. `ui::keys` makes it from a key, plain mode from a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Do this stage's action, send the held call or, after the stage, go to the next. In a list: take the selected row.
    Advance,
    /// Show the next stage; never sends anything.
    ShowNext,
    /// Show the previous stage; never sends anything.
    ShowPrevious,
    /// Answer the stage's question with the answer at this place, counted from 0.
    Choose(u8),
    /// In the debrief: call the claim true or false.
    Judge(bool),
    /// Skip the stage's question.
    Skip,
    /// Show a hint, or another one.
    Hint,
    /// Send this stage's calls again: all of them if it only reads, else from the failed call on.
    Retry,
    /// Focus the other pane.
    FocusOther,
    /// Show the focused pane alone, or both again.
    ToggleZoom,
    /// Show recorded answers of a stage that got none, or the live ones again.
    ToggleReplay,
    /// Show answers in the next view.
    CycleView,
    /// Select the previous call of the focused pane.
    SelectPrevious,
    /// Select the next call of the focused pane.
    SelectNext,
    /// Scroll the focused pane or the open page to this line, counted from 0. The view clamps it.
    ScrollTo(u16),
    /// Search in the open page or list.
    Search(SearchAction),
    /// Open this page over the panes, or close it.
    TogglePage(Page),
    /// Open or close the list of stages.
    ToggleStages,
    /// In the stage list: move the cursor down by this many rows (up when negative).
    MoveCursor(i8),
    /// Go one level back: close the overlay; without one, stop a jump or leave a held call unsent.
    Close,
    /// Copy something of the selected call.
    Copy(Copied),
    /// Write the session up, into files in the current folder.
    Export,
    /// Leave; asks first if something would be left behind.
    Quit,
    /// The same, but in the middle of a lab a first press only warns.
    AskToQuit,
    /// In the leaving dialog: clean up, then leave.
    CleanUpAndQuit,
    /// In the consent dialog: type this digit of the account's number.
    TypeDigit(u8),
    /// In the consent dialog: erase the last digit.
    EraseDigit,
    /// In the question whether to resume: start over instead.
    StartAfresh,
    /// Do what a presenter asks for.
    Present(PresenterAction),
    /// Open or close the list of experiments; from an experiment, go back to the stage.
    #[serde(rename = "toggle_bench")]
    ToggleExperiments,
    /// Undo what experiments have changed and could not undo, or an attempt.
    Undo,
    /// Open a shell for the lab in its terminal.
    OpenShell,
    /// In stage 7: choose this way to let test-user use the key, and write it.
    ChooseWay(Mechanism),
    /// In the editor: go to the next blank, or to the one before.
    NextBlank(bool),
    /// In the editor: open the names that can be inserted.
    InsertName,
    /// In the editor: write in the person's own editor.
    EditElsewhere,
    /// In the editor: send what is written.
    Send,
    /// Do something in the drills.
    Drill(DrillAction),
    /// In a class: ask the teacher for help, or take that back.
    AskForHelp,
}

/// What a learner asks for in the drills, besides hints, explanations and going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillAction {
    /// Begin them, after stage 8.
    Open,
    /// Answer with the lock, the rung or the fix at this place, counted from 0.
    Answer(u8),
    /// Look at a document, or away from it.
    Look(Look),
    /// Change the level.
    Level,
    /// Write a fix in the editor.
    Write,
}

/// What a presenter asks for besides going through the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenterAction {
    /// Blank the screen, or show the lab again.
    Blank,
    /// Show only the two paths and verdicts, as large as possible, or everything again.
    Billboard,
    /// Show the next theme.
    Theme,
    /// Show the time, or hide it.
    Timer,
    /// A clicker's one button: do what comes next. A second press skips an open question.
    Next,
    /// Open the dialog for a show of hands.
    Tally,
    /// There: type the number of the answer at this place, counted from 0.
    Letter(u8),
    /// There: type this digit of the number.
    Digit(u8),
    /// There: type a character that is neither.
    Other(char),
    /// There: erase the last digit.
    Erase,
    /// There: take the numbers.
    #[serde(rename = "keep")]
    TakeHands,
    /// Hide the code that phones join with, or show it again.
    JoinCode,
    /// Ask whether to start over.
    AskToStartOver,
    /// Start over.
    StartOver,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A person wants something.
    Intent(Intent),
    /// A person has typed in the editor.
    Edited(Edit),
    /// A call has ended.
    CallFinished {
        /// Which.
        id: CallId,
        /// With what. Boxed: it is much larger than the other events.
        answer: Box<Answer>,
    },
    /// What a page asked for has been found out.
    Inspected {
        /// Of the [`Effect::Inspect`] that it answers.
        serial: u64,
        /// What was found.
        finding: Finding,
    },
    /// What KMS was asked because of these requests; the end of an [`Effect::Trace`].
    Traced(Vec<(String, Traced)>),
    /// A timer has fired.
    TimerFired(TimerId),
    /// The end of an [`Effect::Advance`].
    Advanced {
        /// Of the effect that it answers.
        timer: TimerId,
        /// Whether the server's clock was moved: only a sandbox lets itself be told the time.
        moved: bool,
    },
    /// What [`Effect::LoadResponses`] has found.
    ResponsesLoaded {
        /// For which stage.
        stage: Stage,
        /// The recorded answers, if there are any; or why those that there are can't be shown.
        found: Result<Option<Box<RecordedStage>>, String>,
    },
    /// [`Effect::CacheResponses`] was not possible, for this reason.
    ResponsesNotCached(String),
    /// [`Effect::Save`] was not possible, for this reason.
    SessionNotSaved(String),
    /// Other clients have made these calls.
    Noticed(Vec<NoticedCall>),
    /// Phones have come, gone or voted.
    Turnout(Turnout),
    /// The shell that [`Effect::OpenShell`] opened has ended.
    ShellClosed,
    /// Time for the next picture of the waiting sign; sent only while a call is under way.
    Tick,
    /// So many seconds have passed since the lab began.
    Clock(u64),
    /// Something that the person should know.
    Say(String),
}

/// Something the world must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a call; its end comes back as [`Event::CallFinished`].
    Call {
        /// To be echoed.
        id: CallId,
        /// Whose credentials sign it.
        identity: Identity,
        /// What to call.
        operation: Operation,
    },
    /// Send [`Event::TimerFired`] after this many milliseconds.
    After {
        /// To be echoed.
        timer: TimerId,
        /// Milliseconds.
        millis: u64,
    },
    /// Move the server's clock forward, if it is a sandbox; it comes back as [`Event::Advanced`].
    Advance {
        /// To be echoed.
        timer: TimerId,
        /// Seconds.
        seconds: u32,
    },
    /// Find out what a page shows; it comes back as [`Event::Inspected`].
    Inspect {
        /// To be echoed.
        serial: u64,
        /// What to find out.
        inquiry: Inquiry,
    },
    /// Find out in the sandbox's trail what KMS was asked because of these requests; [`Event::Traced`] has the answer.
    Trace(Vec<String>),
    /// Close the connections to the server. The next calls use new ones, for which DynamoDB has no table key in memory.
    Reconnect,
    /// Cache the responses of a stage that was met, in place of older ones.
    CacheResponses(Box<RecordedStage>),
    /// Save the session in place of what was saved before; later calls wait for it.
    Save(Box<SavedSession>),
    /// The journal of this run is this lab's from here on.
    TakeOver {
        /// The run's id.
        run: String,
        /// When it began.
        created: Option<String>,
    },
    /// Take down that the lab has taken over what another client has made: after its death a clean-up must know.
    Adopt(Taken),
    /// Load the cached responses of a stage; what is found comes back as [`Event::ResponsesLoaded`].
    LoadResponses {
        /// Which.
        stage: Stage,
        /// Of this account only, where it is known.
        account: Option<String>,
    },
    /// For fronts that write lines; the screen doesn't need it.
    Report(Report),
    /// Hand this text to the terminal's clipboard.
    Copy(String),
    /// Write this session up; what became of it comes back as [`Event::Say`]. `None`: it isn't saved.
    Export(Option<Box<SavedSession>>),
    /// Open a shell in the lab's terminal; its end comes back as [`Event::ShellClosed`].
    OpenShell,
    /// Let the person change this text in an editor of their own; the result comes back as [`Event::Edited`].
    Edit(String),
    /// Begin again, as a new run.
    StartOver,
    /// Leave the program.
    Exit,
}

impl From<Outgoing> for Effect {
    fn from(Outgoing { id, identity, operation }: Outgoing) -> Effect {
        Effect::Call { id, identity, operation }
    }
}

/// A line of `kmslab run`.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// A stage begins.
    Started(Stage),
    /// A call has ended.
    Call(Arc<Exchange>),
    /// A stage has ended.
    Stage(Stage, Check),
}
