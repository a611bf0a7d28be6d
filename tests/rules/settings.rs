//! Settings of rules and alerts through the real tracer.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use e2e::parity::instrument;
use e2e::scratch::Scratch;
use serde_json::Value;

use super::run;

const RULES: &str = r"
- rule: Any file
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name endswith /wanted
  output: file %fd.name
  priority: WARNING
  tags: [file]

- rule: The same file
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.filename = wanted
  output: same %fd.name
  priority: INFO

- rule: Too unimportant
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.filename = wanted
  output: unimportant
  priority: DEBUG
";

/// The alerts of a line of shell under these settings.
fn alerts(settings: &[&str], line: &str) -> Vec<Value> {
    let scratch = Scratch::new().expect("a directory");
    run(command(&scratch, settings, line));
    told(&scratch)
}

fn told(scratch: &Scratch) -> Vec<Value> {
    let text = fs::read_to_string(scratch.path().join("alerts.jsonl")).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("an alert is JSON")
}

fn command(scratch: &Scratch, settings: &[&str], line: &str) -> Command {
    let output = scratch.path().join("alerts.jsonl");
    let rules = scratch.path().join("rules.yaml");
    fs::write(&rules, RULES).expect("a file");
    let mut command = Command::new(instrument());
    command
        .arg("--output")
        .arg(&output)
        .arg("--rules")
        .arg(rules);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
        .args(["--", "/bin/sh", "-c", line])
        .current_dir(scratch.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Directories that are opened to be listed stop only where a rule may match them.
#[test]
fn directories_are_told_to_rules_that_ask_for_them() {
    let line = "mkdir wanted && ls wanted";
    let found = alerts(&[], line);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["rule"], "Any file");
    // A directory has no `fd.filename`.
    let others = ["disable_rule=Any file"];
    assert_eq!(alerts(&others, line), Vec::<Value>::new());
    let found = alerts(&others, ": >wanted; mkdir listed && ls listed");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["rule"], "The same file");
}

#[test]
fn settings_decide_which_alerts_there_are_and_what_they_hold() {
    let found = alerts(&[], ": >wanted");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["rule"], "Any file");

    let found = alerts(
        &[
            "rule_matching=all",
            "priority=info",
            "append_output=by %proc.name",
            "append_field=pid=%proc.vpid",
            "time_format_iso_8601=true",
            "json_include_tags_property=false",
            "json_include_message_property=true",
        ],
        ": >wanted",
    );
    let rules: Vec<&Value> = found.iter().map(|alert| &alert["rule"]).collect();
    assert_eq!(rules, ["Any file", "The same file"]);
    let message = found[0]["message"].as_str().expect("a message");
    assert!(message.ends_with("/wanted by sh"), "{message}");
    assert_eq!(found[0]["output_fields"]["pid"], 1);
    assert_eq!(found[0].get("tags"), None);
    let output = found[0]["output"].as_str().expect("an output");
    assert!(
        output.contains("+0000: Warning ") && output.ends_with(message),
        "{output}"
    );
}

#[test]
fn repeats_are_told_once_and_counted() {
    let line = "for i in 1 2 3 4 5 6 7; do : >wanted; done";
    assert_eq!(alerts(&[], line).len(), 7);
    let found = alerts(&["repeats_within=3600"], line);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0]["output_fields"].get("alert.repeats"), None);
    assert_eq!(found[1]["output_fields"]["alert.repeats"], 6);
}

#[test]
fn the_last_repeats_are_told_though_the_workload_stands_still() {
    let scratch = Scratch::new().expect("a directory");
    let line = "for i in 1 2 3 4 5 6 7; do : >wanted; done; read line";
    let mut command = command(&scratch, &["repeats_within=1"], line);
    let mut workload = command.stdin(Stdio::piped()).spawn().expect("a process");
    let deadline = Instant::now() + Duration::from_mins(2);
    // The last line may be half written.
    let count = || fs::read(scratch.path().join("alerts.jsonl")).unwrap_or_default();
    let lines = |bytes: Vec<u8>| bytes.into_iter().filter(|byte| *byte == b'\n').count();
    while lines(count()) < 2 && Instant::now() < deadline {
        thread::park_timeout(Duration::from_millis(50));
    }
    let found = lines(count());
    drop(workload.stdin.take());
    let status = workload.wait().expect("its end");
    assert_eq!((found, status.code()), (2, Some(1)));
    let found = told(&scratch);
    assert_eq!(found[1]["output_fields"]["alert.repeats"], 6, "{found:?}");
}
