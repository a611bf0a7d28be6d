//! Each default rule through the real tracer: an act that it is about alerts, and one that is
//! nearly that stays silent.
//!
//! Acts are lines of shell below `instrument`; what a machine lacks (a program, the rights) is
//! skipped and named.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use e2e::config::find_program;
use e2e::parity::{instrument, skip};
use e2e::scratch::Scratch;

mod acts;
mod quiet;
mod settings;

/// Longer than any act takes, by far.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Runs a line of shell below the tracer; the names of the rules that alerted.
fn alerts(line: &str) -> BTreeSet<String> {
    traced(line).0
}

/// Runs a line of shell below the tracer; the names of the rules that alerted, and how it ended.
fn traced(line: &str) -> (BTreeSet<String>, ExitStatus) {
    let scratch = Scratch::new().expect("a directory");
    let output = scratch.path().join("alerts.jsonl");
    let mut command = Command::new(instrument());
    command
        .arg("--output")
        .arg(&output)
        // Every rule that an act is about, not only the first.
        .args(["--set", "rule_matching=all"])
        .args(["--", "/bin/sh", "-c", line])
        .current_dir(scratch.path())
        .env("HOME", scratch.path())
        .env_remove("BASH_ENV")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let status = run(command);
    let text = fs::read_to_string(&output).unwrap_or_default();
    let rules = text
        .lines()
        .map(|line| {
            let alert: serde_json::Value = serde_json::from_str(line).expect("an alert is JSON");
            alert["rule"]
                .as_str()
                .expect("an alert names its rule")
                .to_owned()
        })
        .collect();
    (rules, status)
}

/// Runs a command to its end, which it must come to.
fn run(mut command: Command) -> ExitStatus {
    let mut child = command.spawn().expect("instrument starts");
    let mut words = child.stderr.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        words.read_to_string(&mut text).map(|_| text)
    });
    let end = Instant::now() + TIMEOUT;
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            break Some(status);
        }
        if Instant::now() > end {
            child.kill().expect("it runs");
            child.wait().expect("our own child");
            break None;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    };
    let words = reader
        .join()
        .expect("the reader reads")
        .expect("a pipe can be read");
    let status = status.expect("the command ends in time");
    let refused = status.code() == Some(125);
    assert!(!refused, "instrument refused: {words}");
    status
}

/// Whether every program that an act needs is there; says which is not.
fn has(test: &str, programs: &[&str]) -> bool {
    for program in programs {
        if find_program(program).is_none() {
            skip(test, &format!("no program `{program}`"));
            return false;
        }
    }
    true
}
