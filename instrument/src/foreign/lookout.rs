//! Looking at `/proc`, on the outbox's thread.

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sys::{Pid, Tid};

use super::scope::{Scope, Surroundings, inode};
use super::standing::{Standing, Verdict};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(400);

/// Between two attempts to wake the tracer.
const AGAIN: Duration = Duration::from_millis(20);

/// What was found, on its way to the tracer.
#[derive(Debug, Default)]
pub struct Found {
    pids: Mutex<Vec<Pid>>,
    is_some: AtomicBool,
}

impl Found {
    /// What was found since. Costs one load when there is nothing.
    pub fn take(&self) -> Vec<Pid> {
        if !self.is_some.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut pids = self.pids.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_some.store(false, Ordering::Release);
        std::mem::take(&mut *pids)
    }

    fn put(&self, found: Vec<Pid>) {
        let mut pids = self.pids.lock().unwrap_or_else(PoisonError::into_inner);
        *pids = found;
        self.is_some.store(true, Ordering::Release);
    }

    fn is_waiting(&self) -> bool {
        self.is_some.load(Ordering::Acquire)
    }
}

/// Looks for processes that nobody traces.
#[derive(Debug)]
pub struct Lookout {
    scope: Scope,
    tracer: Tid,
    found: Arc<Found>,
    /// Processes that were looked at, and need not be again while they live.
    known: HashSet<i32>,
    /// The pid that was given out last; while it stays the same nobody can have come.
    last_pid: Option<u64>,
    /// Whether somebody was there at the last look who may have to be looked at again.
    is_open: bool,
    /// Whether the tracer was offered something since the last search.
    is_offered: bool,
    /// The file that this program is: another instrument that starts is not to be disturbed.
    program: Option<(u64, u64)>,
}

impl Lookout {
    /// Looks on behalf of the calling thread, which traces `root`.
    pub fn new(root: Pid, found: Arc<Found>) -> Self {
        let scope = Surroundings::look(root).scope();
        let above = match scope {
            Scope::All | Scope::Mount(_) => ancestors(root),
            Scope::None => Vec::new(),
        };
        Self {
            scope,
            tracer: Tid::this(),
            found,
            known: above.into_iter().chain([Pid::this().0]).collect(),
            last_pid: None,
            is_open: false,
            is_offered: false,
            program: program(Pid::this().0),
        }
    }

    /// Looks, and says when to look again.
    pub fn look(&mut self) -> Duration {
        if self.scope == Scope::None {
            return Duration::MAX;
        }
        if !self.found.is_waiting() {
            if std::mem::take(&mut self.is_offered) {
                return EVERY;
            }
            let found = self.search();
            if found.is_empty() {
                return EVERY;
            }
            self.found.put(found);
            self.is_offered = true;
        }
        // The tracer may be about to wait just when the signal comes, and then waits on: again,
        // until it has taken what was found.
        match sys::wake_thread(self.tracer) {
            Ok(_) => AGAIN,
            Err(_) => EVERY,
        }
    }

    fn search(&mut self) -> Vec<Pid> {
        let last_pid = last_pid();
        if last_pid.is_some() && last_pid == self.last_pid && !self.is_open {
            return Vec::new();
        }
        self.last_pid = last_pid;
        let Some(there) = processes() else {
            return Vec::new();
        };
        self.known.retain(|pid| there.contains(pid));
        self.is_open = false;
        let mut found = Vec::new();
        for pid in there {
            if self.known.contains(&pid) {
                continue;
            }
            match self.judge(pid) {
                Verdict::Ignore => {
                    self.known.insert(pid);
                }
                Verdict::Later => self.is_open = true,
                Verdict::Foreign => {
                    self.is_open = true;
                    found.push(Pid(pid));
                }
            }
        }
        // A parent has the lower pid, unless they have begun anew: it is to be known first.
        found.sort_unstable();
        found
    }

    fn judge(&self, pid: i32) -> Verdict {
        let Some(standing) = Standing::of(pid) else {
            // It has ended between two reads.
            return Verdict::Later;
        };
        let verdict = standing.verdict(Pid::this().0);
        if verdict != Verdict::Foreign {
            return verdict;
        }
        if let Scope::Mount(ours) = self.scope
            && inode(&format!("/proc/{pid}/ns/mnt")) != Some(ours)
        {
            return Verdict::Ignore;
        }
        if self.program.is_some() && program(pid) == self.program {
            return Verdict::Later;
        }
        Verdict::Foreign
    }
}

/// The process and all above it that `/proc` shows.
fn ancestors(pid: Pid) -> Vec<i32> {
    let parent = |pid: &i32| Standing::of(*pid).map(|s| s.parent).filter(|p| *p > 0);
    std::iter::successors(Some(pid.0), parent)
        .take(64)
        .collect()
}

/// The last field of `/proc/loadavg`: the pid that was given out last in this namespace.
fn last_pid() -> Option<u64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_ascii_whitespace().next_back()?.parse().ok()
}

fn processes() -> Option<HashSet<i32>> {
    let entries = fs::read_dir("/proc").ok()?;
    let pid = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    Some(entries.flatten().filter_map(pid).collect())
}

/// Device and inode of the file that a process executes.
fn program(pid: i32) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let file = fs::metadata(format!("/proc/{pid}/exe")).ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookout(scope: Scope) -> Lookout {
        Lookout {
            scope,
            tracer: Tid::this(),
            found: Arc::default(),
            known: HashSet::new(),
            last_pid: None,
            is_open: false,
            is_offered: false,
            program: None,
        }
    }

    #[test]
    fn outside_of_a_container_nobody_is_looked_for() {
        let mut lookout = lookout(Scope::None);
        assert_eq!(lookout.look(), Duration::MAX);
        assert!(lookout.found.take().is_empty());
    }

    #[test]
    fn processes_that_see_other_files_are_not_ours() {
        assert!(lookout(Scope::Mount(1)).search().is_empty());
    }

    #[test]
    fn this_process_is_found_and_its_ancestors_are_known() {
        let mut lookout = lookout(Scope::All);
        assert!(lookout.search().contains(&Pid::this()));
        lookout.known = ancestors(Pid::this()).into_iter().collect();
        assert!(!lookout.search().contains(&Pid::this()));
    }

    #[test]
    fn what_was_found_is_taken_once() {
        let found = Found::default();
        found.put(vec![Pid(5)]);
        assert!(found.is_waiting());
        assert_eq!(found.take(), [Pid(5)]);
        assert!(found.take().is_empty());
    }
}
