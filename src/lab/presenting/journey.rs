//! Jumping ahead, and beginning again.

use crate::lab::backend::BackendKind;
use crate::lab::flow::Effect;
use crate::lab::outcome::Status;
use crate::lab::quiz::Choice;
use crate::lab::stage::Stage;
use crate::lab::state::State;

impl State {
    /// The last stage that the stage list can take: while nothing is under way any, since what comes before it can be
    /// set up.
    pub fn jumpable(&self) -> Stage {
        if self.can_start_over() { Stage::ALL[Stage::ALL.len() - 1] } else { self.reachable() }
    }

    /// The stage that everything is being set up for.
    pub fn destination(&self) -> Option<Stage> {
        self.presenting.destination
    }

    /// Whether a new key policy is sent without being looked at: on the way somewhere else, where it costs nothing.
    pub(in crate::lab) fn passes_by(&self) -> bool {
        self.destination().is_some() && self.backend.kind == BackendKind::Sandbox
    }

    /// Shows `stage`, after everything before it has been set up by the same calls as ever. Their questions are passed
    /// over.
    pub(in crate::lab) fn go_to(&mut self, stage: Stage) -> Vec<Effect> {
        if stage <= self.reachable() || stage > self.jumpable() {
            self.show(stage.min(self.reachable()));
            return Vec::new();
        }
        self.presenting.destination = Some(stage);
        self.travel_on()
    }

    fn travel_on(&mut self) -> Vec<Effect> {
        let Some(destination) = self.destination() else { return Vec::new() };
        let stage = self.reachable();
        if destination <= stage {
            self.presenting.destination = None;
            self.show(destination);
            return Vec::new();
        }
        let asks = self.question(stage).is_some_and(|asked| asked.is_open());
        if asks {
            self.quiz.choose(stage, Choice::Skipped);
        }
        let effects = self.start(stage);
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
            Status::Done(_) => self.stop_at(stage),
        }
        effects
    }

    /// Ends the way to a later stage where `stage` is not as it should be.
    fn stop_at(&mut self, stage: Stage) {
        let is_met = self.check(stage).is_some_and(|check| check.met);
        if let Some(destination) = self.presenting.destination.take_if(|_| !is_met) {
            let text = self.interface().fill("stopped here on the way to stage {}", &[&destination.number()]);
            self.view.message = Some(text);
        }
    }

    /// What follows when `stage` has ended.
    pub(in crate::lab) fn stage_ended(&mut self, stage: Stage) -> Vec<Effect> {
        if stage == Stage::CleanUp && std::mem::take(&mut self.presenting.starts_over) {
            if self.leftovers().is_empty() {
                return vec![Effect::StartOver];
            }
            let text = self.interface().say("not begun again: something is left, see what was observed");
            self.view.message = Some(text.to_owned());
        }
        self.stop_at(stage);
        self.travel_on()
    }

    /// Whether the lab can be begun again: not while something is under way.
    pub fn can_start_over(&self) -> bool {
        self.record(self.current).status != Status::Running && !self.bench.is_running()
    }

    /// Whether a key policy waits to be looked at: what would lead away from it has to wait, too.
    pub fn holds_policy(&self) -> bool {
        self.review.is_waiting()
    }

    /// Begins again, where something would be left behind after a clean-up.
    pub(super) fn start_over(&mut self) -> Vec<Effect> {
        self.view.close();
        if self.leftovers().is_empty() {
            return vec![Effect::StartOver];
        }
        self.presenting.starts_over = true;
        self.start(Stage::CleanUp)
    }

    /// The same state, which takes over from `earlier` what belongs to the person and not to the run: how things are
    /// shown, and what was copied.
    #[must_use]
    pub fn succeeding(mut self, earlier: &State) -> State {
        self.view.mode = earlier.view.mode;
        self.view.zoom = earlier.view.zoom;
        self.view.keys = earlier.view.keys.clone();
        // It began behind the blank screen, after a clean-up, say.
        self.view.blank = earlier.view.blank;
        self.clipboard = earlier.clipboard.clone();
        self.presenting.shows_timer = earlier.presenting.shows_timer;
        self
    }
}
