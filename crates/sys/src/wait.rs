//! Waiting for traced threads.

use nix::errno::Errno;

use crate::ptrace::{How, Stopped};
use crate::{ForkKind, Signal, Tid};

/// How a thread ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It called `exit` with this code.
    Code(i32),
    /// A signal ended it.
    Signal(Signal),
}

/// What waiting brought.
#[derive(Debug)]
pub enum Wait {
    /// The thread is gone; nothing is left to resume.
    Gone(Tid, ExitStatus),
    /// The thread stands still until it is resumed.
    Stopped(Stopped),
}

/// Waits for any traced thread. `None` when `block` is false and nothing has happened.
///
/// `EINTR` is passed on: it is how another thread gets the tracer's attention. `ECHILD` means that
/// nobody is left.
pub fn wait(block: bool) -> Result<Option<Wait>, Errno> {
    let mut status = 0;
    let flags = if block {
        libc::__WALL
    } else {
        libc::__WALL | libc::WNOHANG
    };
    // SAFETY: `status` is a writable int; waiting for -1 touches no other memory.
    let tid = unsafe { libc::waitpid(-1, &raw mut status, flags) };
    match tid {
        0 => Ok(None),
        -1 => Err(Errno::last()),
        tid => Ok(Some(understand(Tid(tid), status))),
    }
}

fn understand(tid: Tid, status: i32) -> Wait {
    if libc::WIFEXITED(status) {
        return Wait::Gone(tid, ExitStatus::Code(libc::WEXITSTATUS(status)));
    }
    if libc::WIFSIGNALED(status) {
        return Wait::Gone(tid, ExitStatus::Signal(Signal(libc::WTERMSIG(status))));
    }
    Wait::Stopped(Stopped::reported(tid, how(status)))
}

/// Reads a stop status: bits 8-15 the signal, bits 16-23 the ptrace event.
fn how(status: i32) -> How {
    let signal = (status >> 8) & 0xff;
    match (status >> 16) & 0xff {
        0 if signal == libc::SIGTRAP | 0x80 => How::Syscall,
        libc::PTRACE_EVENT_SECCOMP => How::Seccomp,
        libc::PTRACE_EVENT_FORK => How::Fork(ForkKind::Fork),
        libc::PTRACE_EVENT_VFORK => How::Fork(ForkKind::Vfork),
        libc::PTRACE_EVENT_CLONE => How::Fork(ForkKind::Clone),
        libc::PTRACE_EVENT_EXEC => How::Exec,
        libc::PTRACE_EVENT_EXIT => How::Exit,
        libc::PTRACE_EVENT_STOP if signal == libc::SIGTRAP => How::Trap,
        libc::PTRACE_EVENT_STOP => How::Group(Signal(signal)),
        _ => How::Signal(Signal(signal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(signal: i32, event: i32) -> i32 {
        0x7f | signal << 8 | event << 16
    }

    #[test]
    fn every_kind_of_stop_is_told_apart() {
        let table = [
            (stop(libc::SIGTRAP | 0x80, 0), How::Syscall),
            (stop(libc::SIGTRAP, 7), How::Seccomp),
            (stop(libc::SIGTRAP, 1), How::Fork(ForkKind::Fork)),
            (stop(libc::SIGTRAP, 2), How::Fork(ForkKind::Vfork)),
            (stop(libc::SIGTRAP, 3), How::Fork(ForkKind::Clone)),
            (stop(libc::SIGTRAP, 4), How::Exec),
            (stop(libc::SIGTRAP, 6), How::Exit),
            (stop(libc::SIGTRAP, 128), How::Trap),
            (stop(libc::SIGSTOP, 128), How::Group(Signal(libc::SIGSTOP))),
            (stop(libc::SIGTTOU, 128), How::Group(Signal(libc::SIGTTOU))),
            (stop(libc::SIGTRAP, 0), How::Signal(Signal(libc::SIGTRAP))),
            (stop(34, 0), How::Signal(Signal(34))),
        ];
        for (status, expected) in table {
            assert_eq!(how(status), expected, "status {status:#x}");
        }
    }
}
