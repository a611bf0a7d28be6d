//! From one process to two: the workload, which this process becomes, and its tracer.
//!
//! The tracer is a child that nobody's `wait` sees. Both sides talk over a socket pair until the
//! workload's program is executed:
//!
//! ```text
//! workload                         tracer
//!   allows the tracer (Yama)       loads rules, opens the output
//!   ── Go ──────────────────────▶  seizes the workload
//!   ◀─── Seized, errno, filter
//!        / Refused
//!   installs the filter
//!   ── Filtered / Bare ─────────▶  (Bare: makes every call stop)
//!   ◀────────────────── Watching
//!   execve                         waits for stops
//! ```
//!
//! Rules are loaded by the tracer and not before the fork: the kernel would copy the page tables of
//! what they take, every page that either side writes, and take all of it down at the exec.

mod command;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use sys::{Errno, Filter, Fork, Pid, SeccompError, Wait, fork_unseen};

use crate::watch::without_understanding;
pub use command::{Command, CommandError};

const SEIZED: u8 = b's';
const REFUSED: u8 = b'x';
const GO: u8 = b'g';
const FILTERED: u8 = b'f';
const BARE: u8 = b'b';
const WATCHING: u8 = b'w';

/// Between two looks at whether the workload stands still instead of answering.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Why there is no tracing.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// No second process.
    #[error("cannot make the tracer's process: {}", .0.desc())]
    Fork(Errno),
    /// The tracer ended before it said anything.
    #[error("the tracer ended before the workload began")]
    Lost,
    /// The kernel, a profile or Yama refused.
    #[error("the kernel refuses ptrace: {}; give the container SYS_PTRACE", .0.desc())]
    Seize(Errno),
    /// The kernel or a profile refused the filter, and so will it every other.
    #[error(transparent)]
    Filter(#[from] sys::FilterError),
    /// No socket pair.
    #[error("cannot make a socket pair")]
    Socket(#[source] std::io::Error),
}

/// The two sides.
#[derive(Debug)]
pub enum Side {
    /// The child: it traces the process with this pid.
    Tracer(Channel, Pid),
    /// The process that becomes the workload; its tracer has this pid.
    Workload(Channel, Pid),
}

/// The end of the socket pair.
#[derive(Debug)]
pub struct Channel(UnixStream);

/// How the workload may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The tracer has said why it must not begin.
    Refused,
    /// It is traced, and a filter chooses the calls that stop.
    Traced,
    /// It is traced, and every call stops: no filter was wanted, or the kernel gave this error.
    Unfiltered(Option<SeccompError>),
}

/// Whether a filter chooses the calls that stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Every call stops.
    Bare,
    /// The filter chooses.
    Filtered,
}

/// Makes the tracer's process.
pub fn split() -> Result<Side, LaunchError> {
    let (ours, theirs) = UnixStream::pair().map_err(LaunchError::Socket)?;
    let workload = Pid::this();
    match fork_unseen().map_err(LaunchError::Fork)? {
        Fork::Child => Ok(Side::Tracer(Channel(theirs), workload)),
        Fork::Parent(tracer) => Ok(Side::Workload(Channel(ours), tracer)),
    }
}

impl Channel {
    /// The descriptor, for the list of those that stay open.
    pub fn descriptor(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.0)
    }

    fn say(&mut self, word: &[u8]) -> Result<(), LaunchError> {
        self.0.write_all(word).map_err(|_| LaunchError::Lost)
    }

    fn hear<const N: usize>(&mut self) -> Result<[u8; N], LaunchError> {
        let mut word = [0; N];
        self.0
            .read_exact(&mut word)
            .map_err(|_| LaunchError::Lost)?;
        Ok(word)
    }

    /// The workload's part, up to its exec.
    pub fn be_traced(&mut self, tracer: Pid) -> Result<Beginning, LaunchError> {
        sys::allow_tracer(tracer);
        self.say(&[GO])?;
        if self.hear()? != [SEIZED] {
            return Ok(Beginning::Refused);
        }
        // Each signal would stop us until the tracer looks: many of them, and we got nowhere.
        let _hush = sys::Hush::signals().map_err(LaunchError::Seize)?;
        match i32::from_ne_bytes(self.hear()?) {
            0 => {}
            errno => return Err(LaunchError::Seize(Errno::from_raw(errno))),
        }
        let mut program = vec![0; usize::from(u16::from_ne_bytes(self.hear()?))];
        self.0
            .read_exact(&mut program)
            .map_err(|_| LaunchError::Lost)?;
        let beginning = if program.is_empty() {
            Beginning::Unfiltered(None)
        } else {
            match Filter::from_bytes(&program)?.install() {
                Ok(()) => Beginning::Traced,
                Err(error) => Beginning::Unfiltered(Some(error)),
            }
        };
        self.say(&[match beginning {
            Beginning::Traced => FILTERED,
            Beginning::Refused | Beginning::Unfiltered(_) => BARE,
        }])?;
        let [_watching] = self.hear()?;
        Ok(beginning)
    }

    /// The tracer's part when it must not begin, of which it has said why.
    pub fn refuse(mut self) {
        // Without this word the other side takes us for lost.
        drop(self.say(&[REFUSED]));
    }

    /// The tracer's part; without a filter every call stops. Gives up the channel: nothing of it
    /// stays open.
    pub fn trace(mut self, workload: Pid, filter: Option<&Filter>) -> Result<Watched, LaunchError> {
        let [_go] = self.hear()?;
        let seized = sys::seize(workload.leader());
        let mut word = vec![SEIZED];
        word.extend(
            seized
                .map_or_else(|errno| errno as i32, |()| 0)
                .to_ne_bytes(),
        );
        if seized.is_ok() {
            let program = filter.map(Filter::to_bytes).unwrap_or_default();
            // The kernel takes 4096 instructions of eight bytes, and so does `Filter`.
            let length = u16::try_from(program.len()).unwrap_or(0);
            word.extend_from_slice(&length.to_ne_bytes());
            word.extend_from_slice(program.get(..usize::from(length)).unwrap_or_default());
        }
        self.say(&word)?;
        seized.map_err(LaunchError::Seize)?;
        let watched = if self.hear_from_traced()? == FILTERED {
            Watched::Filtered
        } else {
            sys::interrupt(workload.leader()).map_err(LaunchError::Seize)?;
            Watched::Bare
        };
        self.say(&[WATCHING])?;
        Ok(watched)
    }

    /// As [`Self::hear`], while the other side is traced: every signal that it gets stops it, its
    /// end too, and it says nothing until it is let go.
    fn hear_from_traced(&mut self) -> Result<u8, LaunchError> {
        self.0
            .set_read_timeout(Some(LOOK_EVERY))
            .map_err(LaunchError::Socket)?;
        let mut word = [0];
        loop {
            match self.0.read(&mut word) {
                Ok(0) => return Err(LaunchError::Lost),
                Ok(_) => return Ok(word[0]),
                Err(error) if is_timeout(&error) => let_go()?,
                Err(_) => return Err(LaunchError::Lost),
            }
        }
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, WouldBlock};
    matches!(error.kind(), Interrupted | WouldBlock)
}

/// Resumes what stands still. An error means that nobody is left.
fn let_go() -> Result<(), LaunchError> {
    loop {
        match sys::wait(false) {
            Ok(Some(Wait::Stopped(stopped))) => {
                let order = without_understanding(&stopped);
                stopped.resume(order).map_err(LaunchError::Seize)?;
            }
            Ok(Some(Wait::Gone(..))) | Err(_) => return Err(LaunchError::Lost),
            Ok(None) => return Ok(()),
        }
    }
}
