//! `kill(-1)`: everybody but the tracer.
//!
//! The kernel would signal the tracer as well, and with it everything would end. So the call is
//! spread: the thread itself makes one call for each process that it means, one after the other,
//! with its own rights and as the sender of the signals. It sees one call with one result.

use sys::{Call, CallStop, Errno, How, Pid, Resume, Stopped};

use super::Watch;
use crate::brain::Next;

/// A call that is being spread.
#[derive(Debug)]
pub(super) struct Spread {
    call: Call,
    /// Processes that are still to be signalled.
    targets: Vec<Pid>,
    /// What the program will see: success if any of them was signalled.
    result: i64,
}

impl Watch {
    /// At the entry of a `kill(-1)`.
    pub(super) fn spread(&mut self, stopped: &Stopped, call: Call) -> Result<(), Errno> {
        let caller = self.leader(stopped.tid());
        let mut targets = everybody().unwrap_or_else(|| self.world.processes.living());
        targets.retain(|pid| *pid != Pid(1) && *pid != caller && *pid != self.tracer);
        let Some(first) = targets.pop() else {
            return stopped.refuse(Errno::ESRCH);
        };
        stopped.set_argument(0, u64::from(first.0.cast_unsigned()))?;
        let spread = Spread {
            call,
            targets,
            result: -i64::from(Errno::ESRCH as i32),
        };
        self.spreads.insert(stopped.tid(), spread);
        Ok(())
    }

    /// A stop of a thread whose call is being spread.
    pub(super) fn go_on_spreading(&mut self, stopped: &Stopped) -> Result<Option<Next>, Errno> {
        let tid = stopped.tid();
        if self.spreads.is_empty() || !self.spreads.contains_key(&tid) {
            return Ok(None);
        }
        let is_at_call = matches!(stopped.how(), How::Seccomp | How::Syscall);
        let result = match is_at_call.then(|| stopped.call()).transpose()? {
            Some(CallStop::Exit(result)) => result,
            Some(_) => return Ok(Some(Next::Resume(Resume::ToSyscall(None)))),
            None => return Ok(None),
        };
        let Some(spread) = self.spreads.get_mut(&tid) else {
            return Ok(None);
        };
        if result == 0 || (spread.result != 0 && result != -i64::from(Errno::ESRCH as i32)) {
            spread.result = result;
        }
        let order = if let Some(next) = spread.targets.pop() {
            let mut call = spread.call;
            call.args[0] = u64::from(next.0.cast_unsigned());
            stopped.call_again(&call)?;
            Resume::ToSyscall(None)
        } else {
            stopped.set_result(spread.result)?;
            // The program's registers are as they were, but for the result.
            stopped.set_argument(0, spread.call.args[0])?;
            self.spreads.remove(&tid);
            self.brain.pace(tid).apply(Resume::Continue(None))
        };
        Ok(Some(Next::Resume(order)))
    }
}

/// Everybody in the pid namespace, if `/proc` is there to tell.
fn everybody() -> Option<Vec<Pid>> {
    let entries = std::fs::read_dir("/proc").ok()?;
    let pids: Vec<Pid> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok().map(Pid))
        .collect();
    (!pids.is_empty()).then_some(pids)
}
