//! kmslab
pub mod policy;
pub mod sandbox;
