//! What a policy decision is asked about.

use super::context::ConditionContext;
use super::principal::Principal;

/// May this principal do this to that?
#[derive(Debug, Clone, Copy)]
pub struct AccessRequest<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// For example `kms:Decrypt`.
    pub action: &'a str,
    /// An ARN; `*` for an action that has no resource of its own (`kms:CreateKey`).
    pub resource: &'a str,
    /// The condition keys of the request.
    pub context: &'a ConditionContext,
}
