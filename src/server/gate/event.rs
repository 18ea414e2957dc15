//! What the operator of the gate wants to know, told seldom enough that a flood of requests is no flood of log lines.
//!
//! An event names a kind, the address that was last seen doing it, and how often it happened since it was last told.
//! Nothing of a request goes into it.

use super::refusal::Refusal;
use crate::base::limits::GATE_EVENT_SECONDS;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What happened at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GateEventKind {
    /// A request was answered by the gate itself; the code says with what.
    Refused(&'static str),
    /// A handshake failed or took too long, or somebody spoke something else than TLS.
    HandshakeFailed,
    /// An idle or slow connection was closed to make room for a new one.
    Evicted,
    /// A connection was turned away because every place is taken by running requests.
    Full,
    /// The system gave no connection or no thread, mostly for want of open files.
    AcceptFailed,
    /// The server behind the gate could not be reached or broke off its answer.
    UpstreamFailed,
}

/// Something that happened at the gate, once or more often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateEvent {
    pub kind: GateEventKind,
    /// The address that was seen last, where one is known.
    pub client: Option<IpAddr>,
    /// How often it happened since the event was last told, from all addresses together.
    pub count: u64,
}

impl fmt::Display for GateEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            GateEventKind::Refused(code) => write!(f, "request refused: {code}")?,
            GateEventKind::HandshakeFailed => f.write_str("TLS handshake failed")?,
            GateEventKind::Evicted => f.write_str("idle or slow connection closed to make room")?,
            GateEventKind::Full => f.write_str("connection turned away, all places are taken")?,
            GateEventKind::AcceptFailed => f.write_str("the system gives no more connections for now")?,
            GateEventKind::UpstreamFailed => f.write_str("the server behind the gate did not answer")?,
        }
        if let Some(client) = self.client {
            write!(f, ", last from {client}")?;
        }
        write!(f, " ({} times)", self.count)
    }
}

/// Where events go.
pub type Listener = dyn Fn(&GateEvent) + Send + Sync;

/// Counts events and tells each kind at most every [`GATE_EVENT_SECONDS`].
pub(super) struct Events {
    listener: Box<Listener>,
    /// When each kind was last told, and how often it has happened since. As many entries as there are kinds.
    told: Mutex<HashMap<GateEventKind, (Instant, u64)>>,
}

impl Events {
    pub fn new(listener: Box<Listener>) -> Self {
        Self { listener, told: Mutex::default() }
    }

    pub fn tell(&self, kind: GateEventKind, client: Option<IpAddr>) {
        if let Some(count) = self.due(kind, Instant::now()) {
            (self.listener)(&GateEvent { kind, client, count });
        }
    }

    pub fn refused(&self, refusal: Refusal, client: IpAddr) {
        self.tell(GateEventKind::Refused(refusal.code()), Some(client));
    }

    /// Counts one event; the count to tell when it is time to.
    fn due(&self, kind: GateEventKind, now: Instant) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((last, count)) = told.get_mut(&kind) else {
            told.insert(kind, (now, 0));
            return Some(1);
        };
        *count += 1;
        if now.duration_since(*last) < Duration::from_secs(GATE_EVENT_SECONDS) {
            return None;
        }
        *last = now;
        Some(std::mem::take(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_once_and_then_counted() {
        let events = Events::new(Box::new(|_| ()));
        let start = Instant::now();
        assert_eq!(events.due(GateEventKind::Full, start), Some(1));
        assert_eq!((0..500).filter_map(|_| events.due(GateEventKind::Full, start)).count(), 0);
        let later = start + Duration::from_secs(GATE_EVENT_SECONDS);
        assert_eq!(events.due(GateEventKind::Full, later), Some(501));
        assert_eq!(events.due(GateEventKind::Evicted, later), Some(1));
    }

    #[test]
    fn an_event_is_a_sentence() {
        let client = Some(IpAddr::from([192, 0, 2, 7]));
        let event = GateEvent { kind: GateEventKind::Refused("too_often"), client, count: 12 };
        assert_eq!(event.to_string(), "request refused: too_often, last from 192.0.2.7 (12 times)");
    }
}
