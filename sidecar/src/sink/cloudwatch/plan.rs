//! Which records make one request, in which order, under which times. Pure, so that no request can
//! break a limit whatever comes in.

use std::collections::HashMap;

use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use crate::record::{Record, SourceId};

/// Events in one request.
pub(super) const MAX_EVENTS: usize = 10_000;
/// Bytes in one request: the messages, and [`EVENT_OVERHEAD`] for each.
const MAX_BYTES: usize = 1_048_576;
/// What the service charges for an event beyond its message.
const EVENT_OVERHEAD: usize = 26;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Between the first and the last event of one request, with a second to spare.
const MAX_SPAN: i64 = 24 * HOUR - 1000;
/// Older events are refused; five minutes to spare for clocks that differ.
const MAX_AGE: i64 = 14 * 24 * HOUR - 5 * MINUTE;
/// Events further ahead are refused; five minutes to spare.
const MAX_AHEAD: i64 = 2 * HOUR - 5 * MINUTE;

/// One request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// How many records from the front are in it.
    pub count: usize,
    /// How many of them had to be filed under the present.
    pub clamped: u64,
    /// Time and number of the record, in the order of the request.
    order: Vec<(i64, usize)>,
}

impl Plan {
    /// Takes as many records from the front as one request may hold. `now` in milliseconds.
    ///
    /// A request must be in order of time, and readers want each container's records in order of
    /// their numbers. So a record whose time is before that of its predecessor is filed under the
    /// predecessor's time; the record itself says the true one.
    pub(super) fn make(records: &[Record], now: i64) -> Self {
        let mut order = Vec::with_capacity(records.len().min(MAX_EVENTS));
        let mut latest = HashMap::<&SourceId, i64>::new();
        let (mut bytes, mut clamped) = (0, 0);
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for (n, record) in records.iter().enumerate().take(MAX_EVENTS) {
            let is_usual = (now - MAX_AGE..=now + MAX_AHEAD).contains(&record.time_ms);
            let time = if is_usual { record.time_ms } else { now };
            let time = latest
                .get(&*record.source)
                .map_or(time, |before| time.max(*before));
            let size = record.json.len() + EVENT_OVERHEAD;
            let (earliest, furthest) = (first.min(time), last.max(time));
            let is_over = bytes + size > MAX_BYTES || furthest - earliest > MAX_SPAN;
            if is_over && n > 0 {
                break;
            }
            (first, last) = (earliest, furthest);
            bytes += size;
            clamped += u64::from(!is_usual);
            latest.insert(&record.source, time);
            order.push((time, n));
        }
        let count = order.len();
        order.sort_by_key(|(time, _)| *time);
        Self {
            count,
            clamped,
            order,
        }
    }

    /// The numbers of the records, in the order of the request.
    pub(super) fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().map(|(_, n)| *n)
    }

    /// The request's events.
    pub(super) fn events(&self, records: &[Record]) -> Vec<InputLogEvent> {
        self.order
            .iter()
            .filter_map(|(time, n)| {
                let message = String::from_utf8_lossy(&records.get(*n)?.json).into_owned();
                InputLogEvent::builder()
                    .timestamp(*time)
                    .message(message)
                    .build()
                    .ok()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;
    use event::Priority;
    use std::sync::Arc;

    const NOW: i64 = 1_700_000_000_000;

    fn record(ctr: &str, seq: u64, time_ms: i64, len: usize) -> Record {
        Record {
            source: Arc::new(SourceId {
                ctr: ctr.to_owned(),
                epoch: 1,
            }),
            seq,
            kind: Kind::Alert,
            priority: Priority::Notice,
            time_ms,
            sink: "",
            may_be_stored: false,
            json: vec![b'x'; len].into(),
        }
    }

    /// Whatever times and sizes come, every request is within the limits, nothing is left out, and
    /// each container's records stay in order.
    #[test]
    fn no_request_breaks_a_limit() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..60 {
            let records: Vec<_> = (0..random.u64(1..25_000))
                .map(|seq| {
                    let far = if random.bool() { 15 * 24 * HOUR } else { HOUR };
                    let len = if random.u8(..) == 0 {
                        random.usize(1..262_118)
                    } else {
                        random.usize(1..300)
                    };
                    record(
                        ["a", "b"][random.usize(..2)],
                        seq,
                        NOW + random.i64(-far..far),
                        len,
                    )
                })
                .collect();
            let mut rest = &records[..];
            while !rest.is_empty() {
                let plan = Plan::make(rest, NOW);
                check(&plan, rest);
                rest = &rest[plan.count..];
            }
        }
    }

    fn check(plan: &Plan, records: &[Record]) {
        assert!((1..=MAX_EVENTS).contains(&plan.count));
        let bytes: usize = records[..plan.count]
            .iter()
            .map(|r| r.json.len() + 26)
            .sum();
        assert!(bytes <= MAX_BYTES);
        assert!(plan.order.is_sorted_by_key(|(time, _)| *time));
        let (first, last) = (plan.order[0].0, plan.order[plan.count - 1].0);
        assert!(last - first <= 24 * HOUR);
        assert!(first >= NOW - 14 * 24 * HOUR && last <= NOW + 2 * HOUR);
        for ctr in ["a", "b"] {
            let seqs = plan
                .order()
                .filter(|n| records[*n].source.ctr == ctr)
                .map(|n| records[n].seq);
            assert!(seqs.is_sorted());
        }
    }

    /// What fits exactly goes in one request, and one byte, event or second more in two.
    #[test]
    fn the_limits_themselves_are_used() {
        let count = |records: &[Record]| Plan::make(records, NOW).count;
        let sized = |lens: [usize; 4]| -> Vec<_> {
            let numbered = lens.into_iter().zip(1..);
            numbered
                .map(|(len, seq)| record("a", seq, NOW, len))
                .collect()
        };
        let quarter = MAX_BYTES / 4 - EVENT_OVERHEAD;
        assert_eq!(count(&sized([quarter; 4])), 4);
        assert_eq!(count(&sized([quarter, quarter, quarter, quarter + 1])), 3);
        assert_eq!(count(&sized([MAX_BYTES - EVENT_OVERHEAD, 1, 1, 1])), 1);
        let many: Vec<_> = (0..10_001).map(|seq| record("a", seq, NOW, 1)).collect();
        assert_eq!(count(&many), 10_000);
        assert_eq!(count(&many[..10_000]), 10_000);
        let far = |time| [record("a", 1, time, 1), record("a", 2, NOW, 1)];
        assert_eq!(count(&far(NOW - MAX_SPAN)), 2);
        assert_eq!(count(&far(NOW - MAX_SPAN - 1)), 1);
        assert_eq!(count(&far(NOW - 24 * HOUR)), 1);
    }

    #[test]
    fn one_record_alone_is_always_taken() {
        assert_eq!(Plan::make(&[record("a", 1, NOW, 2_000_000)], NOW).count, 1);
    }
}
