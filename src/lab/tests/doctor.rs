use rstest::rstest;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::lab::doctor::*;
use crate::lab::facts::Caller;
use crate::lab::{Answer, CallError, Response, Wire};

const NOW: OffsetDateTime = datetime!(2026-11-24 09:00:00 UTC);

fn answered(status: u16, body: Value) -> Answer {
    Answer {
        request: Value::Null,
        response: Ok(Response { status, request_id: None, body }),
        wire: Wire::default(),
        duration_us: 0,
        at: 0,
        tries: 1,
    }
}

fn unanswered() -> Answer {
    let none = CallError { message: "connection refused".to_owned(), remedy: "check the address".to_owned() };
    Answer { response: Err(none), ..answered(200, Value::Null) }
}

fn denied() -> Answer {
    answered(403, json!({"Error": {"Code": "AccessDenied", "Message": "User: u is not authorized to perform: x"}}))
}

fn simulated(decisions: &[(&str, &str, &[&str])]) -> Answer {
    let results = decisions.iter().map(|(action, decision, missing)| {
        json!({"EvalActionName": action, "EvalDecision": decision, "MissingContextValues": missing})
    });
    answered(200, json!({"EvaluationResults": results.collect::<Vec<_>>(), "IsTruncated": "false"}))
}

fn caller(arn: &str) -> Caller {
    Caller { arn: arn.to_owned(), account: arn.split(':').nth(4).unwrap().to_owned() }
}

#[rstest]
#[case::fine(true, false, Some((100, 28)), Some("16 colors"), Mark::Ok, "100 columns, 28 rows, 16 colors")]
#[case::no_colors(true, false, Some((80, 24)), None, Mark::Ok, "no colors")]
#[case::low(true, false, Some((80, 23)), None, Mark::Warning, "23 rows")]
#[case::narrow(true, false, Some((79, 24)), None, Mark::Warning, "79 columns")]
#[case::sizeless(true, false, None, None, Mark::Warning, "unknown")]
#[case::dumb(true, true, Some((100, 28)), None, Mark::Warning, "TERM=dumb")]
#[case::piped(false, false, Some((100, 28)), None, Mark::Warning, "none here")]
fn the_terminal(
    #[case] is_terminal: bool,
    #[case] is_dumb: bool,
    #[case] size: Option<(u16, u16)>,
    #[case] colors: Option<&'static str>,
    #[case] mark: Mark,
    #[case] says: &str,
) {
    let found = terminal(&Terminal { is_terminal, is_dumb, size, colors });
    assert_eq!(found.mark, mark, "{found:?}");
    assert!(found.says.contains(says), "{found:?}");
    assert_eq!(found.fix.is_some(), mark != Mark::Ok, "{found:?}");
}

#[rstest]
#[case::exact("Tue, 24 Nov 2026 09:00:00 GMT", Mark::Ok, "agrees")]
#[case::a_fraction("Tue, 24 Nov 2026 09:00:01 GMT", Mark::Ok, "agrees")]
#[case::a_little("Tue, 24 Nov 2026 08:59:15 GMT", Mark::Ok, "45 s ahead of the server's")]
#[case::drifting("Tue, 24 Nov 2026 09:01:31 GMT", Mark::Warning, "91 s behind the server's")]
#[case::at_the_limit("Tue, 24 Nov 2026 09:05:00 GMT", Mark::Warning, "5 min behind")]
#[case::beyond("Tue, 24 Nov 2026 09:05:01 GMT", Mark::Warning, "5 min behind")]
#[case::ahead("Tue, 24 Nov 2026 08:00:00 GMT", Mark::Warning, "60 min ahead of")]
#[case::no_date("yesterday", Mark::Warning, "can't be told")]
fn the_clock(#[case] date: &str, #[case] mark: Mark, #[case] says: &str) {
    let mut answer = answered(200, json!({}));
    answer.wire.response = format!("HTTP/1.1 200\ncontent-length: 2\ndate: {date}\n\n{{}}");
    let found = clock(&answer, NOW);
    assert_eq!(found.mark, mark, "{found:?}");
    assert!(found.says.contains(says), "{found:?}");
}

#[test]
fn a_clock_stops_the_lab_only_if_the_server_refuses_it() {
    let refused = json!({"Error": {"Code": "SignatureDoesNotMatch", "Message": "Signature expired"}});
    for (mut answer, mark) in [(answered(200, json!({})), Mark::Warning), (answered(403, refused), Mark::Stop)] {
        answer.wire.response = "HTTP/1.1 200\ndate: Tue, 24 Nov 2026 08:00:00 GMT\n\n".to_owned();
        assert_eq!(clock(&answer, NOW).mark, mark);
    }
}

#[test]
fn a_date_in_the_body_is_no_clock() {
    let mut answer = answered(200, json!({}));
    answer.wire.response = "HTTP/1.1 200\n\ndate: Tue, 24 Nov 2026 09:00:00 GMT".to_owned();
    assert_eq!(clock(&answer, NOW).mark, Mark::Warning);
}

#[rstest]
#[case::refused(answered(403, json!({"Error": {"Code": "InvalidClientTokenId", "Message": "m"}})), true, "InvalidClientTokenId: m")]
#[case::expired(answered(403, json!({"Error": {"Code": "ExpiredToken", "Message": "m"}})), true, "ExpiredToken")]
#[case::no_aws(answered(404, json!("<p>Hello</p>")), true, "404")]
#[case::unwell(answered(503, json!({"Error": {"Code": "ServiceUnavailable", "Message": "m"}})), true, "Unavailable")]
#[case::nobody(answered(200, json!({})), true, "names nobody")]
#[case::out_of_reach(unanswered(), true, "connection refused")]
#[case::denied(denied(), false, "not authorized")]
#[case::throttled(answered(400, json!({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}})), false, "Rate exceeded")]
fn nobody_is_told_why(#[case] answer: Answer, #[case] unreachable: bool, #[case] says: &str) {
    let (found, backend) = identity("admin", &answer).unwrap_err();
    assert_eq!((found.mark, backend), (Mark::Stop, unreachable), "{found:?}");
    assert!(found.says.contains(says) && found.fix.is_some(), "{found:?}");
}

const ADMIN: &str = "arn:aws:iam::111122223333:user/boss";

#[rstest]
#[case::a_user("arn:aws:iam::111122223333:user/u", Mark::Ok, "user/u")]
#[case::a_role("arn:aws:sts::111122223333:assumed-role/r/s", Mark::Ok, "assumed-role/r/s")]
#[case::the_admin(ADMIN, Mark::Stop, "the admin itself")]
#[case::root("arn:aws:iam::111122223333:root", Mark::Stop, "root user")]
#[case::elsewhere("arn:aws:iam::444455556666:user/u", Mark::Stop, "another account")]
fn test_user_is_a_second_principal(#[case] arn: &str, #[case] mark: Mark, #[case] says: &str) {
    let found = test_user(&caller(ADMIN), &caller(arn));
    assert_eq!(found.mark, mark, "{found:?}");
    assert!(found.says.contains(says), "{found:?}");
}

#[test]
fn two_sessions_of_one_role_are_one_principal() {
    let [one, other] = ["a", "b"].map(|s| caller(&format!("arn:aws:sts::111122223333:assumed-role/lab/{s}")));
    assert_eq!(one.principal(), "arn:aws:iam::111122223333:role/lab");
    assert_eq!(test_user(&one, &other).mark, Mark::Stop);
    let federated = caller("arn:aws:sts::111122223333:federated-user/f");
    assert_eq!(federated.principal(), federated.arn);
}

#[test]
fn the_root_user_is_no_admin_for_a_lab() {
    assert_eq!(admin(&caller("arn:aws:iam::111122223333:root")).mark, Mark::Stop);
    assert_eq!(admin(&caller(ADMIN)).mark, Mark::Ok);
}

#[rstest]
#[case(None, Mark::Ok)]
#[case(Some("eu-west-1"), Mark::Ok)]
#[case(Some("us-east-1"), Mark::Stop)]
fn both_are_in_one_region(#[case] user: Option<&str>, #[case] mark: Mark) {
    assert_eq!(region("eu-west-1", user).mark, mark);
}

#[rstest]
#[case::all(simulated(&[("kms:CreateKey", "allowed", &[])]), Some(Mark::Ok), "kms:CreateKey is allowed")]
#[case::several(simulated(&[("a:B", "allowed", &[]), ("a:C", "allowed", &[])]), Some(Mark::Ok), "all 2")]
#[case::one_missing(simulated(&[("a:B", "allowed", &[]), ("a:C", "implicitDeny", &[])]), Some(Mark::Stop), "may not a:C")]
#[case::forbidden(simulated(&[("a:B", "explicitDeny", &[])]), Some(Mark::Stop), "may not a:B")]
#[case::forbidden_for_now(simulated(&[("a:B", "explicitDeny", &["aws:SourceIp"])]), Some(Mark::Warning), "aws:SourceIp")]
#[case::perhaps_with_mfa(simulated(&[("a:B", "explicitDeny", &["aws:MultiFactorAuthAge"])]), Some(Mark::Warning), "a:B")]
#[case::a_key_of_another_service(simulated(&[("a:B", "implicitDeny", &["iam:PassedToService"])]), Some(Mark::Stop), "may not a:B")]
#[case::conditional(simulated(&[("a:B", "implicitDeny", &["aws:ResourceTag/x"])]), Some(Mark::Warning), "a:B")]
#[case::not_allowed_to_ask(denied(), None, "")]
#[case::unknown_to_the_server(answered(501, json!("not implemented")), None, "")]
#[case::no_results(simulated(&[]), None, "")]
#[case::out_of_reach(unanswered(), None, "")]
fn permissions_by_simulation(#[case] answer: Answer, #[case] mark: Option<Mark>, #[case] says: &str) {
    let found = may_all("admin: key", &answer, true);
    assert_eq!(found.as_ref().map(|found| found.mark), mark, "{found:?}");
    assert!(found.is_none_or(|found| found.says.contains(says)));
}

#[rstest]
#[case::allowed(answered(200, json!({"Keys": []})), Mark::Ok)]
#[case::denied(denied(), Mark::Warning)]
#[case::unwell(unanswered(), Mark::Warning)]
fn permissions_by_harmless_calls(#[case] answer: Answer, #[case] mark: Mark) {
    assert_eq!(may_list("kms:ListKeys", &answer).mark, mark);
}

#[rstest]
#[case::has_it(simulated(&[("dynamodb:Scan", "allowed", &[])]), denied(), Mark::Ok)]
#[case::lacks_it(simulated(&[("dynamodb:Scan", "implicitDeny", &[])]), answered(200, json!({})), Mark::Stop)]
#[case::perhaps(simulated(&[("dynamodb:Scan", "explicitDeny", &["aws:SourceIp"])]), denied(), Mark::Warning)]
#[case::may_list(denied(), answered(200, json!({})), Mark::Ok)]
#[case::may_not_list(denied(), denied(), Mark::Warning)]
#[case::unwell(denied(), unanswered(), Mark::Warning)]
fn test_user_has_the_table(#[case] simulated: Answer, #[case] listed: Answer, #[case] mark: Mark) {
    assert_eq!(user_has_table(&simulated, &listed).mark, mark);
}

#[rstest]
#[case::lacks_it(simulated(&[("kms:Decrypt", "implicitDeny", &[])]), Mark::Ok)]
#[case::has_it(simulated(&[("kms:Decrypt", "allowed", &[])]), Mark::Stop)]
#[case::perhaps(simulated(&[("kms:Decrypt", "implicitDeny", &["aws:SourceIp"])]), Mark::Warning)]
#[case::unknown(denied(), Mark::Warning)]
fn test_user_lacks_the_key(#[case] answer: Answer, #[case] mark: Mark) {
    assert_eq!(user_lacks_key(&answer).mark, mark);
}

#[test]
fn questions_use_the_callers_partition() {
    let china = caller("arn:aws-cn:iam::111122223333:user/boss");
    let asked = admin_permissions(&request(&china, "cn-north-1"), false);
    let resources: Vec<&str> = asked
        .iter()
        .map(|asked| match &asked.question {
            Question::Simulate { resource, .. } => resource.as_str(),
            other => panic!("{other:?} is no simulation"),
        })
        .collect();
    assert_eq!(
        resources,
        [
            "*",
            "arn:aws-cn:kms:cn-north-1:111122223333:key/00000000-0000-0000-0000-000000000000",
            "arn:aws-cn:kms:cn-north-1:111122223333:key/00000000-0000-0000-0000-000000000000",
            "arn:aws-cn:dynamodb:cn-north-1:111122223333:table/kmslab-table-doctor",
            "arn:aws-cn:iam::111122223333:user/kmslab-user-doctor",
        ]
    );
    assert_eq!(admin_permissions(&request(&china, "cn-north-1"), true).len(), 4, "no user is made");
}

fn request<'a>(caller: &'a Caller, region: &'a str) -> Request<'a> {
    Request { caller, region, is_aws: true, now: NOW }
}

#[test]
fn keys_without_a_session_have_no_mfa_and_that_is_known() {
    let answer = simulated(&[("a:B", "explicitDeny", &["aws:MultiFactorAuthPresent"])]);
    let found = may_all("admin: key", &answer, false).unwrap();
    assert_eq!(found.mark, Mark::Stop, "{found:?}");
    assert!(found.fix.unwrap().contains("requires MFA"));
    // With both missing the decision stays open.
    let answer = simulated(&[("a:B", "explicitDeny", &["aws:MultiFactorAuthPresent", "aws:SourceIp"])]);
    assert_eq!(may_all("admin: key", &answer, false).unwrap().mark, Mark::Warning);
}

#[rstest]
#[case("X-Amz-Security-Token: [redacted]", true)]
#[case("Authorization: [redacted]", false)]
fn a_session_is_seen_by_its_token(#[case] header: &str, #[case] is: bool) {
    let mut answer = answered(200, json!({}));
    answer.wire.request = format!("POST / HTTP/1.1\nhost: x\n{header}\n\nx-amz-security-token: no");
    assert_eq!(has_session(&answer), is);
}

#[test]
fn a_simulation_is_told_what_is_known_of_each_call() {
    let admin = caller("arn:aws:iam::111122223333:user/team/boss");
    let asked = admin_permissions(&request(&admin, "eu-west-1"), false);
    let told = |at: usize, key: &str| match &asked[at].question {
        Question::Simulate { context, .. } => {
            context.iter().find(|(known, _)| *known == key).map(|(_, values)| values.join(","))
        }
        other => panic!("{other:?} is no simulation"),
    };
    let regions: Vec<_> = (0..asked.len()).map(|at| told(at, "aws:RequestedRegion").unwrap()).collect();
    assert_eq!(regions, ["eu-west-1", "eu-west-1", "eu-west-1", "eu-west-1", "us-east-1"], "IAM has its own");
    assert_eq!(told(0, "aws:username").as_deref(), Some("boss"));
    assert_eq!(told(0, "aws:CurrentTime").as_deref(), Some("2026-11-24T09:00:00Z"));
    assert_eq!((told(1, "aws:ViaAWSService").as_deref(), told(1, "kms:ViaService")), (Some("false"), None));
    assert_eq!(told(2, "aws:ViaAWSService").as_deref(), Some("true"));
    assert_eq!(told(2, "kms:EncryptionContext:aws:dynamodb:tableName").as_deref(), Some(TABLE));
}

#[test]
fn what_a_simulation_lacks_for_a_named_resource_counts_too() {
    let answer = answered(
        200,
        json!({"EvaluationResults": [{
            "EvalActionName": "kms:CreateAlias", "EvalDecision": "implicitDeny", "MissingContextValues": "",
            "ResourceSpecificResults": [{"EvalResourceDecision": "implicitDeny",
                                         "MissingContextValues": ["kms:RequestAlias", "iam:PassedToService"]}],
        }]}),
    );
    let found = may_all("admin: key", &answer, false).unwrap();
    assert_eq!(found.mark, Mark::Warning, "{found:?}");
    assert!(found.says.contains("can't know: kms:RequestAlias") && !found.says.contains("iam:"), "{found:?}");
}
