//! A Docker daemon of the tests' own: private socket, private data, no network, no registry.
//!
//! Debian's `docker.io` as it is; the settings keep it away from the machine's bridges, packet
//! filters and containers. It ends with the value that stands for it, by its process id.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::config;
use crate::pace::Deadline;

/// How long the daemon may take to answer, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// The length from which the kernel refuses a unix socket's path.
const SOCKET_PATH_LIMIT: usize = 108;

/// Why there is no daemon.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// A file of the daemon cannot be written or read.
    #[error("cannot use `{}`: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A program is not installed.
    #[error("`{0}` is not installed (Debian package docker.io)")]
    Missing(&'static str),
    /// Only root may start containers.
    #[error("not root")]
    NotRoot,
    /// The daemon ended or did not answer.
    #[error("dockerd did not come up: {0}")]
    Silent(String),
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    process: Child,
    socket: PathBuf,
    run: PathBuf,
}

impl Daemon {
    /// Starts a daemon that keeps its images below `directory`, and waits until it answers.
    pub fn start(directory: &Path) -> Result<Self, DaemonError> {
        let file = |path: &Path| {
            let path = path.to_path_buf();
            move |source| DaemonError::File { path, source }
        };
        if fs::metadata("/proc/self")
            .map_err(file(Path::new("/proc/self")))?
            .uid()
            != 0
        {
            return Err(DaemonError::NotRoot);
        }
        let program = config::find_program("dockerd").ok_or(DaemonError::Missing("dockerd"))?;
        docker_program().ok_or(DaemonError::Missing("docker"))?;
        // Sockets and pid files live apart: a deep checkout makes too long a socket path.
        let run = PathBuf::from(format!(
            "/tmp/workload-agent-dockerd.{}",
            std::process::id()
        ));
        let directory = std::path::absolute(directory).map_err(file(directory))?;
        fs::create_dir_all(&directory).map_err(file(&directory))?;
        fs::create_dir_all(&run).map_err(file(&run))?;
        let socket = run.join("sock");
        debug_assert!(socket.as_os_str().len() < SOCKET_PATH_LIMIT);
        let settings = run.join("daemon.json");
        fs::write(&settings, daemon_json(&directory, &run)).map_err(file(&settings))?;
        let log = directory.join("log");
        let output = fs::File::create(&log).map_err(file(&log))?;
        let errors = output.try_clone().map_err(file(&log))?;
        let process = Command::new(program)
            .arg("--config-file")
            .arg(&settings)
            .env("PATH", config::search_path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| DaemonError::Silent(error.to_string()))?;
        let mut daemon = Self {
            process,
            socket,
            run,
        };
        daemon.await_answer(&log)?;
        Ok(daemon)
    }

    /// Where the daemon listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    fn await_answer(&mut self, log: &Path) -> Result<(), DaemonError> {
        let answer = Deadline::after(PATIENCE).poll(|| {
            if UnixStream::connect(&self.socket).is_ok_and(|stream| is_healthy(&stream)) {
                return Some(Ok(()));
            }
            let status = self.process.try_wait().ok().flatten()?;
            let text = fs::read_to_string(log).unwrap_or_default();
            let last = text.lines().last().unwrap_or_default();
            Some(Err(DaemonError::Silent(format!("{status}: {last}"))))
        });
        answer.unwrap_or_else(|| {
            let log = log.display();
            Err(DaemonError::Silent(format!(
                "no answer; its log is `{log}`"
            )))
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap_or(i32::MAX));
        if kill(pid, Signal::SIGTERM).is_ok() {
            // Whether it ended in time or not, what follows makes sure of it.
            let process = &mut self.process;
            Deadline::after(PATIENCE).poll(|| process.try_wait().ok().flatten());
        }
        drop(self.process.kill());
        drop(self.process.wait());
        drop(fs::remove_dir_all(&self.run));
    }
}

/// The client that comes with the daemon; a newer one elsewhere on the path may not speak to it.
pub fn docker_program() -> Option<PathBuf> {
    let debian = PathBuf::from("/usr/bin/docker");
    if debian.is_file() {
        return Some(debian);
    }
    config::find_program("docker")
}

fn is_healthy(mut stream: &UnixStream) -> bool {
    let asked = stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .and_then(|()| stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n"));
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ")
}

fn daemon_json(data: &Path, run: &Path) -> String {
    serde_json::json!({
        "data-root": data.join("data"),
        "exec-root": run.join("exec"),
        "pidfile": run.join("docker.pid"),
        "hosts": [format!("unix://{}", run.join("sock").display())],
        "bridge": "none",
        "iptables": false,
        "ip6tables": false,
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        // Root may lack the right to raise limits to the daemon's own defaults.
        "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096}},
    })
    .to_string()
}
