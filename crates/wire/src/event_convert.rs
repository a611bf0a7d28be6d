//! Between [`event::Event`] and its form on the wire.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use event::{EventType, FdKind, L4Proto, Outcome, Role};

use crate::event_form::arg;
use crate::{Addr, Arg, Capabilities, Credentials, Event, ExeFile, Fd, Path, Process, Strings};

/// The event's type is not known to this version: its sender is of a later one.
#[derive(Debug, thiserror::Error)]
#[error("event type `{0}` is not known")]
pub struct UnknownKind(pub String);

/// Numbers of [`FdKind`] on the wire; 0 and unknown ones are [`FdKind::Other`].
const FD_KINDS: [FdKind; 13] = [
    FdKind::Directory,
    FdKind::Event,
    FdKind::Eventpoll,
    FdKind::File,
    FdKind::Inotify,
    FdKind::Ipv4Socket,
    FdKind::Ipv6Socket,
    FdKind::Memfd,
    FdKind::Other,
    FdKind::Pipe,
    FdKind::Signal,
    FdKind::Timer,
    FdKind::UnixSocket,
];
const PROTOCOLS: [L4Proto; 4] = [L4Proto::Icmp, L4Proto::Raw, L4Proto::Tcp, L4Proto::Udp];
const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Position in a table, counted from 1; 0 is "not there".
fn number<T: PartialEq>(table: &[T], value: &T) -> u32 {
    table
        .iter()
        .position(|v| v == value)
        .and_then(|n| u32::try_from(n + 1).ok())
        .unwrap_or(0)
}

fn named<T: Copy>(table: &[T], number: u32) -> Option<T> {
    usize::try_from(number)
        .ok()?
        .checked_sub(1)
        .and_then(|n| table.get(n))
        .copied()
}

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

fn boxed(list: Vec<Vec<u8>>) -> Vec<Box<[u8]>> {
    list.into_iter().map(Vec::into_boxed_slice).collect()
}

fn unboxed(list: Vec<Box<[u8]>>) -> Vec<Vec<u8>> {
    list.into_iter().map(Vec::from).collect()
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

fn arg_to_wire(value: event::Arg<'_>) -> arg::Value {
    match value {
        event::Arg::Bytes(v) => arg::Value::Bytes(v.into_owned()),
        event::Arg::Enum(v) => arg::Value::Enum(v),
        event::Arg::Fd(v) => arg::Value::Fd(v),
        event::Arg::Flags(v) => arg::Value::Flags(v),
        event::Arg::Gid(v) => arg::Value::Gid(v),
        event::Arg::Int(v) => arg::Value::Int(v),
        event::Arg::Mode(v) => arg::Value::Mode(v),
        event::Arg::Path { raw, absolute } => arg::Value::Path(Path {
            raw: raw.into_owned(),
            absolute: absolute.map(Cow::into_owned),
        }),
        event::Arg::Pid(v) => arg::Value::Pid(v),
        event::Arg::Addr(v) => arg::Value::Addr(addr_to_wire(v)),
        event::Arg::Uid(v) => arg::Value::Uid(v),
        event::Arg::Uint(v) => arg::Value::Uint(v),
        event::Arg::Vector(v) => arg::Value::Vector(Strings {
            items: unboxed(v.into_owned()),
        }),
    }
}

fn arg_from_wire(value: arg::Value) -> Option<event::Arg<'static>> {
    Some(match value {
        arg::Value::Bytes(v) => event::Arg::Bytes(v.into()),
        arg::Value::Enum(v) => event::Arg::Enum(v),
        arg::Value::Fd(v) => event::Arg::Fd(v),
        arg::Value::Flags(v) => event::Arg::Flags(v),
        arg::Value::Gid(v) => event::Arg::Gid(v),
        arg::Value::Int(v) => event::Arg::Int(v),
        arg::Value::Mode(v) => event::Arg::Mode(v),
        arg::Value::Path(v) => event::Arg::Path {
            raw: v.raw.into(),
            absolute: v.absolute.map(Cow::Owned),
        },
        arg::Value::Pid(v) => event::Arg::Pid(v),
        arg::Value::Addr(v) => event::Arg::Addr(addr_from_wire(&v)?),
        arg::Value::Uid(v) => event::Arg::Uid(v),
        arg::Value::Uint(v) => event::Arg::Uint(v),
        arg::Value::Vector(v) => event::Arg::Vector(boxed(v.items).into()),
    })
}

fn fd_to_wire(fd: event::Fd<'_>) -> Fd {
    Fd {
        num: fd.num,
        kind: number(&FD_KINDS, &fd.kind),
        name: fd.name.map(Cow::into_owned),
        raw_name: fd.raw_name.map(Cow::into_owned),
        local: fd.local.map(addr_to_wire),
        peer: fd.peer.map(addr_to_wire),
        l4proto: fd.l4proto.map_or(0, |v| number(&PROTOCOLS, &v)),
        role: fd.role.map_or(0, |v| number(&ROLES, &v)),
        is_connected: fd.is_connected,
        is_name_changed: fd.is_name_changed,
        dev: fd.dev,
        ino: fd.ino,
    }
}

fn fd_from_wire(fd: Fd) -> event::Fd<'static> {
    event::Fd {
        num: fd.num,
        kind: named(&FD_KINDS, fd.kind).unwrap_or(FdKind::Other),
        name: fd.name.map(Cow::Owned),
        raw_name: fd.raw_name.map(Cow::Owned),
        local: fd.local.as_ref().and_then(addr_from_wire),
        peer: fd.peer.as_ref().and_then(addr_from_wire),
        l4proto: named(&PROTOCOLS, fd.l4proto),
        role: named(&ROLES, fd.role),
        is_connected: fd.is_connected,
        is_name_changed: fd.is_name_changed,
        dev: fd.dev,
        ino: fd.ino,
    }
}

fn ip_to_wire(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn ip_from_wire(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(octets.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn addr_to_wire(addr: SocketAddr) -> Addr {
    Addr {
        ip: ip_to_wire(addr.ip()),
        port: addr.port().into(),
    }
}

fn addr_from_wire(addr: &Addr) -> Option<SocketAddr> {
    Some(SocketAddr::new(
        ip_from_wire(&addr.ip)?,
        u16::try_from(addr.port).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> event::Process {
        event::Process {
            pid: 41,
            vpid: 7,
            ppid: Some(1),
            comm: b"nc".as_slice().into(),
            exe: b"/usr/bin/nc".as_slice().into(),
            args: vec![b"-e".as_slice().into(), b"\xff\x00".as_slice().into()],
            exe_path: Some(b"/usr/bin/nc.openbsd".as_slice().into()),
            exe_file: Some(event::ExeFile {
                ino: 9,
                is_drift: true,
                ..Default::default()
            }),
            cwd: Some(b"/tmp".as_slice().into()),
            env: Some(vec![b"A=1".as_slice().into()]),
            tty: Some(0),
            sid: Some(1),
            pgid: Some(2),
            credentials: Some(event::Credentials {
                uid: 33,
                loginuid: Some(5),
                ..Default::default()
            }),
            capabilities: Some(event::Capabilities {
                effective: u64::MAX,
                ..Default::default()
            }),
            started: 5,
            executed: 6,
        }
    }

    fn full() -> event::Event {
        let peer = "[2001:db8::1]:443".parse().unwrap();
        event::Event {
            kind: EventType::Connect,
            num: 3,
            time: 1_700_000_000_000_000_001,
            outcome: Outcome::Returned(-115),
            tid: 42,
            processes: vec![process(), event::Process::default()],
            args: event::Args {
                items: vec![
                    ("fd", event::Arg::Fd(-1)),
                    ("addr", event::Arg::Addr(peer)),
                    (
                        "path",
                        event::Arg::Path {
                            raw: b"a".as_slice().into(),
                            absolute: Some(b"/tmp/a".as_slice().into()),
                        },
                    ),
                    (
                        "argv",
                        event::Arg::Vector(vec![b"x".as_slice().into()].into()),
                    ),
                ],
            },
            fd: Some(event::Fd {
                num: Some(3),
                kind: FdKind::Ipv6Socket,
                name: None,
                raw_name: Some(b"r".as_slice().into()),
                local: Some("10.0.0.1:1".parse().unwrap()),
                peer: Some(peer),
                l4proto: Some(L4Proto::Tcp),
                role: Some(Role::Client),
                is_connected: Some(false),
                is_name_changed: true,
                dev: Some(1),
                ino: Some(2),
            }),
            users: [(33, "www-data".to_owned())].into(),
            groups: [(0, "root".to_owned())].into(),
            local_addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
            task: event::Task::default(),
        }
    }

    #[test]
    fn an_event_comes_back_as_it_went() {
        for outcome in [Outcome::None, Outcome::Pending, Outcome::Returned(0)] {
            let event = event::Event { outcome, ..full() };
            assert_eq!(
                event::Event::try_from(Event::from(event.clone())).unwrap(),
                event
            );
        }
        for kind in FD_KINDS {
            let mut event = full();
            event.fd.as_mut().unwrap().kind = kind;
            assert_eq!(
                event::Event::try_from(Event::from(event.clone())).unwrap(),
                event
            );
        }
    }

    #[test]
    fn an_event_type_of_a_later_version_is_refused_by_name() {
        let event = Event {
            kind: "landlock_add_rule".to_owned(),
            ..Event::default()
        };
        let error = event::Event::try_from(event).unwrap_err();
        assert_eq!(
            error.to_string(),
            "event type `landlock_add_rule` is not known"
        );
    }
}
