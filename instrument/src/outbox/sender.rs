//! The thread that sends.
//!
//! It sleeps by parking, so that waking it costs the tracer a system call only when it really
//! sleeps. While there is traffic it looks every [`TICK`]; with nothing to do, and nobody to wait
//! for, it lies down until the tracer rings or [`NAP`] is over.

mod bell;
mod talk;

use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use sys::Tid;

use super::Rounds;
use super::lines::Lines;
use super::session::{Session, State};

pub(super) use bell::{Bell, Drain};
use talk::{Look, converse, write_lines};

/// Between two looks while there is traffic.
const TICK: Duration = Duration::from_millis(50);

/// Between two looks while the other side is slower than we are, or the end has come.
const SHORT_TICK: Duration = Duration::from_millis(2);

/// The longest sleep: orders of the sidecar wait no longer than this.
const NAP: Duration = Duration::from_secs(1);

/// So many looks at a reader that takes nothing, and it is looked at less often.
const PATIENT_LOOKS: u32 = 25;

/// So many looks that found nothing end the traffic.
const QUIET_LOOKS: u32 = 4;

/// Where frames go, with the brain that belongs to it.
#[derive(Debug)]
pub(super) enum Destination {
    /// Lines in a file.
    File(Box<Lines>, File),
    /// The sidecar.
    Socket(Box<Session>, PathBuf),
}

/// The thread.
#[derive(Debug)]
pub(super) struct Sender {
    destination: Destination,
    bell: Arc<Bell>,
    born: Instant,
    stream: Option<UnixStream>,
    quiet: u32,
    blocked: u32,
    rounds: Option<Rounds>,
    /// When the rounds are due; `None` for never again.
    rounds_due: Option<Duration>,
}

impl Sender {
    /// A sender that has not been started.
    pub(super) fn new(destination: Destination, bell: Arc<Bell>, rounds: Option<Rounds>) -> Self {
        Self {
            rounds_due: rounds.as_ref().map(|_| Duration::ZERO),
            rounds,
            blocked: 0,
            destination,
            bell,
            born: Instant::now(),
            stream: None,
            quiet: 0,
        }
    }

    /// Starts the thread, which ends with the process.
    pub(super) fn start(mut self) -> io::Result<Tid> {
        let bell = Arc::clone(&self.bell);
        let (tell, told) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("outbox".to_owned())
            .stack_size(256 * 1024)
            .spawn(move || {
                if tell.send(Tid::this()).is_err() {
                    return;
                }
                loop {
                    self.turn();
                }
            })?;
        // Rung before this, the bell is heard at the first look.
        bell.sender
            .set(thread.thread().clone())
            .map_err(|_| io::Error::from(io::ErrorKind::AlreadyExists))?;
        told.recv().map_err(io::Error::other)
    }

    fn turn(&mut self) {
        self.bell.is_rung.store(false, Ordering::Release);
        let drain = self.bell.drain();
        let look = match &mut self.destination {
            Destination::File(lines, file) => write_lines(lines, file),
            Destination::Socket(session, path) => {
                if drain == Drain::Wanted {
                    session.hurry();
                }
                let now = self.born.elapsed();
                converse(session, &mut self.stream, path, now)
            }
        };
        if drain == Drain::Wanted {
            self.report_drain(look);
        }
        self.go_rounds();
        self.sleep(look, drain);
    }

    fn go_rounds(&mut self) {
        let now = self.born.elapsed();
        if let (Some(Rounds(rounds)), Some(due)) = (&mut self.rounds, self.rounds_due)
            && now >= due
        {
            self.rounds_due = now.checked_add(rounds());
        }
    }

    fn report_drain(&self, look: Look) {
        let (is_drained, is_over, was_there) = match &self.destination {
            Destination::File(lines, _) => (lines.reader().is_drained(), false, false),
            Destination::Socket(session, _) => (
                session.reader().is_drained(),
                session.state() == State::Over,
                session.was_welcome(),
            ),
        };
        // A sidecar that was there before may be starting again: it is worth the tracer's patience.
        if is_over || (matches!(look, Look::Apart(_)) && !was_there) {
            self.bell.answer_drain(Drain::Hopeless);
        } else if is_drained {
            self.bell.answer_drain(Drain::Done);
        }
    }

    fn is_empty_for_sure(&self) -> bool {
        match &self.destination {
            Destination::File(lines, _) => lines.reader().is_empty_for_sure(),
            Destination::Socket(session, _) => session.reader().is_empty_for_sure(),
        }
    }

    fn sleep(&mut self, look: Look, drain: Drain) {
        self.blocked = match look {
            Look::Blocked => self.blocked.saturating_add(1),
            Look::Apart(_) | Look::Written { .. } => 0,
        };
        self.quiet = match look {
            Look::Written { is_busy: false } => self.quiet.saturating_add(1),
            Look::Apart(_) | Look::Blocked | Look::Written { .. } => 0,
        };
        let pause = match look {
            _ if drain != Drain::None => SHORT_TICK,
            Look::Blocked if self.blocked < PATIENT_LOOKS => SHORT_TICK,
            Look::Blocked => TICK,
            Look::Apart(pause) => pause,
            Look::Written { .. } if self.quiet < QUIET_LOOKS => TICK,
            Look::Written { .. } => NAP,
        };
        let until_rounds = self
            .rounds_due
            .map_or(pause, |due| due.saturating_sub(self.born.elapsed()));
        if pause == NAP {
            self.lie_down(pause.min(until_rounds));
        } else {
            thread::park_timeout(pause.min(until_rounds));
        }
    }

    /// Sleeps until somebody rings.
    fn lie_down(&mut self, pause: Duration) {
        self.bell.is_sleeping.store(true, Ordering::SeqCst);
        // Either this sees the frame that was pushed meanwhile, or its maker sees the flag.
        if self.is_empty_for_sure() {
            thread::park_timeout(pause);
        }
        self.bell.is_sleeping.store(false, Ordering::Relaxed);
    }
}
