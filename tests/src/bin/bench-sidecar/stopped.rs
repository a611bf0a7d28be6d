//! What a workload notices of a sidecar that does not move: every event is sent, and nobody reads.

use std::path::Path;
use std::process::Command;

use e2e::config;
use e2e::target::{self, Linkage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Failure, Sidecar};

/// Nanoseconds of one open and close: median, p99, p99.9, longest.
type Times = [f64; 4];

/// Measures in turns, so that the machine's mood meets both, and keeps the best of each.
pub(super) fn table(dist: &Path, quick: bool) -> Result<String, Failure> {
    let program = match target::build("open_latency", Linkage::Dynamic) {
        Ok(program) => program,
        Err(target::TargetError::NoCompiler(reason)) => {
            return Ok(format!("latency: not measured, no `{reason}`\n"));
        }
        Err(error) => return Err(error.into()),
    };
    let (rounds, turns) = if quick { (20_000, 2) } else { (100_000, 5) };
    let sidecar = Sidecar::start(&dist.join("sidecar"), Vec::new())?;
    let mut best = [[f64::INFINITY; 4]; 3];
    for _ in 0..turns {
        for (best, stop) in best.iter_mut().zip([None, Some(false), Some(true)]) {
            let times = run(dist, &program, rounds, &sidecar, stop)?;
            for (best, time) in best.iter_mut().zip(times) {
                *best = best.min(time);
            }
        }
    }
    let mut table = format!(
        "\nopen and close with every event sent, µs, best of {turns}\n{:<24} {:>9} {:>9} {:>9} {:>9}\n",
        "sidecar", "median", "p99", "p99.9", "longest"
    );
    for (what, times) in ["none, untraced", "running", "stopped (SIGSTOP)"]
        .iter()
        .zip(best)
    {
        table.push_str(&format_args!("{what:<24}").to_string());
        for time in times {
            table.push_str(&format_args!(" {:>9.2}", time / 1000.0).to_string());
        }
        table.push('\n');
    }
    let [_, running, stopped] = best;
    let ratios = format_args!(
        "{:<24} {:>9.2} {:>9.2} {:>9.2} {:>9.2}\n",
        "stopped / running",
        stopped[0] / running[0],
        stopped[1] / running[1],
        stopped[2] / running[2],
        stopped[3] / running[3],
    )
    .to_string();
    table.push_str(&ratios);
    Ok(table)
}

/// One run: untraced, or traced with the sidecar running or stopped.
fn run(
    dist: &Path,
    program: &Path,
    rounds: u64,
    sidecar: &Sidecar,
    stop: Option<bool>,
) -> Result<Times, Failure> {
    let pid = Pid::from_raw(i32::try_from(sidecar.child.id())?);
    let mut command = if stop.is_some() {
        let mut command = Command::new(dist.join("instrument"));
        command.args(["--events", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command
        .arg(rounds.to_string())
        .env_clear()
        .env("PATH", config::search_path())
        .env("WORKLOAD_AGENT_SOCKET", sidecar.socket());
    if stop == Some(true) {
        kill(pid, Signal::SIGSTOP)?;
    }
    let output = command.output();
    if stop == Some(true) {
        kill(pid, Signal::SIGCONT)?;
    }
    let output = output?;
    let text = String::from_utf8_lossy(&output.stdout);
    let times: Vec<f64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    times.try_into().map_err(|_| {
        let words = String::from_utf8_lossy(&output.stderr);
        format!("`{}` printed `{text}`: {words}", program.display()).into()
    })
}
