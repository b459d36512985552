//! kmslab
pub mod lab;
pub mod policy;
pub mod record;
pub mod ui;
