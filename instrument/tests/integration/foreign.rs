//! Processes that enter the container from outside.

use std::process::Stdio;
use std::time::Instant;

use crate::container::{Container, can_contain, compile, eventually, skip, status};

const ENTERED: &str = "\"rule\":\"Process entered the container\"";

const OPENED: &[&str] = &["\"kind\":\"openat\"", "\"raw_name\":\"/etc/hostname\""];

const SHELL_RULE: &str = "
- rule: Any shell
  desc: A shell is started.
  condition: evt.type in (execve, execveat) and proc.name = sh
  output: A shell was started (name=%proc.name line=%proc.cmdline)
  priority: NOTICE
";

fn own_filters() -> u32 {
    let filters = status(std::process::id(), "Seccomp_filters");
    filters.and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn container(test: &str, options: &[&str]) -> Option<Container> {
    if !can_contain() {
        skip(test, "namespaces cannot be made here");
        return None;
    }
    Some(Container::start(options))
}

#[test]
fn a_shell_that_enters_is_found_and_watched_like_any_other() {
    let dir = tempfile::TempDir::new().unwrap();
    let rules = dir.path().join("rules.yaml");
    std::fs::write(&rules, SHELL_RULE).unwrap();
    let options = ["--events", "--rules", rules.to_str().unwrap()];
    let Some(container) = container("a_shell_that_enters", &options) else {
        return;
    };
    let began = Instant::now();
    let shell = container.enter(&[
        "sh",
        "-c",
        "echo ready; read line; cat /etc/hostname; exit 5",
    ]);
    let tracer = container.tracer();
    eventually("the shell is seized", || {
        (status(shell.pid, "TracerPid")? == tracer).then_some(())
    });
    println!("found after {} ms", began.elapsed().as_millis());
    container.line(&[ENTERED]);
    // For the rules it executes its program when it is found.
    container.line(&["\"rule\":\"Any shell\"", "\"proc.name\":\"sh\""]);
    container.line(&[
        "\"kind\":\"execve\"",
        "\"exe_path\":\"/usr/bin/dash\"",
        "read line",
    ]);
    assert_eq!(shell.end().code(), Some(5));
    container.line(&["\"kind\":\"execve\"", "\"exe_path\":\"/usr/bin/cat\""]);
    container.line(OPENED);
    // Once for each call, whether the filter or every call stops.
    let text = container.text();
    let opens = text
        .lines()
        .filter(|line| OPENED.iter().all(|part| line.contains(part)));
    assert_eq!(opens.count(), 1);
}

#[test]
fn threads_in_the_middle_of_everything_are_not_disturbed() {
    let Some(container) = container("threads_in_the_middle", &[]) else {
        return;
    };
    let program = compile("undisturbed", container.dir.path());
    let busy = container.enter(&[program.to_str().unwrap()]);
    let filtered = own_filters() + 1;
    eventually("all threads have the filter", || {
        let filters = busy.filters();
        (filters.len() == 6 && filters.iter().all(|n| *n == filtered)).then_some(())
    });
    let ended = busy.end();
    assert!(ended.success(), "{ended}");
    container.line(&[ENTERED, "the filter is put into it"]);
}

#[test]
fn without_the_right_to_a_filter_every_call_stops() {
    let Some(container) = container("without_the_right", &["--events"]) else {
        return;
    };
    let shell = container.enter_as("unprivileged");
    container.line(&[ENTERED, "neither no_new_privs nor CAP_SYS_ADMIN"]);
    assert_eq!(shell.filters(), [own_filters()]);
    assert_eq!(shell.end().code(), Some(6));
    container.line(OPENED);
}

#[test]
fn a_program_whose_filter_kills_it_for_another_one_lives_on() {
    let Some(container) = container("a_program_whose_filter_kills", &["--events"]) else {
        return;
    };
    let jealous = container.enter_as("jealous");
    container.line(&[ENTERED, "are not those of the container"]);
    assert_eq!(jealous.filters(), [own_filters() + 1]);
    assert_eq!(jealous.end().code(), Some(6));
    container.line(OPENED);
}

#[test]
fn in_mode_full_what_enters_stops_at_every_call_too() {
    if !can_contain() {
        skip("in_mode_full", "namespaces cannot be made here");
        return;
    }
    let container = Container::start_in_mode("full", &["--events"]);
    let entered = container.enter_as("plain");
    container.line(&[ENTERED, "as in all of the container"]);
    assert_eq!(entered.filters(), [own_filters()]);
    assert_eq!(entered.end().code(), Some(6));
    container.line(OPENED);
}

#[test]
fn outside_of_a_container_only_descendants_are_watched() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut stranger = std::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .unwrap();
    let mut workload = std::process::Command::new(env!("CARGO_BIN_EXE_instrument"))
        .arg("--output")
        .arg(dir.path().join("out.jsonl"))
        .args(["--", "sleep", "2"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert!(workload.wait().unwrap().success());
    assert_eq!(status(stranger.id(), "TracerPid").as_deref(), Some("0"));
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    let text = std::fs::read_to_string(dir.path().join("out.jsonl")).unwrap();
    assert!(!text.contains("entered"), "{text}");
}
