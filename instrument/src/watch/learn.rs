//! What was learnt from a stop becomes state and events.

use event::{Arg, Args, EventType};
use sys::{CallStop, ForkKind, Pid, Stopped, Tid};

use super::{Pending, Watch, status_of};
use crate::brain::{Child, Kin, Learnt};
use crate::judge::Judgement;
use crate::live::{Live, Moment};
use crate::process::Image;

impl Watch {
    pub(super) fn learn(&mut self, stopped: &Stopped, learnt: Learnt<Pending>) {
        match learnt {
            Learnt::Executed { leader, pending } => {
                self.executed(stopped, leader.as_leader(), pending);
            }
            other => self.learn_without_stop(other),
        }
    }

    pub(super) fn learn_without_stop(&mut self, learnt: Learnt<Pending>) {
        match learnt {
            Learnt::Born { maker, child } => self.born(maker, child),
            Learnt::Ended { leader } => self.ended(leader.as_leader()),
            Learnt::Finished {
                mut pending,
                result,
            } => {
                pending.returned(result);
                self.finished(&pending);
            }
            Learnt::Stray { tid } => self.adopt(tid),
            // An exec is only ever learnt from its stop.
            Learnt::Executed { .. } => {}
        }
    }

    fn born(&mut self, maker: Tid, child: Child) {
        let maker = self.leader(maker);
        let kind = match child.kind {
            ForkKind::Clone => EventType::Clone,
            ForkKind::Fork => EventType::Fork,
            ForkKind::Vfork => EventType::Vfork,
        };
        if child.kin != Kin::Thread {
            let is_sibling = child.kin == Kin::Sibling;
            self.world
                .processes
                .fork(maker, child.tid.as_leader(), is_sibling, sys::now());
        }
        self.note_clone(maker, child);
        self.born_amid_spreads(maker, child.tid, child.kin);
        if self.policy.watched.contains(kind) {
            let args = Args {
                items: vec![("res", Arg::Pid(i64::from(child.tid.0)))],
            };
            let moment = Moment::life(kind, args, maker.leader(), maker);
            self.happened(moment);
        }
    }

    fn ended(&mut self, pid: Pid) {
        if self.policy.watched.contains(EventType::Procexit) && !self.is_launching {
            let args = Args {
                items: vec![("status", Arg::Int(i64::from(self.last_status)))],
            };
            self.happened(Moment::life(EventType::Procexit, args, pid.leader(), pid));
        }
        self.world.processes.end(pid);
        let is_root = pid == self.world.processes.root();
        if is_root {
            self.root_status = Some(status_of(self.last_status));
        }
        // Whoever waits for the workload wants the output to be complete when it ends. And after
        // the end of a container's first process the kernel kills everybody in it.
        if self.brain.is_last() || (is_root && pid == Pid(1)) {
            self.say_goodbye();
        } else if is_root {
            // An init that ends now takes everybody with it, the tracer included.
            self.outbox.drain(super::LAST_WORDS);
        }
    }

    fn executed(&mut self, stopped: &Stopped, pid: Pid, pending: Option<Pending>) {
        let now = sys::now();
        let image = match stopped.call() {
            Ok(CallStop::Outside { abi, stack }) => {
                Image::from_stack(pid, stopped.memory(), (abi, stack), now, &mut self.stack)
            }
            _ => Image::from_proc(pid, now),
        };
        if self.world.processes.get(pid).is_none() {
            self.world.processes.adopt(pid, now);
        }
        self.world.processes.exec(pid, image);
        if pid == self.world.processes.root() {
            self.is_launching = false;
        }
        let kind = pending.map_or(EventType::Execve, |moment| moment.kind());
        if self.policy.watched.contains(kind) {
            self.judge_exec(kind, pid);
        }
        self.lost_privileges(pid);
        self.reconsider(pid);
    }

    /// Asks the rules about an exec, unless they said "no" to the same before.
    fn judge_exec(&mut self, kind: EventType, pid: Pid) {
        let num = self.world.next_event();
        let state = self.world.processes.state(pid);
        let key = state.map(|state| self.memo.key_of_exec(kind, state));
        if !self.policy.events && key.is_some_and(|key| self.memo.is_dull(key)) {
            return;
        }
        let is_dull = self.finished(&Moment::executed(kind, pid).numbered(num));
        if let Some(key) = key.filter(|_| is_dull && !self.world.processes.is_volatile()) {
            self.memo.note(key);
        }
    }

    /// An exec of a setuid program that did not get its privileges, because of `no_new_privs`.
    fn lost_privileges(&mut self, pid: Pid) {
        let pace = self.brain.pace(pid.leader());
        if let Some(alert) = self.notices.lost_privileges(&self.world, pid, pace) {
            self.outbox.alert(&alert);
        }
    }

    /// Something happened whose result is known, or that has none.
    pub(crate) fn happened(&mut self, moment: Moment) {
        let moment = moment.numbered(self.world.next_event());
        self.finished(&moment);
    }

    /// A call returned, and what the kernel made of it is known: that is what is judged. Gives
    /// back whether the rules said "no".
    pub(super) fn finished(&mut self, moment: &Moment) -> bool {
        if self.is_launching && moment.pid() == self.world.processes.root() {
            return false;
        }
        let live = Live::new(moment, &self.world);
        let mut is_dull = false;
        if !moment.is_settled() {
            match self.judge.judge(&live) {
                Judgement::Match(alerts) => {
                    // Not `alert`: the event still borrows the world.
                    let admitted = alerts.into_iter().filter_map(|a| self.judge.admit(a));
                    for alert in admitted {
                        self.outbox.alert(&alert);
                    }
                }
                Judgement::No => is_dull = true,
                Judgement::Undecided => {}
            }
        }
        if self.policy.events {
            self.outbox.event(&live);
        }
        is_dull
    }
}
