//! Files through which the tracer could be read, changed or slowed down.

use sys::{Call, Tid};

use crate::ids::Tracer;
use crate::path::absolute;
use crate::process::read_link;
use crate::table::{Kind, Row};

/// Files below `/proc/PID` that are refused even for reading: its memory, its secrets, its
/// descriptors. Everything else there may be read, as `ps` does.
const SECRET: &[&[u8]] = &[b"cwd", b"environ", b"fd", b"map_files", b"mem", b"root"];

/// Files below `/proc/PID` through which a process is harmed, whatever path led to them. What the
/// links among the secrets lead to is harmless by another name.
const HARMFUL: &[&[u8]] = &[
    b"autogroup",
    b"clear_refs",
    b"comm",
    b"coredump_filter",
    b"environ",
    b"gid_map",
    b"loginuid",
    b"mem",
    b"oom_adj",
    b"oom_score_adj",
    b"projid_map",
    b"sched",
    b"setgroups",
    b"timens_offsets",
    b"timerslack_ns",
    b"uid_map",
];

const ACCESS_MODE: u64 = 0o3;

/// What a path says of a file that shall be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It may be one of the tracer's by way of links: what was opened must be looked at.
    Doubtful,
    /// It is none of the tracer's.
    Fine,
    /// It is one of the tracer's.
    Refused,
}

/// Looks at a call that opens a file. `path` is what was read of the call's memory, and `base` the
/// directory from which it starts when it is relative.
pub fn opening(
    row: &Row,
    call: &Call,
    path: &[u8],
    base: Option<&[u8]>,
    tracer: Tracer,
) -> Opening {
    if is_of_tracer(row, call, path, base, tracer) {
        Opening::Refused
    } else if may_lead_to(path) {
        Opening::Doubtful
    } else {
        Opening::Fine
    }
}

/// Whether a path ends like a harmful file of the tracer, wherever it begins.
pub(super) fn may_lead_to(path: &[u8]) -> bool {
    let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    HARMFUL.contains(&last)
}

/// Whether a descriptor that was just opened is on a file of the tracer that nobody may open.
pub fn opened(tid: Tid, fd: i64, tracer: Tracer) -> bool {
    let Some(link) = read_link(tid, &format!("fd/{fd}")) else {
        return false;
    };
    if !link.starts_with(b"/proc/") {
        return false;
    }
    let info = std::fs::read_to_string(format!("/proc/{tid}/fdinfo/{fd}")).unwrap_or_default();
    let flags = info
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
    let is_write = flags.is_none_or(|flags| flags & ACCESS_MODE != 0);
    is_guarded(&link, tracer, is_write)
}

/// Whether a call opens such a file of the tracer, as its path says.
fn is_of_tracer(row: &Row, call: &Call, path: &[u8], base: Option<&[u8]>, tracer: Tracer) -> bool {
    let is_write = flags(row, call) & ACCESS_MODE != 0;
    if path.first() == Some(&b'/') {
        // Nearly all paths end here.
        return path.windows(5).any(|part| part == b"proc/")
            && is_guarded(&absolute(b"/", path), tracer, is_write);
    }
    base.is_some_and(|base| {
        base.starts_with(b"/proc") && is_guarded(&absolute(base, path), tracer, is_write)
    })
}

/// Whether an absolute, normalised path is one that nobody may open.
fn is_guarded(path: &[u8], tracer: Tracer, is_write: bool) -> bool {
    let mut parts = path.split(|byte| *byte == b'/').skip(1);
    if parts.next() != Some(b"proc") || !parts.next().is_some_and(|name| is_name(name, tracer)) {
        return false;
    }
    let mut file = parts.next();
    if file == Some(b"task") {
        // `/proc/PID/task/TID/…` are the same files once more.
        parts.next();
        file = parts.next();
    }
    file.is_some_and(|file| is_write || SECRET.contains(&file))
}

/// Whether a directory of `/proc` has this name because of the tracer.
fn is_name(name: &[u8], tracer: Tracer) -> bool {
    let number = std::str::from_utf8(name)
        .ok()
        .and_then(|name| name.parse().ok());
    number.is_some_and(|number| tracer.is(number))
}

fn word(call: &Call, at: u8) -> u64 {
    call.args.get(usize::from(at)).copied().unwrap_or(0)
}

/// The flags of the call; calls without flags write.
fn flags(row: &Row, call: &Call) -> u64 {
    row.params
        .iter()
        .find_map(|param| match param.kind {
            Kind::Flags(at) => Some(word(call, at)),
            // In memory: as bad as it can be.
            Kind::HowFlags(_) => Some(ACCESS_MODE),
            _ => None,
        })
        .unwrap_or(ACCESS_MODE)
}

#[cfg(test)]
mod tests {
    use sys::{Abi, Pid};

    use super::*;
    use crate::table::rows;

    const TRACER: Tracer = Tracer {
        pid: Pid(42),
        sender: Tid(43),
    };

    fn looked_at(name: &str, args: [u64; 6], path: &str) -> Opening {
        let (_, row) = rows().find(|(_, row)| row.call == name).unwrap();
        let call = Call {
            abi: Abi::X86_64,
            number: 0,
            args,
        };
        let base = crate::decode::base(row, &call, Tid::this(), path.as_bytes());
        opening(row, &call, path.as_bytes(), base.as_deref(), TRACER)
    }

    fn refused(name: &str, args: [u64; 6], path: &str) -> bool {
        looked_at(name, args, path) == Opening::Refused
    }

    #[test]
    fn secrets_of_the_tracer_are_refused_and_the_rest_may_be_read() {
        for (path, flags, expected) in [
            ("/proc/42/mem", 0, true),
            ("/proc/42/mem", 2, true),
            ("/proc//self/../42/./mem", 0, true),
            ("/proc/42/task/43/mem", 0, true),
            ("/proc/43/mem", 0, true),
            ("/proc/42/environ", 0, true),
            ("/proc/42/fd/3", 0, true),
            ("/proc/42/oom_score_adj", 1, true),
            ("/proc/42/oom_score_adj", 0, false),
            ("/proc/42/stat", 0, false),
            ("/proc/42", 0, false),
            ("/proc/421/mem", 2, false),
            ("/proc/4/mem", 2, false),
            ("/tmp/proc/42/mem", 2, false),
            ("/proc/self/mem", 2, false),
        ] {
            assert_eq!(
                refused("open", [0, flags, 0, 0, 0, 0], path),
                expected,
                "{path} {flags}"
            );
        }
        assert!(refused("creat", [0; 6], "/proc/42/comm"));
    }

    #[test]
    fn relative_paths_are_looked_up_when_they_may_mean_it() {
        let proc = std::fs::File::open("/proc").unwrap();
        let fd = u64::try_from(std::os::fd::AsRawFd::as_raw_fd(&proc)).unwrap();
        assert!(refused("openat", [fd, 0, 0, 0, 0, 0], "42/mem"));
        assert!(!refused("openat", [fd, 0, 0, 0, 0, 0], "44/mem"));
        assert!(!refused("openat", [fd, 0, 0, 0, 0, 0], "42/stat"));
    }

    #[test]
    fn paths_that_end_like_harmful_files_are_looked_at_once_open() {
        for (path, expected) in [
            ("/proc/self/root/proc/42/mem", Opening::Doubtful),
            ("/proc/thread-self/../../../42/mem", Opening::Doubtful),
            ("/tmp/link/oom_score_adj", Opening::Doubtful),
            ("/etc/hostname", Opening::Fine),
            ("/proc/42/mem", Opening::Refused),
        ] {
            assert_eq!(
                looked_at("open", [0, 2, 0, 0, 0, 0], path),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn what_is_open_is_told_by_the_kernel() {
        let file = std::fs::File::open("/proc/self/environ").unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file).into();
        let this = Tracer {
            pid: Pid::this(),
            sender: Tid(0),
        };
        assert!(opened(Tid::this(), fd, this));
        assert!(!opened(Tid::this(), fd, TRACER));
        let status = std::fs::File::open("/proc/self/status").unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&status).into();
        assert!(!opened(Tid::this(), fd, this), "it may be read");
    }
}
