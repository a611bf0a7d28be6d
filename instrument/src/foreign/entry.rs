//! Taking over what the lookout found: the tracer's part.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use event::{EventType, Priority};
use sys::{CallStop, Errno, Filter, How, Pid, Resume, Stopped, Tid};

use super::injection::{Act, Injection, Outcome, image};
use super::lookout::Found;
use super::standing::{Filtering, Standing};
use crate::brain::{Next, Pace};
use crate::live::Moment;
use crate::watch::Watch;

/// Threads that a process makes while its threads are being seized are seized as well, but a
/// process that makes them faster than that must not keep the tracer for itself.
const MAX_PASSES: usize = 16;

/// A process must refuse for so many nanoseconds before that is told: the runtime's own program
/// refuses until it has become what it was asked to become.
const REFUSAL_TOLD: u64 = 2_000_000_000;

/// More processes than this are not remembered.
const MAX_REMEMBERED: usize = 4096;

/// A filter on its way into a process.
#[derive(Debug)]
struct Underway {
    injection: Injection,
    /// The signals that the thread blocks by itself.
    mask: u64,
}

/// What became of an attempt to seize a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seized {
    Already,
    Gone,
    Now,
}

/// What entered the container, and what is being done about it. By default nobody is looked for.
#[derive(Debug, Default)]
pub struct Entry {
    found: Arc<Found>,
    /// The filter as bytes; empty when every call of everybody stops.
    program: Vec<u8>,
    /// How many filters everybody here has from the runtime.
    usual_filters: Option<u32>,
    /// Processes that get the filter at the next call of one of their threads.
    awaited: HashSet<Pid>,
    underway: HashMap<Tid, Underway>,
    /// Processes that cannot be seized, and since when; `None` once that was told.
    refusals: HashMap<Pid, Option<u64>>,
}

impl Entry {
    /// Takes what is `found`; a filter is put where it may be.
    pub fn new(found: Arc<Found>, filter: Option<&Filter>) -> Self {
        Self {
            found,
            program: filter.map(Filter::to_bytes).unwrap_or_default(),
            usual_filters: Standing::of(Pid::this().0).and_then(|s| s.filters),
            awaited: HashSet::new(),
            underway: HashMap::new(),
            refusals: HashMap::new(),
        }
    }
}

impl Watch {
    /// Seizes what was found since. Costs one load when there is nothing.
    pub(crate) fn welcome(&mut self) {
        for pid in self.entry.found.take() {
            if self.brain.leader(pid.leader()).is_none() {
                self.enter(pid);
            }
        }
    }

    fn enter(&mut self, pid: Pid) {
        match self.seize_all(pid) {
            Ok(true) => self.entered(pid),
            // It has ended.
            Ok(false) => {}
            Err(errno) => self.refused(pid, errno),
        }
    }

    /// Seizes every thread of a process. False when none is left.
    fn seize_all(&mut self, pid: Pid) -> Result<bool, Errno> {
        let mut is_any = false;
        for _ in 0..MAX_PASSES {
            let mut is_complete = true;
            for tid in threads(pid) {
                match self.seize(tid, pid) {
                    Ok(Seized::Already | Seized::Gone) => {}
                    Ok(Seized::Now) => (is_any, is_complete) = (true, false),
                    Err(errno) if is_any => {
                        tracing::warn!(thread = tid.0, error = errno.desc(), "Not seized.");
                    }
                    Err(errno) => return Err(errno),
                }
            }
            if is_complete {
                break;
            }
        }
        Ok(is_any)
    }

    fn seize(&mut self, tid: Tid, pid: Pid) -> Result<Seized, Errno> {
        if self.brain.leader(tid).is_some() {
            return Ok(Seized::Already);
        }
        match sys::seize(tid) {
            Ok(()) => {}
            Err(Errno::ESRCH) => return Ok(Seized::Gone),
            // Made meanwhile by a thread that is seized, and so are its children.
            Err(Errno::EPERM) if is_ours(tid) => return Ok(Seized::Already),
            Err(errno) => return Err(errno),
        }
        self.brain.seized(tid, pid.leader(), Pace::Every);
        // A thread that waits inside of a call would not stop before that returns. Should it have
        // ended since, the next wait says so.
        if let Err(errno) = sys::interrupt(tid) {
            tracing::debug!(thread = tid.0, error = errno.desc(), "Not interrupted.");
        }
        Ok(Seized::Now)
    }

    fn entered(&mut self, pid: Pid) {
        self.entry.refusals.remove(&pid);
        self.world.processes.adopt(pid, sys::now());
        self.tell_entry(pid);
        // Whoever started it did so unseen: for the rules it executes its program at this moment.
        if self.policy.watched.contains(EventType::Execve) {
            self.happened(Moment::executed(EventType::Execve, pid));
        }
    }

    /// A process that stops at every call executed another program: it may be of another kind by
    /// now. The runtime's own program, as which most come in, takes no filter.
    pub(crate) fn reconsider(&mut self, pid: Pid) {
        if self.brain.pace(pid.leader()) == Pace::Every
            && self.filtering(pid) == Some(Filtering::Allowed)
        {
            self.entry.awaited.insert(pid);
        }
    }

    fn tell_entry(&mut self, pid: Pid) {
        let filtering = self.filtering(pid);
        if filtering == Some(Filtering::Allowed) {
            self.entry.awaited.insert(pid);
        }
        // It is enough to tell of the shell; what it had started before it was found is its own.
        let parent = Standing::of(pid.0).map_or(0, |standing| standing.parent);
        if self.brain.leader(Tid(parent)).is_some() {
            return;
        }
        let text = match filtering {
            None => "every call of it stops, as in all of the container",
            Some(Filtering::Allowed) => "the filter is put into it",
            Some(Filtering::NoRight) => {
                "every call of it stops: it has neither no_new_privs nor CAP_SYS_ADMIN, \
                 so that the kernel takes no filter"
            }
            Some(Filtering::OwnFilters) => {
                "every call of it stops: its seccomp filters are not those of the container"
            }
        };
        let rule = "Process entered the container";
        let alert = self
            .notices
            .alert(&self.world, pid, (rule, Priority::Informational, text));
        self.outbox.alert(&alert);
    }

    /// `None` when no filter is in use.
    fn filtering(&self, pid: Pid) -> Option<Filtering> {
        if self.entry.program.is_empty() {
            return None;
        }
        let standing = Standing::of(pid.0).unwrap_or_default();
        Some(standing.filtering(self.entry.usual_filters))
    }

    fn refused(&mut self, pid: Pid, errno: Errno) {
        if self.entry.refusals.len() >= MAX_REMEMBERED {
            self.entry.refusals.clear();
        }
        let now = sys::now();
        let since = self.entry.refusals.entry(pid).or_insert(Some(now));
        if since.is_none_or(|since| now.saturating_sub(since) < REFUSAL_TOLD) {
            return;
        }
        *since = None;
        self.world.processes.adopt(pid, sys::now());
        let text = format!(
            "it is not watched: ptrace fails with {}; give the container SYS_PTRACE",
            errno.desc()
        );
        let rule = "Process entered the container unwatched";
        let alert = self
            .notices
            .alert(&self.world, pid, (rule, Priority::Warning, &text));
        self.world.processes.end(pid);
        self.outbox.alert(&alert);
    }

    /// Stops of threads that do calls for us; everything else is left to the brain.
    pub(crate) fn intercept(&mut self, stopped: &Stopped) -> Result<Option<Next>, Errno> {
        if self.entry.awaited.is_empty() && self.entry.underway.is_empty() {
            return Ok(None);
        }
        let tid = stopped.tid();
        if !self.entry.underway.contains_key(&tid) {
            return self.begin(stopped);
        }
        let order = match stopped.how() {
            How::Exit | How::Exec | How::Fork(_) => {
                self.entry.underway.remove(&tid);
                return Ok(None);
            }
            How::Group(_) => Resume::Listen,
            How::Signal(signal) => Resume::ToSyscall(Some(signal)),
            How::Trap => Resume::ToSyscall(None),
            How::Seccomp | How::Syscall => match stopped.call()? {
                CallStop::Exit(result) => self.advance(stopped, result)?,
                CallStop::Entry(_) | CallStop::Outside { .. } | CallStop::Seccomp(..) => {
                    Resume::ToSyscall(None)
                }
            },
        };
        Ok(Some(Next::Resume(order)))
    }

    /// At the entry of a call of an awaited process: the call is put off.
    fn begin(&mut self, stopped: &Stopped) -> Result<Option<Next>, Errno> {
        let tid = stopped.tid();
        let leader = self.brain.leader(tid).unwrap_or(tid).as_leader();
        if stopped.how() != How::Syscall || !self.entry.awaited.contains(&leader) {
            return Ok(None);
        }
        let CallStop::Entry(call) = stopped.call()? else {
            return Ok(None);
        };
        let Some(injection) = Injection::begin(call, self.entry.program.len()) else {
            return Ok(None);
        };
        let mask = stopped.signal_mask()?;
        stopped.set_signal_mask(u64::MAX)?;
        stopped.skip(0)?;
        self.entry.awaited.remove(&leader);
        let underway = Underway { injection, mask };
        self.entry.underway.insert(tid, underway);
        Ok(Some(Next::Resume(Resume::ToSyscall(None))))
    }

    fn advance(&mut self, stopped: &Stopped, result: i64) -> Result<Resume, Errno> {
        let tid = stopped.tid();
        let Some(underway) = self.entry.underway.get_mut(&tid) else {
            return Ok(Resume::ToSyscall(None));
        };
        let mut act = underway.injection.on_exit(result);
        if let Act::Write(at, _) = act {
            let image = image(at, &self.entry.program);
            if let Err(errno) = stopped.memory().write(at, &image) {
                act = underway.injection.cannot_write(errno);
            }
        }
        match act {
            Act::Call(call) | Act::Write(_, call) => {
                stopped.call_again(&call)?;
                Ok(Resume::ToSyscall(None))
            }
            Act::Finish(own, outcome) => {
                let mask = underway.mask;
                self.entry.underway.remove(&tid);
                stopped.call_again(&own)?;
                stopped.set_signal_mask(mask)?;
                Ok(self.injected(tid, outcome))
            }
        }
    }

    fn injected(&mut self, tid: Tid, outcome: Outcome) -> Resume {
        let leader = self.brain.leader(tid).unwrap_or(tid);
        match outcome {
            Outcome::Installed => {
                self.brain.set_process_pace(leader, Pace::Filtered);
                Resume::Continue(None)
            }
            Outcome::Diverged | Outcome::Failed(_) => {
                tracing::info!(
                    process = leader.0,
                    ?outcome,
                    "No filter: every call of it stops."
                );
                Resume::ToSyscall(None)
            }
        }
    }
}

fn threads(pid: Pid) -> Vec<Tid> {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .map(Tid)
        .collect()
}

fn is_ours(tid: Tid) -> bool {
    Standing::of(tid.0).is_some_and(|standing| standing.tracer == Pid::this().0)
}
