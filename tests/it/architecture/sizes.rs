//! How long files and functions are, and in how many files the state of a session has methods.

use rstest::rstest;

use super::sources::{Source, of_the_crate, of_the_project};

const LINES_OF_A_FILE: usize = 600;
const LINES_OF_A_FUNCTION: usize = 60;
const FILES_OF_THE_STATE: usize = 6;
/// The longest name of a test, in characters.
const NAME_OF_A_TEST: usize = 59;

/// The functions that are too long, with their lines, from `fn` to the closing brace.
fn long_functions(source: &Source) -> Vec<(String, usize)> {
    let code = source.code();
    let mut found = Vec::new();
    for (at, (first, line)) in code.iter().enumerate() {
        let Some(name) = function(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let ends = |line: &str| {
            line.strip_prefix(indent).is_some_and(|rest| rest == "}" || rest.ends_with(';') && !rest.starts_with(' '))
        };
        if line.ends_with(['}', ';']) {
            continue;
        }
        let end = code[at + 1..].iter().find(|(_, line)| ends(line)).map_or(*first, |(number, _)| *number);
        if end - first + 1 > LINES_OF_A_FUNCTION {
            found.push((name.to_owned(), end - first + 1));
        }
    }
    found
}

/// The name of the function that begins on this line.
fn function(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let is_head = before.split_whitespace().all(|word| {
        word.starts_with("pub") || matches!(word, "const" | "async" | "unsafe" | "default") || word.ends_with(')')
    });
    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (is_head && !name.is_empty()).then_some(name)
}

fn has_methods_of_the_state(source: &Source) -> bool {
    source.path.starts_with("lab/") && source.code().iter().any(|(_, line)| *line == "impl State {")
}

/// The names of tests that are too long.
fn long_names_of_tests(source: &Source) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in source.text.lines().map(str::trim_start) {
        is_test |= ["#[test]", "#[rstest]", "#[tokio::test"].iter().any(|attribute| line.starts_with(attribute));
        let Some(name) = function(line) else { continue };
        if std::mem::take(&mut is_test) && name.len() > NAME_OF_A_TEST {
            found.push(name);
        }
    }
    found
}

/// The paths of the files that are too long.
fn long_files(files: &[Source]) -> Vec<&str> {
    let long = files.iter().filter(|source| source.text.lines().count() > LINES_OF_A_FILE);
    long.map(|source| source.path.as_str()).collect()
}

#[test]
fn no_file_is_long() {
    let files = of_the_project();
    let long = long_files(&files);
    assert!(long.is_empty(), "over {LINES_OF_A_FILE} lines: {long:?}");
}

#[test]
fn no_function_is_long() {
    let mut long = Vec::new();
    for source in of_the_crate() {
        let functions = long_functions(&source).into_iter();
        long.extend(functions.map(|(name, lines)| format!("src/{}: {name} has {lines} lines", source.path)));
    }
    assert!(long.is_empty(), "over {LINES_OF_A_FUNCTION} lines:\n{}", long.join("\n"));
}

#[test]
fn the_state_has_its_methods_in_few_files() {
    let files: Vec<String> =
        of_the_crate().into_iter().filter(has_methods_of_the_state).map(|source| source.path).collect();
    assert!(!files.is_empty() && files.len() <= FILES_OF_THE_STATE, "{} files: {files:?}", files.len());
}

#[test]
fn no_name_of_a_test_is_long() {
    let files = of_the_project();
    let long: Vec<_> = files.iter().flat_map(long_names_of_tests).collect();
    assert!(long.is_empty(), "over {NAME_OF_A_TEST} characters: {long:?}");
}

#[rstest]
#[case::at_the_limit("#[test]\n", 59, false)]
#[case::over_it("    #[test]\n    ", 60, true)]
#[case::with_cases("#[rstest]\n#[case(1)]\n", 60, true)]
#[case::that_waits("#[tokio::test(flavor = \"current_thread\")]\nasync ", 60, true)]
#[case::a_helper("#[test]\nfn short() {}\n", 60, false)]
fn a_long_name_of_a_test_is_found(#[case] before: &str, #[case] length: usize, #[case] expected: bool) {
    let name = "n".repeat(length);
    let source = Source::new("a.rs", &format!("{before}fn {name}() {{}}\n"));
    assert_eq!(long_names_of_tests(&source), if expected { vec![name.as_str()] } else { Vec::new() });
}

#[test]
fn a_long_file_is_found() {
    let files = [Source::new("a.rs", &"\n".repeat(600)), Source::new("b.rs", &"\n".repeat(601))];
    assert_eq!(long_files(&files), ["b.rs"]);
}

/// A function with this head, and `lines` lines from head to closing brace.
fn text(head: &str, indent: &str, lines: usize) -> String {
    format!("{indent}{head} {{\n{}{indent}}}\n", format!("{indent}    work();\n").repeat(lines - 2))
}

#[rstest]
#[case::at_the_limit("fn f()", "", 60, None)]
#[case::over_it("fn f()", "", 61, Some("f"))]
#[case::a_method("pub(crate) async fn run(&self) -> u8", "    ", 61, Some("run"))]
#[case::a_constant_function("pub const fn g<T>()", "", 70, Some("g"))]
#[case::no_function("impl Work for T", "", 70, None)]
#[case::a_type("static WORK: fn(u8) =", "", 70, None)]
fn a_long_function_is_found(
    #[case] head: &str,
    #[case] indent: &str,
    #[case] lines: usize,
    #[case] name: Option<&str>,
) {
    let found = long_functions(&Source::new("a.rs", &text(head, indent, lines)));
    assert_eq!(found, name.map(|name| (name.to_owned(), lines)).into_iter().collect::<Vec<_>>());
}

#[test]
fn a_long_head_and_a_declaration_are_measured() {
    let head = "pub fn f(\n    a: u8,\n    b: u8,\n) -> u8 {\n";
    let whole = format!(
        "trait T {{\n    fn declared(&self) -> u8;\n    fn one(&self) {{}}\n}}\n{head}{}}}\n",
        "    work();\n".repeat(56)
    );
    assert_eq!(long_functions(&Source::new("a.rs", &whole)), [("f".to_owned(), 61)]);
    let tests = format!("mod tests {{\n{}}}\n", text("fn long()", "    ", 80));
    assert!(long_functions(&Source::new("a.rs", &tests)).is_empty(), "tests may be long");
}

#[rstest]
#[case("lab/a.rs", "impl State {\n}", true)]
#[case("lab/a.rs", "impl Default for State {\n}", false)]
#[case("lab/a.rs", "#[cfg(test)]\nimpl State {\n}\n", false)]
#[case("sandbox/a.rs", "impl State {\n}", false)]
fn methods_of_the_state_are_found(#[case] path: &str, #[case] text: &str, #[case] expected: bool) {
    assert_eq!(has_methods_of_the_state(&Source::new(path, text)), expected);
}
