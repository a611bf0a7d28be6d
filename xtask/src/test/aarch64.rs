//! The step that checks what runs in workloads for 64-bit ARM too.
//!
//! Nothing is linked or run, so that no cross compiler is needed: the tables and filters of that
//! architecture are tested on every machine, and `cargo xtask kernels` runs the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::packages;
use super::tally::Tally;
use crate::cargo;
use crate::config::Config;
use crate::console::Console;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// The tracer and all that it is made of.
const PACKAGES: &[&str] = &["contract", "event", "instrument", "rules", "sys", "wire"];

/// Seconds for the standard library of the target to be fetched.
const PATIENCE: &str = "120";

/// Lints the packages for the target, if its standard library is there or can be had.
pub(crate) fn check(console: &Console, config: &Config, forbidden: bool) -> anyhow::Result<Tally> {
    let library = library(config)?;
    if !library.is_dir() && packages::obstacle(forbidden)?.is_none() {
        console.line(&format!("getting the standard library for {TARGET}"));
        fetch();
    }
    if !library.is_dir() {
        let skip = format!("aarch64: no standard library: `rustup target add {TARGET}` gets it");
        console.warn(&skip);
        return Ok(Tally {
            skips: vec![skip],
            ..Tally::default()
        });
    }
    let mut clippy = cargo::plain(config, &["clippy", "--locked", "--target", TARGET]);
    for package in PACKAGES {
        clippy.args(["--package", package]);
    }
    cargo::run(clippy.args(["--", "-Dwarnings"]).stdin(Stdio::null()))?;
    Ok(Tally::passed())
}

fn library(config: &Config) -> anyhow::Result<PathBuf> {
    // Asked through cargo, so that it is the same toolchain.
    let words = [
        "rustc",
        "--quiet",
        "--package=contract",
        "--lib",
        "--",
        "--print=sysroot",
    ];
    let sysroot = cargo::output(&mut cargo::plain(config, &words))?;
    let sysroot = sysroot.lines().next_back().unwrap_or_default();
    Ok(Path::new(sysroot)
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib"))
}

/// Without network or rustup nothing happens, and the step is skipped.
fn fetch() {
    let fetched = Command::new("timeout")
        .args([PATIENCE, "rustup", "target", "add", TARGET])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    drop(fetched);
}
