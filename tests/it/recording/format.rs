//! The validator says no to what the strictest reader says no to.

use rstest::rstest;

use crate::support::asciicast::read;

const THREE: &str = r#"{"version":3,"term":{"cols":80,"rows":24}}"#;
const TWO: &str = r#"{"version":2,"width":80,"height":24}"#;

#[rstest]
#[case(THREE, "[0.5, \"o\", \"a\"]\n# a comment\n\n[1, \"m\", \"\"]\n[0, \"r\", \"100x28\"]\n[0, \"x\", \"0\"]")]
#[case(TWO, "[0.5, \"o\", \"a\"]\n[1, \"m\", \"\"]\n[1, \"i\", \"\\r\"]")]
fn what_is_right_is_read(#[case] head: &str, #[case] events: &str) {
    let (_, events) = read(format!("{head}\n{events}\n").as_bytes()).unwrap();
    assert!(events.len() >= 3);
}

#[rstest]
#[case::half_a_line(THREE, "[0.5, \"o\", \"a")]
#[case::trailing_comma(THREE, "[0.5, \"o\", \"a\",]\n")]
#[case::negative(THREE, "[-0.5, \"o\", \"a\"]\n")]
#[case::goes_back(TWO, "[2.0, \"o\", \"a\"]\n[1.0, \"o\", \"a\"]\n")]
#[case::code_with_an_escape(THREE, "[0.5, \"\\u006f\", \"a\"]\n")]
#[case::unknown_code(THREE, "[0.5, \"note\", \"a\"]\n")]
#[case::numeric_label(THREE, "[0.5, \"m\", 6]\n")]
#[case::numeric_status(THREE, "[0.5, \"x\", 0]\n")]
#[case::after_the_end(THREE, "[0.5, \"x\", \"0\"]\n[0.5, \"o\", \"a\"]\n")]
#[case::lone_surrogate(THREE, "[0.5, \"o\", \"\\ud800\"]\n")]
#[case::indented(THREE, "  [0.5, \"o\", \"a\"]\n")]
#[case::comment_in_version_two(TWO, "# no\n")]
#[case::two_elements(THREE, "[0.5, \"o\"]\n")]
#[case::no_size(r#"{"version":3,"term":{"cols":80}}"#, "\n")]
#[case::no_version(r#"{"term":{"cols":80,"rows":24}}"#, "\n")]
#[case::float_timestamp(r#"{"version":2,"width":80,"height":24,"timestamp":1.5}"#, "\n")]
#[case::short_color(
    r##"{"version":2,"width":80,"height":24,"theme":{"fg":"#fff","bg":"#000000","palette":""}}"##,
    "\n"
)]
#[case::short_palette(
    r##"{"version":2,"width":80,"height":24,"theme":{"fg":"#ffffff","bg":"#000000","palette":"#000000:#ffffff"}}"##,
    "\n"
)]
#[case::numeric_environment(r#"{"version":2,"width":80,"height":24,"env":{"TERM":1}}"#, "\n")]
#[case::comment_first("# no", "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n")]
#[case::byte_order_mark("\u{feff}{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}", "\n")]
fn what_is_wrong_is_not(#[case] head: &str, #[case] events: &str) {
    assert!(read(format!("{head}\n{events}").as_bytes()).is_err());
}
