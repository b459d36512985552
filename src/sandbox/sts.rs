//! STS. (Skeleton: replaced by its owner.)

use super::Xml;
use super::engine::{Engine, RequestContext};
use super::error::{ApiError, Protocol};
use super::form::Form;

/// One call.
pub fn call(_engine: &mut Engine, ctx: &RequestContext, action: &str, _input: &Form) -> Result<Xml, ApiError> {
    match action {
        "GetCallerIdentity" => Ok(format!(
            "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
            ctx.principal.arn, ctx.principal.unique_id, ctx.principal.account
        )),
        _ => Err(ApiError::unknown_operation(Protocol::Query, action, "2011-06-15")),
    }
}
