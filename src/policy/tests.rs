//! Every sentence of the notes on key policies, grants and IAM as a table; what must hold for any policies as properties.

use std::collections::BTreeMap;
use std::sync::Arc;

use rstest::rstest;

use super::*;

mod documents;
mod properties;

const ACCOUNT: &str = "111122223333";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const VIA: &str = "dynamodb.us-east-1.amazonaws.com";

const ROOT_STATEMENT: &str = r#"{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;
const KEY_USER: &str = r#"{"Sid":"Allow use of the key","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"}"#;
const KEY_USER_GRANTS: &str = r#"{"Sid":"Allow attachment of persistent resources","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":["kms:CreateGrant","kms:ListGrants","kms:RevokeGrant"],"Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}"#;
const ADMINISTRATORS: &str = r#"{"Sid":"Allow access for Key Administrators","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":["kms:Create*","kms:Describe*","kms:Enable*","kms:List*","kms:Put*","kms:Update*","kms:Revoke*","kms:Disable*","kms:Get*","kms:Delete*","kms:TagResource","kms:UntagResource","kms:ScheduleKeyDeletion","kms:CancelKeyDeletion","kms:RotateKeyOnDemand"],"Resource":"*"}"#;
const AWS_MANAGED: &str = r#"{"Sid":"Via","Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:CreateGrant","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"dynamodb.us-east-1.amazonaws.com"}}}"#;

fn alice() -> Principal {
    Principal::user(ACCOUNT, "alice", "AIDAALICEALICEALICE12")
}

fn context() -> ConditionContext {
    let mut context = ConditionContext::default();
    context
        .set("kms:ViaService", VIA)
        .set("kms:CallerAccount", ACCOUNT)
        .set("aws:username", "alice")
        .set("aws:PrincipalArn", alice().arn);
    context
}

fn parse(kind: PolicyKind, statements: &[&str]) -> Arc<PolicyDocument> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    Arc::new(PolicyDocument::parse(kind, &text).unwrap())
}

fn key_policy(statements: &[&str]) -> NamedPolicy {
    NamedPolicy {
        source: PolicySource::KeyPolicy { key_arn: KEY.to_owned() },
        document: parse(PolicyKind::Key, statements),
    }
}

fn inline(name: &str, statements: &[&str]) -> NamedPolicy {
    NamedPolicy {
        source: PolicySource::Inline { user: "alice".to_owned(), name: name.to_owned() },
        document: parse(PolicyKind::Identity, statements),
    }
}

fn statement(effect: &str, action: &str) -> String {
    format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}"#)
}

fn grant(grantee: &str, operations: &[&str], constraints: Option<GrantConstraints>) -> Grant {
    Grant {
        grant_id: "f".repeat(64),
        grant_token: "token".to_owned(),
        key_id: "1234abcd-12ab-34cd-56ef-1234567890ab".to_owned(),
        grantee_principal: grantee.to_owned(),
        retiring_principal: None,
        issuing_account: ACCOUNT.to_owned(),
        name: None,
        operations: operations.iter().map(|&operation| operation.to_owned()).collect(),
        constraints,
        creation_date: 0.0,
    }
}

fn table_context() -> BTreeMap<String, String> {
    [("aws:dynamodb:subscriberId", ACCOUNT), ("aws:dynamodb:tableName", "orders")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

struct Asked<'a> {
    principal: Principal,
    action: &'a str,
    key: &'a [&'a str],
    identity: &'a [&'a str],
    grants: Vec<Grant>,
    context: ConditionContext,
}

impl<'a> Asked<'a> {
    fn new(action: &'a str, key: &'a [&'a str], identity: &'a [&'a str]) -> Self {
        Self { principal: alice(), action, key, identity, grants: Vec::new(), context: context() }
    }

    fn decide(&self) -> (Decision, Option<String>) {
        let call =
            AccessRequest { principal: &self.principal, action: self.action, resource: KEY, context: &self.context };
        let identity = if self.identity.is_empty() { Vec::new() } else { vec![inline("own", self.identity)] };
        let decision = decide_for_key(&call, &key_policy(self.key), ACCOUNT, &identity, &self.grants, &table_context());
        let message = decision.message(&call);
        (decision, message)
    }

    fn verdict(&self) -> &'static str {
        match self.decide().0.outcome {
            Outcome::Allowed { via_account: true, .. } => "allowed via account",
            Outcome::Allowed { by: PolicySource::Grant { .. }, .. } => "allowed by grant",
            Outcome::Allowed { by: PolicySource::KeyPolicy { .. }, .. } => "allowed by key policy",
            Outcome::Allowed { .. } => "allowed",
            Outcome::ExplicitDeny { by: PolicySource::KeyPolicy { .. }, .. } => "denied by key policy",
            Outcome::ExplicitDeny { .. } => "denied by identity policy",
            Outcome::ImplicitDeny { missing: Missing::IdentityPolicy } => "identity policy lacks it",
            Outcome::ImplicitDeny { missing: Missing::ResourcePolicy } => "key policy lacks it",
            Outcome::ImplicitDeny { .. } => "a limit lacks it",
        }
    }
}

const ALLOW_DECRYPT: &str = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#;
const ALLOW_THIS_KEY: &str =
    r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:*:111122223333:key/1234abcd-*"}"#;
const ALLOW_OTHER_KEY: &str =
    r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:*:111122223333:key/5678*"}"#;
const DENY_DECRYPT: &str = r#"{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}"#;
const DYNAMODB_FULL: &str =
    r#"{"Effect":"Allow","Action":["dynamodb:*","kms:DescribeKey","kms:ListAliases"],"Resource":"*"}"#;
const KEY_ACCOUNT_ID: &str = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}"#;
const KEY_OTHER_ACCOUNT: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"kms:*","Resource":"*"}"#;
const KEY_ROOT_VIA_S3: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}"#;
const KEY_ROOT_VIA_DYNAMODB: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*","Condition":{"StringLike":{"kms:ViaService":"dynamodb.*.amazonaws.com"}}}"#;
const KEY_EVERYONE: &str = r#"{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_ROOT: &str =
    r#"{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_ACCOUNT: &str =
    r#"{"Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_ALICE: &str = r#"{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_OTHERS: &str = r#"{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_NOT_ALICE: &str = r#"{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_NOT_ROOT: &str = r#"{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_NOT_ACCOUNT: &str =
    r#"{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_NOT_ALICE_OR_ROOT: &str = r#"{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:root"]},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_DENY_NOT_BOB_OR_ROOT: &str = r#"{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/bob","arn:aws:iam::111122223333:root"]},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_ALLOW_NOT_ROOT: &str = r#"{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_ALICE_BY_ID: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"AIDAALICEALICEALICE12"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_ALICE_OF_OLD: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"AIDAEARLIEREARLIER123"},"Action":"kms:Decrypt","Resource":"*"}"#;
const KEY_NOT_ACTION: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"NotAction":["kms:Encrypt","kms:Put*"],"Resource":"*"}"#;
const KEY_NOT_RESOURCE: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:*","NotResource":"arn:aws:kms:*:*:key/1234*"}"#;
const KEY_SERVICE: &str =
    r#"{"Effect":"Allow","Principal":{"Service":"dynamodb.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}"#;

#[rstest]
// CreateKey without a policy: the root statement alone gives no user access
#[case("kms:Decrypt", &[ROOT_STATEMENT], &[], "identity policy lacks it")]
#[case("kms:Decrypt", &[ROOT_STATEMENT], &[DYNAMODB_FULL], "identity policy lacks it")]
#[case("kms:DescribeKey", &[ROOT_STATEMENT], &[DYNAMODB_FULL], "allowed via account")]
// (a) the key policy allows the principal directly
#[case("kms:Decrypt", &[ROOT_STATEMENT, KEY_USER, KEY_USER_GRANTS], &[DYNAMODB_FULL], "allowed by key policy")]
#[case("kms:GenerateDataKeyWithoutPlaintext", &[KEY_USER], &[], "allowed by key policy")]
#[case("kms:ReEncryptFrom", &[KEY_USER], &[], "allowed by key policy")]
#[case("kms:PutKeyPolicy", &[KEY_USER], &[], "key policy lacks it")]
#[case("kms:CreateGrant", &[KEY_USER, KEY_USER_GRANTS], &[], "key policy lacks it")] // no kms:GrantIsForAWSResource
#[case("kms:Decrypt", &[KEY_EVERYONE], &[], "allowed by key policy")]
#[case("kms:Decrypt", &[KEY_ALICE_BY_ID], &[], "allowed by key policy")]
#[case("kms:Decrypt", &[KEY_ALICE_OF_OLD], &[], "key policy lacks it")] // a user of the same name, deleted before
#[case("kms:Decrypt", &[KEY_NOT_ACTION], &[], "allowed by key policy")]
#[case("kms:PutKeyPolicy", &[KEY_NOT_ACTION], &[], "key policy lacks it")]
#[case("kms:Decrypt", &[KEY_NOT_RESOURCE], &[], "key policy lacks it")]
#[case("kms:Decrypt", &[KEY_SERVICE], &[], "key policy lacks it")]
// an administrator can't decrypt, but can rewrite the policy
#[case("kms:Decrypt", &[ADMINISTRATORS], &[], "key policy lacks it")]
#[case("kms:PutKeyPolicy", &[ADMINISTRATORS], &[], "allowed by key policy")]
// (b) the account root and an identity policy
#[case("kms:Decrypt", &[ROOT_STATEMENT], &[ALLOW_DECRYPT], "allowed via account")]
#[case("kms:Decrypt", &[KEY_ACCOUNT_ID], &[ALLOW_DECRYPT], "allowed via account")]
#[case("kms:Decrypt", &[ROOT_STATEMENT], &[ALLOW_THIS_KEY], "allowed via account")]
#[case("kms:Decrypt", &[ROOT_STATEMENT], &[ALLOW_OTHER_KEY], "identity policy lacks it")]
#[case("kms:Decrypt", &[KEY_OTHER_ACCOUNT], &[ALLOW_DECRYPT], "key policy lacks it")]
#[case("kms:Decrypt", &[KEY_ROOT_VIA_DYNAMODB], &[ALLOW_DECRYPT], "allowed via account")]
#[case("kms:Decrypt", &[KEY_ROOT_VIA_S3], &[ALLOW_DECRYPT], "key policy lacks it")]
#[case("kms:Decrypt", &[KEY_ROOT_VIA_S3], &[], "key policy lacks it")]
// an identity policy alone is never enough
#[case("kms:Decrypt", &[ADMINISTRATORS], &[ALLOW_DECRYPT], "key policy lacks it")]
// an explicit deny anywhere
#[case("kms:Decrypt", &[ROOT_STATEMENT, KEY_USER], &[DENY_DECRYPT], "denied by identity policy")]
#[case("kms:Decrypt", &[ROOT_STATEMENT], &[ALLOW_DECRYPT, DENY_DECRYPT], "denied by identity policy")]
#[case("kms:Decrypt", &[KEY_USER, KEY_DENY_ALICE], &[ALLOW_DECRYPT], "denied by key policy")]
#[case("kms:Encrypt", &[KEY_USER, KEY_DENY_ALICE], &[], "allowed by key policy")]
#[case("kms:Decrypt", &[KEY_USER, KEY_DENY_ROOT], &[ALLOW_DECRYPT], "denied by key policy")] // names the account: all in it
#[case("kms:Decrypt", &[KEY_USER, KEY_DENY_ACCOUNT], &[ALLOW_DECRYPT], "denied by key policy")]
#[case("kms:Decrypt", &[KEY_USER, KEY_DENY_OTHERS], &[], "denied by key policy")]
#[case("kms:Decrypt", &[KEY_USER, KEY_DENY_NOT_ALICE], &[], "allowed by key policy")]
#[case("kms:Decrypt", &[KEY_DENY_ALICE], &[DENY_DECRYPT], "denied by key policy")]
// in a NotPrincipal the account's root exempts the root user, not the account
#[case("kms:Decrypt", &[KEY_USER, KEY_DENY_NOT_ROOT], &[ALLOW_DECRYPT], "denied by key policy")]
#[case("kms:Decrypt", &[ROOT_STATEMENT, KEY_DENY_NOT_ACCOUNT], &[ALLOW_DECRYPT], "denied by key policy")]
#[case("kms:Decrypt", &[KEY_USER, KEY_DENY_NOT_ALICE_OR_ROOT], &[], "allowed by key policy")]
#[case("kms:Decrypt", &[KEY_USER, KEY_DENY_NOT_BOB_OR_ROOT], &[], "denied by key policy")]
#[case("kms:Decrypt", &[KEY_ALLOW_NOT_ROOT], &[], "key policy lacks it")]
// and an Allow opens nothing either
// the AWS managed key: everybody of the account, through the service, without a permission of their own
#[case("kms:Decrypt", &[AWS_MANAGED], &[], "allowed by key policy")]
#[case("kms:PutKeyPolicy", &[AWS_MANAGED], &[ALLOW_DECRYPT], "key policy lacks it")]
fn same_account(#[case] action: &str, #[case] key: &[&str], #[case] identity: &[&str], #[case] expected: &str) {
    assert_eq!(Asked::new(action, key, identity).verdict(), expected);
}

#[test]
fn the_aws_managed_key_serves_nobody_directly() {
    let mut asked = Asked::new("kms:Decrypt", &[AWS_MANAGED], &[ALLOW_DECRYPT]);
    asked.context = ConditionContext::default();
    asked.context.set("kms:CallerAccount", ACCOUNT);
    assert_eq!(asked.verdict(), "key policy lacks it");
}

#[test]
fn a_key_user_may_make_grants_for_services() {
    let mut asked = Asked::new("kms:CreateGrant", &[KEY_USER, KEY_USER_GRANTS], &[]);
    asked.context.set("kms:GrantIsForAWSResource", "true");
    assert_eq!(asked.verdict(), "allowed by key policy");
}

#[test]
fn root_is_only_a_principal() {
    let mut asked = Asked::new("kms:Decrypt", &[KEY_USER], &[]);
    asked.principal = Principal::root(ACCOUNT);
    assert_eq!(asked.verdict(), "key policy lacks it");
    asked.key = &[ROOT_STATEMENT];
    assert_eq!(asked.verdict(), "allowed by key policy");
}

#[test]
fn a_deny_for_all_but_root_exempts_root() {
    let mut asked = Asked::new("kms:Decrypt", &[ROOT_STATEMENT, KEY_DENY_NOT_ROOT], &[]);
    asked.principal = Principal::root(ACCOUNT);
    assert_eq!(asked.verdict(), "allowed by key policy");
}

#[rstest]
#[case("aws")]
#[case("aws-us-gov")]
#[case("aws-cn")]
#[case("aws-iso-b")]
fn accounts_and_users_of_every_partition(#[case] partition: &str) {
    let here = |text: &str| text.replace("arn:aws:", &format!("arn:{partition}:"));
    let (root, user, deny) = (here(ROOT_STATEMENT), here(KEY_USER), here(KEY_DENY_NOT_ROOT));
    let root_statement = [root.as_str()];
    let mut asked = Asked::new("kms:Decrypt", &root_statement, &[ALLOW_DECRYPT]);
    asked.principal.arn = here(&alice().arn);
    assert_eq!(asked.verdict(), "allowed via account");
    let key_user = [user.as_str()];
    asked.key = &key_user;
    assert_eq!(asked.verdict(), "allowed by key policy");
    let denied = [user.as_str(), deny.as_str()];
    asked.key = &denied;
    assert_eq!(asked.verdict(), "denied by key policy");
    asked.principal.arn = here("arn:aws:iam::111122223333:root");
    assert!(asked.principal.is_root());
    asked.key = &root_statement;
    assert_eq!(asked.verdict(), "allowed by key policy");
}

#[rstest]
#[case("arn:aws:iam::111122223333:user/alice", &["Decrypt"], None, "allowed by grant")]
#[case("AIDAALICEALICEALICE12", &["Decrypt"], None, "allowed by grant")]
#[case("arn:aws:iam::111122223333:user/bob", &["Decrypt"], None, "identity policy lacks it")]
#[case("arn:aws:iam::111122223333:user/alice", &["Encrypt"], None, "identity policy lacks it")]
#[case("dynamodb.us-east-1.amazonaws.com", &["Decrypt"], None, "identity policy lacks it")]
#[case("arn:aws:iam::111122223333:user/alice", &["Decrypt"], Some(GrantConstraints::EncryptionContextEquals(table_context())), "allowed by grant")]
#[case("arn:aws:iam::111122223333:user/alice", &["Decrypt"], Some(GrantConstraints::EncryptionContextEquals(BTreeMap::new())), "identity policy lacks it")]
#[case("arn:aws:iam::111122223333:user/alice", &["Decrypt"], Some(GrantConstraints::EncryptionContextSubset(BTreeMap::new())), "allowed by grant")]
#[case("arn:aws:iam::111122223333:user/alice", &["Decrypt"], Some(GrantConstraints::EncryptionContextSubset([("aws:dynamodb:tableName".to_owned(), "Orders".to_owned())].into())), "identity policy lacks it")]
// a grant to the account leaves it to IAM, like the key policy
#[case("arn:aws:iam::111122223333:root", &["Decrypt"], None, "identity policy lacks it")]
fn grants(
    #[case] grantee: &str,
    #[case] operations: &[&str],
    #[case] constraints: Option<GrantConstraints>,
    #[case] expected: &str,
) {
    let mut asked = Asked::new("kms:Decrypt", &[ROOT_STATEMENT], &[]);
    asked.grants = vec![grant(grantee, operations, constraints)];
    assert_eq!(asked.verdict(), expected);
}

#[test]
fn a_grant_to_the_account_delegates_to_iam() {
    let mut asked = Asked::new("kms:Decrypt", &[ADMINISTRATORS], &[ALLOW_DECRYPT]);
    assert_eq!(asked.verdict(), "key policy lacks it");
    asked.grants = vec![grant("arn:aws:iam::111122223333:root", &["Decrypt"], None)];
    assert_eq!(asked.verdict(), "allowed via account");
}

#[test]
fn a_grants_constraint_skips_calls_without_context() {
    let mut asked = Asked::new("kms:DescribeKey", &[ADMINISTRATORS], &[]);
    asked.principal = Principal::user(ACCOUNT, "bob", "AIDABOBBOBBOBBOBBOB12");
    let constraints = GrantConstraints::EncryptionContextEquals(BTreeMap::new());
    asked.grants = vec![grant(&asked.principal.arn, &["DescribeKey"], Some(constraints))];
    assert_eq!(asked.verdict(), "allowed by grant");
}

#[test]
fn a_grant_is_for_its_own_key_and_yields_to_a_deny() {
    let mut asked = Asked::new("kms:Decrypt", &[ROOT_STATEMENT], &[DENY_DECRYPT]);
    asked.grants = vec![grant(&alice().arn, &["Decrypt"], None)];
    assert_eq!(asked.verdict(), "denied by identity policy");
    asked.identity = &[];
    asked.grants[0].key_id = "other".to_owned();
    assert_eq!(asked.verdict(), "identity policy lacks it");
}

#[rstest]
#[case("dynamodb.us-east-1.amazonaws.com", true)]
#[case("dynamodb.amazonaws.com", true)]
#[case("s3.amazonaws.com", false)]
fn a_tables_grant_serves_the_service(#[case] grantee: &str, #[case] allowed: bool) {
    let mut asked = Asked::new("kms:GenerateDataKey", &[ROOT_STATEMENT], &[]);
    asked.principal = Principal::service("dynamodb.amazonaws.com");
    asked.grants = vec![grant(grantee, &["GenerateDataKey"], None)];
    assert_eq!(asked.decide().0.is_allowed(), allowed);
}

#[rstest]
#[case(&[KEY_OTHER_ACCOUNT], &[], "identity policy lacks it")]
#[case(&[KEY_OTHER_ACCOUNT], &[ALLOW_DECRYPT], "allowed via account")]
#[case(&[ROOT_STATEMENT], &[ALLOW_DECRYPT], "key policy lacks it")]
#[case(&[KEY_EVERYONE], &[], "identity policy lacks it")]
#[case(&[KEY_EVERYONE], &[ALLOW_DECRYPT], "allowed by key policy")]
fn another_account_needs_both(#[case] key: &[&str], #[case] identity: &[&str], #[case] expected: &str) {
    let mut asked = Asked::new("kms:Decrypt", key, identity);
    asked.principal = Principal::user("444455556666", "eve", "AIDAEVEEVEEVEEVEEVE12");
    assert_eq!(asked.verdict(), expected);
}

const WHO: &str = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Decrypt on";

#[rstest]
#[case(&[ROOT_STATEMENT], &[], "resource: {KEY} because no identity-based policy allows the kms:Decrypt action")]
#[case(&[ADMINISTRATORS], &[ALLOW_DECRYPT], "resource: {KEY} because no resource-based policy allows the kms:Decrypt action")]
#[case(&[KEY_DENY_ALICE], &[], "resource: {KEY} with an explicit deny in a resource-based policy")]
#[case(&[KEY_USER], &[DENY_DECRYPT], "resource: {KEY} with an explicit deny in an identity-based policy")]
fn messages(#[case] key: &[&str], #[case] identity: &[&str], #[case] expected: &str) {
    let (decision, message) = Asked::new("kms:Decrypt", key, identity).decide();
    assert!(!decision.is_allowed());
    assert_eq!(message.unwrap(), format!("{WHO} {}", expected.replace("{KEY}", KEY)));
}

#[test]
fn another_account_learns_nothing() {
    let mut asked = Asked::new("kms:Decrypt", &[ROOT_STATEMENT], &[ALLOW_DECRYPT]);
    asked.principal = Principal::user("444455556666", "eve", "AIDAEVEEVEEVEEVEEVE12");
    assert_eq!(
        asked.decide().1.unwrap(),
        "User: arn:aws:iam::444455556666:user/eve is not authorized to perform: kms:Decrypt on this resource because \
         the resource does not exist in this Region, no resource-based policies allow access, or a resource-based \
         policy explicitly denies access"
    );
}

#[test]
fn nothing_to_say_when_allowed() {
    assert_eq!(Asked::new("kms:Decrypt", &[KEY_USER], &[]).decide().1, None);
}

#[rstest]
#[case("dynamodb:Scan", "arn:aws:dynamodb:us-east-1:111122223333:table/orders", true)]
#[case("kms:Decrypt", KEY, false)]
#[case("iam:CreateUser", "arn:aws:iam::111122223333:user/bob", false)]
fn without_a_resource_policy_the_identity_decides(#[case] action: &str, #[case] resource: &str, #[case] allowed: bool) {
    let (principal, context) = (alice(), context());
    let call = AccessRequest { principal: &principal, action, resource, context: &context };
    let decision = decide(&call, &[inline("ddb", &[DYNAMODB_FULL])]);
    assert_eq!(decision.is_allowed(), allowed);
    assert_eq!(decision.message(&call).is_none(), allowed);
    let denied = decide(&call, &[inline("ddb", &[DYNAMODB_FULL]), inline("no", &[&statement("Deny", "*")])]);
    let name = PolicySource::Inline { user: "alice".to_owned(), name: "no".to_owned() };
    assert_eq!(denied.outcome, Outcome::ExplicitDeny { by: name, sid: None });
}

#[test]
fn the_trace_is_complete_and_readable() {
    let mut asked = Asked::new("kms:Decrypt", &[KEY_DENY_ALICE, ROOT_STATEMENT, KEY_USER_GRANTS], &[DYNAMODB_FULL]);
    asked.grants = vec![grant("arn:aws:iam::111122223333:user/bob", &["Encrypt"], None)];
    let trace = asked.decide().0.trace;
    assert_eq!(trace.len(), 5, "every statement is looked at, although the first denies");
    assert_eq!(trace[0].result, MatchResult::Matched);
    assert_eq!(trace[1].result, MatchResult::DelegatesToAccount);
    let sentences = |index: usize| match &trace[index].result {
        MatchResult::NotMatched(parts) => parts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    assert_eq!(
        sentences(2),
        [
            "It applies to kms:CreateGrant, kms:ListGrants or kms:RevokeGrant, but the call is kms:Decrypt.",
            "Its condition Bool requires kms:GrantIsForAWSResource to match true, but the request has no \
             kms:GrantIsForAWSResource.",
        ]
    );
    assert_eq!(
        sentences(3),
        ["It applies to dynamodb:*, kms:DescribeKey or kms:ListAliases, but the call is kms:Decrypt."]
    );
    assert_eq!(
        sentences(4),
        [
            "It is for arn:aws:iam::111122223333:user/bob, but the caller is arn:aws:iam::111122223333:user/alice.",
            "It allows Encrypt, but the call is Decrypt.",
        ]
    );
}

#[test]
fn a_decision_survives_json() {
    let mut asked = Asked::new("kms:Decrypt", &[ROOT_STATEMENT, KEY_USER_GRANTS], &[DYNAMODB_FULL]);
    let constraints = GrantConstraints::EncryptionContextEquals(BTreeMap::new());
    asked.grants = vec![grant("arn:aws:iam::111122223333:user/bob", &["Encrypt"], Some(constraints))];
    let decision = asked.decide().0;
    let json = serde_json::to_string(&decision).unwrap();
    assert!(json.starts_with(r#"{"outcome":{"verdict":"implicit_deny","missing":"identity_policy"},"trace":[{"source":{"type":"key_policy""#), "{json}");
    assert_eq!(serde_json::from_str::<Decision>(&json).unwrap(), decision);
}

#[test]
fn variables_in_a_resource_name_the_caller() {
    let own = r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/${aws:username}-*"}"#;
    let (principal, context) = (alice(), context());
    for (table, expected) in [("alice-orders", true), ("bob-orders", false), ("${aws:username}-x", false)] {
        let resource = format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}");
        let call =
            AccessRequest { principal: &principal, action: "dynamodb:Scan", resource: &resource, context: &context };
        assert_eq!(decide(&call, &[inline("own", &[own])]).is_allowed(), expected, "{table}");
    }
}
