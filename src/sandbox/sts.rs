//! STS: the caller's identity.

use super::context::Context;
use super::error::Fault;
use super::operation::Request;
use super::validate::Members;
use super::xml::{self, Xml};

/// `GetCallerIdentity`, which needs no permission, not even against an explicit deny (IAM guide).
pub struct GetCallerIdentity;

impl Request for GetCallerIdentity {
    type Output = Xml;

    fn parse(_: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Xml, Fault> {
        let principal = &cx.caller.principal;
        let mut out = Xml::new();
        xml::leaf(&mut out, "Arn", &principal.arn);
        xml::leaf(&mut out, "UserId", &principal.unique_id);
        xml::leaf(&mut out, "Account", &principal.account);
        Ok(out)
    }
}
