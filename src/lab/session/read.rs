//! What screens, lines and logs read.

use super::state::State;
use crate::lab::calls::Call;
use crate::lab::cost;
use crate::lab::feature::consent::Thing;
use crate::lab::feature::copy::{Copied, Profiles};
use crate::lab::feature::experiments::steps;
use crate::lab::feature::insight::Inquiry;
use crate::lab::feature::presenting::PressTwice;
use crate::lab::feature::presenting::hands::{HandCount, HandEntry};
use crate::lab::feature::presenting::phones::Phones;
use crate::lab::feature::quiz::{Asked, Score};
use crate::lab::feature::replay::{Replay, stamp};
use crate::lab::kernel::run::Status;
use crate::lab::lesson::interface::Interface;
use crate::lab::lesson::{Comparison, Text};
use crate::lab::model::backend::BackendKind;
use crate::lab::model::command_line::cli_line;
use crate::lab::model::draft::Draft;
use crate::lab::model::exchange::{Exchange, Verdict, is_credential_error};
use crate::lab::model::experiment::Experiment;
use crate::lab::model::facts::Facts;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::outcome::Check;
use crate::lab::model::policy_diff::PolicyDiff;
use crate::lab::model::redact::{clean, redact};
use crate::lab::model::stage::Stage;
use crate::lab::model::test_user;
use crate::lab::stages::Evidence;
use crate::lab::view::{Overlay, Page};
use crate::lab::wait;

/// From here on a wait is worth a line where nothing is drawn, in milliseconds.
const NOTABLE: u64 = 3_000;

impl State {
    /// The text in the editor: in a drill the learner's own fix.
    pub fn draft(&self) -> Option<&Draft> {
        if self.is_drilling() { Some(self.drills.draft()?.1) } else { self.attempts.draft() }
    }

    /// What that text is.
    pub fn draft_way(&self) -> Option<Mechanism> {
        if self.is_drilling() { Some(self.drills.draft()?.0) } else { self.attempts.chosen() }
    }

    /// What the open page needs to know; `None` where it needs nothing.
    pub(super) fn inquiry(&self) -> Option<Inquiry> {
        let facts = self.kernel.facts();
        let Some(page) = self.view.page() else {
            let is_wanted = self.view.desk.is_some() && !self.kernel.is_interrupted();
            return is_wanted.then(|| self.documents_inquiry());
        };
        match page {
            // A recorded response was decided elsewhere.
            Page::Why if !self.is_replay() => {
                let Exchange { id, identity, .. } = self.focused_exchange()?;
                let caller = facts.caller(*identity).map(|caller| caller.arn.clone());
                Some(Inquiry::Why { call: *id, caller, key: facts.key_arn().map(str::to_owned) })
            }
            // What the learner's own way has changed.
            Page::Noticed => self.own_way().map(|_| self.documents_inquiry()),
            Page::Trail => Some(Inquiry::Trail),
            Page::AtRest if facts.made.table => Some(Inquiry::AtRest { table: self.names.table.clone() }),
            _ => None,
        }
    }

    fn documents_inquiry(&self) -> Inquiry {
        let facts = self.kernel.facts();
        Inquiry::Documents { caller: facts.principal(Identity::TestUser), key: facts.key_arn().map(str::to_owned) }
    }

    /// The selected call of the focused pane, once it is answered. In a drill that is always test-user's Scan.
    pub fn focused_exchange(&self) -> Option<&Exchange> {
        match self.is_drilling() {
            true => self.drill_scan(Identity::TestUser),
            false => self.selected_exchange(self.view.focus()),
        }
    }

    /// The answered call that is selected in `identity`'s pane.
    pub(super) fn selected_exchange(&self, identity: Identity) -> Option<&Exchange> {
        match self.calls(identity).get(self.selected(identity)?) {
            Some(Call::Answered(exchange)) => Some(exchange),
            _ => None,
        }
    }

    /// The question of an experiment, where questions are asked.
    pub fn experiment_question(&self, which: Experiment) -> Option<Asked<'_>> {
        if !self.quiz.asks() {
            return None;
        }
        let question = &self.experiment(which).question;
        Some(Asked::new(question, &self.experiment_order(which), self.experiments.choice(which)))
    }

    pub(super) fn experiment_order(&self, which: Experiment) -> Vec<usize> {
        self.quiz.shuffled(which.question_number(), self.experiment(which).question.answers.len())
    }

    /// The question of the shown stage or experiment, where questions are asked.
    pub fn shown_question(&self) -> Option<Asked<'_>> {
        self.view.experiment.map_or_else(|| self.question(self.view.shown), |which| self.experiment_question(which))
    }

    /// The calls of the shown stage or experiment, before anything is known.
    pub fn outline(&self) -> Vec<(Identity, String)> {
        match self.view.experiment {
            Some(which) => steps::outline(which, steps::user_policy(&self.sources())),
            None => {
                let stage = self.view.shown.outline(&self.backend);
                stage.map(|(identity, call)| (identity, call.to_owned())).collect()
            }
        }
    }

    /// The call that waits in the shown stage for a person's yes, as it is shown.
    pub fn held(&self) -> Option<(Identity, &Operation)> {
        let held = self.kernel.held().filter(|_| self.view.shown == self.kernel.current())?;
        held.calls.first().map(|(identity, operation)| (*identity, operation))
    }

    /// Whether a key policy waits for a yes: what would lead away from it has to wait, too.
    pub fn holds_policy(&self) -> bool {
        self.kernel.held().is_some()
    }

    /// What would be left behind if the program ended now, with what is just being created: its response may be on the
    /// way. The sandbox leaves nothing.
    pub fn leftovers(&self) -> Vec<String> {
        match self.backend.kind {
            BackendKind::Sandbox => Vec::new(),
            BackendKind::Endpoint | BackendKind::Aws => {
                let mut left = self.shown_facts().made.list(self.shown_names());
                left.extend(self.experiments.leftovers(self.shown_names()));
                // Of an experiment's calls that is said already.
                let pending = self.at_work().pending.iter().filter(|_| !self.kernel.is_interrupted());
                left.extend(pending.filter_map(|pending| pending.operation.creates()));
                left
            }
        }
    }

    /// The wait in progress, once it has lasted for some seconds: what for, and how long at most.
    pub fn long_wait(&self) -> Option<String> {
        let (what, limit) = self.at_work().long_wait(NOTABLE)?;
        Some(format!("waiting up to {} for {what}", wait::span(limit)))
    }

    /// The interface's words in the lesson's language.
    pub fn interface(&self) -> Interface<'_> {
        Interface::new(&self.lesson.frame.interface)
    }

    /// What the screen shows of a stage.
    pub fn text(&self, stage: Stage) -> Text<'_> {
        self.lesson.text_of_way(stage, &self.backend, self.own_way())
    }

    /// The way that the learner took in stage 7; `None` is the usual one, or none yet.
    pub fn own_way(&self) -> Option<Mechanism> {
        Some(self.kernel.facts().way.as_ref()?.mechanism)
    }

    /// The question of a stage, where questions are asked.
    pub fn question(&self, stage: Stage) -> Option<Asked<'_>> {
        if !self.quiz.asks() {
            return None;
        }
        let question = &self.lesson.stage(stage).question;
        Some(Asked::new(question, &self.quiz.order(stage, question), self.quiz.choice(stage)))
    }

    /// The shown stage's question, while it can be answered: its calls have not been sent, or another client was faster
    /// than the question.
    pub fn open_question(&self) -> Option<Asked<'_>> {
        if let Some(which) = self.view.experiment {
            return self.experiment_question(which).filter(|_| self.shown().status == Status::Todo);
        }
        let (run, is_unanswered) = (self.record(self.view.shown), self.quiz.choice(self.view.shown).is_none());
        let is_late = || run.is_noticed() && is_unanswered;
        let is_open = run.status == Status::Todo || is_late();
        self.question(self.view.shown).filter(|_| is_open && self.view.shown <= self.reachable())
    }

    /// Whether Enter waits for an answer or a skip.
    pub fn waits_for_answer(&self) -> bool {
        self.open_question().is_some_and(|asked| asked.is_open())
    }

    /// The hints of the shown stage that have been asked for.
    pub fn hints(&self) -> &[String] {
        if self.view.experiment.is_some() {
            return &[];
        }
        let stage = self.view.shown;
        &self.lesson.stage(stage).hints[..self.quiz.hints(stage)]
    }

    /// Whether there is another hint.
    pub fn has_hint(&self) -> bool {
        self.view.experiment.is_none() && self.open_question().is_some() && self.hints().len() < 2
    }

    /// How the questions were answered; `None` where none are asked.
    pub fn score(&self) -> Option<Score> {
        self.quiz.asks().then(|| self.quiz.score(&self.lesson))
    }

    /// The choices that the shown stage compares.
    pub fn comparison(&self) -> Option<&Comparison> {
        self.lesson.stage(self.view.shown).comparison.as_ref().filter(|_| self.view.experiment.is_none())
    }

    /// Whether the presenter has blanked the screen.
    pub fn is_blank(&self) -> bool {
        self.view.blank
    }

    /// How often the next theme was asked for.
    pub fn themes(&self) -> u8 {
        self.presenting.themes
    }

    /// Whether the timer is visible, and so needs the time every second.
    pub fn shows_timer(&self) -> bool {
        self.presenting.shows_timer && !self.view.blank
    }

    /// Whether the message says that the next `q` leaves.
    pub fn warns_of_leaving(&self) -> bool {
        self.presenting.asks_again(PressTwice::Leave, self.view.message.as_ref())
    }

    /// The stage that a jump sets everything up for.
    pub fn destination(&self) -> Option<Stage> {
        self.presenting.destination()
    }

    /// The hands counted for the question of `stage`.
    pub fn hands(&self, stage: Stage) -> Option<HandCount> {
        self.presenting.count(stage)
    }

    /// The phones of an audience.
    pub fn phones(&self) -> &Phones {
        &self.presenting.phones
    }

    /// The stage whose question takes votes. A class votes on stages; experiments are for those who stay.
    pub fn voting(&self) -> Option<Stage> {
        let is_open = self.view.experiment.is_none() && !self.is_drilling() && self.waits_for_answer();
        is_open.then_some(self.view.shown)
    }

    /// Whether phones have voted on the open question: Enter goes on without the presenter's own answer.
    pub fn has_class_voted(&self) -> bool {
        self.voting().is_some_and(|stage| self.phones().votes(stage).is_some())
    }

    /// Whether the dialog for hands is open.
    pub fn is_tallying(&self) -> bool {
        self.view.overlay == Some(Overlay::Tally)
    }

    /// What that dialog shows: what is being typed or, once the answer has been seen, what was counted.
    pub fn entry(&self) -> HandEntry {
        self.presenting.entry
    }

    /// Everything that has been copied, each text once.
    pub fn copied(&self) -> &[String] {
        self.clipboard.texts()
    }

    /// The profiles that command lines name. A masked session doesn't show a person's own names for them.
    pub(in crate::lab) fn shown_profiles(&self) -> Profiles {
        if self.is_masked() { Profiles::default() } else { self.profiles.clone() }
    }

    /// The `aws` command line that makes the same call, at the lab's own endpoint.
    pub fn command(&self, identity: Identity, operation: &Operation) -> String {
        let profiles = self.shown_profiles();
        cli_line(operation, profiles.name(identity), &self.backend.region, self.endpoint_of(operation))
    }

    /// The text that `what` copies of the selected call; `None` where there is no such text.
    pub fn to_copy(&self, what: Copied) -> Option<String> {
        let identity = self.view.focus();
        match (what, self.selected_call(identity)?) {
            (Copied::Command, call) => Some(clean(&self.command(identity, call.operation()))),
            (Copied::Answer, Call::Answered(exchange)) => {
                let mut body = exchange.body().filter(|body| !body.is_null())?.clone();
                redact(&mut body);
                serde_json::to_string_pretty(&body).ok()
            }
            (Copied::Answer, Call::Waiting(_) | Call::Held(_)) => None,
        }
    }

    /// What `policy` changes in the key policy that was read when the stage began, as it is shown.
    pub fn policy_diff(&self, policy: &str) -> Option<PolicyDiff> {
        let before = self.shown_facts().policy_before.as_deref()?;
        Some(PolicyDiff::between(before, policy))
    }

    /// What the grant stage has changed in the key policy.
    pub fn granted(&self) -> Option<PolicyDiff> {
        self.policy_diff(self.shown_facts().policy.as_deref()?).filter(|diff| !diff.is_empty())
    }

    /// Everything that the lab will make, with its name.
    pub fn will_make(&self) -> Vec<Thing> {
        let names = self.shown_names();
        let mut things = vec![("KMS key", names.alias.clone()), ("DynamoDB table", names.table.clone())];
        if self.backend.given_user {
            things.push(("key policy entry", "lets test-user use that key".to_owned()));
        } else {
            things.push(("IAM user", format!("{} with an access key,", names.user)));
            things.push(match self.backend.has_managed_policy() {
                true => ("policy", format!("{} on it: all of DynamoDB", test_user::MANAGED)),
                false => ("policy", format!("dynamodb:* on {} for it, nothing else", names.table)),
            });
        }
        things
    }

    /// Whether the lab waits for consent.
    pub fn is_asking_for_consent(&self) -> bool {
        matches!(self.view.overlay, Some(Overlay::Consent { .. }))
    }

    /// Why a run without a screen ends where it waits for consent.
    pub fn refusal(&self) -> Option<String> {
        let account = &self.kernel.facts().admin.as_ref()?.account;
        if self.is_masked() {
            let refused = "refused: --yes-account must be admin's account. Nothing was created";
            return self.is_asking_for_consent().then(|| refused.to_owned());
        }
        self.is_asking_for_consent().then(|| match &self.accepted_account {
            Some(accepted) => {
                format!("refused: --yes-account is {accepted}, but admin's account is {account}. Nothing was created")
            }
            None => format!(
                "refused: this would create things in account {account}. Nothing was created\n  \
                 To agree, add --yes-account {account}"
            ),
        })
    }

    /// Whether what the panes show now was recorded earlier.
    pub fn is_replay(&self) -> bool {
        self.replay().is_some()
    }

    /// When what the panes show was recorded, `24 Nov 10:02 UTC`; `None` where it is live.
    pub fn replay_time(&self) -> Option<String> {
        self.replay().map(|replay| stamp(replay.at(), self.now(), true)).or_else(|| self.replays.session())
    }

    /// Whether there is something else to show for the shown stage, which got no answer.
    pub fn can_replay(&self) -> bool {
        self.view.experiment.is_none() && self.replays.can_show(&self.kernel, self.view.shown)
    }

    /// How many stages were not met and looked at as they were recorded.
    pub fn replayed(&self) -> usize {
        self.replays.looked_at(&self.kernel)
    }

    /// `9 of 9 stages met`; recorded responses are counted apart.
    pub fn summary(&self) -> String {
        self.summary_in(Interface::ENGLISH)
    }

    /// The same in these words.
    pub fn summary_in(&self, words: Interface<'_>) -> String {
        let met = words.fill("{} of {} stages met", &[&self.met(), &Stage::ALL.len()]);
        match self.replayed() {
            0 => met,
            replayed => words.fill("{}, {} shown as REPLAY", &[&met, &replayed]),
        }
    }

    /// Why this session's answers could not be kept, if so.
    pub fn not_cached(&self) -> Option<&str> {
        self.replays.not_cached()
    }

    /// The facts that go with the calls which are shown.
    pub fn facts_of_calls(&self) -> &Facts {
        self.replay().map_or_else(|| self.shown_facts(), |replay| replay.facts())
    }

    /// What can be done where the shown stage got no answer: one line of 80 columns.
    pub fn offer(&self) -> Option<String> {
        let stage = self.view.shown;
        let replay = self.view.keys.first("replay", "F");
        if self.is_replay() {
            return Some(format!("REPLAY: recorded earlier · {replay}: the live responses again"));
        }
        if self.view.experiment.is_some() || !self.replays.is_silent(&self.kernel, stage) {
            return None;
        }
        let record = self.record(stage);
        let from = if self.backend.kind == BackendKind::Aws { " from AWS" } else { "" };
        let what = match record.status {
            Status::Running => format!("no response{from} yet"),
            _ if record.calls.is_empty() => "not attempted".to_owned(),
            _ => format!("no response{from}"),
        };
        let again = self.can_retry().then(|| format!("{}: try again", self.view.keys.first("retry", "r")));
        let recorded = self.replays.recorded(stage).map(|found| match found {
            Ok(at) => format!("{replay}: show the response of {}", stamp(at, self.now(), false)),
            Err(problem) => problem.to_owned(),
        });
        Some([Some(what), again, recorded].into_iter().flatten().collect::<Vec<_>>().join(" · "))
    }

    /// The answered calls of the shown stage: recorded ones where those are looked at.
    pub(in crate::lab) fn answered(&self) -> impl DoubleEndedIterator<Item = &Exchange> {
        let recorded = self.replay().map(Replay::exchanges);
        let live = recorded.is_none().then(|| self.shown().exchanges());
        live.into_iter().flatten().chain(recorded.into_iter().flatten())
    }

    /// The recorded answers that are looked at.
    fn replay(&self) -> Option<&Replay> {
        self.replays.shown(&self.kernel, self.view.shown).filter(|_| self.view.experiment.is_none())
    }

    /// The last stage that can be shown: the current one or, when that has ended, the one after it.
    pub fn reachable(&self) -> Stage {
        self.kernel.reachable()
    }

    /// The stage after the shown one, if it can be shown.
    pub fn next_shown(&self) -> Option<Stage> {
        self.view.shown.next().filter(|next| *next <= self.reachable())
    }

    /// Whether all stages have ended.
    pub fn is_finished(&self) -> bool {
        Stage::ALL.iter().all(|stage| matches!(self.record(*stage).status, Status::Done(_)))
    }

    /// How many stages have met their expectation.
    pub fn met(&self) -> usize {
        Stage::ALL.iter().filter(|stage| self.check(**stage).is_some_and(|check| check.met)).count()
    }

    /// How many stages have ended.
    pub fn ended(&self) -> usize {
        Stage::ALL.iter().filter(|stage| self.check(**stage).is_some()).count()
    }

    /// The outcome of a stage that has ended.
    pub fn check(&self, stage: Stage) -> Option<&Check> {
        self.kernel.check(stage)
    }

    /// Whether the shown stage's calls may be sent again now: not once a later stage has sent something, since that
    /// built on them.
    pub fn can_retry(&self) -> bool {
        if self.view.experiment.is_some() {
            return matches!(self.shown().status, Status::Done(_)) && !self.kernel.is_interrupted();
        }
        let stage = self.view.shown;
        let record = self.record(stage);
        let later = Stage::ALL.iter().filter(|later| **later > stage).map(|later| self.record(*later));
        let mut later = later.filter(|record| !record.calls.is_empty() || !record.pending.is_empty());
        match &record.status {
            Status::Done(_) if later.next().is_some() => false,
            Status::Done(_) if stage.is_read_only() => true,
            // Where every call succeeded and the outcome is another than expected, there is no call to go on from.
            Status::Done(check) => !check.met && (stage.can_start_over() || record.attempt > 0),
            _ => false,
        }
    }

    /// Where `operation` goes; `None` is AWS itself.
    pub fn endpoint_of(&self, operation: &Operation) -> Option<&str> {
        match self.services.iter().find(|place| place.service == operation.service()) {
            Some(place) => place.endpoint.as_deref(),
            None => self.backend.endpoint.as_deref(),
        }
    }

    /// Whether the backend refused the credentials or could not be reached at all, in the first stage: nothing else
    /// can work.
    pub fn backend_is_unusable(&self) -> Option<&Exchange> {
        let record = self.record(Stage::Who);
        // The stage's other calls only look ahead.
        record.exchanges().filter(|exchange| exchange.operation == Operation::GetCallerIdentity).find(|exchange| {
            match &exchange.answer.response {
                Err(_) => true,
                Ok(response) if response.status < 300 => false,
                // An error without a code is not AWS's: a web server or a proxy has answered.
                Ok(response) => response.status >= 500 || exchange.error_code().is_none_or(is_credential_error),
            }
        })
    }

    /// What the key has cost by the newest answer, where it costs something; a key whose deletion is scheduled costs
    /// nothing more. `None` where nothing costs anything, or nothing has been made.
    pub fn cost_line(&self) -> Option<String> {
        self.cost_line_at(0)
    }

    /// The same at `now` (unix time, seconds), which may be later than the newest answer: a key costs while nobody calls.
    pub fn cost_line_at(&self, now: i64) -> Option<String> {
        let key = self.kernel.facts().key.as_ref().filter(|_| self.backend.kind == BackendKind::Aws)?;
        cost::line(key, self.kernel.key_ended_at(), self.now().max(u64::try_from(now).unwrap_or(0)))
    }

    /// The calls of `identity` in the shown stage: answered ones first.
    pub fn calls(&self, identity: Identity) -> Vec<Call<'_>> {
        let record = self.shown();
        let answered = self.answered().filter(|e| e.identity == identity).map(Call::Answered);
        // Beside recorded answers a call that is under way has no place.
        let pending = if self.is_replay() { &[][..] } else { &record.pending[..] };
        let waiting = pending.iter().filter(|p| p.identity == identity).map(Call::Waiting);
        let held = self.held().filter(|(signer, _)| *signer == identity).map(|(_, operation)| Call::Held(operation));
        answered.chain(waiting).chain(held).collect()
    }

    /// Which of [`State::calls`] the pane of `identity` shows: what was selected; else, while the stage runs, the
    /// newest; else the one the stage is about.
    pub fn selected(&self, identity: Identity) -> Option<usize> {
        let calls = self.calls(identity);
        let last = calls.len().checked_sub(1)?;
        if let Some(selected) = self.view.selected(identity) {
            return Some(selected.min(last));
        }
        let is_managed = self.backend.has_managed_policy();
        let is_highlight = |name: &str| match self.view.experiment {
            Some(which) => name == steps::highlight(which, identity, is_managed),
            None => self.view.shown.highlights(identity, name),
        };
        let is_it = |call: &Call<'_>| {
            matches!(call, Call::Answered(e) if is_highlight(e.operation.name())) && !self.is_undo(call)
        };
        let failed =
            calls.iter().rposition(|call| matches!(call, Call::Answered(e) if matches!(e.verdict, Verdict::Failed(_))));
        match self.shown().status {
            Status::Done(ref outcome) if !outcome.met && failed.is_some() && !self.is_replay() => failed,
            _ if self.is_replay() => Some(calls.iter().rposition(is_it).unwrap_or(last)),
            Status::Done(_) => {
                let made = || calls.iter().rposition(|call| !self.is_undo(call));
                calls.iter().rposition(is_it).or_else(made).or(Some(last))
            }
            _ => Some(last),
        }
    }

    /// Whether a call only takes back what an experiment has changed.
    pub fn is_undo(&self, call: &Call<'_>) -> bool {
        self.view.experiment.zip(call.id()).is_some_and(|(which, id)| self.experiments.undoes(which, id))
    }

    /// Whether a call was the first after five minutes without one.
    pub fn is_later(&self, call: &Call<'_>) -> bool {
        self.view.experiment.zip(call.id()).is_some_and(|(which, id)| self.experiments.is_later(which, id))
    }

    /// The call that the pane of `identity` shows.
    pub fn selected_call(&self, identity: Identity) -> Option<Call<'_>> {
        self.calls(identity).get(self.selected(identity)?).copied()
    }

    /// Selects the call `step` rows further in the focused pane.
    pub(super) fn select(&mut self, step: isize) {
        let identity = self.view.focus();
        let count = self.calls(identity).len();
        if let Some(selected) = self.selected(identity) {
            self.view.select(identity, selected.saturating_add_signed(step).min(count.saturating_sub(1)));
        }
    }
    /// Judges the calls of a stage by its expectation.
    pub(super) fn judged(&self, stage: Stage) -> Check {
        let (exchanges, given_user) = (self.kernel.stage(stage).raw(), self.backend.given_user);
        let evidence = Evidence { exchanges: &exchanges, facts: self.kernel.facts(), given_user };
        Check::from((stage.def().expect)(&evidence))
    }
}
