//! Taking something along: the command line of a call, or its answer. Both are copied as they are shown: masked where
//! the session is masked, and without secrets.

use serde::{Deserialize, Serialize};

use super::backend::BackendKind;
use super::calls::Call;
use super::flow::Effect;
use super::operation::{Identity, Operation, cli_line};
use super::redact::{clean, redact};
use super::state::State;

/// What can be copied of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Copied {
    /// The `aws` command line that makes the same call.
    Command,
    /// The body of the answer, as pretty JSON.
    Answer,
}

/// The way to a clipboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The terminal takes it, or ignores it: it never says which.
    #[default]
    Terminal,
    /// tmux stands between, and passes it on where it is told to.
    Tmux,
    /// There is none.
    Nowhere,
}

/// What has been copied in a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clipboard {
    way: Way,
    texts: Vec<String>,
}

impl Clipboard {
    pub(super) fn way(&self) -> Way {
        self.way
    }
}

impl State {
    /// The same state, which copies this way.
    #[must_use]
    pub fn with_clipboard(mut self, way: Way) -> State {
        self.clipboard.way = way;
        self
    }

    /// Everything that has been copied, each text once.
    pub fn copied(&self) -> &[String] {
        &self.clipboard.texts
    }

    /// The `aws` command line that makes the same call. Nobody else has the keys of the sandbox inside this process, which
    /// ends with it: there the line is the one for profiles of one's own.
    pub fn command(&self, identity: Identity, operation: &Operation) -> String {
        let endpoint = self.endpoint_of(operation).filter(|_| self.backend.kind != BackendKind::Sandbox);
        cli_line(operation, identity, &self.backend.region, endpoint)
    }

    /// What `what` is of the selected call; `None` where there is no such thing.
    pub fn to_copy(&self, what: Copied) -> Option<String> {
        let identity = self.view.focus();
        let call = self.selected_call(identity)?;
        match (what, call) {
            (Copied::Command, call) => Some(clean(&self.command(identity, call.operation()))),
            (Copied::Answer, Call::Answered(exchange)) => {
                let mut body = exchange.body().filter(|body| !body.is_null())?.clone();
                redact(&mut body);
                serde_json::to_string_pretty(&body).ok()
            }
            (Copied::Answer, Call::Waiting(_) | Call::Draft(_)) => None,
        }
    }

    pub(super) fn copy(&mut self, what: Copied) -> Vec<Effect> {
        let Some(text) = self.to_copy(what) else { return Vec::new() };
        let name = match (what, self.selected_call(self.view.focus())) {
            (Copied::Answer, Some(call)) => format!("the answer of {}", call.operation().action()),
            _ => text.clone(),
        };
        self.view.message = Some(match self.clipboard.way {
            Way::Terminal => format!("copied: {name}"),
            Way::Tmux => format!("copied, if tmux has `set -g set-clipboard on`: {name}"),
            Way::Nowhere => format!("no clipboard here; printed when the lab ends: {name}"),
        });
        self.clipboard.texts.retain(|earlier| *earlier != text);
        self.clipboard.texts.push(text.clone());
        if self.clipboard.way == Way::Nowhere { Vec::new() } else { vec![Effect::Copy(text)] }
    }
}
