//! Whatever the program is built of may be given away with it: permissive licences alone.

use std::process::Command;

use rstest::rstest;
use serde_json::Value;

/// Each asks for no more than that its text comes along.
const PERMISSIVE: [&str; 7] = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Zlib"];
/// The data tables of Unicode, and the font of our pictures.
const OF_DATA: [&str; 2] = ["Unicode-3.0", "OFL-1.1"];

/// Whether an SPDX expression leaves a choice of allowed licences: one side of every OR, both of every AND.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let allowed = any(&words, &mut at);
    assert_eq!(at, words.len(), "{expression}");
    allowed
}

fn any(words: &[&str], at: &mut usize) -> bool {
    let mut allowed = all(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        allowed |= all(words, at);
    }
    allowed
}

fn all(words: &[&str], at: &mut usize) -> bool {
    let mut allowed = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= one(words, at);
    }
    allowed
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let word = words[*at];
    *at += 1;
    let mut allowed = PERMISSIVE.contains(&word) || OF_DATA.contains(&word);
    if word == "(" {
        allowed = any(words, at);
        *at += 1;
    }
    // An exception may only permit more, and is not needed here.
    if words.get(*at) == Some(&"WITH") {
        *at += 2;
    }
    allowed
}

#[rstest]
#[case("MIT", true)]
#[case("GPL-3.0-only", false)]
#[case("MIT/Apache-2.0", true)]
#[case("MIT OR GPL-2.0-only", true)]
#[case("MIT AND GPL-2.0-only", false)]
#[case("(GPL-2.0-only OR MIT) AND ISC", true)]
#[case("GPL-2.0-only OR MIT AND MPL-2.0", false)]
#[case("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true)]
fn an_expression_is_read_as_spdx_says(#[case] expression: &str, #[case] allowed: bool) {
    assert_eq!(is_allowed(expression), allowed);
}

#[test]
fn every_crate_is_under_a_permissive_licence() {
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    // Without a network: what was needed to build this test is here.
    let arguments = ["metadata", "--offline", "--format-version", "1", "--filter-platform", host.trim()];
    let cargo = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert_eq!(refused, Vec::<String>::new());
}
