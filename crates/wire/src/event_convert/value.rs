//! Values inside of an event: arguments, descriptors, addresses.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use event::{FdKind, L4Proto, Role};

use crate::event_form::arg;
use crate::{Addr, Fd, Path, Strings};

/// Numbers of [`FdKind`] on the wire; 0 and unknown ones are [`FdKind::Other`].
pub(super) const FD_KINDS: [FdKind; 13] = [
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

pub(super) fn boxed(list: Vec<Vec<u8>>) -> Vec<Box<[u8]>> {
    list.into_iter().map(Vec::into_boxed_slice).collect()
}

pub(super) fn unboxed(list: Vec<Box<[u8]>>) -> Vec<Vec<u8>> {
    list.into_iter().map(Vec::from).collect()
}

pub(super) fn arg_to_wire(value: event::Arg<'_>) -> arg::Value {
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

pub(super) fn arg_from_wire(value: arg::Value) -> Option<event::Arg<'static>> {
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

pub(super) fn fd_to_wire(fd: event::Fd<'_>) -> Fd {
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

pub(super) fn fd_from_wire(fd: Fd) -> event::Fd<'static> {
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

pub(super) fn ip_to_wire(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

pub(super) fn ip_from_wire(bytes: &[u8]) -> Option<IpAddr> {
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
