use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rstest::rstest;
use time::macros::datetime;

use super::*;
use crate::sandbox::error::Fault;
use crate::sandbox::request::Body;
use crate::sandbox::request::signing_name;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW: OffsetDateTime = datetime!(2026-10-10 12:00:00 UTC);
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261010/us-east-1/sts/aws4_request, \
                             SignedHeaders=host;x-amz-date, Signature=00";

pub(super) fn request(method: Method, headers: &[(&str, &str)], body: &'static [u8]) -> Request {
    let headers = headers.iter().map(|(name, value)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    Request {
        method,
        uri: "/".parse().unwrap(),
        headers: headers.collect::<HeaderMap>(),
        body: Body::Whole(Bytes::from_static(body)),
        peer: [127, 0, 0, 1].into(),
        connection: 0,
    }
}

/// The published "vanilla" cases of AWS's Signature Version 4 test suite.
#[rstest]
#[case(Method::GET, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
#[case(Method::POST, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
fn agrees_with_the_test_suite_of_aws(#[case] method: Method, #[case] signature: &str) {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={signature}"
    );
    let headers =
        [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z"), ("authorization", &authorization)];
    let signed_at = datetime!(2015-08-30 12:36:00 UTC);
    let good = request(method.clone(), &headers, b"");
    let parsed = Authorization::of(&good).unwrap();
    assert_eq!(parsed.verify(&good, SECRET, signed_at), Ok(()));
    assert_eq!(parsed.verify(&good, "another secret", signed_at), Err(mismatch()));
    let changed = request(method, &headers, b"x");
    assert_eq!(parsed.verify(&changed, SECRET, signed_at), Err(mismatch()));
}

#[rstest]
#[case::other_algorithm("Basic dXNlcjpwYXNz", "Unsupported AWS 'algorithm': 'Basic'.")]
#[case::nothing(
    "AWS4-HMAC-SHA256",
    "Authorization header requires 'Credential' parameter. Authorization header requires \
    'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."
)]
#[case::no_signature(
    "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host",
    "Authorization header requires 'Signature' parameter."
)]
#[case::short_credential(
    "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=0",
    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d'"
)]
#[case::not_ascii("AWS4-HMAC-SHA256 Credential=é", "Authorization header is not ASCII.")]
fn a_malformed_header_is_incomplete(#[case] authorization: &str, #[case] message: &str) {
    let request = request(Method::POST, &[("x-amz-date", "x"), ("authorization", authorization)], b"");
    assert_eq!(Authorization::of(&request), Err(Unauthenticated::Incomplete(message.to_owned())));
}

#[rstest]
#[case("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0")]
#[case("X-Amz-Date", "20261010T120001Z")]
fn a_header_that_must_be_there_must_not_be_there_twice(#[case] name: &str, #[case] value: &str) {
    let headers = [("host", "h"), ("x-amz-date", "20261010T120000Z"), ("authorization", AUTHORIZATION)];
    let mut request = request(Method::POST, &headers, b"");
    assert!(Authorization::of(&request).is_ok());
    request.headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
    let message = format!("The request has more than one '{name}' header.");
    assert_eq!(Authorization::of(&request), Err(Unauthenticated::Incomplete(message)));
}

#[test]
fn without_a_header_the_token_is_missing() {
    assert_eq!(Authorization::of(&request(Method::POST, &[], b"")), Err(Unauthenticated::Missing));
    let mut presigned = request(Method::GET, &[], b"");
    presigned.uri = "/?Action=GetCallerIdentity&X-Amz-Signature=00".parse().unwrap();
    assert!(
        matches!(Authorization::of(&presigned), Err(Unauthenticated::Incomplete(message)) if message.contains("Presigned"))
    );
}

#[rstest]
#[case::region("us-east-1", "eu-west-9", "Credential should be scoped to a valid region, not 'eu-west-9'.")]
#[case::service("/sts/", "/kms/", "Credential should be scoped to correct service: 'sts'.")]
#[case::terminator(
    "aws4_request",
    "aws5",
    "Credential should be scoped with a valid terminator: 'aws4_request', not \
    'aws5'."
)]
#[case::date(
    "20261010",
    "20261009",
    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
    from HTTP: '20261009' != '20261010', from '20261010T120000Z'."
)]
#[case::host("host;", "", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
#[case::time(";x-amz-date", "", "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.")]
fn the_scope_must_fit(#[case] from: &str, #[case] to: &str, #[case] message: &str) {
    let authorization = AUTHORIZATION.replacen(from, to, 1);
    let headers = [("host", "h"), ("x-amz-date", "20261010T120000Z"), ("authorization", &authorization)];
    let request = request(Method::POST, &headers, b"");
    let found = Authorization::of(&request).unwrap().check_scope(&request, Service::Sts, "us-east-1", NOW);
    assert_eq!(found, Err(Unauthenticated::Invalid(message.to_owned())));
}

#[test]
fn an_unsigned_target_is_refused() {
    let headers = [
        ("host", "h"),
        ("x-amz-date", "20261010T120000Z"),
        ("x-amz-target", "TrentService.ListKeys"),
        ("authorization", AUTHORIZATION),
    ];
    let request = request(Method::POST, &headers, b"");
    let found = Authorization::of(&request).unwrap().check_scope(&request, Service::Sts, "us-east-1", NOW);
    assert!(matches!(found, Err(Unauthenticated::Invalid(message)) if message.starts_with("'X-Amz-Target' must be")));
}

#[rstest]
#[case::exact("20261010T120000Z", None)]
#[case::five_minutes_ago("20261010T115500Z", None)]
#[case::five_minutes_ahead("20261010T120500Z", None)]
#[case::older(
    "20261010T115459Z",
    Some("Signature expired: 20261010T115459Z is now earlier than 20261010T115500Z (20261010T120000Z - 5 min.)")
)]
#[case::newer(
    "20261010T120501Z",
    Some(
        "Signature not yet current: 20261010T120501Z is still later than 20261010T120500Z (20261010T120000Z + 5 min.)"
    )
)]
fn the_clock_may_be_off_by_five_minutes(#[case] date: &str, #[case] message: Option<&str>) {
    let request = request(Method::POST, &[("host", "h"), ("x-amz-date", date), ("authorization", AUTHORIZATION)], b"");
    let found = Authorization::of(&request).unwrap().check_scope(&request, Service::Sts, "us-east-1", NOW);
    assert_eq!(found.err(), message.map(|message| Unauthenticated::Invalid(message.to_owned())));
}

#[rstest]
#[case("")]
#[case("2026-10-10T12:00:00Z")]
#[case("20261310T120000Z")]
#[case("20261010T120000")]
fn a_date_of_another_form_is_incomplete(#[case] date: &str) {
    let request = request(Method::POST, &[("host", "h"), ("x-amz-date", date), ("authorization", AUTHORIZATION)], b"");
    let found = Authorization::of(&request).unwrap().check_scope(&request, Service::Sts, "us-east-1", NOW);
    assert!(matches!(found, Err(Unauthenticated::Incomplete(_))), "{found:?}");
}

#[test]
fn global_services_also_take_us_east_1() {
    let headers = [("host", "h"), ("x-amz-date", "20261010T120000Z"), ("authorization", AUTHORIZATION)];
    let request = request(Method::POST, &headers, b"");
    let authorization = Authorization::of(&request).unwrap();
    assert!(authorization.check_scope(&request, Service::Sts, "eu-west-1", NOW).is_ok());
}

#[test]
fn a_host_that_is_signed_but_missing_does_not_panic() {
    let headers = [("x-amz-date", "20261010T120000Z"), ("authorization", AUTHORIZATION)];
    let request = request(Method::POST, &headers, b"");
    let authorization = Authorization::of(&request).unwrap();
    assert_eq!(authorization.verify(&request, SECRET, NOW), Err(mismatch()));
}

#[rstest]
#[case(Unauthenticated::Missing, "MissingAuthenticationTokenException", "MissingAuthenticationToken", 403)]
#[case(Unauthenticated::Incomplete(String::new()), "IncompleteSignatureException", "IncompleteSignature", 400)]
#[case(Unauthenticated::UnknownKey, "UnrecognizedClientException", "InvalidClientTokenId", 403)]
#[case(Unauthenticated::Invalid(String::new()), "InvalidSignatureException", "SignatureDoesNotMatch", 403)]
fn each_fault_has_a_code_in_either_protocol(
    #[case] fault: Unauthenticated,
    #[case] json: &str,
    #[case] query: &str,
    #[case] status: u16,
) {
    let fault = Fault::Unauthenticated(fault);
    assert_eq!((fault.code(Service::Kms), fault.status(Service::Kms)), (json, 400));
    assert_eq!((fault.code(Service::Sts), fault.status(Service::Sts)), (query, status));
}

#[test]
fn the_signing_name_is_read_from_any_header_that_has_one() {
    assert_eq!(signing_name(AUTHORIZATION), Some("sts"));
    assert_eq!(signing_name("Credential=a/b"), None);
    assert_eq!(signing_name("Basic x"), None);
}

#[test]
fn the_last_minutes_of_all_dates_are_no_panic() {
    let last = datetime!(9999-12-31 23:59:50 UTC);
    assert!(check_time(last, last).is_ok());
    assert!(matches!(check_time(NOW, last), Err(Unauthenticated::Invalid(_))));
    assert!(matches!(check_time(last, NOW), Err(Unauthenticated::Invalid(_))));
}
