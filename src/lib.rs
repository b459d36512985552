//! kmslab
pub mod aws;
pub mod lab;
pub mod policy;
