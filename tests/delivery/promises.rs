//! One test for each promise; P1 is the conservation test.

use std::time::{Duration, Instant};

use e2e::cloudwatch::{CloudWatch, Fault, Ledger};
use e2e::load::{Overflow, Tracer, alert, event, fat_event};
use e2e::pace::{Deadline, pause};
use nix::sys::signal::Signal;
use wire::Body;

use crate::account::Account;
use crate::process::{GROUP, Sidecar};

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

#[test]
fn p2_duplicates_are_recognisable() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    cloudwatch.script([
        Fault::FailAfterStoring,
        Fault::FailAfterStoring,
        Fault::ResetAfterStoring,
    ]);
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 200);
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let account = cloudwatch.ledger(|ledger| Account::of(&produced, ledger));
    assert!(account.duplicates > 0, "{account}");
    assert_eq!(account.stored, 201, "{account}");
    account.assert_exact();
}

#[test]
fn p3_no_request_ever_breaks_a_limit() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("WORKLOAD_AGENT_MESSAGE_BYTES", "1048550");
    sidecar.start();
    let day = 86_400_000_000_000_u64;
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait).window(8 << 20);
    for n in 0..3000_u64 {
        // Times within fifteen days either way, in no order; now and then a very long event.
        let time = now_ns() + (n * 7919 % 31) * day - 15 * day;
        let body = if n.is_multiple_of(100) {
            Body::Event(fat_event(n, time, 120_000).into())
        } else {
            Body::Event(event(n, time).into())
        };
        tracer.send(body).unwrap();
    }
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    cloudwatch.ledger(|ledger| {
        assert_eq!(ledger.violations, Vec::<String>::new());
        assert_eq!(
            ledger.rejected, 0,
            "every record was filed under a time that is taken"
        );
        let account = Account::of(&produced, ledger);
        assert_eq!(account.stored, 3001, "{account}");
    });
}

#[test]
fn p4_an_oversized_event_never_blocks_others() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    for n in 1..=9_u64 {
        // Escaped for JSON, the text is several times as long as on the wire.
        let body = if n == 5 {
            fat_event(n, now_ns(), 250_000)
        } else {
            event(n, now_ns())
        };
        tracer.send(Body::Event(body.into())).unwrap();
    }
    tracer.finish(Deadline::seconds(90)).unwrap();
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    assert_eq!(cloudwatch.ledger(|ledger| distinct(ledger, "task-1")), 10);
    let messages = cloudwatch.messages(GROUP);
    let cut: Vec<_> = messages
        .iter()
        .filter(|m| m.contains("\"truncated\":true"))
        .collect();
    assert_eq!(cut.len(), 1);
    assert!(cut[0].len() <= 256 * 1024 - 26);
}

#[test]
fn p5_what_the_service_rejects_with_200_is_accounted() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.set_retention(Some(Duration::from_hours(24)));
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    let two_days = 2 * 86_400_000_000_000;
    for n in 1..=30_u64 {
        // The old ones first: what comes late is filed under the time of what came before it.
        let time = if n <= 10 {
            now_ns() - two_days
        } else {
            now_ns()
        };
        tracer.send(Body::Alert(alert(n, time).into())).unwrap();
    }
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    cloudwatch.ledger(|ledger| {
        let account = Account::of(&produced, ledger);
        account.assert_exact();
        assert_eq!(account.told + account.stored, 31, "{account}");
        assert!(ledger.rejected > 0);
        assert!(
            ledger
                .lost
                .iter()
                .all(|line| line["lost"]["reason"] == "expired")
        );
    });
}

#[test]
fn p5_a_clock_that_is_wrong_is_accounted_too() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    // The service's clock is three hours behind: everything is too new for it.
    cloudwatch.set_clock_offset(-3 * 3_600_000);
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 50);
    assert!(tracer.settle(Deadline::seconds(90)).unwrap());
    assert_eq!(
        sidecar.metric("sidecar_dropped_total{reason=\"too_new\"}"),
        50
    );
    cloudwatch.set_clock_offset(0);
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    cloudwatch.ledger(|ledger| {
        let account = Account::of(&produced, ledger);
        account.assert_exact();
        assert_eq!((account.stored, account.told), (1, 50), "{account}");
    });
}

#[test]
fn p6_every_passing_failure_is_tried_again() {
    for fault in [
        Fault::Throttle,
        Fault::Unavailable,
        Fault::FailBeforeStoring,
        Fault::ResetBeforeStoring,
        Fault::UnrecognizedClient,
        Fault::ExpiredToken,
        Fault::Hang,
    ] {
        let cloudwatch = CloudWatch::start().unwrap();
        let mut sidecar = Sidecar::with(&cloudwatch);
        sidecar.start();
        // More often than the SDK's own retry would bear; a hang takes ten seconds each.
        let times = if fault == Fault::Hang { 1 } else { 5 };
        cloudwatch.script(std::iter::repeat_n(fault, times));
        let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
        tracer.send(Body::Alert(alert(1, now_ns()).into())).unwrap();
        let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
        let is_stored = cloudwatch.wait_for(PATIENCE, |ledger| distinct(ledger, "task-1") == 2);
        assert!(is_stored, "{fault:?}:\n{}", sidecar.log());
        cloudwatch.ledger(|ledger| Account::of(&produced, ledger).assert_exact());
        assert!(sidecar.metric("sidecar_retries_total") >= u64::try_from(times).unwrap());
    }
}

#[test]
fn p6_one_poisoned_event_is_found_and_given_up_alone() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    cloudwatch.set_silent(true);
    cloudwatch.script([Fault::InvalidIfPoisoned]);
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    for n in 1..=100 {
        let mut alert = alert(n, now_ns());
        if n == 37 {
            alert.message = "poison".to_owned();
        }
        tracer.send(Body::Alert(alert.into())).unwrap();
    }
    tracer.exchange(false).unwrap();
    cloudwatch.set_silent(false);
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    cloudwatch.ledger(|ledger| {
        let account = Account::of(&produced, ledger);
        account.assert_exact();
        assert_eq!((account.stored, account.told), (100, 1), "{account}");
        assert_eq!(ledger.lost[0]["lost"]["reason"], "invalid");
        assert_eq!(ledger.lost[0]["lost"]["from"], 37);
    });
}

#[test]
fn p7_group_and_stream_are_made_on_demand_also_at_the_end() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    tracer.send(Body::Alert(alert(1, now_ns()).into())).unwrap();
    tracer.exchange(false).unwrap();
    // The first event, and SIGTERM right behind it.
    sidecar.signal(Signal::SIGTERM);
    tracer.finish(Deadline::seconds(90)).unwrap();
    assert!(sidecar.wait(PATIENCE).unwrap().success());
    assert_eq!(cloudwatch.ledger(|ledger| distinct(ledger, "task-1")), 2);
    assert_eq!(
        cloudwatch.ledger(|ledger| ledger.count("CreateLogGroup")),
        1
    );
    assert_eq!(
        cloudwatch.ledger(|ledger| ledger.count("DescribeLogStreams")),
        0
    );
}

#[test]
fn p8_sigterm_reads_to_the_end_and_ends_in_time() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.set_latency(Duration::from_millis(300));
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("WORKLOAD_AGENT_DRAIN", "20");
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 1000);
    tracer.exchange(false).unwrap();
    sidecar.signal(Signal::SIGTERM);
    // The workload goes on for a while after the sidecar was told to end.
    send_events(&mut tracer, 1000);
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(
        sidecar.wait(PATIENCE).unwrap().success(),
        "{}",
        sidecar.log()
    );
    let account = cloudwatch.ledger(|ledger| Account::of(&produced, ledger));
    assert_eq!(account.stored, 2001, "{account}");
}

#[test]
fn p8_a_dead_store_does_not_hold_up_the_end_and_the_rest_is_kept() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.set_silent(true);
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("WORKLOAD_AGENT_DRAIN", "4");
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 500);
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    let began = Instant::now();
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "a budget of 4 s, on a busy machine"
    );
    // The next one finds it in the spool.
    cloudwatch.set_silent(false);
    sidecar.start();
    assert!(cloudwatch.wait_for(PATIENCE, |ledger| distinct(ledger, "task-1") == 501));
    cloudwatch.ledger(|ledger| Account::of(&produced, ledger).assert_exact());
}

#[test]
fn p9_a_hundred_kills_lose_nothing_that_was_acknowledged() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.keep_messages(false);
    let mut sidecar = Sidecar::with(&cloudwatch);
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    for kill in 0..100 {
        sidecar.start();
        // The store is there every third time only, so that the spool is in it too.
        cloudwatch.set_down(kill % 3 != 0);
        let acked = tracer.acked();
        send_events(&mut tracer, 50);
        let is_acked = Deadline::seconds(90).poll(|| {
            tracer.exchange(true).unwrap();
            (tracer.acked() > acked).then_some(())
        });
        assert!(is_acked.is_some(), "{}", sidecar.log());
        sidecar.kill();
    }
    cloudwatch.set_down(false);
    sidecar.start();
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let account = cloudwatch.ledger(|ledger| Account::of(&produced, ledger));
    println!("100 kills: {account}");
    account.assert_exact();
    assert_eq!(account.stored, 5001, "{account}");
}

#[test]
fn p10_memory_and_disk_stay_bounded_through_an_outage_and_p12_gaps_are_told() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.keep_messages(false);
    cloudwatch.set_silent(true);
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("WORKLOAD_AGENT_SPOOL_BYTES", "8388608");
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 40_000);
    assert!(
        tracer.settle(Deadline::seconds(120)).unwrap(),
        "the outage does not stop the intake"
    );
    let (peak, disk) = (sidecar.peak_kib(), sidecar.spool_bytes());
    println!(
        "black hole: peak {} MiB resident, {} KiB on disk",
        peak / 1024,
        disk / 1024
    );
    assert!(
        peak <= 64 * 1024,
        "{peak} KiB resident in a build that is not what ships"
    );
    assert!(disk <= 8_388_608 + 3 * 1024 * 1024, "{disk} bytes on disk");
    cloudwatch.set_silent(false);
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    cloudwatch.ledger(|ledger| {
        let account = Account::of(&produced, ledger);
        account.assert_exact();
        assert!(account.told > 0, "{account}");
        assert!(
            ledger
                .lost
                .iter()
                .all(|line| line["lost"]["reason"] == "spool_full")
        );
    });
}

/// What a workload sees of a sidecar that does not move: its outbox never blocks.
#[test]
fn p11_a_stopped_sidecar_never_blocks_the_tracer() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    sidecar.signal(Signal::SIGSTOP);
    // Nobody says welcome; what has been made waits in the outbox, which drops what is too much.
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Drop).window(60_000);
    let began = Instant::now();
    send_events(&mut tracer, 5000);
    assert!(began.elapsed() < Duration::from_secs(30));
    sidecar.signal(Signal::SIGCONT);
    let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let account = cloudwatch.ledger(|ledger| Account::of(&produced, ledger));
    account.assert_exact();
    assert!(account.outbox > 0, "{account}");
}

#[test]
fn p13_each_container_is_in_order_inside_a_stream() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    cloudwatch.script([
        Fault::FailAfterStoring,
        Fault::Throttle,
        Fault::ResetBeforeStoring,
    ]);
    std::thread::scope(|scope| {
        for n in 0..3_u64 {
            let socket = sidecar.socket();
            scope.spawn(move || {
                let ctr = format!("task-{n}");
                let mut tracer = Tracer::new(&socket, &ctr, 1, Overflow::Wait);
                for k in 1..=600_u64 {
                    // Times that jump back and forth: each CPU has its own idea.
                    let time = now_ns() - k * 7919 % 1000 * 1_000_000;
                    tracer.send(Body::Event(event(k, time).into())).unwrap();
                }
                tracer.finish(Deadline::seconds(90)).unwrap();
            });
        }
    });
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    cloudwatch.ledger(|ledger| {
        for (stream, frames) in &ledger.frames {
            for ((ctr, _), seqs) in frames {
                let mut highest = 0;
                let mut seen = std::collections::BTreeSet::new();
                for seq in seqs.iter().filter(|seq| seen.insert(**seq)) {
                    assert!(*seq > highest, "{ctr} in {stream}: {seq} after {highest}");
                    highest = *seq;
                }
            }
        }
    });
}

#[test]
fn p14_without_cloudwatch_everything_still_runs() {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.set_down(true);
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.set("WORKLOAD_AGENT_DRAIN", "3");
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 100);
    assert!(
        tracer.settle(Deadline::seconds(90)).unwrap(),
        "frames are acknowledged"
    );
    let health = sidecar.command(&["health"]).status().unwrap();
    assert!(health.success(), "health does not depend on delivery");
    pause(Duration::from_millis(10));
    tracer.finish(Deadline::seconds(90)).unwrap();
    assert!(sidecar.stop(PATIENCE).unwrap().success());
}
