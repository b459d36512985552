use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// Feeds chunks, each at its delay (in ms) after the one before, and advances time as the reading thread does.
fn fed<'a>(chunks: impl IntoIterator<Item = (u64, &'a [u8])>) -> Vec<Item> {
    let mut now = Instant::now();
    let mut decoder = Decoder::new(now);
    let mut items = Vec::new();
    let wait = |decoder: &mut Decoder, now: &mut Instant, until: Instant, items: &mut Vec<Item>| {
        while let Some(left) = decoder.patience(*now).filter(|left| *now + *left <= until) {
            *now += left;
            decoder.pass(*now, items);
        }
        *now = until;
    };
    for (gap, chunk) in chunks {
        let until = now + Duration::from_millis(gap);
        wait(&mut decoder, &mut now, until, &mut items);
        decoder.feed(now, chunk, &mut items);
    }
    let end = now + Duration::from_secs(60);
    wait(&mut decoder, &mut now, end, &mut items);
    assert_eq!(decoder.patience(end), None, "nothing stays under way for ever");
    items
}

/// Keys as people write them.
fn names(items: &[Item]) -> String {
    let name = |item: &Item| match item {
        Item::Key(event) => {
            let mut name = String::new();
            for (modifier, prefix) in
                [(KeyModifiers::CONTROL, "C-"), (KeyModifiers::ALT, "A-"), (KeyModifiers::SHIFT, "S-")]
            {
                if event.modifiers.contains(modifier) {
                    name += prefix;
                }
            }
            match event.code {
                KeyCode::Char(c) => format!("{name}{c}"),
                other => format!("{name}{other:?}"),
            }
        }
        Item::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(_) => format!("click:{}:{}", mouse.column, mouse.row),
            kind => format!("{kind:?}:{}:{}", mouse.column, mouse.row),
        },
        Item::Paste(_) => "paste".to_owned(),
        Item::Background { light } => if *light { "light" } else { "dark" }.to_owned(),
    };
    items.iter().map(name).collect::<Vec<_>>().join(" ")
}

#[rstest]
#[case(b"aA1 ?", "a S-A 1   ?")]
#[case("ü表🙂".as_bytes(), "ü 表 🙂")]
#[case(b"\r\t\x7f\x03\x0c\x1a", "Enter Tab Backspace C-c C-l C-z")]
#[case(b"\x1b[A\x1b[B\x1bOC\x1b[D", "Up Down Right Left")]
#[case(b"\x1b[H\x1bOF\x1b[1~\x1b[4~\x1b[5~\x1b[6~", "Home End Home End PageUp PageDown")]
#[case(b"\x1b[2~\x1b[3~\x1b[Z", "Insert Delete BackTab")]
#[case(b"\x1bOP\x1b[[B\x1b[13~\x1b[24~", "F(1) F(2) F(3) F(12)")]
#[case(b"\x1b[1;5A\x1b[1;2P\x1b[3;5~", "C-Up S-F(1) C-Delete")]
#[case(b"\x1bx", "A-x")]
#[case::after_escape_a_control_is_itself(b"\x1b\x03", "Esc C-c")]
#[case(b"\x1b\x1b", "Esc Esc")]
#[case::a_byte_that_begins_nothing(b"\xff\x80q", "q")]
#[case::half_a_character(b"\xc3q", "q")]
#[case::half_a_sequence_and_control_c(b"\x1b[1;\x03q", "C-c q")]
#[case::half_a_string_and_control_c(b"\x1b]11;rgb:\x03q", "C-c q")]
#[case::half_a_string_and_an_arrow(b"\x1bPx\x1b[Aq", "Up q")]
#[case::paste(b"a\x1b[200~q\r\x03\x1b[A\x1b[201~b", "a paste b")]
#[case::a_click(b"\x1b[M ddq", "q")]
#[case::half_a_click_and_control_c(b"\x1b[M \x03q", "C-c q")]
#[case::focus_and_the_like(b"\x1b[I\x1b[O\x1b[99~q", "q")]
#[case::mouse(b"\x1b[<0;1;1M\x1b[<0;1;1mq", "click:0:0 q")]
#[case::wheel(b"\x1b[<64;300;50M\x1b[<65;2;3M", "ScrollUp:299:49 ScrollDown:1:2")]
#[case::other_buttons(b"\x1b[<1;1;1M\x1b[<2;1;1M\x1b[<35;1;1M\x1b[<32;4;4Mq", "q")]
#[case::no_place(b"\x1b[<0;0;1M\x1b[<0;1M\x1b[<0;1;1;1M\x1b[<99999;1;1Mq", "q")]
fn bytes_are_keys(#[case] bytes: &[u8], #[case] keys: &str) {
    assert_eq!(names(&fed([(0, bytes)])), keys);
    // A byte at a time, as fast as a line sends them.
    assert_eq!(names(&fed(bytes.iter().map(|byte| (1, std::slice::from_ref(byte))))), keys);
}

/// What terminals reply, and programs ask for.
const REPLIES: [&[u8]; 9] = [
    b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]10;rgba:ffff/0000/aaaa/ffff\x07",
    b"\x1b]52;c;YWJjZA==\x1b\\",
    b"\x1bP>|XTerm(390)\x1b\\",
    b"\x1bP1$r0m\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b[?62;22c",
    b"\x1b[?2026;2$y",
];

fn keys(items: &[Item]) -> Vec<&Item> {
    items.iter().filter(|item| matches!(item, Item::Key(_))).collect()
}

#[test]
fn a_reply_is_no_key_however_slowly_it_comes() {
    for reply in REPLIES {
        for gap in [0, 20, 60, 300, 900] {
            // Right after its Esc nothing tells it from the key.
            for split in [2, 3, reply.len() / 2, reply.len() - 1] {
                let items = fed([(0, &reply[..split]), (gap * 5, &reply[split..]), (1, b"q")]);
                assert_eq!(
                    names(&keys(&items).into_iter().cloned().collect::<Vec<_>>()),
                    "q",
                    "{reply:?} {split} {gap}"
                );
            }
            let first: (u64, &[u8]) = (0, &reply[..2]);
            let bytes = reply[2..].iter().map(|byte| (gap, std::slice::from_ref(byte)));
            if gap * reply.len() as u64 <= 9_000 {
                let items = fed(std::iter::once(first).chain(bytes).chain([(1, &b"q"[..])]));
                assert_eq!(names(&keys(&items).into_iter().cloned().collect::<Vec<_>>()), "q", "{reply:?} {gap}");
            }
        }
    }
}

#[test]
fn a_reply_that_is_torn_after_its_escape_is_that_key_at_most() {
    for reply in REPLIES {
        let items = fed([(0, &reply[..1]), (400, &reply[1..])]);
        assert_eq!(names(&keys(&items).into_iter().cloned().collect::<Vec<_>>()), "Esc", "{reply:?}");
    }
}

/// The case of the issue: the answer to OSC 11.
#[test]
fn the_background_is_understood() {
    assert_eq!(names(&fed([(0, include_bytes!("osc11-reply.bin").as_slice())])), "dark");
    assert_eq!(names(&fed([(0, b"\x1b]11;rgb:00/2b/36\x07".as_slice())])), "dark");
    assert_eq!(names(&fed([(0, b"\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\".as_slice())])), "light");
    for nothing in
        [&b"\x1b]11;rgb:\x07"[..], b"\x1b]11;rgb:00000/0/0\x07", b"\x1b]11;red\x07", b"\x1b]10;rgb:f/f/f\x07"]
    {
        assert_eq!(fed([(0, nothing)]), [], "{nothing:?}");
    }
}

#[rstest]
#[case::the_key(&[(0, b"\x1b".as_slice())], "Esc")]
#[case::the_key_and_another_soon(&[(0, b"\x1b".as_slice()), (60, b"q".as_slice())], "Esc q")]
#[case::a_capital_that_could_begin_a_reply(&[(0, b"\x1b".as_slice()), (60, b"X".as_slice()), (60, b"P".as_slice())], "Esc S-X S-P")]
#[case::brackets_are_keys_after_the_key(
    &[(0, b"\x1b".as_slice()), (3_000, b"]".as_slice()), (300, b"\x1b".as_slice()), (150, b"[".as_slice())],
    "Esc ] Esc ["
)]
#[case::a_bracket_held_down(&[(0, b"\x1b".as_slice()), (400, b"]".as_slice()), (30, b"]".as_slice())], "Esc ] ]")]
#[case::a_bracket_and_another_key(&[(0, b"\x1b".as_slice()), (400, b"[".as_slice()), (90, b"w".as_slice())], "Esc [ w")]
#[case::half_a_sequence(&[(0, b"\x1b[".as_slice()), (300, b"q".as_slice()), (1, b"1".as_slice())], "q 1")]
#[case::half_a_sequence_and_what_could_go_on(&[(0, b"\x1b[".as_slice()), (300, b"?".as_slice())], "?")]
#[case::half_a_sequence_and_two_keys(
    &[(0, b"\x1b[".as_slice()), (300, b"?".as_slice()), (300, b"q".as_slice())],
    "? q"
)]
#[case::half_an_arrow(&[(0, b"\x1b[1;".as_slice()), (300, b"q".as_slice())], "q")]
#[case::half_a_function_key(&[(0, b"\x1bO".as_slice()), (300, b"q".as_slice())], "q")]
#[case::half_a_click(&[(0, b"\x1b[M d".as_slice()), (300, b"q".as_slice()), (1, b"n".as_slice())], "q n")]
#[case::half_a_character(&[(0, b"\xe8".as_slice()), (300, b"q".as_slice())], "q")]
#[case::half_a_color(&[(0, b"\x1b]11;rgb:ff".as_slice()), (300, b"q".as_slice()), (1, b"n".as_slice())], "q n")]
#[case::half_a_state(&[(0, b"\x1b[?6".as_slice()), (300, b"q".as_slice())], "q")]
#[case::half_a_string_and_enter(&[(0, b"\x1bP>|X".as_slice()), (300, b"\r".as_slice()), (1, b"n".as_slice())], "Enter n")]
#[case::half_a_string_and_a_key_later(&[(0, b"\x1bP>|X".as_slice()), (5_001, b"n".as_slice())], "n")]
#[case::half_a_string_and_keys_all_the_time(
    &[(0, b"\x1bP>|X".as_slice()), (3_000, b"n".as_slice()), (3_000, b"n".as_slice()), (3_000, b"n".as_slice()), (3_000, b"n".as_slice())],
    "n"
)]
#[case::half_a_paste(&[(0, b"\x1b[200~abc".as_slice()), (300, b"q".as_slice())], "paste q")]
#[case::a_slow_paste(&[(0, b"\x1b[200~abc".as_slice()), (900, b"q\rabc".as_slice()), (900, b"q\x1b[201~".as_slice()), (0, b"n".as_slice())], "paste n")]
#[case::a_torn_end_of_a_paste(&[(0, b"\x1b[200~abc\x1b[2".as_slice()), (5, b"01~n".as_slice())], "paste n")]
fn stalled_requests_are_dropped(#[case] chunks: &[(u64, &[u8])], #[case] keys: &str) {
    assert_eq!(names(&fed(chunks.iter().copied())), keys);
}

#[test]
fn a_long_string_and_a_long_paste_are_read_and_forgotten() {
    let long = [&b"\x1bP"[..], &[b'a'; 100_000], b"\x1b\\q"].concat();
    assert_eq!(names(&fed([(0, &long[..])])), "q");
    let long = [&b"\x1b[200~"[..], &[b'q'; 100_000], b"\x1b[201~q"].concat();
    assert_eq!(names(&fed([(0, &long[..])])), "paste q");
    let mut decoder = Decoder::new(Instant::now());
    decoder.feed(Instant::now(), &[&b"\x1b["[..], &[b'1'; 100_000]].concat(), &mut Vec::new());
    assert!(decoder.bytes.len() <= KEPT);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever came before: after ten silent seconds a key is a key.
    #[test]
    fn no_bytes_take_the_keyboard_away(chunks in prop::collection::vec((0_u64..6_000, prop::collection::vec(any::<u8>(), 0..9)), 0..9)) {
        let all = chunks.iter().map(|(gap, chunk)| (*gap, &chunk[..])).chain([(10_000, &b"q"[..]), (1, b"\x03")]);
        let told = names(&fed(all));
        prop_assert!(told.ends_with("q C-c"), "{told}");
    }
}
