//! What a start costs: time from launch to the workload's first instruction, memory, size on disk.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::pace::Deadline;
use e2e::target::{self, Linkage};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use crate::measure::{self, Spread};
use crate::variant::Variant;
use crate::workload::started;

/// Starts to look at; the median counts.
const STARTS: usize = 31;

/// Launch and memory of one variant.
#[derive(Debug)]
pub(crate) struct Launch {
    /// The variant.
    pub(crate) name: &'static str,
    /// From before `fork` to the workload's `main`, milliseconds.
    pub(crate) milliseconds: Spread,
    /// The same without a tracer in the same round, milliseconds.
    pub(crate) native: Spread,
    /// Largest resident set of the tracer, KiB, after a load of opens and execs.
    pub(crate) resident: Option<u64>,
}

/// Measures the starts of native and of each of ours in turn.
pub(crate) fn all(variants: &[Variant]) -> Result<Vec<Launch>, String> {
    let program = target::build("launched", Linkage::Static).map_err(|error| error.to_string())?;
    let words = [program.display().to_string()];
    let native = &variants[0];
    let mut launches = Vec::new();
    for variant in variants.iter().filter(|variant| variant.is_ours()) {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            without.push(start(native, &words)?);
            with.push(start(variant, &words)?);
        }
        launches.push(Launch {
            name: variant.name,
            milliseconds: Spread::of(with).ok_or("no starts")?,
            native: Spread::of(without).ok_or("no starts")?,
            resident: resident(variant)?,
        });
    }
    Ok(launches)
}

/// Size of a program's file.
pub(crate) fn size(path: &Path) -> Result<u64, String> {
    let file = fs::metadata(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    Ok(file.len())
}

/// Milliseconds from here to the program's own look at the clock.
fn start(variant: &Variant, words: &[String]) -> Result<f64, String> {
    let before = now()?;
    let output = started(variant, words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", variant.name))?;
    measure::reap()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let there: u64 = text
        .trim()
        .parse()
        .map_err(|_| format!("{}: the program said `{}`", variant.name, text.trim()))?;
    Ok(Duration::from_nanos(there.saturating_sub(before)).as_secs_f64() * 1e3)
}

/// The monotonic clock as the programs see it, nanoseconds.
fn now() -> Result<u64, String> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map_err(|error| error.to_string())?;
    u64::try_from(Duration::from(time).as_nanos()).map_err(|error| error.to_string())
}

/// The tracer's largest resident set once a shell has run some programs and waits.
fn resident(variant: &Variant) -> Result<Option<u64>, String> {
    let script = "for i in $(seq 100); do cat /etc/passwd /etc/hostname; done; exec sleep 1000";
    let words = ["sh", "-c", script].map(str::to_owned);
    let child = measure::start_quietly(&mut started(variant, &words))?;
    let pid = child.id();
    let began = Instant::now();
    let sleeps = || {
        fs::read_to_string(format!("/proc/{pid}/comm"))
            .ok()?
            .starts_with("sleep")
            .then_some(())
    };
    let reached = Deadline::seconds(60).poll(sleeps);
    let resident = measure::tracer_of(pid).and_then(measure::resident_peak);
    let raw = i32::try_from(pid).map_err(|error| error.to_string())?;
    kill(Pid::from_raw(raw), Signal::SIGKILL).map_err(|error| error.to_string())?;
    measure::reap()?;
    match reached {
        Some(()) => Ok(resident),
        None => Err(format!(
            "{}: nothing after {:?}",
            variant.name,
            began.elapsed()
        )),
    }
}
