//! What an event costs the thread that traces, as ratios within one run.
//!
//! `cargo bench -p instrument --bench outbox`
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::fs::File;
use std::hint::black_box;
use std::time::{Duration, Instant};

use instrument::outbox::{Config, Destination, Identity, Outbox};
use wire::{Body, Event, Frame, Mode, Process};

const EVENTS: u32 = 200_000;
const ROUNDS: usize = 7;

/// An execve with its process and two ancestors, as traces are made of.
fn event(num: u64) -> Event {
    let process = |pid: i64| Process {
        pid,
        vpid: pid,
        ppid: Some(pid - 1),
        comm: b"sh".to_vec(),
        exe: b"/bin/sh".to_vec(),
        args: vec![b"-c".to_vec(), b"exec /usr/bin/id".to_vec()],
        exe_path: Some(b"/usr/bin/dash".to_vec()),
        cwd: Some(b"/srv/app".to_vec()),
        ..Process::default()
    };
    Event {
        num,
        time: 1_700_000_000_000_000_000,
        kind: "execve".to_owned(),
        tid: 7,
        processes: vec![process(7), process(3), process(1)],
        ..Event::default()
    }
}

/// Nanoseconds for each event, the best of some rounds.
fn measure(mut round: impl FnMut(u64)) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for num in 0..EVENTS {
            round(u64::from(num));
        }
        best = best.min(began.elapsed());
    }
    best.as_secs_f64() * 1e9 / f64::from(EVENTS)
}

fn main() {
    let sample = event(1);
    let mut bytes = Vec::new();
    let frame = Frame::new(1, Body::Event(sample));
    wire::encode(&frame, &mut bytes).expect("a small frame");
    let len = bytes.len();

    let push = {
        let mut pile: Vec<u8> = Vec::with_capacity(2 << 20);
        measure(move |_| {
            if pile.len() + len > pile.capacity() {
                pile.clear();
            }
            pile.extend_from_slice(black_box(&bytes));
        })
    };
    let make = measure(|num| drop(black_box(event(num))));
    let mut scratch = Vec::new();
    let encode = measure(|num| {
        scratch.clear();
        let frame = Frame::new(num, Body::Event(event(num)));
        wire::encode(&frame, &mut scratch).expect("a small frame");
        black_box(&scratch);
    }) - make;
    let kept = outbox(Destination::File(null()), make);
    let full = outbox(Destination::Socket("/nonexistent/agent.sock".into()), 0.0);

    println!("frame of {len} bytes, best of {ROUNDS} rounds of {EVENTS}");
    println!("{:<38}{:>8}{:>10}", "", "ns", "x push");
    let row = |name: &str, ns: f64| println!("{name:<38}{ns:>8.0}{:>10.1}", ns / push);
    row("Vec::extend_from_slice of the bytes", push);
    row("encoding", encode);
    row("outbox, sender takes all: in total", kept);
    row("outbox, sender takes all: beyond encoding", kept - encode);
    row("outbox, full: drop and count", full);
}

fn outbox(destination: Destination, make: f64) -> f64 {
    let mut config = Config::new(destination);
    config.bytes = 256 << 20;
    if matches!(config.destination, Destination::Socket(_)) {
        config.bytes = 1 << 16;
    }
    let identity = Identity::gather(Mode::Seccomp, |_| None);
    let mut outbox = Outbox::start(config, identity).expect("a thread");
    let ns = measure(|num| outbox.wire_event(|| event(num)));
    ns - make
}

fn null() -> File {
    File::options()
        .write(true)
        .open("/dev/null")
        .expect("/dev/null opens")
}
