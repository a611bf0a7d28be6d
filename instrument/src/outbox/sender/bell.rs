//! How the two threads get each other's attention.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use super::SHORT_TICK;

/// How far the end is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::outbox) enum Drain {
    /// Nobody has asked.
    #[default]
    None,
    /// The workload has ended; hand over what is left.
    Wanted,
    /// Everything that was made was handed over.
    Done,
    /// Nobody takes it.
    Hopeless,
}

/// How the tracer gets the sender's attention, and the other way round at the end.
#[derive(Debug, Default)]
pub(in crate::outbox) struct Bell {
    pub(super) sender: OnceLock<Thread>,
    pub(super) is_sleeping: AtomicBool,
    pub(super) is_rung: AtomicBool,
    drain: Mutex<Drain>,
    changed: Condvar,
}

impl Bell {
    /// Whether the sender lies down and must be woken. Exact after a push: see `Writer::push`.
    pub(in crate::outbox) fn is_sleeping(&self) -> bool {
        self.is_sleeping.load(Ordering::Relaxed)
    }

    /// Wakes the sender. Ringing again before it has looked costs nothing.
    pub(in crate::outbox) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel)
            && let Some(sender) = self.sender.get()
        {
            sender.unpark();
        }
    }

    /// The end has come.
    pub(in crate::outbox) fn begin_drain(&self) {
        self.set_drain(Drain::Wanted);
        self.ring();
    }

    /// It was not the end after all, or nothing more is to be waited for.
    pub(in crate::outbox) fn end_drain(&self) {
        self.set_drain(Drain::None);
    }

    /// Waits for the sender to say how the drain went, or for a while.
    pub(in crate::outbox) fn wait_drained(&self, limit: Duration) -> Drain {
        let guard = self.drain.lock().unwrap_or_else(PoisonError::into_inner);
        // The sender may have finished with an earlier frame than the tracer's last: a short wait
        // lets the caller look at the ring itself.
        let (guard, _) = self
            .changed
            .wait_timeout(guard, limit.min(SHORT_TICK))
            .unwrap_or_else(PoisonError::into_inner);
        *guard
    }

    pub(super) fn drain(&self) -> Drain {
        *self.drain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a drain that is still wanted.
    pub(super) fn answer_drain(&self, answer: Drain) {
        let mut drain = self.drain.lock().unwrap_or_else(PoisonError::into_inner);
        if *drain != Drain::None {
            *drain = answer;
        }
        drop(drain);
        self.changed.notify_all();
    }

    fn set_drain(&self, drain: Drain) {
        *self.drain.lock().unwrap_or_else(PoisonError::into_inner) = drain;
        self.changed.notify_all();
    }
}
