//! Writes down what can be asked of a live event.

use std::collections::BTreeMap;

use super::{Arg, Args, Event, Facts, Fd, Process, ProcessFacts};

/// How much of a process is written down.
const ANCESTORS: usize = 64;

impl Event {
    /// Asks everything that may be asked, and keeps the answers. Environments are left out: they
    /// hold secrets.
    pub fn capture(facts: &dyn Facts) -> Self {
        let processes: Vec<Process> = (0..ANCESTORS)
            .map_while(|generation| facts.process(generation))
            .map(Process::capture)
            .collect();
        let args = facts.args().to_owned_args();
        let mut users = BTreeMap::new();
        let mut groups = BTreeMap::new();
        let mut note_user = |uid: u32| {
            if let Some(name) = facts.user_name(uid) {
                users.insert(uid, name.into_owned());
            }
        };
        let mut note_group = |gid: u32| {
            if let Some(name) = facts.group_name(gid) {
                groups.insert(gid, name.into_owned());
            }
        };
        if let Some(ids) = processes.first().and_then(|process| process.credentials) {
            note_user(ids.uid);
            note_group(ids.gid);
            if let Some(login) = ids.loginuid {
                note_user(login);
            }
        }
        for (_, arg) in &args.items {
            match arg {
                Arg::Uid(uid) => note_user(*uid),
                Arg::Gid(gid) => note_group(*gid),
                _ => {}
            }
        }
        Self {
            kind: facts.kind(),
            num: facts.num(),
            time: facts.time(),
            outcome: facts.outcome(),
            tid: facts.tid(),
            processes,
            args,
            fd: facts.fd().map(Fd::to_owned_fd),
            users,
            groups,
            local_addresses: facts.local_addresses().to_vec(),
            task: facts.task().clone(),
        }
    }
}

impl Process {
    fn capture(facts: &dyn ProcessFacts) -> Self {
        Self {
            pid: facts.pid(),
            vpid: facts.vpid(),
            ppid: facts.ppid(),
            comm: facts.comm().into(),
            exe: facts.exe().into(),
            args: facts.args().to_vec(),
            exe_path: facts.exe_path().map(Into::into),
            exe_file: facts.exe_file(),
            cwd: facts.cwd().map(|cwd| cwd.into_owned().into()),
            env: None,
            tty: facts.tty(),
            sid: facts.sid(),
            pgid: facts.pgid(),
            credentials: facts.credentials(),
            capabilities: facts.capabilities(),
            started: facts.started(),
            executed: facts.executed(),
        }
    }
}

impl Args<'_> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// A copy that borrows nothing.
    pub fn to_owned_args(&self) -> Args<'static> {
        Args {
            items: self
                .items
                .iter()
                .map(|(name, arg)| (*name, arg.to_owned_arg()))
                .collect(),
        }
    }
}

impl Arg<'_> {
    /// A copy that borrows nothing.
    pub fn to_owned_arg(&self) -> Arg<'static> {
        match self {
            Self::Addr(address) => Arg::Addr(*address),
            Self::Bytes(bytes) => Arg::Bytes(bytes.to_vec().into()),
            Self::Enum(value) => Arg::Enum(*value),
            Self::Fd(number) => Arg::Fd(*number),
            Self::Flags(value) => Arg::Flags(*value),
            Self::Gid(gid) => Arg::Gid(*gid),
            Self::Int(value) => Arg::Int(*value),
            Self::Mode(mode) => Arg::Mode(*mode),
            Self::Path { raw, absolute } => Arg::Path {
                raw: raw.to_vec().into(),
                absolute: absolute.as_ref().map(|path| path.to_vec().into()),
            },
            Self::Pid(pid) => Arg::Pid(*pid),
            Self::Uid(uid) => Arg::Uid(*uid),
            Self::Uint(value) => Arg::Uint(*value),
            Self::Vector(items) => Arg::Vector(items.to_vec().into()),
        }
    }
}

impl Fd<'_> {
    /// A copy that borrows nothing.
    pub fn to_owned_fd(&self) -> Fd<'static> {
        Fd {
            num: self.num,
            kind: self.kind,
            name: self.name.as_ref().map(|name| name.to_vec().into()),
            raw_name: self.raw_name.as_ref().map(|name| name.to_vec().into()),
            local: self.local,
            peer: self.peer,
            l4proto: self.l4proto,
            role: self.role,
            is_connected: self.is_connected,
            is_name_changed: self.is_name_changed,
            dev: self.dev,
            ino: self.ino,
        }
    }
}
