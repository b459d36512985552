//! Watches what other clients do on the lab's server.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use super::inspect;
use crate::aws::Clients;
use crate::aws::look::Examined;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::noticing::look::{self, Look, Told};
use crate::lab::session::shell;
use crate::lab::{Event, State};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// How many of the lab's own calls are in flight: of those that the server reports, the rest are somebody else's.
#[derive(Debug, Default)]
pub struct OwnCalls(AtomicU64);

impl OwnCalls {
    /// Notes that the lab calls, until what is returned is dropped.
    #[must_use]
    pub fn begin(self: &Arc<OwnCalls>) -> InFlight {
        self.0.fetch_add(1, Ordering::SeqCst);
        InFlight(self.clone())
    }

    fn are_in_flight(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// A call of the lab's own that is not answered.
#[derive(Debug)]
pub struct InFlight(Arc<OwnCalls>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Looks what other clients do.
pub struct Watch {
    /// The server that may report calls.
    url: Option<String>,
    clients: Arc<Clients>,
    own: Arc<OwnCalls>,
    /// The number of the newest call that was reported.
    after: AtomicU64,
    /// Told once somebody else could be acting. Before that, nobody looks.
    begun: Notify,
    events: UnboundedSender<Event>,
    /// One look at a time.
    looking: tokio::sync::Mutex<Memory>,
    /// Whether the server reports no calls, and somebody has begun.
    is_poll: AtomicBool,
    /// How many looks there were since somebody has begun.
    looks: AtomicU32,
    /// What is to be looked for, as the lab is now.
    wanted: Mutex<Option<Look>>,
}

/// What looks remember.
#[derive(Debug, Default)]
struct Memory {
    told: Told,
    examined: Examined,
}

impl Watch {
    /// A watch of the lab whose calls go through `clients`.
    pub fn new(clients: &Arc<Clients>, own: Arc<OwnCalls>, events: UnboundedSender<Event>) -> Arc<Watch> {
        Arc::new(Watch {
            url: clients.one_place().map(str::to_owned),
            clients: clients.clone(),
            own,
            after: AtomicU64::new(0),
            begun: Notify::new(),
            events,
            looking: tokio::sync::Mutex::default(),
            is_poll: AtomicBool::new(false),
            looks: AtomicU32::new(0),
            wanted: Mutex::default(),
        })
    }

    /// From here on somebody else could be acting.
    pub fn begin(&self) {
        self.looks.store(0, Ordering::SeqCst);
        self.begun.notify_one();
    }

    /// Looks again and again, as long as the lab lives, once somebody else could be acting: on a server that
    /// `is_shared` at once, since others may have credentials of their own.
    pub async fn run(self: Arc<Watch>, is_shared: bool) {
        // What the server has served before this lab is no learner's.
        let reports = match &self.url {
            Some(url) if is_shared => self.newest(url).await,
            _ => None,
        };
        if let Some(newest) = reports {
            self.after.fetch_max(newest, Ordering::SeqCst);
        } else {
            self.begun.notified().await;
            let reports = match &self.url {
                Some(url) => self.newest(url).await.is_some(),
                None => false,
            };
            if !reports {
                return self.poll().await;
            }
        }
        while !self.events.is_closed() {
            self.look().await;
            tokio::time::sleep(if is_shared { 4 * LOOK } else { LOOK }).await;
        }
    }

    /// The number of the newest call that the server reports; `None` where it reports none.
    async fn newest(&self, url: &str) -> Option<u64> {
        let _one = self.looking.lock().await;
        inspect::calls(url, u64::MAX >> 1).await.map(|(newest, _)| newest)
    }

    /// Looks less and less often, until somebody else begins again.
    async fn poll(&self) {
        self.is_poll.store(true, Ordering::SeqCst);
        while !self.events.is_closed() {
            self.look().await;
            let pause = Duration::from_secs(look::pause(self.looks.fetch_add(1, Ordering::SeqCst)));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.begun.notified() => {}
            }
        }
    }

    /// Takes what is to be looked for from here on. Another stage's goal is looked for at once: it may be reached.
    pub fn want(&self, state: &State) {
        let look = shell::look(state);
        let mut wanted = self.wanted();
        let is_new = look.as_ref().is_some_and(|look| wanted.as_ref().is_none_or(|old| old.stage != look.stage));
        *wanted = look;
        drop(wanted);
        if is_new && self.is_poll.load(Ordering::SeqCst) {
            self.begun.notify_one();
        }
    }

    fn wanted(&self) -> MutexGuard<'_, Option<Look>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports what is new. Returns whether that was possible: not while the lab's own calls are in flight.
    pub async fn look(&self) -> bool {
        let mut memory = self.looking.lock().await;
        let others = match &self.url {
            _ if self.is_poll.load(Ordering::SeqCst) => self.look_for(&mut memory).await,
            Some(url) => match self.reported(url).await {
                Some(others) => others,
                None => return false,
            },
            None => Vec::new(),
        };
        if !others.is_empty() {
            let _ = self.events.send(Event::Noticed(others));
        }
        true
    }

    /// The calls of others that the server reports; `None` while the lab's own calls are in flight.
    async fn reported(&self, url: &str) -> Option<Vec<NoticedCall>> {
        let after = self.after.load(Ordering::SeqCst);
        let Some((newest, calls)) = inspect::calls(url, after).await else { return Some(Vec::new()) };
        if self.own.are_in_flight() {
            // The ids of their requests aren't known yet.
            return None;
        }
        self.after.store(newest, Ordering::SeqCst);
        let is_others =
            |call: &NoticedCall| !(self.clients.has_sent(&call.request_id) || (call.explains && call.is_read()));
        Some(calls.into_iter().filter(is_others).collect())
    }

    /// The calls that others must have made. What the lab has done meanwhile is not theirs.
    async fn look_for(&self, memory: &mut Memory) -> Vec<NoticedCall> {
        let Some(look) = self.wanted().clone() else { return Vec::new() };
        let seen = self.clients.look(&look, &mut memory.examined).await;
        if self.wanted().as_ref() != Some(&look) || self.own.are_in_flight() {
            return Vec::new();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        look.calls(&seen, &mut memory.told, now)
    }
}
