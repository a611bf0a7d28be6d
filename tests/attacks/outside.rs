//! Processes that enter the container from outside, as ECS Exec makes them.

use std::process::{Command, Stdio};

use e2e::config::find_program;
use e2e::pace::Deadline;
use e2e::parity::skip;

use crate::watched::{Watched, lines, root};

#[test]
fn a_shell_from_outside_is_found_and_alerts_like_any_other() {
    let test = "a_shell_from_outside_is_found_and_alerts_like_any_other";
    if !root(test) {
        return;
    }
    if find_program("nsenter").is_none() {
        return skip(test, "`nsenter` is not installed");
    }
    let namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let watched = Watched::new().under(namespace);
    let words = watched.command(&["sh", "-c", "echo $$; sleep 1000"]);
    let mut container = Command::new(&words[0])
        .args(&words[1..])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let stdout = container.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    assert_eq!(line, "1\n");
    let entered = entered_pid(container.id());
    // However late the tracer finds it, it does what is to be seen again and again.
    let mut visitor = Command::new("nsenter")
        .args(["--target", &entered, "--pid", "--mount", "--"])
        .args([
            "sh",
            "-c",
            "while :; do sleep 1; cat /etc/shadow >/dev/null; done",
        ])
        .spawn()
        .expect("nsenter starts");
    let alert = Deadline::seconds(120).poll(|| {
        let told = lines(&watched.output());
        told.into_iter()
            .find(|line| line["output_fields"]["fd.name"] == "/etc/shadow")
    });
    visitor.kill().expect("our child");
    visitor.wait().expect("our child");
    container.kill().expect("our child");
    container.wait().expect("our child");
    let rules: Vec<String> = lines(&watched.output())
        .iter()
        .map(|line| line["rule"].to_string())
        .collect();
    assert!(alert.is_some(), "the visitor was not seen: {rules:?}");
}

/// The process that is pid 1 inside: the child of `unshare`.
fn entered_pid(unshare: u32) -> String {
    let path = format!("/proc/{unshare}/task/{unshare}/children");
    let children = std::fs::read_to_string(path).expect("the kernel lists children");
    children
        .split_whitespace()
        .next()
        .expect("one child")
        .to_owned()
}
