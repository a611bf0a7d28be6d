//! Losses that are counted and not yet told.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

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
    /// The numbers are the first and the last; some in between may be there.
    pub is_coarse: bool,
}

/// As many lines as the losses of one source and reason become; the last one is coarse.
const MAX_LINES: usize = 8;

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

impl Loss {
    fn add(&mut self, range: (u64, u64)) {
        if self.is_coarse {
            self.seqs.span(range);
        } else {
            self.seqs.add_range(range);
        }
    }
}

/// What an earlier line told.
#[derive(Debug)]
pub(crate) struct Told {
    key: LossKey,
    from: u64,
    to: u64,
    seqs: Vec<(u64, u64)>,
    events: u64,
    alerts: u64,
}

#[derive(Deserialize)]
struct Line {
    lost: Lost,
}

#[derive(Deserialize)]
struct Lost {
    ctr: String,
    epoch: u64,
    from: u64,
    to: u64,
    reason: String,
    events: u64,
    alerts: u64,
    #[serde(default)]
    seqs: Vec<(u64, u64)>,
}

impl Told {
    /// Reads the sidecar's own line; `None` when it names no frames.
    pub(crate) fn read(json: &[u8], sink: &'static str) -> Option<Self> {
        let lost = serde_json::from_slice::<Line>(json).ok()?.lost;
        let reason = Reason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == lost.reason)?;
        let source = Arc::new(SourceId {
            ctr: lost.ctr,
            epoch: lost.epoch,
        });
        Some(Self {
            key: LossKey {
                source,
                reason,
                sink,
            },
            from: lost.from,
            to: lost.to,
            seqs: lost.seqs,
            events: lost.events,
            alerts: lost.alerts,
        })
    }
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
        let loss = self.line(key, 1);
        loss.add((seq, seq));
        match frame {
            LostFrame::Alert => loss.alerts += 1,
            LostFrame::Event => loss.events += 1,
            LostFrame::Other => {}
        }
    }

    /// Adds a line that was told before and must be told again.
    pub(crate) fn add_told(&mut self, told: Told, is_coarse: bool) {
        let loss = self.line(told.key, told.seqs.len());
        loss.is_coarse |= is_coarse || told.seqs.is_empty();
        if told.seqs.is_empty() {
            loss.add((told.from, told.to));
        }
        told.seqs.into_iter().for_each(|range| loss.add(range));
        loss.events = loss.events.saturating_add(told.events);
        loss.alerts = loss.alerts.saturating_add(told.alerts);
    }

    /// The line that takes so many ranges more.
    fn line(&mut self, key: LossKey, more: usize) -> &mut Loss {
        let lines = self.losses.entry(key).or_default();
        let is_full = lines
            .last()
            .is_none_or(|loss| loss.seqs.as_slice().len() + more > MAX_RANGES);
        if is_full && lines.len() < MAX_LINES {
            lines.push(Loss::default());
        } else if is_full && let Some(last) = lines.last_mut() {
            last.is_coarse = true;
        }
        // INVARIANT: a list that was empty has got its first line above.
        lines.last_mut().expect("there is a line")
    }

    /// Whether some line tells its first and last number only.
    pub(crate) fn is_coarse(&self) -> bool {
        self.losses.values().flatten().any(|loss| loss.is_coarse)
    }

    /// Whether everything is told.
    pub(crate) fn is_empty(&self) -> bool {
        self.losses.is_empty()
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

    #[test]
    fn more_ranges_than_all_lines_hold_become_a_first_and_a_last_number() {
        let mut ledger = Ledger::default();
        for seq in 1..=20_000 {
            ledger.add(key(Reason::MemoryFull), seq * 2, LostFrame::Event);
        }
        let told = ledger.take();
        assert_eq!(told.len(), MAX_LINES);
        assert_eq!(told.iter().map(|(_, l)| l.events).sum::<u64>(), 20_000);
        let last = &told[MAX_LINES - 1].1;
        assert!(last.is_coarse && last.seqs.as_slice().len() == 1);
        assert_eq!(last.seqs.as_slice()[0].1, 40_000);
        assert!(told[..MAX_LINES - 1].iter().all(|(_, l)| !l.is_coarse));
    }

    #[test]
    fn lines_that_are_told_again_become_one() {
        let mut ledger = Ledger::default();
        let line = |from: u64, to: u64| {
            let json = format!(
                r#"{{"kind":"lost","lost":{{"ctr":"c","epoch":1,"from":{from},"to":{to},"reason":"spool_full","events":{},"alerts":0,"seqs":[[{from},{to}]]}},"fields":{{}}}}"#,
                to - from + 1
            );
            Told::read(json.as_bytes(), "").unwrap()
        };
        for n in 0..500 {
            ledger.add_told(line(n * 10 + 1, n * 10 + 10), false);
        }
        let told = ledger.take();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, key(Reason::SpoolFull));
        assert_eq!(told[0].1.seqs.as_slice(), [(1, 5000)]);
        assert_eq!((told[0].1.events, told[0].1.is_coarse), (5000, false));
        assert!(Told::read(br#"{"lost":{"reason":"of next year"}}"#, "").is_none());
    }
}
