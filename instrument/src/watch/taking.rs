//! What is put right at the exit of a call.
//!
//! A descriptor on a file of the tracer, got by a path that did not show it, is taken back.
//!
//! What a path leads to is known once the file is open. Then the thread itself closes it before it
//! sees it, and its call fails as if it had been refused at once. Another thread that guesses the
//! number has a few microseconds to use it; the attempt is told in any case.

use sys::{Abi, Call, CallStop, Errno, How, Pid, Resume, Stopped, Tid};

use super::Watch;
use crate::brain::{Next, RESTARTS};
use crate::guard::{self, Opening, Told};
use crate::ids::Map;
use crate::table::Row;

/// What is to be put right, and what makes that necessary.
#[derive(Debug, Default)]
pub(super) struct Takings {
    /// Calls whose exits are ours.
    pub(super) calls: Map<Tid, Taking>,
    /// Whether any path may lead to the tracer's files, by a link that the workload made.
    pub(super) has_aliases: bool,
    /// Whether the first process made a child that only waiting for clones finds.
    pub(super) has_clones: bool,
}

/// How far it is.
#[derive(Debug)]
pub(super) enum Taking {
    /// The file is being opened by this call.
    Opening(Call),
    /// The descriptor is being closed. The call was its opening, which gets this error; the mask is
    /// the signals that the thread blocks by itself.
    Closing {
        opening: Call,
        mask: u64,
        error: Errno,
    },
    /// The call was changed; its own arguments are to be put back.
    Restoring { own: Call },
}

/// What the opening of a guarded file gets.
const REFUSED: Errno = Errno::EPERM;
/// What it gets of a file that everyday programs look at: as with a process of another user.
const HIDDEN: Errno = Errno::EACCES;

impl Watch {
    /// At the entry of a call that opens a file, whose path was read.
    pub(super) fn guard_opening(
        &mut self,
        stopped: &Stopped,
        (row, call, base): (&Row, &Call, Option<&[u8]>),
        pid: Pid,
    ) {
        let tid = stopped.tid();
        match guard::opening(row, call, &self.path, base, self.tracer) {
            Opening::Hidden => Self::make_fail(stopped, HIDDEN),
            Opening::Refused => self.refuse(stopped, REFUSED, pid, Told::Tamper),
            Opening::Fine if !self.takings.has_aliases => {}
            Opening::Doubtful | Opening::Fine => {
                self.look_once_open(tid, *call);
            }
        }
    }

    /// At the entry of a call that opens a file whose path cannot be read.
    pub(super) fn look_once_open(&mut self, tid: Tid, call: Call) {
        self.takings.calls.insert(tid, Taking::Opening(call));
    }

    /// Whether the exit of the thread's call must be seen.
    pub(super) fn is_taken_in_doubt(&self, tid: Tid) -> bool {
        !self.takings.calls.is_empty() && self.takings.calls.contains_key(&tid)
    }

    /// At the exit of a call.
    pub(super) fn take_back(
        &mut self,
        stopped: &Stopped,
        result: i64,
    ) -> Result<Option<Next>, Errno> {
        let tid = stopped.tid();
        // A call that the kernel will restart is still under way.
        if self.takings.calls.is_empty() || RESTARTS.contains(&result) {
            return Ok(None);
        }
        let Some(Taking::Opening(opening)) = self.takings.calls.remove(&tid) else {
            return Ok(None);
        };
        if result < 0 {
            return Ok(None);
        }
        let error = match guard::opened(tid, result, self.tracer) {
            Opening::Doubtful | Opening::Fine => return Ok(None),
            Opening::Hidden => HIDDEN,
            Opening::Refused => {
                self.tell(self.leader(tid), Told::Tamper);
                REFUSED
            }
        };
        let mask = stopped.signal_mask()?;
        let mut close = Call {
            number: number_of_close(opening.abi),
            ..opening
        };
        close.args[0] = result.cast_unsigned();
        stopped.call_again(&close)?;
        stopped.set_signal_mask(u64::MAX)?;
        let closing = Taking::Closing {
            opening,
            mask,
            error,
        };
        self.takings.calls.insert(tid, closing);
        Ok(Some(Next::Resume(Resume::ToSyscall(None))))
    }

    /// A stop of a thread whose call ends as we want it.
    pub(super) fn go_on_taking(&mut self, stopped: &Stopped) -> Result<Option<Next>, Errno> {
        let tid = stopped.tid();
        if self.takings.calls.is_empty() {
            return Ok(None);
        }
        let (own, closing) = match self.takings.calls.get(&tid) {
            Some(Taking::Closing {
                opening,
                mask,
                error,
            }) => (*opening, Some((*mask, *error))),
            Some(Taking::Restoring { own }) => (*own, None),
            Some(Taking::Opening(_)) | None => return Ok(None),
        };
        let order = match stopped.how() {
            How::Seccomp | How::Syscall => match stopped.call()? {
                CallStop::Exit(result) => {
                    self.takings.calls.remove(&tid);
                    let result = closing.map_or(result, |(_, error)| -i64::from(error as i32));
                    stopped.leave_call(&own, result)?;
                    if let Some((mask, _)) = closing {
                        stopped.set_signal_mask(mask)?;
                    }
                    self.brain.pace(tid).apply(Resume::Continue(None))
                }
                CallStop::Entry(_) | CallStop::Outside { .. } | CallStop::Seccomp(..) => {
                    Resume::ToSyscall(None)
                }
            },
            How::Group(_) => Resume::Listen,
            How::Signal(signal) => Resume::ToSyscall(Some(signal)),
            How::Trap => Resume::ToSyscall(None),
            How::Exec | How::Exit | How::Fork(_) => {
                self.takings.calls.remove(&tid);
                return Ok(None);
            }
        };
        Ok(Some(Next::Resume(order)))
    }
}

const fn number_of_close(abi: Abi) -> u32 {
    match abi {
        Abi::Aarch64 => 57,
        Abi::I386 => 6,
        Abi::Other | Abi::X32 | Abi::X86_64 => 3,
    }
}
