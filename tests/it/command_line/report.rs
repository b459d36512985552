//! `kmslab doctor --report`: one file to send, shown first.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// As a person whose environment is full of secrets.
fn reported(tmp: &Path, more: &[&str]) -> Output {
    let mut command = kmslab(tmp);
    command.current_dir(tmp).args(["doctor", "--report"]).args(more);
    command.env("AWS_SESSION_TOKEN", format!("FwoGZXIvYXdzEBYaD{}", "x9Y/".repeat(60)));
    command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7ABCDEFG").env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_PROFILE", "margarete-prod").env("TERM", "xterm-kitty").output().expect("kmslab starts")
}

#[test]
fn a_report_is_shown_and_written_for_its_owner() {
    let tmp = tempfile::tempdir().unwrap();
    let log = tmp.path().join("my.log");
    let debugged = output(tmp.path(), &["run", "--seed", "1", "--debug", log.to_str().unwrap()]);
    assert_eq!(debugged.status.code(), Some(0), "{}", text(&debugged.stderr));
    fs::write(&log, fs::read_to_string(&log).unwrap() + &format!("Authorization: Signature=abc {SECRET}\n")).unwrap();

    let output = reported(tmp.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let file = tmp.path().join("kmslab-report.txt");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let report = fs::read_to_string(&file).unwrap();
    assert_eq!(report, text(&output.stdout));
    assert!(text(&output.stderr).contains("kmslab-report.txt: look through it before you send it"));
    for part in [
        "[version]\nkmslab ",
        "TERM=xterm-kitty",
        "backend: sandbox",
        "[checks]\n",
        "region             us-east-1",
        "app ended exit=Met",
    ] {
        assert!(report.contains(part), "{part} is not in:\n{report}");
    }
    // The account and the run of the sandbox with this seed have pseudonyms, too.
    let home = tmp.path().to_str().unwrap();
    for secret in ["x9Y/", SECRET, "AKIAIOSFODNN7ABCDEFG", "margarete", "3c6ef372", "Signature=", home] {
        assert!(!report.contains(secret), "{secret} is in:\n{report}");
    }
}

#[test]
fn a_report_replaces_no_file() {
    let tmp = tempfile::tempdir().unwrap();
    let file = tmp.path().join("mine.txt");
    for taken in ["a file", "a link to nowhere"] {
        match taken {
            "a file" => fs::write(&file, "kept").unwrap(),
            _ => {
                fs::remove_file(&file).unwrap();
                std::os::unix::fs::symlink("elsewhere", &file).unwrap();
            }
        }
        let output = reported(tmp.path(), &["mine.txt"]);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{taken}");
        assert!(text(&output.stderr).contains("mine.txt exists: name a new file, --report FILE"), "{taken}");
    }
    assert!(!tmp.path().join("elsewhere").exists());
}

#[test]
fn a_report_is_masked_even_with_no_mask() {
    let tmp = tempfile::tempdir().unwrap();
    let output = reported(tmp.path(), &["mine.txt", "--no-mask", "--endpoint-url", "http://127.0.0.1:1"]);
    // There is no such profile: a finding like others.
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    assert!(report.contains("backend: another server") && report.contains("none: run kmslab with --debug"), "{report}");
    assert!(!report.contains("margarete") && !report.contains(SECRET), "{report}");
}
