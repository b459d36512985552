//! No secret leaves the program but to the server: not on the screen, in lines, in the journal, nor in any file.
//!
//! A proxy (`support/https.rs`) sees what goes over the wire, so it knows what to look for afterwards.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::Terminal;
use crate::support::fake::{Fake, response};
use crate::support::https::{Proxy, authority, contains, server_config};
use crate::support::session;

/// A beginning and an end of `secret`: it may be cut or broken where it stands.
fn ends(secret: &str) -> [String; 2] {
    let part = secret.len().min(20);
    [secret[..part].to_owned(), secret[secret.len() - part..].to_owned()]
}

/// What stands between `before` and the next `after`, each time.
fn between<'a>(text: &'a str, before: &'a str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).map(move |rest| rest.split(after).next().unwrap())
}

/// All that must not be seen: the session's credentials, the new user's secret key, every signature, and what KMS has
/// answered in plain text.
fn secrets(proxy: &Proxy) -> Vec<String> {
    let mut secrets = vec![session::SECRET.to_owned(), session::TOKEN.to_owned()];
    for (request, answer) in proxy.seen.messages.lock().unwrap().iter() {
        let signature = between(request, "Signature=", '\r').next().unwrap();
        assert_eq!(signature.len(), 64, "{request}");
        secrets.push(signature.to_owned());
        secrets.extend(between(answer, "<SecretAccessKey>", '<').map(str::to_owned));
        secrets.extend(between(answer, "\"Plaintext\":\"", '"').map(str::to_owned));
    }
    secrets
}

/// Adds the content and the name of every file below `folder`.
fn read_all(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        into.push_str(&path.to_string_lossy());
        if path.is_dir() {
            read_all(&path, into);
        } else {
            into.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
}

/// Every row that a terminal has shown, after each frame.
fn rows(bytes: &[u8], (columns, rows): (u16, u16)) -> String {
    let mut parser = vt100::Parser::new(rows, columns, 0);
    let mut shown = BTreeSet::new();
    let mut frame = Vec::new();
    for byte in bytes {
        frame.push(*byte);
        // The end of a synchronized update.
        if frame.ends_with(b"\x1b[?2026l") {
            parser.process(&std::mem::take(&mut frame));
            shown.extend(parser.screen().rows(0, columns));
        }
    }
    shown.into_iter().collect::<Vec<_>>().join("\n")
}

/// Every call of both panes in all four views, zoomed, their beginnings and ends; then as before. No pane has more than
/// eight calls.
fn look_at_everything(terminal: &mut Terminal) {
    let pane = "[".repeat(8) + &"vGvGvGvG]".repeat(8) + "\t";
    for key in format!("z{}z", pane.repeat(2)).chars() {
        // Ctrl-L has it drawn whole: the next key would come before the picture.
        let before = terminal.bytes.len();
        terminal.press(&format!("{key}\x0c"));
        while !(terminal.is_whole && contains(&terminal.bytes[before..], "\x1b[2J")) {
            terminal.take(super::PATIENCE).unwrap();
        }
    }
    terminal.press("?");
    terminal.wait_for(&["run this stage; then the next"]);
    terminal.press("?");
}

/// Whoever would log or dump would do so with these.
const TALKATIVE: [(&str, &str); 6] = [
    ("RUST_LOG", "trace"),
    ("KMSLAB_LOG", "trace"),
    ("KMSLAB_DEBUG", "1"),
    ("RUST_BACKTRACE", "full"),
    ("RUST_LIB_BACKTRACE", "1"),
    ("AWS_DEBUG", "1"),
];

#[test]
fn of_a_whole_lab_no_secret_is_seen_anywhere() {
    const SIZE: (u16, u16) = (200, 40);
    let ours = authority("ours");
    let certificates = tempfile::tempdir().unwrap();
    let bundle = certificates.path().join("ours.pem");
    std::fs::write(&bundle, ours.pem()).unwrap();
    let hosts = ["sts.us-east-1", "kms.us-east-1", "dynamodb.us-east-1", "111122223333.ddb.us-east-1", "iam"];
    let hosts = hosts.map(|host| format!("{host}.amazonaws.com"));
    let proxy = Proxy::new(server_config(&ours, &hosts.each_ref().map(String::as_str)), None);
    let mut environment = vec![
        ("HTTPS_PROXY", proxy.url.as_str()),
        ("AWS_CA_BUNDLE", bundle.to_str().unwrap()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ACCESS_KEY_ID", session::ID),
        ("AWS_SECRET_ACCESS_KEY", session::SECRET),
        ("AWS_SESSION_TOKEN", session::TOKEN),
    ];
    environment.extend(TALKATIVE);

    let files = tempfile::tempdir().unwrap();
    let file = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let recording = ["--backend", "aws", "--no-mask", "--record", &file("lab.kmslab")];
    let mut terminal = Terminal::start(SIZE.0, SIZE.1, &environment, &recording);
    let mut seen = String::new();
    for stage in 1..=9 {
        if stage == 7 {
            terminal.take_the_usual_way();
        }
        terminal.wait_for(&[&format!("{stage}/9"), "a–d answer"]);
        terminal.press("a\r");
        if stage == 2 {
            terminal.wait_for(&["Type the last four digits of the account"]);
            terminal.press("3333");
        }
        if stage == 7 {
            terminal.wait_for(&["NOT SENT"]);
            terminal.press("\r");
        }
        terminal.wait_for(&["✔ As expected"]);
        look_at_everything(&mut terminal);
        read_all(terminal.tmp.path(), &mut seen);
        terminal.press(if stage < 9 { "\r" } else { "q" });
    }
    assert_eq!(terminal.exit().exit_code(), 0);
    read_all(terminal.tmp.path(), &mut seen);
    seen.push_str(&String::from_utf8_lossy(&terminal.bytes));
    let shown = rows(&terminal.bytes, SIZE);
    seen.push_str(&shown);

    // What is made of the session afterwards: films, of its log, and write-ups.
    let made = [
        vec!["replay".to_owned(), file("lab.kmslab"), "--record".to_owned(), file("lab.cast"), "--no-mask".to_owned()],
        vec!["replay".to_owned(), file("lab.kmslab"), "--record".to_owned(), file("lab.html"), "--no-mask".to_owned()],
        vec!["export".to_owned(), file("lab.md"), "--no-mask".to_owned()],
        vec!["export".to_owned(), file("write-up.html"), "--no-mask".to_owned()],
        vec!["export".to_owned(), file("lab.sh")],
    ];
    for arguments in made {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kmslab"));
        let output = command.args(&arguments).env_clear().env("HOME", terminal.tmp.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(std::fs::read_dir(files.path()).unwrap().count(), 6);
    let mut taken_home = String::new();
    read_all(files.path(), &mut taken_home);
    seen.push_str(&taken_home);

    let commands: [&[&str]; 4] = [
        &["doctor", "--backend", "aws"],
        &["run", "--backend", "aws", "--yes-account", "111122223333"],
        &["run", "--backend", "aws", "--yes-account", "111122223333", "--format", "jsonl"],
        &["cleanup", "--backend", "aws", "--all", "--yes-account", "111122223333"],
    ];
    for arguments in commands {
        let mut lines = Terminal::start(SIZE.0, SIZE.1, &environment, arguments);
        assert_eq!(lines.exit().exit_code(), 0, "{arguments:?}: {}", lines.picture());
        seen.push_str(&String::from_utf8_lossy(&lines.bytes));
        read_all(lines.tmp.path(), &mut seen);
    }

    let secrets = secrets(&proxy);
    let of_the_user = proxy.seen.messages.lock().unwrap();
    let new_keys: Vec<&str> =
        of_the_user.iter().flat_map(|(_, answer)| between(answer, "<SecretAccessKey>", '<')).collect();
    assert_eq!(new_keys.len(), 3, "one of each lab");
    assert!(secrets.len() > 100, "{}", secrets.len());
    let found: Vec<&String> =
        secrets.iter().filter(|secret| ends(secret).iter().any(|part| seen.contains(part.as_str()))).collect();
    assert_eq!(found, Vec::<&String>::new());

    assert!(!contains(&proxy.seen.wire.lock().unwrap(), session::TOKEN), "and not in clear text either");

    // What may be seen is found by the same means: on the screen, in a file, in lines.
    let user_key = of_the_user.iter().flat_map(|(_, answer)| between(answer, "<AccessKeyId>", '<')).next().unwrap();
    assert!(shown.contains(user_key), "the user's access key id is on the screen");
    assert!(taken_home.contains(user_key), "and in what is made of it");
    assert!(seen.contains(&format!(r#"{{"result":"CreateAccessKey","id":"{user_key}","ok":true}}"#)), "in the journal");
    assert!(seen.contains(r#""SecretAccessKey":"[redacted]""#), "the answer is in the lines");
    // The view of the HTTP messages was looked at.
    for line in ["Signature=[redacted]", "x-amz-security-token: [redacted]", "<SecretAccessKey>[redacted]<"] {
        assert!(shown.contains(line), "{line}");
    }
}

/// A server that refuses every request and quotes it: in XML, and in a header escaped as in a URL.
fn quoting() -> (String, Arc<Mutex<Vec<String>>>) {
    let signatures = Arc::new(Mutex::new(Vec::new()));
    let seen = signatures.clone();
    let quote = move |request: &str| {
        // Questions about other clients' calls have no signature.
        let Some(signature) = between(request, "Signature=", '\r').next().map(str::to_owned) else { return Vec::new() };
        let quoted = request.replace('&', "&amp;").replace('<', "&lt;").replace('/', "&#47;").replace('+', "&#x2b;");
        let body = format!(
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>The canonical string:\n{quoted}</Message></Error>\
             <RequestId>{signature}</RequestId></ErrorResponse>"
        );
        let echo = request.replace('%', "%25").replace('/', "%2F").replace('\r', "%0D").replace('\n', "%0A");
        seen.lock().unwrap().push(signature);
        response(403, &format!("x-echo: {echo}\r\nConnection: close\r\n"), &body)
    };
    (Fake::new(quote).url(), signatures)
}

#[test]
fn what_a_server_quotes_is_seen_nowhere() {
    const SIZE: (u16, u16) = (200, 50);
    let (url, signatures) = quoting();
    let environment = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", session::ID),
        ("AWS_SECRET_ACCESS_KEY", session::SECRET),
        ("AWS_SESSION_TOKEN", session::TOKEN),
    ];
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let arguments = ["--endpoint-url", &url, "--no-mask", "--record", &file("lab.kmslab")];
    let mut terminal = Terminal::start(SIZE.0, SIZE.1, &environment, &arguments);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.press("a\r");
    terminal.wait_for(&["AccessDenied"]);
    look_at_everything(&mut terminal);
    terminal.press("q");
    terminal.exit();
    let mut seen = rows(&terminal.bytes, SIZE);
    seen.push_str(&String::from_utf8_lossy(&terminal.bytes));
    read_all(terminal.tmp.path(), &mut seen);
    for name in ["lab.html", "lab.cast", "lab.md"] {
        let log = file("lab.kmslab");
        let file = file(name);
        let arguments: &[&str] = if name == "lab.md" {
            &["export", &file, "--no-mask"]
        } else {
            &["replay", &log, "--record", &file, "--no-mask"]
        };
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kmslab"));
        let output = command.args(arguments).env_clear().env("HOME", terminal.tmp.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    read_all(files.path(), &mut seen);
    assert!(seen.contains("session.json") && seen.contains("The canonical string"), "the quote is looked at");
    let signatures = signatures.lock().unwrap();
    assert!(!signatures.is_empty());
    let token = session::TOKEN.to_owned();
    for secret in signatures.iter().chain([&token]) {
        assert!(ends(secret).iter().all(|part| !seen.contains(part.as_str())), "{secret}");
    }
}
