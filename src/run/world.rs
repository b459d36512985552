//! The world outside the lesson: performs effects and tells what became of them.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
                    let mut answer = Box::new(clients.call(identity, &operation).await);
                    answer.at = unix_time();
                    // Nobody listens when the lab has ended meanwhile.
                    let _ = events.send(Event::CallFinished { id, answer });
                });
                Rest::Nothing
            }
            Effect::After { timer, millis } => {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                    let _ = events.send(Event::TimerFired(timer));
                });
                Rest::Nothing
            }
            Effect::Report(report) => Rest::Report(report),
            Effect::Exit => Rest::Exit,
        }
    }
}

/// Now, in seconds; 0 where the clock stands before 1970.
fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
