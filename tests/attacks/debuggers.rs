//! Real debuggers in the workload: they fail as where ptrace is denied, nothing hangs, and an alert
//! says why.

use e2e::config::find_program;
use e2e::parity::{End, skip};

use crate::watched::{Told, Watched};

/// What the kernel answers to a second tracer.
const DENIED: &str = "Operation not permitted";

fn debug(test: &str, needs: &str, words: &[&str]) -> Option<Told> {
    if find_program(needs).is_none() {
        skip(test, &format!("`{needs}` is not installed"));
        return None;
    }
    Some(Watched::new().run(words))
}

fn expect_denied(told: &Told) {
    assert!(told.outcome.stderr.contains(DENIED), "{}", told.outcome);
    let alerts = told.alerts("debugger under the agent");
    let explains = alerts.iter().any(|alert| {
        let text = alert["output"].as_str().unwrap_or_default();
        text.contains("EPERM") && text.contains("WORKLOAD_AGENT_MODE=off")
    });
    assert!(explains, "{alerts:#?}");
}

/// As the entry point it waits for children of any kind, and must not find the tracer among them.
#[test]
fn strace_as_the_entry_point_fails_and_is_told() {
    let test = "strace_as_the_entry_point_fails_and_is_told";
    let Some(told) = debug(test, "strace", &["strace", "-f", "true"]) else {
        return;
    };
    assert_eq!(told.outcome.end, End::Exit(1), "{}", told.outcome);
    expect_denied(&told);
}

#[test]
fn strace_of_a_neighbour_fails_and_is_told() {
    let test = "strace_of_a_neighbour_fails_and_is_told";
    let script = "sleep 1000 & strace -p $!; code=$?; kill $!; exit $code";
    let Some(told) = debug(test, "strace", &["sh", "-c", script]) else {
        return;
    };
    assert_eq!(told.outcome.end, End::Exit(1), "{}", told.outcome);
    expect_denied(&told);
}

#[test]
fn gdb_cannot_start_a_program_and_is_told() {
    let test = "gdb_cannot_start_a_program_and_is_told";
    let words = ["gdb", "-nx", "-batch", "-ex", "run", "--args", "/bin/true"];
    let Some(told) = debug(test, "gdb", &words) else {
        return;
    };
    assert_ne!(told.outcome.end, End::Hang, "{}", told.outcome);
    let ran = told.outcome.stdout.contains("exited normally");
    assert!(!ran, "{}", told.outcome);
    expect_denied(&told);
}

#[test]
fn gdb_of_a_neighbour_fails_and_is_told() {
    let test = "gdb_of_a_neighbour_fails_and_is_told";
    let script = "sleep 1000 & gdb -nx -batch -p $!; code=$?; kill $!; exit $code";
    let Some(told) = debug(test, "gdb", &["sh", "-c", script]) else {
        return;
    };
    assert_eq!(told.outcome.end, End::Exit(1), "{}", told.outcome);
    expect_denied(&told);
}
