//! Who may read: the point of the product.

use rstest::rstest;
use serde_json::{Value, json};

use super::creator;
use super::lab::{ACCOUNT, Lab, create, customer, without_request_id};
use crate::sandbox::Config;
use crate::sandbox::log::Verdict;

const DYNAMODB_ONLY: &[&str] = &["dynamodb:*", "kms:DescribeKey", "kms:ListAliases"];

fn put(id: &str) -> Value {
    json!({"TableName": "music", "Item": {"id": {"S": id}, "title": {"S": "Blue"}}})
}

fn scan() -> Value {
    json!({"TableName": "music"})
}

/// A table under a customer key, three items, and a user with DynamoDB's permissions only.
fn stage() -> (Lab, String, crate::sandbox::context::Caller) {
    let mut lab = Lab::new();
    let key = lab.key();
    lab.table("music", customer(&key));
    for id in ["1", "2", "3"] {
        lab.ok("PutItem", put(id));
    }
    let user = lab.user("test-user", DYNAMODB_ONLY);
    (lab, key, user)
}

fn denied(key: &str) -> String {
    format!(
        "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: \
         arn:aws:iam::{ACCOUNT}:user/test-user is not authorized to perform: kms:Decrypt on resource: {key} because no \
         identity-based policy allows the kms:Decrypt action (Service: AWSKMS; Status Code: 400; Error Code: \
         AccessDeniedException; Request ID: <uuid>; Proxy: null)"
    )
}

#[test]
fn creating_a_table_calls_kms_in_the_documented_order() {
    let mut lab = Lab::new();
    let key = lab.key();
    let made = lab.table("music", customer(&key));
    assert_eq!(
        made["TableDescription"]["SSEDescription"],
        json!({"Status": "UPDATING", "SSEType": "KMS", "KMSMasterKeyArn": key})
    );
    let admin = "kmslab-admin".to_owned();
    assert_eq!(
        lab.since(0),
        [
            ("DescribeKey".to_owned(), admin.clone(), Verdict::Allowed),
            ("CreateGrant".to_owned(), admin, Verdict::Allowed),
            ("GenerateDataKey".to_owned(), "AWSService".to_owned(), Verdict::Allowed),
        ]
    );
    let described = lab.ok("DescribeTable", scan())["Table"]["SSEDescription"].clone();
    assert_eq!(described, json!({"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}));
}

#[test]
fn the_same_scan_is_allowed_and_denied_by_the_key_alone() {
    let (mut lab, key, user) = stage();
    assert_eq!(lab.ok("Scan", scan())["Count"], 3);
    let from = lab.events().len();
    let (code, message) = lab.fails_as(&user, "Scan", scan());
    assert_eq!(code, "AccessDeniedException");
    assert_eq!(without_request_id(&message), denied(&key));
    assert_eq!(lab.since(from), [("Decrypt".to_owned(), "test-user".to_owned(), Verdict::Denied)]);
    let event = lab.events().pop().unwrap();
    assert!(message.contains(&event.request_id), "{message}: {}", event.request_id);
    assert_eq!(event.user_identity.invoked_by.as_deref(), Some("dynamodb.amazonaws.com"));
    assert_eq!(
        event.request_parameters["encryptionContext"],
        json!({"aws:dynamodb:tableName": "music", "aws:dynamodb:subscriberId": ACCOUNT})
    );
    assert_eq!(event.resources[0].arn, key);
}

#[rstest]
#[case("GetItem", json!({"TableName": "music", "Key": {"id": {"S": "1"}}}))]
#[case("PutItem", put("4"))]
#[case("UpdateItem", json!({"TableName": "music", "Key": {"id": {"S": "1"}}}))]
#[case("DeleteItem", json!({"TableName": "music", "Key": {"id": {"S": "1"}}}))]
#[case("Query", json!({"TableName": "music", "KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": {"S": "1"}}}))]
#[case("BatchGetItem", json!({"RequestItems": {"music": {"Keys": [{"id": {"S": "1"}}]}}}))]
#[case("BatchWriteItem", json!({"RequestItems": {"music": [{"PutRequest": {"Item": {"id": {"S": "9"}}}}]}}))]
fn every_way_to_the_items_needs_the_key(#[case] operation: &str, #[case] input: Value) {
    let (mut lab, key, user) = stage();
    let (code, message) = lab.fails_as(&user, operation, input);
    assert_eq!((code.as_str(), without_request_id(&message)), ("AccessDeniedException", denied(&key)));
    assert_eq!(lab.ok("Scan", scan())["Count"], 3, "nothing was written or removed");
}

#[test]
fn a_grant_works_at_once_a_revocation_once_the_cache_is_idle() {
    let (mut lab, key, user) = stage();
    lab.fails_as(&user, "Scan", scan());
    let statement = |who: &str, action: &str| json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:{who}")}, "Action": action, "Resource": "*"});
    let root = statement("root", "kms:*");
    let policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let with_user = policy(json!([root, statement("user/test-user", "kms:Decrypt")]));
    lab.kms("PutKeyPolicy", json!({"KeyId": key, "PolicyName": "default", "Policy": with_user}));
    assert_eq!(lab.call(&user, "Scan", &scan()).unwrap()["Count"], 3);

    lab.kms("PutKeyPolicy", json!({"KeyId": key, "PolicyName": "default", "Policy": policy(json!([root]))}));
    let from = lab.events().len();
    // Each use keeps the table key warm.
    for _ in 0..3 {
        lab.wait(298);
        lab.call(&user, "Scan", &scan()).unwrap();
    }
    assert_eq!(lab.since(from), [], "KMS was not asked");
    lab.wait(300);
    let (code, _) = lab.fails_as(&user, "Scan", scan());
    assert_eq!(code, "AccessDeniedException");
}

/// Statements besides the root's in the key policy, then whether the user also gets a grant, then whether that lets the
/// user read or why not.
#[rstest]
#[case::grant(json!([]), true, None)]
#[case::key_policy(json!([statement("Allow", "kms:Decrypt", json!({}))]), false, None)]
#[case::through_dynamodb(json!([statement("Allow", "kms:Decrypt", through("eu-central-1", "music"))]), false, None)]
#[case::through_dynamodb_elsewhere(
    json!([statement("Allow", "kms:Decrypt", through("us-east-1", "music"))]),
    false,
    Some(" because no identity-based policy allows the kms:Decrypt action")
)]
#[case::for_another_table(
    json!([statement("Allow", "kms:Decrypt", through("eu-central-1", "films"))]),
    false,
    Some(" because no identity-based policy allows the kms:Decrypt action")
)]
#[case::another_action(
    json!([statement("Allow", "kms:Encrypt", json!({}))]),
    false,
    Some(" because no identity-based policy allows the kms:Decrypt action")
)]
#[case::denied_in_spite_of_a_grant(
    json!([statement("Deny", "kms:Decrypt", json!({}))]),
    true,
    Some(" with an explicit deny in a resource-based policy")
)]
fn every_way_to_permit_a_read(#[case] statements: Value, #[case] grant: bool, #[case] refusal: Option<&str>) {
    let mut lab = Lab::open(&Config { seed: Some(7), region: "eu-central-1".to_owned(), ..Config::default() });
    let key = lab.key();
    lab.table("music", customer(&key));
    lab.ok("PutItem", put("1"));
    let user = lab.user("test-user", DYNAMODB_ONLY);
    let mut all = vec![
        json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"}),
    ];
    all.extend(statements.as_array().unwrap().iter().cloned());
    let policy = json!({"Version": "2012-10-17", "Statement": all}).to_string();
    lab.kms("PutKeyPolicy", json!({"KeyId": key, "PolicyName": "default", "Policy": policy}));
    if grant {
        let context = json!({"EncryptionContextSubset": {"aws:dynamodb:tableName": "music"}});
        let user = format!("arn:aws:iam::{ACCOUNT}:user/test-user");
        lab.kms(
            "CreateGrant",
            json!({"KeyId": key, "GranteePrincipal": user, "Operations": ["Decrypt"], "Constraints": context}),
        );
    }
    match refusal {
        None => assert_eq!(lab.call(&user, "Scan", &scan()).unwrap()["Count"], 1),
        Some(reason) => {
            let (code, message) = lab.fails_as(&user, "Scan", scan());
            assert_eq!(code, "AccessDeniedException");
            let whole = denied(&key).replace(" because no identity-based policy allows the kms:Decrypt action", reason);
            assert_eq!(without_request_id(&message), whole);
        }
    }
}

/// A statement of a key policy about the test user.
fn statement(effect: &str, action: &str, condition: Value) -> Value {
    let user = format!("arn:aws:iam::{ACCOUNT}:user/test-user");
    json!({"Effect": effect, "Principal": {"AWS": user}, "Action": action, "Resource": "*", "Condition": condition})
}

/// Only what DynamoDB asks for one table.
fn through(region: &str, table: &str) -> Value {
    json!({"StringEquals": {
        "kms:ViaService": format!("dynamodb.{region}.amazonaws.com"),
        "kms:CallerAccount": ACCOUNT,
        "kms:EncryptionContext:aws:dynamodb:tableName": table,
        "kms:EncryptionContext:aws:dynamodb:subscriberId": ACCOUNT,
    }})
}

#[test]
fn a_rotated_key_still_opens_the_table() {
    let (mut lab, key, _) = stage();
    lab.kms("RotateKeyOnDemand", json!({"KeyId": key}));
    lab.wait(300);
    let from = lab.events().len();
    assert_eq!(lab.ok("Scan", scan())["Count"], 3);
    assert_eq!(lab.since(from), [("Decrypt".to_owned(), "kmslab-admin".to_owned(), Verdict::Allowed)]);
}

#[test]
fn an_idle_key_is_wiped_by_any_call() {
    let (mut lab, _, _) = stage();
    assert_eq!(lab.engine.account.table_keys.held(), 1);
    lab.wait(300);
    lab.ok("ListTables", json!({}));
    assert_eq!(lab.engine.account.table_keys.held(), 0);
}

#[test]
fn one_call_asks_kms_once_for_each_table() {
    let (mut lab, key, _) = stage();
    lab.table("other", customer(&key));
    lab.wait(301);
    let from = lab.events().len();
    let writes: Vec<Value> = (0..5).map(|n| json!({"PutRequest": {"Item": {"id": {"S": format!("{n}")}}}})).collect();
    lab.ok("BatchWriteItem", json!({"RequestItems": {"music": writes, "other": writes}}));
    assert_eq!(lab.since(from).len(), 2);
}

#[test]
fn the_aws_managed_key_works_for_everybody_through_dynamodb() {
    let mut lab = Lab::new();
    lab.table("music", json!({"Enabled": true, "SSEType": "KMS"}));
    lab.ok("PutItem", put("1"));
    let user = lab.user("test-user", DYNAMODB_ONLY);
    assert_eq!(lab.call(&user, "Scan", &scan()).unwrap()["Count"], 1);
    let sse = lab.ok("DescribeTable", scan())["Table"]["SSEDescription"].clone();
    let alias = lab.kms("DescribeKey", json!({"KeyId": "alias/aws/dynamodb"}));
    assert_eq!(sse["KMSMasterKeyArn"], alias["KeyMetadata"]["Arn"]);
    assert_eq!(alias["KeyMetadata"]["KeyManager"], "AWS");
    // The alias by name means the same key.
    let again = lab.table("again", customer("alias/aws/dynamodb"));
    assert_eq!(again["TableDescription"]["SSEDescription"]["KMSMasterKeyArn"], sse["KMSMasterKeyArn"]);
}

#[test]
fn the_aws_owned_key_needs_no_permission_and_leaves_no_trail() {
    let mut lab = Lab::new();
    lab.table("music", Value::Null);
    lab.ok("PutItem", put("1"));
    let user = lab.user("test-user", &["dynamodb:*"]);
    assert_eq!(lab.call(&user, "Scan", &scan()).unwrap()["Count"], 1);
    assert_eq!(lab.events(), []);
}

#[rstest]
#[case("id")]
#[case("arn")]
#[case("alias/lab")]
#[case("alias arn")]
fn a_customer_key_goes_by_four_names(#[case] name: &str) {
    let mut lab = Lab::new();
    let arn = lab.key();
    let id = arn.rsplit('/').next().unwrap().to_owned();
    lab.kms("CreateAlias", json!({"AliasName": "alias/lab", "TargetKeyId": id}));
    let given = match name {
        "id" => id,
        "arn" => arn.clone(),
        "alias arn" => format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/lab"),
        alias => alias.to_owned(),
    };
    let made = lab.table("music", customer(&given));
    assert_eq!(made["TableDescription"]["SSEDescription"]["KMSMasterKeyArn"], arn);
}

#[test]
fn a_key_that_can_not_be_used_makes_no_table() {
    let mut lab = Lab::new();
    let (code, message) = lab.fails("CreateTable", create("music", customer("alias/none")));
    assert_eq!(code, "ValidationException");
    assert_eq!(
        without_request_id(&message),
        format!(
            "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Alias \
             arn:aws:kms:us-east-1:{ACCOUNT}:alias/none is not found. (Service: AWSKMS; Status Code: 400; Error Code: \
             NotFoundException; Request ID: <uuid>; Proxy: null)"
        )
    );
    let key = lab.key();
    let user = lab.user("maker", DYNAMODB_ONLY);
    let (code, message) = lab.fails_as(&user, "CreateTable", create("music", customer(&key)));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("kms:CreateGrant"), "{message}");
    lab.kms("DisableKey", json!({"KeyId": key}));
    let (code, message) = lab.fails("CreateTable", create("music", customer(&key)));
    assert_eq!(code, "ValidationException");
    assert_eq!(
        without_request_id(&message),
        format!(
            "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: {key} is disabled. (Service: \
             AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: <uuid>; Proxy: null)"
        )
    );
    assert_eq!(lab.ok("ListTables", json!({})), json!({"TableNames": []}));
    assert_eq!(lab.kms("ListGrants", json!({"KeyId": key}))["Grants"], json!([]));
}

#[test]
fn a_grant_that_did_not_become_a_table_is_given_back() {
    let mut lab = Lab::new();
    let key = lab.key();
    let everyone = |effect: &str, action: &str| json!({"Effect": effect, "Principal": {"AWS": "*"}, "Action": action, "Resource": "*"});
    let statements = [everyone("Allow", "kms:*"), everyone("Deny", "kms:GenerateDataKey")];
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    lab.kms("PutKeyPolicy", json!({"KeyId": key, "PolicyName": "default", "Policy": policy}));
    let (code, message) = lab.fails("CreateTable", create("music", customer(&key)));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("kms:GenerateDataKey"), "{message}");
    assert_eq!(lab.kms("ListGrants", json!({"KeyId": key}))["Grants"], json!([]));
    let last = lab.events().pop().unwrap();
    assert_eq!((last.event_name.as_str(), last.verdict), ("RetireGrant", Verdict::Allowed));
}

#[test]
fn a_disabled_key_makes_the_table_inaccessible() {
    let (mut lab, key, _) = stage();
    lab.kms("DisableKey", json!({"KeyId": key}));
    let table = lab.ok("DescribeTable", scan())["Table"].clone();
    assert_eq!(table["TableStatus"], "INACCESSIBLE_ENCRYPTION_CREDENTIALS");
    let since = table["SSEDescription"]["InaccessibleEncryptionDateTime"].clone();
    assert!(since.is_number());
    lab.wait(400);
    assert_eq!(lab.ok("DescribeTable", scan())["Table"]["SSEDescription"]["InaccessibleEncryptionDateTime"], since);
    let (code, message) = lab.fails("Scan", scan());
    assert_eq!(code, "ValidationException");
    assert!(
        message.starts_with(&format!(
            "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: {key} is disabled. ("
        )),
        "{message}"
    );
    lab.kms("EnableKey", json!({"KeyId": key}));
    assert_eq!(lab.ok("DescribeTable", scan())["Table"]["TableStatus"], "ACTIVE");
    assert_eq!(lab.ok("Scan", scan())["Count"], 3);

    lab.kms("ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7}));
    lab.wait(400);
    let (code, message) = lab.fails("Scan", scan());
    assert_eq!(code, "ValidationException");
    assert!(message.starts_with(&format!("KMS validation error: com.amazonaws.services.kms.model.KMSInvalidStateException: {key} is pending deletion. (")), "{message}");
    // Seven days after the key was scheduled for deletion, it is deleted and the table archived.
    lab.wait(7 * 86_400 - 200);
    assert_eq!(lab.fails("Scan", scan()).0, "ResourceNotFoundException");
    assert_eq!(lab.ok("DescribeTable", scan())["Table"]["TableStatus"], "ARCHIVING");
    lab.ok("DeleteTable", scan());
}

#[test]
fn deleting_a_table_gives_its_grant_back() {
    let (mut lab, key, _) = stage();
    assert_eq!(lab.kms("ListGrants", json!({"KeyId": key}))["Grants"].as_array().unwrap().len(), 1);
    let from = lab.events().len();
    lab.ok("DeleteTable", scan());
    assert_eq!(lab.since(from), [("RetireGrant".to_owned(), "AWSService".to_owned(), Verdict::Allowed)]);
    assert_eq!(lab.kms("ListGrants", json!({"KeyId": key}))["Grants"], json!([]));
    assert_eq!(lab.engine.account.table_keys.held(), 0);
}

#[test]
fn a_table_without_its_key_for_seven_days_is_archived() {
    let (mut lab, key, _) = stage();
    let admin = lab.admin.clone();
    let status = |lab: &mut Lab| lab.ok("DescribeTable", scan())["Table"]["TableStatus"].as_str().unwrap().to_owned();
    lab.kms("DisableKey", json!({"KeyId": key}));
    assert_eq!(status(&mut lab), "INACCESSIBLE_ENCRYPTION_CREDENTIALS");
    let since = lab.ok("DescribeTable", scan())["Table"]["SSEDescription"]["InaccessibleEncryptionDateTime"].clone();
    let advance = |lab: &mut Lab, seconds| lab.engine.advance(std::time::Duration::from_secs(seconds)).unwrap();
    advance(&mut lab, 6 * 86_400);
    lab.kms("EnableKey", json!({"KeyId": key}));
    assert_eq!(status(&mut lab), "ACTIVE", "in time");
    lab.kms("DisableKey", json!({"KeyId": key}));
    // Nobody looks at the table before the clock is advanced.
    advance(&mut lab, 7 * 86_400);
    assert_eq!(status(&mut lab), "ARCHIVING");
    advance(&mut lab, 3600);
    let table = lab.ok("DescribeTable", scan())["Table"].clone();
    assert_eq!(table["TableStatus"], "ARCHIVED");
    let summary = &table["ArchivalSummary"];
    assert_eq!(summary["ArchivalReason"], "INACCESSIBLE_ENCRYPTION_CREDENTIALS");
    assert_eq!(
        summary["ArchivalDateTime"].as_f64().unwrap(),
        since.as_f64().unwrap() + 13.0 * 86_400.0 + 2.0,
        "seven days after the second time; the two calls in between took a second each"
    );
    let arn = format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/music/backup/");
    assert!(summary["ArchivalBackupArn"].as_str().unwrap().starts_with(&arn), "{summary}");
    // The key alone does not bring it back.
    lab.kms("EnableKey", json!({"KeyId": key}));
    assert_eq!(status(&mut lab), "ARCHIVED");
    assert_eq!(lab.fails("Scan", scan()).0, "ResourceNotFoundException");
    assert_eq!(lab.fails("UpdateTable", rekey(json!({"Enabled": false}))).0, "ResourceInUseException");
    lab.call(&admin, "DeleteTable", &scan()).unwrap();
}

#[test]
fn encryption_may_change_four_times_a_day() {
    let (mut lab, _, _) = stage();
    let own = || rekey(json!({"Enabled": false}));
    let managed = || rekey(json!({"Enabled": true, "SSEType": "KMS"}));
    for change in [own(), managed(), own(), managed()] {
        lab.ok("UpdateTable", change);
    }
    let (code, message) = lab.fails("UpdateTable", own());
    assert_eq!(code, "LimitExceededException");
    assert!(
        message.starts_with(
            "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at 2026-01-02T00:00:"
        ) && message.ends_with(
            "Z. After the first 4 change, each subsequent change in the same window can be performed at most once every \
             21600 seconds. Number of updates today: 4"
        ),
        "{message}"
    );
    lab.wait(6 * 3600);
    lab.ok("UpdateTable", own());
    assert!(lab.fails("UpdateTable", managed()).1.ends_with("Number of updates today: 5"));
    lab.wait(24 * 3600);
    for change in [managed(), own(), managed(), own()] {
        lab.ok("UpdateTable", change);
    }
}

#[test]
fn the_managed_key_of_another_service_is_none_for_a_table() {
    let mut lab = Lab::new();
    for name in ["alias/aws/s3".to_owned(), format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/s3")] {
        let (code, message) = lab.fails("CreateTable", create("music", customer(&name)));
        assert_eq!(code, "AccessDeniedException");
        assert!(
            message.starts_with(&format!(
                "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: \
                 arn:aws:iam::{ACCOUNT}:user/kmslab-admin is not authorized to perform: kms:CreateGrant on resource: \
                 arn:aws:kms:us-east-1:{ACCOUNT}:key/"
            )) && message.contains(" because no resource-based policy allows the kms:CreateGrant action ("),
            "{message}"
        );
    }
    assert_eq!(lab.ok("ListTables", json!({})), json!({"TableNames": []}));
}

fn rekey(sse: Value) -> Value {
    json!({"TableName": "music", "SSESpecification": sse})
}

#[test]
fn a_table_moves_to_another_key_without_touching_items() {
    let (mut lab, key, user) = stage();
    let rows = |lab: &Lab| -> Vec<Vec<u8>> {
        let connection = lab.engine.account.store.connection();
        let mut statement = connection.prepare("SELECT ciphertext FROM dynamodb_items ORDER BY item").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let before = rows(&lab);
    let other = lab.key();
    let answer = lab.ok("UpdateTable", rekey(customer(&other)));
    assert_eq!(answer["TableDescription"]["SSEDescription"]["Status"], "UPDATING");
    assert_eq!(answer["TableDescription"]["TableStatus"], "ACTIVE");
    assert_eq!(rows(&lab), before);
    lab.kms("DisableKey", json!({"KeyId": key}));
    assert_eq!(lab.ok("Scan", scan())["Count"], 3);
    assert_eq!(lab.kms("ListGrants", json!({"KeyId": other}))["Grants"].as_array().unwrap().len(), 1);
    let (_, message) = lab.fails_as(&user, "Scan", scan());
    assert_eq!(without_request_id(&message), denied(&other));

    for sse in [json!({"Enabled": false}), json!({"Enabled": true, "SSEType": "KMS"}), customer(&other)] {
        lab.ok("UpdateTable", rekey(sse));
        assert_eq!(lab.ok("Scan", scan())["Count"], 3);
    }
    assert_eq!(rows(&lab), before);
}

#[test]
fn the_key_a_table_has_is_no_change() {
    let (mut lab, key, _) = stage();
    let (code, message) = lab.fails("UpdateTable", rekey(customer(&key)));
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        "One or more parameter values were invalid: Table is already encrypted with given KMSMasterKeyId. Use \
         KMSMasterKeyId parameter if you want to change Master Key"
    );
}

#[test]
fn a_rejected_update_changes_nothing() {
    let (mut lab, key, user) = stage();
    let before = lab.ok("DescribeTable", scan());
    let disabled = lab.key();
    lab.kms("DisableKey", json!({"KeyId": disabled}));
    let mut input = rekey(customer(&disabled));
    input["DeletionProtectionEnabled"] = json!(true);
    let (_, message) = lab.fails("UpdateTable", input);
    assert!(message.starts_with("KMS key disabled error"), "{message}");
    // Moving a table away needs the key it has: else anybody could read by moving first.
    let (code, message) = lab.fails_as(&user, "UpdateTable", rekey(json!({"Enabled": false})));
    assert_eq!((code.as_str(), without_request_id(&message)), ("AccessDeniedException", denied(&key)));
    assert_eq!(lab.ok("DescribeTable", scan()), before);
    assert_eq!(lab.kms("ListGrants", json!({"KeyId": disabled}))["Grants"], json!([]));
    assert_eq!(lab.ok("Scan", scan())["Count"], 3);
}

#[test]
fn each_connection_has_its_own_cached_key() {
    let (mut lab, _, user) = stage();
    let grantee = user.principal.arn.clone();
    let key = lab.ok("DescribeTable", scan())["Table"]["SSEDescription"]["KMSMasterKeyArn"].clone();
    let grant = lab.kms("CreateGrant", json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": ["Decrypt"]}));
    let on = |connection| crate::sandbox::context::Caller {
        origin: std::sync::Arc::new(crate::sandbox::context::Origin { connection, ..(*user.origin).clone() }),
        ..user.clone()
    };
    assert!(lab.call(&on(1), "Scan", &scan()).is_ok());
    let from = lab.events().len();
    assert!(lab.call(&on(1), "Scan", &scan()).is_ok());
    assert_eq!(lab.since(from), [], "the connection has the table key");
    assert!(lab.call(&on(2), "Scan", &scan()).is_ok());
    assert_eq!(lab.since(from), [("Decrypt".to_owned(), "test-user".to_owned(), Verdict::Allowed)]);

    lab.kms("RevokeGrant", json!({"KeyId": key, "GrantId": grant["GrantId"]}));
    assert!(lab.call(&on(1), "Scan", &scan()).is_ok(), "still within the five minutes");
    assert_eq!(lab.fails_as(&on(3), "Scan", scan()).0, "AccessDeniedException");
    // A connection that has closed never comes back, and neither does its key.
    let held = lab.engine.account.table_keys.held();
    lab.engine.disconnected(1);
    assert_eq!(lab.engine.account.table_keys.held(), held - 1);
    assert_eq!(lab.fails_as(&on(1), "Scan", scan()).0, "AccessDeniedException");
}

#[test]
fn another_principal_does_not_share_the_cached_key() {
    let (mut lab, key, user) = stage();
    lab.ok("Scan", scan());
    let (_, message) = lab.fails_as(&user, "Scan", scan());
    assert_eq!(without_request_id(&message), denied(&key));
}

#[test]
fn a_failed_request_keeps_other_callers_table_keys() {
    let (mut lab, key, user) = stage();
    let grant = lab
        .kms("CreateGrant", json!({"KeyId": key, "GranteePrincipal": user.principal.arn, "Operations": ["Decrypt"]}));
    assert!(lab.call(&user, "Scan", &scan()).is_ok());
    lab.kms("RevokeGrant", json!({"KeyId": key, "GrantId": grant["GrantId"]}));
    let unusable = creator::key(&mut lab, &[]);
    lab.fails("CreateTable", create("other", customer(&unusable)));
    assert!(lab.call(&user, "Scan", &scan()).is_ok(), "still within the five minutes");
    assert_eq!(lab.fails("DescribeTable", json!({"TableName": "other"})).0, "ResourceNotFoundException");
}
