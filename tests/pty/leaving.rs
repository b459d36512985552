//! However an interactive lab ends: what it leaves behind is reported, with the command that removes it.

use std::sync::Arc;

use kmslab::app::PanicReport;
use kmslab::lab::{Backend, BackendKind, Names, Operation, State};
use kmslab::run::journal::{self, Journal};
use kmslab::sandbox::{Config, Sandbox};
use kmslab::ui::terminal::Screen;
use kmslab::ui::{ColorLevel, KeyCast, Theme, ThemeName, view};
use rstest::rstest;

use super::Terminal;

/// A lab on a sandbox of its own that has made a key, an alias and a table. What the program tells is also in the file
/// `told` of its home where that is asked for.
fn lab_with_things(told: bool) -> (Sandbox, Terminal) {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let admin = sandbox.admin();
    let variables = [
        ("AWS_ACCESS_KEY_ID", admin.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", admin.secret_access_key.as_str()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let kmslab = env!("CARGO_BIN_EXE_kmslab");
    let arguments = ["--region", "us-east-1", "--endpoint-url", sandbox.url()];
    let mut terminal = if told {
        let to_file = ["-c", r#"exec "$0" "$@" 2>"$HOME/told""#, kmslab];
        Terminal::start_program("/bin/sh", 120, 40, &variables, &[&to_file[..], &arguments].concat())
    } else {
        Terminal::start_program(kmslab, 120, 40, &variables, &arguments)
    };
    terminal.do_stages(3);
    terminal.wait_for(&["4/9"]);
    (sandbox, terminal)
}

fn assert_told(told: &str) {
    let told: String = told.split_whitespace().collect();
    for left in ["tablekmslab-table-", "alias/kmslab-key-", "KMSkeyarn:aws:kms:us-east-1:111122223333:key/"] {
        assert!(told.contains(left), "{left}: {told}");
    }
    assert!(told.contains("`kmslabcleanup`removesit"), "{told}");
}

fn journals(terminal: &Terminal) -> usize {
    super::count(&terminal.tmp.path().join(".local/state/kmslab/runs"))
}

#[rstest]
#[case::q_twice("qq")]
#[case::control_c_twice("\x03\x03")]
fn left_in_spite_of_the_question(#[case] keys: &str) {
    let (_sandbox, mut terminal) = lab_with_things(false);
    let (first, second) = keys.split_at(1);
    terminal.press(first);
    terminal.wait_for(&["leave?", "this stays until `kmslab cleanup`"]);
    terminal.press(second);
    assert_eq!(terminal.ends(), 3);
    assert_told(&terminal.picture());
    assert_eq!(journals(&terminal), 1);
}

#[rstest]
#[case::terminate("-TERM")]
#[case::hang_up("-HUP")]
#[case::interrupt("-INT")]
fn ended_by_a_signal(#[case] signal: &str) {
    let (_sandbox, mut terminal) = lab_with_things(false);
    terminal.send(signal);
    assert_eq!(terminal.ends(), 3);
    assert_told(&terminal.picture());
    assert_eq!(journals(&terminal), 1);
}

#[test]
fn the_terminal_disappears() {
    let (_sandbox, mut terminal) = lab_with_things(true);
    terminal.disappear();
    let told = std::fs::read_to_string(terminal.tmp.path().join("told")).unwrap();
    assert_told(&told);
    assert_eq!(journals(&terminal), 1);
}

#[test]
#[ignore = "panics on purpose; the next test starts it in a terminal"]
fn a_lab_that_panics() {
    let backend = Backend {
        kind: BackendKind::Endpoint,
        region: "us-east-1".to_owned(),
        endpoint: Some("http://127.0.0.1:1".to_owned()),
        given_user: false,
    };
    let names = Names::new("4f2a9c1e");
    let folder = std::path::PathBuf::from(std::env::var_os("HOME").unwrap()).join("runs");
    let journal = Arc::new(Journal::new(Some(folder), journal::head(&names, &backend, None)));
    let mut state = State::new(backend, names);
    state.mask();
    kmslab::run::pseudonyms::begin();
    kmslab::run::pseudonyms::add_run(&state.names().run);
    let _announcement = PanicReport::new(&state, Some(&journal));
    let mut screen = Screen::enter().unwrap();
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::Ansi16);
    let mut draw = || screen.paint(|frame| view(&state, &theme, &KeyCast::default(), frame));
    draw().unwrap();
    journal.intend(&Operation::CreateAlias { alias: state.names().alias.clone(), key: "k".to_owned() }).unwrap();
    // From another part of the program: the screen is not drawn over what it tells.
    assert!(std::thread::spawn(|| panic!("elsewhere")).join().is_err());
    assert!(draw().is_err());
    panic!("on purpose");
}

#[test]
fn a_panic() {
    let me = std::env::current_exe().unwrap();
    let arguments = ["--exact", "leaving::a_lab_that_panics", "--ignored", "--nocapture", "--test-threads=1"];
    let mut terminal = Terminal::start_program(me.to_str().unwrap(), 120, 40, &[], &arguments);
    assert_eq!(terminal.ends(), 101);
    let text = String::from_utf8_lossy(&terminal.bytes).into_owned();
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what:?} is not in {text}"));
    let order =
        ["\x1b[?1049h", "sts:GetCallerIdentity", "\x1b[?1049l", "elsewhere", "on purpose", "perhaps left behind at"];
    assert!(order.map(at).is_sorted(), "{text}");
    assert_eq!(text.matches("\x1b[?1049l").count(), 1);
    assert!(text.contains("http://127.0.0.1:1: what CreateAlias alias/kmslab-key-"), "{text}");
    assert!(!text.contains("4f2a9c1e"), "it is masked: {text}");
    assert!(text.contains("kmslab: `kmslab cleanup` removes it"), "{text}");
}
