//! The one place that lets time pass, for things that can only be asked again.

use std::time::{Duration, Instant};

/// Waits a little before a question is asked again (a daemon that starts, a container's state).
#[expect(
    clippy::disallowed_methods,
    reason = "polling is for what offers no event to wait for; everything else waits for events"
)]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The moment after which a wait has failed.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// So many seconds from now.
    pub fn seconds(seconds: u64) -> Self {
        Self::after(Duration::from_secs(seconds))
    }

    /// What is left of it; `None` when it has passed.
    pub fn left(self) -> Option<Duration> {
        self.0
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// Asks until there is an answer or the time is up.
    pub fn poll<T>(self, mut question: impl FnMut() -> Option<T>) -> Option<T> {
        loop {
            if let Some(answer) = question() {
                return Some(answer);
            }
            self.left()?;
            pause(Duration::from_millis(10));
        }
    }
}
