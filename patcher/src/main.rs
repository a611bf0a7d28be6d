//! The patcher: by command line, by environment, or as a CloudFormation macro.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use patcher::cli::{Cli, run_local};
use patcher::config::{Environment, Mode};
use patcher::macro_mode;
use patcher::output::Output;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let mut output = Output::new();
    // A command line says what to do more clearly than the environment does.
    let mode = if std::env::args_os().len() > 1 {
        Ok(Mode::CommandLine)
    } else {
        Mode::read(&environment)
    };
    let code = match mode {
        Ok(Mode::CommandLine) => Cli::parse().run(&environment, &mut output),
        Ok(Mode::Lambda) => macro_mode::run(&environment, &mut output),
        Ok(Mode::Local { source, out }) => run_local(&source, &out, &environment, &mut output),
        Err(error) => {
            output.error(&error.to_string());
            contract::exit::FAILURE
        }
    };
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
