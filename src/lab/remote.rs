//! What may be asked for from the window of `kmslab notes`.

use serde::{Deserialize, Serialize};

use super::session::flow::{Intent, PresenterAction};
use super::session::modes::Mode;
use super::session::permit::Permit;
use super::session::state::State;

/// A key that was pressed in the window of `kmslab notes`, as the lab is sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteKey {
    /// What the lab's answer repeats. No two windows use the same.
    pub number: u64,
    /// The key's name.
    pub key: String,
}

/// What the lab did with a [`RemoteKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOutcome {
    /// What it means there.
    Done,
    /// Nothing: it has no meaning now, or isn't allowed now.
    NotNow,
    /// Nothing: it must be pressed in the lab's own window.
    OnlyInLab,
}

/// The lab's answer to a [`RemoteKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAnswer {
    /// That of the key.
    pub number: u64,
    /// What became of it.
    pub outcome: KeyOutcome,
}

/// Returns what becomes of `intent`, which a key in the notes' window means now.
pub fn outcome(state: &State, intent: Intent) -> KeyOutcome {
    match state.permit(intent) {
        _ if !is_presenters(intent) || is_private(state.mode()) => KeyOutcome::OnlyInLab,
        Permit::Yes => KeyOutcome::Done,
        _ => KeyOutcome::NotNow,
    }
}

/// Whether a presenter asks for it. Leaving, starting over, a shell, consent, and whatever is typed need the lab's own
/// keyboard.
fn is_presenters(intent: Intent) -> bool {
    use {Intent as I, PresenterAction as P};
    match intent {
        I::Advance
        | I::ShowNext
        | I::ShowPrevious
        | I::Choose(_)
        | I::Judge(_)
        | I::Skip
        | I::Hint
        | I::Retry
        | I::FocusOther
        | I::ToggleZoom
        | I::ToggleReplay
        | I::CycleView
        | I::SelectPrevious
        | I::SelectNext
        | I::ScrollTo(_)
        | I::TogglePage(_)
        | I::ToggleStages
        | I::MoveCursor(_)
        | I::Close
        | I::ToggleExperiments
        | I::Undo
        | I::ChooseWay(_)
        | I::Drill(_) => true,
        I::Present(action) => !matches!(action, P::AskToStartOver | P::StartOver),
        I::Search(_)
        | I::Copy(_)
        | I::Export
        | I::Quit
        | I::AskToQuit
        | I::CleanUpAndQuit
        | I::TypeDigit(_)
        | I::EraseDigit
        | I::StartAfresh
        | I::AskForHelp
        | I::OpenShell
        | I::NextBlank(_)
        | I::InsertName
        | I::EditElsewhere
        | I::Send => false,
    }
}

/// Whether only the lab's own keyboard answers: a yes to costs, to leaving, or to starting over, and a text.
fn is_private(mode: Mode) -> bool {
    matches!(mode, Mode::Consent | Mode::Leaving | Mode::StartingOver | Mode::Writing | Mode::Naming | Mode::Search)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Backend, BackendKind, Event, Names, Page};

    fn state() -> State {
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        State::new(backend, Names::new("t1"))
    }

    #[test]
    fn a_presenter_drives_the_lab_and_no_more() {
        let mut state = state();
        let page = Intent::TogglePage(Page::Lesson);
        assert_eq!(outcome(&state, Intent::Present(PresenterAction::Blank)), KeyOutcome::Done);
        assert_eq!(outcome(&state, page), KeyOutcome::Done);
        assert_eq!(outcome(&state, Intent::SelectNext), KeyOutcome::NotNow);
        for private in [
            Intent::AskToQuit,
            Intent::Quit,
            Intent::OpenShell,
            Intent::Export,
            Intent::Present(PresenterAction::AskToStartOver),
        ] {
            assert_eq!(outcome(&state, private), KeyOutcome::OnlyInLab, "{private:?}");
        }
        state.update(Event::Intent(Intent::Present(PresenterAction::AskToStartOver)));
        // An enter or a letter must not answer that.
        assert_eq!(outcome(&state, Intent::Close), KeyOutcome::OnlyInLab);
    }
}
