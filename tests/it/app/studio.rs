//! What a play has recorded is kept when it can't go on.

use std::time::Duration;

use futures_util::stream;
use kmslab::lab::Pace;
use kmslab::record::cast::{Header, Version};
use kmslab::record::{FilmOptions, Finished, Palette, Pixels, Recorder, RecorderOptions, Target};
use kmslab::run::autoplay::Autoplay;
use kmslab::run::config;
use kmslab::run::front::film::{OfflineRecorder, Play, Tempo};
use kmslab::ui::KeyCast;

use super::*;

#[tokio::test]
async fn what_was_filmed_before_the_play_got_stuck_is_there() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let admin = sandbox.admin();
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
    let backend = Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
    let mut state = State::new(backend, Names::new("test"));
    // The autoplay's enter means nothing.
    state.set_keys(config::Config::parse("[keys]\nadvance = \"f6\"\n").unwrap().keys);
    let folder = tempfile::tempdir().unwrap();
    let size = Size { width: 80, height: 24 };
    let recording = RecorderOptions {
        target: Target::new(folder.path().join("lab.gif"), false).unwrap(),
        header: Header { version: Version::Three, size, palette: Palette::DARK, timestamp: 0, keeps_pauses: true },
        film: FilmOptions { pixels: Pixels::new(640, None), ..FilmOptions::default() },
        partial: false,
    };
    let (world, events) = EffectHandler::new(clients);
    let studio = OfflineRecorder {
        world: &world,
        events,
        play: Play::Learner(Autoplay::new(Pace::Fast)),
        tempo: Tempo { pace: Pace::Fast, percent: 100 },
        recorder: Recorder::begin(recording, &state).unwrap(),
        theme: Theme::choose(ThemeName::Dark, ColorLevel::True),
        key_cast: KeyCast::default(),
        keys: false,
        seeded: None,
        cards: true,
    };
    let filmed = studio.film(&mut state, stream::pending()).await;
    assert!(filmed.failure.is_some_and(|failure| failure.to_string().contains("the play can't go on")));
    let recorded = filmed.recorder.finish(filmed.length, "t".into()).unwrap();
    let [(at, label)] = &recorded.chapters[..] else { panic!("{:?}", recorded.chapters) };
    assert!(label == "1 Who is asking?" && *at >= Duration::from_millis(1_500), "{at:?} {label}");
    let Finished::Film { film, .. } = recorded.finished else { panic!("it is not written yet") };
    assert_eq!(film.pictures.len(), 2, "the title and the first stage");
}
