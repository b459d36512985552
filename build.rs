//! Puts the version and the commit into the binary, as `KMSLAB_VERSION`.
//!
//! The commit comes from the environment (`KMSLAB_COMMIT`), from a crate's package, from a `git archive`, or from git.
//! Without any of them, the version stands alone. Nothing else goes in, so that equal sources give equal binaries.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// As many digits of a commit are shown.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=KMSLAB_COMMIT");
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let commit = env::var("KMSLAB_COMMIT").ok().or_else(|| of_package(&folder)).or_else(|| of_archive(&folder));
    let commit = commit.or_else(|| of_git(&folder));
    let commit = commit.map(|commit| commit.trim().chars().take(DIGITS).collect::<String>());
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    match commit.filter(|commit| !commit.is_empty() && commit.chars().all(|c| c.is_ascii_hexdigit())) {
        Some(commit) => println!("cargo::rustc-env=KMSLAB_VERSION={version} ({commit})"),
        None => println!("cargo::rustc-env=KMSLAB_VERSION={version}"),
    }
}

/// The commit that `cargo package` notes.
fn of_package(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(".cargo_vcs_info.json")).ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    after.split('"').nth(1).map(str::to_owned)
}

/// The commit that `git archive` puts into this file; in a work tree it holds a placeholder.
fn of_archive(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("assets/commit.txt")).ok()?;
    (!text.contains('$')).then_some(text)
}

/// The commit of the work tree whose root is `folder`. Only a new commit makes cargo build again.
fn of_git(folder: &Path) -> Option<String> {
    if !folder.join(".git").exists() {
        return None;
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    // What moves with a commit: HEAD, and the log of it, which git appends to.
    for file in ["HEAD", "logs/HEAD"] {
        let path = folder.join(git(&["rev-parse", "--git-path", file])?);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    git(&["rev-parse", "HEAD"])
}
