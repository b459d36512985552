//! Lists a page at a time: `Limit`, `Marker`, `Truncated`, `NextMarker`.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::error::KmsError;
use crate::sandbox::error::Fault;
use crate::sandbox::validate::Members;

/// Where a page starts and how long it is.
#[derive(Debug)]
pub struct Page {
    limit: usize,
    /// The sort key of the last item of the page before.
    after: Option<String>,
}

impl Page {
    /// Reads `Limit` and `Marker`.
    ///
    /// # Errors
    /// `InvalidMarkerException`, `SerializationException`.
    pub fn parse(members: &Members<'_>, limits: RangeInclusive<i64>, default: i64) -> Result<Self, Fault> {
        let limit = members.integer("Limit", limits)?.unwrap_or(default);
        let marker = members.optional_str("Marker", 1..=1024)?;
        let after = marker
            .map(|marker| {
                let bytes = URL_SAFE_NO_PAD.decode(marker).ok()?;
                String::from_utf8(bytes).ok()
            })
            .map(|after| after.ok_or(KmsError::InvalidMarker))
            .transpose()?;
        Ok(Self { limit: usize::try_from(limit).unwrap_or(1), after })
    }

    /// The output: `member` holds the page. Items come with the key they are sorted by, which must be unique.
    pub fn output(&self, member: &str, items: impl IntoIterator<Item = (String, Value)>) -> Value {
        let mut items: Vec<_> =
            items.into_iter().filter(|(key, _)| self.after.as_ref().is_none_or(|after| key > after)).collect();
        items.sort_by(|(a, _), (b, _)| a.cmp(b));
        let truncated = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| truncated).map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
        let mut output = json!({ "Truncated": truncated });
        output[member] = items.into_iter().map(|(_, item)| item).collect();
        if let Some(next) = next {
            output["NextMarker"] = Value::from(next);
        }
        output
    }
}
