//! Starts the workload under ptrace and seccomp and tells what it does.
#![forbid(unsafe_code)]

pub mod brain;
pub mod filter;
mod ids;
pub mod outbox;
pub mod process;
pub mod table;
