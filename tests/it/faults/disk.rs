//! Pipes in place of files, which once hung like a disk that does not answer.

use std::process::Command;

use kmslab::run::answer_cache::AnswerCache;

use super::*;

/// Makes a pipe that nobody reads or writes: waiting for the other end takes forever.
fn pipe(path: &std::path::Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The next event, which must not take long.
fn next(lab: &mut Lab) -> Event {
    let Lab { runtime, events, .. } = lab;
    let waited = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), events.recv()).await });
    waited.expect("it hangs").expect("an event")
}

#[test]
fn a_pipe_in_place_of_a_journal_is_replaced() {
    let mut lab = Lab::new(timing(None, 1));
    lab.run_to(Stage::Who);
    lab.press(Intent::Advance);
    let folder = lab.journals.path().join("runs");
    std::fs::create_dir(&folder).unwrap();
    let journal = folder.join("faulty.jsonl");
    pipe(&journal);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Call { .. })), "{effects:?}");
    lab.runtime.block_on(async {
        effects.into_iter().for_each(|effect| lab.world.perform(effect));
    });
    let Event::CallFinished { answer, .. } = next(&mut lab) else { panic!("no answer") };
    assert_eq!(answer.response.unwrap().status, 200);
    let written = std::fs::metadata(&journal).unwrap();
    assert!(written.is_file() && written.len() > 0);
}

#[test]
fn a_pipe_in_place_of_a_recorded_answer_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(timing(None, 1));
    let shelf = AnswerCache::new(Some(folder.path()), lab.state.backend(), None);
    lab.run_to(Stage::Who);
    lab.world = lab.world.with_shelf(Some(shelf));
    let place = lab.state.backend().host().unwrap().replace(':', "%3A");
    let shelf = folder.path().join(format!("{place},us-east-1,default"));
    std::fs::create_dir(&shelf).unwrap();
    pipe(&shelf.join("who.json"));
    lab.runtime.block_on(async {
        lab.world.perform(Effect::LoadResponses { stage: Stage::Who, account: None });
    });
    let Event::ResponsesLoaded { found, .. } = next(&mut lab) else { panic!("nothing found") };
    assert_eq!(found, Err("the kept answer can't be read".to_owned()));
}
