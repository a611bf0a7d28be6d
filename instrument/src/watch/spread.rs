//! `kill(-1)`: everybody but the tracer.
//!
//! The kernel would signal the tracer as well, and with it everything would end. So the call is
//! spread: the thread itself makes one call for each process that it means, one after the other,
//! with its own rights and as the sender of the signals. It sees one call with one result.
//!
//! Signals stay blocked meanwhile, so that no handler of the program runs amid a call that is half
//! done: most of all SIGCHLD, which the first process that dies sends while others are still to be
//! signalled.

use std::collections::HashSet;

use sys::{Call, CallStop, Errno, How, Pid, Resume, Stopped, Tid};

use super::Watch;
use crate::brain::{Kin, Next};

/// Signals that nobody escapes, and that therefore end in a container in which nobody is left that
/// could go on making processes.
const INESCAPABLE: [u64; 2] = [9, 19];

/// A fork bomb loses against `SIGKILL` after a few rounds; should one not, the call must end.
const MAX_ROUNDS: u32 = 64;

const NOBODY: i64 = -(Errno::ESRCH as i64);
const NOT_ALLOWED: i64 = -(Errno::EPERM as i64);

/// A call that is being spread.
#[derive(Debug)]
pub(super) struct Spread {
    call: Call,
    /// The signals that the thread blocks by itself.
    mask: u64,
    /// Processes that are still to be signalled.
    targets: Vec<Pid>,
    /// Processes that are not, or not again.
    done: HashSet<Pid>,
    rounds: u32,
    result: i64,
}

impl Spread {
    /// Takes what signalling one process gave. As in the kernel, a process that may not be
    /// signalled is one that was found, and no failure.
    const fn count(&mut self, result: i64) {
        match result {
            NOT_ALLOWED if self.result == NOBODY => self.result = 0,
            NOBODY | NOT_ALLOWED => {}
            other => self.result = other,
        }
    }

    /// Who is next. What is forked by a process that is still to be signalled would get away, so
    /// that signals which leave nobody free to do so are sent until nobody new is found.
    fn next(&mut self, everybody: impl FnOnce() -> Vec<Pid>) -> Option<Pid> {
        if self.targets.is_empty()
            && INESCAPABLE.contains(&(self.call.args[1] & 0xffff_ffff))
            && self.rounds < MAX_ROUNDS
        {
            self.rounds += 1;
            self.targets = everybody();
            self.targets.retain(|pid| !self.done.contains(pid));
        }
        let next = self.targets.pop()?;
        self.done.insert(next);
        Some(next)
    }

    /// A process that is still to be signalled made another one. For the kernel the signal came
    /// before that, to both.
    fn born(&mut self, maker: Pid, child: Pid) {
        if self.targets.contains(&maker) && !self.targets.contains(&child) {
            self.targets.push(child);
        }
    }
}

impl Watch {
    /// At the entry of a `kill(-1)`.
    pub(super) fn spread(&mut self, stopped: &Stopped, call: Call) -> Result<(), Errno> {
        let caller = self.leader(stopped.tid());
        let mut spread = Spread {
            call,
            mask: stopped.signal_mask()?,
            targets: self.everybody(),
            done: HashSet::from([Pid(1), caller, self.tracer.pid]),
            rounds: 0,
            result: NOBODY,
        };
        spread.targets.retain(|pid| !spread.done.contains(pid));
        let Some(first) = spread.next(Vec::new) else {
            return stopped.refuse(Errno::ESRCH);
        };
        let mut first_call = call;
        first_call.args[0] = u64::from(first.0.cast_unsigned());
        stopped.set_arguments(&first_call)?;
        stopped.set_signal_mask(u64::MAX)?;
        self.spreads.insert(stopped.tid(), spread);
        Ok(())
    }

    /// A stop of a thread whose call is being spread.
    pub(super) fn go_on_spreading(&mut self, stopped: &Stopped) -> Result<Option<Next>, Errno> {
        let tid = stopped.tid();
        if self.spreads.is_empty() || !self.spreads.contains_key(&tid) {
            return Ok(None);
        }
        // Whatever stops it, it must come to the exit of its call.
        let order = match stopped.how() {
            How::Seccomp | How::Syscall => match stopped.call()? {
                CallStop::Exit(result) => self.spread_on(stopped, result)?,
                CallStop::Entry(_) | CallStop::Outside { .. } | CallStop::Seccomp(..) => {
                    Resume::ToSyscall(None)
                }
            },
            How::Group(_) => Resume::Listen,
            How::Signal(signal) => Resume::ToSyscall(Some(signal)),
            How::Trap => Resume::ToSyscall(None),
            How::Exec | How::Exit | How::Fork(_) => {
                self.spreads.remove(&tid);
                return Ok(None);
            }
        };
        Ok(Some(Next::Resume(order)))
    }

    /// At the exit of one of the calls: the next one, or the result of them all.
    fn spread_on(&mut self, stopped: &Stopped, result: i64) -> Result<Resume, Errno> {
        let tid = stopped.tid();
        let Some(mut spread) = self.spreads.remove(&tid) else {
            return Ok(Resume::ToSyscall(None));
        };
        spread.count(result);
        if let Some(next) = spread.next(|| self.everybody()) {
            let mut call = spread.call;
            call.args[0] = u64::from(next.0.cast_unsigned());
            stopped.call_again(&call)?;
            self.spreads.insert(tid, spread);
            return Ok(Resume::ToSyscall(None));
        }
        stopped.leave_call(&spread.call, spread.result)?;
        stopped.set_signal_mask(spread.mask)?;
        Ok(self.brain.pace(tid).apply(Resume::Continue(None)))
    }

    /// A process was made while calls are being spread.
    pub(super) fn born_amid_spreads(&mut self, maker: Pid, child: Tid, kin: Kin) {
        if kin != Kin::Thread {
            for spread in self.spreads.values_mut() {
                spread.born(maker, child.as_leader());
            }
        }
    }

    /// Everybody in the pid namespace, as `/proc` tells; without it, whoever is traced.
    fn everybody(&self) -> Vec<Pid> {
        let shown = std::fs::read_dir("/proc").map(|entries| {
            let pid = |entry: std::io::Result<std::fs::DirEntry>| {
                entry.ok()?.file_name().to_str()?.parse().ok().map(Pid)
            };
            entries.filter_map(pid).collect::<Vec<_>>()
        });
        match shown {
            Ok(pids) if !pids.is_empty() => pids,
            Ok(_) | Err(_) => self.world.processes.living(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sys::Abi;

    use super::*;

    fn spread(signal: u64, targets: &[i32]) -> Spread {
        Spread {
            call: Call {
                abi: Abi::X86_64,
                number: 62,
                args: [u64::MAX, signal, 0, 0, 0, 0],
            },
            mask: 0,
            targets: targets.iter().copied().map(Pid).collect(),
            done: HashSet::from([Pid(1)]),
            rounds: 0,
            result: NOBODY,
        }
    }

    fn order(spread: &mut Spread, everybody: &[i32]) -> Vec<i32> {
        let everybody = || everybody.iter().copied().map(Pid).collect();
        std::iter::from_fn(|| spread.next(everybody).map(|pid| pid.0)).collect()
    }

    #[test]
    fn a_kill_is_repeated_until_nobody_new_is_found() {
        assert_eq!(order(&mut spread(9, &[2, 3]), &[1, 2, 3, 4]), [3, 2, 4]);
        assert_eq!(order(&mut spread(15, &[2, 3]), &[1, 2, 3, 4]), [3, 2]);
    }

    #[test]
    fn a_bomb_does_not_keep_the_call_for_ever() {
        let (mut spread, mut last) = (spread(9, &[]), 1);
        let mut more = || {
            last += 1;
            vec![Pid(last)]
        };
        while spread.next(&mut more).is_some() {}
        assert_eq!(spread.rounds, MAX_ROUNDS);
    }

    #[test]
    fn a_child_of_one_that_is_still_to_be_signalled_is_signalled() {
        let mut spread = spread(15, &[2, 3]);
        spread.born(Pid(2), Pid(4));
        spread.born(Pid(2), Pid(4));
        spread.born(Pid(9), Pid(5));
        assert_eq!(order(&mut spread, &[]), [4, 3, 2]);
    }

    #[test]
    fn the_result_is_that_of_the_kernel() {
        let table: [(&[i64], i64); 6] = [
            (&[NOBODY, NOBODY], NOBODY),
            (&[NOBODY, 0], 0),
            (&[NOT_ALLOWED], 0),
            (&[0, NOT_ALLOWED], 0),
            (&[-22, NOT_ALLOWED], -22),
            (&[-11, 0], 0),
        ];
        for (results, expected) in table {
            let mut spread = spread(15, &[]);
            for result in results {
                spread.count(*result);
            }
            assert_eq!(spread.result, expected, "{results:?}");
        }
    }
}
