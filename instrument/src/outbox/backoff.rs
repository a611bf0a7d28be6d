//! When to try again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Waits that double up to [`LONGEST`], each shortened by up to a half at random, so that the
/// containers of a task do not all knock at the same moment.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    random: u64,
}

impl Backoff {
    /// A fresh start; the seed differs between containers.
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            failures: 0,
            // The generator stands still at zero.
            random: seed | 1,
        }
    }

    /// The peer has proved to be alive.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        let full = FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // xorshift64 (Marsaglia 2003): jitter needs no better.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let half = full / 2;
        let jitter = self.random % u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_micros(jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_stay_there() {
        for seed in [0, 1, 7, u64::MAX] {
            let mut backoff = Backoff::new(seed);
            let waits: Vec<Duration> = (0..64).map(|_| backoff.next()).collect();
            for (n, wait) in waits.iter().enumerate() {
                let full = FIRST.saturating_mul(1 << n.min(10)).min(LONGEST);
                assert!(*wait >= full / 2 && *wait <= full, "{n}: {wait:?}");
            }
            assert!(waits[10..].iter().any(|w| *w != waits[10]), "no jitter");
            backoff.reset();
            assert!(backoff.next() <= FIRST);
        }
    }
}
