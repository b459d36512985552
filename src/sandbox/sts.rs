//! STS: who am I?

use super::Xml;
use super::engine::{Engine, RequestContext};
use super::error::Fault;
use super::form::Form;
use super::service::Service;
use super::xml::escape;

/// One call. `GetCallerIdentity` needs no permission, not even against an explicit deny (IAM guide).
///
/// # Errors
/// `InvalidAction` for every other action.
pub fn call(_engine: &mut Engine, ctx: &RequestContext, action: &str, _input: &Form) -> Result<Xml, Fault> {
    match action {
        "GetCallerIdentity" => Ok(format!(
            "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
            escape(&ctx.principal.arn),
            escape(&ctx.principal.unique_id),
            escape(&ctx.principal.account)
        )),
        _ => Err(super::catalog::unknown(Service::Sts, action)),
    }
}
