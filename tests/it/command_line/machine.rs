//! What a machine may have in place of the program's files, and what it may lack.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;

use super::{kmslab, text};

/// What `command` prints. It is killed where it hangs, which is an error.
fn ended(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("{command:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// Makes a pipe, and its folder.
fn pipe(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

const STATE: &str = ".local/state/kmslab";

#[rstest]
#[case::config(".config/kmslab/config.toml", &["run"], 2, "a pipe")]
#[case::another_config("own.toml", &["run", "--config", "own.toml"], 2, "a pipe")]
#[case::lesson("lesson/en/who.toml", &["lesson", "check", "--lesson", "lesson"], 2, "a pipe")]
#[case::session(".local/state/kmslab/session.json", &["export", "x.md"], 2, "session.json can't be read: it is a pipe")]
#[case::journal(".local/state/kmslab/runs/4f2a.jsonl", &["cleanup"], 3, "4f2a.jsonl is no journal")]
#[case::root_key("data/hsm.key", &["serve", "--listen", "127.0.0.1:0", "--data", "data"], 2, "a pipe")]
#[case::data_lock("data/kmslab.lock", &["serve", "--listen", "127.0.0.1:0", "--data", "data"], 2, "data/kmslab.lock: it is a pipe")]
#[case::database("data/kmslab.db", &["serve", "--listen", "127.0.0.1:0", "--data", "data"], 2, "data/kmslab.db: it is a pipe")]
#[case::log("x.kmslab", &["replay", "x.kmslab"], 2, "a pipe")]
#[case::recording("x.cast", &["verify-cast", "x.cast"], 2, "a pipe")]
#[case::font("x.ttf", &["record", "x.png", "--font", "x.ttf"], 2, "a pipe")]
#[case::write_up("x.sh", &["export", "x.sh", "--force"], 2, "not a regular file")]
#[case::profiles(".aws/config", &["run", "--endpoint-url", "http://127.0.0.1:1"], 2, ".aws/config can't be read: it is a pipe")]
#[case::keys(".aws/credentials", &["run", "--endpoint-url", "http://127.0.0.1:1"], 2, ".aws/credentials can't be read: it is a pipe")]
fn a_pipe_in_place_of_a_file_hangs_nothing(
    #[case] file: &str,
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] says: &str,
) {
    let tmp = tempfile::tempdir().unwrap();
    pipe(&tmp.path().join(file));
    let mut command = kmslab(tmp.path());
    command.current_dir(tmp.path()).args(arguments);
    let output = ended(command);
    let told = text(&output.stderr) + &text(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(says), "{told}");
}

#[rstest]
#[case::certificates("AWS_CA_BUNDLE", "the certificates in")]
#[case::token("AWS_WEB_IDENTITY_TOKEN_FILE", "it is a pipe")]
#[case::profiles("AWS_CONFIG_FILE", "it is a pipe")]
fn a_pipe_that_a_variable_names_hangs_nothing(#[case] variable: &str, #[case] says: &str) {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("pipe");
    pipe(&path);
    let mut command = kmslab(tmp.path());
    command.env(variable, &path).args(["run", "--endpoint-url", "http://127.0.0.1:1", "--region", "us-east-1"]);
    let output = ended(command);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains(says), "{output:?}");
}

#[rstest]
#[case::settings("/dev/zero", Some(2), "a device")]
#[case::none("/dev/null", Some(0), "9 of 9 stages met")]
fn an_endless_device_is_no_configuration(#[case] device: &str, #[case] code: Option<i32>, #[case] says: &str) {
    let tmp = tempfile::tempdir().unwrap();
    let mut command = kmslab(tmp.path());
    command.args(["run", "--config", device]);
    let output = ended(command);
    assert_eq!(output.status.code(), code, "{output:?}");
    assert!((text(&output.stderr) + &text(&output.stdout)).contains(says), "{output:?}");
}

#[rstest]
fn a_lab_begins_whatever_stands_in_place_of_its_session(#[values("session.lock", "session.json")] file: &str) {
    let tmp = tempfile::tempdir().unwrap();
    pipe(&tmp.path().join(STATE).join(file));
    let mut command = kmslab(tmp.path());
    command.arg("--plain").stdin(Stdio::null());
    let output = ended(command);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("Stage 1 of 9"), "{}", text(&output.stdout));
}

/// The shell sets the limit: the program is to meet it when it starts.
fn limited(tmp: &Path, files: u32, arguments: &str) -> Output {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_kmslab");
    command.args(["-c", &format!("ulimit -n {files} && exec {program} {arguments}")]);
    command.env_clear().env("HOME", tmp).env("TMPDIR", tmp).stdin(Stdio::null());
    ended(command)
}

#[rstest]
fn with_few_file_descriptors_it_says_so(
    #[values(5, 6, 7, 8, 14)] files: u32,
    #[values("run", "doctor")] command: &str,
) {
    let tmp = tempfile::tempdir().unwrap();
    let output = limited(tmp.path(), files, command);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}{}", text(&output.stdout));
    assert!(told.contains("more files, and it needs") && told.contains("ulimit -n 256"), "{told}");
}

#[test]
fn with_enough_file_descriptors_it_runs() {
    let tmp = tempfile::tempdir().unwrap();
    let output = limited(tmp.path(), 50, "run");
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stderr), text(&output.stdout));
}
