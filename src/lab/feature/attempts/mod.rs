//! Attempts: in stage 7 the learner chooses a way, writes a statement or a grant, and sends it, right or wrong.
//!
//! The feature owns the drafts, and what stands on the server because of them. An attempt is a run of its own
//! ([`RunId::Attempt`]): it undoes the attempt before it, sends the written text, and scans the table as test-user. If
//! that Scan is allowed, the stage is done. [`steps`] has the calls.

pub mod steps;

use serde::{Deserialize, Serialize};

use self::steps::Step;
use crate::lab::kernel::Kernel;
use crate::lab::kernel::event::{AttemptCommand, Command, DomainEvent, RunId};
use crate::lab::model::attempt::template;
use crate::lab::model::batch::Next;
use crate::lab::model::certainty::{Certainty, certainty};
use crate::lab::model::draft::Draft;
use crate::lab::model::exchange::{Exchange, is_not_found};
use crate::lab::model::experiment::Experiment;
use crate::lab::model::facts::Facts;
use crate::lab::model::inspection::Documents;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::mentioned::Mentioned;
use crate::lab::model::operation::Identity;
use crate::lab::model::outcome::Check;
use crate::lab::model::stage::Stage;
use crate::lab::stages::{Evidence, Sources};

/// What follows an attempt, or its undoing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum Then {
    /// Its outcome is shown.
    Show,
    /// A message says that it is undone.
    Tell,
    /// A stage starts.
    Start(Stage),
    /// An experiment starts.
    Try(Experiment),
    /// The drills begin.
    Drill,
    /// The verification of a resumed session's stages.
    Verify,
    /// A message says that the learner's own way stands again.
    TellBack,
}

/// The run in progress.
#[derive(Debug, Clone, PartialEq)]
struct Trial {
    steps: Vec<Step>,
    /// The step whose calls were sent last.
    at: usize,
    /// The text that is sent, with real names.
    text: String,
    /// Whether test-user's Scan should be allowed then: where changes take a while, that is worth waiting for.
    expects: bool,
    /// What stood before the new attempt was sent.
    replaced: Option<Mechanism>,
    /// What is sent, or was sent when it stood.
    mechanism: Mechanism,
    then: Then,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// By which way.
    pub mechanism: Mechanism,
    /// As it was written, and is shown.
    pub text: String,
}

/// What became of the newest attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// The service rejected it, or didn't answer: nothing has changed.
    Rejected,
    /// It stands, and test-user is still refused.
    Refused,
    /// It stands, and test-user can read.
    Allowed,
}

/// The saved part of the attempts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    drafts: [Option<Draft>; Mechanism::ALL.len()],
    standing: Option<Mechanism>,
    sent: Option<Sent>,
    /// What was sent last and not rejected: only that can stand, and be put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<Sent>,
    came: Option<Came>,
    #[serde(default)]
    count: u32,
    /// Whether the console's statements stand in for what was sent, until experiments and drills are left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    replaced: bool,
}

impl Saved {
    /// Whether nothing has been written.
    pub(in crate::lab) fn is_empty(&self) -> bool {
        *self == Saved::default()
    }

    /// What stands on the server.
    pub(in crate::lab) fn standing(&self) -> Option<Mechanism> {
        self.standing
    }

    /// The same with other texts.
    pub(in crate::lab) fn map(mut self, mut change: impl FnMut(&str) -> String) -> Saved {
        self.drafts.iter_mut().flatten().for_each(|draft| *draft = draft.with_text(&change(draft.text())));
        let all = self.sent.iter_mut().chain(&mut self.accepted);
        all.for_each(|sent| sent.text = change(&sent.text));
        self
    }

    /// What was sent last.
    pub fn sent(&self) -> Option<&Sent> {
        self.sent.as_ref()
    }
}

/// The attempts of a session. The kernel has their calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attempts {
    is_offered: bool,
    /// Whether the choice is shown by itself. In lines a person asks for it.
    shows_choice: bool,
    saved: Saved,
    /// The way that the learner has chosen.
    chosen: Option<Mechanism>,
    /// What the texts of a saved session mention, where everything is made again.
    mentioned: Option<Mentioned>,
    /// What decided before the newest attempt, as far as it could be read, as it is shown.
    before: Option<Documents>,
    /// What decides now.
    now: Option<Documents>,
    trial: Option<Trial>,
}

/// What screens read.
impl Attempts {
    /// Whether stage 7 offers the choice.
    pub fn is_offered(&self) -> bool {
        self.is_offered
    }

    /// Whether the choice is shown by itself.
    pub fn shows_choice(&self) -> bool {
        self.shows_choice
    }

    /// The way that the learner has chosen.
    pub fn chosen(&self) -> Option<Mechanism> {
        self.chosen
    }

    /// The draft of the chosen way.
    pub fn draft(&self) -> Option<&Draft> {
        self.saved.drafts[self.chosen?.index()].as_ref()
    }

    /// What was sent last.
    pub fn sent(&self) -> Option<&Sent> {
        self.saved.sent.as_ref()
    }

    /// What became of it, once it is known.
    pub fn came(&self) -> Option<Came> {
        self.saved.came.filter(|_| self.trial.is_none())
    }

    /// How many attempts were sent.
    pub fn count(&self) -> u32 {
        self.saved.count
    }

    /// What stands on the server because of an attempt.
    pub fn standing(&self) -> Option<Mechanism> {
        self.saved.standing
    }

    /// The attempt for which the console's statements stand in meanwhile.
    pub fn replaced(&self) -> Option<Mechanism> {
        Some(self.accepted()?.mechanism).filter(|_| self.saved.replaced)
    }

    /// What was sent last and not rejected.
    pub(in crate::lab) fn accepted(&self) -> Option<&Sent> {
        self.saved.accepted.as_ref().or(self.saved.sent.as_ref())
    }

    /// The documents that decided before the newest attempt; `None` while they are being read.
    pub fn before(&self) -> Option<&Documents> {
        self.before.as_ref()
    }

    /// The documents that decide now.
    pub fn now(&self) -> Option<&Documents> {
        self.now.as_ref()
    }

    /// Whether an attempt, or its undoing, is in progress.
    pub fn is_running(&self) -> bool {
        self.trial.is_some()
    }
}

/// What a person does.
impl Attempts {
    /// Offers the choice from here on; `shows` says whether it is shown by itself.
    pub(in crate::lab) fn offer(&mut self, shows: bool) {
        (self.is_offered, self.shows_choice) = (true, shows);
    }

    /// Takes a way, with a template if nothing is written for it.
    pub(in crate::lab) fn choose(&mut self, mechanism: Option<Mechanism>) {
        self.chosen = mechanism;
        if let Some(mechanism) = mechanism {
            let draft = &mut self.saved.drafts[mechanism.index()];
            if draft.as_ref().is_none_or(|draft| draft.text().trim().is_empty()) {
                *draft = Some(template(mechanism));
            }
        }
    }

    /// The draft of the chosen way, to change it.
    pub(in crate::lab) fn draft_mut(&mut self) -> Option<&mut Draft> {
        self.saved.drafts[self.chosen?.index()].as_mut()
    }

    /// Takes the documents that decide. While nothing of the learner's stands, they are the ones before it; `is_changed`
    /// says that she has changed them with another client.
    pub(in crate::lab) fn read(&mut self, documents: Documents, is_changed: bool) {
        if self.saved.standing.is_none() && self.trial.is_none() && !is_changed {
            self.before = Some(documents.clone());
        }
        // What arrives during an attempt was read before its end.
        self.now = self.trial.is_none().then_some(documents);
    }

    /// Notes that another client has changed what decides.
    pub(in crate::lab) fn outdate(&mut self) {
        self.now = None;
    }

    /// Sends the draft; `text` is the draft with real names, and `expects` says whether it should allow the Scan.
    pub(in crate::lab) fn send(&mut self, text: String, expects: bool) -> Vec<Command> {
        let (Some(mechanism), Some(draft)) = (self.chosen, self.draft()) else { return Vec::new() };
        self.saved.sent = Some(Sent { mechanism, text: draft.text().to_owned() });
        self.saved.came = None;
        self.saved.count += 1;
        let commands = self.begin(steps::send(mechanism, self.saved.standing), text, Then::Show);
        if let Some(trial) = &mut self.trial {
            trial.expects = expects;
        }
        commands
    }

    /// Undoes what stands, then goes on. `None` where nothing stands.
    pub(in crate::lab) fn undo_before(&mut self, then: Then) -> Option<Vec<Command>> {
        let standing = self.saved.standing?;
        Some(self.begin(steps::undo(standing), String::new(), then))
    }

    /// Puts the console's two statements in place of the learner's own way, as experiments and drills need them. `None`
    /// where the usual way was taken.
    pub(in crate::lab) fn use_console(&mut self, then: Then, facts: &Facts) -> Option<Vec<Command>> {
        let steps = steps::use_console(self.saved.standing, facts);
        (!steps.is_empty()).then(|| self.begin(steps, String::new(), then))
    }

    /// Whether the run in progress goes on with the key policy that was read before an earlier change.
    pub(in crate::lab) fn keeps_policy(&self) -> bool {
        let is_put_first = |trial: &Trial| trial.steps.first() == Some(&Step::PutConsole);
        self.saved.standing == Some(Mechanism::KeyPolicy) || self.trial.as_ref().is_some_and(is_put_first)
    }

    /// Puts the learner's own way in place of the console's statements again: what she sent, `text` with real names, and
    /// what another client had added. `None` where they stand in for neither.
    pub(in crate::lab) fn put_back(&mut self, text: String, facts: &Facts) -> Option<Vec<Command>> {
        let mechanism = self.replaced();
        if mechanism.is_none() && facts.made.added.lent.is_empty() {
            return None;
        }
        let commands = self.begin(steps::put_back(mechanism, facts), text, Then::TellBack);
        if let (Some(trial), Some(mechanism)) = (&mut self.trial, mechanism) {
            trial.mechanism = mechanism;
        }
        Some(commands)
    }

    fn begin(&mut self, steps: Vec<Step>, text: String, then: Then) -> Vec<Command> {
        let puts = [Step::Put, Step::PutConsole, Step::PutOpenings];
        let undoes = !steps.iter().any(|step| puts.contains(step));
        self.now = None;
        let (replaced, mechanism) = (self.saved.standing, self.sent().map_or(Mechanism::KeyPolicy, |it| it.mechanism));
        self.trial = Some(Trial { steps, at: 0, text, expects: false, replaced, mechanism, then });
        vec![Command::Attempt(AttemptCommand::Begin { undoes })]
    }
}

/// Saving and restoring.
impl Attempts {
    pub(in crate::lab) fn saved(&self) -> Saved {
        self.saved.clone()
    }

    /// The attempts of a saved session. Where the server is another, nothing stands, and the texts mention what is
    /// `gone`.
    pub(in crate::lab) fn resume(&mut self, saved: Saved, gone: Option<Mentioned>) {
        let is_gone = gone.is_some();
        self.mentioned = gone;
        let gone = |saved| Saved { standing: None, accepted: None, came: None, replaced: false, ..saved };
        self.saved = if is_gone { gone(saved) } else { saved };
    }

    /// Offers what was sent last once more, with what it mentions `now`. `None` where nothing was sent.
    pub(in crate::lab) fn offer_again(&mut self, now: &Mentioned) -> Option<Mechanism> {
        let mechanism = self.saved.sent.as_ref()?.mechanism;
        if let Some(gone) = self.mentioned.take() {
            for draft in self.saved.drafts.iter_mut().flatten() {
                *draft = Draft::new(&gone.replaced(draft.text(), now));
            }
        }
        (self.saved.sent, self.saved.accepted, self.saved.came) = (None, None, None);
        self.choose(Some(mechanism));
        Some(mechanism)
    }

    /// What was written is kept; what stood is gone, or is known to stand no longer.
    pub(in crate::lab) fn forget(&mut self) {
        (self.saved.standing, self.saved.came, self.chosen, self.saved.replaced) = (None, None, None, false);
        self.saved.accepted = None;
    }
}

/// The way of an attempt: its batches and its outcome.
impl Attempts {
    /// Learns from an attempt's calls, and continues when they can't, or have ended.
    pub(in crate::lab) fn on(&mut self, event: &DomainEvent, kernel: &Kernel) -> Vec<Command> {
        match event {
            DomainEvent::CallAnswered(RunId::Attempt, call) => self.learn(call.raw()),
            DomainEvent::RunStopped(RunId::Attempt, observed) => {
                if self.saved.came.is_none() && self.is_sending() {
                    self.saved.came = Some(Came::Rejected);
                }
                return vec![conclude(Check::unmet(observed))];
            }
            DomainEvent::RunEnded(RunId::Attempt) => return self.follow(kernel),
            _ => {}
        }
        Vec::new()
    }

    fn is_sending(&self) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.then == Then::Show)
    }

    /// The next batch of the run in progress.
    pub(in crate::lab) fn next(&mut self, batch: usize, sources: &Sources<'_>) -> Next {
        let Some(trial) = &mut self.trial else { return Next::End };
        let Some(step) = trial.steps.get(batch).copied() else { return Next::End };
        trial.at = batch;
        let mechanism = trial.mechanism;
        match steps::batch(step, mechanism, &trial.text, trial.expects, sources) {
            Ok(batch) => {
                // Before it is sent: what is in progress must be known, whatever happens then.
                match step {
                    Step::Put => self.saved.standing = Some(mechanism),
                    Step::TakeGrant if batch.calls.is_empty() => self.saved.standing = None,
                    _ => {}
                }
                Next::Send(batch)
            }
            Err(error) => Next::Blocked(error.to_string()),
        }
    }

    fn learn(&mut self, exchange: &Exchange) {
        let Some(trial) = &self.trial else { return };
        let is_gone = || exchange.error_code().is_some_and(is_not_found);
        let (step, is_done) = (trial.steps.get(trial.at), exchange.is_allowed());
        match step {
            Some(Step::Put) => {
                let is_certain = certainty(&exchange.operation, &exchange.answer) == Certainty::NotDone;
                if !is_done && is_certain && exchange.answer.tries <= 1 {
                    self.saved.standing =
                        trial.replaced.filter(|old| *old != Mechanism::Grant && Some(*old) == self.saved.standing);
                } else if self.is_sending() {
                    self.saved.accepted = self.saved.sent.clone();
                }
            }
            Some(Step::TakePolicyBack) if is_done => self.saved.standing = None,
            Some(Step::PutConsole) if is_done => {
                self.saved.standing = trial.replaced.filter(|old| *old != Mechanism::KeyPolicy)
            }
            Some(Step::TakeUserPolicy | Step::TakeGrant) if is_done || is_gone() => self.saved.standing = None,
            _ => {}
        }
    }

    /// Judges a run that has sent everything.
    pub(in crate::lab) fn judge(&mut self, evidence: &Evidence<'_>) -> Command {
        if !self.is_sending() {
            let is_back = self.trial.as_ref().is_some_and(|trial| trial.then == Then::TellBack);
            let is_put = self.saved.standing.is_some() || !self.saved.replaced;
            let check = match self.saved.standing {
                _ if is_back && is_put && evidence.facts.made.added.lent.is_empty() => {
                    Check { met: true, observed: "put back".to_owned() }
                }
                _ if is_back => Check::unmet("not put back"),
                None => Check { met: true, observed: "undone".to_owned() },
                Some(standing) => Check::unmet(format!("not undone: the {}", standing.name())),
            };
            return conclude(check);
        }
        let scan = evidence.complete_scan(Identity::TestUser);
        self.saved.came = Some(if scan.is_ok() { Came::Allowed } else { Came::Refused });
        conclude(Check::from(scan))
    }

    /// What follows a run that has ended.
    fn follow(&mut self, kernel: &Kernel) -> Vec<Command> {
        let Some(Trial { then, steps, replaced, .. }) = self.trial.take() else { return Vec::new() };
        let is_leaving = kernel.is_leaving();
        let is_open = steps.contains(&Step::CloseOpenings) && !kernel.facts().made.added.openings.is_empty();
        let is_undone = self.saved.standing.is_none() && !is_open;
        self.saved.replaced = match then {
            Then::TellBack => self.saved.replaced && is_undone,
            // What was rejected, or undone before, never stood.
            Then::Try(_) | Then::Drill => is_undone && (self.saved.replaced || replaced.is_some()),
            _ => false,
        };
        let command = |command| vec![Command::Attempt(command)];
        match then {
            _ if is_leaving => vec![Command::StartNow(Stage::CleanUp)],
            Then::Show if self.saved.came == Some(Came::Allowed) => command(AttemptCommand::Complete),
            Then::Show => vec![Command::Inspect, Command::Save],
            // The rest of clean-up may still succeed.
            Then::Start(Stage::CleanUp) => vec![Command::StartNow(Stage::CleanUp)],
            Then::Verify => command(AttemptCommand::CatchUp),
            Then::TellBack => vec![Command::Attempt(AttemptCommand::TellBack), Command::Save],
            _ if !is_undone => command(AttemptCommand::TellUndone),
            // Without the console's statements, asking for them again would never end.
            Then::Try(_) | Then::Drill if !kernel.facts().names_user() => command(AttemptCommand::TellUndone),
            Then::Tell => {
                (self.saved.came, self.saved.sent, self.saved.accepted) = (None, None, None);
                command(AttemptCommand::TellUndone)
            }
            Then::Start(stage) => {
                self.forget();
                command(AttemptCommand::Start(stage))
            }
            Then::Try(experiment) => command(AttemptCommand::Try(experiment)),
            Then::Drill => command(AttemptCommand::Drill),
        }
    }
}

fn conclude(check: Check) -> Command {
    Command::Attempt(AttemptCommand::Conclude(check))
}
