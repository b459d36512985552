//! A key that means something, but not now, says why: whoever presses it and sees nothing thinks that the lab hangs.

use super::copy::Copied;
use super::flow::Intent;
use super::stage::Stage;
use super::state::{State, Status};
use super::view::Page;

impl State {
    /// Why `intent` can't be done now; `None` where it can, or means something else under what is open.
    pub(super) fn why_not(&self, intent: Intent) -> Option<String> {
        if self.view.overlay_is_open() {
            return None;
        }
        match intent {
            Intent::Advance if self.waits_for_answer() => Some(self.first_answer()),
            Intent::ShowNext => self.no_next(),
            Intent::TogglePage(Page::Why) if self.focused_exchange().is_none() => Some(self.nothing_yet("to explain")),
            Intent::TogglePage(Page::Comparison) if self.comparison().is_none() => {
                Some(format!("this {} has no choices to compare", self.what()))
            }
            Intent::CycleView if !self.has_calls() => Some(self.nothing_yet("to show")),
            Intent::Copy(what) if self.to_copy(what).is_none() => Some(match what {
                Copied::Answer if self.focused_exchange().is_some() => "this answer is empty".to_owned(),
                Copied::Command | Copied::Answer => self.nothing_yet("to copy"),
            }),
            Intent::Undo if !self.can_undo() => Some(match self.bench.is_running() {
                true => "the experiment undoes its changes itself".to_owned(),
                false => "nothing to undo: everything is as the lab left it".to_owned(),
            }),
            Intent::ToggleBench if self.bench.is_running() => Some("first the experiment under way ends".to_owned()),
            Intent::ToggleBench if self.view.bench.is_none() && !self.has_bench() => {
                Some(match self.record(Stage::CleanUp).status {
                    Status::Todo => "the bench opens after stage 8: it breaks what the lab has made".to_owned(),
                    Status::Running | Status::Done(_) => {
                        "the bench is gone: clean-up has removed what it would break".to_owned()
                    }
                })
            }
            _ => None,
        }
    }

    /// Whether a pane shows a call.
    pub fn has_calls(&self) -> bool {
        super::Identity::BOTH.iter().any(|identity| self.selected(*identity).is_some())
    }

    fn what(&self) -> &'static str {
        if self.view.bench.is_some() { "experiment" } else { "stage" }
    }

    fn first_answer(&self) -> String {
        format!("first your answer; {} passes over the question", self.view.keys.first("skip", "s"))
    }

    fn no_next(&self) -> Option<String> {
        if let Some(which) = self.view.bench {
            return match which.next() {
                _ if self.bench.is_running() => Some("first the experiment under way ends".to_owned()),
                Some(_) => None,
                None => Some("this is the last experiment".to_owned()),
            };
        }
        if self.next_shown().is_some() {
            return None;
        }
        Some(match self.shown().status {
            _ if self.waits_for_answer() => self.first_answer(),
            Status::Todo => format!("first this stage: {} sends its calls", self.view.keys.first("advance", "enter")),
            Status::Running => "first this stage ends".to_owned(),
            Status::Done(_) if self.view.shown.next().is_none() => "this is the last stage".to_owned(),
            Status::Done(_) => format!("first this stage: {} tries it again", self.view.keys.first("retry", "r")),
        })
    }

    fn nothing_yet(&self, to_do: &str) -> String {
        let identity = self.view.focus();
        let has_none = self.calls(identity).is_empty() && !self.outline().iter().any(|(who, _)| *who == identity);
        let why = match self.shown().status {
            _ if has_none => format!("{} has no call in this {}", identity.name(), self.what()),
            Status::Todo if self.waits_for_answer() => return format!("nothing {to_do} yet: {}", self.first_answer()),
            Status::Todo => format!("{} sends the call", self.view.keys.first("advance", "enter")),
            Status::Running => "no answer has come".to_owned(),
            Status::Done(_) => format!("{} has sent nothing", identity.name()),
        };
        format!("nothing {to_do} yet: {why}")
    }
}
