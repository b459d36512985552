//! A key that means something, but not now, says why: whoever presses it and sees nothing thinks that the lab hangs.

use super::copy::Copied;
use super::flow::Intent;
use super::operation::Identity;
use super::outcome::Status;
use super::stage::Stage;
use super::state::State;
use super::view::Page;

impl State {
    /// Why `intent` can't be done now; `None` where it can, or means something else under what is open.
    pub(super) fn why_not(&self, intent: Intent) -> Option<String> {
        if self.view.overlay_is_open() {
            return None;
        }
        let words = self.interface();
        let why = match intent {
            Intent::Advance if self.waits_for_answer() => return Some(self.first_answer()),
            Intent::ShowNext => return self.no_next(),
            Intent::TogglePage(Page::Why) if self.focused_exchange().is_none() => {
                return Some(words.fill("nothing to explain yet: {}", &[&self.nothing_yet()]));
            }
            Intent::CycleView if !self.has_calls() => {
                return Some(words.fill("nothing to show yet: {}", &[&self.nothing_yet()]));
            }
            Intent::Copy(Copied::Answer)
                if self.to_copy(Copied::Answer).is_none() && self.focused_exchange().is_some() =>
            {
                "this answer is empty"
            }
            Intent::Copy(what) if self.to_copy(what).is_none() => {
                return Some(words.fill("nothing to copy yet: {}", &[&self.nothing_yet()]));
            }
            Intent::TogglePage(Page::Comparison) if self.comparison().is_none() => match self.view.bench {
                Some(_) => "this experiment has no choices to compare",
                None => "this stage has no choices to compare",
            },
            Intent::Undo if !self.can_undo() => match self.bench.is_running() {
                true => "the experiment undoes its changes itself",
                false => "nothing to undo: everything is as the lab left it",
            },
            Intent::ToggleBench if self.bench.is_running() => "first the experiment under way ends",
            Intent::ToggleBench if self.view.bench.is_none() && !self.has_bench() => {
                match self.record(Stage::CleanUp).status {
                    Status::Todo => "the bench opens after stage 8: it breaks what the lab has made",
                    Status::Running | Status::Done(_) => "the bench is gone: clean-up has removed what it would break",
                }
            }
            _ => return None,
        };
        Some(words.say(why).to_owned())
    }

    /// Whether a pane shows a call.
    pub fn has_calls(&self) -> bool {
        Identity::BOTH.iter().any(|identity| self.selected(*identity).is_some())
    }

    fn first_answer(&self) -> String {
        let skip = self.view.keys.first("skip", "s");
        self.interface().fill("first your answer; {} passes over the question", &[&skip])
    }

    fn no_next(&self) -> Option<String> {
        let words = self.interface();
        if let Some(which) = self.view.bench {
            return match which.next() {
                _ if self.bench.is_running() => Some(words.say("first the experiment under way ends").to_owned()),
                Some(_) => None,
                None => Some(words.say("this is the last experiment").to_owned()),
            };
        }
        if self.next_shown().is_some() {
            return None;
        }
        let key = |action, usual| self.view.keys.first(action, usual);
        Some(match self.shown().status {
            _ if self.waits_for_answer() => self.first_answer(),
            Status::Todo => words.fill("first this stage: {} sends its calls", &[&key("advance", "enter")]),
            Status::Running => words.say("first this stage ends").to_owned(),
            Status::Done(_) if self.view.shown.next().is_none() => words.say("this is the last stage").to_owned(),
            Status::Done(_) => words.fill("first this stage: {} tries it again", &[&key("retry", "r")]),
        })
    }

    /// Why there is no answer in the pane that keys go to.
    fn nothing_yet(&self) -> String {
        let (identity, words) = (self.view.focus(), self.interface());
        let has_none = self.calls(identity).is_empty() && !self.outline().iter().any(|(who, _)| *who == identity);
        match self.shown().status {
            _ if has_none && self.view.bench.is_some() => {
                words.fill("{} has no call in this experiment.", &[&identity.name()])
            }
            _ if has_none => words.fill("{} has no call in this stage.", &[&identity.name()]),
            Status::Todo if self.waits_for_answer() => self.first_answer(),
            Status::Todo => words.fill("{} sends the call", &[&self.view.keys.first("advance", "enter")]),
            Status::Running => words.say("no answer has come").to_owned(),
            Status::Done(_) => words.fill("{} has sent nothing", &[&identity.name()]),
        }
    }
}
