//! Looks for what nobody should publish: account numbers, access keys, secrets, addresses, hosts. In the bytes of a
//! file, in the texts of its JSON, in what a terminal would show where colors, cursor movements and the end of a row cut
//! a text, in what it keeps for itself (titles, links, the clipboard), and in what was typed.

mod patterns;
mod rows;
mod sequences;
mod typed;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;

pub use patterns::Allowed;
use patterns::{Patterns, decoded, grows, has_fragments};
use rows::{Line, Rows};
use sequences::{carried, link, private, without_sequences};
use typed::Typed;

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

/// How much of a find is told: enough to look for it, too little to use it.
const TOLD: usize = 12;

/// Everything in `file` that should not be published and is not allowed, in order.
pub fn verify(file: &[u8], allowed: Allowed) -> Vec<Found> {
    let text = String::from_utf8_lossy(file);
    let mut search = Search::new(Patterns::new(allowed));
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if value["version"] == 1 && value["stdout"].is_array() => search.first_version(&text, &value),
        _ => text.split('\n').enumerate().for_each(|(at, line)| search.line(at + 1, line)),
    }
    search.finish()
}

struct Search<'a> {
    patterns: Patterns,
    found: BTreeSet<Found>,
    /// What is read: its first line's number, its text, and when it is shown.
    number: usize,
    text: &'a str,
    at: Option<Duration>,
    times: Times,
    screen: Option<Rows>,
    /// What has been found on the screen and still stands there: its text, by what it is.
    standing: BTreeSet<(&'static str, String)>,
    /// Finds at the cursor. What is typed next may make something else of them.
    open: Vec<(String, Found)>,
    typed: Typed,
}

/// A find on the screen.
struct Drawn {
    what: &'static str,
    find: String,
    /// Something of it was drawn just now.
    is_new: bool,
    /// The cursor is at its end: what is typed next may belong to it.
    is_open: bool,
}

/// Whether a find may go on with this character.
fn may_go_on(find: &str, c: char) -> bool {
    c.is_ascii_alphanumeric() || "._%+-@".contains(c) || (c == ':' && find.contains(':'))
}

impl<'a> Search<'a> {
    fn new(patterns: Patterns) -> Search<'a> {
        Search {
            patterns,
            found: BTreeSet::new(),
            number: 1,
            text: "",
            at: None,
            times: Times::default(),
            screen: None,
            standing: BTreeSet::new(),
            open: Vec::new(),
            typed: Typed::default(),
        }
    }

    /// A line of the file: of text, or of an asciicast 2 or 3, or of a log.
    fn line(&mut self, number: usize, line: &'a str) {
        (self.number, self.text) = (number, line);
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            self.at = None;
            return self.read(line, false);
        };
        self.at = self.times.of(&value);
        match (value[1].as_str(), value[2].as_str()) {
            (Some(code), Some(data)) => {
                self.event(code, data);
                let others = value.as_array().into_iter().flatten().enumerate().filter(|(at, _)| *at != 2);
                others.flat_map(|(_, other)| texts(other)).for_each(|text| self.read(&text, false));
            }
            _ => self.head(&value),
        }
    }

    /// A whole asciicast 1: one value with all that was shown.
    fn first_version(&mut self, file: &'a str, cast: &Value) {
        self.text = file;
        let mut head = cast.clone();
        let events = head["stdout"].take();
        self.head(&head);
        let mut now = Duration::ZERO;
        for event in events.as_array().into_iter().flatten() {
            let pause = event[0].as_f64().and_then(|pause| Duration::try_from_secs_f64(pause).ok());
            now = now.saturating_add(pause.unwrap_or_default());
            self.at = Some(now);
            match event[1].as_str() {
                Some(data) => self.event("o", data),
                None => texts(event).iter().for_each(|text| self.read(text, false)),
            }
        }
    }

    /// A header, or a value that is no event.
    fn head(&mut self, value: &Value) {
        for text in texts(value) {
            self.read(&text, false);
        }
        self.screen = self.screen.take().or_else(|| screen_of(value));
        if let Some(command) = value["command"].as_str().filter(|_| value["version"].is_number())
            && !self.patterns.allowed.covers(command, &(0..command.len()))
        {
            let what = "a command line in the header";
            self.found.insert(Found { line: self.number, column: 1, at: None, what, shown: String::new() });
        }
    }

    fn event(&mut self, code: &str, data: &str) {
        match code {
            "i" => {
                self.carried(data);
                self.typed.press(data, self.number, self.at);
            }
            "o" => match self.screen.as_mut().map(|screen| screen.write(data)) {
                Some(lines) => {
                    // What is drawn and gone again at once is in the file all the same.
                    self.read(data, true);
                    self.drawn(&lines);
                }
                None => self.read(data, false),
            },
            _ => self.read(data, false),
        }
        if code == "r"
            && let Some(columns_and_rows) = data.split_once('x')
        {
            let (columns, rows) = columns_and_rows;
            self.screen = columns.parse().ok().zip(rows.parse().ok()).map(|(columns, rows)| Rows::new(columns, rows));
            self.standing.clear();
        }
    }

    /// Looks into a text, and into what it carries. Of what is drawn a piece alone may look like something that the whole
    /// row is not: the end of a uuid, or `com.amazonaws.se` before the `r` that stands there already.
    fn read(&mut self, text: &str, is_piece: bool) {
        self.carried(text);
        for (what, find) in self.patterns.all(&without_sequences(text)) {
            if !(is_piece && has_fragments(what)) {
                self.report(what, &find);
            }
        }
    }

    /// What the terminal keeps for itself.
    fn carried(&mut self, text: &str) {
        for (kind, body) in carried(text) {
            if let Some(what) = private(kind, body).filter(|_| !self.patterns.allowed.covers(body, &(0..body.len()))) {
                self.report(what, body);
            }
            if let Some(target) = link(kind, body) {
                for (what, find) in self.patterns.of_link(target) {
                    self.report(what, &find);
                }
            }
        }
    }

    /// Lines that an event has changed. What stood there before it has been told.
    fn drawn(&mut self, lines: &[Line]) {
        let Some(screen) = self.screen.as_ref().filter(|_| !lines.is_empty()) else { return };
        if !self.standing.is_empty() {
            let text = screen.text();
            let decoded = decoded(&text).unwrap_or_default();
            self.standing.retain(|(_, find)| text.contains(find.as_str()) || decoded.contains(find.as_str()));
        }
        let finds: Vec<Drawn> = lines.iter().flat_map(|line| self.drawn_in(line)).collect();
        self.settle(lines, &finds);
        for Drawn { what, find, is_open, .. } in finds.into_iter().filter(|drawn| drawn.is_new) {
            let is_known = |(open, found): &(String, Found)| (found.what, open) == (what, &find);
            if self.standing.contains(&(what, find.clone())) || self.open.iter().any(is_known) {
                continue;
            }
            let found = self.find(what, &find);
            if is_open {
                self.open.push((find, found));
            } else {
                self.standing.insert((what, find));
                self.found.insert(found);
            }
        }
    }

    /// What is in a line, as it stands and as a URL.
    fn drawn_in(&self, line: &Line) -> Vec<Drawn> {
        let mut finds = Vec::new();
        for (what, place) in self.patterns.of(&line.text) {
            let is_new = line.changed.iter().any(|part| part.start < place.end && place.start < part.end);
            let until = line.cursor.and_then(|cursor| line.text.get(place.end..cursor));
            let find = line.text[place].to_owned();
            let is_open = until.is_some_and(|until| until.chars().all(|c| may_go_on(&find, c)));
            finds.push(Drawn { what, find, is_new, is_open });
        }
        if let Some(decoded) = decoded(&line.text) {
            let more = self.patterns.of(&decoded).into_iter();
            let drawn = |(what, place): (&'static str, Range<usize>)| Drawn {
                what,
                find: decoded[place].to_owned(),
                is_new: true,
                is_open: false,
            };
            finds.extend(more.map(drawn));
        }
        finds
    }

    /// Tells the finds that were at the cursor, but those that went on in these lines, where `now` stands.
    fn settle(&mut self, lines: &[Line], now: &[Drawn]) {
        for (find, found) in std::mem::take(&mut self.open) {
            let goes_on = |line: &Line| {
                let mut places = line.text.match_indices(find.as_str());
                places.any(|(at, _)| line.text[at + find.len()..].starts_with(|c| may_go_on(&find, c)))
            };
            // Of a key nobody should see the beginning alone, either.
            let is_longer = |new: &Drawn| new.what == found.what && new.find.starts_with(&find);
            let is_piece = match now.iter().find(|new| new.what == found.what && new.find == find) {
                Some(same) if same.is_open => {
                    self.open.push((find, found));
                    continue;
                }
                Some(_) => false,
                None if grows(found.what) => lines.iter().any(goes_on),
                None => now.iter().any(is_longer),
            };
            if !is_piece && self.standing.insert((found.what, find)) {
                self.found.insert(found);
            }
        }
    }

    fn report(&mut self, what: &'static str, find: &str) {
        let found = self.find(what, find);
        self.found.insert(found);
    }

    fn find(&self, what: &'static str, find: &str) -> Found {
        let before = self.text.find(find).map_or("", |at| &self.text[..at]);
        let line = self.number + before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        Found { line, column, at: self.at, what, shown: find.chars().take(TOLD).collect() }
    }

    fn finish(mut self) -> Vec<Found> {
        self.settle(&[], &[]);
        for (what, shown, line, at) in self.typed.finds(&self.patterns) {
            let shown = shown.chars().take(TOLD).collect();
            self.found.insert(Found { line, column: 1, at, what, shown });
        }
        self.found.into_iter().collect()
    }
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
        Value::Object(members) => members.iter().flat_map(member).collect(),
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

/// The texts of a member: its name, its value, and both together where the name says what the value is.
fn member((name, value): (&String, &Value)) -> Vec<String> {
    let both = value.as_str().filter(|_| name.ends_with("Plaintext")).map(|value| format!("{name}: \"{value}\""));
    std::iter::once(name.clone()).chain(texts(value)).chain(both).collect()
}

#[cfg(test)]
mod tests {
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
        assert_eq!(found_in(text.as_bytes()), []);
        assert_eq!(found_in(format!("[0.1, \"o\", {}]", Value::from(text)).as_bytes()), []);
    }

    #[test]
    fn colours_hide_nothing_and_jumps_join_nothing() {
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
        let typed = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recording/casts/bash-typed-wrap.cast"));
        assert_eq!(kinds(typed), [(92, "what looks like a secret key")]);
        let link = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recording/casts/osc8-file.cast"));
        assert_eq!(kinds(link), [(2, "a host's name"), (2, "whose home folder it is")]);
        assert_eq!(
            kinds(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recording/casts/aws-docs-example.cast"))),
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
        assert_eq!(
            found.iter().map(|found| (found.line, found.what)).collect::<Vec<_>>(),
            [(14, "an account's number")]
        );
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
}
