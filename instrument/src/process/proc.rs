//! `/proc` of the workload's processes. Hand-written because it is read while a thread stands
//! still: one open, one read, no allocation but the answer.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;

use event::{Capabilities, Credentials};
use sys::{Pid, Tid};

/// The fields of `/proc/PID/stat` that rules ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Parent.
    pub ppid: i32,
    /// Process group.
    pub pgid: i64,
    /// Session.
    pub sid: i64,
    /// Device of the controlling terminal; 0 is none.
    pub tty: u32,
    /// Start, in clock ticks since boot.
    pub start_ticks: u64,
}

/// The fields of `/proc/PID/status` that rules ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Ids, without the login uid.
    pub credentials: Credentials,
    /// Capability sets.
    pub capabilities: Capabilities,
    /// Process that the thread belongs to.
    pub tgid: i32,
    /// Who traces it; 0 is nobody.
    pub tracer: i32,
}

/// Whether there is a `/proc` at all.
pub fn is_mounted() -> bool {
    File::open("/proc/self/stat").is_ok()
}

fn read(pid: i32, file: &str, max: usize) -> Option<Vec<u8>> {
    let file = File::open(format!("/proc/{pid}/{file}")).ok()?;
    let mut bytes = Vec::with_capacity(max.min(2048));
    file.take(max as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Reads a symbolic link of `/proc/TID`: `cwd`, `exe`, `fd/3`.
pub fn read_link(tid: Tid, name: &str) -> Option<Vec<u8>> {
    let path = std::fs::read_link(format!("/proc/{tid}/{name}")).ok()?;
    Some(path.into_os_string().into_vec())
}

/// `/proc/PID/exe`.
pub(super) fn exe(pid: Pid) -> Option<Vec<u8>> {
    read_link(pid.leader(), "exe")
}

/// `/proc/PID/comm`.
pub(super) fn comm(pid: Pid) -> Option<Vec<u8>> {
    let mut comm = read(pid.0, "comm", 64)?;
    if comm.last() == Some(&b'\n') {
        comm.pop();
    }
    Some(comm)
}

/// `/proc/PID/cmdline`, cut.
pub(super) fn cmdline(pid: Pid, max: usize) -> Option<Vec<u8>> {
    read(pid.0, "cmdline", max)
}

/// `/proc/PID/environ`, cut.
pub(super) fn environ(pid: Pid, max: usize) -> Option<Vec<u8>> {
    read(pid.0, "environ", max)
}

/// `/proc/PID/loginuid`; `None` when it was never set.
pub(super) fn loginuid(pid: Pid) -> Option<u32> {
    let bytes = read(pid.0, "loginuid", 32)?;
    let uid: u32 = std::str::from_utf8(&bytes).ok()?.trim().parse().ok()?;
    (uid != u32::MAX).then_some(uid)
}

/// `/proc/PID/stat`.
pub fn stat(pid: Pid) -> Option<Stat> {
    parse_stat(&read(pid.0, "stat", 2048)?)
}

fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    // The name may hold anything, also spaces and parentheses: fields count from its last one.
    let end = bytes.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(bytes.get(end + 2..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace().skip(1);
    let ppid = fields.next()?.parse().ok()?;
    let pgid = fields.next()?.parse().ok()?;
    let sid = fields.next()?.parse().ok()?;
    let tty: i32 = fields.next()?.parse().ok()?;
    let start_ticks = fields.nth(14)?.parse().ok()?;
    Some(Stat {
        ppid,
        pgid,
        sid,
        tty: tty.cast_unsigned(),
        start_ticks,
    })
}

/// When a process was made, nanoseconds since 1970.
pub(super) fn start_time(stat: &Stat) -> u64 {
    sys::boot_offset() + stat.start_ticks * (1_000_000_000 / sys::clock_ticks())
}

/// `/proc/PID/status`.
pub fn status(pid: i32) -> Option<Status> {
    Some(parse_status(&read(pid, "status", 8192)?))
}

fn parse_status(bytes: &[u8]) -> Status {
    let mut status = Status::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else {
            continue;
        };
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let mut numbers = value.split_ascii_whitespace();
        let mut next = || numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let hex = || u64::from_str_radix(value.trim(), 16).unwrap_or(0);
        match name {
            "Uid" => (status.credentials.uid, status.credentials.euid) = (next(), next()),
            "Gid" => (status.credentials.gid, status.credentials.egid) = (next(), next()),
            "CapEff" => status.capabilities.effective = hex(),
            "CapPrm" => status.capabilities.permitted = hex(),
            "CapInh" => status.capabilities.inheritable = hex(),
            "Tgid" => status.tgid = next().cast_signed(),
            "TracerPid" => status.tracer = next().cast_signed(),
            _ => {}
        }
    }
    status
}

/// The process of a thread, and who traces it.
pub fn tgid_and_tracer(tid: Tid) -> Option<(Pid, i32)> {
    let status = status(tid.0)?;
    Some((Pid(status.tgid), status.tracer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let line = b"42 (a) b (c)) S 7 8 9 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 99";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.ppid, stat.pgid, stat.sid, stat.tty), (7, 8, 9, 34816));
        assert_eq!(stat.start_ticks, 12345);
    }

    #[test]
    fn our_own_status_is_read() {
        let status = status(Pid::this().0).unwrap();
        assert_eq!(status.tgid, Pid::this().0);
        assert_eq!(status.credentials.uid, nix::unistd::getuid().as_raw());
    }

    #[test]
    fn status_fields() {
        let status = parse_status(
            b"Name:\tx\nTgid:\t5\nTracerPid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nCapEff:\t00000000a80425fb\n",
        );
        assert_eq!((status.tgid, status.tracer), (5, 9));
        assert_eq!((status.credentials.uid, status.credentials.euid), (1, 2));
        assert_eq!((status.credentials.gid, status.credentials.egid), (5, 6));
        assert_eq!(status.capabilities.effective, 0xa804_25fb);
    }
}
