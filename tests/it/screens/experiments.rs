//! The experiments on the screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use kmslab::lab::{Backend, BackendKind, Event, Experiment, Intent, Quiz, Stage, TimerId};
use kmslab::ui::{KeyCast, render, render_with};
use ratatui::layout::{Rect, Size};

use super::album::{Album, album};
use super::{SIZES, dark};
use crate::support::lab::{Session, text_dump};

fn at(which: Experiment) -> Session {
    Session::sandbox().at_the_experiments(which)
}

fn tried(which: Experiment, right: bool) -> Session {
    let mut session = at(which);
    session.predict(right).intent(Intent::Advance).answer_all();
    session
}

pub fn the_experiments() -> Album {
    let mut list = tried(Experiment::ExplicitDeny, true);
    list.intent(Intent::Close);
    let before = at(Experiment::ExplicitDeny);
    let (right, wrong) = (tried(Experiment::ExplicitDeny, true), tried(Experiment::ExplicitDeny, false));
    album(
        [("list", &list), ("before the answer", &before), ("right", &right), ("wrong", &wrong)]
            .map(|(name, session)| (name.to_owned(), &session.state, SIZES[0])),
    )
}

pub fn the_experiments_at_work() -> Album {
    let mut running = at(Experiment::DisableKey);
    running.intent(Intent::Advance);
    let mut counting = Session::aws().at_the_experiments(Experiment::DisableKey);
    counting.holds_timers = true;
    counting.intent(Intent::Advance).answer_all();
    let disabled = tried(Experiment::DisableKey, true);
    let mut not_undone = at(Experiment::DisableKey);
    not_undone.services.stays_disabled = true;
    not_undone.intent(Intent::Advance).answer_all();
    album([
        ("running".to_owned(), &running.state, SIZES[0]),
        ("counting down".to_owned(), &counting.state, SIZES[0]),
        ("disabled".to_owned(), &disabled.state, SIZES[0]),
        ("disabled".to_owned(), &disabled.state, SIZES[1]),
        ("not undone".to_owned(), &not_undone.state, SIZES[0]),
        ("one pane".to_owned(), &disabled.state, Size::new(60, 18)),
    ])
}

/// Question, answers, and the way on are on 80×24 before anybody scrolls; verdict, explanation and lesson after it.
#[test]
fn every_experiment_fits_80_by_24_in_both_languages() {
    for language in ["en", "de"] {
        let lesson = kmslab::lab::Lesson::parse(&kmslab::lab::lesson::Files::embedded(), language).unwrap();
        for which in Experiment::ALL {
            let mut session = at(which);
            session.state = session.state.with_lesson(std::sync::Arc::new(lesson.clone()));
            let flat = |session: &Session| {
                let text = text_dump(&render(&session.state, &dark(), Size::new(80, 24)));
                (text.split_whitespace().collect::<Vec<_>>().join(" "), text)
            };
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let text = &session.state.lesson().frame.experiments[which.index()];
            let (screen, picture) = flat(&session);
            for part in
                [&text.setup, &text.question.text].into_iter().chain(text.question.answers.iter().map(|a| &a.text))
            {
                assert!(screen.contains(&words(part)), "{language} {which:?}: {part} is not on\n{picture}");
            }
            let last = ['b', 'c', 'd'][text.question.answers.len() - 2];
            let how = match language {
                "de" => format!("a–{last} antwortet, s überspringt"),
                _ => format!("a–{last} to answer, s to skip"),
            };
            assert!(screen.contains(&how), "{how}: {picture}");
        }
    }
}

#[test]
fn enter_ends_the_countdown_and_escape_the_experiment() {
    let counting = || {
        let mut session = Session::aws().at_the_experiments(Experiment::DisableKey);
        session.holds_timers = true;
        session.intent(Intent::Advance).answer_all();
        assert_eq!(session.state.experiments().pause(), Some(Some(315)));
        session
    };
    let press = |code, session: &Session| {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        kmslab::ui::keys::intent(key, &session.state, Rect::new(0, 0, 80, 24))
    };
    let mut session = counting();
    assert!(session.state.view().message.clone().unwrap().starts_with("5:15 until DynamoDB forgets"));
    session.event(Event::TimerFired(TimerId(0))); // of somebody else
    assert_eq!(session.state.experiments().pause(), Some(Some(315)));
    let enter = press(KeyCode::Enter, &session).unwrap();
    session.intent(enter).answer_all();
    assert!(matches!(&session.state.shown().status, kmslab::lab::Status::Done(check) if check.met));

    let mut session = counting();
    let escape = press(KeyCode::Esc, &session).unwrap();
    session.intent(escape).answer_all();
    let names: Vec<_> = session.state.shown().exchanges().map(|call| call.operation.name()).collect();
    assert_eq!(names, ["DisableKey", "EnableKey"], "it is undone, and nothing was read");
    assert_eq!(session.state.experiments().changes(), []);

    let mut session = counting();
    session.holds_timers = false;
    // Every second one event; the timer that is under way fires, and the others of themselves.
    let pause = session.state.clone();
    let fired = (1..200).map(TimerId).find(|timer| {
        let mut state = pause.clone();
        state.update(Event::TimerFired(*timer));
        state.experiments().pause() == Some(Some(314))
    });
    session.event(Event::TimerFired(fired.unwrap()));
    session.answer_all();
    assert!(matches!(&session.state.shown().status, kmslab::lab::Status::Done(check) if check.met));
}

#[test]
fn a_server_that_is_no_sandbox_is_waited_for() {
    let mut session = Session::sandbox().at_the_experiments(Experiment::KeyAdmin);
    session.state.set_backend(Backend { kind: BackendKind::Endpoint, ..session.state.backend().clone() });
    session.intent(Intent::Skip);
    let effects = session.state.update(Event::Intent(Intent::Advance));
    let [kmslab::lab::Effect::Call { id, identity, operation }] = &effects[..] else { panic!("{effects:?}") };
    let answer = Box::new(session.services.answer(*identity, operation, session.state.names()));
    let effects = session.state.update(Event::CallFinished { id: *id, answer });
    let [kmslab::lab::Effect::Advance { timer, seconds: 301 }] = effects[..] else { panic!("{effects:?}") };
    let effects = session.state.update(Event::Advanced { timer, moved: false });
    assert_eq!(effects, [kmslab::lab::Effect::After { timer, millis: 1_000 }]);
    assert_eq!(session.state.experiments().pause(), Some(Some(315)));
}

#[test]
fn a_given_user_keeps_its_policies() {
    for which in Experiment::ALL {
        let mut session = at(which);
        session.state.set_backend(Backend { given_user: true, ..session.state.backend().clone() });
        session.intent(Intent::Advance);
        assert_eq!(session.waiting.is_empty(), which.needs_own_user(), "{which:?}");
        if which.needs_own_user() {
            let text = text_dump(&render(&session.state, &dark(), Size::new(80, 24)));
            assert!(text.contains("the lab must have created"), "{text}");
        }
    }
}

#[test]
fn leaving_in_the_middle_undoes_the_experiment() {
    let mut session = Session::aws().at_the_experiments(Experiment::AwsOwnedKey);
    session.intent(Intent::Advance);
    // A policy for the table, the key policy; then the table's creation is under way.
    session.answer_one();
    session.answer_one();
    session.intent(Intent::Quit);
    assert!(session.state.leftovers().iter().any(|left| left.contains("kmslab-table-aws-owned-4f2a")));
    session.intent(Intent::CleanUpAndQuit).answer_all();
    assert!(session.state.check(Stage::CleanUp).unwrap().met, "{:?}", session.state.check(Stage::CleanUp));
    assert_eq!(session.state.leftovers(), Vec::<String>::new());
}

#[test]
fn where_no_questions_are_asked_enter_tries_at_once() {
    let mut session = Session::sandbox().after(Stage::ViewAgain);
    session.state = session.state.with_quiz(Quiz::default());
    let mut session = session.at_the_experiments(Experiment::ExplicitDeny);
    session.event(Event::Intent(Intent::Advance));
    assert_eq!(session.waiting.len(), 1);
}

#[test]
fn a_masked_experiment_names_nobody() {
    let mut session = Session::named("q7k2m9x4");
    session.state.mask();
    let mut session = session.at_the_experiments(Experiment::AwsOwnedKey);
    session.state.set_backend(Backend { kind: BackendKind::Endpoint, ..session.state.backend().clone() });
    session.intent(Intent::Advance);
    while session.state.experiments().changes().len() < 2 {
        session.answer_one();
    }
    let leaving = session.state.leftovers().join(", ");
    assert!(leaving.contains("table kmslab-table-aws-owned-"), "{leaving}");
    session.answer_all();
    for step in 0..8 {
        for _ in kmslab::lab::ViewMode::ALL {
            let text = text_dump(&render(&session.state, &dark(), Size::new(200, 50))) + &leaving;
            assert!(!text.contains("q7k2m9x4"), "{step}: {text}");
            session.intent(Intent::CycleView);
        }
        session.intent(Intent::SelectPrevious);
    }
}

#[test]
fn captions_of_an_experiment_are_its_own() {
    let key_cast = KeyCast { captions: true, ..KeyCast::default() };
    for which in [Experiment::DisableKey, Experiment::ExplicitDeny] {
        for session in [at(which), tried(which, true)] {
            let mut state = session.state;
            state.say(None);
            let text = text_dump(&render_with(&state, &dark(), &key_cast, SIZES[1]));
            let caption = text.lines().nth(26).unwrap().trim();
            let experiment = state.experiment(which);
            let own = [&experiment.title, experiment.setup.trim(), experiment.lesson.trim()];
            let observed = matches!(&state.shown().status, kmslab::lab::Status::Done(c) if c.observed == caption);
            assert!(observed || own.contains(&caption), "{which:?}: {caption}");
        }
    }
}

#[test]
fn the_experiments_list_has_the_stages_signs() {
    let mut list = tried(Experiment::DisableKey, true);
    list.intent(Intent::Close);
    let text = text_dump(&render(&list.state, &dark(), SIZES[0]));
    assert_eq!(text.matches('○').count(), 13, "{text}");
    let text = text_dump(&render(&at(Experiment::ScheduleDeletion).state, &dark(), SIZES[0]));
    let header = text.lines().next().unwrap();
    assert!(header.contains("x 14/14") && header.contains("✔✔✔✔✔✔✔✔●") && header.contains("SANDBOX"), "{header}");
}

#[test]
fn the_last_reading_offers_the_experiments() {
    let offer = "x      break it: 14 experiments";
    let after = |stage| text_dump(&render(&Session::sandbox().after(stage).state, &dark(), SIZES[0]));
    // Where there is no room for choices, the line below names them.
    let small = text_dump(&render(&Session::sandbox().after(Stage::ViewAgain).state, &dark(), Size::new(60, 18)));
    assert!(small.contains("x: 14 experiments"), "{small}");
    assert!(after(Stage::ViewAgain).contains(offer), "{}", after(Stage::ViewAgain));
    assert!(!after(Stage::ViewDenied).contains(offer) && !after(Stage::CleanUp).contains(offer));
    // What is filmed with captions keeps them.
    let key_cast = KeyCast { captions: true, ..KeyCast::default() };
    let text = text_dump(&render_with(&Session::sandbox().after(Stage::ViewAgain).state, &dark(), &key_cast, SIZES[1]));
    assert!(!text.contains("x: 14 experiments"), "{text}");
}
