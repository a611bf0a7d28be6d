//! What the tracer does not let happen to itself, and what it must not let pass unseen.

mod files;

use sys::{Call, Errno, Pid, Stopped};

use crate::config::IoUring;
use crate::process::read_link;
use crate::table::{Guard, Row};
pub use files::is_of_tracer;

const CLONE_UNTRACED: u64 = 0x0080_0000;

const PTRACE_TRACEME: u64 = 0;
const PTRACE_ATTACH: u64 = 16;
const PTRACE_SEIZE: u64 = 0x4206;

/// Something that people should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// A ring was set up, whose operations are not seen.
    IoUring,
    /// A ring was refused.
    IoUringRefused,
    /// A debugger was tried.
    Ptrace,
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
    /// Make it fail, and tell it.
    Refuse(Errno, Told),
}

/// Looks at a call before the kernel does it.
pub fn check(stopped: &Stopped, row: &Row, call: &Call, tracer: Pid, io_uring: IoUring) -> Verdict {
    match row.call {
        "clone" if call.args[0] & CLONE_UNTRACED != 0 => {
            let traced = call.args[0] & !CLONE_UNTRACED;
            match stopped.set_argument(0, traced) {
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
            PTRACE_ATTACH | PTRACE_SEIZE if pid_of(call.args[1]) == tracer.0 => {
                Verdict::Refuse(Errno::EPERM, Told::Tamper)
            }
            PTRACE_ATTACH | PTRACE_SEIZE | PTRACE_TRACEME => Verdict::Tell(Told::Ptrace),
            _ => Verdict::Pass,
        },
        "pidfd_send_signal" => {
            let fd = pid_of(call.args[0]);
            if is_handle_on(stopped, fd, tracer) {
                Verdict::Refuse(Errno::EPERM, Told::Tamper)
            } else {
                Verdict::Pass
            }
        }
        "kill" if pid_of(call.args[0]) == -1 => {
            // In a pid namespace below ours the number does not mean the tracer.
            let here = std::fs::read_link("/proc/self/ns/pid").ok();
            let there = std::fs::read_link(format!("/proc/{}/ns/pid", stopped.tid())).ok();
            if here == there {
                Verdict::Spread
            } else {
                Verdict::Pass
            }
        }
        _ => check_target(row, call, tracer),
    }
}

/// Calls that name a process in a register.
fn check_target(row: &Row, call: &Call, tracer: Pid) -> Verdict {
    let target = match row.guard {
        Guard::Tracer(at) | Guard::TracerOrAll(at) => {
            pid_of(call.args.get(usize::from(at)).copied().unwrap_or(0))
        }
        Guard::Always | Guard::AnyBit(..) | Guard::Never => 0,
    };
    // The tracer leads a process group of its own.
    if target == tracer.0 || (target == -tracer.0 && target != 0) {
        return Verdict::Refuse(Errno::EPERM, Told::Tamper);
    }
    Verdict::Pass
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
const fn pid_of(word: u64) -> i32 {
    ((word & 0xffff_ffff) as u32).cast_signed()
}

/// Whether a descriptor is a pidfd, or a directory of `/proc`, of the tracer.
fn is_handle_on(stopped: &Stopped, fd: i32, tracer: Pid) -> bool {
    let tid = stopped.tid();
    let Some(link) = read_link(tid, &format!("fd/{fd}")) else {
        return false;
    };
    if link == b"anon_inode:[pidfd]" {
        let info = std::fs::read_to_string(format!("/proc/{tid}/fdinfo/{fd}")).unwrap_or_default();
        return info
            .lines()
            .filter_map(|line| line.strip_prefix("Pid:"))
            .any(|pid| pid.trim().parse() == Ok(tracer.0));
    }
    link == format!("/proc/{tracer}").as_bytes()
}
