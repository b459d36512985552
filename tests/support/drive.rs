//! Drives a lab on a real world as the product's loops do, except that its pauses are not slept.

use kmslab::lab::{Effect, Event, Intent, State};
use kmslab::run::effects::EffectHandler;
use tokio::sync::mpsc::UnboundedReceiver;

/// Takes `intent` in and waits until nothing is under way any more. `goes_on` sees each effect before it is performed;
/// where it says no, the lab dies there.
pub async fn press(
    intent: Intent,
    state: &mut State,
    world: &EffectHandler,
    events: &mut UnboundedReceiver<Event>,
    goes_on: impl FnMut(&State, &Effect) -> bool,
) {
    happen(Event::Intent(intent), state, world, events, goes_on).await;
}

/// The same for any event.
pub async fn happen(
    event: Event,
    state: &mut State,
    world: &EffectHandler,
    events: &mut UnboundedReceiver<Event>,
    mut goes_on: impl FnMut(&State, &Effect) -> bool,
) {
    let mut waiting = vec![event];
    // Recorded answers that are looked for: nothing runs meanwhile.
    let mut recalls = 0_usize;
    loop {
        while let Some(event) = waiting.pop() {
            recalls = recalls.saturating_sub(matches!(event, Event::ResponsesLoaded { .. }).into());
            for effect in state.update(event) {
                if !goes_on(state, &effect) {
                    return;
                }
                match effect {
                    Effect::After { timer, .. } => waiting.push(Event::TimerFired(timer)),
                    effect => {
                        recalls += usize::from(matches!(effect, Effect::LoadResponses { .. }));
                        world.perform(effect);
                    }
                }
            }
        }
        if !state.is_running() && recalls == 0 {
            return;
        }
        waiting.push(events.recv().await.unwrap());
    }
}
