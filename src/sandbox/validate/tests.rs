use rstest::rstest;
use serde_json::json;

use super::*;

fn message(service: Service, params: &Params, parse: impl FnOnce(&Members<'_>) -> Result<(), Fault>) -> String {
    let fault = read(service, params, parse).unwrap_err();
    format!("{}: {}", fault.code(service), fault.message(service).unwrap_or_default())
}

fn of(service: Service, input: Value, parse: impl FnOnce(&Members<'_>) -> Result<(), Fault>) -> String {
    let Value::Object(members) = input else { unreachable!() };
    message(service, &Params::Json(members), parse)
}

#[rstest]
#[case::null(json!({}), "ValidationException: 1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null")]
#[case::empty(json!({"KeyId": ""}), "ValidationException: 1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1")]
#[case::number(json!({"KeyId": 1}), "SerializationException: NUMBER_VALUE can not be converted to a String")]
fn a_string_that_has_to_be_there(#[case] input: Value, #[case] expected: &str) {
    assert_eq!(of(Service::Kms, input, |m| m.str("KeyId", 1..=2048).map(drop)), expected);
}

#[test]
fn several_violations_come_together() {
    let parse = |m: &Members<'_>| {
        m.str("KeyId", 1..=2048)?;
        m.choice("KeySpec", &["AES_256", "AES_128"])?;
        m.integer("Limit", 1..=10)?;
        m.blob("Plaintext", 1..=2)?;
        Ok(())
    };
    let input = json!({"KeySpec": "DES", "Limit": 11, "Plaintext": "AAAA"});
    assert_eq!(
        of(Service::Kms, input, parse),
        "ValidationException: 4 validation errors detected: \
         Value null at 'keyId' failed to satisfy constraint: Member must not be null; \
         Value 'DES' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]; \
         Value '11' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10; \
         Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 2"
    );
}

#[test]
fn violations_have_whole_paths() {
    let parse = |m: &Members<'_>| {
        for element in m.structures("KeySchema", "AttributeName")? {
            element.str("AttributeName", 1..=255)?;
        }
        m.structure("SSESpecification")?.map(|sse| sse.choice("SSEType", &["KMS"])).transpose()?;
        Ok(())
    };
    let input = json!({"KeySchema": [{"AttributeName": "a"}, {}], "SSESpecification": {"SSEType": "X"}});
    assert_eq!(
        of(Service::DynamoDb, input, parse),
        "ValidationException: 2 validation errors detected: \
         Value null at 'keySchema.2.member.attributeName' failed to satisfy constraint: Member must not be null; \
         Value 'X' at 'sSESpecification.sSEType' failed to satisfy constraint: Member must satisfy enum value set: [KMS]"
    );
    let form = Params::Query([("Tags.member.1.Key", "a"), ("Tags.member.3.Key", "c")].into_iter().collect());
    let parse = |m: &Members<'_>| {
        let tags = m.structures("Tags", "Key")?;
        assert_eq!(tags.len(), 1, "the list ends at the first gap");
        tags[0].str("Value", 0..=256).map(drop)
    };
    assert_eq!(
        message(Service::Iam, &form, parse),
        "ValidationError: 1 validation error detected: Value null at 'tags.1.member.value' failed to satisfy constraint: \
         Member must not be null"
    );
}

#[test]
fn an_error_lists_at_most_ten_violations() {
    let parse = |m: &Members<'_>| {
        (0..100).for_each(|_| m.missing("X"));
        Ok(())
    };
    assert!(of(Service::Kms, json!({}), parse).contains("10 validation errors detected"));
}

#[rstest]
#[case(json!({}), false)]
#[case(json!({"Flag": null}), false)]
#[case(json!({"Flag": true}), true)]
fn null_counts_as_absent(#[case] input: Value, #[case] expected: bool) {
    let Value::Object(members) = input else { unreachable!() };
    let flag = read(Service::Kms, &Params::Json(members), |m| m.flag("Flag")).unwrap();
    assert_eq!(flag.unwrap_or(false), expected);
}

#[rstest]
#[case(b"{", None)]
#[case(b"[]", Some("Start of structure or map found where not expected."))]
fn bodies_that_are_no_object_are_refused(#[case] body: &[u8], #[case] message: Option<&str>) {
    let fault = Params::read(Service::Kms, body, Form::default()).unwrap_err();
    assert_eq!(fault, Fault::Serialization(message.map(str::to_owned)));
    assert!(Params::read(Service::Kms, b"", Form::default()).is_ok(), "no body means no members");
}
