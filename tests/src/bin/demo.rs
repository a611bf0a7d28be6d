//! `demo [--docker]`: the whole product at work; `cargo xtask demo` builds and starts it.
#![forbid(unsafe_code)]

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use e2e::{config, demo};

fn main() -> ExitCode {
    let arguments = config::arguments();
    let with_docker = match arguments.as_slice() {
        [] => false,
        [word] if word == "--docker" => true,
        _ => return complain("usage: demo [--docker]"),
    };
    match demo::run(with_docker) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => complain(&error.to_string()),
    }
}

fn complain(reason: &str) -> ExitCode {
    // Without standard error there is nobody to tell.
    drop(writeln!(stderr(), "error: {reason}"));
    ExitCode::from(2)
}
