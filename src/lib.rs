//! kmslab
pub mod aws;
pub mod lab;
