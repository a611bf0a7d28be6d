//! A call at its entry: is it allowed, does anybody want it, must its result be awaited?

use event::EventType;
use sys::{Call, Errno, Pid, Stopped, Tid};

use super::{Doubt, Pending, SAMPLE, Watch};
use crate::brain::{Decision, Pace};
use crate::decode::{self, MAX_PATH};
use crate::guard::{self, Told, Verdict};
use crate::judge::Judgement;
use crate::live::{Live, Moment};
use crate::memo::path_register;
use crate::table::{ByNumber, FdOf, Guard, Row};

impl Watch {
    pub(super) fn examine(
        &mut self,
        stopped: &Stopped,
        row: &'static Row,
        call: Call,
    ) -> Decision<Pending> {
        let (row, call) = meant(&self.by_number, stopped, row, call);
        let tid = stopped.tid();
        let pid = self.leader(tid);
        if pid == self.world.processes.root() && self.is_launching {
            return self.launching(row, call, stopped);
        }
        if row.guard != Guard::Never {
            self.guard(stopped, row, &call, pid);
        }
        let Some(kind) = row.event else {
            return self.after_guard(stopped);
        };
        let is_exec = matches!(kind, EventType::Execve | EventType::Execveat);
        if !is_exec && !self.policy.watched.contains(kind) {
            return self.after_guard(stopped);
        }
        let num = self.world.next_event();
        if is_exec {
            let moment = Moment::entry(row, kind, call, tid, pid).numbered(num);
            return Decision::Return(Box::new(moment));
        }
        let read = self.read_path(stopped, row, &call, pid);
        let base = read.and_then(|_| decode::base(row, &call, tid, &self.path));
        let base = base.as_deref();
        let opens = row.fd == FdOf::Opened;
        match read {
            Some(_) if opens => self.guard_opening(stopped, (row, &call, base), pid),
            None if opens => self.look_once_open(tid, call),
            _ => {}
        }
        let key = read.and_then(|_| {
            let state = self.world.processes.state(pid)?;
            self.memo.key(row, &call, state, (base, &self.path))
        });
        let is_doubted = opens && (self.is_taken_in_doubt(tid) || self.doubts(tid));
        let is_asked = self.policy.events || is_doubted;
        if !is_asked && key.is_some_and(|key| self.memo.is_dull(key)) {
            return Decision::Go;
        }
        let mut moment = Moment::entry(row, kind, call, tid, pid).numbered(num);
        if let Some(register) = read {
            moment.read_before(register, &self.path, base.map(<[u8]>::to_vec));
        }
        let judgement = self.judge.judge(&Live::new(&moment, &self.world));
        let is_awaited = match judgement {
            Judgement::No => {
                if let Some(key) = key.filter(|_| !self.world.processes.is_volatile()) {
                    self.memo.note(key);
                }
                false
            }
            Judgement::Undecided => true,
            // What a descriptor leads to is certain only when it is there.
            Judgement::Match(_) if moment.opens() => true,
            Judgement::Match(alerts) => {
                self.alert(alerts);
                moment.settle();
                false
            }
        };
        if is_awaited || is_asked {
            moment.keep();
            return self.awaited(stopped, moment);
        }
        self.after_guard(stopped)
    }

    /// Whether another thread may have changed the path since it was read, and that is worth a look.
    fn doubts(&mut self, tid: Tid) -> bool {
        match self.policy.doubt {
            Doubt::Always => true,
            Doubt::Sampled => self.brain.has_company(tid) && self.dice.throw(SAMPLE),
        }
    }

    /// Looks after the tracer's own safety.
    fn guard(&mut self, stopped: &Stopped, row: &Row, call: &Call, pid: Pid) {
        match guard::check(stopped, row, call, self.tracer, self.policy.io_uring) {
            Verdict::Pass => {}
            // Where each call stops at its entry, no filter comes before us.
            Verdict::Listener if self.brain.pace(stopped.tid()) == Pace::Every => {
                self.tell(pid, Told::Listener);
            }
            Verdict::Listener => self.refuse(stopped, Errno::EBUSY, pid, Told::ListenerRefused),
            Verdict::Spread => {
                if let Err(error) = self.spread(stopped, *call) {
                    tracing::error!(error = error.desc(), "Cannot spare the tracer a signal.");
                }
            }
            Verdict::Wait => {
                if let Err(error) = self.hide_from_wait(stopped, row, call, pid) {
                    tracing::debug!(error = error.desc(), "Cannot change a call.");
                }
            }
            Verdict::Alias => self.takings.has_aliases = true,
            Verdict::Tell(what) => self.tell(pid, what),
            Verdict::Refuse(errno, what) => self.refuse(stopped, errno, pid, what),
        }
    }

    pub(super) fn refuse(&mut self, stopped: &Stopped, errno: Errno, pid: Pid, what: Told) {
        Self::make_fail(stopped, errno);
        self.tell(pid, what);
    }

    /// Lets the call fail with this error.
    pub(super) fn make_fail(stopped: &Stopped, errno: Errno) {
        if let Err(error) = stopped.refuse(errno) {
            tracing::error!(error = error.desc(), "Cannot refuse a call.");
        }
    }

    /// A thread whose call is being spread or was changed stops at its exit.
    fn after_guard(&self, stopped: &Stopped) -> Decision<Pending> {
        let tid = stopped.tid();
        if self.spreads.contains_key(&tid) || self.is_taken_in_doubt(tid) {
            Decision::Exit
        } else {
            Decision::Go
        }
    }

    /// The result of a call is needed. While a call is spread its exits belong to the spreading;
    /// it is told as it began.
    fn awaited(&mut self, stopped: &Stopped, moment: Moment) -> Decision<Pending> {
        if self.spreads.contains_key(&stopped.tid()) {
            self.finished(&moment);
            return Decision::Exit;
        }
        Decision::Return(Box::new(moment))
    }

    /// Reads the path of a call that has one, once and for all. Gives back its register.
    fn read_path(&mut self, stopped: &Stopped, row: &Row, call: &Call, pid: Pid) -> Option<u8> {
        let register = path_register(row)?;
        let address = call.args.get(usize::from(register)).copied()?;
        let read = stopped
            .memory()
            .read_string(address, MAX_PATH, &mut self.path);
        if matches!(read, Err(Errno::EPERM | Errno::EACCES)) {
            self.tell(pid, Told::Unreadable);
        }
        // A path that is cut by memory that cannot be read is not the one that the kernel sees.
        let is_whole = read == Ok(true) || (read.is_ok() && self.path.len() >= MAX_PATH);
        (address != 0 && is_whole).then_some(register)
    }

    /// Before its first exec the workload is still this program, which nobody wants to hear of.
    fn launching(&self, row: &'static Row, call: Call, stopped: &Stopped) -> Decision<Pending> {
        match row.event {
            Some(kind @ (EventType::Execve | EventType::Execveat)) => {
                let tid = stopped.tid();
                let moment = Moment::entry(row, kind, call, tid, self.leader(tid));
                Decision::Return(Box::new(moment))
            }
            _ => Decision::Go,
        }
    }

    pub(super) fn tell(&mut self, pid: Pid, what: Told) {
        if let Some(alert) = self.notices.told(&self.world, pid, what) {
            self.outbox.alert(&alert);
        }
    }
}

/// 32-bit programs may reach socket calls through one call that names another, with the arguments
/// in memory.
fn meant(
    by_number: &ByNumber,
    stopped: &Stopped,
    row: &'static Row,
    call: Call,
) -> (&'static Row, Call) {
    if row.call != "socketcall" {
        return (row, call);
    }
    let named = usize::try_from(call.args[0]).ok();
    let Some((name, count)) = named.and_then(|at| SOCKET_CALLS.get(at)).copied() else {
        return (row, call);
    };
    let Some(meant) = by_number.named(name) else {
        return (row, call);
    };
    let mut args = [0; 6];
    let words = args.get_mut(..count).unwrap_or_default();
    if stopped.memory().read_words(call.args[1], 4, words).is_err() {
        return (row, call);
    }
    (meant, Call { args, ..call })
}

/// `SYS_SOCKET` (1) and so on, with the number of their arguments (`linux/net.h`).
const SOCKET_CALLS: &[(&str, usize)] = &[
    ("", 0),
    ("socket", 3),
    ("bind", 3),
    ("connect", 3),
    ("listen", 2),
    ("accept", 3),
    ("getsockname", 3),
    ("getpeername", 3),
    ("socketpair", 4),
    ("send", 4),
    ("recv", 4),
    ("sendto", 6),
    ("recvfrom", 6),
    ("shutdown", 2),
    ("setsockopt", 5),
    ("getsockopt", 5),
    ("sendmsg", 3),
    ("recvmsg", 3),
    ("accept4", 4),
    ("recvmmsg", 5),
    ("sendmmsg", 4),
];
