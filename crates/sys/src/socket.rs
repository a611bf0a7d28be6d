//! What a socket of another process is, by borrowing a copy of it.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{SockaddrLike as _, SockaddrStorage, getpeername, getsockname};

use crate::Pid;

/// A socket's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketName {
    /// Internet.
    Inet(SocketAddr),
    /// Path of a unix socket; abstract names begin with a NUL byte.
    Unix(Vec<u8>),
}

/// What a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketFacts {
    /// `AF_…`.
    pub domain: i32,
    /// `SOCK_…`.
    pub kind: i32,
    /// `IPPROTO_…`.
    pub protocol: i32,
    /// Its own address.
    pub local: Option<SocketName>,
    /// The address that it is connected to.
    pub peer: Option<SocketName>,
}

/// Asks a socket of a traced process. `ENOTSOCK` when the descriptor is something else; `EPERM` or
/// `ENOSYS` where the container's profile refuses `pidfd_getfd`.
pub fn socket_facts(pid: Pid, fd: RawFd) -> Result<SocketFacts, Errno> {
    let copy = copy_descriptor(pid, fd)?;
    let raw = copy.as_raw_fd();
    Ok(SocketFacts {
        domain: option(raw, libc::SO_DOMAIN)?,
        kind: option(raw, libc::SO_TYPE)?,
        protocol: option(raw, libc::SO_PROTOCOL)?,
        local: getsockname::<SockaddrStorage>(raw)
            .ok()
            .and_then(|a| name(&a)),
        peer: getpeername::<SockaddrStorage>(raw)
            .ok()
            .and_then(|a| name(&a)),
    })
}

fn copy_descriptor(pid: Pid, fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: `pidfd_open` takes numbers by value.
    let rc = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.0, 0) };
    let process = owned(rc)?;
    // SAFETY: `pidfd_getfd` takes numbers by value; `process` is open.
    let rc = unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd, 0) };
    owned(rc)
}

fn owned(rc: libc::c_long) -> Result<OwnedFd, Errno> {
    let fd = Errno::result(rc)?;
    // SAFETY: the kernel just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(RawFd::try_from(fd).unwrap_or(-1)) })
}

fn option(fd: RawFd, option: libc::c_int) -> Result<i32, Errno> {
    let mut value: libc::c_int = 0;
    let mut len: libc::socklen_t = 4;
    // SAFETY: the kernel writes at most `len` bytes to `value`, which has four.
    let rc = unsafe {
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            option,
            (&raw mut value).cast(),
            &raw mut len,
        )
    };
    Errno::result(rc).map(|_| value)
}

fn name(address: &SockaddrStorage) -> Option<SocketName> {
    if let Some(v4) = address.as_sockaddr_in() {
        let v4 = std::net::SocketAddrV4::new(v4.ip(), v4.port());
        return Some(SocketName::Inet(v4.into()));
    }
    if let Some(v6) = address.as_sockaddr_in6() {
        let v6 = std::net::SocketAddrV6::new(v6.ip(), v6.port(), 0, v6.scope_id());
        return Some(SocketName::Inet(v6.into()));
    }
    let unix = address.as_unix_addr()?;
    if address.len() <= 2 {
        return None;
    }
    let bytes = match (unix.path(), unix.as_abstract()) {
        (Some(path), _) => std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec(),
        (None, Some(name)) => [&[0], name].concat(),
        (None, None) => return None,
    };
    Some(SocketName::Unix(bytes))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_of_our_own() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let facts = match socket_facts(Pid::this(), listener.as_raw_fd()) {
            Err(Errno::ENOSYS | Errno::EPERM) => {
                println!("skipped: a_listener_of_our_own: pidfd_getfd is refused here");
                return;
            }
            facts => facts.unwrap(),
        };
        assert_eq!(
            (facts.domain, facts.kind),
            (libc::AF_INET, libc::SOCK_STREAM)
        );
        assert_eq!(
            facts.local,
            Some(SocketName::Inet(listener.local_addr().unwrap()))
        );
        assert_eq!(facts.peer, None);
    }

    #[test]
    fn a_file_is_no_socket() {
        let file = std::fs::File::open("/").unwrap();
        match socket_facts(Pid::this(), file.as_raw_fd()) {
            Err(Errno::ENOSYS | Errno::EPERM) => {
                println!("skipped: a_file_is_no_socket: pidfd_getfd is refused here");
            }
            facts => assert_eq!(facts, Err(Errno::ENOTSOCK)),
        }
    }
}
