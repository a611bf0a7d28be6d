//! Lines that tell a loss and were refused themselves, by a service whose clock is far from ours.
//!
//! They are tried again after a while, under the time that it is then. Telling the loss of a line
//! that tells a loss would never end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::clock::{now_ns, to_ms};
use crate::record::Record;

const PAUSE: Duration = Duration::from_secs(5);

/// As many lines as are kept; beyond that the oldest goes, and its loss is in the counters only.
const MAX: usize = 256;

/// Refused lines.
#[derive(Debug, Default)]
pub(crate) struct Retell {
    lines: VecDeque<Record>,
    since: Option<Instant>,
}

impl Retell {
    pub(crate) fn add(&mut self, record: Record) {
        if self.lines.len() >= MAX {
            tracing::warn!(
                "Too many lost records are refused; the oldest is in the counters only."
            );
            self.lines.pop_front();
        }
        self.lines.push_back(record);
    }

    /// The lines, once they have waited long enough.
    pub(crate) fn due(&mut self, now: Instant, all: bool) -> Vec<Record> {
        if self.lines.is_empty() {
            self.since = None;
            return Vec::new();
        }
        let since = *self.since.get_or_insert(now);
        if !all && now.duration_since(since) < PAUSE {
            return Vec::new();
        }
        self.since = None;
        let time_ms = to_ms(now_ns());
        self.lines
            .drain(..)
            .map(|record| Record { time_ms, ..record })
            .collect()
    }
}
