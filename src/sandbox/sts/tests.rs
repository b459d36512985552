//! Temporary credentials.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, sign};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rstest::rstest;
use serde_json::{Value, json};

use crate::sandbox::Config;
use crate::sandbox::context::Caller;
use crate::sandbox::engine::Engine;
use crate::sandbox::error::Fault;
use crate::sandbox::request::{Body, Request};
use crate::sandbox::service::Service;
use crate::sandbox::tests::{self, code_and_message};

const ROOT: &str = "arn:aws:iam::111122223333:root";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const APP: &str = "arn:aws:iam::111122223333:role/app";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/one";
const ONE: [(&str, &str); 2] = [("RoleArn", APP), ("RoleSessionName", "one")];

fn policy(statement: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn trusts(principal: &str) -> Value {
    let actions = ["sts:AssumeRole", "sts:TagSession"];
    json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": actions })
}

fn allows(actions: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": "*" })
}

/// An engine with the user alice, who has no permissions, and a role that may do `actions`.
struct Lab {
    engine: Engine,
    admin: Caller,
    alice: Caller,
}

impl Lab {
    fn new(trust: &Value, actions: &str) -> Lab {
        Lab::on(&Config { seed: Some(1), ..Config::default() }, trust, actions)
    }

    fn on(config: &Config, trust: &Value, actions: &str) -> Lab {
        let (mut engine, admin) = tests::open(config);
        let alice = tests::user(&mut engine, &admin, "alice", None);
        let mut lab = Lab { engine, admin, alice };
        lab.role("app", trust, actions);
        lab
    }

    fn role(&mut self, name: &str, trust: &Value, actions: &str) {
        let trust = policy(trust);
        self.iam("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)]);
        let text = policy(&allows(actions));
        self.iam("PutRolePolicy", &[("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", &text)]);
    }

    fn iam(&mut self, action: &str, parameters: &[(&str, &str)]) -> String {
        tests::iam(&mut self.engine, &self.admin, action, parameters).unwrap()
    }

    fn assume(&mut self, who: &Caller, parameters: &[(&str, &str)]) -> Result<String, Fault> {
        tests::query(&mut self.engine, who, Service::Sts, "AssumeRole", parameters)
    }

    /// AWS's message for alice's attempt.
    fn refused(&mut self, parameters: &[(&str, &str)]) -> (String, String) {
        let alice = self.alice.clone();
        code_and_message(Service::Sts, &self.assume(&alice, parameters).unwrap_err())
    }

    /// Alice's session of the role.
    fn session(&mut self, parameters: &[(&str, &str)]) -> Caller {
        let alice = self.alice.clone();
        let answer = self.assume(&alice, &[&ONE[..], parameters].concat()).unwrap();
        self.caller(&answer)
    }

    /// The caller with the credentials in an answer.
    fn caller(&self, answer: &str) -> Caller {
        let (iam, id) = (&self.engine.account.state.iam, element(answer, "AccessKeyId"));
        let now = self.engine.account.state.clock.now().unix_timestamp();
        let token = element(answer, "SessionToken");
        let (principal, _) = iam.secret_of_session(&id, token.as_bytes(), now).unwrap();
        let limits = Arc::new(iam.session(&id).unwrap().limits());
        Caller { limits, access_key_id: id, ..tests::caller(principal) }
    }

    /// A new key with this policy's statement beside one for its administrator.
    fn key(&mut self, statement: &Value) -> String {
        let admin = json!({ "Effect": "Allow", "Principal": { "AWS": &self.admin.principal.arn }, "Action": "kms:*", "Resource": "*" });
        let text = json!({ "Version": "2012-10-17", "Statement": [admin, statement] }).to_string();
        let made = tests::kms(&mut self.engine, &self.admin, "CreateKey", &json!({ "Policy": text })).unwrap();
        made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    fn describe(&mut self, who: &Caller, key: &str) -> Result<(), String> {
        let answer = tests::kms(&mut self.engine, who, "DescribeKey", &json!({ "KeyId": key }));
        answer.map(drop).map_err(|fault| code_and_message(Service::Kms, &fault).1)
    }
}

fn element(answer: &str, name: &str) -> String {
    let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap();
    rest.split('<').next().unwrap().to_owned()
}

#[test]
fn a_user_named_by_the_trust_policy_needs_nothing_else() {
    let mut lab = Lab::new(&trusts(ALICE), "kms:ListKeys");
    let session = lab.session(&[]);
    let answer = tests::query(&mut lab.engine, &session, Service::Sts, "GetCallerIdentity", &[]).unwrap();
    assert_eq!(element(&answer, "Arn"), SESSION);
    let id = element(&answer, "UserId");
    assert!(id.starts_with("AROA") && id.ends_with(":one"), "{id}");
    tests::kms(&mut lab.engine, &session, "ListKeys", &json!({})).unwrap();
    let denied = tests::kms(&mut lab.engine, &session, "ListAliases", &json!({})).unwrap_err();
    let expected = format!(
        "User: {SESSION} is not authorized to perform: kms:ListAliases on resource: * because no identity-based policy \
         allows the kms:ListAliases action"
    );
    assert_eq!(code_and_message(Service::Kms, &denied).1, expected);
}

#[test]
fn a_trusted_account_leaves_it_to_identity_policies() {
    let mut lab = Lab::new(&trusts(ROOT), "kms:ListKeys");
    let expected = format!(
        "User: {ALICE} is not authorized to perform: sts:AssumeRole on resource: {APP} because no identity-based policy \
         allows the sts:AssumeRole action"
    );
    assert_eq!(lab.refused(&ONE), ("AccessDenied".to_owned(), expected));
    let text = policy(&allows("sts:AssumeRole"));
    lab.iam("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", &text)]);
    lab.session(&[]);
}

#[test]
fn an_identity_policy_alone_is_not_enough() {
    let mut lab = Lab::new(&trusts("arn:aws:iam::111122223333:user/kmslab-admin"), "kms:ListKeys");
    let text = policy(&allows("sts:*"));
    lab.iam("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", &text)]);
    let expected = format!(
        "User: {ALICE} is not authorized to perform: sts:AssumeRole because no role trust policy allows the \
         sts:AssumeRole action"
    );
    assert_eq!(lab.refused(&ONE).1, expected);
    // Nobody learns whether a role exists.
    assert_eq!(lab.refused(&[("RoleArn", "arn:aws:iam::111122223333:role/none"), ONE[1]]).1, expected);
    assert_eq!(lab.refused(&[("RoleArn", "arn:aws:iam::444455556666:role/app"), ONE[1]]).1, expected);
}

#[test]
fn a_deny_of_the_trust_policy_is_named() {
    let mut lab = Lab::new(&trusts(ALICE), "kms:ListKeys");
    let deny = json!({ "Effect": "Deny", "Principal": { "AWS": ROOT }, "Action": "sts:AssumeRole" });
    let text = json!({ "Version": "2012-10-17", "Statement": [trusts(ALICE), deny] }).to_string();
    lab.iam("UpdateAssumeRolePolicy", &[("RoleName", "app"), ("PolicyDocument", &text)]);
    let expected = format!(
        "User: {ALICE} is not authorized to perform: sts:AssumeRole with an explicit deny in the role trust policy"
    );
    assert_eq!(lab.refused(&ONE).1, expected);
}

#[rstest]
#[case("sts:ExternalId", "secret-7", &[("ExternalId", "secret-7")])]
#[case("sts:RoleSessionName", "alice", &[("RoleSessionName", "alice")])]
#[case("aws:RequestTag/team", "red", &[("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")])]
fn conditions_of_the_trust_policy_count(#[case] key: &str, #[case] value: &str, #[case] with: &[(&str, &str)]) {
    let mut statement = trusts(ALICE);
    statement["Condition"] = json!({ "StringEquals": { key: value } });
    let mut lab = Lab::new(&statement, "kms:ListKeys");
    assert!(lab.refused(&ONE).1.contains("no role trust policy allows"));
    let alice = lab.alice.clone();
    lab.assume(&alice, &[with, &ONE[..]].concat()).unwrap();
}

#[rstest]
#[case(&[("RoleSessionName", "a b")], "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")]
#[case(&[("DurationSeconds", "899")], "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900")]
#[case(&[("DurationSeconds", "3601")], "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")]
#[case(&[("RoleArn", "arn:aws:iam::root:role/app")], "arn:aws:iam::root:role/app is invalid")]
#[case(&[("SourceIdentity", "x")], "The sandbox assumes roles without SourceIdentity")]
fn wrong_parameters_are_refused(#[case] with: &[(&str, &str)], #[case] message: &str) {
    let mut lab = Lab::new(&trusts(ALICE), "kms:ListKeys");
    let refused = lab.refused(&[with, &ONE[..]].concat());
    assert_eq!(refused, ("ValidationError".to_owned(), message.to_owned()));
}

#[test]
fn a_chain_of_roles_lasts_an_hour_and_keeps_transitive_tags() {
    let mut lab = Lab::new(&trusts(ALICE), "sts:*");
    lab.role("next", &trusts(APP), "kms:ListKeys");
    lab.iam("UpdateRole", &[("RoleName", "next"), ("MaxSessionDuration", "43200")]);
    let tag = |key: &'static str, value: &'static str| [("Tags.member.1.Key", key), ("Tags.member.1.Value", value)];
    let first = lab.session(&[&tag("team", "red")[..], &[("TransitiveTagKeys.member.1", "team")]].concat());
    assert_eq!(first.principal.tags, [("team".to_owned(), "red".to_owned())]);
    let next = [("RoleArn", "arn:aws:iam::111122223333:role/next"), ("RoleSessionName", "two")];
    let refused = lab.assume(&first, &[&next[..], &[("DurationSeconds", "3601")]].concat()).unwrap_err();
    let expected = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    assert_eq!(code_and_message(Service::Sts, &refused).1, expected);
    let refused = lab.assume(&first, &[&next[..], &tag("Team", "blue")].concat()).unwrap_err();
    assert_eq!(code_and_message(Service::Sts, &refused).0, "InvalidParameterValue");
    let answer = lab.assume(&first, &next).unwrap();
    let second = lab.caller(&answer);
    assert_eq!(second.principal.tags, first.principal.tags);
}

#[test]
fn a_session_policy_limits_what_the_role_may() {
    let mut lab = Lab::new(&trusts(ALICE), "kms:*");
    let text = policy(&allows("kms:ListKeys"));
    let session = lab.session(&[("Policy", &text)]);
    tests::kms(&mut lab.engine, &session, "ListKeys", &json!({})).unwrap();
    let denied = tests::kms(&mut lab.engine, &session, "ListAliases", &json!({})).unwrap_err();
    let expected = format!(
        "User: {SESSION} is not authorized to perform: kms:ListAliases on resource: * because no session policy allows \
         the kms:ListAliases action"
    );
    assert_eq!(code_and_message(Service::Kms, &denied).1, expected);
    let deny = policy(&json!({ "Effect": "Deny", "Action": "kms:*", "Resource": "*" }));
    let session = lab.session(&[("Policy", &deny)]);
    let denied = tests::kms(&mut lab.engine, &session, "ListKeys", &json!({})).unwrap_err();
    assert!(code_and_message(Service::Kms, &denied).1.ends_with("with an explicit deny in a session policy"));
}

#[rstest]
#[case::role(APP, false)]
#[case::session(SESSION, true)]
#[case::everyone("*", false)]
fn a_key_policy_names_role_or_session(#[case] principal: &str, #[case] beyond_session_policy: bool) {
    let mut lab = Lab::new(&trusts(ALICE), "sts:*");
    let statement =
        json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "kms:DescribeKey", "Resource": "*" });
    let key = lab.key(&statement);
    let session = lab.session(&[]);
    lab.describe(&session, &key).unwrap();
    let limited = lab.session(&[("Policy", &policy(&allows("kms:ListKeys")))]);
    let expected = format!(
        "User: {SESSION} is not authorized to perform: kms:DescribeKey on resource: {key} because no session policy \
         allows the kms:DescribeKey action"
    );
    let answer = lab.describe(&limited, &key);
    assert_eq!(answer, if beyond_session_policy { Ok(()) } else { Err(expected) });
}

#[test]
fn a_key_that_trusts_nobody_denies_a_session() {
    let mut lab = Lab::new(&trusts(ALICE), "kms:*");
    let key = lab.key(&json!({ "Effect": "Allow", "Principal": { "AWS": ALICE }, "Action": "kms:*", "Resource": "*" }));
    let session = lab.session(&[]);
    let message = lab.describe(&session, &key).unwrap_err();
    assert!(message.ends_with("because no resource-based policy allows the kms:DescribeKey action"), "{message}");
}

#[rstest]
#[case(APP)]
#[case(SESSION)]
fn a_grant_names_role_or_session(#[case] grantee: &str) {
    let mut lab = Lab::new(&trusts(ALICE), "sts:*");
    let key = lab.key(&json!({ "Effect": "Allow", "Principal": { "AWS": ALICE }, "Action": "kms:*", "Resource": "*" }));
    let session = lab.session(&[]);
    assert!(lab.describe(&session, &key).is_err());
    let grant = json!({ "KeyId": key, "GranteePrincipal": grantee, "Operations": ["DescribeKey"] });
    tests::kms(&mut lab.engine, &lab.admin, "CreateGrant", &grant).unwrap();
    lab.describe(&session, &key).unwrap();
}

#[rstest]
#[case("aws:PrincipalArn", APP)]
#[case("aws:PrincipalType", "AssumedRole")]
#[case("aws:userid", "AROA*:one")]
#[case("aws:PrincipalTag/team", "red")]
#[case("aws:TokenIssueTime", "2026-01-01T*")]
#[case("aws:MultiFactorAuthPresent", "false")]
fn condition_keys_of_a_session(#[case] key: &str, #[case] value: &str) {
    let mut lab = Lab::new(&trusts(ALICE), "sts:*");
    let mut statement = allows("kms:ListKeys");
    statement["Condition"] = json!({ "StringLike": { key: value } });
    let text = policy(&statement);
    lab.iam("PutRolePolicy", &[("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", &text)]);
    let session = lab.session(&[("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")]);
    tests::kms(&mut lab.engine, &session, "ListKeys", &json!({})).unwrap();
}

#[test]
fn the_trail_names_the_role_and_no_credentials() {
    let mut lab = Lab::new(&trusts(ALICE), "kms:*");
    let alice = lab.alice.clone();
    let answer = lab.assume(&alice, &ONE).unwrap();
    let session = lab.caller(&answer);
    tests::kms(&mut lab.engine, &session, "ListKeys", &json!({})).unwrap();
    let account = &lab.engine.account;
    let trail = serde_json::to_string(&account.trail.all()).unwrap();
    assert!(trail.contains("\"type\":\"AssumedRole\"") && trail.contains(&format!("\"arn\":\"{APP}\"")), "{trail}");
    let all = format!("{trail} {:?} {:?} {:?}", account.decisions.all(), account.calls.all(), account.state.iam);
    for secret in ["SessionToken", "SecretAccessKey"] {
        assert!(!all.contains(&element(&answer, secret)), "{secret}");
    }
}

#[test]
fn a_users_session_is_the_user() {
    let mut lab = Lab::new(&trusts(ALICE), "kms:*");
    let text = policy(&allows("kms:ListKeys"));
    lab.iam("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", &text)]);
    let alice = lab.alice.clone();
    let answer = tests::query(&mut lab.engine, &alice, Service::Sts, "GetSessionToken", &[]).unwrap();
    let session = lab.caller(&answer);
    assert_eq!(session.principal.arn, ALICE);
    tests::kms(&mut lab.engine, &session, "ListKeys", &json!({})).unwrap();
    let refused = tests::query(&mut lab.engine, &session, Service::Sts, "GetSessionToken", &[]).unwrap_err();
    let expected = ("AccessDenied".to_owned(), "Cannot call GetSessionToken with session credentials".to_owned());
    assert_eq!(code_and_message(Service::Sts, &refused), expected);
    assert_eq!(send(&mut lab.engine, &answer, Service::Iam, Token::Signed).1, "InvalidClientTokenId");
}

/// How a request carries its session token.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Signed,
    Unsigned,
    Missing,
    Wrong,
}

/// Signs a call of `service` with the credentials in `answer`. The response's status and error code.
fn send(engine: &mut Engine, answer: &str, service: Service, token: Token) -> (u16, String) {
    let (id, secret) = (element(answer, "AccessKeyId"), element(answer, "SecretAccessKey"));
    let identity = Credentials::new(id, secret, None, None, "test").into();
    let parameters = tests::signing(&identity, service);
    let shown = if token == Token::Wrong { "wrong".to_owned() } else { element(answer, "SessionToken") };
    let (body, mut headers) = match service {
        Service::Iam => ("Action=ListUsers&Version=2010-05-08", vec![("host", "test")]),
        Service::Sts => ("Action=GetCallerIdentity&Version=2011-06-15", vec![("host", "test")]),
        Service::Kms => ("{}", vec![("host", "test"), ("x-amz-target", "TrentService.ListKeys")]),
        Service::DynamoDb => ("{}", vec![("host", "test"), ("x-amz-target", "DynamoDB_20120810.ListTables")]),
        Service::CloudTrail => {
            let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
            ("{}", vec![("host", "test"), ("x-amz-target", target)])
        }
    };
    let carried = [("x-amz-security-token", &*shown)];
    if matches!(token, Token::Signed | Token::Wrong) {
        headers.extend(carried);
    }
    let signable =
        SignableRequest::new("POST", "/", headers.iter().copied(), SignableBody::Bytes(body.as_bytes())).unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    let late = if token == Token::Unsigned { &carried[..] } else { &[] };
    let headers = headers.iter().copied().chain(instructions.headers()).chain(late.iter().copied());
    let response = engine.handle(&Request {
        method: Method::POST,
        uri: "/".parse().unwrap(),
        headers: headers
            .map(|(name, value)| (HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect::<HeaderMap>(),
        body: Body::Whole(Bytes::from_static(body.as_bytes())),
        peer: [127, 0, 0, 1].into(),
        connection: 1,
    });
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    let code = match serde_json::from_str::<Value>(&text) {
        Ok(body) => body["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap().to_owned(),
        Err(_) if text.contains("<Code>") => element(&text, "Code"),
        Err(_) => String::new(),
    };
    (response.status().as_u16(), code)
}

#[rstest]
#[case(Token::Signed, 200, "")]
#[case(Token::Unsigned, 400, "InvalidSignatureException")]
#[case(Token::Missing, 400, "UnrecognizedClientException")]
#[case(Token::Wrong, 400, "UnrecognizedClientException")]
fn a_session_token_is_needed_and_signed(#[case] token: Token, #[case] status: u16, #[case] code: &str) {
    let mut lab = Lab::new(&trusts(ALICE), "kms:*");
    let alice = lab.alice.clone();
    let answer = lab.assume(&alice, &ONE).unwrap();
    assert_eq!(send(&mut lab.engine, &answer, Service::Kms, token), (status, code.to_owned()));
}

#[test]
fn credentials_expire_by_the_sandboxs_clock() {
    let mut lab = Lab::new(&trusts(ALICE), "*");
    let alice = lab.alice.clone();
    let answer = lab.assume(&alice, &ONE).unwrap();
    lab.engine.advance(Duration::from_secs(3590)).unwrap();
    assert_eq!(send(&mut lab.engine, &answer, Service::DynamoDb, Token::Signed).0, 200);
    lab.engine.advance(Duration::from_secs(10)).unwrap();
    for (service, status, code) in [
        (Service::Kms, 400, "ExpiredTokenException"),
        (Service::DynamoDb, 400, "ExpiredTokenException"),
        (Service::Iam, 403, "ExpiredToken"),
        (Service::Sts, 403, "ExpiredToken"),
    ] {
        assert_eq!(send(&mut lab.engine, &answer, service, Token::Signed), (status, code.to_owned()));
    }
    // A day later they are forgotten, as soon as others are issued.
    lab.engine.advance(Duration::from_secs(24 * 3600)).unwrap();
    lab.assume(&alice, &ONE).unwrap();
    assert_eq!(send(&mut lab.engine, &answer, Service::Sts, Token::Signed).1, "InvalidClientTokenId");
}

#[test]
fn credentials_survive_a_restart_and_not_their_role() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().to_owned()), ..Config::default() };
    let mut lab = Lab::on(&config, &trusts(ALICE), "*");
    let alice = lab.alice.clone();
    let answer = lab.assume(&alice, &ONE).unwrap();
    drop(lab);
    let (mut engine, admin) = tests::open(&config);
    assert_eq!(send(&mut engine, &answer, Service::Sts, Token::Signed).0, 200);
    let token = element(&answer, "SessionToken");
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
    for (action, parameters) in [
        ("DeleteRolePolicy", &[("RoleName", "app"), ("PolicyName", "p")][..]),
        ("DeleteRole", &[("RoleName", "app")]),
        ("CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", &policy(&trusts(ALICE)))]),
    ] {
        tests::iam(&mut engine, &admin, action, parameters).unwrap();
    }
    assert_eq!(send(&mut engine, &answer, Service::Sts, Token::Signed).1, "InvalidClientTokenId");
}
