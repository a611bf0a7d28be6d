//! P7 to P14: the start, the end, and everything that fails in between.

use std::time::{Duration, Instant};

use e2e::cloudwatch::{CloudWatch, Fault};
use e2e::load::{Overflow, Tracer, alert, event};
use e2e::pace::{Deadline, pause};
use nix::sys::signal::Signal;
use wire::Body;

use super::{PATIENCE, distinct, now_ns, send_events};
use crate::account::Account;
use crate::process::Sidecar;

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

/// A real workload under the real tracer, with every event sent: it ends as it would alone.
#[test]
fn p11_a_stopped_sidecar_never_blocks_a_workload() {
    let mut sidecar = Sidecar::bare();
    sidecar.start();
    sidecar.signal(Signal::SIGSTOP);
    let script = "i=0; while [ $i -lt 2000 ]; do : < /dev/null; i=$((i+1)); done; exit 7";
    let mut workload = std::process::Command::new(e2e::stage::built("instrument").unwrap())
        .args(["--events", "--", "/bin/sh", "-c", script])
        .env_clear()
        .env("WORKLOAD_AGENT_SOCKET", sidecar.socket())
        .spawn()
        .unwrap();
    let status = Deadline::seconds(120).poll(|| workload.try_wait().unwrap());
    workload.kill().unwrap();
    assert_eq!(status.and_then(|status| status.code()), Some(7));
    sidecar.signal(Signal::SIGCONT);
    // What the outbox held arrives, or is told; the sidecar ends in order.
    assert!(sidecar.stop(PATIENCE).unwrap().success());
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
