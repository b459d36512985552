//! In front of a class: a blanked screen, the time, hands up, phones that vote, jumping ahead, starting over, and the
//! second screen.

pub mod hands;
pub mod pace;
pub mod phones;

use crate::lab::kernel::Kernel;
use crate::lab::kernel::event::{Command, DomainEvent, RunId};
use crate::lab::model::stage::Stage;

use hands::{HandCount, HandEntry, Votes};
use pace::Pace;
use phones::Phones;

/// What needs a second press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PressTwice {
    /// Leaving in the middle of a lab.
    Leave,
    /// Stopping the drills in the middle of one.
    StopDrills,
    /// Starting over where a saved session could go on.
    StartAfresh,
    /// A clicker's button on an open question or a held call.
    Next,
}

/// A presenter's side of a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Presenting {
    /// Whether the timer is on.
    pub shows_timer: bool,
    /// How often the next theme was asked for.
    pub themes: u8,
    /// The time spent.
    pub pace: Pace,
    /// What was pressed once, and the message that asks for the second press.
    pressed_once: Option<(PressTwice, String)>,
    /// The hands counted for each stage.
    pub votes: Votes,
    /// The hands being typed.
    pub entry: HandEntry,
    /// Whether the learner asks the teacher for help; `None` where the lab belongs to no class.
    pub asks_for_help: Option<bool>,
    /// Phones that vote.
    pub phones: Phones,
    /// The stage that a jump sets everything up for.
    destination: Option<Stage>,
    /// Whether the lab starts over after the clean-up.
    starts_over: bool,
}

impl Presenting {
    /// Starts over, or continues a jump, after a stage has ended.
    pub fn on(&mut self, event: &DomainEvent, kernel: &Kernel) -> Vec<Command> {
        match *event {
            DomainEvent::RunEnded(RunId::Stage(stage)) if !kernel.is_leaving() => {
                // A learner who has met the stage has found the way.
                self.asks_for_help = self.asks_for_help.map(|asks| asks && !kernel.is_met(stage));
                let starts_over = stage == Stage::CleanUp && std::mem::take(&mut self.starts_over);
                let mut commands: Vec<Command> = starts_over.then_some(Command::StartOver).into_iter().collect();
                commands.extend(self.stop_at(stage, kernel).map(Command::TellStop));
                commands.extend(self.continue_journey(kernel));
                commands
            }
            _ => Vec::new(),
        }
    }

    /// Jumps to `stage`: everything before it is set up first, by the same calls as ever.
    pub fn jump_to(&mut self, stage: Stage, kernel: &Kernel) -> Vec<Command> {
        self.destination = Some(stage);
        self.continue_journey(kernel)
    }

    /// Sets up the next stage on the way to the destination, or shows that.
    fn continue_journey(&mut self, kernel: &Kernel) -> Vec<Command> {
        let stage = kernel.reachable();
        match self.destination {
            None => Vec::new(),
            Some(destination) if destination <= stage => {
                self.destination = None;
                vec![Command::Show(destination)]
            }
            Some(_) => vec![Command::SkipQuestion(stage), Command::Start(stage), Command::TellJourney(stage)],
        }
    }

    /// Ends a jump at a stage that was not met. Returns where it was to lead.
    pub fn stop_at(&mut self, stage: Stage, kernel: &Kernel) -> Option<Stage> {
        self.destination.take_if(|_| !kernel.is_met(stage))
    }

    /// The stage that a jump sets everything up for.
    pub fn destination(&self) -> Option<Stage> {
        self.destination
    }

    /// Stops a jump after the stage in progress. Returns whether there was one.
    pub fn stop(&mut self) -> bool {
        self.destination.take().is_some()
    }

    /// Starts over once the clean-up has ended.
    pub fn start_over_after_clean_up(&mut self) {
        self.starts_over = true;
    }

    /// Whether `press` is the second one that `message` asks for. Any other press forgets the first.
    pub fn is_second_press(&mut self, press: Option<PressTwice>, message: &mut Option<String>) -> bool {
        // Once the message is gone, nobody knows any more what a second press does.
        let asked = self.pressed_once.take().filter(|(_, text)| message.as_ref() == Some(text));
        let asked = asked.map(|(asked, _)| asked);
        let is_second = asked.is_some() && asked == press;
        if !is_second && matches!(asked, Some(PressTwice::Leave | PressTwice::StopDrills)) {
            *message = None;
        }
        is_second
    }

    /// Asks for a second press. Returns the message.
    pub fn ask_again(&mut self, press: PressTwice, message: String) -> Option<String> {
        self.pressed_once = Some((press, message.clone()));
        Some(message)
    }

    /// Whether `message` asks for a second press.
    pub fn asks_again(&self, press: PressTwice, message: Option<&String>) -> bool {
        self.pressed_once.as_ref().is_some_and(|(asked, text)| *asked == press && message == Some(text))
    }

    /// Forgets where a jump leads and that the lab was to start over.
    pub fn stay_here(&mut self) {
        self.destination = None;
        self.starts_over = false;
    }

    /// The hands and the phones' votes for the question of `stage`.
    pub fn count(&self, stage: Stage) -> Option<HandCount> {
        match (self.votes[stage.index()], self.phones.votes(stage)) {
            (Some(hands), Some(phones)) => Some(hands.and(phones)),
            (hands, phones) => hands.or(phones),
        }
    }

    /// Takes the hands that have been typed for `stage`. Returns the command that saves them, unless they are the same
    /// as before.
    pub fn take_hands(&mut self, stage: Stage) -> Option<Command> {
        let hands = Some(self.entry.hands).filter(|hands| !hands.is_empty());
        let before = std::mem::replace(&mut self.votes[stage.index()], hands);
        (before != hands).then_some(Command::Save)
    }
}
