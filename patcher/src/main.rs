//! The patcher: by command line, by environment, or as a CloudFormation macro.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use patcher::cli::Cli;
use patcher::config::Environment;
use patcher::output::Output;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let mut output = Output::new();
    let code = Cli::parse().run(&environment, &mut output);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
