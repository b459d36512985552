//! test-user: what it may do, what policies call it, and an account in which it can't be created.

use rstest::rstest;
use serde_json::{Value, json};

use super::fake::*;
use crate::lab::*;

const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/reader/alice@example.com";
const ROLE: &str = "arn:aws:iam::111122223333:role/team/reader";

fn aws(given_user: bool, cloud: Cloud) -> Lab {
    let mut lab = Lab::new(Backend { kind: BackendKind::Aws, endpoint: None, given_user, ..backend() }, cloud);
    lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
    lab
}

/// The principals of the key policy's statements.
fn principals(policy: &str) -> Vec<String> {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    statements.map(|statement| statement["Principal"]["AWS"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_role_is_in_the_key_policy_by_its_own_arn_with_its_path() {
    let mut lab = aws(true, Cloud { user_arn: SESSION.to_owned(), ..Cloud::default() });
    lab.run_to(Stage::Grant);
    let asked = ["admin sts:GetCallerIdentity", "test-user sts:GetCallerIdentity", "admin iam:GetRole"];
    assert_eq!(lab.sent[..3], asked);
    assert!(lab.observed(Stage::Grant).0, "{:?}", lab.observed(Stage::Grant));
    assert_eq!(principals(&lab.cloud.key_policy), ["arn:aws:iam::111122223333:root", ROLE, ROLE]);
    lab.run_to(Stage::CleanUp);
    assert_eq!(lab.state.met(), 9);
}

#[test]
fn without_get_role_the_path_is_left_out() {
    let denied = json!({"Error": {"Code": "AccessDenied", "Message": "no"}});
    let mut lab = aws(true, Cloud { user_arn: SESSION.to_owned(), ..Cloud::default() });
    lab.cloud.faults.push(("GetRole", 403, denied));
    lab.run_to(Stage::Grant);
    assert!(lab.observed(Stage::Who).0, "{:?}", lab.observed(Stage::Who));
    assert_eq!(principals(&lab.cloud.key_policy)[1], "arn:aws:iam::111122223333:role/reader");
}

#[test]
fn an_experiment_names_a_role_of_admin_by_its_own_arn() {
    let mut lab = aws(false, Cloud { admin_arn: SESSION.to_owned(), ..Cloud::default() });
    lab.run_to(Stage::ViewAgain);
    let which = Experiment::NoRootStatement;
    lab.press(Intent::ToggleExperiments);
    lab.press(Intent::MoveCursor(i8::try_from(which.index()).unwrap()));
    [Intent::Advance, Intent::Choose(0), Intent::Advance].into_iter().for_each(|intent| lab.press(intent));
    let put = lab.state.trial(which).pending.iter().map(|pending| pending.operation.shown().clone());
    let sent = lab.state.trial(which).exchanges().map(|exchange| exchange.operation.clone());
    let policies: Vec<String> = put
        .chain(sent)
        .filter_map(|operation| match operation {
            Operation::PutKeyPolicy { policy, .. } => Some(policy),
            _ => None,
        })
        .collect();
    assert!(policies.iter().any(|policy| policy.contains(ROLE)), "{policies:?}");
    assert!(!policies.iter().any(|policy| policy.contains("assumed-role")), "{policies:?}");
}

#[test]
fn test_user_may_use_only_the_labs_table_on_aws() {
    let mut lab = aws(false, Cloud::default());
    lab.run_to(Stage::CreateUser);
    assert_eq!(
        lab.observed(Stage::CreateUser),
        (
            true,
            "test-user is user/kmslab-user-t1, of the same account 111122223333, with dynamodb:* on the lab's table alone"
        )
    );
    let mut exchanges = lab.state.record(Stage::CreateUser).exchanges();
    let put = exchanges.find(|exchange| exchange.operation.name() == "PutUserPolicy").unwrap().clone();
    drop(exchanges);
    let Operation::PutUserPolicy { user, policy, .. } = &put.operation else { panic!("{put:?}") };
    assert_eq!(user, "kmslab-user-t1");
    let policy: Value = serde_json::from_str(policy).unwrap();
    let table = "arn:aws:dynamodb:us-east-1:111122223333:table/kmslab-table-t1";
    assert_eq!(policy["Statement"], json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": table}]));
    lab.run_to(Stage::CleanUp);
    assert!(lab.sent.contains(&"admin iam:DeleteUserPolicy".to_owned()), "{:?}", lab.sent);
    assert!(!lab.sent.iter().any(|call| call.ends_with("AttachUserPolicy")), "{:?}", lab.sent);
    assert_eq!(lab.state.met(), 9);
}

fn simulated(more: Value) -> Value {
    let mut result = json!({"EvalActionName": "iam:CreateUser", "EvalDecision": "implicitDeny"});
    result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([{"EvalActionName": "iam:TagUser", "EvalDecision": "allowed"}, result])
}

#[rstest]
#[case::scp(json!({"OrganizationsDecisionDetail": {"AllowedByOrganizations": "false"}}), "a service control policy (SCP) of your organization doesn't allow admin iam:CreateUser")]
#[case::boundary(json!({"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": false}}), "admin's permissions boundary doesn't allow iam:CreateUser")]
#[case::denied(json!({"EvalDecision": "explicitDeny"}), "a policy denies admin iam:CreateUser")]
#[case::nothing_allows(json!({"MissingContextValues": []}), "no policy allows admin iam:CreateUser")]
fn a_user_that_cannot_be_created_is_found_before_the_key(#[case] more: Value, #[case] why: &str) {
    let mut lab = aws(false, Cloud { simulated: simulated(more), ..Cloud::default() });
    lab.run_to(Stage::CreateKey);
    let (met, observed) = lab.observed(Stage::Who);
    assert!(!met && observed.contains(why) && observed.contains("--user-profile"), "{observed}");
    assert!(!lab.sent.iter().any(|call| call.contains("CreateKey")), "{:?}", lab.sent);
    assert!(lab.state.kernel().facts().made.is_empty());
}

#[rstest]
// MFA, for example: only the real request has it.
#[case::a_condition(simulated(json!({"EvalDecision": "explicitDeny", "MissingContextValues": ["aws:MultiFactorAuthPresent"]})), None)]
#[case::not_allowed_to_ask(json!([]), Some((403, json!({"Error": {"Code": "AccessDenied", "Message": "no"}}))))]
#[case::unknown_to_the_server(json!([]), Some((500, json!({"odd": "body"}))))]
fn where_nobody_can_tell_the_lab_goes_on(#[case] simulated: Value, #[case] fault: Option<(u16, Value)>) {
    let mut lab = aws(false, Cloud { simulated, ..Cloud::default() });
    lab.cloud.faults.extend(fault.map(|(status, body)| ("SimulatePrincipalPolicy", status, body)));
    lab.run_to(Stage::CreateKey);
    assert!(lab.observed(Stage::Who).0 && lab.observed(Stage::CreateKey).0, "{:?}", lab.observed(Stage::Who));
    assert!(lab.state.backend_is_unusable().is_none());
}

#[rstest]
#[case("with an explicit deny in a service control policy", "by a service control policy (SCP) of your organization")]
#[case("because no permissions boundary allows the iam:CreateUser action", "by admin's permissions boundary")]
fn an_organizations_refusal_is_reported_as_such(#[case] reason: &str, #[case] told: &str) {
    let mut lab = aws(false, Cloud::default());
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/kmslab-admin is not authorized to perform: iam:CreateUser on resource: \
         arn:aws:iam::{ACCOUNT}:user/kmslab-user-t1 {reason}"
    );
    lab.cloud.faults.push(("CreateUser", 403, json!({"Error": {"Code": "AccessDenied", "Message": message}})));
    lab.run_to(Stage::CreateUser);
    let (met, observed) = lab.observed(Stage::CreateUser);
    assert!(!met && observed.starts_with("admin DENIED on iam:CreateUser "), "{observed}");
    assert!(observed.contains(told) && observed.contains("--user-profile NAME"), "{observed}");
}
