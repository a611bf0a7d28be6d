//! The sending end's brain: what to send, what an answer means, when to connect.
//!
//! Pure: it owns no socket and looks at no clock. Bytes that arrived are given to it, bytes to send
//! are taken from it, and every moment is a [`Duration`] since the outbox began.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use wire::{Body, Decoder, Frame, Hello, Order, Refusal, Welcome, WireError};

use super::backoff::Backoff;
use super::ring::Reader;
use super::totals::{Counters, Totals};
use super::{Message, Trouble};

/// Frames are put together up to about this many bytes for one write.
const BATCH_BYTES: usize = 64 * 1024;

/// How long the sidecar may take to answer a hello.
const GREETING_LIMIT: Duration = Duration::from_secs(5);

/// How often counters are told, when they changed.
const COUNTERS_EVERY: Duration = Duration::from_secs(10);

/// A connection that lived so long was a good one: the next attempt follows at once.
const GOOD_LIFE: Duration = Duration::from_secs(1);

/// Where the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There is no connection; try at that moment.
    Apart {
        /// When to connect.
        until: Duration,
    },
    /// Hello was said, and not answered yet.
    Greeting {
        /// When the connection was made.
        since: Duration,
    },
    /// Frames flow.
    Open {
        /// When the connection was made.
        since: Duration,
    },
    /// The sidecar will not have us, now or later.
    Over,
}

/// Why a connection must be closed by this side.
#[derive(Debug)]
pub(super) enum Hangup {
    /// What came is not the protocol.
    Garbage,
    /// The sidecar said so.
    Refused,
}

/// The conversation with the sidecar.
#[derive(Debug)]
pub(super) struct Session {
    state: State,
    reader: Reader,
    totals: Arc<Totals>,
    hello: Hello,
    backoff: Backoff,
    messages: SyncSender<Message>,
    decoder: Decoder<wire::Control>,
    outgoing: Vec<u8>,
    written: usize,
    counters_told: Counters,
    counters_due: Duration,
}

impl Session {
    /// A session that has not connected yet, and may at once.
    pub(super) fn new(
        reader: Reader,
        hello: Hello,
        totals: Arc<Totals>,
        messages: SyncSender<Message>,
    ) -> Self {
        let seed = hello.nonce.iter().fold(hello.epoch, |seed, byte| {
            seed.rotate_left(8) ^ u64::from(*byte)
        });
        Self {
            state: State::Apart {
                until: Duration::ZERO,
            },
            reader,
            totals,
            hello,
            backoff: Backoff::new(seed),
            messages,
            decoder: Decoder::default(),
            outgoing: Vec::new(),
            written: 0,
            counters_told: Counters::default(),
            counters_due: Duration::ZERO,
        }
    }

    /// Where the conversation stands.
    pub(super) const fn state(&self) -> State {
        self.state
    }

    /// The frames.
    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Whether the sidecar was ever there for us.
    pub(super) fn was_welcome(&self) -> bool {
        self.totals.sender.welcomes.get() > 0
    }

    /// Whether bytes wait for the socket, or frames for an answer.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.state, State::Greeting { .. })
            || self.written < self.outgoing.len()
            || self.reader.is_waiting()
    }

    /// Makes the next attempt due at once: the workload is about to end.
    pub(super) const fn hurry(&mut self) {
        if let State::Apart { until } = &mut self.state {
            *until = Duration::ZERO;
        }
    }

    /// A connection was made.
    pub(super) fn connected(&mut self, now: Duration) {
        self.forget_connection();
        self.state = State::Greeting { since: now };
        // A hello is some hundred bytes: it cannot be too long.
        if wire::encode(&Frame::hello(self.hello.clone()), &mut self.outgoing).is_err() {
            self.state = State::Over;
        }
    }

    /// No connection could be made.
    pub(super) fn unreachable(&mut self, now: Duration) {
        self.state = State::Apart {
            until: now + self.backoff.next(),
        };
    }

    /// The connection ended, by whichever side. What was not acknowledged will be sent again.
    pub(super) fn ended(&mut self, now: Duration) {
        self.forget_connection();
        match self.state {
            State::Over => return,
            State::Open { since } if now.saturating_sub(since) >= GOOD_LIFE => self.backoff.reset(),
            State::Apart { .. } | State::Greeting { .. } | State::Open { .. } => {}
        }
        self.unreachable(now);
    }

    fn forget_connection(&mut self) {
        self.decoder = Decoder::default();
        self.outgoing = Vec::new();
        self.written = 0;
        self.reader.rewind();
    }

    /// Whether the sidecar has been silent for longer than a hello may take.
    pub(super) fn is_mute(&self, now: Duration) -> bool {
        matches!(self.state, State::Greeting { since } if now.saturating_sub(since) > GREETING_LIMIT)
    }

    /// The bytes to send next; empty when there is nothing to say.
    pub(super) fn outgoing(&mut self, now: Duration) -> &[u8] {
        if self.written == self.outgoing.len() {
            self.outgoing.clear();
            self.written = 0;
            if matches!(self.state, State::Open { .. }) {
                self.fill(now);
            }
        }
        &self.outgoing[self.written..]
    }

    fn fill(&mut self, now: Duration) {
        if now >= self.counters_due {
            self.counters_due = now + COUNTERS_EVERY;
            self.tell_counters();
        }
        while self.outgoing.len() < BATCH_BYTES {
            if self.reader.take(&mut self.outgoing).is_none() {
                break;
            }
        }
    }

    /// Counters have no number: they are totals, so that a lost one is made good by the next.
    fn tell_counters(&mut self) {
        let counters = self.totals.counters();
        let told = Counters {
            acked: self.counters_told.acked,
            ..counters
        };
        if told != self.counters_told {
            let frame = Frame::new(0, Body::Counters(counters.into()));
            if wire::encode(&frame, &mut self.outgoing).is_ok() {
                self.counters_told = told;
            }
        }
    }

    /// So many of the bytes were sent.
    pub(super) const fn wrote(&mut self, count: usize) {
        self.written += count;
    }

    /// Bytes came from the sidecar.
    pub(super) fn received(&mut self, bytes: &[u8], now: Duration) -> Result<(), Hangup> {
        self.decoder.push(bytes);
        loop {
            match self.decoder.next() {
                Ok(Some(control)) => {
                    if let Some(order) = control.body {
                        self.obey(order, now)?;
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.garbage(&error)),
            }
        }
    }

    fn garbage(&self, error: &WireError) -> Hangup {
        self.tell(Message::Trouble(Trouble::Garbage {
            what: error.to_string(),
        }));
        Hangup::Garbage
    }

    fn obey(&mut self, order: Order, now: Duration) -> Result<(), Hangup> {
        match order {
            Order::Welcome(welcome) => return self.welcome(welcome, now),
            Order::Ack(ack) => self.release(ack.upto),
            Order::Refused(refused) => {
                let reason = refused.reason();
                self.tell(Message::Trouble(Trouble::Refused {
                    reason,
                    text: refused.text.chars().take(200).collect(),
                }));
                if reason.is_final() {
                    self.state = State::Over;
                }
                return Err(Hangup::Refused);
            }
            Order::Identity(identity) => self.tell(Message::Identity(Box::new(identity.into()))),
            Order::LoadRules(rules) => self.tell(Message::LoadRules(rules)),
            Order::AddTrace(trace) => self.tell(Message::AddTrace(trace)),
            Order::DropTrace(trace) => self.tell(Message::DropTrace(trace)),
            Order::LogLevel(level) => self.tell(Message::LogLevel(level)),
            // An order that this version does not know.
            _ => {}
        }
        Ok(())
    }

    fn welcome(&mut self, welcome: Welcome, now: Duration) -> Result<(), Hangup> {
        let State::Greeting { .. } = self.state else {
            self.tell(Message::Trouble(Trouble::Garbage {
                what: "a second welcome".to_owned(),
            }));
            return Err(Hangup::Garbage);
        };
        if welcome.version == 0 || welcome.version > self.hello.version {
            let text = format!("sidecar speaks version {}", welcome.version);
            let reason = Refusal::Version;
            self.tell(Message::Trouble(Trouble::Refused { reason, text }));
            self.state = State::Over;
            return Err(Hangup::Refused);
        }
        self.totals.sender.welcomes.add(1);
        self.release(welcome.resume_after);
        self.state = State::Open { since: now };
        self.counters_due = now;
        Ok(())
    }

    fn release(&mut self, upto: u64) {
        let totals = &self.totals;
        self.reader
            .release(upto, |class| totals.sender.acked.note(class));
    }

    /// Hands something to whoever reads messages. There is room for a few; what does not fit is
    /// counted.
    fn tell(&self, message: Message) {
        match self.messages.try_send(message) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => self.totals.sender.orders_dropped.add(1),
        }
    }
}
