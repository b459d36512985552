//! The clipboard: the command line of a call, or its answer. Both are copied as they are shown: masked where the session
//! is masked, and without secrets.

use serde::{Deserialize, Serialize};

use crate::lab::model::operation::Identity;

/// What can be copied of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Copied {
    /// The `aws` command line that makes the same call.
    Command,
    /// The body of the answer, as pretty JSON.
    Answer,
}

/// How the clipboard is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The terminal sets it or ignores the request: it never says which.
    #[default]
    Terminal,
    /// Through tmux, which passes the request on if configured to.
    Tmux,
    /// There is no clipboard.
    Nowhere,
}

/// The profiles of `~/.aws` that the person named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profiles {
    /// The admin's.
    pub admin: Option<String>,
    /// test-user's.
    pub test_user: Option<String>,
}

impl Profiles {
    /// The profile that a command line names for `identity`: the person's, or else the lab's own name. No profile of a
    /// person has that name, so a pasted line can't be signed with credentials meant for something else.
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
pub(in crate::lab) struct Clipboard {
    way: Way,
    texts: Vec<String>,
}

impl Clipboard {
    /// An empty clipboard that is reached this way.
    pub(in crate::lab) fn new(way: Way) -> Clipboard {
        Clipboard { way, texts: Vec::new() }
    }

    pub(in crate::lab) fn way(&self) -> Way {
        self.way
    }

    /// Everything that has been copied, each text once.
    pub(in crate::lab) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Copies `text`, called `name`. Returns the message and, where there is a clipboard, what it takes.
    pub(in crate::lab) fn copy(&mut self, text: String, name: &str) -> (String, Option<String>) {
        self.texts.retain(|earlier| *earlier != text);
        self.texts.push(text.clone());
        match self.way {
            Way::Terminal => (format!("copied: {name}"), Some(text)),
            Way::Tmux => (format!("copied, if tmux has `set -g set-clipboard on`: {name}"), Some(text)),
            Way::Nowhere => (format!("no clipboard here; printed when the lab ends: {name}"), None),
        }
    }
}
