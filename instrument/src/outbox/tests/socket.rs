//! The outbox with its thread against a server on a unix socket.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wire::{Body, Bye, Mode, Order, Refusal, Refused, Welcome};

use super::super::queue::Urgency;
use super::super::ring::Class;
use super::super::{Config, Destination, Identity, Message, Outbox, Pair, Trouble};
use super::server::{HARD_LIMIT, Ledger, Server, say};
use super::{alert, body};

fn outbox(path: &Path, bytes: usize) -> Outbox {
    let config = Config {
        bytes,
        ..Config::new(Destination::Socket(path.to_owned()))
    };
    Outbox::start(config, Identity::gather(Mode::Seccomp, |_| None)).unwrap()
}

fn event(outbox: &mut Outbox, len: usize) {
    outbox.push_event(Urgency::Low, || {
        let Body::Event(event) = body(Class::Event, len) else {
            panic!("an event was asked for");
        };
        event
    });
}

/// Waits for something that another thread brings about.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + HARD_LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

fn next_message(outbox: &mut Outbox) -> Message {
    let mut message = None;
    eventually("a message", || {
        message = outbox.next_message();
        message.is_some()
    });
    message.unwrap()
}

#[test]
fn restarts_of_the_sidecar_lose_nothing() {
    const EVENTS: u64 = 20_000;
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("agent.sock");
    let at = path.clone();
    let sidecar = thread::spawn(move || {
        let mut ledger = Ledger::default();
        // Each life takes some frames, acknowledges a part of them, and dies.
        let mut life = 1;
        while !Server::listen(&at).serve(&mut ledger, 700 * life, 64) {
            life += 1;
        }
        (ledger, life)
    });
    let mut outbox = outbox(&path, 8 * 1024 * 1024);
    for n in 0..EVENTS {
        event(&mut outbox, (n % 300) as usize);
        if n % 100 == 0 {
            outbox.alert(&alert(50));
        }
    }
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    let (ledger, lives) = sidecar.join().unwrap();
    let counters = outbox.counters();
    assert!(left.is_zero(), "{left:?} {counters:?}");
    assert!(lives > 3 && ledger.hellos.len() > 3, "{lives} lives");
    assert!(ledger.hellos.iter().all(|h| h == &ledger.hellos[0]));
    assert!(ledger.has_bye());
    assert_eq!(counters.made.events, EVENTS);
    assert_eq!(ledger.stored(), counters.acked);
    assert_eq!(ledger.lost(), counters.dropped);
    assert!(counters.reconnects >= 3);
}

#[test]
fn a_sidecar_that_comes_late_gets_what_was_kept_and_the_count_of_the_rest() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("agent.sock");
    let mut outbox = outbox(&path, 256 * 1024);
    for _ in 0..5_000 {
        event(&mut outbox, 200);
    }
    for _ in 0..20 {
        outbox.alert(&alert(100));
    }
    let before = outbox.counters();
    assert!(before.dropped.events > 0);
    assert_eq!(before.dropped.alerts, 0, "alerts have a reserve");
    let server = Server::listen(&path);
    let sidecar = thread::spawn(move || {
        let mut ledger = Ledger::default();
        while !server.serve(&mut ledger, usize::MAX, 16) {}
        ledger
    });
    eventually("a connection", || !outbox.counters().acked.is_zero());
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    let ledger = sidecar.join().unwrap();
    assert!(left.is_zero());
    assert_eq!(ledger.stored().alerts, 20);
    assert_eq!(ledger.stored().events + ledger.lost().events, 5_000);
}

#[test]
fn an_absent_sidecar_does_not_hold_up_the_end() {
    let dir = TempDir::new().unwrap();
    let mut outbox = outbox(&dir.path().join("nobody.sock"), 256 * 1024);
    outbox.alert(&alert(10));
    event(&mut outbox, 10);
    let began = Instant::now();
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    assert!(began.elapsed() < HARD_LIMIT / 2);
    let expected = Pair {
        alerts: 1,
        events: 1,
    };
    assert_eq!(left, expected);
    assert_eq!(outbox.counters().queued(), expected);
}

#[test]
fn a_sidecar_that_never_acknowledges_costs_bounded_memory_and_a_bounded_end() {
    const EVENTS: u64 = 30_000;
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("agent.sock");
    let server = Server::listen(&path);
    let sidecar = thread::spawn(move || {
        let mut ledger = Ledger::default();
        server.serve(&mut ledger, usize::MAX, usize::MAX);
    });
    let mut outbox = outbox(&path, 256 * 1024);
    for _ in 0..EVENTS {
        event(&mut outbox, 100);
    }
    let left = outbox.flush(&Bye::default(), Duration::from_millis(300));
    let counters = outbox.counters();
    assert_eq!(counters.made.events, EVENTS);
    assert!(counters.acked.is_zero() || left.is_zero());
    assert_eq!(left, counters.queued());
    assert_eq!(
        EVENTS,
        counters.acked.events + left.events + counters.dropped.events
    );
    assert!(left.events <= 256 * 1024 / 100, "{left:?}");
    drop(outbox);
    // The goodbye is the one frame that this sidecar acknowledges; it may not have found room.
    drop(sidecar);
}

#[test]
fn a_slow_reader_gets_whole_frames_in_order() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("agent.sock");
    let server = Server::listen(&path);
    let sidecar = thread::spawn(move || sip(&mut server.accept()));
    let mut outbox = outbox(&path, 256 * 1024);
    for n in 0..3_000 {
        event(&mut outbox, n % 1_500);
    }
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    let ledger = sidecar.join().unwrap();
    assert!(left.is_zero(), "{left:?} {:?}", outbox.counters());
    assert_eq!(ledger.stored().events + ledger.lost().events, 3_000);
    assert_eq!(ledger.lost(), outbox.counters().dropped);
}

/// Reads few bytes at a time, with pauses, and acknowledges each frame.
fn sip(stream: &mut UnixStream) -> Ledger {
    let mut decoder = wire::Decoder::<wire::Frame>::default();
    let (mut ledger, mut bytes) = (Ledger::default(), [0; 997]);
    while !ledger.has_bye() {
        let count = stream.read(&mut bytes).unwrap();
        decoder.push(&bytes[..count]);
        while let Some(frame) = decoder.next().unwrap() {
            swallow(frame, &mut ledger, stream);
        }
        thread::park_timeout(Duration::from_micros(300));
    }
    ledger
}

fn swallow(frame: wire::Frame, ledger: &mut Ledger, stream: &mut UnixStream) {
    match frame.body.unwrap() {
        Body::Hello(_) => {
            let welcome = Welcome {
                version: 1,
                resume_after: 0,
            };
            say(stream, Order::Welcome(welcome));
        }
        Body::Counters(_) if frame.seq == 0 => {}
        body => {
            assert!(frame.seq > ledger.safe);
            ledger.safe = frame.seq;
            ledger.frames.insert(frame.seq, body);
            say(stream, Order::Ack(wire::Ack { upto: frame.seq }));
        }
    }
}

#[test]
fn garbage_ends_the_connection_and_the_next_one_is_served() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("agent.sock");
    let server = Server::listen(&path);
    let sidecar = thread::spawn(move || {
        let hostile: [&[u8]; 3] = [
            &[0xff; 64],
            &u32::MAX.to_le_bytes(),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ];
        for bytes in hostile {
            let mut stream = server.accept();
            stream.write_all(bytes).unwrap();
            // It hangs up; what it said until then does not matter.
            drain(&mut stream);
        }
        let mut ledger = Ledger::default();
        while !server.serve(&mut ledger, usize::MAX, 1) {}
        ledger
    });
    let mut outbox = outbox(&path, 256 * 1024);
    outbox.alert(&alert(10));
    let trouble = next_message(&mut outbox);
    assert!(
        matches!(trouble, Message::Trouble(Trouble::Garbage { .. })),
        "{trouble:?}"
    );
    eventually("an acknowledgement", || outbox.counters().acked.alerts == 1);
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    assert!(left.is_zero());
    assert_eq!(sidecar.join().unwrap().stored().alerts, 1);
}

fn drain(stream: &mut UnixStream) {
    let mut bytes = [0; 4096];
    while matches!(stream.read(&mut bytes), Ok(count) if count > 0) {}
}

#[test]
fn a_final_refusal_is_obeyed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("agent.sock");
    let server = Server::listen(&path);
    let mut outbox = outbox(&path, 256 * 1024);
    outbox.alert(&alert(10));
    let mut stream = server.accept();
    let refused = Refused {
        reason: Refusal::Version.into(),
        text: "version 1 is not spoken here".to_owned(),
    };
    say(&mut stream, Order::Refused(refused));
    let message = next_message(&mut outbox);
    let Message::Trouble(trouble) = message else {
        panic!("{message:?}");
    };
    assert_eq!(
        trouble.to_string(),
        "sidecar refused the session (version): version 1 is not spoken here"
    );
    let left = outbox.flush(&Bye::default(), HARD_LIMIT);
    assert_eq!(left.alerts, 1);
    server.listener_is_quiet();
}

#[test]
fn orders_reach_the_tracer_and_too_many_are_counted() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("agent.sock");
    let server = Server::listen(&path);
    let mut outbox = outbox(&path, 256 * 1024);
    let mut stream = server.accept();
    let welcome = Welcome {
        version: 1,
        resume_after: 0,
    };
    say(&mut stream, Order::Welcome(welcome));
    let task = event::Task {
        family: Some("shop".to_owned()),
        ..event::Task::default()
    };
    say(&mut stream, Order::Identity(task.clone().into()));
    assert_eq!(next_message(&mut outbox), Message::Identity(Box::new(task)));
    for n in 0..100 {
        let level = wire::LogLevel {
            level: n.to_string(),
        };
        say(&mut stream, Order::LogLevel(level));
    }
    eventually("an overflow", || outbox.counters().orders_dropped > 0);
    let first = next_message(&mut outbox);
    assert!(matches!(first, Message::LogLevel(level) if level.level == "0"));
}
