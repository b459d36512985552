//! What Scan and Query share: filter, projection, select, and the limits of a page.

use serde_json::{Value, json};

use super::super::capacity::{Report, read_units};
use super::super::expression::condition::Condition;
use super::super::expression::placeholders::Placeholders;
use super::super::expression::projection::Projection;
use super::super::index::{Index, Projected};
use super::super::members::Expressions;
use super::super::table::Table;
use super::super::table_name::TableName;
use super::super::value::{AttributeValue, Item, item_size, item_to_json};
use crate::sandbox::account::Account;
use crate::sandbox::error::Fault;
use crate::sandbox::validate::{Later, Members};

/// The most that one page reads, in bytes of items, before filtering.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// What a page contains.
pub struct Shape {
    pub filter: Option<Condition>,
    projection: Option<Projection>,
    limit: Option<usize>,
    consistent: bool,
    select: Option<&'static str>,
    /// `IndexName`
    pub index: Option<String>,
    report: Report,
}

/// The members that Scan and Query have in common.
pub struct PageRequest {
    limit: Later<Option<i64>>,
    select: Later<Option<&'static str>>,
    /// `IndexName`
    pub index: Later<Option<String>>,
    legacy: Later<()>,
    capacity: Later<Report>,
    consistent: Later<Option<bool>>,
    /// The expressions.
    pub expressions: Expressions,
    /// `ExclusiveStartKey`
    pub start: Option<Value>,
}

/// Reads a Scan's `Limit`.
///
/// # Errors
/// `SerializationException`
pub fn parse_limit(members: &Members<'_>) -> Later<Option<i64>> {
    members.integer("Limit", 1..=i64::MAX)
}

/// Reads a Query's `Limit`. Its violation is spelled in another way than a Scan's, as nubo-db's conformance suite has
/// observed.
///
/// # Errors
/// `SerializationException`, and `ValidationException` for less than 1.
pub fn parse_query_limit(members: &Members<'_>) -> Later<Option<i64>> {
    let limit = members.integer("Limit", i64::MIN..=i64::MAX)?;
    if limit.is_some_and(|limit| limit < 1) {
        members.unshown_violation("Limit", "Member must have value greater than or equal to 1");
    }
    Ok(limit)
}

/// Reads `Select`.
///
/// # Errors
/// `SerializationException`
pub fn parse_select(members: &Members<'_>) -> Later<Option<&'static str>> {
    const SELECTS: [&str; 4] = ["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"];
    members.choice("Select", &SELECTS)
}

impl PageRequest {
    /// Reads the members. `limit` and `select` have another order in Scan than in Query, which shows in errors. `legacy`
    /// are the operation's parameters from before expressions.
    pub fn parse(
        members: &Members<'_>,
        limit: Later<Option<i64>>,
        select: Later<Option<&'static str>>,
        legacy: &[&str],
    ) -> Self {
        let (expressions, legacy) = Expressions::parse_with_legacy(members, legacy);
        Self {
            limit,
            select,
            capacity: Report::parse(members),
            index: members.text("IndexName").map(|name| name.map(str::to_owned)),
            legacy,
            consistent: members.flag("ConsistentRead"),
            expressions,
            start: members.value("ExclusiveStartKey").cloned(),
        }
    }
}

impl PageRequest {
    /// The ARN that policies name: the table's, or the index's.
    pub fn arn(&self, table: &TableName, account: &Account) -> String {
        match &self.index {
            Ok(Some(index)) => format!("{}/index/{index}", table.arn(account)),
            _ => table.arn(account),
        }
    }
}

impl Shape {
    /// Checks the members and parses the expressions.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn new(request: PageRequest, placeholders: &mut Placeholders) -> Result<Self, Fault> {
        request.legacy?;
        let index = request.index?;
        let select = request.select?;
        let limit = request.limit?.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (report, consistent) = (request.capacity?, request.consistent?.unwrap_or(false));
        let projection = request.expressions.projection(placeholders)?;
        check_select(select, projection.is_some(), index.is_some())?;
        let filter = request.expressions.condition("FilterExpression", placeholders)?;
        Ok(Self { filter, projection, limit, consistent, select, index, report })
    }

    /// The index that is read, of those that `table` has.
    ///
    /// # Errors
    /// `ValidationException` for one that it doesn't have, and for what a global index can't do.
    pub fn index_of<'t>(&self, table: &'t Table) -> Result<Option<&'t Index>, Fault> {
        let Some(name) = &self.index else { return Ok(None) };
        let index = table.index(name)?;
        if index.is_global() && self.consistent {
            return Err(Fault::invalid("Consistent reads are not supported on global secondary indexes"));
        }
        if index.is_global() && self.select == Some("ALL_ATTRIBUTES") && index.projection != Projected::All {
            return Err(Fault::invalid(format!(
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global \
                 secondary index {name} because its projection type is not ALL"
            )));
        }
        Ok(Some(index))
    }

    /// What a read of `index` sees of an item. A local index fetches from the table what it doesn't have.
    pub fn seen(&self, table: &Table, index: &Index, item: Item) -> Item {
        let wants_all = self.select == Some("ALL_ATTRIBUTES") || self.projection.is_some();
        if !index.is_global() && wants_all { item } else { index.project(table, &item) }
    }

    fn counts_only(&self) -> bool {
        self.select == Some("COUNT")
    }
}

fn check_select(select: Option<&str>, has_projection: bool, has_index: bool) -> Result<(), Fault> {
    let refusal = match (select, has_projection) {
        (Some("ALL_PROJECTED_ATTRIBUTES"), true) if has_index => {
            "Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES"
        }
        (Some("ALL_PROJECTED_ATTRIBUTES"), _) if !has_index => {
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
        }
        (Some("ALL_ATTRIBUTES"), true) => "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        (Some("COUNT"), true) => "Cannot specify the ProjectionExpression when choosing to get only the Count",
        (Some("SPECIFIC_ATTRIBUTES"), false) => {
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        }
        _ => return Ok(()),
    };
    Err(Fault::invalid(refusal))
}

/// An item with its sort key, if the table has one.
pub type SortedItem = (Option<AttributeValue>, Item);

/// The sort key of an item of `table`.
pub fn sort_key(table: &Table, item: &Item) -> Option<AttributeValue> {
    item.get(&table.schema.range.as_ref()?.name).cloned()
}

/// Puts the items of one partition in the order of their sort keys.
pub fn sort(items: &mut [SortedItem]) {
    items.sort_by(|(a, _), (b, _)| {
        a.as_ref().zip(b.as_ref()).and_then(|(a, b)| a.compare(b)).unwrap_or(std::cmp::Ordering::Equal)
    });
}

/// A page in the making.
pub struct Page<'a> {
    shape: &'a Shape,
    table: &'a Table,
    index: Option<&'a Index>,
    items: Vec<Value>,
    count: usize,
    scanned: usize,
    bytes: usize,
    /// The key of the last item that was read.
    last: Option<Item>,
    more: bool,
}

impl<'a> Page<'a> {
    pub fn new(shape: &'a Shape, table: &'a Table) -> Self {
        Self { shape, table, index: None, items: Vec::new(), count: 0, scanned: 0, bytes: 0, last: None, more: false }
    }

    /// A page of an index.
    pub fn of_index(shape: &'a Shape, table: &'a Table, index: &'a Index) -> Self {
        Self { index: Some(index), ..Self::new(shape, table) }
    }

    fn key_of(&self, item: &Item) -> Item {
        let schemas = || std::iter::once(&self.table.schema).chain(self.index.map(|index| &index.schema));
        let is_key = |name: &String| schemas().any(|schema| schema.contains(name));
        item.iter().filter(|(name, _)| is_key(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Takes the next item; `false` once the page is full.
    pub fn take(&mut self, item: &Item) -> bool {
        let size = item_size(item);
        if self.scanned > 0 && self.bytes + size > MAX_PAGE_BYTES {
            self.more = true;
            return false;
        }
        self.bytes += size;
        self.scanned += 1;
        self.last = Some(self.key_of(item));
        if self.shape.filter.as_ref().is_none_or(|filter| filter.holds(item)) {
            self.count += 1;
            if !self.shape.counts_only() {
                self.items.push(match &self.shape.projection {
                    Some(projection) => item_to_json(&projection.apply(item)),
                    None => item_to_json(item),
                });
            }
        }
        // A page that reached its limit names its last item even if that was the table's last, as DynamoDB does.
        self.more = self.shape.limit.is_some_and(|limit| self.scanned >= limit);
        !self.more
    }

    /// The output.
    pub fn finish(self) -> Value {
        let mut output = json!({ "Count": self.count, "ScannedCount": self.scanned });
        if !self.shape.counts_only() {
            output["Items"] = Value::Array(self.items);
        }
        if let (true, Some(last)) = (self.more, &self.last) {
            output["LastEvaluatedKey"] = item_to_json(last);
        }
        let units = read_units(self.bytes, self.shape.consistent);
        self.shape.report.add_read(&mut output, &self.table.name, self.index, units);
        output
    }
}
