//! `GlobalSecondaryIndexes` and `LocalSecondaryIndexes` as requests define them.

use std::collections::BTreeSet;

use super::super::index::{Index, Projected, Scope};
use super::super::key::{KeyAttribute, KeySchema};
use super::super::table::Billing;
use super::create_table::{parse_elements, parse_throughput, schema_of};
use crate::sandbox::operation::{Fault, Later, Members};

/// The most global indexes of a table.
pub const MAX_GLOBAL: usize = 20;
const MAX_LOCAL: usize = 5;

/// An index as a request defines it.
pub struct IndexRequest {
    /// `IndexName`
    pub name: String,
    elements: Later<Vec<(String, &'static str)>>,
    projection: Later<Projected>,
    throughput: Later<Option<Billing>>,
}

impl IndexRequest {
    /// Reads the indexes in a list.
    ///
    /// # Errors
    /// `SerializationException`
    pub fn parse_all(members: &Members<'_>, list: &str) -> Later<Vec<IndexRequest>> {
        members.structures(list, "IndexName")?.iter().map(IndexRequest::parse).collect()
    }

    /// Reads one.
    ///
    /// # Errors
    /// `SerializationException`
    pub fn parse(members: &Members<'_>) -> Later<IndexRequest> {
        let name = members.str("IndexName", 3..=255).map(str::to_owned);
        let elements = parse_elements(members);
        let projection = parse_projection(members);
        let throughput = parse_throughput(members);
        Ok(IndexRequest { name: name?, elements, projection, throughput })
    }

    /// A global index of a table that is paid for by `billing`.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn global(self, attributes: &[KeyAttribute], billing: Billing) -> Result<Index, Fault> {
        let schema = schema_of(attributes, self.elements?)?;
        let billing = match (billing, self.throughput?) {
            (Billing::PayPerRequest, None) => Billing::PayPerRequest,
            (Billing::PayPerRequest, Some(_)) => {
                return Err(invalid(format_args!(
                    "ProvisionedThroughput should not be specified for index: {} when BillingMode is PAY_PER_REQUEST",
                    self.name
                )));
            }
            (Billing::Provisioned { .. }, Some(own)) => own,
            (Billing::Provisioned { .. }, None) => {
                return Err(invalid(format_args!("ProvisionedThroughput must be specified for index: {}", self.name)));
            }
        };
        Ok(Index { name: self.name, schema, projection: self.projection?, scope: Scope::Global { billing } })
    }

    /// A local index of a table with the key `table`.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn local(self, attributes: &[KeyAttribute], table: &KeySchema) -> Result<Index, Fault> {
        let schema = schema_of(attributes, self.elements?)?;
        if table.range.is_none() {
            return Err(invalid(format_args!(
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
            )));
        }
        if schema.range.is_none() {
            return Err(invalid(format_args!("Index KeySchema does not have a range key for index: {}", self.name)));
        }
        if schema.hash != table.hash {
            return Err(invalid(format_args!(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: {}. index hash \
                 key: {}, table hash key: {}",
                self.name, schema.hash.name, table.hash.name
            )));
        }
        Ok(Index { name: self.name, schema, projection: self.projection?, scope: Scope::Local })
    }
}

fn parse_projection(members: &Members<'_>) -> Later<Projected> {
    let Some(projection) = members.structure("Projection")? else {
        members.missing("Projection");
        return Ok(Projected::All);
    };
    let kind = projection.choice("ProjectionType", &["ALL", "KEYS_ONLY", "INCLUDE"])?;
    let others: Vec<String> = projection.texts("NonKeyAttributes")?.into_iter().map(str::to_owned).collect();
    match kind {
        None => Err(invalid(format_args!("Unknown ProjectionType: null"))),
        Some("INCLUDE") if others.is_empty() => {
            Err(invalid(format_args!("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")))
        }
        Some("INCLUDE") => Ok(Projected::Include(others)),
        Some(kind) if !others.is_empty() => {
            Err(invalid(format_args!("ProjectionType is {kind}, but NonKeyAttributes is specified")))
        }
        Some("KEYS_ONLY") => Ok(Projected::KeysOnly),
        Some(_) => Ok(Projected::All),
    }
}

/// The indexes of a new table.
///
/// # Errors
/// `ValidationException`
pub fn indexes(
    attributes: &[KeyAttribute],
    table: &KeySchema,
    billing: Billing,
    (local, global): (Vec<IndexRequest>, Vec<IndexRequest>),
) -> Result<Vec<Index>, Fault> {
    for (count, limit, kind) in [(local.len(), MAX_LOCAL, "Local"), (global.len(), MAX_GLOBAL, "Global")] {
        if count > limit {
            return Err(invalid(format_args!("Number of {kind}SecondaryIndexes exceeds per-table limit of {limit}")));
        }
    }
    let mut indexes = Vec::new();
    for request in local {
        indexes.push(request.local(attributes, table)?);
    }
    for request in global {
        indexes.push(request.global(attributes, billing)?);
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = indexes.iter().find(|index| !seen.insert(&index.name)) {
        return Err(invalid(format_args!("Duplicate index name: {}", twice.name)));
    }
    Ok(indexes)
}

/// Refuses definitions of attributes that no key has.
///
/// # Errors
/// `ValidationException`
pub fn check_used(attributes: &[KeyAttribute], table: &KeySchema, indexes: &[Index]) -> Result<(), Fault> {
    let schemas = || std::iter::once(table).chain(indexes.iter().map(|index| &index.schema));
    if attributes.iter().all(|attribute| schemas().any(|schema| schema.contains(&attribute.name))) {
        return Ok(());
    }
    if indexes.is_empty() {
        return Err(invalid(format_args!(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in \
             AttributeDefinitions"
        )));
    }
    let defined: Vec<&str> = attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    let used: BTreeSet<&str> =
        schemas().flat_map(KeySchema::attributes).map(|attribute| attribute.name.as_str()).collect();
    let used: Vec<&str> = used.into_iter().collect();
    Err(invalid(format_args!(
        "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
        defined.join(", "),
        used.join(", ")
    )))
}

fn invalid(message: std::fmt::Arguments<'_>) -> Fault {
    Fault::invalid(format!("One or more parameter values were invalid: {message}"))
}
