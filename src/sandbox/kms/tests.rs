//! KMS through [`super::call`], with real IAM users and policies around it.

mod cryptography;
mod grants;
mod lab;
mod on_behalf;
mod operations;
mod permissions;
mod states;
