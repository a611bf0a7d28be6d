//! The sum that must come out: produced = stored + told as lost, frame by frame.

use std::collections::BTreeSet;
use std::fmt;

use e2e::cloudwatch::Ledger;
use e2e::load::Produced;

/// How the frames of some tracers fared.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub produced: u64,
    /// Distinct frames in the store.
    pub stored: u64,
    /// Frames that the sidecar told as lost.
    pub told: u64,
    /// Frames that the tracers dropped themselves, and told.
    pub outbox: u64,
    /// Frames that are neither stored nor told.
    pub missing: u64,
    /// By how much the tracers' own drops differ from what they told of them.
    pub untold: u64,
    /// Frames that are both.
    pub both: u64,
    /// Stored more than once.
    pub duplicates: u64,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "produced {} = stored {} + told {} + outbox {} (missing {}, untold {}, both {}, duplicates {})",
            self.produced,
            self.stored,
            self.told,
            self.outbox,
            self.missing,
            self.untold,
            self.both,
            self.duplicates
        )
    }
}

impl Account {
    /// Sums up.
    pub(crate) fn of(produced: &[Produced], ledger: &Ledger) -> Self {
        produced
            .iter()
            .fold(Self::default(), |sum, tracer| sum.add(tracer, ledger))
    }

    fn add(mut self, tracer: &Produced, ledger: &Ledger) -> Self {
        let key = (tracer.ctr.clone(), tracer.epoch);
        let mut stored = BTreeSet::new();
        for seq in ledger
            .frames
            .values()
            .filter_map(|frames| frames.get(&key))
            .flatten()
        {
            if !stored.insert(*seq) {
                self.duplicates += 1;
            }
        }
        let mut told = BTreeSet::new();
        let mut outbox = 0;
        let mut seen = BTreeSet::new();
        for line in &ledger.lost {
            let lost = &line["lost"];
            if lost["ctr"] != key.0.as_str() || lost["epoch"] != key.1 {
                continue;
            }
            let Some(ranges) = lost["seqs"].as_array() else {
                // A tracer's own word, under a number of its own.
                let seq = line["delivery"]["seq"].as_u64().unwrap();
                stored.insert(seq);
                if seen.insert(seq) {
                    outbox += lost["events"].as_u64().unwrap() + lost["alerts"].as_u64().unwrap();
                }
                continue;
            };
            for range in ranges {
                told.extend(range[0].as_u64().unwrap()..=range[1].as_u64().unwrap());
            }
        }
        let dropped: BTreeSet<u64> = tracer.dropped.iter().copied().collect();
        self.untold += outbox.abs_diff(dropped.len() as u64);
        self.produced += tracer.last;
        self.stored += stored.len() as u64;
        self.told += told.len() as u64;
        self.outbox += outbox;
        self.both += stored.intersection(&told).count() as u64;
        self.missing += (1..=tracer.last)
            .filter(|seq| !stored.contains(seq) && !told.contains(seq) && !dropped.contains(seq))
            .count() as u64;
        self
    }

    /// Whether everything has arrived, or word of its loss.
    pub(crate) fn has_arrived(&self) -> bool {
        self.missing == 0 && self.untold == 0
    }

    /// Whether each frame is either stored or told as lost.
    pub(crate) fn is_exact(&self) -> bool {
        (self.missing, self.untold, self.both) == (0, 0, 0)
    }

    /// Fails unless it comes out.
    pub(crate) fn assert_exact(&self) {
        assert_eq!((self.missing, self.untold, self.both), (0, 0, 0), "{self}");
        assert_eq!(
            self.produced,
            self.stored + self.told + self.outbox,
            "{self}"
        );
    }
}
