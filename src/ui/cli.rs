//! The CLI view: an `aws` command line broken into lines so that it can be copied into a shell.
//!
//! Lines break between an option and the next with ` \`. A value that is too long is broken where that changes nothing:
//! JSON after a comma or a bracket (white space means nothing there), anything else by a continuation inside the word,
//! whose next line then begins at the margin.

use ratatui::text::{Line, Span};

use super::text::width;
use super::theme::Theme;

/// The lines of `command`, `columns` wide.
pub fn lines(command: &str, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    broken(command, columns)
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let content = line.trim_start();
            let style = match content.starts_with("--") {
                _ if index == 0 => theme.strong,
                true => theme.key,
                false => theme.string,
            };
            match content.split_once(' ') {
                Some((option, value)) if content.starts_with("--") => Line::from(vec![
                    Span::raw(" ".repeat(line.len() - content.len())),
                    Span::styled(format!("{option} "), style),
                    Span::styled(value.to_owned(), theme.string),
                ]),
                _ => Line::from(Span::styled(line, style)),
            }
        })
        .collect()
}

/// Columns that options and values stand further right.
const INDENT: usize = 2;

fn broken(command: &str, columns: usize) -> Vec<String> {
    // Narrower than this no value has a chance.
    let columns = columns.max(8);
    let mut lines: Vec<String> = Vec::new();
    let mut first = true;
    for group in groups(command) {
        if let Some(line) = lines.last_mut() {
            line.push_str(" \\");
        }
        let indent = if first { 0 } else { INDENT };
        first = false;
        let whole = format!("{}{}", " ".repeat(indent), group.join(" "));
        if width(&whole) + 2 <= columns && !whole.contains('\n') {
            lines.push(whole);
            continue;
        }
        for (index, word) in group.iter().enumerate() {
            if index > 0
                && let Some(line) = lines.last_mut()
            {
                line.push_str(" \\");
            }
            lines.extend(broken_word(word, indent + index.min(1) * INDENT, columns - 2));
        }
    }
    lines
}

/// The command with its subcommands, then each option with its value.
fn groups(command: &str) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = vec![Vec::new()];
    for word in words(command) {
        if word.starts_with("--") {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.last_mut() {
            group.push(word);
        }
    }
    groups
}

/// The words of a command line with their quotation marks. Only the quoting that `cli_line` uses is known.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for atom in atoms(command) {
        match (atom.text, words.last_mut()) {
            (" ", _) if !atom.quoted => words.push(String::new()),
            (text, Some(word)) => word.push_str(text),
            (_, None) => {}
        }
    }
    words
}

/// The smallest part of a command line: a character, or a quoted apostrophe (`'\''`).
#[derive(Clone, Copy)]
struct Atom<'a> {
    text: &'a str,
    /// Whether the place before it is between quotation marks.
    quoted: bool,
}

fn atoms(command: &str) -> Vec<Atom<'_>> {
    const APOSTROPHE: &str = r"'\''";
    let mut atoms = Vec::new();
    let mut quoted = false;
    let mut rest = command;
    while let Some(c) = rest.chars().next() {
        let length = if quoted && rest.starts_with(APOSTROPHE) { APOSTROPHE.len() } else { c.len_utf8() };
        let (text, after) = rest.split_at(length);
        atoms.push(Atom { text, quoted });
        if text == "'" {
            quoted = !quoted;
        }
        rest = after;
    }
    atoms
}

/// One word in lines of at most `columns`, with two more columns for a mark that it continues.
fn broken_word(word: &str, indent: usize, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    for segment in segments(word) {
        let length: usize = segment.iter().map(|atom| width(atom.text)).sum();
        // White space may stand between the parts of a JSON document, which is where segments end.
        if segment[0].quoted && width(&line) + length >= columns && !line.trim().is_empty() {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
        }
        for Atom { text, quoted } in segment {
            if text == "\n" {
                // The document's own indentation follows.
                lines.push(std::mem::take(&mut line));
                continue;
            }
            let closes = text == "'";
            // One column stays free for the mark that closes the quotation.
            let limit = if quoted && !closes { columns - 1 } else { columns };
            if width(&line) + width(text) > limit && !line.trim().is_empty() {
                line.push_str(if quoted { "'\\" } else { "\\" });
                lines.push(std::mem::replace(&mut line, if quoted { "'".to_owned() } else { String::new() }));
            }
            line.push_str(text);
        }
    }
    lines.push(line);
    lines
}

/// The word in parts. A JSON document's end after each comma and opening bracket; any other word is one.
fn segments(word: &str) -> Vec<Vec<Atom<'_>>> {
    let is_json = is_json(word);
    let mut segments: Vec<Vec<Atom<'_>>> = vec![Vec::new()];
    let (mut in_string, mut escaped) = (false, false);
    for atom in atoms(word) {
        if let Some(segment) = segments.last_mut() {
            segment.push(atom);
        }
        if atom.text == "\"" && !escaped {
            in_string = !in_string;
        }
        escaped = atom.text == "\\" && !escaped;
        if is_json && !in_string && matches!(atom.text, "," | "{" | "[" | "\n") {
            segments.push(Vec::new());
        }
    }
    segments.retain(|segment| !segment.is_empty());
    segments
}

/// Whether a quoted word is a JSON document.
fn is_json(word: &str) -> bool {
    let document =
        word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')).map(|text| text.replace(r"'\''", "'"));
    document.is_some_and(|text| {
        text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::lab::{Operation, Tags, cli_line};

    /// What a shell makes of a command line.
    fn shell_words(command: &str) -> Vec<String> {
        let script = command.replacen("aws", "printf '%s\\0'", 1);
        let output = Command::new("sh").arg("-c").arg(&script).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect()
    }

    /// The same words; JSON may have other white space.
    fn assert_same(command: &str, columns: usize) {
        let lines = broken(command, columns);
        for line in &lines {
            assert!(width(line) <= columns, "{line:?} is wider than {columns}\n{}", lines.join("\n"));
        }
        let read = |word: String| serde_json::from_str::<Value>(&word).unwrap_or(Value::String(word));
        let words = |command: &str| shell_words(command).into_iter().map(read).collect::<Vec<_>>();
        assert_eq!(words(&lines.join("\n")), words(command), "\n{}", lines.join("\n"));
    }

    fn tags() -> Tags {
        Tags { run: "4f2a".into(), created: Some("2026-01-01T00:00:00Z".into()) }
    }

    fn operations() -> Vec<Operation> {
        let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "It's \"the\" key", "Principal":
            {"AWS": "arn:aws:iam::111122223333:user/a-rather-long-name-for-a-user"}, "Action": ["kms:A", "kms:B"]}]});
        let item = json!({"id": {"S": "p-001"}, "patient": {"S": "Ada O'Kowalska, who has a rather long name"}});
        vec![
            Operation::GetCallerIdentity,
            Operation::Scan { table: "kmslab-table-4f2a".into() },
            Operation::CreateKey { description: "two words".into(), tags: tags() },
            Operation::CreateTable {
                table: "kmslab-table-4f2a".into(),
                key: crate::lab::TableKey::Customer(key.into()),
                tags: tags(),
            },
            Operation::PutKeyPolicy { key: key.into(), policy: policy.to_string() },
            Operation::PutKeyPolicy { key: key.into(), policy: serde_json::to_string_pretty(&policy).unwrap() },
            Operation::PutItem { table: "kmslab-table-4f2a".into(), item: item.as_object().unwrap().clone() },
        ]
    }

    #[rstest]
    fn a_shell_reads_the_same_words_from_the_broken_lines(#[values(24, 38, 60, 98)] columns: usize) {
        for operation in operations() {
            for endpoint in [None, Some("http://127.0.0.1:4599")] {
                assert_same(&cli_line(&operation, "kmslab-test-user", "us-east-1", endpoint), columns);
            }
        }
    }

    #[test]
    fn each_option_has_a_line() {
        let scan = Operation::Scan { table: "kmslab-table-4f2a".into() };
        assert_eq!(
            broken(&cli_line(&scan, "kmslab-test-user", "us-east-1", None), 38),
            [
                "aws dynamodb scan \\",
                "  --table-name kmslab-table-4f2a \\",
                "  --profile kmslab-test-user \\",
                "  --region us-east-1"
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_description_survives(description in "[ -~]{0,80}", columns in 12usize..80) {
            let operation = Operation::CreateKey { description, tags: tags() };
            assert_same(&cli_line(&operation, "kmslab-admin", "us-east-1", None), columns);
        }
    }
}
