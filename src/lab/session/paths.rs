//! The paths of Scans, before and after stage 7.

use super::state::State;
use crate::lab::calls::Call;
use crate::lab::feature::insight::Traced;
use crate::lab::model::exchange::Exchange;
use crate::lab::model::experiment::ExtraTable;
use crate::lab::model::mechanism::Mechanism;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::stage::Stage;
use crate::lab::path::Path;

/// The path of the call that the pane of `identity` shows; `None` unless it is a Scan.
pub(super) fn path(state: &State, identity: Identity) -> Option<Path> {
    match state.selected_call(identity)? {
        Call::Answered(exchange) => path_of(state, exchange),
        call if matches!(call.operation(), Operation::Scan { .. }) => Some(match call {
            Call::Waiting(_) => Path::waiting(identity.name()),
            _ => Path::unsent(identity.name()),
        }),
        _ => None,
    }
}

/// The path of an answered call; `None` unless it is a Scan.
pub(super) fn path_of(state: &State, exchange: &Exchange) -> Option<Path> {
    let asked = match state.insight.asked(exchange) {
        _ if state.is_replay() => Traced::NotTold,
        // Sessions that an earlier version recorded have no answer.
        Traced::Looking if state.replays.session().is_some() => Traced::NotTold,
        asked => asked,
    };
    let path = Path::of(exchange, exchange.identity.name(), asked)?;
    let is_owned = exchange.operation.subject() == ExtraTable::AwsOwned.name(state.shown_names());
    Some(if is_owned { path.of_owned_key() } else { path })
}

/// What has changed between the last two Scans of the stages, in a sentence; `None` before the change.
pub(super) fn change_before(state: &State) -> Option<&'static str> {
    let is_changed = state.check(Stage::Grant).is_some_and(|check| check.met);
    is_changed.then(|| match state.own_way() {
        None | Some(Mechanism::KeyPolicy) => "Only the key policy changed.",
        Some(Mechanism::IamPolicy) => "Only test-user's IAM policy changed.",
        Some(Mechanism::Grant) => "Only a grant is new.",
    })
}

/// The path of the Scan of `identity` before the change, while the shown stage sends it again.
pub(super) fn path_before(state: &State, identity: Identity) -> Option<Path> {
    let is_again = state.view.shown == Stage::ViewAgain && state.view.experiment.is_none();
    if is_again { path_in(state, Stage::ViewDenied, identity) } else { None }
}

/// The path of the newest Scan of `identity` in a stage.
pub(super) fn path_in(state: &State, stage: Stage, identity: Identity) -> Option<Path> {
    let mut scans = state.record(stage).exchanges().rev();
    path_of(
        state,
        scans.find(|exchange| exchange.identity == identity && matches!(exchange.operation, Operation::Scan { .. }))?,
    )
}
