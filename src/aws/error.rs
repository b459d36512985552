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
        /// Where they were looked for.
        origin: String,
        /// What the SDK said.
        reason: String,
        /// What to do.
        remedy: String,
        /// Whether the server that provides them did not answer.
        is_unreachable: bool,
    },
    /// No region was given anywhere.
    #[error("no region{FIX}give --region, set AWS_REGION or put one into the profile")]
    Region,
    /// The region can't be one.
    #[error("{origin} is {region:?}, which can't be a region{FIX}write it like us-east-1, without quotes and spaces")]
    BadRegion {
        /// Where it comes from.
        origin: String,
        /// What it is.
        region: String,
    },
    /// The AWS files can't be read.
    #[error("the AWS configuration: {reason}{FIX}{fix}")]
    Files {
        /// What is wrong, and where.
        reason: String,
        /// What to do.
        fix: String,
    },
    /// How often the SDK is to try is no number, or no mode.
    #[error("{setting} is {value:?}{FIX}set it to {fix}")]
    Retries {
        /// The variable, or the profile's setting.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        fix: &'static str,
    },
    /// test-user's calls would go elsewhere than the admin's.
    #[error("the two profiles lead to different places. admin: {admin}. test-user: {user}{FIX}{remedy}")]
    Apart {
        /// Where the admin's calls go.
        admin: String,
        /// Where test-user's calls go.
        user: String,
        /// What to do.
        remedy: &'static str,
    },
    /// `AWS_CA_BUNDLE`, or `ca_bundle` of the profile, is no file of certificates.
    #[error(
        "the certificates in {file}: {reason}{FIX}let AWS_CA_BUNDLE (or ca_bundle of the profile) name a file in PEM format"
    )]
    Certificates {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The endpoint is no URL.
    #[error("--endpoint-url {url}: {reason}{FIX}it looks like http://127.0.0.1:4599")]
    Endpoint {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What stands between a cause and its fix.
const FIX: &str = "\n  fix: ";

impl ConfigError {
    /// What is wrong, on one line, and what to do about it.
    pub fn cause_and_fix(&self) -> (String, String) {
        let text = self.to_string();
        match text.split_once(FIX).or_else(|| text.rsplit_once("\n  ")) {
            Some((cause, fix)) => (one_line(cause), one_line(fix)),
            None => (one_line(&text), "correct it, then try again".to_owned()),
        }
    }

    /// Whether the server that provides the credentials did not answer.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, ConfigError::Credentials { is_unreachable: true, .. })
    }
}

/// `text` without line breaks.
pub(super) fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
