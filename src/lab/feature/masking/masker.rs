//! Pseudonyms for whoever is recorded or watched: what names an account, a key, a user or a request is replaced by
//! something of the same form and width, the same thing always by the same. Secrets are gone before ([`crate::lab::redact`]).
//!
//! Everything passes once, when its answer is taken in: what the lab decides with stays as it came, what is kept to be
//! shown is masked. Pseudonyms are counted, not computed from what they stand for, so nobody can compute them back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::escapes;
use crate::lab::model::exchange::{Answer, Exchange, Verdict};
use crate::lab::model::operation::{Operation, Parameter, TableKey};

/// The first accounts' pseudonyms, written as AWS's documentation writes them.
pub const ACCOUNTS: [&str; 3] = ["111122223333", "444455556666", "777788889999"];

/// What the unique ids of IAM begin with (IAM guide, "unique identifiers").
const UNIQUE_IDS: [&str; 12] =
    ["AKIA", "ASIA", "AIDA", "AROA", "AIPA", "AGPA", "ANPA", "ANVA", "ABIA", "ACCA", "APKA", "ASCA"];

/// After these stands the name of a user or a role, in ARNs, forms and XML.
const BEFORE_NAMES: [&str; 4] = ["user/", "role/", "UserName=", "<UserName>"];

/// Names and ids from this length on are replaced wherever they stand; a shorter one could be a word.
const LONG: usize = 8;

/// The end of an id of IAM that stands for another, as in AWS's documentation: so it is known for what it is.
pub const EXAMPLE: &str = "EXAMPLE";

/// What the names of a lab's things begin with: it says what they are, not whose.
const LEADS: [&str; 3] = ["kmslab-table-", "kmslab-user-", "kmslab-key-"];

/// What stands behind a run's id in the names that drills use.
const TAILS: [&str; 3] = ["-old", "-archive", ""];

/// The admin of every sandbox: a name that tells of nobody, and that a film reads better with.
const SANDBOX_ADMIN: &str = "kmslab-admin";

/// How often another pseudonym is tried before two things get the same: only very short names have so few.
const TRIES: u64 = 10_000;

/// Replaces ids by pseudonyms, the same always by the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Masker {
    /// Runs, whose ids are in the names of all they make.
    runs: BTreeSet<String>,
    pseudonyms: BTreeMap<String, String>,
    used: BTreeSet<String>,
    /// Names that are replaced wherever they stand.
    known: BTreeSet<String>,
    is_sandbox: bool,
}

impl Masker {
    /// A masker for the run `run`.
    pub fn new(run: &str) -> Masker {
        let mut masker = Masker::default();
        masker.add_run(run);
        masker
    }

    /// The same masker for the sandbox inside this process, whose admin has the same name everywhere.
    #[must_use]
    pub fn of_sandbox(self, is_sandbox: bool) -> Masker {
        Masker { is_sandbox, ..self }
    }

    /// Takes in a further run's id.
    pub fn add_run(&mut self, run: &str) {
        if !run.is_empty() {
            self.runs.insert(run.to_owned());
        }
    }

    /// Takes in a name that is replaced wherever it stands, whatever it looks like.
    pub fn add_name(&mut self, name: &str) {
        if !name.is_empty() && !self.is_told(name) && !self.is_of_a_run(name) {
            self.known.insert(name.to_owned());
        }
    }

    /// `text` with pseudonyms, percent-encoded or not. Its width stays.
    pub fn text(&mut self, text: &str) -> String {
        escapes::through(text, |plain| self.plain(plain))
    }

    /// `text`, in which nothing is encoded, with pseudonyms.
    fn plain(&mut self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut at = 0;
        // Whether a name of a user or a role begins, or goes on after a slash.
        let mut in_name = false;
        while let Some(c) = text[at..].chars().next() {
            let (before, rest) = text.split_at(at);
            in_name |= BEFORE_NAMES.iter().any(|prefix| before.ends_with(prefix));
            if !c.is_ascii_alphanumeric() {
                // A path between `user/` and the name, and the session after a role.
                in_name &= c == '/';
                masked.push(c);
                at += c.len_utf8();
                continue;
            }
            let name = run_of(rest, |c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c));
            let token = run_of(rest, |c| c.is_ascii_alphanumeric() || c == '-');
            let taken = if in_name {
                masked.push_str(&self.name(name));
                name
            } else if let Some(known) = self.known_at(rest) {
                masked.push_str(&self.pseudonym(&known, lead(&known)));
                &rest[..known.len()]
            } else {
                masked.push_str(&self.token(token));
                token
            };
            // `AROA…:session`
            in_name =
                taken.len() > 16 && UNIQUE_IDS.contains(&&taken[..4]) && text[at + taken.len()..].starts_with(':');
            at += taken.len();
            if in_name {
                masked.push(':');
                at += 1;
            } else {
                in_name =
                    name == taken && text[at..].starts_with('/') && BEFORE_NAMES.iter().any(|p| before.ends_with(p));
            }
        }
        masked
    }

    /// `text` with the originals of its pseudonyms.
    pub fn original(&self, text: &str) -> String {
        let mut pairs: Vec<(&String, &String)> = self.pseudonyms.iter().collect();
        pairs.sort_by_key(|(_, pseudonym)| std::cmp::Reverse(pseudonym.len()));
        let mut rest = text;
        let mut original = String::with_capacity(text.len());
        while let Some(c) = rest.chars().next() {
            let found = pairs.iter().find(|(_, pseudonym)| rest.starts_with(pseudonym.as_str()));
            let (taken, put) = found
                .map_or((c.len_utf8(), &rest[..c.len_utf8()]), |(name, pseudonym)| (pseudonym.len(), name.as_str()));
            original.push_str(put);
            rest = &rest[taken..];
        }
        original
    }

    /// The name of a user or a role.
    fn name(&mut self, name: &str) -> String {
        if self.is_told(name) {
            return name.to_owned();
        }
        if self.is_of_a_run(name) {
            return self.token(name);
        }
        if name.len() >= LONG {
            self.known.insert(name.to_owned());
        }
        self.pseudonym(name, lead(name))
    }

    /// Whether `name` is one that stays.
    fn is_told(&self, name: &str) -> bool {
        self.is_sandbox && name == SANDBOX_ADMIN
    }

    /// The longest known name that `rest` begins with.
    fn known_at(&self, rest: &str) -> Option<String> {
        let ends = |known: &str| !rest[known.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
        let fitting = self.known.iter().filter(|known| rest.starts_with(known.as_str()) && ends(known));
        fitting.max_by_key(|known| known.len()).cloned()
    }

    fn is_of_a_run(&self, token: &str) -> bool {
        self.run_in(token).is_some()
    }

    /// The run whose id `token` is, or whose thing it names, and what stands before and after the id.
    fn run_in<'a>(&self, token: &'a str) -> Option<(&'a str, String, &'a str)> {
        let parts = |run: &String| {
            let (token, tail) = TAILS.iter().find_map(|tail| Some((token.strip_suffix(tail)?, *tail)))?;
            let lead = token.strip_suffix(run.as_str())?;
            let is_its = lead.is_empty() && tail.is_empty() || lead.starts_with("kmslab-") && lead.ends_with('-');
            is_its.then(|| (lead, run.clone(), tail))
        };
        self.runs.iter().find_map(parts)
    }

    /// A word, which may be an id.
    fn token(&mut self, token: &str) -> String {
        if let Some((lead, run, tail)) = self.run_in(token) {
            return format!("{lead}{}{tail}", self.pseudonym(&run, 0));
        }
        let all = |fits: fn(&u8) -> bool| token.bytes().all(|byte| fits(&byte));
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_upper = all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let keep = match token.len() {
            12 if all(u8::is_ascii_digit) => 0,
            36 if is_uuid(token) => 0,
            36 if token.strip_prefix("mrk-").is_some_and(is_hex) => 4,
            16.. if is_upper && UNIQUE_IDS.contains(&&token[..4]) => 4,
            // Request ids of DynamoDB; hashes.
            20.. if is_upper && !all(u8::is_ascii_uppercase) => 0,
            32.. if is_hex(token) => 0,
            _ => return token.to_owned(),
        };
        self.pseudonym(token, keep)
    }

    /// What stands for `original`, whose first `keep` characters stay.
    fn pseudonym(&mut self, original: &str, keep: usize) -> String {
        if let Some(known) = self.pseudonyms.get(original) {
            return known.clone();
        }
        let number = self.pseudonyms.len() as u64;
        let is_account = original.len() == 12 && original.bytes().all(|byte| byte.is_ascii_digit());
        let accounts = ACCOUNTS.iter().filter(|_| is_account).map(|account| (*account).to_owned());
        let made = (0..TRIES).map(|attempt| shaped(original, keep, number * TRIES + attempt));
        let mut candidates = accounts.chain(made);
        let is_free = |candidate: &String| {
            candidate != original && !self.used.contains(candidate) && !self.pseudonyms.contains_key(candidate)
        };
        let chosen = candidates.find(is_free).unwrap_or_else(|| shaped(original, keep, number));
        self.used.insert(chosen.clone());
        self.pseudonyms.insert(original.to_owned(), chosen.clone());
        chosen
    }

    /// Masks every text in `value`.
    pub fn value(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::String(text) if matches!(name.as_str(), "UserName" | "RoleName") => {
                            *text = self.name(text);
                        }
                        member => self.value(member),
                    }
                }
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.value(element)),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    /// A call's parameters.
    pub fn operation(&mut self, operation: &Operation) -> Operation {
        let mut masked = operation.clone();
        for (_, parameter) in masked.parameters() {
            match parameter {
                Parameter::Text(text) | Parameter::TableKey(TableKey::Customer(text)) => *text = self.text(text),
                Parameter::Tags(tags, _) | Parameter::TagConditions(tags) => tags.run = self.text(&tags.run),
                Parameter::Item(item) => item.values_mut().for_each(|value| self.value(value)),
                Parameter::Constraints(Some(constraints)) => {
                    constraints.pairs_mut().values_mut().for_each(|value| *value = self.text(value));
                }
                Parameter::TableKey(TableKey::AwsOwned | TableKey::AwsManaged)
                | Parameter::Constraints(None)
                | Parameter::Plain(_)
                | Parameter::Fixed(_)
                | Parameter::Number(_)
                | Parameter::Words(_)
                | Parameter::Context(_) => {}
            }
        }
        masked
    }

    /// A call with its answer. The verdict is masked as it was read off the answer as it came.
    pub fn exchange(&mut self, exchange: &Exchange) -> Exchange {
        let mut masked = exchange.clone();
        masked.operation = self.operation(&exchange.operation);
        let Answer { request, response, wire, .. } = &mut masked.answer;
        match response {
            Ok(response) => {
                if let Some(id) = response.request_id.as_ref().filter(|id| id.len() >= LONG) {
                    self.known.insert(id.clone());
                }
                // What the end of an answer names may stand in its beginning, too.
                let _ = self.text(&response.body.to_string());
                self.value(&mut response.body);
                response.request_id = response.request_id.as_ref().map(|id| self.text(id));
            }
            Err(none) => none.message = self.text(&none.message),
        }
        self.value(request);
        wire.request = self.text(&wire.request);
        wire.response = self.text(&wire.response);
        match &mut masked.verdict {
            Verdict::Allowed => {}
            Verdict::Denied(denied) => {
                denied.message = self.text(&denied.message);
                for part in [&mut denied.principal, &mut denied.resource, &mut denied.reason].into_iter().flatten() {
                    *part = self.text(part);
                }
            }
            Verdict::Failed(failure) => failure.message = self.text(&failure.message),
        }
        masked
    }
}

/// `text` as it is written for a person: masked where there is a masker.
pub fn written(masker: &mut Option<Masker>, text: &str) -> String {
    masker.as_mut().map_or_else(|| text.to_owned(), |masker| masker.text(text))
}

/// How much of a name stays: what says that it is a lab's.
fn lead(name: &str) -> usize {
    LEADS.iter().find(|lead| name.starts_with(**lead)).map_or(0, |lead| lead.len())
}

/// The longest beginning of `text` in which every character fits; it ends with a letter or a digit.
fn run_of(text: &str, fits: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !fits(c)).unwrap_or(text.len());
    text[..end].trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
}

fn is_uuid(text: &str) -> bool {
    text.char_indices().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    })
}

/// Something of the form of `original`: digits for digits, capitals for capitals, hexadecimal for hexadecimal.
fn shaped(original: &str, keep: usize, seed: u64) -> String {
    let is_hex = original.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let letters = if is_hex { 6 } else { 26 };
    let mut random = seed;
    let mut below = |bound: u8| {
        // SplitMix64: the next number, well mixed.
        random = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u8::try_from((mixed ^ (mixed >> 31)) % u64::from(bound)).unwrap_or(0)
    };
    let shape = |(at, c): (usize, char)| match c {
        _ if at < keep => c,
        '0'..='9' => char::from(b'0' + below(10)),
        'a'..='z' => char::from(b'a' + below(letters)),
        'A'..='Z' => char::from(b'A' + below(letters)),
        c => c,
    };
    let shaped: String = original.char_indices().map(shape).collect();
    let is_unique_id = keep == 4 && original.len() >= 16 && UNIQUE_IDS.contains(&&original[..4]);
    if is_unique_id { format!("{}{EXAMPLE}", &shaped[..shaped.len() - EXAMPLE.len()]) } else { shaped }
}

#[cfg(test)]
mod tests {
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
    #[case(
        "arn:aws:kms:eu-central-1:987654321098:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-central-1:"
    )]
    #[case("mrk-1234abcd12ab34cd56ef1234567890ab", "mrk-")]
    #[case("kmslab-table-0a1b2c3d", "kmslab-table-")]
    #[case("UserName=alice", "UserName=")]
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
    fn an_encoded_document_has_the_same_pseudonyms(
        #[values(1, 2, 3)] times: usize,
        #[values(false, true)] is_lower: bool,
    ) {
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
    }
}
