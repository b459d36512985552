use super::*;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const DENY_TABLES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"dynamodb:DeleteTable","Resource":"*"},
    {"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}"#;

fn xml_of(engine: &mut Engine, parameters: &[(&str, &str)]) -> String {
    let mut all = vec![("PolicySourceArn", ALICE)];
    all.extend(parameters);
    format!("<r>{}</r>", as_admin(engine, "SimulatePrincipalPolicy", &all).unwrap())
}

/// The text of the first element of that name in a node.
fn part(node: roxmltree::Node, name: &str) -> String {
    let node = node.descendants().find(|node| node.has_tag_name(name));
    node.and_then(|node| node.text()).unwrap_or_default().to_owned()
}

/// Action, resource, decision, policy.
fn simulate(engine: &mut Engine, parameters: &[(&str, &str)]) -> Vec<[String; 4]> {
    let text = xml_of(engine, parameters);
    let document = roxmltree::Document::parse(&text).unwrap();
    let results = document.descendants().filter(|node| node.children().any(|child| child.has_tag_name("EvalDecision")));
    results
        .map(|result| {
            ["EvalActionName", "EvalResourceName", "EvalDecision", "SourcePolicyId"].map(|name| part(result, name))
        })
        .collect()
}

fn put(engine: &mut Engine, name: &str, document: &str) {
    let parameters = [("UserName", "alice"), ("PolicyName", name), ("PolicyDocument", document)];
    as_admin(engine, "PutUserPolicy", &parameters).unwrap();
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
            ["dynamodb:DeleteTable", "*", "explicitDeny", "user_alice_no-deleting"],
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
    assert_eq!(decided, [["kms:Decrypt", "*", "allowed", "user_alice_no-deleting"]]);
}

/// The page of one action on one key, as the doctor asks.
fn decrypt(region: Option<&str>) -> Vec<(&'static str, &str)> {
    let mut parameters = vec![
        ("ActionNames.member.1", "kms:Decrypt"),
        ("ResourceArns.member.1", "arn:aws:kms:us-east-1:111122223333:key/a"),
    ];
    if let Some(region) = region {
        parameters.push(("ContextEntries.member.1.ContextKeyName", "aws:requestedregion"));
        parameters.push(("ContextEntries.member.1.ContextKeyValues.member.1", region));
        parameters.push(("ContextEntries.member.1.ContextKeyType", "string"));
    }
    parameters
}

#[rstest]
#[case(None, "implicitDeny", "aws:RequestedRegion")]
#[case(Some("us-east-1"), "allowed", "")]
#[case(Some("eu-west-1"), "implicitDeny", "")]
fn keys_that_policies_need_and_nobody_gives_are_listed(
    #[case] region: Option<&str>,
    #[case] decision: &str,
    #[case] missing: &str,
) {
    let mut engine = engine();
    make_alice(&mut engine);
    put(&mut engine, "region", include_str!("../../testdata/allow-requested-region.json"));
    let text = xml_of(&mut engine, &decrypt(region));
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(part(document.root(), "EvalDecision"), decision);
    assert_eq!(part(document.root(), "EvalResourceDecision"), decision);
    let listed = document.descendants().filter(|node| node.has_tag_name("MissingContextValues"));
    assert_eq!(listed.map(|list| part(list, "member")).collect::<Vec<_>>(), [missing, missing]);
}

#[test]
fn variables_need_their_keys_and_the_callers_are_known() {
    let mut engine = engine();
    make_alice(&mut engine);
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b/${aws:username}","arn:aws:s3:::b/${aws:PrincipalTag/team}"]}}"#;
    put(&mut engine, "own", own);
    let text = xml_of(&mut engine, &[("ActionNames.member.1", "kms:Decrypt")]);
    assert!(
        text.contains("<MissingContextValues><member>aws:PrincipalTag/team</member></MissingContextValues>"),
        "{text}"
    );
}

#[test]
fn statements_that_decided_are_shown_where_they_stand() {
    let mut engine = engine();
    make_alice(&mut engine);
    put(
        &mut engine,
        "lines",
        "{\n \"Version\": \"2012-10-17\",\n \"Statement\": [\n  {\"Effect\":\"Allow\",\"Action\":\"a:*\",\"Resource\":\"*\"},\n  {\"Effect\":\"Deny\",\"Action\":\"a:b\",\n   \"Resource\":\"*\"}\n ]\n}",
    );
    let places = |engine: &mut Engine, action| {
        let text = xml_of(engine, &[("ActionNames.member.1", action)]);
        let document = roxmltree::Document::parse(&text).unwrap();
        let numbers = |name| {
            let nodes = document.descendants().filter(move |node| node.has_tag_name(name));
            nodes.map(|node| (part(node, "Line"), part(node, "Column"))).collect::<Vec<_>>()
        };
        (numbers("StartPosition"), numbers("EndPosition"))
    };
    let at = |line: &str, column: &str| vec![(line.to_owned(), column.to_owned())];
    assert_eq!(places(&mut engine, "a:c"), (at("3", "16"), at("4", "51")));
    assert_eq!(places(&mut engine, "a:b"), (at("4", "51"), at("6", "19")));
    assert_eq!(places(&mut engine, "x:y"), (vec![], vec![]));
}

#[test]
fn several_resources_have_a_decision_each() {
    let mut engine = engine();
    make_alice(&mut engine);
    let one = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:*:*:key/a"}}"#;
    put(&mut engine, "one", one);
    let mut parameters = decrypt(None);
    parameters.push(("ResourceArns.member.2", "arn:aws:kms:us-east-1:111122223333:key/b"));
    let text = xml_of(&mut engine, &parameters);
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(part(document.root(), "EvalDecision"), "implicitDeny", "the most restrictive one");
    let decisions = document.descendants().filter(|node| node.has_tag_name("EvalResourceDecision"));
    assert_eq!(decisions.filter_map(|node| node.text()).collect::<Vec<_>>(), ["allowed", "implicitDeny"]);
}

#[test]
fn results_come_in_pages() {
    let mut engine = engine();
    make_alice(&mut engine);
    let actions = [("ActionNames.member.1", "b:B"), ("ActionNames.member.2", "a:A"), ("ActionNames.member.3", "b:B")];
    let first = [&actions[..], &[("MaxItems", "1")]].concat();
    let text = xml_of(&mut engine, &first);
    assert!(text.contains("<EvalActionName>b:B<") && text.contains("<IsTruncated>true<"), "{text}");
    let marker = part(roxmltree::Document::parse(&text).unwrap().root(), "Marker");
    let rest = [&actions[..], &[("Marker", marker.as_str())]].concat();
    assert_eq!(simulate(&mut engine, &rest), [["a:A", "*", "implicitDeny", ""]]);
}

#[test]
fn a_caller_and_an_owner_that_change_nothing_are_taken() {
    let mut engine = engine();
    make_alice(&mut engine);
    for owner in ["111122223333", "arn:aws:iam::111122223333:root"] {
        let same = [("ActionNames.member.1", "a:A"), ("CallerArn", ALICE), ("ResourceOwner", owner)];
        assert_eq!(simulate(&mut engine, &same).len(), 1);
    }
}

#[rstest]
#[case::no_action(&[], 400, "ValidationError")]
#[case::no_such_user(&[("PolicySourceArn", "arn:aws:iam::111122223333:user/bob"), ("ActionNames.member.1", "kms:Decrypt")], 404, "NoSuchEntity")]
#[case::root(&[("PolicySourceArn", "arn:aws:iam::111122223333:root"), ("ActionNames.member.1", "kms:Decrypt")], 404, "NoSuchEntity")]
#[case::no_action_name(&[("ActionNames.member.1", "Decrypt")], 400, "ValidationError")]
#[case::other_caller(&[("ActionNames.member.1", "kms:Decrypt"), ("CallerArn", "arn:aws:iam::111122223333:user/kmslab-admin")], 400, "ValidationError")]
#[case::other_owner(&[("ActionNames.member.1", "kms:Decrypt"), ("ResourceOwner", "444455556666")], 400, "ValidationError")]
#[case::resource_policy(&[("ActionNames.member.1", "kms:Decrypt"), ("ResourcePolicy", "{}")], 400, "ValidationError")]
#[case::handling(&[("ActionNames.member.1", "kms:Decrypt"), ("ResourceHandlingOption", "EC2-VPC-InstanceStore")], 400, "ValidationError")]
#[case::boundary(&[("ActionNames.member.1", "kms:Decrypt"), ("PermissionsBoundaryPolicyInputList.member.1", "{}")], 400, "ValidationError")]
#[case::exclusions(&[("ActionNames.member.1", "kms:Decrypt"), ("PolicyExclusionList.member.1.PolicyType", "inline")], 400, "ValidationError")]
#[case::kind(&[("ActionNames.member.1", "a:A"), ("ContextEntries.member.1.ContextKeyName", "aws:x"), ("ContextEntries.member.1.ContextKeyType", "text")], 400, "ValidationError")]
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

#[test]
fn a_role_is_simulated_with_its_policies() {
    let mut engine = engine();
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#;
    as_admin(&mut engine, "CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", trust)]).unwrap();
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:List*","Resource":"*"}}"#;
    let policy = [("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", document)];
    as_admin(&mut engine, "PutRolePolicy", &policy).unwrap();
    let ask = |engine: &mut Engine, arn: &str, action: &str| {
        as_admin(engine, "SimulatePrincipalPolicy", &[("PolicySourceArn", arn), ("ActionNames.member.1", action)])
    };
    let arn = "arn:aws:iam::111122223333:role/app";
    let allowed = ask(&mut engine, arn, "kms:ListKeys").unwrap();
    assert_eq!(
        (text(&allowed, "EvalDecision"), text(&allowed, "SourcePolicyId")),
        ("allowed".into(), "role_app_p".into())
    );
    assert_eq!(text(&ask(&mut engine, arn, "kms:Decrypt").unwrap(), "EvalDecision"), "implicitDeny");
    assert_eq!(error(ask(&mut engine, "arn:aws:iam::111122223333:role/none", "kms:Decrypt")).1, "NoSuchEntity");
}
