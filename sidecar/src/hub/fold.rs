//! Alerts alike within a short time become one record with a count.
//!
//! The first few are sent one by one. What follows within the window is held back, and sent as one
//! record when the window ends. A held alert is not acknowledged, so a sidecar that dies loses
//! none: the tracer sends them again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use event::{Alert, FieldValue};

use crate::config::FOLD_WINDOW;
use crate::json::Folded;
use crate::record::{Ranges, SourceId};

/// As many different alerts as are watched at a time; beyond that, alerts go one by one.
const MAX_KEYS: usize = 256;

/// As many ranges of numbers as one record tells.
const MAX_RANGES: usize = 500;

/// What to do with an alert.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is held until its window ends.
    Held,
    /// It goes on its own.
    Send,
}

/// Alerts alike of one source.
#[derive(Debug)]
struct Group {
    began: u64,
    seen: u32,
    held: Option<Held>,
}

/// Alerts that wait for their window to end.
#[derive(Debug)]
pub(crate) struct Held {
    pub source: Arc<SourceId>,
    /// The first of them, whose text the record has.
    pub alert: Alert,
    /// How many.
    pub count: u64,
    /// Their numbers.
    pub seqs: Ranges,
}

impl Held {
    /// What the record says about them.
    pub(crate) fn folded(&self) -> Folded<'_> {
        Folded {
            count: self.count,
            seqs: self.seqs.as_slice(),
        }
    }

    pub(crate) fn first_seq(&self) -> u64 {
        self.seqs.as_slice().first().map_or(0, |(from, _)| *from)
    }
}

/// Alerts by what they have in common.
#[derive(Debug)]
pub(crate) struct Folds {
    after: u32,
    groups: HashMap<(Arc<SourceId>, u64), Group>,
}

impl Folds {
    pub(crate) fn new(after: u32) -> Self {
        Self {
            after,
            groups: HashMap::new(),
        }
    }

    /// Looks at an alert; `now` in nanoseconds.
    pub(crate) fn take(
        &mut self,
        source: &Arc<SourceId>,
        seq: u64,
        alert: &Alert,
        now: u64,
    ) -> Verdict {
        if self.after == 0 {
            return Verdict::Send;
        }
        let key = (Arc::clone(source), likeness(alert));
        if !self.groups.contains_key(&key) && self.groups.len() >= MAX_KEYS {
            return Verdict::Send;
        }
        let group = self.groups.entry(key).or_insert(Group {
            began: now,
            seen: 0,
            held: None,
        });
        group.seen = group.seen.saturating_add(1);
        if group.seen <= self.after {
            return Verdict::Send;
        }
        let held = group.held.get_or_insert_with(|| Held {
            source: Arc::clone(source),
            alert: alert.clone(),
            count: 0,
            seqs: Ranges::default(),
        });
        if held.seqs.as_slice().len() >= MAX_RANGES {
            return Verdict::Send;
        }
        held.count += 1;
        held.seqs.add(seq);
        Verdict::Held
    }

    /// Takes the groups whose window has ended, or all of them.
    pub(crate) fn due(&mut self, now: u64, all: bool) -> Vec<Held> {
        let window = u64::try_from(FOLD_WINDOW.as_nanos()).unwrap_or(u64::MAX);
        let mut due = Vec::new();
        self.groups.retain(|_, group| {
            let is_over = all || now.saturating_sub(group.began) >= window;
            if is_over {
                due.extend(group.held.take());
            }
            !is_over
        });
        due.sort_by_key(Held::first_seq);
        due
    }
}

/// Two alerts are alike when rule and fields are, but for what numbers and times a single act.
fn likeness(alert: &Alert) -> u64 {
    let mut hasher = DefaultHasher::new();
    alert.rule.hash(&mut hasher);
    for (name, value) in &alert.output_fields {
        if is_of_one_act(name) {
            continue;
        }
        name.hash(&mut hasher);
        match value {
            FieldValue::Bool(v) => v.hash(&mut hasher),
            FieldValue::Int(v) => v.hash(&mut hasher),
            FieldValue::Null => 0_u8.hash(&mut hasher),
            FieldValue::Text(v) => v.hash(&mut hasher),
            FieldValue::Uint(v) => v.hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// Whether a field tells two repetitions of one act apart.
fn is_of_one_act(name: &str) -> bool {
    let Some((class, field)) = name.split_once('.') else {
        return false;
    };
    match class {
        "evt" => field.contains("time") || field == "num",
        "fd" => matches!(field, "cport" | "lport" | "name" | "num"),
        "proc" | "thread" => {
            let field = field.split('[').next().unwrap_or(field);
            field.ends_with("pid") || field.ends_with("tid") || field.contains("duration")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Priority;

    fn alert(pid: i64, name: &str) -> Alert {
        Alert {
            time: 1,
            rule: "r".to_owned(),
            priority: Priority::Notice,
            source: "syscall".to_owned(),
            tags: Vec::new(),
            hostname: String::new(),
            message: format!("{name} {pid}"),
            output_fields: vec![
                ("proc.name".to_owned(), FieldValue::Text(name.to_owned())),
                ("proc.pid".to_owned(), FieldValue::Int(pid)),
            ],
        }
    }

    fn source() -> Arc<SourceId> {
        Arc::new(SourceId {
            ctr: "c".to_owned(),
            epoch: 1,
        })
    }

    #[test]
    fn the_first_go_alone_and_the_rest_becomes_one_with_a_count() {
        let (source, mut folds) = (source(), Folds::new(2));
        let sent: Vec<bool> = (1..=6_i64)
            .map(|n| folds.take(&source, n.unsigned_abs(), &alert(n, "sh"), 0) == Verdict::Send)
            .collect();
        assert_eq!(sent, [true, true, false, false, false, false]);
        assert_eq!(folds.take(&source, 7, &alert(7, "nc"), 0), Verdict::Send);
        assert!(folds.due(1, false).is_empty());
        let due = folds.due(u64::MAX, false);
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].seqs.as_slice(), [(3, 6)]);
        assert_eq!(due[0].count, 4);
    }

    #[test]
    fn off_means_off() {
        let (source, mut folds) = (source(), Folds::new(0));
        for n in 0..100 {
            assert_eq!(folds.take(&source, n, &alert(1, "sh"), 0), Verdict::Send);
        }
    }
}
