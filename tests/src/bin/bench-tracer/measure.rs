//! Wall time and processor time of a command with everything that it leaves behind.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use nix::sys::wait::waitpid;

/// What one run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    /// From start to end, or per unit of work, seconds.
    pub(crate) wall: f64,
    /// Of all processes, the tracer's included, seconds; per unit of work where wall is.
    pub(crate) cpu: f64,
}

/// Makes this process the parent of every orphan, so that a tracer that outlives its workload for a
/// moment is waited for, and its processor time counted.
pub(crate) fn adopt_orphans() -> Result<(), String> {
    prctl::set_child_subreaper(true).map_err(|error| format!("cannot adopt orphans: {error}"))
}

/// Runs a command to its end and to the end of all that it started.
pub(crate) fn run(command: &mut Command) -> Result<Cost, String> {
    let before = used()?;
    let start = Instant::now();
    let mut child = start_quietly(command)?;
    let status = child
        .wait()
        .map_err(|error| format!("cannot wait: {error}"))?;
    let wall = start.elapsed();
    reap()?;
    if !status.success() {
        let name = command.get_program().display();
        return Err(format!("`{name}` ended with {status}"));
    }
    Ok(Cost {
        wall: wall.as_secs_f64(),
        cpu: used()? - before,
    })
}

/// Starts a command whose output nobody wants.
pub(crate) fn start_quietly(command: &mut Command) -> Result<Child, String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| {
            format!(
                "cannot start `{}`: {error}",
                command.get_program().display()
            )
        })
}

/// Processor time of all children that were waited for, seconds.
pub(crate) fn used() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_err(|error| format!("cannot read processor times: {error}"))?;
    let total = usage.user_time() + usage.system_time();
    let micros = u64::try_from(total.num_microseconds()).unwrap_or_default();
    Ok(Duration::from_micros(micros).as_secs_f64())
}

/// Waits for every process that was left to us. All of ours end by themselves.
pub(crate) fn reap() -> Result<(), String> {
    loop {
        match waitpid(None, None) {
            Err(Errno::ECHILD) => return Ok(()),
            Err(error) if error != Errno::EINTR => return Err(format!("cannot wait: {error}")),
            Ok(_) | Err(_) => {}
        }
    }
}

/// Largest resident set of a process so far, KiB.
pub(crate) fn resident_peak(pid: u32) -> Option<u64> {
    status_field(pid, "VmHWM:")
}

/// The process that traces another.
pub(crate) fn tracer_of(pid: u32) -> Option<u32> {
    let tracer = status_field(pid, "TracerPid:")?;
    u32::try_from(tracer).ok().filter(|&tracer| tracer != 0)
}

fn status_field(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Median, smallest and largest of some ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The middle one.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) low: f64,
    /// The largest.
    pub(crate) high: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let lower = values[(values.len() - 1) / 2];
        Some(Self {
            median: f64::midpoint(lower, upper),
            low: values[0],
            high: values[values.len() - 1],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_two() {
        let spread = Spread::of(vec![4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((spread.median, spread.low, spread.high), (2.5, 1.0, 4.0));
        assert_eq!(Spread::of(vec![7.0]).map(|one| one.median), Some(7.0));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn this_process_has_a_resident_set_and_no_tracer() {
        let own = std::process::id();
        assert!(resident_peak(own).unwrap() > 100);
        assert_eq!(tracer_of(own), None);
    }
}
