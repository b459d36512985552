//! `ConsumedCapacity`: read units of 4 KB, write units of 1 KB.

use serde_json::{Value, json};

use super::index::Index;
use crate::sandbox::error::Fault;
use crate::sandbox::validate::Members;

/// What `ReturnConsumedCapacity` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Nothing.
    None,
    /// The sum.
    Total,
    /// The sum, and the table's part of it.
    Indexes,
}

impl Report {
    /// Reads `ReturnConsumedCapacity`.
    ///
    /// # Errors
    /// `SerializationException`
    pub fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(match members.choice("ReturnConsumedCapacity", &["INDEXES", "TOTAL", "NONE"])? {
            Some("TOTAL") => Self::Total,
            Some("INDEXES") => Self::Indexes,
            _ => Self::None,
        })
    }

    /// The `ConsumedCapacity` member, if asked for.
    pub fn entry(self, table: &str, units: f64) -> Option<Value> {
        match self {
            Self::None => None,
            Self::Total => Some(json!({ "TableName": table, "CapacityUnits": units })),
            Self::Indexes => {
                Some(json!({ "TableName": table, "CapacityUnits": units, "Table": { "CapacityUnits": units } }))
            }
        }
    }

    /// The same for a read of the table or of one of its indexes.
    pub fn add_read(self, output: &mut Value, table: &str, index: Option<&Index>, units: f64) {
        let Some(index) = index.filter(|_| self == Self::Indexes) else { return self.add(output, table, units) };
        let member = if index.is_global() { "GlobalSecondaryIndexes" } else { "LocalSecondaryIndexes" };
        output["ConsumedCapacity"] = json!({
            "TableName": table,
            "CapacityUnits": units,
            "Table": { "CapacityUnits": 0.0 },
            member: { &index.name: { "CapacityUnits": units } },
        });
    }

    /// Adds the `ConsumedCapacity` member to an output, if asked for.
    pub fn add(self, output: &mut Value, table: &str, units: f64) {
        if let Some(entry) = self.entry(table, units) {
            output["ConsumedCapacity"] = entry;
        }
    }
}

/// Read units for `bytes`; an eventually consistent read costs half.
pub fn read_units(bytes: usize, consistent: bool) -> f64 {
    let units = bytes.div_ceil(4096).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

/// Write units for `bytes`.
pub fn write_units(bytes: usize) -> f64 {
    bytes.div_ceil(1024).max(1) as f64
}
