//! IAM: users with their access keys, roles, and the policies of both.
//!
//! * `user`, `role`, `state`: what is stored;
//! * `managed`: the AWS managed policies of the sandbox;
//! * `members`: members that several operations share;
//! * `users`, `access_keys`, `user_policies`, `roles`, `role_policies`, `simulate`: the operations.
//!
//! Every operation goes in AWS's order: parameters, permission, existence.

pub mod access_keys;
mod managed;
mod members;
mod role;
pub mod role_policies;
pub mod roles;
pub mod simulate;
pub mod state;
#[cfg(test)]
mod tests;
mod user;
pub mod user_policies;
pub mod users;
