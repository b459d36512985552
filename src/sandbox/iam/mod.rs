//! IAM: users with their access keys, roles, and the policies of both.
//!
//! * `user`, `role`, `policy`, `session`, `state`: what is stored;
//! * `managed`: the AWS managed policies of the sandbox;
//! * `members`: members that several operations share;
//! * `holder`: what users and roles have in common; `holder_policies`, `holder_tags`: the operations on both;
//! * `users`, `access_keys`, `roles`, `policies`, `simulate`: the other operations.
//!
//! Every operation goes in AWS's order: parameters, permission, existence.

pub mod access_keys;
mod holder;
pub mod holder_policies;
pub mod holder_tags;
mod managed;
pub(super) mod members;
pub mod policies;
mod policy;
pub(super) mod role;
pub mod roles;
pub(super) mod session;
pub mod simulate;
pub mod state;
#[cfg(test)]
mod tests;
pub(super) mod user;
pub mod users;
