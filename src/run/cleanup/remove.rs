//! Removes one thing, and waits where a service needs time.

use std::io::Write;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use super::plan::{Item, Step};
use super::{Lines, Work};
use crate::aws::inventory::Failed;
use crate::lab::model::backoff::backoff;
use crate::lab::wait::{NEW_TAG, ON_AWS, is_throttling};
use crate::lab::{Answer, Identity, Operation, Verdict};

/// Why something was not removed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemovalError {
    /// The service refused the call, or did not answer.
    #[error("{}{message}", code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default())]
    Refused {
        /// The service's code; `None` where the message says it all.
        code: Option<String>,
        message: String,
    },
    /// IAM did not delete a user's inline policy.
    #[error("{0}")]
    UserPolicy(Failed),
    /// The table takes longer than `--wait` allows.
    #[error("it is still being deleted; run kmslab cleanup again later")]
    StillDeleting,
}

impl Work<'_> {
    pub(super) async fn remove<W: Write>(&self, item: &Item, lines: &mut Lines<'_, W>) -> Result<(), RemovalError> {
        for step in &item.steps {
            match step {
                Step::Call(operation @ Operation::DeleteTable { table }) => {
                    self.until_deletable(operation).await?;
                    self.until_gone(table, lines).await?;
                }
                Step::Call(operation @ Operation::DeleteUser { .. }) => self.until_free(operation, lines).await?,
                Step::Call(operation @ Operation::ScheduleKeyDeletion { .. }) => {
                    self.until_tag_counts(operation, lines).await?;
                }
                Step::Call(operation) => outcome(&self.call(operation).await)?,
                Step::DeleteUserPolicy { user, policy } => {
                    self.clients.delete_user_policy(user, policy).await.map_err(RemovalError::UserPolicy)?;
                }
            }
        }
        Ok(())
    }

    /// Sends a call, again and again while the service gets too many.
    async fn call(&self, operation: &Operation) -> Answer {
        let mut wait = Wait::new(self.clients.patience());
        loop {
            let answer = self.clients.call(Identity::Admin, operation).await;
            if !code(&answer).is_some_and(is_throttling) || !wait.goes_on().await {
                return answer;
            }
        }
    }

    async fn is_pending(&self, key: &str) -> bool {
        let answer = self.call(&Operation::DescribeKey { key: key.to_owned() }).await;
        let state = answer.response.as_ref().ok().and_then(|it| it.body.pointer("/KeyMetadata/KeyState")?.as_str());
        state == Some("PendingDeletion")
    }

    /// A table that is being created can't be deleted yet (DynamoDB guide); one that is being deleted need not be.
    async fn until_deletable(&self, delete: &Operation) -> Result<(), RemovalError> {
        let mut wait = Wait::new(self.clients.patience());
        loop {
            let answer = self.call(delete).await;
            if code(&answer) != Some("ResourceInUseException") {
                return outcome(&answer);
            }
            let describe = Operation::DescribeTable { table: delete.subject().to_owned() };
            if status(&self.call(&describe).await).as_deref() == Some("DELETING") {
                return Ok(());
            }
            if !wait.goes_on().await {
                return outcome(&answer);
            }
        }
    }

    /// What has just been taken off a user may still be seen on it: IAM is eventually consistent (IAM guide).
    async fn until_free<W: Write>(&self, delete: &Operation, lines: &mut Lines<'_, W>) -> Result<(), RemovalError> {
        let mut wait = Wait::new(self.clients.patience());
        loop {
            let answer = self.call(delete).await;
            if code(&answer) != Some("DeleteConflict") {
                return outcome(&answer);
            }
            if wait.is_first() {
                lines.line("  waiting      until IAM sees that the user has nothing left");
            }
            if !wait.goes_on().await {
                return outcome(&answer);
            }
        }
    }

    /// A policy may allow this only for keys with the run's tag, and a new tag takes minutes to count there (KMS guide,
    /// "ABAC for AWS KMS"). An older key is denied for another reason.
    async fn until_tag_counts<W: Write>(
        &self,
        delete: &Operation,
        lines: &mut Lines<'_, W>,
    ) -> Result<(), RemovalError> {
        let answer = self.call(delete).await;
        // Somebody else has scheduled it meanwhile, or an earlier try of this call has.
        if code(&answer) == Some("KMSInvalidStateException") && self.is_pending(delete.subject()).await {
            return Ok(());
        }
        if !matches!(answer.verdict(), Verdict::Denied(_)) {
            return outcome(&answer);
        }
        let described = self.call(&Operation::DescribeKey { key: delete.subject().to_owned() }).await;
        let Some(created) = created(&described) else { return outcome(&answer) };
        let age = OffsetDateTime::now_utc().unix_timestamp().saturating_sub(created);
        let left = i64::from(NEW_TAG).saturating_sub(age);
        if !(1..=i64::from(NEW_TAG)).contains(&left) {
            return outcome(&answer);
        }
        // By default this waits longer than for other changes; what `--wait` says counts here, too.
        let (patience, usual) = (self.clients.patience(), Duration::from_secs(u64::from(ON_AWS)));
        let limit = if patience == usual { Duration::MAX } else { patience };
        let mut wait = Wait::new(limit.min(Duration::from_secs(left.unsigned_abs())));
        let mut newest = answer;
        while matches!(newest.verdict(), Verdict::Denied(_)) {
            if wait.is_first() {
                lines.line("  waiting      until the key's new tag takes effect");
            }
            if !wait.goes_on().await {
                break;
            }
            newest = self.call(delete).await;
        }
        outcome(&newest)
    }

    async fn until_gone<W: Write>(&self, table: &str, lines: &mut Lines<'_, W>) -> Result<(), RemovalError> {
        let describe = Operation::DescribeTable { table: table.to_owned() };
        let mut wait = Wait::new(self.clients.patience());
        loop {
            let answer = self.call(&describe).await;
            if code(&answer) == Some("ResourceNotFoundException") {
                return Ok(());
            }
            outcome(&answer)?;
            if wait.is_first() {
                lines.line(&format!("  waiting      until the table {table} is gone"));
            }
            if !wait.goes_on().await {
                return Err(RemovalError::StillDeleting);
            }
        }
    }
}

fn code(answer: &Answer) -> Option<&str> {
    let response = answer.response.as_ref().ok().filter(|response| response.status >= 400)?;
    crate::lab::exchange::error_code(&response.body)
}

fn status(answer: &Answer) -> Option<String> {
    let body = &answer.response.as_ref().ok()?.body;
    body.pointer("/Table/TableStatus")?.as_str().map(str::to_owned)
}

/// Whether a removing call has reached its aim: what it does not find is gone.
fn outcome(answer: &Answer) -> Result<(), RemovalError> {
    match answer.verdict() {
        Verdict::Allowed => Ok(()),
        _ if code(answer).is_some_and(crate::lab::exchange::is_not_found) => Ok(()),
        Verdict::Denied(denied) => Err(RemovalError::Refused { code: None, message: denied.message }),
        Verdict::Failed(failure) => Err(RemovalError::Refused { code: failure.code, message: failure.message }),
    }
}

/// When a key was created, in seconds since 1970, from what DescribeKey answers.
fn created(answer: &Answer) -> Option<i64> {
    let date = answer.response.as_ref().ok()?.body.pointer("/KeyMetadata/CreationDate")?.as_f64()?;
    Some(date as i64)
}

/// A wait for a change to take effect.
struct Wait {
    pauses: u32,
    ends: Instant,
}

impl Wait {
    fn new(patience: Duration) -> Wait {
        Wait { pauses: 0, ends: Instant::now() + patience }
    }

    /// Whether there has been no pause yet.
    fn is_first(&self) -> bool {
        self.pauses == 0
    }

    /// Makes a pause, doubling from 50 ms up to 3 s. Whether there was time left for one.
    async fn goes_on(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.ends {
            return false;
        }
        let pause = Duration::from_millis(backoff(50, self.pauses, 3_000));
        tokio::time::sleep(pause.min(self.ends - now)).await;
        self.pauses += 1;
        true
    }
}
