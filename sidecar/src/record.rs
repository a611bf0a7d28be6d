//! A record: one line for the sinks, with what the sidecar needs to know to route and account it.

use std::sync::Arc;

use bytes::Bytes;
use event::{EventType, Priority};

/// One life of one tracer. Sequence numbers belong to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId {
    /// The container, as ECS's id where known.
    pub ctr: String,
    /// Start of the tracer, nanoseconds since 1970.
    pub epoch: u64,
}

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A rule matched; possibly several alike, folded.
    Alert,
    /// A container began or ended.
    Container,
    /// Something happened.
    Event(Option<EventType>),
    /// The sidecar is alive, and these are its counters.
    Heartbeat,
    /// Frames that are not stored, and why.
    Lost,
}

impl Kind {
    /// The lane that carries it.
    pub const fn lane(self) -> Lane {
        match self {
            Self::Event(_) => Lane::Events,
            Self::Alert | Self::Container | Self::Heartbeat | Self::Lost => Lane::Alerts,
        }
    }
}

/// Two queues, so that a flood of events never delays or displaces an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Alerts, and everything that the sidecar says about itself. Always served first.
    Alerts,
    /// Events.
    Events,
}

impl Lane {
    /// In the order in which they are served.
    pub const ALL: [Self; 2] = [Self::Alerts, Self::Events];

    /// The word in file names, stream names and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Events => "events",
        }
    }
}

/// One line for the sinks.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Whose frame it was.
    pub source: Arc<SourceId>,
    /// The frame's number; for records that the sidecar makes, its own count.
    pub seq: u64,
    /// What it tells.
    pub kind: Kind,
    /// How bad it is; events and bookkeeping are informational.
    pub priority: Priority,
    /// When, milliseconds since 1970.
    pub time_ms: i64,
    /// The sink it is meant for; empty for all.
    pub sink: &'static str,
    /// An earlier process may have stored it: it is never told as lost.
    pub may_be_stored: bool,
    /// The JSON object, without a line end.
    pub json: Bytes,
}

/// What a record costs in memory beyond its text.
const OVERHEAD: usize = 96;

impl Record {
    /// Bytes that it is charged for in a queue.
    pub fn cost(&self) -> usize {
        self.json.len() + OVERHEAD
    }
}

/// Numbers of frames, as ranges in growing order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    ranges: Vec<(u64, u64)>,
}

impl Ranges {
    /// Adds a number. Numbers that grow by one share a range.
    pub fn add(&mut self, seq: u64) {
        self.add_range((seq, seq));
    }

    /// Adds all numbers from the first to the last.
    pub fn add_range(&mut self, (from, to): (u64, u64)) {
        match self.ranges.last_mut() {
            // Whoever sends may choose the highest number that there is.
            Some((_, last)) if last.checked_add(1) == Some(from) => *last = to,
            _ => self.ranges.push((from, to)),
        }
    }

    /// Becomes one range that these numbers are in too.
    pub fn span(&mut self, (from, to): (u64, u64)) {
        let all = self.ranges.iter().fold((from, to), |all, range| {
            (all.0.min(range.0), all.1.max(range.1))
        });
        self.ranges = vec![all];
    }

    /// The ranges, both ends included.
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.ranges
    }
}

/// Why a frame is not stored. The words are part of the record format and of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Older than the log group's retention.
    Expired,
    /// The sink calls it invalid even alone.
    Invalid,
    /// Memory was full and there was no disk to turn to.
    MemoryFull,
    /// The spool's bytes did not match their checksum.
    SpoolCorrupt,
    /// The spool was at its cap.
    SpoolFull,
    /// Further ahead than the store accepts.
    TooNew,
    /// Older than the store accepts.
    TooOld,
    /// Of a kind that this version does not know.
    UnknownKind,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Expired,
        Self::Invalid,
        Self::MemoryFull,
        Self::SpoolCorrupt,
        Self::SpoolFull,
        Self::TooNew,
        Self::TooOld,
        Self::UnknownKind,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Invalid => "invalid",
            Self::MemoryFull => "memory_full",
            Self::SpoolCorrupt => "spool_corrupt",
            Self::SpoolFull => "spool_full",
            Self::TooNew => "too_new",
            Self::TooOld => "too_old",
            Self::UnknownKind => "unknown_kind",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_numbers_share_a_range() {
        let mut ranges = Ranges::default();
        for seq in [3, 4, 5, 9, 11, 12] {
            ranges.add(seq);
        }
        assert_eq!(ranges.as_slice(), [(3, 5), (9, 9), (11, 12)]);
        ranges.span((7, 8));
        assert_eq!(ranges.as_slice(), [(3, 12)]);
        ranges.add(u64::MAX);
        ranges.add(1);
        assert_eq!(ranges.as_slice(), [(3, 12), (u64::MAX, u64::MAX), (1, 1)]);
    }
}
