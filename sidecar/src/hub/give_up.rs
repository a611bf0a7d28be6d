//! Losses: making room on disk, and telling what is not stored.

use std::sync::Arc;
use std::time::Instant;

use event::Priority;

use super::ledger::{Loss, LossKey};
use super::source::Waits;
use super::{State, index};
use crate::clock::{now_ns, to_ms};
use crate::json::{self, Delivery};
use crate::lines::{self, LostJson, Own};
use crate::metrics::Metric;
use crate::record::{Kind, Lane as LaneName, Reason, Record};
use crate::spool::Condemned;

impl State {
    /// Frees disk until everything in memory fits under the cap.
    pub(super) fn make_room(&mut self, lane: LaneName) {
        while self.lanes[index(lane)].excess() > 0 {
            if !self.give_up_oldest(lane) {
                return;
            }
        }
    }

    /// Gives up the oldest segment; whether there was one.
    pub(super) fn give_up_oldest(&mut self, lane: LaneName) -> bool {
        match self.lanes[index(lane)].condemn() {
            Ok(Some(condemned)) => {
                self.tell_condemned(lane, condemned);
                true
            }
            Ok(None) => false,
            Err(error) => {
                self.spool_failed(&error);
                false
            }
        }
    }

    /// Ends what an earlier process began: the segment is gone for the readers already, and what
    /// was in it is told, twice if need be, with the same numbers.
    pub(super) fn finish_condemned(&mut self) {
        for lane in LaneName::ALL {
            match self.lanes[index(lane)].condemned() {
                Ok(found) => found.into_iter().for_each(|c| self.tell_condemned(lane, c)),
                Err(error) => self.spool_failed(&error),
            }
        }
    }

    fn tell_condemned(&mut self, lane: LaneName, condemned: Condemned) {
        let sinks = self.lanes[index(lane)].sinks();
        let records = condemned.records().iter().map(|(_, record)| record);
        if let Err(error) = self.claims.give_up(lane, records) {
            self.metrics.count(Metric::SpoolFailures);
            tracing::warn!(%error, "Cannot keep claims.");
        }
        for positioned in condemned.records() {
            let missing = self.lanes[index(lane)].missing(positioned);
            let record = &positioned.1;
            if missing.is_empty() {
                continue;
            }
            match record.kind {
                // A line that tells a loss is not lost itself: it goes to the end of the queue.
                Kind::Lost => {
                    self.lanes[0].push(record.clone(), Instant::now());
                }
                _ if missing.len() == sinks => self.lose(record, Reason::SpoolFull, ""),
                _ => {
                    for sink in missing {
                        let word = self.sink_word(sink);
                        self.lose(record, Reason::SpoolFull, word);
                    }
                }
            }
        }
        self.tell_losses();
        if let Err(error) = self.spill_lane(LaneName::Alerts) {
            self.spool_failed(&error);
        }
        if let Err(error) = condemned.remove() {
            self.spool_failed(&error);
        }
    }

    /// Tells everything in the ledger, and lets the frames wait for the lines that tell it.
    pub(super) fn tell_losses(&mut self) {
        for (key, loss) in self.ledger.take() {
            self.tell(&key, &loss);
        }
    }

    fn tell(&mut self, key: &LossKey, loss: &Loss) {
        let seqs = loss.seqs.as_slice();
        let body = LostJson {
            ctr: &key.source.ctr,
            epoch: key.source.epoch,
            from: seqs.first().map_or(0, |(from, _)| *from),
            to: seqs.last().map_or(0, |(_, to)| *to),
            reason: key.reason.as_str(),
            events: loss.events,
            alerts: loss.alerts,
            seqs,
            sink: key.sink,
        };
        let position = self.say(&Own::Lost(body), Kind::Lost, key.sink);
        if let Some(source) = self.sources.get_mut(&key.source) {
            source.told(Waits::At(LaneName::Alerts, position), seqs);
        }
    }

    /// Tells a loss of records whose numbers are not known.
    pub(super) fn tell_nameless(&mut self, reason: Reason, count: u64) {
        self.metrics.add(reason.into(), count);
        let body = LostJson {
            ctr: "",
            epoch: 0,
            from: 0,
            to: 0,
            reason: reason.as_str(),
            events: count,
            alerts: 0,
            seqs: &[],
            sink: "",
        };
        self.say(&Own::Lost(body), Kind::Lost, "");
    }

    /// Queues one of the sidecar's own statements and returns its position.
    pub(super) fn say(&mut self, own: &Own<'_>, kind: Kind, sink: &'static str) -> u64 {
        self.own_seq += 1;
        let now = now_ns();
        let delivery = Delivery::new(&self.task, &self.own, self.own_seq);
        let record = Record {
            source: Arc::clone(&self.own),
            seq: self.own_seq,
            kind,
            priority: Priority::Informational,
            time_ms: to_ms(now),
            sink,
            may_be_stored: false,
            json: lines::own(own, now, &self.task, delivery),
        };
        self.lanes[0].push(record, Instant::now())
    }

    /// Sends the alerts that were held back and whose time has come.
    pub(super) fn end_folds(&mut self, all: bool) {
        for held in self.folds.due(now_ns(), all) {
            let task = self.sources.get(&held.source).map_or_else(
                || Arc::new(self.task.clone()),
                |source| Arc::clone(&source.task),
            );
            let delivery = Delivery::new(&task, &held.source, held.first_seq());
            let line = json::alert(
                &held.alert,
                &task,
                delivery,
                Some(held.folded()),
                self.message_bytes,
            );
            if line.is_truncated {
                self.metrics.count(Metric::Truncated);
            }
            self.metrics.add(Metric::AlertsFolded, held.count - 1);
            let record = Record {
                source: Arc::clone(&held.source),
                seq: held.first_seq(),
                kind: Kind::Alert,
                priority: held.alert.priority,
                time_ms: to_ms(held.alert.time),
                sink: "",
                may_be_stored: false,
                json: line.json,
            };
            let position = self.lanes[0].push(record, Instant::now());
            if let Some(source) = self.sources.get_mut(&held.source) {
                source.told(Waits::At(LaneName::Alerts, position), held.seqs.as_slice());
            }
        }
    }
}
