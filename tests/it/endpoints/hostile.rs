//! Servers that mean harm: they quote the request's secrets, or send what exhausts its reader.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rstest::rstest;

use super::run;
use crate::support::fake::{Fake, response};
use crate::support::program::text;

/// A session token with all characters that some encoding escapes.
const TOKEN: &str = "IQoJb3JpZ2luX2VjEJabcdefgh//+wEaCXVzLWVhc3QtMSJHMEUCIQ+kmslabTokenExample/Zz9==";

fn url(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn xml(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('/', "&#47;").replace('+', "&#x2B;");
    format!("<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>{text}</Message></Error></ErrorResponse>")
}

fn json(text: &str) -> String {
    let text = serde_json::to_string(text).unwrap().replace('/', "\\/").replace('+', "\\u002b");
    format!(r#"{{"__type":"SignatureDoesNotMatch","message":{text}}}"#)
}

fn plain(text: &str) -> String {
    text.to_owned()
}

fn json_in_xml(text: &str) -> String {
    xml(&json(text))
}

/// Answers every request with a 403 that quotes it, in its body as `encode` has it, and in headers.
fn quoting(encode: fn(&str) -> String) -> String {
    let quote = move |request: &str| {
        let signature = request.split("Signature=").nth(1).unwrap().split('\r').next().unwrap();
        let body = encode(&format!("The canonical string should have been\n{request}"));
        let headers = format!(
            "x-amzn-requestid: {TOKEN}\r\nx-echo: {}\r\nx-echo: {signature}\r\nx-{signature}: 1\r\nx-token: {TOKEN}\r\n\
             Connection: close\r\n",
            url(request)
        );
        response(403, &headers, &body)
    };
    Fake::new(quote).url()
}

#[rstest]
#[case::json(json)]
#[case::xml(xml)]
#[case::url(url)]
#[case::as_it_came(plain)]
#[case::json_in_xml(json_in_xml)]
fn a_server_that_quotes_the_request_gives_no_secret_away(
    #[case] encode: fn(&str) -> String,
    #[values("text", "jsonl")] format: &str,
) {
    let tmp = tempfile::tempdir().unwrap();
    let url = quoting(encode);
    let mut command = run(tmp.path(), &url, "AKIAEXAMPLE", "secret");
    let output = command.env("AWS_SESSION_TOKEN", TOKEN).args(["--format", format]).output().unwrap();
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{printed}");
    assert!(format == "text" || printed.contains("canonical"), "{printed}");
    assert!(printed.contains("[redacted]") || format == "text", "{printed}");
    for part in TOKEN.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| part.len() > 3) {
        assert!(!printed.contains(part), "{part} in {printed}");
    }
    // A signature: 64 hexadecimal digits.
    let longest = printed.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max().unwrap();
    assert!(longest < 64, "{printed}");
    let after = printed.split("Signature=").skip(1);
    after.for_each(|rest| assert!(rest.starts_with("[redacted]"), "{printed}"));
}

/// Answers every request with `start` and then `part` for ever, and counts the bytes that were taken.
fn endless(start: &'static str, part: String) -> (String, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = taken.clone();
    let fake = Fake::writing(move |_, stream| {
        let _ = stream.write_all(start.as_bytes());
        while counted.load(Ordering::SeqCst) < 512 * 1024 * 1024 && stream.write_all(part.as_bytes()).is_ok() {
            counted.fetch_add(part.len(), Ordering::SeqCst);
        }
    });
    (fake.url(), taken)
}

#[rstest]
#[case::no_length("HTTP/1.1 200 OK\r\n\r\n{\"a\":\"", "x".repeat(64 * 1024))]
#[case::chunks("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", format!("10000\r\n{}\r\n", "x".repeat(0x10000)))]
#[case::said("HTTP/1.1 403 Forbidden\r\nContent-Length: 99999999999\r\n\r\n", "x".repeat(64 * 1024))]
fn an_endless_response_is_cut_off(#[case] start: &'static str, #[case] part: String) {
    let tmp = tempfile::tempdir().unwrap();
    let (url, taken) = endless(start, part);
    let begun = Instant::now();
    let output = run(tmp.path(), &url, "AKIAEXAMPLE", "secret").output().unwrap();
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{printed}");
    assert!(printed.contains("larger than 4 MB") && printed.contains("not a response from AWS"), "{printed}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    // What the system holds between the two comes on top.
    assert!(taken.load(Ordering::SeqCst) < 64 * 1024 * 1024, "{taken:?}");
}

#[rstest]
#[case::xml("<GetCallerIdentityResponse>", "<a>", "</a>", "</GetCallerIdentityResponse>")]
#[case::json("{\"a\":", "[", "]", "}")]
fn a_deep_response_is_refused(
    #[case] start: &str,
    #[case] open: &str,
    #[case] close: &str,
    #[case] end: &str,
    #[values("200 OK", "403 Forbidden")] status: &str,
) {
    let tmp = tempfile::tempdir().unwrap();
    let body = [start, &open.repeat(10_000), &close.repeat(10_000), end].concat();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let url = super::answering(answer.into_bytes().leak());
    let output = run(tmp.path(), &url, "AKIAEXAMPLE", "secret").output().unwrap();
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{printed}{}", text(&output.stderr));
    let says = ["nested more than 100 levels deep", "not a response from AWS"];
    assert!(says.iter().all(|says| printed.contains(says)), "{printed}");
}

#[test]
fn utf_16_hides_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{\0\"\0a\0\"\0";
    let output = run(tmp.path(), &super::answering(answer), "AKIAEXAMPLE", "secret").output().unwrap();
    assert!(text(&output.stdout).contains("the response is not text"), "{}", text(&output.stdout));
}

/// Settings that a request can't carry, or that the SDK panics at.
#[rstest]
#[case(
    "AWS_ACCESS_KEY_ID",
    "AKIAEXAMPLE\r",
    "character 12 of 12 of the AWS_ACCESS_KEY_ID is a carriage return (U+000D)"
)]
#[case("AWS_SECRET_ACCESS_KEY", "geheim\r", "character 7 of 7 of the AWS_SECRET_ACCESS_KEY is a carriage return")]
#[case(
    "AWS_SESSION_TOKEN",
    "geheim\u{1}x",
    "character 7 of 8 of the AWS_SESSION_TOKEN is a control character (U+0001)"
)]
#[case("AWS_MAX_ATTEMPTS", "many", "AWS_MAX_ATTEMPTS is \"many\"\n  fix: set it to a number from 1 up")]
#[case("AWS_MAX_ATTEMPTS", "0", "AWS_MAX_ATTEMPTS is \"0\"")]
#[case("AWS_RETRY_MODE", "x", "AWS_RETRY_MODE is \"x\"\n  fix: set it to standard, adaptive or legacy")]
fn a_setting_that_no_request_can_carry_is_named(#[case] name: &str, #[case] value: &str, #[case] says: &str) {
    let tmp = tempfile::tempdir().unwrap();
    let mut command = run(tmp.path(), "http://127.0.0.1:1", "AKIAEXAMPLE", "geheim");
    let output = command.env(name, value).output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}{}", text(&output.stdout));
    assert!(told.contains(says), "{told}");
    assert!(!told.contains("geheim") && !told.contains("panicked"), "{told}");
}

#[test]
fn a_control_character_in_a_profile_is_found_down_its_chain() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::create_dir(tmp.path().join(".aws")).unwrap();
    let config = "[profile role]\nrole_arn = arn:aws:iam::111122223333:role/lab\nsource_profile = keys\n\
                  [profile keys]\naws_access_key_id = AKIA\u{1}X\naws_secret_access_key = geheim\n";
    std::fs::write(tmp.path().join(".aws/config"), config).unwrap();
    let mut command = run(tmp.path(), "http://127.0.0.1:1", "AKIAEXAMPLE", "geheim");
    let output = command.args(["--admin-profile", "role"]).output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("profile keys: character 5 of 6 of the aws_access_key_id is a control character"), "{told}");
}
