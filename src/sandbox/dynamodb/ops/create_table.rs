//! CreateTable: a table, its table key under the key that was asked for, and its data key under the table key.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::key::{KeyAttribute, KeySchema, KeyType};
use super::super::members;
use super::super::sse::SseRequest;
use super::super::table::{Billing, Phase, Table};
use super::super::table_keys::new_data_key;
use super::super::table_name::TableName;
use super::super::unlock::{new_table_key, resolve_key};
use super::describe_table::authorize;
use super::index_request::{IndexRequest, check_used, indexes};
use super::tags::{check_count, parse_tags};
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// Members of AWS's operation that the sandbox does not have.
const UNSUPPORTED: [&str; 4] = ["OnDemandThroughput", "WarmThroughput", "ResourcePolicy", "GlobalTableSourceArn"];
const TABLE_CLASSES: [&str; 2] = ["STANDARD", "STANDARD_INFREQUENT_ACCESS"];
/// The values of `BillingMode`.
pub const BILLING_MODES: [&str; 2] = ["PROVISIONED", "PAY_PER_REQUEST"];
/// AWS's sentence about capacity units that come with `PAY_PER_REQUEST`.
pub const UNITS_BY_REQUEST: &str = "One or more parameter values were invalid: Neither ReadCapacityUnits nor \
                                    WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST";

/// `CreateTable`
pub struct CreateTable {
    table: TableName,
    tags: Later<BTreeMap<String, String>>,
    unsupported: Later<()>,
    attributes: Later<Vec<KeyAttribute>>,
    elements: Later<Vec<(String, &'static str)>>,
    indexes: (Later<Vec<IndexRequest>>, Later<Vec<IndexRequest>>),
    billing: Later<Billing>,
    sse: Later<Option<SseRequest>>,
    deletion_protection: Later<Option<bool>>,
}

impl Request for CreateTable {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let definitions = parse_definitions(members);
        let table = TableName::optional(members);
        let elements = parse_elements(members);
        let lists = ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"];
        let [local, global] = lists.map(|list| IndexRequest::parse_all(members, list));
        let mode = members.choice("BillingMode", &BILLING_MODES);
        let throughput = parse_throughput(members);
        let sse = SseRequest::parse(members);
        let tags = parse_tags(members);
        let class = members.choice("TableClass", &TABLE_CLASSES);
        let missing = "The parameter 'TableName' is required but was not present in the request";
        Ok(Self {
            table: table?.ok_or_else(|| Fault::invalid(missing))?,
            unsupported: refuse_unsupported(members, class),
            attributes: definitions.and_then(attributes),
            elements,
            indexes: (local, global),
            billing: mode.and_then(|mode| billing(mode, throughput?)),
            sse,
            tags,
            deletion_protection: members.flag("DeletionProtectionEnabled"),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        authorize(cx, "dynamodb:CreateTable", &self.table)?;
        let tags = self.tags?;
        check_count(tags.len())?;
        if !tags.is_empty() {
            authorize(cx, "dynamodb:TagResource", &self.table)?;
        }
        self.unsupported?;
        let attributes = self.attributes?;
        let (schema, billing) = (schema_of(&attributes, self.elements?)?, self.billing?);
        let indexes = indexes(&attributes, &schema, billing, (self.indexes.0?, self.indexes.1?))?;
        check_used(&attributes, &schema, &indexes)?;
        let sse = self.sse?.unwrap_or(SseRequest::AwsOwned);
        let deletion_protection = self.deletion_protection?.unwrap_or(false);
        let arn = self.table.arn(cx.account);
        if !self.table.is_local(cx.account) {
            return Err(Fault::invalid(format!("{arn} is not in this account and region")));
        }
        if self.table.find(cx.account).is_some() {
            let message = format!("Table already exists: {}", self.table.name);
            return Err(Fault::service(400, "ResourceInUseException", message));
        }

        let id = cx.entropy.uuid().to_string();
        let key_arn = resolve_key(cx, &sse)?;
        let (table_key, encryption) = new_table_key(cx, &self.table.name, &id, key_arn.as_deref())?;
        let table = Table {
            data_key: new_data_key(&mut cx.entropy, &id, &table_key),
            id,
            name: self.table.name,
            arn,
            created: cx.account.state.clock.epoch_seconds(),
            schema,
            billing,
            by_request_since: None,
            deletion_protection,
            tags,
            encryption,
            inaccessible_since: None,
            archived_at: None,
            rekeyed: Vec::new(),
            time_to_live: None,
            recovery: None,
            indexes,
        };
        let (dynamodb, store) = cx.account.dynamodb_mut();
        let table = dynamodb.put_table(store, table)?;
        Ok(json!({ "TableDescription": table.describe(Phase::Creating, 0, 0, table.created) }).into())
    }
}

/// Refuses what the sandbox's tables don't have, rather than ignoring it.
fn refuse_unsupported(members: &Members<'_>, class: Later<Option<&str>>) -> Later<()> {
    members::refuse_unsupported(members, &UNSUPPORTED)?;
    if members.structure("StreamSpecification")?.is_some_and(|s| s.value("StreamEnabled") != Some(&json!(false))) {
        return Err(Fault::invalid("The kmslab sandbox does not support StreamSpecification"));
    }
    if class?.is_some_and(|class| class != "STANDARD") {
        return Err(Fault::invalid("The kmslab sandbox does not support TableClass STANDARD_INFREQUENT_ACCESS"));
    }
    Ok(())
}

/// `AttributeDefinitions`
pub fn parse_definitions(members: &Members<'_>) -> Later<Vec<(String, &'static str)>> {
    parse_attributes(members, "AttributeDefinitions", "AttributeType", &["B", "N", "S"])
}

/// The names and key types of `KeySchema`.
pub fn parse_elements(members: &Members<'_>) -> Later<Vec<(String, &'static str)>> {
    match members.list("KeySchema")? {
        // AWS prints Java objects there.
        Some(list) if list.len() > 2 => {
            let text = |element: &Value, name: &str| element[name].as_str().unwrap_or("null").to_owned();
            let shown = list.iter().map(|element| {
                let (name, kind) = (text(element, "AttributeName"), text(element, "KeyType"));
                format!("KeySchemaElement(attributeName={name}, keyType={kind})")
            });
            let shown = shown.collect::<Vec<_>>().join(", ");
            members.violation(
                "KeySchema",
                format_args!("[{shown}]"),
                "Member must have length less than or equal to 2",
            );
        }
        _ => {
            members.required_list("KeySchema", 1..=2)?;
        }
    }
    parse_attributes(members, "KeySchema", "KeyType", &["HASH", "RANGE"])
}

/// The attributes in a list, each with one of the kinds that it can have there.
fn parse_attributes(
    members: &Members<'_>,
    list: &str,
    kind: &str,
    kinds: &[&'static str],
) -> Later<Vec<(String, &'static str)>> {
    let attribute = |members: &Members<'_>| {
        let name = members.str("AttributeName", 1..=255).map(str::to_owned);
        let kind = members.required_choice(kind, kinds);
        Ok((name?, kind?))
    };
    members.structures(list, "AttributeName")?.iter().map(attribute).collect()
}

/// The attributes that a request defines.
///
/// # Errors
/// `ValidationException` for one that is defined twice.
pub fn attributes(definitions: Vec<(String, &'static str)>) -> Result<Vec<KeyAttribute>, Fault> {
    let mut attributes: Vec<KeyAttribute> = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, kind) in definitions {
        let unknown = || Fault::invalid(format!("The attribute type of {name} is unknown"));
        let kind = KeyType::from_name(kind).ok_or_else(unknown)?;
        if !seen.insert(name.clone()) {
            return Err(Fault::invalid(format!(
                "Cannot specify more than one attribute definition for attribute name: {name}"
            )));
        }
        attributes.push(KeyAttribute { name, kind });
    }
    Ok(attributes)
}

/// The key schema of a table or an index with these elements.
///
/// # Errors
/// `ValidationException`
pub fn schema_of(attributes: &[KeyAttribute], elements: Vec<(String, &'static str)>) -> Result<KeySchema, Fault> {
    for ((_, kind), (wanted, place)) in elements.iter().zip([("HASH", "first"), ("RANGE", "second")]) {
        if *kind != wanted {
            return Err(Fault::invalid(format!(
                "Invalid KeySchema: The {place} KeySchemaElement is not a {wanted} key type"
            )));
        }
    }
    let names: Vec<String> = elements.into_iter().map(|(name, _)| name).collect();
    if let [hash, range] = &names[..]
        && hash == range
    {
        return Err(Fault::invalid("Invalid KeySchema: Some index key attribute have no definition"));
    }
    let find = |name: &String| attributes.iter().find(|attribute| attribute.name == *name).cloned();
    if let Some(unknown) = names.iter().find(|name| find(name).is_none()) {
        let defined: Vec<&str> = attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        return Err(Fault::invalid(format!(
            "One or more parameter values were invalid: Some index key attributes are not defined in \
             AttributeDefinitions. Keys: [{unknown}], AttributeDefinitions: [{}]",
            defined.join(", ")
        )));
    }
    let mut keys = names.iter().filter_map(find);
    let hash = keys.next().ok_or_else(|| Fault::invalid("The key schema is empty"))?;
    Ok(KeySchema { hash, range: keys.next() })
}

/// `BillingMode` and `ProvisionedThroughput` of a new table.
fn billing(mode: Option<&str>, throughput: Option<Billing>) -> Result<Billing, Fault> {
    match (mode, throughput) {
        (Some("PAY_PER_REQUEST"), None) => Ok(Billing::PayPerRequest),
        (Some("PAY_PER_REQUEST"), Some(_)) => Err(Fault::invalid(UNITS_BY_REQUEST)),
        (_, Some(billing)) => Ok(billing),
        (_, None) => Err(Fault::invalid(
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified \
             when BillingMode is PROVISIONED",
        )),
    }
}

/// `ProvisionedThroughput`.
///
/// # Errors
/// `SerializationException`
pub fn parse_throughput(members: &Members<'_>) -> Later<Option<Billing>> {
    let Some(throughput) = members.structure("ProvisionedThroughput")? else { return Ok(None) };
    let units = |name| {
        let units = throughput.integer(name, 1..=i64::MAX)?;
        if units.is_none() {
            throughput.missing(name);
        }
        Ok::<_, Fault>(units.unwrap_or_default().unsigned_abs())
    };
    let (read, write) = (units("ReadCapacityUnits"), units("WriteCapacityUnits"));
    Ok(Some(Billing::Provisioned { read: read?, write: write? }))
}
