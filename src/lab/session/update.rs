//! The router: takes an event, tells everybody what has happened, and carries out what they ask for.

use crate::lab::feature::attempts;
use crate::lab::feature::consent::{Digits, Gate};
use crate::lab::feature::experiments::{IDLE_SECONDS, Then};
use crate::lab::feature::presenting::pace::minutes;
use crate::lab::feature::review::Clearance;
use crate::lab::kernel::event::{AttemptCommand, Command, DomainEvent, DrillCommand, RunId, TimerId, TrialCommand};
use crate::lab::kernel::run::Purpose;
use crate::lab::model::backend::BackendKind;
use crate::lab::model::batch::{Batch, Next};
use crate::lab::model::experiment::Experiment;
use crate::lab::model::inspection::{Finding, Known};
use crate::lab::model::masked::Masked;
use crate::lab::model::operation::Identity;
use crate::lab::model::outcome::Check;
use crate::lab::model::stage::Stage;
use crate::lab::stages::{self, Evidence, Kind, Scans, Sources};
use crate::lab::view::{Desk, Overlay};
use crate::lab::wait;

use super::desk;
use super::drilling;
use super::flow::{Effect, Event, Report};
use super::notice;
use super::state::State;

impl State {
    /// Takes an event and returns what the world must do. The only function that changes the state.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        let shown = self.view.shown;
        // What the open page shows may have grown.
        let inspects = matches!(event, Event::CallFinished { .. } | Event::ShellClosed);
        let had_desk = self.view.desk.is_some();
        let warning = self.standing_warning(&event);
        let commands = self.accept(event);
        let mut effects = self.settle(commands);
        while let Some(commands) = notice::next(self) {
            effects.extend(self.settle(commands));
        }
        // What decides before a choice is compared with what decides after it.
        let opens_desk =
            !had_desk && !self.is_drilling() && matches!(self.view.desk, Some(Desk::Choice | Desk::Editor));
        if inspects || opens_desk {
            effects.extend(self.inspect());
        }
        if self.view.shown != shown {
            self.focus_calls();
        }
        self.view.message = self.view.message.take().or(warning);
        self.view.forget_search();
        effects
    }

    fn accept(&mut self, event: Event) -> Vec<Command> {
        match event {
            Event::Intent(intent) => return self.try_intent(intent),
            Event::Edited(edit) => desk::edited(self, &edit),
            Event::CallFinished { id, answer } => {
                self.kernel.answer(id, *answer, |raw| self.masking.exchange(raw));
            }
            Event::Inspected { serial, finding } => self.inspected(serial, finding),
            Event::Traced(asked) => self.insight.traced(&asked),
            Event::TimerFired(timer) => match self.experiments.second_passed(timer) {
                Some(commands) => return commands,
                None => self.kernel.timer_fired(timer),
            },
            Event::Advanced { timer, .. } if self.drills.ends_pause(timer) => {
                return vec![Command::Drill(DrillCommand::GoOn)];
            }
            Event::Advanced { timer, moved } => return self.experiments.advanced(timer, moved),
            Event::ResponsesLoaded { stage, found } => {
                let shown = found.map(|found| found.map(|recorded| self.masked(*recorded)));
                self.replays.found(stage, shown);
            }
            Event::ResponsesNotCached(reason) => {
                if let Some(text) = self.replays.could_not_cache(&reason) {
                    self.view.message = Some(text);
                }
            }
            Event::SessionNotSaved(reason) => self.could_not_save(&reason),
            Event::Tick => {
                self.kernel.tick();
                return self.load_overdue();
            }
            Event::Noticed(calls) => notice::take(self, calls),
            Event::Turnout(turnout) => self.presenting.phones.note(turnout, self.voting()),
            Event::ShellClosed => notice::close_shell(self),
            Event::Clock(seconds) => {
                self.presenting.pace.advance(self.kernel.current(), seconds);
                self.drills.advance(seconds);
            }
            Event::Say(text) => self.view.message = Some(text),
        }
        Vec::new()
    }

    /// Asks for what the open page needs.
    pub(super) fn inspect(&mut self) -> Vec<Effect> {
        let inquiry = self.inquiry();
        inquiry.map(|inquiry| Effect::Inspect { serial: self.insight.ask(&inquiry), inquiry }).into_iter().collect()
    }

    /// Takes what the world has found out; only the newest question counts.
    fn inspected(&mut self, serial: u64, finding: Finding) {
        if self.insight.awaits(serial) {
            let known = self.insight.read(finding, &self.kernel, &self.backend.region);
            let failed = || Known::Failed("it could not be masked".to_owned());
            let known = self.masking.known(known).unwrap_or_else(failed);
            if let Known::Documents(documents) = &known {
                let is_changed = self.own_way().is_some() || self.noticing.checking() == Some(Stage::Grant);
                self.attempts.read(documents.clone(), is_changed);
            }
            self.insight.show(known);
        }
    }

    /// Carries out commands until nothing is left to do. What has happened is known everywhere before anything else is
    /// done.
    pub(super) fn settle(&mut self, commands: Vec<Command>) -> Vec<Effect> {
        let (mut effects, mut commands) = (Vec::new(), std::collections::VecDeque::from(commands));
        let mut saves = false;
        loop {
            if let Some(event) = self.kernel.next_event() {
                commands.extend(self.notify(&event, &mut effects));
            } else if let Some(command) = commands.pop_front() {
                saves |= command == Command::Save;
                commands.extend(self.apply(command, &mut effects));
            } else {
                break;
            }
        }
        let is_progress = |effect: &Effect| matches!(effect, Effect::Call { .. } | Effect::Report(_));
        if self.is_worth_saving() && (saves || effects.iter().any(is_progress)) {
            // Before the calls: what is in progress must be known, whatever happens then.
            effects.splice(0..0, self.save());
        }
        effects
    }

    /// Tells every feature what has happened, in this order.
    fn notify(&mut self, event: &DomainEvent, effects: &mut Vec<Effect>) -> Vec<Command> {
        if *event == DomainEvent::FactsChanged {
            self.masking.facts_changed(self.kernel.facts()); // first: the others read shown facts
        }
        let mut commands = self.react(event, effects);
        commands.extend(self.insight.on(event, &self.kernel, self.backend.kind != BackendKind::Aws));
        commands.extend(self.experiments.on(event, &self.kernel));
        commands.extend(self.attempts.on(event, &self.kernel));
        commands.extend(self.resume_on(event));
        if !self.resuming.is_open() {
            // A jump waits: its calls and the verification's must not mix.
            commands.extend(self.presenting.on(event, &self.kernel));
        }
        commands.extend(self.follow_end(event));
        commands
    }

    /// The router's own part: batches are supplied, runs judged, and reports written.
    fn react(&mut self, event: &DomainEvent, effects: &mut Vec<Effect>) -> Vec<Command> {
        match event {
            DomainEvent::StageStarted(stage) => {
                self.view.show(*stage);
                self.replays.end(*stage);
                effects.push(Effect::Report(Report::Started(*stage)));
            }
            DomainEvent::BatchWanted(id, batch) => return self.supply(*id, *batch, effects),
            DomainEvent::BatchAnswered(RunId::Stage(stage)) => {
                let calls = self.kernel.stage(*stage).newest();
                effects.extend(calls.iter().map(|call| Effect::Report(Report::Call(call.shown().clone()))));
            }
            DomainEvent::RetryWanted(retry) => {
                let (lasted, limit) = (wait::span(retry.waited), wait::span(retry.limit));
                self.view.message = Some(format!("waiting for {}: {lasted} of {limit}", retry.what));
                effects.push(Effect::After { timer: retry.timer, millis: retry.millis });
            }
            DomainEvent::RunStopped(RunId::Stage(stage), observed) => self.conclude(*stage, Check::unmet(observed)),
            DomainEvent::RunEnded(RunId::Stage(stage)) => {
                self.stage_ended(*stage, effects);
                return notice::ended(self, *stage).into_iter().collect();
            }
            DomainEvent::RunEnded(RunId::Experiment(which)) => self.experiment_ended(*which),
            DomainEvent::CallAnswered(RunId::Drill, call) => {
                self.drills.learn(self.experiments.ledger_mut(), call.raw());
            }
            DomainEvent::RunStopped(RunId::Drill, observed) => return drilling::end_part(self, Some(observed.clone())),
            DomainEvent::RunEnded(RunId::Attempt) => {
                self.view.message = None;
                self.view.focus_on(Identity::TestUser);
            }
            DomainEvent::StageWithheld(stage) => {
                self.view.show(*stage);
                effects.push(Effect::Report(Report::Started(*stage)));
                self.report_end(*stage, effects);
            }
            _ => {}
        }
        Vec::new()
    }

    fn stage_ended(&mut self, stage: Stage, effects: &mut Vec<Effect>) {
        self.view.message = None;
        // What these stages are about is in test-user's pane: there `w` explains it, and one pane alone shows it.
        if stage.def().scans.compares() && self.kernel.is_met(stage) && self.view.shown == stage {
            self.view.focus_on(Identity::TestUser);
        }
        self.report_end(stage, effects);
    }

    fn experiment_ended(&mut self, which: Experiment) {
        // As in the stages: what an experiment changes is the response to test-user, where that sends a call.
        let is_met = self.trial(which).status.check().is_some_and(|check| check.met);
        if is_met && self.view.experiment == Some(which) && !self.calls(Identity::TestUser).is_empty() {
            self.view.focus_on(Identity::TestUser);
        }
        let names = self.shown_names();
        let left: Vec<String> = self.experiments.changes().iter().map(|change| change.describe(names)).collect();
        if !left.is_empty() {
            let undo = self.view.keys.first("undo", "u");
            self.view.message = Some(format!("{undo}: undo again · not undone: {}", left.join(", ")));
        }
    }

    fn report_end(&mut self, stage: Stage, effects: &mut Vec<Effect>) {
        let check = self.kernel.check(stage).cloned();
        effects.extend(check.map(|check| Effect::Report(Report::Stage(stage, check))));
        effects.extend(self.cache_or_load(stage));
    }

    /// What comes after the end of a stage, when every feature has had its say.
    fn follow_end(&mut self, event: &DomainEvent) -> Vec<Command> {
        match event {
            DomainEvent::RunEnded(RunId::Stage(stage)) if self.drills.is_preparing() && !self.kernel.is_leaving() => {
                match (self.kernel.is_met(*stage), stage.next()) {
                    (true, Some(next)) if *stage < Stage::ViewAgain => vec![Command::Start(next)],
                    _ => vec![Command::Drill(DrillCommand::Prepared)],
                }
            }
            DomainEvent::RunEnded(RunId::Stage(stage)) => {
                let leaves = self.kernel.is_leaving().then_some(match stage {
                    Stage::CleanUp => Command::Exit,
                    _ => Command::Start(Stage::CleanUp),
                });
                leaves.into_iter().chain([Command::OfferToWait(*stage)]).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Supplies the batch that a run wants, or ends the run.
    fn supply(&mut self, id: RunId, batch: usize, effects: &mut Vec<Effect>) -> Vec<Command> {
        let next = match id {
            RunId::Stage(stage) => self.next_batch(stage, batch),
            RunId::Experiment(which) => {
                let sources = Sources { names: &self.names, facts: self.kernel.facts(), backend: &self.backend };
                self.experiments.next(which, batch, &sources)
            }
            RunId::Drill => {
                let sources = Sources { names: &self.names, facts: self.kernel.facts(), backend: &self.backend };
                self.drills.next(self.experiments.ledger_mut(), batch, &sources, self.kernel.run(id))
            }
            RunId::Attempt => {
                let sources = Sources { names: &self.names, facts: self.kernel.facts(), backend: &self.backend };
                self.attempts.next(batch, &sources)
            }
        };
        match (next, id) {
            (Next::Send(batch), _) if batch.calls.is_empty() => self.kernel.pass(id),
            (Next::Send(batch), RunId::Stage(stage)) => self.clear(stage, batch, effects),
            (Next::Send(batch), RunId::Experiment(_) | RunId::Drill | RunId::Attempt) => self.send(id, batch, effects),
            (Next::Wait, RunId::Drill) => {
                let timer = self.kernel.new_timer();
                self.drills.pause(timer);
                return vec![Command::AdvanceClock { timer, seconds: IDLE_SECONDS }];
            }
            (Next::End, RunId::Drill) => return drilling::end_part(self, None),
            (Next::Blocked(reason), RunId::Drill) => return drilling::end_part(self, Some(reason)),
            (Next::Wait, _) => {
                let timer = self.kernel.new_timer();
                return self.experiments.wait(timer, self.backend.kind == BackendKind::Aws);
            }
            (Next::End, RunId::Stage(stage)) => {
                let check = self.judged(stage);
                self.conclude(stage, check);
            }
            (Next::End, RunId::Attempt) => {
                let (exchanges, given_user) = (self.kernel.run(id).raw(), self.backend.given_user);
                let evidence = Evidence { exchanges: &exchanges, facts: self.kernel.facts(), given_user };
                return vec![self.attempts.judge(&evidence)];
            }
            (Next::End, RunId::Experiment(which)) => return vec![self.experiments.judge(which, &self.kernel)],
            (Next::Blocked(reason), RunId::Stage(stage)) => {
                self.conclude(stage, Check::unmet(format!("not attempted: {reason}")));
            }
            (Next::Blocked(reason), RunId::Attempt) => {
                return vec![Command::Attempt(AttemptCommand::Conclude(Check::unmet(reason)))];
            }
            (Next::Blocked(reason), RunId::Experiment(which)) => {
                return vec![Command::Trial(which, TrialCommand::End(Check::unmet(reason)))];
            }
        }
        Vec::new()
    }

    pub(super) fn sources(&self) -> Sources<'_> {
        Sources { names: &self.names, facts: self.kernel.facts(), backend: &self.backend }
    }

    fn next_batch(&self, stage: Stage, batch: usize) -> Next {
        let def = stage.def();
        match self.kernel.stage(stage).purpose {
            // What has been allowed since can't be denied again.
            Purpose::Verify if def.scans == Scans::TestUserDenied && self.may_be_granted() => Next::End,
            Purpose::Notice => stages::next(def.notice, batch, self.sources()),
            Purpose::Verify => stages::next(def.verify, batch, self.sources()),
            Purpose::Act | Purpose::Undo => stages::next(def.steps, batch, self.sources()),
        }
    }

    pub(super) fn send(&mut self, id: RunId, batch: Batch, effects: &mut Vec<Effect>) {
        let batch = self.masking.batch(batch);
        self.send_masked(id, batch, effects);
    }

    fn send_masked(&mut self, id: RunId, batch: Masked<Batch>, effects: &mut Vec<Effect>) {
        // DynamoDB keeps a table key for a connection. On new ones KMS is asked for every caller.
        let reads = match id {
            RunId::Stage(stage) => stage.def().scans != Scans::Nobody,
            RunId::Experiment(_) | RunId::Drill => false,
            RunId::Attempt => batch.calls.iter().any(|(identity, _)| *identity == Identity::TestUser),
        };
        if reads && self.backend.kind == BackendKind::Sandbox {
            effects.push(Effect::Reconnect);
        }
        let calls = self.kernel.send(id, batch);
        if let RunId::Experiment(which) = id {
            self.experiments.note_sent(which, &calls);
        }
        effects.extend(calls.into_iter().map(Effect::from));
    }

    /// Ends a stage: `check` is its outcome.
    pub(super) fn conclude(&mut self, stage: Stage, check: Check) {
        let run = self.kernel.stage(stage);
        if run.purpose == Purpose::Notice && !check.met && !self.kernel.is_leaving() {
            return notice::missed(self, check);
        }
        // A stage that was met and does not stand any more keeps its outcome until resuming decides.
        let before = run.before.as_ref().map(|before| before.raw().clone()).filter(|_| !check.met);
        if before.is_none() {
            let begun = crate::lab::saving::begun(&run.calls);
            self.progress.end(stage, begun, self.kernel.now());
        }
        let mut outcome = self.masking.outcome(check);
        if let Some(before) = before {
            outcome = Masked::new(before, outcome.shown().clone());
        }
        if stage == Stage::CleanUp {
            self.add_experiments_leftovers(outcome.shown_mut());
        }
        self.kernel.conclude(RunId::Stage(stage), outcome);
    }

    /// Adds to the outcome of clean-up what experiments have left.
    fn add_experiments_leftovers(&mut self, check: &mut Check) {
        self.experiments.forget_removed(&self.kernel.facts().made);
        let left = self.experiments.leftovers(self.shown_names());
        if !left.is_empty() {
            *check = Check::unmet(format!("{}; still there: {}", check.observed, left.join(", ")));
        }
    }

    /// Carries out a command.
    fn apply(&mut self, command: Command, effects: &mut Vec<Effect>) -> Vec<Command> {
        match command {
            Command::Start(stage) => return self.start(stage, effects),
            Command::StartNow(stage) => self.kernel.begin(stage),
            Command::Retry => return self.retry(effects),
            Command::Verify(stage) => {
                self.view.show(stage);
                self.view.message = Some(format!("looking whether stage {} still stands", stage.number()));
                self.kernel.verify(stage);
            }
            Command::Probe(operations) => effects.extend(self.kernel.probe(operations).into_iter().map(Effect::from)),
            Command::SendHeld => {
                if let Some(batch) = self.kernel.release() {
                    self.send_masked(RunId::Stage(self.kernel.current()), batch, effects);
                }
            }
            Command::Show(stage) => self.show(stage),
            Command::SkipQuestion(stage) => return self.skip_question(stage).into_iter().collect(),
            Command::TellJourney(stage) => self.announce_jump(stage),
            Command::TellStop(destination) => self.announce_stop(destination),
            Command::OfferToWait(stage) => self.offer_to_wait(stage),
            Command::CatchUp => return self.begin_to_catch_up(),
            Command::TakeOver => {
                effects.push(Effect::TakeOver { run: self.names.run.clone(), created: self.names.created.clone() });
            }
            Command::Adopt(taken) => effects.push(Effect::Adopt(taken)),
            Command::Trial(which, command) => return self.apply_to_trial(which, command, effects),
            Command::Drill(DrillCommand::GoOn) => self.kernel.pass(RunId::Drill),
            Command::Drill(DrillCommand::Prepared) => drilling::prepared(self),
            Command::Attempt(command) => return desk::apply(self, command),
            Command::CountDown { timer, left } => self.count_down(timer, left, effects),
            Command::AdvanceClock { timer, seconds } => effects.push(Effect::Advance { timer, seconds }),
            Command::Trace(requests) => effects.push(Effect::Trace(requests)),
            Command::Inspect => effects.extend(self.inspect()),
            Command::LoadResponses(stage) => {
                effects.push(Effect::LoadResponses { stage, account: self.replays.account(&self.kernel) })
            }
            // Once for all commands: see `settle`.
            Command::Save => {}
            Command::Copy(text) => effects.push(Effect::Copy(text)),
            Command::Export => effects.push(Effect::Export(self.saved().map(Box::new))),
            Command::OpenShell => effects.push(Effect::OpenShell),
            Command::EditElsewhere => {
                effects.extend(self.draft().map(|draft| Effect::Edit(draft.text().to_owned())));
            }
            Command::StartOver => effects.extend(self.begin_again()),
            Command::Exit => effects.push(Effect::Exit),
        }
        Vec::new()
    }

    /// Begins a stage, unless something comes first: consent, or what experiments have changed.
    fn start(&mut self, stage: Stage, effects: &mut Vec<Effect>) -> Vec<Command> {
        if self.kernel.is_interrupted() || self.asks_for_consent(stage) {
            return Vec::new();
        }
        if stage == Stage::CleanUp {
            self.drills.close();
            self.view.drill = false;
        }
        let undo = match stage {
            Stage::CleanUp => self.experiments.undo_before(Then::CleanUp, &self.kernel),
            _ => None,
        };
        if let Some(undo) = undo {
            return self.apply(undo, effects);
        }
        // An attempt that has failed may deny what comes next.
        let fails = matches!(stage, Stage::Grant | Stage::CleanUp) && self.kernel.facts().way.is_none();
        if let Some(undo) = fails.then(|| self.attempts.undo_before(attempts::Then::Start(stage))).flatten() {
            return undo;
        }
        self.kernel.begin(stage);
        Vec::new()
    }

    fn retry(&mut self, effects: &mut Vec<Effect>) -> Vec<Command> {
        let stage = self.view.shown;
        if self.asks_for_consent(stage) {
            return Vec::new();
        }
        self.kernel.reach(stage);
        self.kernel.forget_after(stage);
        // A stage that creates goes on where it failed: what has been created is not created twice.
        if stage.can_start_over() {
            return self.start(stage, effects);
        }
        self.view.show(stage);
        self.replays.end(stage);
        self.kernel.resend(stage);
        Vec::new()
    }

    /// Does something for an experiment.
    fn apply_to_trial(&mut self, which: Experiment, command: TrialCommand, effects: &mut Vec<Effect>) -> Vec<Command> {
        match command {
            TrialCommand::Show => self.show_experiment(which),
            TrialCommand::List => self.view.open_experiments(Some(which)),
            TrialCommand::Try if self.is_out_of_reach(which) => {
                let text = "this experiment changes test-user's own policies, so the lab must have created that user";
                self.view.message = Some(text.to_owned());
            }
            TrialCommand::Try => {
                // Experiments begin where the usual way ends.
                let first = desk::use_console(self, attempts::Then::Try(which));
                if let Some(commands) = first {
                    return commands;
                }
                let command = self.experiments.start(which, &self.kernel);
                return self.apply(command, effects);
            }
            TrialCommand::Begin { undoes } => {
                self.view.message = desk::stand_in(self);
                self.kernel.interrupt(RunId::Experiment(which), undoes);
            }
            TrialCommand::GoOn => {
                self.say_clock_moved();
                self.kernel.pass(RunId::Experiment(which));
            }
            TrialCommand::End(check) => {
                self.experiments.take_verdict(self.masking.outcome(check));
                self.say_clock_moved();
                self.kernel.go_on(RunId::Experiment(which), true);
            }
            TrialCommand::Conclude(outcome) => self.kernel.conclude(RunId::Experiment(which), outcome),
            TrialCommand::CatchUp => {
                // It has not been tried since the session was resumed.
                self.kernel.reset(RunId::Experiment(which));
                return self.verify_or_undo_attempt();
            }
        }
        Vec::new()
    }

    /// Says how five minutes passed, where the server's clock was moved.
    fn say_clock_moved(&mut self) {
        let (minutes, seconds) = (IDLE_SECONDS / 60, IDLE_SECONDS % 60);
        let text = "sandbox clock: +{} min {} s";
        let has_moved = self.experiments.has_moved_clock();
        let moved = has_moved.then(|| self.interface().fill(text, &[&minutes, &seconds]));
        let parts: Vec<String> = desk::stand_in(self).into_iter().chain(moved).collect();
        self.view.message = (!parts.is_empty()).then(|| parts.join(" · "));
    }

    /// Says how long an experiment waits, and lets a second pass.
    fn count_down(&mut self, timer: TimerId, left: u16, effects: &mut Vec<Effect>) {
        self.view.message = Some(format!(
            "{} until DynamoDB forgets the table key · {} goes on · {} stops, undoes",
            minutes(left.into()),
            self.view.keys.first("advance", "enter"),
            self.view.keys.first("back", "esc")
        ));
        effects.push(Effect::After { timer, millis: 1_000 });
    }

    /// Says what can be done when what was waited for did not come.
    fn offer_to_wait(&mut self, stage: Stage) {
        let run = self.kernel.stage(stage);
        if run.gave_up().is_some() && run.status.is_unmet() {
            self.view.message = Some(format!(
                "{}: wait again · {}: go on without it",
                self.view.keys.first("retry", "r"),
                self.view.keys.first("advance", "Enter"),
            ));
        }
    }

    /// Cleans up and ends the program, as soon as what is at work allows that.
    pub(super) fn clean_up_and_quit(&mut self) -> Vec<Command> {
        self.presenting.stay_here();
        self.view.close();
        self.kernel.leave().then_some(Command::Start(Stage::CleanUp)).into_iter().collect()
    }

    /// Sends a batch of a stage, once it has been reviewed.
    fn clear(&mut self, stage: Stage, batch: Batch, effects: &mut Vec<Effect>) {
        // What is sent once more, since the new user was not known yet, has been reviewed.
        let unattended = self.record(stage).attempt > 0 || self.is_catching_up() || self.passes_by();
        match self.review.examine(&batch, self.kernel.facts(), unattended) {
            Clearance::Send => self.send(RunId::Stage(stage), batch, effects),
            Clearance::Hold => self.kernel.hold(RunId::Stage(stage), self.masking.batch(batch)),
            Clearance::Refuse(reason) => {
                // `r` reads the policy again: it may have been mended elsewhere.
                self.kernel.rewind(stage);
                self.kernel.amend_facts(|facts| facts.policy_before = None);
                self.conclude(stage, Check::unmet(format!("{reason}; nothing was sent")));
            }
        }
    }

    /// The gate before a stage: asks for consent where nobody has given it. Says whether the stage can't begin.
    pub(super) fn asks_for_consent(&mut self, stage: Stage) -> bool {
        if self.backend.kind != BackendKind::Aws || stage.def().kind != Kind::Creates {
            return false;
        }
        match self.consent.examine(&self.kernel, self.accepted_account.as_ref()) {
            Gate::Open => return false,
            Gate::Ask => self.view.overlay = Some(Overlay::Consent { stage, typed: Digits::default(), wrong: false }),
            Gate::Withhold => {
                let observed = format!("not attempted: on AWS nothing is created before {} is met", Stage::Who.key());
                self.kernel.withhold(stage, Check::unmet(observed));
            }
        }
        true
    }

    /// Asks for the recorded responses when a call is overdue: a class can't wait until it is given up.
    fn load_overdue(&mut self) -> Vec<Command> {
        let overdue = self.replays.overdue(&self.kernel);
        if overdue.is_some() {
            // What was waited for is not what is waited for now.
            self.view.message = None;
        }
        overdue.map(Command::LoadResponses).into_iter().collect()
    }

    /// What the world must do with the responses of `stage`, which has ended.
    fn cache_or_load(&self, stage: Stage) -> Option<Effect> {
        if self.replays.is_cut_off(&self.kernel, stage) {
            return Some(Effect::LoadResponses { stage, account: self.replays.account(&self.kernel) });
        }
        self.replays
            .verified(&self.kernel, &self.names.run, stage)
            .map(|verified| Effect::CacheResponses(Box::new(verified)))
    }
}
