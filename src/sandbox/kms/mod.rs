//! AWS Key Management Service: keys that never leave it, and who may use them.
//!
//! * `model`, `state`: what is stored, and how it is stored sealed;
//! * `key_id`: how a request names a key, and the way from there to a key that the caller may use;
//! * `keys`, `aliases`, `policies`, `cryptography`, `grants`, `deletion`, `rotation`, `tags`: the operations;
//! * `ciphertext`: the blob format;
//! * `forwarded`: the calls that DynamoDB makes;
//! * `trail`: the record of every call.
//!
//! Every operation goes the same way: parse the request, find the key, authorize, check the key's state, do it, store
//! it.

pub mod aliases;
mod asymmetric;
pub mod ciphertext;
pub mod cryptography;
pub mod deletion;
pub mod error;
pub mod forwarded;
pub mod grants;
pub mod key_id;
pub mod key_pairs;
pub mod keys;
pub mod mac;
pub mod model;
mod page;
pub mod policies;
pub mod random;
pub mod rotation;
pub mod signing;
pub mod spec;
pub mod state;
pub mod tags;
#[cfg(test)]
mod tests;
pub mod trail;
