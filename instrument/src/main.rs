//! Starts the workload under ptrace and seccomp and tells what it does.
#![forbid(unsafe_code)]

fn main() {}
