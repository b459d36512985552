//! What nobody should publish, by its form, in one text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use percent_encoding::percent_decode_str;

use crate::lab::Lesson;
use crate::lab::mask::{ACCOUNTS, EXAMPLE};
use crate::lab::redact::REDACTED;

const ACCOUNT: &str = "an account's number";
const ACCOUNT_IN_ARN: &str = "an ARN with an account's number";
const PERSON: &str = "an e-mail address or an account on a host";
const HOST: &str = "a host's name";
const ADDRESS: &str = "a network address";
const PLAINTEXT: &str = "the Plaintext of a KMS response";

/// Accounts in AWS's documentation, besides those that stand for others here, and the account of most test servers.
const EXAMPLE_ACCOUNTS: [&str; 3] = ["123456789012", "999988887777", "000000000000"];

/// Whether a part of such a find looks like another one: the beginning of a host's name like a host's name.
pub(super) fn has_fragments(what: &str) -> bool {
    [ACCOUNT, ACCOUNT_IN_ARN].contains(&what) || grows(what)
}

/// Whether such a find may become another one while it is typed.
pub(super) fn grows(what: &str) -> bool {
    [PERSON, HOST, ADDRESS].contains(&what)
}

/// A find: what it is, and where in the text.
pub(super) type Find = (&'static str, Range<usize>);

/// What may be published though it looks like something else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<String>);

impl Allowed {
    /// One text a line. Empty lines, and those that begin with `#`, count for nothing.
    pub fn parse(text: &str) -> Allowed {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Allowed(lines.map(str::to_owned).collect())
    }

    /// Whether that part of `text` is allowed, alone or in a longer text that is.
    pub(super) fn covers(&self, text: &str, part: &Range<usize>) -> bool {
        let covers = |(at, allowed): (usize, &str)| at <= part.start && part.end <= at + allowed.len();
        self.0.iter().any(|allowed| text.match_indices(allowed.as_str()).any(covers))
    }
}

/// Finds what should not be published.
#[derive(Debug)]
pub(super) struct Patterns {
    hosts: BTreeSet<String>,
    pub allowed: Allowed,
}

impl Patterns {
    pub fn new(allowed: Allowed) -> Patterns {
        Patterns { hosts: known_hosts(), allowed }
    }

    /// Everything in `text`, also where it is escaped as in a URL.
    pub fn all(&self, text: &str) -> Vec<(&'static str, String)> {
        let decoded = decoded(text);
        let both = [Some(text), decoded.as_deref()].into_iter().flatten();
        let finds = both.flat_map(|text| self.of(text).into_iter().map(|(what, place)| (what, text[place].to_owned())));
        finds.collect()
    }

    /// Everything in `text` as it stands.
    pub fn of(&self, text: &str) -> Vec<Find> {
        let mut finds = secrets(text, &self.hosts);
        finds.retain(|(_, place)| !self.allowed.covers(text, place));
        finds
    }

    /// Everything in the target of a link, where a host may have a short name.
    pub fn of_link(&self, target: &str) -> Vec<(&'static str, String)> {
        let mut finds = self.all(target);
        if let Some(place) = authority(target) {
            let host = &target[place.clone()];
            let is_short = !host.contains('.') && is_label(host) && host != "localhost";
            if is_short && !self.allowed.covers(target, &place) {
                finds.push((HOST, host.to_owned()));
            }
        }
        finds
    }
}

/// Where the host is in a URL.
fn authority(url: &str) -> Option<Range<usize>> {
    let start = url.find("://")? + 3;
    let end = start + url[start..].find(['/', '?', '#']).unwrap_or(url.len() - start);
    let start = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    let end = url[start..end].find(':').map_or(end, |at| start + at);
    (start < end).then_some(start..end)
}

/// Decodes the escapes of URLs and forms, `%2F`; `None` if there are none.
pub(super) fn decoded(text: &str) -> Option<String> {
    match Cow::from(percent_decode_str(text)) {
        Cow::Owned(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Cow::Borrowed(_) => None,
    }
}

/// The hosts that the lesson's sources name: anyone may see them.
fn known_hosts() -> BTreeSet<String> {
    let lesson = Lesson::english();
    let hosts = lesson.sources.values().filter_map(|source| source.url.split("://").nth(1)?.split('/').next());
    hosts.map(str::to_owned).collect()
}

/// Everything in `text`, as if nothing were allowed.
fn secrets(text: &str, hosts: &BTreeSet<String>) -> Vec<Find> {
    let mut finds = Vec::new();
    keys(text, &mut |what, start, found| finds.push((what, start..start + found.len())));
    places(text, hosts, &mut |what, start, found| finds.push((what, start..start + found.len())));
    finds
}

/// Told of what was found: what it is, where it begins, and its text.
type Tell<'a> = dyn FnMut(&'static str, usize, &str) + 'a;

/// Accounts, keys, and what is made with them.
fn keys(text: &str, find: &mut Tell<'_>) {
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric()) {
        if is_account(word) && !is_example_account(word) && !is_end_of_uuid(text, start) {
            let before = &text[..start];
            let in_arn = before.rfind("arn:").is_some_and(|arn| !before[arn..].contains(char::is_whitespace));
            find(if in_arn { ACCOUNT_IN_ARN } else { ACCOUNT }, start, word);
        }
        if is_access_key(word) && !word.ends_with(EXAMPLE) {
            find("an access key's id", start, word);
        }
    }
    // As the console writes it.
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric() || c == '-') {
        let number = word.replace('-', "");
        let is_grouped = word.split('-').map(str::len).eq([4; 3]);
        if is_grouped && is_account(&number) && !is_example_account(&number) {
            find(ACCOUNT, start, word);
        }
    }
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric() || "+/".contains(c)) {
        if is_secret(word) {
            find("what looks like a secret key", start, word);
        }
        let is_token = ["IQoJ", "FwoG", "FQoG"].iter().any(|lead| word.starts_with(lead)) && word.len() >= 40;
        if is_token && !word.contains(EXAMPLE) {
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
    for (start, value) in plaintexts(text) {
        find(PLAINTEXT, start, value);
    }
}

/// People, hosts, addresses and folders.
fn places(text: &str, hosts: &BTreeSet<String>, find: &mut Tell<'_>) {
    for (start, word) in words(text, |c| c.is_ascii_alphanumeric() || "._%+-@".contains(c)) {
        let word = word.trim_end_matches(['.', '-']);
        if let Some((name, host)) = word.rsplit_once('@') {
            // Before a colon it is a shell's prompt, or where `ssh` and `scp` go.
            let is_prompt = text[start + word.len()..].starts_with(':') && is_label(host);
            if !name.is_empty() && (is_host(host) || is_prompt) && !is_example(host) {
                find(PERSON, start, word);
            }
        } else if is_host(word) && !is_public(word, hosts) {
            find(HOST, start, word);
        } else if is_address(word) {
            find(ADDRESS, start, word);
        }
    }
    for (start, word) in words(text, |c| c.is_ascii_hexdigit() || c == ':') {
        let is_part = text[..start].ends_with(is_of_a_word) || text[start + word.len()..].starts_with(is_of_a_word);
        if !is_part && is_long_address(word) {
            find(ADDRESS, start, word);
        }
    }
    for (at, lead) in text.match_indices("file://") {
        if let Some((0, host)) =
            words(&text[at + lead.len()..], is_of_a_word).next().filter(|(_, host)| *host != "localhost")
        {
            find(HOST, at + lead.len(), host);
        }
    }
    for lead in ["/home/", "/Users/", "\\Users\\"] {
        let is_path = |at: usize| {
            let before = text[..at].trim_end_matches(is_of_a_word);
            before.len() == at || before.ends_with("file://")
        };
        for (at, _) in text.match_indices(lead).filter(|(at, _)| is_path(*at)) {
            let start = at + lead.len();
            if let Some((0, owner)) = words(&text[start..], |c| c.is_alphanumeric() || "._-".contains(c)).next() {
                find("whose home folder it is", start, owner);
            }
        }
    }
}

/// The values of members called `Plaintext`, in JSON and in the tables and lines of the AWS CLI.
fn plaintexts(text: &str) -> Vec<(usize, &str)> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let value = |(at, name): (usize, &str)| {
        let start = at + name.len();
        let rest = &text[start..];
        let after = rest.trim_start_matches(['"', '\\', '\'', ' ', '\t', ':', '=', '|']);
        let lead = &rest[..rest.len() - after.len()];
        let (0, value) = words(after, is_base64).next()? else { return None };
        // A sentence about plaintext isn't plaintext.
        let is_quoted = lead.ends_with(['"', '\'']);
        let is_whole = value.len() % 4 == 0 && (is_quoted || value.len() >= 16 || value.ends_with('='));
        let is_member = lead.contains([':', '=', '|', '\t']) && is_whole && !REDACTED.contains(value);
        is_member.then_some((text.len() - after.len(), value))
    };
    text.match_indices("Plaintext").filter_map(value).collect()
}

fn is_example_account(number: &str) -> bool {
    ACCOUNTS.contains(&number) || EXAMPLE_ACCOUNTS.contains(&number)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || "._-".contains(c)
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
        && !word.ends_with("EXAMPLEKEY")
        && !is_path
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// Ends of names of hosts: the common ones, and those of networks without a name in public. Two letters are a country's,
/// unless they are also a file's.
fn is_host(word: &str) -> bool {
    const ENDS: &str = "com net org edu gov mil int info biz name cloud app dev aws arpa internal intranet local lan \
                        corp home localdomain";
    const FILES: [&str; 10] = ["rs", "sh", "md", "py", "pl", "js", "ts", "so", "gz", "db"];
    let Some((_, end)) = word.rsplit_once('.') else { return false };
    let is_country = end.len() == 2 && end.bytes().all(|byte| byte.is_ascii_lowercase()) && !FILES.contains(&end);
    (ENDS.split(' ').any(|known| known == end) || is_country) && word.split('.').all(is_label)
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
