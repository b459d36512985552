//! A change to an account: all of it or nothing.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::account::{Account, State};
use super::store::StoreError;

/// An account in the middle of a request. [`Transaction::commit`] keeps what the request has changed. Dropping the
/// transaction takes it back, in the database and in memory, whether the request failed or panicked. Trail, decisions and
/// the table keys in memory stay either way.
#[derive(Debug)]
pub struct Transaction<'a> {
    account: &'a mut Account,
    /// The state to return to; `None` once committed.
    before: Option<State>,
}

impl<'a> Transaction<'a> {
    /// Begins one. It takes no lock of the database until the first statement, and no write lock before the first change.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn begin(account: &'a mut Account) -> Result<Self, StoreError> {
        account.store.begin()?;
        let before = Some(account.state.clone());
        Ok(Self { account, before })
    }

    /// Keeps all changes: in the database first, so that nobody sees a state that a crash would take back.
    ///
    /// # Errors
    /// When the database can't be written. Then nothing is kept.
    pub fn commit(mut self) -> Result<(), StoreError> {
        self.account.store.commit()?;
        self.before = None;
        Ok(())
    }
}

/// Moves the clock forward, and stores it with the data.
///
/// # Errors
/// When the database can't be written. Then the clock stays.
pub fn advance(account: &mut Account, by: Duration) -> Result<(), StoreError> {
    let mut tx = Transaction::begin(account)?;
    tx.notice_keys()?;
    tx.state.clock.advance(by);
    tx.store_clock()?;
    tx.commit()
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            self.account.store.rollback();
            self.account.state = before;
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Account;

    fn deref(&self) -> &Account {
        self.account
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Account {
        self.account
    }
}
