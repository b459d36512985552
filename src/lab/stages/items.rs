//! The sample items.

use serde_json::{Map, Value};

/// The items that `create_table` puts: DynamoDB JSON.
const ITEMS: &str = include_str!("../../../assets/items.json");

/// The sample items.
pub fn items() -> Vec<Map<String, Value>> {
    // The asset is part of the program and a test parses it.
    serde_json::from_str(ITEMS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_items_are_three_with_different_keys() {
        let items = items();
        assert_eq!(items.len(), 3);
        let ids: std::collections::BTreeSet<_> = items.iter().map(|item| item["id"]["S"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 3);
    }
}
