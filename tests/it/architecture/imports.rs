//! Which file imports which, read off the sources, and the cycles in that.
//!
//! An import counts from the file that imports to the file that defines the thing: a re-export in between is looked
//! through. A path in the code counts as an import does.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::Source;

type Path = Vec<String>;

/// What a file has for others to find.
#[derive(Default)]
struct Module {
    file: String,
    defines: BTreeSet<String>,
    /// Names that it imports, re-exports among them, and where they come from.
    names: BTreeMap<String, Path>,
    /// Modules of which it imports everything.
    globs: Vec<Path>,
    /// Paths in its code.
    mentions: BTreeSet<Path>,
}

/// The modules of the crate, by their paths from its root.
pub struct Modules(BTreeMap<Path, Module>);

/// The imports: each file, and the files that it imports.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

impl Modules {
    pub fn new(sources: &[Source]) -> Modules {
        let paths: BTreeSet<Path> = sources.iter().map(|source| module_path(&source.path)).collect();
        let modules = sources.iter().filter(|source| source.path != "main.rs").map(|source| {
            let path = module_path(&source.path);
            let module = Module::read(source, &path, &paths);
            (path, module)
        });
        Modules(modules.collect())
    }

    pub fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        for module in self.0.values() {
            let imported = module.names.values().chain(&module.mentions).filter_map(|path| self.definer(path, 0));
            let globs = module.globs.iter().filter_map(|path| self.0.get(path)).map(|module| module.file.clone());
            let others = imported.chain(globs).filter(|file| *file != module.file).collect();
            graph.insert(module.file.clone(), others);
        }
        graph
    }

    /// The file that defines what `path` names; `None` for a module as such and for what is not of this crate.
    fn definer(&self, path: &[String], depth: usize) -> Option<String> {
        let known = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
        let module = &self.0[&path[..known]];
        let name = path.get(known)?;
        if module.defines.contains(name) {
            return Some(module.file.clone());
        }
        // Re-exports that lead in a circle are no Rust; this only has to end.
        if depth > 8 {
            return None;
        }
        let rest = &path[known + 1..];
        if let Some(target) = module.names.get(name) {
            return self.definer(&[target, rest].concat(), depth + 1);
        }
        module.globs.iter().find_map(|glob| self.definer(&[glob, &path[known..]].concat(), depth + 1))
    }
}

impl Module {
    fn read(source: &Source, path: &[String], modules: &BTreeSet<Path>) -> Module {
        let mut module = Module { file: source.path.clone(), ..Module::default() };
        let code: String = source.code().into_iter().map(|(_, line)| format!("{line}\n")).collect();
        let mut body = String::new();
        let mut lines = code.lines();
        while let Some(line) = lines.next() {
            let item = without_visibility(line);
            if let Some(start) = item.strip_prefix("use ") {
                let mut tree = start.to_owned();
                while !tree.contains(';') {
                    tree.push_str(lines.next().unwrap_or(";"));
                }
                let tree: String = tree.split(';').next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
                for (target, name) in leaves(&tree) {
                    let Some(target) = absolute(&target, path, modules) else { continue };
                    match name.as_str() {
                        "*" => module.globs.push(target),
                        _ => drop(module.names.insert(name, target)),
                    }
                }
                continue;
            }
            module.defines.extend(defined(item));
            body.push_str(line);
            body.push('\n');
        }
        for mention in paths(&body) {
            let first = &mention[0];
            match module.names.get(first) {
                Some(target) => drop(module.mentions.insert([target, &mention[1..]].concat())),
                None => module.mentions.extend(absolute(&mention, path, modules)),
            }
        }
        module
    }
}

/// The path of the module in this file.
fn module_path(file: &str) -> Path {
    let file = file.trim_end_matches(".rs");
    let file = file.strip_suffix("/mod").unwrap_or(file);
    if file == "lib" || file == "main" { Path::new() } else { file.split('/').map(str::to_owned).collect() }
}

fn without_visibility(line: &str) -> &str {
    let line = line.trim_start();
    let Some(rest) = line.strip_prefix("pub") else { return line };
    match rest.strip_prefix('(') {
        Some(rest) => rest.split_once(") ").map_or(line, |(_, rest)| rest),
        None => rest.strip_prefix(' ').unwrap_or(line),
    }
}

/// The name that an item's first line defines. A module in a file of its own defines no name here.
fn defined(item: &str) -> Option<String> {
    let mut words = item.split_whitespace().filter(|word| !matches!(*word, "async" | "unsafe" | "default"));
    let mut kind = words.next()?;
    let mut name = words.next()?;
    if kind == "const" && name == "fn" {
        (kind, name) = (name, words.next()?);
    }
    let is_item = matches!(
        kind,
        "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" | "mod" | "macro_rules!"
    );
    let name: String = name.chars().take_while(|c| is_word(*c)).collect();
    (is_item && !name.is_empty() && !(kind == "mod" && item.ends_with(';'))).then_some(name)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The leaves of a `use` tree: the path of each, and the name it gets.
fn leaves(tree: &str) -> Vec<(Path, String)> {
    let tree = tree.trim();
    let Some((before, list)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
        let mut path: Path = path.split("::").map(|part| part.trim().to_owned()).collect();
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let last = path.last().cloned().unwrap_or_default();
        if last == "*" {
            path.pop();
        }
        return vec![(path, alias.map_or(last, |alias| alias.trim().to_owned()))];
    };
    let list = list.trim_end().strip_suffix('}').unwrap_or(list);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| leaves(&format!("{before}{}", part.trim()))).collect()
}

/// Paths of at least two names in a piece of code, from their beginnings.
fn paths(code: &str) -> Vec<Path> {
    let mut found = Vec::new();
    let mut rest = code;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        if !is_word(c) || is_word(before) {
            before = c;
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let mut path = Path::new();
        let is_start = before != ':' && before != '.';
        loop {
            let word: String = rest.chars().take_while(|c| is_word(*c)).collect();
            rest = &rest[word.len()..];
            path.push(word);
            match rest.strip_prefix("::") {
                Some(more) if more.starts_with(is_word) => rest = more,
                _ => break,
            }
        }
        before = '_';
        if path.len() > 1 && is_start {
            found.push(path);
        }
    }
    found
}

/// `path`, as it stands in the module at `module`, from the root of the crate; `None` where it leads out of it.
fn absolute(path: &[String], module: &[String], modules: &BTreeSet<Path>) -> Option<Path> {
    let first = path.first()?;
    match first.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module, &path[1..]].concat()),
        "super" => {
            let up = path.iter().take_while(|part| *part == "super").count();
            Some([&module[..module.len().checked_sub(up)?], &path[up..]].concat())
        }
        _ => {
            let child = [module, std::slice::from_ref(first)].concat();
            modules.contains(&child).then(|| [module, path].concat())
        }
    }
}

/// The groups of files that import each other in a circle, the largest first.
pub fn cycles(graph: &Graph) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = graph.keys().map(|file| (file, from(graph, file))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, others) in &reached {
        let back = others.iter().filter(|other| reached.get(*other).is_some_and(|far| far.contains(file)));
        let cycle: Vec<String> = back.map(|other| (*other).clone()).collect();
        if cycle.len() > 1 {
            found.insert(cycle);
        }
    }
    let mut found: Vec<Vec<String>> = found.into_iter().collect();
    found.sort_by_key(|cycle| std::cmp::Reverse(cycle.len()));
    found
}

/// Every file that `file` imports, directly or not.
fn from<'a>(graph: &'a Graph, file: &String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&String> = graph[file].iter().collect();
    while let Some(next) = waiting.pop() {
        if reached.insert(next) {
            waiting.extend(graph.get(next).into_iter().flatten());
        }
    }
    reached
}

mod tests {
    use rstest::rstest;

    use super::super::sources::Source;
    use super::{Modules, cycles, leaves};

    fn modules(files: &[(&str, &str)]) -> Modules {
        Modules::new(&files.iter().map(|(path, text)| Source::new(path, text)).collect::<Vec<_>>())
    }

    /// The files that `a/b.rs` with this text imports.
    fn imported(text: &str) -> Vec<String> {
        let files = modules(&[
            ("lib.rs", "pub mod a;\npub mod z;\n"),
            (
                "a/mod.rs",
                "mod b;\nmod c;\npub mod d;\npub use c::Thing;\npub use d::*;\nuse c::Hidden as Other;\npub fn own() {}\n",
            ),
            ("a/b.rs", text),
            ("a/b/child.rs", "pub(crate) struct Small;\n"),
            ("a/c.rs", "pub struct Thing;\npub(super) enum Hidden {}\n"),
            ("a/d.rs", "pub const fn free() {}\npub mod inner {\n    pub fn deep() {}\n}\n"),
            ("z.rs", "pub use crate::a::Thing as Renamed;\npub static Z: u8 = 0;\n"),
        ]);
        files.graph()["a/b.rs"].iter().cloned().collect()
    }

    #[rstest]
    #[case::of_a_sibling("use super::c::Thing;", &["a/c.rs"])]
    #[case::through_a_re_export("use super::Thing;", &["a/c.rs"])]
    #[case::through_two("use crate::z::Renamed;", &["a/c.rs"])]
    #[case::through_all_of_a_module("use super::free;", &["a/d.rs"])]
    #[case::through_a_private_import("use super::Other;", &["a/c.rs"])]
    #[case::of_the_parent("use super::own;", &["a/mod.rs"])]
    #[case::a_list("use super::{c::{Thing}, own};\nuse crate::z::Z;", &["a/c.rs", "a/mod.rs", "z.rs"])]
    #[case::over_several_lines("use super::{\n    c::Thing,\n    own,\n};", &["a/c.rs", "a/mod.rs"])]
    #[case::a_module_alone("use super::c;", &[])]
    #[case::a_module_and_its_thing("use super::c;\nfn f() -> c::Thing { c::Thing }", &["a/c.rs"])]
    #[case::a_module_itself("use super::c::{self, Thing};", &["a/c.rs"])]
    #[case::everything("use super::d::*;", &["a/d.rs"])]
    #[case::a_path_in_the_code("fn f() -> super::c::Thing { loop {} }", &["a/c.rs"])]
    #[case::a_path_from_the_root("fn f() { g(&crate::a::d::free()) }", &["a/d.rs"])]
    #[case::a_child("fn f() -> child::Small { child::Small }", &["a/b/child.rs"])]
    #[case::a_module_in_a_file("fn f() { super::d::inner::deep() }", &["a/d.rs"])]
    #[case::a_comment("// super::c::Thing\n/// [`super::c::Thing`]\nfn f() {}", &[])]
    #[case::a_test("#[cfg(test)]\nmod tests {\n    use super::super::c::Thing;\n}", &[])]
    #[case::another_crate("use std::c::Thing;\nfn f() { other::c::Thing }", &[])]
    #[case::a_field("fn f() { x.super_::c(); y::super_; }", &[])]
    fn an_import_leads_to_the_definition(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(imported(text), expected);
    }

    #[test]
    fn a_tree_has_its_leaves() {
        let found = leaves("a::{self, b::{c, d as e}, f::*}");
        let found: Vec<(String, &str)> = found.iter().map(|(path, name)| (path.join("::"), name.as_str())).collect();
        let expected = [("a", "a"), ("a::b::c", "c"), ("a::b::d", "e"), ("a::f", "*")];
        assert_eq!(found, expected.map(|(path, name)| (path.to_owned(), name)));
    }

    #[test]
    fn cycles_are_found_whole() {
        let file = |imports: &str| format!("{imports}\npub struct T;");
        let chain = modules(&[
            ("a.rs", &file("use crate::b::T as B;")),
            ("b.rs", &file("use crate::c::T as C;")),
            ("c.rs", &file("")),
        ]);
        assert!(cycles(&chain.graph()).is_empty());
        let ring = modules(&[
            ("a.rs", &file("use crate::b::T as B;")),
            ("b.rs", &file("use crate::c::T as C;")),
            ("c.rs", &file("fn f(_: crate::a::T) {}")),
            ("d.rs", &file("use crate::e::T as E; ")),
            ("e.rs", &file("use crate::d::T as D;\nuse crate::a::T as A;")),
        ]);
        let names = |files: &[&str]| files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>();
        assert_eq!(cycles(&ring.graph()), [names(&["a.rs", "b.rs", "c.rs"]), names(&["d.rs", "e.rs"])]);
    }
}
