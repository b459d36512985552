//! What Scan and Query share: filter, projection, select, and the limits of a page.

use serde_json::{Value, json};

use super::super::capacity::{Report, read_units};
use super::super::expression::condition::Condition;
use super::super::expression::placeholders::Placeholders;
use super::super::expression::projection::Projection;
use super::super::key::Key;
use super::super::members::Expressions;
use super::super::table::Table;
use super::super::value::{AttributeValue, Item, item_size, item_to_json};
use crate::sandbox::error::Fault;
use crate::sandbox::validate::{Later, Members};

/// The most that one page reads, in bytes of items, before filtering.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// What a page contains.
pub struct Shape {
    pub filter: Option<Condition>,
    projection: Option<Projection>,
    count_only: bool,
    limit: Option<usize>,
    consistent: bool,
    report: Report,
}

/// The members that Scan and Query have in common.
pub struct PageRequest {
    limit: Later<Option<i64>>,
    select: Later<Option<&'static str>>,
    index: Later<Option<String>>,
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

impl Shape {
    /// Checks the members and parses the expressions.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn new(request: PageRequest, placeholders: &mut Placeholders) -> Result<Self, Fault> {
        request.legacy?;
        if let Some(index) = request.index? {
            return Err(Fault::invalid(format!("The table does not have the specified index: {index}")));
        }
        let select = request.select?;
        let limit = request.limit?.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (report, consistent) = (request.capacity?, request.consistent?.unwrap_or(false));
        let projection = request.expressions.projection(placeholders)?;
        check_select(select, projection.is_some())?;
        let filter = request.expressions.condition("FilterExpression", placeholders)?;
        Ok(Self { filter, projection, count_only: select == Some("COUNT"), limit, consistent, report })
    }
}

fn check_select(select: Option<&str>, has_projection: bool) -> Result<(), Fault> {
    let refusal = match (select, has_projection) {
        (Some("ALL_PROJECTED_ATTRIBUTES"), _) => {
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
    items: Vec<Value>,
    count: usize,
    scanned: usize,
    bytes: usize,
    last: Option<Key>,
    more: bool,
}

impl<'a> Page<'a> {
    pub fn new(shape: &'a Shape, table: &'a Table) -> Self {
        Self { shape, table, items: Vec::new(), count: 0, scanned: 0, bytes: 0, last: None, more: false }
    }

    /// Takes the next item; `false` once the page is full.
    ///
    /// # Errors
    /// When the item has no key, which no stored item is without.
    pub fn take(&mut self, item: &Item) -> Result<bool, Fault> {
        let size = item_size(item);
        if self.scanned > 0 && self.bytes + size > MAX_PAGE_BYTES {
            self.more = true;
            return Ok(false);
        }
        self.bytes += size;
        self.scanned += 1;
        self.last = Some(self.table.schema.key_of_item(item)?);
        if self.shape.filter.as_ref().is_none_or(|filter| filter.holds(item)) {
            self.count += 1;
            if !self.shape.count_only {
                self.items.push(match &self.shape.projection {
                    Some(projection) => item_to_json(&projection.apply(item)),
                    None => item_to_json(item),
                });
            }
        }
        // A page that reached its limit names its last item even if that was the table's last, as DynamoDB does.
        self.more = self.shape.limit.is_some_and(|limit| self.scanned >= limit);
        Ok(!self.more)
    }

    /// The output.
    pub fn finish(self) -> Value {
        let mut output = json!({ "Count": self.count, "ScannedCount": self.scanned });
        if !self.shape.count_only {
            output["Items"] = Value::Array(self.items);
        }
        if let (true, Some(last)) = (self.more, &self.last) {
            output["LastEvaluatedKey"] = item_to_json(&last.to_item(&self.table.schema));
        }
        self.shape.report.add(&mut output, &self.table.name, read_units(self.bytes, self.shape.consistent));
        output
    }
}
