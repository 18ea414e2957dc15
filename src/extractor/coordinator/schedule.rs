//! Which migrations get a migrator now: a pure function of what the server names, what runs and what rests.

use crate::base::ids::MigrationId;
use crate::base::limits::SETTLED_SECONDS;
use crate::extractor::backoff::Backoff;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The migrators of an extractor. It never has two for one migration.
#[derive(Debug)]
pub struct Schedule {
    retry: Duration,
    /// As the server named them last, the most urgent first.
    wanted: Vec<MigrationId>,
    /// When each was started.
    running: BTreeMap<MigrationId, Instant>,
    /// Those that ended: how often in a row, and until when they rest.
    rests: BTreeMap<MigrationId, (Backoff, Instant)>,
}

impl Schedule {
    /// `retry` is the first rest of a migration whose migrator ended.
    pub fn new(retry: Duration) -> Self {
        Self { retry, wanted: Vec::new(), running: BTreeMap::new(), rests: BTreeMap::new() }
    }

    /// The server names what there is to do.
    pub fn want(&mut self, wanted: Vec<MigrationId>) {
        self.rests.retain(|id, _| wanted.contains(id) || self.running.contains_key(id));
        self.wanted = wanted;
    }

    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// What is to be started, with at most `most` running.
    pub fn due(&self, most: usize, now: Instant) -> Vec<MigrationId> {
        let rested = |id: &MigrationId| self.rests.get(id).is_none_or(|(_, until)| *until <= now);
        let due = self.wanted.iter().filter(|id| !self.running.contains_key(id) && rested(id));
        due.take(most.saturating_sub(self.running.len())).copied().collect()
    }

    pub fn started(&mut self, id: MigrationId, now: Instant) {
        self.running.insert(id, now);
    }

    /// A migrator ended, or could not be started. It rests, also after a good end: a server that still names its
    /// migration is asked again, but not all the time.
    pub fn ended(&mut self, id: MigrationId, now: Instant) {
        let started = self.running.remove(&id).unwrap_or(now);
        let (backoff, until) = self.rests.entry(id).or_insert_with(|| (Backoff::new(self.retry), now));
        if now.saturating_duration_since(started) > Duration::from_secs(SETTLED_SECONDS) {
            backoff.succeeded();
        }
        *until = now + backoff.failed();
    }

    /// When a migration that was named has rested.
    pub fn next_due(&self) -> Option<Instant> {
        let waiting = self.wanted.iter().filter(|id| !self.running.contains_key(id));
        waiting.filter_map(|id| self.rests.get(id)).map(|(_, until)| *until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Duration = Duration::from_secs(1);

    fn ids(numbers: &[u64]) -> Vec<MigrationId> {
        numbers.iter().copied().map(MigrationId).collect()
    }

    #[test]
    fn the_most_urgent_start_first_and_up_to_the_limit() {
        let now = Instant::now();
        let mut schedule = Schedule::new(RETRY);
        schedule.want(ids(&[9, 3, 5]));
        assert_eq!(schedule.due(2, now), ids(&[9, 3]));
        schedule.started(MigrationId(9), now);
        assert_eq!(schedule.due(2, now), ids(&[3]));
        assert_eq!(schedule.due(1, now), ids(&[]));
        assert_eq!(schedule.due(0, now), ids(&[]), "a limit below what runs");
    }

    #[test]
    fn one_that_ended_rests_longer_each_time() {
        let now = Instant::now();
        let mut schedule = Schedule::new(RETRY);
        schedule.want(ids(&[1]));
        for longest in [1, 2, 4] {
            schedule.started(MigrationId(1), now);
            schedule.ended(MigrationId(1), now);
            let until = schedule.next_due().unwrap();
            assert!(until >= now + RETRY * longest / 2 && until <= now + RETRY * longest);
            assert_eq!(schedule.due(9, now), ids(&[]));
            assert_eq!(schedule.due(9, until), ids(&[1]));
        }
        schedule.started(MigrationId(1), now);
        schedule.ended(MigrationId(1), now + Duration::from_secs(SETTLED_SECONDS + 1));
        assert!(
            schedule.next_due().unwrap() <= now + Duration::from_secs(SETTLED_SECONDS + 2),
            "the first again"
        );
    }

    #[test]
    fn what_is_named_no_more_is_not_started_and_forgotten() {
        let now = Instant::now();
        let mut schedule = Schedule::new(RETRY);
        schedule.want(ids(&[1, 2]));
        schedule.started(MigrationId(1), now);
        schedule.want(ids(&[2]));
        assert_eq!(schedule.running(), 1, "the server tells it to stop itself");
        schedule.ended(MigrationId(1), now);
        assert_eq!(schedule.due(9, now + RETRY), ids(&[2]));
        schedule.want(ids(&[]));
        assert!(schedule.rests.is_empty());
    }
}
