//! Whether an intent is allowed now. Footer, help, dispatch, plain mode and clickers all ask [`State::permit`];
//! `update` asks it again, and nothing else guards an intent.

use super::desk;
use super::flow::{DrillAction, Intent, PresenterAction, SearchAction};
use super::modes::{Mode, Modes};
use super::state::State;
use crate::lab::calls::Call;
use crate::lab::feature::copy::Copied;
use crate::lab::feature::drills::{Task, Undone};
use crate::lab::feature::quiz::LETTERS;
use crate::lab::kernel::run::Status;
use crate::lab::model::backend::BackendKind;
use crate::lab::model::draft::Draft;
use crate::lab::model::drill::Look;
use crate::lab::model::experiment::Experiment;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::operation::Identity;
use crate::lab::model::stage::Stage;
use crate::lab::view::{Desk, Overlay, Page, moved};

/// Whether an intent is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It does something.
    Yes,
    /// It has no meaning here: its key does nothing.
    No,
    /// It has a meaning, but not now: its key says why.
    Because(Reason),
}

/// Why an intent is not allowed now. [`State::explain`] has the screen's words; plain mode has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A question is open.
    AnswerFirst,
    /// The shown stage's calls have not been sent.
    StageFirst,
    /// The shown stage's calls are in progress.
    StageRunning,
    /// The shown stage must be tried again.
    StageFailed,
    /// There is no later stage.
    LastStage,
    /// There is no later experiment.
    LastExperiment,
    /// An experiment is in progress.
    ExperimentRunning,
    /// The experiments open after stage 8.
    ExperimentsLater,
    /// Clean-up has removed what the experiments would break.
    ExperimentsGone,
    /// No call has an answer to explain.
    NothingToExplain,
    /// No pane shows a call.
    NothingToShow,
    /// No call is selected.
    NothingToCopy,
    /// The selected call's answer has no body.
    EmptyAnswer,
    /// The stage or experiment compares no choices.
    NoChoices,
    /// The experiment in progress undoes its changes itself.
    UndoRunning,
    /// No change is left to undo.
    NothingToUndo,
    /// A key policy waits to be sent.
    PolicyHeld,
    /// Nobody but the lab has called anything.
    NothingNoticed,
    /// The drills open after stage 8.
    DrillsLater,
    /// Clean-up has removed what the drills would break.
    DrillsGone,
    /// On AWS each fix would take five minutes.
    DrillsNotOnAws,
    /// Something of an experiment is not undone.
    UndoFirst,
    /// The lab doesn't change the policies of a user that it didn't create.
    UserIsGiven,
}

/// The hints of a drill.
const HINTS: usize = 2;

const fn yes(is_allowed: bool) -> Permit {
    if is_allowed { Permit::Yes } else { Permit::No }
}

const fn or(is_allowed: bool, reason: Reason) -> Permit {
    if is_allowed { Permit::Yes } else { Permit::Because(reason) }
}

impl State {
    /// What the person is looking at.
    pub fn mode(&self) -> Mode {
        match self.view.overlay {
            _ if self.view.blank => Mode::Blank,
            _ if self.view.is_typing_query() => Mode::Search,
            Some(Overlay::Page { .. }) => Mode::Page,
            Some(Overlay::Stages { .. } | Overlay::Experiments { .. }) => Mode::List,
            Some(Overlay::Consent { .. }) => Mode::Consent,
            Some(Overlay::Quit) => Mode::Leaving,
            Some(Overlay::Resume) => Mode::Resuming,
            Some(Overlay::Tally) => Mode::Votes,
            Some(Overlay::StartOver) => Mode::StartingOver,
            Some(Overlay::Debrief) => Mode::Debrief,
            None if self.view.opening => Mode::Opening,
            None if self.view.search().is_some() => Mode::Found,
            None => self.mode_of_panes(),
        }
    }

    fn mode_of_panes(&self) -> Mode {
        match (self.view.desk, &self.shown().status) {
            _ if self.is_drilling() && self.view.desk.is_none() => Mode::Drill,
            (Some(Desk::Choice), _) => Mode::Choosing,
            (Some(Desk::Editor), _) => Mode::Writing,
            (Some(Desk::Names(_)), _) => Mode::Naming,
            (Some(Desk::Outcome), _) => Mode::Tried,
            (None, Status::Todo) => Mode::Todo,
            (None, Status::Running) => Mode::Running,
            // Another client was faster than the question: it is asked now.
            (None, Status::Done(_)) if self.view.experiment.is_none() && self.waits_for_answer() => Mode::Todo,
            (None, Status::Done(_)) => Mode::Done,
        }
    }

    /// Whether `intent` is allowed now. It asks only for what a session's log has, too: a replay must decide the same.
    pub fn permit(&self, intent: Intent) -> Permit {
        self.permit_in(self.mode(), intent)
    }

    /// Whether `intent` is allowed once the open page is closed.
    pub fn permit_behind_page(&self, intent: Intent) -> Permit {
        let mode = match self.view.page() {
            Some(Page::Debrief) => Mode::Debrief,
            Some(_) => self.mode_of_panes(),
            None => self.mode(),
        };
        self.permit_in(mode, intent)
    }

    fn permit_in(&self, mode: Mode, intent: Intent) -> Permit {
        if !intent.modes().has(mode) {
            return Permit::No;
        }
        match intent {
            Intent::AskForHelp => yes(self.is_in_class()),
            _ if mode == Mode::Drill => yes(self.permits_in_drill(intent)),
            _ if mode == Mode::Debrief => self.permit_in_debrief(intent),
            Intent::Drill(_) => self.permit_drills(),
            Intent::Advance => self.permit_advance(mode),
            Intent::ShowNext => self.permit_next(mode),
            Intent::ShowPrevious => yes(match self.view.experiment {
                Some(which) => !self.kernel.is_interrupted() && which.previous().is_some(),
                None => self.view.shown.previous().is_some(),
            }),
            Intent::Choose(place) => yes(self.open_question().is_some_and(|it| usize::from(place) < it.answers.len())),
            Intent::Skip => yes(self.waits_for_answer()),
            Intent::Hint => yes(self.has_hint()),
            Intent::Retry => yes(self.can_retry()),
            Intent::ToggleReplay => yes(self.can_replay()),
            Intent::CycleView => or(self.has_calls(), Reason::NothingToShow),
            Intent::SelectPrevious => yes(self.selected(self.view.focus()).is_some_and(|at| at > 0)),
            Intent::SelectNext => yes(self.has_next_call()),
            Intent::TogglePage(page) => self.permit_page(mode, page),
            Intent::ToggleStages => yes(self.can_toggle_stages(mode)),
            Intent::MoveCursor(rows) => yes(self.cursor().is_some_and(|(row, last)| moved(row, rows, last) != row)),
            Intent::Search(action) => yes(self.permits_search(action)),
            Intent::Close => yes(!Modes::PANES.has(mode) || self.can_close_panes()),
            Intent::Copy(what) => self.permit_copy(what),
            Intent::Export => yes(self.ended() > 0),
            Intent::StartAfresh => yes(self.can_start_afresh()),
            Intent::Present(action) => self.permit_presenter(mode, action),
            Intent::ToggleExperiments => self.permit_experiments(),
            Intent::OpenShell => self.permit_shell(mode),
            Intent::Undo if mode == Mode::Tried => yes(self.can_undo_attempt()),
            Intent::ChooseWay(_) if mode == Mode::Todo && !desk::is_offered(self) => Permit::No,
            Intent::ChooseWay(mechanism) => self.permit_way(mechanism),
            Intent::NextBlank(_) => yes(self.draft().is_some_and(Draft::has_fields)),
            Intent::Undo => self.permit_undo(),
            Intent::FocusOther if mode == Mode::Page => yes(self.has_other_side()),
            Intent::FocusOther
            | Intent::ToggleZoom
            | Intent::ScrollTo(_)
            | Intent::Judge(_)
            | Intent::Quit
            | Intent::AskToQuit
            | Intent::CleanUpAndQuit
            | Intent::TypeDigit(_)
            | Intent::EraseDigit
            | Intent::InsertName
            | Intent::EditElsewhere
            | Intent::Send => Permit::Yes,
        }
    }

    fn permits_search(&self, action: SearchAction) -> bool {
        let search = self.view.search();
        match action {
            SearchAction::Open | SearchAction::Keep => true,
            SearchAction::Type(c) => search.is_some_and(|search| search.takes(c)),
            SearchAction::Erase => search.is_some_and(|search| !search.query().is_empty()),
            SearchAction::Go { .. } => search.is_some(),
        }
    }

    /// Whether the debrief shows a question, not a claim.
    fn asks_question(&self) -> bool {
        self.debrief.question(&self.lesson).is_some()
    }

    fn permit_in_debrief(&self, intent: Intent) -> Permit {
        match intent {
            Intent::Advance if self.debrief.is_open() => Permit::Because(Reason::AnswerFirst),
            Intent::Advance | Intent::Present(PresenterAction::Next) => yes(self.debrief.current().is_some()),
            Intent::Choose(place) => {
                yes(self.debrief.is_open() && self.asks_question() && self.debrief_choice(place).is_some())
            }
            Intent::Judge(_) => yes(self.debrief.is_open() && !self.asks_question()),
            Intent::Skip => yes(self.debrief.is_open()),
            Intent::Copy(what) => yes(what == Copied::Command && self.debrief.current().is_none()),
            Intent::Export => yes(self.debrief.current().is_none()),
            Intent::TogglePage(Page::Lesson) => yes(self.debrief.current().is_some() && !self.debrief.is_open()),
            Intent::TogglePage(Page::Debrief) => yes(self.debrief.current().is_none()),
            _ => Permit::Yes,
        }
    }

    fn permit_advance(&self, mode: Mode) -> Permit {
        match (mode, self.view.experiment) {
            (Mode::List | Mode::Opening | Mode::Choosing | Mode::Naming, _) => Permit::Yes,
            (Mode::Tried, _) => yes(!self.attempts.is_running()),
            (Mode::Resuming, _) => yes(self.can_resume()),
            (Mode::Todo, _) if self.waits_for_answer() && !self.has_class_voted() => {
                Permit::Because(Reason::AnswerFirst)
            }
            (_, Some(_)) if self.kernel.is_interrupted() => yes(self.experiments.pause().is_some()),
            (Mode::Todo, Some(which)) => yes(!self.is_out_of_reach(which)),
            (_, Some(_)) => Permit::Yes,
            // An experiment of a saved session is undone before its stages are verified.
            (_, None) if self.kernel.is_interrupted() => Permit::No,
            (Mode::Todo, None) => Permit::Yes,
            (Mode::Running, None) => yes(self.held().is_some()),
            // After the last stage comes the debrief.
            (_, None) => yes(self.next_shown().is_some() || self.is_at_the_end()),
        }
    }

    fn permit_next(&self, mode: Mode) -> Permit {
        match (self.view.experiment, mode) {
            (Some(_), _) if self.kernel.is_interrupted() => Permit::Because(Reason::ExperimentRunning),
            (Some(which), _) => or(which.next().is_some(), Reason::LastExperiment),
            (None, _) if self.next_shown().is_some() => Permit::Yes,
            (None, Mode::Todo) if self.waits_for_answer() => Permit::Because(Reason::AnswerFirst),
            (None, Mode::Todo) => Permit::Because(Reason::StageFirst),
            (None, Mode::Running) => Permit::Because(Reason::StageRunning),
            (None, _) if self.view.shown.next().is_none() => Permit::Because(Reason::LastStage),
            (None, _) => Permit::Because(Reason::StageFailed),
        }
    }

    /// Whether the open page has another side: the other identity's ladder, or the front of the card.
    fn has_other_side(&self) -> bool {
        match self.view.page() {
            Some(Page::Why) => !self.is_drilling() && self.selected_exchange(self.view.focus().other()).is_some(),
            page => page == Some(Page::Debrief),
        }
    }

    /// One page leads to another: nobody has to close the first.
    fn permit_page(&self, mode: Mode, page: Page) -> Permit {
        let missing = match page {
            _ if mode == Mode::Page && self.view.page() == Some(page) => None,
            Page::Why => self.focused_exchange().is_none().then_some(Reason::NothingToExplain),
            Page::Noticed => self.noticing.calls().is_empty().then_some(Reason::NothingNoticed),
            Page::Comparison => self.comparison().is_none().then_some(Reason::NoChoices),
            _ => None,
        };
        match missing {
            None => Permit::Yes,
            // Nobody would see the message behind a page.
            Some(_) if mode == Mode::Page => Permit::No,
            Some(reason) => Permit::Because(reason),
        }
    }

    fn permit_copy(&self, what: Copied) -> Permit {
        match (what, self.selected_call(self.view.focus())) {
            (Copied::Command, Some(_)) => Permit::Yes,
            (Copied::Answer, Some(Call::Answered(exchange))) => {
                or(exchange.body().is_some_and(|body| !body.is_null()), Reason::EmptyAnswer)
            }
            _ => Permit::Because(Reason::NothingToCopy),
        }
    }

    /// Whether experiments can be tried: after the lab's last reading, while what it made is there.
    pub fn has_experiments(&self) -> bool {
        self.check(Stage::ViewAgain).is_some() && self.record(Stage::CleanUp).status == Status::Todo
    }

    /// Whether an experiment can't be tried here.
    pub fn is_out_of_reach(&self, which: Experiment) -> bool {
        which.needs_own_user() && self.backend.given_user
    }

    /// Whether an attempt stands that has not let test-user read.
    fn can_undo_attempt(&self) -> bool {
        let stands = self.attempts.standing().is_some() && !self.kernel.is_met(Stage::Grant);
        stands && !self.kernel.is_interrupted()
    }

    fn permit_way(&self, mechanism: Mechanism) -> Permit {
        match mechanism {
            _ if self.kernel.is_interrupted() || self.kernel.is_met(Stage::Grant) => Permit::No,
            Mechanism::IamPolicy if self.backend.given_user => Permit::Because(Reason::UserIsGiven),
            _ => Permit::Yes,
        }
    }

    /// Whether what experiments have changed can be undone now.
    fn can_undo(&self) -> bool {
        !self.experiments.changes().is_empty() && !self.kernel.is_interrupted() && self.has_experiments()
    }

    fn permit_undo(&self) -> Permit {
        match self.can_undo() {
            true => Permit::Yes,
            false if self.kernel.is_interrupted() => Permit::Because(Reason::UndoRunning),
            false => Permit::Because(Reason::NothingToUndo),
        }
    }

    fn can_toggle_stages(&self, mode: Mode) -> bool {
        match self.view.overlay {
            Some(Overlay::Stages { .. }) => true,
            _ => mode != Mode::List && self.view.experiment.is_none(),
        }
    }

    /// Whether the lab belongs to a class, which sees its progress.
    pub fn is_in_class(&self) -> bool {
        self.presenting.asks_for_help.is_some()
    }

    /// Whether the learner asks for help.
    pub fn asks_for_help(&self) -> bool {
        self.presenting.asks_for_help == Some(true)
    }

    /// Whether the drills are on the screen, or the stages before them are being run.
    pub fn is_drilling(&self) -> bool {
        self.view.drill || self.drills.is_preparing()
    }

    /// Whether the drills can begin: like the experiments, and where DynamoDB's memory need not be waited for.
    fn permit_drills(&self) -> Permit {
        match self.permit_experiments() {
            Permit::Yes if self.backend.kind == BackendKind::Aws => Permit::Because(Reason::DrillsNotOnAws),
            Permit::Yes if !self.experiments.changes().is_empty() => Permit::Because(Reason::UndoFirst),
            Permit::Because(Reason::ExperimentsLater) => Permit::Because(Reason::DrillsLater),
            Permit::Because(Reason::ExperimentsGone) => Permit::Because(Reason::DrillsGone),
            other => other,
        }
    }

    fn permits_in_drill(&self, intent: Intent) -> bool {
        let is_idle = !self.kernel.is_interrupted() && !self.drills.is_preparing();
        let given_user = self.backend.given_user;
        let current = self.drills.current();
        let is_open = current.is_some_and(|it| it.is_open());
        let has_failed = current.is_some_and(|it| matches!(it.undone(), Undone::Failed(_)));
        let has_ended = current.is_some_and(|it| matches!(it.task(), Task::Solved | Task::Impossible));
        match intent {
            Intent::Advance if has_failed => false,
            Intent::Advance => has_ended || self.drills.is_over() || (is_idle && self.drills.can_check()),
            Intent::Hint => is_idle && is_open && current.is_some_and(|it| it.hints() < HINTS),
            Intent::Retry => is_idle && has_ended && !has_failed,
            Intent::Undo => is_idle && has_failed,
            Intent::TogglePage(Page::Help) => true,
            Intent::TogglePage(Page::Why) => is_idle && is_open && self.focused_exchange().is_some(),
            Intent::Drill(DrillAction::Answer(place)) => {
                is_idle && usize::from(place) < self.drills.answers(given_user)
            }
            Intent::Drill(DrillAction::Look(look)) => is_idle && is_open && !(given_user && look == Look::IamPolicies),
            Intent::Drill(DrillAction::Write) => is_idle && current.is_some_and(|it| it.editable(given_user).is_some()),
            Intent::OpenShell => is_idle && is_open && !self.noticing.is_shell_open(),
            Intent::Drill(DrillAction::Level) => is_idle && self.drills.can_change_level(),
            Intent::FocusOther | Intent::ScrollTo(_) => current.is_some(),
            Intent::Close | Intent::Quit | Intent::AskToQuit | Intent::CleanUpAndQuit => true,
            Intent::Present(PresenterAction::Blank | PresenterAction::Theme) => true,
            _ => false,
        }
    }

    fn permit_experiments(&self) -> Permit {
        match (self.view.overlay, self.view.experiment) {
            (Some(overlay), _) => yes(matches!(overlay, Overlay::Experiments { .. })),
            (None, _) if self.kernel.is_interrupted() => Permit::Because(Reason::ExperimentRunning),
            (None, None) if !self.has_experiments() => Permit::Because(match self.record(Stage::CleanUp).status {
                Status::Todo => Reason::ExperimentsLater,
                Status::Running | Status::Done(_) => Reason::ExperimentsGone,
            }),
            (None, _) => Permit::Yes,
        }
    }

    /// A shell is for a living lab, and one at a time.
    fn permit_shell(&self, mode: Mode) -> Permit {
        match mode {
            Mode::Page => yes(self.view.page() == Some(Page::Noticed)),
            _ if self.noticing.is_shell_open() => Permit::No,
            _ => or(!self.kernel.is_interrupted(), Reason::ExperimentRunning),
        }
    }

    /// The last stage that the stage list can take. Unless calls are in progress any: what comes before is set up.
    pub fn jumpable(&self) -> Stage {
        if self.can_start_over() { Stage::ALL[Stage::ALL.len() - 1] } else { self.reachable() }
    }

    /// Whether a key policy is sent without a review: on a jump in the sandbox, where it costs nothing.
    pub(super) fn passes_by(&self) -> bool {
        self.destination().is_some() && self.backend.kind == BackendKind::Sandbox
    }

    /// Whether the lab can start over: not while calls are in progress, nor while a saved session resumes.
    pub fn can_start_over(&self) -> bool {
        let is_at_work = self.record(self.current()).status == Status::Running || self.kernel.is_interrupted();
        !is_at_work && !self.resuming.is_open()
    }

    /// Whether hands can be counted for the shown stage or, once the answer has been seen, looked at. A class votes on
    /// stages; experiments are for those who stay.
    pub fn can_tally(&self) -> bool {
        let stage = self.view.shown;
        let was_counted = || self.check(stage).is_some() && self.hands(stage).is_some();
        self.view.experiment.is_none() && (self.open_question().is_some() || was_counted())
    }

    /// Whether the answer at `place` can be given a number now.
    pub fn can_count(&self, place: usize) -> bool {
        self.is_tallying() && self.open_question().is_some_and(|asked| place < asked.answers.len())
    }

    /// Whether the letter of the answer at `place` does something: not twice before a digit.
    pub fn can_letter(&self, place: usize) -> bool {
        self.can_count(place) && !self.presenting.entry.has_just_chosen(place)
    }

    /// Whether `c` can't be typed now.
    pub fn is_no_letter(&self, c: char) -> bool {
        self.can_count(0) && !(0..4).any(|place| LETTERS[place] == c && self.can_count(place))
    }

    fn permit_presenter(&self, mode: Mode, action: PresenterAction) -> Permit {
        match action {
            PresenterAction::Blank
            | PresenterAction::Billboard
            | PresenterAction::Theme
            | PresenterAction::Timer
            | PresenterAction::TakeHands => Permit::Yes,
            // The second press of a clicker skips the question.
            PresenterAction::Next => {
                yes(mode == Mode::Opening || self.waits_for_answer() || self.permit_advance(mode) == Permit::Yes)
            }
            PresenterAction::Tally => yes(self.can_tally()),
            PresenterAction::JoinCode => yes(self.phones().address().is_some()),
            PresenterAction::Letter(place) => yes(self.can_letter(place.into())),
            PresenterAction::Digit(_) => yes(self.can_count(0)),
            PresenterAction::Other(c) => yes(self.is_no_letter(c)),
            PresenterAction::Erase => yes(self.can_count(0) && !self.entry().is_untouched()),
            PresenterAction::AskToStartOver if self.holds_policy() => Permit::Because(Reason::PolicyHeld),
            PresenterAction::AskToStartOver | PresenterAction::StartOver => yes(self.can_start_over()),
        }
    }

    /// Esc leaves something behind the panes: an unsent policy, a jump, an experiment that has ended or waits.
    fn can_close_panes(&self) -> bool {
        let can_leave_experiment = || !self.kernel.is_interrupted() || self.experiments.pause().is_some();
        self.held().is_some()
            || self.destination().is_some()
            || desk::is_offered(self)
            || (self.view.experiment.is_some() && can_leave_experiment())
    }

    fn has_next_call(&self) -> bool {
        let identity = self.view.focus();
        self.selected(identity).is_some_and(|at| at + 1 < self.calls(identity).len())
    }

    /// The row of the open list, and the last row that can be chosen.
    pub fn cursor(&self) -> Option<(usize, usize)> {
        match self.view.overlay {
            Some(Overlay::Stages { cursor }) => Some((cursor.index(), self.jumpable().index())),
            Some(Overlay::Experiments { cursor }) => Some((cursor.index(), Experiment::ALL.len() - 1)),
            Some(Overlay::Page { page: Page::Why, .. }) => self.rung(),
            None => match self.view.desk {
                Some(Desk::Names(row)) => Some((row, self.insertables().len().saturating_sub(1))),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a pane shows a call.
    pub fn has_calls(&self) -> bool {
        Identity::BOTH.iter().any(|identity| self.selected(*identity).is_some())
    }

    /// Says in the screen's words why an intent is not allowed now.
    pub fn explain(&self, reason: Reason) -> String {
        let words = self.interface();
        let key = |action, usual| self.view.keys.first(action, usual);
        let text = match reason {
            Reason::AnswerFirst => {
                return words.fill("answer first, or press {} to skip", &[&key("skip", "s")]);
            }
            Reason::StageFirst => {
                return words.fill("finish this stage first: {} sends its calls", &[&key("advance", "enter")]);
            }
            Reason::StageFailed => {
                return words.fill("finish this stage first: {} tries it again", &[&key("retry", "r")]);
            }
            Reason::NothingToExplain => {
                return words.fill("nothing to explain yet: {}", &[&self.why_no_answer()]);
            }
            Reason::NothingToShow => return words.fill("nothing to show yet: {}", &[&self.why_no_answer()]),
            Reason::NothingToCopy => return words.fill("nothing to copy yet: {}", &[&self.why_no_answer()]),
            Reason::PolicyHeld => {
                let (sends, drops) = (key("advance", "enter"), key("back", "esc"));
                let text = "stage {} needs your OK: press {} or {} there first";
                return words.fill(text, &[&self.current().number(), &sends, &drops]);
            }
            Reason::ExperimentsLater => {
                let text = "the experiments come after stage {}: they break what the lab made";
                return words.fill(text, &[&Stage::ViewAgain.number()]);
            }
            Reason::NothingNoticed => "you have sent nothing of your own yet",
            Reason::StageRunning => "wait until this stage has finished",
            Reason::LastStage => "this is the last stage",
            Reason::LastExperiment => "this is the last experiment",
            Reason::ExperimentRunning => "wait until this experiment has finished",
            Reason::ExperimentsGone => "no more experiments: clean-up removed what they would break",
            Reason::EmptyAnswer => "this response is empty",
            Reason::NoChoices if self.view.experiment.is_some() => "nothing to compare in this experiment",
            Reason::NoChoices => "nothing to compare in this stage",
            Reason::DrillsLater => "the drills open after stage 8: they break what the lab has made",
            Reason::DrillsGone => "the drills are over: clean-up removed what they break",
            Reason::DrillsNotOnAws => "no drills on AWS: there each fix takes five minutes to show",
            Reason::UndoFirst => "undo first what an experiment has left",
            Reason::UndoRunning => "the experiment undoes its changes itself",
            Reason::UserIsGiven => "the lab changes no policies of a user that it didn't create",
            Reason::NothingToUndo => "nothing to undo: everything is as the lab left it",
        };
        words.say(text).to_owned()
    }

    /// Whether `identity` makes no call in what is shown.
    pub fn is_idle(&self, identity: Identity) -> bool {
        self.calls(identity).is_empty() && !self.outline().iter().any(|(who, _)| *who == identity)
    }

    /// The title of a stage in a list: as long as it would give away how the Scan ends, another one.
    pub fn listed_title(&self, stage: Stage) -> &str {
        let is_known = self.check(Stage::ViewDenied).is_some() || !self.quiz.asks();
        let teaser = self.lesson.stage(stage).teaser.as_deref().filter(|_| !is_known);
        teaser.unwrap_or(self.text(stage).title)
    }

    /// Why the focused pane has no answer.
    fn why_no_answer(&self) -> String {
        let (identity, words) = (self.view.focus(), self.interface());
        let has_none = self.is_idle(identity);
        match self.shown().status {
            _ if has_none && self.view.experiment.is_some() => {
                words.fill("{} makes no call in this experiment.", &[&identity.name()])
            }
            _ if has_none => words.fill("{} makes no call in this stage.", &[&identity.name()]),
            Status::Todo if self.waits_for_answer() => self.explain(Reason::AnswerFirst),
            Status::Todo => words.fill("{} sends the call", &[&self.view.keys.first("advance", "enter")]),
            Status::Running => words.say("no response yet").to_owned(),
            Status::Done(_) => words.fill("{} sent nothing", &[&identity.name()]),
        }
    }
}
