//! Who may hold a connection: a number of places in all and for each address, and who has to leave when they are taken.
//!
//! Written by the thread that accepts (admit) and by each connection's own thread (phase, leaving). A new connection is
//! never refused because of others that only sit there: the one that leaves belongs to the address that holds the most
//! places, is idle rather than slow, and has been so for longest. A request that the server works on is left alone.

use super::proxies::Proxies;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection that has to leave may take for it: its thread only has to wake up.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// How long a client may keep an answer waiting while others wait for a place.
const TAKES_WITHIN: Duration = Duration::from_secs(2);

/// What a connection is doing; the first ones leave first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Between two requests.
    Idle,
    /// In a handshake, a head or a body.
    Receiving,
    /// Taking an answer, of which a block went out when the phase was last set.
    Answering,
    /// The server works on its request.
    Serving,
}

struct Place {
    client: IpAddr,
    phase: Phase,
    since: Instant,
    socket: Arc<TcpStream>,
    leaving: bool,
}

#[derive(Default)]
struct Table {
    places: HashMap<u64, Place>,
    last: u64,
}

/// The places of a gate.
pub(super) struct Places {
    table: Mutex<Table>,
    left: Condvar,
    in_all: usize,
    per_address: usize,
    proxies: Proxies,
}

/// A taken place, given back when dropped.
pub(super) struct Seat {
    places: Arc<Places>,
    number: u64,
    pub client: IpAddr,
}

/// What became of a new connection.
pub(super) enum Admission {
    Seated { seat: Seat, evicted: Option<IpAddr> },
    Full,
}

/// The one who shares limits: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets.
pub(super) fn sharer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
        four => four,
    }
}

impl Places {
    /// One address has at most `per_address` of them, unless it is a proxy, which speaks for many.
    pub fn new(in_all: usize, per_address: usize, proxies: Proxies) -> Arc<Self> {
        Arc::new(Self { table: Mutex::default(), left: Condvar::new(), in_all, per_address, proxies })
    }

    /// Finds a place for a new connection, for which another may have to leave.
    pub fn admit(self: &Arc<Self>, client: IpAddr, socket: Arc<TcpStream>) -> Admission {
        let client = client.to_canonical();
        let per_address = if self.proxies.trusts(client) { self.in_all } else { self.per_address };
        let mut table = self.table();
        let mut evicted = None;
        let of_address = |table: &Table| {
            let same = |place: &&Place| !place.leaving && sharer(place.client) == sharer(client);
            table.places.values().filter(same).count()
        };
        let now = Instant::now();
        if of_address(&table) >= per_address {
            evicted = table.evict(Some(sharer(client)), now);
        } else if table.places.len() >= self.in_all {
            evicted = table.evict(None, now);
        }
        let full = |table: &mut Table| table.places.len() >= self.in_all;
        let (mut table, _) = self
            .left
            .wait_timeout_while(table, LEAVE_WITHIN, |table| evicted.is_some() && full(table))
            .unwrap_or_else(PoisonError::into_inner);
        if full(&mut table) || of_address(&table) >= per_address {
            return Admission::Full;
        }
        table.last += 1;
        let number = table.last;
        table
            .places
            .insert(number, Place { client, phase: Phase::Receiving, since: now, socket, leaving: false });
        Admission::Seated { seat: Seat { places: Arc::clone(self), number, client }, evicted }
    }

    /// Sends everyone away who waits for nothing of ours, and the others after `within`; returns when all have left,
    /// but does not wait long for the last ones.
    pub fn close(&self, within: Duration) {
        let mut table = self.table();
        for place in table.places.values_mut().filter(|place| place.phase <= Phase::Receiving) {
            place.leave();
        }
        let mut table = self.wait_until_empty(table, within);
        table.places.values_mut().for_each(Place::leave);
        drop(self.wait_until_empty(table, LEAVE_WITHIN));
    }

    fn wait_until_empty<'a>(&self, table: MutexGuard<'a, Table>, within: Duration) -> MutexGuard<'a, Table> {
        let waited = self.left.wait_timeout_while(table, within, |table| !table.places.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Sends one connection away, of this sharer or of the one with the most places.
    fn evict(&mut self, sharer_of_all: Option<IpAddr>, now: Instant) -> Option<IpAddr> {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for place in self.places.values().filter(|place| !place.leaving) {
            *held.entry(sharer(place.client)).or_default() += 1;
        }
        let candidates = self.places.values_mut().filter(|place| {
            place.may_be_sent_away(now) && sharer_of_all.is_none_or(|of| of == sharer(place.client))
        });
        let most = |place: &&mut Place| held.get(&sharer(place.client)).copied().unwrap_or_default();
        let victim = candidates.min_by_key(|place| (usize::MAX - most(place), place.phase, place.since))?;
        victim.leave();
        Some(victim.client)
    }
}

impl Place {
    fn may_be_sent_away(&self, now: Instant) -> bool {
        let stalls = now.duration_since(self.since) > TAKES_WITHIN;
        !self.leaving && (self.phase <= Phase::Receiving || (self.phase == Phase::Answering && stalls))
    }

    /// Ends what the connection's thread is waiting for.
    fn leave(&mut self) {
        self.leaving = true;
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl Seat {
    /// Says what the connection does from now on; `false` when it has to leave instead.
    pub fn enter(&self, phase: Phase) -> bool {
        let mut table = self.places.table();
        let Some(place) = table.places.get_mut(&self.number) else { return false };
        place.phase = phase;
        place.since = Instant::now();
        !place.leaving
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.places.table().places.remove(&self.number);
        self.places.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener};

    /// A connection with both ends.
    fn connection() -> (Arc<TcpStream>, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Arc::new(listener.accept().unwrap().0), client)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    /// Seats a connection, whose thread leaves as soon as it is cut.
    fn sit(places: &Arc<Places>, last: u8, phase: Phase) -> Option<Option<IpAddr>> {
        let (socket, client) = connection();
        let Admission::Seated { seat, evicted } = places.admit(address(last), Arc::clone(&socket)) else {
            return None;
        };
        seat.enter(phase);
        std::thread::spawn(move || {
            let _client = client;
            let _ = (&*socket).read(&mut [0]);
            drop(seat);
        });
        Some(evicted)
    }

    #[test]
    fn the_address_with_the_most_places_makes_room() {
        let places = Places::new(3, 3, Proxies::default());
        assert_eq!(sit(&places, 1, Phase::Idle), Some(None));
        assert_eq!(sit(&places, 2, Phase::Receiving), Some(None));
        assert_eq!(sit(&places, 2, Phase::Receiving), Some(None));
        assert_eq!(sit(&places, 3, Phase::Idle), Some(Some(address(2))));
    }

    #[test]
    fn the_idle_leave_before_the_slow_and_nobody_who_is_served() {
        let places = Places::new(9, 2, Proxies::default());
        sit(&places, 1, Phase::Serving);
        assert_eq!(sit(&places, 1, Phase::Serving), Some(None));
        assert_eq!(sit(&places, 1, Phase::Idle), None);
        assert_eq!(sit(&places, 2, Phase::Receiving), Some(None), "another address has its own places");
    }

    #[test]
    fn a_proxy_may_take_every_place() {
        let places = Places::new(3, 1, Proxies::new(&[address(1)]));
        assert_eq!(sit(&places, 1, Phase::Serving), Some(None));
        assert_eq!(sit(&places, 1, Phase::Serving), Some(None));
        assert_eq!(sit(&places, 2, Phase::Serving), Some(None));
        assert_eq!(sit(&places, 1, Phase::Serving), None);
    }

    #[test]
    fn closing_sends_everyone_away() {
        let places = Places::new(3, 3, Proxies::default());
        sit(&places, 1, Phase::Idle);
        sit(&places, 1, Phase::Serving);
        places.close(Duration::ZERO);
        assert!(places.table().places.is_empty());
    }

    #[test]
    fn an_ipv6_network_shares_its_limits() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(sharer(ip("2001:db8::1")), sharer(ip("2001:db8::ffff:1")));
        assert_ne!(sharer(ip("2001:db8::1")), sharer(ip("2001:db8:0:1::1")));
        assert_eq!(sharer(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }
}
