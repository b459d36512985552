//! A write-up as Markdown (CommonMark, with GitHub's tables).

use super::Block;

/// The file's text.
pub fn render(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Heading(level, text) => {
                out.push_str(&format!("{} {}\n\n", "#".repeat(usize::from(*level)), escape(text)));
            }
            Block::Text { label, text } if label.is_empty() => out.push_str(&format!("{}\n\n", escape(text))),
            Block::Text { label, text } => out.push_str(&format!("**{}** {}\n\n", escape(label), escape(text))),
            Block::Code { label, text } => {
                let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
                if !label.is_empty() {
                    out.push_str(&format!("{}:\n\n", escape(label)));
                }
                out.push_str(&format!("{fence}\n{text}\n{fence}\n\n"));
            }
            Block::Table { caption, head, rows } => {
                let line = |cells: &[String]| {
                    format!("| {} |\n", cells.iter().map(|cell| escape(cell)).collect::<Vec<_>>().join(" | "))
                };
                out.push_str(&format!("{}:\n\n{}|{}\n", escape(caption), line(head), " --- |".repeat(head.len())));
                rows.iter().for_each(|row| out.push_str(&line(row)));
                out.push('\n');
            }
            Block::Links { label, links } => {
                out.push_str(&format!("{}:\n\n", escape(label)));
                links.iter().for_each(|(title, url)| out.push_str(&format!("- [{}](<{url}>)\n", escape(title))));
                out.push('\n');
            }
        }
    }
    out
}

/// `text` on one line, and nothing in it that Markdown or HTML would read.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_taken_for_markup() {
        let table =
            Block::Table { caption: "c".into(), head: vec!["a".into()], rows: vec![vec!["x | <b>_y_</b>\nz".into()]] };
        assert_eq!(render(&[table]), "c:\n\n| a |\n| --- |\n| x \\| \\<b\\>\\_y\\_\\</b\\> z |\n\n");
        let code = Block::Code { label: "l".into(), text: "a ``` b".into() };
        assert_eq!(render(&[code]), "l:\n\n````\na ``` b\n````\n\n");
    }
}
