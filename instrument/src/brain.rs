//! What a stop means: pure, without a system call, a clock or a log.
//!
//! A [`Brain`] knows every traced thread and where it stands. It takes stops and answers with the
//! order to the kernel and with what was learnt, so that every race of the life of threads (a child
//! that stops before its parent tells of it, exec from a thread that does not lead, calls that are
//! restarted) is a row of a table in its tests. `P` is whatever the shell wants back when a call
//! that it looked at returns.

mod life;

use sys::{Call, ForkKind, Resume, Signal, Tid};

use crate::ids::Map;
use life::Life;
pub use life::Pace;
pub(crate) use life::RESTARTS;

/// A stop, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At the entry of a call; whether anybody wants it is for the shell to say.
    Entry(Call),
    /// `execve` succeeded; the thread that called it had this tid.
    Exec {
        /// Tid of the caller, which is not its tid any more when it did not lead.
        former: Tid,
    },
    /// The thread is about to end.
    Ending,
    /// At the exit of a call, with its result.
    Exit(i64),
    /// It made a thread or process.
    Forked(Child),
    /// Job control stopped its process.
    Group,
    /// A signal is about to be delivered.
    Signal(Signal),
    /// First stop of a thread, or an end of a group-stop.
    Trap,
}

/// A new thread or process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Child {
    /// Its tid.
    pub tid: Tid,
    /// How it was made.
    pub kind: ForkKind,
    /// Whether it is a thread of its maker's process, a child of it, or a sibling.
    pub kin: Kin,
}

/// What a new thread is to its maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kin {
    /// A process whose parent is the maker.
    Child,
    /// A process with the same parent (`CLONE_PARENT`).
    Sibling,
    /// A thread of the same process.
    Thread,
}

/// What the shell has to do with a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look at the call, then tell [`Brain::decided`].
    Examine,
    /// Keep the thread as it is until [`Step::release`] names it.
    Hold,
    /// Let it go.
    Resume(Resume),
}

/// What was learnt from a stop.
#[derive(Debug, PartialEq, Eq)]
pub enum Learnt<P> {
    /// A thread or process was made.
    Born {
        /// The thread that made it.
        maker: Tid,
        /// The new one.
        child: Child,
    },
    /// The last thread of a process is ending.
    Ended {
        /// The process's leader.
        leader: Tid,
    },
    /// A process executes another program.
    Executed {
        /// The process's leader, and its only thread.
        leader: Tid,
        /// What was pending for the call.
        pending: Option<P>,
    },
    /// A call that was looked at returned.
    Finished {
        /// What was pending for it.
        pending: P,
        /// Its result.
        result: i64,
    },
    /// A thread appeared that nobody told of; its maker is gone.
    Stray {
        /// The thread.
        tid: Tid,
    },
}

/// The answer to a stop.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<P> {
    /// What to do with the thread that stopped.
    pub next: Next,
    /// What was learnt; in the order in which it happened.
    pub learnt: Vec<Learnt<P>>,
    /// Threads that were held and may go.
    pub release: Vec<(Tid, Resume)>,
}

/// The shell's decision on a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision<P> {
    /// The shell itself wants to see its exit.
    Exit,
    /// Nobody needs its result.
    Go,
    /// Its result is needed.
    Return(P),
}

#[derive(Debug)]
struct Thread<P> {
    leader: Tid,
    pace: Pace,
    life: Life<P>,
}

/// All traced threads.
#[derive(Debug)]
pub struct Brain<P> {
    threads: Map<Tid, Thread<P>>,
    /// Threads of a process that have not passed their end.
    alive: Map<Tid, u32>,
    /// Threads whose first stop came before the word of their maker.
    held: Vec<(Tid, Resume)>,
}

impl<P> Default for Brain<P> {
    fn default() -> Self {
        Self {
            threads: Map::default(),
            alive: Map::default(),
            held: Vec::new(),
        }
    }
}

impl<P> Brain<P> {
    /// A thread that was seized while it ran.
    pub fn seized(&mut self, tid: Tid, leader: Tid, pace: Pace) {
        self.insert(tid, leader, pace, Life::Running);
    }

    fn insert(&mut self, tid: Tid, leader: Tid, pace: Pace, life: Life<P>) {
        let thread = Thread { leader, pace, life };
        if self.threads.insert(tid, thread).is_none() {
            *self.alive.entry(leader).or_insert(0) += 1;
        }
    }

    /// How many threads are known.
    pub fn len(&self) -> usize {
        self.threads.len()
    }

    /// Whether nobody is left.
    pub fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    /// Whether this is the last process, about to lose its last thread.
    pub fn is_last(&self) -> bool {
        self.alive.is_empty()
    }

    /// The leader of a thread's process.
    pub fn leader(&self, tid: Tid) -> Option<Tid> {
        self.threads.get(&tid).map(|thread| thread.leader)
    }

    /// Whether the thread's process has other threads.
    pub fn has_company(&self, tid: Tid) -> bool {
        self.leader(tid)
            .and_then(|leader| self.alive.get(&leader))
            .is_some_and(|threads| *threads > 1)
    }

    /// How a thread is paced.
    pub fn pace(&self, tid: Tid) -> Pace {
        self.threads.get(&tid).map_or(Pace::Filtered, |t| t.pace)
    }

    /// Slows a process's thread down to a stop at every call, or lets the filter choose.
    pub fn set_pace(&mut self, tid: Tid, pace: Pace) {
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.pace = pace;
        }
    }

    /// Slows all threads of a process down to a stop at every call, or lets the filter choose.
    pub fn set_process_pace(&mut self, leader: Tid, pace: Pace) {
        for thread in self.threads.values_mut().filter(|t| t.leader == leader) {
            thread.pace = pace;
        }
    }

    /// Takes a stop.
    pub fn on_stop(&mut self, tid: Tid, stop: Stop) -> Step<P> {
        if let Stop::Exec { former } = stop {
            return self.on_exec(tid, former);
        }
        let Some(thread) = self.threads.get_mut(&tid) else {
            // Born, but its maker's stop comes later. It stands still meanwhile.
            let order = match stop {
                Stop::Group => Resume::Listen,
                _ => Resume::Continue(None),
            };
            self.held.push((tid, order));
            return Step::plain(Next::Hold);
        };
        let was_ending = thread.life.is_ending();
        let (next, learnt) = thread.life.on_stop(thread.pace, stop);
        let mut step = Step {
            next,
            learnt: learnt
                .map(|(pending, result)| Learnt::Finished { pending, result })
                .into_iter()
                .collect(),
            release: Vec::new(),
        };
        let leader = thread.leader;
        match stop {
            Stop::Forked(child) => self.on_born(tid, child, &mut step),
            Stop::Ending if !was_ending => self.on_ending(leader, &mut step),
            _ => {}
        }
        step
    }

    /// Takes the shell's decision on a call, and gives the order for the thread.
    pub fn decided(&mut self, tid: Tid, call: Call, decision: Decision<P>) -> Resume {
        match self.threads.get_mut(&tid) {
            Some(thread) => thread.life.decided(thread.pace, call, decision),
            None => Resume::Continue(None),
        }
    }

    /// A thread is gone.
    pub fn on_gone(&mut self, tid: Tid) -> Step<P> {
        let mut step = Step::plain(Next::Hold);
        if let Some(thread) = self.threads.remove(&tid)
            && !thread.life.is_ending()
        {
            self.on_ending(thread.leader, &mut step);
        }
        // A maker that was killed before it could tell leaves children that nobody will name.
        for (tid, order) in std::mem::take(&mut self.held) {
            step.learnt.push(Learnt::Stray { tid });
            step.release.push((tid, order));
        }
        step
    }

    /// What the kernel says about a stray: its leader.
    pub fn adopt(&mut self, tid: Tid, leader: Tid, pace: Pace) {
        self.insert(tid, leader, pace, Life::Running);
    }

    fn on_born(&mut self, maker: Tid, child: Child, step: &mut Step<P>) {
        let Some((leader, pace)) = self.threads.get(&maker).map(|t| (t.leader, t.pace)) else {
            return;
        };
        let leader = match child.kin {
            Kin::Thread => leader,
            Kin::Child | Kin::Sibling => child.tid,
        };
        step.learnt.push(Learnt::Born { maker, child });
        let held = self.held.iter().position(|(tid, _)| *tid == child.tid);
        let life = match held {
            Some(at) => {
                let (tid, order) = self.held.swap_remove(at);
                step.release.push((tid, pace.apply(order)));
                Life::Running
            }
            None => Life::Announced,
        };
        self.insert(child.tid, leader, pace, life);
    }

    /// All other threads of the process are gone or going, and the caller has the leader's tid.
    fn on_exec(&mut self, tid: Tid, former: Tid) -> Step<P> {
        let caller = self.threads.remove(&former);
        let before = self
            .threads
            .remove(&tid)
            .or(caller.as_ref().map(|t| Thread {
                leader: tid,
                pace: t.pace,
                life: Life::Running,
            }));
        let pace = before.map_or(Pace::Filtered, |t| t.pace);
        let pending = caller.and_then(|thread| thread.life.into_pending());
        // Threads that the kernel kills for the exec may still report their ends; they count for
        // nothing, because the process goes on.
        for thread in self.threads.values_mut() {
            if thread.leader == tid {
                thread.life = Life::Ending;
            }
        }
        self.alive.insert(tid, 1);
        self.threads.insert(
            tid,
            Thread {
                leader: tid,
                pace,
                life: Life::Running,
            },
        );
        Step {
            next: Next::Resume(pace.apply(Resume::Continue(None))),
            learnt: vec![Learnt::Executed {
                leader: tid,
                pending,
            }],
            release: Vec::new(),
        }
    }

    fn on_ending(&mut self, leader: Tid, step: &mut Step<P>) {
        let Some(left) = self.alive.get_mut(&leader) else {
            return;
        };
        *left -= 1;
        if *left == 0 {
            self.alive.remove(&leader);
            step.learnt.push(Learnt::Ended { leader });
        }
    }
}

impl<P> Step<P> {
    const fn plain(next: Next) -> Self {
        Self {
            next,
            learnt: Vec::new(),
            release: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
