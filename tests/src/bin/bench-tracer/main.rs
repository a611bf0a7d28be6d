//! Measures what tracing costs: native against `instrument`, a bare tracer and `strace`, in one run.
//!
//! Owns the comparison and its pictures. Rounds are interleaved, so that whatever else the machine
//! does meets all of them; what counts is the ratio to the native run of the same round. Absolute
//! times belong to the machine and are printed for orientation only.
#![forbid(unsafe_code)]

mod chart;
mod launch;
mod measure;
mod options;
mod report;
mod servers;
mod variant;
mod workload;

use std::io::Write as _;
use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    let outcome = Options::parse(&e2e::config::arguments()).and_then(|options| run(&options));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say(&format!("bench-tracer: {fault}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    measure::adopt_orphans()?;
    let bench = report::Bench::new(options)?;
    let report = bench.run()?;
    say(&report.table());
    report.write(&options.output)?;
    say(&format!(
        "written: {0}/tracer.json {0}/tracer.svg",
        options.output.display()
    ));
    Ok(())
}

/// The one door for output. Nothing is left to do when nobody reads it any more.
fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}
