//! `cargo xtask bench`: builds what ships, then runs the measuring programs of `tests/`.
//!
//! Every part has one program `bench-PART` in the package `e2e`. It compares within one run and
//! prints ratios; absolute times belong to the machine. A further part is a row in the table. The
//! program gets the directory with what ships, then `--quick` when asked for, then `--output` with
//! the directory for its results.

use std::process::{Command, ExitCode};

use anyhow::bail;

use crate::cargo;
use crate::config::Config;
use crate::console::Console;
use crate::dist;

/// A part, and the programs that its measurement runs.
const PARTS: &[(&str, &[&str])] = &[
    ("sidecar", &["sidecar", "instrument"]),
    ("tracer", &["instrument"]),
];

/// Parts that are libraries: the package whose `cargo bench` measures them in one process.
const LIBRARIES: &[(&str, &str)] = &[
    ("outbox", "instrument"),
    ("patcher", "patcher"),
    ("rules", "rules"),
];

/// Runs the named measurements, or all.
pub(crate) fn run(
    console: &Console,
    config: &Config,
    names: &[String],
    quick: bool,
) -> anyhow::Result<ExitCode> {
    let mut known = PARTS.iter().map(|&(part, _)| part).collect::<Vec<_>>();
    known.extend(LIBRARIES.iter().map(|&(part, _)| part));
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("unknown part `{name}`: there are {}", known.join(", "));
    }
    let is_wanted = |part: &str| names.is_empty() || names.iter().any(|name| name == part);
    let mut failed = false;
    for (part, package) in LIBRARIES.iter().filter(|(part, _)| is_wanted(part)) {
        console.section(&format!("bench {part}"));
        let words = ["bench", "--locked", "--package", package, "--benches"];
        failed |= !cargo::status(&mut cargo::plain(config, &words))?.success();
    }
    for (part, programs) in PARTS.iter().filter(|(part, _)| is_wanted(part)) {
        console.section(&format!("bench {part}"));
        dist::build(config, programs)?;
        let program = format!("bench-{part}");
        let words = ["build", "--locked", "--release", "--package=e2e"];
        cargo::run(cargo::fixed(config, &words).args(["--bin", &program]))?;
        let mut bench = Command::new(config.built("release", &program));
        bench
            .arg(config.target.join("dist"))
            .args(quick.then_some("--quick"))
            .arg("--output")
            .arg(config.target.join("bench"))
            .current_dir(&config.root);
        failed |= !cargo::status(&mut bench)?.success();
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
