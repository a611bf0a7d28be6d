//! P2 to P6: what is stored, in which form, and what happens when it is refused.

use std::time::Duration;

use e2e::cloudwatch::{CloudWatch, Fault};
use e2e::load::{Overflow, Tracer, alert, event, fat_event};
use e2e::pace::Deadline;
use wire::Body;

use super::{PATIENCE, distinct, now_ns, send_events};
use crate::account::Account;
use crate::process::{GROUP, Sidecar};

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

/// A clock of ours that jumps: requests are signed by the service's from then on.
#[test]
fn p5_a_clock_that_jumps_is_followed() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.start();
    let minutes = |n: i64| n * 60_000;
    for (epoch, offset) in [
        (1, 0),
        (2, minutes(90)),
        (3, minutes(-60)),
        (4, minutes(1440)),
    ] {
        cloudwatch.set_clock_offset(offset);
        let mut tracer = Tracer::new(&sidecar.socket(), "task-1", epoch, Overflow::Wait);
        tracer.send(Body::Alert(alert(1, now_ns()).into())).unwrap();
        let produced = [tracer.finish(Deadline::seconds(90)).unwrap()];
        let has_arrived = cloudwatch.wait_for(PATIENCE, |ledger| {
            Account::of(&produced, ledger).has_arrived()
        });
        assert!(has_arrived, "{offset}:\n{}", sidecar.log());
        let account = cloudwatch.ledger(|ledger| Account::of(&produced, ledger));
        assert_eq!(account.stored, 2, "{offset}: {account}\n{}", sidecar.log());
    }
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
