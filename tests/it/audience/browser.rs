//! Both pages in a real browser: Chromium, driven by puppeteer. Without them this test says so and passes, unless
//! `KMSLAB_NEEDS_CLIENTS` is set, as it is in `.ci/run`, which installs them.

use std::path::Path;
use std::process::{Command, Stdio};

use kmslab::lab::{Event, Stage};

use super::Room;
use crate::support::lab::Session;

/// How many phones vote.
const PHONES: u16 = 40;

#[test]
fn forty_phones_vote_in_a_real_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let puppeteer = root.join("target/clients/npm/node_modules/puppeteer-core");
    let is_there = |program: &str| {
        let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    if !(puppeteer.is_dir() && is_there("node") && is_there("chromium")) {
        assert!(std::env::var_os("KMSLAB_NEEDS_CLIENTS").is_none(), "no Chromium, node or puppeteer: see .ci/run");
        eprintln!("skipped: no Chromium");
        return;
    }
    let mut room = Room::at(Session::sandbox().before(Stage::ViewDenied));
    let base = format!("http://{}", room.address);
    let mut browser = Command::new("node")
        .arg(root.join("tests/it/audience/phones.mjs"))
        .args([&base, &room.code, &room.secret, &PHONES.to_string()])
        .env("PUPPETEER", puppeteer.join("lib/esm/puppeteer/puppeteer-core.js"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The lab: it takes votes, and goes on when the teacher's page says so.
    let mut most = 0;
    let ended = loop {
        if let Some(status) = browser.try_wait().unwrap() {
            break status;
        }
        match room.events.try_recv() {
            Ok(event) => {
                if let Event::Turnout(turnout) = &event {
                    most = most.max(turnout.votes.iter().sum());
                }
                room.happen(event);
            }
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    };
    let output = browser.wait_with_output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(ended.success(), "{said}\n{complained}");
    assert_eq!(most, PHONES);
}
