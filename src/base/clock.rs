//! Time as a value. Only [`SystemClock`] looks at a clock, and only the outermost parts hold one; everything else is
//! told what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since some start in this process. It never goes back, so leases and time-outs are counted in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(pub Duration);

impl Monotonic {
    pub const ZERO: Self = Self(Duration::ZERO);
}

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub monotonic: Monotonic,
    /// Milliseconds since 1970-01-01 00:00 UTC by the clock of the system, which may be set: kept and shown, not
    /// counted with.
    pub unix_ms: i64,
}

impl Moment {
    /// So many milliseconds later.
    pub fn plus_ms(self, milliseconds: u64) -> Self {
        let monotonic = Monotonic(self.monotonic.0 + Duration::from_millis(milliseconds));
        let unix_ms = self.unix_ms.saturating_add_unsigned(milliseconds);
        Self { monotonic, unix_ms }
    }
}

/// The clocks of the system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    #[expect(clippy::new_without_default, reason = "a clock that starts now is no default")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }

    pub fn now(&self) -> Moment {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        // A clock that stands before 1970 was never set.
        let unix_ms = since_1970.map_or(0, |since| since.as_millis() as i64);
        Moment { monotonic: Monotonic(self.start.elapsed()), unix_ms }
    }
}
