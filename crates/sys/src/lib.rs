//! How the kernel is asked: the only crate with unsafe code.
//!
//! Owns everything that needs a raw system call or knows a register by its name: ptrace stops as
//! move-only tokens ([`Stopped`]), the memory of a traced process, seccomp programs, the launch
//! of a tracer that its parent cannot see. It decides nothing: which calls to watch and what a
//! stop means is the business of `instrument`.
//!
//! Architecture code stands in [`arch`] alone; the numbers of system calls are data of their user.
#![expect(
    unsafe_code,
    reason = "the one crate that may hold unsafe code; see ARCHITECTURE.md"
)]

pub mod arch;
mod bpf;
mod clock;
mod id;
mod inherit;
mod memory;
mod process;
mod ptrace;
mod socket;
mod wait;

pub use bpf::{Action, Filter, FilterError, Instruction, SeccompError};
pub use clock::{boot_offset, clock_ticks, now};
pub use id::{Pid, Signal, Tid};
pub use inherit::Inherited;
pub use memory::{Memory, RemoteAddr};
pub use nix::errno::Errno;
pub use process::{
    Fork, Hush, Sent, allow_tracer, become_invisible, close_all_but, execute, forget_variable,
    fork_unseen, is_thread_of, null_standard_descriptors, on_wake, raw_environment, reap_unseen,
    send_signal, show_as, wake_thread,
};
pub use ptrace::{Abi, Call, CallStop, ForkKind, How, Resume, Stopped, detach, interrupt, seize};
pub use socket::{SocketFacts, SocketName, socket_facts};
pub use wait::{ExitStatus, Wait, wait};
