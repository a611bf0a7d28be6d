//! Where tracing is impossible: each way is decided by the priority, and said aloud.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use e2e::config::find_program;
use e2e::parity::{End, skip};
use nix::libc;

use crate::watched::{Watched, root, target};

const WORKLOAD: [&str; 3] = ["sh", "-c", "echo runs; cat /etc/shadow >/dev/null; exit 5"];

/// A filter refuses this call to everything that is started.
fn denying(test: &str, call: libc::c_long) -> Option<Watched> {
    let program = target(test, "deny_call")?;
    Some(Watched::new().under([program, call.to_string()]))
}

#[test]
fn ptrace_is_denied_and_availability_comes_first() {
    let test = "ptrace_is_denied_and_availability_comes_first";
    let Some(watched) = denying(test, libc::SYS_ptrace) else {
        return;
    };
    let told = watched.run(&WORKLOAD);
    assert_eq!(told.outcome.stdout, "runs\n", "{}", told.outcome);
    assert_eq!(told.outcome.end, End::Exit(5), "{}", told.outcome);
    assert!(
        told.outcome.stderr.contains("untraced"),
        "nothing was said: {}",
        told.outcome
    );
}

#[test]
fn ptrace_is_denied_and_security_comes_first() {
    let test = "ptrace_is_denied_and_security_comes_first";
    let Some(watched) = denying(test, libc::SYS_ptrace) else {
        return;
    };
    let told = watched.set("SYSDIG_PRIORITY", "security").run(&WORKLOAD);
    assert_eq!(told.outcome.stdout, "", "{}", told.outcome);
    assert_eq!(told.outcome.end, End::Exit(125), "{}", told.outcome);
}

/// Without a filter every call stops: slower, but nothing is missed.
#[test]
fn filters_are_denied_and_everything_is_traced_without_one() {
    let test = "filters_are_denied_and_everything_is_traced_without_one";
    let Some(watched) = denying(test, libc::SYS_seccomp) else {
        return;
    };
    let told = watched.run(&WORKLOAD);
    assert_eq!(told.outcome.stdout, "runs\n", "{}", told.outcome);
    assert_eq!(told.outcome.end, End::Exit(5), "{}", told.outcome);
    if root(test) {
        told.expect_alert("sensitive file");
    }
}

/// The capability that the patcher adds is not there: the same user may trace itself.
#[test]
fn without_sys_ptrace_the_workload_is_traced() {
    let test = "without_sys_ptrace_the_workload_is_traced";
    if !root(test) {
        return;
    }
    let without = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-all"];
    let told = Watched::new().under(without).run(&WORKLOAD);
    assert_eq!(told.outcome.end, End::Exit(5), "{}", told.outcome);
    told.expect_alert("sensitive file");
}

#[test]
fn without_proc_the_workload_is_traced() {
    let test = "without_proc_the_workload_is_traced";
    if !root(test) {
        return;
    }
    let script = "umount -l /proc && exec \"$@\"";
    let words = ["unshare", "--mount", "sh", "-c", script, "sh"];
    let told = Watched::new().under(words).run(&WORKLOAD);
    assert_eq!(told.outcome.end, End::Exit(5), "{}", told.outcome);
    told.expect_alert("sensitive file");
}

#[test]
fn mode_off_is_off() {
    let told = Watched::new().set("WORKLOAD_AGENT_MODE", "off").run(&[
        "sh",
        "-c",
        "grep TracerPid /proc/self/status; exit 6",
    ]);
    assert_eq!(told.outcome.stdout, "TracerPid:\t0\n", "{}", told.outcome);
    assert_eq!(told.outcome.end, End::Exit(6));
}

/// A traced program cannot be traced twice: the inner one steps aside and says so.
#[test]
fn an_instrument_under_an_instrument_runs_its_workload() {
    let inner = e2e::parity::instrument().display().to_string();
    let words = [&inner, "--output", "/dev/null", "--", "sh", "-c", "exit 7"];
    let told = Watched::new().run(&words);
    assert_eq!(told.outcome.end, End::Exit(7), "{}", told.outcome);
    assert!(told.outcome.stderr.contains("untraced"), "{}", told.outcome);
}

/// Neither mode gives a setuid program its privileges here; each says why, and `seccomp` what helps.
#[test]
fn a_program_that_stays_without_its_privileges_is_told() {
    let test = "a_program_that_stays_without_its_privileges_is_told";
    let (Some(id), Some(_)) = (find_program("id"), find_program("setpriv")) else {
        return skip(test, "`id` or `setpriv` is not installed");
    };
    if !root(test) {
        return;
    }
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    for (mode, rule) in [("seccomp", "no_new_privs"), ("full", "tracing")] {
        let watched = Watched::new()
            .under(nobody)
            .set("WORKLOAD_AGENT_MODE", mode);
        let directory = watched.output().with_file_name("");
        fs::set_permissions(&directory, Permissions::from_mode(0o777)).expect("ours");
        let program = directory.join("id");
        fs::copy(&id, &program).expect("a copy");
        fs::set_permissions(&program, Permissions::from_mode(0o4755)).expect("ours");
        let native = Command::new(nobody[0])
            .args(&nobody[1..])
            .args([program.as_os_str(), "-u".as_ref()])
            .output()
            .expect("it is there");
        if native.stdout != b"0\n" {
            return skip(test, "setuid programs get no privileges here");
        }
        let told = watched.run(&[&program.display().to_string(), "-u"]);
        assert_eq!(told.outcome.stdout, "65534\n", "{}", told.outcome);
        told.expect_alert(&format!("privileges lost to {rule}"));
    }
}
