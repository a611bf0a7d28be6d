//! The gate of a task: the process that holds its namespaces open and answers on their loopback.
//!
//! Nothing else of the runner lives inside. What happens on a port in there is passed on through
//! unix sockets in the task's directory, so that endpoints and fakes stay in the runner's process.

use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use crate::pace::Deadline;

/// The address on which ECS answers inside every task.
pub(super) const ECS_ADDRESS: &str = "169.254.170.2";

/// The word with which the gate says that everything is set up.
pub(crate) const READY: &str = "ready";

/// How long the gate may take to be ready, and to end.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the gate offers, in both directions.
#[derive(Clone, Debug, Default)]
pub(super) struct Openings {
    /// Addresses inside, and the names of the sockets to which connections go.
    pub(super) inward: Vec<(String, String)>,
    /// Ports inside that are reached through a socket named after them.
    pub(super) ports: Vec<u16>,
}

impl Openings {
    /// Command line of `task-gate`, with sockets in `directory` as the gate sees it.
    pub(super) fn arguments(&self, directory: &Path) -> Vec<String> {
        let socket = |name: &str| directory.join(name).display().to_string();
        let mut words = Vec::new();
        for (address, name) in &self.inward {
            words.extend(["--inward".to_owned(), format!("{address}={}", socket(name))]);
        }
        for port in &self.ports {
            let address = format!("127.0.0.1:{port}");
            words.extend([
                "--outward".to_owned(),
                format!("{}={address}", socket(&port_socket(*port))),
            ]);
        }
        words
    }
}

/// The socket behind which a container's port is.
pub(super) fn port_socket(port: u16) -> String {
    format!("port-{port}.sock")
}

/// A running gate. It ends when its standard input is closed, so it never outlives us.
#[derive(Debug)]
pub(super) struct Gate {
    process: Child,
    directory: PathBuf,
}

impl Gate {
    /// Starts `command`, which is `task-gate` in some form, and waits until it is ready.
    pub(super) fn start(command: &mut Command, directory: &Path) -> io::Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (sender, first_line) = sync_channel(1);
        if let Some(output) = process.stdout.take() {
            thread::spawn(move || {
                let mut line = String::new();
                let read = BufReader::new(output).read_line(&mut line);
                // Nobody listens any more when it came too late.
                drop(sender.send(read.map(|_| line)));
            });
        }
        let line = first_line.recv_timeout(PATIENCE);
        if matches!(&line, Ok(Ok(line)) if line.trim() == READY) {
            return Ok(Self {
                process,
                directory: directory.to_path_buf(),
            });
        }
        drop(process.kill());
        let output = process.wait_with_output()?;
        let reason = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(
            reason
                .lines()
                .last()
                .unwrap_or("the gate did not say that it is ready")
                .to_owned(),
        ))
    }

    /// The process whose namespaces containers join.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The socket that leads to a port inside.
    pub(super) fn port(&self, port: u16) -> PathBuf {
        self.directory.join(port_socket(port))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends by itself; a client of Docker that does not is not waited for.
        let process = &mut self.process;
        Deadline::after(PATIENCE).poll(|| process.try_wait().transpose());
        drop(process.kill());
        drop(process.wait());
    }
}
