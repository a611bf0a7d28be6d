//! Repeats that are held back, and what wakes the tracer to tell them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event::Alert;
use rules::Limiter;
use sys::Tid;

/// Between two looks at what is due. The last count of a burst may be late by as much.
const EVERY: Duration = Duration::from_millis(500);

/// Between two attempts to wake the tracer.
const AGAIN: Duration = Duration::from_millis(20);

/// Nothing is held back.
const NEVER: u64 = u64::MAX;

/// The limiter, and when it has something to tell.
#[derive(Debug)]
pub(super) struct Repeats {
    limiter: Limiter,
    due: Arc<AtomicU64>,
}

impl Repeats {
    /// Tells the same alert once in so many nanoseconds.
    pub(super) fn new(window: u64) -> Self {
        Self {
            limiter: Limiter::new(window),
            due: Arc::new(AtomicU64::new(NEVER)),
        }
    }

    pub(super) fn admit(&mut self, alert: Alert) -> Option<Alert> {
        let told = self.limiter.admit(alert);
        self.publish();
        told
    }

    pub(super) fn flush(&mut self, now: u64) -> Vec<Alert> {
        let told = self.limiter.flush(now);
        self.publish();
        told
    }

    pub(super) fn alarm(&self) -> Alarm {
        Alarm {
            due: Arc::clone(&self.due),
        }
    }

    fn publish(&self) {
        let due = self.limiter.due().unwrap_or(NEVER);
        self.due.store(due, Ordering::Relaxed);
    }
}

/// Says, on another thread, when repeats are due.
///
/// The tracer looks for itself after every stop; without one it waits in the kernel.
#[derive(Clone, Debug)]
pub struct Alarm {
    due: Arc<AtomicU64>,
}

impl Alarm {
    /// Wakes `tracer` when something is due at the time `now`; says when to look again.
    pub fn look(&self, tracer: Tid, now: u64) -> Duration {
        if now < self.due.load(Ordering::Relaxed) {
            return EVERY;
        }
        // The tracer may be about to wait just when the signal comes: again, until it has told.
        match sys::wake_thread(tracer) {
            Ok(_) => AGAIN,
            Err(_) => EVERY,
        }
    }
}
