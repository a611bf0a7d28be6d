//! What the outbox counts, readable from both of its threads.

use std::sync::atomic::{AtomicU64, Ordering};

use super::ring::Class;

/// A number that one thread writes and others read.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// Adds to it. Only the thread that owns the count does so, hence no locked instruction.
    pub(super) fn add(&self, n: u64) {
        self.0.store(self.get() + n, Ordering::Relaxed);
    }

    /// Its value.
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A pair of counts, one for alerts and one for events. Notes are not counted: they carry no fact
/// about the workload.
#[derive(Debug, Default)]
pub(super) struct PerClass {
    alerts: Count,
    events: Count,
}

impl PerClass {
    /// Counts one.
    pub(super) fn note(&self, class: Class) {
        match class {
            Class::Alert => self.alerts.add(1),
            Class::Event => self.events.add(1),
            Class::Note => {}
        }
    }

    fn get(&self) -> Pair {
        Pair {
            alerts: self.alerts.get(),
            events: self.events.get(),
        }
    }
}

/// How many alerts and events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// Alerts.
    pub alerts: u64,
    /// Events.
    pub events: u64,
}

impl Pair {
    /// Whether there is none of either.
    pub const fn is_zero(self) -> bool {
        self.alerts == 0 && self.events == 0
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            alerts: self.alerts.saturating_sub(other.alerts),
            events: self.events.saturating_sub(other.events),
        }
    }
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Written by the thread that makes frames.
    pub(super) tracer: TracerTotals,
    /// Written by the thread that sends them.
    pub(super) sender: SenderTotals,
}

/// On a cache line of its own: it is written for every frame.
#[repr(align(64))]
#[derive(Debug, Default)]
pub(super) struct TracerTotals {
    /// Dropped ones included.
    pub(super) made: PerClass,
    /// Those that found no room.
    pub(super) dropped: PerClass,
}

/// On a cache line of its own: it is written for every frame.
#[repr(align(64))]
#[derive(Debug, Default)]
pub(super) struct SenderTotals {
    /// In safe hands.
    pub(super) acked: PerClass,
    /// Sessions that were opened.
    pub(super) welcomes: Count,
    /// Orders of the sidecar for which there was no room.
    pub(super) orders_dropped: Count,
}

/// The state of the accounts. At rest, `made = acked + queued + dropped` holds exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Made, dropped ones included.
    pub made: Pair,
    /// In safe hands.
    pub acked: Pair,
    /// Never sent, for want of room or because of their length.
    pub dropped: Pair,
    /// Sessions opened after the first.
    pub reconnects: u64,
    /// Orders of the sidecar for which there was no room.
    pub orders_dropped: u64,
}

impl Counters {
    /// Made and neither acknowledged nor dropped.
    pub const fn queued(&self) -> Pair {
        self.made.minus(self.acked).minus(self.dropped)
    }
}

impl Totals {
    /// The state of the accounts.
    pub(super) fn counters(&self) -> Counters {
        // In this order a frame that is made and acknowledged meanwhile cannot show as acknowledged
        // and not made.
        let acked = self.sender.acked.get();
        let dropped = self.tracer.dropped.get();
        Counters {
            made: self.tracer.made.get(),
            acked,
            dropped,
            reconnects: self.sender.welcomes.get().saturating_sub(1),
            orders_dropped: self.sender.orders_dropped.get(),
        }
    }
}

impl From<Counters> for wire::Counters {
    fn from(counters: Counters) -> Self {
        let more = match counters.orders_dropped {
            0 => Vec::new(),
            count => vec![wire::Tally {
                name: "orders_dropped".to_owned(),
                count,
            }],
        };
        Self {
            events: counters.made.events,
            alerts: counters.made.alerts,
            dropped_events: counters.dropped.events,
            dropped_alerts: counters.dropped.alerts,
            reconnects: counters.reconnects,
            more,
        }
    }
}
