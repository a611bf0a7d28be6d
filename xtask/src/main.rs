//! The project's commands: demo, test, bench, kernels, dist, deps.
//!
//! Owns the order in which things are built and checked, and nothing of what they do: the checks
//! themselves live with the code that they check.
#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod cli;
mod config;
mod console;
mod demo;
mod deps;
mod dist;
mod elf;
mod kernels;
mod test;

use std::process::ExitCode;

use crate::cli::Request;
use crate::config::Config;
use crate::console::Console;

fn main() -> ExitCode {
    let console = Console::new();
    let request = match cli::parse(lexopt::Parser::from_env()) {
        Ok(request) => request,
        Err(error) => {
            console.error(&format!(
                "{error:#}; `cargo xtask --help` lists the commands"
            ));
            return ExitCode::from(2);
        }
    };
    match run(&console, &request) {
        Ok(code) => code,
        Err(error) => {
            console.error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(console: &Console, request: &Request) -> anyhow::Result<ExitCode> {
    let config = Config::from_env()?;
    match request {
        Request::Bench { names, quick } => bench::run(console, &config, names, *quick),
        Request::Demo { arguments } => demo::run(console, &config, arguments),
        Request::Deps => deps::run(console, &config),
        Request::Dist => dist::run(console, &config),
        Request::Help(text) => {
            console.line(text);
            Ok(ExitCode::SUCCESS)
        }
        Request::Kernels => kernels::run(console, &config),
        Request::Test(options) => test::run(console, &config, options),
    }
}
