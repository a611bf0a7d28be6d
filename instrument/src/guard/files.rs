//! Files through which the tracer could be read, changed or slowed down.

use sys::{Call, Pid};

use crate::path::absolute;
use crate::table::{Kind, Row};

/// Files below `/proc/PID` that are refused even for reading: its memory, its secrets, its
/// descriptors. Everything else there may be read, as `ps` does.
const SECRET: &[&[u8]] = &[b"cwd", b"environ", b"fd", b"map_files", b"mem", b"root"];

const ACCESS_MODE: u64 = 0o3;

/// Whether a call opens such a file of the tracer. `path` is what was read of the call's memory, and
/// `base` the directory from which it starts when it is relative.
pub fn is_of_tracer(row: &Row, call: &Call, path: &[u8], base: Option<&[u8]>, tracer: Pid) -> bool {
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
fn is_guarded(path: &[u8], tracer: Pid, is_write: bool) -> bool {
    let mut parts = path.split(|byte| *byte == b'/').skip(1);
    if parts.next() != Some(b"proc") || parts.next() != Some(&*tracer_name(tracer)) {
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

fn tracer_name(tracer: Pid) -> Vec<u8> {
    tracer.to_string().into_bytes()
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
    use sys::{Abi, Tid};

    use super::*;
    use crate::table::rows;

    const TRACER: Pid = Pid(42);

    fn refused(name: &str, args: [u64; 6], path: &str) -> bool {
        let (_, row) = rows().find(|(_, row)| row.call == name).unwrap();
        let call = Call {
            abi: Abi::X86_64,
            number: 0,
            args,
        };
        let base = crate::decode::base(row, &call, Tid::this(), path.as_bytes());
        is_of_tracer(row, &call, path.as_bytes(), base.as_deref(), TRACER)
    }

    #[test]
    fn secrets_of_the_tracer_are_refused_and_the_rest_may_be_read() {
        for (path, flags, expected) in [
            ("/proc/42/mem", 0, true),
            ("/proc/42/mem", 2, true),
            ("/proc//self/../42/./mem", 0, true),
            ("/proc/42/task/43/mem", 0, true),
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
        assert!(!refused("openat", [fd, 0, 0, 0, 0, 0], "43/mem"));
        assert!(!refused("openat", [fd, 0, 0, 0, 0, 0], "42/stat"));
    }
}
