//! `GlobalSecondaryIndexUpdates` of UpdateTable: at most one index is made or deleted at a time.

use super::super::index::{Index, Scope};
use super::super::key::KeyAttribute;
use super::super::table::{Billing, Table};
use super::create_table::parse_throughput;
use super::index_request::{IndexRequest, MAX_GLOBAL, check_used};
use crate::sandbox::operation::{Fault, Later, Members};

/// One element of the list.
pub enum IndexUpdate {
    /// `Create`
    Create(IndexRequest),
    /// `Update`, with the new throughput.
    Update(String, Billing),
    /// `Delete`
    Delete(String),
}

/// Reads the list.
///
/// # Errors
/// `SerializationException`
pub fn parse(members: &Members<'_>) -> Later<Vec<IndexUpdate>> {
    members.structures("GlobalSecondaryIndexUpdates", "Create")?.iter().map(parse_one).collect()
}

fn parse_one(members: &Members<'_>) -> Result<IndexUpdate, Fault> {
    let name = |members: &Members<'_>| members.str("IndexName", 3..=255).map(str::to_owned);
    let (create, update, delete) =
        (members.structure("Create")?, members.structure("Update")?, members.structure("Delete")?);
    match (create, update, delete) {
        (Some(create), None, None) => IndexRequest::parse(&create).map(IndexUpdate::Create),
        (None, Some(update), None) => {
            let name = name(&update)?;
            let billing = parse_throughput(&update)?;
            if billing.is_none() {
                update.missing("ProvisionedThroughput");
            }
            Ok(IndexUpdate::Update(name, billing.unwrap_or(Billing::PayPerRequest)))
        }
        (None, None, Some(delete)) => name(&delete).map(IndexUpdate::Delete),
        _ => Err(Fault::invalid(
            "One or more parameter values were invalid: Only one of Create, Update or Delete may be specified in a \
             GlobalSecondaryIndexUpdate",
        )),
    }
}

/// Applies the updates to `table`. Returns the index that is made or deleted, with its status in the response.
///
/// # Errors
/// `ValidationException`, `ResourceNotFoundException`, and `LimitExceededException` for two at a time.
pub fn apply(
    table: &mut Table,
    updates: Vec<IndexUpdate>,
    attributes: &[KeyAttribute],
) -> Result<Option<(Index, &'static str)>, Fault> {
    let changes = updates.iter().filter(|update| !matches!(update, IndexUpdate::Update(..))).count();
    if changes > 1 {
        return Err(Fault::service(
            400,
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ));
    }
    let mut changed = None;
    for update in updates {
        match update {
            IndexUpdate::Create(request) => changed = Some((create(table, request, attributes)?, "CREATING")),
            IndexUpdate::Delete(name) => {
                let at = position(table, &name)?;
                changed = Some((table.indexes.remove(at), "DELETING"));
            }
            IndexUpdate::Update(name, billing) => {
                let at = position(table, &name)?;
                table.indexes[at].scope = Scope::Global { billing };
            }
        }
    }
    Ok(changed)
}

fn create(table: &mut Table, request: IndexRequest, attributes: &[KeyAttribute]) -> Result<Index, Fault> {
    if table.indexes.iter().any(|index| index.name == request.name) {
        return Err(Fault::invalid("Attempting to create an index which already exists"));
    }
    if table.indexes.iter().filter(|index| index.is_global()).count() >= MAX_GLOBAL {
        return Err(Fault::service(
            400,
            "LimitExceededException",
            format!("Number of GlobalSecondaryIndexes exceeds per-table limit of {MAX_GLOBAL}"),
        ));
    }
    let index = request.global(attributes, table.billing)?;
    table.indexes.push(index.clone());
    check_used(attributes, &table.schema, &table.indexes)?;
    Ok(index)
}

fn position(table: &Table, name: &str) -> Result<usize, Fault> {
    let found = table.indexes.iter().position(|index| index.is_global() && index.name == name);
    found.ok_or_else(|| Fault::service(400, "ResourceNotFoundException", "Requested resource not found"))
}
