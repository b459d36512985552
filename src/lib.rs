//! kmslab
pub mod policy;
