//! What a user gets wrong ends in one line that names the object, and changes nothing.

use std::fs;
use std::process::{Command, Output};

use e2e::fargate::Setup;
use e2e::lab::{self, Lab};
use e2e::scratch::Scratch;
use e2e::stage::{TEMPLATE, built, workspace};
use serde_json::json;

use crate::words::{deadline, shell, task, wait_for_alert};

/// A place at which nobody can make a socket, root included.
const NO_SOCKET: &str = "/etc/passwd/agent.sock";

/// Runs a program of ours with nothing in its environment.
fn run(program: &str, words: &[&str]) -> Output {
    Command::new(built(program).expect("it is built"))
        .args(words)
        .env_clear()
        .env("WORKLOAD_AGENT_SOCKET", NO_SOCKET)
        .output()
        .expect("it runs")
}

/// Asserts that the complaint is one line with all of `names` in it.
fn complains(output: &Output, code: i32, names: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    let line = text.lines().next().unwrap_or_default();
    for name in names {
        assert!(
            line.contains(name),
            "`{name}` is not in the first line:\n{text}"
        );
    }
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let (input, out) = ("/nowhere/template.json", "/nowhere/out.json");
    let output = lab::patch(input.as_ref(), out.as_ref(), &[]);
    complains(&output, 1, &["/nowhere/template.json"]);
}

#[test]
fn invalid_templates_write_nothing() {
    let scratch = Scratch::new().unwrap();
    let (bad, out) = (
        scratch.path().join("bad.json"),
        scratch.path().join("out.json"),
    );
    for text in [
        "{\"Resources\": {",
        "[1, 2]",
        "",
        "{\"Resources\": []}",
        "\u{0}\u{1}",
    ] {
        fs::write(&bad, text).unwrap();
        let output = lab::patch(&bad, &out, &[]);
        complains(&output, 1, &["bad.json"]);
        assert!(!out.exists(), "{text}");
    }
}

#[test]
fn unknown_entrypoints_write_nothing() {
    let scratch = Scratch::new().unwrap();
    let (input, out) = (
        scratch.path().join("in.json"),
        scratch.path().join("out.json"),
    );
    let definition = json!({"family": "f", "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{"name": "a", "image": "localhost:1/none"}]});
    fs::write(&input, definition.to_string()).unwrap();
    let output = lab::patch(&input, &out, &[]);
    complains(&output, 4, &["in.json", "`a`", "localhost:1"]);
    assert!(!out.exists());
}

#[test]
fn a_place_that_cannot_be_written_keeps_what_is_there() {
    let scratch = Scratch::new().unwrap();
    let template = workspace().unwrap().join(TEMPLATE);
    let missing = scratch.path().join("missing/out.json");
    complains(&lab::patch(&template, &missing, &[]), 1, &["missing"]);
    let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 0, "{left:?}");
}

#[test]
fn unknown_options_are_named() {
    complains(&run("patcher", &["patch", "--fly", "x"]), 2, &["--fly"]);
    complains(&run("sidecar", &["--fly"]), 2, &["--fly"]);
    complains(
        &run("instrument", &["--fly", "--", "/bin/true"]),
        2,
        &["--fly"],
    );
}

#[test]
fn programs_that_cannot_be_started_are_named_as_a_shell_does() {
    complains(
        &run("instrument", &["/nowhere/program"]),
        127,
        &["/nowhere/program"],
    );
    complains(&run("instrument", &["/etc/passwd"]), 126, &["/etc/passwd"]);
}

#[test]
fn invalid_rules_are_named_with_their_place() {
    let scratch = Scratch::new().unwrap();
    let rules = scratch.path().join("bad.yaml");
    let text = "- rule: r\n  desc: d\n  condition: proc.nmae = x\n  output: o\n  priority: INFO\n";
    fs::write(&rules, text).unwrap();
    let output = Command::new(built("instrument").unwrap())
        .args(["--output", "/dev/null", "--rules"])
        .arg(&rules)
        .args(["--", "/bin/true"])
        .env_clear()
        .env("SYSDIG_PRIORITY", "security")
        .output()
        .unwrap();
    let place = format!("{}:3:14", rules.display());
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{text}");
    assert!(
        text.contains(&place) && text.contains("proc.nmae"),
        "{text}"
    );
}

#[test]
fn a_socket_that_is_not_there_stops_nobody() {
    let output = run("instrument", &["/bin/sh", "-c", "echo ran; exit 3"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ran\n");
}

#[test]
fn a_sidecar_without_a_place_for_its_socket_says_so() {
    complains(&run("sidecar", &[]), 1, &["/etc/passwd", "socket"]);
}

#[test]
fn a_silent_metadata_endpoint_stops_nobody() {
    let Some(lab) = Lab::open("a_silent_metadata_endpoint_stops_nobody") else {
        return;
    };
    let definition = lab::patched(
        &task(&[shell(
            "a",
            "cp /bin/busybox /tmp/x; /tmp/x true; sleep 1; exit 5",
        )]),
        &[],
    );
    // Takes connections and never answers: it waits for the client to give up.
    let silent = Setup {
        metadata: Some(std::sync::Arc::new(|stream| {
            let mut rest = Vec::new();
            drop(stream.read_to_end(&mut rest));
        })),
        ..Setup::default()
    };
    let task = lab.run(&definition, silent);
    let alert = wait_for_alert(&task, "an alert", |alert| alert.output.contains("/tmp/x"));
    assert!(!alert.rule.is_empty());
    assert_eq!(
        task.wait_for_exit("a", deadline()).unwrap(),
        5,
        "{}",
        task.output("a")
    );
}
