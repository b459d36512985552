//! DynamoDB: tables whose items exist only encrypted, under keys that only KMS can open, for callers that may use them.
//!
//! [`unlock`] is the part the lesson is about. Around it: [`value`] and [`codec`] for items, [`expression`] for conditions,
//! [`items`] for the rows in the database, and one file per operation in [`ops`].

pub mod at_rest;
mod availability;
pub mod capacity;
pub mod codec;
pub mod expiry;
pub mod expression;
mod idempotency;
pub mod index;
mod integrity;
pub mod items;
pub mod key;
pub mod kms_error;
mod legacy;
pub mod members;
pub mod number;
pub mod ops;
pub mod recovery;
pub mod sse;
pub mod state;
pub mod table;
pub mod table_keys;
pub mod table_name;
#[cfg(test)]
mod tests;
pub mod time_to_live;
pub mod unlock;
pub mod value;
