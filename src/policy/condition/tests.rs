use rstest::rstest;

use super::*;

fn context() -> ConditionContext {
    let mut context = ConditionContext::default();
    context
        .set("kms:ViaService", "dynamodb.us-east-1.amazonaws.com")
        .set("aws:username", "alice")
        .set("aws:PrincipalArn", "arn:aws:iam::111122223333:user/alice")
        .set("aws:SourceIp", "10.0.3.7")
        .set("aws:CurrentTime", "2026-01-01T12:00:00Z")
        .set("aws:EpochTime", "1767268800")
        .set("aws:MultiFactorAuthAge", "300")
        .set("kms:GrantIsForAWSResource", "true")
        .add("aws:TagKeys", "cost")
        .add("aws:TagKeys", "team");
    context
}

fn holds(operator: &str, key: &str, values: &[&str]) -> bool {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    Condition::parse(operator, key, values, true).unwrap().holds(&context())
}

#[rstest]
// String
#[case("StringEquals", "kms:ViaService", &["dynamodb.us-east-1.amazonaws.com"], true)]
#[case("StringEquals", "KMS:viaservice", &["dynamodb.us-east-1.amazonaws.com"], true)] // key names ignore case
#[case("StringEquals", "kms:ViaService", &["DynamoDB.us-east-1.amazonaws.com"], false)] // values don't
#[case("StringEquals", "kms:ViaService", &["dynamodb.*.amazonaws.com"], false)] // `*` means itself
#[case("StringEquals", "aws:username", &["bob", "alice"], true)] // several values: OR
#[case("StringEquals", "aws:username", &["bob", "carol"], false)]
#[case("StringNotEquals", "aws:username", &["bob", "carol"], true)]
#[case("StringNotEquals", "aws:username", &["bob", "alice"], false)] // negated: NOR
#[case("StringEqualsIgnoreCase", "aws:username", &["ALICE"], true)]
#[case("StringNotEqualsIgnoreCase", "aws:username", &["ALICE"], false)]
#[case("StringLike", "kms:ViaService", &["dynamodb.*.amazonaws.com"], true)]
#[case("StringLike", "kms:ViaService", &["s3.*.amazonaws.com"], false)]
#[case("StringNotLike", "kms:ViaService", &["dynamodb.*.amazonaws.com"], false)]
#[case("StringNotLike", "kms:ViaService", &["s3.*"], true)]
#[case("StringLike", "aws:PrincipalArn", &["*:user/${aws:username}"], true)]
#[case("StringEquals", "aws:username", &["${aws:nobody}"], false)]
// Arn
#[case("ArnEquals", "aws:PrincipalArn", &["arn:aws:iam::111122223333:user/alice"], true)]
#[case("ArnEquals", "aws:PrincipalArn", &["arn:aws:iam::*:user/a*"], true)]
#[case("ArnLike", "aws:PrincipalArn", &["arn:aws:iam::*:user/b*"], false)]
#[case("ArnNotEquals", "aws:PrincipalArn", &["arn:aws:iam::111122223333:user/bob"], true)]
#[case("ArnNotLike", "aws:PrincipalArn", &["arn:aws:iam::*:user/*"], false)]
// Numeric
#[case("NumericEquals", "aws:MultiFactorAuthAge", &["300"], true)]
#[case("NumericEquals", "aws:MultiFactorAuthAge", &["300.0"], true)]
#[case("NumericNotEquals", "aws:MultiFactorAuthAge", &["300"], false)]
#[case("NumericLessThan", "aws:MultiFactorAuthAge", &["300"], false)]
#[case("NumericLessThan", "aws:MultiFactorAuthAge", &["3600"], true)]
#[case("NumericLessThanEquals", "aws:MultiFactorAuthAge", &["300"], true)]
#[case("NumericGreaterThan", "aws:MultiFactorAuthAge", &["299.5"], true)]
#[case("NumericGreaterThanEquals", "aws:MultiFactorAuthAge", &["301"], false)]
#[case("NumericEquals", "aws:username", &["1"], false)] // what is no number equals none
// Date
#[case("DateLessThan", "aws:CurrentTime", &["2026-01-02"], true)]
#[case("DateGreaterThan", "aws:CurrentTime", &["2026-01-01T12:00:00.001Z"], false)]
#[case("DateGreaterThanEquals", "aws:CurrentTime", &["2026-01-01T12:00Z"], true)]
#[case("DateEquals", "aws:CurrentTime", &["2026-01-01T13:00:00+01:00"], true)]
#[case("DateEquals", "aws:CurrentTime", &["1767268800"], true)]
#[case("DateNotEquals", "aws:EpochTime", &["2026-01-01T12:00:00Z"], false)]
#[case("DateLessThanEquals", "aws:EpochTime", &["2025-12-31"], false)]
// Bool
#[case("Bool", "kms:GrantIsForAWSResource", &["true"], true)]
#[case("Bool", "kms:GrantIsForAWSResource", &["True"], true)]
#[case("Bool", "kms:GrantIsForAWSResource", &["false"], false)]
#[case("Bool", "aws:SecureTransport", &["false"], false)]
// Null
#[case("Null", "aws:TokenIssueTime", &["true"], true)]
#[case("Null", "aws:TokenIssueTime", &["false"], false)]
#[case("Null", "aws:username", &["false"], true)]
#[case("Null", "aws:username", &["true"], false)]
// IpAddress
#[case("IpAddress", "aws:SourceIp", &["10.0.0.0/16"], true)]
#[case("IpAddress", "aws:SourceIp", &["10.1.0.0/16", "10.0.3.7"], true)]
#[case("IpAddress", "aws:SourceIp", &["10.0.3.6"], false)]
#[case("IpAddress", "aws:SourceIp", &["0.0.0.0/0"], true)]
#[case("IpAddress", "aws:SourceIp", &["2001:db8::/32"], false)]
#[case("IpAddress", "aws:SourceIp", &["::/0"], false)]
#[case("NotIpAddress", "aws:SourceIp", &["10.0.0.0/16"], false)]
#[case("NotIpAddress", "aws:SourceIp", &["192.168.0.0/16", "10.1.0.0/16"], true)]
// the key isn't in the request
#[case("StringEquals", "aws:absent", &["x"], false)]
#[case("StringNotEquals", "aws:absent", &["x"], true)]
#[case("StringEqualsIfExists", "aws:absent", &["x"], true)]
#[case("StringNotEqualsIfExists", "aws:absent", &["x"], true)]
#[case("NumericLessThan", "aws:absent", &["1"], false)]
#[case("NumericLessThanIfExists", "aws:absent", &["1"], true)]
#[case("BoolIfExists", "aws:absent", &["true"], true)]
#[case("NotIpAddress", "aws:absent", &["10.0.0.0/8"], true)]
#[case("IpAddressIfExists", "aws:absent", &["10.0.0.0/8"], true)]
#[case("ForAllValues:StringEquals", "aws:absent", &["x"], true)]
#[case("ForAnyValue:StringEquals", "aws:absent", &["x"], false)]
#[case("ForAnyValue:StringNotEquals", "aws:absent", &["x"], false)]
#[case("ForAnyValue:StringEqualsIfExists", "aws:absent", &["x"], true)]
// IfExists changes nothing where the key is there
#[case("StringEqualsIfExists", "aws:username", &["bob"], false)]
#[case("ArnLikeIfExists", "aws:PrincipalArn", &["arn:aws:iam::*:user/*"], true)]
// set operators
#[case("ForAllValues:StringEquals", "aws:TagKeys", &["cost", "team", "stage"], true)]
#[case("ForAllValues:StringEquals", "aws:TagKeys", &["cost"], false)]
#[case("ForAllValues:StringLike", "aws:TagKeys", &["c*", "t*"], true)]
#[case("ForAllValues:StringNotEquals", "aws:TagKeys", &["stage"], true)]
#[case("ForAllValues:StringNotEquals", "aws:TagKeys", &["cost"], false)]
#[case("ForAnyValue:StringEquals", "aws:TagKeys", &["team"], true)]
#[case("ForAnyValue:StringEquals", "aws:TagKeys", &["stage"], false)]
#[case("ForAnyValue:StringNotEquals", "aws:TagKeys", &["team"], true)]
#[case("ForAnyValue:StringNotEquals", "aws:TagKeys", &["team", "cost"], false)]
fn operators(#[case] operator: &str, #[case] key: &str, #[case] values: &[&str], #[case] expected: bool) {
    assert_eq!(holds(operator, key, values), expected, "{operator} {key} {values:?}");
}

#[rstest]
#[case("StringMatches", "aws:username", "x", "StringMatches is no condition operator")]
#[case("ForSome:StringEquals", "aws:username", "x", "ForSome is no set operator")]
#[case("NullIfExists", "aws:username", "true", "NullIfExists: Null takes neither a set operator nor IfExists")]
#[case("NumericEquals", "aws:x", "many", "NumericEquals can't compare aws:x with \"many\"")]
#[case("DateLessThan", "aws:x", "tomorrow", "DateLessThan can't compare aws:x with \"tomorrow\"")]
#[case("Bool", "aws:x", "yes", "Bool can't compare aws:x with \"yes\"")]
#[case("IpAddress", "aws:x", "10.0.0.0/33", "IpAddress can't compare aws:x with \"10.0.0.0/33\"")]
#[case("DateNotLessThan", "aws:x", "2026-01-01", "DateNotLessThan is no condition operator")]
fn what_is_wrong(#[case] operator: &str, #[case] key: &str, #[case] value: &str, #[case] expected: &str) {
    let error = Condition::parse(operator, key, vec![value.to_owned()], true).unwrap_err();
    assert_eq!(error, PolicyErrorKind::Syntax(expected.to_owned()));
}

#[test]
fn a_key_needs_a_service() {
    assert!(matches!(Condition::parse("StringEquals", "username", vec!["x".to_owned()], true),
            Err(PolicyErrorKind::Syntax(detail)) if detail.contains("begins with")));
}
