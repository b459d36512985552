//! Who may know whom: the layers of `src/lib.rs`, and those inside `lab` and `sandbox`, from the bottom to the top.

use std::collections::BTreeSet;

use rstest::rstest;

use super::imports::{Graph, Modules};
use super::sources::{Source, of_the_crate};

/// What a module below `src/` may name.
struct Layer {
    module: &'static str,
    /// Other modules of the crate.
    knows: &'static [&'static str],
    /// Names and words that must not be in it.
    without: &'static [&'static [&'static str]],
}

/// Files, network, clock, threads, environment, randomness. (An `IpAddr` is a value.)
#[rustfmt::skip]
const WORLD: &[&str] = &[
    "std::env", "std::fs", "std::io", "std::process", "std::thread", "std::time", "hyper", "rusqlite", "getrandom",
    "TcpListener", "TcpStream", "UdpSocket", "Instant", "SystemTime", "now_utc", "print!", "println!", "eprintln!",
];
const WAITING: &[&str] = &["async", "await", "block_on", "tokio"];
const SDK: &[&str] = &[
    "aws_config",
    "aws_runtime",
    "aws_sdk_dynamodb",
    "aws_sdk_iam",
    "aws_sdk_kms",
    "aws_sdk_sts",
    "aws_smithy_http_client",
    "aws_smithy_runtime_api",
    "aws_smithy_types",
    "aws_types",
];
const TERMINAL: &[&str] = &["ratatui", "crossterm"];
/// What the lab and its driver alone do with the state.
const CHANGES: &[&str] = &["&mut State", "state.update"];

/// From the bottom to the top.
const LAYERS: &[Layer] = &[
    Layer { module: "disk", knows: &[], without: &[WAITING, SDK, TERMINAL] },
    Layer { module: "policy", knows: &[], without: &[WORLD, WAITING, SDK, TERMINAL] },
    Layer { module: "lab", knows: &["policy"], without: &[WORLD, WAITING, SDK, TERMINAL] },
    Layer { module: "sandbox", knows: &["disk", "policy"], without: &[WAITING, SDK, TERMINAL] },
    Layer { module: "aws", knows: &["disk", "lab", "policy"], without: &[TERMINAL] },
    Layer { module: "ui", knows: &["lab"], without: &[WORLD, WAITING, SDK, CHANGES] },
    Layer { module: "record", knows: &["disk", "lab"], without: &[WAITING, SDK, CHANGES] },
    Layer { module: "cli", knows: &["lab", "ui"], without: &[WAITING, SDK, CHANGES] },
    Layer { module: "run", knows: &["aws", "cli", "disk", "lab", "record", "ui"], without: &[SDK] },
    Layer { module: "export", knows: &["cli", "disk", "lab", "record", "run"], without: &[WAITING, SDK, CHANGES] },
    Layer {
        module: "app",
        knows: &["aws", "cli", "disk", "export", "lab", "record", "run", "sandbox", "ui"],
        without: &[SDK],
    },
];

/// A file, what it has though its layer must not, and why.
const EXCEPTIONS: &[(&str, &[&str], &str)] = &[
    ("sandbox/http.rs", &["async", "await", "block_on", "tokio"], "the sandbox's network, on a thread of its own"),
    ("sandbox/http/crowd.rs", &["async", "await", "tokio"], "the connections of that network"),
    ("ui/terminal.rs", &["std::io", "std::time"], "the one part of the screen that writes"),
    (
        "ui/terminal/outlet.rs",
        &["Instant", "std::fs", "std::io", "std::thread", "std::time"],
        "its thread: writes wait",
    ),
];

/// What the file at `path` (below `src/`) names and must not, each with its line, counted from 1.
fn forbidden(source: &Source) -> Vec<(usize, String)> {
    let path = source.path.as_str();
    let module = path.split(['/', '.']).next().unwrap();
    let Some(layer) = LAYERS.iter().find(|layer| layer.module == module) else {
        return vec![(0, format!("{module} is in no layer of tests/it/architecture/layers.rs"))];
    };
    let words = layer.without.iter().copied().flatten().copied();
    let mut found = Vec::new();
    for (number, line) in source.code() {
        found.extend(words.clone().filter(|word| has(line, word)).map(|word| (number, word.to_owned())));
        let others = modules(path, line).into_iter().filter(|other| other != module && is_layer(other));
        let unknown = others.filter(|other| !layer.knows.contains(&other.as_str()));
        found.extend(unknown.map(|other| (number, format!("crate::{other}"))));
    }
    found
}

fn is_layer(name: &str) -> bool {
    LAYERS.iter().any(|layer| layer.module == name)
}

/// Whether `line` has `word` as a whole.
fn has(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let joins = |next: Option<char>, edge: Option<char>| next.is_some_and(is_part) && edge.is_some_and(is_part);
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        !joins(before, word.chars().next()) && !joins(after, word.chars().next_back())
    })
}

/// The crate's modules that `line` names, by `crate::…` or by as many `super::` as lead out of its own.
fn modules(path: &str, line: &str) -> Vec<String> {
    let depth = path.trim_end_matches("/mod.rs").split('/').count();
    let roots = ["crate::".to_owned(), "super::".repeat(depth)];
    let mut named = Vec::new();
    for root in roots {
        for (at, _) in line.match_indices(&root).filter(|(at, _)| !line[..*at].ends_with("super::")) {
            let rest = &line[at + root.len()..];
            let name =
                |text: &str| text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
            match rest.strip_prefix('{') {
                Some(list) => named.extend(list.split(',').filter_map(name)),
                None => named.extend(name(rest)),
            }
        }
    }
    named
}

#[test]
fn every_module_keeps_to_its_layer() {
    let files = of_the_crate();
    let (mut wrong, mut excepted) = (Vec::new(), BTreeSet::new());
    for source in files.iter().filter(|source| source.path != "main.rs" && source.path != "lib.rs") {
        let path = &source.path;
        for (line, what) in forbidden(source) {
            let allowed = |(file, words, _): &&(&str, &[&str], &str)| file == path && words.contains(&what.as_str());
            match EXCEPTIONS.iter().find(allowed) {
                Some(_) => drop(excepted.insert((path.clone(), what))),
                None => wrong.push(format!("src/{path}:{line}: `{what}` does not belong here")),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "see the layers in tests/it/architecture/layers.rs and src/lib.rs:\n{}",
        wrong.join("\n")
    );
    for (file, words, _) in EXCEPTIONS {
        for word in *words {
            let needed = excepted.contains(&((*file).to_owned(), (*word).to_owned()));
            assert!(needed, "src/{file} has no `{word}` any more: take it out of the exceptions");
        }
    }
}

#[rstest]
#[case::clock("lab/cost.rs", "use std::time::SystemTime;", &["std::time", "SystemTime"])]
#[case::async_("lab/mod.rs", "pub async fn wait() {}", &["async"])]
#[case::part_of_a_word("lab/feature/experiments/mod.rs", "Experiment::AwsOwnedKey => \"aws_owned_key_async_ish\",", &[])]
#[case::terminal("lab/view.rs", "fn draw(frame: &mut ratatui::Frame<'_>) {}", &["ratatui"])]
#[case::comment("lab/view.rs", "    // As ratatui does it.", &[])]
#[case::upwards("lab/state.rs", "use crate::run::effects::EffectHandler;", &["crate::run"])]
#[case::upwards_in_a_list("lab/state.rs", "use crate::{policy, ui::Theme};", &["crate::ui"])]
#[case::upwards_by_super("lab/state.rs", "use super::super::ui::Theme;", &["crate::ui"])]
#[case::within("lab/session/update.rs", "use super::super::policy::X;", &[])]
#[case::from_a_mod_file("lab/kernel/mod.rs", "use super::super::ui::Theme;", &["crate::ui"])]
#[case::downwards("ui/pane.rs", "use crate::lab::State;", &[])]
#[case::writes("ui/pane.rs", "fn draw(state: &mut State) { state.update(event); }", &["&mut State", "state.update"])]
#[case::sdk("run/effects.rs", "use aws_sdk_kms::Client;", &["aws_sdk_kms"])]
#[case::lesson_in_the_server("sandbox/kms/mod.rs", "use crate::lab::Stage;", &["crate::lab"])]
#[case::in_tests("lab/cost.rs", "mod tests {\n    use std::fs;\n}\nuse std::env;", &["std::env"])]
#[case::unknown("helpers/mod.rs", "", &["helpers is in no layer of tests/it/architecture/layers.rs"])]
fn what_breaks_a_layer_is_found(#[case] path: &str, #[case] text: &str, #[case] expected: &[&str]) {
    let found: Vec<String> = forbidden(&Source::new(path, text)).into_iter().map(|(_, what)| what).collect();
    assert_eq!(found, expected);
}

/// Layers inside a folder. A file may import its own layer and those before it.
struct Inner {
    folder: &'static str,
    /// Files, and folders with a `/`. What is in none of them is on top.
    layers: &'static [&'static [&'static str]],
    /// Folders whose entries stand side by side: none imports another.
    apart: &'static [&'static str],
}

#[rustfmt::skip]
const INNER: &[Inner] = &[Inner {
    folder: "lab",
    layers: &[
        &["model/"],
        &["lesson/", "stages/", "wait.rs"],
        &["kernel/", "trial/"],
        &["feature/", "calls.rs", "cost.rs", "path.rs", "view.rs"],
        &["resume.rs", "saving.rs"],
        &["session/"],
    ],
    apart: &["feature"],
}];

/// The imports that lead upward, or sideways where the parts stand apart.
fn misdirected(graph: &Graph) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for inner in INNER {
        for (file, imports) in graph {
            let wrong = imports.iter().filter(|other| is_wrong(inner, file, other));
            found.extend(wrong.map(|other| (file.clone(), other.clone())));
        }
    }
    found
}

fn is_wrong(inner: &Inner, file: &str, other: &str) -> bool {
    let (Some(from), Some(to)) = (level(inner, file), level(inner, other)) else { return false };
    let beside = |folder: &&str| {
        let prefix = format!("{}/{folder}/", inner.folder);
        let part = |path: &str| path.strip_prefix(&prefix).map(|rest| rest.split(['/', '.']).next().map(str::to_owned));
        matches!((part(file), part(other)), (Some(one), Some(two)) if one != two)
    };
    to > from || inner.apart.iter().any(beside)
}

/// Which layer of `inner` the file is in; `None` where it is not in its folder.
fn level(inner: &Inner, file: &str) -> Option<usize> {
    let below = file.strip_prefix(inner.folder)?.strip_prefix('/')?;
    let is_in = |part: &&str| if part.ends_with('/') { below.starts_with(part) } else { below == *part };
    let at = inner.layers.iter().position(|layer| layer.iter().any(is_in));
    Some(at.unwrap_or(inner.layers.len()))
}

#[test]
fn inner_layers_are_kept() {
    let found = misdirected(&Modules::new(&of_the_crate()).graph());
    let wrong: Vec<String> = found.iter().map(|(file, other)| format!("src/{file} imports src/{other}")).collect();
    assert!(wrong.is_empty(), "see INNER in tests/it/architecture/layers.rs:\n{}", wrong.join("\n"));
}

#[rstest]
#[case::downward("lab/kernel/mod.rs", "lab/model/stage.rs", false)]
#[case::upward("lab/model/stage.rs", "lab/kernel/mod.rs", true)]
#[case::to_the_rest("lab/kernel/mod.rs", "lab/doctor.rs", true)]
#[case::from_the_rest("lab/doctor.rs", "lab/session/state.rs", false)]
#[case::within("lab/model/facts.rs", "lab/model/stage.rs", false)]
#[case::side_by_side("lab/stages/who.rs", "lab/lesson/mod.rs", false)]
#[case::features("lab/feature/quiz.rs", "lab/feature/insight/mod.rs", true)]
#[case::one_feature("lab/feature/insight/trail.rs", "lab/feature/insight/mod.rs", false)]
#[case::elsewhere("ui/pane.rs", "lab/session/state.rs", false)]
fn an_upward_import_is_found(#[case] file: &str, #[case] other: &str, #[case] expected: bool) {
    assert_eq!(INNER.iter().any(|inner| is_wrong(inner, file, other)), expected);
}
