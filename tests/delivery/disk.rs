//! The spool on disks that do not do what a disk should.

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use e2e::cloudwatch::CloudWatch;
use e2e::load::{Overflow, Tracer, event};
use e2e::pace::Deadline;
use wire::Body;

use crate::account::Account;
use crate::process::Sidecar;

const PATIENCE: Duration = Duration::from_mins(2);

fn send_events(tracer: &mut Tracer, count: u64) {
    for n in 1..=count {
        tracer.send(Body::Event(event(n, n).into())).unwrap();
    }
}

fn may_mount() -> bool {
    Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "true"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A sidecar whose spool is a disk of its own, of a size as `mount` takes it, before a store that
/// answers nothing; none, and a line that says so, where no disk can be mounted.
#[expect(clippy::print_stdout, reason = "a skip is told")]
fn with_a_disk_of(test: &str, size: &str) -> Option<(CloudWatch, Sidecar)> {
    if !may_mount() {
        println!("skipped: {test}: no mount namespace can be made here");
        return None;
    }
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.keep_messages(false);
    cloudwatch.set_silent(true);
    let mut sidecar = Sidecar::with(&cloudwatch);
    sidecar.mount_spool(size);
    sidecar.start();
    Some((cloudwatch, sidecar))
}

/// The disk is full before the spool is at its cap: the oldest goes, is counted and told.
#[test]
fn p12_a_full_disk_is_a_gap_that_is_told() {
    let test = "p12_a_full_disk_is_a_gap_that_is_told";
    let Some((cloudwatch, mut sidecar)) = with_a_disk_of(test, "5m") else {
        return;
    };
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 20_000);
    assert!(
        tracer.settle(Deadline::seconds(120)).unwrap(),
        "a full disk does not stop the intake:\n{}",
        sidecar.log()
    );
    assert!(sidecar.metric("sidecar_spool_failures_total") > 0);
    cloudwatch.set_silent(false);
    let produced = [tracer.finish(Deadline::seconds(120)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    cloudwatch.ledger(|ledger| {
        let account = Account::of(&produced, ledger);
        println!("{test}: {account}");
        account.assert_exact();
        assert!(account.told > 0, "{account}");
    });
}

#[test]
fn without_a_usable_folder_memory_serves_and_one_line_says_so() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    // Not even root can make a folder in a file, or on `/proc`.
    sidecar.set("WORKLOAD_AGENT_SPOOL", "/proc/spool");
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 500);
    let produced = [tracer.finish(Deadline::seconds(120)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let log = sidecar.log();
    let lines: Vec<&str> = log.lines().filter(|l| l.contains("/proc/spool")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("WORKLOAD_AGENT_SPOOL"), "{log}");
    cloudwatch.ledger(|ledger| Account::of(&produced, ledger).assert_exact());
}

/// Files of somebody else, or of a version that writes otherwise, in the spool's folder.
#[test]
fn a_spool_of_another_format_is_said_and_harms_nothing() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    for lane in ["alerts", "events"] {
        let folder = sidecar.dir.path().join("spool").join(lane);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("00000000000000000007.seg"), vec![0xa5; 5000]).unwrap();
        std::fs::write(folder.join("cloudwatch.cursor"), "of next year").unwrap();
        std::fs::write(folder.join("notes.txt"), "not ours").unwrap();
    }
    std::fs::write(sidecar.dir.path().join("spool/claims"), [0xff; 333]).unwrap();
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 200);
    let produced = [tracer.finish(Deadline::seconds(120)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let log = sidecar.log();
    assert!(log.contains("cut_bytes=5000"), "{log}");
    assert!(sidecar.dir.path().join("spool/alerts/notes.txt").is_file());
    cloudwatch.ledger(|ledger| {
        let account = Account::of(&produced, ledger);
        account.assert_exact();
        assert_eq!(account.stored, 201, "{account}");
    });
}

/// A workload fills the disk that the task shares, and the store comes back: what is on disk is not
/// damaged, only what cannot be written any more.
#[test]
fn a_disk_that_somebody_else_fills_costs_nothing_that_is_on_it() {
    let test = "a_disk_that_somebody_else_fills_costs_nothing_that_is_on_it";
    let Some((cloudwatch, mut sidecar)) = with_a_disk_of(test, "24m") else {
        return;
    };
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 8000);
    assert!(tracer.settle(Deadline::seconds(120)).unwrap());
    let spool = sidecar.dir.path().join("spool");
    let inside = format!("/proc/{}/root{}/fill", sidecar.pid(), spool.display());
    let mut file = std::fs::File::create(inside).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    cloudwatch.set_silent(false);
    send_events(&mut tracer, 1000);
    let produced = [tracer.finish(Deadline::seconds(120)).unwrap()];
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    cloudwatch.ledger(|ledger| {
        let account = Account::of(&produced, ledger);
        println!("{test}: {account}");
        account.assert_exact();
        assert!(
            account.stored > account.told,
            "{account}\n{}",
            sidecar.log()
        );
        let is_room = |line: &serde_json::Value| line["lost"]["reason"] == "spool_full";
        assert!(ledger.lost.iter().all(is_room), "{}", sidecar.log());
    });
}

/// The operator has gone back a version.
#[test]
fn a_spool_of_a_later_version_is_kept_aside_and_said_in_one_line() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut sidecar = Sidecar::with(&cloudwatch);
    let folder = sidecar.dir.path().join("spool/events");
    std::fs::create_dir_all(&folder).unwrap();
    let segment = [&b"WASPOOL\x02"[..], &[0x5a; 3000]].concat();
    std::fs::write(folder.join("00000000000000000007.seg"), &segment).unwrap();
    sidecar.start();
    let mut tracer = Tracer::new(&sidecar.socket(), "task-1", 1, Overflow::Wait);
    send_events(&mut tracer, 200);
    let produced = [tracer.finish(Deadline::seconds(120)).unwrap()];
    assert_eq!(sidecar.metric("sidecar_spool_aside_files"), 1);
    assert!(sidecar.stop(PATIENCE).unwrap().success());
    let log = sidecar.log();
    let lines: Vec<&str> = log
        .lines()
        .filter(|l| l.contains("later version"))
        .collect();
    assert!(
        lines.len() == 1 && lines[0].contains("spool/events"),
        "{log}"
    );
    assert!(!log.contains("Recovered the spool"), "{log}");
    let kept = std::fs::read(folder.join("00000000000000000007.seg.0.v2")).unwrap();
    assert_eq!(kept, segment);
    cloudwatch.ledger(|ledger| Account::of(&produced, ledger).assert_exact());
}
