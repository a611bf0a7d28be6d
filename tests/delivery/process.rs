//! The sidecar as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use e2e::cloudwatch::CloudWatch;
use e2e::pace::Deadline;
use e2e::stage;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The log group of every test.
pub(crate) const GROUP: &str = "/workload-agent/test";

/// A sidecar and the folder in which it lives. It can be killed and started again.
pub(crate) struct Sidecar {
    pub dir: tempfile::TempDir,
    vars: Vec<(String, String)>,
    child: Option<Child>,
    stdout: bool,
    /// The size of a file system of its own under the spool.
    mount: Option<String>,
}

/// Another program of a test; it ends with it.
pub(crate) struct Guest(pub Child);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Sidecar {
    /// One that stores in the fake.
    pub(crate) fn with(cloudwatch: &CloudWatch) -> Self {
        let mut sidecar = Self::bare();
        sidecar.vars.extend(cloudwatch.environment());
        sidecar.set("WORKLOAD_AGENT_LOG_GROUP", GROUP);
        sidecar.set("WORKLOAD_AGENT_LOG_STREAM", "task");
        sidecar
    }

    /// One that stores where its settings say.
    pub(crate) fn bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut sidecar = Self {
            dir,
            vars: Vec::new(),
            child: None,
            stdout: false,
            mount: None,
        };
        let path = |sidecar: &Self, name: &str| sidecar.dir.path().join(name).display().to_string();
        sidecar.set("WORKLOAD_AGENT_SOCKET", &path(&sidecar, "agent.sock"));
        sidecar.set("WORKLOAD_AGENT_ADMIN", &path(&sidecar, "admin.sock"));
        sidecar.set("WORKLOAD_AGENT_SPOOL", &path(&sidecar, "spool"));
        sidecar.set("WORKLOAD_AGENT_FOLD", "0");
        sidecar
    }

    /// Sets a variable of its environment.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.vars.retain(|(n, _)| n != name);
        self.vars.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable out of its environment.
    pub(crate) fn unset(&mut self, name: &str) {
        self.vars.retain(|(n, _)| n != name);
    }

    /// Puts the spool on a file system of this size in memory, which only the sidecar sees.
    pub(crate) fn mount_spool(&mut self, size: &str) {
        self.mount = Some(size.to_owned());
    }

    /// Keeps what it writes to standard output, in `out`.
    pub(crate) fn keep_stdout(&mut self) {
        self.stdout = true;
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("agent.sock")
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&mut self) {
        let child = self.command(&[]).spawn().unwrap();
        self.child = Some(child);
        let socket = self.socket();
        let is_up =
            Deadline::seconds(60).poll(|| std::os::unix::net::UnixStream::connect(&socket).ok());
        assert!(
            is_up.is_some(),
            "the sidecar does not listen:\n{}",
            self.log()
        );
    }

    /// A command of the same program with the same settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let program = stage::built("sidecar").unwrap();
        let mut command = match &self.mount {
            Some(size) if args.is_empty() => self.mounted(&program, size),
            _ => Command::new(program),
        };
        let open = |name: &str| {
            let path = self.dir.path().join(name);
            std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .unwrap()
        };
        command
            .args(args)
            .env_clear()
            .envs(self.vars.iter().map(|(n, v)| (n, v)));
        if args.is_empty() {
            let out = if self.stdout {
                Stdio::from(open("out"))
            } else {
                Stdio::null()
            };
            command.stdout(out).stderr(open("log")).stdin(Stdio::null());
        }
        command
    }

    /// A start that ends with 1, and whose last line says these words.
    pub(crate) fn refuses(&self, words: &[&str]) {
        let mut command = self.command(&[]);
        let output = command.stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        let last = text.lines().last().unwrap();
        for word in words {
            assert!(last.contains(word), "{word}: {text}");
        }
    }

    fn mounted(&self, program: &Path, size: &str) -> Command {
        let spool = self.dir.path().join("spool");
        std::fs::create_dir_all(&spool).unwrap();
        let mut command = Command::new("/usr/bin/unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "/bin/sh", "-c"])
            .arg("/bin/mount -t tmpfs -o size=$1 none \"$2\" && exec \"$3\"")
            .args(["sh", size])
            .args([&spool, program]);
        command
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// What it has written to standard output.
    pub(crate) fn out(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("out")).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child
            .as_ref()
            .map_or(0, |child| i32::try_from(child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// `kill -9`, and no mercy.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and waits for its end; `None` when it takes longer.
    pub(crate) fn stop(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.signal(Signal::SIGTERM);
        self.wait(patience)
    }

    pub(crate) fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let mut child = self.child.take()?;
        let status = Deadline::after(patience).poll(|| child.try_wait().unwrap());
        if status.is_none() {
            self.child = Some(child);
        }
        status
    }

    /// A metric of the running sidecar, by its full name with labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let output = self.command(&["metrics"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        assert!(
            value.is_some(),
            "no metric {name} in:\n{text}\n{}",
            self.log()
        );
        value.unwrap()
    }

    /// Resident memory, KiB: highest so far.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmHWM:")?
                    .trim()
                    .strip_suffix(" kB")?
                    .parse()
                    .ok()
            })
            .unwrap()
    }

    /// Bytes in its spool.
    pub(crate) fn spool_bytes(&self) -> u64 {
        fn size(path: &Path) -> u64 {
            std::fs::read_dir(path).map_or(0, |entries| {
                entries
                    .filter_map(Result::ok)
                    .map(|entry| match entry.metadata() {
                        Ok(found) if found.is_dir() => size(&entry.path()),
                        Ok(found) => found.len(),
                        Err(_) => 0,
                    })
                    .sum()
            })
        }
        size(&self.dir.path().join("spool"))
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.kill();
    }
}
