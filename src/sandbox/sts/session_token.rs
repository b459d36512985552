//! `GetSessionToken`.

use super::credentials::issue;
use crate::sandbox::error::Denial;
use crate::sandbox::iam::session::Bearer;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};
use crate::sandbox::xml::Xml;

/// Twelve hours, in seconds (STS reference).
const DEFAULT: i64 = 43_200;

/// `GetSessionToken`, which needs no permission (IAM guide).
pub struct GetSessionToken {
    seconds: i64,
}

impl Request for GetSessionToken {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let seconds = members.integer("DurationSeconds", 900..=129_600)?.unwrap_or(DEFAULT);
        refuse_mfa(members)?;
        Ok(Self { seconds })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let principal = &cx.caller.principal;
        let name = principal.user_name.clone().filter(|_| principal.token_issued.is_none());
        let Some(name) = name else {
            // AWS's sentence, as many issues quote it.
            return Err(Denial("Cannot call GetSessionToken with session credentials".to_owned()).into());
        };
        let bearer = Bearer::User { name, id: principal.unique_id.clone() };
        let mut out = Xml::new();
        issue(cx, bearer, self.seconds, &mut out)?;
        Ok(out.into())
    }
}

/// Refuses a second factor: nobody has one here.
///
/// # Errors
/// `AccessDenied`, as AWS's for a wrong code.
pub fn refuse_mfa(members: &Members<'_>) -> Result<(), Fault> {
    if members.has("SerialNumber") || members.has("TokenCode") {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        return Err(Denial(message.trim_end().to_owned()).into());
    }
    Ok(())
}
