//! The sources as text: the files below `src/`, and their lines of code.

use std::fs;
use std::path::Path;

/// A source file.
pub struct Source {
    /// Below `src/`, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    /// The lines of code, with their numbers from 1: no comments, and nothing that only tests are built of.
    pub fn code(&self) -> Vec<(usize, &str)> {
        code(&self.text)
    }
}

/// All files below `src/` that are not tests alone.
pub fn of_the_crate() -> Vec<Source> {
    let mut found = Vec::new();
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", false, &mut found);
    assert!(found.len() > 150, "only {} files were found", found.len());
    found
}

/// All Rust files of the project, tests included, by their paths below its root.
pub fn of_the_project() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["src", "tests", "benches"] {
        below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &format!("{folder}/"), true, &mut found);
    }
    found
}

fn below(folder: &Path, path: &str, with_tests: bool, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let place = format!("{path}{name}");
        if !with_tests && (name == "tests" || name == "tests.rs") {
            continue;
        } else if entry.file_type().unwrap().is_dir() {
            below(&entry.path(), &format!("{place}/"), with_tests, found);
        } else if name.ends_with(".rs") {
            found.push(Source { path: place, text: fs::read_to_string(entry.path()).unwrap() });
        }
    }
}

/// Relies on rustfmt: an item ends at a `;` or at a `}` that is indented as the item is.
fn code(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = lines.next() {
        let start = line.trim_start();
        if start.starts_with("//") {
            continue;
        }
        if start != "#[cfg(test)]" && line != "mod tests {" {
            found.push((number, line));
            continue;
        }
        let indent = &line[..line.len() - start.len()];
        let (mut item, mut is_long) = (line, line == "mod tests {");
        while is_long || item.trim_start().starts_with("#[") {
            let Some((_, next)) = lines.next() else { return found };
            item = next;
            let is_attribute = item.trim_start().starts_with("#[");
            let ends = item.strip_prefix(indent).is_some_and(|rest| rest.starts_with(['}', ')']));
            is_long = !ends && (is_long || !is_attribute && !item.ends_with([';', '}', ',']));
            if ends {
                break;
            }
        }
    }
    found
}

#[test]
fn code_is_neither_comment_nor_test() {
    let text = "\
use a::B; // why
// no
    /// no
#[cfg(test)]
use c::D;
#[cfg(test)]
#[path = \"x.rs\"]
mod x;
impl A {
    #[cfg(test)]
    fn only(&self) -> bool {
        if true {
            yes()
        }
    }

    fn both() {}
}
#[cfg(test)]
use e::{
    F,
};
mod tests {
    use std::fs;
    fn f() {
    }
}
use std::env;
";
    let lines: Vec<&str> =
        code(text).into_iter().map(|(_, line)| line.trim()).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["use a::B; // why", "impl A {", "fn both() {}", "}", "use std::env;"]);
    assert_eq!(code(text).last(), Some(&(28, "use std::env;")));
}
