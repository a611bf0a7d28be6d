//! What the machine told on its console: one line for each run (see `init.c`).

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use e2e::parity::{End, Outcome, without_pid};

/// Which run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    case: String,
    mode: String,
}

impl Key {
    pub(crate) fn new(case: &str, mode: &str) -> Self {
        let (case, mode) = (case.to_owned(), mode.to_owned());
        Self { case, mode }
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    /// The lines that `instrument` wrote.
    pub(crate) alerts: String,
    pub(crate) milliseconds: u64,
}

/// All runs.
#[derive(Debug, Default)]
pub(crate) struct Told {
    runs: BTreeMap<Key, Run>,
    last: Option<Key>,
    is_complete: bool,
}

impl Told {
    /// Reads the console. Lines of the kernel are left out.
    pub(crate) fn read(console: &str) -> Self {
        let mut told = Self::default();
        for line in console.lines().filter_map(|line| line.strip_prefix('@')) {
            if line == "end" {
                told.is_complete = true;
            } else if let Some((key, run)) = run(line) {
                told.last = Some(key.clone());
                told.runs.insert(key, run);
            }
        }
        told
    }

    /// Whether it came to the end of the list.
    pub(crate) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The last run that it finished.
    pub(crate) const fn last(&self) -> Option<&Key> {
        self.last.as_ref()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Run> {
        self.runs.get(key)
    }
}

fn run(line: &str) -> Option<(Key, Run)> {
    let words: Vec<&str> = line.split(' ').collect();
    let [
        case,
        mode,
        milliseconds,
        pid,
        status,
        stdout,
        stderr,
        alerts,
    ] = words[..]
    else {
        return None;
    };
    let pid = pid.parse().ok()?;
    let end = match status {
        "hung" => End::Hang,
        word => ExitStatus::from_raw(word.parse().ok()?).into(),
    };
    let outcome = Outcome {
        end,
        stdout: without_pid(&text(stdout)?, pid),
        stderr: without_pid(&text(stderr)?, pid),
    };
    let run = Run {
        outcome,
        alerts: text(alerts)?,
        milliseconds: milliseconds.parse().ok()?,
    };
    Some((Key::new(case, mode), run))
}

/// The text behind hexadecimal digits.
fn text(digits: &str) -> Option<String> {
    if digits == "-" {
        return Some(String::new());
    }
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    Some(String::from_utf8_lossy(&bytes?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_among_other_lines() {
        let console = "Booting\r\n@begin\n@a native 12 77 256 373720780a - -\n[ 1.0] noise\n\
            @a seccomp 14 79 hung - 6f6f 7b7d\n@end\n";
        let told = Told::read(console);
        assert!(told.is_complete());
        assert_eq!(told.last(), Some(&Key::new("a", "seccomp")));
        let native = told.get(&Key::new("a", "native")).unwrap();
        assert_eq!(native.outcome.end, End::Exit(1));
        assert_eq!(native.outcome.stdout, "<pid> x\n");
        assert_eq!(native.milliseconds, 12);
        let traced = told.get(&Key::new("a", "seccomp")).unwrap();
        assert_eq!(traced.outcome.end, End::Hang);
        assert_eq!(
            (traced.outcome.stderr.as_str(), traced.alerts.as_str()),
            ("oo", "{}")
        );
    }

    #[test]
    fn a_line_that_was_cut_is_no_run() {
        for line in [
            "a native 12",
            "a native 12 77 256 37x - -",
            "a native x 1 0 - - -",
        ] {
            assert_eq!(run(line), None, "{line}");
        }
    }
}
