use rstest::rstest;

use super::*;
use crate::sandbox::error::Denial;
use crate::sandbox::kms::error::KmsError;
use crate::sandbox::operation::Output;
use crate::sandbox::xml::escape;

fn text(response: &Response) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

#[rstest]
#[case(
    Service::DynamoDb,
    Fault::service(400, "ResourceInUseException", "Table already exists: t"),
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceInUseException","message":"Table already exists: t"}"#
)]
#[case(
    Service::DynamoDb,
    Fault::Denied(Denial("no".to_owned())),
    r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}"#
)]
#[case(
    Service::DynamoDb,
    Fault::invalid("bad"),
    r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"bad"}"#
)]
#[case(
    Service::Kms,
    Fault::Denied(Denial("no".to_owned())),
    r#"{"__type":"AccessDeniedException","Message":"no"}"#
)]
#[case(Service::Kms, KmsError::InvalidCiphertext.into(), r#"{"__type":"InvalidCiphertextException"}"#)]
#[case(
    Service::Iam,
    Fault::service(409, "EntityAlreadyExists", "User with name <a&b> already exists."),
    "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
     <Code>EntityAlreadyExists</Code><Message>User with name &lt;a&amp;b&gt; already exists.</Message></Error>\
     <RequestId>id</RequestId></ErrorResponse>"
)]
fn errors_take_the_form_of_the_protocol(#[case] service: Service, #[case] error: Fault, #[case] body: &str) {
    let response = failure(service, "id", &error);
    assert_eq!(text(&response), body);
    assert_eq!(response.status(), error.status(service));
    assert_eq!(response.headers()["x-amzn-requestid"], "id");
}

#[test]
fn further_members_follow_the_message() {
    let reasons = ("CancellationReasons".to_owned(), serde_json::json!([{ "Code": "None" }]));
    let error = Fault::Service {
        status: 400,
        code: "TransactionCanceledException",
        message: Some("cancelled".to_owned()),
        extra: Some(Box::new(serde_json::Map::from_iter([reasons]))),
    };
    let response = failure(Service::DynamoDb, "id", &error);
    assert!(text(&response).ends_with(r#""Message":"cancelled","CancellationReasons":[{"Code":"None"}]}"#));
}

#[test]
fn dynamodb_answers_carry_the_checksum_of_the_body() {
    let success = success(Service::DynamoDb, "Scan", "id", Output::Json(serde_json::json!({ "Count": 0 })));
    let failure = failure(Service::DynamoDb, "id", &Fault::invalid("x"));
    for response in [success, failure] {
        let checksum: u32 = response.headers()["x-amz-crc32"].to_str().unwrap().parse().unwrap();
        assert_eq!(checksum, crc32fast::hash(response.body()));
        assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
    }
}

#[test]
fn query_answers_are_wrapped() {
    let body = |result: &str| {
        let response = success(Service::Sts, "GetCallerIdentity", "id", Output::Xml(result.to_owned()));
        assert_eq!(response.headers()["content-type"], "text/xml");
        text(&response).to_owned()
    };
    assert_eq!(
        body("<Account>1</Account>"),
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Account>1</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>"
    );
    assert!(!body("").contains("Result>"));
}

#[test]
fn kms_operations_without_output_have_no_body() {
    let response = success(Service::Kms, "DisableKey", "id", Output::Json(Value::Null));
    assert_eq!((text(&response), response.status().as_u16()), ("", 200));
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
}

#[test]
fn dynamodb_ids_have_52_characters_and_depend_on_the_uuid() {
    let ids: Vec<String> = [1, 2].map(|n| public_request_id(Service::DynamoDb, Uuid::from_u128(n))).into();
    for id in &ids {
        assert!(id.len() == 52 && id.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'V').contains(&b)), "{id}");
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(public_request_id(Service::Kms, Uuid::nil()), "00000000-0000-0000-0000-000000000000");
}

#[test]
fn every_text_survives_xml() {
    let text = "a<b>&\"'\r\n\té\u{1F600}";
    let document = format!("<m>{}</m>", escape(text));
    let parsed = roxmltree::Document::parse(&document).unwrap();
    assert_eq!(parsed.root_element().text(), Some(text));
    assert_eq!(escape("a\0b\u{ffff}"), "a\u{fffd}b\u{fffd}");
}
