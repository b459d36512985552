//! Issues temporary credentials.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::sandbox::context::Context;
use crate::sandbox::error::Fault;
use crate::sandbox::iam::session::{Bearer, Session};
use crate::sandbox::iam::user::Secret;
use crate::sandbox::xml::{self, Xml};

/// The length of a session token. AWS promises none; its tokens begin like this.
const TOKEN_LENGTH: usize = 240;

/// Stores new credentials that last for `seconds`, and writes `<Credentials>`. The only time that secret and token are
/// shown.
///
/// # Errors
/// `Throttling` when too many credentials are in use, or when the store can't be written.
pub fn issue(cx: &mut Context<'_>, bearer: Bearer, seconds: i64, out: &mut Xml) -> Result<(), Fault> {
    let now = cx.account.state.clock.now().unix_timestamp();
    let session = Session {
        id: format!("ASIA{}", cx.entropy.alphanumeric_upper(16)),
        secret: Secret::from(cx.entropy.secret(40)),
        token: Secret::from(format!("IQoJb3JpZ2lu{}", cx.entropy.secret(TOKEN_LENGTH))),
        issued: cx.account.state.clock.timestamp(),
        expires: now.saturating_add(seconds),
        bearer,
    };
    let expires = OffsetDateTime::from_unix_timestamp(session.expires).ok();
    xml::nest(out, "Credentials", |out| {
        xml::leaf(out, "AccessKeyId", &session.id);
        xml::leaf(out, "SecretAccessKey", session.secret.expose());
        xml::leaf(out, "SessionToken", session.token.expose());
        let shown = expires.and_then(|expires| expires.format(&Rfc3339).ok()).unwrap_or_default();
        xml::leaf(out, "Expiration", &shown);
    });
    let (iam, store) = cx.account.iam_mut();
    if iam.add_session(store, session, now)? {
        return Ok(());
    }
    Err(Fault::service(400, "Throttling", "Rate exceeded"))
}
