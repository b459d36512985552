//! A disk that does not answer, as a home folder on a network may not.

use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Instant;

use kmslab::lab::TimerId;
use kmslab::run::verified::Shelf;

use super::*;

#[test]
fn a_journal_that_hangs_holds_back_its_call_and_nothing_else() {
    let mut lab = Lab::new(timing(None, 1));
    lab.run_to(Stage::Who);
    lab.press(Intent::Advance);
    let folder = lab.journals.path().join("runs");
    std::fs::create_dir(&folder).unwrap();
    // Whoever opens a pipe to write waits until somebody reads it.
    let pipe = folder.join("faulty.new");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (answer, hangs) = channel::<()>();
    let disk = std::thread::spawn(move || {
        // If everything hung, this test would not.
        let _ = hangs.recv_timeout(Duration::from_secs(60));
        let _ = std::fs::read(pipe);
    });
    let is_created = |lab: &Lab| lab.proxy.sandbox.decisions().iter().any(|one| one.action == "kms:CreateKey");

    let begun = Instant::now();
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Call { .. })), "{effects:?}");
    let timer = TimerId(u64::MAX);
    let (first, second) = lab.runtime.block_on(async {
        effects.into_iter().for_each(|effect| drop(lab.world.perform(effect)));
        lab.world.perform(Effect::After { timer, millis: 10 });
        let first = lab.events.recv().await;
        (first, tokio::time::timeout(Duration::from_millis(300), lab.events.recv()).await)
    });
    assert!(begun.elapsed() < Duration::from_secs(50), "the loop hung, too");
    assert_eq!(first, Some(Event::TimerFired(timer)), "the loop goes on");
    assert!(second.is_err() && !is_created(&lab), "no intent, no call: {second:?}");

    // Something is there at last, and it is no file.
    answer.send(()).unwrap();
    let Some(Event::CallFinished { answer, .. }) = lab.runtime.block_on(lab.events.recv()) else { panic!("no answer") };
    let told = answer.response.unwrap_err().message;
    assert!(told.starts_with("nothing was sent: the journal can't be written ("), "{told}");
    assert!(!is_created(&lab));
    disk.join().unwrap();
}

#[test]
fn a_recorded_answer_that_hangs_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(timing(None, 1));
    let shelf = Shelf::new(Some(folder.path()), &lab.state.backend, None);
    lab.run_to(Stage::Who);
    lab.world = lab.world.with_shelf(Some(shelf));
    let place = lab.state.backend.host().unwrap().replace(':', "%3A");
    let shelf = folder.path().join(format!("{place},us-east-1,default"));
    std::fs::create_dir(&shelf).unwrap();
    // Whoever opens a pipe to read waits until somebody writes to it.
    let pipe = shelf.join("who.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (answer, hangs) = channel::<()>();
    let disk = std::thread::spawn(move || {
        // If everything hung, this test would not.
        let _ = hangs.recv_timeout(Duration::from_secs(20));
        std::fs::write(pipe, "{}").unwrap();
    });

    let timer = TimerId(u64::MAX);
    let begun = Instant::now();
    let first = lab.runtime.block_on(async {
        lab.world.perform(Effect::Recall { stage: Stage::Who, account: None });
        lab.world.perform(Effect::After { timer, millis: 10 });
        lab.events.recv().await
    });
    assert_eq!(first, Some(Event::TimerFired(timer)), "the loop goes on");
    assert!(begun.elapsed() < Duration::from_secs(10), "the loop hung, too");
    answer.send(()).unwrap();
    let Some(Event::Recalled { found, .. }) = lab.runtime.block_on(lab.events.recv()) else { panic!("nothing found") };
    assert_eq!(found, Err("the kept answer can't be read".to_owned()));
    disk.join().unwrap();
}
