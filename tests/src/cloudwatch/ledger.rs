//! What the fake stored and what it was asked.

use std::collections::BTreeMap;

/// One stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its log group.
    pub group: String,
    /// Its log stream.
    pub stream: String,
    /// Its time, milliseconds since 1970.
    pub timestamp: i64,
    /// Its text; empty when texts are not kept.
    pub message: String,
}

/// Numbers of frames by the source that they belong to.
pub type Identities = BTreeMap<(String, u64), Vec<u64>>;

/// What was stored, and what was asked.
#[derive(Debug)]
pub struct Ledger {
    /// Stored events, in their order.
    pub stored: Vec<Stored>,
    /// How many events were stored, duplicates included.
    pub stored_count: u64,
    /// Identities of stored alerts and events, in the order of storing, duplicates included; by
    /// stream, container and epoch.
    pub frames: BTreeMap<String, Identities>,
    /// `lost` records, as they were stored, duplicates included.
    pub lost: Vec<serde_json::Value>,
    /// Requests by operation.
    pub requests: BTreeMap<String, u64>,
    /// Puts that broke a limit or made no sense, in words.
    pub violations: Vec<String>,
    /// Events that an answer of 200 said were not stored.
    pub rejected: u64,
    pub(super) keep_messages: bool,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            stored: Vec::new(),
            stored_count: 0,
            frames: BTreeMap::new(),
            lost: Vec::new(),
            requests: BTreeMap::new(),
            violations: Vec::new(),
            rejected: 0,
            keep_messages: true,
        }
    }
}

impl Ledger {
    /// Texts of a group, in the order of storing.
    pub fn messages<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.stored
            .iter()
            .filter(move |stored| stored.group == group)
            .map(|s| s.message.as_str())
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: &str) -> u64 {
        self.requests.get(operation).copied().unwrap_or(0)
    }

    pub(super) fn store(&mut self, stored: Stored) {
        self.stored_count += 1;
        if let Ok(line) = serde_json::from_str::<Line>(&stored.message) {
            if line.kind.as_deref() == Some("lost") {
                self.lost.extend(serde_json::from_str(&stored.message));
            } else if let Some(delivery) = line.delivery {
                let identities = self.frames.entry(stored.stream.clone()).or_default();
                let numbers = identities
                    .entry((delivery.ctr, delivery.epoch))
                    .or_default();
                match line.folded {
                    Some(folded) => {
                        numbers.extend(folded.seqs.into_iter().flat_map(|(from, to)| from..=to));
                    }
                    None => numbers.push(delivery.seq),
                }
            }
        }
        if self.keep_messages {
            self.stored.push(stored);
        }
    }
}

/// What the ledger reads of a record.
#[derive(serde::Deserialize)]
struct Line {
    kind: Option<String>,
    delivery: Option<Delivery>,
    folded: Option<Folded>,
}

#[derive(serde::Deserialize)]
struct Delivery {
    ctr: String,
    epoch: u64,
    seq: u64,
}

#[derive(serde::Deserialize)]
struct Folded {
    seqs: Vec<(u64, u64)>,
}
