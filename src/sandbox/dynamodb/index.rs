//! Secondary indexes: what a table knows about one, and which items and attributes are in it.
//!
//! Nothing of an index is stored but its definition. Its entries are computed from the table's items when it is read, so
//! they are always current and nobody can read them without the table's key.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key::{KeyAttribute, KeySchema, KeyType};
use super::table::{Billing, Table};
use super::value::Item;
use crate::sandbox::error::Fault;

/// The attributes in an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Projected {
    /// `ALL`
    All,
    /// `KEYS_ONLY`
    KeysOnly,
    /// `INCLUDE`, with the other attributes.
    Include(Vec<String>),
}

/// The kind of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// It has a partition key of its own.
    Global {
        /// How its capacity is paid for.
        billing: Billing,
    },
    /// It has the table's partition key.
    Local,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// `IndexName`
    pub name: String,
    /// Its key.
    pub schema: KeySchema,
    /// The attributes in it.
    pub projection: Projected,
    /// Global or local.
    pub scope: Scope,
}

impl Index {
    /// Whether it is a global one.
    pub fn is_global(&self) -> bool {
        matches!(self.scope, Scope::Global { .. })
    }

    /// Whether an item is in the index: only an item with all of its key is.
    pub fn has(&self, item: &Item) -> bool {
        self.schema.attributes().all(|attribute| item.contains_key(&attribute.name))
    }

    /// What the index has of an item of `table`.
    pub fn project(&self, table: &Table, item: &Item) -> Item {
        let is_key = |name: &str| self.schema.contains(name) || table.schema.contains(name);
        let is_in = |name: &String| match &self.projection {
            Projected::All => true,
            Projected::KeysOnly => is_key(name),
            Projected::Include(others) => is_key(name) || others.contains(name),
        };
        item.iter().filter(|(name, _)| is_in(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The description of the index of `table`. Sizes are 0: AWS counts about every six hours, the sandbox never.
    pub fn describe(&self, table: &Table, status: &str) -> Value {
        let mut projection = json!({ "ProjectionType": match self.projection {
            Projected::All => "ALL",
            Projected::KeysOnly => "KEYS_ONLY",
            Projected::Include(_) => "INCLUDE",
        } });
        if let Projected::Include(others) = &self.projection {
            projection["NonKeyAttributes"] = json!(others);
        }
        let mut description = json!({
            "IndexName": self.name,
            "KeySchema": self.schema.to_json(),
            "Projection": projection,
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "IndexArn": format!("{}/index/{}", table.arn, self.name),
        });
        if let Scope::Global { billing } = self.scope {
            description["IndexStatus"] = json!(status);
            description["ProvisionedThroughput"] = billing.throughput();
        }
        description
    }

    /// Refuses an item whose key in the index is of another type, or empty.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn check(&self, item: &Item) -> Result<(), Fault> {
        self.schema.attributes().try_for_each(|attribute| self.check_attribute(attribute, item))
    }

    fn check_attribute(&self, attribute: &KeyAttribute, item: &Item) -> Result<(), Fault> {
        let KeyAttribute { name, kind } = attribute;
        let Some(value) = item.get(name) else { return Ok(()) };
        if value.type_name() != kind.name() {
            return Err(Fault::invalid(format!(
                "One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {} Actual: {} \
                 IndexName: {}",
                kind.name(),
                value.type_name(),
                self.name
            )));
        }
        if value.size() == 0 {
            let kind = if *kind == KeyType::String { "string" } else { "binary" };
            return Err(Fault::invalid(format!(
                "One or more parameter values are not valid. A value specified for a secondary index key is not \
                 supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {}, \
                 IndexKey: {name}",
                self.name
            )));
        }
        Ok(())
    }
}

impl Table {
    /// The index of this name.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn index(&self, name: &str) -> Result<&Index, Fault> {
        let found = self.indexes.iter().find(|index| index.name == name);
        found.ok_or_else(|| Fault::invalid(format!("The table does not have the specified index: {name}")))
    }

    /// Refuses an item that doesn't fit into an index of the table.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn check_index_keys(&self, item: &Item) -> Result<(), Fault> {
        self.indexes.iter().try_for_each(|index| index.check(item))
    }

    /// `AttributeDefinitions`: the attributes of all keys, each once.
    pub fn definitions(&self) -> Value {
        let mut attributes: Vec<&KeyAttribute> = Vec::new();
        let schemas = std::iter::once(&self.schema).chain(self.indexes.iter().map(|index| &index.schema));
        for attribute in schemas.flat_map(KeySchema::attributes) {
            if !attributes.iter().any(|other| other.name == attribute.name) {
                attributes.push(attribute);
            }
        }
        let definition = |attribute: &&KeyAttribute| json!({ "AttributeName": attribute.name, "AttributeType": attribute.kind.name() });
        attributes.iter().map(definition).collect()
    }

    /// Adds the descriptions of the indexes, all with one status.
    pub fn describe_indexes(&self, description: &mut Value, status: &str) {
        for (member, wanted) in [("GlobalSecondaryIndexes", true), ("LocalSecondaryIndexes", false)] {
            let indexes = self.indexes.iter().filter(|index| index.is_global() == wanted);
            let described: Vec<Value> = indexes.map(|index| index.describe(self, status)).collect();
            if !described.is_empty() {
                description[member] = Value::Array(described);
            }
        }
    }

    /// Shows an index that is being made or deleted in a description.
    pub fn show_change(&self, description: &mut Value, index: &Index, status: &str) {
        let shown = index.describe(self, status);
        match description["GlobalSecondaryIndexes"].as_array_mut() {
            None => description["GlobalSecondaryIndexes"] = json!([shown]),
            Some(all) => match all.iter_mut().find(|other| other["IndexName"] == index.name.as_str()) {
                Some(same) => *same = shown,
                None => all.push(shown),
            },
        }
    }
}
