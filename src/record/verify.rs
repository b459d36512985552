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

/// How much of a find is printed: enough to look for it, too little to use it.
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
mod tests;
