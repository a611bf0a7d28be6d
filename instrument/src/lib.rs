//! Starts the workload under ptrace and seccomp and tells what it does.
//!
//! The process that the container runtime starts becomes the workload itself; a child that nobody
//! waits for traces it ([`launch`]). The tracer's loop ([`watch`]) takes stops from the kernel, asks
//! the [`brain`] what they mean, turns system calls into events as the [`table`] describes them, has
//! the rules judge them while the call has not happened yet, and resumes. What is worth telling
//! goes into the [`outbox`], which never makes the workload wait.
#![forbid(unsafe_code)]

pub mod brain;
pub mod config;
pub mod decode;
pub mod descriptor;
pub mod filter;
pub mod foreign;
pub mod guard;
pub mod ids;
pub mod judge;
pub mod launch;
pub mod live;
pub mod log;
pub mod memo;
pub mod notice;
pub mod outbox;
pub mod process;
pub mod ruletools;
mod run;
pub mod table;
mod truth;
pub mod watch;
pub mod world;

pub use run::main;
