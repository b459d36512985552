//! Bodies of the three protocols as one kind of tree, without secrets.

use serde_json::{Map, Value};

use super::guard::DEEPEST;
use crate::lab::redact;

/// The longest body that is shown as text, in bytes. The lab's own are far shorter.
const LONGEST_TEXT: usize = 256 * 1024;

/// A request's parameters: the JSON body, or the form without the members that name the operation.
pub(super) fn request(content_type: &str, bytes: &[u8]) -> Value {
    let mut value = if content_type.contains("x-www-form-urlencoded") {
        let parameters = form_urlencoded::parse(bytes)
            .filter(|(name, _)| name != "Action" && name != "Version")
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
        Value::Object(parameters.collect())
    } else {
        serde_json::from_slice(bytes).unwrap_or(Value::Null)
    };
    sort_item(&mut value);
    redact::redact(&mut value);
    value
}

/// Sorts the attributes of an item to send. The SDK keeps them in a hash map, so they would stand in another order
/// in every run; DynamoDB gives them no order.
fn sort_item(request: &mut Value) {
    if let Some(Value::Object(item)) = request.get_mut("Item") {
        item.sort_keys();
    }
}

/// A response's body, and the request id where the body carries it.
pub(super) fn response(bytes: &[u8]) -> (Value, Option<String>) {
    // What a body is, it tells itself: not every server sends the right content type.
    let (mut value, id) = match bytes {
        [] => (Value::Object(Map::new()), None),
        _ => match serde_json::from_slice(bytes) {
            Ok(value) => (value, None),
            Err(_) => from_xml(&String::from_utf8_lossy(bytes)),
        },
    };
    redact::redact(&mut value);
    (value, id.map(|id| redact::clean(&id)))
}

/// A body as text for the HTTP view, without its secrets.
pub(super) fn text(bytes: &[u8]) -> String {
    if let Ok(mut value) = serde_json::from_slice::<Value>(bytes) {
        sort_item(&mut value);
        redact::redact(&mut value);
        return shortened(&value.to_string()).to_owned();
    }
    let text = redact::redact_text(&String::from_utf8_lossy(bytes));
    redact::clean(shortened(&text))
}

fn shortened(text: &str) -> &str {
    let end = (0..=LONGEST_TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// An IAM or STS answer as a tree: `<CreateUserResponse><CreateUserResult><User>…` becomes `{"User": …}`.
fn from_xml(text: &str) -> (Value, Option<String>) {
    let document = roxmltree::Document::parse(text).ok();
    let Some(root) = document.as_ref().map(|document| document.root_element()).filter(|root| is_aws(*root)) else {
        // Something else than AWS's protocols has answered, a proxy perhaps: show what it said.
        return (Value::String(shortened(&redact::redact_text(text)).to_owned()), None);
    };
    let id = root
        .descendants()
        .find(|node| node.tag_name().name() == "RequestId")
        .and_then(|node| node.text())
        .map(str::to_owned);
    let content = root.children().filter(|node| node.is_element()).find(|node| {
        let name = node.tag_name().name();
        name.ends_with("Result")
    });
    let value = match content {
        Some(result) => tree(result, DEEPEST),
        None => {
            let members = root
                .children()
                .filter(|node| node.is_element())
                .filter(|node| !matches!(node.tag_name().name(), "ResponseMetadata" | "RequestId" | "RequestID"))
                .map(|node| (node.tag_name().name().to_owned(), tree(node, DEEPEST)));
            Value::Object(members.collect())
        }
    };
    (value, id)
}

/// Returns whether the root is that of a response in AWS's query protocol: `CreateUserResponse`, `ErrorResponse`.
fn is_aws(root: roxmltree::Node<'_, '_>) -> bool {
    root.tag_name().name().ends_with("Response")
}

/// An element as a value: text, a list of `<member>`, or an object. What is more than `levels` deep is left out: the
/// guard lets no such document pass.
fn tree(node: roxmltree::Node<'_, '_>, levels: usize) -> Value {
    let mut children = node.children().filter(roxmltree::Node::is_element).peekable();
    let Some(below) = levels.checked_sub(1) else { return Value::Null };
    match children.peek() {
        None => Value::String(node.text().unwrap_or_default().to_owned()),
        Some(first) if first.tag_name().name() == "member" => {
            Value::Array(children.map(|child| tree(child, below)).collect())
        }
        Some(_) => {
            Value::Object(children.map(|child| (child.tag_name().name().to_owned(), tree(child, below))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lab::redact::REDACTED;

    #[test]
    fn an_xml_answer_becomes_the_tree_of_its_result() {
        let xml = r#"<CreateAccessKeyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateAccessKeyResult>
            <AccessKey><UserName>u</UserName><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey></AccessKey>
            </CreateAccessKeyResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></CreateAccessKeyResponse>"#;
        let (value, id) = response(xml.as_bytes());
        assert_eq!(value, json!({"AccessKey": {"UserName": "u", "AccessKeyId": "AKIA", "SecretAccessKey": REDACTED}}));
        assert_eq!(id.as_deref(), Some("r-1"));
        assert!(!text(xml.as_bytes()).contains("geheim"));
    }

    #[test]
    fn an_xml_answer_without_result_keeps_only_what_it_says() {
        let (value, _) = response(
            b"<DeleteUserResponse><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DeleteUserResponse>",
        );
        assert_eq!(value, json!({}));
        let (value, id) = response(
            b"<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>",
        );
        assert_eq!(value, json!({"Error": {"Type": "Sender", "Code": "NoSuchEntity", "Message": "m"}}));
        assert_eq!(id.as_deref(), Some("r"));
    }

    #[test]
    fn a_form_becomes_its_parameters() {
        assert_eq!(
            request("application/x-www-form-urlencoded", b"Action=CreateUser&Version=2010-05-08&UserName=a%20b"),
            json!({"UserName": "a b"})
        );
    }

    #[test]
    fn what_no_aws_service_says_is_shown_as_text() {
        assert_eq!(response(b"<h1>502\x1b[2J</h1>").0, json!("<h1>502\\u{1b}[2J</h1>"));
        assert_eq!(response(b"{\"trunc").0, json!("{\"trunc"));
    }

    #[test]
    fn a_secret_stays_secret_whatever_the_server_calls_its_answer() {
        for body in [
            "<CreateAccessKeyResponse><SecretAccessKey>geheim</SecretAccessKey></CreateAccessKeyResponse> and more",
            "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><SecretAccessKey a='b'>geheim</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>",
            "<html><SecretAccessKey>geheim</SecretAccessKey></html>",
            r#"{"AccessKey": {"SecretAccessKey": "geheim"}}"#,
            r#"{"AccessKey": {"SecretAccessKey": "geheim"#,
        ] {
            let (value, _) = response(body.as_bytes());
            assert!(!value.to_string().contains("geheim"), "{value}");
            assert!(!text(body.as_bytes()).contains("geheim"), "{}", text(body.as_bytes()));
        }
    }
}
