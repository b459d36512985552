use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;

#[rstest]
#[case::account("account 987654321098.", "account 111122223333.")]
#[case::managed_policy(
    "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
    "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
)]
#[case::words("admin DENIED on kms:Decrypt, 3 items", "admin DENIED on kms:Decrypt, 3 items")]
#[case::item(r#"{"id":{"S":"1"},"n":1767225605125}"#, r#"{"id":{"S":"1"},"n":1767225605125}"#)]
#[case::root("arn:aws:iam::987654321098:root", "arn:aws:iam::111122223333:root")]
fn what_is_no_id_stays(#[case] text: &str, #[case] masked: &str) {
    assert_eq!(Masker::new("0a1b2c3d").text(text), masked);
}

#[rstest]
#[case("AKIAIOSFODNN7EXAMPLE", "AKIA")]
#[case("AROADBQP57FF2AEXAMPLE:me", "AROA")]
#[case("arn:aws:iam::987654321098:user/alice", "arn:aws:iam::")]
#[case("arn:aws:sts::987654321098:assumed-role/Admin/alice@example.com", "arn:aws:sts::")]
#[case("arn:aws:kms:eu-central-1:987654321098:key/1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:eu-central-1:")]
#[case("mrk-1234abcd12ab34cd56ef1234567890ab", "mrk-")]
#[case("kmslab-table-0a1b2c3d", "kmslab-table-")]
#[case("UserName=alice", "UserName=")]
#[case("table/alice", "table/")]
#[case("logs-987654321098-eu", "logs-")]
#[case("<UserName>alice</UserName>", "<UserName>")]
#[case("UserArn=arn%3Aaws%3Aiam%3A%3A987654321098%3Auser%2Falice", "UserArn=arn%3Aaws%3Aiam%3A%3A")]
#[case("4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG", "")]
fn ids_keep_their_form_and_lose_what_they_say(#[case] id: &str, #[case] stays: &str) {
    let mut masker = Masker::new("0a1b2c3d");
    let masked = masker.text(id);
    assert_ne!(masked, id);
    assert!(masked.starts_with(stays), "{masked}");
    let form = |text: &str| -> String {
        text.chars()
            .map(|c| match c {
                '0'..='9' => '0',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                c => c,
            })
            .collect()
    };
    assert_eq!(form(&masked), form(id));
    for secret in ["987654321098", "alice", "1234567890ab", "0a1b2c3d", "IOSFODNN7", "Admin"] {
        assert!(!masked.contains(secret), "{masked}");
    }
    assert_eq!(masker.text(id), masked, "the same again");
}

/// Percent-encoded `times` times, with capital or small digits.
fn encoded(text: &str, times: usize, is_lower: bool) -> String {
    let once = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ if is_lower => format!("%{byte:02x}"),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    (0..times).fold(text.to_owned(), |text, _| once(&text))
}

const DOCUMENT: &str = r#"{"Statement": [{"Effect": "Allow", "Principal": {"AWS": [
    "arn:aws:iam::987654321098:user/team/kmslab-user-0a1b2c3d", "987654321098",
    "arn:aws:iam::987654321098:user/charlotte+kms@example.com", "AIDAIOSFODNN7SECRETS"]},
    "Resource": "arn:aws:kms:eu-central-1:987654321098:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "Condition": {"StringEquals": {"aws:username": "charlotte+kms@example.com"}}}]}"#;

#[rstest]
fn an_encoded_document_has_the_same_pseudonyms(#[values(1, 2, 3)] times: usize, #[values(false, true)] is_lower: bool) {
    let mut masker = Masker::new("0a1b2c3d");
    let alone = Masker::new("0a1b2c3d").text(&encoded(DOCUMENT, times, is_lower));
    let plain = masker.text(DOCUMENT);
    for secret in ["987654321098", "0a1b2c3d", "charlotte", "example", "IOSFODNN7", "1234567890ab"] {
        assert!(DOCUMENT.contains(secret) && !plain.contains(secret) && !alone.contains(secret), "{alone}");
    }
    assert_eq!(alone, encoded(&plain, times, is_lower));
    assert_eq!(masker.text(&encoded(DOCUMENT, times, is_lower)), alone);
    let mut answer = json!({"PolicyDocument": encoded(DOCUMENT, times, is_lower)});
    Masker::new("0a1b2c3d").value(&mut answer);
    assert_eq!(answer["PolicyDocument"], alone);
}

#[test]
fn a_long_name_is_found_where_nothing_tells_that_it_is_one() {
    let mut masker = Masker::new("0a1b2c3d");
    let mut value = json!({"UserName": "charlotte", "note": "for charlotte"});
    masker.value(&mut value);
    assert_eq!(value["note"], format!("for {}", value["UserName"].as_str().unwrap()));
    assert!(!value.to_string().contains("charlotte"));
}

#[test]
fn known_names_and_runs_are_masked_everywhere() {
    let mut masker = Masker::default();
    masker.add_run("4f2a");
    masker.add_name("kmslab-table-of.charlotte");
    let masked = masker.text("run 4f2a: kmslab-user-4f2a, table kmslab-table-of.charlotte, 4f2a5 items");
    let run = masked.split([' ', ':']).nth(1).unwrap();
    assert_ne!(run, "4f2a");
    assert!(masked.contains(&format!("kmslab-user-{run}, table kmslab-table-")), "{masked}");
    assert!(!masked.contains("charlotte") && masked.ends_with(", 4f2a5 items"), "{masked}");
    let masked = masker.text("kmslab-user-4f2a-old, kmslab-table-4f2a-archive");
    assert_eq!(masked, format!("kmslab-user-{run}-old, kmslab-table-{run}-archive"));
}

#[test]
fn the_admin_of_a_sandbox_keeps_its_name_and_nobody_else_does() {
    for is_sandbox in [true, false] {
        let mut masker = Masker::new("0a1b2c3d").of_sandbox(is_sandbox);
        masker.add_name("kmslab-admin");
        let masked = masker.text("arn:aws:iam::111122223333:user/kmslab-admin, user/kmslab-administrator");
        assert_eq!(masked.contains(":user/kmslab-admin,"), is_sandbox, "{masked}");
        assert!(!masked.contains("111122223333") && !masked.contains("administrator"), "{masked}");
    }
}

proptest! {
    #[test]
    fn no_encoding_hides_an_id(
        account in "[1-9][0-9]{11}",
        name in "[a-z]{8}[+=,.@_-][a-z]{2}",
        before in "\\PC{0,12}[^A-Za-z0-9-]",
        after in "([^A-Za-z0-9+=,.@_-]\\PC{0,12})?",
        (times, is_lower) in (0_usize..4, proptest::bool::ANY),
    ) {
        let text = format!("{before}arn:aws:iam::{account}:user/{name}{after}");
        let encoded = encoded(&text, times, is_lower);
        let mut masker = Masker::default();
        let masked = masker.text(&encoded);
        prop_assert_eq!(masked.len(), encoded.len());
        prop_assert!(!masked.contains(&account) && !masked.contains(&name[..8]), "{} of {}", masked, encoded);
        prop_assert_eq!(masker.text(&encoded), masked);
    }

    #[test]
    fn different_ids_stay_different_and_every_text_keeps_its_width(
        accounts in proptest::collection::btree_set("[0-9]{12}", 1..40),
        keys in proptest::collection::btree_set("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", 1..40),
        names in proptest::collection::btree_set("[a-z]{4}[A-Za-z0-9.@_-]{0,12}[a-z]", 1..20),
        noise in "\\PC*",
    ) {
        let mut masker = Masker::new("0a1b2c3d");
        let mut seen = BTreeSet::new();
        let names = names.iter().map(|name| format!("user/{name}"));
        let all: Vec<String> = accounts.iter().chain(&keys).cloned().chain(names).collect();
        for id in &all {
            let masked = masker.text(id);
            prop_assert_eq!(masked.len(), id.len());
            prop_assert!(&masked != id && seen.insert(masked.clone()), "{} again", masked);
            prop_assert_eq!(masker.text(id), masked);
        }
        prop_assert_eq!(masker.text(&noise).chars().count(), noise.chars().count());
    }

    #[test]
    fn a_pseudonym_stays_what_it_is(
        accounts in proptest::collection::vec("[0-9]{12}", 1..4),
        names in proptest::collection::vec("(user|role|table)/[a-z]{4,12}", 1..4),
        words in "\\PC{0,40}",
        (runs, ids) in ("[0-9a-f]{8}", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ) {
        let mut masker = Masker::new(&runs);
        let text = format!(
            "{} {} kmslab-user-{runs} user/kmslab-user-{runs} table/kmslab-table-{runs}-old {ids} {words}",
            accounts.join(" "), names.join(" "),
        );
        let masked = masker.text(&text);
        prop_assert_eq!(masker.text(&masked), masked.clone());
        let mut value = json!({"UserName": format!("kmslab-user-{runs}"), "TableName": "orders"});
        masker.value(&mut value);
        let once = value.clone();
        masker.value(&mut value);
        prop_assert_eq!(value, once);
        // Another masker that has learned from it has no others.
        let mut other = Masker::aside();
        other.learn(&masker);
        prop_assert_eq!(other.text(&text), masked.clone());
        prop_assert_eq!(other.text(&masked), masked);
    }

    #[test]
    fn what_is_typed_is_masked_before_it_is_whole(
        account in "[1-9][0-9]{11}",
        name in "[a-z]{6,12}",
        end in "[ ,:\"/]",
    ) {
        let text = format!("{{\"AWS\": \"arn:aws:iam::{account}:user/{name}{end}");
        let mut masker = Masker::new("0a1b2c3d");
        // What is shown is all that is kept.
        let mut shown = String::new();
        for c in text.chars() {
            let typed = masker.original(&shown) + &c.to_string();
            shown = masker.draft(&typed, typed.chars().count());
            prop_assert_eq!(shown.chars().count(), typed.chars().count());
            for begun in [&account[..6], &name[..5]] {
                prop_assert!(!shown.contains(begun), "{}", shown);
            }
        }
        prop_assert_eq!(masker.original(&shown), text);
    }
}
