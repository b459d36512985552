//! Client request tokens: within ten minutes, the same TransactWriteItems with the same token does nothing again (API
//! reference). The database keeps a token sealed, with a hash of its request.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sandbox::account::Account;
use crate::sandbox::error::Fault;
use crate::sandbox::store::StoreError;
use crate::sandbox::validate::Params;

/// The store's kind for tokens.
const TOKEN: &str = "dynamodb-token";
/// How long a token counts, in seconds.
const WINDOW: f64 = 600.0;
/// As many expired tokens go with each new one, so that no request pays for a long past.
const MOST_EXPIRED: usize = 100;

/// A request that has succeeded.
#[derive(Debug, Serialize, Deserialize)]
pub struct Remembered {
    token: String,
    /// Epoch seconds.
    at: f64,
    request: Vec<u8>,
    /// The read units of each table: what the same request costs again.
    pub units: Vec<(String, f64)>,
}

/// The request behind a token.
#[derive(Debug)]
pub struct TokenRequest {
    token: String,
    request: Vec<u8>,
}

impl TokenRequest {
    /// The request with these parameters. Neither the order of members nor the token counts.
    pub fn new(token: &str, params: &Params) -> Self {
        let mut text = String::new();
        if let Params::Json(members) = params {
            let mut members: Vec<_> = members.iter().filter(|(name, _)| *name != "ClientRequestToken").collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in members {
                write(name, value, &mut text);
            }
        }
        let request = digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec();
        Self { token: token.to_owned(), request }
    }

    /// The same request, if it has succeeded before.
    ///
    /// # Errors
    /// `IdempotentParameterMismatchException` when the token was another request's.
    pub fn remembered(&self, account: &Account) -> Result<Option<Remembered>, Fault> {
        let found: Option<Remembered> = account.store.find(TOKEN, &self.token)?;
        match found.filter(|found| !found.is_expired(account.state.clock.epoch_seconds())) {
            // Not proven: AWS's message. The code and when it comes are documented.
            Some(found) if found.request != self.request => Err(Fault::service(
                400,
                "IdempotentParameterMismatchException",
                "The request uses the same client token as a previous, but non-identical request.",
            )),
            found => Ok(found),
        }
    }

    /// Remembers the request, and forgets the oldest expired ones.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn remember(self, account: &mut Account, units: Vec<(String, f64)>) -> Result<(), StoreError> {
        let now = account.state.clock.epoch_seconds();
        for _ in 0..MOST_EXPIRED {
            match account.store.oldest::<Remembered>(TOKEN)? {
                Some(oldest) if oldest.is_expired(now) => account.store.delete(TOKEN, &oldest.token)?,
                _ => break,
            }
        }
        // A new row comes last again, in the order of time.
        account.store.delete(TOKEN, &self.token)?;
        let Self { token, request } = self;
        account.store.put(TOKEN, &token.clone(), &Remembered { token, at: now, request, units })
    }
}

impl Remembered {
    fn is_expired(&self, now: f64) -> bool {
        now - self.at >= WINDOW
    }
}

/// Writes a member with sorted names. The JSON reader stops at 128 levels, and so does this.
fn write(name: &str, value: &Value, text: &mut String) {
    text.push_str(&Value::from(name).to_string());
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            members.into_iter().for_each(|(name, value)| write(name, value, text));
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            values.iter().for_each(|value| write("", value, text));
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}
