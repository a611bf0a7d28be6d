//! An event as it happens: the answers to what rules ask, read when they ask.

mod executed;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use event::{Arg, Args, EventType, Facts, Fd, FdKind, Outcome, ProcessFacts, Role, Task};
use sys::{Call, Pid, Tid};

use crate::decode::ReadPath;
use crate::descriptor::{describe, kind_of_domain, socket, towards, unknown};
use crate::table::{FdOf, Made, Row};
use crate::world::World;
use crate::{decode, truth};

/// Whether an open with these flags succeeds with a directory only. `O_TMPFILE`, which makes a file, is
/// `O_DIRECTORY` and a bit of its own; the kernel's value of the first differs between architectures.
fn wants_directory(flags: u64) -> bool {
    let bits = |flag: i32| u64::from(flag.cast_unsigned());
    flags & bits(nix::libc::O_DIRECTORY) != 0
        && flags & bits(nix::libc::O_TMPFILE) != bits(nix::libc::O_TMPFILE)
}

/// One event, with what was read of it so far. Outlives the stop when the result is awaited.
#[derive(Debug)]
pub struct Moment {
    kind: EventType,
    source: Source,
    num: u64,
    time: u64,
    tid: Tid,
    pid: Pid,
    outcome: Outcome,
    args: OnceCell<Args<'static>>,
    fd: OnceCell<Option<Fd<'static>>>,
    path: Option<(u8, Vec<u8>, Option<Vec<u8>>)>,
    is_settled: bool,
}

/// Where the event comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Call(&'static Row, Call),
    /// A successful exec: its arguments are those of the process's image.
    Exec,
    Life,
}

impl Moment {
    /// A call at its entry.
    pub fn entry(row: &'static Row, kind: EventType, call: Call, tid: Tid, pid: Pid) -> Self {
        Self {
            kind,
            source: Source::Call(row, call),
            num: 0,
            time: sys::now(),
            tid,
            pid,
            outcome: Outcome::Pending,
            args: OnceCell::new(),
            fd: OnceCell::new(),
            path: None,
            is_settled: false,
        }
    }

    /// A process executes another program. What the call's memory said does not count any more.
    pub fn executed(kind: EventType, pid: Pid) -> Self {
        Self {
            kind,
            source: Source::Exec,
            num: 0,
            time: sys::now(),
            tid: pid.leader(),
            pid,
            outcome: Outcome::Returned(0),
            args: OnceCell::new(),
            fd: OnceCell::from(None),
            path: None,
            is_settled: false,
        }
    }

    /// Something in the life of a process that is not a call.
    pub fn life(kind: EventType, args: Args<'static>, tid: Tid, pid: Pid) -> Self {
        Self {
            kind,
            source: Source::Life,
            num: 0,
            time: sys::now(),
            tid,
            pid,
            outcome: Outcome::None,
            args: OnceCell::from(args),
            fd: OnceCell::from(None),
            path: None,
            is_settled: false,
        }
    }

    /// Gives it its number.
    #[must_use]
    pub const fn numbered(mut self, num: u64) -> Self {
        self.num = num;
        self
    }

    /// What happened.
    pub const fn kind(&self) -> EventType {
        self.kind
    }

    /// The process that acts.
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// The call.
    pub const fn call(&self) -> Option<&Call> {
        match &self.source {
            Source::Call(_, call) => Some(call),
            Source::Exec | Source::Life => None,
        }
    }

    /// Whether its result can matter.
    pub const fn has_result(&self) -> bool {
        matches!(&self.source, Source::Call(row, _) if row.result)
    }

    /// Whether it opens a file by a path.
    pub const fn opens(&self) -> bool {
        matches!(&self.source, Source::Call(row, _) if matches!(row.fd, FdOf::Opened))
    }

    /// The rules have said all that they have to say.
    pub const fn settle(&mut self) {
        self.is_settled = true;
    }

    /// Whether the rules need not be asked again.
    pub const fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// What was read already: the call's path, and where it starts.
    pub fn read_before(&mut self, register: u8, path: &[u8], base: Option<Vec<u8>>) {
        self.path = Some((register, path.to_vec(), base));
    }

    /// Reads what the call's memory holds, before the thread goes on and may change it.
    pub fn keep(&self) {
        self.args();
    }

    /// The call returned. What depends on the result is asked anew, and what a file descriptor
    /// really refers to replaces the path that was asked for.
    pub fn returned(&mut self, result: i64) {
        self.outcome = Outcome::Returned(result);
        let Source::Call(row, _) = &self.source else {
            return;
        };
        if let Some(args) = self.args.get_mut() {
            let result_name = row
                .params
                .iter()
                .find(|param| param.kind == crate::table::Kind::Result)
                .map(|param| param.name);
            if let Some(name) = result_name {
                args.items.insert(0, (name, Arg::Fd(result)));
            }
        }
        if row.fd == FdOf::Opened {
            let mut fd = self.fd.take().flatten().or_else(|| self.opened());
            if let Some(fd) = &mut fd {
                fd.num = Some(result);
                truth::of_opened(self.pid, self.tid, fd);
            }
            self.fd = OnceCell::from(fd);
        } else {
            self.fd = OnceCell::new();
        }
    }

    fn args(&self) -> &Args<'static> {
        self.args.get_or_init(|| match &self.source {
            Source::Call(row, call) => {
                let read = self.path.as_ref().map(|(register, raw, base)| ReadPath {
                    register: *register,
                    raw,
                    base: base.as_deref(),
                });
                decode::args(row, (self.tid, call), self.outcome, read)
            }
            Source::Exec | Source::Life => Args::default(),
        })
    }

    fn fd(&self) -> Option<&Fd<'static>> {
        let known = self.fd.get_or_init(|| {
            let Source::Call(row, call) = &self.source else {
                return None;
            };
            let int = |at: u8| {
                let word = call.args.get(usize::from(at)).copied().unwrap_or(0);
                ((word & 0xffff_ffff) as u32).cast_signed()
            };
            match row.fd {
                FdOf::Accepted => Some(self.accepted(int(0))),
                FdOf::Argument(at) => describe(self.tid, self.pid, int(at)),
                FdOf::Duplicated(at) => describe(self.tid, self.pid, int(at)).map(|mut fd| {
                    fd.num = self.result();
                    fd
                }),
                FdOf::ArgumentTo(at, kind) => Some(self.towards(int(at), kind, call)),
                FdOf::Made(made) => Some(self.made(made, int(0))),
                FdOf::Nothing => None,
                FdOf::Opened => self.opened(),
            }
        });
        known.as_ref()
    }

    fn result(&self) -> Option<i64> {
        match self.outcome {
            Outcome::Returned(result) => Some(result),
            Outcome::None | Outcome::Pending => None,
        }
    }

    fn opened(&self) -> Option<Fd<'static>> {
        let args = self.args();
        let Some(Arg::Path { raw, absolute }) = args.by_name("name") else {
            return None;
        };
        let is_directory =
            matches!(args.by_name("flags"), Some(Arg::Flags(bits)) if wants_directory(*bits));
        let mut fd = unknown(if is_directory {
            FdKind::Directory
        } else {
            FdKind::File
        });
        fd.num = self.result();
        fd.name.clone_from(absolute);
        fd.raw_name = Some(raw.clone());
        Some(fd)
    }

    fn towards(&self, fd: i32, kind: crate::table::Kind, call: &Call) -> Fd<'static> {
        // The address in memory may be another one by now: what was read at the entry counts.
        let address = match self.args().by_name("addr") {
            Some(Arg::Addr(address)) => Some(sys::SocketName::Inet(*address)),
            Some(Arg::Bytes(path)) => Some(sys::SocketName::Unix(path.to_vec())),
            _ => decode::address(self.tid, call, kind),
        };
        let mut fd = towards(self.pid, fd, address);
        fd.is_connected = self.result().and(fd.is_connected);
        fd
    }

    fn accepted(&self, listener: i32) -> Fd<'static> {
        match self.result() {
            Some(result) if result >= 0 => {
                let mut fd = socket(self.pid, i32::try_from(result).unwrap_or(-1));
                fd.num = Some(result);
                fd.role = Some(Role::Server);
                fd.is_name_changed = true;
                fd
            }
            result => {
                let mut fd = socket(self.pid, listener);
                (fd.peer, fd.is_connected) = (None, None);
                fd.num = result;
                fd
            }
        }
    }

    fn made(&self, made: Made, domain: i32) -> Fd<'static> {
        let mut fd = unknown(match made {
            Made::Memfd => FdKind::Memfd,
            Made::Other => FdKind::Other,
            Made::Socket => kind_of_domain(domain),
        });
        fd.num = self.result();
        if let Some(Arg::Bytes(name)) = self.args().by_name("name") {
            fd.name = Some(name.clone());
        }
        fd
    }
}

/// A moment in its world: what rules are evaluated on.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    /// The event.
    pub moment: &'a Moment,
    /// Everything around it.
    pub world: &'a World,
    /// Whether the result counts as missing rather than as still to come: for an alert that is
    /// told before the call returns.
    pub is_told: bool,
}

impl<'a> Live<'a> {
    /// A moment for rules to judge.
    pub const fn new(moment: &'a Moment, world: &'a World) -> Self {
        Self {
            moment,
            world,
            is_told: false,
        }
    }
}

impl Facts for Live<'_> {
    fn kind(&self) -> EventType {
        self.moment.kind
    }

    fn num(&self) -> u64 {
        self.world.processes.mark_volatile();
        self.moment.num
    }

    fn time(&self) -> u64 {
        self.world.processes.mark_volatile();
        self.moment.time
    }

    fn outcome(&self) -> Outcome {
        match self.moment.outcome {
            Outcome::Pending if self.is_told => Outcome::None,
            outcome => outcome,
        }
    }

    fn tid(&self) -> i64 {
        self.world.processes.mark_volatile();
        i64::from(self.moment.tid.0)
    }

    fn process(&self, generation: usize) -> Option<&dyn ProcessFacts> {
        let process = self.world.processes.ancestor(self.moment.pid, generation)?;
        Some(process)
    }

    fn any_ancestor<'b>(&'b self, each: &mut dyn FnMut(&'b dyn ProcessFacts) -> bool) -> bool {
        let ancestors = self.world.processes.ancestors(self.moment.pid);
        ancestors.take(event::LONGEST_CHAIN).any(|one| each(one))
    }

    fn args(&self) -> &Args<'_> {
        match self.moment.source {
            Source::Exec => self.moment.args.get_or_init(|| {
                let process = self.world.processes.get(self.moment.pid);
                process.map_or_else(Args::default, executed::args)
            }),
            Source::Call(..) | Source::Life => self.moment.args(),
        }
    }

    fn fd(&self) -> Option<&Fd<'_>> {
        self.moment.fd()
    }

    fn user_name(&self, uid: u32) -> Option<Cow<'_, str>> {
        self.world.names().user(uid)
    }

    fn group_name(&self, gid: u32) -> Option<Cow<'_, str>> {
        self.world.names().group(gid)
    }

    fn local_addresses(&self) -> &[IpAddr] {
        self.world.local_addresses()
    }

    fn task(&self) -> &Task {
        &self.world.task
    }
}
