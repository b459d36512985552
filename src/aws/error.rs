//! Why there are no clients.

/// Why the clients could not be made. Nothing has been sent to the endpoint. The first line is the cause, the second the
/// fix: see [`ConfigError::cause_and_fix`].
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The profile is unknown or gives no credentials.
    #[error("{identity}: no credentials from {origin}: {reason}{FIX}{remedy}")]
    Credentials {
        /// `admin` or `test-user`.
        identity: &'static str,
        /// The places that were searched.
        origin: String,
        /// The SDK's message.
        reason: String,
        /// The remedy.
        remedy: String,
        /// Whether the server that provides them didn't respond.
        is_unreachable: bool,
    },
    /// No region was given anywhere.
    #[error("no region{FIX}give --region, set AWS_REGION or put one into the profile")]
    Region,
    /// The region can't be one.
    #[error("{origin} is {region:?}, which can't be a region{FIX}write it like us-east-1, without quotes and spaces")]
    BadRegion {
        /// Its source.
        origin: String,
        /// The value.
        region: String,
    },
    /// The AWS files can't be read.
    #[error("the AWS configuration: {reason}{FIX}{fix}")]
    Files {
        /// The problem and its place.
        reason: String,
        /// The remedy.
        fix: String,
    },
    /// The number of tries is not a number, or the retry mode is unknown.
    #[error("{setting} is {value:?}{FIX}set it to {fix}")]
    Retries {
        /// The variable, or the profile's setting.
        setting: &'static str,
        /// The value.
        value: String,
        /// The allowed values.
        fix: &'static str,
    },
    /// test-user's calls would go elsewhere than the admin's.
    #[error("the two profiles lead to different places. admin: {admin}. test-user: {user}{FIX}{remedy}")]
    Apart {
        /// The admin's endpoint.
        admin: String,
        /// test-user's endpoint.
        user: String,
        /// The remedy.
        remedy: &'static str,
    },
    /// `AWS_CA_BUNDLE`, or `ca_bundle` of the profile, is no file of certificates.
    #[error(
        "the certificates in {file}: {reason}{FIX}let AWS_CA_BUNDLE (or ca_bundle of the profile) name a file in PEM format"
    )]
    Certificates {
        /// The file.
        file: String,
        /// The problem.
        reason: String,
    },
    /// The endpoint is no URL.
    #[error("--endpoint-url {url}: {reason}{FIX}it looks like http://127.0.0.1:4599")]
    Endpoint {
        /// The value given.
        url: String,
        /// The problem.
        reason: String,
    },
}

/// The separator between a cause and its fix.
const FIX: &str = "\n  fix: ";

impl ConfigError {
    /// Returns the problem on one line, and the remedy.
    pub fn cause_and_fix(&self) -> (String, String) {
        let text = self.to_string();
        match text.split_once(FIX).or_else(|| text.rsplit_once("\n  ")) {
            Some((cause, fix)) => (one_line(cause), one_line(fix)),
            None => (one_line(&text), "correct it, then try again".to_owned()),
        }
    }

    /// Returns whether the server that provides the credentials didn't respond.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, ConfigError::Credentials { is_unreachable: true, .. })
    }
}

/// `text` without line breaks.
pub(super) fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
