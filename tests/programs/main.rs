//! Programs that nobody here wrote, natively and under `instrument`: the same result.
//!
//! Each scenario is a shell script beside this file, which says what it does and what came out of
//! it. Servers listen on unix sockets in the run's own directory, so that nothing on the machine
//! can be in their way. A program that is not installed is a skipped test; `cargo xtask test`
//! installs all of them when it may. `E2E_MODE=full` runs them in mode `full`, which takes longer.
#![forbid(unsafe_code)]

use e2e::config::{find_program, mode};
use e2e::parity::{Case, Mode, program};

/// A script that is traced as a whole.
fn script(text: &str, needs: &[&'static str]) -> Case {
    program("sh").args(["-c", text]).needs(needs).minutes(8)
}

#[test]
fn bash() {
    let case = program("bash").args(["-c", include_str!("bash.sh")]);
    // Quick enough for both.
    case.check("bash", Mode::Seccomp);
    case.check("bash", Mode::Full);
}

#[test]
fn node() {
    program("node")
        .args(["-e", include_str!("node.js")])
        .minutes(8)
        .check("node", mode());
}

#[test]
fn java() {
    script(include_str!("java.sh"), &["javac"]).check("java", mode());
}

/// `restic` is written in Go, with many goroutines and much preemption by signals.
#[test]
fn go() {
    script(include_str!("restic.sh"), &["restic"]).check("go", mode());
}

#[test]
fn make() {
    script(include_str!("make.sh"), &["make", "cc"]).check("make", mode());
}

#[test]
fn nginx() {
    program("nginx")
        .args(["-e", "stderr", "-p", ".", "-c", "nginx.conf"])
        .under_shell(include_str!("nginx.sh"))
        .needs(&["curl"])
        .check("nginx", mode());
}

#[test]
fn redis() {
    program("redis-server")
        .args(["--port", "0", "--unixsocket", "socket", "--daemonize", "no"])
        .under_shell(include_str!("redis.sh"))
        .needs(&["redis-cli"])
        .check("redis", mode());
}

/// The database does not run as root: the whole scenario belongs to `nobody`.
#[test]
fn postgres() {
    script(include_str!("postgres.sh"), &["pg_lsclusters"])
        .user(65534)
        .check("postgres", mode());
}

#[test]
fn tini() {
    program("tini")
        .args(["--", "sh", "-c", include_str!("tini.sh")])
        .as_pid_1()
        .check("tini", mode());
}

#[test]
fn s6() {
    script(include_str!("s6.sh"), &["s6-svscan"])
        .as_pid_1()
        .check("s6", mode());
}

#[test]
fn runit() {
    script(include_str!("runit.sh"), &["runsvdir"])
        .as_pid_1()
        .check("runit", mode());
}

#[test]
fn supervisor() {
    script(include_str!("supervisor.sh"), &["supervisord"])
        .as_pid_1()
        .check("supervisor", mode());
}

/// Python's own tests: what is compared is the verdict on each of them.
fn python(module: &str) {
    // The system's Python may come without its tests, another one on the path with them.
    let has_tests = |python: &&str| {
        find_program(python).is_some_and(|path| {
            let import = format!("import {module}");
            let run = std::process::Command::new(path)
                .args(["-c", &import])
                .output();
            run.is_ok_and(|output| output.status.success())
        })
    };
    let name = module.rsplit('.').next().unwrap_or(module);
    let Some(python) = ["/usr/bin/python3", "python3"].into_iter().find(has_tests) else {
        return e2e::parity::skip(name, &format!("no Python with `{module}`"));
    };
    let is_verdict = |line: &str| line.contains(" ... ") || line.starts_with("FAILED");
    program(python)
        .args(["-m", "unittest", "-v", module])
        .lines(is_verdict)
        .minutes(12)
        .check(name, mode());
}

#[test]
fn test_signal() {
    python("test.test_signal");
}

#[test]
fn test_subprocess() {
    python("test.test_subprocess");
}

#[test]
fn test_threading() {
    python("test.test_threading");
}
