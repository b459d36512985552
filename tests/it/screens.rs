//! What the screen shows: every stage, every view, every size, with its colors; the keys; the bytes.
//!
//! A snapshot has the text and, under `--`, the runs of cells that are not plain: `row:columns colors modifiers`. It
//! changes when a color does.

pub mod album;
mod ascii;
mod billboard;
mod bytes;
mod debrief;
mod experiments;
mod film;
pub mod german;
mod insight;
mod keys;
mod learning;
mod mouse;
mod noticed;
mod presenting;
mod questions;
mod recorded;
mod replay;
mod resume;
mod search;
mod words;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use kmslab::lab::{Backend, Copied, Event, Intent, Lesson, Page, Stage, State};
use kmslab::record::{Palette, svg};
use kmslab::ui::layout::Plan;
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use proptest::prelude::*;
use ratatui::layout::{Rect, Size};
use rstest::rstest;

use crate::support::lab::{Session, every_state, styled_dump, text_dump};
use album::{Album, album, assert_album, assert_picture};

const SIZES: [Size; 3] = [Size::new(80, 24), Size::new(100, 28), Size::new(200, 50)];

pub fn dark() -> Theme {
    Theme::choose(ThemeName::Dark, ColorLevel::Ansi16)
}

#[rstest]
fn every_stage_before_and_after(
    #[values(
        Stage::Who,
        Stage::CreateKey,
        Stage::CreateTable,
        Stage::ViewAdmin,
        Stage::CreateUser,
        Stage::ViewDenied,
        Stage::Grant,
        Stage::ViewAgain,
        Stage::CleanUp
    )]
    stage: Stage,
) {
    let before = Session::sandbox().before(stage);
    let after = Session::sandbox().after(stage);
    let mut wrong = Session::sandbox().before(stage);
    wrong.predict(false).intent(Intent::Advance).answer_all();
    let both = SIZES
        .iter()
        .flat_map(|size| [("before".to_owned(), &before.state, *size), ("after".to_owned(), &after.state, *size)]);
    let screens = both.chain([("after a wrong answer".to_owned(), &wrong.state, SIZES[0])]);
    assert_album(&format!("stage_{}_{}", stage.number(), stage.key()), album(screens));
}

/// All of the change is there before anybody scrolls, also with a run's real id; and `v` shows it in other ways.
#[test]
fn a_key_policy_is_looked_at_before_it_is_sent() {
    let session = Session::reviewing();
    let sizes = [SIZES[0], SIZES[1], Size::new(60, 18)];
    let mut screens: Vec<(String, State, Size)> =
        sizes.iter().map(|size| ("the change".to_owned(), session.state.clone(), *size)).collect();
    let mut document = Session::reviewing();
    document.intent(Intent::CycleView);
    screens.push(("the document".to_owned(), document.state.clone(), SIZES[0]));
    document.intent(Intent::CycleView).intent(Intent::CycleView).intent(Intent::ToggleZoom);
    screens.push(("the command, zoomed".to_owned(), document.state, SIZES[0]));
    let mut unsent = Session::reviewing();
    unsent.intent(Intent::Close);
    screens.push(("left unsent".to_owned(), unsent.state, SIZES[0]));
    let mut locked = Session::sandbox();
    locked.services.policy = locked.services.policy.replace(":root", ":user/other");
    let locked = locked.after(Stage::Grant);
    screens.push(("a policy that would lock admin out".to_owned(), locked.state, SIZES[0]));
    assert_album(
        "a_key_policy_is_looked_at_before_it_is_sent",
        album(screens.iter().map(|(name, state, size)| (name.clone(), state, *size))),
    );

    let mut long = Session::named("0123abcd");
    long.state = long.state.with_review();
    let text = text_dump(&render(&long.after(Stage::Grant).state, &dark(), SIZES[0]));
    for word in [
        "replaces the whole policy",
        "+ Allow use of the key",
        "+ Allow attachment of persistent resources",
        "may        encrypt, decrypt, re-encrypt",
        "only if    Bool kms:GrantIsForAWSResource = true",
        "= stays      Enable IAM User Permissions",
        "enter send it",
        "esc don't send it",
    ] {
        assert!(text.contains(word), "{word:?} is not on the screen:\n{text}");
    }
    assert!(!text.contains("more line"), "{text}");

    // What is not sent has no HTTP.
    let mut unsent = Session::reviewing();
    unsent.intent(Intent::CycleView).intent(Intent::CycleView);
    let text = text_dump(&render(&unsent.state, &dark(), SIZES[0]));
    assert!(!text.contains("HTTP"), "{text}");
}

#[test]
fn the_earlier_denial_stands_above_the_new_answer() {
    for (run, right) in [("4f2a", true), ("0123abcd", false)] {
        let mut session = Session::named(run).before(Stage::ViewAgain);
        session.predict(right).intent(Intent::Advance).answer_all();
        let picture = render(&session.state, &dark(), SIZES[0]);
        let text = text_dump(&picture);
        let right_pane: Vec<String> =
            text.lines().map(|line| line.chars().skip(SIZES[0].width as usize / 2).collect()).collect();
        let row = |word: &str| {
            let found = right_pane.iter().position(|row| row.contains(word));
            found.unwrap_or_else(|| panic!("{word:?} is not in test-user's pane:\n{text}"))
        };
        let rows = ["✔ ALLOWED", "before ─▸ DynamoDB ✔ ─▸ KMS ✘ ─┤", "now    ─▸ DynamoDB ✔ ─▸ KMS ✔ ─▸"].map(row);
        assert!(rows.is_sorted(), "{text}");
        assert_eq!(rows[2], rows[1] + 1);
        for item in ["p-001", "p-002", "p-003"] {
            assert!(row(item) > rows[2]);
        }
    }
    let mut waiting = Session::sandbox().before(Stage::ViewAgain);
    waiting.intent(Intent::Advance);
    let mut small = Session::sandbox().after(Stage::ViewAgain);
    small.intent(Intent::FocusOther);
    assert_album(
        "the_earlier_denial_stands_above_the_new_answer",
        album([
            ("while the new call is under way".to_owned(), &waiting.state, SIZES[0]),
            ("one pane".to_owned(), &small.state, Size::new(60, 18)),
        ]),
    );
}

#[test]
fn what_is_copied_is_told_in_one_line() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    session.intent(Intent::Copy(Copied::Command));
    let text = text_dump(&render(&session.state, &dark(), SIZES[0]));
    let line = " copied: aws dynamodb scan --table-name kmslab-table-4f2a --profile kmslab-test…";
    assert_eq!(text.lines().nth(22), Some(line), "{text}");
}

#[test]
fn consent_is_asked_for_with_all_that_counts() {
    let mut asked = Session::unasked().before(Stage::CreateKey);
    asked.intent(Intent::Advance);
    let mut wrong = Session::unasked().before(Stage::CreateKey);
    wrong.state.set_accepted_account(Some("444455556666".to_owned()));
    wrong.intent(Intent::Advance);
    for digit in [1, 1, 1, 1, 3] {
        wrong.intent(Intent::TypeDigit(digit));
    }
    let sizes = [Size::new(60, 18), Size::new(80, 24), Size::new(100, 28)];
    assert_album(
        "consent_is_asked_for_with_all_that_counts",
        album(
            sizes.iter().flat_map(|size| {
                [("asked".to_owned(), &asked.state, *size), ("typing".to_owned(), &wrong.state, *size)]
            }),
        ),
    );
}

#[test]
fn a_masked_screen_looks_the_same_and_names_nobody() {
    let mut masked = Session::named("q7k2m9x4");
    masked.state.mask();
    let masked = masked.after(Stage::ViewDenied);
    let mut asked = Session::unasked();
    asked.state.mask();
    let mut asked = asked.before(Stage::CreateKey);
    asked.intent(Intent::Advance);
    let sizes = [Size::new(80, 24), Size::new(100, 28)];
    assert_album(
        "a_masked_screen_looks_the_same_and_names_nobody",
        album(
            sizes.iter().flat_map(|size| {
                [("denied".to_owned(), &masked.state, *size), ("asked".to_owned(), &asked.state, *size)]
            }),
        ),
    );
}

#[test]
fn a_screen_in_ascii() {
    let session = Session::sandbox().after(Stage::CreateKey);
    assert_picture("a_screen_in_ascii", &text_dump(&render(&session.state, &dark().in_ascii(), Size::new(80, 28))));
}

#[rstest]
#[case(80, 24, true)]
#[case(100, 28, true)]
#[case(60, 18, false)]
#[case(40, 10, false)]
fn digits_count_only_where_the_whole_question_can_be_read(
    #[case] columns: u16,
    #[case] rows: u16,
    #[case] counts: bool,
) {
    let mut asked = Session::unasked().before(Stage::CreateKey);
    asked.intent(Intent::Advance);
    let area = Rect::new(0, 0, columns, rows);
    let press = |code| kmslab::ui::keys::intent(KeyEvent::new(code, KeyModifiers::NONE), &asked.state, area);
    assert_eq!(press(KeyCode::Char('3')), counts.then_some(Intent::TypeDigit(3)));
    assert_eq!(press(KeyCode::Backspace), counts.then_some(Intent::EraseDigit));
    assert_eq!(press(KeyCode::Enter), None);
    assert_eq!(press(KeyCode::Esc), Some(Intent::Close));
}

#[test]
fn recorded_answers_look_like_no_live_ones() {
    let offered = Session::cut_off(Stage::ViewDenied);
    let replayed = replay::replayed();
    let mut zoomed = replay::replayed();
    zoomed.intent(Intent::FocusOther).intent(Intent::ToggleZoom).intent(Intent::CycleView);
    assert_album(
        "recorded_answers_look_like_no_live_ones",
        album([
            ("offered".to_owned(), &offered.state, Size::new(80, 24)),
            ("replayed".to_owned(), &replayed.state, Size::new(80, 24)),
            ("replayed".to_owned(), &replayed.state, Size::new(60, 18)),
            ("replayed".to_owned(), &replayed.state, Size::new(100, 28)),
            ("one pane, JSON".to_owned(), &zoomed.state, Size::new(80, 24)),
        ]),
    );
}

#[test]
fn waiting_and_failing() {
    let mut waiting = Session::sandbox().before(Stage::ViewDenied);
    waiting.intent(Intent::Advance);
    let mut half = Session::sandbox().before(Stage::ViewDenied);
    half.intent(Intent::Advance).answer_one();
    let mut failed = Session::sandbox();
    failed.intent(Intent::Advance).fail_all();
    let mut not_enforced = Session::sandbox().before(Stage::ViewDenied);
    not_enforced.services.enforces_kms = false;
    not_enforced.intent(Intent::Advance).answer_all();
    let mut not_active = Session::aws().before(Stage::CreateTable);
    not_active.services.is_slow = true;
    not_active.intent(Intent::Advance);
    while not_active.services.described < 3 {
        not_active.answer_one();
    }
    let mut gave_up = Session::aws().before(Stage::CreateTable);
    gave_up.services.is_slow = true;
    gave_up.intent(Intent::Advance).answer_all();
    let mut throttled = Session::aws().before(Stage::ViewAdmin);
    throttled.services.tries = 3;
    throttled.intent(Intent::Advance).answer_all();
    assert_album(
        "waiting_and_failing",
        album([
            ("a table that is not ACTIVE yet".to_owned(), &not_active.state, SIZES[0]),
            ("a table that does not become ACTIVE".to_owned(), &gave_up.state, SIZES[0]),
            ("a call that the SDK sent three times".to_owned(), &throttled.state, SIZES[0]),
            ("both calls under way".to_owned(), &waiting.state, SIZES[0]),
            ("one answered".to_owned(), &half.state, SIZES[0]),
            ("no answer at all".to_owned(), &failed.state, SIZES[0]),
            ("a server that does not enforce KMS".to_owned(), &not_enforced.state, SIZES[0]),
        ]),
    );
}

#[test]
fn overlays() {
    let at = |intent| {
        let mut session = Session::aws().after(Stage::ViewDenied);
        session.intent(intent);
        session
    };
    let (help, stages, leaving) = (at(Intent::TogglePage(Page::Help)), at(Intent::ToggleStages), at(Intent::Quit));
    assert_album(
        "overlays",
        album([
            ("help".to_owned(), &help.state, SIZES[0]),
            ("help".to_owned(), &help.state, Size::new(60, 18)),
            ("stages".to_owned(), &stages.state, SIZES[0]),
            ("leaving".to_owned(), &leaving.state, SIZES[0]),
            ("leaving".to_owned(), &leaving.state, Size::new(60, 18)),
            ("leaving".to_owned(), &leaving.state, Size::new(40, 4)),
        ]),
    );
}

#[test]
fn the_experiments_before_and_after() {
    assert_album("the_experiments_before_and_after", experiments::the_experiments());
}

#[test]
fn the_experiments_at_work() {
    assert_album("the_experiments_at_work", experiments::the_experiments_at_work());
}

#[test]
fn views_of_an_answer() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    let mut states = vec![];
    for _ in kmslab::lab::ViewMode::ALL {
        states.push((session.state.view().mode.name().to_owned(), session.state.clone()));
        session.intent(Intent::CycleView);
    }
    let mut zoomed = session;
    zoomed.intent(Intent::ToggleZoom);
    states.push(("zoomed".to_owned(), zoomed.state.clone()));
    let mut policy = Session::sandbox().after(Stage::Grant);
    policy.intent(Intent::SelectPrevious).intent(Intent::ToggleZoom);
    for _ in 0..3 {
        policy.intent(Intent::CycleView);
    }
    states.push(("a command with a policy".to_owned(), policy.state.clone()));
    policy.intent(Intent::CycleView).intent(Intent::ToggleZoom).intent(Intent::ScrollTo(4));
    states.push(("scrolled".to_owned(), policy.state));
    assert_album("views_of_an_answer", album(states.iter().map(|(name, state)| (name.clone(), state, SIZES[0]))));
}

#[test]
fn small_terminals() {
    let session = Session::sandbox().after(Stage::ViewDenied);
    let before = Session::sandbox().before(Stage::ViewDenied);
    let mut other = Session::sandbox().after(Stage::ViewDenied);
    other.intent(Intent::FocusOther);
    assert_album(
        "small_terminals",
        album([
            ("before".to_owned(), &before.state, Size::new(60, 18)),
            ("one pane".to_owned(), &session.state, Size::new(60, 18)),
            ("the other".to_owned(), &other.state, Size::new(79, 24)),
            ("low".to_owned(), &other.state, Size::new(120, 20)),
            ("too narrow".to_owned(), &session.state, Size::new(59, 18)),
            ("too low".to_owned(), &session.state, Size::new(200, 5)),
            ("tiny".to_owned(), &session.state, Size::new(12, 3)),
        ]),
    );
}

#[test]
fn themes() {
    let session = Session::sandbox().after(Stage::ViewDenied);
    let mut album = Album::new();
    for level in [ColorLevel::None, ColorLevel::Ansi16, ColorLevel::True] {
        for name in ThemeName::ALL {
            let picture = styled_dump(&render(&session.state, &Theme::choose(name, level), SIZES[0]));
            // The text is the same in all of them.
            let (_, styles) = picture.split_once("--\n").unwrap();
            album.push((format!("{name} {level:?}"), styles.to_owned()));
        }
    }
    assert_album("themes", album);
}

#[test]
fn every_screen_of_the_denial_has_both_verdicts() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    for zoom in [false, true] {
        for (width, height) in [(60, 18), (79, 24), (80, 23), (80, 24), (100, 28), (132, 43), (500, 300)] {
            let text = text_dump(&render(&session.state, &dark(), Size::new(width, height)));
            for expected in ["✔ ALLOWED", "✘ DENIED", "SANDBOX", "q quit", "6/9", "As expected"] {
                assert!(text.contains(expected), "{expected} is not on {width}×{height}, zoom {zoom}:\n{text}");
            }
        }
        session.intent(Intent::ToggleZoom);
    }
}

/// Whatever an item holds, every cell shows something, nothing moves its neighbours, and the panes keep their borders.
#[test]
fn an_item_can_hold_anything() {
    let nasty = "\u{1b}[2J\u{1b}]0;x\u{7} tab\tcr\r\nlf\u{9b}31m \u{202e}evil\u{202c}\u{200f} 表表表表表表表表表表表表表表表表表表 e\u{301}\u{301} \
                 👩‍👩‍👧 ⚠️ 🇩🇪 \0 end";
    let mut session = Session::sandbox().before(Stage::ViewDenied);
    session.intent(Intent::Advance);
    for (id, identity, operation) in std::mem::take(&mut session.waiting) {
        let mut answer = session.services.answer(identity, &operation, session.state.names());
        let item = serde_json::json!({"id": {"S": nasty}, nasty: {"M": {nasty: {"L": [{"S": nasty}]}}}});
        let body = serde_json::json!({"Items": [item], "Count": 1, nasty: nasty});
        answer.wire.response = format!("HTTP/1.1 200 OK\nx-odd: {nasty}\n\n{nasty}");
        let response = answer.response.as_mut().unwrap();
        (response.status, response.body) = (200, body);
        session.event(Event::CallFinished { id, answer: Box::new(answer) });
    }
    for mode in kmslab::lab::ViewMode::ALL {
        for size in SIZES {
            let picture = render(&session.state, &dark(), size);
            for row in picture.content().chunks(size.width.into()) {
                for cell in row {
                    let hidden = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200f}';
                    assert!(!cell.symbol().chars().any(hidden), "{:?} at {size}, {mode:?}", cell.symbol());
                }
            }
            let divider =
                picture.area.positions().filter(|at| at.x == size.width / 2 - 1 && picture[*at].symbol() == "│");
            let pane = Plan::new(&session.state, picture.area).panes[0];
            assert_eq!(divider.count(), usize::from(pane.area.height) - 2, "{size}, {mode:?}");
        }
        session.intent(Intent::CycleView);
    }
}

#[test]
fn a_long_error_leaves_the_panes_their_rows() {
    let mut session = Session::sandbox();
    session.intent(Intent::Advance).fail_all_with(&"word ".repeat(2_000));
    for size in [Size::new(60, 18), Size::new(80, 24), Size::new(100, 28)] {
        let text = text_dump(&render(&session.state, &dark(), size));
        for expected in ["Not as expected", "! FAILED", "try again", "more lines"] {
            assert!(text.contains(expected), "{expected} is not on the screen:\n{text}");
        }
    }
}

#[test]
fn the_last_screen_says_that_it_is_the_last() {
    let text = text_dump(&render(&Session::sandbox().after(Stage::CleanUp).state, &dark(), SIZES[0]));
    assert!(text.contains("End of the lab: 9 of 9 stages met, 9/9 answered right."), "{text}");
}

#[test]
fn the_badge_says_where_calls_go_and_keeps_passwords() {
    let badge = |endpoint: &str| {
        let mut session = Session::aws();
        session.state.set_backend(Backend { endpoint: Some(endpoint.to_owned()), ..session.state.backend().clone() });
        text_dump(&render(&session.state, &dark(), SIZES[0])).lines().next().unwrap().to_owned()
    };
    assert!(badge("http://user:secret@localhost:5000/x").contains(" localhost:5000 "));
    assert!(!badge("http://user:secret@localhost:5000/x").contains("secret"));
    assert!(text_dump(&render(&Session::aws().state, &dark(), SIZES[0])).contains(" AWS  eu-central-1"));
}

#[test]
fn a_still_of_the_screen_has_all_its_words() {
    let state = Session::sandbox().after(Stage::ViewDenied).state;
    let picture = render(&state, &Theme::choose(ThemeName::Dark, ColorLevel::True), SIZES[1]);
    let still = svg(&picture, &Palette::DARK, "kmslab: the denied Scan", "Two panes …");
    let document = roxmltree::Document::parse(&still).unwrap();
    let words: String =
        document.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).collect::<Vec<_>>().concat();
    let squeeze =
        |text: &str| text.chars().filter(|c| !c.is_whitespace() && !"─━│┤┭┮┴".contains(*c)).collect::<String>();
    assert_eq!(squeeze(&words), squeeze(&text_dump(&picture)));
}

#[test]
fn no_size_is_a_problem() {
    for (name, state) in every_state() {
        for (width, height) in [(1, 1), (2, 1), (1, 50), (200, 1), (59, 18), (60, 17), (60, 18), (80, 24), (130, 40)] {
            let picture = render(state, &dark(), Size::new(width, height));
            assert_eq!(picture.area.as_size(), Size::new(width, height), "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_state_is_drawn_at_any_size(pick in any::<prop::sample::Index>(), width in 1u16..220, height in 1u16..70) {
        let states = every_state();
        let (_, state) = &states[pick.index(states.len())];
        let picture = render(state, &dark(), Size::new(width, height));
        prop_assert_eq!(picture.area.as_size(), Size::new(width, height));
    }
}

/// Writes pictures of everything for a person to look at: `cargo test --test it -- --ignored pictures`.
#[test]
#[ignore = "for people: writes SVG files to target/pictures"]
fn pictures() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    for (theme, palette) in [(ThemeName::Dark, Palette::DARK), (ThemeName::Light, Palette::LIGHT)] {
        for stage in Stage::ALL {
            for (when, session) in
                [("before", Session::sandbox().before(stage)), ("after", Session::sandbox().after(stage))]
            {
                for size in SIZES {
                    let name =
                        format!("{}-{}-{when}-{theme}-{}x{}", stage.number(), stage.key(), size.width, size.height);
                    let picture = render(&session.state, &Theme::choose(theme, ColorLevel::True), size);
                    std::fs::write(
                        folder.join(format!("{name}.svg")),
                        svg(&picture, &palette, &name, Lesson::english().text(stage, false).objective),
                    )
                    .unwrap();
                }
            }
        }
    }
    let mut asked = Session::unasked().before(Stage::CreateKey);
    asked.intent(Intent::Advance);
    let mut masked = Session::named("q7k2m9x4");
    masked.state.mask();
    let masked = masked.after(Stage::ViewDenied);
    for (name, session) in [("consent", asked), ("masked", masked), ("replay", replay::replayed())] {
        for size in SIZES {
            let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
            let picture = svg(&render(&session.state, &theme, size), &Palette::DARK, name, name);
            std::fs::write(folder.join(format!("{name}-{}x{}.svg", size.width, size.height)), picture).unwrap();
        }
    }
    println!("{}", folder.display());
}
