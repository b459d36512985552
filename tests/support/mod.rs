//! Helpers of the integration tests.

pub mod asciicast;
pub mod bare;
pub mod door;
pub mod drive;
pub mod fake;
pub mod https;
pub mod lab;
pub mod message;
pub mod port;
pub mod program;
pub mod proxy;
pub mod session;
pub mod settings;
pub mod things;
