//! `task-gate`: holds the namespaces of a task and connects their ports with unix sockets.
//!
//! Started by the runner, in a process or in a container; see the module `e2e::gate`.
#![forbid(unsafe_code)]

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use e2e::config;
use e2e::gate::Plan;

fn main() -> ExitCode {
    let words: Vec<String> = config::arguments()
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let result = match Plan::parse(&words) {
        Ok(plan) => plan.run().map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The runner reads the reason from standard error, if it is still there.
            drop(writeln!(stderr(), "task-gate: {error}"));
            ExitCode::FAILURE
        }
    }
}
