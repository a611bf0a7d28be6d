//! Records go out: batches for the sinks, and what a sink has dealt with.

use super::{Hub, State, index};
use crate::metrics::Metric;
use crate::record::{Lane as LaneName, Reason, Record};
use crate::route::wants;

/// Records for a sink.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// From which queue.
    pub lane: LaneName,
    /// In the order of their positions.
    pub records: Vec<Record>,
    /// The position behind each.
    ends: Vec<u64>,
}

impl Batch {
    /// Takes the first `count` records away.
    pub(crate) fn advance(&mut self, count: usize) {
        self.records.drain(..count);
        self.ends.drain(..count);
    }
}

impl Hub {
    /// The next records for a sink from one queue, `None` when it has all.
    pub(crate) fn read(&self, sink: usize, lane: LaneName, max_bytes: usize) -> Option<Batch> {
        let mut state = self.lock();
        let (batch, skipped) = state.read(sink, lane, max_bytes);
        drop(state);
        if skipped {
            self.safe.send_replace(());
        }
        batch
    }

    /// A sink has dealt with the first `count` records of a batch, all but some of which it stored.
    pub(crate) fn settle(
        &self,
        sink: usize,
        batch: &Batch,
        count: usize,
        rejected: &[(usize, Reason)],
    ) {
        self.lock().settle(sink, batch, count, rejected);
        self.safe.send_replace(());
        if !rejected.is_empty() {
            self.data.send_replace(());
        }
    }
}

impl State {
    fn read(&mut self, sink: usize, lane: LaneName, max_bytes: usize) -> (Option<Batch>, bool) {
        let (name, route) = self.routes[sink].clone();
        let mut skipped = false;
        loop {
            let found = match self.lanes[index(lane)].read(sink, max_bytes) {
                Ok(found) => found,
                Err(error) if !error.is_damage() => {
                    // It may be read yet: the next tick tries again.
                    self.spool_failed(&error);
                    return (None, skipped);
                }
                Err(error) => {
                    self.spool_failed(&error);
                    let lost = self.lanes[index(lane)].skip_damaged(sink);
                    if lost == 0 {
                        return (None, skipped);
                    }
                    self.tell_nameless(Reason::SpoolCorrupt, lost);
                    continue;
                }
            };
            let Some(end) = found.ends.last().copied() else {
                return (None, skipped);
            };
            if let Some(error) = &found.trouble {
                self.spool_failed(error);
            }
            if let Err(error) = self.claims.try_all(lane, &found.records) {
                self.claims_failed(error);
            }
            let total = found.records.len();
            let (records, mut ends): (Vec<_>, Vec<_>) = found
                .records
                .into_iter()
                .zip(found.ends)
                .filter(|(record, _)| wants(name, &route, record))
                .unzip();
            self.metrics
                .add(Metric::Filtered, (total - records.len()) as u64);
            if let Some(last) = ends.last_mut() {
                *last = end;
                return (
                    Some(Batch {
                        lane,
                        records,
                        ends,
                    }),
                    skipped,
                );
            }
            self.settle_lane(sink, lane, end);
            skipped = true;
        }
    }

    fn settle(&mut self, sink: usize, batch: &Batch, count: usize, rejected: &[(usize, Reason)]) {
        let Some(end) = count.checked_sub(1).and_then(|last| batch.ends.get(last)) else {
            return;
        };
        self.metrics
            .add(Metric::Stored, (count - rejected.len()) as u64);
        self.metrics.count(Metric::Batches);
        for (n, reason) in rejected {
            if let Some(record) = batch.records.get(*n) {
                self.lose(record, *reason, self.sink_word(sink));
            }
        }
        if !rejected.is_empty() {
            // The loss must be as safe as the frames were before the sink's cursor passes them.
            self.tell_losses();
            if self.lanes[0].has_spool() {
                self.spill(LaneName::Alerts);
            }
        }
        self.settle_lane(sink, batch.lane, *end);
    }

    pub(super) fn settle_lane(&mut self, sink: usize, lane: LaneName, end: u64) {
        if let Err(error) = self.lanes[index(lane)].settle(sink, end) {
            self.spool_failed(&error);
        }
        self.acknowledge();
    }

    /// The name that a loss carries: none when there is one sink only.
    pub(super) fn sink_word(&self, sink: usize) -> &'static str {
        if self.routes.len() == 1 {
            ""
        } else {
            self.routes[sink].0
        }
    }
}
