//! Everything between the sessions and the sinks: numbers, queues, losses, acknowledgements.
//!
//! One lock, never held across an await. A call on the hub is one step for everybody else, so that
//! what is taken, stored, acknowledged and told as lost always adds up.

mod claims;
mod deliver;
mod fold;
mod give_up;
mod lane;
mod ledger;
mod open;
mod pressure;
mod registry;
mod report;
mod retell;
mod source;
mod take;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use crate::config::{Route, SyncPolicy};
use crate::metrics::Metrics;
use crate::record::{Kind, Lane as LaneName, Reason, Record, SourceId};
use claims::Claims;
use fold::Folds;
use lane::Lane;
use ledger::{Ledger, LossKey};
use retell::Retell;
use source::Source;

pub(crate) use deliver::Batch;
pub(crate) use registry::Rejection;
#[cfg(test)]
pub(crate) use report::SinkState;
pub(crate) use report::Status;

/// The hub, shared by sessions and sinks.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    /// Changes when there may be something to read.
    data: watch::Sender<()>,
    /// Changes when an acknowledgement may have moved.
    safe: watch::Sender<()>,
    /// Everything that is counted.
    pub metrics: Arc<Metrics>,
}

struct State {
    lanes: [Lane; 2],
    routes: Vec<(&'static str, Route)>,
    sources: HashMap<Arc<SourceId>, Source>,
    ledger: Ledger,
    retell: Retell,
    folds: Folds,
    claims: Claims,
    /// The sidecar itself, as the source of what it says.
    own: Arc<SourceId>,
    own_seq: u64,
    task: event::Task,
    /// Whether the task's names may still become known.
    expects_metadata: bool,
    message_bytes: usize,
    sync: SyncPolicy,
    /// When a failure of the spool was last logged.
    spool_trouble: Option<Instant>,
    metrics: Arc<Metrics>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("sources", &self.sources.len())
            .finish_non_exhaustive()
    }
}

fn index(lane: LaneName) -> usize {
    match lane {
        LaneName::Alerts => 0,
        LaneName::Events => 1,
    }
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held has been reported; the state is still the best there is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells when there may be something to read.
    pub(crate) fn data(&self) -> watch::Receiver<()> {
        self.data.subscribe()
    }

    /// Tells when an acknowledgement may have moved.
    pub(crate) fn safe(&self) -> watch::Receiver<()> {
        self.safe.subscribe()
    }

    /// Records that a sink has not settled.
    pub(crate) fn lag(&self, sink: usize) -> u64 {
        let state = self.lock();
        state.lanes.iter().map(|lane| lane.lag(sink)).sum()
    }

    /// The task, as far as it is known.
    pub(crate) fn own_task(&self) -> event::Task {
        self.lock().task.clone()
    }

    /// There is a metadata endpoint to ask.
    pub(crate) fn expect_metadata(&self) {
        self.lock().expects_metadata = true;
    }

    /// Whether the task's names may still become known.
    pub(crate) fn expects_metadata(&self) -> bool {
        self.lock().expects_metadata
    }
}

impl State {
    fn acknowledge(&mut self) {
        let safe = [self.lanes[0].safe(), self.lanes[1].safe()];
        for source in self.sources.values_mut() {
            source.settle(|lane, position| position < safe[index(lane)]);
        }
    }

    /// Counts one record as lost.
    fn lose(&mut self, record: &Record, reason: Reason, sink: &'static str) {
        let frame = match record.kind {
            Kind::Alert => ledger::LostFrame::Alert,
            Kind::Event(_) => ledger::LostFrame::Event,
            Kind::Container => ledger::LostFrame::Other,
            // The next one tells the same counters.
            Kind::Heartbeat => return self.metrics.count(reason.into()),
            // What tells a loss is told again later, under the time that it is then.
            Kind::Lost => return self.retell.add(record.clone()),
        };
        self.metrics.count(reason.into());
        let source = Arc::clone(&record.source);
        self.ledger.add(
            LossKey {
                source,
                reason,
                sink,
            },
            record.seq,
            frame,
        );
    }
}
