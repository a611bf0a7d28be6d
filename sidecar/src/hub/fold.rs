//! Alerts alike within a short time become one record with a count.
//!
//! The first few are sent one by one. What follows within the window is held back, and sent as one
//! record when the window ends. A held alert is not acknowledged, so a sidecar that dies loses
//! none: the tracer sends them again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Instant;

use event::{Alert, FieldValue};

use crate::config::FOLD_WINDOW;
use crate::json::Folded;
use crate::record::{Ranges, SourceId};

/// As many different alerts as are watched at a time; beyond that, alerts go one by one.
const MAX_KEYS: usize = 256;

/// An alert longer than this goes alone: what is held is held in memory.
const MAX_BYTES: usize = 8 * 1024;

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
    began: Instant,
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

    /// Looks at an alert.
    pub(crate) fn take(
        &mut self,
        source: &Arc<SourceId>,
        seq: u64,
        alert: &Alert,
        now: Instant,
    ) -> Verdict {
        if self.after == 0 || bytes(alert) > MAX_BYTES {
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

    /// Takes the groups whose window has ended, and those that must not wait for that.
    pub(crate) fn due(&mut self, now: Instant, is_urgent: impl Fn(&SourceId) -> bool) -> Vec<Held> {
        let mut due = Vec::new();
        self.groups.retain(|(source, _), group| {
            let is_over = now.duration_since(group.began) >= FOLD_WINDOW || is_urgent(source);
            if is_over {
                due.extend(group.held.take());
            }
            !is_over
        });
        due.sort_by_key(Held::first_seq);
        due
    }
}

/// Bytes of an alert's texts.
fn bytes(alert: &Alert) -> usize {
    let fields = alert.output_fields.iter().map(|(name, value)| match value {
        FieldValue::Text(text) => name.len() + text.len(),
        _ => name.len() + 8,
    });
    let tags = alert.tags.iter().map(String::len);
    alert.rule.len() + alert.message.len() + fields.chain(tags).sum::<usize>()
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
        let (source, mut folds, now) = (source(), Folds::new(2), Instant::now());
        let sent: Vec<bool> = (1..=6_i64)
            .map(|n| folds.take(&source, n.unsigned_abs(), &alert(n, "sh"), now) == Verdict::Send)
            .collect();
        assert_eq!(sent, [true, true, false, false, false, false]);
        assert_eq!(folds.take(&source, 7, &alert(7, "nc"), now), Verdict::Send);
        assert!(folds.due(now, |_| false).is_empty());
        let due = folds.due(now + FOLD_WINDOW, |_| false);
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].seqs.as_slice(), [(3, 6)]);
        assert_eq!(due[0].count, 4);
    }

    #[test]
    fn off_means_off() {
        let (source, mut folds) = (source(), Folds::new(0));
        for n in 0..100 {
            let verdict = folds.take(&source, n, &alert(1, "sh"), Instant::now());
            assert_eq!(verdict, Verdict::Send);
        }
    }

    #[test]
    fn what_is_urgent_does_not_wait_and_what_is_long_is_not_held() {
        let (source, mut folds, now) = (source(), Folds::new(1), Instant::now());
        for n in 1..=3 {
            folds.take(&source, n, &alert(1, "sh"), now);
        }
        assert_eq!(folds.due(now, |of| of.ctr == "c").len(), 1);
        let long = alert(1, &"x".repeat(MAX_BYTES));
        for n in 4..9 {
            assert_eq!(folds.take(&source, n, &long, now), Verdict::Send);
        }
    }
}
