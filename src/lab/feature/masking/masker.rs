//! Pseudonyms for recordings and classes: what names an account, a key, a user or a request is replaced by
//! something of the same form and width, the same thing always by the same. Secrets are gone before ([`crate::lab::redact`]).
//!
//! Everything passes once, when its answer is taken in: what the lab decides with stays as it came, what is kept to be
//! shown is masked. What passes again stays: a pseudonym has none of its own. Pseudonyms are counted, not computed from
//! what they stand for, so nobody can compute them back.

mod draft;
#[cfg(test)]
mod tests;

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

/// After these stands the name of a user, a role or a table, in ARNs, forms and XML.
const BEFORE_NAMES: [&str; 5] = ["user/", "role/", "table/", "UserName=", "<UserName>"];

/// Members whose value is such a name.
const NAME_MEMBERS: [&str; 3] = ["UserName", "RoleName", "TableName"];

/// Names and ids from this length on are replaced wherever they stand; a shorter one could be a word.
const LONG: usize = 8;

/// Where the pseudonyms of a masker that works beside another one begin.
const ASIDE: u64 = 1 << 32;

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
    /// The number of the first pseudonym.
    first: u64,
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

    /// A masker for what another one has not seen yet. It [learns](Masker::learn) from it, and invents nothing that the
    /// other one could.
    pub fn aside() -> Masker {
        Masker { first: ASIDE, ..Masker::default() }
    }

    /// Takes over what `other` knows. Where both have a pseudonym, the other's counts from now on.
    pub fn learn(&mut self, other: &Masker) {
        self.runs.extend(other.runs.iter().cloned());
        self.known.extend(other.known.iter().cloned());
        self.used.extend(other.used.iter().cloned());
        let pairs = other.pseudonyms.iter().map(|(original, pseudonym)| (original.clone(), pseudonym.clone()));
        self.pseudonyms.extend(pairs);
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
            let name = run_of(rest, is_of_name);
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

    /// The name of a user, a role or a table.
    fn name(&mut self, name: &str) -> String {
        if self.is_told(name) || self.stands_for_another(name) {
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

    /// Whether `name` is a pseudonym, or has a run's in it.
    fn stands_for_another(&self, name: &str) -> bool {
        let is_of = |run: &String| self.pseudonyms.get(run).is_some_and(|stands| parts(name, stands).is_some());
        self.used.contains(name) || self.runs.iter().any(is_of)
    }

    /// The run whose id `token` is, or whose thing it names, and what stands before and after the id.
    fn run_in<'a>(&self, token: &'a str) -> Option<(&'a str, String, &'a str)> {
        self.runs.iter().find_map(|run| parts(token, run).map(|(lead, tail)| (lead, run.clone(), tail)))
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
            _ if self.used.contains(token) => return token.to_owned(),
            12 if all(u8::is_ascii_digit) => 0,
            36 if is_uuid(token) => 0,
            36 if token.strip_prefix("mrk-").is_some_and(is_hex) => 4,
            16.. if is_upper && UNIQUE_IDS.contains(&&token[..4]) => 4,
            // Request ids of DynamoDB; hashes.
            20.. if is_upper && !all(u8::is_ascii_uppercase) => 0,
            32.. if is_hex(token) => 0,
            _ => return self.accounts_in(token),
        };
        self.pseudonym(token, keep)
    }

    /// A word with the accounts' numbers in it masked: `logs-111122223333-us-east-1`.
    fn accounts_in(&mut self, token: &str) -> String {
        let mut masked = String::with_capacity(token.len());
        let mut rest = token;
        while !rest.is_empty() {
            let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
            let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            let is_account = is_number && end == 12 && end < token.len();
            masked.push_str(&if is_account { self.token(part) } else { part.to_owned() });
            rest = after;
        }
        masked
    }

    /// What stands for `original`, whose first `keep` characters stay.
    fn pseudonym(&mut self, original: &str, keep: usize) -> String {
        if let Some(known) = self.pseudonyms.get(original) {
            return known.clone();
        }
        let number = self.first + self.pseudonyms.len() as u64;
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

    /// A name that a person has chosen; what stands before a slash is its kind. It is known from now on.
    pub fn named(&mut self, text: &str) -> String {
        let (kind, name) = text.rsplit_once('/').unwrap_or(("", text));
        self.add_name(name);
        let slash = if kind.len() < text.len() - name.len() { "/" } else { "" };
        format!("{kind}{slash}{}", self.name(name))
    }

    /// Masks every text in `value`.
    pub fn value(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::String(text) if NAME_MEMBERS.contains(&name.as_str()) && !text.contains('/') => {
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

/// What stands in `token` before and after a run's id, where it is that or the name of a thing of the run.
fn parts<'a>(token: &'a str, run: &str) -> Option<(&'a str, &'a str)> {
    let (token, tail) = TAILS.iter().find_map(|tail| Some((token.strip_suffix(tail)?, *tail)))?;
    let lead = token.strip_suffix(run)?;
    let is_its = lead.is_empty() && tail.is_empty() || lead.starts_with("kmslab-") && lead.ends_with('-');
    is_its.then_some((lead, tail))
}

/// Whether names have this character.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+=,.@_-".contains(c)
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
