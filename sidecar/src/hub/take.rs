//! Frames come in.

use std::sync::Arc;
use std::time::Instant;

use event::Priority;
use wire::{Body, Frame};

use super::fold::Verdict;
use super::ledger::{LossKey, LostFrame};
use super::source::Waits;
use super::{Hub, State, index};
use crate::clock::{now_ns, to_ms};
use crate::json::{self, Delivery, Line};
use crate::lines::{self, ContainerJson, LostJson, Own};
use crate::metrics::Metric;
use crate::record::{Kind, Lane as LaneName, Reason, Record, SourceId};
use crate::route::wants_event;

/// A frame that makes no sense where it stands: the session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    /// A second hello.
    #[error("a hello after the hello")]
    Hello,
    /// A frame that only a sidecar sends.
    #[error("a record, which only a sidecar sends")]
    Record,
    /// A numbered kind without a number.
    #[error("a frame without a number")]
    Unnumbered,
}

/// Which frame.
#[derive(Clone, Copy)]
struct FrameId<'a> {
    source: &'a Arc<SourceId>,
    seq: u64,
}

impl<'a> FrameId<'a> {
    fn delivery(self, task: &'a event::Task) -> Delivery<'a> {
        Delivery::new(task, self.source, self.seq)
    }
}

impl Hub {
    /// Takes frames of a session in their order.
    pub(crate) fn take(
        &self,
        source: &Arc<SourceId>,
        frames: &mut Vec<Frame>,
    ) -> Result<(), BadFrame> {
        let mut state = self.lock();
        let result = frames
            .drain(..)
            .try_for_each(|frame| state.take(source, frame));
        state.acknowledge();
        drop(state);
        self.data.send_replace(());
        self.safe.send_replace(());
        result
    }
}

impl State {
    fn take(&mut self, id: &Arc<SourceId>, frame: Frame) -> Result<(), BadFrame> {
        let Some(source) = self.sources.get_mut(id) else {
            return Ok(());
        };
        match &frame.body {
            Some(Body::Hello(_)) => return Err(BadFrame::Hello),
            Some(Body::Record(_)) => return Err(BadFrame::Record),
            Some(Body::Counters(counters)) if frame.seq == 0 => {
                // Totals only grow, so the last word is the whole story.
                source.counters = counters.clone();
                return Ok(());
            }
            _ if frame.seq == 0 => return Err(BadFrame::Unnumbered),
            _ => {}
        }
        if frame.seq <= source.taken {
            self.metrics.count(Metric::Resent);
            return Ok(());
        }
        let lane = match frame.body {
            Some(Body::Event(_)) => LaneName::Events,
            _ => LaneName::Alerts,
        };
        if self.claims.is_safe(id, lane, frame.seq) {
            self.metrics.count(Metric::Resent);
            source.wait(frame.seq, Waits::Nothing);
            return Ok(());
        }
        let seq = frame.seq;
        let waits = self.take_body(id, frame);
        if let (Some(waits), Some(source)) = (waits, self.sources.get_mut(id)) {
            source.wait(seq, waits);
        }
        Ok(())
    }

    /// Takes the body of a frame; `None` when its source is not known.
    fn take_body(&mut self, id: &Arc<SourceId>, frame: Frame) -> Option<Waits> {
        match frame.body {
            Some(Body::Alert(alert)) => self.take_alert(
                FrameId {
                    source: id,
                    seq: frame.seq,
                },
                &alert.into(),
            ),
            Some(Body::Bye(bye)) => self.take_bye(
                FrameId {
                    source: id,
                    seq: frame.seq,
                },
                &bye,
            ),
            Some(Body::Counters(counters)) => {
                self.sources.get_mut(id)?.counters = counters;
                Some(Waits::Nothing)
            }
            Some(Body::Event(event)) => self.take_event(
                FrameId {
                    source: id,
                    seq: frame.seq,
                },
                event,
            ),
            Some(Body::Lost(lost)) => self.take_lost(
                FrameId {
                    source: id,
                    seq: frame.seq,
                },
                &lost,
            ),
            _ => {
                let id = FrameId {
                    source: id,
                    seq: frame.seq,
                };
                self.drop_taken(id, Reason::UnknownKind, LostFrame::Other);
                Some(Waits::Untold)
            }
        }
    }

    fn drop_taken(&mut self, id: FrameId<'_>, reason: Reason, frame: LostFrame) {
        self.metrics.count(reason.into());
        let source = Arc::clone(id.source);
        self.ledger.add(
            LossKey {
                source,
                reason,
                sink: "",
            },
            id.seq,
            frame,
        );
    }

    fn take_alert(&mut self, id: FrameId<'_>, alert: &event::Alert) -> Option<Waits> {
        self.metrics.count(Metric::Alerts);
        if self.folds.take(id.source, id.seq, alert, Instant::now()) == Verdict::Held {
            return Some(Waits::Untold);
        }
        let task = self
            .sources
            .get(id.source)
            .map(|source| Arc::clone(&source.task))?;
        let line = json::alert(alert, &task, id.delivery(&task), None, self.message_bytes);
        let record = self.record(id, Kind::Alert, alert.priority, (alert.time, line));
        Some(self.queue(id, record, LostFrame::Alert))
    }

    fn take_event(&mut self, id: FrameId<'_>, event: wire::Event) -> Option<Waits> {
        self.metrics.count(Metric::Events);
        let kind = event::EventType::parse(&event.kind);
        if !self
            .routes
            .iter()
            .any(|(_, route)| wants_event(route, kind, id.seq))
        {
            self.metrics.count(Metric::Filtered);
            return Some(Waits::Nothing);
        }
        let Ok(mut event) = event::Event::try_from(event) else {
            self.drop_taken(id, Reason::UnknownKind, LostFrame::Event);
            return Some(Waits::Untold);
        };
        let task = self
            .sources
            .get(id.source)
            .map(|source| Arc::clone(&source.task))?;
        event.task.clone_from(&task);
        let line = lines::event(&mut event, id.delivery(&task), self.message_bytes);
        let time = event.time;
        let record = self.record(id, Kind::Event(kind), Priority::Informational, (time, line));
        Some(self.queue(id, record, LostFrame::Event))
    }

    fn take_lost(&mut self, id: FrameId<'_>, lost: &wire::Lost) -> Option<Waits> {
        self.metrics.add(Metric::OutboxDroppedEvents, lost.events);
        self.metrics.add(Metric::OutboxDroppedAlerts, lost.alerts);
        let source = self.sources.get_mut(id.source)?;
        for dropped in [lost.events, lost.alerts] {
            source.outbox_dropped = source.outbox_dropped.saturating_add(dropped);
        }
        let task = Arc::clone(&source.task);
        let reason = wire::LostReason::try_from(lost.reason).unwrap_or(wire::LostReason::Unknown);
        let body = LostJson {
            ctr: &id.source.ctr,
            epoch: id.source.epoch,
            from: lost.from,
            to: lost.to,
            reason: reason.as_str(),
            events: lost.events,
            alerts: lost.alerts,
            seqs: &[],
            sink: "",
        };
        Some(self.state_for(id, Kind::Lost, &task, &Own::Lost(body)))
    }

    fn take_bye(&mut self, id: FrameId<'_>, bye: &wire::Bye) -> Option<Waits> {
        let source = self.sources.get_mut(id.source)?;
        source.has_ended = true;
        let task = Arc::clone(&source.task);
        let body = ContainerJson {
            state: "ended",
            exit_code: bye.exit_code,
            signal: bye.signal,
        };
        Some(self.state_for(id, Kind::Container, &task, &Own::Container(body)))
    }

    /// Queues a statement under a frame's own number.
    fn state_for(
        &mut self,
        id: FrameId<'_>,
        kind: Kind,
        task: &event::Task,
        own: &Own<'_>,
    ) -> Waits {
        let now = now_ns();
        let json = lines::own(own, now, task, id.delivery(task));
        let line = Line {
            json,
            is_truncated: false,
        };
        let record = self.record(id, kind, Priority::Informational, (now, line));
        self.queue(id, record, LostFrame::Other)
    }

    fn record(
        &self,
        id: FrameId<'_>,
        kind: Kind,
        priority: Priority,
        (time, line): (u64, Line),
    ) -> Record {
        if line.is_truncated {
            self.metrics.count(Metric::Truncated);
        }
        let source = Arc::clone(id.source);
        Record {
            source,
            seq: id.seq,
            kind,
            priority,
            time_ms: to_ms(time),
            sink: "",
            may_be_stored: self.claims.may_be_stored(id.source, kind.lane(), id.seq),
            json: line.json,
        }
    }

    /// Queues a record, turning to the disk when memory is full and counting when that is full too.
    fn queue(&mut self, id: FrameId<'_>, record: Record, frame: LostFrame) -> Waits {
        let name = record.kind.lane();
        let cost = record.cost();
        if !self.lanes[index(name)].has_room(cost) {
            self.spill(name);
        }
        if !self.lanes[index(name)].has_room(cost) && !record.may_be_stored {
            self.drop_taken(id, Reason::MemoryFull, frame);
            return Waits::Untold;
        }
        Waits::At(name, self.lanes[index(name)].push(record, Instant::now()))
    }
}
