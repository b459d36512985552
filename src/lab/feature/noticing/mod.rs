//! What other clients do: the lab names the call that reached a stage's goal, checks it with calls of its own, and says
//! why a call missed the goal.

pub mod goal;
pub mod look;
pub mod why;

use std::collections::VecDeque;

use self::goal::Step;
use crate::lab::kernel::run::Run;
use crate::lab::model::masked::Masked;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::model::own_way::OwnWay;
use crate::lab::model::stage::Stage;

/// The most calls that are kept for the page.
const MOST: usize = 200;

/// What the lab says about the newest call that mattered.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The call, as it is shown.
    pub call: NoticedCall,
    /// What it led to.
    pub led_to: LedTo,
}

impl Note {
    /// The stage whose goal was reached.
    pub fn reached(&self) -> Option<Stage> {
        match self.led_to {
            LedTo::Reached(stage) => Some(stage),
            LedTo::LockedOut(_) => Some(Stage::Grant),
            _ => None,
        }
    }
}

/// What a call led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedTo {
    /// The stage's goal.
    Reached(Stage),
    /// Stage 7's goal, by a policy that locks admin out of the key; and whether test-user can still change it.
    LockedOut(bool),
    /// One of several steps to the goal; the next is this.
    Step(Stage, Step),
    /// Nothing: the service rejected it.
    Rejected(Stage),
    /// Something, but not the goal, for this reason.
    Missed(Stage, String),
    /// A new access key: the lab's own was deleted.
    NewAccessKey,
    /// Nothing yet: this stage comes first.
    Early(Stage),
    /// Something that a stage made is gone.
    Broken(Stage),
}

/// A stage whose goal may have been reached, while the lab looks.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lab) struct Checking {
    pub(in crate::lab) stage: Stage,
    /// The stage's run as it was before.
    pub(in crate::lab) before: Box<Run>,
    /// The stage that was current before.
    pub(in crate::lab) current: Stage,
    /// The call that led to this.
    pub(in crate::lab) call: NoticedCall,
    /// Whether only test-user's access key is made again.
    pub(in crate::lab) only_key: bool,
}

/// The calls of other clients, and what the lab says about them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Noticing {
    /// Calls that arrived while the lab's own were in progress.
    queue: VecDeque<Masked<NoticedCall>>,
    /// The newest batch, as it is shown.
    newest: Vec<NoticedCall>,
    /// The calls since the shell was opened, as they are shown.
    calls: Vec<NoticedCall>,
    /// Whether a shell is open in the lab's terminal.
    is_shell_open: bool,
    checking: Option<Checking>,
    note: Option<Note>,
    /// Earlier stages whose goals were reached in the open shell, or in the last one.
    earlier: Vec<Note>,
    /// The newest call that may let test-user use the key, with real names.
    way: Option<OwnWay>,
}

impl Noticing {
    /// Queues calls that the backend has reported.
    pub(in crate::lab) fn queue(&mut self, calls: Vec<Masked<NoticedCall>>) {
        self.newest = calls.iter().map(|call| call.shown().clone()).collect();
        self.queue.extend(calls);
    }

    /// Takes the next call that another client made.
    pub(in crate::lab) fn next(&mut self) -> Option<Masked<NoticedCall>> {
        let call = self.queue.pop_front()?;
        self.calls.push(call.shown().clone());
        if self.calls.len() > MOST {
            self.calls.remove(0);
        }
        Some(call)
    }

    /// Forgets what was reported in the drills: it is undone.
    pub(in crate::lab) fn forget(&mut self) {
        self.queue.clear();
    }

    /// The newest reported calls as they are shown, for a session's log.
    pub(in crate::lab) fn newest(&self) -> &[NoticedCall] {
        &self.newest
    }

    /// The calls of other clients since the shell was opened, oldest first.
    pub fn calls(&self) -> &[NoticedCall] {
        &self.calls
    }

    /// What the lab says about the newest call that mattered.
    pub fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// What the lab has said since the shell was opened about goals that were reached before the newest note.
    pub fn earlier(&self) -> &[Note] {
        &self.earlier
    }

    /// Whether the goal of `stage` was reached since the shell was opened.
    pub fn has_reached(&self, stage: Stage) -> bool {
        self.earlier.iter().chain(&self.note).any(|note| note.reached() == Some(stage))
    }

    pub(in crate::lab) fn set_note(&mut self, note: Note) {
        let before = self.note.replace(note).filter(|before| self.is_shell_open && before.reached().is_some());
        if let Some(before) = before {
            self.earlier.retain(|known| known.reached() != before.reached());
            self.earlier.push(before);
        }
    }

    /// Remembers a way to let test-user use the key. What undoes another statement takes none, and keeps it.
    pub(in crate::lab) fn remember_way(&mut self, way: Option<OwnWay>) {
        self.way = way.or(self.way.take());
    }

    /// The newest way, once.
    pub(in crate::lab) fn take_way(&mut self) -> Option<OwnWay> {
        self.way.take()
    }

    /// Whether a shell is open in the lab's terminal.
    pub fn is_shell_open(&self) -> bool {
        self.is_shell_open
    }

    /// Notes that a shell opens. Earlier calls have been reported.
    pub(in crate::lab) fn open_shell(&mut self) {
        (self.is_shell_open, self.note) = (true, None);
        self.calls.clear();
        self.earlier.clear();
    }

    /// Notes that the shell has ended. Returns whether there is something to tell.
    pub(in crate::lab) fn close_shell(&mut self) -> bool {
        self.is_shell_open = false;
        !self.calls.is_empty() || !self.queue.is_empty()
    }

    /// The stage that the lab is checking.
    pub fn checking(&self) -> Option<Stage> {
        self.checking.as_ref().map(|checking| checking.stage)
    }

    pub(in crate::lab) fn begin(&mut self, checking: Checking) {
        self.checking = Some(checking);
    }

    pub(in crate::lab) fn end(&mut self) -> Option<Checking> {
        self.checking.take()
    }
}
