//! Time to live, point-in-time recovery, limits and endpoints.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{ACCOUNT, Lab, customer};
use crate::sandbox::Config;
use crate::sandbox::log::Verdict;

fn expire(enabled: bool, attribute: &str) -> Value {
    json!({"TableName": "music", "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute}})
}

fn recover(enabled: bool) -> Value {
    json!({"TableName": "music", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": enabled}})
}

fn music() -> Value {
    json!({"TableName": "music"})
}

/// A table `music` under a customer managed key, whose ARN is returned.
fn lab() -> (Lab, String) {
    let mut lab = Lab::new();
    let key = lab.key();
    lab.table("music", customer(&key));
    (lab, key)
}

/// Puts an item that expires in `seconds` by its attribute `t`.
fn put(lab: &mut Lab, id: &str, seconds: i64) {
    let time = lab.engine.account.state.clock.now().unix_timestamp() + seconds;
    lab.ok("PutItem", json!({"TableName": "music", "Item": {"id": {"S": id}, "t": {"N": time.to_string()}}}));
}

fn ids(lab: &mut Lab) -> Vec<String> {
    let items = lab.ok("Scan", music())["Items"].clone();
    let mut ids: Vec<String> =
        items.as_array().unwrap().iter().map(|item| item["id"]["S"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn time_to_live_is_described_as_it_was_updated() {
    let (mut lab, _) = lab();
    assert_eq!(
        lab.ok("UpdateTimeToLive", expire(true, "t")),
        json!({"TimeToLiveSpecification": {"Enabled": true, "AttributeName": "t"}})
    );
    let enabled = json!({"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "t"}});
    assert_eq!(lab.ok("DescribeTimeToLive", music()), enabled);
    lab.wait(3600);
    lab.ok("UpdateTimeToLive", expire(false, "t"));
    assert_eq!(lab.ok("DescribeTimeToLive", music())["TimeToLiveDescription"], json!({"TimeToLiveStatus": "DISABLED"}));
}

#[test]
fn time_to_live_refuses_what_aws_refuses() {
    let (mut lab, _) = lab();
    let refused = |lab: &mut Lab, input: Value, want: &str| {
        assert_eq!(lab.fails("UpdateTimeToLive", input), ("ValidationException".to_owned(), want.to_owned()));
    };
    refused(&mut lab, expire(false, "t"), "TimeToLive is already disabled");
    lab.ok("UpdateTimeToLive", expire(true, "t"));
    refused(&mut lab, expire(false, "t"), "Time to live has been modified multiple times within a fixed interval");
    lab.wait(3600);
    refused(&mut lab, expire(true, "t"), "TimeToLive is already enabled");
    refused(
        &mut lab,
        expire(true, "u"),
        "TimeToLive is active on a different AttributeName: current AttributeName is t",
    );
    let null = |at: &str| format!("Value null at '{at}' failed to satisfy constraint: Member must not be null");
    let one = |at: &str| format!("1 validation error detected: {}", null(at));
    let alone = json!({"TableName": "music", "TimeToLiveSpecification": {"AttributeName": "t"}});
    refused(&mut lab, alone, &one("timeToLiveSpecification.enabled"));
    refused(&mut lab, music(), &one("timeToLiveSpecification"));
    let empty = json!({"TimeToLiveSpecification": {}});
    let all = ["tableName", "timeToLiveSpecification.enabled", "timeToLiveSpecification.attributeName"];
    refused(&mut lab, empty, &format!("3 validation errors detected: {}", all.map(null).join("; ")));
    let none = json!({"TableName": "none", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "t"}});
    assert_eq!(lab.fails("UpdateTimeToLive", none).0, "ResourceNotFoundException");
}

#[test]
fn expired_items_are_deleted_by_the_service_itself() {
    let (mut lab, _) = lab();
    put(&mut lab, "soon", 300);
    put(&mut lab, "later", 900);
    put(&mut lab, "past", -6 * 365 * 86_400);
    lab.ok("PutItem", json!({"TableName": "music", "Item": {"id": {"S": "text"}, "t": {"S": "1"}}}));
    lab.ok("UpdateTimeToLive", expire(true, "t"));
    assert_eq!(ids(&mut lab), ["later", "past", "soon", "text"]);
    lab.wait(400);
    let before = lab.events().len();
    assert_eq!(ids(&mut lab), ["later", "past", "text"]);
    let events = lab.since(before);
    assert_eq!(events[0], ("Decrypt".to_owned(), "AWSService".to_owned(), Verdict::Allowed), "by the table's grant");
    lab.wait(600);
    assert_eq!(ids(&mut lab), ["past", "text"], "a time of more than five years ago doesn't count");
}

#[test]
fn items_of_a_table_without_its_key_do_not_expire() {
    let (mut lab, key) = lab();
    put(&mut lab, "soon", 300);
    lab.ok("UpdateTimeToLive", expire(true, "t"));
    lab.kms("DisableKey", json!({"KeyId": key}));
    lab.wait(400);
    assert_eq!(lab.ok("DescribeTable", music())["Table"]["ItemCount"], 1);
    lab.kms("EnableKey", json!({"KeyId": key}));
    lab.wait(60);
    assert_eq!(lab.ok("DescribeTable", music())["Table"]["ItemCount"], 0);
}

#[test]
fn a_revoked_grant_keeps_expired_items() {
    let (mut lab, key) = lab();
    put(&mut lab, "soon", 300);
    lab.ok("UpdateTimeToLive", expire(true, "t"));
    let grants = lab.kms("ListGrants", json!({"KeyId": key}));
    lab.kms("RevokeGrant", json!({"KeyId": key, "GrantId": grants["Grants"][0]["GrantId"]}));
    lab.wait(700);
    let before = lab.events().len();
    assert_eq!(ids(&mut lab), ["soon"]);
    assert_eq!(lab.since(before)[0], ("Decrypt".to_owned(), "AWSService".to_owned(), Verdict::Denied));
}

#[test]
fn recovery_is_described_as_it_was_updated() {
    let (mut lab, _) = lab();
    let now = lab.engine.account.state.clock.epoch_seconds();
    let description = |enabled: Value| json!({"ContinuousBackupsDescription": enabled});
    let point = json!({"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 35,
        "EarliestRestorableDateTime": now, "LatestRestorableDateTime": now});
    let enabled = json!({"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": point});
    assert_eq!(lab.ok("UpdateContinuousBackups", recover(true)), description(enabled));
    lab.wait(2 * 86_400);
    let mut shorter = recover(true);
    shorter["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] = 1.into();
    lab.ok("UpdateContinuousBackups", shorter);
    let now = lab.engine.account.state.clock.epoch_seconds();
    let described = lab.ok("DescribeContinuousBackups", music())["ContinuousBackupsDescription"].clone();
    let point = json!({"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 1,
        "EarliestRestorableDateTime": now - 86_400.0, "LatestRestorableDateTime": now - 300.0});
    assert_eq!(described["PointInTimeRecoveryDescription"], point);
    lab.ok("UpdateContinuousBackups", recover(false));
    let described = lab.ok("DescribeContinuousBackups", music())["ContinuousBackupsDescription"].clone();
    assert_eq!(described["PointInTimeRecoveryDescription"], json!({"PointInTimeRecoveryStatus": "DISABLED"}));
}

#[rstest]
#[case(json!({"TableName": "music"}), "1 validation error detected: Value null at 'pointInTimeRecoverySpecification' failed to satisfy constraint: Member must not be null")]
#[case(json!({"TableName": "music", "PointInTimeRecoverySpecification": {}}), "1 validation error detected: Value null at 'pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled' failed to satisfy constraint: Member must not be null")]
#[case(json!({"TableName": "music", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 36}}), "1 validation error detected: Value '36' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: Member must have value less than or equal to 35")]
fn recovery_refuses(#[case] input: Value, #[case] want: &str) {
    assert_eq!(lab().0.fails("UpdateContinuousBackups", input), ("ValidationException".into(), want.into()));
}

#[rstest]
#[case("UpdateTimeToLive", expire(true, "t"))]
#[case("UpdateContinuousBackups", recover(true))]
#[case("DescribeLimits", json!({}))]
#[case("DescribeEndpoints", json!({}))]
fn settings_need_their_permission(#[case] operation: &str, #[case] input: Value) {
    let (mut lab, _) = lab();
    let nobody = lab.user("alice", &["dynamodb:PutItem"]);
    let (code, message) = lab.fails_as(&nobody, operation, input.clone());
    assert_eq!(code, "AccessDeniedException");
    let opening =
        format!("User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: dynamodb:{operation} on");
    assert!(message.starts_with(&opening), "{message}");
    let user = lab.user("bob", &[&format!("dynamodb:{operation}")]);
    assert!(lab.call(&user, operation, &input).is_ok());
}

#[test]
fn limits_and_endpoints() {
    let (mut lab, _) = lab();
    assert_eq!(lab.ok("DescribeLimits", json!({}))["TableMaxReadCapacityUnits"], 40_000);
    assert_eq!(lab.ok("DescribeEndpoints", json!({}))["Endpoints"][0]["Address"], "localhost");
    let missing =
        json!({"TableName": "none", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}});
    let error = ("TableNotFoundException".to_owned(), "Table not found: none".to_owned());
    assert_eq!(lab.fails("UpdateContinuousBackups", missing), error);
}

#[test]
fn settings_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { seed: Some(7), data: Some(folder.path().join("data")), ..Config::default() };
    let mut lab = Lab::open(&config);
    lab.table("music", Value::Null);
    lab.ok("UpdateTimeToLive", expire(true, "t"));
    lab.ok("UpdateContinuousBackups", recover(true));
    put(&mut lab, "soon", 300);
    drop(lab);
    let mut lab = Lab::open(&config);
    assert_eq!(lab.ok("DescribeTimeToLive", music())["TimeToLiveDescription"]["AttributeName"], "t");
    let described = lab.ok("DescribeContinuousBackups", music());
    assert_eq!(described["ContinuousBackupsDescription"]["ContinuousBackupsStatus"], "ENABLED");
    lab.wait(400);
    assert_eq!(lab.ok("Scan", music())["Count"], 0);
}

#[test]
fn a_failing_call_does_not_bring_expired_items_back() {
    let (mut lab, _) = lab();
    put(&mut lab, "soon", 300);
    lab.ok("UpdateTimeToLive", expire(true, "t"));
    lab.wait(400);
    lab.fails("GetItem", music());
    let nobody = lab.user("alice", &["iam:GetUser"]);
    lab.fails_as(&nobody, "Scan", music());
    let rows = "SELECT count(*) FROM dynamodb_items";
    let rows: u32 = lab.engine.account.store.connection().query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
}
