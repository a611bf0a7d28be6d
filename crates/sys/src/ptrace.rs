//! ptrace by move-only tokens.
//!
//! A [`Stopped`] exists only because the kernel reported a stop, and leaves only by
//! [`Stopped::resume`]: a stop can be neither forgotten nor resumed twice. Should it be dropped all
//! the same (a fault in the code that holds it), the thread is let go rather than hung.

use std::mem::{ManuallyDrop, MaybeUninit};

use nix::errno::Errno;

use crate::{Memory, Signal, Tid, arch};

pub use crate::arch::Abi;

/// Which of the three ways of making a thread or process the kernel saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkKind {
    /// `clone` with an exit signal other than SIGCHLD: nearly always a thread.
    Clone,
    /// `fork`, or a `clone` like it.
    Fork,
    /// `vfork`: the parent waits for the child's exec or exit.
    Vfork,
}

/// Why a thread stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `execve` succeeded; nothing of the new program has run.
    Exec,
    /// The thread is about to end; its memory and descriptors are still there.
    Exit,
    /// It made a thread or process, whose tid is the event's message.
    Fork(ForkKind),
    /// Job control stopped its process.
    Group(Signal),
    /// A filter asked for the tracer at the entry of a system call.
    Seccomp,
    /// A signal is about to be delivered.
    Signal(Signal),
    /// Entry or exit of a system call.
    Syscall,
    /// The first stop of a thread that is born traced, an interrupt, or the end of a group-stop.
    Trap,
}

/// A system call at its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// By which convention the program called; the number's meaning depends on it.
    pub abi: Abi,
    /// The number, without the bit that marks x32.
    pub number: u32,
    /// The six argument registers; 32-bit programs have them zero-extended.
    pub args: [u64; 6],
}

/// Where a stop stands with regard to a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStop {
    /// At an entry, in a thread that stops at every call.
    Entry(Call),
    /// At an exit, with the value that the program will see.
    Exit(i64),
    /// At no call.
    Outside {
        /// Convention of the program.
        abi: Abi,
        /// Its stack pointer.
        stack: u64,
    },
    /// At an entry that a filter chose.
    Seccomp(Call, u16),
}

/// The order to the kernel that ends a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Run to the next stop that anything asks for.
    Continue(Option<Signal>),
    /// Stay stopped as job control wants it, but tell when that ends.
    Listen,
    /// Run, and stop at the next entry or exit of a system call.
    ToSyscall(Option<Signal>),
}

/// A thread that stands still. Resuming consumes it.
#[derive(Debug)]
#[must_use = "a stopped thread hangs until it is resumed"]
pub struct Stopped {
    tid: Tid,
    how: How,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct SyscallInfo {
    op: u8,
    flags: [u8; 3],
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    // entry: nr, args[6]; exit: rval, is_error; seccomp: nr, args[6], ret_data.
    words: [u64; 8],
}

const PTRACE_GETSIGMASK: libc::c_uint = 0x420a;
const PTRACE_SETSIGMASK: libc::c_uint = 0x420b;
const PTRACE_GET_SYSCALL_INFO: libc::c_uint = 0x420e;
const OP_ENTRY: u8 = 1;
const OP_EXIT: u8 = 2;
const OP_SECCOMP: u8 = 3;

const OPTIONS: i32 = libc::PTRACE_O_TRACESECCOMP
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT
    | libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_EXITKILL;

/// Starts tracing a thread without stopping it; its children are traced from their birth.
///
/// The calling thread becomes the tracer: only it may wait for and resume the thread. When it dies,
/// everything that it traces is killed, since filtered calls would fail without it.
pub fn seize(tid: Tid) -> Result<(), Errno> {
    // SAFETY: PTRACE_SEIZE takes an ignored address and option bits by value.
    let rc = unsafe {
        libc::ptrace(
            libc::PTRACE_SEIZE,
            tid.0,
            std::ptr::null_mut::<libc::c_void>(),
            usize::try_from(OPTIONS).unwrap_or(0),
        )
    };
    Errno::result(rc).map(drop)
}

/// Asks a traced, running thread to stop; it reports [`How::Trap`].
pub fn interrupt(tid: Tid) -> Result<(), Errno> {
    // SAFETY: PTRACE_INTERRUPT takes no memory of ours.
    let rc = unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, tid.0, 0_usize, 0_usize) };
    Errno::result(rc).map(drop)
}

/// Stops tracing a thread that stands still.
pub fn detach(stopped: Stopped) -> Result<(), Errno> {
    let stopped = ManuallyDrop::new(stopped);
    // SAFETY: PTRACE_DETACH takes a signal number by value.
    let rc = unsafe { libc::ptrace(libc::PTRACE_DETACH, stopped.tid.0, 0_usize, 0_usize) };
    Errno::result(rc).map(drop)
}

impl Stopped {
    pub(crate) const fn reported(tid: Tid, how: How) -> Self {
        Self { tid, how }
    }

    /// The thread.
    pub const fn tid(&self) -> Tid {
        self.tid
    }

    /// Why it stands still.
    pub const fn how(&self) -> How {
        self.how
    }

    /// The memory that it sees.
    pub const fn memory(&self) -> Memory {
        Memory::of(self.tid)
    }

    /// The system call at which it stands (Linux 5.3).
    pub fn call(&self) -> Result<CallStop, Errno> {
        let mut info = MaybeUninit::<SyscallInfo>::zeroed();
        // SAFETY: the kernel writes at most `size_of::<SyscallInfo>()` bytes to `info`, which is
        // that large.
        let rc = unsafe {
            libc::ptrace(
                PTRACE_GET_SYSCALL_INFO,
                self.tid.0,
                size_of::<SyscallInfo>(),
                info.as_mut_ptr(),
            )
        };
        Errno::result(rc)?;
        // SAFETY: all-zero bytes are a valid `SyscallInfo`, and the kernel wrote integers over them.
        let info = unsafe { info.assume_init() };
        Ok(info.understand())
    }

    /// The message of a fork, exec or exit event: a tid, the former tid, an exit status.
    pub fn message(&self) -> Result<u64, Errno> {
        let mut message: libc::c_ulong = 0;
        // SAFETY: the kernel writes one unsigned long to `message`.
        let rc = unsafe {
            libc::ptrace(
                libc::PTRACE_GETEVENTMSG,
                self.tid.0,
                0_usize,
                &raw mut message,
            )
        };
        Errno::result(rc).map(|_| message)
    }

    /// Asks for no [`How::Exit`] of this thread and of those that it will make: their ends are
    /// reported once they are gone.
    pub fn end_without_stop(&self) -> Result<(), Errno> {
        let options = OPTIONS & !libc::PTRACE_O_TRACEEXIT;
        // SAFETY: PTRACE_SETOPTIONS takes an ignored address and option bits by value.
        let rc = unsafe {
            libc::ptrace(
                libc::PTRACE_SETOPTIONS,
                self.tid.0,
                std::ptr::null_mut::<libc::c_void>(),
                usize::try_from(options).unwrap_or(0),
            )
        };
        Errno::result(rc).map(drop)
    }

    /// The call that the thread is in, from its registers: for events that happen inside a call.
    pub fn registers_call(&self) -> Result<Call, Errno> {
        arch::Registers::read(self.tid).map(|registers| registers.call())
    }

    /// Makes the kernel skip the call at whose entry the thread stands: it fails with `errno`.
    pub fn refuse(&self, errno: Errno) -> Result<(), Errno> {
        let mut registers = arch::Registers::read(self.tid)?;
        registers.skip(-i64::from(errno as i32));
        registers.write(self.tid)
    }

    /// Makes the kernel skip the call, which then returns `value`.
    pub fn skip(&self, value: i64) -> Result<(), Errno> {
        let mut registers = arch::Registers::read(self.tid)?;
        registers.skip(value);
        registers.write(self.tid)
    }

    /// Changes the arguments of the call at whose entry the thread stands to those of `call`.
    pub fn set_arguments(&self, call: &Call) -> Result<(), Errno> {
        let mut registers = arch::Registers::read(self.tid)?;
        registers.set_arguments(call);
        registers.write(self.tid)
    }

    /// At the exit of a call: makes the thread do `call` next, as if it had not returned yet.
    pub fn call_again(&self, call: &Call) -> Result<(), Errno> {
        let mut registers = arch::Registers::read(self.tid)?;
        registers.call_again(call);
        registers.write(self.tid)
    }

    /// At the exit of a call that the program did not make: what it sees is `call`, its own, and
    /// this result of it.
    pub fn leave_call(&self, call: &Call, value: i64) -> Result<(), Errno> {
        let mut registers = arch::Registers::read(self.tid)?;
        registers.leave_call(call, value);
        registers.write(self.tid)
    }

    /// The signals that it blocks, one bit each.
    pub fn signal_mask(&self) -> Result<u64, Errno> {
        let mut mask = 0_u64;
        // SAFETY: the kernel writes the `size_of::<u64>()` bytes of a signal set to `mask`.
        let rc = unsafe {
            libc::ptrace(
                PTRACE_GETSIGMASK,
                self.tid.0,
                size_of::<u64>(),
                &raw mut mask,
            )
        };
        Errno::result(rc).map(|_| mask)
    }

    /// Changes the signals that it blocks.
    pub fn set_signal_mask(&self, mask: u64) -> Result<(), Errno> {
        // SAFETY: the kernel reads the `size_of::<u64>()` bytes of a signal set from `mask`.
        let rc = unsafe {
            libc::ptrace(
                PTRACE_SETSIGMASK,
                self.tid.0,
                size_of::<u64>(),
                &raw const mask,
            )
        };
        Errno::result(rc).map(drop)
    }

    /// Lets the thread go. A thread that was killed meanwhile is not an error: its end is reported
    /// by the next wait.
    pub fn resume(self, order: Resume) -> Result<(), Errno> {
        let stopped = ManuallyDrop::new(self);
        stopped.order(order)
    }

    fn order(&self, order: Resume) -> Result<(), Errno> {
        let (request, signal) = match order {
            Resume::Continue(signal) => (libc::PTRACE_CONT, signal),
            Resume::Listen => (libc::PTRACE_LISTEN, None),
            Resume::ToSyscall(signal) => (libc::PTRACE_SYSCALL, signal),
        };
        let signal = usize::try_from(signal.map_or(0, |s| s.0)).unwrap_or(0);
        // SAFETY: these requests take a signal number by value.
        let rc = unsafe { libc::ptrace(request, self.tid.0, 0_usize, signal) };
        match Errno::result(rc) {
            Ok(_) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let order = match self.how {
            How::Group(_) => Resume::Listen,
            How::Signal(signal) => Resume::Continue(Some(signal)),
            _ => Resume::Continue(None),
        };
        // Nobody is left to tell: this is the path of a fault that was reported elsewhere.
        if self.order(order).is_err() {}
    }
}

impl SyscallInfo {
    fn understand(&self) -> CallStop {
        let words = &self.words;
        let call = || {
            let (abi, number) = Abi::of(self.arch, words[0]);
            let mut args = [0; 6];
            args.copy_from_slice(&words[1..7]);
            Call { abi, number, args }
        };
        match self.op {
            OP_ENTRY => CallStop::Entry(call()),
            OP_EXIT => CallStop::Exit(words[0].cast_signed()),
            OP_SECCOMP => {
                // The low half of the last word is what the filter returned, 16 bits of it data.
                CallStop::Seccomp(call(), (words[7] & 0xffff) as u16)
            }
            _ => CallStop::Outside {
                abi: Abi::of(self.arch, 0).0,
                stack: self.stack_pointer,
            },
        }
    }
}
