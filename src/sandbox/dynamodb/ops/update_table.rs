//! UpdateTable: another key, another billing mode, deletion protection. All of a request is checked before any of it is
//! done.

use serde_json::json;

use super::super::key::KeyAttribute;
use super::super::members;
use super::super::sse::SseRequest;
use super::super::table::{Billing, Encryption, Phase, Table};
use super::super::table_name::TableName;
use super::super::unlock::{new_table_key, resolve_key, retire_grant, unlock};
use super::create_table::{BILLING_MODES, UNITS_BY_REQUEST, attributes, parse_definitions, parse_throughput};
use super::describe_table::{authorize, describe};
use super::index_updates::{self, IndexUpdate};
use crate::sandbox::clock::timestamp;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// Members of AWS's operation that the sandbox does not have.
const UNSUPPORTED: [&str; 7] = [
    "StreamSpecification",
    "ReplicaUpdates",
    "TableClass",
    "OnDemandThroughput",
    "WarmThroughput",
    "GlobalTableWitnessUpdates",
    "MultiRegionConsistency",
];

/// `UpdateTable`
pub struct UpdateTable {
    table: TableName,
    unsupported: Later<()>,
    sse: Later<Option<SseRequest>>,
    protection: Later<Option<bool>>,
    throughput: Later<Option<Billing>>,
    mode: Later<Option<&'static str>>,
    attributes: Later<Vec<KeyAttribute>>,
    indexes: Later<Vec<IndexUpdate>>,
}

impl Request for UpdateTable {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let attributes = parse_definitions(members).and_then(attributes);
        let table = TableName::parse(members);
        Ok(Self {
            mode: members.choice("BillingMode", &BILLING_MODES),
            throughput: parse_throughput(members),
            sse: SseRequest::parse(members),
            unsupported: members::refuse_unsupported(members, &UNSUPPORTED),
            protection: members.flag("DeletionProtectionEnabled"),
            indexes: index_updates::parse(members),
            attributes,
            table: table?,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        authorize(cx, "dynamodb:UpdateTable", &self.table)?;
        self.unsupported?;
        let (sse, protection, throughput, mode) = (self.sse?, self.protection?, self.throughput?, self.mode?);
        let (attributes, indexes) = (self.attributes?, self.indexes?);
        if sse.is_none() && protection.is_none() && throughput.is_none() && mode.is_none() && indexes.is_empty() {
            return Err(Fault::invalid(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or \
                 SSESpecification or ReplicaUpdates is required",
            ));
        }
        let table = self.table.named_table(cx.account)?;
        if table.archived_at.is_some() {
            // AWS's error is not proven.
            let message =
                format!("Attempt to change a resource which is still in use: Table is being archived: {}", table.name);
            return Err(Fault::service(400, "ResourceInUseException", message));
        }
        let mut changed = Table::clone(&table);
        changed.billing = change_billing(table.billing, mode, throughput)?;
        if changed.billing == Billing::PayPerRequest && table.billing != Billing::PayPerRequest {
            changed.by_request_since = Some(cx.account.state.clock.epoch_seconds());
        }
        changed.deletion_protection = protection.unwrap_or(table.deletion_protection);
        let index = index_updates::apply(&mut changed, indexes, &attributes)?;
        if let Some(sse) = &sse {
            rekey(cx, &table, &mut changed, sse)?;
        }
        let (dynamodb, store) = cx.account.dynamodb_mut();
        let changed = dynamodb.put_table(store, changed)?;
        if sse.is_some() {
            cx.account.table_keys.forget(&table.id);
            if let Encryption::Kms { key_arn, grant_id, .. } = &table.encryption {
                retire_grant(cx, key_arn, grant_id)?;
            }
        }
        let phase = if sse.is_some() { Phase::Rekeying } else { Phase::Updating };
        let mut description = describe(cx.account, &changed, phase)?;
        if let Some((index, status)) = index {
            changed.show_change(&mut description, &index, status);
        }
        Ok(json!({ "TableDescription": description }).into())
    }
}

/// Makes a new table key and seals the data key under it; the items stay as they are.
///
/// The old table key is opened as the caller, as for any use of the table: what real DynamoDB asks of the caller here is
/// not proven, and anything less would let a principal without the old key read the table by moving it to another one.
fn rekey(cx: &mut Context<'_>, table: &Table, changed: &mut Table, sse: &SseRequest) -> Result<(), Fault> {
    let key_arn = resolve_key(cx, sse)?;
    if key_arn.as_deref() == table.encryption.key_arn() {
        return Err(Fault::invalid(
            "One or more parameter values were invalid: Table is already encrypted with given KMSMasterKeyId. Use \
             KMSMasterKeyId parameter if you want to change Master Key",
        ));
    }
    changed.rekeyed = count_rekeying(&table.rekeyed, cx.account.state.clock.epoch_seconds())?;
    let keys = unlock(cx, table)?;
    let (table_key, encryption) = new_table_key(cx, &table.name, &table.id, key_arn.as_deref())?;
    changed.data_key = keys.rewrap(&mut cx.entropy, &table_key);
    changed.encryption = encryption;
    changed.inaccessible_since = None;
    Ok(())
}

/// The encryption changes of the present window, with one more at `now`. Four are free, then one needs six hours since
/// the last.
///
/// # Errors
/// `LimitExceededException`, in the words of AWS that issue threads quote.
fn count_rekeying(earlier: &[f64], now: f64) -> Result<Vec<f64>, Fault> {
    const WINDOW: f64 = 86_400.0;
    const FREE: usize = 4;
    const PAUSE: f64 = 21_600.0;
    // A window begins with the first change after the last one.
    let mut changes = match earlier.first() {
        Some(first) if now < first + WINDOW => earlier.to_vec(),
        _ => Vec::new(),
    };
    if let (Some(first), Some(last)) = (changes.first(), changes.last())
        && changes.len() >= FREE
        && now < last + PAUSE
    {
        return Err(Fault::service(
            400,
            "LimitExceededException",
            format!(
                "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at {}. After the \
                 first {FREE} change, each subsequent change in the same window can be performed at most once every \
                 {PAUSE} seconds. Number of updates today: {}",
                timestamp(first + WINDOW),
                changes.len()
            ),
        ));
    }
    changes.push(now);
    Ok(changes)
}

fn change_billing(now: Billing, mode: Option<&str>, throughput: Option<Billing>) -> Result<Billing, Fault> {
    match (mode, throughput) {
        (None, None) => Ok(now),
        (Some("PAY_PER_REQUEST"), None) => Ok(Billing::PayPerRequest),
        (Some("PAY_PER_REQUEST"), Some(_)) => Err(Fault::invalid(UNITS_BY_REQUEST)),
        (Some(_), None) => match now {
            Billing::Provisioned { .. } => Ok(now),
            Billing::PayPerRequest => Err(Fault::invalid(
                "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is \
                 PROVISIONED",
            )),
        },
        (None, Some(_)) if now == Billing::PayPerRequest => Err(Fault::invalid(UNITS_BY_REQUEST)),
        (_, Some(wanted)) if wanted == now => match now {
            Billing::Provisioned { read, write } => Err(Fault::invalid(format!(
                "The provisioned throughput for the table will not change. The requested value equals the current value. \
                 Current ReadCapacityUnits provisioned for the table: {read}. Requested ReadCapacityUnits: {read}. \
                 Current WriteCapacityUnits provisioned for the table: {write}. Requested WriteCapacityUnits: {write}. \
                 Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
            ))),
            Billing::PayPerRequest => Ok(now),
        },
        (_, Some(wanted)) => Ok(wanted),
    }
}
