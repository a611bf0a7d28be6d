//! Runs a command with a hard end and gathers what it shows.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::{End, Outcome};
use crate::config;

/// Marks every process of a run, so that a hung one can be found and ended.
const MARK: &str = "E2E_RUN";

/// What a target that waits for signals prints when it is prepared.
const READY: &[u8] = b"ready\n";

/// What comes from standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// `/dev/null`.
    #[default]
    Nothing,
    /// A pipe with this text in it.
    Text(String),
}

/// A command and how to start it.
#[derive(Clone, Debug)]
pub struct Run {
    /// Program and arguments.
    pub words: Vec<OsString>,
    /// The whole environment, but for the mark.
    pub environment: Vec<(OsString, OsString)>,
    /// Standard input.
    pub input: Input,
    /// Sent to the process when it says `ready`.
    pub signal: Option<Signal>,
    /// User and group to become first.
    pub user: Option<u32>,
    /// Where it runs.
    pub directory: PathBuf,
    /// The time after which it counts as hung.
    pub limit: Duration,
}

impl Run {
    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// When the first program of the command cannot be started at all.
    pub fn outcome(&self, name: &str) -> Outcome {
        let mark = format!("{}-{name}", std::process::id());
        let mut child = self
            .command(&mark)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", self.words[0].display()));
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid fits"));
        self.feed(child.stdin.take());
        let stdout = read(child.stdout.take(), self.signal.map(|signal| (pid, signal)));
        let stderr = read(child.stderr.take(), None);
        let (ended, watch) = mpsc::channel();
        let limit = self.limit;
        let watchdog = thread::spawn(move || watch_over(&watch, limit, pid, &mark));
        let end = wait(&mut child);
        let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().expect("no panic"));
        let hung = finish(ended, watchdog);
        let token = |bytes: Vec<u8>| without_pid(&String::from_utf8_lossy(&bytes), child.id());
        Outcome {
            end: if hung { End::Hang } else { end },
            stdout: token(stdout),
            stderr: token(stderr),
        }
    }

    fn command(&self, mark: &str) -> Command {
        let mut command = Command::new(&self.words[0]);
        command
            .args(&self.words[1..])
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(MARK, mark)
            .current_dir(&self.directory)
            .process_group(0)
            .stdin(match self.input {
                Input::Nothing => Stdio::null(),
                Input::Text(_) => Stdio::piped(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    fn feed(&self, stdin: Option<ChildStdin>) {
        if let (Some(mut stdin), Input::Text(text)) = (stdin, self.input.clone()) {
            thread::spawn(move || {
                // A program that ends without reading everything is no fault.
                drop(stdin.write_all(text.as_bytes()));
            });
        }
    }
}

fn wait(child: &mut Child) -> End {
    child.wait().expect("the child is ours to wait for").into()
}

/// Reads to the end of the stream; sends the signal once the stream says `ready`.
fn read(
    stream: Option<impl Read + Send + 'static>,
    mut signal: Option<(Pid, Signal)>,
) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let Some(mut stream) = stream else {
            return text;
        };
        let mut buffer = vec![0; 64 << 10];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return text,
                Ok(length) => text.extend_from_slice(&buffer[..length]),
            }
            let is_ready = text.windows(READY.len()).any(|window| window == READY);
            if let Some((pid, number)) = signal.filter(|_| is_ready) {
                signal = None;
                unless_gone(kill(pid, number));
            }
        }
    })
}

/// Ends the run's processes when the time is up; returns whether that was necessary.
fn watch_over(ended: &Receiver<()>, limit: Duration, pid: Pid, mark: &str) -> bool {
    if ended.recv_timeout(limit) != Err(RecvTimeoutError::Timeout) {
        return false;
    }
    unless_gone(killpg(pid, Signal::SIGKILL));
    for process in marked(mark) {
        unless_gone(kill(process, Signal::SIGKILL));
    }
    true
}

/// A signal to a process that ended meanwhile is no fault; the outcome shows its end.
fn unless_gone(sent: nix::Result<()>) {
    assert!(
        matches!(sent, Ok(()) | Err(Errno::ESRCH)),
        "cannot signal our own process: {sent:?}"
    );
}

fn finish(ended: Sender<()>, watchdog: JoinHandle<bool>) -> bool {
    // The watchdog takes a closed channel for the end of the run.
    drop(ended);
    watchdog.join().expect("no panic")
}

/// Every process that carries the mark of this run.
fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}");
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            fs::read(Path::new("/proc").join(pid.to_string()).join("environ")).is_ok_and(|all| {
                all.split(|&byte| byte == 0)
                    .any(|one| one == wanted.as_bytes())
            })
        })
        .map(Pid::from_raw)
        .collect()
}

/// The text with every whole number that is the process's pid replaced.
pub fn without_pid(text: &str, pid: u32) -> String {
    let pid = pid.to_string();
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let end = number
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        result.push_str(before);
        result.push_str(if number == pid { "<pid>" } else { number });
        rest = after;
    }
    result.push_str(rest);
    result
}

/// The environment that runs get unless a case asks for another one: small and the same everywhere.
pub(super) fn environment() -> Vec<(OsString, OsString)> {
    let path = config::search_path();
    [("PATH", path), ("HOME", "/".into()), ("LANG", "C".into())]
        .map(|(name, value)| (OsString::from(name), value))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Outcome {
        Run {
            words: ["sh", "-c", script].map(OsString::from).into(),
            environment: environment(),
            input: Input::Nothing,
            signal: None,
            user: None,
            directory: PathBuf::from("/"),
            limit,
        }
        .outcome("run")
    }

    #[test]
    fn everything_visible_is_gathered() {
        let outcome = shell(
            "echo out $$; echo err >&2; kill -TERM $$",
            Duration::from_mins(1),
        );
        assert_eq!(outcome.stdout, "out <pid>\n");
        assert_eq!(outcome.stderr, "err\n");
        let end = End::Signal {
            number: 15,
            core: false,
        };
        assert_eq!(outcome.end, end);
    }

    #[test]
    fn a_hang_is_ended_even_when_it_left_its_group() {
        let outcome = shell(
            "setsid sleep 1000 & echo x; sleep 1000",
            Duration::from_millis(500),
        );
        assert_eq!((outcome.end, outcome.stdout.as_str()), (End::Hang, "x\n"));
    }

    #[test]
    fn only_whole_numbers_are_pids() {
        assert_eq!(without_pid("12 123 x12y 312", 12), "<pid> 123 x<pid>y 312");
    }
}
