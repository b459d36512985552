//! Taking something along: the command line of a call, or its answer. Both are copied as they are shown: masked where
//! the session is masked, and without secrets.

use serde::{Deserialize, Serialize};

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

/// The profiles of `~/.aws` that the person gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profiles {
    /// The admin's.
    pub admin: Option<String>,
    /// test-user's.
    pub test_user: Option<String>,
}

impl Profiles {
    /// The profile that a command line names for `identity`: the given one, or the lab's own name for it. No profile of
    /// a person has that, so a pasted line can't be signed by one that is meant for something else.
    pub fn name(&self, identity: Identity) -> &str {
        let given = match identity {
            Identity::Admin => &self.admin,
            Identity::TestUser => &self.test_user,
        };
        given.as_deref().unwrap_or(identity.profile())
    }
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

    /// The same state, whose command lines name these profiles.
    #[must_use]
    pub fn with_profiles(mut self, profiles: Profiles) -> State {
        self.profiles = profiles;
        self
    }

    /// The profiles that command lines name. A masked session doesn't show what a person calls them.
    pub(super) fn shown_profiles(&self) -> Profiles {
        if self.is_masked() { Profiles::default() } else { self.profiles.clone() }
    }

    /// The `aws` command line that makes the same call, at the lab's own endpoint.
    pub fn command(&self, identity: Identity, operation: &Operation) -> String {
        let profiles = self.shown_profiles();
        cli_line(operation, profiles.name(identity), &self.backend.region, self.endpoint_of(operation))
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
