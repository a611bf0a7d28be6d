//! Takes events of every container of a task and stores them.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    sidecar::cli::main()
}
