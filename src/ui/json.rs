//! JSON with colors, by hand: pretty for the JSON view, and the wire's text.

use ratatui::text::{Line, Span};
use serde_json::Value;

use super::text::{spans_width, wrap};
use super::theme::Theme;

/// Columns by which a nested member is indented.
const INDENT: usize = 2;

/// `value` pretty-printed; lines that are too long go on, indented.
pub fn pretty(value: &Value, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut printer = Printer { theme, columns, lines: Vec::new() };
    printer.value(0, Vec::new(), value, "");
    printer.lines
}

struct Printer<'t> {
    theme: &'t Theme,
    columns: usize,
    lines: Vec<Line<'static>>,
}

impl Printer<'_> {
    /// `before` is what stands before the value on its line (a member's name), `after` what follows it (a comma).
    fn value(&mut self, indent: usize, before: Vec<Span<'static>>, value: &Value, after: &'static str) {
        if let Some((name, only)) = only_scalar(value) {
            // `{"S": "Ada"}`, as DynamoDB writes every value, needs no three lines.
            let mut content = before.clone();
            content.push(Span::styled("{", self.theme.punctuation));
            content.push(Span::styled(quoted(name), self.theme.key));
            content.push(Span::styled(": ", self.theme.punctuation));
            content.push(scalar_span(only, self.theme));
            content.push(Span::styled(format!("}}{after}"), self.theme.punctuation));
            if indent + spans_width(&content) <= self.columns {
                return self.line(indent, content);
            }
        }
        match value {
            Value::Object(members) if !members.is_empty() => {
                self.open(indent, before, "{");
                let last = members.len() - 1;
                for (index, (name, member)) in members.iter().enumerate() {
                    let name =
                        vec![Span::styled(quoted(name), self.theme.key), Span::styled(": ", self.theme.punctuation)];
                    self.value(indent + INDENT, name, member, if index < last { "," } else { "" });
                }
                self.close(indent, "}", after);
            }
            Value::Array(elements) if !elements.is_empty() => {
                self.open(indent, before, "[");
                let last = elements.len() - 1;
                for (index, element) in elements.iter().enumerate() {
                    self.value(indent + INDENT, Vec::new(), element, if index < last { "," } else { "" });
                }
                self.close(indent, "]", after);
            }
            scalar => {
                let mut content = before;
                content.push(scalar_span(scalar, self.theme));
                content.push(Span::styled(after, self.theme.punctuation));
                self.line(indent, content);
            }
        }
    }

    fn open(&mut self, indent: usize, mut before: Vec<Span<'static>>, bracket: &'static str) {
        before.push(Span::styled(bracket, self.theme.punctuation));
        self.line(indent, before);
    }

    fn close(&mut self, indent: usize, bracket: &str, after: &str) {
        self.line(indent, vec![Span::styled(format!("{bracket}{after}"), self.theme.punctuation)]);
    }

    fn line(&mut self, indent: usize, content: Vec<Span<'static>>) {
        // Deep nesting must leave room for the text.
        let indent = indent.min(self.columns / 2);
        self.lines.extend(wrap(vec![Span::raw(" ".repeat(indent))], content, self.columns, indent + INDENT));
    }
}

/// The member of an object that has one, and that without members of its own.
fn only_scalar(value: &Value) -> Option<(&String, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.iter().next().filter(|(_, only)| !only.is_object() && !only.is_array())
}

/// A value without members, as JSON writes it; empty lists and objects, too.
fn scalar_span(value: &Value, theme: &Theme) -> Span<'static> {
    match value {
        Value::String(text) => Span::styled(quoted(text), theme.string),
        Value::Object(_) | Value::Array(_) => Span::styled(value.to_string(), theme.punctuation),
        other => Span::styled(other.to_string(), theme.number),
    }
}

/// `text` as a JSON string.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// One HTTP message: first line strong, header names as keys, then the body as it is.
pub fn http_message(message: &str, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut in_body = false;
    for (index, line) in message.lines().enumerate() {
        let content = match line.split_once(": ") {
            _ if index == 0 => vec![Span::styled(line.to_owned(), theme.strong)],
            Some((name, value)) if !in_body => {
                vec![Span::styled(format!("{name}: "), theme.key), Span::styled(value.to_owned(), theme.string)]
            }
            _ => vec![Span::styled(line.to_owned(), theme.base)],
        };
        in_body |= line.is_empty();
        let hang = if in_body { 0 } else { INDENT };
        lines.extend(wrap(Vec::new(), content, columns, hang));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::theme::{ColorLevel, ThemeName};
    use super::*;

    fn plain(lines: &[Line<'_>]) -> Vec<String> {
        lines.iter().map(Line::to_string).collect()
    }

    #[test]
    fn wide_enough_it_is_what_serde_writes_but_for_single_members() {
        let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
        let value = json!({"a": [1, "two", null, {}], "b": {"c": true, "d \"q\"": []}, "e": {"S": "x"}});
        let expected = serde_json::to_string_pretty(&value).unwrap();
        let expected = expected.replace("{\n    \"S\": \"x\"\n  }", "{\"S\": \"x\"}");
        assert_eq!(plain(&pretty(&value, &theme, 80)).join("\n"), expected);
    }

    #[test]
    fn long_values_go_on_indented() {
        let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
        let value = json!({"Arn": "arn:aws:iam::111122223333:user/kmslab-admin", "n": 1});
        assert_eq!(
            plain(&pretty(&value, &theme, 38)),
            ["{", "  \"Arn\": \"arn:aws:iam::111122223333:", "    user/kmslab-admin\",", "  \"n\": 1", "}"]
        );
    }

    #[test]
    fn the_wires_text_is_kept() {
        let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
        let message = "POST / HTTP/1.1\nhost: localhost\n\n{\"a\": 1}";
        assert_eq!(plain(&http_message(message, &theme, 40)).join("\n"), message);
    }
}
