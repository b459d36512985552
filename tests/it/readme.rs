//! The README and its guide are true: their pictures are what the program draws, their commands what it takes.

use std::path::{Path, PathBuf};

use kmslab::aws::Clients;
use kmslab::lab::{Backend, BackendKind, Effect, Event, Exchange, Identity, Intent, Names, Stage, State};
use kmslab::record::{Palette, svg};
use kmslab::run::effects::EffectHandler;
use kmslab::sandbox::{Config, Sandbox};
use kmslab::ui;
use kmslab::ui::theme::{ColorLevel, Theme, ThemeName};
use ratatui::layout::Size;
use rstest::rstest;

use crate::support::bare::bare;

const PICTURE: &str = "assets/view_denied.svg";

/// The pictures that move. The README says what makes each: `cargo run -- record PICTURE …`.
const MOVING: [&str; 2] = ["assets/lab.svg", "assets/attempt.svg"];

/// The state of a real lab on a seeded sandbox after `stage`, with durations of one millisecond: the only thing that
/// is not the same each time.
fn after(stage: Stage) -> State {
    let sandbox = Sandbox::start(Config { seed: Some(1), ..Config::default() }).unwrap();
    let admin = sandbox.admin();
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
    let backend = Backend {
        kind: BackendKind::Sandbox,
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.url().to_owned()),
        given_user: false,
    };
    let mut state = State::new(backend, Names::new("demo"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (world, mut events) = EffectHandler::new(clients);
        let mut event = Event::Intent(Intent::Advance);
        while state.check(stage).is_none() {
            if let Event::CallFinished { answer, .. } = &mut event {
                answer.duration_us = 1_000;
            }
            for effect in state.update(event) {
                assert_ne!(effect, Effect::Exit);
                world.perform(effect);
            }
            event = match state.is_running() {
                true => events.recv().await.unwrap(),
                false => Event::Intent(Intent::Advance),
            };
        }
    });
    state
}

#[test]
fn the_picture_is_what_the_program_draws() {
    let state = after(Stage::ViewDenied);
    let scan = |identity: Identity| -> &Exchange {
        state.record(Stage::ViewDenied).exchanges().find(|exchange| exchange.identity == identity).unwrap()
    };
    assert_eq!(scan(Identity::Admin).verdict.key(), "allowed");
    assert_eq!(scan(Identity::TestUser).verdict.key(), "denied");

    let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
    let buffer = ui::render(&state, &theme, Size { width: 100, height: 28 });
    let drawn = svg(
        &buffer,
        &Palette::DARK,
        "kmslab: the denied stage",
        "One Scan, sent as two identities at the same time: ALLOWED with three items for admin, DENIED on kms:Decrypt \
         for test-user.",
    );
    is_kept(PICTURE, &drawn);
}

/// The file `name` has what is drawn now.
fn is_kept(name: &str, drawn: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("KMSLAB_UPDATE").is_some() {
        std::fs::write(&path, drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "{name} is not what the program draws: KMSLAB_UPDATE=1 cargo test --test it readme");
}

#[rstest]
fn a_moving_picture_is_what_the_documented_command_records(#[values(MOVING[0], MOVING[1])] picture: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let makes_it = format!("cargo run -- record {picture} ");
    let options = readme.lines().find_map(|line| line.strip_prefix(&makes_it)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.svg");
    let output = bare(folder.path()).arg("record").arg(&path).args(options.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let drawn = std::fs::read_to_string(&path).unwrap();
    assert!(drawn.len() < 300_000, "{} bytes", drawn.len());
    is_kept(picture, &drawn);
}

/// The README and the pages it leads to, by their paths.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(root.join("assets/guide")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.extend(["README.md", "CONTRIBUTING.md"].map(|name| root.join(name)));
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn the_configuration_that_is_shown_is_one() {
    let pages = pages();
    let example =
        pages.iter().find_map(|(_, text)| text.split("```toml\n").nth(1)).unwrap().split("```").next().unwrap();
    let config = kmslab::run::config::Config::parse(example).unwrap();
    assert_eq!((config.theme, config.keys.len()), (Some(ThemeName::Light.into()), 3));
}

#[test]
fn the_readme_shows_its_pictures() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(MOVING.into_iter().chain([PICTURE]).all(|picture| readme.contains(&format!("]({picture})"))));
}

#[test]
fn commands_are_what_the_program_takes() {
    use clap::Parser;
    for (page, text) in pages() {
        let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("cargo run")).collect();
        assert!(!commands.is_empty(), "{} has no command", page.display());
        for line in commands {
            // Optional parts are written in brackets, and are tried, too.
            let line: String = line.split('#').next().unwrap().replace(['[', ']'], "");
            let arguments = line.split_whitespace().skip_while(|word| *word != "--").skip(1);
            let parsed = kmslab::cli::Cli::try_parse_from(std::iter::once("kmslab").chain(arguments));
            assert!(parsed.is_ok(), "{} says {line:?}: {parsed:?}", page.display());
        }
    }
}

#[test]
fn paths_and_links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (page, text) in pages() {
        for path in
            text.split('`').filter(|text| ["src/", "assets/", "tests/"].iter().any(|folder| text.starts_with(folder)))
        {
            assert!(root.join(path).exists(), "{} names {path}", page.display());
        }
        // The code tour leaves out the folder it is in.
        for name in text.split('`').filter(|text| text.ends_with(".rs") && !text.contains(char::is_whitespace)) {
            let is_there = ["", "src/", "src/lab/", "src/ui/", "src/sandbox/", "src/record/", "tests/", "tests/it/"]
                .iter()
                .any(|folder| root.join(folder).join(name).exists());
            assert!(is_there, "{} names {name}", page.display());
        }
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            assert!(page.parent().unwrap().join(target).exists(), "{} leads to {target}", page.display());
        }
    }
}
