//! One test for each promise; P1 is the conservation test.

mod lasting;
mod storing;

use std::time::Duration;

use e2e::cloudwatch::Ledger;
use e2e::load::{Tracer, event};
use wire::Body;

const PATIENCE: Duration = Duration::from_mins(1);

fn now_ns() -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    u64::try_from(now.as_nanos()).unwrap()
}

fn send_events(tracer: &mut Tracer, count: u64) {
    for n in 1..=count {
        tracer.send(Body::Event(event(n, now_ns()).into())).unwrap();
    }
}

/// Distinct numbers of one container in the store.
fn distinct(ledger: &Ledger, ctr: &str) -> usize {
    let of_ctr = |frames: &e2e::cloudwatch::Identities| -> Vec<u64> {
        frames
            .iter()
            .filter(|((c, _), _)| c == ctr)
            .flat_map(|(_, seqs)| seqs.clone())
            .collect()
    };
    let all: std::collections::BTreeSet<u64> = ledger.frames.values().flat_map(of_ctr).collect();
    all.len()
}
