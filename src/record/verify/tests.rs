use rstest::rstest;

use super::*;

fn found_in(file: &[u8]) -> Vec<Found> {
    verify(file, Allowed::default())
}

#[rstest]
#[case::account("account 210987654321 here", "an account's number")]
#[case::arn("arn:aws:iam::210987654321:user/x", "an ARN with an account's number")]
#[case::access_key("id AKIAZQ3DRSTUVWXY2345.", "an access key's id")]
#[case::session_key("ASIAZQ3DRSTUVWXY2345", "an access key's id")]
#[case::secret("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", "what looks like a secret key")]
#[case::token(
    "X-Amz-Security-Token: IQoJb3JpZ2luX2VjKMS0123456789abcdefABCDEF0123456789",
    "what looks like a session token"
)]
#[case::secret_in_a_shell(
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY",
    "what looks like a secret key"
)]
#[case::token_in_a_shell(
    "export AWS_SESSION_TOKEN=FwoGZXIvYXdzEKMS0123456789abcdefABCDEF0123456789==",
    "what looks like a session token"
)]
#[case::account_of_the_console("Account ID: 2109-8765-4321", "an account's number")]
#[case::arn_in_china("arn:aws-cn:kms:cn-north-1:210987654321:key/1", "an ARN with an account's number")]
#[case::arn_in_a_form("UserArn=arn%3Aaws%3Aiam%3A%3A210987654321%3Auser%2Fx", "an ARN with an account's number")]
#[case::secret_in_a_form("100% s=wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYzzzzzzzKEY", "what looks like a secret key")]
#[case::prompt("ada@laptop:~$ ls", "an e-mail address or an account on a host")]
#[case::home("open /home/ada/lab/kmslab.db", "whose home folder it is")]
#[case::mac("\"/Users/ada.k\"", "whose home folder it is")]
#[case::windows("C:\\Users\\ada", "whose home folder it is")]
#[case::long_address("[fe80::1ff:fe23:4567:890a]:443", "a network address")]
#[case::signature("Signature=0123456789abcdef0123456789abcdef", "a signature")]
#[case::email("by ada.k@company.de, thanks", "an e-mail address or an account on a host")]
#[case::shell_title("\u{1b}]0;ada@laptop: ~\u{7}", "a window's title in a control sequence")]
#[case::folder("\u{1b}]7;file://laptop/home/ada\u{1b}\\", "what a shell tells a terminal, in a control sequence")]
#[case::clipboard("\u{1b}]52;c;YXJu\u{7}", "what was copied, in a control sequence")]
#[case::host("Host: vault.corp.company.com", "a host's name")]
#[case::inner_host("http://db.internal:8000", "a host's name")]
#[case::look_alike("https://amazonaws.com.evil.io/", "a host's name")]
#[case::address("10.1.2.3:443", "a network address")]
fn each_is_found_in_plain_text_and_in_an_event(#[case] text: &str, #[case] what: &str) {
    let kinds = |file: &str| found_in(file.as_bytes()).into_iter().map(|found| found.what).collect::<Vec<_>>();
    assert!(kinds(text).contains(&what), "{text}: {:?}", kinds(text));
    let event = format!("{{\"version\": 3}}\n[0.1, \"o\", {}]\n", Value::from(text));
    let found = found_in(event.as_bytes());
    assert!(found.iter().any(|found| found.what == what && found.line == 2), "{text}: {found:?}");
    let header = format!("{{\"version\": 2, \"env\": {{\"X\": {}}}}}\n", Value::from(text));
    assert!(kinds(&header).contains(&what), "{header}");
}

#[rstest]
#[case("arn:aws:iam::111122223333:user/kmslab-admin AKIAQ7Q7Q7Q7QEXAMPLE")]
#[case("key/1234abcd-12ab-34cd-56ef-123456789012 and 1767225600123, 20261124")]
#[case("Host: kms.us-east-1.amazonaws.com, 444455556666.ddb.us-east-1.amazonaws.com")]
#[case("com.amazonaws.services.kms.model.AWSKMSException DynamoDB_20120810.Scan run.sh lab.cast kmslab.svg kmslab.db")]
#[case("http://127.0.0.1:4599 Signature=[redacted] ada@example.com localhost")]
#[case("0123456789abcdef0123456789abcdef01234567 is a hash")]
#[case(
    "AQICAHjK0/Ab+Cd1Ef2Gh3Ij4Kl5Mn6Op7Qr8St9Uv0Wx1Yz2 is sealed, src/lab/Bench/play/Script1/steps/of/Two2 is a path"
)]
#[case("1111-2222-3333 is the documents' own; 2026-11-24, 20261124-1002, 2109-8765-4321-0000")]
#[case("[::1]:4599 2001:db8::1:2 std::fmt a::b 10:02:33 arn:aws:iam::aws:policy/X https://docs.aws.amazon.com/home/x")]
#[case("<svg xmlns=\"http://www.w3.org/2000/svg\"> actions/checkout@v4 2.0@x")]
fn what_may_be_seen_is_not_reported(#[case] text: &str) {
    assert_eq!(found_in(text.as_bytes()), []);
    assert_eq!(found_in(format!("[0.1, \"o\", {}]", Value::from(text)).as_bytes()), []);
}

#[test]
fn colors_hide_nothing_and_jumps_join_nothing() {
    let cut = "[0.1,\"o\",\"\\u001b[1m2109\\u001b[0m87654321\"]";
    assert_eq!(found_in(cut.as_bytes()).len(), 1);
    let apart = "[0.1,\"o\",\"210987\\u001b[2;1H654321\"]";
    assert_eq!(found_in(apart.as_bytes()), []);
}

/// `H` of the jump, and a hash of 37 digits after it.
#[test]
fn a_jump_is_no_part_of_the_word_after_it() {
    let event = "[0.1,\"o\",\"\\u001b[2;69H5ade50b4d0123456789abcdef0123456789ab\"]";
    assert_eq!(found_in(event.as_bytes()), []);
}

#[test]
fn a_number_that_is_drawn_in_pieces_is_found() {
    let head = "{\"version\":3,\"term\":{\"cols\":40,\"rows\":4}}";
    let events = "[0.1,\"o\",\"\\u001b[2;1H111111222222\"]\n[0.1,\"o\",\"\\u001b[2;5H9876\"]";
    let found = found_in(format!("{head}\n{events}").as_bytes());
    assert_eq!(found.iter().map(|found| found.line).collect::<Vec<_>>(), [2, 3], "{found:?}");
    assert_eq!(found[1].shown, "111198762222");
}

/// The last twelve digits of a uuid may be decimal, and its beginning may stand there from the picture before.
#[test]
fn the_end_of_a_uuid_that_is_drawn_alone_is_no_account() {
    let head = "{\"version\":3,\"term\":{\"cols\":40,\"rows\":4}}";
    let events = "[0.1,\"o\",\"\\u001b[2;1H6a661e7d-9318-741d-8ef5-0eeae310291b\"]\n\
                  [0.1,\"o\",\"\\u001b[2;25H075236013740\"]";
    assert_eq!(found_in(format!("{head}\n{events}").as_bytes()), []);
}

#[test]
fn a_name_that_is_drawn_in_pieces_is_judged_as_a_whole() {
    let head = "{\"version\":3,\"term\":{\"cols\":40,\"rows\":4}}";
    let events = "[0.1,\"o\",\"\\u001b[2;17Hr\"]\n[0.1,\"o\",\"\\u001b[2;1Hcom.amazonaws.se\\u001b[2;18Hvices\"]";
    assert_eq!(found_in(format!("{head}\n{events}").as_bytes()), []);
    let events = "[0.1,\"o\",\"\\u001b[2;7Hc\"]\n[0.1,\"o\",\"\\u001b[2;1Hvault.\\u001b[2;8Horp.se\"]";
    assert_eq!(found_in(format!("{head}\n{events}").as_bytes()).len(), 1);
}

#[test]
fn after_a_resize_rows_have_another_length() {
    let events = "{\"version\":2,\"width\":4,\"height\":2}\n[0.1,\"r\",\"40x4\"]\n\
                  [0.2,\"o\",\"\\u001b[2;1H111111222222\"]\n[1.5,\"o\",\"\\u001b[2;5H9876\"]";
    let found = found_in(events.as_bytes());
    assert_eq!(found.iter().map(|found| found.shown.as_str()).collect::<Vec<_>>(), ["111111222222", "111198762222"]);
    assert_eq!(found[1].at, Some(Duration::from_millis(1_500)));
}

#[test]
fn times_are_those_of_the_film() {
    let key = "AKIAZQ3DRSTUVWXY2345";
    let three = format!("{{\"version\":3}}\n[1.5,\"o\",\"a\"]\n[2.25,\"m\",\"{key}\"]");
    let two = format!("{{\"version\":2}}\n[1.5,\"o\",\"a\"]\n[2.25,\"o\",\"{key}\"]");
    let log = format!("{{\"kmslab_session\":1}}\n{{\"at\":42,\"x\":\"{key}\"}}");
    for (file, at) in [(three, Some(3_750)), (two, Some(2_250)), (log, Some(42)), (key.to_owned(), None)] {
        let found = found_in(file.as_bytes());
        assert_eq!(found.len(), 1, "{file}");
        assert_eq!(found[0].at, at.map(Duration::from_millis), "{file}");
    }
}

#[test]
fn what_is_typed_key_by_key_is_found() {
    let events: Vec<String> = "210987654321".chars().map(|c| format!("[0.2,\"i\",\"{c}\"]")).collect();
    assert_eq!(found_in(events.join("\n").as_bytes()).len(), 1);
}

/// Times with many digits, as some programs write them.
#[test]
fn a_time_is_no_account() {
    assert_eq!(found_in(b"{\"version\":2}\n[0.345678901234,\"o\",\"a\"]"), []);
    assert_eq!(found_in(b"{\"version\":2,\"account\":210987654321}").len(), 1);
}

#[test]
fn places_are_told_and_the_find_is_not_told_whole() {
    let found = found_in(b"{\"version\":3,\"command\":\"x\"}\nfirst\n  AKIAZQ3DRSTUVWXY2345\n");
    assert_eq!((found[0].line, found[0].what), (1, "a command line in the header"));
    assert_eq!((found[1].line, found[1].column, found[1].shown.as_str()), (3, 3, "AKIAZQ3DRSTU"));
}

/// Rows that the terminal wrapped, a link's target, and AWS's documented examples.
#[test]
fn recordings_that_misled_it_are_read_right() {
    let kinds = |file: &[u8]| found_in(file).into_iter().map(|found| (found.line, found.what)).collect::<Vec<_>>();
    let typed = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/casts/bash-typed-wrap.cast"));
    assert_eq!(kinds(typed), [(92, "what looks like a secret key")]);
    let link = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/casts/osc8-file.cast"));
    assert_eq!(kinds(link), [(2, "a host's name"), (2, "whose home folder it is")]);
    assert_eq!(
        kinds(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/casts/aws-docs-example.cast"))),
        []
    );
}

/// `text` typed key by key into a terminal of `columns` columns.
fn typed(text: &str, columns: usize) -> String {
    let keys = text.chars().map(|c| format!("[0.1,\"o\",{}]", Value::from(c.to_string())));
    let head = format!("{{\"version\":2,\"width\":{columns},\"height\":9}}");
    std::iter::once(head).chain(keys).collect::<Vec<_>>().join("\n")
}

#[rstest]
#[case::account("account 210987654321", "an account's number")]
#[case::arn("arn:aws:iam::210987654321:user/x", "an ARN with an account's number")]
#[case::access_key("id AKIAZQ3DRSTUVWXY2345", "an access key's id")]
#[case::secret("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", "what looks like a secret key")]
#[case::token("FwoGZXIvYXdzEKMS0123456789abcdefABCDEF0123456789", "what looks like a session token")]
#[case::signature("Signature=0123456789abcdef0123456789abcdef", "a signature")]
#[case::email("by ada.k@company.de", "an e-mail address or an account on a host")]
#[case::host("http://db.company.internal:8000/", "a host's name")]
#[case::address("at 192.168.1.117", "a network address")]
#[case::home("open /home/ada.kowalska", "whose home folder it is")]
#[case::plaintext("\"Plaintext\": \"c2VjcmV0IGtleSBtYXRlcmlhbCBoZXJlISE=\"", "the Plaintext of a KMS response")]
fn a_row_that_the_terminal_wraps_hides_nothing(#[case] text: &str, #[case] what: &str) {
    for columns in [80, 17, 11] {
        let found = found_in(typed(&format!("$ {text} \r\n$ "), columns).as_bytes());
        assert!(found.iter().any(|found| found.what == what), "{columns} columns, {text}: {found:?}");
    }
}

#[rstest]
#[case("mail ada@example.com now", &[])]
#[case("Host: kms.us-east-1.amazonaws.com", &[])]
#[case("http://127.0.0.1:4599/", &[])]
#[case("com.amazonaws.services.kms", &[])]
#[case("ssh 10.1.2.34", &["10.1.2.34"])]
#[case("ada.k@company.com, thanks", &["ada.k@compan"])]
#[case("AKIAZQ3DRSTUVWXY2345 is it", &["AKIAZQ3DRSTU"])]
#[case("vault.corp.company.com.", &["vault.corp.c"])]
fn of_what_is_typed_only_the_whole_is_told(#[case] text: &str, #[case] shown: &[&str]) {
    let file = typed(text, 80);
    let found = found_in(file.as_bytes());
    assert_eq!(found.iter().map(|found| found.shown.as_str()).collect::<Vec<_>>(), shown, "{found:?}");
}

/// Of asciinema before 1.4.
#[test]
fn the_first_version_is_read() {
    let cast = "{\n  \"version\": 1,\n  \"width\": 80, \"height\": 24, \"duration\": 2.5,\n  \"command\": \"/bin/zsh\",\n  \
                \"title\": \"by ada.k@company.de\", \"env\": {},\n  \"stdout\": [\n    [1.5, \"id 2109\"],\n    \
                [0.75, \"87654321\\r\\n\"],\n    [0.5, \"AKIAZQ3DRSTUVWXY2345\"]\n  ]\n}\n";
    let found = found_in(cast.as_bytes());
    let told: Vec<_> = found.iter().map(|found| (found.what, found.at.map(|at| at.as_millis()))).collect();
    let wanted = [
        ("a command line in the header", None),
        ("an account's number", Some(2_250)),
        ("an e-mail address or an account on a host", None),
        ("an access key's id", Some(2_750)),
    ];
    assert_eq!(told, wanted, "{found:?}");
    assert_eq!(found.iter().map(|found| found.line).collect::<Vec<_>>(), [1, 1, 5, 9]);
}

#[rstest]
#[case::json("{\"Plaintext\": \"c2VjcmV0IQ==\"}", true)]
#[case::json_in_json("{\"body\": \"{\\\"Plaintext\\\": \\\"c2VjcmV0IQ==\\\"}\"}", true)]
#[case::pair("  \"PrivateKeyPlaintext\": \"MIIEvwIBADANBgkqhkiG9w0BAQEFAASC\"", true)]
#[case::table("|  Plaintext       |  c2VjcmV0IGtleSBtYXRlcmlhbA==  |", true)]
#[case::text("Plaintext: c2VjcmV0IGtleSBtYXRlcmlhbA==", true)]
#[case::redacted("\"Plaintext\": \"[redacted]\"", false)]
#[case::sentence("Plaintext: what KMS has opened. Plaintext = data", false)]
#[case::sealed("\"CiphertextBlob\": \"AQICAHhc2VjcmV0IQ==\"", false)]
fn the_plaintext_of_kms_is_found(#[case] text: &str, #[case] is_found: bool) {
    let is_told = |file: &str| found_in(file.as_bytes()).iter().any(|found| found.what.contains("Plaintext"));
    assert_eq!(is_told(text), is_found);
    assert_eq!(is_told(&format!("[0.1,\"o\",{}]", Value::from(text))), is_found);
}

#[test]
fn typed_input_is_read_with_its_corrections() {
    let keys = |text: &str| {
        let keys = text.chars().map(|c| format!("[0.5,\"i\",{}]", Value::from(c.to_string())));
        found_in(keys.collect::<Vec<_>>().join("\n").as_bytes())
    };
    let found = keys("21098765x\u{7f}4321\r");
    assert_eq!(found.iter().map(|found| (found.line, found.what)).collect::<Vec<_>>(), [(14, "an account's number")]);
    assert_eq!(keys("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY\r").len(), 1);
    assert_eq!(keys("ada@example.com\r"), []);
    let pasted = "[0.1,\"i\",\"\\u001b[200~AKIAZQ3DRSTUVWXY2345\\u001b[201~\"]";
    assert_eq!(found_in(pasted.as_bytes()).len(), 1);
}

#[test]
fn what_is_allowed_is_not_reported() {
    let allowed =
        Allowed::parse("# for our demo\n210987654321\n\nada.k@company.de\nvault.corp.company.com\nmake demo\n");
    let file = "{\"version\":2,\"command\":\"make demo\"}\narn:aws:iam::210987654321:user/x ada.k@company.de \
                vault.corp.company.com\n";
    assert_eq!(found_in(file.as_bytes()).len(), 4);
    assert_eq!(verify(file.as_bytes(), allowed.clone()), []);
    // Nothing longer is, and nothing else.
    assert_eq!(verify(b"x.vault.corp.company.com 210987654322", allowed).len(), 2);
}
