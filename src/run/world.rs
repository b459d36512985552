//! The world outside the lesson: performs effects and tells what became of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::aws::Clients;
use crate::lab::{Effect, Event, Report};

/// What is left for whoever drives the lab after the world has taken its part of an effect.
#[derive(Debug, PartialEq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// A line to write.
    Report(Report),
    /// The program is to end.
    Exit,
}

/// Performs effects in tasks of their own; what becomes of them arrives at the receiver. When the world is dropped,
/// its runtime drops the tasks, and nothing is sent any more.
pub struct World {
    clients: Arc<Clients>,
    events: UnboundedSender<Event>,
}

impl World {
    /// A world whose calls go through `clients`, and the receiver of its events.
    pub fn new(clients: Clients) -> (World, UnboundedReceiver<Event>) {
        let (events, receiver) = unbounded_channel();
        (World { clients: Arc::new(clients), events }, receiver)
    }

    /// Begins `effect` and returns at once.
    pub fn perform(&self, effect: Effect) -> Rest {
        let events = self.events.clone();
        match effect {
            Effect::Call { id, identity, operation } => {
                let clients = self.clients.clone();
                tokio::spawn(async move {
                    let answer = Box::new(clients.call(identity, &operation).await);
                    // Nobody listens when the lab has ended meanwhile.
                    let _ = events.send(Event::CallFinished { id, answer });
                });
                Rest::Nothing
            }
            Effect::After { timer, millis } => {
                let pause = jittered(millis);
                tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    let _ = events.send(Event::TimerFired(timer));
                });
                Rest::Nothing
            }
            Effect::Report(report) => Rest::Report(report),
            Effect::Exit => Rest::Exit,
        }
    }
}

/// A pause of about `millis`, up to a fifth shorter or longer: many labs that were begun together, as in a classroom,
/// do not ask at the same moments.
fn jittered(millis: u64) -> Duration {
    let mut byte = [0];
    // Where the system has no randomness the pause is a fifth shorter.
    let _ = getrandom::fill(&mut byte);
    Duration::from_micros(millis * 800 + millis * 400 * u64::from(byte[0]) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_by_a_fifth_at_most() {
        let pauses: Vec<Duration> = (0..64).map(|_| jittered(1_000)).collect();
        assert!(pauses.iter().all(|pause| (800..=1_200).contains(&pause.as_millis())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
    }
}
