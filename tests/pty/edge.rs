//! What a terminal does besides showing: floods of input, pastes, replies, stops, and no reading at all.

use std::time::{Duration, Instant};

use rstest::rstest;

use super::{Terminal, UPDATE, count, modes};
use crate::support::fake::{Fake, response};

/// The program ends soon after a signal, whatever its terminal does; on a busy machine it takes a moment longer.
const SOON: Duration = Duration::from_secs(15);

/// The address of a server that lets each call wait before it refuses it.
fn slow_server() -> String {
    let body = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>";
    let refuse = |_: &str| {
        // Longer than the wait that the bell is for.
        std::thread::sleep(Duration::from_millis(5_500));
        response(403, "Content-Type: text/xml\r\nConnection: close\r\n", body)
    };
    Fake::new(refuse).url()
}

#[rstest]
fn the_bell_rings_after_a_long_wait_if_it_is_wanted(#[values(true, false)] is_wanted: bool) {
    let url = slow_server();
    let environment = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_MAX_ATTEMPTS", "1")];
    let options = ["--region", "us-east-1", "--no-questions", "--endpoint-url", &url, "--bell"];
    let mut terminal = Terminal::start(80, 24, &environment, &options[..options.len() - usize::from(!is_wanted)]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.press("\r");
    terminal.wait_for(&["InvalidClientTokenId"]);
    terminal.press("\x03");
    terminal.ends();
    assert_eq!(terminal.bytes.iter().filter(|byte| **byte == 7).count(), usize::from(is_wanted));
}

#[test]
fn a_flood_of_input_leaves_the_keyboard_alive() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    for length in [1_025, 5_000, 70_000] {
        // A key that does nothing here.
        terminal.press(&"%".repeat(length));
        terminal.press("?");
        terminal.wait_for(&["answer the question, before enter"]);
        terminal.press("\x1b");
        terminal.wait_for(&["sts:GetCallerIdentity"]);
    }
    terminal.press(&"%".repeat(70_000));
    terminal.press("\x03");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn all_input_is_answered_before_the_next_picture() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    let before = terminal.bytes.len();
    // Pages open and close: a hundred pictures, if each were drawn.
    terminal.press(&"?".repeat(101));
    terminal.wait_for(&["answer the question, before enter"]);
    let drawn =
        terminal.bytes[before..].windows(UPDATE.len() + 1).filter(|bytes| bytes.starts_with(UPDATE)).count() / 2;
    assert!(drawn < 30, "{drawn}");
    terminal.press("\x03");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn pasted_text_presses_no_key() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    assert!(terminal.parser.screen().bracketed_paste());
    terminal.press("\x1b[200~s\r\rqq\x03\x1b[201~");
    terminal.wait_for(&["pasted text is ignored", "1/9", "sts:GetCallerIdentity"]);
    terminal.press("s\r");
    terminal.wait_for(&["✔ As expected"]);
    terminal.press("\x03");
    assert_eq!(terminal.ends(), 0);
    assert!(!terminal.parser.screen().bracketed_paste(), "it is off again");
}

/// The case of the issue: its letters would answer the question.
#[rstest]
#[case::at_once(&[24])]
#[case::torn(&[2, 9, 13, 23, 24])]
fn a_reply_of_the_terminal_is_no_key(#[case] ends: &[usize]) {
    const REPLY: &[u8] = include_bytes!("../../src/run/input/decode/osc11-reply.bin");
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    let picture = terminal.picture();
    let mut begin = 0;
    for end in ends {
        terminal.press(std::str::from_utf8(&REPLY[begin..*end]).unwrap());
        begin = *end;
        std::thread::sleep(Duration::from_millis(300));
    }
    terminal.press("?");
    terminal.wait_for(&["answer the question, before enter"]);
    terminal.press("\x1b");
    terminal.wait_for(&["sts:GetCallerIdentity"]);
    assert_eq!(terminal.picture(), picture);
    terminal.press("\x03");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn half_a_sequence_swallows_no_key() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    for half in ["\x1b[", "\x1b[1;", "\x1bO", "\x1b]11;rgb:"] {
        terminal.press(half);
        std::thread::sleep(Duration::from_millis(400));
        terminal.press("?");
        terminal.wait_for(&["answer the question, before enter"]);
        terminal.press("?");
        terminal.wait_for(&["sts:GetCallerIdentity"]);
    }
    terminal.press("\x1b]52;\x03");
    assert_eq!(terminal.ends_in_order().0, 0);
}

impl Terminal {
    /// Reads nothing any more, and has the lab draw until the terminal takes nothing more.
    fn stop_reading(&mut self) {
        self.let_go.store(true, std::sync::atomic::Ordering::SeqCst);
        for _ in 0..60 {
            self.press("?");
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    fn ends_soon(&mut self) -> u32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(begun.elapsed() < SOON, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[rstest]
#[case("-TERM", 143)]
#[case("-HUP", 129)]
#[case("-INT", 130)]
fn a_signal_ends_it_though_the_terminal_reads_nothing(#[case] signal: &str, #[case] code: u32) {
    let mut terminal = Terminal::start(250, 60, &[("COLORTERM", "truecolor")], &[]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.stop_reading();
    terminal.send(signal);
    assert_eq!(terminal.ends_soon(), code);
    assert_eq!(modes(&**terminal.master.as_ref().unwrap()), terminal.modes_before, "the terminal's modes");
    assert_eq!(count(terminal.tmp.path()), 0, "the temporary folder is removed");
}

/// Ctrl-S, where the terminal is not in raw mode.
#[test]
fn a_signal_ends_lines_that_a_stopped_terminal_does_not_take() {
    let script = r#"printf ready; read go; exec "$0" run"#;
    let mut terminal = Terminal::start_program("/bin/sh", 80, 24, &[], &["-c", script, env!("CARGO_BIN_EXE_kmslab")]);
    terminal.wait_for(&["ready"]);
    terminal.press("\n\x13");
    // Whenever it comes: before the handler is there it ends the program, too.
    std::thread::sleep(Duration::from_millis(1_500));
    terminal.send("-TERM");
    let code = terminal.ends_soon();
    assert!([143, 1].contains(&code), "{code}");
    assert_eq!(count(terminal.tmp.path()), 0, "the temporary folder is removed");
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let script = r#"set -m; "$0"; echo stopped; read go; fg; echo ended"#;
    let mut terminal = Terminal::start_program("/bin/sh", 80, 24, &[], &["-c", script, env!("CARGO_BIN_EXE_kmslab")]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.press("\x1a");
    terminal.wait_for(&["stopped"]);
    let screen = terminal.parser.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    assert_eq!(modes(&**terminal.master.as_ref().unwrap()), terminal.modes_before, "the terminal's modes");
    terminal.press("\n");
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    let screen = terminal.parser.screen();
    assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
    terminal.press("s\r");
    terminal.wait_for(&["✔ As expected"]);
    terminal.press("\x03");
    terminal.wait_for(&["1 of 9 stages met", "ended"]);
    assert_eq!(terminal.ends(), 0);
}

/// There would be nobody to let it go on.
#[test]
fn ctrl_z_without_a_shell_stops_nothing() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.press("\x1a?");
    terminal.wait_for(&["answer the question, before enter"]);
    terminal.press("\x03");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn what_was_written_over_it_is_drawn_again() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    let picture = terminal.picture();
    terminal.parser.process(b"\x1b[2Jwall: the system goes down");
    terminal.press("\x0c");
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    assert_eq!(terminal.picture(), picture);
    terminal.send("-STOP");
    terminal.parser.process(b"\x1b[2J\x1b[?1049l\x1b[?25h$ bash");
    terminal.send("-CONT");
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    assert_eq!(terminal.picture(), picture);
    terminal.press("\x03");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn signals_that_would_leave_the_terminal_as_it_is_restore_it() {
    for (signal, code) in [("-QUIT", 131), ("-USR1", 138), ("-ALRM", 142)] {
        let mut terminal = Terminal::start(80, 24, &[], &[]);
        terminal.wait_for(&["1/9"]);
        terminal.send(signal);
        assert_eq!(terminal.ends_in_order().0, code, "{signal}");
    }
}

#[test]
fn a_terminal_without_a_size_is_an_usual_one() {
    let script = r#"stty cols 0 rows 0; exec "$0""#;
    let mut terminal = Terminal::start_program("/bin/sh", 80, 24, &[], &["-c", script, env!("CARGO_BIN_EXE_kmslab")]);
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
    terminal.press("\x03");
    assert_eq!(terminal.ends_in_order().0, 0);
}

#[test]
fn the_colors_are_for_the_terminals_background() {
    let background = |terminal: &Terminal| {
        let cell = terminal.parser.screen().cell(10, 10).unwrap();
        // Bold text is drawn reversed: some terminals brighten bold black.
        if cell.inverse() { cell.fgcolor() } else { cell.bgcolor() }
    };
    let [black, white] = [0, 15].map(vt100::Color::Idx);
    for (variables, arguments, told, expected) in [
        (&[][..], &[][..], "\x1b]11;rgb:ffff/ffff/ffff\x07", white),
        (&[("COLORFGBG", "0;15")][..], &[][..], "\x1b]11;rgb:00/00/00\x1b\\", black),
        (&[("COLORFGBG", "0;15")][..], &[][..], "", white),
        (&[][..], &[][..], "", black),
        (&[][..], &["--theme", "dark"][..], "\x1b]11;rgb:ffff/ffff/ffff\x07", black),
    ] {
        let mut terminal = Terminal::start(80, 24, variables, arguments);
        terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
        let asks = arguments.is_empty();
        while asks && !terminal.bytes.windows(6).any(|bytes| bytes == b"\x1b]11;?") {
            terminal.take(super::PATIENCE).unwrap();
        }
        terminal.press(told);
        // What comes after it is drawn in the new colors.
        terminal.press("?");
        terminal.wait_for(&["answer the question, before enter"]);
        assert_eq!(background(&terminal), expected, "{variables:?} {arguments:?} {told:?}");
        terminal.press("\x03");
        assert_eq!(terminal.ends_in_order().0, 0);
    }
}

#[test]
fn only_a_killed_labs_temporary_files_are_removed() {
    let mut killed = Terminal::start(80, 24, &[], &[]);
    killed.wait_for(&["1/9"]);
    killed.send("-KILL");
    killed.exit();
    assert_eq!(count(killed.tmp.path()), 1);
    let folder = killed.tmp.path().to_str().unwrap();
    let mut labs = [(); 2].map(|()| Terminal::start(80, 24, &[("TMPDIR", folder)], &[]));
    let [one, other] = &mut labs;
    one.wait_for(&["1/9"]);
    other.wait_for(&["1/9"]);
    let begun = Instant::now();
    while count(killed.tmp.path()) != 2 {
        assert!(begun.elapsed() < SOON, "{}", count(killed.tmp.path()));
        std::thread::sleep(Duration::from_millis(10));
    }
    for lab in labs.iter_mut() {
        lab.press("s\r");
        lab.wait_for(&["✔ As expected"]);
        lab.press("\x03");
        assert_eq!(lab.ends(), 0);
    }
    assert_eq!(count(killed.tmp.path()), 0);
}
