//! Experiments: after the lab's last reading one thing at a time is changed, tried and undone, for real.
//!
//! [`steps`] has what each experiment sends, and [`verdict`] what its right answer claims. What must be undone is not
//! declared for each experiment: [`Changes`] notes every change when the call that makes it is sent, and the newest is
//! undone first. So nothing is forgotten, whatever failed.
//!
//! The kernel learns no facts from an experiment: when it has ended, everything is as it was.

pub mod steps;
pub mod verdict;

use serde::{Deserialize, Serialize};

use self::steps::{Setup, Step};
use crate::lab::kernel::Kernel;
use crate::lab::kernel::event::{Command, DomainEvent, Outgoing, RunId, TimerId, TrialCommand};
use crate::lab::kernel::run::Status;
use crate::lab::model::batch::Next;
use crate::lab::model::choice::Choice;
use crate::lab::model::exchange::{CallId, Exchange};
use crate::lab::model::experiment::Experiment;
use crate::lab::model::facts::{Made, Names};
use crate::lab::model::masked::Masked;
use crate::lab::model::operation::Operation;
use crate::lab::model::outcome::{Check, Outcome};
use crate::lab::model::stage::Stage;
use crate::lab::stages::Sources;
pub use crate::lab::trial::change::{Change, Changes};
use crate::lab::trial::ledger::Ledger;
use crate::lab::trial::setup::undo;

/// DynamoDB keeps a table key for five minutes after its last use (DynamoDB guide). One second more is certainly idle.
pub const IDLE_SECONDS: u32 = 301;

/// The same where the lab waits in real time: its clock and DynamoDB's need not agree.
const COUNTDOWN_SECONDS: u16 = 315;

/// Said where the lab has not come far enough.
const NOT_READY: &str = "not attempted: the bench needs the lab's key, its table and test-user";

/// The experiment in progress.
#[derive(Debug, Clone, PartialEq)]
struct Trial {
    which: Experiment,
    /// The verdict. Once there is one, what follows is undoing.
    verdict: Option<Outcome>,
    /// What has been tried to undo.
    tried: Vec<Change>,
    /// The ciphertext that Encrypt returned.
    ciphertext: Option<String>,
    pause: Option<Pause>,
    /// Whether the server's clock was moved.
    clock_moved: bool,
    /// Whether the next calls are the first after a pause that was long enough.
    is_later: bool,
    /// What begins when everything is undone, or can't be.
    then: Then,
}

/// What comes after an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum Then {
    /// Nothing.
    Stay,
    /// Clean-up.
    CleanUp,
    /// Another experiment.
    Start(Experiment),
    /// The verification of a resumed session's stages.
    Verify,
}

/// A pause until the table keys in DynamoDB's memory have been idle for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    timer: TimerId,
    /// Seconds that are left; `None` where the server's clock is moved instead.
    left: Option<u16>,
}

/// The saved part of the experiments: what must be undone, and the answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    changes: Changes,
    policy: Option<String>,
    choices: [Option<Choice>; Experiment::ALL.len()],
}

impl Saved {
    /// The answer to an experiment's question.
    pub fn choice(&self, which: Experiment) -> Option<Choice> {
        self.choices[which.index()]
    }
}

/// The experiments of a session. The kernel has their calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Experiments {
    choices: [Option<Choice>; Experiment::ALL.len()],
    /// The first call that undoes, for each experiment that had something to undo.
    undone_from: [Option<CallId>; Experiment::ALL.len()],
    /// The calls that were sent when the pause was over, for each experiment that had one.
    later: [Vec<CallId>; Experiment::ALL.len()],
    trial: Option<Trial>,
    /// What must be undone: the drills' changes, too.
    ledger: Ledger,
    /// The experiment that was tried last.
    last: Option<Experiment>,
}

/// What screens read.
impl Experiments {
    /// The answer to an experiment's question.
    pub fn choice(&self, which: Experiment) -> Option<Choice> {
        self.choices[which.index()]
    }

    /// The experiment that was tried last.
    pub fn last(&self) -> Option<Experiment> {
        self.last
    }

    /// Whether the experiment in progress is being undone.
    pub fn is_undoing(&self) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.verdict.is_some())
    }

    /// Whether it waits for DynamoDB to forget the table keys; with the seconds that are left, where it counts.
    pub fn pause(&self) -> Option<Option<u16>> {
        self.current_pause().map(|pause| pause.left)
    }

    /// Whether the server's clock was moved for the experiment in progress.
    pub fn has_moved_clock(&self) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.clock_moved)
    }

    /// What is not as the lab left it.
    pub fn changes(&self) -> &[Change] {
        self.ledger.changes.all()
    }

    /// What stays behind: a table. Other changes cost nothing and are gone with the key or the user.
    pub fn leftovers(&self, names: &Names) -> Vec<String> {
        let stays = |change: &&Change| matches!(change, Change::Table(_) | Change::User(_));
        self.changes().iter().filter(stays).map(|change| change.describe(names)).collect()
    }

    /// Whether this call of an experiment undoes something.
    pub fn undoes(&self, which: Experiment, call: CallId) -> bool {
        self.undone_from[which.index()].is_some_and(|first| call >= first)
    }

    /// Whether this call of an experiment was the first after its pause.
    pub fn is_later(&self, which: Experiment, call: CallId) -> bool {
        self.later[which.index()].contains(&call)
    }
}

/// Saving and restoring.
impl Experiments {
    pub(in crate::lab) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger, for a drill.
    pub(in crate::lab) fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    pub(in crate::lab) fn saved(&self) -> Saved {
        let Ledger { changes, policy } = self.ledger.clone();
        Saved { changes, policy, choices: self.choices }
    }

    /// The experiments of a saved session; with the answers alone where what they changed is gone.
    pub(in crate::lab) fn resumed(kept: &Saved, is_gone: bool) -> Experiments {
        let Saved { changes, policy, choices } = kept.clone();
        match is_gone {
            true => Experiments { choices, ..Experiments::default() },
            false => Experiments { ledger: Ledger { changes, policy }, choices, ..Experiments::default() },
        }
    }
}

/// What a person asks for.
impl Experiments {
    pub(in crate::lab) fn answer(&mut self, which: Experiment, choice: Choice) {
        self.choices[which.index()] = Some(choice);
    }

    /// Tries an experiment, ends its pause, or goes on after it.
    pub(in crate::lab) fn advance(&mut self, which: Experiment, kernel: &Kernel) -> Vec<Command> {
        match (&kernel.run(RunId::Experiment(which)).status, which.next()) {
            _ if self.pause().is_some() => self.go_on(false),
            (Status::Todo, _) => vec![Command::Trial(which, TrialCommand::Try)],
            (_, Some(next)) => vec![Command::Trial(next, TrialCommand::Show)],
            (_, None) => vec![Command::Trial(which, TrialCommand::List)],
        }
    }

    /// Goes back to the list, or ends the experiment that waits.
    pub(in crate::lab) fn leave(&self, which: Experiment) -> Command {
        let command = match self.pause() {
            Some(_) => TrialCommand::End(Check::unmet("not tried: the waiting was ended")),
            None => TrialCommand::List,
        };
        Command::Trial(which, command)
    }

    /// Begins an experiment, after what an earlier one has left is undone.
    pub(in crate::lab) fn start(&mut self, which: Experiment, kernel: &Kernel) -> Command {
        if let Some(undo) = self.undo_before(Then::Start(which), kernel) {
            return undo;
        }
        // Nothing is changed: this is the policy as the lab left it.
        self.ledger.policy.clone_from(&kernel.facts().policy);
        self.undone_from[which.index()] = None;
        self.later[which.index()].clear();
        self.begin(which, None, Then::Stay)
    }

    /// Undoes what experiments have changed, then goes on with `then`. `None` where nothing is changed.
    pub(in crate::lab) fn undo_before(&mut self, then: Then, kernel: &Kernel) -> Option<Command> {
        if self.changes().is_empty() {
            return None;
        }
        let which = self.last.unwrap_or(Experiment::DisableKey);
        let verdict = match &kernel.run(RunId::Experiment(which)).status {
            Status::Done(outcome) => outcome.clone(),
            _ => not_tried(),
        };
        Some(self.begin(which, Some(verdict), then))
    }

    fn begin(&mut self, which: Experiment, verdict: Option<Outcome>, then: Then) -> Command {
        self.last = Some(which);
        let undoes = verdict.is_some();
        self.trial = Some(Trial {
            which,
            verdict,
            tried: Vec::new(),
            ciphertext: None,
            pause: None,
            clock_moved: false,
            is_later: false,
            then,
        });
        Command::Trial(which, TrialCommand::Begin { undoes })
    }
}

/// The way of an experiment: its batches, its verdict, and the way back.
impl Experiments {
    /// Learns from an experiment's calls, and goes on when they can't, or have ended.
    pub(in crate::lab) fn on(&mut self, event: &DomainEvent, kernel: &Kernel) -> Vec<Command> {
        match event {
            DomainEvent::CallAnswered(RunId::Experiment(_), call) => self.learn(call.raw()),
            DomainEvent::RunStopped(RunId::Experiment(which), observed) => {
                return vec![Command::Trial(*which, TrialCommand::End(Check::unmet(observed)))];
            }
            DomainEvent::RunEnded(RunId::Experiment(which)) => return self.follow(*which, kernel.is_leaving()),
            _ => {}
        }
        Vec::new()
    }

    /// The next batch of the experiment in progress, or of its undoing.
    pub(in crate::lab) fn next(&mut self, which: Experiment, batch: usize, sources: &Sources<'_>) -> Next {
        if self.is_undoing() {
            return self.next_undo(sources);
        }
        if !self.is_ready(sources) {
            return Next::Blocked(NOT_READY.to_owned());
        }
        match steps::steps(which, &self.setup(sources)).map(|steps| steps.into_iter().nth(batch)) {
            Err(reason) => Next::Blocked(reason.to_string()),
            Ok(None) => Next::End,
            Ok(Some(Step::Idle)) => Next::Wait,
            Ok(Some(Step::Send(batch))) => {
                batch.calls.iter().for_each(|(_, operation)| self.ledger.note(operation));
                Next::Send(batch)
            }
        }
    }

    fn next_undo(&mut self, sources: &Sources<'_>) -> Next {
        let tried = self.trial.as_ref().map(|trial| &trial.tried[..]).unwrap_or_default();
        let Some(change) = self.ledger.changes.newest_but(tried) else { return Next::End };
        let batch = undo(&change, &self.setup(sources));
        if let Some(trial) = &mut self.trial {
            trial.tried.push(change);
        }
        Next::Send(batch)
    }

    /// Whether the lab has come far enough that there is something to break.
    fn is_ready(&self, sources: &Sources<'_>) -> bool {
        let facts = sources.facts;
        let known = [facts.key_id(), facts.key_arn(), self.ledger.policy.as_deref()];
        known.iter().all(Option::is_some)
            && [&facts.admin, &facts.test_user].iter().all(|caller| caller.is_some())
            // A table whose creation is uncertain has never been described.
            && facts.table.is_some()
    }

    fn setup<'a>(&'a self, sources: &Sources<'a>) -> Setup<'a> {
        let ciphertext = self.trial.as_ref().and_then(|trial| trial.ciphertext.as_deref());
        Setup::new(sources, self.ledger.policy.as_deref(), ciphertext)
    }

    /// Notes the first calls that undo, and those after a pause.
    pub(in crate::lab) fn note_sent(&mut self, which: Experiment, calls: &[Outgoing]) {
        let Some(trial) = &mut self.trial else { return };
        if trial.verdict.is_some() {
            let undone_from = &mut self.undone_from[which.index()];
            *undone_from = undone_from.or(calls.first().map(|call| call.id));
        }
        if std::mem::take(&mut trial.is_later) {
            self.later[which.index()].extend(calls.iter().map(|call| call.id));
        }
    }

    fn learn(&mut self, exchange: &Exchange) {
        let undoing = self.is_undoing();
        self.ledger.learn(exchange, undoing);
        if let (Some(trial), Operation::Encrypt { .. }) = (&mut self.trial, &exchange.operation) {
            let ciphertext = exchange.body().and_then(|body| body.get("CiphertextBlob")?.as_str());
            trial.ciphertext = ciphertext.map(str::to_owned);
        }
    }

    /// Judges an experiment that has sent everything, or concludes it where it is undone.
    pub(in crate::lab) fn judge(&self, which: Experiment, kernel: &Kernel) -> Command {
        let verdict = self.trial.as_ref().and_then(|trial| trial.verdict.clone());
        let check = || verdict::check(which, &kernel.run(RunId::Experiment(which)).raw());
        Command::Trial(which, verdict.map_or_else(|| TrialCommand::End(check()), TrialCommand::Conclude))
    }

    /// Takes a verdict; what follows is undoing.
    pub(in crate::lab) fn take_verdict(&mut self, verdict: Outcome) {
        if let Some(trial) = &mut self.trial {
            trial.pause = None;
            trial.verdict = Some(verdict);
        }
    }

    fn follow(&mut self, which: Experiment, is_leaving: bool) -> Vec<Command> {
        let Some(Trial { then, .. }) = self.trial.take() else { return Vec::new() };
        match then {
            _ if is_leaving => vec![Command::StartNow(Stage::CleanUp)],
            Then::CleanUp => vec![Command::StartNow(Stage::CleanUp)],
            Then::Verify => vec![Command::Trial(which, TrialCommand::CatchUp)],
            Then::Start(next) if self.changes().is_empty() => vec![Command::Trial(next, TrialCommand::Try)],
            Then::Start(_) | Then::Stay => Vec::new(),
        }
    }

    /// Forgets changes to what clean-up has removed.
    pub(in crate::lab) fn forget_removed(&mut self, made: &Made) {
        self.ledger.changes.forget_removed(made);
    }
}

/// The pause until DynamoDB has no table key in memory any more.
impl Experiments {
    fn current_pause(&self) -> Option<Pause> {
        self.trial.as_ref()?.pause
    }

    fn set_pause(&mut self, pause: Option<Pause>) {
        if let Some(trial) = &mut self.trial {
            trial.pause = pause;
        }
    }

    /// Moves the server's clock or, in real time, counts down.
    pub(in crate::lab) fn wait(&mut self, timer: TimerId, in_real_time: bool) -> Vec<Command> {
        if in_real_time {
            return self.count_down(timer, COUNTDOWN_SECONDS);
        }
        self.set_pause(Some(Pause { timer, left: None }));
        vec![Command::AdvanceClock { timer, seconds: IDLE_SECONDS }]
    }

    fn count_down(&mut self, timer: TimerId, left: u16) -> Vec<Command> {
        self.set_pause(Some(Pause { timer, left: Some(left) }));
        vec![Command::CountDown { timer, left }]
    }

    /// Counts a second down; `None` where the timer is another one.
    pub(in crate::lab) fn second_passed(&mut self, fired: TimerId) -> Option<Vec<Command>> {
        let Pause { timer, left: Some(left) } = self.current_pause()? else { return None };
        if timer != fired {
            return None;
        }
        Some(if left <= 1 { self.go_on(true) } else { self.count_down(timer, left - 1) })
    }

    /// Goes on after the server's clock was moved. Where it can't be, counts down.
    pub(in crate::lab) fn advanced(&mut self, of: TimerId, moved: bool) -> Vec<Command> {
        match (&mut self.trial, moved) {
            (Some(Trial { pause: Some(Pause { timer, left: None }), clock_moved, .. }), true) if *timer == of => {
                *clock_moved = true;
                self.go_on(true)
            }
            (Some(Trial { pause: Some(Pause { timer, left: None }), .. }), false) if *timer == of => {
                self.count_down(of, COUNTDOWN_SECONDS)
            }
            _ => Vec::new(), // stale
        }
    }

    /// Ends the pause; `idle`: whether it was long enough.
    fn go_on(&mut self, idle: bool) -> Vec<Command> {
        let Some(trial) = &mut self.trial else { return Vec::new() };
        (trial.pause, trial.is_later) = (None, idle);
        vec![Command::Trial(trial.which, TrialCommand::GoOn)]
    }
}

fn not_tried() -> Outcome {
    let check = Check::unmet("not tried");
    Masked::new(check.clone(), check)
}
