//! Policy evaluation: who may do what, **and why**.
//!
//! Pure: documents and a call in, a [`Decision`] with its trace out. The sandbox enforces with it; the lab explains
//! with it. It collects nothing itself: which policies and grants apply is for the caller to say.
//!
//! ```text
//! PolicyDocument::parse ─▶ NamedPolicy ─┐
//!                          Grant ───────┼─▶ decide / decide_for_key ─▶ Decision { outcome, trace }
//!                          Call ────────┘
//! ```
//!
//! * [`document`](self::PolicyDocument): the JSON policy language, parsed once and compiled for matching;
//! * `grammar`: what IAM refuses in a new policy, in its words;
//! * `pattern`: wildcards, ARN segments and `${…}` policy variables;
//! * `condition`: the condition operators;
//! * `decide`: explicit deny, key policy, identity policies, grants: the order in which AWS puts them together;
//! * `source_text`: where statements stand in a text, and the condition keys they use;
//! * `explain`: the trace, sentence by sentence, and AWS's own denial message.

mod condition;
mod context;
mod decide;
mod document;
mod explain;
mod grammar;
mod grant;
mod pattern;
mod principal;
mod rename;
mod source_text;
mod strict_json;

pub use condition::Condition;
pub use context::ConditionContext;
pub use decide::{Call, NamedPolicy, decide, decide_for_key};
pub use document::{Effect, PolicyDocument, PolicyError, PolicyKind, Selector, Statement};
pub use explain::{Decision, Examination, Examined, Mismatch, Missing, Outcome, PolicySource};
pub use grant::{Grant, GrantConstraints};
pub use pattern::{Pattern, covers_action};
pub use principal::{Principal, PrincipalName, account_of};
pub use source_text::{Position, context_keys, statement_positions};

#[cfg(test)]
mod tests;
