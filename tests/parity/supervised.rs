//! What a supervisor of the workload sees: the process that it started is the workload itself.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use e2e::parity::{instrument, skip};
use e2e::target::{self, Linkage};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tempfile::TempDir;

/// What is sent, one after the other, and waited for each time.
const SIGNALS: [Signal; 7] = [
    Signal::SIGSTOP,
    Signal::SIGCONT,
    Signal::SIGTSTP,
    Signal::SIGCONT,
    Signal::SIGSTOP,
    Signal::SIGCONT,
    Signal::SIGTERM,
];

fn start(program: &Path, through: Option<&Path>, directory: &TempDir) -> Child {
    let mut command = match through {
        None => Command::new(program),
        Some(instrument) => {
            let mut command = Command::new(instrument);
            let alerts = directory.path().join("alerts.json");
            command.arg("--output").arg(alerts).arg("--").arg(program);
            command
        }
    };
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped());
    output.spawn().expect("the program starts")
}

/// Every change of state that the parent hears of, in words without pids.
fn heard(mut child: Child) -> Vec<String> {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid fits"));
    let mut ready = [0; 6];
    let mut output = child.stdout.take().expect("a pipe");
    output
        .read_exact(&mut ready)
        .expect("the program says ready");
    let flags = WaitPidFlag::WUNTRACED | WaitPidFlag::WCONTINUED;
    SIGNALS
        .iter()
        .map(|&signal| {
            kill(pid, signal).expect("it is there");
            match waitpid(pid, Some(flags)).expect("it is our child") {
                WaitStatus::Stopped(who, by) => format!("{} stopped by {by}", who == pid),
                WaitStatus::Continued(who) => format!("{} continued", who == pid),
                WaitStatus::Signaled(who, by, _) => format!("{} killed by {by}", who == pid),
                other => format!("{other:?}"),
            }
        })
        .collect()
}

#[test]
fn a_supervisor_hears_of_every_change() {
    let program = match target::build("wait_for_signal", Linkage::Dynamic) {
        Ok(program) => program,
        Err(error) => return skip("a_supervisor_hears_of_every_change", &error.to_string()),
    };
    let directory = TempDir::new().unwrap();
    let native = heard(start(&program, None, &directory));
    assert_eq!(native.last().unwrap(), "true killed by SIGTERM");
    let traced = heard(start(&program, Some(&instrument()), &directory));
    assert_eq!(native, traced);
}

#[test]
fn what_cannot_be_started_is_said_as_a_shell_says_it() {
    let directory = TempDir::new().unwrap();
    let plain = directory.path().join("plain");
    std::fs::write(&plain, "text\n").unwrap();
    let missing = directory.path().join("missing");
    for path in [
        missing.as_path(),
        plain.as_path(),
        directory.path(),
        Path::new("no-such-program-anywhere"),
    ] {
        let shell = Command::new("sh")
            .args(["-c", "exec \"$0\""])
            .arg(path)
            .output()
            .unwrap();
        let traced = Command::new(instrument())
            .arg("--output")
            .arg(directory.path().join("alerts.json"))
            .arg("--")
            .arg(path)
            .output()
            .unwrap();
        let named = path.file_name().unwrap().to_str().unwrap();
        let words = String::from_utf8_lossy(&traced.stderr).into_owned();
        assert_eq!(
            shell.status.code(),
            traced.status.code(),
            "{path:?}: {words}"
        );
        assert!(words.contains(named), "{path:?} is not named: {words}");
        assert_eq!(words.trim_end().lines().count(), 1, "{words}");
    }
}
