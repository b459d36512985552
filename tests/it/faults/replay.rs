//! REPLAY, on the disk and back: a lab that met everything, and one after it whose server is gone.

use std::fs;
use std::path::{Path, PathBuf};

use kmslab::run::answer_cache::AnswerCache;
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::layout::Size;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const STAGE: Stage = Stage::ViewDenied;

/// The same lab with its answers kept in `folder`.
fn keeping(lab: Lab, folder: &Path) -> Lab {
    let shelf = AnswerCache::new(Some(folder), lab.state.backend(), Some("classroom 1"));
    Lab { world: lab.world.with_shelf(Some(shelf)), ..lab }
}

/// After a lab that met everything; what it kept.
fn kept() -> (Proxy, TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = keeping(Lab::new(timing(None, 1)), folder.path());
    lab.state.set_names(Names::new("0ldrun77"));
    lab.run_to(Stage::CleanUp);
    assert_eq!((lab.state.met(), lab.state.not_cached()), (9, None));
    let host = lab.state.backend().host().unwrap().replace(':', "%3A");
    let shelf = folder.path().join(format!("{host},us-east-1,classroom%201"));
    let Lab { proxy, world, .. } = lab;
    // What is kept is written beside the loop, and waited for at its end.
    drop(world);
    (proxy, folder, shelf)
}

/// The next lab, whose connections are refused in the stage `view_denied`.
fn cut_off(proxy: Proxy, folder: &Path, masked: bool) -> Lab {
    let mut lab = keeping(Lab::on(proxy, timing(None, 1)), folder);
    if masked {
        lab.state.mask();
    }
    lab.run_to(STAGE.previous().unwrap());
    lab.press(Intent::Advance);
    lab.break_call(Fault::Refused, (STAGE, "Scan"), usize::MAX);
    lab.press(Intent::Advance);
    assert!(!lab.observed(STAGE).0);
    lab
}

fn picture(lab: &Lab) -> String {
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
    let buffer = render(&lab.state, &theme, Size::new(200, 50));
    let rows = buffer.content.chunks(200).map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_recorded_denial_is_shown_as_such_and_nothing_is_sent() {
    let (proxy, folder, _) = kept();
    let mut lab = cut_off(proxy, folder.path(), false);
    let offered = picture(&lab);
    assert!(
        offered.contains("no response · r: try again · F: show the response of ") && !offered.contains("⟳"),
        "{offered}"
    );
    let answered = lab.answered.len();
    lab.press(Intent::ToggleReplay);
    let replayed = picture(&lab);
    let first = replayed.lines().next().unwrap();
    assert!(first.contains("⟳ REPLAY ") && first.contains(" UTC") && !first.contains("127.0.0.1"), "{replayed}");
    assert_eq!(replayed.matches("⟳ REPLAY   ✔ ALLOWED").count(), 1, "{replayed}");
    assert_eq!(replayed.matches("⟳ REPLAY   ✘ DENIED").count(), 1, "{replayed}");
    assert!(replayed.contains("kmslab-user-0ldrun77"), "{replayed}");
    assert!(replayed.contains("✘ Not as expected"), "{replayed}");
    assert_eq!((answered, lab.state.summary().as_str()), (lab.answered.len(), "5 of 9 stages met, 1 shown as REPLAY"));
    lab.press(Intent::ToggleReplay);
    assert_eq!(picture(&lab), offered);

    // The server is back: the lab goes on where it was, and is live.
    lab.proxy.set(None);
    lab.press(Intent::ToggleReplay);
    lab.press(Intent::Retry);
    assert!(lab.observed(STAGE).0 && !picture(&lab).contains("⟳"));
    lab.run_to(Stage::CleanUp);
    assert_eq!(lab.state.summary(), "9 of 9 stages met");
    lab.assert_nothing_is_left("after a REPLAY");
}

#[test]
fn nothing_secret_is_kept_and_nobody_else_may_read_it() {
    let (proxy, folder, shelf) = kept();
    let mut secrets = proxy.secrets();
    let seen = secrets.len();
    secrets.push(proxy.sandbox.admin().secret_access_key.to_string());
    assert!(seen > 25 && secrets.iter().all(|secret| secret.len() >= 40), "{seen}");
    assert!(secrets.iter().any(|secret| secret.len() == 40), "a secret key went by");
    let mut files: Vec<_> = fs::read_dir(&shelf).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut names: Vec<_> = Stage::ALL.iter().map(|stage| shelf.join(format!("{}.json", stage.key()))).collect();
    names.sort();
    assert_eq!(files, names, "one file a stage, and no half-written one");
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let found: Vec<_> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
        assert!(found.is_empty(), "{}", file.display());
        assert_eq!(text.matches("Signature=").count(), text.matches("Signature=[redacted]").count());
        let token = text.to_ascii_lowercase();
        assert!(!token.contains("x-amz-security-token") && !token.contains("sessiontoken"), "{}", file.display());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert!(files.iter().all(|file| mode(file) == 0o600));
        assert_eq!(mode(&shelf), 0o700);
    }
    drop(folder);
}

#[test]
fn a_mask_lies_over_recorded_answers() {
    let (proxy, folder, shelf) = kept();
    let file: Value = serde_json::from_slice(&fs::read(shelf.join("view_denied.json")).unwrap()).unwrap();
    let mut lab = cut_off(proxy, folder.path(), true);
    lab.press(Intent::ToggleReplay);
    for _ in 0..4 {
        let picture = picture(&lab);
        assert!(picture.contains("⟳ REPLAY"), "{picture}");
        for original in ["0ldrun77", file["admin"]["account"].as_str().unwrap()] {
            assert!(!picture.contains(original), "{original}: {picture}");
        }
        lab.press(Intent::CycleView);
    }
}

#[rstest]
#[case::account("/admin/account", json!("444455556666"), "is of another account")]
#[case::version("/version", json!(2), "is of another version")]
#[case::stage("/stage", json!("who"), "is not of this stage")]
#[case::calls_of_another_stage("/exchanges/0/stage", json!("who"), "is not of this stage")]
#[case::no_calls("/exchanges", json!([]), "is not of this stage")]
#[case::place("/origin", json!("aws,us-east-1,default"), "is not of this stage")]
#[case::unknown_call("/exchanges/0/operation", json!("DropEverything"), "can't be read")]
#[case::not_ours("", json!(["a", 1]), "can't be read")]
fn what_is_not_ours_is_not_shown(#[case] at: &str, #[case] value: Value, #[case] says: &str) {
    let (proxy, folder, shelf) = kept();
    let path = shelf.join("view_denied.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    *file.pointer_mut(at).unwrap() = value;
    fs::write(&path, file.to_string()).unwrap();
    refuses(proxy, folder.path(), says);
}

#[rstest]
#[case::cut_off(&b"{\"version\":1,"[..])]
#[case::binary(&[0xff, 0, 0x1b])]
#[case::empty(b"")]
fn what_is_no_document_is_not_shown(#[case] bytes: &[u8]) {
    let (proxy, folder, shelf) = kept();
    fs::write(shelf.join("view_denied.json"), bytes).unwrap();
    refuses(proxy, folder.path(), "can't be read");
}

fn refuses(proxy: Proxy, folder: &Path, says: &str) {
    let mut lab = cut_off(proxy, folder, false);
    let said = lab.state.offer().unwrap();
    assert_eq!(said, format!("no response · r: try again · the kept answer {says}"));
    assert!(!lab.state.can_replay());
    lab.press(Intent::ToggleReplay);
    assert!(!picture(&lab).contains("⟳"));
}

#[test]
fn no_file_content_drives_a_terminal() {
    let (proxy, folder, shelf) = kept();
    let path = shelf.join("view_denied.json");
    let text = fs::read_to_string(&path).unwrap();
    let tampered = text
        .replace("Ada", "\\u001b]0;owned\\u0007\\u009b2J\\u202eAda")
        .replace("kms:Decrypt", "kms:\\u001b[31mDecrypt")
        .replace("0ldrun77", "0ld\\u001b[0m77");
    assert_ne!(text, tampered);
    let mut file: Value = serde_json::from_str(&tampered).unwrap();
    file["at"] = json!(u64::MAX);
    for number in ["duration_us", "at"] {
        file["exchanges"][0]["answer"][number] = json!(u64::MAX);
    }
    file["exchanges"][1]["answer"]["response"]["Ok"]["body"]["message"] = json!("User: \u{1b}[2J");
    fs::write(&path, file.to_string()).unwrap();
    let mut lab = cut_off(proxy, folder.path(), false);
    lab.press(Intent::ToggleReplay);
    assert!(lab.state.is_replay());
    for _ in 0..4 {
        let picture = picture(&lab);
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!picture.contains(harmful) && picture.contains("⟳ REPLAY"), "{picture:?}");
        lab.press(Intent::CycleView);
    }
}

#[test]
fn a_folder_that_cannot_be_written_stops_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut lab = keeping(Lab::new(timing(None, 1)), file.path());
    lab.run_to(Stage::Who);
    // The disk takes its time.
    let told = lab.runtime.block_on(lab.events.recv()).unwrap();
    lab.state.update(told);
    let told = lab.state.view().message.clone().unwrap();
    assert!(told.starts_with("the responses can't be saved for a REPLAY: "), "{told}");
    assert!(!told.contains(file.path().to_str().unwrap()), "a path names its owner");
    lab.run_to(Stage::CleanUp);
    assert_eq!((lab.state.met(), lab.state.not_cached()), (9, Some(told.as_str())));
}
