//! Many events from many sessions, random faults, and a sidecar that is killed again and again:
//! produced == distinct stored + told as lost, exactly.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use e2e::cloudwatch::{Chaos, CloudWatch};
use e2e::load::{Overflow, Produced, Tracer, alert, event};
use e2e::pace::{Deadline, pause};
use wire::Body;

use crate::account::Account;
use crate::process::Sidecar;

const SESSIONS: u64 = 8;

/// How much a run is.
struct Size {
    events: u64,
    kills: u32,
    /// Small enough by default that an outage fills it, so that giving up is part of the sum too.
    spool_mib: u64,
    /// Seconds until everything must have arrived.
    patience: u64,
}

/// The full size takes minutes; `DELIVERY_FULL=1` asks for it. `DELIVERY_SPOOL_MIB` is for a spool
/// of another size: with 640, nearly everything is stored. `DELIVERY_KILLS` kills more often: with 150,
/// many die before they have recovered the spool.
#[expect(
    clippy::disallowed_methods,
    reason = "a size that a person chooses for one run"
)]
fn size() -> Size {
    let spool_mib = std::env::var("DELIVERY_SPOOL_MIB").map_or(40, |mib| mib.parse().unwrap());
    let is_full = std::env::var_os("DELIVERY_FULL").is_some();
    Size {
        events: if is_full { 1_000_000 } else { 120_000 },
        kills: std::env::var("DELIVERY_KILLS").map_or(20, |kills| kills.parse().unwrap()),
        spool_mib,
        patience: if is_full { 1800 } else { 300 },
    }
}

#[test]
fn p1_everything_produced_is_stored_or_told_as_lost() {
    let size = size();
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.keep_messages(false);
    cloudwatch.chaos(Some(Chaos { per_mille: 150 }));
    let mut sidecar = Sidecar::with(&cloudwatch);
    let spool_bytes = (size.spool_mib << 20).to_string();
    sidecar.set("WORKLOAD_AGENT_SPOOL_BYTES", &spool_bytes);
    sidecar.start();
    let began = Instant::now();
    let made = AtomicU64::new(0);
    let produced = std::thread::scope(|scope| {
        let sessions: Vec<_> = (0..SESSIONS)
            .map(|n| {
                let (socket, made) = (sidecar.socket(), &made);
                let each = size.events / SESSIONS;
                scope.spawn(move || produce(&socket, n, each, made))
            })
            .collect();
        for kill in 1..=size.kills {
            let next = size.events * u64::from(kill) / u64::from(size.kills + 1);
            let is_made =
                Deadline::seconds(60).poll(|| (made.load(Ordering::Relaxed) >= next).then_some(()));
            assert!(is_made.is_some(), "no progress:\n{}", sidecar.log());
            sidecar.kill();
            // An outage of the store now and then, long enough for the spool to fill.
            let is_outage = kill.is_multiple_of(5);
            cloudwatch.set_down(is_outage);
            sidecar.start();
            if is_outage {
                pause(Duration::from_millis(1500));
                cloudwatch.set_down(false);
            }
        }
        sessions
            .into_iter()
            .map(|session| session.join().unwrap())
            .collect::<Vec<_>>()
    });
    cloudwatch.chaos(None);
    // All of it arrives in the end; how long that takes is the machine's affair.
    let sum = || cloudwatch.ledger(|ledger| Account::of(&produced, ledger));
    let mut stored = 0;
    let made_after = began.elapsed();
    let has_arrived = Deadline::seconds(size.patience).poll(|| {
        pause(Duration::from_millis(300));
        // The sum is long, and nothing is stored meanwhile: it waits for a silence.
        let before =
            std::mem::replace(&mut stored, cloudwatch.ledger(|ledger| ledger.stored_count));
        (before == stored && sum().has_arrived()).then_some(())
    });
    assert!(has_arrived.is_some(), "{}\n{}", sum(), sidecar.log());
    let status = sidecar
        .stop(Duration::from_mins(1))
        .expect("it drains in time");
    assert!(status.success(), "{}", sidecar.log());
    let account = sum();
    let reconnects: u64 = produced.iter().map(|p| p.reconnects).sum();
    println!(
        "conservation: {account}; {} kills, {reconnects} reconnects, a spool of {} MiB; made after {made_after:.1?}, settled after {:.1?}",
        size.kills,
        size.spool_mib,
        began.elapsed()
    );
    assert!(
        cloudwatch
            .ledger(|ledger| ledger.violations.clone())
            .is_empty()
    );
    if !account.is_exact() {
        println!("{}", sidecar.log());
    }
    account.assert_exact();
}

fn produce(socket: &Path, n: u64, count: u64, made: &AtomicU64) -> Produced {
    let overflow = if n.is_multiple_of(4) {
        Overflow::Drop
    } else {
        Overflow::Wait
    };
    let mut tracer = Tracer::new(socket, &format!("task-{n:010}"), 1000 + n, overflow);
    for k in 1..=count {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let time = u64::try_from(now.as_nanos()).unwrap();
        let body = if k.is_multiple_of(50) {
            Body::Alert(alert(k, time).into())
        } else {
            Body::Event(event(k, time).into())
        };
        tracer.send(body).unwrap();
        made.fetch_add(1, Ordering::Relaxed);
    }
    tracer.finish(Deadline::seconds(120)).unwrap()
}
