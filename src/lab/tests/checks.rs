use rstest::rstest;
use serde_json::json;

use super::fake::*;
use crate::lab::*;

type Bend = fn(&mut Cloud);

/// Each stage with one thing bent: the expectation is not met, and the observation says why.
#[rstest]
#[case::root(Stage::Who, |c: &mut Cloud| c.admin_arn = "arn:aws:iam::111122223333:root".into(), "account root")]
#[case::disabled(Stage::CreateKey, |c: &mut Cloud| c.key_state = "Disabled", "KeyState Disabled")]
#[case::asymmetric(Stage::CreateKey, |c: &mut Cloud| c.key_spec = "RSA_2048", "KeySpec RSA_2048")]
#[case::no_permission(
    Stage::CreateKey,
    |c: &mut Cloud| c.faults.push(("CreateKey", 400, json!({"__type": "AccessDeniedException",
        "message": "User: u is not authorized to perform: kms:CreateKey on resource: * because no identity-based policy allows the kms:CreateKey action"}))),
    "admin DENIED on kms:CreateKey"
)]
#[case::table_exists(
    Stage::CreateTable,
    |c: &mut Cloud| c.faults.push(("CreateTable", 400, json!({"__type": "x#ResourceInUseException", "message": "Table already exists: t"}))),
    "ResourceInUseException: Table already exists: t"
)]
#[case::an_item_is_refused(
    Stage::CreateTable,
    |c: &mut Cloud| c.faults.push(("PutItem", 400, json!({"__type": "x#ValidationException", "message": "bad"}))),
    "PutItem FAILED: ValidationException: bad"
)]
#[case::other_items(Stage::ViewAdmin, |c: &mut Cloud| c.items.push(json!({"id": {"S": "intruder"}})), "4 items")]
#[case::one_principal(Stage::CreateUser, |c: &mut Cloud| c.user_arn = c.admin_arn.clone(), "both profiles are")]
#[case::two_sessions_of_one_role(Stage::CreateUser, |c: &mut Cloud| {
    c.admin_arn = "arn:aws:sts::111122223333:assumed-role/Lab/one".into();
    c.user_arn = "arn:aws:sts::111122223333:assumed-role/Lab/two".into();
}, "both profiles are arn:aws:iam::111122223333:role/Lab")]
#[case::two_accounts(Stage::CreateUser, |c: &mut Cloud| c.user_arn = "arn:aws:iam::444455556666:user/u".into(), "two accounts")]
#[case::not_enforced(Stage::ViewDenied, |c: &mut Cloud| c.enforces_kms = false, "expected DENIED, got ALLOWED")]
#[case::denied_on_something_else(
    Stage::ViewDenied,
    |c: &mut Cloud| c.faults.extend([("Scan", 200, json!({"Items": []})), ("Scan", 200, json!({"Items": []})), ("Scan", 400, json!({
        "__type": "x#AccessDeniedException",
        "message": "User: u is not authorized to perform: dynamodb:Scan on resource: r because no identity-based policy allows the dynamodb:Scan action"}))]),
    "test-user DENIED on dynamodb:Scan"
)]
fn what_is_not_as_expected_is_said(#[case] stage: Stage, #[case] bend: Bend, #[case] says: &str) {
    let mut lab = Lab::new(backend(), Cloud::default());
    bend(&mut lab.cloud);
    lab.run_to(stage);
    let (met, observed) = lab.observed(stage);
    assert!(!met, "{observed}");
    assert!(observed.contains(says), "{observed:?} does not say {says:?}");
}

#[test]
fn the_older_wording_of_the_denial_is_the_expected_denial_too() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::CreateUser);
    lab.cloud.enforces_kms = false;
    lab.press(Intent::Advance);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    let effects: Vec<Effect> = effects
        .into_iter()
        .filter(|effect| match effect {
            Effect::Call { id, identity: Identity::TestUser, .. } => {
                let body = json!({"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException",
                    "message": "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: The \
                                ciphertext refers to a customer master key that does not exist, does not exist in \
                                this region, or you are not allowed to access. (Service: AWSKMS; …)"});
                lab.state.update(Event::CallFinished { id: *id, answer: answer(400, body) });
                false
            }
            _ => true,
        })
        .collect();
    lab.perform(effects);
    let (met, observed) = lab.observed(Stage::ViewDenied);
    assert!(met, "{observed}");
}

#[test]
fn a_grant_that_loses_a_statement_is_not_met() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::ViewDenied);
    lab.press(Intent::Advance);
    let user = lab.cloud.user_arn.clone();
    let replaced = json!({"Statement": key_policy::key_user_statements(&user)}).to_string();
    let original = json!({"Policy": lab.cloud.key_policy});
    lab.cloud.faults.extend([("GetKeyPolicy", 200, original), ("GetKeyPolicy", 200, json!({"Policy": replaced}))]);
    lab.run_to(Stage::Grant);
    let (met, observed) = lab.observed(Stage::Grant);
    assert!(!met);
    assert!(observed.contains("removed \"Enable IAM User Permissions\""), "{observed}");
}

#[test]
fn survivors_of_clean_up_are_listed_and_stay_in_the_journal() {
    let mut lab = Lab::new(Backend { kind: BackendKind::Endpoint, ..backend() }, Cloud::default());
    lab.run_to(Stage::ViewAgain);
    let conflict = json!({"Error": {"Code": "DeleteConflict", "Message": "keys remain"}});
    lab.cloud.faults = vec![("DeleteUser", 409, conflict); 100];
    lab.run_to(Stage::CleanUp);
    let (met, observed) = lab.observed(Stage::CleanUp);
    assert!(!met && observed.contains("DeleteConflict: keys remain"), "{observed}");
    assert_eq!(lab.state.leftovers(), [format!("IAM user {}", names().user)]);
    lab.cloud.faults.clear();
    lab.press(Intent::Retry);
    assert!(lab.observed(Stage::CleanUp).0, "{:?}", lab.observed(Stage::CleanUp));
}
