//! A container as small as it gets: pid and mount namespaces of its own, with `instrument` in front
//! of its first process.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Nothing that a test waits for takes this long.
pub(crate) const HARD_LIMIT: Duration = Duration::from_secs(40);

/// A container and what its agent wrote.
pub(crate) struct Container {
    unshare: Child,
    first: u32,
    output: PathBuf,
    pub(crate) dir: TempDir,
}

/// A process in the container that was not started by its workload.
pub(crate) struct Entered {
    door: Child,
    stdin: Option<ChildStdin>,
    /// Open for as long as it may write.
    _stdout: BufReader<ChildStdout>,
    /// Its pid as the test sees it.
    pub(crate) pid: u32,
}

/// Says why a test cannot run here.
pub(crate) fn skip(test: &str, reason: &str) {
    println!("skipped: {test}: {reason}");
}

/// Whether namespaces can be made and entered.
pub(crate) fn can_contain() -> bool {
    let made = Command::new("unshare")
        .args(["--fork", "--pid", "--mount-proc", "true"])
        .stderr(Stdio::null())
        .status();
    made.is_ok_and(|status| status.success())
}

/// Waits for something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + HARD_LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Compiles a target program.
pub(crate) fn compile(name: &str, dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/targets/{name}.c"));
    let program = dir.join(name);
    let status = Command::new("cc")
        .args(["-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"])
        .args([&program, &source])
        .status()
        .unwrap();
    assert!(status.success(), "{name}.c does not compile");
    program
}

/// A line of `/proc/PID/status`.
pub(crate) fn status(pid: u32, name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches(':').trim().to_owned())
}

/// The children of a process.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

fn comm(pid: u32) -> String {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    comm.trim_end().to_owned()
}

impl Container {
    /// Starts one whose workload only waits.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_in_mode("seccomp", options)
    }

    /// As [`Self::start`], in a mode.
    pub(crate) fn start_in_mode(mode: &str, options: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let output = dir.path().join("out.jsonl");
        let unshare = Command::new("unshare")
            .args(["--fork", "--pid", "--mount-proc", "--kill-child"])
            .arg(env!("CARGO_BIN_EXE_instrument"))
            .arg("--output")
            .arg(&output)
            .args(options)
            .args(["--", "sleep", "1000"])
            .env("WORKLOAD_AGENT_MODE", mode)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let first = eventually("the workload runs", || {
            let child = children(unshare.id()).first().copied()?;
            (comm(child) == "sleep").then_some(child)
        });
        Self {
            unshare,
            first,
            output,
            dir,
        }
    }

    /// The pid of the tracer, as the test sees it.
    pub(crate) fn tracer(&self) -> String {
        status(self.first, "TracerPid").unwrap()
    }

    /// Enters with a program that says `ready` when it is, and ends when its standard input does.
    pub(crate) fn enter(&self, command: &[&str]) -> Entered {
        let target = self.first.to_string();
        let mut nsenter = Command::new("nsenter");
        nsenter
            .args(["--target", &target, "--pid", "--mount"])
            .args(command);
        Entered::by(nsenter)
    }

    /// Enters with a child that is from its birth what `kind` says (see `targets/enter.c`).
    pub(crate) fn enter_as(&self, kind: &str) -> Entered {
        let program = compile("enter", self.dir.path());
        let mut enter = Command::new(program);
        enter.args([self.first.to_string().as_str(), kind]);
        Entered::by(enter)
    }

    /// Waits for a line of the agent that has all of these in it.
    pub(crate) fn line(&self, parts: &[&str]) -> String {
        eventually(&format!("a line with {parts:?}"), || {
            let text = fs::read_to_string(&self.output).ok()?;
            let mut lines = text.lines();
            let found = lines.find(|line| parts.iter().all(|part| line.contains(part)))?;
            Some(found.to_owned())
        })
    }

    /// Everything that the agent wrote so far.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // With `--kill-child` this ends the first process, and with it the container.
        if self.unshare.kill().is_ok() && self.unshare.wait().is_err() {}
    }
}

impl Entered {
    fn by(mut command: Command) -> Self {
        let mut door = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(door.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        // Only a child is in the pid namespace.
        let pid = children(door.id()).first().copied().unwrap();
        Self {
            stdin: door.stdin.take(),
            _stdout: stdout,
            door,
            pid,
        }
    }

    /// The threads' numbers of filters.
    pub(crate) fn filters(&self) -> Vec<u32> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        tasks
            .map(|task| {
                let tid = task.unwrap().file_name().to_str().unwrap().parse().unwrap();
                status(tid, "Seccomp_filters").unwrap().parse().unwrap()
            })
            .collect()
    }

    /// Lets it end.
    pub(crate) fn end(mut self) -> ExitStatus {
        drop(self.stdin.take());
        self.door.wait().unwrap()
    }
}
