//! Saving a session, and resuming one.

use std::sync::Arc;

use super::desk;
use super::flow::Effect;
use super::state::State;
use crate::lab::feature::attempts;
use crate::lab::feature::experiments::{Experiments, Then};
use crate::lab::feature::presenting::PressTwice;
use crate::lab::feature::quiz::Quiz;
use crate::lab::feature::replay::{RecordedStage, Shown};
use crate::lab::kernel::event::{Command, DomainEvent, RunId};
use crate::lab::kernel::run::{Run, Status};
use crate::lab::model::exchange::{Exchange, is_not_found};
use crate::lab::model::facts::{Caller, Names};
use crate::lab::model::masked::Masked;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::mentioned::Mentioned;
use crate::lab::model::operation::Operation;
use crate::lab::model::stage::Stage;
use crate::lab::resume::{CatchUp, Looked, Offer, Resuming};
use crate::lab::saving::{Place, SavedSession, SavedStage, Times, VERSION, begun};
use crate::lab::stages::{self, Kind};
use crate::lab::view::Overlay;

impl State {
    /// Saves the session from here on.
    pub fn save_at(&mut self, place: Place) {
        self.progress.save_at(place);
    }

    /// Whether the session is saved: it can be written up.
    pub fn is_saved(&self) -> bool {
        self.progress.place().is_some()
    }

    /// The session as it is saved; `None` where it is not.
    pub fn saved(&self) -> Option<SavedSession> {
        Some(self.session_at(self.progress.place()?.clone()))
    }

    /// The session, as it would be saved at `place`.
    pub(super) fn session_at(&self, place: Place) -> SavedSession {
        let stages = Stage::ALL.into_iter().map(|stage| self.save_stage(stage)).collect();
        SavedSession {
            version: VERSION,
            place,
            run: self.names.run.clone(),
            created: self.names.created.clone(),
            facts: self.kernel.facts().clone(),
            quiz: self.quiz.clone(),
            votes: Stage::ALL.map(|stage| self.presenting.count(stage)),
            pace: self.presenting.pace,
            attempts: self.attempts.saved().map(|text| self.masking.unmasked(text)),
            experiments: self.experiments.saved(),
            drills: self.drills.best_and_latest(),
            debrief: self.debrief.clone(),
            consented: self.consent.account().cloned(),
            key_ended_at: self.kernel.key_ended_at(),
            ending: self.progress.is_ending() || self.record(Stage::CleanUp).status != Status::Todo,
            stages,
        }
    }

    /// The effect that saves it.
    pub(super) fn save(&self) -> Option<Effect> {
        self.saved().map(|kept| Effect::Save(Box::new(kept)))
    }

    fn save_stage(&self, stage: Stage) -> SavedStage {
        let record: &Run = self.record(stage);
        let times = self.progress.times(stage);
        SavedStage {
            stage,
            times: Times { begun: times.begun.or_else(|| begun(&record.calls)), ..times },
            check: record.saved_outcome().cloned(),
            exchanges: record.calls.iter().map(|call| call.raw().clone()).collect(),
            pending: record.pending.iter().map(|pending| pending.operation.raw().clone()).collect(),
            batch: record.batch,
            attempt: record.attempt,
            batch_start: record.batch_start,
        }
    }

    /// Notes that the session could not be saved. Says so once.
    pub(super) fn could_not_save(&mut self, reason: &str) {
        if self.progress.fail() {
            self.view.message = Some(format!("your progress can't be saved: {reason}"));
        }
    }

    /// Asks whether to go on with `kept`, and looks what is left of it.
    pub fn offer_to_resume(&mut self, kept: SavedSession) -> Vec<Effect> {
        self.view.opening = false;
        let commands = self.resuming.offer(kept);
        self.view.overlay = Some(Overlay::Resume);
        self.settle(commands)
    }

    /// What is offered, while the question is open.
    pub fn resume_offer(&self) -> Option<&Offer> {
        self.resuming.offered()
    }

    /// The stage whose verification got no answer, with the reason.
    pub fn stalled(&self) -> Option<(Stage, &str)> {
        self.resuming.stalled()
    }

    /// Whether the question is open.
    pub fn is_asking_to_resume(&self) -> bool {
        self.view.overlay == Some(Overlay::Resume)
    }

    /// Whether Enter goes on, or looks again.
    pub fn can_resume(&self) -> bool {
        self.is_asking_to_resume() && self.resuming.can_go_on()
    }

    /// What Enter does in the question, in two words.
    pub fn resume_label(&self) -> &'static str {
        let is_known = self.resume_offer().is_some_and(|offer| *offer.looked() == Looked::Done);
        if is_known { "resume" } else { "look again" }
    }

    /// Whether the lab can begin afresh instead.
    pub fn can_start_afresh(&self) -> bool {
        self.is_asking_to_resume() && self.resume_offer().is_some()
    }

    /// Whether the lab is coming to where the kept session ended.
    pub fn is_catching_up(&self) -> bool {
        self.resuming.catch_up().is_some()
    }

    /// Whether the session may be saved as it is now: not while it has less than the saved one.
    pub(super) fn is_worth_saving(&self) -> bool {
        self.is_saved() && !self.resuming.has_less()
    }

    /// What the learner has written, masked as this session is.
    fn resume_attempts(&mut self, attempts: &attempts::Saved, gone: Option<Mentioned>) {
        let attempts = attempts.clone().map(|text| self.masking.text(text.to_owned()));
        self.attempts.resume(attempts, gone);
    }

    /// Recorded responses, masked as this session is.
    pub(super) fn masked(&mut self, recorded: RecordedStage) -> Shown {
        let RecordedStage { at, run, admin, test_user, exchanges, .. } = recorded;
        let account = admin.account.clone();
        self.masking.add_run(&run);
        let mut caller =
            |Caller { arn, account }| Caller { arn: self.masking.text(arn), account: self.masking.text(account) };
        let (admin, test_user) = (caller(admin), test_user.map(caller));
        let exchanges = exchanges.into_iter().map(|it| self.masking.exchange(&Arc::new(it))).collect();
        Shown { at, account, admin, test_user, exchanges }
    }

    /// Goes on with looking, verifying or running again.
    pub(super) fn resume_on(&mut self, event: &DomainEvent) -> Vec<Command> {
        match event {
            DomainEvent::Probed(operation, answer) => {
                self.resuming.probed(operation, answer, !self.kernel.is_probing())
            }
            DomainEvent::RunEnded(RunId::Stage(_)) if self.kernel.is_leaving() => {
                // What is made now is removed next; nothing is verified any more.
                self.resuming.end();
                Vec::new()
            }
            DomainEvent::RunEnded(RunId::Stage(stage)) => self.catch_up(*stage, self.kernel.is_met(*stage)),
            _ => Vec::new(),
        }
    }

    /// What Enter does in the question: goes on, or looks again.
    pub(super) fn resume(&mut self) -> Vec<Command> {
        if !self.can_resume() {
            return Vec::new();
        }
        if let Some(stage) = self.resuming.take_stalled() {
            self.view.close();
            return self.verify_from(Some(stage));
        }
        if self.resuming.offered().is_some_and(|offer| *offer.looked() != Looked::Done) {
            return self.resuming.look();
        }
        let Some(kept) = self.resuming.take_offer() else { return Vec::new() };
        self.view.close();
        let quiz = Quiz::resumed(&kept.quiz, &self.quiz);
        // They are named by the places of the answers, which are in the same order then.
        let votes = if quiz == kept.quiz { kept.votes } else { self.presenting.votes };
        let is_news = quiz != self.quiz || votes != self.presenting.votes;
        (self.quiz, self.presenting.votes) = (quiz, votes);
        let mut commands: Vec<Command> = is_news.then_some(Command::Save).into_iter().collect();
        self.presenting.pace.resume(kept.pace);
        self.drills.carry_over(kept.drills.clone());
        self.experiments = Experiments::resumed(&kept.experiments, kept.place.is_fleeting());
        let gone = kept.place.is_fleeting().then(|| {
            let names = Names::new(&kept.run).adopting(&kept.facts.adopted);
            Mentioned::of(&kept.facts, &names, &kept.place.region)
        });
        self.resume_attempts(&kept.attempts, gone);
        if kept.place.is_fleeting() {
            commands.extend(self.redo(&kept));
            return commands;
        }
        self.restore(kept);
        commands.extend([Command::TakeOver, Command::CatchUp]);
        commands
    }

    /// Verifies what was met, after what an experiment has changed is undone.
    pub(super) fn begin_to_catch_up(&mut self) -> Vec<Command> {
        if let Some(undo) = self.experiments.undo_before(Then::Verify, &self.kernel) {
            return vec![undo];
        }
        self.verify_or_undo_attempt()
    }

    /// Verifies what was met, after an attempt that had failed is undone.
    pub(super) fn verify_or_undo_attempt(&mut self) -> Vec<Command> {
        let fails = self.kernel.facts().way.is_none();
        match fails.then(|| self.attempts.undo_before(attempts::Then::Verify)).flatten() {
            Some(undo) => undo,
            None => self.verify_from(Some(Stage::FIRST)),
        }
    }

    /// Closes what lies over the panes. The question waits for an answer.
    pub(super) fn close(&mut self) {
        if !self.is_asking_to_resume() {
            self.view.close();
        }
        if self.resuming.asks() {
            self.view.overlay = Some(Overlay::Resume);
        }
    }

    /// Begins afresh; what the kept session has made stays where it is. One stray key must not forget what was met.
    pub(super) fn start_afresh(&mut self, is_second_press: bool) {
        let met = self.resume_offer().map_or(0, Offer::met);
        if met > 0 && self.can_resume() && !is_second_press {
            let key = self.view.keys.first("start_afresh", "x").to_owned();
            let text = self.interface().fill("press {} again to forget this session and start over", &[&key]);
            self.view.message = self.presenting.ask_again(PressTwice::StartAfresh, text);
            return;
        }
        let Some(kept) = self.resuming.take_offer() else { return };
        self.view.close();
        self.mention_leftovers(&kept);
    }

    /// Keeps the results of the drills in `kept`, whether or not that session is resumed.
    pub fn carry_over_drills(&mut self, kept: &SavedSession) {
        self.drills.carry_over(kept.drills.clone());
    }

    /// Tells what a kept session leaves that does not go on.
    pub fn mention_leftovers(&mut self, kept: &SavedSession) {
        if !kept.place.is_sandbox() && !kept.facts.made.is_empty() {
            self.masking.add_run(&kept.run);
            let text = format!("what run {} made stays until `kmslab cleanup`", kept.run);
            self.view.message = Some(self.masking.text(text));
        }
    }

    /// Runs the stages again that had been met.
    fn redo(&mut self, kept: &SavedSession) -> Vec<Command> {
        self.progress.redo(kept);
        let next = kept.next_stage();
        // What the learner has sent herself she sends again.
        let until = if kept.facts.way.is_some() { next.min(Stage::Grant) } else { next };
        if until == Stage::FIRST {
            return Vec::new();
        }
        self.resuming.begin(CatchUp::Redo(until));
        vec![Command::Start(Stage::FIRST)]
    }

    /// Puts the kept session in place of this one.
    fn restore(&mut self, kept: SavedSession) {
        self.progress.resume(&kept);
        let names = Names { created: kept.created.clone(), ..Names::new(&kept.run) };
        self.names = names.adopting(&kept.facts.adopted);
        let next = kept.next_stage();
        self.consent.restore(kept.consented);
        let mut facts = kept.facts;
        match kept.attempts.standing() {
            // Its response may have been on the way.
            Some(Mechanism::IamPolicy) => facts.made.attempt_policy = true,
            Some(Mechanism::Grant) => drop(facts.made.attempt_grant.get_or_insert_default()),
            Some(Mechanism::KeyPolicy) | None => {}
        }
        self.resuming = Resuming::default();
        if self.is_masked() {
            self.mask();
            self.masking.names_changed(&self.names);
            self.resume_attempts(&kept.attempts, None);
        }
        self.kernel.reach(next);
        for kept in kept.stages {
            let stage = kept.stage;
            kept.pending.iter().for_each(|operation| facts.suspect(operation));
            let calls = kept.exchanges.into_iter().map(|raw| {
                let shown = self.masking.exchange(&raw);
                Masked::new(raw, shown)
            });
            let calls = calls.collect();
            let status = match kept.check {
                Some(check) => Status::Done(self.masking.outcome(check)),
                None => Status::Todo,
            };
            // What was interrupted and creates things goes on there; what only reads, or removes, begins again.
            let goes_on = stage.def().kind == Kind::Creates;
            if status == Status::Todo && !goes_on {
                continue;
            }
            // An access key is of no use without its secret, which was in memory only.
            let is_cut = status == Status::Todo && stage == Stage::CreateUser && !self.backend.given_user;
            let batch = if is_cut { kept.batch.min(stages::ACCESS_KEY) } else { kept.batch };
            let run = self.kernel.stage_mut(stage);
            *run = Run::default();
            (run.status, run.calls, run.batch, run.attempt) = (status, calls, batch, kept.attempt);
            run.batch_start = kept.batch_start;
        }
        self.kernel.restore(facts, kept.key_ended_at);
    }

    /// Verifies the stages from `stage` on that were met, then goes on where the session ended.
    pub(super) fn verify_from(&mut self, stage: Option<Stage>) -> Vec<Command> {
        let is_ending = self.progress.is_ending();
        let mut next = stage;
        while let Some(stage) = next {
            let is_met = matches!(&self.record(stage).status, Status::Done(outcome) if outcome.raw().met);
            // While things are being removed they can't be asked for them.
            if is_met && stage != Stage::CleanUp && (!is_ending || stage == Stage::Who) {
                self.resuming.begin(CatchUp::Verify);
                return vec![Command::Verify(stage)];
            }
            next = stage.next();
        }
        self.caught_up();
        Vec::new()
    }

    /// The lab is where the kept session ended.
    fn caught_up(&mut self) {
        let was_verified = self.resuming.end() == Some(CatchUp::Verify);
        let target = self.session_at(Place::new(&self.backend)).next_stage();
        let stand = self.met();
        self.kernel.reach(target);
        self.view.show(target);
        desk::open(self);
        let new_key = self.kernel.facts().made.access_key.is_some() && target != Stage::CleanUp;
        let key = if new_key { " · new access key: the old secret was in memory only" } else { "" };
        let again = desk::offer_again(self).map(|again| again + " · ").unwrap_or_default();
        self.view.message = was_verified.then(|| format!("{again}{stand} stages verified{key}"));
    }

    /// What follows when `stage` has ended while the lab comes to where the kept session ended.
    fn catch_up(&mut self, stage: Stage, met: bool) -> Vec<Command> {
        match self.resuming.catch_up() {
            Some(CatchUp::Redo(until)) => match stage.next() {
                Some(next) if met && next < until => vec![Command::Start(next)],
                _ => {
                    self.end_redo(met.then_some(until));
                    Vec::new()
                }
            },
            Some(CatchUp::Verify) if met => {
                self.kernel.drop_older(stage);
                self.verify_from(stage.next())
            }
            Some(CatchUp::Verify) => {
                self.doubt(stage);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// The stages have been run again, up to this one; or one of them was not met.
    fn end_redo(&mut self, until: Option<Stage>) {
        self.resuming.end();
        if let Some(until) = until {
            self.kernel.reach(until);
            self.view.show(until);
            desk::open(self);
            let again = desk::offer_again(self).map(|again| again + " · ").unwrap_or_default();
            let stages = match self.met() {
                1 => "1 stage".to_owned(),
                count => format!("{count} stages"),
            };
            self.view.message = Some(format!("{again}{stages} run again, with your answers"));
        }
    }

    /// A stage does not stand any more, or nothing answered when it was asked.
    fn doubt(&mut self, stage: Stage) {
        self.resuming.end();
        let record = self.record(stage);
        let fresh: Vec<&Exchange> = record.newest().iter().map(|call| &**call.raw()).collect();
        let silent = fresh.iter().find_map(|exchange| exchange.answer.response.as_ref().err());
        if let Some(reason) = silent.map(|none| none.message.clone()) {
            self.kernel.put_back(stage);
            self.resuming.stall(stage, reason);
            self.view.overlay = Some(Overlay::Resume);
            return;
        }
        let absent: Vec<Operation> = fresh
            .iter()
            .filter(|exchange| exchange.error_code().is_some_and(is_not_found))
            .map(|exchange| exchange.operation.clone())
            .collect();
        let why = match &record.status {
            Status::Done(check) => check.observed.clone(),
            _ => String::new(),
        };
        self.kernel.amend_facts(|facts| absent.iter().for_each(|operation| facts.is_absent(operation)));
        self.restart_from(stage);
        self.view.message = Some(format!("stage {} has to be done again: {why}", stage.number()));
    }

    /// Forgets `stage` and all that built on it. What exists all the same stays known, and is cleaned up.
    pub(super) fn restart_from(&mut self, first: Stage) {
        for stage in Stage::ALL.into_iter().filter(|stage| *stage >= first) {
            self.kernel.reset(RunId::Stage(stage));
            self.progress.forget(stage);
            self.kernel.amend_facts(|facts| (stage.def().forget)(facts, &self.backend));
        }
        if first <= Stage::Grant {
            self.attempts.forget();
        }
        self.kernel.reach(first);
        self.view.show(first);
        desk::open(self);
    }

    /// Whether the stage `grant` has changed the key policy, or may have.
    pub(super) fn may_be_granted(&self) -> bool {
        let record = self.record(Stage::Grant);
        record.saved_outcome().is_some() || !record.calls.is_empty()
    }
}
