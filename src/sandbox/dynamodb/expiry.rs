//! Expired items: DynamoDB deletes items once the time in one of their attributes has passed.
//!
//! On AWS that takes up to a few days. Here it happens with the first call to DynamoDB that is made a minute of the
//! sandbox's clock after the last time. DynamoDB calls KMS for itself, by the table's grant, so no permission of a user
//! counts and the trail shows the service. A table whose key can't be used keeps its items until it can.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::Items;
use super::number::Number;
use super::ops::write::{Action, Conditional, Write};
use super::table::Table;
use super::table_keys::TableKeys;
use super::unlock::unlock;
use super::value::{AttributeValue, Item};
use crate::policy::Principal;
use crate::sandbox::account::Account;
use crate::sandbox::authorize::regional_name;
use crate::sandbox::context::{Caller, ConnectionId, Context, Origin};
use crate::sandbox::error::Fault;

/// The service that deletes.
const SERVICE: &str = "dynamodb.amazonaws.com";
/// How often DynamoDB looks, in seconds of the sandbox's clock.
const INTERVAL: f64 = 60.0;
/// Items whose time is older than this stay (DynamoDB guide), in seconds: five years.
const OLDEST: f64 = 5.0 * 365.0 * 86_400.0;
/// The most items that one table loses at a time.
const MOST_ITEMS: usize = 1000;

/// Whether it is time to look for expired items.
pub fn is_due(account: &Account) -> bool {
    let waited = account.state.clock.epoch_seconds() - account.expiry_checked >= INTERVAL;
    waited && account.state.dynamodb.tables.values().any(|table| attribute(table).is_some())
}

/// Deletes expired items, in a transaction of its own before a call to DynamoDB.
///
/// # Errors
/// When the sandbox itself fails. KMS's refusals are in the trail.
pub fn delete_expired(cx: &mut Context<'_>) -> Result<(), Fault> {
    let now = cx.account.state.clock.epoch_seconds();
    cx.account.expiry_checked = now;
    cx.account.table_keys.expire(cx.account.state.clock.now());
    let tables = cx.account.state.dynamodb.tables.values();
    let due: Vec<(Arc<Table>, String)> =
        tables.filter_map(|table| Some((Arc::clone(table), attribute(table)?))).collect();
    let own = service_caller(cx);
    let caller = std::mem::replace(&mut cx.caller, own);
    let result = due.iter().try_for_each(|(table, attribute)| delete_from(cx, table, attribute, now));
    cx.caller = caller;
    result
}

/// The attribute that holds the time of a table's items, if they expire and the table's key can be used.
fn attribute(table: &Table) -> Option<String> {
    let usable = table.inaccessible_since.is_none() && table.archived_at.is_none();
    let setting = table.time_to_live.as_ref().filter(|setting| setting.enabled && usable)?;
    Some(setting.attribute.clone())
}

/// DynamoDB itself, with a request of its own.
fn service_caller(cx: &mut Context<'_>) -> Caller {
    let service = regional_name(SERVICE, &cx.account.region);
    Caller {
        principal: Arc::new(Principal::service(&service)),
        permissions: Arc::default(),
        limits: Arc::default(),
        access_key_id: String::new(),
        via: Some(SERVICE),
        origin: Arc::new(Origin {
            request_id: cx.entropy.uuid().to_string(),
            source_ip: SERVICE.to_owned(),
            user_agent: SERVICE.to_owned(),
            explains: false,
            // No client's: nobody else uses the table keys in its cache.
            connection: ConnectionId::MAX,
        }),
    }
}

fn delete_from(cx: &mut Context<'_>, table: &Arc<Table>, attribute: &str, now: f64) -> Result<(), Fault> {
    let (count, _) = Items::of(cx.account.store.connection(), &table.name).statistics()?;
    if count == 0 {
        return Ok(());
    }
    let keys = match unlock(cx, table) {
        Ok(keys) => keys,
        Err(Fault::Internal(message)) => return Err(Fault::Internal(message)),
        // KMS refuses. DynamoDB tries again.
        Err(_) => return Ok(()),
    };
    for item in expired(cx.account, table, &keys, attribute, now)? {
        let key = table.schema.key_of_item(&item)?.to_item(&table.schema);
        let write = Write::new(Arc::clone(table), key, Action::Delete, Conditional::default())?;
        write.prepare(cx, &keys)?.store(cx, &keys)?;
    }
    Ok(())
}

/// The first expired items of a table.
fn expired(account: &Account, table: &Table, keys: &TableKeys, attribute: &str, now: f64) -> Result<Vec<Item>, Fault> {
    let bound = |seconds: f64| Number::parse(&format!("{seconds:.0}")).map(AttributeValue::Number);
    let (Ok(oldest), Ok(now)) = (bound((now - OLDEST).floor()), bound(now.floor())) else { return Ok(Vec::new()) };
    // A time that is no number never comes.
    let is_expired = |time: &AttributeValue| {
        time.compare(&now).is_some_and(|order| order.is_lt())
            && time.compare(&oldest).is_some_and(|order| order.is_ge())
    };
    let mut found: Vec<Item> = Vec::new();
    Items::of(account.store.connection(), &table.name).scan::<Fault>(&[], None, |stored| {
        let item: BTreeMap<_, _> = keys.open_item(&stored.row, stored.sealed.nonce, &stored.sealed.sealed)?;
        if item.get(attribute).is_some_and(is_expired) {
            found.push(item);
        }
        Ok(found.len() < MOST_ITEMS)
    })?;
    Ok(found)
}
