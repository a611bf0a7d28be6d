//! Losses that are counted and not yet told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::{Ranges, Reason, SourceId};

/// One line's worth of losses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loss {
    /// Exactly which numbers.
    pub seqs: Ranges,
    /// How many of them were events.
    pub events: u64,
    /// How many of them were alerts.
    pub alerts: u64,
}

/// As many ranges as one line tells: what is longer would not fit one message.
const MAX_RANGES: usize = 1000;

/// What a loss belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LossKey {
    pub source: Arc<SourceId>,
    pub reason: Reason,
    /// The sink that has not got them; empty for all.
    pub sink: &'static str,
}

/// What kind of frame was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostFrame {
    Alert,
    Event,
    /// Neither: a frame of an unknown kind, or bookkeeping.
    Other,
}

/// Losses by source and reason.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    losses: BTreeMap<LossKey, Vec<Loss>>,
}

impl Ledger {
    /// Adds one frame.
    pub(crate) fn add(&mut self, key: LossKey, seq: u64, frame: LostFrame) {
        let parts = self.losses.entry(key).or_default();
        if parts
            .last()
            .is_none_or(|loss| loss.seqs.as_slice().len() >= MAX_RANGES)
        {
            parts.push(Loss::default());
        }
        if let Some(loss) = parts.last_mut() {
            loss.seqs.add(seq);
            match frame {
                LostFrame::Alert => loss.alerts += 1,
                LostFrame::Event => loss.events += 1,
                LostFrame::Other => {}
            }
        }
    }

    /// Takes everything, to be told.
    pub(crate) fn take(&mut self) -> Vec<(LossKey, Loss)> {
        std::mem::take(&mut self.losses)
            .into_iter()
            .flat_map(|(key, parts)| parts.into_iter().map(move |loss| (key.clone(), loss)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(reason: Reason) -> LossKey {
        let source = Arc::new(SourceId {
            ctr: "c".to_owned(),
            epoch: 1,
        });
        LossKey {
            source,
            reason,
            sink: "",
        }
    }

    #[test]
    fn losses_of_one_source_and_reason_are_one_line() {
        let mut ledger = Ledger::default();
        for seq in [1, 2, 4] {
            ledger.add(key(Reason::MemoryFull), seq, LostFrame::Event);
        }
        ledger.add(key(Reason::MemoryFull), 5, LostFrame::Alert);
        let told = ledger.take();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].1.seqs.as_slice(), [(1, 2), (4, 5)]);
        assert_eq!((told[0].1.events, told[0].1.alerts), (3, 1));
        assert!(ledger.take().is_empty());
    }

    #[test]
    fn many_ranges_are_several_lines() {
        let mut ledger = Ledger::default();
        for seq in 0..2500 {
            ledger.add(key(Reason::SpoolFull), seq * 2, LostFrame::Event);
        }
        let told = ledger.take();
        assert_eq!(told.len(), 3);
        assert_eq!(told.iter().map(|(_, loss)| loss.events).sum::<u64>(), 2500);
    }
}
