//! Scheduler, buffers, communication and delivery with simulated extractors and a simulated target, seeded faults and a
//! false clock: whatever happens in whatever order, every placement is at the target once (invariant C), the sum holds
//! (invariant D), and no lease is held twice (invariant A, counted by what the target sees).
//!
//! One thread runs everything, so a seed always gives the same run. A seed that fails is printed, and `NOTESFERRY_SEED`
//! runs it alone.

mod extractor;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use world::World;

use crate::support::long;

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("NOTESFERRY_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None if long() => 0..200_000,
        None => 0..10_000,
    }
}

#[test]
fn every_placement_once_whatever_happens() {
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from))
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end {
                            return;
                        }
                        World::new(seed).run();
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().expect("the seed is printed above"));
    });
}
