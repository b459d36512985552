//! `kmslab doctor --report`: one text to send with a report of a bug. It names nobody and holds no secret.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::pseudonyms;
use crate::cli::{BackendArg, Options, VERSION};
use crate::disk;
use crate::lab::doctor::Terminal;
use crate::lab::redact;

/// How much of the end of a debug log is in a report, in bytes.
const TAIL: u64 = 64 * 1024;
/// How many of its last lines.
const LINES: usize = 400;
/// How long a line may be, in characters.
const WIDTH: usize = 2_000;
/// The largest file that says where the last debug log is, in bytes.
const NOTE: u64 = 16 * 1024;

/// The file in the state folder that says where the last debug log is.
const LAST_LOG: &str = "last-debug-log";

/// Variables that say what kind of terminal it is. Their values name nobody.
const SHOWN: [&str; 13] = [
    "TERM",
    "COLORTERM",
    "COLORFGBG",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "VTE_VERSION",
    "KONSOLE_VERSION",
    "FORCE_HYPERLINK",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LANG",
    "NO_COLOR",
];

/// Variables of which a report says only that they are set.
const NAMED: [&str; 22] = [
    "TMUX",
    "STY",
    "SSH_CONNECTION",
    "WT_SESSION",
    "KITTY_WINDOW_ID",
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
];

/// What the names of a lab's things begin with, before the id of its run.
const LEADS: [&str; 3] = ["kmslab-table-", "kmslab-user-", "kmslab-key-"];

/// Notes in the state folder that the last debug log is at `log`.
///
/// # Errors
/// When the note can't be written.
pub fn remember(state: &Path, log: &Path) -> io::Result<()> {
    let path = std::path::absolute(log)?;
    let Some(text) = path.to_str() else { return Ok(()) };
    disk::make_private(state)?;
    disk::write(&state.join(LAST_LOG), text.as_bytes())
}

/// Where the last debug log is, if there was one.
pub fn last_log(state: &Path) -> Option<PathBuf> {
    let text = disk::read_text(&state.join(LAST_LOG), NOTE).ok()?;
    (!text.is_empty()).then(|| PathBuf::from(text))
}

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The terminal.
    pub terminal: &'a Terminal,
    /// The options of the command line and of `config.toml`.
    pub options: &'a Options,
    /// What the checks found, unmasked.
    pub checks: &'a str,
    /// Where the last debug log is.
    pub log: Option<&'a Path>,
}

/// The text to send. `variable` is `std::env::var_os` outside of tests.
pub fn text(parts: &Parts<'_>, variable: impl Fn(&str) -> Option<OsString>) -> String {
    let value = |name: &str| variable(name).and_then(|value| value.into_string().ok()).unwrap_or_default();
    pseudonyms::begin();
    let Options { admin_profile, user_profile, endpoint_url, .. } = parts.options;
    let (profile, endpoint) = (value("AWS_PROFILE"), value("AWS_ENDPOINT_URL"));
    let profiles = [admin_profile.as_deref(), user_profile.as_deref(), Some(profile.as_str())].into_iter().flatten();
    pseudonyms::add_names(profiles.filter(|name| *name != "default"));
    // A server of one's own tells whose it is.
    let hosts = [endpoint_url.as_deref(), Some(endpoint.as_str())].into_iter().flatten().filter_map(host_of);
    let hosts: Vec<String> = hosts.map(str::to_owned).collect();
    let raw = sections(parts, &value);
    let home = value("HOME");
    let lines: Vec<String> = raw.lines().map(|line| placeless(line, &home, &hosts)).collect();
    // Names are learned where they stand in an ARN. The second time they are known from the first line on.
    runs_in(&raw).for_each(pseudonyms::add_run);
    lines.iter().for_each(|line| drop(pseudonyms::written(line)));
    lines.iter().map(|line| pseudonyms::written(line) + "\n").collect()
}

/// A line without secrets, control characters, the home and the hosts of a person's own.
fn placeless(line: &str, home: &str, hosts: &[String]) -> String {
    let mut cut: String = line.chars().take(WIDTH).collect();
    if cut.len() < line.len() {
        cut.push_str(" …");
    }
    let at_home = if home.len() > 1 { cut.replace(home, "~") } else { cut };
    let line = hosts.iter().fold(at_home, |line, host| line.replace(host, "HOST"));
    redact::clean(&redact::redact_line(&line))
}

/// The ids of the runs whose things a text names.
fn runs_in(text: &str) -> impl Iterator<Item = &str> {
    let begins = LEADS.iter().flat_map(|lead| text.match_indices(lead).map(|(at, _)| at + lead.len()));
    begins.map(|at| text[at..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default())
}

/// The host of an endpoint, unless it is this machine.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    (!host.is_empty() && !matches!(host, "localhost" | "127.0.0.1" | "[::1]")).then_some(host)
}

fn sections(parts: &Parts<'_>, value: &impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "kmslab report. Pseudonyms stand for accounts, names and ids; secrets are left out.");
    let _ = writeln!(
        text,
        "\n[version]\nkmslab {VERSION}, {} build",
        if cfg!(debug_assertions) { "dev" } else { "release" }
    );
    let kernel = disk::read_text(Path::new("/proc/sys/kernel/osrelease"), disk::SETTINGS).unwrap_or_default();
    let _ = writeln!(text, "{} {} {}", std::env::consts::OS, std::env::consts::ARCH, kernel.trim());
    let _ = writeln!(text, "\n[terminal]");
    let Terminal { is_terminal, is_dumb, size, colors } = parts.terminal;
    let size = size.map_or("unknown".to_owned(), |(width, height)| format!("{width}x{height}"));
    let _ =
        writeln!(text, "terminal: {is_terminal}, dumb: {is_dumb}, size: {size}, colors: {}", colors.unwrap_or("none"));
    for name in SHOWN {
        let value = value(name);
        if !value.is_empty() {
            let _ = writeln!(text, "{name}={value}");
        }
    }
    let _ = writeln!(text, "\n[settings]");
    settings(parts.options, &mut text);
    let set: Vec<_> = NAMED.into_iter().filter(|name| !value(name).is_empty()).collect();
    let _ =
        writeln!(text, "variables that are set: {}", if set.is_empty() { "none".to_owned() } else { set.join(", ") });
    let _ = writeln!(text, "\n[checks]\n{}", parts.checks.trim_end());
    let _ = writeln!(text, "\n[debug log]");
    match parts.log.map(|path| (path, tail(path))) {
        None => text.push_str("none: run kmslab with --debug FILE, then make this report again\n"),
        Some((path, Ok(lines))) => {
            let _ = writeln!(text, "the end of {}:\n{lines}", path.display());
        }
        Some((path, Err(error))) => {
            let _ = writeln!(text, "{} can't be read: {error}", path.display());
        }
    }
    text
}

/// The options that differ from their defaults. Folders and addresses may name people: they are only "given".
fn settings(options: &Options, text: &mut String) {
    let backend = match (options.backend, options.endpoint_url.is_some()) {
        (_, true) => "another server",
        (Some(BackendArg::Aws), _) => "aws",
        _ => "sandbox",
    };
    let _ = writeln!(text, "backend: {backend}");
    let worded = [
        ("region", options.region.clone()),
        ("lang", options.lang.clone()),
        ("theme", options.theme.map(|theme| format!("{theme:?}"))),
        ("seed", options.seed.map(|seed| seed.to_string())),
        ("wait", options.wait.map(|wait| format!("{wait} s"))),
    ];
    for (name, value) in worded {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    let given = [
        ("plain", options.plain),
        ("ascii", options.ascii),
        ("no-ascii", options.no_ascii),
        ("bell", options.bell),
        ("mouse", options.mouse),
        ("no-questions", options.no_questions),
        ("fresh", options.fresh),
        ("admin-profile", options.admin_profile.is_some()),
        ("user-profile", options.user_profile.is_some()),
        ("data", options.data.is_some()),
        ("lesson", options.lesson.is_some()),
        ("config", options.config.is_some()),
        ("socket", options.socket.is_some()),
    ];
    let given: Vec<_> = given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect();
    let _ = writeln!(text, "given: {}", if given.is_empty() { "nothing else".to_owned() } else { given.join(", ") });
}

/// The last lines of the log at `path`.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = disk::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // A line of which the beginning is missing may hold a secret whose name is missing.
    let text = if start > 0 { text.split_once('\n').map_or("", |(_, whole)| whole) } else { &text };
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const SIGNATURE: &str = "fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024";

    fn terminal() -> Terminal {
        Terminal { is_terminal: true, is_dumb: false, size: Some((80, 24)), colors: Some("16 colors") }
    }

    fn report(options: &Options, checks: &str, log: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("debug.log");
        std::fs::write(&path, log).unwrap();
        let terminal = terminal();
        let parts = Parts { terminal: &terminal, options, checks, log: Some(&path) };
        let variables = |name: &str| match name {
            "HOME" => Some(OsString::from("/home/margarete")),
            "TERM" => Some(OsString::from("xterm-256color")),
            "AWS_SECRET_ACCESS_KEY" => Some(OsString::from(SECRET)),
            "AWS_PROFILE" => Some(OsString::from("margarete-prod")),
            _ => None,
        };
        text(&parts, variables)
    }

    #[test]
    fn no_secret_that_was_planted_is_in_a_report() {
        let token = format!("FwoGZXIvYXdzEBYaD{}", "x9Y/".repeat(60));
        let planted = [
            format!("aws_secret_access_key = {SECRET}"),
            format!("{{\"SecretAccessKey\":\"{SECRET}\"}}"),
            "{\"secretaccesskey\":\"short\", \"password\": \"hunter2\"}".to_owned(),
            format!("x-amz-security-token: {token}"),
            format!("GET /?X-Amz-Security-Token={token}&X-Amz-Signature={SIGNATURE} HTTP/1.1"),
            format!("Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7ABCDEFG/20261201, Signature={SIGNATURE}"),
            format!("\"signature\" : \"{SIGNATURE}\""),
            format!("signed {SIGNATURE}"),
            "caller=hildegard-k created kmslab-user-3c6ef372".to_owned(),
            "arn:aws:iam::987654321098:user/team/hildegard-k".to_owned(),
            "AKIAIOSFODNN7ABCDEFG reads /home/margarete/.aws/config as margarete-prod".to_owned(),
            "\u{1b}[31mred\u{202e}".to_owned(),
        ];
        let options = Options {
            endpoint_url: Some("https://me:hunter2@kms.margarete.example:8443/x".to_owned()),
            ..Options::default()
        };
        let checks = format!("stop credentials 987654321098 https://kms.margarete.example:8443 {SECRET}");
        let report = report(&options, &checks, &planted.join("\n"));
        for secret in [
            SECRET,
            &token,
            SIGNATURE,
            "short",
            "hunter2",
            "987654321098",
            "AKIAIOSFODNN7ABCDEFG",
            "margarete",
            "hildegard",
            "3c6ef372",
        ] {
            assert!(!report.contains(secret), "{secret} is in:\n{report}");
        }
        assert!(!report.contains('\u{1b}') && !report.contains('\u{202e}'), "{report}");
        for kept in ["TERM=xterm-256color", "backend: another server", "~/.aws/config", "AWS_SECRET_ACCESS_KEY"] {
            assert!(report.contains(kept), "{kept} is not in:\n{report}");
        }
    }

    #[test]
    fn only_the_end_of_a_long_log_is_in_a_report() {
        let log: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
        let report = report(&Options::default(), "", &log);
        assert!(report.contains("\nline 19999\n") && report.contains("\nline 19600\n"), "{report}");
        assert!(!report.contains("\nline 19599\n"), "{report}");
        let one = format!("SecretAccessKey={}", "x".repeat(TAIL as usize));
        assert!(!self::report(&Options::default(), "", &one).contains("xxxx"));
    }

    #[test]
    fn the_last_log_is_remembered() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(last_log(state.path()), None);
        remember(state.path(), Path::new("/tmp/a.log")).unwrap();
        remember(state.path(), Path::new("/tmp/b.log")).unwrap();
        assert_eq!(last_log(state.path()), Some(PathBuf::from("/tmp/b.log")));
    }

    #[test]
    fn hosts_of_endpoints_are_found() {
        assert_eq!(host_of("https://a:b@kms.example:8443/x"), Some("kms.example"));
        assert_eq!(host_of("http://127.0.0.1:4100"), None);
        assert_eq!(host_of("nonsense"), None);
    }
}
