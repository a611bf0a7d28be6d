//! A hostile client harms nobody else.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use e2e::load::{Overflow, Tracer, alert};
use e2e::pace::Deadline;
use wire::{Body, Refusal};

use crate::process::Sidecar;

const PATIENCE: Duration = Duration::from_mins(1);

fn started() -> Sidecar {
    let mut sidecar = Sidecar::bare();
    sidecar.keep_stdout();
    sidecar.start();
    sidecar
}

/// An honest tracer is served.
fn assert_served(sidecar: &Sidecar, ctr: &str) {
    let mut tracer = Tracer::new(&sidecar.socket(), ctr, 1, Overflow::Wait);
    tracer.send(Body::Alert(alert(1, 1).into())).unwrap();
    tracer.finish(Deadline::seconds(60)).unwrap();
}

#[test]
fn garbage_ends_the_connection_and_nothing_else() {
    let sidecar = started();
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 64],
        &[0; 64],
        b"\x04\0\0\0\xff\xff\xff\xff",
    ] {
        let mut stream = UnixStream::connect(sidecar.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(garbage).unwrap();
        let mut answer = Vec::new();
        // It ends with a refusal; a reset is an end too.
        drop(stream.read_to_end(&mut answer));
        assert_served(&sidecar, "honest");
    }
    assert!(sidecar.metric("sidecar_refused_total") >= 4);
}

#[test]
fn connections_without_a_hello_do_not_keep_others_out() {
    let sidecar = started();
    // The oldest strangers are sent away, however many come; their own descriptors are the limit.
    let strangers: Vec<_> = (0..500)
        .map(|_| UnixStream::connect(sidecar.socket()).unwrap())
        .collect();
    assert_served(&sidecar, "honest");
    drop(strangers);
    for _ in 0..10_000 {
        drop(UnixStream::connect(sidecar.socket()).unwrap());
    }
    assert_served(&sidecar, "honest-2");
}

#[test]
fn a_reader_that_does_not_read_and_a_writer_that_trickles_harm_nobody() {
    let sidecar = started();
    let mut deaf = Tracer::new(&sidecar.socket(), "deaf", 1, Overflow::Wait);
    assert!(deaf.try_connect().unwrap().is_none());
    let mut trickle = UnixStream::connect(sidecar.socket()).unwrap();
    trickle.write_all(&[9]).unwrap();
    assert_served(&sidecar, "honest");
}

#[test]
fn the_first_tracer_of_a_container_wins_and_shows_its_nonce_again() {
    let sidecar = started();
    let mut first = Tracer::new(&sidecar.socket(), "web", 1, Overflow::Wait);
    assert!(first.try_connect().unwrap().is_none());
    let mut forger = Tracer::new(&sidecar.socket(), "web", 2, Overflow::Wait);
    let refused = forger.try_connect().unwrap().unwrap();
    assert_eq!(refused.reason(), Refusal::Nonce);
    // The first may come again, after its connection has broken too.
    first.send(Body::Alert(alert(1, 1).into())).unwrap();
    first.finish(Deadline::seconds(60)).unwrap();
    // It has said goodbye, so that the container may be started again.
    let restarted =
        Deadline::seconds(60).poll(|| forger.try_connect().unwrap().is_none().then_some(()));
    assert!(restarted.is_some());
}

#[test]
fn another_version_is_refused_for_good() {
    let sidecar = started();
    let mut tracer = Tracer::new(&sidecar.socket(), "web", 1, Overflow::Wait);
    tracer.hello_mut().version = 99;
    let refused = tracer.try_connect().unwrap().unwrap();
    assert_eq!(refused.reason(), Refusal::Version);
    assert!(refused.text.contains("version 1"), "{}", refused.text);
}

#[test]
fn unknown_kinds_are_counted_and_acknowledged() {
    let sidecar = started();
    let mut tracer = Tracer::new(&sidecar.socket(), "web", 1, Overflow::Wait);
    let event = wire::Event {
        kind: "call_of_next_year".to_owned(),
        ..wire::Event::default()
    };
    tracer.send(Body::Event(event)).unwrap();
    assert!(tracer.settle(Deadline::seconds(60)).unwrap());
    assert_eq!(
        sidecar.metric("sidecar_dropped_total{reason=\"unknown_kind\"}"),
        1
    );
    let is_told = Deadline::seconds(60).poll(|| {
        sidecar
            .out()
            .contains("\"reason\":\"unknown_kind\"")
            .then_some(())
    });
    assert!(is_told.is_some());
}

#[test]
fn a_missing_folder_is_one_clear_line() {
    let mut sidecar = Sidecar::bare();
    sidecar.set("WORKLOAD_AGENT_SOCKET", "/nowhere/at/all/agent.sock");
    sidecar.refuses(&["`/nowhere/at/all`", "WORKLOAD_AGENT_SOCKET"]);
}

#[test]
fn status_health_and_log_level_answer_while_it_runs() {
    let sidecar = started();
    assert_served(&sidecar, "web");
    let run = |args: &[&str]| {
        let output = sidecar
            .command(args)
            .stdout(std::process::Stdio::piped())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    assert_eq!(run(&["health"]).0, Some(0));
    let (code, table) = run(&["status"]);
    assert_eq!(code, Some(0));
    assert!(
        table.contains("CONTAINER") && table.contains("web"),
        "{table}"
    );
    assert_eq!(run(&["log-level", "debug"]).0, Some(0));
    assert_eq!(run(&["log-level", "loud"]).0, Some(1));
    assert_eq!(run(&["staus"]).0, Some(2));
    let json: serde_json::Value = serde_json::from_str(&run(&["status", "--json"]).1).unwrap();
    assert_eq!(json["containers"][0]["ctr"], "web");
}

/// An image of one's own may lack the folder; ECS would end the task of a sidecar without health.
#[test]
fn health_needs_no_folder_of_its_own() {
    let mut sidecar = Sidecar::bare();
    sidecar.set("WORKLOAD_AGENT_ADMIN", "/proc/nowhere/admin.sock");
    sidecar.start();
    let health = |sidecar: &Sidecar| sidecar.command(&["health"]).output().unwrap();
    assert!(health(&sidecar).status.success(), "{}", sidecar.log());
    let log = sidecar.log();
    let line = log.lines().find(|line| line.contains("/proc/nowhere"));
    assert!(line.unwrap().contains("WORKLOAD_AGENT_ADMIN"), "{log}");
    sidecar.kill();
    let output = health(&sidecar);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("is the sidecar running?"), "{text}");
}
