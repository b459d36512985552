//! States of all kinds, for what must hold in each.

use kmslab::lab::{Event, Experiment, Intent, Page, PresenterAction, Stage, State};

use super::Session;

/// Experiments in all their states.
fn by_the_experiments() -> Vec<(&'static str, Session)> {
    let at = |which| Session::sandbox().at_the_experiments(which);
    let mut list = Session::sandbox().after(Stage::ViewAgain);
    list.intent(Intent::ToggleExperiments);
    let mut running = at(Experiment::DisableKey);
    running.intent(Intent::Advance);
    let mut undoing = at(Experiment::DisableKey);
    undoing.intent(Intent::Advance);
    while !undoing.state.experiments().is_undoing() {
        undoing.answer_one();
    }
    let mut tried = at(Experiment::ExplicitDeny);
    tried.intent(Intent::Advance).answer_all();
    let mut counting = Session::aws().after(Stage::ViewAgain).at_the_experiments(Experiment::DisableKey);
    counting.holds_timers = true;
    counting.intent(Intent::Advance).answer_all();
    let mut not_undone = at(Experiment::DisableKey);
    not_undone.services.stays_disabled = true;
    not_undone.intent(Intent::Advance).answer_all();
    vec![
        ("list", list),
        ("asked", at(Experiment::ScheduleDeletion)),
        ("running", running),
        ("undoing", undoing),
        ("tried", tried),
        ("counting", counting),
        ("not undone", not_undone),
    ]
}

/// States of all kinds: each stage before, while and after its calls, with every overlay, view, focus and zoom.
pub fn every_state() -> &'static [(String, State)] {
    static STATES: std::sync::OnceLock<Vec<(String, State)>> = std::sync::OnceLock::new();
    STATES.get_or_init(make_every_state)
}

/// `state` with every overlay, view, focus and zoom.
fn variants(name: &str, state: &State, into: &mut Vec<(String, State)>) {
    for intents in [
        vec![],
        vec![Intent::TogglePage(Page::Help)],
        vec![Intent::TogglePage(Page::Why)],
        vec![Intent::TogglePage(Page::Trail)],
        vec![Intent::TogglePage(Page::AtRest)],
        vec![Intent::ToggleStages],
        vec![Intent::Quit],
        vec![Intent::Present(PresenterAction::Blank)],
        vec![Intent::Present(PresenterAction::Timer)],
        vec![Intent::Present(PresenterAction::Tally)],
        vec![Intent::Present(PresenterAction::Tally), Intent::Present(PresenterAction::Letter(1))],
        vec![Intent::Present(PresenterAction::AskToStartOver)],
        vec![Intent::ToggleStages, Intent::MoveCursor(i8::MAX)],
        vec![Intent::ShowPrevious],
        vec![Intent::ToggleZoom, Intent::FocusOther],
        vec![Intent::CycleView],
        vec![Intent::CycleView, Intent::CycleView, Intent::ScrollTo(7)],
        vec![Intent::CycleView, Intent::CycleView, Intent::CycleView, Intent::ToggleZoom],
        vec![Intent::SelectPrevious, Intent::ScrollTo(u16::MAX)],
    ] {
        let mut state = state.clone();
        for intent in &intents {
            state.update(Event::Intent(*intent));
        }
        into.push((format!("{name}, {intents:?}"), state));
    }
}

fn make_every_state() -> Vec<(String, State)> {
    let mut states = Vec::new();
    for intents in [
        vec![],
        vec![Intent::SelectPrevious],
        vec![Intent::ToggleZoom],
        vec![Intent::CycleView],
        vec![Intent::ShowPrevious],
        vec![Intent::TogglePage(Page::Help)],
        vec![Intent::Quit],
    ] {
        let mut state = Session::reviewing().state;
        for intent in &intents {
            state.update(Event::Intent(*intent));
        }
        states.push((format!("grant, before PutKeyPolicy, {intents:?}"), state));
    }
    let mut silent = Session::offered(true, Stage::Grant);
    silent.fail_all();
    let mut found = Session::offered(true, Stage::Grant);
    found.answer_all();
    let mut verifying = Session::offered(true, Stage::Grant);
    verifying.answer_all().intent(Intent::Advance);
    let mut stalled = Session::offered(true, Stage::Grant);
    stalled.answer_all().intent(Intent::Advance).fail_all();
    let looking = Session::offered(true, Stage::Grant);
    let sandbox = Session::offered(false, Stage::Grant);
    let offered = [looking, silent, found, verifying, stalled, sandbox];
    let names = ["looking", "no answer", "found", "verifying", "no answer while verifying", "on the sandbox"];
    states.extend(names.into_iter().zip(offered).map(|(name, session)| (format!("resume: {name}"), session.state)));
    for aws in [false, true] {
        let start = || if aws { Session::aws() } else { Session::sandbox() };
        // Leftovers are all that differs there.
        let stages = if aws { &Stage::ALL[5..6] } else { &Stage::ALL[..] };
        for stage in stages.iter().copied() {
            let mut running = start().before(stage);
            running.intent(Intent::Advance);
            let mut failed = start().before(stage);
            failed.intent(Intent::Advance).fail_all();
            let mut sessions = vec![
                ("before", start().before(stage)),
                ("running", running),
                ("failed", failed),
                ("after", start().after(stage)),
            ];
            if aws {
                let mut replayed = Session::cut_off(stage);
                sessions.push(("cut off", Session::cut_off(stage)));
                let mut overdue = start().before(stage);
                overdue.kept = start().after(Stage::CleanUp).kept;
                overdue.intent(Intent::Advance);
                (0..12).for_each(|_| overdue.event(Event::Tick));
                sessions.push(("overdue", overdue));
                replayed.intent(Intent::ToggleReplay);
                sessions.push(("replayed", replayed));
            }
            for (when, session) in sessions {
                variants(&format!("{} {when}, aws {aws}", stage.key()), &session.state, &mut states);
            }
        }
    }
    for (when, session) in by_the_experiments() {
        variants(&format!("bench {when}"), &session.state, &mut states);
    }
    states
}
