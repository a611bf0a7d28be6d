//! `cargo xtask demo`: builds the programs, then hands over to the demo itself in `tests/`.

use std::process::{Command, ExitCode};

use crate::cargo;
use crate::config::Config;
use crate::console::Console;

/// What the demo runs.
const PACKAGES: &[&str] = &["instrument", "sidecar", "patcher", "examples", "e2e"];

/// Builds and runs the demo.
pub(crate) fn run(
    console: &Console,
    config: &Config,
    arguments: &[String],
) -> anyhow::Result<ExitCode> {
    console.line("building (the first time takes some minutes) …");
    let mut build = cargo::fixed(config, &["build", "--bins", "--locked"]);
    for package in PACKAGES {
        build.args(["--package", package]);
    }
    cargo::run(&mut build)?;
    let mut demo = Command::new(config.built("debug", "demo"));
    demo.args(arguments).current_dir(&config.root);
    let status = cargo::status(&mut demo)?;
    Ok(match status.code() {
        Some(0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
