//! From a report of the kernel to a stop that the brain knows.

use event::EventType;
use sys::{Call, CallStop, Errno, ExitStatus, ForkKind, How, Pid, Resume, Stopped, Tid};

use super::Watch;
use crate::brain::{Child, Kin, Next, Pace, Stop};
use crate::filter::UNKNOWN_CONVENTION;
use crate::table::{Row, row};

const CLONE_THREAD: u64 = 0x0001_0000;
const CLONE_PARENT: u64 = 0x0000_8000;

impl Watch {
    /// Understands a stop; an error means that the thread was killed meanwhile.
    pub(super) fn understand(&mut self, stopped: &Stopped) -> Result<Next, Errno> {
        if let Some(next) = self.intercept(stopped)? {
            return Ok(next);
        }
        if let Some(next) = self.go_on_spreading(stopped)? {
            return Ok(next);
        }
        if let Some(next) = self.go_on_taking(stopped)? {
            return Ok(next);
        }
        let tid = stopped.tid();
        let (stop, row) = match stopped.how() {
            How::Exec => (
                Stop::Exec {
                    former: self.former(stopped)?,
                },
                None,
            ),
            How::Exit => {
                self.last_status = (stopped.message()? & 0xffff) as i32;
                (Stop::Ending, None)
            }
            How::Fork(kind) => (Stop::Forked(self.child(stopped, kind)?), None),
            How::Group(_) => (Stop::Group, None),
            How::Signal(signal) => (Stop::Signal(signal), None),
            How::Trap => {
                self.spare_its_end(stopped);
                (Stop::Trap, None)
            }
            How::Seccomp | How::Syscall => match stopped.call()? {
                CallStop::Seccomp(call, data) => match filtered(&call, data) {
                    Some(row) => (Stop::Entry(call), Some(row)),
                    None => return self.not_ours(stopped, data),
                },
                // A filter was put into it since it was told to stop here, and chooses from now on.
                CallStop::Entry(_) if self.brain.pace(tid) == Pace::Filtered => {
                    return Ok(Next::Resume(Resume::Continue(None)));
                }
                CallStop::Entry(call) => match self.by_number.get(call.abi, call.number) {
                    Some(row) => (Stop::Entry(call), Some(row)),
                    None => return Ok(Next::Resume(Resume::ToSyscall(None))),
                },
                CallStop::Exit(result) => (Stop::Exit(result), None),
                CallStop::Outside { .. } => return Ok(Next::Resume(Resume::Continue(None))),
            },
        };
        let step = self.brain.on_stop(tid, stop);
        for learnt in step.learnt {
            self.learn(stopped, learnt);
        }
        self.release(step.release);
        Ok(match (step.next, stop, row) {
            (next, Stop::Exit(result), _) => self.take_back(stopped, result)?.unwrap_or(next),
            (Next::Examine, Stop::Entry(call), Some(row)) => {
                let decision = self.examine(stopped, row, call);
                Next::Resume(self.brain.decided(tid, call, decision))
            }
            (next, ..) => next,
        })
    }

    /// The stop before the end of a process shows its last facts to rules, and gets alerts away
    /// while the container's first process still lives. Where neither matters it is spared: the end
    /// is reported all the same.
    pub(super) fn spare_its_end(&self, stopped: &Stopped) {
        let tid = stopped.tid();
        let root = self.world.processes.root();
        // Further descendants inherit what was asked for here.
        let is_child_of_root = self.brain.leader(tid) == Some(tid)
            && self.world.processes.parent(tid.as_leader()) == Some(root);
        if is_child_of_root
            && !self.policy.watched.contains(EventType::Procexit)
            && let Err(error) = stopped.end_without_stop()
        {
            // It was killed meanwhile, or goes on as it is, which costs a stop.
            tracing::debug!(thread = tid.0, error = error.desc(), "Stops at its end.");
        }
    }

    /// A stop that a filter of the workload asked for. Without us there would be no tracer, and the
    /// call would fail.
    fn not_ours(&mut self, stopped: &Stopped, data: u16) -> Result<Next, Errno> {
        if data == UNKNOWN_CONVENTION {
            if let Some(alert) = self.notices.unknown_convention(&self.world, stopped.tid()) {
                self.outbox.alert(&alert);
            }
        } else {
            stopped.refuse(Errno::ENOSYS)?;
        }
        let pace = self.brain.pace(stopped.tid());
        Ok(Next::Resume(pace.apply(Resume::Continue(None))))
    }

    /// The thread that executed: the leader's number is the only one from now on. The kernel need not
    /// be asked about a process that had no other thread.
    fn former(&self, stopped: &Stopped) -> Result<Tid, Errno> {
        let tid = stopped.tid();
        if !self.brain.has_company(tid) {
            return Ok(tid);
        }
        let former = i32::try_from(stopped.message()?);
        Ok(former.map_or(tid, Tid))
    }

    /// What the maker's registers say of the thread that it made.
    fn child(&self, stopped: &Stopped, kind: ForkKind) -> Result<Child, Errno> {
        let tid = Tid(i32::try_from(stopped.message()?).unwrap_or(0));
        let call = stopped.registers_call()?;
        let name = self
            .by_number
            .get(call.abi, call.number)
            .map(|row| row.call);
        let maker = self.leader(stopped.tid());
        let kin = match name {
            Some("clone") => kin(call.args[0]),
            // Its flags are in memory, which another thread may have changed and which a process
            // that is not dumpable does not show: the kernel says what came of it.
            Some("clone3") if sys::is_thread_of(tid, maker) => Kin::Thread,
            Some("clone3") => {
                let mut flags = [0];
                match stopped.memory().read_words(call.args[0], 8, &mut flags) {
                    Ok(_) => kin(flags[0] & !CLONE_THREAD),
                    Err(_) => Kin::Child,
                }
            }
            // Calls by a convention that no table knows make threads as well.
            _ if kind == ForkKind::Clone && sys::is_thread_of(tid, maker) => Kin::Thread,
            _ => Kin::Child,
        };
        Ok(Child { tid, kind, kin })
    }

    /// A thread is gone.
    pub(super) fn gone(&mut self, tid: Tid, status: ExitStatus) {
        if tid == self.world.processes.root().leader() {
            self.root_status = Some(status);
        }
        self.last_status = match status {
            ExitStatus::Code(code) => (code & 0xff) << 8,
            ExitStatus::Signal(signal) => signal.0,
        };
        self.held.remove(&tid);
        self.spreads.remove(&tid);
        self.takings.calls.remove(&tid);
        let step = self.brain.on_gone(tid);
        for learnt in step.learnt {
            self.learn_without_stop(learnt);
        }
        self.release(step.release);
    }

    /// The process of a thread that nobody told of.
    pub(super) fn adopt(&mut self, tid: Tid) {
        let leader = crate::process::tgid_and_tracer(tid).map_or(Pid(tid.0), |(pid, _)| pid);
        let pace = self.brain.pace(self.world.processes.root().leader());
        self.brain.adopt(tid, leader.leader(), pace);
        if leader.leader() == tid {
            self.world.processes.adopt(leader, sys::now());
        }
    }
}

/// What flags say about a new thread.
const fn kin(flags: u64) -> Kin {
    if flags & CLONE_THREAD != 0 {
        Kin::Thread
    } else if flags & CLONE_PARENT != 0 {
        Kin::Sibling
    } else {
        Kin::Child
    }
}

/// The row that the filter chose, if it is our filter that chose.
fn filtered(call: &Call, data: u16) -> Option<&'static Row> {
    let row = row(data)?;
    let is_ours = row
        .numbers
        .under(call.abi)
        .any(|number| number == call.number);
    // The workload's own filter may ask for a tracer as well, with data of its own.
    is_ours.then_some(row)
}
