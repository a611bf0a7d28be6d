//! Peers that break every habit of a tracer, and settings that nobody should have made.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use e2e::cloudwatch::CloudWatch;
use e2e::load::{Overflow, Tracer, alert, event};
use e2e::pace::Deadline;
use nix::sys::signal::Signal;
use wire::{Body, Bye, Container, Counters, Frame, Hello, Lost};

use crate::account::Account;
use crate::process::Sidecar;

const PATIENCE: Duration = Duration::from_mins(2);

/// Resident memory of a build that is not what ships.
const MAX_KIB: u64 = 64 * 1024;

/// Somebody who says hello and then what it likes, and never waits for an answer.
struct Rude(UnixStream);

impl Rude {
    fn connect(sidecar: &Sidecar, name: &str) -> Self {
        let mut stream = UnixStream::connect(sidecar.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let hello = Hello {
            version: contract::PROTOCOL_VERSION,
            nonce: vec![7; 16],
            epoch: u64::MAX,
            container: Some(Container {
                metadata_id: name.to_owned(),
                ..Container::default()
            }),
            ..Hello::default()
        };
        let mut bytes = Vec::new();
        wire::encode(&Frame::hello(hello), &mut bytes).unwrap();
        stream.write_all(&bytes).unwrap();
        stream.read_exact(&mut [0; 4]).unwrap();
        Self(stream)
    }

    /// Sends frames for as long as they are taken; how many bytes that were not is its affair.
    fn say(&mut self, frames: impl Iterator<Item = Frame>) {
        let mut bytes = Vec::new();
        for frame in frames {
            wire::encode(&frame, &mut bytes).unwrap();
        }
        // What is not read on, because too much of it waits, is not written.
        self.0
            .set_write_timeout(Some(Duration::from_millis(1500)))
            .unwrap();
        drop(self.0.write_all(&bytes));
    }
}

/// An honest tracer is served, and nothing has fallen over.
fn assert_sound(sidecar: &Sidecar) {
    let mut tracer = Tracer::new(&sidecar.socket(), "honest", 1, Overflow::Wait);
    tracer.send(Body::Alert(alert(1, 1).into())).unwrap();
    tracer.exchange(true).unwrap();
    let health = sidecar.command(&["health"]).status().unwrap();
    assert!(health.success(), "{}", sidecar.log());
    let (peak, log) = (sidecar.peak_kib(), sidecar.log());
    assert!(peak <= MAX_KIB, "{peak} KiB resident");
    assert!(!log.contains("panicked"), "{log}");
}

/// A sidecar whose store does not answer.
fn outage(spool: &str) -> (CloudWatch, Sidecar) {
    let cloudwatch = CloudWatch::start().unwrap();
    cloudwatch.keep_messages(false);
    cloudwatch.set_silent(true);
    let mut sidecar = Sidecar::with(&cloudwatch);
    if spool == "off" {
        sidecar.set("WORKLOAD_AGENT_SPOOL", spool);
    } else {
        sidecar.set("WORKLOAD_AGENT_SPOOL_BYTES", spool);
    }
    sidecar.set("WORKLOAD_AGENT_DRAIN", "2");
    sidecar.start();
    (cloudwatch, sidecar)
}

#[test]
fn the_highest_numbers_that_there_are_overflow_nothing() {
    let sidecar = {
        let mut sidecar = Sidecar::bare();
        sidecar.start();
        sidecar
    };
    let mut rude = Rude::connect(&sidecar, "rude\nx");
    let lost = Lost {
        from: u64::MAX,
        to: 0,
        reason: i32::MIN,
        events: u64::MAX,
        alerts: u64::MAX,
    };
    let counters = Counters {
        events: u64::MAX,
        ..Counters::default()
    };
    rude.say(
        [
            Frame::new(1, Body::Lost(lost.clone())),
            Frame::new(2, Body::Lost(lost)),
            Frame::new(u64::MAX - 1, Body::Counters(counters)),
            Frame {
                seq: u64::MAX,
                body: None,
            },
            Frame { seq: 1, body: None },
            Frame {
                seq: u64::MAX,
                body: None,
            },
        ]
        .into_iter(),
    );
    let dropped = "sidecar_dropped_total{reason=\"unknown_kind\"}";
    let is_counted =
        Deadline::after(PATIENCE).poll(|| (sidecar.metric(dropped) == 1).then_some(()));
    assert!(is_counted.is_some(), "{}", sidecar.log());
    assert_eq!(
        sidecar.metric("sidecar_outbox_dropped_total{kind=\"alert\"}"),
        u64::MAX
    );
    assert_sound(&sidecar);
}

/// Statements are small on the wire and large as records.
#[test]
fn statements_without_end_are_not_held_without_end() {
    for spool in ["off", "4194304"] {
        let (_cloudwatch, sidecar) = outage(spool);
        let mut rude = Rude::connect(&sidecar, "rude");
        let bye = |seq| Frame::new(seq, Body::Bye(Bye::default()));
        let lost = |seq| Frame::new(seq, Body::Lost(Lost::default()));
        rude.say((1..=150_000).map(|n| if n % 2 == 0 { bye(n) } else { lost(n) }));
        assert_sound(&sidecar);
        let disk = sidecar.spool_bytes();
        assert!(disk <= 4_194_304 + 3 * 1024 * 1024, "{disk} bytes on disk");
    }
}

/// Losses with gaps between them are told by many ranges, which are data too: they fill memory and
/// disk, and must still be told.
#[test]
fn losses_that_fill_the_spool_become_fewer_lines() {
    const FRAMES: u64 = 120_000;
    for spool in ["off", "4194304"] {
        let (cloudwatch, mut sidecar) = outage(spool);
        let mut rude = Rude::connect(&sidecar, "rude");
        let unknown = wire::Event {
            kind: "call_of_next_year".to_owned(),
            ..wire::Event::default()
        };
        for round in 0..12 {
            let frames = FRAMES / 12;
            let seqs = (1..=frames).map(|n| (round * frames + n) * 2);
            rude.say(seqs.map(|seq| Frame::new(seq, Body::Event(unknown.clone()))));
        }
        assert_sound(&sidecar);
        let dropped = "sidecar_dropped_total{reason=\"unknown_kind\"}";
        let count = sidecar.metric(dropped);
        cloudwatch.set_silent(false);
        drop(rude);
        let told = || {
            cloudwatch.ledger(|ledger| {
                let lines = ledger.lost.iter().map(|line| &line["lost"]);
                let of_rude = lines.filter(|lost| lost["reason"] == "unknown_kind");
                of_rude
                    .map(|lost| lost["events"].as_u64().unwrap())
                    .sum::<u64>()
            })
        };
        let is_told = Deadline::after(PATIENCE).poll(|| (told() >= count).then_some(()));
        assert!(
            is_told.is_some(),
            "{spool}: {} of {count}:\n{}",
            told(),
            sidecar.log()
        );
        println!(
            "{spool}: {count} losses in {} lines",
            cloudwatch.ledger(|l| l.lost.len())
        );
        assert!(sidecar.stop(PATIENCE).unwrap().success());
    }
}

/// Two sidecars whose settings name one spool: the second leaves it alone.
#[test]
fn a_spool_has_one_sidecar() {
    let cloudwatch = CloudWatch::start().unwrap();
    let mut first = Sidecar::with(&cloudwatch);
    first.start();
    let mut second = Sidecar::with(&cloudwatch);
    let spool = first.dir.path().join("spool").display().to_string();
    second.set("WORKLOAD_AGENT_SPOOL", &spool);
    second.start();
    let produced: Vec<_> = [&first, &second]
        .into_iter()
        .zip(["task-1", "task-2"])
        .map(|(sidecar, ctr)| {
            let mut tracer = Tracer::new(&sidecar.socket(), ctr, 1, Overflow::Wait);
            for n in 1..=300 {
                tracer.send(Body::Event(event(n, n).into())).unwrap();
            }
            tracer.finish(Deadline::after(PATIENCE)).unwrap()
        })
        .collect();
    let log = second.log();
    let line = log
        .lines()
        .find(|line| line.contains("another sidecar uses it"));
    assert!(
        line.is_some_and(|l| l.contains(&spool) && l.contains("WORKLOAD_AGENT_SPOOL")),
        "{log}"
    );
    for mut sidecar in [second, first] {
        assert!(sidecar.stop(PATIENCE).unwrap().success());
    }
    cloudwatch.ledger(|ledger| Account::of(&produced, ledger).assert_exact());
}

#[test]
fn a_place_that_is_taken_is_one_clear_line_and_stays_as_it_is() {
    let mut sidecar = Sidecar::bare();
    let letter = sidecar.dir.path().join("letter");
    std::fs::write(&letter, "keep me").unwrap();
    sidecar.set("WORKLOAD_AGENT_SOCKET", &letter.display().to_string());
    sidecar.refuses(&["is no socket", "WORKLOAD_AGENT_SOCKET"]);
    let long = sidecar
        .dir
        .path()
        .join("x".repeat(150))
        .display()
        .to_string();
    sidecar.set("WORKLOAD_AGENT_SOCKET", &long);
    sidecar.refuses(&["cannot listen", "WORKLOAD_AGENT_SOCKET"]);
    let socket = sidecar.dir.path().join("agent.sock").display().to_string();
    sidecar.set("WORKLOAD_AGENT_SOCKET", &socket);
    sidecar.set("WORKLOAD_AGENT_ADMIN", &letter.display().to_string());
    // What an earlier process left is no obstacle.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    sidecar.start();
    sidecar.refuses(&["another sidecar listens", "WORKLOAD_AGENT_SOCKET"]);
    let is_said = Deadline::after(PATIENCE)
        .poll(|| sidecar.log().contains("WORKLOAD_AGENT_ADMIN").then_some(()));
    assert!(is_said.is_some(), "{}", sidecar.log());
    assert_eq!(std::fs::read_to_string(&letter).unwrap(), "keep me");
}

#[test]
fn a_setting_that_is_not_utf_8_is_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let sidecar = Sidecar::bare();
    let mut command = sidecar.command(&["health"]);
    command.env(
        "WORKLOAD_AGENT_SPOOL",
        std::ffi::OsStr::from_bytes(b"/tmp/\xff"),
    );
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("WORKLOAD_AGENT_SPOOL") && text.contains("not UTF-8"),
        "{text}"
    );
}

#[test]
fn sigterm_may_come_early_and_twice() {
    let (_cloudwatch, mut sidecar) = outage("4194304");
    sidecar.signal(Signal::SIGTERM);
    sidecar.signal(Signal::SIGTERM);
    assert!(
        sidecar.wait(PATIENCE).unwrap().success(),
        "{}",
        sidecar.log()
    );
    // As soon as there is a folder for the spool, signals are waited for.
    let spool = sidecar.dir.path().join("spool");
    std::fs::remove_dir_all(&spool).unwrap();
    let mut command = sidecar.command(&[]);
    let mut early = crate::process::Guest(command.spawn().unwrap());
    assert!(
        Deadline::after(PATIENCE)
            .poll(|| spool.exists().then_some(()))
            .is_some()
    );
    let pid = nix::unistd::Pid::from_raw(i32::try_from(early.0.id()).unwrap());
    nix::sys::signal::kill(pid, Signal::SIGTERM).unwrap();
    let status = Deadline::after(PATIENCE).poll(|| early.0.try_wait().unwrap());
    assert!(
        status.is_some_and(|status| status.success()),
        "{}",
        sidecar.log()
    );
}
