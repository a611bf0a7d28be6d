//! The thread that sends.
//!
//! It sleeps by parking, so that waking it costs the tracer a system call only when it really
//! sleeps. While there is traffic it looks every [`TICK`]; with nothing to do, and nobody to wait
//! for, it lies down until the tracer rings or [`NAP`] is over.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::Rounds;
use super::lines::Lines;
use super::session::{Session, State};

/// Between two looks while there is traffic.
const TICK: Duration = Duration::from_millis(50);

/// Between two looks while the other side is slower than we are, or the end has come.
const SHORT_TICK: Duration = Duration::from_millis(2);

/// The longest sleep: orders of the sidecar wait no longer than this.
const NAP: Duration = Duration::from_secs(1);

/// A file that could not be written is tried again after this.
const FILE_RETRY: Duration = Duration::from_secs(1);

/// So many looks at a reader that takes nothing, and it is looked at less often.
const PATIENT_LOOKS: u32 = 25;

/// So many looks that found nothing end the traffic.
const QUIET_LOOKS: u32 = 4;

/// So often the sender writes and reads in one look: a peer that never stops talking must not keep
/// it from noticing the end.
const MAX_ROUNDS: u32 = 256;

/// How far the end is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Drain {
    /// Nobody has asked.
    #[default]
    None,
    /// The workload has ended; hand over what is left.
    Wanted,
    /// Everything that was made was handed over.
    Done,
    /// Nobody takes it.
    Hopeless,
}

/// How the tracer gets the sender's attention, and the other way round at the end.
#[derive(Debug, Default)]
pub(super) struct Bell {
    sender: OnceLock<Thread>,
    is_sleeping: AtomicBool,
    is_rung: AtomicBool,
    drain: Mutex<Drain>,
    changed: Condvar,
}

impl Bell {
    /// Whether the sender lies down and must be woken. Exact after a push: see `Writer::push`.
    pub(super) fn is_sleeping(&self) -> bool {
        self.is_sleeping.load(Ordering::Relaxed)
    }

    /// Wakes the sender. Ringing again before it has looked costs nothing.
    pub(super) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel)
            && let Some(sender) = self.sender.get()
        {
            sender.unpark();
        }
    }

    /// The end has come.
    pub(super) fn begin_drain(&self) {
        self.set_drain(Drain::Wanted);
        self.ring();
    }

    /// It was not the end after all, or nothing more is to be waited for.
    pub(super) fn end_drain(&self) {
        self.set_drain(Drain::None);
    }

    /// Waits for the sender to say how the drain went, or for a while.
    pub(super) fn wait_drained(&self, limit: Duration) -> Drain {
        let guard = self.drain.lock().unwrap_or_else(PoisonError::into_inner);
        // The sender may have finished with an earlier frame than the tracer's last: a short wait
        // lets the caller look at the ring itself.
        let (guard, _) = self
            .changed
            .wait_timeout(guard, limit.min(SHORT_TICK))
            .unwrap_or_else(PoisonError::into_inner);
        *guard
    }

    fn drain(&self) -> Drain {
        *self.drain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a drain that is still wanted.
    fn answer_drain(&self, answer: Drain) {
        let mut drain = self.drain.lock().unwrap_or_else(PoisonError::into_inner);
        if *drain != Drain::None {
            *drain = answer;
        }
        drop(drain);
        self.changed.notify_all();
    }

    fn set_drain(&self, drain: Drain) {
        *self.drain.lock().unwrap_or_else(PoisonError::into_inner) = drain;
        self.changed.notify_all();
    }
}

/// Where frames go, with the brain that belongs to it.
#[derive(Debug)]
pub(super) enum Destination {
    /// Lines in a file.
    File(Box<Lines>, File),
    /// The sidecar.
    Socket(Box<Session>, PathBuf),
}

/// What the sender should do after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// The other side takes no more at present.
    Blocked,
    /// There is nobody at the other side until that long from here.
    Apart(Duration),
    /// Everything was written; answers may be due.
    Written { is_busy: bool },
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
    pub(super) fn start(mut self) -> io::Result<()> {
        let bell = Arc::clone(&self.bell);
        let thread = thread::Builder::new()
            .name("outbox".to_owned())
            .stack_size(256 * 1024)
            .spawn(move || {
                loop {
                    self.turn();
                }
            })?;
        // Rung before this, the bell is heard at the first look.
        bell.sender
            .set(thread.thread().clone())
            .map_err(|_| io::ErrorKind::AlreadyExists.into())
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

/// Writes what there is. A file on a disk never blocks for long; a pipe may, which is why this is
/// not the tracer's thread.
fn write_lines(lines: &mut Lines, file: &mut File) -> Look {
    let mut is_busy = false;
    loop {
        let bytes = lines.outgoing();
        if bytes.is_empty() {
            return Look::Written { is_busy };
        }
        is_busy = true;
        #[expect(
            clippy::disallowed_methods,
            reason = "a short write is accounted for, and goes on from there"
        )]
        match file.write(bytes) {
            Ok(0) => return Look::Apart(FILE_RETRY),
            Ok(count) => lines.wrote(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // An inherited standard stream may have been made non-blocking by the workload.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Look::Blocked,
            Err(error) => {
                lines.failed(&error);
                return Look::Apart(FILE_RETRY);
            }
        }
    }
}

/// Connects when it is time, then writes and reads until neither is possible.
fn converse(
    session: &mut Session,
    stream: &mut Option<UnixStream>,
    path: &Path,
    now: Duration,
) -> Look {
    if let State::Apart { until } = session.state() {
        if now < until {
            return Look::Apart(until.saturating_sub(now));
        }
        match connect(path) {
            Ok(connected) => {
                session.connected(now);
                *stream = Some(connected);
            }
            Err(_) => session.unreachable(now),
        }
    }
    let ended = match stream {
        Some(stream) => exchange(session, stream, now),
        None => None,
    };
    if let Some(look) = ended {
        return look;
    }
    *stream = None;
    if !matches!(session.state(), State::Apart { .. }) {
        session.ended(now);
    }
    match session.state() {
        State::Apart { until } => Look::Apart(until.saturating_sub(now)),
        _ => Look::Apart(NAP),
    }
}

fn connect(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// `None` when the connection has ended.
fn exchange(session: &mut Session, stream: &mut UnixStream, now: Duration) -> Option<Look> {
    for _ in 0..MAX_ROUNDS {
        // Answers first: an acknowledgement makes room.
        let has_read = listen(session, stream, now)?;
        let spoken = speak(session, stream, now)?;
        if session.is_mute(now) {
            return None;
        }
        match spoken {
            Spoken::Blocked => return Some(Look::Blocked),
            Spoken::Nothing if !has_read => {
                let is_busy = session.is_busy();
                return Some(Look::Written { is_busy });
            }
            Spoken::Nothing | Spoken::Something => {}
        }
    }
    Some(Look::Blocked)
}

/// What became of an attempt to write.
enum Spoken {
    /// The socket takes no more at present.
    Blocked,
    /// There was nothing to say.
    Nothing,
    /// Some of it went out.
    Something,
}

fn speak(session: &mut Session, stream: &mut UnixStream, now: Duration) -> Option<Spoken> {
    let bytes = session.outgoing(now);
    if bytes.is_empty() {
        return Some(Spoken::Nothing);
    }
    // The standard library sends with MSG_NOSIGNAL: a sidecar that died raises no SIGPIPE.
    #[expect(
        clippy::disallowed_methods,
        reason = "a short write is accounted for, and goes on from there"
    )]
    match stream.write(bytes) {
        Ok(0) => None,
        Ok(count) => {
            session.wrote(count);
            Some(Spoken::Something)
        }
        Err(error) => match error.kind() {
            io::ErrorKind::Interrupted => Some(Spoken::Something),
            io::ErrorKind::WouldBlock => Some(Spoken::Blocked),
            _ => None,
        },
    }
}

fn listen(session: &mut Session, stream: &mut UnixStream, now: Duration) -> Option<bool> {
    let mut bytes = [0; 16 * 1024];
    match stream.read(&mut bytes) {
        Ok(0) => None,
        Ok(count) => {
            let heard = bytes.get(..count).unwrap_or_default();
            session.received(heard, now).ok().map(|()| true)
        }
        Err(error) => match error.kind() {
            io::ErrorKind::Interrupted => Some(true),
            io::ErrorKind::WouldBlock => Some(false),
            _ => None,
        },
    }
}
