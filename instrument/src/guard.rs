//! What the tracer does not let happen to itself, and what it must not let pass unseen.

mod files;

use sys::{Call, Errno, Stopped, Tid};

use crate::config::IoUring;
use crate::decode::MAX_PATH;
use crate::ids::Tracer;
use crate::process::read_link;
use crate::table::{Guard, Row};
pub(crate) use files::passes_proc;
pub use files::{Opening, opened, opening};

const CLONE_UNTRACED: u64 = 0x0080_0000;

const PTRACE_TRACEME: u64 = 0;
const PTRACE_ATTACH: u64 = 16;
const PTRACE_SEIZE: u64 = 0x4206;

const F_SETOWN: u64 = 8;
const F_SETOWN_EX: u64 = 15;
const FIOSETOWN: u64 = 0x8901;
const SIOCSPGRP: u64 = 0x8902;

/// Something that people should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// A ring was set up, whose operations are not seen.
    IoUring,
    /// A ring was refused.
    IoUringRefused,
    /// A seccomp listener was made.
    Listener,
    /// A seccomp listener was refused.
    ListenerRefused,
    /// Page faults were to be handled by the program, those of the kernel and the tracer included.
    PageFaults,
    /// A debugger was tried.
    Ptrace,
    /// Memory was to be made that the tracer cannot read.
    SecretMemory,
    /// The tracer was attacked.
    Tamper,
    /// Its memory cannot be read.
    Unreadable,
    /// A thread was to be made that nobody traces.
    Untraced,
}

/// What to do with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Pass,
    /// Tell it.
    Tell(Told),
    /// It means everybody: spare the tracer.
    Spread,
    /// It waits for clones, of which the tracer is one.
    Wait,
    /// Make it fail, and tell it.
    Refuse(Errno, Told),
    /// A name was made under which files of the tracer may be opened.
    Alias,
    /// A seccomp filter whose listener can let calls pass before any other filter is asked.
    Listener,
}

/// Looks at a call before the kernel does it.
pub fn check(
    stopped: &Stopped,
    row: &Row,
    call: &Call,
    tracer: Tracer,
    io_uring: IoUring,
) -> Verdict {
    match row.call {
        "clone" if call.args[0] & CLONE_UNTRACED != 0 => {
            let mut traced = *call;
            traced.args[0] &= !CLONE_UNTRACED;
            match stopped.set_arguments(&traced) {
                Ok(()) => Verdict::Tell(Told::Untraced),
                Err(_) => Verdict::Refuse(Errno::EPERM, Told::Untraced),
            }
        }
        "clone3" => check_clone3(stopped, call.args[0]),
        "io_uring_setup" => match io_uring {
            IoUring::Allow => Verdict::Tell(Told::IoUring),
            IoUring::Deny => Verdict::Refuse(Errno::EPERM, Told::IoUringRefused),
        },
        "ptrace" => match call.args[0] & 0xffff_ffff {
            PTRACE_ATTACH | PTRACE_SEIZE if tracer.is(int(call.args[1])) => {
                Verdict::Refuse(Errno::EPERM, Told::Tamper)
            }
            PTRACE_ATTACH | PTRACE_SEIZE | PTRACE_TRACEME => Verdict::Tell(Told::Ptrace),
            _ => Verdict::Pass,
        },
        "pidfd_getfd" | "pidfd_send_signal" | "process_madvise"
            if is_handle_on(stopped, call.args[0], tracer) =>
        {
            Verdict::Refuse(Errno::EPERM, Told::Tamper)
        }
        "seccomp" => Verdict::Listener,
        // As a kernel answers that has no such memory, or where it is turned off.
        "memfd_secret" => Verdict::Refuse(Errno::ENOSYS, Told::SecretMemory),
        // As the kernel answers who has no SYS_PTRACE.
        "userfaultfd" if is_guarded(row, call) => Verdict::Refuse(Errno::EPERM, Told::PageFaults),
        "prctl" if is_guarded(row, call) && tracer.is(int(call.args[2])) => {
            Verdict::Refuse(Errno::EPERM, Told::Tamper)
        }
        "setpriority" | "ioprio_set" if is_about_user(stopped.tid(), row, call) => {
            Verdict::Refuse(Errno::EPERM, Told::Tamper)
        }
        "fcntl" | "fcntl64" | "ioctl" if owner(stopped, call, tracer) => {
            Verdict::Refuse(Errno::EPERM, Told::Tamper)
        }
        "symlink" | "symlinkat" => check_symlink(stopped, call.args[0]),
        "wait4" | "waitid" | "waitpid" => Verdict::Wait,
        "kill" if int(call.args[0]) == -1 && shares_pids(stopped.tid()) => Verdict::Spread,
        _ if names_tracer(row, call, tracer) && shares_pids(stopped.tid()) => {
            Verdict::Refuse(Errno::EPERM, Told::Tamper)
        }
        _ => Verdict::Pass,
    }
}

/// Whether a register holds what the guard of the row asks about.
fn is_guarded(row: &Row, call: &Call) -> bool {
    match row.guard {
        Guard::OneOf(at, values) => {
            let word = call.args.get(usize::from(at)).copied().unwrap_or(0);
            values
                .iter()
                .any(|value| u64::from(*value) == word & 0xffff_ffff)
        }
        _ => false,
    }
}

/// Whether a call is about all processes of a user, and the tracer is one of them.
fn is_about_user(tid: Tid, row: &Row, call: &Call) -> bool {
    let Guard::TracerOrUser(at, which) = row.guard else {
        return false;
    };
    if call.args[0] & 0xffff_ffff != u64::from(which) {
        return false;
    }
    let named = call.args.get(usize::from(at)).copied().unwrap_or(0) & 0xffff_ffff;
    let meant = match named {
        // Its own.
        0 => user(&tid.to_string()),
        named => u32::try_from(named).ok(),
    };
    meant.is_none() || meant == user("self")
}

/// A process's real user.
fn user(name: &str) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{name}/status")).ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_ascii_whitespace().next()?.parse().ok()
}

/// Calls that name a process in a register. The tracer leads a process group of its own.
fn names_tracer(row: &Row, call: &Call, tracer: Tracer) -> bool {
    let is_named = |at: u8| {
        let id = int(call.args.get(usize::from(at)).copied().unwrap_or(0));
        tracer.is(id) || id == -tracer.pid.0
    };
    match row.guard {
        Guard::EitherTracer(one, other) => is_named(one) || is_named(other),
        Guard::Tracer(at) | Guard::TracerOrAll(at) | Guard::TracerOrUser(at, _) => is_named(at),
        Guard::Always | Guard::AnyBit(..) | Guard::Never | Guard::OneOf(..) => false,
    }
}

/// Whether a number means the same process to the thread as to us: in a pid namespace below ours it
/// means another. Who cannot be asked is taken for one of us.
fn shares_pids(tid: Tid) -> bool {
    match (pid_namespaces("self"), pid_namespaces(&tid.to_string())) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => true,
    }
}

/// In how many pid namespaces a process has a number. Everybody may read that of everybody.
fn pid_namespaces(name: &str) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{name}/status")).ok()?;
    let numbers = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    Some(numbers.split_ascii_whitespace().count())
}

/// Whether a file shall signal the tracer when it is ready.
fn owner(stopped: &Stopped, call: &Call, tracer: Tracer) -> bool {
    let mut words = [0; 2];
    let (at, count) = match call.args[1] & 0xffff_ffff {
        F_SETOWN => {
            let id = int(call.args[2]);
            return tracer.is(id) || id == -tracer.pid.0;
        }
        // A kind and an id.
        F_SETOWN_EX => (1, 2),
        FIOSETOWN | SIOCSPGRP => (0, 1),
        _ => return false,
    };
    let read = stopped
        .memory()
        .read_words(call.args[2], 4, &mut words[..count]);
    let id = int(words[at]);
    read.is_ok() && (tracer.is(id) || id == -tracer.pid.0)
}

/// A symbolic link whose text ends like a file of the tracer: from now on no path tells what it
/// leads to.
fn check_symlink(stopped: &Stopped, text: u64) -> Verdict {
    let mut path = Vec::new();
    let read = stopped.memory().read_string(text, MAX_PATH, &mut path);
    if read.is_ok() && files::may_lead_to(&path) {
        Verdict::Alias
    } else {
        Verdict::Pass
    }
}

/// The structure is in memory, where another thread may change it again: then the child runs with
/// the filter and without a tracer, so that its filtered calls fail; nothing happens unseen.
fn check_clone3(stopped: &Stopped, args: u64) -> Verdict {
    let (memory, mut flags) = (stopped.memory(), [0]);
    match memory.read_words(args, 8, &mut flags) {
        Ok(1) if flags[0] & CLONE_UNTRACED != 0 => {}
        // A process that is not dumpable, and no SYS_PTRACE: what cannot be read is not let pass.
        // The C library falls back to `clone`, whose flags are in a register.
        Err(Errno::EPERM) => {
            if let Err(error) = stopped.refuse(Errno::ENOSYS) {
                tracing::error!(error = error.desc(), "Cannot refuse a call.");
            }
            return Verdict::Pass;
        }
        // What the kernel cannot read either fails by itself.
        Ok(_) | Err(_) => return Verdict::Pass,
    }
    let traced = flags[0] & !CLONE_UNTRACED;
    match memory.write(args, &traced.to_le_bytes()) {
        Ok(()) => Verdict::Tell(Told::Untraced),
        // The C library falls back to `clone`, whose flags are in a register.
        Err(_) => Verdict::Refuse(Errno::ENOSYS, Told::Untraced),
    }
}

/// Pids and descriptors are ints.
const fn int(word: u64) -> i32 {
    ((word & 0xffff_ffff) as u32).cast_signed()
}

/// Whether a descriptor is a pidfd, or a directory of `/proc`, of the tracer.
fn is_handle_on(stopped: &Stopped, fd: u64, tracer: Tracer) -> bool {
    let (tid, fd) = (stopped.tid(), int(fd));
    let Some(link) = read_link(tid, &format!("fd/{fd}")) else {
        return false;
    };
    if link == b"anon_inode:[pidfd]" || link.starts_with(b"pidfd:") {
        let info = std::fs::read_to_string(format!("/proc/{tid}/fdinfo/{fd}")).unwrap_or_default();
        return info
            .lines()
            .filter_map(|line| line.strip_prefix("Pid:"))
            .any(|pid| pid.trim().parse().is_ok_and(|pid| tracer.is(pid)));
    }
    let is_directory = |id: i32| link == format!("/proc/{id}").as_bytes();
    tracer.ids().into_iter().any(is_directory)
}
