//! What a document may say, and what AWS's parser says of the rest.

use rstest::rstest;

use super::*;

fn error(kind: PolicyKind, text: &str) -> String {
    PolicyDocument::parse(kind, text).unwrap_err().to_string()
}

fn with_statement(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{{{members}}}}}"#)
}

#[test]
fn single_values_and_lists_are_the_same() {
    let single = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:x":true}}}}"#;
    let list = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:*"],"Resource":["*"],"Condition":{"Bool":{"aws:x":["true"]}}}]}"#;
    let meaning = |text| {
        let mut document = PolicyDocument::parse(PolicyKind::Identity, text).unwrap();
        // How it is written is kept to be quoted, and means nothing.
        document.statements.iter_mut().for_each(|statement| statement.json = Default::default());
        document
    };
    assert_eq!(meaning(single), meaning(list));
}

#[test]
fn a_key_policy_keeps_id_sid_and_version() {
    let text = format!(r#"{{"Id":"key-default-1","Statement":[{ROOT_STATEMENT}]}}"#);
    let document = PolicyDocument::parse(PolicyKind::Key, &text).unwrap();
    assert_eq!(document.version, "2008-10-17", "the default of a document without a version");
    assert_eq!(document.id.as_deref(), Some("key-default-1"));
    assert_eq!(document.statements[0].sid.as_deref(), Some("Enable IAM User Permissions"));
    assert_eq!(document.statements[0].effect, Effect::Allow);
}

#[test]
fn the_old_version_knows_no_variables() {
    let statement = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:username":"${aws:username}"}}}"#;
    let (principal, context) = (alice(), context());
    let call = AccessRequest { principal: &principal, action: "kms:Decrypt", resource: KEY, context: &context };
    for (version, expected) in [("2008-10-17", false), ("2012-10-17", true)] {
        let text = format!(r#"{{"Version":"{version}","Statement":[{statement}]}}"#);
        let document = Arc::new(PolicyDocument::parse(PolicyKind::Key, &text).unwrap());
        let policy = NamedPolicy { source: PolicySource::KeyPolicy { key_arn: KEY.to_owned() }, document };
        let decision = decide_for_key(&call, &policy, ACCOUNT, &[], &[], &BTreeMap::new());
        assert_eq!(decision.is_allowed(), expected, "{version}");
    }
}

#[test]
fn principals_are_listed_once_without_everyone() {
    let everyone = r#"{"Effect":"Allow","Principal":{"AWS":["*","111122223333","arn:aws:iam::111122223333:role/r"],"Service":"dynamodb.amazonaws.com"},"Action":"kms:*","Resource":"*"}"#;
    let document = parse(PolicyKind::Key, &[ROOT_STATEMENT, KEY_USER, KEY_USER_GRANTS, everyone, KEY_DENY_OTHERS]);
    assert_eq!(
        document.principals(),
        [
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/alice",
            "111122223333",
            "arn:aws:iam::111122223333:role/r",
            "arn:aws:iam::111122223333:user/bob",
        ]
    );
}

#[rstest]
#[case("", "Syntax errors in policy. (EOF")]
#[case("{", "Syntax errors in policy. (EOF")]
#[case("[]", "Syntax errors in policy. (a policy is a JSON object)")]
#[case("{}", "Policy document must be version 2012-10-17 or greater.")]
#[case(r#"{"Version":"2008-10-17","Statement":[]}"#, "Policy document must be version 2012-10-17 or greater.")]
#[case(r#"{"Version":"2020-01-01","Statement":[]}"#, "Syntax errors in policy. (Version \"2020-01-01\" is neither")]
#[case(r#"{"Version":"2012-10-17"}"#, "Syntax errors in policy. (Statement is missing)")]
#[case(r#"{"Version":"2012-10-17","Statement":[]}"#, "Syntax errors in policy. (Statement is empty)")]
#[case(
    r#"{"Version":"2012-10-17","Statement":[],"Author":"me"}"#,
    "Syntax errors in policy. (\"Author\" is no element of a policy)"
)]
#[case(
    r#"{"Version":"2012-10-17","Statement":["x"]}"#,
    "Syntax errors in policy. (statement 1: a statement is a JSON object)"
)]
#[case(
    r#"{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}"#,
    "Syntax errors in policy. (\"Version\" appears twice"
)]
fn documents_refused(#[case] text: &str, #[case] expected: &str) {
    let found = error(PolicyKind::Identity, text);
    assert!(found.starts_with(expected), "{found}");
}

#[rstest]
#[case(
    r#""Effect":"allow","Action":"a:b","Resource":"*""#,
    "The policy failed legacy parsing (statement 1: Effect must be Allow or Deny)"
)]
#[case(
    r#""Sid":"Mine","Action":"a:b","Resource":"*""#,
    "Syntax errors in policy. (statement 1 \"Mine\": Effect must be Allow or Deny)"
)]
#[case(r#""Effect":"Allow","Resource":"*""#, "Policy statement must contain actions. (statement 1)")]
#[case(r#""Effect":"Allow","Action":"a:b""#, "Policy statement must contain resources. (statement 1)")]
#[case(
    r#""Effect":"Allow","Action":"decrypt","Resource":"*""#,
    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. (statement 1: \"decrypt\")"
)]
#[case(
    r#""Effect":"Allow","Action":"a:b","NotAction":"a:c","Resource":"*""#,
    "Syntax errors in policy. (statement 1: Action and NotAction exclude each other)"
)]
#[case(
    r#""Effect":"Allow","Action":"a:b","Resource":"*","NotResource":"*""#,
    "Syntax errors in policy. (statement 1: Resource and NotResource exclude each other)"
)]
#[case(r#""Effect":"Allow","Action":[],"Resource":"*""#, "Policy statement must contain actions. (statement 1)")]
#[case(r#""Effect":"Allow","Action":"a:b","Resource":[]"#, "Policy statement must contain resources. (statement 1)")]
#[case(
    r#""Effect":"Allow","Action":{"a":"b"},"Resource":"*""#,
    "Syntax errors in policy. (statement 1: Action must be a string or a list of strings)"
)]
#[case(
    r#""Effect":"Allow","Action":"a:b","Resource":"table/x""#,
    "Resource table/x must be in ARN format or \"*\". (statement 1)"
)]
#[case(
    r#""Effect":"Allow","Action":"a:b","Resource":"*","Principal":"*""#,
    "Policy document should not specify a principal. (statement 1)"
)]
#[case(
    r#""Sid":"with space","Effect":"Allow","Action":"a:b","Resource":"*""#,
    "Statement IDs (SID) must be alpha-numeric. Check that"
)]
#[case(
    r#""Effect":"Allow","Action":"a:b","Resource":"*","Condition":[]"#,
    "Syntax errors in policy. (statement 1: Condition must be an object of operators)"
)]
#[case(
    r#""Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEquals":"x"}"#,
    "Syntax errors in policy. (statement 1: StringEquals must be an object of condition keys)"
)]
#[case(
    r#""Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"Equals":{"aws:x":"y"}}"#,
    "Syntax errors in policy. (statement 1: Equals is no condition operator)"
)]
#[case(
    r#""Effect":"Allow","Action":"a:b","Resource":"*","When":1"#,
    "Syntax errors in policy. (statement 1: \"When\" is no element of a policy)"
)]
fn identity_statements_refused(#[case] members: &str, #[case] expected: &str) {
    let found = error(PolicyKind::Identity, &with_statement(members));
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn sids_of_an_identity_policy_are_unique() {
    let one = r#"{"Sid":"A","Effect":"Allow","Action":"a:b","Resource":"*"}"#;
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{one},{one}]}}"#);
    let error = PolicyDocument::parse(PolicyKind::Identity, &text).unwrap_err();
    assert_eq!(error.kind, PolicyErrorKind::DuplicateSid);
    assert_eq!(error.statement.map(|(index, _)| index), Some(1));
}

const INVALID: &str = "Policy contains a statement with one or more invalid principals.";

#[rstest]
#[case(r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/*"}"#, INVALID)]
#[case(r#""Principal":{"AWS":"arn:aws:iam::1:user/alice"}"#, INVALID)]
#[case(r#""Principal":{"AWS":"arn:aws:s3:::bucket"}"#, INVALID)]
#[case(r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/"}"#, INVALID)]
#[case(r#""Principal":{"AWS":"alice"}"#, INVALID)]
#[case(r#""Principal":{"AWS":"arn:aws-moon:iam::111122223333:root"}"#, INVALID)]
#[case(r#""Principal":{"AWS":"arn:aws-moon:iam::111122223333:user/alice"}"#, INVALID)]
#[case(r#""Principal":{"Service":"dynamodb"}"#, INVALID)]
#[case(r#""Principal":"alice""#, INVALID)]
#[case(r#""Principal":{}"#, INVALID)]
#[case(r#""Principal":{"User":"alice"}"#, "Syntax errors in policy.")]
#[case(r#""Principal":"*","NotPrincipal":"*""#, "Syntax errors in policy.")]
#[case(r#""Sid":"x""#, "Policy statement must contain principals.")]
fn key_principals_refused(#[case] principal: &str, #[case] expected: &str) {
    let text = with_statement(&format!(r#"{principal},"Effect":"Allow","Action":"kms:*","Resource":"*""#));
    assert_eq!(PolicyDocument::parse(PolicyKind::Key, &text).unwrap_err().kind.to_string(), expected);
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    assert!(error(PolicyKind::Key, &"[".repeat(100_000)).starts_with("Syntax errors in policy. (recursion limit"));
}
