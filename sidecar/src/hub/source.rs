//! What is known of one tracer's life: which numbers it has sent, and which are in safe hands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use event::Task;

use crate::record::{Lane, SourceId};

/// What a frame waits for before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// A record at this position of a lane.
    At(Lane, u64),
    /// Nothing: nobody wants it.
    Nothing,
    /// A loss that is not told yet, or a fold whose window is open.
    Untold,
}

/// One life of one tracer.
#[derive(Debug)]
pub(crate) struct Source {
    pub id: Arc<SourceId>,
    /// Its container's name for itself.
    pub container: wire::Container,
    /// What it showed at its first connection.
    pub nonce: Vec<u8>,
    /// What ECS knows of it.
    pub task: Arc<Task>,
    /// Highest number taken.
    pub taken: u64,
    /// Highest number acknowledged.
    pub acked: u64,
    /// Numbers above `acked`, in order.
    pending: VecDeque<(u64, Waits)>,
    /// What its tracer counted last.
    pub counters: wire::Counters,
    /// Frames that its outbox said it dropped.
    pub outbox_dropped: u64,
    pub is_connected: bool,
    pub has_ended: bool,
    /// Connections so far.
    pub connections: u64,
    /// When its last connection ended.
    pub last_seen: Option<Instant>,
}

impl Source {
    pub(crate) fn new(id: Arc<SourceId>, container: wire::Container, nonce: Vec<u8>) -> Self {
        Self {
            id,
            container,
            nonce,
            task: Arc::default(),
            taken: 0,
            acked: 0,
            pending: VecDeque::new(),
            counters: wire::Counters::default(),
            outbox_dropped: 0,
            is_connected: false,
            has_ended: false,
            connections: 0,
            last_seen: None,
        }
    }

    /// A frame was taken and waits. Only from here on does it count as taken: what makes room for
    /// it may acknowledge everything taken before.
    pub(crate) fn wait(&mut self, seq: u64, waits: Waits) {
        self.taken = seq;
        match self.pending.back_mut() {
            // Frames that nobody wants may be many behind one that waits.
            Some((last, Waits::Nothing)) if waits == Waits::Nothing => *last = seq,
            _ => self.pending.push_back((seq, waits)),
        }
    }

    /// Frames that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Untold numbers were told: they wait for the record that tells them.
    pub(crate) fn told(&mut self, at: Waits, ranges: &[(u64, u64)]) {
        let mut ranges = ranges.iter().peekable();
        for (seq, waits) in &mut self.pending {
            while ranges.next_if(|(_, to)| *to < *seq).is_some() {}
            let Some((from, _)) = ranges.peek() else {
                break;
            };
            if *waits == Waits::Untold && *seq >= *from {
                *waits = at;
            }
        }
    }

    /// Moves the acknowledgement up to what is in safe hands.
    pub(crate) fn settle(&mut self, is_safe: impl Fn(Lane, u64) -> bool) {
        while let Some((seq, waits)) = self.pending.front() {
            match waits {
                Waits::At(lane, position) if !is_safe(*lane, *position) => return,
                Waits::Untold => return,
                Waits::At(..) | Waits::Nothing => {
                    self.acked = *seq;
                    self.pending.pop_front();
                }
            }
        }
        self.acked = self.taken;
    }

    /// Whether nothing of it waits.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_acknowledgement_never_passes_what_is_unsafe() {
        let id = Arc::new(SourceId {
            ctr: "c".to_owned(),
            epoch: 1,
        });
        let mut source = Source::new(id, wire::Container::default(), Vec::new());
        for (seq, waits) in [
            (1, Waits::At(Lane::Events, 0)),
            (2, Waits::At(Lane::Alerts, 0)),
            (3, Waits::Untold),
            (5, Waits::Untold),
            (6, Waits::At(Lane::Events, 1)),
        ] {
            source.wait(seq, waits);
        }
        assert_eq!(source.taken, 6);
        source.settle(|lane, _| lane == Lane::Events);
        assert_eq!(source.acked, 1);
        source.settle(|_, _| true);
        assert_eq!(source.acked, 2);
        source.told(Waits::At(Lane::Alerts, 7), &[(1, 1), (3, 4)]);
        source.settle(|_, position| position < 7);
        assert_eq!(source.acked, 2);
        source.settle(|_, _| true);
        assert_eq!(source.acked, 3);
        source.told(Waits::At(Lane::Alerts, 9), &[(5, 5)]);
        source.settle(|_, _| true);
        assert_eq!(source.acked, 6);
        assert!(source.is_settled());
    }
}
