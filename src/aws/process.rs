//! Credentials from a profile's `credential_process`: as the SDK does it, but a person sees what is being waited for.

use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, Command};
use tokio::time::{Instant, sleep, sleep_until};

use crate::lab::redact;

/// Most programs finish sooner. After this long, the wait is reported.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time enough to touch a security key or to type a code.
const LIMIT: Duration = Duration::from_secs(55);
/// A question has no end of line: text that has stood so long is shown without one.
const PAUSE: Duration = Duration::from_millis(200);
/// Keys in JSON take a kilobyte.
const LONGEST: usize = 64 << 10;

/// Shows one line to a person.
pub type Tell = fn(&str);

/// The place to report waiting. After startup nothing is reported: the screen is in use by then.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    tell: Tell,
    is_over: Arc<AtomicBool>,
}

impl Waiting {
    pub(super) fn new(tell: Tell) -> Waiting {
        Waiting { tell, is_over: Arc::default() }
    }

    /// Tells nothing from now on.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn tell(&self, line: &str) {
        if !self.is_over.load(Ordering::Relaxed) {
            (self.tell)(&redact::clean(line));
        }
    }
}

/// The program that hands out a profile's credentials.
pub(super) struct Process {
    profile: String,
    command: String,
    waiting: Waiting,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The command may have secrets as arguments.
        out.debug_struct("Process").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl ProvideCredentials for Process {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

impl Process {
    pub(super) fn new(profile: &str, command: &str, waiting: Waiting) -> Process {
        Process { profile: profile.to_owned(), command: command.to_owned(), waiting }
    }

    async fn credentials(&self) -> Result {
        let failed = |reason: String| CredentialsError::provider_error(reason);
        let Ok(output) = tokio::time::timeout(LIMIT, self.run()).await else {
            return Err(failed(format!("it was still running after {} seconds", LIMIT.as_secs())));
        };
        let output = output.map_err(|error| failed(format!("it can't be started: {error}")))?;
        let printed = String::from_utf8_lossy(&output.stderr);
        let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        if !output.status.success() {
            let said = if printed.is_empty() { "it printed no reason".to_owned() } else { printed };
            return Err(failed(format!("{}: {said}", output.status)));
        }
        credentials(&output.stdout).map_err(|error| failed(error.to_string()))
    }

    /// Runs the program to its end. It ends with this future, too.
    async fn run(&self) -> std::io::Result<Output> {
        let mut command = shell(&self.command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        // A pipe is closed when it has been read: a program that prints on does not hang then.
        let printed = async move {
            let mut printed = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(LONGEST as u64).read_to_end(&mut printed).await?;
            }
            Ok::<_, std::io::Error>(printed)
        };
        let is_late = AtomicBool::new(false);
        let work = async {
            let (stdout, stderr) = tokio::join!(printed, self.show(stderr, &is_late));
            Ok(Output { status: child.wait().await?, stdout: stdout?, stderr })
        };
        tokio::pin!(work);
        tokio::select! {
            output = &mut work => return output,
            () = sleep(PATIENCE) => self.announce(&is_late),
        }
        work.await
    }

    /// Says what the wait is for, once.
    fn announce(&self, is_late: &AtomicBool) {
        if !is_late.swap(true, Ordering::Relaxed) {
            self.waiting.tell(&format!("waiting for the credential_process of profile {}", self.profile));
        }
    }

    /// Reads what the program prints for a person until it closes that, and shows it if it takes longer.
    async fn show(&self, stderr: Option<ChildStderr>, is_late: &AtomicBool) -> Vec<u8> {
        let (mut all, mut unshown) = (Vec::new(), Vec::new());
        let Some(mut stderr) = stderr else { return all };
        let mut next = Instant::now() + PATIENCE;
        loop {
            let mut chunk = [0; 1024];
            let length = tokio::select! {
                read = stderr.read(&mut chunk) => match read {
                    Ok(length) if length > 0 => length,
                    _ => break,
                },
                () = sleep_until(next) => {
                    self.announce(is_late);
                    self.lines(&mut unshown, true);
                    next = Instant::now() + Duration::from_secs(3600);
                    continue;
                }
            };
            let room = LONGEST.saturating_sub(all.len());
            all.extend_from_slice(&chunk[..length.min(room)]);
            let room = LONGEST.saturating_sub(unshown.len());
            unshown.extend_from_slice(&chunk[..length.min(room)]);
            if is_late.load(Ordering::Relaxed) {
                self.lines(&mut unshown, false);
                next = Instant::now() + PAUSE;
            }
        }
        if is_late.load(Ordering::Relaxed) {
            self.lines(&mut unshown, true);
        }
        all
    }

    /// Shows the whole lines of `text`, and the rest if `all` is wanted; removes what it has shown.
    fn lines(&self, text: &mut Vec<u8>, all: bool) {
        let length = match text.iter().rposition(|byte| *byte == b'\n') {
            _ if all => text.len(),
            Some(last) => last + 1,
            None => return,
        };
        let shown: Vec<u8> = text.drain(..length).collect();
        for line in String::from_utf8_lossy(&shown).lines().filter(|line| !line.trim().is_empty()) {
            self.waiting.tell(&format!("{}: {}", self.profile, line.trim_end()));
        }
    }
}

#[cfg(not(windows))]
fn shell(command: &str) -> Command {
    let mut words = Command::new("sh");
    words.args(["-c", command]);
    words
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut words = Command::new("cmd.exe");
    // cmd.exe takes the outer quotes away and knows no other escapes.
    words.arg("/C").raw_arg(format!("\"{command}\""));
    words
}

/// Why a program's output holds no credentials. Never quotes it: it may contain a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum OutputError {
    #[error("it printed no JSON")]
    NotJson,
    #[error("its JSON lacks \"Version\": 1")]
    Version,
    #[error("its JSON lacks {0}")]
    Lacks(&'static str),
    #[error("its Expiration is no date")]
    Expiration,
}

/// Reads the credentials in a program's JSON (AWS CLI user guide, "Sourcing credentials with an external process").
fn credentials(printed: &[u8]) -> std::result::Result<Credentials, OutputError> {
    let parsed: Value = serde_json::from_slice(printed).map_err(|_| OutputError::NotJson)?;
    let text = |member: &str| parsed.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    if parsed.get("Version").and_then(Value::as_u64) != Some(1) {
        return Err(OutputError::Version);
    }
    let needed = |member: &'static str| text(member).ok_or(OutputError::Lacks(member));
    let expiry = text("Expiration").map(|date| OffsetDateTime::parse(date, &Rfc3339)).transpose();
    let expiry = expiry.map_err(|_| OutputError::Expiration)?.map(SystemTime::from);
    let mut builder = Credentials::builder()
        .access_key_id(needed("AccessKeyId")?)
        .secret_access_key(needed("SecretAccessKey")?)
        .provider_name("credential_process");
    builder.set_session_token(text("SessionToken").map(str::to_owned));
    builder.set_expiry(expiry);
    builder.set_account_id(text("AccountId").map(Into::into));
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_json("hello", "no JSON")]
    #[case::no_version(r#"{"AccessKeyId": "A", "SecretAccessKey": "the-secret"}"#, "Version")]
    #[case::another_version(r#"{"Version": 2, "AccessKeyId": "A", "SecretAccessKey": "the-secret"}"#, "Version")]
    #[case::no_secret(r#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": ""}"#, "SecretAccessKey")]
    #[case::no_date(
        r#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "the-secret", "Expiration": "soon"}"#,
        "Expiration"
    )]
    fn a_json_error_is_reported_without_the_json(#[case] printed: &str, #[case] says: &str) {
        let reason = credentials(printed.as_bytes()).unwrap_err().to_string();
        assert!(reason.contains(says) && !reason.contains("the-secret"), "{reason}");
    }

    #[test]
    fn a_session_has_its_token_and_its_end() {
        let json = r#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t",
                       "Expiration": "1970-01-01T00:01:00Z", "AccountId": "111122223333"}"#;
        let found = credentials(json.as_bytes()).unwrap();
        assert_eq!(
            (found.session_token(), found.account_id().map(|id| id.as_str())),
            (Some("t"), Some("111122223333"))
        );
        assert_eq!(found.expiry(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)));
    }
}
