//! `fd.*`: the descriptor that the event is about.

use std::net::{IpAddr, SocketAddr};

use super::arguments::push;
use super::{Lookup, Outcome, Scratch, flag, maybe_int, maybe_text, maybe_uint, text, uint};
use crate::names::service_of_port;
use crate::{EventType, Facts, Fd, FdKind, Field, FieldId, L4Proto, Role, Value};

/// Both ends of a connection, as far as they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The local one.
    pub local: Option<SocketAddr>,
    /// The peer's.
    pub peer: Option<SocketAddr>,
    /// Whether a missing end may become known when the call returns.
    pub is_pending: bool,
}

/// What the kernel decides only when the call returns. Each question is answered when it is asked:
/// most fields ask one.
#[derive(Clone, Copy)]
struct Open<'a> {
    facts: &'a dyn Facts,
    fd: &'a Fd<'a>,
}

impl Open<'_> {
    fn is_pending(self) -> bool {
        self.facts.outcome() == Outcome::Pending
    }

    /// Everything about the descriptor: `accept` has not made it yet.
    fn everything(self) -> bool {
        matches!(self.facts.kind(), EventType::Accept | EventType::Accept4) && self.is_pending()
    }

    /// The local end: `connect` and `sendto` bind a socket that has no address yet.
    fn local(self) -> bool {
        use EventType as T;
        let binds = matches!(
            self.facts.kind(),
            T::Bind | T::Connect | T::Listen | T::Sendmsg | T::Sendto
        );
        binds && self.fd.local.is_none_or(|local| local.port() == 0) && self.is_pending()
    }

    /// The peer: whoever sent what is received.
    fn peer(self) -> bool {
        matches!(self.facts.kind(), EventType::Recvfrom | EventType::Recvmsg) && self.is_pending()
    }

    /// The number, and what `stat` would tell of the file.
    fn number(self) -> bool {
        self.fd.num.is_none() && self.is_pending()
    }

    /// Whether it ends up connected.
    fn connected(self) -> bool {
        self.facts.kind() == EventType::Connect && self.is_pending()
    }
}

pub(super) fn ends(facts: &dyn Facts) -> Ends {
    let Some(fd) = facts.fd() else {
        return Ends {
            local: None,
            peer: None,
            is_pending: is_unmade(facts),
        };
    };
    let open = Open { facts, fd };
    Ends {
        local: fd.local.filter(|_| !open.local() && !open.everything()),
        peer: fd.peer.filter(|_| !open.peer() && !open.everything()),
        is_pending: is_socket(fd) && (open.local() || open.peer() || open.everything()),
    }
}

/// What `fd.name` is, when that is the path of a file: nothing has to be put together then.
pub(super) fn path(facts: &dyn Facts) -> Option<&[u8]> {
    let fd = facts.fd()?;
    let is_made = !matches!(facts.kind(), EventType::Accept | EventType::Accept4);
    file_name(fd).filter(|_| is_made)
}

/// Whether the event has no descriptor because the call that makes it has not returned.
fn is_unmade(facts: &dyn Facts) -> bool {
    facts.outcome() == Outcome::Pending && facts.kind().makes_descriptor()
}

pub(super) fn extract<'a>(
    field: &Field,
    facts: &'a dyn Facts,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    use FieldId as F;
    let Some(fd) = facts.fd() else {
        return if is_unmade(facts) {
            Lookup::Pending
        } else {
            Lookup::Unset
        };
    };
    let open = Open { facts, fd };
    if open.everything() {
        return Lookup::Pending;
    }
    match field.id {
        F::FdConnected if open.connected() => Lookup::Pending,
        F::FdConnected => fd.is_connected.map_or(Lookup::Unset, flag),
        F::FdDev | F::FdDevMajor | F::FdDevMinor | F::FdIno | F::FdNum | F::FdUid
            if open.number() =>
        {
            Lookup::Pending
        }
        F::FdDev => maybe_uint(fd.dev),
        F::FdDevMajor => maybe_uint(fd.dev.map(|dev| dev >> 8 & 0xfff)),
        F::FdDevMinor => maybe_uint(fd.dev.map(|dev| dev & 0xff | dev >> 12 & 0xfff00)),
        F::FdIno => maybe_uint(fd.ino),
        F::FdNum => maybe_int(fd.num),
        F::FdUid => {
            let Some(number) = fd.num else {
                return Lookup::Unset;
            };
            push(scratch, format_args!("{}{number}", facts.tid()));
            text(scratch)
        }
        F::FdDirectory => maybe_text(file_name(fd).map(|name| directory(name, fd.kind))),
        F::FdFilename => match fd.kind {
            FdKind::File => maybe_text(file_name(fd).map(base_name)),
            _ => Lookup::Unset,
        },
        F::FdName => name(facts, fd, open, scratch),
        F::FdNameraw => maybe_text(fd.raw_name.as_deref()),
        F::FdNameChanged => flag(fd.is_name_changed),
        F::FdType => text(type_name(fd.kind)),
        F::FdTypechar => text(typechar(fd.kind)),
        F::FdSockfamily => match fd.kind {
            FdKind::Ipv4Socket | FdKind::Ipv6Socket => text(b"ip"),
            FdKind::UnixSocket => text(b"unix"),
            _ => Lookup::Unset,
        },
        F::FdL4proto => fd.l4proto.map_or(Lookup::Unset, |l4| text(l4_name(l4))),
        F::FdIsServer => fd
            .role
            .map_or(Lookup::Unset, |role| flag(role == Role::Server)),
        _ => end(field.id, fd, open, scratch),
    }
}

/// Fields about one end of a connection.
fn end<'a>(id: FieldId, fd: &Fd<'_>, open: Open<'_>, scratch: &'a mut Scratch) -> Lookup<'a> {
    use FieldId as F;
    let side = match id {
        F::FdLip | F::FdLnet | F::FdLport | F::FdLproto | F::FdLipName => Side::Local,
        F::FdRip | F::FdRnet | F::FdRport | F::FdRproto | F::FdRipName => Side::Peer,
        F::FdCip | F::FdCnet | F::FdCport | F::FdCproto | F::FdCipName => match fd.role {
            Some(Role::Client) => Side::Local,
            Some(Role::Server) => Side::Peer,
            None => return Lookup::Unset,
        },
        F::FdSip | F::FdSnet | F::FdSport | F::FdSproto | F::FdSipName => match fd.role {
            Some(Role::Client) => Side::Peer,
            Some(Role::Server) => Side::Local,
            None => return Lookup::Unset,
        },
        // Fields that stand for either end are compared through `ends`.
        _ => return Lookup::Unset,
    };
    let (address, is_open) = match side {
        Side::Local => (fd.local, open.local()),
        Side::Peer => (fd.peer, open.peer()),
    };
    if is_open && is_socket(fd) {
        return Lookup::Pending;
    }
    let Some(address) = address else {
        return Lookup::Unset;
    };
    match id {
        F::FdLport | F::FdRport | F::FdCport | F::FdSport => uint(address.port().into()),
        F::FdLproto | F::FdRproto | F::FdCproto | F::FdSproto => {
            if let Some(service) = service_of_port(address.port()) {
                return text(service.as_bytes());
            }
            push(scratch, format_args!("{}", address.port()));
            text(scratch)
        }
        _ => Lookup::Is(Value::Ip(canonical(address.ip()))),
    }
}

#[derive(Clone, Copy)]
enum Side {
    Local,
    Peer,
}

/// A mapped address is the one that it stands for, so that rules for IPv4 hold on dual sockets.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

fn is_socket(fd: &Fd<'_>) -> bool {
    matches!(fd.kind, FdKind::Ipv4Socket | FdKind::Ipv6Socket)
}

fn name<'a>(
    facts: &'a dyn Facts,
    fd: &'a Fd<'_>,
    open: Open<'_>,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    if is_socket(fd) {
        if open.local() || open.peer() {
            return Lookup::Pending;
        }
        push_name(facts, fd, scratch);
        return text(scratch);
    }
    maybe_text(fd.name.as_deref())
}

/// Prints a descriptor's name: a path, or `client:port->server:port`.
pub(super) fn push_name(_facts: &dyn Facts, fd: &Fd<'_>, out: &mut Scratch) {
    if !is_socket(fd) {
        out.extend_from_slice(fd.name.as_deref().unwrap_or_default());
        return;
    }
    let (from, to) = match fd.role {
        Some(Role::Server) => (fd.peer, fd.local),
        Some(Role::Client) | None => (fd.local, fd.peer),
    };
    match (from, to) {
        (None, None) => {}
        (Some(only), None) | (None, Some(only)) if fd.role == Some(Role::Server) => {
            push_address(Some(only), fd.kind, out);
        }
        (Some(only), None) => push_address(Some(only), fd.kind, out),
        (from, to) => {
            push_address(from, fd.kind, out);
            out.extend_from_slice(b"->");
            push_address(to, fd.kind, out);
        }
    }
}

/// Falco writes `address:port` without brackets, IPv6 included.
fn push_address(address: Option<SocketAddr>, kind: FdKind, out: &mut Scratch) {
    match address {
        Some(address) => push(
            out,
            format_args!("{}:{}", canonical(address.ip()), address.port()),
        ),
        None if kind == FdKind::Ipv6Socket => out.extend_from_slice(b":::0"),
        None => out.extend_from_slice(b"0.0.0.0:0"),
    }
}

/// The name of something that has a path.
fn file_name<'a>(fd: &'a Fd<'_>) -> Option<&'a [u8]> {
    match fd.kind {
        FdKind::File | FdKind::Directory => fd.name.as_deref(),
        _ => None,
    }
}

fn directory(name: &[u8], kind: FdKind) -> &[u8] {
    if kind == FdKind::Directory {
        return name;
    }
    match name.iter().rposition(|&byte| byte == b'/') {
        Some(0) | None => b"/",
        Some(slash) => &name[..slash],
    }
}

fn base_name(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => &name[slash + 1..],
        None => name,
    }
}

const fn type_name(kind: FdKind) -> &'static [u8] {
    match kind {
        FdKind::Directory => b"directory",
        FdKind::Event => b"event",
        FdKind::Eventpoll => b"eventpoll",
        FdKind::File => b"file",
        FdKind::Inotify => b"inotify",
        FdKind::Ipv4Socket => b"ipv4",
        FdKind::Ipv6Socket => b"ipv6",
        FdKind::Memfd => b"memfd",
        FdKind::Other => b"unknown",
        FdKind::Pipe => b"pipe",
        FdKind::Signal => b"signalfd",
        FdKind::Timer => b"timerfd",
        FdKind::UnixSocket => b"unix",
    }
}

/// Falco's letter for a kind of descriptor.
pub(super) const fn typechar(kind: FdKind) -> &'static [u8] {
    match kind {
        FdKind::Directory => b"d",
        FdKind::Event => b"e",
        FdKind::Eventpoll => b"l",
        FdKind::File => b"f",
        FdKind::Inotify => b"i",
        FdKind::Ipv4Socket => b"4",
        FdKind::Ipv6Socket => b"6",
        FdKind::Memfd => b"m",
        FdKind::Other => b"o",
        FdKind::Pipe => b"p",
        FdKind::Signal => b"s",
        FdKind::Timer => b"t",
        FdKind::UnixSocket => b"u",
    }
}

const fn l4_name(l4: L4Proto) -> &'static [u8] {
    match l4 {
        L4Proto::Icmp => b"icmp",
        L4Proto::Raw => b"raw",
        L4Proto::Tcp => b"tcp",
        L4Proto::Udp => b"udp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_what_precedes_the_last_slash() {
        assert_eq!(directory(b"/etc/passwd", FdKind::File), b"/etc");
        assert_eq!(directory(b"/x", FdKind::File), b"/");
        assert_eq!(directory(b"/etc", FdKind::Directory), b"/etc");
        assert_eq!(base_name(b"/etc/passwd"), b"passwd");
    }
}
