//! What Scan and Query share: filter, projection, select, and the limits of a page.

use serde_json::{Value, json};

use super::super::capacity::{Report, read_units};
use super::super::expression::{Condition, Placeholders, Projection};
use super::super::key::Key;
use super::super::request::{self, choice};
use super::super::table::Table;
use super::super::value::{AttributeValue, Item, item_size, item_to_json};
use crate::sandbox::error::Fault;

/// The most that one page reads, in bytes of items, before filtering.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// How to make a page.
pub struct Shape {
    pub filter: Option<Condition>,
    projection: Option<Projection>,
    count_only: bool,
    limit: Option<usize>,
    consistent: bool,
    report: Report,
}

impl Shape {
    /// Reads the members that Scan and Query have in common.
    pub fn of(input: &Value, placeholders: &mut Placeholders) -> Result<Self, Fault> {
        request::refuse_legacy(input)?;
        if let Some(index) = request::text(input, "IndexName")? {
            return Err(Fault::invalid(format!("The table does not have the specified index: {index}")));
        }
        const SELECTS: [&str; 4] = ["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"];
        let select = choice(input, "Select", &SELECTS, "")?;
        let limit = request::count(input, "Limit")?.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let report = Report::of(input)?;
        let consistent = request::flag(input, "ConsistentRead")?.unwrap_or(false);
        let projection = request::text(input, "ProjectionExpression")?
            .map(|text| Projection::parse(text, placeholders))
            .transpose()?;
        let refusal = match (select, &projection) {
            ("ALL_PROJECTED_ATTRIBUTES", _) => {
                Some("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
            }
            ("ALL_ATTRIBUTES", Some(_)) => {
                Some("Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES")
            }
            ("COUNT", Some(_)) => Some("Cannot specify the ProjectionExpression when choosing to get only the Count"),
            ("SPECIFIC_ATTRIBUTES", None) => Some(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
            ),
            _ => None,
        };
        if let Some(refusal) = refusal {
            return Err(Fault::invalid(refusal));
        }
        let filter = request::text(input, "FilterExpression")?
            .map(|text| Condition::parse("FilterExpression", text, placeholders))
            .transpose()?;
        Ok(Self { filter, projection, count_only: select == "COUNT", limit, consistent, report })
    }
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

    /// The answer.
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
