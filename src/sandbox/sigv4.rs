//! Who made a request: verification of AWS Signature Version 4.
//!
//! The signature is made again with the secret the sandbox knows, over exactly the headers the client says it signed: by
//! `sigv4/plain.rs` for the form that SDKs send, and by the library that the AWS SDK signs with for any other.

mod plain;

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_lc_rs::{constant_time, digest};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use data_encoding::HEXLOWER;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::error::Unauthenticated;
use super::request::Request;
use super::service::Service;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far a client's clock may be off, in either direction.
const TOLERANCE: time::Duration = time::Duration::minutes(5);
const BASIC_FORMAT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// The signature does not match.
fn mismatch() -> Unauthenticated {
    Unauthenticated::Invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details."
            .to_owned(),
    )
}

/// The parts of an `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// `AKIA…`
    pub access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads a request's `Authorization` header.
    ///
    /// # Errors
    /// [`Unauthenticated::Missing`] without one, [`Unauthenticated::Incomplete`] when it can't be read. A signature in the query string (a
    /// presigned URL) is refused: no service of the sandbox has a use for it.
    pub fn of(request: &'a Request) -> Result<Self, Unauthenticated> {
        let Some(header) = request.headers.get(http::header::AUTHORIZATION) else {
            let query = request.uri.query().unwrap_or_default();
            if query.contains("X-Amz-Signature") {
                let message = "Presigned URLs are not supported here. Sign with the 'Authorization' header.";
                return Err(Unauthenticated::Incomplete(message.to_owned()));
            }
            return Err(Unauthenticated::Missing);
        };
        // Of two the signature would cover one, and which of them is meant nobody knows.
        for name in ["Authorization", "X-Amz-Date", "X-Amz-Security-Token"] {
            if request.headers.get_all(name).iter().nth(1).is_some() {
                return Err(Unauthenticated::Incomplete(format!("The request has more than one '{name}' header.")));
            }
        }
        let header = header
            .to_str()
            .map_err(|_| Unauthenticated::Incomplete("Authorization header is not ASCII.".to_owned()))?;
        let (algorithm, parameters) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if algorithm != ALGORITHM {
            return Err(Unauthenticated::Incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        let find = |name: &str| {
            let mut found = parameters.split(',').filter_map(|part| part.trim().split_once('='));
            found.find(|(key, _)| *key == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let (credential, signed_headers, signature) = (find("Credential"), find("SignedHeaders"), find("Signature"));
        let date = request.headers.get("x-amz-date");
        let (Some(credential), Some(signed_headers), Some(signature), Some(_)) =
            (credential, signed_headers, signature, date)
        else {
            let mut message = Vec::new();
            for (name, part) in
                [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
            {
                if part.is_none() {
                    message.push(format!("Authorization header requires '{name}' parameter."));
                }
            }
            if date.is_none() {
                message.push(
                    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
                );
            }
            return Err(Unauthenticated::Incomplete(message.join(" ")));
        };
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = parts[..] else {
            return Err(Unauthenticated::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
                 '{credential}'"
            )));
        };
        Ok(Self { access_key_id, date, region, service, terminator, signed_headers, signature })
    }

    /// Checks what can be checked without the secret: that the signature is for this service, region and time, and
    /// covers the headers that matter. The time at which the request was signed.
    ///
    /// `now` is the wall clock.
    ///
    /// # Errors
    /// [`Unauthenticated::Invalid`], or [`Unauthenticated::Incomplete`] for a date that can't be read.
    pub fn check_scope(
        &self,
        request: &Request,
        service: Service,
        region: &str,
        now: OffsetDateTime,
    ) -> Result<OffsetDateTime, Unauthenticated> {
        let date_time = request.header("x-amz-date").unwrap_or_default();
        let Ok(signed_at) = PrimitiveDateTime::parse(date_time, BASIC_FORMAT) else {
            return Err(Unauthenticated::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{date_time}'."
            )));
        };
        let mut wrong = Vec::new();
        // IAM is global and STS has a global endpoint; both sign for us-east-1 wherever the client is.
        let global = matches!(service, Service::Iam | Service::Sts) && self.region == "us-east-1";
        if self.region != region && !global {
            wrong.push(format!("Credential should be scoped to a valid region, not '{}'.", self.region));
        }
        if self.service != service.signing_name() {
            wrong.push(format!("Credential should be scoped to correct service: '{}'.", service.signing_name()));
        }
        if self.terminator != "aws4_request" {
            wrong.push(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
                self.terminator
            ));
        }
        if date_time.get(..8) != Some(self.date) {
            wrong.push(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{}', from '{date_time}'.",
                self.date,
                date_time.get(..8).unwrap_or_default()
            ));
        }
        for (name, shown) in [
            ("host", "'Host' or ':authority'"),
            ("x-amz-date", "'X-Amz-Date'"),
            ("x-amz-security-token", "'X-Amz-Security-Token'"),
            ("x-amz-target", "'X-Amz-Target'"),
        ] {
            // A client that leaves the target unsigned would let anybody on the way turn a read into a deletion.
            let needed = matches!(name, "host" | "x-amz-date") || request.headers.contains_key(name);
            if needed && !self.signed_headers.split(';').any(|signed| signed == name) {
                wrong.push(format!("{shown} must be a 'SignedHeader' in the AWS Authorization."));
            }
        }
        if !wrong.is_empty() {
            return Err(Unauthenticated::Invalid(wrong.join(" ")));
        }
        check_time(signed_at.assume_utc(), now)
    }

    /// Makes the signature again with `secret` and compares.
    ///
    /// # Errors
    /// [`Unauthenticated::Invalid`] when the secret is another one or anything that was signed has changed.
    pub fn verify(&self, request: &Request, secret: &str, signed_at: OffsetDateTime) -> Result<(), Unauthenticated> {
        let body = request.bytes();
        if let Some(claimed) = request.headers.get("x-amz-content-sha256") {
            let digest = digest::digest(&digest::SHA256, body);
            if claimed.as_bytes() != HEXLOWER.encode(digest.as_ref()).as_bytes() {
                return Err(Unauthenticated::Invalid(
                    "The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned(),
                ));
            }
        }
        let ours = match plain::sign(self, request, body, secret) {
            Some(ours) => ours,
            None => self.sign_again(request, body, secret, signed_at).ok_or_else(mismatch)?,
        };
        constant_time::verify_slices_are_equal(ours.as_bytes(), self.signature.as_bytes()).map_err(|_| mismatch())
    }

    /// `None` when the request holds something that can't have been signed.
    fn sign_again(&self, request: &Request, body: &[u8], secret: &str, signed_at: OffsetDateTime) -> Option<String> {
        let names: Vec<&str> = self.signed_headers.split(';').collect();
        // The library writes the list of signed headers itself: sorted, each once, and only those that are there. A list
        // of any other form can't have gone into a right signature.
        if !names.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let mut headers = Vec::new();
        for name in names {
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) || !request.headers.contains_key(name) {
                return None;
            }
            for value in request.headers.get_all(name) {
                headers.push((name, std::str::from_utf8(value.as_bytes()).ok()?));
            }
        }
        // The library would take the host from the URI, which has none here, and panic.
        if !headers.iter().any(|(name, _)| *name == "host") {
            return None;
        }
        let mut settings = SigningSettings::default();
        // What the client signed is what counts, even where the SDK itself would leave a header out.
        settings.excluded_headers = None;
        let identity = Credentials::new(self.access_key_id, secret, None, None, "kmslab sandbox").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::from(signed_at))
            .settings(settings)
            .build()
            .ok()?
            .into();
        let uri = request.uri.path_and_query().map_or("/", |path| path.as_str());
        let request =
            SignableRequest::new(request.method.as_str(), uri, headers.into_iter(), SignableBody::Bytes(body)).ok()?;
        Some(sign(request, &parameters).ok()?.into_parts().1)
    }
}

fn check_time(signed_at: OffsetDateTime, now: OffsetDateTime) -> Result<OffsetDateTime, Unauthenticated> {
    let basic = |time: OffsetDateTime| time.format(BASIC_FORMAT).unwrap_or_default();
    let (earliest, latest) = (now.saturating_sub(TOLERANCE), now.saturating_add(TOLERANCE));
    let (signed, shown) = (basic(signed_at), basic(now));
    if signed_at < earliest {
        let earliest = basic(earliest);
        return Err(Unauthenticated::Invalid(format!(
            "Signature expired: {signed} is now earlier than {earliest} ({shown} - 5 min.)"
        )));
    }
    if signed_at > latest {
        let latest = basic(latest);
        return Err(Unauthenticated::Invalid(format!(
            "Signature not yet current: {signed} is still later than {latest} ({shown} + 5 min.)"
        )));
    }
    Ok(signed_at)
}

#[cfg(test)]
mod tests;
