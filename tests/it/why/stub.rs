//! Roles, groups, boundaries and organizations, which the sandbox has not: a server in front of it answers for them.

use std::process::Output;

use rstest::rstest;
use serde_json::{Value, json};

use super::{ACCOUNT, REGION, TABLE, World, statement};
use crate::support::fake::{Fake, Reply, response};
use crate::support::program::{program, text};

/// What is answered instead of the sandbox: an action of IAM, and the XML of its result.
type Answers = Vec<(&'static str, String)>;

/// A sandbox with `answers` in front.
fn stub(world: &World, answers: Answers) -> Fake {
    Fake::before(world.sandbox.url(), move |request| {
        let asked = |action: &str| request.contains(&format!("Action={action}&"));
        let known = answers.iter().find(|(action, _)| asked(action));
        known.map_or(Reply::PassOn, |(action, result)| Reply::Keep(canned(action, result)))
    })
}

/// The operation of a request, by its body or its target.
fn operation(request: &str) -> String {
    let name = |rest: &str| rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let lower = request.to_ascii_lowercase();
    let target = lower.find("x-amz-target: ").and_then(|at| request[at..].split_once('.')).map(|(_, rest)| name(rest));
    target.or_else(|| request.split_once("Action=").map(|(_, rest)| name(rest))).unwrap_or_default()
}

fn canned(action: &str, result: &str) -> Vec<u8> {
    let body = format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
    );
    response(200, "Content-Type: text/xml\r\n", &body)
}

const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";
const BOUNDARY: &str = "arn:aws:iam::111122223333:policy/limit";

fn encoded(statements: &Value) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    policy.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn list(name: &str, members: &str) -> String {
    format!("<{name}>{members}</{name}><IsTruncated>false</IsTruncated>")
}

/// A role with an inline policy `role-data` of these statements, and a boundary if one is given.
fn role(statements: &Value, boundary: Option<&Value>) -> Answers {
    let limit = boundary.map(|_| {
        format!(
            "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
             <PermissionsBoundaryArn>{BOUNDARY}</PermissionsBoundaryArn></PermissionsBoundary>"
        )
    });
    let mut answers = vec![
        (
            "GetRole",
            format!(
                "<Role><Path>/team/</Path><RoleName>app</RoleName><RoleId>AROAEXAMPLEEXAMPLE12</RoleId><Arn>{ROLE}</Arn>\
                 <CreateDate>2026-01-01T00:00:00Z</CreateDate>{}</Role>",
                limit.unwrap_or_default()
            ),
        ),
        ("ListAttachedRolePolicies", list("AttachedPolicies", "")),
        ("ListRolePolicies", list("PolicyNames", "<member>role-data</member>")),
        (
            "GetRolePolicy",
            format!(
                "<RoleName>app</RoleName><PolicyName>role-data</PolicyName><PolicyDocument>{}</PolicyDocument>",
                encoded(statements)
            ),
        ),
        organization(true),
    ];
    if let Some(boundary) = boundary {
        answers.push((
            "GetPolicy",
            format!("<Policy><Arn>{BOUNDARY}</Arn><DefaultVersionId>v2</DefaultVersionId></Policy>"),
        ));
        let version = format!("<Document>{}</Document><VersionId>v2</VersionId>", encoded(boundary));
        answers.push(("GetPolicyVersion", format!("<PolicyVersion>{version}</PolicyVersion>")));
    }
    answers
}

fn organization(allows: bool) -> (&'static str, String) {
    let member = format!(
        "<member><EvalActionName>x</EvalActionName><EvalDecision>allowed</EvalDecision><OrganizationsDecisionDetail>\
         <AllowedByOrganizations>{allows}</AllowedByOrganizations></OrganizationsDecisionDetail></member>"
    );
    ("SimulatePrincipalPolicy", list("EvaluationResults", &member))
}

fn why(world: &World, url: &str, arguments: &[&str]) -> Output {
    let admin = world.sandbox.admin();
    program(world.home.path(), &admin.access_key_id, admin.secret_access_key.as_str())
        .args(["why", "--region", REGION, "--endpoint-url", url])
        .args(arguments)
        .output()
        .unwrap()
}

fn report(world: &World, answers: Answers, who: &str) -> Value {
    let fake = stub(world, answers);
    let output = why(world, &fake.url(), &["--table", TABLE, "--as", who, "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let operations: Vec<String> = fake.seen().iter().map(|request| operation(request)).collect();
    assert_eq!(report["calls"], operations.len(), "{operations:?}");
    let reads = |name: &String| ["Get", "List", "Describe", "Simulate"].iter().any(|verb| name.starts_with(verb));
    assert!(operations.iter().all(reads), "{operations:?}");
    report
}

/// What the report comes to: the verdict, and the rung.
fn comes_to(report: &Value) -> (&str, Option<&str>) {
    (report["verdict"].as_str().unwrap(), report["refused"]["rung"].as_str())
}

fn data() -> Value {
    statement("Allow", "dynamodb:*", "*")
}

fn keys(world: &World) -> Value {
    statement("Allow", "kms:Decrypt", &world.key_arn)
}

#[rstest]
#[case::role(ROLE)]
#[case::session("arn:aws:sts::111122223333:assumed-role/app/i-0abc")]
fn a_role_is_judged_by_its_policies(#[case] who: &str) {
    let world = World::new();
    let denied = report(&world, role(&json!([data()]), None), who);
    assert_eq!(comes_to(&denied), ("denied", Some("iam_policies")), "{denied:#}");
    let allowed = report(&world, role(&json!([data(), keys(&world)]), None), who);
    assert_eq!(comes_to(&allowed), ("allowed", None), "{allowed:#}");
    // Fixes name the role with its path, for a session as well.
    assert_eq!(denied["fixes"][1]["statement"]["Principal"]["AWS"], ROLE, "{denied:#}");
}

#[test]
fn a_boundary_limits_what_policies_allow() {
    let world = World::new();
    let both = json!([data(), keys(&world)]);
    let judged = |boundary: &Value| report(&world, role(&both, Some(boundary)), ROLE);
    let table_alone = judged(&json!([data()]));
    assert_eq!(comes_to(&table_alone), ("denied", Some("permissions_boundary")), "{table_alone:#}");
    assert_eq!(table_alone["refused"]["lock"], "key");
    assert_eq!(table_alone["fixes"][0]["way"], "permissions_boundary");
    assert_eq!(comes_to(&judged(&json!([data(), statement("Allow", "kms:*", "*")]))), ("allowed", None));
    let denies = judged(&json!([statement("Allow", "*", "*"), statement("Deny", "kms:Decrypt", "*")]));
    assert_eq!(comes_to(&denies), ("denied", Some("permissions_boundary")), "{denies:#}");
    // Whether it limits a key policy that names the role is not known for certain.
    let named = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "kms:Decrypt", "Resource": "*"});
    world.key_policy(true, &[named]);
    assert_eq!(comes_to(&judged(&json!([data()]))).0, "denied");
}

#[test]
fn an_organization_limits_too() {
    let world = World::new();
    let mut answers = role(&json!([data(), keys(&world)]), None);
    answers.retain(|(action, _)| *action != "SimulatePrincipalPolicy");
    answers.push(organization(false));
    let report = report(&world, answers, ROLE);
    assert_eq!(comes_to(&report), ("denied", Some("organization")), "{report:#}");
    assert_eq!(report["fixes"][0]["way"], "organization");
}

#[test]
fn groups_count_for_a_user() {
    let world = World::new();
    let group = "<member><Path>/</Path><GroupName>readers</GroupName><GroupId>AGPAEXAMPLE</GroupId><Arn>a</Arn>\
                 <CreateDate>2026-01-01T00:00:00Z</CreateDate></member>";
    let answers = vec![
        ("ListGroupsForUser", list("Groups", group)),
        ("ListAttachedGroupPolicies", list("AttachedPolicies", "")),
        ("ListGroupPolicies", list("PolicyNames", "<member>of-readers</member>")),
        (
            "GetGroupPolicy",
            format!(
                "<GroupName>readers</GroupName><PolicyName>of-readers</PolicyName><PolicyDocument>{}</PolicyDocument>",
                encoded(&json!([keys(&world)]))
            ),
        ),
    ];
    let report = report(&world, answers, &world.user_arn());
    assert_eq!(comes_to(&report), ("allowed", None), "{report:#}");
}

#[test]
fn a_role_of_another_account_stays_unknown_or_denied() {
    let world = World::new();
    let who = "arn:aws:iam::444455556666:role/app";
    let report = report(&world, Vec::new(), who);
    // The sandbox's tables have no policy of their own, so nobody of another account reads them.
    assert_eq!(comes_to(&report), ("denied", Some("table_policy")), "{report:#}");
    let says = report["not_read"][0]["says"].as_str().unwrap();
    assert!(says.contains("444455556666") && says.contains(ACCOUNT), "{says}");
}

#[test]
fn an_error_text_is_checked_against_what_is_there_now() {
    let world = World::new();
    let (_, message) = world.scan(TABLE);
    let logged = format!("An error occurred (AccessDeniedException) when calling the Scan operation: {message}");
    let of_text = |more: &[&str]| {
        let output = world.why(&[&["--format", "json"], more, &[logged.as_str()]].concat());
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        (report["verdict"].as_str().unwrap().to_owned(), report["calls"].as_u64().unwrap(), report)
    };
    let (verdict, calls, report) = of_text(&[]);
    assert!(verdict == "denied" && calls > 5, "{report:#}");
    assert_eq!((&report["action"], &report["refused"]["lock"]), (&json!("kms:Decrypt"), &json!("key")), "{report:#}");
    let (verdict, calls, report) = of_text(&["--offline"]);
    assert!(verdict == "denied" && calls == 0 && report["nothing_read"] == "--offline", "{report:#}");
    world.user_policy("keys", &keys(&world));
    assert_eq!(of_text(&[]).0, "allowed", "now it is");
    let (verdict, _, report) = of_text(&["--table", TABLE]);
    assert_eq!((verdict.as_str(), &report["action"]), ("allowed", &json!("dynamodb:Scan")), "{report:#}");
}

#[test]
fn without_credentials_the_text_is_explained() {
    let world = World::new();
    let (_, message) = world.scan(TABLE);
    let mut command = crate::support::bare::bare(world.home.path());
    let output = command.args(["why", &message]).output().unwrap();
    let lines = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{lines}{}", text(&output.stderr));
    assert!(lines.starts_with("DENIED   kms:Decrypt on key/"), "{lines}");
    assert!(lines.contains("DynamoDB ✔ ─▸ KMS ✘ ─┤ no items"), "{lines}");
    assert!(lines.contains("Nothing was read: ") && lines.ends_with("Exit status 1: denied.\n"), "{lines}");
}

#[rstest]
#[case::nothing(&[], "--table is missing")]
#[case::no_caller(&["--table", "orders"], "--as is missing")]
#[case::no_arn(&["--table", "orders", "--as", "app"], "--as takes the ARN")]
#[case::no_error(&["hello", "world"], "kmslab doesn't know this error")]
#[case::no_action(&["--table", "orders", "--as", ROLE, "--action", "dynamodb:DropTable"], "--action takes")]
#[case::two_regions(&["--table", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders", "--as", ROLE], "leave --region out")]
#[case::offline(&["--table", "orders", "--as", ROLE, "--offline"], "--offline explains")]
#[case::sandbox(&["--table", "orders", "--as", ROLE, "--backend", "sandbox"], "")]
fn wrong_usage_has_its_own_status(#[case] arguments: &[&str], #[case] says: &str) {
    let world = World::new();
    let output = world.why(arguments);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{arguments:?}");
    assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
}
