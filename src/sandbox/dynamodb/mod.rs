//! DynamoDB.
pub mod codec;
pub mod expression;
pub mod key;
pub mod number;
pub mod value;

use serde_json::Value;

use super::engine::{Engine, Host, RequestContext};
use super::error::{ApiError, Protocol};
use super::store::StoreError;

/// Tables.
#[derive(Debug)]
pub struct DynamoDb {}

impl DynamoDb {
    /// Loads the tables.
    pub fn open(_host: &mut Host) -> Result<DynamoDb, StoreError> {
        Ok(DynamoDb {})
    }
}

/// One call.
pub fn call(_engine: &mut Engine, _ctx: &RequestContext, operation: &str, _input: &Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation(Protocol::Json10, operation, ""))
}
