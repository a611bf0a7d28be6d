//! How long to wait before the next try.

use std::time::Duration;

/// Full jitter: anything between nothing and a limit that doubles up to a cap. Many sidecars that
/// fail at one moment spread out instead of coming back together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

const BASE: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(20);

impl Backoff {
    /// The next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let limit = self.limit();
        self.failures = self.failures.saturating_add(1);
        limit.mul_f64(fastrand::f64())
    }

    fn limit(&self) -> Duration {
        BASE.saturating_mul(2_u32.saturating_pow(self.failures))
            .min(CAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_doubles_up_to_the_cap() {
        let mut backoff = Backoff::default();
        let limits: Vec<_> = (0..40)
            .map(|_| {
                let limit = backoff.limit();
                assert!(backoff.next() <= limit);
                limit
            })
            .collect();
        assert_eq!(limits[..3], [BASE, BASE * 2, BASE * 4]);
        assert_eq!(limits[39], CAP);
    }
}
