//! UpdateTable: another key, another billing mode, deletion protection. All of a request is checked before any of it is
//! done.

use serde_json::{Value, json};

use super::super::request::{self, TableRef, choice, member};
use super::super::sse::Wanted;
use super::super::table::{Billing, Encryption, Phase, Table};
use super::super::{authorise, keyring};
use super::create_table::read_throughput;
use super::describe_table::describe;
use crate::policy::ConditionContext;
use crate::sandbox::clock::timestamp;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let target = TableRef::of(&engine.host, input)?;
    authorise(engine, ctx, "UpdateTable", &target.arn, &ConditionContext::default())?;
    request::refuse_unsupported(
        input,
        &[
            "GlobalSecondaryIndexUpdates",
            "StreamSpecification",
            "ReplicaUpdates",
            "TableClass",
            "OnDemandThroughput",
            "WarmThroughput",
            "GlobalTableWitnessUpdates",
            "MultiRegionConsistency",
        ],
    )?;
    let wanted = Wanted::of(input)?;
    let protection = request::flag(input, "DeletionProtectionEnabled")?;
    let throughput = read_throughput(input)?;
    let mode = member(input, "BillingMode")
        .map(|_| choice(input, "BillingMode", &["PROVISIONED", "PAY_PER_REQUEST"], ""))
        .transpose()?;
    if wanted.is_none() && protection.is_none() && throughput.is_none() && mode.is_none() {
        return Err(Fault::invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or \
             SSESpecification or ReplicaUpdates is required",
        ));
    }
    let table = engine.dynamodb.named_table(&target)?;
    if table.archived_at.is_some() {
        // AWS's answer is not proven.
        let message =
            format!("Attempt to change a resource which is still in use: Table is being archived: {}", table.name);
        return Err(Fault::service(400, "ResourceInUseException", message));
    }
    let mut changed = Table::clone(&table);
    changed.billing = change_billing(table.billing, mode, throughput)?;
    if changed.billing == Billing::PayPerRequest && table.billing != Billing::PayPerRequest {
        changed.by_request_since = Some(engine.host.clock.epoch_seconds());
    }
    changed.deletion_protection = protection.unwrap_or(table.deletion_protection);
    let phase = match &wanted {
        Some(wanted) => {
            rekey(engine, ctx, &table, &mut changed, wanted)?;
            Phase::Rekeying
        }
        None => Phase::Updating,
    };
    let kept = engine.dynamodb.keep(&mut engine.host, changed)?;
    if phase == Phase::Rekeying {
        engine.dynamodb.cache.forget(&table.id);
        if let Encryption::Kms { key_arn, grant_id, .. } = &table.encryption {
            keyring(engine, ctx).0.retire(key_arn, grant_id);
        }
    }
    Ok(json!({ "TableDescription": describe(engine, &kept, phase)? }))
}

/// Makes a new table key and seals the data key under it; the items stay as they are.
///
/// The old table key is opened as the caller, as for any use of the table: what real DynamoDB asks of the caller here is
/// not proven, and anything less would let a principal without the old key read the table by moving it to another one.
fn rekey(
    engine: &mut Engine,
    ctx: &RequestContext,
    table: &Table,
    changed: &mut Table,
    wanted: &Wanted,
) -> Result<(), Fault> {
    let (mut keyring, cache) = keyring(engine, ctx);
    let key_arn = keyring.resolve(wanted)?;
    if key_arn.as_deref() == table.encryption.key_arn() {
        return Err(Fault::invalid(
            "One or more parameter values were invalid: Table is already encrypted with given KMSMasterKeyId. Use \
             KMSMasterKeyId parameter if you want to change Master Key",
        ));
    }
    let now = keyring.host.clock.epoch_seconds();
    changed.rekeyed = count_rekeying(&table.rekeyed, now)?;
    let keys = keyring.unlock(cache, table)?;
    let (table_key, encryption) = keyring.new_table_key(&table.name, &table.id, key_arn.as_deref())?;
    changed.data_key = keys.rewrap(&mut keyring.host.entropy, &table_key);
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
        (Some("PAY_PER_REQUEST"), Some(_)) => Err(Fault::invalid(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be \
             specified when BillingMode is PAY_PER_REQUEST",
        )),
        (Some(_), None) => match now {
            Billing::Provisioned { .. } => Ok(now),
            Billing::PayPerRequest => Err(Fault::invalid(
                "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is \
                 PROVISIONED",
            )),
        },
        (None, Some(_)) if now == Billing::PayPerRequest => Err(Fault::invalid(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be \
             specified when BillingMode is PAY_PER_REQUEST",
        )),
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
