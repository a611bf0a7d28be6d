//! Losses: making room on disk, and telling what is not stored.

use std::sync::Arc;
use std::time::Instant;

use event::Priority;

use super::ledger::{Loss, LossKey, LostFrame, Told};
use super::source::{Source, Waits};
use super::{State, index};
use crate::clock::{now_ns, to_ms};
use crate::json::{self, Delivery};
use crate::lines::{self, HeartbeatJson, LostJson, Own};
use crate::metrics::Metric;
use crate::record::{Kind, Lane as LaneName, Reason, Record, SourceId};
use crate::spool::Condemned;

/// Frames of a tracer that wait behind alerts which are held back, before these are sent.
const MANY_WAITING: usize = 2000;

/// How the records of a segment that tell losses themselves are told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// With every number.
    Exact,
    /// By the first number, the last, and how many: where all the numbers would not fit.
    Coarse,
}

impl State {
    /// Frees disk until everything in memory fits under the cap. Segments that hold nothing but
    /// told losses may free nothing, so that the numbers go when the rest has gone.
    pub(super) fn make_room(&mut self, lane: LaneName) {
        let mut telling = Telling::Exact;
        let mut before = u64::MAX;
        loop {
            let excess = self.lanes[index(lane)].excess();
            if excess == 0 || (excess >= before && telling == Telling::Coarse) {
                return;
            }
            if excess >= before {
                telling = Telling::Coarse;
            }
            before = excess;
            if !self.give_up_oldest(lane, telling) {
                return;
            }
        }
    }

    /// Gives up the oldest segment; whether there was one.
    pub(super) fn give_up_oldest(&mut self, lane: LaneName, telling: Telling) -> bool {
        match self.lanes[index(lane)].condemn() {
            Ok(Some(condemned)) => {
                self.tell_condemned(lane, condemned, telling);
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
                Ok(found) => found
                    .into_iter()
                    .for_each(|c| self.tell_condemned(lane, c, Telling::Exact)),
                Err(error) => self.spool_failed(&error),
            }
        }
    }

    fn tell_condemned(&mut self, lane: LaneName, condemned: Condemned, telling: Telling) {
        let sinks = self.lanes[index(lane)].sinks();
        let records = condemned.records().iter().map(|(_, record)| record);
        if let Err(error) = self.claims.give_up(lane, records) {
            self.claims_failed(error);
        }
        for positioned in condemned.records() {
            let missing = self.lanes[index(lane)].missing(positioned);
            let record = &positioned.1;
            if missing.is_empty() {
                continue;
            }
            match record.kind {
                Kind::Lost => self.tell_again(record, telling),
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

    /// A line that tells a loss is not lost itself: it becomes part of the next one alike, or goes
    /// to the end of the queue.
    fn tell_again(&mut self, record: &Record, telling: Telling) {
        let told = (record.source.ctr == self.own.ctr)
            .then(|| Told::read(&record.json, record.sink))
            .flatten();
        match (told, telling) {
            (Some(told), telling) => self.ledger.add_told(told, telling == Telling::Coarse),
            (None, Telling::Exact) => {
                self.lanes[0].push(record.clone(), Instant::now());
            }
            // A tracer's own word: its number is told, and what it said is in the counters.
            (None, Telling::Coarse) => {
                self.metrics.count(Reason::SpoolFull.into());
                let key = LossKey {
                    source: Arc::clone(&record.source),
                    reason: Reason::SpoolFull,
                    sink: record.sink,
                };
                self.ledger.add(key, record.seq, LostFrame::Other);
            }
        }
    }

    /// Whether there is room for one more statement. Half of what the alerts have is theirs alone,
    /// where there is no disk to turn to.
    fn has_room_to_tell(&mut self) -> bool {
        let lane = index(LaneName::Alerts);
        let reserve = self.lanes[lane].memory_limit() / 2;
        if !self.lanes[lane].has_room(reserve) {
            self.spill(LaneName::Alerts);
        }
        self.lanes[lane].has_room(reserve)
    }

    /// As [`Self::tell_losses`], when there is room. What waits becomes fewer lines.
    pub(super) fn tell_losses_in_room(&mut self) {
        if !self.ledger.is_empty() && self.has_room_to_tell() {
            self.tell_losses();
        }
    }

    /// Queues a heartbeat, which is left out when there is no room: the next one says the same.
    pub(super) fn say_heartbeat(&mut self, body: HeartbeatJson) {
        if self.has_room_to_tell() {
            self.metrics.count(Metric::Heartbeats);
            self.say(&Own::Heartbeat(body), Kind::Heartbeat, "");
        }
    }

    /// Tells everything in the ledger, and lets the frames wait for the lines that tell it.
    pub(super) fn tell_losses(&mut self) {
        if self.ledger.is_coarse() {
            // Among numbers that are not exact, none may be of an alert that is only held back.
            self.end_folds(true);
        }
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
            seqs: if loss.is_coarse { &[] } else { seqs },
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

    /// Sends the alerts that were held back and whose time has come. What is held keeps everything
    /// behind it from being acknowledged, so that it is not held from a tracer that says much.
    pub(super) fn end_folds(&mut self, all: bool) {
        let sources = &self.sources;
        let is_urgent = |id: &SourceId| {
            let waiting = sources.get(id).map_or(0, Source::waiting);
            all || waiting > MANY_WAITING
        };
        for held in self.folds.due(Instant::now(), is_urgent) {
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
