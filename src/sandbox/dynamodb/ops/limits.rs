//! DescribeLimits and DescribeEndpoints.

use serde_json::json;

use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `DescribeLimits`. These are a new account's quotas (DynamoDB guide); the sandbox has no throughput to limit.
pub struct DescribeLimits;

impl Request for DescribeLimits {
    fn parse(_: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.authorize("dynamodb:DescribeLimits", Resource::Table("*"), &ConditionContext::default())?;
        Ok(json!({
            "AccountMaxReadCapacityUnits": 80_000,
            "AccountMaxWriteCapacityUnits": 80_000,
            "TableMaxReadCapacityUnits": 40_000,
            "TableMaxWriteCapacityUnits": 40_000,
        })
        .into())
    }
}

/// `DescribeEndpoints`. On AWS the address is `dynamodb.REGION.amazonaws.com`. A client that follows it would send its
/// items there, so here it is this machine.
pub struct DescribeEndpoints;

impl Request for DescribeEndpoints {
    fn parse(_: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.authorize("dynamodb:DescribeEndpoints", Resource::Table("*"), &ConditionContext::default())?;
        Ok(json!({ "Endpoints": [{ "Address": "localhost", "CachePeriodInMinutes": 1440 }] }).into())
    }
}
