//! The making end: numbers frames, decides which ones there is room for, accounts for the rest.

use std::sync::Arc;

use wire::{Body, Frame, Lost, LostReason};

use super::ring::{Class, Stamp, Writer, cost};
use super::totals::Totals;

/// The most that one [`Lost`] frame takes in the ring: seven varints, their tags and two lengths.
const LOST_COST: u64 = cost(96);

/// One of so many parts of the ring is kept for urgent frames.
const RESERVE_PART: u64 = 8;

/// Once an event was dropped, events are taken again when one of so many parts of the ring is free
/// besides the reserve: fewer and longer gaps, and no work for events that will not fit.
const RELIEF_PART: u64 = 16;

/// Who may use the reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// An alert, an exec, an exit, a gap: without it the rest is hard to understand.
    High,
    /// Anything else.
    Low,
}

/// What happened to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It was dropped, and counted.
    Dropped,
    /// It is in the ring.
    Kept,
}

/// A gap that has not been told yet.
#[derive(Debug)]
struct Gap {
    from: u64,
    to: u64,
    alerts: u64,
    events: u64,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    writer: Writer,
    totals: Arc<Totals>,
    /// The number of the last frame that was made, kept or not.
    seq: u64,
    /// Gaps by their reason: full, too long.
    gaps: [Option<Gap>; 2],
    is_choked: bool,
    scratch: Vec<u8>,
}

const REASONS: [LostReason; 2] = [LostReason::OutboxFull, LostReason::TooLong];

impl Queue {
    /// A queue in front of a ring.
    pub(super) fn new(writer: Writer, totals: Arc<Totals>) -> Self {
        Self {
            writer,
            totals,
            seq: 0,
            gaps: [None, None],
            is_choked: false,
            scratch: Vec::with_capacity(4096),
        }
    }

    /// Bytes written since the beginning.
    pub(super) const fn written(&self) -> u64 {
        self.writer.written()
    }

    /// Bytes of the whole ring.
    pub(super) fn capacity(&self) -> u64 {
        self.writer.capacity()
    }

    /// Whether everything was acknowledged.
    pub(super) fn is_drained(&self) -> bool {
        self.writer.is_drained()
    }

    /// Makes a frame. `body` is asked for only when the frame has a chance of being kept.
    pub(super) fn push(
        &mut self,
        class: Class,
        urgency: Urgency,
        body: impl FnOnce() -> Body,
    ) -> Pushed {
        self.totals.tracer.made.note(class);
        let spare = self.spare(urgency);
        if self.is_choked && urgency == Urgency::Low {
            let relief = self.writer.capacity() / RELIEF_PART;
            if !self.writer.has_room(relief, spare) {
                return self.drop_frame(class, LostReason::OutboxFull);
            }
        }
        let gaps = self.gaps.iter().flatten().count() as u64;
        let frame = Frame::new(self.seq + gaps + 1, body());
        self.scratch.clear();
        if wire::encode(&frame, &mut self.scratch).is_err() {
            return self.drop_frame(class, LostReason::TooLong);
        }
        let need = cost(self.scratch.len()) + gaps * LOST_COST;
        if need + self.writer.capacity() / RESERVE_PART > self.writer.capacity() {
            return self.drop_frame(class, LostReason::TooLong);
        }
        if !self.writer.has_room(need, spare) {
            self.is_choked = true;
            return self.drop_frame(class, LostReason::OutboxFull);
        }
        if urgency == Urgency::Low {
            self.is_choked = false;
        }
        let frame = std::mem::take(&mut self.scratch);
        self.tell_gaps();
        self.seq += 1;
        let seq = self.seq;
        self.writer.push(Stamp { seq, class }, &frame);
        self.scratch = frame;
        // One long frame must not pin a megabyte for the rest of the workload's life.
        if self.scratch.capacity() > 64 * 1024 {
            self.scratch = Vec::with_capacity(4096);
        }
        Pushed::Kept
    }

    /// Puts what was lost since the last kept frame into the ring, when there is room for it.
    pub(super) fn settle(&mut self) -> Pushed {
        let gaps = self.gaps.iter().flatten().count() as u64;
        if !self.writer.has_room(gaps * LOST_COST, 0) {
            return Pushed::Dropped;
        }
        self.tell_gaps();
        Pushed::Kept
    }

    /// Bytes that must stay free after a frame of this urgency.
    fn spare(&self, urgency: Urgency) -> u64 {
        match urgency {
            Urgency::High => 0,
            Urgency::Low => self.writer.capacity() / RESERVE_PART,
        }
    }

    fn drop_frame(&mut self, class: Class, reason: LostReason) -> Pushed {
        self.totals.tracer.dropped.note(class);
        self.seq += 1;
        let slot = usize::from(reason == LostReason::TooLong);
        let seq = self.seq;
        let gap = self.gaps[slot].get_or_insert(Gap {
            from: seq,
            to: seq,
            alerts: 0,
            events: 0,
        });
        gap.to = seq;
        match class {
            Class::Alert => gap.alerts += 1,
            Class::Event => gap.events += 1,
            Class::Note => {}
        }
        Pushed::Dropped
    }

    /// The caller has made sure of the room.
    fn tell_gaps(&mut self) {
        for (gap, reason) in self.gaps.iter_mut().zip(REASONS) {
            let Some(gap) = gap.take() else { continue };
            self.seq += 1;
            let lost = Lost {
                from: gap.from,
                to: gap.to,
                reason: reason.into(),
                events: gap.events,
                alerts: gap.alerts,
            };
            self.scratch.clear();
            let seq = self.seq;
            let class = Class::Note;
            let frame = Frame::new(seq, Body::Lost(lost));
            if wire::encode(&frame, &mut self.scratch).is_ok() {
                self.writer.push(Stamp { seq, class }, &self.scratch);
            }
        }
    }
}
