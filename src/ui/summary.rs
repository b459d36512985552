//! The summary of an answer: what a person wants to read first, in as few lines as possible, down to 38 columns.

use ratatui::text::{Line, Span};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::lab::policy_diff::Statement;
use crate::lab::{Denied, Exchange, Facts, PolicyDiff, Stage, Verdict, key_policy};

use super::diff;
use super::json::quoted;
use super::sheet::Sheet;
use super::text::spans_width;
use super::theme::Theme;

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
pub(super) const LABEL: usize = 10;

/// The lines of an exchange's summary, `columns` wide.
pub fn lines(exchange: &Exchange, facts: &Facts, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, columns);
    match &exchange.verdict {
        Verdict::Allowed => sheet.allowed(exchange, facts),
        Verdict::Denied(denied) => sheet.denied(exchange, denied),
        Verdict::Failed(failure) => {
            if let Some(code) = &failure.code {
                sheet.text(code, theme.failed.text);
            }
            sheet.text(&failure.message, theme.base);
            if let Some(remedy) = &failure.remedy {
                sheet.blank();
                sheet.field("try", remedy, LABEL);
            }
        }
    }
    sheet.lines
}

impl Sheet<'_> {
    /// A labeled line; what does not fit goes on after `hang` spaces.
    fn field(&mut self, label: &str, value: &str, hang: usize) {
        let lead = vec![Span::styled(format!("{label:<LABEL$}"), self.theme.dim)];
        let content = vec![Span::styled(value.to_owned(), self.theme.strong)];
        self.put(lead, content, hang);
    }

    fn denied(&mut self, exchange: &Exchange, denied: &Denied) {
        for (label, part, hang) in [
            // An ARN needs the width more than the alignment: so a key's id stays in one piece.
            ("action", &denied.action, LABEL),
            ("resource", &denied.resource, 2),
            ("reason", &denied.reason, LABEL),
        ] {
            if let Some(part) = part {
                self.field(label, part, hang);
            }
        }
        if !self.lines.is_empty() {
            self.blank();
        }
        if let Some(code) = exchange.error_code() {
            self.text(code, self.theme.denied.text);
        }
        self.text(&denied.message, self.theme.base);
    }

    fn allowed(&mut self, exchange: &Exchange, facts: &Facts) {
        let before = match exchange.stage {
            Stage::Grant => facts.policy_before.as_deref(),
            // An experiment's policy: what it changes of the lab's.
            Stage::ViewAgain => facts.policy.as_deref(),
            _ => None,
        };
        match exchange.body() {
            Some(Value::Object(members)) if !members.is_empty() => self.answer(members, before),
            Some(Value::Null | Value::Object(_)) | None => {
                self.text("an empty answer: it is done", self.theme.dim);
                if let Value::Object(members) = &exchange.answer.request
                    && !members.is_empty()
                {
                    self.blank();
                    self.text("sent", self.theme.dim);
                    self.answer(members, before);
                }
            }
            Some(other) => self.text(&other.to_string(), self.theme.base),
        }
    }

    /// The members of an answer, or of a request.
    fn answer(&mut self, members: &Map<String, Value>, policy_before: Option<&str>) {
        if let Some(Value::Array(items)) = members.get("Items") {
            return self.items(members, items);
        }
        if let Some(policy) = members.get("Policy").and_then(parsed) {
            return self.policy(members, &policy, policy_before);
        }
        match members.values().next() {
            // `KeyMetadata`, `Table`, `User`: only an envelope.
            Some(Value::Object(inner)) if members.len() == 1 => self.members(inner, 0),
            _ => self.members(members, 0),
        }
    }

    /// A Scan's answer.
    fn items(&mut self, members: &Map<String, Value>, items: &[Value]) {
        let counts = members
            .iter()
            .filter(|(_, value)| value.is_number())
            .map(|(name, value)| self.pair(name, Span::styled(value.to_string(), self.theme.number)))
            .collect();
        self.flow(Vec::new(), counts, 0);
        for item in items {
            let item: Vec<Vec<Span<'static>>> = match item {
                Value::Object(attributes) => {
                    let key_first = attributes.iter().filter(|(name, _)| *name == "id");
                    let others = attributes.iter().filter(|(name, _)| *name != "id");
                    key_first.chain(others).map(|(name, value)| self.attribute(name, value)).collect()
                }
                other => vec![vec![Span::raw(other.to_string())]],
            };
            self.blank();
            self.flow(vec![Span::styled("• ", self.theme.dim)], item, 2);
        }
        for (name, value) in members.iter().filter(|(name, value)| *name != "Items" && !value.is_number()) {
            self.blank();
            self.member(name, value, 0, Vec::new());
        }
    }

    /// A key policy, what a change added to it first.
    fn policy(&mut self, members: &Map<String, Value>, policy: &Value, before: Option<&str>) {
        let diff = match (before, members.get("Policy")) {
            (Some(before), Some(Value::String(after))) => PolicyDiff::between(before, after),
            _ => PolicyDiff::default(),
        };
        if !diff.is_empty() {
            self.text(&diff.counts(), self.theme.added);
            self.lines.extend(diff::lines(&diff, self.theme, self.columns));
            self.blank();
        }
        let Value::Object(document) = policy else {
            return self.text(&policy.to_string(), self.theme.base);
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
                other => self.text(&other.to_string(), self.theme.base),
            }
        }
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
                    content.push(Span::styled("none", self.theme.dim));
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
        lines.iter().map(|line| crate::ui::text::width(&line.to_string())).max().unwrap_or(0)
    }

    fn summary(exchange: &Exchange, columns: usize) -> Vec<String> {
        let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
        let lines = lines(exchange, &Facts::default(), &theme, columns);
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
            [
                "Count: 2  ScannedCount: 2",
                "",
                "• id: \"p-001\"  visits: 3",
                "  patient: \"Ada Kowalska\"",
                "  diagnosis: \"migraine\"",
                "",
                "• id: \"p-002\"",
                "  patient: \"Bela \\\"B\\\" Moreno\"",
            ]
        );
    }

    #[test]
    fn a_denial_leads_with_action_resource_and_reason() {
        let message = "User: arn:aws:iam::111122223333:user/u is not authorized to perform: kms:Decrypt on resource: \
                       arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no \
                       identity-based policy allows the kms:Decrypt action";
        let denied = exchange(
            Operation::Scan { table: "t".into() },
            400,
            json!({"__type": "x#AccessDeniedException", "message": message}),
        );
        let lines = summary(&denied, 38);
        assert_eq!(
            lines[..8],
            [
                "action    kms:Decrypt",
                "resource  arn:aws:kms:us-east-1:",
                "  111122223333:key/",
                "  1234abcd-12ab-34cd-56ef-1234567890ab",
                "reason    no identity-based policy",
                "          allows the kms:Decrypt",
                "          action",
                "",
            ]
        );
    }

    #[test]
    fn an_empty_answer_shows_what_was_sent() {
        let put = exchange(Operation::PutItem { table: "t".into(), item: Map::new() }, 200, json!({}));
        assert_eq!(
            summary(&put, 38),
            ["an empty answer: it is done", "", "sent", "TableName: t", "Item:", "  id: \"p-001\"  visits: 3"]
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
