//! The back end of real containers: Debian's Docker, one network namespace per task.
//!
//! What ECS does with a definition is done with the same words of Docker: `--volumes-from`,
//! `--cap-add`, `--user`, `--read-only`, `--init`. The gate's container holds the network
//! namespace; nothing is pulled and no packet leaves.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::Signal;

use super::backend::{Backend, Opening, Remains, Service, Stream};
use super::board::Board;
use super::container::Container;
use super::definition::TaskDefinition;
use super::endpoints::{self, METADATA, socket_name};
use super::gate::{ECS_ADDRESS, Gate, Openings};
use super::task::Task;
use super::{Setup, identity};
use crate::dockerd::docker_program;
use crate::image::Image;
use crate::scratch::Scratch;

/// The image in which the gate runs.
pub const GATE_IMAGE: &str = "workload-agent-test/gate";

/// Seconds that a short command of the client may take.
const PATIENCE: &str = "120";

/// Where the gate finds the task's sockets.
const SOCKETS: &str = "/sockets";

/// A daemon, and how to speak to it.
#[derive(Clone, Debug)]
pub struct Docker {
    program: PathBuf,
    socket: PathBuf,
}

impl Docker {
    /// Speaks to the daemon behind `socket`.
    pub fn new(socket: &Path) -> io::Result<Self> {
        let program = docker_program()
            .ok_or_else(|| io::Error::other("`docker` is not installed (package docker.io)"))?;
        Ok(Self {
            program,
            socket: socket.to_path_buf(),
        })
    }

    /// A command of the client.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env("DOCKER_HOST", format!("unix://{}", self.socket.display()));
        command.args(words).stdin(Stdio::null());
        command
    }

    /// A command of the client that ends after some time even when the daemon does not answer.
    fn bounded(&self, words: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", PATIENCE])
            .arg(&self.program);
        command.env("DOCKER_HOST", format!("unix://{}", self.socket.display()));
        command.args(words).stdin(Stdio::null());
        command
    }

    /// Runs a command of the client and returns its output.
    pub fn run(&self, words: &[&str]) -> io::Result<String> {
        output(&mut self.bounded(words))
    }

    /// Makes an image of a directory.
    pub fn import(&self, name: &str, image: &Image) -> io::Result<()> {
        let mut tar = Command::new("tar")
            .args(["--create", "--owner=0", "--group=0", "--directory"])
            .arg(&image.root)
            .arg(".")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut command = self.command(&["import"]);
        for change in changes(image) {
            command.args(["--change", &change]);
        }
        command.args(["-", name]);
        if let Some(files) = tar.stdout.take() {
            command.stdin(files);
        }
        output(&mut command)?;
        tar.wait()?;
        Ok(())
    }
}

fn changes(image: &Image) -> Vec<String> {
    let list = |words: &[String]| serde_json::Value::from(words.to_vec()).to_string();
    let mut changes = Vec::new();
    if !image.entry_point.is_empty() {
        changes.push(format!("ENTRYPOINT {}", list(&image.entry_point)));
    }
    if !image.command.is_empty() {
        changes.push(format!("CMD {}", list(&image.command)));
    }
    changes.extend(
        image
            .volumes
            .iter()
            .map(|volume| format!("VOLUME {volume}")),
    );
    changes
}

/// Runs a command of the client and returns its output, or its complaint as an error.
pub fn output(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("docker: {}", error.trim())))
}

/// Starts containers with Docker.
#[derive(Debug)]
struct DockerBackend {
    docker: Docker,
    /// First part of the names of all containers of the task.
    prefix: String,
    containers: Vec<Container>,
    shares_processes: bool,
    /// Names of containers that exist.
    made: Mutex<Vec<String>>,
    environments: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    addresses: BTreeMap<String, String>,
    gate: Gate,
    /// Dropped after the gate.
    _scratch: Scratch,
}

/// Runs a task in containers. The images must have been imported under the names of `setup`.
pub fn run(docker: &Docker, definition: &TaskDefinition, setup: Setup) -> io::Result<Task> {
    let identity = identity(&definition.family)?;
    let board = Arc::new(Board::new(&definition.containers, setup.listener));
    let mut openings = setup.openings;
    openings.push(Opening {
        name: METADATA.to_owned(),
        address: format!("{ECS_ADDRESS}:80"),
        service: Service::Handler(
            setup
                .metadata
                .unwrap_or_else(|| endpoints::metadata(&identity, &board)),
        ),
    });
    let scratch = Scratch::new()?;
    for opening in &openings {
        endpoints::listen(scratch.path(), opening)?;
    }
    let prefix = format!(
        "{}-{}",
        definition.family,
        identity.task_id.get(..8).unwrap_or("task")
    );
    let gate = open_gate(docker, &prefix, scratch.path(), definition, &openings)?;
    let backend = DockerBackend {
        docker: docker.clone(),
        prefix,
        containers: definition.containers.clone(),
        shares_processes: definition.shares_processes,
        made: Mutex::default(),
        environments: Mutex::default(),
        addresses: openings
            .into_iter()
            .map(|opening| (opening.name, opening.address))
            .collect(),
        gate,
        _scratch: scratch,
    };
    Ok(Task::start(definition, identity, Arc::new(backend), board))
}

fn open_gate(
    docker: &Docker,
    prefix: &str,
    directory: &Path,
    definition: &TaskDefinition,
    openings: &[Opening],
) -> io::Result<Gate> {
    let openings = Openings {
        inward: openings
            .iter()
            .map(|opening| (opening.address.clone(), socket_name(&opening.name)))
            .collect(),
        ports: definition
            .containers
            .iter()
            .flat_map(|c| c.ports.clone())
            .collect(),
    };
    let name = format!("--name={prefix}-gate");
    let sockets = format!("--volume={}:{SOCKETS}", directory.display());
    let mut command = docker.command(&["run", "--interactive", "--rm", "--network=none"]);
    command.args(["--cap-add=NET_ADMIN", &name, &sockets, GATE_IMAGE]);
    command
        .args(["--address", ECS_ADDRESS])
        .args(openings.arguments(Path::new(SOCKETS)));
    Gate::start(&mut command, directory)
}

impl DockerBackend {
    fn name(&self, container: &str) -> String {
        format!("{}-{container}", self.prefix)
    }

    /// Makes a container, and before it those whose volumes it mounts.
    fn make(&self, container: &Container) -> io::Result<()> {
        let name = self.name(&container.name);
        if self
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&name)
        {
            return Ok(());
        }
        for from in &container.volumes_from {
            if let Some(source) = self
                .containers
                .iter()
                .find(|other| other.name == from.source)
            {
                self.make(source)?;
            }
        }
        let mut command = self.docker.bounded(&["create"]);
        command.arg(format!("--name={name}"));
        command.args(self.options(container));
        if let Some(environment) = self.lock_environments().get(&container.name) {
            for (variable, value) in environment {
                command.arg(format!("--env={variable}={value}"));
            }
        }
        let mut words = container.entry_point.iter();
        if let Some(program) = words.next() {
            command.arg(format!("--entrypoint={program}"));
        }
        command
            .arg(&container.image)
            .args(words)
            .args(&container.command);
        output(&mut command)?;
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(name);
        Ok(())
    }

    fn options(&self, container: &Container) -> Vec<String> {
        let gate = self.name("gate");
        let mut options = vec![
            "--pull=never".to_owned(),
            format!("--network=container:{gate}"),
            format!("--stop-timeout={}", container.stop_timeout.as_secs()),
        ];
        if self.shares_processes {
            options.push(format!("--pid=container:{gate}"));
        }
        options.extend(container.add.iter().map(|name| format!("--cap-add={name}")));
        options.extend(
            container
                .drop
                .iter()
                .map(|name| format!("--cap-drop={name}")),
        );
        options.extend(container.user.iter().map(|user| format!("--user={user}")));
        options.extend(
            container
                .working_directory
                .iter()
                .map(|path| format!("--workdir={path}")),
        );
        options.extend(container.volumes_from.iter().map(|from| {
            let mode = if from.read_only { "ro" } else { "rw" };
            format!("--volumes-from={}:{mode}", self.name(&from.source))
        }));
        for (is_wanted, word) in [
            (container.readonly_root, "--read-only"),
            (container.init, "--init"),
            (container.pseudo_terminal, "--tty"),
        ] {
            if is_wanted {
                options.push(word.to_owned());
            }
        }
        options
    }

    fn lock_environments(
        &self,
    ) -> std::sync::MutexGuard<'_, BTreeMap<String, BTreeMap<String, String>>> {
        self.environments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for DockerBackend {
    fn prepare(&self, environments: &[(String, BTreeMap<String, String>)]) {
        self.lock_environments()
            .extend(environments.iter().cloned());
    }

    fn start(&self, container: &Container, _: &BTreeMap<String, String>) -> io::Result<Command> {
        self.make(container)?;
        Ok(self
            .docker
            .command(&["start", "--attach", &self.name(&container.name)]))
    }

    fn remains(&self, container: &Container) -> Option<Remains> {
        let name = self.name(&container.name);
        let format = "--format={{.State.Status}} {{.State.ExitCode}}";
        let state = self.docker.run(&["inspect", format, &name]).ok()?;
        let code = state.strip_prefix("exited ")?.parse().ok()?;
        let output = self.docker.run(&["logs", &name]).unwrap_or_default();
        Some(Remains { code, output })
    }

    fn beside(&self, container: &Container, words: &[String]) -> io::Result<Command> {
        let mut command = self.docker.command(&["exec", &self.name(&container.name)]);
        command.args(words);
        Ok(command)
    }

    fn signal(&self, container: &Container, _: u32, signal: Signal) -> io::Result<()> {
        let signal = format!("--signal={signal}");
        self.docker
            .run(&["kill", &signal, &self.name(&container.name)])
            .map(drop)
    }

    fn clear(&self, _: &Container, _: u32) {}

    fn metadata_address(&self) -> String {
        format!("http://{ECS_ADDRESS}")
    }

    fn address_of(&self, opening: &str) -> Option<String> {
        self.addresses.get(opening).cloned()
    }

    fn connect(&self, port: u16) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(UnixStream::connect(self.gate.port(port))?))
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn limits(&self) -> &[String] {
        &[]
    }
}

impl Drop for DockerBackend {
    fn drop(&mut self) {
        let made = self.made.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !made.is_empty() {
            let mut command = self.docker.bounded(&["rm", "--force", "--volumes"]);
            // A container that is gone already is as good.
            drop(command.args(made.iter()).output());
        }
    }
}
