//! The only place that knows the AWS SDK: clients for two identities, the lab's operations as SDK calls, and the tap
//! that sees both HTTP messages, without their secrets.
//!
//! Read [`Clients::call`] first, then `ops` (one arm for each operation) and `tap`. Whether an answer is a denial, and
//! what follows from it, is for the lab to say; when to call, for [`crate::run`].

mod advice;
mod body;
mod clients;
mod documents;
mod error;
mod failure;
mod files;
mod guard;
pub mod inventory;
mod layer;
pub mod look;
mod ops;
mod places;
mod process;
mod profile;
mod questions;
mod scrub;
mod service_clients;
mod settings;
mod tap;
mod timing;
mod tls;
mod why;

pub use clients::{Clients, EndpointOptions};
pub use error::ConfigError;
pub(crate) use failure::chain;
pub use process::Tell;
pub use timing::Timing;
