//! What a learner sees: the answers in words, the real answers beside them, and what to take home.

use kmslab::lab::{Experiment, Identity, Intent, Page, Permit, PresenterAction, Stage};
use kmslab::ui::layout::Plan;
use kmslab::ui::render;
use ratatui::layout::{Rect, Size};
use rstest::rstest;

use super::{SIZES, dark};
use crate::support::lab::{Session, text_dump};

/// The id of the key, which is all that tells it from others.
const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// What people film, and look at.
const FILMED: [Size; 4] = [Size::new(80, 24), Size::new(100, 28), Size::new(120, 34), Size::new(200, 50)];

/// Words as they follow each other, whatever lines they stand on.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where one pane is seen it is the one that was denied, and `w` explains the denial.
#[test]
fn the_denial_has_the_focus() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    for size in [Size::new(60, 18), Size::new(79, 24)] {
        let text = text_dump(&render(&session.state, &dark(), size));
        assert!(text.contains("━ test-user") && text.contains("✘ DENIED "), "{text}");
    }
    session.intent(Intent::TogglePage(Page::Why));
    let text = text_dump(&render(&session.state, &dark(), SIZES[0]));
    assert!(text.contains("✘ DENIED   test-user ─▸ DynamoDB ✔ ─▸ KMS ✘ ─┤ no items"), "{text}");
    let mut not_enforced = Session::sandbox().before(Stage::ViewDenied);
    not_enforced.services.enforces_kms = false;
    not_enforced.intent(Intent::Advance).answer_all();
    assert_eq!(not_enforced.state.view().focus(), Identity::Admin);
}

/// What the stage is about is there before anybody scrolls, with the outcome and the prediction: at 80×24, and (the second
/// list) with more of it where there is more room.
#[rstest]
#[case(Stage::Who, &["Arn: arn:aws:iam::111122223333:user/kmslab-admin"], &[])]
#[case(Stage::CreateKey, &["KeyManager: CUSTOMER", "KeyState: Enabled"], &["Arn: ", KEY])]
#[case(Stage::CreateTable, &["SSEDescription:", "SSEType: KMS", "KMSMasterKeyArn: ", KEY], &[])]
#[case(Stage::ViewAdmin, &["p-001", "p-002", "p-003", "Ada Kowalska"], &[])]
#[case(Stage::CreateUser, &["Arn: ", "Account: ", "AmazonDynamoDBFullAccess"], &[])]
#[case(Stage::ViewDenied, &["kms:Decrypt", "key/1234abcd-…", "no"], &["no identity-based"])]
#[case(Stage::Grant, &["2 statements added", "+ Allow use of the key"], &["+ Allow attachment of persistent resources"])]
#[case(Stage::ViewAgain, &["p-001", "p-002", "p-003", "Chidi Okafor"], &[])]
#[case(Stage::CleanUp, &["KeyState: PendingDeletion", "DeletionDate: "], &[])]
fn what_to_look_at_is_to_be_seen(#[case] stage: Stage, #[case] expected: &[&str], #[case] roomy: &[&str]) {
    for (right, size) in [true, false].into_iter().flat_map(|right| FILMED.map(|size| (right, size))) {
        // A run's id has eight characters outside of tests.
        let mut session = Session::named("0123abcd").before(stage);
        session.predict(right).intent(Intent::Advance).answer_all();
        let text = text_dump(&render(&session.state, &dark(), size));
        assert!(text.contains("✔ As expected"), "{stage:?}:\n{text}");
        let asked = session.state.question(stage).unwrap();
        let (letter, reply) = asked.reply().unwrap();
        let said = flat(&text);
        let feedback = match (right, &reply.feedback) {
            (true, _) => format!("You said {letter}. Right."),
            (false, Some(feedback)) => format!("You said {letter}. Not quite: {}", flat(feedback)),
            (false, None) => format!("You said {letter}. Not quite. The answer: "),
        };
        assert!(said.contains(&feedback), "{feedback} is not on the screen of {stage:?}:\n{text}");
        let panes = Plan::new(&session.state, Rect::new(0, 0, size.width, size.height)).panes[0].area.top();
        let rows = text.lines().skip(panes.into()).collect::<Vec<_>>().join("\n");
        let is_roomy = size != SIZES[0];
        for word in expected.iter().chain(roomy.iter().filter(|_| is_roomy)) {
            assert!(rows.contains(word), "{word:?} is not in the panes of {stage:?}:\n{text}");
        }
    }
}

/// The explanations have a page, in every language.
#[test]
fn the_page_explains_every_answer_after_the_calls() {
    for language in ["en", "de"] {
        let lesson = kmslab::lab::Lesson::parse(&kmslab::lab::lesson::Files::embedded(), language).unwrap();
        for stage in Stage::ALL {
            let mut session = Session::sandbox();
            session.state = session.state.with_lesson(std::sync::Arc::new(lesson.clone()));
            let mut session = session.before(stage);
            session.predict(false).intent(Intent::Advance).answer_all();
            session.intent(Intent::TogglePage(Page::Lesson));
            let text = text_dump(&render(&session.state, &dark(), Size::new(80, 120)));
            let said = flat(&text.replace('│', " "));
            for (_, reply) in session.state.question(stage).unwrap().answers {
                assert!(
                    said.contains(&flat(&reply.explanation)),
                    "{language}: {} is not on\n{text}",
                    reply.explanation
                );
            }
        }
    }
}

/// The question stays with the chosen answer until everything is answered: nothing moves before that.
#[test]
fn a_prediction_stays_until_there_is_an_answer() {
    for (stage, size) in [Stage::CreateTable, Stage::ViewDenied].into_iter().flat_map(|s| FILMED.map(|size| (s, size)))
    {
        let mut session = Session::sandbox().before(stage);
        session.predict(false);
        let area = Rect::new(0, 0, size.width, size.height);
        let panes = Plan::new(&session.state, area).panes[0].area;
        session.intent(Intent::Advance);
        let asked = session.state.question(stage).unwrap();
        let text = text_dump(&render(&session.state, &dark(), size));
        assert!(text.contains("in progress") && asked.answers.iter().all(|(_, a)| text.contains(&a.text)), "{text}");
        session.answer_one();
        assert_eq!(Plan::new(&session.state, area).panes[0].area, panes, "{stage:?} at {size}");
    }
}

/// What was wrong stands beside what is right, under a heading; a false claim is called one, and is no denial.
#[test]
fn the_debrief_says_what_its_lines_are() {
    let mut session = Session::sandbox().before(Stage::ViewDenied);
    session.predict(false).intent(Intent::Advance).answer_all();
    let (said, right) = {
        let asked = session.state.question(Stage::ViewDenied).unwrap();
        (asked.reply().unwrap().1.text.clone(), asked.right().unwrap().1.text.clone())
    };
    let mut session = session.at_the_experiments(Experiment::DisableKey);
    session.predict(true).intent(Intent::Advance).answer_all();
    session.intent(Intent::ToggleExperiments);
    let mut session = session.after(Stage::CleanUp);
    session.intent(Intent::TogglePage(Page::Debrief));
    let text = text_dump(&render(&session.state, &dark(), Size::new(100, 70)));
    let row = |words: &str| {
        let found = text.lines().position(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("{words:?} is not in the debrief:\n{text}"))
    };
    let said = format!("you said: {said}");
    let rows = [
        "8/9 answered right",
        "1 of 14 experiments tried",
        "│  not quite  ",
        "6  What will test-user",
        &said,
        &format!("the answer: {right}"),
        "true / false?",
        "false: A symmetric key",
        "true: You used a KMS key",
    ];
    assert!(rows.map(row).is_sorted(), "{text}");
    assert!(!text.contains('✘'), "{text}");
}

/// Whoever asks the class instead of answering has neither skipped the question nor got it wrong.
#[test]
fn a_class_has_a_score_of_its_own() {
    let mut session = Session::sandbox();
    let asked = session.state.question(Stage::Who).unwrap();
    let right = asked.answers.iter().position(|(_, reply)| reply.right).unwrap();
    let hands = |place: usize| Intent::Present(PresenterAction::Letter(u8::try_from(place).unwrap()));
    let digit = |digit| Intent::Present(PresenterAction::Digit(digit));
    session.intent(Intent::Present(PresenterAction::Tally));
    for intent in [hands(right), digit(7), hands((right + 1) % 2), digit(3)] {
        session.intent(intent);
    }
    session.intent(Intent::Present(PresenterAction::TakeHands)).intent(Intent::Advance).answer_all();
    session.intent(Intent::TogglePage(Page::Debrief));
    let text = text_dump(&render(&session.state, &dark(), SIZES[1]));
    assert!(text.contains("│  class 7/10 answered right"), "{text}");
    assert!(!text.contains("0/") && !text.contains("skipped"), "{text}");
}

/// Whatever else has no room, the hint that was just asked for does.
#[test]
fn the_newest_hint_is_on_the_smallest_screen() {
    let mut seen = 0;
    for stage in Stage::ALL {
        let mut session = Session::sandbox().before(stage);
        while session.state.permit(Intent::Hint) == Permit::Yes {
            session.intent(Intent::Hint);
            let hints = session.state.hints();
            let start: Vec<&str> = hints.last().unwrap().split_whitespace().take(3).collect();
            let text = flat(&text_dump(&render(&session.state, &dark(), Size::new(60, 18))));
            assert!(text.contains(&start.join(" ")), "{stage:?}, {start:?}:\n{text}");
            seen += 1;
        }
    }
    assert!(seen >= 12, "{seen}");
}
