//! Between [`event::Event`] and its form on the wire.

mod value;

use event::{EventType, Outcome};

use crate::{Arg, Capabilities, Credentials, Event, ExeFile, Process, Strings};
use value::{
    arg_from_wire, arg_to_wire, boxed, fd_from_wire, fd_to_wire, ip_from_wire, ip_to_wire, unboxed,
};

/// The event's type is not known to this version: its sender is of a later one.
#[derive(Debug, thiserror::Error)]
#[error("event type `{0}` is not known")]
pub struct UnknownKind(pub String);

impl From<event::Event> for Event {
    fn from(event: event::Event) -> Self {
        let (result, is_pending) = match event.outcome {
            Outcome::None => (None, false),
            Outcome::Pending => (None, true),
            Outcome::Returned(value) => (Some(value), false),
        };
        Self {
            num: event.num,
            time: event.time,
            kind: event.kind.as_str().to_owned(),
            result,
            is_pending,
            tid: event.tid,
            processes: event.processes.into_iter().map(Process::from).collect(),
            args: event
                .args
                .items
                .into_iter()
                .map(|(name, value)| Arg {
                    name: name.to_owned(),
                    value: Some(arg_to_wire(value)),
                })
                .collect(),
            fd: event.fd.map(fd_to_wire),
            users: event.users,
            groups: event.groups,
            local_addresses: event.local_addresses.into_iter().map(ip_to_wire).collect(),
        }
    }
}

impl TryFrom<Event> for event::Event {
    type Error = UnknownKind;

    /// Arguments, descriptors and addresses of shapes that this version does not know are left
    /// out; an event of an unknown type is refused. The task is empty.
    fn try_from(event: Event) -> Result<Self, UnknownKind> {
        let Some(kind) = EventType::parse(&event.kind) else {
            return Err(UnknownKind(event.kind));
        };
        let outcome = match (event.result, event.is_pending) {
            (Some(value), _) => Outcome::Returned(value),
            (None, true) => Outcome::Pending,
            (None, false) => Outcome::None,
        };
        let items = event
            .args
            .into_iter()
            .filter_map(|arg| Some((event::argument(&arg.name)?, arg_from_wire(arg.value?)?)))
            .collect();
        Ok(Self {
            kind,
            num: event.num,
            time: event.time,
            outcome,
            tid: event.tid,
            processes: event
                .processes
                .into_iter()
                .map(event::Process::from)
                .collect(),
            args: event::Args { items },
            fd: event.fd.map(fd_from_wire),
            users: event.users,
            groups: event.groups,
            local_addresses: event
                .local_addresses
                .into_iter()
                .filter_map(|ip| ip_from_wire(&ip))
                .collect(),
            task: event::Task::default(),
        })
    }
}

impl From<event::Process> for Process {
    fn from(process: event::Process) -> Self {
        Self {
            pid: process.pid,
            vpid: process.vpid,
            ppid: process.ppid,
            comm: process.comm.into(),
            exe: process.exe.into(),
            args: unboxed(process.args),
            exe_path: process.exe_path.map(Vec::from),
            exe_file: process.exe_file.map(|file| ExeFile {
                ino: file.ino,
                ctime: file.ctime,
                mtime: file.mtime,
                is_writable: file.is_writable,
                is_memfd: file.is_memfd,
                is_drift: file.is_drift,
            }),
            cwd: process.cwd.map(Vec::from),
            env: process.env.map(|env| Strings {
                items: unboxed(env),
            }),
            tty: process.tty,
            sid: process.sid,
            pgid: process.pgid,
            credentials: process.credentials.map(|c| Credentials {
                uid: c.uid,
                euid: c.euid,
                gid: c.gid,
                egid: c.egid,
                loginuid: c.loginuid,
            }),
            capabilities: process.capabilities.map(|c| Capabilities {
                effective: c.effective,
                permitted: c.permitted,
                inheritable: c.inheritable,
            }),
            started: process.started,
            executed: process.executed,
        }
    }
}

impl From<Process> for event::Process {
    fn from(process: Process) -> Self {
        Self {
            pid: process.pid,
            vpid: process.vpid,
            ppid: process.ppid,
            comm: process.comm.into_boxed_slice(),
            exe: process.exe.into_boxed_slice(),
            args: boxed(process.args),
            exe_path: process.exe_path.map(Vec::into_boxed_slice),
            exe_file: process.exe_file.map(|file| event::ExeFile {
                ino: file.ino,
                ctime: file.ctime,
                mtime: file.mtime,
                is_writable: file.is_writable,
                is_memfd: file.is_memfd,
                is_drift: file.is_drift,
            }),
            cwd: process.cwd.map(Vec::into_boxed_slice),
            env: process.env.map(|env| boxed(env.items)),
            tty: process.tty,
            sid: process.sid,
            pgid: process.pgid,
            credentials: process.credentials.map(|c| event::Credentials {
                uid: c.uid,
                euid: c.euid,
                gid: c.gid,
                egid: c.egid,
                loginuid: c.loginuid,
            }),
            capabilities: process.capabilities.map(|c| event::Capabilities {
                effective: c.effective,
                permitted: c.permitted,
                inheritable: c.inheritable,
            }),
            started: process.started,
            executed: process.executed,
        }
    }
}

#[cfg(test)]
mod tests;
