//! The binary from outside: commands, exit statuses, lines, signals. No terminal here; see `tests/pty` for that.

#[cfg(unix)]
mod class;
mod debug;
mod help;
#[cfg(unix)]
mod machine;
#[cfg(unix)]
mod report;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rstest::rstest;
use serde_json::Value;

use crate::support::bare::bare;

/// `kmslab` in an environment without AWS settings, with its temporary files in `tmp`.
fn kmslab(tmp: &Path) -> Command {
    let mut command = bare(tmp);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn output(tmp: &Path, arguments: &[&str]) -> Output {
    kmslab(tmp).args(arguments).output().expect("kmslab starts")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_whole_lab_as_jsonl() {
    let tmp = tempfile::tempdir().unwrap();
    let output = output(tmp.path(), &["run", "--format", "jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines = lines(&output);

    let summary = lines.last().unwrap();
    assert_eq!(*summary, serde_json::json!({"event": "summary", "stages": 9, "met": 9, "backend": "sandbox"}));

    let stages: Vec<&str> =
        lines.iter().filter(|line| line["event"] == "stage").map(|line| line["stage"].as_str().unwrap()).collect();
    assert_eq!(
        stages,
        [
            "who",
            "create_key",
            "create_table",
            "view_admin",
            "create_user",
            "view_denied",
            "grant",
            "view_again",
            "clean_up"
        ]
    );

    let denied: Vec<&Value> = lines.iter().filter(|line| line["verdict"] == "denied").collect();
    assert_eq!(denied.len(), 1);
    let denied = denied[0];
    assert_eq!(denied["stage"], "view_denied");
    assert_eq!(denied["identity"], "test-user");
    assert_eq!(denied["service"], "dynamodb");
    assert_eq!(denied["operation"], "Scan");
    assert_eq!(denied["response"]["status"], 400);
    assert!(denied["response"]["request_id"].as_str().unwrap().len() == 52);
    assert!(denied["response"]["body"]["__type"].as_str().unwrap().ends_with("#AccessDeniedException"));
    assert_eq!(denied["denied"]["action"], "kms:Decrypt");
    let key = lines.iter().find(|line| line["operation"] == "CreateKey").unwrap();
    assert_eq!(denied["denied"]["resource"], key["response"]["body"]["KeyMetadata"]["Arn"]);
    let user = lines.iter().find(|l| l["stage"] == "create_user" && l["identity"] == "test-user").unwrap();
    assert_eq!(denied["denied"]["principal"], user["response"]["body"]["Arn"]);

    for line in lines.iter().filter(|line| line["event"] == "call") {
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
        assert!(line["request"].is_object(), "{line}");
    }
}

#[test]
fn request_ids_are_different_and_no_secret_is_printed() {
    let tmp = tempfile::tempdir().unwrap();
    let output = output(tmp.path(), &["run", "--format", "jsonl"]);
    let lines = lines(&output);
    let ids: Vec<&str> = lines.iter().filter_map(|line| line["response"]["request_id"].as_str()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());

    let key = lines.iter().find(|line| line["operation"] == "CreateAccessKey").unwrap();
    assert_eq!(key["response"]["body"]["AccessKey"]["SecretAccessKey"], "[redacted]");
    let printed = text(&output.stdout) + &text(&output.stderr);
    for secret in ["Signature=", "Plaintext", "aws4_request"] {
        assert!(!printed.contains(secret), "{secret}");
    }
}

/// The lines, to the byte, without what measures time.
fn without_durations(output: &Output) -> String {
    let printed = text(&output.stdout);
    let lines = printed.lines().map(|line| line.split(",\"duration_ms\":").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_same_seed_gives_the_same_lines_and_another_seed_others() {
    let tmp = tempfile::tempdir().unwrap();
    let run = |seed: &str| without_durations(&output(tmp.path(), &["run", "--format", "jsonl", "--seed", seed]));
    let first = run("7");
    assert_eq!(first.lines().count(), 40);
    assert_eq!(first, run("7"));
    assert_ne!(first, run("8"));
}

#[test]
fn text_lines_say_every_verdict_in_words() {
    let tmp = tempfile::tempdir().unwrap();
    let output = output(tmp.path(), &["run"]);
    assert_eq!(output.status.code(), Some(0));
    let printed = text(&output.stdout);
    assert!(printed.contains("6/9 view_denied: The same Scan, twice"));
    assert!(printed.contains("is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:"));
    assert!(printed.ends_with("9 of 9 stages met\n"));
    assert!(!printed.contains('\u{1b}'), "no escape sequences");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn the_manual_has_a_page_for_the_program_and_each_command() {
    let tmp = tempfile::tempdir().unwrap();
    let page = |arguments: &[&str]| {
        let output = output(tmp.path(), &[&["man"], arguments].concat());
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (status, program) = page(&[]);
    assert!(
        status == Some(0) && program.contains(".TH kmslab 1") && program.contains("kmslab\\-record(1)"),
        "{program}"
    );
    let (status, record) = page(&["record"]);
    assert!(status == Some(0) && record.contains(".TH kmslab-record 1"), "{record}");
    assert!(record.contains("\\-\\-script"), "{record}");
    assert!(!page(&["reset"]).1.contains("\\-\\-region"), "what does not apply is not there");
    assert_eq!(page(&["nonsense"]).0, Some(2));
}

#[test]
fn completions_know_every_command() {
    let tmp = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = output(tmp.path(), &["completions", shell]);
        let script = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0));
        for word in ["record", "verify-cast", "doctor", "cleanup", "yes-account"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn without_a_terminal_kmslab_prints_lines() {
    let tmp = tempfile::tempdir().unwrap();
    let output = output(tmp.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    assert!(text(&output.stdout).ends_with("9 of 9 stages met\n"));
}

#[test]
fn the_region_is_where_everything_is() {
    let tmp = tempfile::tempdir().unwrap();
    let output = output(tmp.path(), &["run", "--format", "jsonl", "--region", "eu-central-1"]);
    assert_eq!(output.status.code(), Some(0));
    let printed = text(&output.stdout);
    assert!(printed.contains("arn:aws:kms:eu-central-1:") && !printed.contains("us-east-1"));
}

#[test]
fn nothing_is_left_in_the_temporary_folder() {
    let tmp = tempfile::tempdir().unwrap();
    assert_eq!(output(tmp.path(), &["run"]).status.code(), Some(0));
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0);
}

#[test]
fn two_labs_at_once_do_not_meet() {
    let tmp = tempfile::tempdir().unwrap();
    let start = || kmslab(tmp.path()).args(["run", "--format", "jsonl"]).stdout(Stdio::piped()).spawn().unwrap();
    let both = [start(), start()].map(|child| child.wait_with_output().unwrap());
    for output in &both {
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(lines(output).last().unwrap()["met"], 9);
    }
}

#[rstest]
#[case::unknown_option(&["--frobnicate"], "--frobnicate")]
#[case::unknown_command(&["frobnicate"], "frobnicate")]
#[case::unknown_format(&["run", "--format", "yaml"], "yaml")]
#[case::bad_region(&["run", "--region", "../x"], "a region looks like us-east-1")]
#[case::profile_without_endpoint(&["run", "--admin-profile", "x"], "--endpoint-url")]
#[case::serve_elsewhere(&["serve", "--endpoint-url", "http://127.0.0.1:9"], "is the sandbox itself")]
#[case::serve_on_aws(&["serve", "--backend", "aws"], "is the sandbox itself")]
#[case::yes_without_aws(&["run", "--yes-account", "111122223333"], "--backend aws")]
#[case::seed_on_aws(&["run", "--backend", "aws", "--seed", "1"], "belong to the sandbox")]
#[case::bad_account(&["run", "--backend", "aws", "--yes-account", "1111"], "twelve digits")]
#[case::unknown_profile(
    &["run", "--endpoint-url", "http://127.0.0.1:9", "--region", "us-east-1", "--admin-profile", "nobody"],
    "no credentials from profile nobody"
)]
#[case::no_credentials(
    &["run", "--endpoint-url", "http://127.0.0.1:9", "--region", "us-east-1"],
    "AWS_ACCESS_KEY_ID"
)]
#[case::no_port(&["run", "--endpoint-url", "http://127.0.0.1:99999"], "the port is no number up to 65535")]
#[case::credentials_in_the_url(&["run", "--endpoint-url", "http://me:geheim@h:1"], "http://[redacted]@h:1: credentials come")]
#[case::no_url(&["run", "--endpoint-url", "localhost:4599"], "it looks like http://127.0.0.1:4599")]
#[case::notes_without_a_terminal(&["notes"], "it needs a terminal on stdout")]
#[case::no_address(&["serve", "--listen", "localhost"], "look like 127.0.0.1:4599")]
#[case::address_of_another(&["serve", "--listen", "192.0.2.1:0"], "Choose an address of this machine")]
#[case::no_lesson(&["run", "--lesson", "src/lab"], "src/lab has no lesson")]
#[case::export_into_nothing(&["export", "none/lab.sh"], "none/lab.sh can't be written: there is no folder none; create it first")]
#[case::folder_is_a_file(&["run", "--data", "/dev/null/lab"], "/dev/null/lab")]
fn wrong_usage_says_what_and_ends_with_2(#[case] arguments: &[&str], #[case] says: &str) {
    let tmp = tempfile::tempdir().unwrap();
    let output = output(tmp.path(), arguments);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(says), "{error:?} does not say {says:?}");
    assert!(!error.contains("panicked"), "{error}");
    assert!(error.matches("os error").count() <= 1, "a cause is printed once: {error}");
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn a_lesson_file_gives_the_terminal_no_commands() {
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("lesson");
    let write = |content: String| {
        std::fs::create_dir_all(folder.join("en")).unwrap();
        std::fs::write(folder.join("en/who.toml"), content).unwrap();
    };
    let hidden = |output: Output| {
        let text = text(&output.stdout) + &text(&output.stderr);
        let hidden = |c: char| (c.is_control() && c != '\n') || ['\u{200b}', '\u{202e}', '\u{61c}'].contains(&c);
        assert!(!text.contains(hidden), "{text:?}");
        text
    };
    let own = folder.to_str().unwrap();
    let english = include_str!("../../assets/lesson/en/who.toml");
    write(english.replacen("objective = \"", "objective = \"\\u202e\\u200b\\u061c", 1));
    let told = hidden(output(tmp.path(), &["run", "--lesson", own]));
    assert!(told.contains("\u{fffd}") && told.contains("9 of 9"), "{told:?}");
    std::fs::write(folder.join("sources.toml"), include_str!("../../assets/lesson/sources.toml")).unwrap();
    write(format!("\"\\u202e\\u001b[31mkey\" = 1\n{english}"));
    assert!(hidden(output(tmp.path(), &["lesson", "check", "--lesson", own])).contains("unknown field"));
}

#[test]
fn an_unreachable_backend_ends_with_4_and_says_what_to_do() {
    let tmp = tempfile::tempdir().unwrap();
    // A port that was free a moment ago and that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = kmslab(tmp.path())
        .args(["run", "--endpoint-url", &format!("http://127.0.0.1:{port}"), "--region", "us-east-1"])
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_MAX_ATTEMPTS", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let printed = text(&output.stdout);
    assert!(printed.contains("FAILED"), "{printed}");
    assert!(printed.contains("check that the server runs"), "{printed}");
    assert!(!printed.contains("dispatch failure"), "the SDK's layers say nothing to a person: {printed}");
}

#[test]
fn a_database_that_is_none_is_refused_and_kept() {
    let tmp = tempfile::tempdir().unwrap();
    let data = tmp.path().join("data");
    assert_eq!(output(tmp.path(), &["run", "--data", data.to_str().unwrap()]).status.code(), Some(0));
    let database = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3")))
        .expect("a database file");
    std::fs::write(&database, "this is a diary").unwrap();
    let output = output(tmp.path(), &["run", "--data", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains(database.file_name().unwrap().to_str().unwrap()), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(&database).unwrap(), "this is a diary");
}

/// A running `kmslab serve` with what it printed.
struct Served {
    child: Child,
    exports: Vec<(String, String)>,
}

impl Served {
    fn start(tmp: &Path, arguments: &[&str]) -> Served {
        let mut child = kmslab(tmp)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kmslab starts");
        let printed = BufReader::new(child.stdout.take().unwrap());
        let exports = printed
            .lines()
            .take(5)
            .map(|line| {
                let line = line.unwrap();
                let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Served { child, exports }
    }

    fn export(&self, name: &str) -> &str {
        &self.exports.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    #[cfg(unix)]
    fn signal(&mut self, signal: &str) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_lab_leaves_nothing_on_a_served_sandbox() {
    let tmp = tempfile::tempdir().unwrap();
    let served = Served::start(tmp.path(), &[]);
    for _ in 0..2 {
        let output = kmslab(tmp.path())
            .args(["run", "--format", "jsonl", "--endpoint-url", served.export("AWS_ENDPOINT_URL")])
            .envs(served.exports.iter().cloned())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        let summary = lines(&output).pop().unwrap();
        assert_eq!(summary, serde_json::json!({"event": "summary", "stages": 9, "met": 9, "backend": "endpoint"}));
    }
}

#[test]
fn wrong_credentials_for_an_endpoint_end_with_4() {
    let tmp = tempfile::tempdir().unwrap();
    let served = Served::start(tmp.path(), &[]);
    let output = kmslab(tmp.path())
        .args(["run", "--endpoint-url", served.export("AWS_ENDPOINT_URL")])
        .envs(served.exports.iter().cloned())
        .env("AWS_SECRET_ACCESS_KEY", "wrong")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stdout).contains("check the secret key of this profile"), "{}", text(&output.stdout));
}

#[test]
fn a_port_in_use_is_said() {
    let tmp = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = output(tmp.path(), &["serve", "--listen", &address]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains(&address), "{}", text(&output.stderr));
}

#[cfg(unix)]
#[rstest]
#[case("-INT")]
#[case("-TERM")]
#[case("-HUP")]
fn a_served_sandbox_ends_in_order_when_asked(#[case] signal: &str) {
    let tmp = tempfile::tempdir().unwrap();
    let mut served = Served::start(tmp.path(), &[]);
    assert!(std::fs::read_dir(tmp.path()).unwrap().count() > 0, "it has a temporary folder");
    assert_eq!(served.signal(signal).code(), Some(0));
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0, "and removes it");
}

#[test]
fn kept_data_is_there_again_with_the_same_credentials() {
    let tmp = tempfile::tempdir().unwrap();
    let data = tmp.path().join("kept");
    let served = Served::start(tmp.path(), &["--data", data.to_str().unwrap()]);
    let id = served.export("AWS_ACCESS_KEY_ID").to_owned();
    let secret = served.export("AWS_SECRET_ACCESS_KEY").to_owned();

    let second = output(tmp.path(), &["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(2), "one folder, one sandbox: {}", text(&second.stderr));

    drop(served);
    let again = Served::start(tmp.path(), &["--data", data.to_str().unwrap()]);
    assert_eq!(again.export("AWS_ACCESS_KEY_ID"), id);
    assert_eq!(again.export("AWS_SECRET_ACCESS_KEY"), secret);
}

/// `kmslab … | true`: it ends as a program does that SIGPIPE has ended, and says nothing.
#[rstest]
#[case::run(&["run"])]
#[case::jsonl(&["run", "--format", "jsonl"])]
#[case::plain(&["--plain"])]
#[case::serve(&["serve", "--listen", "127.0.0.1:0"])]
#[case::doctor(&["doctor"])]
#[case::cleanup(&["cleanup"])]
#[case::lesson(&["lesson", "check"])]
#[case::completions(&["completions", "zsh"])]
#[case::help(&["help"])]
#[case::brief_help(&["-h"])]
#[case::help_of_a_command(&["record", "--help"])]
#[case::version(&["--version"])]
#[case::verify(&["verify-cast", "/dev/null"])]
#[case::record(&["record", "--force", "/dev/null/../tmp/a.svg", "--stage", "who"])]
fn a_reader_that_is_gone_ends_it_in_silence(#[case] arguments: &[&str]) {
    let tmp = tempfile::tempdir().unwrap();
    let still = tmp.path().join("a.svg");
    let arguments = arguments.iter().map(|each| if each.ends_with(".svg") { still.as_os_str() } else { each.as_ref() });
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = kmslab(tmp.path()).args(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    let error = text(&output.stderr);
    let ours: Vec<&str> = error.lines().filter(|line| !line.contains("no terminal on stdout")).collect();
    assert_eq!((output.status.code(), ours), (Some(141), vec![]));
}

#[test]
fn a_reader_that_has_had_enough_is_no_error_message() {
    let tmp = tempfile::tempdir().unwrap();
    let mut child = kmslab(tmp.path()).args(["run"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap(); // and then it is closed
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0);
}

/// A file may be called anything.
#[test]
fn no_message_is_a_command_to_the_terminal() {
    let tmp = tempfile::tempdir().unwrap();
    let output = output(tmp.path(), &["replay", "a\u{1b}]52;c;YQ==\u{7}\u{202e}\u{200b}.kmslab"]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("a\\u{1b}]52;c;YQ==\\u{7}\\u{202e}\\u{200b}.kmslab can't be read"), "{error:?}");
}

/// Who listens where, and what `serve` says of it.
#[rstest]
#[case::everywhere("0.0.0.0:0", true)]
#[case::this_machine_by_name("localhost:0", false)]
#[case::this_machine("127.0.0.1:0", false)]
fn serve_prints_an_address_that_clients_can_use(#[case] listen: &str, #[case] is_open: bool) {
    let tmp = tempfile::tempdir().unwrap();
    let mut command = kmslab(tmp.path());
    command.args(["serve", "--listen", listen]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut served = Served { child: command.spawn().unwrap(), exports: Vec::new() };
    let mut first = String::new();
    BufReader::new(served.child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let url = first.trim_end().strip_prefix("export AWS_ENDPOINT_URL=").unwrap();
    let address: std::net::SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
    assert!(!address.ip().is_unspecified() && (is_open || address.ip().is_loopback()), "{address}");
    std::net::TcpStream::connect(address).unwrap();
    let told = BufReader::new(served.child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut said = Vec::new();
    for line in told {
        said.push(line);
        if said.last().unwrap().contains("Ctrl-C") {
            break;
        }
    }
    let said = said.join("\n");
    assert_eq!(said.contains("unencrypted"), is_open, "{said}");
    assert!(said.contains("five minutes") && said.contains(&format!("{url}/_kmslab/advance?seconds=300")), "{said}");
}

/// A configuration file in the home that [`kmslab`] has, and what a command says then.
fn configured(text_of_file: &str, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/kmslab");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), text_of_file).unwrap();
    output(home.path(), arguments)
}

/// As for many a service's user.
#[test]
fn a_home_that_is_no_folder_has_no_configuration() {
    let tmp = tempfile::tempdir().unwrap();
    let output = kmslab(tmp.path()).env("HOME", "/dev/null").arg("run").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[rstest]
#[case::lab(&["--plain"])]
#[case::run(&["run"])]
fn nothing_starts_with_a_wrong_configuration(#[case] arguments: &[&str]) {
    let output = configured("lang = \"de\"\n[keys]\nadvance = \"entr\"\nquit = []\n", arguments);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
    let told = text(&output.stderr);
    assert!(told.contains("config.toml:3: advance: there is no key \"entr\""), "{told}");
    assert!(told.contains("config.toml:4: quit is left without a key"), "{told}");
}

#[test]
fn a_configuration_has_defaults_and_options_come_first() {
    let german = "Stufe 1 von 9: Wer fragt";
    let file = "lang = \"de\"\nquestions = false\n";
    let plain = configured(file, &["--plain"]);
    assert_eq!(plain.status.code(), Some(0));
    assert!(text(&plain.stdout).contains(german) && !text(&plain.stdout).contains("1 to 4"), "{plain:?}");
    let plain = configured(file, &["--plain", "--lang", "en", "--questions"]);
    assert!(!text(&plain.stdout).contains(german) && text(&plain.stdout).contains("1 to 4"), "{plain:?}");
    let other = tempfile::NamedTempFile::new().unwrap();
    let plain = configured("wrong", &["--plain", "--config", other.path().to_str().unwrap()]);
    assert_eq!(plain.status.code(), Some(0), "the named file is read, and no other");
    let none = configured("", &["run", "--config", "/nowhere/config.toml"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("/nowhere/config.toml can't be read"), "{none:?}");
}

#[test]
fn doctor_checks_the_configuration() {
    let wrong = configured("[keys]\nhint = \"s\"\n", &["doctor"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let told = text(&wrong.stdout);
    assert!(told.contains("config.toml:2: the key \"s\" is for both skip and hint"), "{told}");
    let fine = configured("[keys]\nhint = \"H\"\n", &["doctor"]);
    assert!(text(&fine.stdout).contains("actions with own keys: 1"), "{fine:?}");
}
