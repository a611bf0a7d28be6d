//! The processes of the workload, with their lineage.
//!
//! What a program is (its name, arguments, executable) is noted when it is executed; everything
//! else is asked of `/proc` when a rule asks. A process that ended stays as long as it has
//! descendants: a shell that was orphaned on purpose still has the server as its ancestor.

mod executable;
mod image;
mod proc;
mod view;

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::rc::Rc;

use sys::{Pid, Tid};

use crate::ids::Map;
pub use executable::Executable;
pub use image::{ExecIds, Image};
pub use proc::{Stat, Status, is_mounted, read_link, stat, status, tgid_and_tracer};
use view::Volatile;

/// More dead ancestors in a row than this are dropped, so that a program that forks and ends for
/// ever does not fill the memory.
const MAX_DEAD_ANCESTORS: usize = 16;

/// Ancestors beyond these are too many to tell two states apart by.
const MAX_TOLD_APART: usize = 64;

/// Index of a process in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(usize);

/// One process.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    vpid: i64,
    parent: Option<Id>,
    children: u32,
    is_alive: bool,
    is_foreign: bool,
    started: u64,
    image: Rc<Image>,
    context: Rc<Context>,
    volatile: RefCell<Volatile>,
    /// Of its program, as all see it that execute the same.
    stamp: u64,
    /// Its state, and the lineage for which that was worked out.
    state: Cell<Option<(u64, u64)>>,
}

/// What all processes share.
#[derive(Debug, Default)]
pub struct Context {
    /// Goes up with every event: what was read from `/proc` for an older one is out of date.
    epoch: Cell<u64>,
    /// Whether something was asked that may be answered otherwise for the next event.
    is_volatile: Cell<bool>,
    /// When the container started, nanoseconds since 1970.
    started: Cell<u64>,
    /// The login uid of the first process, inherited by all.
    loginuid: Cell<Option<u32>>,
}

/// All processes.
#[derive(Debug)]
pub struct Processes {
    slots: Vec<Option<Process>>,
    free: Vec<Id>,
    by_pid: Map<Pid, Id>,
    context: Rc<Context>,
    root: Pid,
    /// Goes up when the ancestors of anybody change.
    lineage: u64,
    /// Nobody can make two programs look alike without it.
    secret: RandomState,
}

impl Processes {
    /// A table for the workload whose first process is `root`.
    pub fn new(root: Pid, started: u64) -> Self {
        let context = Context::default();
        context.started.set(started);
        context.loginuid.set(proc::loginuid(root));
        let mut table = Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_pid: Map::default(),
            context: Rc::new(context),
            root,
            lineage: 0,
            secret: RandomState::new(),
        };
        table.insert(root, None, (Rc::new(Image::default()), 0), started);
        table
    }

    /// The first process.
    pub const fn root(&self) -> Pid {
        self.root
    }

    /// Every living process.
    pub fn living(&self) -> Vec<Pid> {
        self.by_pid.keys().copied().collect()
    }

    /// How many processes are alive.
    pub fn len(&self) -> usize {
        self.by_pid.len()
    }

    /// Whether none is alive.
    pub fn is_empty(&self) -> bool {
        self.by_pid.is_empty()
    }

    /// What is read from `/proc` from now on belongs to another event.
    pub fn next_event(&self) {
        self.context.epoch.set(self.context.epoch.get() + 1);
        self.context.is_volatile.set(false);
    }

    /// Something was asked that may be answered otherwise for the next event.
    pub fn mark_volatile(&self) {
        self.context.is_volatile.set(true);
    }

    /// Whether that was asked since the last event began.
    pub fn is_volatile(&self) -> bool {
        self.context.is_volatile.get()
    }

    /// What a process is and what its ancestors are, as one number: the same for all that execute
    /// the same program with the same arguments under the same ancestors.
    pub fn state(&self, pid: Pid) -> Option<u64> {
        let process = self.get(pid)?;
        if let Some((lineage, state)) = process.state.get()
            && lineage == self.lineage
        {
            return Some(state);
        }
        let mut hasher = self.secret.build_hasher();
        let mut next = Some(process);
        for _ in 0..MAX_TOLD_APART {
            let Some(process) = next else {
                let state = hasher.finish();
                self.get(pid)?.state.set(Some((self.lineage, state)));
                return Some(state);
            };
            hasher.write_u64(process.stamp);
            next = process.parent.and_then(|id| self.slot(id));
        }
        None
    }

    /// A living process.
    pub fn get(&self, pid: Pid) -> Option<&Process> {
        self.by_pid.get(&pid).and_then(|id| self.slot(*id))
    }

    /// The living process that a process is a child of.
    pub fn parent(&self, pid: Pid) -> Option<Pid> {
        let parent = self.slot(self.get(pid)?.parent?)?;
        parent.is_alive.then_some(parent.pid)
    }

    /// The n-th ancestor of a process; 0 is itself.
    pub fn ancestor(&self, pid: Pid, generation: usize) -> Option<&Process> {
        let mut process = self.get(pid)?;
        for _ in 0..generation {
            process = self.slot(process.parent?)?;
        }
        Some(process)
    }

    /// The ancestors of a process, itself excluded, nearest first.
    pub fn ancestors(&self, pid: Pid) -> impl Iterator<Item = &Process> {
        let parent = |process: &&Process| self.slot(process.parent?);
        std::iter::successors(self.get(pid), parent).skip(1)
    }

    /// A process was made by another.
    pub fn fork(&mut self, maker: Pid, child: Pid, is_sibling: bool, now: u64) {
        let Some(id) = self.by_pid.get(&maker).copied() else {
            self.adopt(child, now);
            return;
        };
        let Some(process) = self.slot(id) else { return };
        let parent = if is_sibling { process.parent } else { Some(id) };
        let (program, foreign) = (
            (Rc::clone(&process.image), process.stamp),
            process.is_foreign,
        );
        let child = self.insert(child, parent, program, now);
        if let Some(process) = self.slot_mut(child) {
            process.is_foreign = foreign;
        }
    }

    /// A process that nobody told of: all that is known is what `/proc` says.
    pub fn adopt(&mut self, pid: Pid, now: u64) {
        let stat = stat(pid);
        let parent = stat
            .as_ref()
            .and_then(|stat| self.by_pid.get(&Pid(stat.ppid)).copied());
        let started = stat.map_or(now, |stat| proc::start_time(&stat));
        let image = Image::from_proc(pid, started);
        let stamp = self.stamp(&image);
        let id = self.insert(pid, parent, (Rc::new(image), stamp), started);
        if parent.is_none()
            && pid != self.root
            && let Some(process) = self.slot_mut(id)
        {
            process.is_foreign = true;
        }
    }

    /// A process executes another program.
    pub fn exec(&mut self, pid: Pid, image: Image) {
        let stamp = self.stamp(&image);
        let Some(id) = self.by_pid.get(&pid).copied() else {
            return;
        };
        let Some(process) = self.slot_mut(id) else {
            return;
        };
        process.image = Rc::new(image);
        process.stamp = stamp;
        process.state.set(None);
        if process.children > 0 {
            self.lineage += 1;
        }
    }

    /// A process ended.
    pub fn end(&mut self, pid: Pid) {
        let Some(id) = self.by_pid.remove(&pid) else {
            return;
        };
        if let Some(process) = self.slot_mut(id) {
            process.is_alive = false;
        }
        self.collapse(id);
        self.forget(id);
    }

    fn stamp(&self, image: &Image) -> u64 {
        self.secret.hash_one(image.content())
    }

    fn insert(
        &mut self,
        pid: Pid,
        parent: Option<Id>,
        (image, stamp): (Rc<Image>, u64),
        started: u64,
    ) -> Id {
        // The kernel gave the pid to somebody else; the end of its last owner was not seen.
        if self.by_pid.contains_key(&pid) {
            self.end(pid);
        }
        // Which may have been the last of a family: nobody is a child of nobody, or of itself.
        let parent = parent.filter(|parent| self.slot(*parent).is_some());
        let process = Process {
            pid,
            vpid: if pid == self.root {
                1
            } else {
                i64::from(pid.0)
            },
            parent,
            children: 0,
            is_alive: true,
            is_foreign: false,
            started,
            image,
            context: Rc::clone(&self.context),
            volatile: RefCell::default(),
            stamp,
            state: Cell::new(None),
        };
        let id = if let Some(id) = self.free.pop() {
            if let Some(slot) = self.slots.get_mut(id.0) {
                *slot = Some(process);
            }
            id
        } else {
            self.slots.push(Some(process));
            Id(self.slots.len() - 1)
        };
        self.by_pid.insert(pid, id);
        if let Some(parent) = parent.and_then(|id| self.slot_mut(id)) {
            parent.children += 1;
        }
        id
    }

    /// Frees a dead process without children, and its ancestors for which that was the last one.
    fn forget(&mut self, mut id: Id) {
        while let Some(process) = self.slot(id)
            && !process.is_alive
            && process.children == 0
        {
            let parent = process.parent;
            if let Some(slot) = self.slots.get_mut(id.0) {
                *slot = None;
            }
            self.free.push(id);
            let Some(parent) = parent else { return };
            if let Some(parent) = self.slot_mut(parent) {
                parent.children -= 1;
            }
            id = parent;
        }
    }

    /// Cuts a chain of dead ancestors that got too long: the oldest is skipped.
    fn collapse(&mut self, id: Id) {
        let mut last = id;
        for _ in 0..MAX_DEAD_ANCESTORS {
            match self.slot(last).and_then(|process| process.parent) {
                Some(parent) if self.slot(parent).is_some_and(|p| !p.is_alive) => last = parent,
                _ => return,
            }
        }
        let Some(skipped) = self.slot(last).and_then(|process| process.parent) else {
            return;
        };
        if self.slot(skipped).is_none_or(|process| process.is_alive) {
            return;
        }
        self.lineage += 1;
        let parent = self.slot(skipped).and_then(|process| process.parent);
        if let Some(process) = self.slot_mut(last) {
            process.parent = parent;
        }
        if let Some(parent) = parent.and_then(|id| self.slot_mut(id)) {
            parent.children += 1;
        }
        if let Some(skipped) = self.slot_mut(skipped) {
            skipped.children -= 1;
        }
        self.forget(skipped);
    }

    fn slot(&self, id: Id) -> Option<&Process> {
        self.slots.get(id.0).and_then(Option::as_ref)
    }

    fn slot_mut(&mut self, id: Id) -> Option<&mut Process> {
        self.slots.get_mut(id.0).and_then(Option::as_mut)
    }
}

impl Process {
    /// Its pid.
    pub const fn id(&self) -> Pid {
        self.pid
    }

    /// Its first thread.
    pub const fn leader(&self) -> Tid {
        self.pid.leader()
    }

    /// The program that it executes.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Whether it entered the container from outside, or descends from such a process.
    pub const fn is_foreign(&self) -> bool {
        self.is_foreign
    }
}

#[cfg(test)]
mod tests;
