//! KMS through the engine, with real IAM users and policies around it.

mod asymmetric;
mod cryptography;
mod forwarded;
mod grants;
mod kinds;
mod lab;
mod operations;
mod permissions;
mod states;
