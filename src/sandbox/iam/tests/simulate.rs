use super::*;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const DENY_TABLES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"dynamodb:DeleteTable","Resource":"*"},
    {"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}"#;

/// Action, resource, decision, policy.
fn simulate(engine: &mut Engine, parameters: &[(&str, &str)]) -> Vec<[String; 4]> {
    let mut all = vec![("PolicySourceArn", ALICE)];
    all.extend(parameters);
    let answer = as_admin(engine, "SimulatePrincipalPolicy", &all).unwrap();
    let wrapped = format!("<r>{answer}</r>");
    let document = roxmltree::Document::parse(&wrapped).unwrap();
    let results = document.descendants().filter(|node| node.children().any(|child| child.has_tag_name("EvalDecision")));
    results
        .map(|result| {
            ["EvalActionName", "EvalResourceName", "EvalDecision", "SourcePolicyId"].map(|name| {
                let node = result.descendants().find(|node| node.has_tag_name(name));
                node.and_then(|node| node.text()).unwrap_or_default().to_owned()
            })
        })
        .collect()
}

#[test]
fn every_action_on_every_resource_is_decided_as_it_would_be() {
    let mut engine = engine();
    make_alice(&mut engine);
    as_admin(&mut engine, "AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", DYNAMODB_FULL)]).unwrap();
    let inline = [("UserName", "alice"), ("PolicyName", "no-deleting"), ("PolicyDocument", DENY_TABLES)];
    as_admin(&mut engine, "PutUserPolicy", &inline).unwrap();
    let actions = [
        ("ActionNames.member.1", "dynamodb:Scan"),
        ("ActionNames.member.2", "dynamodb:DeleteTable"),
        ("ActionNames.member.3", "kms:Decrypt"),
    ];
    assert_eq!(
        simulate(&mut engine, &actions),
        [
            ["dynamodb:Scan", "*", "allowed", "AmazonDynamoDBFullAccess"],
            ["dynamodb:DeleteTable", "*", "explicitDeny", "no-deleting"],
            ["kms:Decrypt", "*", "implicitDeny", ""],
        ]
    );
    let entries = [
        ("ActionNames.member.1", "kms:Decrypt"),
        ("ResourceArns.member.1", "arn:aws:kms:eu-west-1:111122223333:key/a"),
        ("ResourceArns.member.2", "arn:aws:kms:eu-west-1:111122223333:key/b"),
        ("ContextEntries.member.1.ContextKeyName", "aws:RequestedRegion"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "eu-west-1"),
        ("ContextEntries.member.1.ContextKeyType", "string"),
    ];
    let decided = simulate(&mut engine, &entries);
    assert_eq!(decided.iter().map(|[.., decision, _]| decision.as_str()).collect::<Vec<_>>(), ["allowed"; 2]);
}

#[rstest]
#[case::no_action(&[], 400, "ValidationError")]
#[case::no_such_user(&[("PolicySourceArn", "arn:aws:iam::111122223333:user/bob"), ("ActionNames.member.1", "kms:Decrypt")], 404, "NoSuchEntity")]
#[case::root(&[("PolicySourceArn", "arn:aws:iam::111122223333:root"), ("ActionNames.member.1", "kms:Decrypt")], 404, "NoSuchEntity")]
#[case::no_action_name(&[("ActionNames.member.1", "Decrypt")], 400, "ValidationError")]
#[case::other_policies(&[("ActionNames.member.1", "kms:Decrypt"), ("PolicyInputList.member.1", "{}")], 400, "ValidationError")]
fn what_cannot_be_simulated(#[case] parameters: &[(&str, &str)], #[case] status: u16, #[case] code: &str) {
    let mut engine = engine();
    make_alice(&mut engine);
    let mut all = parameters.to_vec();
    all.push(("PolicySourceArn", ALICE));
    let error = error(as_admin(&mut engine, "SimulatePrincipalPolicy", &all));
    assert_eq!((error.0, error.1.as_str()), (status, code), "{error:?}");
}

#[test]
fn who_may_not_simulate_does_not_learn_who_exists() {
    let mut engine = engine();
    let key = make_alice(&mut engine);
    let alice = as_user(&engine, &key);
    for arn in [ALICE, "arn:aws:iam::111122223333:user/bob"] {
        let answer = ask(
            &mut engine,
            &alice,
            "SimulatePrincipalPolicy",
            &[("PolicySourceArn", arn), ("ActionNames.member.1", "kms:Decrypt")],
        );
        let (status, code, message) = error(answer);
        assert_eq!((status, code.as_str()), (403, "AccessDenied"));
        assert!(message.contains("iam:SimulatePrincipalPolicy"), "{message}");
    }
}
