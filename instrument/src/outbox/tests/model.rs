//! Properties of queue and session against a model of a sidecar. No thread, no socket, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use proptest::prelude::*;
use wire::{Ack, Body, Container, Control, Decoder, Frame, Hello, Order, Welcome};

use super::super::queue::{Pushed, Queue, Urgency};
use super::super::ring::{Class, ring};
use super::super::session::{Session, State};
use super::super::totals::{Pair, Totals};
use super::body;

const RING: usize = 128 * 1024;

/// A sidecar that forgets, when it restarts, what it has not acknowledged.
#[derive(Default)]
struct Sidecar {
    decoder: Decoder<Frame>,
    held: BTreeMap<u64, Body>,
    safe: u64,
    /// What the last welcome said is safe.
    welcomed: u64,
    last_in_connection: u64,
    hellos: Vec<Hello>,
}

impl Sidecar {
    fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.decoder.push(bytes);
        let mut answer = Vec::new();
        while let Some(frame) = self.decoder.next().unwrap() {
            match frame.body.unwrap() {
                Body::Hello(hello) => {
                    assert_eq!(frame.seq, 0);
                    self.hellos.push(hello);
                    self.welcomed = self.safe;
                    let welcome = Welcome {
                        version: 1,
                        resume_after: self.safe,
                    };
                    wire::encode(&Control::from(Order::Welcome(welcome)), &mut answer).unwrap();
                }
                Body::Counters(_) if frame.seq == 0 => {}
                other => {
                    assert!(frame.seq > self.last_in_connection, "out of order");
                    assert!(frame.seq > self.welcomed, "sent again after it was safe");
                    self.last_in_connection = frame.seq;
                    self.held.insert(frame.seq, other);
                }
            }
        }
        answer
    }

    fn ack(&mut self, share: u64) -> Vec<u8> {
        let last = self.held.keys().next_back().copied().unwrap_or(0);
        self.safe = self
            .safe
            .max(self.safe + (last.saturating_sub(self.safe)) * share / 4);
        let mut answer = Vec::new();
        let ack = Ack { upto: self.safe };
        wire::encode(&Control::from(Order::Ack(ack)), &mut answer).unwrap();
        answer
    }

    fn hang_up(&mut self) {
        self.decoder = Decoder::default();
        self.last_in_connection = 0;
    }

    fn restart(&mut self) {
        self.hang_up();
        let safe = self.safe;
        self.held.retain(|seq, _| *seq <= safe);
    }

    /// What it has, and what it was told is lost.
    fn accounts(&self) -> (Pair, Pair) {
        let (mut have, mut lost) = (Pair::default(), Pair::default());
        for body in self.held.values() {
            match body {
                Body::Alert(_) => have.alerts += 1,
                Body::Event(_) => have.events += 1,
                Body::Lost(gap) => {
                    lost.alerts += gap.alerts;
                    lost.events += gap.events;
                }
                _ => {}
            }
        }
        (have, lost)
    }

    /// Every number is either here or inside of a gap that was told.
    fn has_every_number(&self) -> bool {
        let gaps: Vec<(u64, u64)> = self
            .held
            .values()
            .filter_map(|body| match body {
                Body::Lost(gap) => Some((gap.from, gap.to)),
                _ => None,
            })
            .collect();
        let last = self.held.keys().next_back().copied().unwrap_or(0);
        (1..=last).all(|seq| {
            self.held.contains_key(&seq)
                || gaps.iter().any(|(from, to)| (*from..=*to).contains(&seq))
        })
    }
}

struct World {
    queue: Queue,
    session: Session,
    totals: Arc<Totals>,
    sidecar: Sidecar,
    now: Duration,
    is_connected: bool,
}

impl World {
    fn new() -> Self {
        let totals = Arc::new(Totals::default());
        let (writer, reader) = ring(RING);
        let hello = Hello {
            version: 1,
            nonce: vec![7; 16],
            epoch: 42,
            container: Some(Container::default()),
            ..Hello::default()
        };
        let (tell, _) = sync_channel(4);
        Self {
            queue: Queue::new(writer, Arc::clone(&totals)),
            session: Session::new(reader, hello, Arc::clone(&totals), tell),
            totals,
            sidecar: Sidecar::default(),
            now: Duration::ZERO,
            is_connected: false,
        }
    }

    fn connect(&mut self) {
        if let (State::Apart { until }, false) = (self.session.state(), self.is_connected) {
            self.now = self.now.max(until);
            self.session.connected(self.now);
            self.is_connected = true;
        }
    }

    /// Moves up to `limit` bytes to the sidecar, and its answers back.
    fn carry(&mut self, limit: usize) -> usize {
        if !self.is_connected {
            return 0;
        }
        let bytes = self.session.outgoing(self.now);
        let count = bytes.len().min(limit);
        let answer = self.sidecar.hear(&bytes[..count]);
        self.session.wrote(count);
        self.answer(&answer);
        count
    }

    fn answer(&mut self, bytes: &[u8]) {
        if self.is_connected {
            self.session.received(bytes, self.now).unwrap();
        }
    }

    fn hang_up(&mut self) {
        if self.is_connected {
            self.is_connected = false;
            self.session.ended(self.now);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Ack(u64),
    Alert(usize),
    Carry(usize),
    Connect,
    Event(usize),
    HangUp,
    Restart,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0_u64..=4).prop_map(Step::Ack),
        3 => (0_usize..9_000).prop_map(Step::Alert),
        5 => (0_usize..30_000).prop_map(Step::Carry),
        2 => Just(Step::Connect),
        8 => (0_usize..9_000).prop_map(Step::Event),
        1 => Just(Step::HangUp),
        1 => Just(Step::Restart),
        1 => (0_u64..20_000).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whatever happens to the connection and to the sidecar, in the end every frame that was made
    /// is stored once or counted once, and the stream says where the gaps are.
    #[test]
    fn made_is_stored_or_told_lost(steps in proptest::collection::vec(step(), 1..600)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Ack(share) => {
                    let answer = world.sidecar.ack(share);
                    world.answer(&answer);
                }
                Step::Alert(len) => {
                    world.queue.push(Class::Alert, Urgency::High, || body(Class::Alert, len));
                }
                Step::Carry(limit) => { world.carry(limit); }
                Step::Connect => world.connect(),
                Step::Event(len) => {
                    world.queue.push(Class::Event, Urgency::Low, || body(Class::Event, len));
                }
                Step::HangUp => {
                    world.sidecar.hang_up();
                    world.hang_up();
                }
                Step::Restart => {
                    world.sidecar.restart();
                    world.hang_up();
                }
                Step::Wait(millis) => world.now += Duration::from_millis(millis),
            }
            let counters = world.totals.counters();
            let queued = counters.queued();
            prop_assert_eq!(counters.made.alerts,
                counters.acked.alerts + queued.alerts + counters.dropped.alerts);
            prop_assert_eq!(counters.made.events,
                counters.acked.events + queued.events + counters.dropped.events);
        }
        // The end: a sidecar that listens.
        for _ in 0..64 {
            world.connect();
            while world.carry(usize::MAX) > 0 {}
            let answer = world.sidecar.ack(4);
            world.answer(&answer);
            if world.queue.settle() == Pushed::Kept && world.queue.is_drained() {
                break;
            }
        }
        let counters = world.totals.counters();
        prop_assert!(world.queue.is_drained());
        prop_assert!(counters.queued().is_zero());
        let (have, lost) = world.sidecar.accounts();
        prop_assert_eq!(have, counters.acked);
        prop_assert_eq!(lost, counters.dropped);
        prop_assert_eq!(have.events + lost.events, counters.made.events);
        prop_assert_eq!(have.alerts + lost.alerts, counters.made.alerts);
        prop_assert!(world.sidecar.has_every_number());
        let nonces = world.sidecar.hellos.iter().all(|h| h.nonce == [7; 16] && h.epoch == 42);
        prop_assert!(nonces, "a reconnect shows another face");
    }

    /// Bytes of any kind from the other side never panic, and never free what was not sent.
    #[test]
    fn hostile_bytes_do_no_harm(
        pieces in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..200), 0..20),
        upto in any::<u64>(),
    ) {
        let mut world = World::new();
        world.connect();
        world.queue.push(Class::Event, Urgency::Low, || body(Class::Event, 10));
        let mut lie = Vec::new();
        wire::encode(&Control::from(Order::Ack(Ack { upto })), &mut lie).unwrap();
        prop_assert!(world.session.received(&lie, world.now).is_ok());
        prop_assert_eq!(world.totals.counters().queued().events, 1);
        for piece in pieces {
            if world.session.received(&piece, world.now).is_err() {
                world.hang_up();
                world.connect();
            }
        }
    }
}

#[test]
fn a_flood_of_events_leaves_room_for_alerts() {
    let mut world = World::new();
    while world
        .queue
        .push(Class::Event, Urgency::Low, || body(Class::Event, 500))
        == Pushed::Kept
    {}
    let mut alerts = 0;
    while world
        .queue
        .push(Class::Alert, Urgency::High, || body(Class::Alert, 500))
        == Pushed::Kept
    {
        alerts += 1;
    }
    // An eighth of the ring, at some 560 bytes each.
    assert!(alerts >= RING / 8 / 600, "{alerts} alerts found room");
}

#[test]
fn the_newest_is_dropped_and_told_before_the_next_that_is_kept() {
    let mut world = World::new();
    let event = |world: &mut World| {
        world
            .queue
            .push(Class::Event, Urgency::Low, || body(Class::Event, 1000))
    };
    let mut kept = 0;
    while event(&mut world) == Pushed::Kept {
        kept += 1;
    }
    for _ in 0..9 {
        assert_eq!(event(&mut world), Pushed::Dropped);
    }
    world.connect();
    while world.carry(usize::MAX) > 0 {}
    let answer = world.sidecar.ack(4);
    world.answer(&answer);
    assert_eq!(event(&mut world), Pushed::Kept);
    while world.carry(usize::MAX) > 0 {}
    let numbers: Vec<u64> = world.sidecar.held.keys().copied().collect();
    let expected: Vec<u64> = (1..=kept).chain([kept + 11, kept + 12]).collect();
    assert_eq!(numbers, expected);
    let Some(Body::Lost(gap)) = world.sidecar.held.get(&(kept + 11)) else {
        panic!("the gap is not told");
    };
    assert_eq!(
        (gap.from, gap.to, gap.events, gap.alerts),
        (kept + 1, kept + 10, 10, 0)
    );
    assert_eq!(gap.reason(), wire::LostReason::OutboxFull);
}

#[test]
fn a_frame_that_no_sidecar_would_take_is_told_as_too_long() {
    let mut world = World::new();
    let huge = wire::MAX_MESSAGE_BYTES + 1;
    let pushed = world
        .queue
        .push(Class::Alert, Urgency::High, || body(Class::Alert, huge));
    assert_eq!(pushed, Pushed::Dropped);
    assert_eq!(world.queue.settle(), Pushed::Kept);
    world.connect();
    while world.carry(usize::MAX) > 0 {}
    let Some(Body::Lost(gap)) = world.sidecar.held.get(&2) else {
        panic!("the gap is not told");
    };
    assert_eq!(gap.reason(), wire::LostReason::TooLong);
    assert_eq!((gap.from, gap.to, gap.alerts), (1, 1, 1));
}

#[test]
fn a_silent_sidecar_is_left_after_a_while() {
    let mut world = World::new();
    world.connect();
    assert!(!world.session.is_mute(world.now + Duration::from_secs(4)));
    assert!(world.session.is_mute(world.now + Duration::from_secs(6)));
}
