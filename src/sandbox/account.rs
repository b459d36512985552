//! An account: the state of its services and what they share.

use super::clock::Clock;
use super::dynamodb::state::DynamoDb;
use super::iam::state::Iam;
use super::kms::state::Kms;
use super::log::{Decisions, Trail};
use super::store::Store;

/// One account in one region.
#[derive(Debug)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// `us-east-1`
    pub region: String,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub store: Store,
    /// Recent API calls.
    pub trail: Trail,
    /// Recent policy decisions.
    pub decisions: Decisions,
    /// Users, access keys and policies.
    pub iam: Iam,
    /// Keys, aliases and grants.
    pub kms: Kms,
    /// Tables.
    pub dynamodb: DynamoDb,
}
