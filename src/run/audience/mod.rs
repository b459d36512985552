//! An audience: phones on the same network vote, and see the verdict. A second, secret page controls the lab.
//!
//! The server (`server`) has a thread and an async runtime of its own, so phones can't slow the lab down. The lab tells
//! it what it shows, and gets events: a turnout ([`ballots`]) or, from the teacher's page alone, an intent, which the
//! permit judges as if a key had asked.

pub mod ballots;
mod pages;
mod server;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use crate::lab::poll::Poll;
use crate::lab::{Event, PresenterSnapshot, State, Timing};
use crate::run::network::{address, random_letters};
use server::Shared;

/// Where an audience joins.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What a person types: `192.168.1.23:4180/7KQ2`.
    pub address: String,
    /// The teacher's page, whose address is a secret.
    pub teacher: String,
}

/// A server for phones. Dropping it ends it: phones say that they have no connection, and the codes are void.
pub struct Audience {
    invitation: Invitation,
    shared: Arc<Shared>,
    told: Option<(Poll, Teacher)>,
    _stop: watch::Sender<()>,
}

/// What the teacher's page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Teacher {
    lab: PresenterSnapshot,
    timing: Timing,
    message: Option<String>,
    phones: u16,
}

impl Audience {
    /// Opens a server at `listen` for a lab in the language of `state`, with new codes.
    ///
    /// # Errors
    /// If the address is taken, or there is no randomness or no thread.
    pub fn open(listen: SocketAddr, state: &State) -> io::Result<Audience> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = address::reachable(listener.local_addr()?);
        let shared = Arc::new(Shared::new(codes()?, pages::Pages::new(state)));
        let invitation = Invitation {
            address: format!("{address}/{}", shared.codes.phones),
            teacher: format!("http://{address}/{}", shared.codes.teacher),
        };
        let (stop, stopped) = watch::channel(());
        server::start(listener, shared.clone(), stopped)?;
        Ok(Audience { invitation, shared, told: None, _stop: stop })
    }

    /// Where to join.
    pub fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// Sends votes and the teacher's intents to a new lab.
    pub fn report_to(&self, events: UnboundedSender<Event>) {
        self.shared.report_to(events);
    }

    /// Tells phones what `state` shows, if that is new.
    pub fn tell(&mut self, state: &State) {
        let poll = Poll::of(state);
        let teacher = Teacher {
            lab: PresenterSnapshot::of(state),
            timing: Timing::of(state),
            message: state.view().message.clone(),
            phones: state.phones().connected(),
        };
        if self.told.as_ref().is_some_and(|(told, known)| *told == poll && *known == teacher) {
            return;
        }
        self.shared.tell(&poll, &teacher);
        self.told = Some((poll, teacher));
    }
}

/// The random parts of the two addresses.
pub(super) struct Codes {
    /// Four letters and digits: short, since people type it.
    pub phones: String,
    /// 128 bits.
    pub teacher: String,
}

/// Draws new codes.
fn codes() -> io::Result<Codes> {
    Ok(Codes { phones: random_letters(4)?, teacher: random_letters(26)? })
}
