//! Starting the workload: what it is, what it is given, what is told of it.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::container::{compile, skip};

/// Runs a command under the agent and gives back what it wrote.
fn run(mode: &str, options: &[&str], command: &[&str]) -> (Output, String) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("out.jsonl");
    let output = Command::new(env!("CARGO_BIN_EXE_instrument"))
        .arg("--output")
        .arg(&file)
        .args(options)
        .arg("--")
        .args(command)
        .env("WORKLOAD_AGENT_MODE", mode)
        .env("SYSDIG_ACCESS_KEY", "hunter2")
        .output()
        .unwrap();
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    (output, written)
}

fn has_compiler(test: &str) -> bool {
    let found = Command::new("cc").arg("--version").output().is_ok();
    if !found {
        skip(test, "no C compiler");
    }
    found
}

/// Tracing may be forbidden where the tests run.
fn can_trace(test: &str) -> bool {
    let (output, _) = run("seccomp", &[], &["/bin/true"]);
    let is_traced = output.stderr.is_empty();
    if !is_traced {
        skip(test, "ptrace is refused here");
    }
    is_traced
}

#[test]
fn the_workloads_exit_code_is_its_own() {
    for mode in ["seccomp", "full", "off"] {
        let (output, _) = run(mode, &[], &["sh", "-c", "exit 7"]);
        assert_eq!(output.status.code(), Some(7), "{mode} {output:?}");
    }
}

#[test]
fn what_cannot_be_executed_ends_as_in_a_shell() {
    let (output, _) = run("seccomp", &[], &["/no/such/program"]);
    assert_eq!(output.status.code(), Some(127));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("/no/such/program") && text.lines().count() == 1,
        "{text}"
    );
    let (output, _) = run("seccomp", &[], &["/etc/passwd"]);
    assert_eq!(output.status.code(), Some(126), "{output:?}");
}

#[test]
fn an_output_that_cannot_be_written_refuses() {
    let output = Command::new(env!("CARGO_BIN_EXE_instrument"))
        .args(["--output", "/no/such/folder/file", "--", "/bin/true"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("/no/such/folder/file"), "{text}");
}

#[test]
fn events_tell_what_happened_and_who_did_it() {
    const TEST: &str = "events_tell_what_happened_and_who_did_it";
    if !can_trace(TEST) {
        return;
    }
    for mode in ["seccomp", "full"] {
        let (output, written) = run(
            mode,
            &["--events"],
            &["sh", "-c", "cat /etc/hostname; true"],
        );
        assert!(output.status.success(), "{output:?}");
        let events: Vec<event::Event> = written
            .lines()
            .filter_map(|line| event::Event::from_json(line).ok())
            .collect();
        let names = |event: &event::Event| -> Vec<String> {
            let name = |p: &event::Process| String::from_utf8_lossy(&p.comm).into_owned();
            event.processes.iter().map(name).collect()
        };
        let exec = events
            .iter()
            .find(|e| e.kind == event::EventType::Execve && names(e) == ["cat", "sh"]);
        assert!(exec.is_some(), "{mode}: {written}");
        let opened = events.iter().any(|e| {
            let fd = e.fd.as_ref();
            fd.and_then(|fd| fd.name.as_deref()) == Some(b"/etc/hostname")
                && matches!(e.outcome, event::Outcome::Returned(fd) if fd >= 0)
                && names(e) == ["cat", "sh"]
        });
        assert!(opened, "{mode}: {written}");
        let exits = events
            .iter()
            .filter(|e| e.kind == event::EventType::Procexit);
        assert_eq!(exits.count(), 2, "{mode}: {written}");
        assert!(!written.contains("hunter2"), "{mode}: {written}");
    }
}

#[test]
fn secrets_do_not_reach_the_workload() {
    let (output, _) = run("seccomp", &[], &["env"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        !text.contains("SYSDIG_ACCESS_KEY") && text.contains("PATH="),
        "{text}"
    );
}

#[test]
fn an_alert_names_the_file_that_was_really_opened() {
    const TEST: &str = "an_alert_names_the_file_that_was_really_opened";
    if !has_compiler(TEST) || !can_trace(TEST) {
        return;
    }
    let dir = TempDir::new().unwrap();
    let program = compile("race", dir.path());
    for name in ["secret", "public"] {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    let rules = dir.path().join("rules.yaml");
    let text = "- rule: secret\n  desc: d\n  condition: evt.type in (open, openat) and \
                fd.name endswith /secret and fd.num >= 0\n  output: f=%fd.name\n  priority: ERROR\n";
    std::fs::write(&rules, text).unwrap();
    let out = dir.path().join("out.jsonl");
    // Every open is compared with what the kernel did under this priority.
    let output = Command::new(env!("CARGO_BIN_EXE_instrument"))
        .arg("--output")
        .arg(&out)
        .arg("--rules")
        .arg(&rules)
        .arg("--")
        .args([&program, dir.path()])
        .env("SYSDIG_PRIORITY", "security")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let really: usize = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .unwrap();
    let written = std::fs::read_to_string(&out).unwrap();
    assert_eq!(count(&written, dir.path()), really, "{written}");
}

fn count(written: &str, dir: &Path) -> usize {
    let path = format!("\"fd.name\":\"{}\"", dir.join("secret").display());
    written.lines().filter(|line| line.contains(&path)).count()
}

#[test]
fn the_tracer_does_not_let_itself_be_harmed() {
    const TEST: &str = "the_tracer_does_not_let_itself_be_harmed";
    if !has_compiler(TEST) || !can_trace(TEST) {
        return;
    }
    let dir = TempDir::new().unwrap();
    let program = compile("hostile", dir.path());
    let (output, written) = run("seccomp", &[], &[program.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    for line in text.lines() {
        let (what, errno) = line.split_once(' ').unwrap();
        let expected = match what {
            "stat" => "0",
            // As that of another user's process.
            "environ" => "13",
            _ => "1",
        };
        assert_eq!(errno, expected, "{what}: {text}");
    }
    assert_eq!(text.lines().count(), 15, "{text}");
    assert!(
        written.contains("Tampering with the agent refused"),
        "{written}"
    );
}
