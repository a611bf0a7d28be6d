//! Files through which the tracer could be read, changed or slowed down.

use event::absolute;
use nix::sys::statfs::{PROC_SUPER_MAGIC, statfs};
use sys::{Call, Tid};

use crate::ids::Tracer;
use crate::process::read_link;
use crate::table::{Kind, Row};

/// Files below `/proc/PID` that are refused even for reading: its memory, its secrets, its
/// descriptors. Everything else there may be read.
const SECRET: &[&[u8]] = &[b"cwd", b"environ", b"fd", b"map_files", b"mem", b"root"];

/// The one among them that `ps`, `pgrep` and `pkill` read of every process. They get what they get of
/// another user's process, and it is no attack.
const EVERYDAY: &[u8] = b"environ";

/// Those among them that are directories. `lsof`, `ss` and `find` list them of every process; what
/// counts is what they hold. The filter lets a listing pass where no rule asks for directories.
const LISTS: &[&[u8]] = &[b"cwd", b"fd", b"map_files", b"root"];

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
    /// It is none of the tracer's, or one that everybody may read.
    Fine,
    /// It is one of the tracer's that everyday programs try to read.
    Hidden,
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
    match by_path(row, call, path, base, tracer) {
        // `RESOLVE_IN_ROOT`, which is in memory, makes an absolute path a relative one.
        Opening::Fine if row.call == "openat2" => Opening::Doubtful,
        Opening::Fine if may_lead_to(path) || may_mislead(path, base) => Opening::Doubtful,
        known => known,
    }
}

/// Whether a path may lead elsewhere than its text says without a link that somebody made: through
/// the links of `/proc`, or up from a directory that it names, which may be a link.
fn may_mislead(path: &[u8], base: Option<&[u8]>) -> bool {
    let goes_up = path.windows(3).any(|part| part == b"/..") && goes_up_from_name(path);
    goes_up
        || match base {
            Some(base) => base.starts_with(b"/proc") && passes_link(path),
            None => passes_proc(path),
        }
}

fn goes_up_from_name(path: &[u8]) -> bool {
    let mut parts = path.split(|byte| *byte == b'/');
    // `..` at the beginning starts from a directory that the kernel names.
    let is_named = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    parts.any(is_named) && parts.any(|part| part == b"..")
}

/// Whether an absolute path passes a link of `/proc` that leads out of it.
pub(crate) fn passes_proc(path: &[u8]) -> bool {
    (path.starts_with(b"/proc/") && passes_link(path))
        || path.starts_with(b"/dev/fd/")
        || path.starts_with(b"/dev/std")
}

fn passes_link(path: &[u8]) -> bool {
    let mut parts = path.split(|byte| *byte == b'/');
    parts.any(|part| matches!(part, b"cwd" | b"fd" | b"root")) && parts.next().is_some()
}

/// Whether a path ends like a harmful file of the tracer, wherever it begins.
pub(super) fn may_lead_to(path: &[u8]) -> bool {
    let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    HARMFUL.contains(&last)
}

/// What a descriptor that was just opened leads to; never doubtful.
pub fn opened(tid: Tid, fd: i64, tracer: Tracer) -> Opening {
    let Some(link) = read_link(tid, &format!("fd/{fd}")) else {
        return Opening::Fine;
    };
    let looks_harmless = anywhere(&link, tracer, true) == Opening::Fine;
    if looks_harmless || !is_proc(tid, fd) {
        return Opening::Fine;
    }
    let info = std::fs::read_to_string(format!("/proc/{tid}/fdinfo/{fd}")).unwrap_or_default();
    let flags = info
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
    let is_write = flags.is_none_or(|flags| flags & ACCESS_MODE != 0);
    anywhere(&link, tracer, is_write)
}

/// Whether a descriptor is on a file of `/proc`, wherever that is mounted.
fn is_proc(tid: Tid, fd: i64) -> bool {
    let path = format!("/proc/{tid}/fd/{fd}");
    statfs(path.as_str()).is_ok_and(|system| system.filesystem_type() == PROC_SUPER_MAGIC)
}

/// What a path leads to, if any of its directories is `/proc`.
fn anywhere(path: &[u8], tracer: Tracer, is_write: bool) -> Opening {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes
        .filter_map(|(at, _)| path.get(at..))
        .map(|below| guarded_below(below, tracer, is_write))
        .find(|opening| *opening != Opening::Fine)
        .unwrap_or(Opening::Fine)
}

/// What the path of a call says; never doubtful.
fn by_path(row: &Row, call: &Call, path: &[u8], base: Option<&[u8]>, tracer: Tracer) -> Opening {
    let is_write = flags(row, call) & ACCESS_MODE != 0;
    if path.first() == Some(&b'/') {
        // Nearly all paths end here.
        if !path.windows(5).any(|part| part == b"proc/") {
            return Opening::Fine;
        }
        return guarded(&absolute(b"/", path), tracer, is_write);
    }
    match base {
        Some(base) if base.starts_with(b"/proc") => {
            guarded(&absolute(base, path), tracer, is_write)
        }
        _ => Opening::Fine,
    }
}

/// What an absolute, normalised path leads to.
fn guarded(path: &[u8], tracer: Tracer, is_write: bool) -> Opening {
    match path.strip_prefix(b"/proc") {
        Some(below) => guarded_below(below, tracer, is_write),
        None => Opening::Fine,
    }
}

/// The same, of a path that starts in `/proc`.
fn guarded_below(path: &[u8], tracer: Tracer, is_write: bool) -> Opening {
    let mut parts = path.split(|byte| *byte == b'/');
    if parts.next() != Some(b"") || !parts.next().is_some_and(|name| is_name(name, tracer)) {
        return Opening::Fine;
    }
    let mut file = parts.next();
    if file == Some(b"task") {
        // `/proc/PID/task/TID/…` are the same files once more.
        parts.next();
        file = parts.next();
    }
    let Some(file) = file else {
        return Opening::Fine;
    };
    let is_inside = parts.any(|part| !part.is_empty());
    if !is_write && !is_inside && LISTS.contains(&file) {
        Opening::Fine
    } else if !is_write && !is_inside && file == EVERYDAY {
        Opening::Hidden
    } else if is_write || SECRET.contains(&file) {
        Opening::Refused
    } else {
        Opening::Fine
    }
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
    fn what_everyday_programs_read_is_hidden_from_them() {
        for (path, flags, expected) in [
            ("/proc/42/environ", 0, Opening::Hidden),
            ("/proc/42/task/43/environ", 0, Opening::Hidden),
            ("/proc/42/environ", 1, Opening::Refused),
            ("/proc/42/fd", 0, Opening::Fine),
            ("/proc/42/fd/", 0, Opening::Doubtful),
            ("/proc/42/fd", 2, Opening::Refused),
            ("/proc/42/fd/3", 0, Opening::Refused),
            ("/proc/42/map_files", 0, Opening::Fine),
            ("/proc/42/map_files/1-2", 0, Opening::Refused),
            ("/proc/42/root", 0, Opening::Fine),
            ("/proc/42/root/etc/hostname", 0, Opening::Refused),
        ] {
            let args = [0, flags, 0, 0, 0, 0];
            assert_eq!(looked_at("open", args, path), expected, "{path} {flags}");
        }
    }

    #[test]
    fn secrets_of_the_tracer_are_refused_and_the_rest_may_be_read() {
        for (path, flags, expected) in [
            ("/proc/42/mem", 0, true),
            ("/proc/42/mem", 2, true),
            ("/proc//self/../42/./mem", 0, true),
            ("/proc/42/task/43/mem", 0, true),
            ("/proc/43/mem", 0, true),
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
    fn paths_that_may_lead_elsewhere_are_looked_at_once_open() {
        for (path, expected) in [
            ("/proc/self/root/proc/42/mem", Opening::Doubtful),
            ("/proc/thread-self/../../../42/mem", Opening::Doubtful),
            ("/tmp/link/oom_score_adj", Opening::Doubtful),
            ("/proc/self/root/etc/hostname", Opening::Doubtful),
            ("/proc/self/root/../etc/hostname", Opening::Doubtful),
            ("/dev/fd/3/hostname", Opening::Doubtful),
            ("/dev/stdin", Opening::Doubtful),
            ("/proc/self/fd/3", Opening::Doubtful),
            ("/usr/lib/ssl/certs/../../hostname", Opening::Doubtful),
            ("lib//../hostname", Opening::Doubtful),
            ("../lib/hostname", Opening::Fine),
            ("/../etc/hostname", Opening::Fine),
            ("/proc/self/fd", Opening::Fine),
            ("/proc/self/status", Opening::Fine),
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
    fn proc_may_be_mounted_anywhere() {
        for (path, is_write, expected) in [
            ("/tmp/p/42/mem", false, Opening::Refused),
            ("/42/mem", false, Opening::Refused),
            ("/42/42/task/42/mem", false, Opening::Refused),
            ("/tmp/p/42/oom_score_adj", true, Opening::Refused),
            ("/tmp/p/42/oom_score_adj", false, Opening::Fine),
            ("/tmp/p/44/mem", true, Opening::Fine),
            ("socket:[42]", true, Opening::Fine),
        ] {
            let found = anywhere(path.as_bytes(), TRACER, is_write);
            assert_eq!(found, expected, "{path} {is_write}");
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
        assert_eq!(opened(Tid::this(), fd, this), Opening::Hidden);
        assert_eq!(opened(Tid::this(), fd, TRACER), Opening::Fine);
        let status = std::fs::File::open("/proc/self/status").unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&status).into();
        assert_eq!(opened(Tid::this(), fd, this), Opening::Fine);
    }
}
