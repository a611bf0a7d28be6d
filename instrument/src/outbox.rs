//! What leaves the tracer: alerts and events, on their way to the sidecar or to a file.
//!
//! The thread that traces puts frames into a bounded ring and goes on: it never waits, does no I/O
//! and, except to wake a sender that sleeps, makes no system call. A second thread sends them,
//! connects again for ever, and gives memory back only for what was acknowledged. What finds no
//! room is dropped, counted, and told in the stream, so that at any time
//! `made = acknowledged + queued + dropped`.
//!
//! The parts: `ring` is the memory, `queue` decides what gets in, `session` decides what is said
//! to the sidecar, `lines` writes to a file, `sender` is the thread around either.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use event::{EventType, Facts};
use sys::Tid;
use wire::{Body, Refusal};

mod backoff;
mod identity;
mod lines;
mod queue;
mod ring;
mod sender;
mod session;
#[cfg(test)]
mod tests;
mod totals;

pub use identity::Identity;
pub use totals::{Counters, Pair};

use lines::Lines;
use queue::{Pushed, Queue, Urgency};
use ring::Class;
use sender::{Bell, Destination as Sending, Drain, Sender};
use session::Session;
use totals::Totals;

/// Messages that wait for [`Outbox::next_message`] at most.
const MESSAGES: usize = 64;

/// Where frames go.
#[derive(Debug)]
pub enum Destination {
    /// JSON lines: alerts as Falco prints them, recorded events, and what was lost.
    File(File),
    /// The unix stream socket of the sidecar, which may not be there yet.
    Socket(PathBuf),
}

/// Something to be done now and then on the sender's thread, which is the only one that has time. It
/// says when it wants to be done again.
pub struct Rounds(pub Box<dyn FnMut() -> Duration + Send>);

impl fmt::Debug for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rounds").finish_non_exhaustive()
    }
}

/// How the outbox is set up.
#[derive(Debug)]
pub struct Config {
    /// Where frames go.
    pub destination: Destination,
    /// The most that is kept, in bytes; an eighth of it for what is urgent. Rounded up to 64 KiB
    /// times a power of two. Memory is taken as it is needed.
    pub bytes: usize,
    /// What the line of an alert holds in a file.
    pub form: event::Form,
    /// What else the sender's thread has to do.
    pub rounds: Option<Rounds>,
}

impl Config {
    /// The usual size.
    pub const fn new(destination: Destination) -> Self {
        Self {
            destination,
            bytes: 2 * 1024 * 1024,
            form: event::Form::USUAL,
            rounds: None,
        }
    }
}

/// What the other side has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Report these events too.
    AddTrace(wire::AddTrace),
    /// Stop a trace.
    DropTrace(wire::DropTrace),
    /// What ECS calls this task and container.
    Identity(Box<event::Task>),
    /// Use these rules.
    LoadRules(wire::LoadRules),
    /// Log at this level.
    LogLevel(wire::LogLevel),
    /// Something is wrong with the destination. Told once, not each time that it is tried again.
    Trouble(Trouble),
}

/// What can be wrong with a destination.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Trouble {
    /// The file cannot be written; what should be in it is kept as long as there is room.
    #[error("failed to write the output: {error}; it is tried again until it works")]
    File {
        /// What the kernel says.
        error: String,
    },
    /// The sidecar's side of the socket does not speak the protocol.
    #[error("sidecar's socket sent what is not the protocol: {what}")]
    Garbage {
        /// What was found.
        what: String,
    },
    /// The sidecar will not have this session.
    #[error("sidecar refused the session ({}): {text}", reason.as_str())]
    Refused {
        /// The class of reasons.
        reason: Refusal,
        /// The sidecar's words.
        text: String,
    },
}

/// What could not be handed over before the end.
pub type Undelivered = Pair;

/// The tracer's end. One thread owns it.
#[derive(Debug)]
pub struct Outbox {
    queue: Queue,
    totals: Arc<Totals>,
    bell: Arc<Bell>,
    sender: Tid,
    messages: Receiver<Message>,
    /// Bytes written when the bell was last rung.
    rung_at: u64,
    /// What the tracer counts besides frames.
    tallies: Vec<wire::Tally>,
}

impl Outbox {
    /// Starts the sender thread. It must be started in the process that traces: threads do not
    /// survive a fork.
    ///
    /// # Errors
    /// When the kernel gives no thread.
    pub fn start(config: Config, identity: Identity) -> io::Result<Self> {
        let totals = Arc::new(Totals::default());
        let (writer, reader) = ring::ring(config.bytes);
        let (tell, messages) = sync_channel(MESSAGES);
        let bell = Arc::new(Bell::default());
        let sending = match config.destination {
            Destination::File(file) => {
                let lines = Lines::new(reader, Arc::clone(&totals), tell, config.form);
                Sending::File(Box::new(lines), lines::unblocked(file))
            }
            Destination::Socket(path) => {
                let hello = identity.into_hello();
                let session = Session::new(reader, hello, Arc::clone(&totals), tell);
                Sending::Socket(Box::new(session), path)
            }
        };
        let sender = Sender::new(sending, Arc::clone(&bell), config.rounds).start()?;
        Ok(Self {
            queue: Queue::new(writer, Arc::clone(&totals)),
            totals,
            bell,
            messages,
            sender,
            rung_at: 0,
            tallies: Vec::new(),
        })
    }

    /// The thread that sends.
    pub const fn sender(&self) -> Tid {
        self.sender
    }

    /// A rule matched. It may use the reserve, and goes out at once.
    pub fn alert(&mut self, alert: &event::Alert) {
        let body = || Body::Alert(alert.clone().into());
        if self.queue.push(Class::Alert, Urgency::High, body) == Pushed::Kept {
            self.bell.ring();
        }
    }

    /// Something happened. Execs and exits may use the reserve; an event for which there is no
    /// room is not even asked for its facts.
    pub fn event(&mut self, facts: &dyn Facts) {
        let urgency = match facts.kind() {
            EventType::Execve | EventType::Execveat | EventType::Procexit => Urgency::High,
            _ => Urgency::Low,
        };
        self.push_event(urgency, || event::Event::capture(facts).into());
    }

    /// As [`Self::event`], of an event that is not urgent and was written down already.
    pub fn wire_event(&mut self, event: impl FnOnce() -> wire::Event) {
        self.push_event(Urgency::Low, event);
    }

    fn push_event(&mut self, urgency: Urgency, event: impl FnOnce() -> wire::Event) {
        let pushed = self
            .queue
            .push(Class::Event, urgency, || Body::Event(event()));
        if pushed == Pushed::Kept {
            self.after_push();
        }
    }

    /// The sender looks by itself while there is traffic. It is woken when it sleeps, and once for
    /// each quarter of the ring, lest it fill up between two looks.
    fn after_push(&mut self) {
        let written = self.queue.written();
        if self.bell.is_sleeping() || written - self.rung_at >= self.queue.capacity() / 4 {
            self.rung_at = written;
            self.bell.ring();
        }
    }

    /// What the other side has said, oldest first. Never waits.
    pub fn next_message(&mut self) -> Option<Message> {
        self.messages.try_recv().ok()
    }

    /// A count that the last account carries besides those of frames.
    pub fn tally(&mut self, name: &str, count: u64) {
        self.tallies.push(wire::Tally {
            name: name.to_owned(),
            count,
        });
    }

    /// The state of the accounts.
    pub fn counters(&self) -> Counters {
        self.totals.counters()
    }

    /// Waits until everything is in safe hands, for at most `patience`, and not at all when nobody
    /// listens. The outbox goes on afterwards.
    pub fn drain(&mut self, patience: Duration) -> Undelivered {
        self.hand_over(None, patience)
    }

    /// Says goodbye, and waits as [`Self::drain`] does. Nothing should be put in afterwards.
    pub fn flush(&mut self, bye: &wire::Bye, patience: Duration) -> Undelivered {
        self.hand_over(Some(bye), patience)
    }

    fn hand_over(&mut self, mut bye: Option<&wire::Bye>, patience: Duration) -> Undelivered {
        let deadline = Instant::now() + patience;
        let mut is_said = false;
        self.bell.begin_drain();
        loop {
            if !is_said {
                is_said = self.say_last(&mut bye);
                self.bell.ring();
            }
            let is_done = is_said && self.queue.is_drained();
            let left = deadline.saturating_duration_since(Instant::now());
            if is_done || left.is_zero() || self.bell.wait_drained(left) == Drain::Hopeless {
                break;
            }
        }
        self.bell.end_drain();
        self.totals.counters().queued()
    }

    /// Puts in what must not be missing at the end, as soon as there is room for it: gaps that were
    /// not told yet, and before a goodbye the final counters.
    fn say_last(&mut self, bye: &mut Option<&wire::Bye>) -> bool {
        if self.queue.settle() == Pushed::Dropped {
            return false;
        }
        let Some(last) = *bye else { return true };
        let mut counters = wire::Counters::from(self.totals.counters());
        counters.more.extend(self.tallies.iter().cloned());
        let mut note = |body| self.queue.push(Class::Note, Urgency::High, || body) == Pushed::Kept;
        let is_said = note(Body::Counters(counters)) && note(Body::Bye(last.clone()));
        if is_said {
            *bye = None;
        }
        is_said
    }
}
