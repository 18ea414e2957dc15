//! What all clients together may cost: bytes of bodies in memory, and requests a second of each address.

use super::places::sharer;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The memory for bodies. One address gets three quarters of it at most, so that the bodies that one drips in do not
/// keep out those of all others.
pub(super) struct Budget {
    held: Mutex<HashMap<IpAddr, u64>>,
    freed: Condvar,
    bytes: u64,
}

/// Room for one body, given back when dropped.
pub(super) struct Room {
    budget: Arc<Budget>,
    client: IpAddr,
    bytes: u64,
}

impl Budget {
    pub fn new(bytes: u64) -> Arc<Self> {
        Arc::new(Self { held: Mutex::default(), freed: Condvar::new(), bytes })
    }

    /// Waits for room; `None` when there is still none after `within`.
    pub fn room(self: &Arc<Self>, client: IpAddr, bytes: u64, within: Duration) -> Option<Room> {
        let client = sharer(client);
        let is_full = |held: &mut HashMap<IpAddr, u64>| {
            let own = held.get(&client).copied().unwrap_or_default();
            let all: u64 = held.values().sum();
            all.saturating_add(bytes) > self.bytes || own.saturating_add(bytes) > self.bytes / 4 * 3
        };
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut held, waited) =
            self.freed.wait_timeout_while(held, within, is_full).unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return None;
        }
        *held.entry(client).or_default() += bytes;
        Some(Room { budget: Arc::clone(self), client, bytes })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut held = self.budget.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = held.get_mut(&self.client) {
            *bytes -= self.bytes;
            if *bytes == 0 {
                held.remove(&self.client);
            }
        }
        self.budget.freed.notify_all();
    }
}

/// Requests that each address has left. They come back with time.
pub(super) struct Rates {
    left: Mutex<HashMap<IpAddr, (f64, Instant)>>,
    per_second: f64,
    at_once: f64,
    /// How many addresses are remembered.
    addresses: usize,
}

impl Rates {
    pub fn new(per_second: u32, at_once: u32, addresses: usize) -> Self {
        Self { left: Mutex::default(), per_second: per_second.into(), at_once: at_once.into(), addresses }
    }

    /// Takes one request from what the address has left; `false` when there is none.
    pub fn take(&self, client: IpAddr, now: Instant) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = |(count, since): (f64, Instant)| {
            let seconds = now.saturating_duration_since(since).as_secs_f64();
            (count + seconds * self.per_second).min(self.at_once)
        };
        if left.len() >= self.addresses {
            left.retain(|_, entry| grown(*entry) < self.at_once);
        }
        if left.len() >= self.addresses {
            left.clear();
        }
        let entry = left.entry(sharer(client)).or_insert((self.at_once, now));
        let count = grown(*entry);
        let may = count >= 1.0;
        *entry = (if may { count - 1.0 } else { count }, now);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn room_is_bounded_for_each_and_for_all() {
        let budget = Budget::new(400);
        let first = budget.room(address(1), 300, NOW).unwrap();
        assert!(budget.room(address(1), 1, NOW).is_none(), "three quarters are taken");
        assert!(budget.room(address(2), 101, NOW).is_none());
        let second = budget.room(address(2), 100, NOW).unwrap();
        drop(first);
        assert!(budget.room(address(3), 300, NOW).is_some());
        drop(second);
        assert!(budget.held.lock().unwrap().is_empty());
        assert!(budget.room(address(1), u64::MAX, NOW).is_none());
    }

    #[test]
    fn room_is_waited_for() {
        let budget = Budget::new(400);
        let first = budget.room(address(1), 300, NOW).unwrap();
        let waiting = {
            let budget = Arc::clone(&budget);
            std::thread::spawn(move || budget.room(address(1), 300, Duration::from_secs(60)).is_some())
        };
        drop(first);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn requests_come_back_with_time() {
        let rates = Rates::new(10, 3, 2);
        let start = Instant::now();
        let taken = |at| (0..5).filter(|_| rates.take(address(1), at)).count();
        assert_eq!(taken(start), 3);
        assert_eq!(taken(start + Duration::from_millis(110)), 1);
        assert!(rates.take(address(2), start), "each address has its own");
        assert!(rates.take(address(3), start) && rates.left.lock().unwrap().len() <= 2);
    }
}
