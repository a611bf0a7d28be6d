//! A descriptor on a file of the tracer, got by a path that did not show it, is taken back.
//!
//! What a path leads to is known once the file is open. Then the thread itself closes it before it
//! sees it, and its call fails as if it had been refused at once. Another thread that guesses the
//! number has a few microseconds to use it; the attempt is told in any case.

use sys::{Abi, Call, CallStop, Errno, How, Pid, Resume, Stopped, Tid};

use super::Watch;
use crate::brain::{Next, RESTARTS};
use crate::guard::{self, Opening, Told};
use crate::table::Row;

/// How far it is.
#[derive(Debug)]
pub(super) enum Taking {
    /// The file is being opened by this call.
    Opening(Call),
    /// The descriptor is being closed. The call was its opening; the mask is the signals that the
    /// thread blocks by itself.
    Closing { opening: Call, mask: u64 },
}

/// What refused calls get.
const REFUSED: i64 = -(Errno::EPERM as i64);

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
            Opening::Refused => self.refuse(stopped, Errno::EPERM, pid, Told::Tamper),
            Opening::Fine if !self.has_aliases => {}
            Opening::Doubtful | Opening::Fine => {
                self.takings.insert(tid, Taking::Opening(*call));
            }
        }
    }

    /// Whether the exit of the thread's call must be seen.
    pub(super) fn is_taken_in_doubt(&self, tid: Tid) -> bool {
        !self.takings.is_empty() && self.takings.contains_key(&tid)
    }

    /// At the exit of a call.
    pub(super) fn take_back(
        &mut self,
        stopped: &Stopped,
        result: i64,
    ) -> Result<Option<Next>, Errno> {
        let tid = stopped.tid();
        // A call that the kernel will restart is still under way.
        if self.takings.is_empty() || RESTARTS.contains(&result) {
            return Ok(None);
        }
        let Some(Taking::Opening(opening)) = self.takings.remove(&tid) else {
            return Ok(None);
        };
        if result < 0 || !guard::opened(tid, result, self.tracer) {
            return Ok(None);
        }
        self.tell(self.leader(tid), Told::Tamper);
        let mask = stopped.signal_mask()?;
        let mut close = Call {
            number: number_of_close(opening.abi),
            ..opening
        };
        close.args[0] = result.cast_unsigned();
        stopped.call_again(&close)?;
        stopped.set_signal_mask(u64::MAX)?;
        self.takings.insert(tid, Taking::Closing { opening, mask });
        Ok(Some(Next::Resume(Resume::ToSyscall(None))))
    }

    /// A stop of a thread that closes a descriptor for us.
    pub(super) fn go_on_taking(&mut self, stopped: &Stopped) -> Result<Option<Next>, Errno> {
        let tid = stopped.tid();
        if self.takings.is_empty() {
            return Ok(None);
        }
        let Some(Taking::Closing { opening, mask }) = self.takings.get(&tid) else {
            return Ok(None);
        };
        let (opening, mask) = (*opening, *mask);
        let order = match stopped.how() {
            How::Seccomp | How::Syscall => match stopped.call()? {
                CallStop::Exit(_) => {
                    self.takings.remove(&tid);
                    stopped.leave_call(&opening, REFUSED)?;
                    stopped.set_signal_mask(mask)?;
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
                self.takings.remove(&tid);
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
