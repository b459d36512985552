//! CreateTable: a table, its table key under the key that was asked for, and its data key under the table key.

use serde_json::{Value, json};

use super::super::key::{KeyAttribute, KeySchema, KeyType};
use super::super::request::{self, TableRef, choice, list, member, structure, text};
use super::super::sse::Wanted;
use super::super::table::{Billing, Phase, Table};
use super::super::{authorise, keyring};
use super::tags::{check_count, read_tags};
use crate::policy::ConditionContext;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    if member(input, "TableName").is_none() {
        return Err(Fault::invalid("The parameter 'TableName' is required but was not present in the request"));
    }
    let target = TableRef::of(&engine.host, input)?;
    authorise(engine, ctx, "CreateTable", &target.arn, &ConditionContext::default())?;
    let tags = read_tags(input)?;
    check_count(tags.len())?;
    if !tags.is_empty() {
        authorise(engine, ctx, "TagResource", &target.arn, &ConditionContext::default())?;
    }
    refuse_unsupported(input)?;
    let schema = read_schema(input)?;
    let billing = read_billing(input)?;
    let wanted = Wanted::of(input)?.unwrap_or(Wanted::AwsOwned);
    let deletion_protection = request::flag(input, "DeletionProtectionEnabled")?.unwrap_or(false);
    if !target.local {
        return Err(Fault::invalid(format!("{} is not in this account and region", target.arn)));
    }
    if engine.dynamodb.find(&target).is_some() {
        let message = format!("Table already exists: {}", target.name);
        return Err(Fault::service(400, "ResourceInUseException", message));
    }

    let id = engine.host.entropy.uuid().to_string();
    let (mut keyring, _) = keyring(engine, ctx);
    let key_arn = keyring.resolve(&wanted)?;
    let (table_key, encryption) = keyring.new_table_key(&target.name, &id, key_arn.as_deref())?;
    let data_key = keyring.new_data_key(&id, &table_key);
    let table = Table {
        id,
        name: target.name,
        arn: target.arn,
        created: engine.host.clock.epoch_seconds(),
        schema,
        billing,
        by_request_since: None,
        deletion_protection,
        tags,
        encryption,
        data_key,
        inaccessible_since: None,
        archived_at: None,
        rekeyed: Vec::new(),
    };
    let table = engine.dynamodb.keep(&mut engine.host, table)?;
    Ok(json!({ "TableDescription": table.describe(Phase::Creating, 0, 0, table.created) }))
}

/// What the sandbox's tables don't have is refused rather than ignored.
fn refuse_unsupported(input: &Value) -> Result<(), Fault> {
    request::refuse_unsupported(
        input,
        &[
            "LocalSecondaryIndexes",
            "GlobalSecondaryIndexes",
            "OnDemandThroughput",
            "WarmThroughput",
            "ResourcePolicy",
            "GlobalTableSourceArn",
        ],
    )?;
    if structure(input, "StreamSpecification")?.is_some_and(|stream| stream["StreamEnabled"] != json!(false)) {
        return Err(Fault::invalid("The kmslab sandbox does not support StreamSpecification"));
    }
    if choice(input, "TableClass", &["STANDARD", "STANDARD_INFREQUENT_ACCESS"], "STANDARD")? != "STANDARD" {
        return Err(Fault::invalid("The kmslab sandbox does not support TableClass STANDARD_INFREQUENT_ACCESS"));
    }
    Ok(())
}

fn required<'a>(value: &'a Value, name: &str, place: &str) -> Result<&'a str, Fault> {
    text(value, name)?.ok_or_else(|| request::constraint("null", place, "Member must not be null"))
}

fn read_schema(input: &Value) -> Result<KeySchema, Fault> {
    let invalid = |message: String| Fault::invalid(message);
    let mut definitions = Vec::new();
    for (index, definition) in list(input, "AttributeDefinitions")?.unwrap_or_default().iter().enumerate() {
        let place = |member: &str| format!("attributeDefinitions.{}.member.{member}", index + 1);
        let name = required(definition, "AttributeName", &place("attributeName"))?;
        let kind = KeyType::from_name(required(definition, "AttributeType", &place("attributeType"))?)
            .ok_or_else(|| invalid(format!("The attribute type of {name} is unknown")))?;
        if definitions.iter().any(|known: &KeyAttribute| known.name == name) {
            return Err(invalid(format!(
                "Cannot specify more than one attribute definition for attribute name: {name}"
            )));
        }
        definitions.push(KeyAttribute { name: name.to_owned(), kind });
    }
    let elements = list(input, "KeySchema")?.unwrap_or_default();
    let mut names = Vec::new();
    for (element, (wanted, place, number)) in elements.iter().zip([("HASH", "first", 1), ("RANGE", "second", 2)]) {
        if choice(element, "KeyType", &["HASH", "RANGE"], "")? != wanted {
            return Err(invalid(format!("Invalid KeySchema: The {place} KeySchemaElement is not a {wanted} key type")));
        }
        names.push(required(element, "AttributeName", &format!("keySchema.{number}.member.attributeName"))?);
    }
    if let [hash, range] = names[..]
        && hash == range
    {
        return Err(invalid(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name".to_owned(),
        ));
    }
    let defined: Vec<&str> = definitions.iter().map(|definition| definition.name.as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !defined.contains(name)) {
        return Err(invalid(format!(
            "One or more parameter values were invalid: Some index key attributes are not defined in \
             AttributeDefinitions. Keys: [{unknown}], AttributeDefinitions: [{}]",
            defined.join(", ")
        )));
    }
    if names.len() != definitions.len() {
        return Err(invalid(
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number \
             of attributes defined in AttributeDefinitions"
                .to_owned(),
        ));
    }
    let mut attributes = names.iter().filter_map(|name| definitions.iter().find(|d| d.name == *name).cloned());
    let hash = attributes.next().ok_or_else(|| request::constraint("null", "keySchema", "Member must not be null"))?;
    Ok(KeySchema { hash, range: attributes.next() })
}

/// `BillingMode` and `ProvisionedThroughput` of a new table.
fn read_billing(input: &Value) -> Result<Billing, Fault> {
    let mode = choice(input, "BillingMode", &["PROVISIONED", "PAY_PER_REQUEST"], "PROVISIONED")?;
    match (mode, read_throughput(input)?) {
        ("PAY_PER_REQUEST", None) => Ok(Billing::PayPerRequest),
        ("PAY_PER_REQUEST", Some(_)) => Err(Fault::invalid(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be \
             specified when BillingMode is PAY_PER_REQUEST",
        )),
        (_, Some(billing)) => Ok(billing),
        (_, None) => Err(Fault::invalid(
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified \
             when BillingMode is PROVISIONED",
        )),
    }
}

/// `ProvisionedThroughput`.
pub fn read_throughput(input: &Value) -> Result<Option<Billing>, Fault> {
    let Some(throughput) = structure(input, "ProvisionedThroughput")? else { return Ok(None) };
    let units = |name: &str| Ok::<_, Fault>(request::count(throughput, name)?.unwrap_or_default());
    Ok(Some(Billing::Provisioned { read: units("ReadCapacityUnits")?, write: units("WriteCapacityUnits")? }))
}
