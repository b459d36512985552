//! kmslab
pub mod lab;
pub mod policy;
