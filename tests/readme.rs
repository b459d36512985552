//! The README is true: its picture is what the program draws, and its commands are what the program takes.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]

use std::path::Path;

use kmslab::aws::Clients;
use kmslab::lab::{Backend, BackendKind, Event, Exchange, Identity, Intent, Names, Stage, State};
use kmslab::record::{Palette, svg};
use kmslab::run::world::{Rest, World};
use kmslab::sandbox::{Config, Sandbox};
use kmslab::ui;
use kmslab::ui::theme::{ColorLevel, Theme, ThemeName};
use ratatui::layout::Size;

const PICTURE: &str = "assets/view_denied.svg";

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
        let (world, mut events) = World::new(clients);
        let mut event = Event::Intent(Intent::Advance);
        while state.check(stage).is_none() {
            if let Event::CallFinished { answer, .. } = &mut event {
                answer.duration_us = 1_000;
            }
            for effect in state.update(event) {
                assert_ne!(world.perform(effect), Rest::Exit);
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
        state.record(Stage::ViewDenied).exchanges.iter().find(|exchange| exchange.identity == identity).unwrap()
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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURE);
    if std::env::var_os("KMSLAB_UPDATE").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "{PICTURE} is not what the program draws: KMSLAB_UPDATE=1 cargo test --test readme");
}

#[test]
fn the_readmes_configuration_is_one() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let config = kmslab::run::config::Config::parse(example).unwrap();
    assert_eq!((config.theme, config.keys.len()), (Some(ThemeName::Light), 3));
}

#[test]
fn the_readme_shows_the_picture_and_its_commands_and_paths_exist() {
    use clap::Parser;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains(&format!("]({PICTURE})")));

    let commands: Vec<&str> = readme.lines().filter(|line| line.starts_with("cargo run")).collect();
    assert!(commands.len() >= 5, "{commands:?}");
    for line in commands {
        // Optional parts are written in brackets, and are tried, too.
        let line: String = line.split('#').next().unwrap().replace(['[', ']'], "");
        let arguments = line.split_whitespace().skip_while(|word| *word != "--").skip(1);
        let parsed = kmslab::cli::Cli::try_parse_from(std::iter::once("kmslab").chain(arguments));
        assert!(parsed.is_ok(), "the README says {line:?}: {parsed:?}");
    }
    for path in readme.split('`').filter(|text| text.starts_with("src/") || text.starts_with("assets/")) {
        assert!(root.join(path).exists(), "the README names {path}");
    }
}
