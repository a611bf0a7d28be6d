//! What an event costs the thread that traces, as ratios within one run.
//!
//! `cargo bench -p instrument --bench outbox`
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::cell::RefCell;
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use instrument::outbox::{Config, Destination, Identity, Outbox};
use wire::{Body, Event, Frame, Mode, Process};

/// Events that the usual outbox holds without a drop.
const BATCH: u32 = 5_000;
const ROUNDS: usize = 40;

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

/// Nanoseconds for each event, the best of some rounds. `rest` is called between batches, and is
/// not measured.
fn measure(mut one: impl FnMut(u64), mut rest: impl FnMut()) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for num in 0..BATCH {
            one(u64::from(num));
        }
        best = best.min(began.elapsed());
        rest();
    }
    best.as_secs_f64() * 1e9 / f64::from(BATCH)
}

fn main() {
    // First, because everything that follows is then measured with a second thread in the process,
    // as in a tracer: it makes the allocator dearer.
    let kept = kept();
    let full = full();

    let sample = event(1);
    let mut bytes = Vec::new();
    let frame = Frame::new(1, Body::Event(sample));
    wire::encode(&frame, &mut bytes).expect("a small frame");
    let len = bytes.len();

    let push = {
        let mut pile: Vec<u8> = Vec::with_capacity(2 << 20);
        measure(
            move |_| {
                if pile.len() + len > pile.capacity() {
                    pile.clear();
                }
                pile.extend_from_slice(black_box(&bytes));
            },
            || (),
        )
    };
    let make = measure(|num| drop(black_box(event(num))), || ());
    let mut scratch = Vec::new();
    let encode = measure(
        |num| {
            scratch.clear();
            let frame = Frame::new(num, Body::Event(event(num)));
            wire::encode(&frame, &mut scratch).expect("a small frame");
            black_box(&scratch);
        },
        || (),
    ) - make;
    let kept = kept - make;
    println!("frame of {len} bytes, best of {ROUNDS} rounds of {BATCH}");
    println!("{:<36}{:>8}{:>10}", "", "ns", "x push");
    let row = |name: &str, ns: f64| println!("{name:<36}{ns:>8.0}{:>10.1}", ns / push);
    row("Vec::extend_from_slice of the bytes", push);
    row("encoding", encode);
    row("outbox, kept: in total", kept);
    row("outbox, kept: beyond encoding", kept - encode);
    row("outbox, full: drop and count", full);
}

/// The sender is blocked by its reader while events are pushed, lest two threads that share a core
/// be measured; between two batches everything is read.
fn kept() -> f64 {
    let (mut ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    ours.set_nonblocking(true).expect("a socket can be told");
    let file = File::from(OwnedFd::from(theirs));
    let outbox = RefCell::new(start(Config::new(Destination::File(file))));
    let mut bytes = vec![0; 1 << 16];
    let ns = measure(
        |num| outbox.borrow_mut().wire_event(|| event(num)),
        || {
            while !outbox.borrow().counters().queued().is_zero() {
                if ours.read(&mut bytes).is_err() {
                    thread::yield_now();
                }
            }
        },
    );
    let dropped = outbox.borrow().counters().dropped;
    assert!(dropped.is_zero(), "the ring is too small");
    ns
}

fn full() -> f64 {
    let mut config = Config::new(Destination::Socket("/nonexistent/agent.sock".into()));
    config.bytes = 1 << 16;
    let mut outbox = start(config);
    for num in 0..u64::from(BATCH) {
        outbox.wire_event(|| event(num));
    }
    measure(|num| outbox.wire_event(|| event(num)), || ())
}

fn start(config: Config) -> Outbox {
    let identity = Identity::gather(Mode::Seccomp, |_| None);
    Outbox::start(config, identity).expect("a thread")
}
