//! An account: the state of its services and what they share.

use std::sync::Arc;

use super::calls::Calls;
use super::clock::Clock;
use super::dynamodb::state::DynamoDb;
use super::dynamodb::table_keys::TableKeyCache;
use super::iam::state::Iam;
use super::kms::state::Kms;
use super::log::{Decisions, Trail};
use super::store::{Store, StoreError};

/// One account in one region.
#[derive(Debug)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// `us-east-1`
    pub region: String,
    /// What a request may change.
    pub state: State,
    /// The database, which holds the same.
    pub store: Store,
    /// The plaintext table keys in memory.
    pub table_keys: TableKeyCache,
    /// When DynamoDB last looked for expired items (epoch seconds).
    pub expiry_checked: f64,
    /// Recent API calls.
    pub trail: Trail,
    /// Recent calls of all services.
    pub calls: Calls,
    /// Recent policy decisions.
    pub decisions: Decisions,
}

/// The part of an account that the database holds as well. Cloning it copies no data: a service is copied when it changes
/// while another clone still needs it as it was.
#[derive(Debug, Clone)]
pub struct State {
    /// The time.
    pub clock: Clock,
    /// Users, access keys and policies.
    pub iam: Arc<Iam>,
    /// Keys, aliases and grants.
    pub kms: Arc<Kms>,
    /// Tables.
    pub dynamodb: Arc<DynamoDb>,
}

impl Account {
    /// IAM, and the database that takes each change first.
    pub fn iam_mut(&mut self) -> (&mut Iam, &mut Store) {
        (Arc::make_mut(&mut self.state.iam), &mut self.store)
    }

    /// KMS, and the database that takes each change first.
    pub fn kms_mut(&mut self) -> (&mut Kms, &mut Store) {
        (Arc::make_mut(&mut self.state.kms), &mut self.store)
    }

    /// DynamoDB, and the database that takes each change first.
    pub fn dynamodb_mut(&mut self) -> (&mut DynamoDb, &mut Store) {
        (Arc::make_mut(&mut self.state.dynamodb), &mut self.store)
    }

    /// Lets DynamoDB notice which tables have lost their KMS key or got it back, and archives those that were without it
    /// for too long. To be called before and after anything that may change a key, and before time passes.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn notice_keys(&mut self) -> Result<(), StoreError> {
        let now = self.state.clock.epoch_seconds();
        let noticed = self.state.dynamodb.noticed(&self.state.kms, now);
        for table in noticed {
            let (dynamodb, store) = self.dynamodb_mut();
            dynamodb.put_table(store, table)?;
        }
        Ok(())
    }

    /// Stores the clock with data that outlives the process.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn store_clock(&self) -> Result<(), StoreError> {
        let Self { store, state: State { clock, .. }, .. } = self;
        if store.is_persistent() { store.set_number(clock.name(), clock.offset_seconds()) } else { Ok(()) }
    }
}
