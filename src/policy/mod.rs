//! Policy evaluation: who may do what, **and why**.
//!
//! Pure: documents and a request in, a [`Decision`] with its trace out. The sandbox enforces with it; the lab explains
//! with it. The caller decides which policies and grants apply.
//!
//! ```text
//! PolicyDocument::parse ─▶ NamedPolicy ───┐
//!                          Grant ─────────┼─▶ decide / decide_for_key ─▶ Decision { outcome, trace }
//!                          AccessRequest ─┘
//! ```
//!
//! * `document`, `strict_json`, `grammar`: the JSON policy language, parsed once and compiled for matching; what IAM
//!   refuses in a new policy;
//! * `principal`, `pattern`, `condition`, `context`: what a statement is matched with;
//! * `evaluate`: one statement or grant against a request;
//! * `decide`: explicit deny, key policy, identity policies, grants and limits, in AWS's order of precedence;
//! * `trace`, `wording`: the decision as data and in words;
//! * `source_text`, `rename`: statements and principals in the text of a document.

mod condition;
mod context;
mod decide;
mod document;
mod error;
mod evaluate;
mod grammar;
mod grant;
mod pattern;
mod principal;
mod rename;
mod request;
mod source_text;
mod strict_json;
mod trace;
mod wording;

pub use condition::Condition;
pub use context::ConditionContext;
pub use decide::{Limits, ResourceSide, decide, decide_for_key, decide_for_resource, decide_within};
pub use document::{Effect, PolicyDocument, PolicyKind, Selector, Statement};
pub use error::{PolicyError, PolicyErrorKind};
pub use evaluate::NamedPolicy;
pub use grant::{Grant, GrantConstraints};
pub use pattern::{Pattern, covers_action};
pub use principal::{Principal, PrincipalName, RoleName, account_of};
pub use request::AccessRequest;
pub use source_text::{Position, context_keys, statement_positions};
pub use trace::{Decision, MatchResult, Mismatch, Missing, Outcome, PolicySource, StatementTrace};

#[cfg(test)]
mod tests;
