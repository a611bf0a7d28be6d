//! Starts the workload under ptrace and seccomp and tells what it does.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    instrument::main(std::env::args_os().skip(1))
}
