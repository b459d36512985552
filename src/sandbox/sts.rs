//! STS: the caller's identity, and temporary credentials.
//!
//! * `credentials`: issues temporary credentials;
//! * `assume_role`, `session_token`: the operations that ask for them.

pub mod assume_role;
mod credentials;
pub mod session_token;
#[cfg(test)]
mod tests;

use super::operation::{Context, Fault, Members, Output, Request};
use super::xml::{self, Xml};

/// `GetCallerIdentity`, which needs no permission, not even against an explicit deny (IAM guide).
pub struct GetCallerIdentity;

impl Request for GetCallerIdentity {
    fn parse(_: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let principal = &cx.caller.principal;
        let mut out = Xml::new();
        xml::leaf(&mut out, "Arn", &principal.arn);
        xml::leaf(&mut out, "UserId", &principal.unique_id);
        xml::leaf(&mut out, "Account", &principal.account);
        Ok(out.into())
    }
}
