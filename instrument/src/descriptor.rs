//! What a descriptor refers to, asked of the kernel when a rule asks.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use event::{Fd, FdKind, L4Proto, Role};
use sys::{Pid, SocketFacts, SocketName, Tid, socket_facts};

use crate::process::read_link;

const SOCK_STREAM: i32 = 1;
const SOCK_DGRAM: i32 = 2;
const SOCK_RAW: i32 = 3;
const IPPROTO_ICMP: i32 = 1;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_UDP: i32 = 17;
const IPPROTO_ICMPV6: i32 = 58;
const AF_UNIX: i32 = 1;
const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;

/// A descriptor of which nothing is known yet.
pub fn unknown(kind: FdKind) -> Fd<'static> {
    Fd {
        num: None,
        kind,
        name: None,
        raw_name: None,
        local: None,
        peer: None,
        l4proto: None,
        role: None,
        is_connected: None,
        is_name_changed: false,
        dev: None,
        ino: None,
    }
}

/// An open descriptor of a thread.
pub fn describe(tid: Tid, pid: Pid, fd: i32) -> Option<Fd<'static>> {
    if fd < 0 {
        return None;
    }
    let link = read_link(tid, &format!("fd/{fd}"));
    let mut described = match link.as_deref() {
        Some(link) if link.starts_with(b"socket:") => socket(pid, fd),
        Some(link) => file(tid, fd, link),
        // Without /proc only sockets can be asked.
        None => socket_facts(pid, fd).ok().map(|facts| from_facts(&facts))?,
    };
    described.num = Some(i64::from(fd));
    Some(described)
}

fn file(tid: Tid, fd: i32, link: &[u8]) -> Fd<'static> {
    let kind = match link {
        link if link.starts_with(b"pipe:") => FdKind::Pipe,
        link if link.starts_with(b"/memfd:") => FdKind::Memfd,
        b"anon_inode:[eventfd]" => FdKind::Event,
        b"anon_inode:[eventpoll]" => FdKind::Eventpoll,
        b"anon_inode:inotify" => FdKind::Inotify,
        b"anon_inode:[signalfd]" => FdKind::Signal,
        b"anon_inode:[timerfd]" => FdKind::Timer,
        link if link.first() != Some(&b'/') => FdKind::Other,
        _ => FdKind::File,
    };
    let mut described = unknown(kind);
    if matches!(kind, FdKind::File | FdKind::Memfd) {
        described.name = Some(Cow::Owned(link.to_vec()));
        if let Ok(meta) = std::fs::metadata(format!("/proc/{tid}/fd/{fd}")) {
            described.dev = Some(meta.dev());
            described.ino = Some(meta.ino());
            if meta.is_dir() {
                described.kind = FdKind::Directory;
            } else if meta.file_type().is_fifo() {
                described.kind = FdKind::Pipe;
            }
        }
    }
    described
}

/// A socket, with what can be asked of it.
pub fn socket(pid: Pid, fd: i32) -> Fd<'static> {
    match socket_facts(pid, fd) {
        Ok(facts) => from_facts(&facts),
        Err(_) => unknown(FdKind::Other),
    }
}

fn from_facts(facts: &SocketFacts) -> Fd<'static> {
    let mut described = unknown(kind_of_domain(facts.domain));
    described.l4proto = protocol(facts);
    described.is_connected = Some(facts.peer.is_some());
    let inet = |name: &Option<SocketName>| match name {
        Some(SocketName::Inet(address)) => Some(*address),
        Some(SocketName::Unix(_)) | None => None,
    };
    described.local = inet(&facts.local);
    described.peer = inet(&facts.peer);
    if let Some(SocketName::Unix(path)) = facts.peer.as_ref().or(facts.local.as_ref()) {
        described.name = Some(Cow::Owned(path.clone()));
    }
    described
}

/// The kind of a socket of a domain (`AF_…`).
pub const fn kind_of_domain(domain: i32) -> FdKind {
    match domain {
        AF_UNIX => FdKind::UnixSocket,
        AF_INET => FdKind::Ipv4Socket,
        AF_INET6 => FdKind::Ipv6Socket,
        _ => FdKind::Other,
    }
}

fn protocol(facts: &SocketFacts) -> Option<L4Proto> {
    if !matches!(facts.domain, AF_INET | AF_INET6) {
        return None;
    }
    match (facts.kind, facts.protocol) {
        (SOCK_RAW, _) => Some(L4Proto::Raw),
        (_, IPPROTO_ICMP | IPPROTO_ICMPV6) => Some(L4Proto::Icmp),
        (_, IPPROTO_TCP) | (SOCK_STREAM, 0) => Some(L4Proto::Tcp),
        (_, IPPROTO_UDP) | (SOCK_DGRAM, 0) => Some(L4Proto::Udp),
        _ => None,
    }
}

/// A socket that is about to talk to an address.
pub fn towards(pid: Pid, fd: i32, address: Option<SocketName>) -> Fd<'static> {
    let mut described = socket(pid, fd);
    described.num = Some(i64::from(fd));
    match address {
        Some(SocketName::Inet(peer)) => {
            described.kind = kind_of_address(peer);
            described.is_name_changed = described.peer != Some(peer);
            described.peer = Some(peer);
            if described.local.is_none() {
                // Not bound yet, or not to be asked: the kernel shows such a socket so.
                described.local = Some(unbound(peer));
            }
            described.role = Some(Role::Client);
        }
        Some(SocketName::Unix(path)) => {
            described.kind = FdKind::UnixSocket;
            described.name = Some(Cow::Owned(path));
            described.is_name_changed = true;
            described.role = Some(Role::Client);
        }
        None => {
            if described.peer.is_some() {
                described.role = Some(Role::Client);
            }
        }
    }
    described
}

const fn unbound(peer: SocketAddr) -> SocketAddr {
    match peer {
        SocketAddr::V4(_) => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        SocketAddr::V6(_) => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}

const fn kind_of_address(address: SocketAddr) -> FdKind {
    match address {
        SocketAddr::V4(_) => FdKind::Ipv4Socket,
        SocketAddr::V6(_) => FdKind::Ipv6Socket,
    }
}
