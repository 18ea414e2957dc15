//! Pauses between attempts: they double up to a limit, and vary so that many who lost the same server do not come back
//! in one moment.

use crate::base::limits::RETRY_SECONDS;
use std::time::Duration;

/// Counts failures in a row.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    failures: u32,
}

impl Backoff {
    /// `first` is the longest pause after the first failure.
    pub fn new(first: Duration) -> Self {
        Self { first, failures: 0 }
    }

    /// Notes a failure; how long to wait before the next attempt.
    pub fn failed(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        pause(self.first, self.failures, fastrand::f64())
    }

    /// Notes a success: the next failure is the first.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

/// The pause after so many failures, between half and whole by `chance`, which is from 0 to 1.
fn pause(first: Duration, failures: u32, chance: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let most = first.saturating_mul(1 << doublings).min(Duration::from_secs(RETRY_SECONDS));
    most.mul_f64((1.0 + chance) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_vary() {
        let seconds = |failures, chance| pause(Duration::from_secs(1), failures, chance).as_secs_f64();
        assert_eq!([1, 2, 3, 4].map(|failures| seconds(failures, 1.0)), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(seconds(3, 0.0), 2.0);
        assert_eq!(seconds(u32::MAX, 1.0), RETRY_SECONDS as f64);
    }

    #[test]
    fn a_success_starts_again_with_the_first_pause() {
        let mut backoff = Backoff::new(Duration::from_millis(8));
        let pauses: Vec<Duration> = (0..4).map(|_| backoff.failed()).collect();
        assert!(pauses[3] >= Duration::from_millis(32));
        backoff.succeeded();
        assert!(backoff.failed() <= Duration::from_millis(8));
    }
}
