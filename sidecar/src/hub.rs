//! Everything between the sessions and the sinks: numbers, queues, losses, acknowledgements.
//!
//! One lock, never held across an await. A call on the hub is one step for everybody else, so that
//! what is taken, stored, acknowledged and told as lost always adds up.

mod claims;
mod fold;
mod give_up;
mod lane;
mod ledger;
mod registry;
mod report;
mod retell;
mod source;
mod take;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use crate::clock::now_ns;
use crate::config::{Config, Route, SyncPolicy};
use crate::metrics::{Metric, Metrics};
use crate::record::{Kind, Lane as LaneName, Reason, Record, SourceId};
use crate::route::wants;
use crate::spool::{Recovered, Spool, SpoolError};
use claims::Claims;
use fold::Folds;
use lane::{Lane, Limits};
use ledger::{Ledger, LossKey};
use retell::Retell;
use source::Source;

pub(crate) use registry::Rejection;
#[cfg(test)]
pub(crate) use report::SinkState;
pub(crate) use report::Status;

/// Bytes in memory: alerts, events.
const MEMORY: [usize; 2] = [2 << 20, 4 << 20];

/// Records for a sink.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// From which queue.
    pub lane: LaneName,
    /// In the order of their positions.
    pub records: Vec<Record>,
    ends: Vec<u64>,
}

impl Batch {
    /// Takes the first `count` records away.
    pub(crate) fn advance(&mut self, count: usize) {
        self.records.drain(..count);
        self.ends.drain(..count);
    }
}

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

/// Opens the spool of a lane. Without a usable folder the sidecar works in memory alone, and says
/// so.
fn open_spool(
    config: &Config,
    lane: LaneName,
    metrics: &Metrics,
    claims: &mut Claims,
) -> Option<(Spool, Recovered)> {
    let dir = config.spool.dir.as_ref()?.join(lane.as_str());
    match Spool::open(&dir, &mut |record| claims.found(lane, record)) {
        Ok((spool, found)) => {
            if found != Recovered::default() {
                tracing::info!(
                    lane = lane.as_str(),
                    records = found.records,
                    cut_bytes = found.cut_bytes,
                    lost = found.lost,
                    "Recovered the spool."
                );
            }
            Some((spool, found))
        }
        Err(error) => {
            metrics.count(Metric::SpoolFailures);
            tracing::warn!(error = %crate::log::chain(&error),
                "No spool: what does not fit in memory is dropped and counted. Set WORKLOAD_AGENT_SPOOL to a writable folder, or to `off`.");
            None
        }
    }
}

/// Opens the claims, which live in the spool's folder.
fn open_claims(config: &Config, metrics: &Metrics) -> Claims {
    let Some(dir) = &config.spool.dir else {
        return Claims::default();
    };
    let opened = std::fs::create_dir_all(dir).and_then(|()| Claims::open(&dir.join("claims")));
    opened.unwrap_or_else(|error| {
        metrics.count(Metric::SpoolFailures);
        tracing::warn!(%error, "Cannot keep claims: after a crash, a frame may be both stored and told as lost.");
        Claims::default()
    })
}

impl Hub {
    /// Opens the spool and recovers what an earlier process left. Without a usable folder the
    /// sidecar works in memory alone, and says so.
    pub(crate) fn new(config: &Config, metrics: Arc<Metrics>) -> Self {
        let routes: Vec<_> = config
            .sinks
            .iter()
            .map(|s| (s.target.name(), s.route.clone()))
            .collect();
        let names: Vec<_> = routes.iter().map(|(name, _)| *name).collect();
        let mut claims = open_claims(config, &metrics);
        let mut lost = 0;
        let lanes = LaneName::ALL.map(|name| {
            let spool = open_spool(config, name, &metrics, &mut claims).map(|(spool, found)| {
                lost += found.lost;
                spool
            });
            let disk = match name {
                LaneName::Alerts => config.spool.bytes / 4,
                LaneName::Events => config.spool.bytes - config.spool.bytes / 4,
            };
            Lane::new(
                Limits {
                    memory: MEMORY[index(name)],
                    disk,
                },
                spool,
                &names,
            )
        });
        let mut state = State {
            lanes,
            routes,
            sources: HashMap::new(),
            ledger: Ledger::default(),
            retell: Retell::default(),
            folds: Folds::new(config.fold_after),
            claims,
            own: Arc::new(SourceId {
                ctr: "sidecar".to_owned(),
                epoch: now_ns(),
            }),
            own_seq: 0,
            task: event::Task::default(),
            expects_metadata: false,
            message_bytes: config.message_bytes,
            sync: config.spool.sync,
            metrics: Arc::clone(&metrics),
        };
        state.finish_condemned();
        if lost > 0 {
            state.tell_nameless(Reason::SpoolCorrupt, lost);
        }
        Self {
            state: Mutex::new(state),
            data: watch::Sender::new(()),
            safe: watch::Sender::new(()),
            metrics,
        }
    }

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

    /// What happens without anybody asking: losses are told, folds end, what waits too long goes to
    /// disk.
    pub(crate) fn tick(&self) {
        self.lock().tick(false);
        self.data.send_replace(());
        self.safe.send_replace(());
    }

    /// The last tick: everything that is held back is told.
    pub(crate) fn finish(&self) {
        self.lock().tick(true);
        self.data.send_replace(());
        self.safe.send_replace(());
    }

    /// Moves everything in memory to disk. Returns how many records are held in memory still, for
    /// want of a disk.
    pub(crate) fn spill(&self) -> usize {
        let mut state = self.lock();
        let held = LaneName::ALL
            .map(|lane| {
                state.spill(lane);
                state.lanes[index(lane)].memory_bytes()
            })
            .into_iter()
            .sum();
        drop(state);
        self.safe.send_replace(());
        held
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

    /// Files to force to the device, when the policy asks for it.
    pub(crate) fn sync_handles(&self) -> Vec<std::fs::File> {
        let mut state = self.lock();
        match state.sync {
            SyncPolicy::Interval => state
                .lanes
                .iter_mut()
                .filter_map(Lane::sync_handle)
                .collect(),
            SyncPolicy::Batch | SyncPolicy::Never => Vec::new(),
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
            if let Err(error) = self.claims.try_all(lane, &found.records) {
                self.metrics.count(Metric::SpoolFailures);
                tracing::warn!(%error, "Cannot keep claims.");
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

    fn settle_lane(&mut self, sink: usize, lane: LaneName, end: u64) {
        if let Err(error) = self.lanes[index(lane)].settle(sink, end) {
            self.spool_failed(&error);
        }
        self.acknowledge();
    }

    /// The name that a loss carries: none when there is one sink only.
    fn sink_word(&self, sink: usize) -> &'static str {
        if self.routes.len() == 1 {
            ""
        } else {
            self.routes[sink].0
        }
    }

    fn acknowledge(&mut self) {
        let safe = [self.lanes[0].safe(), self.lanes[1].safe()];
        for source in self.sources.values_mut() {
            source.settle(|lane, position| position < safe[index(lane)]);
        }
    }

    fn tick(&mut self, is_last: bool) {
        let now = Instant::now();
        self.end_folds(is_last);
        self.tell_losses();
        for record in self.retell.due(now, is_last) {
            self.lanes[0].push(record, now);
        }
        for lane in LaneName::ALL {
            if self.lanes[index(lane)].is_pressed(now) {
                self.spill(lane);
            }
        }
        self.forget_settled();
        self.acknowledge();
        self.metrics.set(
            Metric::MemoryBytes,
            self.lanes.iter().map(|l| l.memory_bytes() as u64).sum(),
        );
        self.metrics.set(
            Metric::SpoolBytes,
            self.lanes.iter().map(Lane::disk_bytes).sum(),
        );
    }

    /// Moves a queue to disk, giving up the oldest there when it is at its cap.
    fn spill(&mut self, lane: LaneName) {
        if !self.lanes[index(lane)].has_spool() {
            return;
        }
        self.make_room(lane);
        // When the disk is full before our cap is, what is oldest there makes room.
        while let Err(error) = self.spill_lane(lane) {
            self.spool_failed(&error);
            if !self.give_up_oldest(lane) {
                return;
            }
        }
        if self.sync == SyncPolicy::Batch {
            let synced = self.lanes[index(lane)]
                .sync_handle()
                .map(|file| file.sync_data());
            if let Some(Err(source)) = synced {
                tracing::warn!(error = %source, "Cannot force the spool to the device.");
                self.metrics.count(Metric::SpoolFailures);
            }
        }
        self.acknowledge();
    }

    pub(in crate::hub) fn spill_lane(&mut self, lane: LaneName) -> Result<(), SpoolError> {
        let (moved, result) = self.lanes[index(lane)].spill();
        self.metrics.add(Metric::Spooled, moved);
        result
    }

    fn spool_failed(&self, error: &SpoolError) {
        self.metrics.count(Metric::SpoolFailures);
        tracing::warn!(error = %crate::log::chain(error), "The spool failed.");
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
