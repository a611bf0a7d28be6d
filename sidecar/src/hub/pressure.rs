//! What happens by the clock and under pressure: losses are told, folds end, and what waits too
//! long goes to disk.

use std::path::Path;
use std::time::{Duration, Instant};

use super::give_up::Telling;
use super::lane::Lane;
use super::{Hub, State, index};
use crate::config::SyncPolicy;
use crate::metrics::Metric;
use crate::record::Lane as LaneName;
use crate::spool::SpoolError;

/// How often a failure that goes on is logged.
const LOG_EVERY: Duration = Duration::from_mins(1);

impl Hub {
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
    fn tick(&mut self, is_last: bool) {
        let now = Instant::now();
        self.end_folds(is_last);
        if is_last {
            self.tell_losses();
        } else {
            self.tell_losses_in_room();
        }
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
    pub(super) fn spill(&mut self, lane: LaneName) {
        if !self.lanes[index(lane)].has_spool() {
            return;
        }
        self.make_room(lane);
        // When the disk is full before our cap is, what is oldest there makes room.
        while let Err(error) = self.spill_lane(lane) {
            self.spool_failed(&error);
            if !error.is_full() || !self.give_up_oldest(lane, Telling::Exact) {
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

    pub(super) fn spill_lane(&mut self, lane: LaneName) -> Result<(), SpoolError> {
        let (moved, result) = self.lanes[index(lane)].spill();
        self.metrics.add(Metric::Spooled, moved);
        result
    }

    /// Claims cannot be written: after a crash, a frame may be both stored and told as lost.
    pub(super) fn claims_failed(&mut self, error: std::io::Error) {
        self.spool_failed(&SpoolError::new("cannot write", Path::new("claims"))(error));
    }

    /// Counts a failure. A disk that is full fails many times a second: one line a minute.
    pub(super) fn spool_failed(&mut self, error: &SpoolError) {
        self.metrics.count(Metric::SpoolFailures);
        let is_told = self
            .spool_trouble
            .is_some_and(|told| told.elapsed() < LOG_EVERY);
        if !is_told {
            self.spool_trouble = Some(Instant::now());
            tracing::warn!(error = %crate::log::chain(error),
                "The spool failed. What it cannot hold is given up, oldest first, and told.");
        }
    }
}
