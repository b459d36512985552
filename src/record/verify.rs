//! Looks for what nobody should publish: account numbers, access keys, secrets, addresses, hosts. In the bytes of a
//! file, in the texts of its JSON, and in what a terminal would show where colours and cursor movements cut a text.

mod rows;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use serde_json::Value;

use crate::lab::Lesson;
use crate::lab::mask::{ACCOUNTS, EXAMPLE};
use rows::Rows;

/// Something that should not be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Counted from 1.
    pub line: usize,
    /// Likewise, in bytes.
    pub column: usize,
    /// When it is shown, where the file has times.
    pub at: Option<Duration>,
    /// What it is.
    pub what: &'static str,
    /// How it begins.
    pub shown: String,
}

const HOST: &str = "a host's name";

/// How much of a find is told: enough to look for it, too little to use it.
const TOLD: usize = 12;

/// Everything in `file` that should not be published, in order.
pub fn verify(file: &[u8]) -> Vec<Found> {
    let hosts = known_hosts();
    let mut found = BTreeSet::new();
    let mut typed = String::new();
    let mut last_line = 0;
    let mut screen = None;
    let mut times = Times::default();
    for (at, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        last_line = at + 1;
        let value = serde_json::from_str::<Value>(&line);
        let when = value.as_ref().ok().and_then(|value| times.of(value));
        let mut report =
            |text: &str, is_drawn: bool| {
                // What a sequence ends with is no part of the word after it.
                let plain = without_sequences(text);
                let decoded = decoded(&plain);
                let finds = sequences(text).into_iter().map(|(what, place)| (what, &text[place]));
                let finds =
                    finds.chain([Some(&plain), decoded.as_ref()].into_iter().flatten().flat_map(|text| {
                        secrets(text, &hosts).into_iter().map(move |(what, place)| (what, &text[place]))
                    }));
                for (what, find) in finds {
                    // Of what is drawn a piece alone may look like something that the whole row is not: the end of a uuid, or
                    // `com.amazonaws.se` before the `r` that stands there already.
                    if is_drawn && (what.ends_with("account's number") || what == HOST) {
                        continue;
                    }
                    let column = line.find(find).map_or(1, |at| at + 1);
                    let shown = find.chars().take(TOLD).collect();
                    found.insert(Found { line: at + 1, column, at: when, what, shown });
                }
            };
        let Ok(value) = value else {
            report(&line, false);
            continue;
        };
        screen = screen.or_else(|| screen_of(&value));
        let is_drawn = value[1] == "o" && screen.is_some();
        for text in texts(&value) {
            report(&text, is_drawn);
        }
        match (value[1].as_str(), value[2].as_str(), &mut screen) {
            (Some("i"), Some(data), _) => typed.push_str(data),
            (Some("o"), Some(data), Some(screen)) => screen.write(data).iter().for_each(|row| report(row, false)),
            (Some("r"), Some(data), screen) => {
                let size =
                    data.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
                *screen = size.map(|(columns, rows)| Rows::new(columns, rows));
            }
            _ => {}
        }
        if value["command"].is_string() && value["version"].is_number() {
            let what = "a command line in the header";
            found.insert(Found { line: at + 1, column: 1, at: None, what, shown: String::new() });
        }
    }
    // Typed key by key, a secret is in no single event.
    for (what, place) in secrets(&typed, &hosts) {
        let shown = typed[place].chars().take(TOLD).collect();
        found.insert(Found { line: last_line, column: 1, at: None, what, shown });
    }
    found.into_iter().collect()
}

/// The times of events: since the beginning or, in a cast of version 3, since the event before.
#[derive(Debug, Default)]
struct Times {
    are_pauses: bool,
    now: Duration,
}

impl Times {
    /// When what this line tells has happened; `None` where it tells no time.
    fn of(&mut self, line: &Value) -> Option<Duration> {
        if line["version"].is_number() {
            self.are_pauses = line["version"] == 3;
        }
        if let Some(millis) = line["at"].as_u64() {
            return Some(Duration::from_millis(millis));
        }
        let at = Duration::try_from_secs_f64(line[0].as_f64()?).ok()?;
        self.now = if self.are_pauses { self.now.checked_add(at)? } else { at };
        Some(self.now)
    }
}

/// The empty screen of a recording with this header.
fn screen_of(header: &Value) -> Option<Rows> {
    let size = |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok());
    let new = |columns: &Value, rows: &Value| Some(Rows::new(size(columns)?, size(rows)?));
    new(&header["width"], &header["height"]).or_else(|| new(&header["term"]["cols"], &header["term"]["rows"]))
}

/// All texts and numbers of a JSON value, names included.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        // The digits after a point number nobody.
        Value::Number(number) if number.is_f64() => Vec::new(),
        Value::Number(number) => vec![number.to_string()],
        Value::Array(elements) => elements.iter().flat_map(texts).collect(),
        Value::Object(members) => {
            members.iter().flat_map(|(name, member)| std::iter::once(name.clone()).chain(texts(member))).collect()
        }
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

/// `text` without the escapes of URLs and forms, `%2F`; `None` where it has none.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    let mut has_any = false;
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                has_any = true;
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend(part.as_bytes());
            }
        }
    }
    has_any.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// `text` as it stands on the screen: colours cut no word. Where the cursor jumps, something else begins.
fn without_sequences(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        let sequence = &rest[at + 1..];
        let Some(body) = sequence.strip_prefix('[') else {
            rest = sequence;
            continue;
        };
        let end = body.find(|c: char| ('@'..='~').contains(&c)).unwrap_or(body.len());
        if !body[end..].starts_with('m') {
            plain.push('\n');
        }
        rest = body.get(end + 1..).unwrap_or_default();
    }
    plain + rest
}

/// The hosts that the lesson's sources name: anyone may see them.
fn known_hosts() -> BTreeSet<String> {
    let lesson = Lesson::english();
    let hosts = lesson.sources.values().filter_map(|source| source.url.split("://").nth(1)?.split('/').next());
    hosts.map(str::to_owned).collect()
}

/// A find: what it is, and where in the text.
type Find = (&'static str, std::ops::Range<usize>);

fn secrets(text: &str, hosts: &BTreeSet<String>) -> Vec<Find> {
    let mut finds = Vec::new();
    let mut find = |what: &'static str, start: usize, found: &str| finds.push((what, start..start + found.len()));
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric()) {
        if is_account(word) && !ACCOUNTS.contains(&word) && !is_end_of_uuid(text, start) {
            let before = &text[..start];
            let in_arn = before.rfind("arn:").is_some_and(|arn| !before[arn..].contains(char::is_whitespace));
            find(if in_arn { "an ARN with an account's number" } else { "an account's number" }, start, word);
        }
        if is_access_key(word) && !word.ends_with(EXAMPLE) {
            find("an access key's id", start, word);
        }
    }
    // As the console writes it.
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric() || c == '-') {
        let number = word.replace('-', "");
        let is_grouped = word.split('-').map(str::len).eq([4; 3]);
        if is_grouped && is_account(&number) && !ACCOUNTS.contains(&number.as_str()) {
            find("an account's number", start, word);
        }
    }
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric() || "+/".contains(c)) {
        if is_secret(word) {
            find("what looks like a secret key", start, word);
        }
        if ["IQoJ", "FwoG", "FQoG"].iter().any(|lead| word.starts_with(lead)) && word.len() >= 40 {
            find("what looks like a session token", start, word);
        }
    }
    for lead in ["Signature=", "Signature%3D"] {
        for (at, _) in text.match_indices(lead) {
            let start = at + lead.len();
            let length = text[start..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len() - start);
            if length >= 16 {
                find("a signature", start, &text[start..start + length]);
            }
        }
    }
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric() || "._%+-@".contains(c)) {
        let word = word.trim_end_matches(['.', '-']);
        if let Some((name, host)) = word.rsplit_once('@') {
            // Before a colon it is a shell's prompt, or where `ssh` and `scp` go.
            let is_prompt = text[start + word.len()..].starts_with(':') && is_label(host);
            if !name.is_empty() && (is_host(host) || is_prompt) && !is_example(host) {
                find("an e-mail address or an account on a host", start, word);
            }
        } else if is_host(word) && !is_public(word, hosts) {
            find(HOST, start, word);
        } else if is_address(word) {
            find("a network address", start, word);
        }
    }
    for (start, word) in words(text, |c| c.is_ascii_hexdigit() || c == ':') {
        let is_part = text[..start].ends_with(is_of_a_word) || text[start + word.len()..].starts_with(is_of_a_word);
        if !is_part && is_long_address(word) {
            find("a network address", start, word);
        }
    }
    for lead in ["/home/", "/Users/", "\\Users\\"] {
        for (at, _) in text.match_indices(lead).filter(|(at, _)| !text[..*at].ends_with(is_of_a_word)) {
            let start = at + lead.len();
            if let Some((0, owner)) = words(&text[start..], |c| c.is_alphanumeric() || "._-".contains(c)).next() {
                find("whose home folder it is", start, owner);
            }
        }
    }
    finds
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || "._-".contains(c)
}

/// Titles, folders and clipboards that a control sequence carries and no screen shows.
fn sequences(text: &str) -> Vec<Find> {
    let begins = text.match_indices("\u{1b}]").map(|(at, _)| at + 2);
    let sequence = begins.filter_map(|start| {
        let body = &text[start..];
        let end = body.find(['\u{7}', '\u{1b}']).unwrap_or(body.len());
        let what = match body[..end].split(';').next()? {
            "0" | "1" | "2" => "a window's title in a control sequence",
            "7" | "9" | "633" | "1337" => "what a shell tells a terminal, in a control sequence",
            "52" => "what was copied, in a control sequence",
            _ => return None,
        };
        Some((what, start..start + end))
    });
    sequence.collect()
}

/// The longest parts of `text` in which every character fits, with where they begin.
fn words(text: &str, fits: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(fits)?;
        let end = text[start..].find(|c| !fits(c)).map_or(text.len(), |length| start + length);
        at = end;
        Some((start, &text[start..end]))
    })
}

fn is_account(word: &str) -> bool {
    word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The last twelve digits of a uuid are hexadecimal, and sometimes all below ten.
fn is_end_of_uuid(text: &str, start: usize) -> bool {
    let Some(before) = text.get(start.saturating_sub(24)..start).filter(|before| before.len() == 24) else {
        return false;
    };
    before.char_indices().all(|(at, c)| if [8, 13, 18, 23].contains(&at) { c == '-' } else { c.is_ascii_hexdigit() })
}

fn is_access_key(word: &str) -> bool {
    let is_id = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    (word.starts_with("AKIA") || word.starts_with("ASIA")) && word.len() >= 16 && word.bytes().all(is_id)
}

fn is_secret(word: &str) -> bool {
    let has = |fits: fn(&u8) -> bool| word.bytes().any(|byte| fits(&byte));
    // Of a path, too, every letter is one of base64.
    let is_path = word.matches('/').count() > 4;
    word.len() == 40
        && !word.contains('=')
        && !is_path
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// Ends of names of hosts: the common ones, and those of networks without a name in public. Two letters are a country's,
/// unless they are also a file's.
fn is_host(word: &str) -> bool {
    const ENDS: [&str; 22] = [
        "com",
        "net",
        "org",
        "edu",
        "gov",
        "mil",
        "int",
        "info",
        "biz",
        "name",
        "cloud",
        "app",
        "dev",
        "aws",
        "arpa",
        "internal",
        "intranet",
        "local",
        "lan",
        "corp",
        "home",
        "localdomain",
    ];
    const FILES: [&str; 10] = ["rs", "sh", "md", "py", "pl", "js", "ts", "so", "gz", "db"];
    let Some((_, end)) = word.rsplit_once('.') else { return false };
    let is_country = end.len() == 2 && end.bytes().all(|byte| byte.is_ascii_lowercase()) && !FILES.contains(&end);
    (ENDS.contains(&end) || is_country) && word.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// AWS's own hosts and those of its services, the lesson's sources, and what documents use as examples.
fn is_public(host: &str, hosts: &BTreeSet<String>) -> bool {
    let of = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    // The last one names the form of an SVG.
    ["amazonaws.com", "amazonaws.com.cn", "api.aws", "aws.amazon.com", "amazon.com", "aws.com", "w3.org"]
        .iter()
        .any(|domain| of(domain))
        || hosts.contains(host)
        || is_example(host)
}

fn is_example(host: &str) -> bool {
    let of = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    ["example", "example.com", "example.org", "example.net"].iter().any(|domain| of(domain))
}

/// An IPv4 address that is neither this machine's own nor one of the documents'.
fn is_address(word: &str) -> bool {
    let Ok(address) = word.parse::<Ipv4Addr>() else { return false };
    !(address.is_loopback() || address.is_documentation() || address.is_unspecified() || address.is_broadcast())
}

/// Likewise an IPv6 address. Of few parts it could be a path in a program, `a::b`.
fn is_long_address(word: &str) -> bool {
    let Ok(address) = word.parse::<Ipv6Addr>() else { return false };
    let is_documentation = address.segments()[..2] == [0x2001, 0xdb8];
    word.split(':').filter(|part| !part.is_empty()).count() > 2 && !is_documentation
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

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
        let kinds = |file: &str| verify(file.as_bytes()).into_iter().map(|found| found.what).collect::<Vec<_>>();
        assert!(kinds(text).contains(&what), "{text}: {:?}", kinds(text));
        let event = format!("{{\"version\": 3}}\n[0.1, \"o\", {}]\n", Value::from(text));
        let found = verify(event.as_bytes());
        assert!(found.iter().any(|found| found.what == what && found.line == 2), "{text}: {found:?}");
        let header = format!("{{\"version\": 2, \"env\": {{\"X\": {}}}}}\n", Value::from(text));
        assert!(kinds(&header).contains(&what), "{header}");
    }

    #[rstest]
    #[case("arn:aws:iam::111122223333:user/kmslab-admin AKIAQ7Q7Q7Q7QEXAMPLE")]
    #[case("key/1234abcd-12ab-34cd-56ef-123456789012 and 1767225600123, 20261124")]
    #[case("Host: kms.us-east-1.amazonaws.com, 444455556666.ddb.us-east-1.amazonaws.com")]
    #[case(
        "com.amazonaws.services.kms.model.AWSKMSException DynamoDB_20120810.Scan run.sh lab.cast kmslab.svg kmslab.db"
    )]
    #[case("http://127.0.0.1:4599 Signature=[redacted] ada@example.com localhost")]
    #[case("0123456789abcdef0123456789abcdef01234567 is a hash")]
    #[case(
        "AQICAHjK0/Ab+Cd1Ef2Gh3Ij4Kl5Mn6Op7Qr8St9Uv0Wx1Yz2 is sealed, src/lab/Bench/play/Script1/steps/of/Two2 is a path"
    )]
    #[case("1111-2222-3333 is the documents' own; 2026-11-24, 20261124-1002, 2109-8765-4321-0000")]
    #[case(
        "[::1]:4599 2001:db8::1:2 std::fmt a::b 10:02:33 arn:aws:iam::aws:policy/X https://docs.aws.amazon.com/home/x"
    )]
    #[case("<svg xmlns=\"http://www.w3.org/2000/svg\"> actions/checkout@v4 2.0@x")]
    fn what_may_be_seen_is_not_reported(#[case] text: &str) {
        assert_eq!(verify(text.as_bytes()), []);
        assert_eq!(verify(format!("[0.1, \"o\", {}]", Value::from(text)).as_bytes()), []);
    }

    #[test]
    fn colours_hide_nothing_and_jumps_join_nothing() {
        let cut = "[0.1,\"o\",\"\\u001b[1m2109\\u001b[0m87654321\"]";
        assert_eq!(verify(cut.as_bytes()).len(), 1);
        let apart = "[0.1,\"o\",\"210987\\u001b[2;1H654321\"]";
        assert_eq!(verify(apart.as_bytes()), []);
    }

    /// `H` of the jump, and a hash of 37 digits after it.
    #[test]
    fn a_jump_is_no_part_of_the_word_after_it() {
        let event = "[0.1,\"o\",\"\\u001b[2;69H5ade50b4d0123456789abcdef0123456789ab\"]";
        assert_eq!(verify(event.as_bytes()), []);
    }

    #[test]
    fn a_number_that_is_drawn_in_pieces_is_found() {
        let head = "{\"version\":3,\"term\":{\"cols\":40,\"rows\":4}}";
        let events = "[0.1,\"o\",\"\\u001b[2;1H111111222222\"]\n[0.1,\"o\",\"\\u001b[2;5H9876\"]";
        let found = verify(format!("{head}\n{events}").as_bytes());
        assert_eq!(found.iter().map(|found| found.line).collect::<Vec<_>>(), [2, 3], "{found:?}");
        assert_eq!(found[1].shown, "111198762222");
    }

    /// The last twelve digits of a uuid may be decimal, and its beginning may stand there from the picture before.
    #[test]
    fn the_end_of_a_uuid_that_is_drawn_alone_is_no_account() {
        let head = "{\"version\":3,\"term\":{\"cols\":40,\"rows\":4}}";
        let events = "[0.1,\"o\",\"\\u001b[2;1H6a661e7d-9318-741d-8ef5-0eeae310291b\"]\n\
                      [0.1,\"o\",\"\\u001b[2;25H075236013740\"]";
        assert_eq!(verify(format!("{head}\n{events}").as_bytes()), []);
    }

    #[test]
    fn a_name_that_is_drawn_in_pieces_is_judged_as_a_whole() {
        let head = "{\"version\":3,\"term\":{\"cols\":40,\"rows\":4}}";
        let events = "[0.1,\"o\",\"\\u001b[2;17Hr\"]\n[0.1,\"o\",\"\\u001b[2;1Hcom.amazonaws.se\\u001b[2;18Hvices\"]";
        assert_eq!(verify(format!("{head}\n{events}").as_bytes()), []);
        let events = "[0.1,\"o\",\"\\u001b[2;7Hc\"]\n[0.1,\"o\",\"\\u001b[2;1Hvault.\\u001b[2;8Horp.se\"]";
        assert_eq!(verify(format!("{head}\n{events}").as_bytes()).len(), 1);
    }

    #[test]
    fn after_a_resize_rows_have_another_length() {
        let events = "{\"version\":2,\"width\":4,\"height\":2}\n[0.1,\"r\",\"40x4\"]\n\
                      [0.2,\"o\",\"\\u001b[2;1H111111222222\"]\n[1.5,\"o\",\"\\u001b[2;5H9876\"]";
        let found = verify(events.as_bytes());
        assert_eq!(
            found.iter().map(|found| found.shown.as_str()).collect::<Vec<_>>(),
            ["111111222222", "111198762222"]
        );
        assert_eq!(found[1].at, Some(Duration::from_millis(1_500)));
    }

    #[test]
    fn times_are_those_of_the_film() {
        let key = "AKIAZQ3DRSTUVWXY2345";
        let three = format!("{{\"version\":3}}\n[1.5,\"o\",\"a\"]\n[2.25,\"m\",\"{key}\"]");
        let two = format!("{{\"version\":2}}\n[1.5,\"o\",\"a\"]\n[2.25,\"o\",\"{key}\"]");
        let log = format!("{{\"kmslab_session\":1}}\n{{\"at\":42,\"x\":\"{key}\"}}");
        for (file, at) in [(three, Some(3_750)), (two, Some(2_250)), (log, Some(42)), (key.to_owned(), None)] {
            let found = verify(file.as_bytes());
            assert_eq!(found.len(), 1, "{file}");
            assert_eq!(found[0].at, at.map(Duration::from_millis), "{file}");
        }
    }

    #[test]
    fn what_is_typed_key_by_key_is_found() {
        let events: Vec<String> = "210987654321".chars().map(|c| format!("[0.2,\"i\",\"{c}\"]")).collect();
        assert_eq!(verify(events.join("\n").as_bytes()).len(), 1);
    }

    /// Times with many digits, as some programs write them.
    #[test]
    fn a_time_is_no_account() {
        assert_eq!(verify(b"{\"version\":2}\n[0.345678901234,\"o\",\"a\"]"), []);
        assert_eq!(verify(b"{\"version\":2,\"account\":210987654321}").len(), 1);
    }

    #[test]
    fn places_are_told_and_the_find_is_not_told_whole() {
        let found = verify(b"{\"version\":3,\"command\":\"x\"}\nfirst\n  AKIAZQ3DRSTUVWXY2345\n");
        assert_eq!((found[0].line, found[0].what), (1, "a command line in the header"));
        assert_eq!((found[1].line, found[1].column, found[1].shown.as_str()), (3, 3, "AKIAZQ3DRSTU"));
    }
}
