//! IAM: users with their access keys, roles, and the policies of both.
//!
//! * `user`, `role`, `policy`, `session`, `state`: what is stored;
//! * `managed`: the AWS managed policies of the sandbox;
//! * `members`: members that several operations share;
//! * `users`, `access_keys`, `user_policies`, `roles`, `role_policies`, `policies`, `simulate`: the operations.
//!
//! Every operation goes in AWS's order: parameters, permission, existence.

pub mod access_keys;
mod managed;
pub(super) mod members;
pub mod policies;
mod policy;
pub(super) mod role;
pub mod role_policies;
pub mod roles;
pub(super) mod session;
pub mod simulate;
pub mod state;
#[cfg(test)]
mod tests;
pub(super) mod user;
pub mod user_policies;
pub mod users;
