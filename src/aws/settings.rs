//! Settings of the AWS files and variables that the SDK panics at, or can't send: they are checked before it sees them.

use std::path::PathBuf;

use aws_config::profile::ProfileSet;
use aws_credential_types::Credentials;
use aws_smithy_types::retry::{RetryConfig, RetryMode};

use super::error::ConfigError;
use crate::disk;

/// Credentials that no request can carry: which, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub says: String,
    pub remedy: String,
}

/// Describes the problem with `credentials`, if any. A value is never shown, only the character in it.
pub(super) fn fault(credentials: &Credentials) -> Option<Fault> {
    let token = credentials.session_token().unwrap_or_default();
    let parts = [
        ("access key id", credentials.access_key_id()),
        ("secret access key", credentials.secret_access_key()),
        ("session token", token),
    ];
    parts.into_iter().find_map(|(what, value)| fault_of(what, value))
}

/// Describes the problem with one value of credentials: a character that a request can't carry.
pub(super) fn fault_of(what: &str, value: &str) -> Option<Fault> {
    let (at, wrong) = value.chars().enumerate().find(|(_, c)| c.is_control() || !c.is_ascii())?;
    let of = value.chars().count();
    let name = match wrong {
        '\r' => "a carriage return",
        '\n' => "a line feed",
        '\t' => "a tab",
        c if c.is_control() => "a control character",
        _ => "not a character of credentials",
    };
    let remedy = match wrong {
        '\r' => "the value comes from a file with Windows line ends: convert it (dos2unix FILE), then set it again",
        _ => "copy the value again, without quotes or line ends",
    };
    let says = format!("character {} of {of} of the {what} is {name} (U+{:04X})", at + 1, u32::from(wrong));
    Some(Fault { says, remedy: remedy.to_owned() })
}

/// Returns how often the SDK tries, by the variables, then the profile. Blank counts as unset.
///
/// # Errors
/// At a value that means nothing: the SDK would panic.
pub(super) fn retries(files: &ProfileSet) -> Result<RetryConfig, ConfigError> {
    retries_of(|name| std::env::var(name).ok(), |name| files.get(name).map(str::to_owned))
}

fn retries_of(
    variable: impl Fn(&str) -> Option<String>,
    profile: impl Fn(&str) -> Option<String>,
) -> Result<RetryConfig, ConfigError> {
    let blank = |value: &String| !value.trim().is_empty();
    let setting = |of_variable: &'static str, of_profile: &'static str| {
        let from_variable = variable(of_variable).filter(blank).map(|value| (of_variable, value));
        from_variable.or_else(|| profile(of_profile).filter(blank).map(|value| (of_profile, value)))
    };
    let refuse =
        |(setting, value): (&'static str, String), fix: &'static str| ConfigError::Retries { setting, value, fix };
    let mut retries = RetryConfig::standard();
    if let Some((name, value)) = setting("AWS_MAX_ATTEMPTS", "max_attempts") {
        match value.trim().parse() {
            Ok(attempts) if attempts > 0 => retries = retries.with_max_attempts(attempts),
            _ => return Err(refuse((name, value), "a number from 1 up, for example 3")),
        }
    }
    if let Some((name, value)) = setting("AWS_RETRY_MODE", "retry_mode") {
        retries = retries.with_retry_mode(match value.trim().to_ascii_lowercase().as_str() {
            // The AWS CLI's old mode, which the SDK lacks.
            "standard" | "legacy" => RetryMode::Standard,
            "adaptive" => RetryMode::Adaptive,
            _ => return Err(refuse((name, value), "standard, adaptive or legacy")),
        });
    }
    Ok(retries)
}

/// Checks that the SDK can read the file of a web identity's token to its end: at a pipe it would wait forever.
///
/// # Errors
/// If the file is not a regular one of a sane size.
pub(super) fn readable_token() -> Result<(), ConfigError> {
    use std::io::ErrorKind as Kind;
    let Some(path) = std::env::var_os("AWS_WEB_IDENTITY_TOKEN_FILE").filter(|value| !value.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    match disk::read(&path, disk::STATE) {
        // That a file is missing, or not permitted, the SDK says itself.
        Err(error) if matches!(error.kind(), Kind::InvalidInput | Kind::FileTooLarge | Kind::IsADirectory) => {
            Err(ConfigError::Files {
                reason: format!("{}: {error}", path.display()),
                fix: "set AWS_WEB_IDENTITY_TOKEN_FILE to a regular file".to_owned(),
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("AKIA\r", "s", None, "character 5 of 5 of the access key id is a carriage return (U+000D)")]
    #[case("AKIA", "se\tcret", None, "character 3 of 7 of the secret access key is a tab (U+0009)")]
    #[case("AKIA", "s", Some("t\u{1}"), "character 2 of 2 of the session token is a control character (U+0001)")]
    #[case(
        "AK\u{2011}IA",
        "s",
        None,
        "character 3 of 5 of the access key id is not a character of credentials (U+2011)"
    )]
    fn the_character_is_named(#[case] id: &str, #[case] secret: &str, #[case] token: Option<&str>, #[case] says: &str) {
        let fault = fault(&Credentials::new(id, secret, token.map(str::to_owned), None, "test")).unwrap();
        assert_eq!(fault.says, says);
        assert_eq!(fault.remedy.contains("dos2unix"), says.contains("carriage return"));
    }

    #[test]
    fn all_characters_of_real_credentials_pass() {
        let token = Some("IQoJb3JpZ2luX2VjEJ//+w==".to_owned());
        assert_eq!(fault(&Credentials::new("AKIAEXAMPLE", "wJalr/bPx+RfiCYEXAMPLEKEY", token, None, "test")), None);
    }

    #[rstest]
    #[case::nothing(&[], &[], Ok((3, RetryMode::Standard)))]
    #[case::blank(&[("AWS_MAX_ATTEMPTS", " "), ("AWS_RETRY_MODE", "")], &[], Ok((3, RetryMode::Standard)))]
    #[case::variables_first(&[("AWS_MAX_ATTEMPTS", "5")], &[("max_attempts", "x")], Ok((5, RetryMode::Standard)))]
    #[case::profile(&[], &[("max_attempts", "7"), ("retry_mode", "Adaptive")], Ok((7, RetryMode::Adaptive)))]
    #[case::the_clis(&[], &[("retry_mode", "legacy")], Ok((3, RetryMode::Standard)))]
    #[case::zero(&[("AWS_MAX_ATTEMPTS", "0")], &[], Err("AWS_MAX_ATTEMPTS is \"0\""))]
    #[case::word(&[], &[("max_attempts", "many")], Err("max_attempts is \"many\""))]
    #[case::mode(&[("AWS_RETRY_MODE", "x\r")], &[], Err("AWS_RETRY_MODE is \"x\\r\""))]
    fn a_wrong_number_of_tries_is_an_error_and_no_panic(
        #[case] variables: &[(&str, &str)],
        #[case] profile: &[(&str, &str)],
        #[case] expected: Result<(u32, RetryMode), &str>,
    ) {
        let of = |set: &[(&str, &str)], name: &str| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        match (retries_of(|name| of(variables, name), |name| of(profile, name)), expected) {
            (Ok(retries), Ok(expected)) => assert_eq!((retries.max_attempts(), retries.mode()), expected),
            (Err(error), Err(says)) => assert!(error.to_string().starts_with(says), "{error}"),
            (found, _) => panic!("{found:?}"),
        }
    }
}
