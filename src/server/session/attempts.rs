//! How often a log-in may fail: after some failures each further one costs a pause, and the pauses double.
//!
//! Counted for each name and for each address, so that neither many passwords for one name nor many names from one
//! place go far. What is tried during a pause is refused unseen and counts for nothing. The command line of the data
//! folder's owner knows no pause, so nobody can be shut out.

use crate::base::clock::Monotonic;
use crate::base::limits::{LOG_IN_FAILED, LOG_IN_FAILURES, LOG_IN_FORGET_SECONDS, LOG_IN_PAUSE_SECONDS};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What failed lately.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<String, Failed>>);

#[derive(Clone, Copy, Debug)]
struct Failed {
    times: u32,
    last: Monotonic,
}

impl Failed {
    fn until(&self) -> Monotonic {
        let doublings = self.times.saturating_sub(LOG_IN_FAILURES);
        let pause = match self.times < LOG_IN_FAILURES {
            true => 0,
            false => (1 << doublings.min(30)).min(LOG_IN_PAUSE_SECONDS),
        };
        Monotonic(self.last.0 + Duration::from_secs(pause))
    }

    fn is_forgotten(&self, now: Monotonic) -> bool {
        now.0.saturating_sub(self.last.0) >= Duration::from_secs(LOG_IN_FORGET_SECONDS)
    }
}

impl Attempts {
    /// Under what an attempt is counted.
    pub fn keys(name: &str, client: &str) -> [String; 2] {
        [format!("name {}", name.to_lowercase()), format!("address {}", network(client))]
    }

    /// How many seconds are left until one of these may be tried again, rounded up; `None` if now.
    pub fn pause(&self, keys: &[String], now: Monotonic) -> Option<u64> {
        let failed = self.lock();
        let until = keys.iter().filter_map(|key| failed.get(key)).map(Failed::until).max()?;
        let left = until.0.saturating_sub(now.0);
        (!left.is_zero()).then(|| left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }

    pub fn failed(&self, keys: &[String], now: Monotonic) {
        let mut failed = self.lock();
        failed.retain(|_, failed| !failed.is_forgotten(now));
        for key in keys {
            if failed.len() >= LOG_IN_FAILED
                && let Some(oldest) =
                    failed.iter().min_by_key(|(_, failed)| failed.last).map(|(key, _)| key.clone())
            {
                failed.remove(&oldest);
            }
            let entry = failed.entry(key.clone()).or_insert(Failed { times: 0, last: now });
            *entry = Failed { times: entry.times.saturating_add(1), last: now };
        }
    }

    pub fn worked(&self, keys: &[String]) {
        let mut failed = self.lock();
        failed.retain(|key, _| !keys.contains(key));
    }

    /// A thread that panicked while it held the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of an address that one machine cannot choose: of IPv6 the first 64 bits.
fn network(client: &str) -> String {
    match client.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            format!("{:x}", address.to_bits() >> 64)
        }
        _ => client.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    #[test]
    fn pauses_begin_after_some_failures_double_and_end() {
        let attempts = Attempts::default();
        let keys = Attempts::keys("Jo", "192.0.2.1");
        for _ in 1..LOG_IN_FAILURES {
            attempts.failed(&keys, at(0));
            assert_eq!(attempts.pause(&keys, at(0)), None);
        }
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            attempts.failed(&keys, at(0));
            assert_eq!(attempts.pause(&keys, at(0)), Some(pause));
            assert_eq!(attempts.pause(&keys, at(pause)), None);
        }
        attempts.failed(&["other".to_owned()], at(LOG_IN_FORGET_SECONDS));
        attempts.failed(&keys, at(LOG_IN_FORGET_SECONDS));
        assert_eq!(attempts.pause(&keys, at(LOG_IN_FORGET_SECONDS)), None);
    }

    #[test]
    fn names_and_addresses_are_counted_each_for_itself() {
        let attempts = Attempts::default();
        for _ in 0..10 {
            attempts.failed(&Attempts::keys("Jo", "2001:db8::1"), at(0));
        }
        let is_paused =
            |name: &str, client: &str| attempts.pause(&Attempts::keys(name, client), at(0)).is_some();
        assert!(is_paused("jO", "192.0.2.1"), "the name from elsewhere");
        assert!(is_paused("Ann", "2001:db8::2"), "another name from the same network");
        assert!(!is_paused("Ann", "192.0.2.1") && !is_paused("Ann", "2001:db8:0:1::1"));
        attempts.worked(&Attempts::keys("jo", "2001:db8::1"));
        assert!(!is_paused("Jo", "2001:db8::2"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..=LOG_IN_FAILED as u64 {
            attempts.failed(&[number.to_string()], at(number / 100));
        }
        assert_eq!(attempts.lock().len(), LOG_IN_FAILED);
    }
}
