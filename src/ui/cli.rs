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
    // `aws dynamodb scan` is one thing.
    groups[0] = vec![groups[0].join(" ")];
    groups
}

/// The words of a command line with their quotation marks. Only the quoting that `cli_line` uses is known.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for atom in atoms(command) {
        match (atom.text.as_str(), words.last_mut()) {
            (" ", _) if !atom.quoted => words.push(String::new()),
            (text, Some(word)) => word.push_str(text),
            (_, None) => {}
        }
    }
    words
}

/// The smallest part of a command line that must stay together.
struct Atom {
    text: String,
    /// Whether it stands between quotation marks (their own closing mark does, too).
    quoted: bool,
}

fn atoms(command: &str) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let mut quoted = false;
    let mut rest = command;
    while let Some(c) = rest.chars().next() {
        let length = if quoted && rest.starts_with(r"'\''") { r"'\''".len() } else { c.len_utf8() };
        let (text, after) = rest.split_at(length);
        if text == "'" {
            quoted = !quoted;
        }
        // An opening mark counts as quoted, a closing one as not: nothing can be put before the first or after the last.
        atoms.push(Atom { text: text.to_owned(), quoted });
        rest = after;
    }
    atoms
}

/// One word in lines of at most `columns`; two columns more are free for a continuation mark.
fn broken_word(word: &str, indent: usize, columns: usize) -> Vec<String> {
    let is_json = is_json(word);
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    let mut used = indent;
    let mut in_string = false;
    let mut escaped = false;
    let pieces = pieces(word, is_json);
    for piece in pieces {
        if piece.text == "\n" {
            lines.push(std::mem::take(&mut line));
            // White space before the next member is the document's own.
            used = 0;
            continue;
        }
        if used + width(&piece.text) > columns && used > indent && is_json && !in_string && piece.quoted {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            used = indent;
        }
        for atom in atoms_of(&piece) {
            let columns_of_atom = width(&atom.text);
            // One more column for the quotation mark that closes the line.
            if used + columns_of_atom + usize::from(atom.quoted) > columns && used > 0 && !line.trim().is_empty() {
                line.push_str(if atom.quoted { "'\\" } else { "\\" });
                lines.push(std::mem::replace(&mut line, if atom.quoted { "'".to_owned() } else { String::new() }));
                used = usize::from(atom.quoted);
            }
            for c in atom.text.chars() {
                if c == '"' && !escaped {
                    in_string = !in_string;
                }
                escaped = c == '\\' && !escaped;
            }
            line.push_str(&atom.text);
            used += columns_of_atom;
        }
    }
    lines.push(line);
    lines
}

/// Whether a quoted word is a JSON document, where white space between the parts means nothing.
fn is_json(word: &str) -> bool {
    let document =
        word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')).map(|text| text.replace(r"'\''", "'"));
    document.is_some_and(|text| {
        text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()
    })
}

/// A run of atoms that stays together if it can.
struct Piece {
    text: String,
    quoted: bool,
}

fn atoms_of(piece: &Piece) -> Vec<Atom> {
    let mut atoms = atoms(&piece.text);
    // Inside quotation marks from the piece's beginning: an apostrophe can only be the escaped one.
    if piece.quoted && !piece.text.starts_with('\'') {
        atoms = Vec::new();
        let mut rest = piece.text.as_str();
        while let Some(c) = rest.chars().next() {
            let length = if rest.starts_with(r"'\''") { r"'\''".len() } else { c.len_utf8() };
            let (text, after) = rest.split_at(length);
            atoms.push(Atom { text: text.to_owned(), quoted: text != "'" });
            rest = after;
        }
    }
    atoms
}

/// JSON in pieces that end after a comma or a bracket outside of strings, other words after `,`; line ends alone.
fn pieces(word: &str, is_json: bool) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open: Option<Piece> = None;
    let (mut in_string, mut escaped) = (false, false);
    for atom in atoms(word) {
        if atom.text == "\n" {
            pieces.extend(open.take());
            pieces.push(Piece { text: atom.text, quoted: true });
            continue;
        }
        let structural = matches!(atom.text.as_str(), "," | "{" | "[") && !in_string;
        if is_json && atom.text == "\"" && !escaped {
            in_string = !in_string;
        }
        escaped = atom.text == "\\" && !escaped;
        let quoted = atom.quoted;
        open.get_or_insert_with(|| Piece { text: String::new(), quoted }).text.push_str(&atom.text);
        if structural {
            pieces.extend(open.take());
        }
    }
    pieces.extend(open);
    pieces
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::lab::{Identity, Operation, cli_line};

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

    fn operations() -> Vec<Operation> {
        let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "It's \"the\" key", "Principal":
            {"AWS": "arn:aws:iam::111122223333:user/a-rather-long-name-for-a-user"}, "Action": ["kms:A", "kms:B"]}]});
        let item = json!({"id": {"S": "p-001"}, "patient": {"S": "Ada O'Kowalska, who has a rather long name"}});
        vec![
            Operation::GetCallerIdentity,
            Operation::Scan { table: "kmslab-table-4f2a".into() },
            Operation::CreateKey { description: "two words".into() },
            Operation::CreateTable { table: "kmslab-table-4f2a".into(), key: key.into() },
            Operation::PutKeyPolicy { key: key.into(), policy: policy.to_string() },
            Operation::PutKeyPolicy { key: key.into(), policy: serde_json::to_string_pretty(&policy).unwrap() },
            Operation::PutItem { table: "kmslab-table-4f2a".into(), item: item.as_object().unwrap().clone() },
        ]
    }

    #[rstest]
    fn a_shell_reads_the_same_words_from_the_broken_lines(#[values(24, 38, 60, 98)] columns: usize) {
        for operation in operations() {
            for endpoint in [None, Some("http://127.0.0.1:4599")] {
                assert_same(&cli_line(&operation, Identity::TestUser, "us-east-1", endpoint), columns);
            }
        }
    }

    #[test]
    fn each_option_has_a_line() {
        let scan = Operation::Scan { table: "kmslab-table-4f2a".into() };
        assert_eq!(
            broken(&cli_line(&scan, Identity::TestUser, "us-east-1", None), 38),
            [
                "aws dynamodb scan \\",
                "  --table-name kmslab-table-4f2a \\",
                "  --profile test-user \\",
                "  --region us-east-1"
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_description_survives(description in "[ -~]{0,80}", columns in 12usize..80) {
            let operation = Operation::CreateKey { description };
            assert_same(&cli_line(&operation, Identity::Admin, "us-east-1", None), columns);
        }
    }
}
