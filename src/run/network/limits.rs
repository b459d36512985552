//! What an address may take: connections, and requests in a while. A hotspot puts a whole class behind one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// All connections at once. Each phone has one for the stream, and one for votes now and then.
const CONNECTIONS: usize = 1_500;

/// The connections of one address.
const OF_ONE: usize = 600;

/// The requests that an address may send at once, after a while without any.
const BURST: f64 = 600.0;

/// The requests a second that it may send for long.
const RATE: f64 = 100.0;

/// The addresses that are remembered. The ones without connections are forgotten first.
const ADDRESSES: usize = 2_000;

#[derive(Debug)]
struct Peer {
    connections: usize,
    requests: f64,
    at: Instant,
}

/// The open connections of all addresses.
#[derive(Debug, Default)]
pub struct Limits(Mutex<HashMap<IpAddr, Peer>>);

/// A connection. Dropping it makes room.
#[derive(Debug)]
pub struct Seat {
    limits: Arc<Limits>,
    address: IpAddr,
}

impl Limits {
    /// Lets a connection in; `None` where there are too many.
    pub fn enter(self: &Arc<Limits>, address: IpAddr, now: Instant) -> Option<Seat> {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = peers.values().map(|peer| peer.connections).sum();
        if peers.len() >= ADDRESSES && !peers.contains_key(&address) {
            peers.retain(|_, peer| peer.connections > 0);
        }
        let peer = peers.entry(address).or_insert(Peer { connections: 0, requests: BURST, at: now });
        let has_room = all < CONNECTIONS && peer.connections < OF_ONE;
        peer.connections += usize::from(has_room);
        has_room.then(|| Seat { limits: self.clone(), address })
    }
}

impl Seat {
    /// Whether its address may send another request now.
    pub fn may_ask(&self, now: Instant) -> bool {
        let mut peers = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(peer) = peers.get_mut(&self.address) else { return false };
        let since = now.saturating_duration_since(peer.at).as_secs_f64();
        peer.requests = (peer.requests + since * RATE).min(BURST);
        peer.at = now;
        let may_ask = peer.requests >= 1.0;
        peer.requests -= f64::from(u8::from(may_ask));
        may_ask
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut peers = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = peers.get_mut(&self.address) {
            peer.connections = peer.connections.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 1, last])
    }

    #[test]
    fn one_address_does_not_take_all_connections() {
        let (limits, now) = (Arc::new(Limits::default()), Instant::now());
        let seats: Vec<Seat> = (0..OF_ONE).map(|_| limits.enter(address(1), now).unwrap()).collect();
        assert!(limits.enter(address(1), now).is_none());
        assert!(limits.enter(address(2), now).is_some());
        drop(seats);
        assert!(limits.enter(address(1), now).is_some(), "closed connections make room");
    }

    #[test]
    fn requests_are_limited_by_address_and_not_by_connection() {
        let (limits, now) = (Arc::new(Limits::default()), Instant::now());
        let [one, two] = [(); 2].map(|()| limits.enter(address(1), now).unwrap());
        let sent =
            (0..2_000).filter(|number| if number % 2 == 0 { one.may_ask(now) } else { two.may_ask(now) }).count();
        assert_eq!(sent, BURST as usize);
        drop(one);
        assert!(!limits.enter(address(1), now).unwrap().may_ask(now), "a new connection is no new burst");
        assert!(two.may_ask(now + Duration::from_secs(1)));
    }

    #[test]
    fn addresses_without_connections_are_forgotten() {
        let (limits, now) = (Arc::new(Limits::default()), Instant::now());
        for number in 0..3 * u32::try_from(ADDRESSES).unwrap() {
            drop(limits.enter(IpAddr::from(number.to_be_bytes()), now));
        }
        assert!(limits.0.lock().unwrap().len() <= ADDRESSES);
    }
}
