//! What happens where tracing is impossible, or only the slow way: the table of `docs/tracer.md`.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::container::{compile, eventually, skip};

const WORKLOAD: &str = "grep TracerPid /proc/self/status; exit 4";
const UNWATCHED: &str = "\"rule\":\"Workload not watched\"";

/// A machine on which something is denied.
struct Row {
    /// What `deny` is told; nothing for a machine that denies nothing.
    deny: &'static [&'static str],
    /// Exit code under `availability`, and under `security`.
    codes: [Option<i32>; 2],
    /// Whether the workload is traced when it runs.
    is_traced: bool,
    /// What people are told.
    told: &'static str,
    /// Whether the sidecar is told that the workload is not watched.
    is_alert: bool,
}

const ROWS: &[Row] = &[
    Row {
        deny: &[],
        codes: [Some(4), Some(4)],
        is_traced: true,
        told: "",
        is_alert: false,
    },
    Row {
        deny: &["fail", "ptrace"],
        codes: [Some(4), Some(125)],
        is_traced: false,
        told: "the kernel refuses ptrace",
        is_alert: true,
    },
    Row {
        deny: &["kill", "ptrace"],
        codes: [Some(4), Some(125)],
        is_traced: false,
        told: "the tracer ended before the workload began",
        is_alert: false,
    },
    Row {
        deny: &["fail", "seccomp"],
        codes: [Some(4), Some(4)],
        is_traced: true,
        told: "No filter: every call stops",
        is_alert: false,
    },
    Row {
        deny: &["fail", "nnp"],
        codes: [Some(4), Some(4)],
        is_traced: true,
        told: "No filter: every call stops",
        is_alert: false,
    },
    // The profile kills the workload for what every launcher of filters does; it must not hang.
    Row {
        deny: &["kill", "seccomp"],
        codes: [None, None],
        is_traced: false,
        told: "",
        is_alert: true,
    },
    Row {
        deny: &["fail", "clone"],
        codes: [Some(4), Some(125)],
        is_traced: false,
        told: "cannot make the tracer's process",
        is_alert: false,
    },
    Row {
        deny: &["fail", "thread"],
        codes: [Some(4), Some(125)],
        is_traced: false,
        told: "the tracer ended before the workload began",
        is_alert: false,
    },
    Row {
        deny: &["fail", "close_range"],
        codes: [Some(4), Some(4)],
        is_traced: true,
        told: "",
        is_alert: false,
    },
];

fn run(deny: Option<(&Path, &[&str])>, priority: &str, output: &Path) -> Output {
    let instrument = env!("CARGO_BIN_EXE_instrument");
    let mut command = match deny {
        Some((program, words)) => {
            let mut command = Command::new(program);
            command.args(words).arg(instrument);
            command
        }
        None => Command::new(instrument),
    };
    command
        .env("SYSDIG_PRIORITY", priority)
        .arg("--output")
        .arg(output)
        .args(["--", "sh", "-c", WORKLOAD])
        .output()
        .unwrap()
}

#[test]
fn every_row_of_the_table_is_as_documented() {
    let dir = TempDir::new().unwrap();
    let deny = compile("deny", dir.path());
    let probe = Command::new(&deny)
        .args(["fail", "ptrace", "true"])
        .status()
        .unwrap();
    if probe.code() == Some(3) {
        skip("every_row_of_the_table", "a filter needs CAP_SYS_ADMIN");
        return;
    }
    for row in ROWS {
        for (priority, code) in ["availability", "security"].into_iter().zip(row.codes) {
            let name = format!("{:?} {priority}", row.deny);
            let output = dir
                .path()
                .join(format!("{}.{priority}", row.deny.join("-")));
            let denied = (!row.deny.is_empty()).then_some((deny.as_path(), row.deny));
            let done = run(denied, priority, &output);
            let (out, err) = (
                String::from_utf8_lossy(&done.stdout),
                String::from_utf8_lossy(&done.stderr),
            );
            assert_eq!(done.status.code(), code, "{name}: {out}{err}");
            if code == Some(4) {
                let is_untraced = out.contains("TracerPid:\t0\n");
                assert_eq!(is_untraced, !row.is_traced, "{name}: {out}");
            }
            assert!(err.contains(row.told), "{name}: {err}");
            let is_told = || {
                let told = std::fs::read_to_string(&output).unwrap_or_default();
                told.contains(UNWATCHED).then_some(())
            };
            if row.is_alert {
                // A workload that was killed has ended before its tracer has told of it.
                eventually(&name, is_told);
            } else {
                assert_eq!(is_told(), None, "{name}");
            }
        }
    }
}

#[test]
fn a_tracer_cannot_trace_a_tracer() {
    let dir = TempDir::new().unwrap();
    let instrument = env!("CARGO_BIN_EXE_instrument");
    let done = Command::new(instrument)
        .arg("--output")
        .arg(dir.path().join("outer"))
        .args(["--", instrument, "--output"])
        .arg(dir.path().join("inner"))
        .args(["--", "sh", "-c", WORKLOAD])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(4));
    let out = String::from_utf8_lossy(&done.stdout);
    assert!(
        !out.contains("TracerPid:\t0\n"),
        "the outer one has it: {out}"
    );
    eventually("the inner one tells", || {
        let inner = std::fs::read_to_string(dir.path().join("inner")).ok()?;
        inner.contains(UNWATCHED).then_some(())
    });
}

#[test]
fn a_signal_in_the_middle_of_the_launch_does_not_hang_it() {
    // SIGWINCH does nothing but stop a traced process; the more of them, the likelier one meets the
    // moment between the seizure and the first wait. Without the pauses a sender on another core
    // leaves a traced process hardly an instruction between two stops.
    for _ in 0..40 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_instrument"))
            .args(["--output", "/dev/null", "--", "sh", "-c", "exit 4"])
            .spawn()
            .unwrap();
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGWINCH).unwrap();
            let sent = std::time::Instant::now();
            while sent.elapsed() < std::time::Duration::from_micros(20) {
                std::hint::spin_loop();
            }
        };
        assert_eq!(status.code(), Some(4));
    }
}

#[test]
fn an_output_that_cannot_be_opened_stops_nobody_but_who_asked_for_it() {
    let instrument = env!("CARGO_BIN_EXE_instrument");
    let place = "/nonexistent/alerts";
    let setting = |priority: &str| {
        Command::new(instrument)
            .env("WORKLOAD_AGENT_OUTPUT", place)
            .env("WORKLOAD_AGENT_SOCKET", "/nonexistent/agent.sock")
            .env("SYSDIG_PRIORITY", priority)
            .args(["sh", "-c", WORKLOAD])
            .output()
            .unwrap()
    };
    assert_eq!(setting("availability").status.code(), Some(4));
    assert_eq!(setting("security").status.code(), Some(125));
    let asked = Command::new(instrument)
        .args(["--output", place, "--", "sh", "-c", WORKLOAD])
        .output()
        .unwrap();
    assert_eq!(asked.status.code(), Some(125));
}

#[test]
fn wrong_rules_and_settings_are_decided_by_the_priority() {
    let dir = TempDir::new().unwrap();
    let (rules, output) = (dir.path().join("bad.yaml"), dir.path().join("told"));
    std::fs::write(&rules, "- rule: [\n").unwrap();
    let run = |name: &str, value: &std::ffi::OsStr, priority: &str| {
        let done = Command::new(env!("CARGO_BIN_EXE_instrument"))
            .env(name, value)
            .env("SYSDIG_PRIORITY", priority)
            .arg("--output")
            .arg(&output)
            .args(["--", "sh", "-c", WORKLOAD])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code(), error)
    };
    for (priority, expected) in [("availability", Some(4)), ("security", Some(125))] {
        let (code, error) = run("WORKLOAD_AGENT_RULES", rules.as_os_str(), priority);
        assert_eq!(code, expected, "{error}");
        assert!(error.contains("bad.yaml:2:1"), "{error}");
        let (code, error) = run("WORKLOAD_AGENT_MODE", "quick".as_ref(), priority);
        assert_eq!(code, Some(125), "{error}");
        assert!(error.contains("seccomp, full or off"), "{error}");
    }
}
