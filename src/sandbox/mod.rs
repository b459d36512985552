//! An AWS-compatible server inside the process: KMS, DynamoDB, IAM, STS and CloudTrail on loopback.
//!
//! The way of a request, which is also the order to read in:
//!
//! ```text
//!  socket ─▶ http ─▶ engine::handle ─▶ request::route     which service, which operation
//!                         │            sigv4              who calls: the signature is made again and compared
//!                         │            catalog            the operation: one row of a table
//!                         │            validate           parses the request, collects all violations
//!                         │            authorize          asks the policy evaluator, records the decision
//!                         │            kms | dynamodb | iam | sts | cloudtrail      does it
//!                         │               └─▶ store       one SQLite transaction per request, sealed documents
//!                         ◀── respond, error              JSON or XML, as the service's protocol wants it
//! ```
//!
//! The engine is synchronous and knows no network. An operation is a struct with `parse` and `run`, and works with a
//! [`Context`](context::Context): the caller, the account and the request's randomness. A
//! [`Transaction`](transaction::Transaction) keeps all that it changes or nothing. `pages` are the sandbox's own
//! pages. Latency and throttling are not imitated; that DynamoDB keeps a table key in memory for five minutes is.

pub mod account;
pub mod authorize;
mod aws_names;
mod calls;
mod catalog;
pub mod clock;
mod cloudtrail;
mod config;
pub mod context;
pub mod crypto;
pub mod dynamodb;
pub mod engine;
pub mod entropy;
pub mod error;
pub mod form;
mod handle;
mod http;
pub mod iam;
pub mod kms;
pub mod log;
pub mod operation;
mod pages;
pub mod request;
pub mod respond;
pub mod service;
pub mod sigv4;
mod start_error;
pub mod store;
pub mod sts;
#[cfg(test)]
mod tests;
pub mod transaction;
pub mod validate;
pub mod xml;

pub use config::Config;
pub use handle::{AdminCredentials, Sandbox};
pub use log::{DecisionRecord, TrailEvent};
pub use start_error::StartError;
pub use store::abandon;
