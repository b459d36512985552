//! Watches what other clients do on the lab's server.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use super::inspect;
use crate::aws::Clients;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::{Answer, Event};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// The lab's own calls: of those that the server reports, the rest are somebody else's.
#[derive(Debug, Default)]
pub struct OwnCalls {
    in_flight: AtomicU64,
    request_ids: Mutex<HashSet<String>>,
}

impl OwnCalls {
    /// Notes that a call is about to be sent.
    pub fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes the answer to a call.
    pub fn end(&self, answer: &Answer) {
        let id = answer.response.as_ref().ok().and_then(|response| response.request_id.clone());
        self.request_ids.lock().unwrap_or_else(PoisonError::into_inner).extend(id);
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// The calls of others; `None` while calls of the lab are in flight: the ids of their requests aren't known yet.
    fn others(&self, calls: Vec<NoticedCall>) -> Option<Vec<NoticedCall>> {
        if self.in_flight.load(Ordering::SeqCst) > 0 {
            return None;
        }
        let own = self.request_ids.lock().unwrap_or_else(PoisonError::into_inner);
        Some(calls.into_iter().filter(|call| !own.contains(&call.request_id)).collect())
    }
}

/// Looks what other clients do.
#[derive(Debug)]
pub struct Watch {
    url: String,
    own: Arc<OwnCalls>,
    /// The number of the newest call that was reported.
    after: AtomicU64,
    /// Told once somebody else could be acting. Before that, nobody looks.
    begun: Notify,
    events: UnboundedSender<Event>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
}

impl Watch {
    /// A watch of the lab whose calls go through `clients`; `None` where there is no server that reports calls.
    pub fn new(clients: &Clients, own: Arc<OwnCalls>, events: UnboundedSender<Event>) -> Option<Arc<Watch>> {
        let (url, after) = (clients.one_place()?.to_owned(), AtomicU64::new(0));
        let (begun, looking) = (Notify::new(), tokio::sync::Mutex::default());
        Some(Arc::new(Watch { url, own, after, begun, events, looking }))
    }

    /// From here on somebody else could be acting.
    pub fn begin(&self) {
        self.begun.notify_one();
    }

    /// Looks again and again, as long as the lab lives, once somebody else could be acting: on a server that
    /// `is_shared` at once, since others may have credentials of their own.
    pub async fn run(self: Arc<Watch>, is_shared: bool) {
        if is_shared {
            // What the server has served before this lab is no learner's.
            let _one = self.looking.lock().await;
            let Some((newest, _)) = inspect::calls(&self.url, u64::MAX >> 1).await else { return };
            self.after.fetch_max(newest, Ordering::SeqCst);
        } else {
            self.begun.notified().await;
        }
        while !self.events.is_closed() {
            self.look().await;
            tokio::time::sleep(if is_shared { 4 * LOOK } else { LOOK }).await;
        }
    }

    /// Reports what is new. Returns whether that was possible: not while the lab's own calls are in flight.
    pub async fn look(&self) -> bool {
        let _one = self.looking.lock().await;
        let after = self.after.load(Ordering::SeqCst);
        let Some((newest, calls)) = inspect::calls(&self.url, after).await else { return true };
        let Some(others) = self.own.others(calls) else { return false };
        self.after.store(newest, Ordering::SeqCst);
        if !others.is_empty() {
            let _ = self.events.send(Event::Noticed(others));
        }
        true
    }
}
