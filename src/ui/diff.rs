//! The semantic diff of a key policy: what comes, what goes, what stays.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::lab::PolicyDiff;
use crate::lab::lesson::interface::Interface;
use crate::lab::policy_diff::{Statement, in_words};

use super::sheet::Sheet;
use super::theme::Theme;

/// Columns of the labels, with the sign's.
const LABEL: usize = 13;

/// All of `diff`, `columns` wide.
pub fn lines(diff: &PolicyDiff, words: Interface<'_>, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, words, columns);
    for statement in &diff.added {
        sheet.statement("+", theme.added, statement);
    }
    for statement in &diff.removed {
        sheet.statement("−", theme.denied.text, statement);
    }
    for changed in &diff.changed {
        sheet.title("~", theme.strong, &changed.after);
        for member in changed.members() {
            for (sign, entries) in [("−", member.removed), ("+", member.added)] {
                if !entries.is_empty() {
                    let (label, text) = told(member.member, &entries, words);
                    sheet.part(sign, label, &text);
                }
            }
        }
    }
    for (name, before, after) in &diff.document {
        let of = |text: &Option<String>| text.clone().unwrap_or_else(|| words.sentence("none"));
        sheet.part("~", name, &words.sentence(&format!("{}, was {}", of(after), of(before))));
    }
    if !diff.kept.is_empty() {
        let kept: Vec<&str> = diff.kept.iter().map(Statement::name).collect();
        sheet.part("=", "stays", &kept.join(", "));
    }
    sheet.lines
}

/// Only the names of the statements that differ, and of those that stay.
pub fn names(diff: &PolicyDiff, words: Interface<'_>, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(theme, words, columns);
    diff.added.iter().for_each(|statement| sheet.title("+", theme.added, statement));
    diff.removed.iter().for_each(|statement| sheet.title("−", theme.denied.text, statement));
    diff.changed.iter().for_each(|changed| sheet.title("~", theme.strong, &changed.after));
    let kept: Vec<&str> = diff.kept.iter().map(Statement::name).collect();
    if !kept.is_empty() {
        sheet.part("=", "stays", &kept.join(", "));
    }
    sheet.lines
}

/// A label and a text for a member's entries.
fn told<'a>(member: &'a str, entries: &[&str], words: Interface<'_>) -> (&'a str, String) {
    let actions = || entries.iter().map(|action| words.sentence(in_words(action))).collect::<Vec<_>>().join(", ");
    match member {
        "Principal" => ("principal", entries.join(", ")),
        "Action" => ("may", actions()),
        "NotAction" => ("all but", actions()),
        "NotPrincipal" => ("not to", entries.join(", ")),
        "Resource" | "NotResource" => ("resource", entries.join(", ")),
        "Condition" => ("only if", entries.join(&words.sentence(" and "))),
        "Effect" => ("effect", entries.join(", ")),
        other => (other, entries.join(", ")),
    }
}

impl Sheet<'_> {
    /// A sign, a label, and what goes with it.
    fn part(&mut self, sign: &str, label: &str, text: &str) {
        let label = self.words.sentence(label);
        let label = Span::styled(format!("{sign:<2}{label:<width$}", width = LABEL - 2), self.theme.dim);
        self.put(vec![label], vec![Span::styled(text.to_owned(), self.theme.base)], LABEL);
    }

    fn title(&mut self, sign: &str, style: Style, statement: &Statement) {
        let name = Span::styled(statement.name().to_owned(), self.theme.strong);
        self.put(vec![Span::styled(format!("{sign} "), style)], vec![name], 2);
    }

    fn statement(&mut self, sign: &str, style: Style, statement: &Statement) {
        self.title(sign, style, statement);
        for (member, entries) in statement.members() {
            let plain = match member {
                // What a statement usually says needs no line: it allows, on this key.
                "Effect" => entries == ["Allow"],
                "Resource" => entries == ["*"],
                _ => false,
            };
            if !plain {
                // A deny's actions are what may not be done.
                let (label, text) = told(member, &entries, self.words);
                let denies = statement.members().any(|(member, entries)| member == "Effect" && entries == ["Deny"]);
                let label = if denies && label == "may" { "may not" } else { label };
                self.part("", label, &text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::text::width;
    use super::*;

    #[test]
    fn a_change_is_told_in_words() {
        let before = json!({"Version": "2008-10-17", "Statement": [
            {"Sid": "root", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*",
                "Resource": "*"},
            {"Sid": "use", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/a"},
                "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*"},
            {"Sid": "old", "Effect": "Allow", "Principal": "*", "Action": "kms:Sign", "Resource": "*"}]});
        let after = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": ["kms:Decrypt"], "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Sid": "use", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/b"},
                "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*"},
            {"Sid": "root", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*",
                "Resource": "*"}]});
        let diff = PolicyDiff::between(&before.to_string(), &after.to_string());
        for columns in [24, 38, 52, 98] {
            assert!(
                lines(&diff, Interface::ENGLISH, &Theme::plain(), columns)
                    .iter()
                    .all(|line| width(&line.to_string()) <= columns)
            );
        }
        let told: Vec<String> = lines(&diff, Interface::ENGLISH, &Theme::plain(), 60)
            .iter()
            .map(|line| line.to_string().trim_end().to_owned())
            .collect();
        assert_eq!(
            told,
            [
                "+ a statement without Sid",
                "  effect     Deny",
                "  principal  *",
                "  may not    decrypt",
                "  only if    Bool aws:SecureTransport = false",
                "− old",
                "  principal  *",
                "  may        kms:Sign",
                "~ use",
                "− principal  arn:aws:iam::111122223333:user/a",
                "+ principal  arn:aws:iam::111122223333:user/b",
                "− may        encrypt",
                "+ may        describe the key",
                "~ Version    2012-10-17, was 2008-10-17",
                "= stays      root",
            ]
        );
    }
}
