//! The summary of an answer: what a person wants to read first, in as few lines as possible, down to 38 columns.

use ratatui::text::{Line, Span};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::lab::lesson::interface::Interface;
use crate::lab::policy_diff::Statement;
use crate::lab::stages::items as items_of_the_lab;
use crate::lab::{Denied, Exchange, Facts, PolicyDiff, Stage, Verdict, key_policy};

use super::json::quoted;
use super::sheet::Sheet;
use super::text::{clean, cut, spans_width, truncate, width};
use super::theme::Theme;
use super::{denial, diff};

/// Members that the lesson is about come first, in this order; the others follow as the service sent them.
const FIRST: [&str; 15] = [
    "KeyState",
    "KeyManager",
    "KeySpec",
    "DeletionDate",
    "Arn",
    "Account",
    "SSEDescription",
    "TableStatus",
    "Status",
    "SSEType",
    "KMSMasterKeyArn",
    "UserName",
    "AccessKeyId",
    "PolicyName",
    "TableName",
];

/// Columns of the labels of an error.
const LABEL: usize = 10;

/// From this width on, a table of items shows all its columns.
const WIDE: usize = 60;

/// The columns of a narrower table of items.
const COLUMNS: usize = 3;

/// The most members of which all are shown.
const MANY: usize = 6;

/// The widest cell.
const CELL: usize = 32;

/// The lines of an exchange's summary, `columns` wide.
pub fn lines(
    exchange: &Exchange,
    facts: &Facts,
    words: Interface<'_>,
    theme: &Theme,
    columns: usize,
) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, words, columns);
    match &exchange.verdict {
        Verdict::Allowed => sheet.allowed(exchange, facts),
        Verdict::Denied(denied) => sheet.denied(exchange, denied),
        Verdict::Failed(failure) => {
            if let Some(code) = &failure.code {
                sheet.quote(code, theme.failed.text);
            }
            sheet.put(Vec::new(), denial::sentence(&failure.message, None, theme), 0);
            if let Some(remedy) = &failure.remedy {
                sheet.blank();
                sheet.field("try", &words.sentence(remedy), LABEL);
            }
        }
    }
    sheet.lines
}

/// The lines of an object.
pub fn value(value: &Value, words: Interface<'_>, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, words, columns);
    if let Value::Object(members) = value {
        sheet.members(members, 0);
    }
    sheet.lines
}

impl Sheet<'_> {
    /// A labeled line; what does not fit goes on after `hang` spaces.
    fn field(&mut self, label: &str, value: &str, hang: usize) {
        let label = self.words.sentence(label);
        let lead = vec![Span::styled(format!("{label:<LABEL$}"), self.theme.dim)];
        let content = vec![Span::styled(value.to_owned(), self.theme.strong)];
        self.put(lead, content, hang);
    }

    fn denied(&mut self, exchange: &Exchange, denied: &Denied) {
        if let Some(code) = exchange.error_code() {
            self.quote(code, self.theme.denied.text);
        }
        self.put(Vec::new(), denial::sentence(&denied.message, Some(denied), self.theme), 0);
    }

    fn allowed(&mut self, exchange: &Exchange, facts: &Facts) {
        let before = match exchange.stage {
            Stage::Grant => facts.policy_before.as_deref(),
            // An experiment's policy: what it changes of the lab's.
            Stage::ViewAgain => facts.policy.as_deref(),
            _ => None,
        };
        match exchange.body() {
            Some(Value::Object(members)) if !members.is_empty() => self.answer(members, before, exchange.stage),
            Some(Value::Null | Value::Object(_)) | None => {
                self.text("empty response: success", self.theme.dim);
                if let Value::Object(members) = &exchange.answer.request
                    && !members.is_empty()
                {
                    self.blank();
                    self.text("sent", self.theme.dim);
                    self.answer(members, before, exchange.stage);
                }
            }
            Some(other) => self.quote(&other.to_string(), self.theme.base),
        }
    }

    /// The members of an answer, or of a request.
    fn answer(&mut self, members: &Map<String, Value>, policy_before: Option<&str>, stage: Stage) {
        if let Some(Value::Array(items)) = members.get("Items") {
            return self.items(members, items, stage == Stage::ViewAgain);
        }
        if let Some(policy) = members.get("Policy").and_then(parsed) {
            return self.policy(members, &policy, policy_before, stage == Stage::Grant);
        }
        match members.values().next() {
            // `KeyMetadata`, `Table`, `User`: only an envelope.
            Some(Value::Object(inner)) if members.len() == 1 => self.important(inner),
            _ => self.important(members),
        }
    }

    /// The items of a Scan as a table.
    fn items(&mut self, members: &Map<String, Value>, items: &[Value], compares: bool) {
        let names = columns_of(items);
        let cells = |item: &Value| -> Vec<String> { names.iter().map(|name| cell(item, name)).collect() };
        let rows: Vec<Vec<String>> = items.iter().map(cells).collect();
        let widths: Vec<usize> =
            (0..names.len()).map(|at| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0)).collect();
        // More columns than these are read by nobody at a glance.
        let most = match self.columns {
            WIDE.. => names.len(),
            // Below an earlier path there are words enough.
            _ if compares => COLUMNS - 1,
            _ => COLUMNS,
        };
        let total = |shown: usize, gap: usize| {
            let more = if shown < names.len() { gap + 1 } else { 0 };
            widths[..shown].iter().sum::<usize>() + gap * shown.saturating_sub(1) + more
        };
        let choices = (1..=most.min(names.len())).rev().flat_map(|shown| [(shown, 2), (shown, 1)]);
        let fitting = choices.into_iter().find(|(shown, gap)| total(*shown, *gap) <= self.columns);
        let (shown, gap) = fitting.unwrap_or((1.min(names.len()), 1));
        for row in &rows {
            let mut spans = Vec::new();
            for (at, text) in row.iter().enumerate().take(shown) {
                let pad = if at + 1 < shown || shown < names.len() { widths[at] - width(text) + gap } else { 0 };
                let looks = if at == 0 { self.theme.strong } else { self.theme.string };
                spans.push(Span::styled(text.clone(), looks));
                spans.push(Span::raw(" ".repeat(pad)));
            }
            if shown < names.len() {
                spans.push(Span::styled("…", self.theme.dim));
            }
            self.lines.push(cut(spans, self.columns));
        }
        for (name, value) in members.iter().filter(|(name, value)| *name != "Items" && !value.is_number()) {
            self.blank();
            self.member(name, value, 0, Vec::new());
        }
    }

    /// A key policy, what a change added to it first.
    fn policy(&mut self, members: &Map<String, Value>, policy: &Value, before: Option<&str>, is_brief: bool) {
        let diff = match (before, members.get("Policy")) {
            (Some(before), Some(Value::String(after))) => PolicyDiff::between(before, after),
            _ => PolicyDiff::default(),
        };
        if !diff.is_empty() {
            self.text(&diff.counts(), self.theme.added);
            if is_brief {
                // The person has just read them, and the other views have all of it.
                return self.lines.extend(diff::names(&diff, self.words, self.theme, self.columns));
            }
            self.lines.extend(diff::lines(&diff, self.words, self.theme, self.columns));
            self.blank();
        }
        let Value::Object(document) = policy else {
            return self.quote(&policy.to_string(), self.theme.base);
        };
        for (name, value) in document.iter().filter(|(name, _)| *name != "Statement") {
            self.member(name, value, 0, Vec::new());
        }
        for statement in key_policy::statements(policy) {
            self.blank();
            let bullet = if diff.added.contains(&Statement::read(statement)) {
                Span::styled("+ ", self.theme.added)
            } else {
                Span::styled("• ", self.theme.dim)
            };
            match statement {
                Value::Object(statement) => {
                    for (index, (name, value)) in statement.iter().enumerate() {
                        let lead = if index == 0 { bullet.clone() } else { Span::raw("  ") };
                        self.member(name, value, 2, vec![lead]);
                    }
                }
                other => self.quote(&other.to_string(), self.theme.base),
            }
        }
    }

    /// Of many members those that the lesson is about; the other views have the rest.
    fn important(&mut self, members: &Map<String, Value>) {
        let is_first = |name: &str| FIRST.contains(&name);
        if members.len() <= MANY || !members.keys().any(|name| is_first(name)) {
            return self.members(members, 0);
        }
        let first = members.iter().filter(|(name, _)| is_first(name));
        self.members(&first.map(|(name, value)| (name.clone(), value.clone())).collect(), 0);
        self.text("…", self.theme.dim);
    }

    fn members(&mut self, members: &Map<String, Value>, indent: usize) {
        let first = FIRST.iter().filter_map(|name| members.get_key_value(*name));
        let others = members.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
        for (name, value) in first.chain(others) {
            let lead = vec![Span::raw(" ".repeat(indent))];
            self.member(name, value, indent, lead);
        }
    }

    /// One member after `lead`, which is `indent` columns wide.
    fn member(&mut self, name: &str, value: &Value, indent: usize, mut lead: Vec<Span<'static>>) {
        let indent = indent.min(self.columns / 2);
        let value = parsed(value).unwrap_or_else(|| value.clone());
        let mut names = name.to_owned();
        let mut value = &value;
        // `Principal: AWS: …` needs no line for each level.
        while let Value::Object(inner) = value
            && !is_item(inner)
            && let (1, Some((name, only))) = (inner.len(), inner.iter().next())
        {
            names = format!("{names}: {name}");
            value = only;
        }
        lead.push(Span::styled(format!("{names}: "), self.theme.key));
        match value {
            Value::Object(inner) if is_item(inner) => {
                self.put(lead, vec![Span::styled(attribute_text(value), self.theme.string)], indent + 2);
            }
            Value::Object(inner) if !inner.is_empty() => {
                self.put(lead, Vec::new(), indent);
                if inner.values().all(|value| matches!(value, Value::Object(inner) if is_item(inner))) {
                    let attributes = inner.iter().map(|(name, value)| self.attribute(name, value)).collect();
                    self.flow(vec![Span::raw(" ".repeat(indent + 2))], attributes, indent + 2);
                } else {
                    self.members(inner, indent + 2);
                }
            }
            Value::Array(elements) if elements.iter().any(Value::is_object) => {
                self.put(lead, Vec::new(), indent);
                for element in elements {
                    self.element(element, indent);
                }
            }
            Value::Array(elements) => {
                let mut content = Vec::new();
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        content.push(Span::styled(", ", self.theme.punctuation));
                    }
                    content.push(self.scalar(name, element));
                }
                if content.is_empty() {
                    content.push(Span::styled(self.words.sentence("none"), self.theme.dim));
                }
                self.put(lead, content, indent + 2);
            }
            scalar => self.put(lead, vec![self.scalar(name, scalar)], indent + 2),
        }
    }

    /// An object in a list: in one row where it is flat.
    fn element(&mut self, element: &Value, indent: usize) {
        let lead = vec![Span::raw(" ".repeat(indent)), Span::styled("• ", self.theme.dim)];
        match element {
            Value::Object(members) if members.values().all(|value| !value.is_object() && !value.is_array()) => {
                let pairs = members.iter().map(|(name, value)| self.pair(name, self.scalar(name, value))).collect();
                self.flow(lead, pairs, indent + 2);
            }
            Value::Object(members) => {
                let mut lead = lead;
                for (name, value) in members {
                    let lead = std::mem::replace(&mut lead, vec![Span::raw(" ".repeat(indent + 2))]);
                    self.member(name, value, indent + 2, lead);
                }
            }
            other => self.put(lead, vec![self.scalar("", other)], indent + 2),
        }
    }

    fn pair(&self, name: &str, value: Span<'static>) -> Vec<Span<'static>> {
        vec![Span::styled(format!("{name}: "), self.theme.key), value]
    }

    /// An item's attribute without DynamoDB's type letters.
    fn attribute(&self, name: &str, value: &Value) -> Vec<Span<'static>> {
        let is_text = value.get("S").is_some();
        let style = if is_text { self.theme.string } else { self.theme.number };
        self.pair(name, Span::styled(attribute_text(value), style))
    }

    /// Pairs one after another, none broken at the end of a line unless it is longer than one.
    fn flow(&mut self, lead: Vec<Span<'static>>, pairs: Vec<Vec<Span<'static>>>, hang: usize) {
        const GAP: usize = 2;
        let mut line = lead;
        let mut used = spans_width(&line);
        let mut fresh = true;
        for pair in pairs {
            let length = spans_width(&pair);
            let gap = if fresh { 0 } else { GAP };
            if used + gap + length > self.columns && !fresh {
                self.lines.push(Line::from(std::mem::replace(&mut line, vec![Span::raw(" ".repeat(hang))])));
                (used, fresh) = (hang, true);
            }
            if used + length > self.columns {
                self.put(std::mem::take(&mut line), pair, hang + 2);
                line = vec![Span::raw(" ".repeat(hang))];
                used = hang;
                continue;
            }
            if !fresh {
                line.push(Span::raw(" ".repeat(GAP)));
                used += GAP;
            }
            line.extend(pair);
            used += length;
            fresh = false;
        }
        if !fresh {
            self.lines.push(Line::from(line));
        }
    }

    fn scalar(&self, name: &str, value: &Value) -> Span<'static> {
        match value {
            Value::Number(number) if is_time(name) => match number.as_f64().and_then(utc) {
                Some(time) => Span::styled(time, self.theme.string),
                None => Span::styled(number.to_string(), self.theme.number),
            },
            Value::String(text) if text.is_empty() => Span::styled("\"\"", self.theme.string),
            Value::String(text) => Span::styled(text.clone(), self.theme.string),
            other => Span::styled(other.to_string(), self.theme.number),
        }
    }
}

/// The attributes of items: the key first, then in the order in which the lab writes them, then the others.
fn columns_of(items: &[Value]) -> Vec<String> {
    let written = items_of_the_lab().into_iter().next().unwrap_or_default();
    let known = std::iter::once("id".to_owned()).chain(written.keys().cloned());
    let found = items.iter().filter_map(Value::as_object).flat_map(|item| item.keys().cloned());
    let mut names: Vec<String> = Vec::new();
    for name in known.chain(found) {
        if !names.contains(&name) && items.iter().any(|item| item.get(&name).is_some()) {
            names.push(name);
        }
    }
    names
}

/// An attribute of an item, as people write it.
fn cell(item: &Value, name: &str) -> String {
    let value = item.get(name);
    let text = value.and_then(|value| value.get("S")?.as_str().map(clean));
    let text = text.or_else(|| value.map(attribute_text)).unwrap_or_default();
    truncate(&text, CELL)
}

/// A policy document in a string; AWS sends policies so.
fn parsed(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok())?
}

fn is_time(name: &str) -> bool {
    name.ends_with("Date") || name.ends_with("DateTime")
}

/// Epoch seconds as people read them.
pub(super) fn utc(seconds: f64) -> Option<String> {
    #[expect(clippy::cast_possible_truncation, reason = "a float too large saturates, and time refuses it")]
    let time = OffsetDateTime::from_unix_timestamp(seconds as i64).ok()?;
    time.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC")).ok()
}

/// Whether this is one value with DynamoDB's type letter.
fn is_item(members: &Map<String, Value>) -> bool {
    const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"];
    members.len() == 1 && members.keys().all(|name| TYPES.contains(&name.as_str()))
}

/// A value of DynamoDB JSON without its type letters: `{"S": "a"}` is `"a"`, `{"N": "3"}` is `3`.
fn attribute_text(value: &Value) -> String {
    let Some((kind, inner)) = value.as_object().filter(|members| is_item(members)).and_then(|m| m.iter().next()) else {
        return value.to_string();
    };
    let list = |elements: &[Value], each: fn(&Value) -> String| {
        format!("[{}]", elements.iter().map(each).collect::<Vec<_>>().join(", "))
    };
    match (kind.as_str(), inner) {
        ("S", Value::String(text)) => quoted(text),
        ("N", Value::String(number)) => number.clone(),
        ("NULL", _) => "null".to_owned(),
        ("L", Value::Array(elements)) => list(elements, attribute_text),
        ("NS", Value::Array(elements)) => list(elements, |number| number.as_str().unwrap_or_default().to_owned()),
        ("SS" | "BS", Value::Array(elements)) => list(elements, Value::to_string),
        ("M", Value::Object(members)) => {
            let members = members.iter().map(|(name, value)| format!("{name}: {}", attribute_text(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        (_, other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::theme::{ColorLevel, ThemeName};
    use super::*;
    use crate::lab::{Answer, CallId, Identity, Operation, Response, Wire};

    fn exchange(operation: Operation, status: u16, body: Value) -> Exchange {
        let answer = Answer {
            request: json!({"TableName": "t", "Item": {"id": {"S": "p-001"}, "visits": {"N": "3"}}}),
            response: Ok(Response { status, request_id: None, body }),
            wire: Wire::default(),
            duration_us: 0,
            at: 0,
            tries: 1,
        };
        let verdict = answer.verdict();
        Exchange {
            id: CallId(1),
            stage: Stage::ViewDenied,
            identity: Identity::Admin,
            operation,
            attempt: 1,
            answer,
            verdict,
        }
    }

    fn widest(lines: &[Line<'_>]) -> usize {
        lines.iter().map(|line| width(&line.to_string())).max().unwrap_or(0)
    }

    fn summary(exchange: &Exchange, columns: usize) -> Vec<String> {
        let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
        let lines = lines(exchange, &Facts::default(), Interface::ENGLISH, &theme, columns);
        assert!(widest(&lines) <= columns);
        lines.iter().map(|line| line.to_string().trim_end().to_owned()).collect()
    }

    #[test]
    fn items_are_readable_in_38_columns() {
        let scan = exchange(
            Operation::Scan { table: "t".into() },
            200,
            json!({"Count": 2, "Items": [
                {"visits": {"N": "3"}, "patient": {"S": "Ada Kowalska"}, "id": {"S": "p-001"}, "diagnosis": {"S": "migraine"}},
                {"id": {"S": "p-002"}, "patient": {"S": "Bela \"B\" Moreno"}}
            ], "ScannedCount": 2}),
        );
        assert_eq!(
            summary(&scan, 38),
            ["p-001  Ada Kowalska     migraine  …", "p-002  Bela \"B\" Moreno            …"]
        );
        assert_eq!(summary(&scan, 80), ["p-001  Ada Kowalska     migraine  3", "p-002  Bela \"B\" Moreno"]);
    }

    #[test]
    fn a_denial_is_the_code_and_a_short_sentence() {
        let message = "User: arn:aws:iam::111122223333:user/u is not authorized to perform: kms:Decrypt on resource: \
                       arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no \
                       identity-based policy allows the kms:Decrypt action";
        let denied = exchange(
            Operation::Scan { table: "t".into() },
            400,
            json!({"__type": "x#AccessDeniedException", "message": message}),
        );
        assert_eq!(
            summary(&denied, 38),
            [
                "AccessDeniedException",
                "User: …:user/u is not authorized to",
                "perform: kms:Decrypt on resource:",
                "…:key/1234abcd-… because no",
                "identity-based policy allows the",
                "kms:Decrypt action",
            ]
        );
    }

    #[test]
    fn an_empty_answer_shows_what_was_sent() {
        let put = exchange(Operation::PutItem { table: "t".into(), item: Map::new() }, 200, json!({}));
        assert_eq!(
            summary(&put, 38),
            ["empty response: success", "", "sent", "TableName: t", "Item:", "  id: \"p-001\"  visits: 3"]
        );
    }

    #[test]
    fn a_policy_in_a_string_is_read_and_times_are_utc() {
        let key = exchange(
            Operation::DescribeKey { key: "k".into() },
            200,
            json!({"KeyMetadata": {"CreationDate": 1_767_225_600.5, "KeyState": "Enabled", "Enabled": true}}),
        );
        assert_eq!(summary(&key, 40), ["KeyState: Enabled", "CreationDate: 2026-01-01 00:00:00 UTC", "Enabled: true"]);
        let policy = exchange(
            Operation::GetKeyPolicy { key: "k".into() },
            200,
            json!({"Policy": "{\"Id\":\"key-default-1\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::1:root\"},\"Action\":[\"kms:A\",\"kms:B\"]}]}", "PolicyName": "default"}),
        );
        assert_eq!(
            summary(&policy, 40),
            [
                "Id: key-default-1",
                "",
                "• Effect: Allow",
                "  Principal: AWS: arn:aws:iam::1:root",
                "  Action: kms:A, kms:B"
            ]
        );
    }

    #[rstest]
    #[case(json!({"S": "a"}), "\"a\"")]
    #[case(json!({"N": "3.10"}), "3.10")]
    #[case(json!({"BOOL": true}), "true")]
    #[case(json!({"NULL": true}), "null")]
    #[case(json!({"L": [{"S": "a"}, {"N": "1"}]}), "[\"a\", 1]")]
    #[case(json!({"M": {"k": {"SS": ["x", "y"]}}}), "{k: [\"x\", \"y\"]}")]
    #[case(json!({"NS": ["1", "2"]}), "[1, 2]")]
    #[case(json!({"B": "AAEC"}), "\"AAEC\"")]
    #[case(json!("odd"), "\"odd\"")]
    fn dynamodbs_types_are_unwrapped(#[case] value: Value, #[case] text: &str) {
        assert_eq!(attribute_text(&value), text);
    }
}
