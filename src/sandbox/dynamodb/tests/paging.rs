use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::lab::Lab;

/// `partitions` × `each` items with a numeric sort key, put in an order that is not theirs.
fn lab(partitions: usize, each: usize) -> Lab {
    let mut lab = Lab::new();
    lab.ok(
        "CreateTable",
        json!({
            "TableName": "events",
            "AttributeDefinitions": [
                {"AttributeName": "who", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "N"},
            ],
            "KeySchema": [{"AttributeName": "who", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
            "BillingMode": "PAY_PER_REQUEST",
        }),
    );
    for p in 0..partitions {
        for n in (0..each).rev() {
            let item = json!({"who": {"S": format!("p{p}")}, "at": {"N": (n as i64 * 7 - 11).to_string()}, "even": {"BOOL": n % 2 == 0}});
            lab.ok("PutItem", json!({"TableName": "events", "Item": item}));
        }
    }
    lab
}

/// Follows LastEvaluatedKey to the end: all items, and how many pages there were.
fn all(lab: &mut Lab, operation: &str, mut input: Value) -> (Vec<Value>, usize) {
    let (mut items, mut pages) = (Vec::new(), 0);
    loop {
        let page = lab.ok(operation, input.clone());
        pages += 1;
        items.extend(page["Items"].as_array().unwrap().iter().cloned());
        match page.get("LastEvaluatedKey") {
            Some(key) => input["ExclusiveStartKey"] = key.clone(),
            None => return (items, pages),
        }
    }
}

fn distinct(items: &[Value]) -> usize {
    items.iter().map(Value::to_string).collect::<BTreeSet<_>>().len()
}

fn query(condition: &str, values: Value) -> Value {
    json!({"TableName": "events", "KeyConditionExpression": condition, "ExpressionAttributeValues": values})
}

fn times(items: &[Value]) -> Vec<i64> {
    items.iter().map(|item| item["at"]["N"].as_str().unwrap().parse().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_scan_meets_each_item_once(partitions in 0usize..5, each in 0usize..6, limit in 1usize..12) {
        let mut lab = lab(partitions, each);
        let (items, _) = all(&mut lab, "Scan", json!({"TableName": "events", "Limit": limit}));
        prop_assert_eq!(items.len(), partitions * each);
        prop_assert_eq!(distinct(&items), partitions * each);
    }

    #[test]
    fn segments_share_the_table(partitions in 0usize..9, total in 1usize..6, limit in 1usize..4) {
        let mut lab = lab(partitions, 2);
        let mut items = Vec::new();
        for segment in 0..total {
            let input = json!({"TableName": "events", "Segment": segment, "TotalSegments": total, "Limit": limit});
            items.extend(all(&mut lab, "Scan", input).0);
        }
        prop_assert_eq!(items.len(), partitions * 2);
        prop_assert_eq!(distinct(&items), partitions * 2);
    }

    #[test]
    fn a_query_is_ordered_and_meets_each_item_once(each in 0usize..12, limit in 1usize..5, forward: bool) {
        let mut lab = lab(2, each);
        let mut input = query("who = :w", json!({":w": {"S": "p1"}}));
        input["Limit"] = json!(limit);
        input["ScanIndexForward"] = json!(forward);
        let (items, _) = all(&mut lab, "Query", input);
        let mut want: Vec<i64> = (0..each as i64).map(|n| n * 7 - 11).collect();
        if !forward {
            want.reverse();
        }
        prop_assert_eq!(times(&items), want);
    }
}

#[test]
fn a_scan_orders_a_partition_by_sort_key() {
    let mut lab = lab(3, 8);
    for limit in [1, 3, 100] {
        let (items, _) = all(&mut lab, "Scan", json!({"TableName": "events", "Limit": limit}));
        let mut partitions: Vec<&str> = items.iter().map(|item| item["who"]["S"].as_str().unwrap()).collect();
        partitions.dedup();
        assert_eq!(partitions.len(), 3, "a partition comes in one piece");
        for partition in partitions {
            let of_it: Vec<Value> = items.iter().filter(|item| item["who"]["S"] == partition).cloned().collect();
            assert_eq!(times(&of_it), [-11, -4, 3, 10, 17, 24, 31, 38], "limit {limit}");
        }
    }
}

#[test]
fn a_full_page_names_its_last_item_even_at_the_end() {
    let mut lab = lab(1, 2);
    let page = lab.ok("Scan", json!({"TableName": "events", "Limit": 2}));
    assert!(page.get("LastEvaluatedKey").is_some());
    let page = lab.ok("Scan", json!({"TableName": "events", "Limit": 3}));
    assert!(page.get("LastEvaluatedKey").is_none());
}

#[test]
fn sort_key_conditions() {
    let mut lab = lab(2, 6); // -11 -4 3 10 17 24
    for (condition, want) in [
        ("who = :w AND at < :a", vec![-11, -4]),
        ("who = :w AND at <= :a", vec![-11, -4, 3]),
        ("who = :w AND at > :a", vec![10, 17, 24]),
        ("who = :w AND at >= :a", vec![3, 10, 17, 24]),
        ("who = :w AND at = :a", vec![3]),
        ("at BETWEEN :a AND :b AND who = :w", vec![3, 10, 17]),
    ] {
        let condition = condition.replace("at ", "#at ");
        let mut values = json!({":w": {"S": "p0"}, ":a": {"N": "3.0"}});
        if condition.contains(":b") {
            values[":b"] = json!({"N": "17"});
        }
        let mut input = query(&condition, values);
        input["ExpressionAttributeNames"] = json!({"#at": "at"});
        assert_eq!(times(lab.ok("Query", input)["Items"].as_array().unwrap()), want, "{condition}");
    }
}

#[test]
fn filters_count_what_was_scanned() {
    let mut lab = lab(1, 5);
    let values = json!({":t": {"BOOL": true}});
    let input = json!({"TableName": "events", "FilterExpression": "even = :t", "ExpressionAttributeValues": values});
    let page = lab.ok("Scan", input.clone());
    assert_eq!((&page["Count"], &page["ScannedCount"]), (&json!(3), &json!(5)));
    let mut counted = input;
    counted["Select"] = json!("COUNT");
    assert_eq!(lab.ok("Scan", counted), json!({"Count": 3, "ScannedCount": 5}));
    let projected = json!({"TableName": "events", "ProjectionExpression": "#a", "ExpressionAttributeNames": {"#a": "at"}, "Limit": 1});
    assert_eq!(lab.ok("Scan", projected)["Items"][0].as_object().unwrap().len(), 1);
}

#[test]
fn a_page_holds_at_most_a_megabyte() {
    let mut lab = Lab::new();
    lab.table("large", Value::Null);
    for n in 0..7 {
        let item = json!({"id": {"S": n.to_string()}, "x": {"S": "y".repeat(300_000)}});
        lab.ok("PutItem", json!({"TableName": "large", "Item": item}));
    }
    let (items, pages) = all(&mut lab, "Scan", json!({"TableName": "large"}));
    assert_eq!((items.len(), pages), (7, 3));
    assert_eq!(distinct(&items), 7);
}

#[test]
fn paging_goes_on_though_the_start_was_deleted() {
    let mut lab = lab(3, 3);
    let first = lab.ok("Scan", json!({"TableName": "events", "Limit": 4}));
    let last = first["LastEvaluatedKey"].clone();
    lab.ok("DeleteItem", json!({"TableName": "events", "Key": last}));
    let (rest, _) = all(&mut lab, "Scan", json!({"TableName": "events", "ExclusiveStartKey": last}));
    assert_eq!(rest.len(), 5);
}

#[test]
fn a_start_outside_the_query_is_refused() {
    let mut lab = lab(2, 2);
    let mut input = query("who = :w", json!({":w": {"S": "p0"}}));
    input["ExclusiveStartKey"] = json!({"who": {"S": "p1"}, "at": {"N": "3"}});
    let (_, message) = lab.fails("Query", input);
    assert_eq!(message, "The provided starting key is outside query boundaries based on provided conditions");
}

#[test]
fn a_start_in_another_segment_is_refused() {
    let mut lab = lab(40, 1);
    let segment = |number: usize| json!({"TableName": "events", "Segment": number, "TotalSegments": 2, "Limit": 1});
    let start = lab.ok("Scan", segment(0))["LastEvaluatedKey"].clone();
    let mut input = segment(1);
    input["ExclusiveStartKey"] = start;
    let (code, message) = lab.fails("Scan", input);
    assert_eq!(code, "ValidationException");
    assert!(message.contains("ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: 1"), "{message}");
}

#[test]
fn a_batch_hands_back_what_is_beyond_sixteen_megabytes() {
    let mut lab = Lab::new();
    lab.table("large", Value::Null);
    let keys: Vec<Value> = (0..45).map(|n| json!({"id": {"S": format!("{n:02}")}})).collect();
    for key in &keys {
        let mut item = key.clone();
        item["x"] = json!({"S": "y".repeat(400_000)});
        lab.ok("PutItem", json!({"TableName": "large", "Item": item}));
    }
    let request = json!({"large": {"Keys": keys, "ProjectionExpression": "id"}});
    let first = lab.ok("BatchGetItem", json!({"RequestItems": request}));
    let rest = first["UnprocessedKeys"].clone();
    assert_eq!(rest["large"]["ProjectionExpression"], "id");
    let second = lab.ok("BatchGetItem", json!({"RequestItems": rest}));
    assert_eq!(second["UnprocessedKeys"], json!({}));
    let all = [first, second].map(|answer| answer["Responses"]["large"].as_array().unwrap().clone());
    assert_eq!(all[0].len(), 41); // 16 MB of items, not of what is projected
    assert_eq!(all.concat(), keys);
}
