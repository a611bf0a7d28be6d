//! What the process was given before the language's runtime changed it.
//!
//! Rust's start-up ignores SIGPIPE and opens `/dev/null` on closed standard descriptors. Both would
//! reach the workload through `execve`. A constructor that runs before `main` notes how things
//! were; [`Inherited::restore`] puts them back.

use std::sync::atomic::{AtomicU32, Ordering};

const SIGPIPE_IGNORED: u32 = 1 << 3;

static BEFORE_MAIN: AtomicU32 = AtomicU32::new(0);

extern "C" fn note() {
    let mut noted = 0;
    for fd in 0..3 {
        // SAFETY: F_GETFD reads a flag of a descriptor number; any number is valid to ask about.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
            noted |= 1 << fd;
        }
    }
    // SAFETY: all-zero bytes are a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action only reads the old one into `action`, which is ours.
    let rc = unsafe { libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut action) };
    if rc == 0 && action.sa_sigaction == libc::SIG_IGN {
        noted |= SIGPIPE_IGNORED;
    }
    BEFORE_MAIN.store(noted, Ordering::Relaxed);
}

// The section holds pointers to functions that the C runtime calls before `main`; `note` has that
// shape and uses nothing that needs an initialised runtime.
#[unsafe(link_section = ".init_array")]
#[used]
static NOTE: extern "C" fn() = note;

/// What was inherited from whoever executed this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inherited {
    noted: u32,
}

impl Inherited {
    /// As noted before `main`.
    pub fn noted() -> Self {
        // Naming the static here keeps the linker from dropping it with its object file.
        let _: extern "C" fn() = NOTE;
        Self {
            noted: BEFORE_MAIN.load(Ordering::Relaxed),
        }
    }

    /// Whether the descriptor (0, 1 or 2) was closed.
    pub const fn was_closed(self, fd: i32) -> bool {
        self.noted & (1 << fd) != 0
    }

    /// Gives the workload what this process was given: closed descriptors and SIGPIPE.
    pub fn restore(self) {
        for fd in 0..3 {
            if self.was_closed(fd) {
                // SAFETY: the runtime opened `/dev/null` there by itself; nothing of ours owns it.
                unsafe { libc::close(fd) };
            }
        }
        if self.noted & SIGPIPE_IGNORED == 0 {
            // SAFETY: setting the default action installs no code of ours.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        }
    }
}
