//! What each intent does. Whether it is allowed is asked in `permit.rs`.

use super::classroom;
use super::desk;
use super::drilling;
use super::flow::{Effect, Event, Intent, PresenterAction, SearchAction};
use super::modes::Mode;
use super::notice;
use super::permit::{Permit, Reason};
use super::shell;
use super::state::State;
use crate::lab::feature::consent::Digits;
use crate::lab::feature::copy::Copied;
use crate::lab::feature::experiments::Then as AfterTrial;
use crate::lab::feature::presenting::PressTwice;
use crate::lab::feature::presenting::hands::HandEntry;
use crate::lab::kernel::event::{Command, RunId, TrialCommand};
use crate::lab::kernel::run::Status;
use crate::lab::model::choice::Choice;
use crate::lab::model::drill::Plan;
use crate::lab::model::experiment::Experiment;
use crate::lab::model::search;
use crate::lab::model::stage::Stage;
use crate::lab::stages::Sources;
use crate::lab::view::{Desk, Overlay, Page, moved};

/// The width of the copied card.
const CARD_COLUMNS: usize = 96;

impl State {
    /// Moves the focus off a pane that has no call in this stage: it may be the only one that is seen.
    pub(super) fn focus_calls(&mut self) {
        if !self.outline().iter().any(|(identity, _)| *identity == self.view.focus()) {
            self.view.focus_other();
        }
    }

    /// Performs an intent that is allowed, and says why not where the person should know.
    pub(super) fn try_intent(&mut self, intent: Intent) -> Vec<Command> {
        let press = match intent {
            Intent::AskToQuit => Some(PressTwice::Leave),
            Intent::Close => Some(PressTwice::StopDrills),
            Intent::StartAfresh => Some(PressTwice::StartAfresh),
            Intent::Present(PresenterAction::Next) => Some(PressTwice::Next),
            _ => None,
        };
        // No log has the digits of an account: only consent may depend on them.
        let is_digit = matches!(intent, Intent::TypeDigit(_) | Intent::EraseDigit);
        let is_second_press = !is_digit && self.presenting.is_second_press(press, &mut self.view.message);
        match self.permit(intent) {
            Permit::Yes if intent == Intent::AskForHelp => return classroom::ask_for_help(self),
            Permit::Yes => return self.perform(intent, is_second_press),
            Permit::Because(reason) => self.view.message = Some(self.explain(reason)),
            Permit::No => {}
        }
        Vec::new()
    }

    /// Performs an intent. Whether it is allowed has been asked.
    fn perform(&mut self, intent: Intent, is_second_press: bool) -> Vec<Command> {
        let leaves = matches!(intent, Intent::Quit | Intent::AskToQuit | Intent::CleanUpAndQuit);
        let is_writing = self.view.desk.is_some() && !leaves;
        if self.is_drilling() && self.view.overlay.is_none() && !self.view.blank && !is_writing {
            return drilling::perform(self, intent, is_second_press);
        }
        if self.mode() == Mode::Debrief
            && let Some(commands) = self.perform_in_debrief(intent, is_second_press)
        {
            return commands;
        }
        match intent {
            Intent::Drill(_) => return drilling::open(self),
            Intent::Present(action) => return self.perform_action(action, is_second_press),
            Intent::Advance => return self.advance(),
            Intent::Retry => match self.view.experiment {
                Some(which) => return vec![Command::Trial(which, TrialCommand::Try)],
                None => return vec![Command::Retry],
            },
            Intent::Choose(place) => return self.choose(place).into_iter().collect(),
            // Only the debrief has claims; help is asked for everywhere.
            Intent::Judge(_) | Intent::AskForHelp => {}
            Intent::Skip => return self.answer(Choice::Skipped).into_iter().collect(),
            Intent::Hint => return self.quiz.hint(self.view.shown).into_iter().collect(),
            Intent::AskToQuit if !is_second_press && self.is_in_the_middle() => self.warn_of_leaving(),
            Intent::Quit | Intent::AskToQuit => return self.quit().into_iter().collect(),
            Intent::CleanUpAndQuit => return self.clean_up_and_quit(),
            Intent::ShowNext => self.show_neighbor(Experiment::next, State::next_shown),
            Intent::ShowPrevious => self.show_neighbor(Experiment::previous, |state| state.view.shown.previous()),
            Intent::SelectPrevious => self.select(-1),
            Intent::SelectNext => self.select(1),
            Intent::MoveCursor(rows) => self.move_cursor(rows),
            Intent::ToggleStages => self.toggle_stages(),
            Intent::FocusOther => shell::move_focus(self),
            Intent::ToggleZoom => self.view.toggle_zoom(),
            Intent::CycleView => self.view.cycle_mode(),
            Intent::ToggleReplay => self.toggle_replay(),
            Intent::ScrollTo(line) => self.view.scroll_to(line),
            Intent::Search(action) => self.search(action),
            Intent::TogglePage(page) => {
                self.view.toggle_page(page);
                return vec![Command::Inspect];
            }
            Intent::Close => return self.go_back(),
            Intent::Copy(what) => return self.copy(what),
            Intent::Export => return vec![Command::Export],
            Intent::TypeDigit(digit) => return self.type_digit(digit),
            Intent::EraseDigit => self.erase_digit(),
            Intent::StartAfresh => self.start_afresh(is_second_press),
            Intent::OpenShell => return vec![notice::open_shell(self)],
            Intent::ToggleExperiments => return self.toggle_experiments(),
            Intent::Undo if self.view.desk.is_some() => return desk::undo(self),
            Intent::Undo => return self.experiments.undo_before(AfterTrial::Stay, &self.kernel).into_iter().collect(),
            Intent::ChooseWay(mechanism) => return desk::choose(self, mechanism),
            Intent::NextBlank(_) | Intent::InsertName | Intent::EditElsewhere | Intent::Send => {
                return desk::write_on(self, intent);
            }
        }
        Vec::new()
    }

    /// The same state, which has come for drills: its stages are run first.
    #[must_use]
    pub fn with_drills(mut self, plan: Plan) -> State {
        let sources = Sources { names: &self.names, facts: self.kernel.facts(), backend: &self.backend };
        self.drills.open(plan, true, &sources);
        self
    }

    /// Begins the stages before the drills.
    pub fn begin_drills(&mut self) -> Vec<Effect> {
        self.settle(vec![Command::Start(Stage::FIRST)])
    }

    /// Does what `intent` means in the debrief alone; `None` for what it means everywhere.
    fn perform_in_debrief(&mut self, intent: Intent, is_second_press: bool) -> Option<Vec<Command>> {
        let saved = match intent {
            Intent::Present(PresenterAction::Next) if self.debrief.is_open() => {
                if !is_second_press {
                    let text = self.interface().say("a question is open: press once more to pass over it").to_owned();
                    self.view.message = self.presenting.ask_again(PressTwice::Next, text);
                    return Some(Vec::new());
                }
                self.debrief.answer(Choice::Skipped, false)
            }
            Intent::Choose(place) => self.answer_debrief(place),
            Intent::Judge(is_true) => self.answer_debrief(u8::from(!is_true)),
            Intent::Skip => self.debrief.answer(Choice::Skipped, false),
            Intent::Advance | Intent::Present(PresenterAction::Next) => {
                self.debrief.advance();
                None
            }
            Intent::TogglePage(Page::Lesson) => {
                self.debrief.toggle_sources();
                None
            }
            Intent::Close if self.debrief.show_card() => None,
            _ => return None,
        };
        Some(saved.into_iter().collect())
    }

    fn answer_debrief(&mut self, place: u8) -> Option<Command> {
        let (choice, right) = self.debrief_choice(place)?;
        self.debrief.answer(choice, right)
    }

    /// Does what a presenter asks for.
    pub(super) fn perform_action(&mut self, action: PresenterAction, is_second_press: bool) -> Vec<Command> {
        match action {
            PresenterAction::Blank => self.view.blank = !self.view.blank,
            PresenterAction::Billboard => self.view.toggle_billboard(),
            PresenterAction::Theme => self.presenting.themes = self.presenting.themes.wrapping_add(1),
            PresenterAction::Timer => self.presenting.shows_timer = !self.presenting.shows_timer,
            PresenterAction::Next => return self.click(is_second_press),
            PresenterAction::Tally => {
                self.presenting.entry = HandEntry::new(self.hands(self.view.shown).unwrap_or_default());
                self.view.overlay = Some(Overlay::Tally);
            }
            PresenterAction::Letter(place) => self.presenting.entry.letter(place.into()),
            PresenterAction::Digit(digit) => self.presenting.entry.digit(digit),
            PresenterAction::Other(c) => self.presenting.entry.other(c),
            PresenterAction::Erase => self.presenting.entry.erase(),
            PresenterAction::TakeHands => return self.take_hands(),
            PresenterAction::JoinCode => self.presenting.phones.toggle_code(),
            PresenterAction::AskToStartOver => self.view.overlay = Some(Overlay::StartOver),
            PresenterAction::StartOver => return self.start_over(),
        }
        Vec::new()
    }

    /// Does what comes next. A question is skipped, and a held key policy sent, by the second press.
    fn click(&mut self, is_second_press: bool) -> Vec<Command> {
        if self.mode() == Mode::Opening {
            return self.advance();
        }
        let asks = self.waits_for_answer();
        if !is_second_press && (asks || self.held().is_some()) {
            let text = match asks {
                true => self.interface().say("press again to skip the question"),
                // A button that was pressed twice by mistake sends nothing that nobody has looked at.
                false => self.interface().say("the key policy hasn't been sent: press again to send it"),
            };
            self.view.message = self.presenting.ask_again(PressTwice::Next, text.to_owned());
            return Vec::new();
        }
        let mut commands = Vec::new();
        if asks {
            commands.extend(self.answer(Choice::Skipped));
        }
        self.view.message = None;
        commands.extend(self.perform(Intent::Advance, false));
        commands
    }

    /// Takes the hands of a class. It has answered instead of the presenter, whose question is skipped.
    fn take_hands(&mut self) -> Vec<Command> {
        let (stage, mut commands) = (self.view.shown, Vec::new());
        if !self.presenting.entry.confirm() {
            return commands;
        }
        if self.can_count(0) {
            commands.extend(self.presenting.take_hands(stage));
            if self.hands(stage).is_some() && self.waits_for_answer() {
                commands.extend(self.quiz.choose(stage, Choice::Skipped));
            }
        }
        self.view.close();
        commands
    }

    /// Answers the open question with the answer at `place`.
    fn choose(&mut self, place: u8) -> Option<Command> {
        let order = match (self.view.experiment, self.open_question()) {
            (Some(which), _) => self.experiment_order(which),
            (None, Some(asked)) => self.quiz.order(self.view.shown, asked.question),
            (None, None) => Vec::new(),
        };
        order.get(usize::from(place)).and_then(|index| self.answer(Choice::Answer(*index)))
    }

    /// Answers the open question.
    fn answer(&mut self, choice: Choice) -> Option<Command> {
        self.view.message = None;
        match self.view.experiment {
            Some(which) => {
                self.experiments.answer(which, choice);
                None
            }
            None => self.quiz.choose(self.view.shown, choice),
        }
    }

    /// Copies something of the selected call.
    fn copy(&mut self, what: Copied) -> Vec<Command> {
        let is_card = self.view.overlay == Some(Overlay::Debrief);
        let text = if is_card { Some(self.lesson.card(self.own_way()).text(CARD_COLUMNS)) } else { self.to_copy(what) };
        let Some(text) = text else { return Vec::new() };
        let name = match (what, self.selected_call(self.view.focus())) {
            _ if is_card => self.interface().say("the card to keep").to_owned(),
            (Copied::Answer, Some(call)) => format!("the response of {}", call.operation().action()),
            _ => text.clone(),
        };
        let (message, copied) = self.clipboard.copy(text, &name);
        self.view.message = Some(message);
        copied.map(Command::Copy).into_iter().collect()
    }

    /// Whether leaving ends a lab that has begun without asking another question.
    fn is_in_the_middle(&self) -> bool {
        let is_begun = self.met() > 0 && !self.is_finished();
        is_begun && self.leftovers().is_empty() && !self.is_asking_to_resume()
    }

    /// Says that a second press leaves. In front of a class one stray key must not end the lab; nothing is lost by it,
    /// so there is no dialog.
    fn warn_of_leaving(&mut self) {
        // The message must be seen.
        self.view.blank = false;
        self.close();
        let (key, words) = (self.quit_key(), self.interface());
        let text = match self.is_saved() || self.replays.was_saved() {
            true => words.fill("press {} again to leave; your progress is saved", &[&key]),
            false => words.fill("press {} again to leave; nothing is saved", &[&key]),
        };
        self.view.message = self.presenting.ask_again(PressTwice::Leave, text);
    }

    /// The warning that a press is needed again, unless `event` is that press or another. Only what a person does makes
    /// it obsolete: a call that ends meanwhile must not.
    pub(super) fn standing_warning(&self, event: &Event) -> Option<String> {
        let is_pressed = matches!(event, Event::Intent(_) | Event::Edited(_));
        (!is_pressed && self.warns_of_leaving()).then(|| self.view.message.clone()).flatten()
    }

    /// The key that leaves. In the editor letters type.
    pub(super) fn quit_key(&self) -> &str {
        let first = self.view.keys.first("quit", "q");
        if self.view.desk != Some(Desk::Editor) {
            return first;
        }
        let own = self.view.keys.keys("quit").into_iter().flatten().find(|key| key.chars().count() > 1);
        own.map_or("ctrl-c", String::as_str)
    }

    /// Stops a jump after the stage in progress. Returns whether that is all that going back does: a dialog is closed
    /// and a held key policy dropped as well.
    fn stops_jump(&mut self) -> bool {
        let is_in_front = matches!(self.view.overlay, None | Some(Overlay::Consent { .. }));
        if !is_in_front || !self.presenting.stop() {
            return false;
        }
        let is_all = self.view.overlay.is_none() && self.held().is_none();
        if is_all {
            self.view.message = Some(self.interface().say("stops after this stage").to_owned());
        }
        is_all
    }

    /// Shows the experiment or the stage beside the shown one.
    fn show_neighbor(&mut self, experiment: fn(Experiment) -> Option<Experiment>, stage: fn(&State) -> Option<Stage>) {
        match self.view.experiment {
            Some(which) => experiment(which).into_iter().for_each(|which| self.show_experiment(which)),
            None => stage(self).into_iter().for_each(|stage| self.show(stage)),
        }
    }

    /// Searches in the open page or list. In a list the cursor goes to what is found.
    fn search(&mut self, action: SearchAction) {
        self.view.find(action, self.cursor().map(|(row, _)| row));
        if let Some(rows) = self.to_first_found_row() {
            self.view.move_cursor(rows, self.jumpable());
        }
    }

    /// Goes one level back: shows a blanked screen again, stops a jump, leaves an overlay or an experiment, or leaves
    /// a held key policy unsent.
    fn go_back(&mut self) -> Vec<Command> {
        if self.view.blank {
            self.view.blank = false;
            return Vec::new();
        }
        if self.view.drop_query() || self.stops_jump() {
            return Vec::new();
        }
        match (self.view.overlay, self.view.experiment) {
            (Some(Overlay::Experiments { .. }), _) => return self.toggle_experiments(),
            (None, Some(which)) => return vec![self.experiments.leave(which)],
            (None, None) if self.view.desk.is_some() => {
                self.view.desk.into_iter().for_each(|desk| desk::close(self, desk));
            }
            (None, None) if self.held().is_some() => self.drop_held(),
            // Another way: the choice again.
            (None, None) if desk::is_offered(self) => desk::open(self),
            _ => self.close(),
        }
        Vec::new()
    }

    pub(super) fn show_experiment(&mut self, which: Experiment) {
        self.view.show_experiment(which);
        if self.trial(which).status == Status::Todo {
            self.view.begin();
        }
        self.focus_calls();
    }

    pub(super) fn show(&mut self, stage: Stage) {
        if stage > self.kernel.current() {
            self.kernel.reach(stage);
            self.view.begin();
        }
        self.view.show(stage);
        desk::open(self);
    }

    fn advance(&mut self) -> Vec<Command> {
        if self.mode() == Mode::Opening {
            self.view.opening = false;
            return Vec::new();
        }
        match (self.view.overlay, self.view.experiment) {
            (Some(Overlay::Stages { cursor }), _) => {
                self.view.overlay = None;
                return self.go_to(cursor);
            }
            (Some(Overlay::Experiments { cursor }), _) => {
                self.show_experiment(cursor);
                return Vec::new();
            }
            (Some(_), _) => return self.resume(),
            (None, Some(which)) => return self.experiments.advance(which, &self.kernel),
            (None, None) => {}
        }
        if let Some(desk) = self.view.desk {
            return desk::advance(self, desk);
        }
        let shown = self.view.shown;
        match self.shown().status {
            Status::Todo if desk::is_offered(self) && self.attempts.chosen().is_some() => desk::write(self),
            // The class has answered.
            Status::Todo if self.waits_for_answer() => vec![Command::SkipQuestion(shown), Command::Start(shown)],
            Status::Todo => vec![Command::Start(shown)],
            Status::Running => vec![Command::SendHeld],
            Status::Done(_) => {
                match self.next_shown() {
                    Some(next) => self.show(next),
                    None if self.is_at_the_end() => {
                        self.debrief.open(self.missed_questions(), &self.lesson);
                        self.view.overlay = Some(Overlay::Debrief);
                    }
                    None => {}
                }
                Vec::new()
            }
        }
    }

    /// Shows `stage`, or jumps there.
    fn go_to(&mut self, stage: Stage) -> Vec<Command> {
        if stage <= self.reachable() || stage > self.jumpable() {
            self.show(stage.min(self.reachable()));
            return Vec::new();
        }
        self.presenting.jump_to(stage, &self.kernel)
    }

    /// Says what `stage` is set up for, when a jump has started it.
    pub(super) fn announce_jump(&mut self, stage: Stage) {
        let Some(destination) = self.destination() else { return };
        match self.record(stage).status {
            Status::Running => {
                let stops = self.view.keys.first("back", "esc");
                let text = self.interface().fill(
                    "setting up stage {}: stage {} · {} stops",
                    &[&destination.number(), &stage.number(), &stops],
                );
                self.view.message = Some(text);
            }
            // On AWS it waits for consent. Or it has ended without a call.
            Status::Todo => {}
            Status::Done(_) => {
                if let Some(destination) = self.presenting.stop_at(stage, &self.kernel) {
                    self.announce_stop(destination);
                }
            }
        }
    }

    /// Says that a jump to `destination` ends here.
    pub(super) fn announce_stop(&mut self, destination: Stage) {
        let text = self.interface().fill("stopped here on the way to stage {}", &[&destination.number()]);
        self.view.message = Some(text);
    }

    /// Skips the question of `stage`, if it is open.
    pub(super) fn skip_question(&mut self, stage: Stage) -> Option<Command> {
        let is_open = self.question(stage).is_some_and(|asked| asked.is_open());
        if is_open { self.quiz.choose(stage, Choice::Skipped) } else { None }
    }

    /// Begins again as a new run, unless something is left behind.
    pub(super) fn begin_again(&mut self) -> Option<Effect> {
        if self.leftovers().is_empty() {
            return Some(Effect::StartOver);
        }
        let text = self.interface().say("not restarted: something is left, see above");
        self.view.message = Some(text.to_owned());
        None
    }

    /// Starts over; cleans up first if something would be left behind.
    fn start_over(&mut self) -> Vec<Command> {
        self.view.close();
        if self.leftovers().is_empty() {
            return vec![Command::StartOver];
        }
        self.presenting.start_over_after_clean_up();
        vec![Command::Start(Stage::CleanUp)]
    }

    /// Leaves unsent what has been looked at; the stage can be begun again.
    fn drop_held(&mut self) {
        let stage = self.kernel.current();
        self.kernel.amend_facts(|facts| facts.policy_before = None);
        self.kernel.reset(RunId::Stage(stage));
        self.view.close();
        self.view.show(stage);
        desk::open(self);
        let text = self.interface().say("nothing sent: the key policy is unchanged").to_owned();
        self.view.message = Some(text);
    }

    /// Takes a digit. The fourth decides: consent, or once more.
    fn type_digit(&mut self, digit: u8) -> Vec<Command> {
        let Some(Overlay::Consent { stage, mut typed, .. }) = self.view.overlay else { return Vec::new() };
        typed.push(digit);
        if !typed.is_full() {
            self.view.overlay = Some(Overlay::Consent { stage, typed, wrong: false });
            return Vec::new();
        }
        if self.consent.give(typed, &self.kernel) {
            self.view.close();
            // What is written is sent; else the stage begins.
            return match self.view.desk {
                Some(_) => desk::send(self),
                None => vec![Command::Start(stage)],
            };
        }
        self.view.overlay = Some(Overlay::Consent { stage, typed: Digits::default(), wrong: true });
        Vec::new()
    }

    /// Takes the last digit back.
    fn erase_digit(&mut self) {
        if let Some(Overlay::Consent { typed, wrong, .. }) = &mut self.view.overlay {
            typed.pop();
            *wrong = false;
        }
    }

    /// Shows the recorded responses, or the live ones again.
    fn toggle_replay(&mut self) {
        let stage = self.view.shown;
        self.replays.toggle(stage);
        // Other calls: what was selected and scrolled means nothing any more.
        self.view.show(stage);
    }
    /// Leaves, or asks first where something is left behind.
    fn quit(&mut self) -> Option<Command> {
        if self.leftovers().is_empty() || self.view.is_asking_to_quit() {
            return Some(Command::Exit);
        }
        self.view.ask_to_quit();
        None
    }

    fn move_cursor(&mut self, rows: i8) {
        match self.rung() {
            _ if self.view.desk.is_some() && self.view.overlay.is_none() => desk::move_cursor(self, rows),
            Some((rung, last)) => self.view.rung = Some(moved(rung, rows, last)),
            None => self.view.move_cursor(rows, self.jumpable()),
        }
    }

    /// Opens or leaves the experiments. When they are left, the learner's own way is put back.
    fn toggle_experiments(&mut self) -> Vec<Command> {
        self.view.toggle_experiments(self.experiments.last());
        desk::put_back(self)
    }

    fn toggle_stages(&mut self) {
        if self.holds_policy() && self.view.overlay.is_none() {
            self.view.message = Some(self.explain(Reason::PolicyHeld));
        }
        self.view.toggle_stages();
    }

    /// The titles in the open list, up to the last one that can be chosen.
    fn titles(&self) -> Vec<&str> {
        let titles: Vec<&str> = match self.view.overlay {
            Some(Overlay::Stages { .. }) => Stage::ALL.iter().map(|stage| self.text(*stage).title).collect(),
            Some(Overlay::Experiments { .. }) => {
                Experiment::ALL.iter().map(|which| self.experiment(*which).title.as_str()).collect()
            }
            _ => Vec::new(),
        };
        let last = self.cursor().map_or(0, |(_, last)| last);
        titles.into_iter().take(last + 1).collect()
    }

    /// The rows of the open list that a search finds.
    pub fn found_rows(&self) -> Vec<usize> {
        let Some(search) = self.view.search() else { return Vec::new() };
        let is_found = |title: &str| !search::matches(title, search.query()).is_empty();
        self.titles().into_iter().enumerate().filter(|(_, title)| is_found(title)).map(|(row, _)| row).collect()
    }

    /// How far the cursor of the open list is from another row that a search finds; `None` without a match.
    pub fn to_found_row(&self, forward: bool) -> Option<i8> {
        let ((row, _), rows) = (self.cursor()?, self.found_rows());
        let next = match forward {
            true => rows.iter().find(|found| **found > row).or(rows.first()),
            false => rows.iter().rfind(|found| **found < row).or(rows.last()),
        };
        rows_between(row, *next?).filter(|rows| *rows != 0)
    }

    /// How far the cursor is from the first row that is found while a person types.
    pub(super) fn to_first_found_row(&self) -> Option<i8> {
        let search = self.view.search().filter(|search| search.is_typing())?;
        let ((row, _), rows, from) = (self.cursor()?, self.found_rows(), usize::from(search.from()));
        rows_between(row, *rows.iter().find(|found| **found >= from).or(rows.first()).unwrap_or(&from))
    }
}

/// How far down it is from one row to another.
fn rows_between(from: usize, to: usize) -> Option<i8> {
    Some(i8::try_from(to).ok()? - i8::try_from(from).ok()?)
}
