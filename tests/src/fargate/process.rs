//! The back end without root and without Docker: containers are plain processes.
//!
//! An image is a directory; a path that exists in it stands for the path in the container. Where
//! the kernel lets us, the task has network and mount namespaces of its own: 169.254.170.2 is on
//! their loopback, and [`PRIVATE`] directories are empty and nobody else's. Users, capabilities
//! and read-only roots need the other back end.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::{fs, iter};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::backend::{Backend, Opening, Service, Stream};
use super::board::Board;
use super::container::Container;
use super::definition::TaskDefinition;
use super::endpoints::{self, METADATA, socket_name};
use super::gate::{ECS_ADDRESS, Gate, Openings};
use super::task::Task;
use super::{Setup, identity};
use crate::config;
use crate::image::Images;
use crate::scratch::Scratch;

/// Directories that are private to a task with a mount namespace.
pub const PRIVATE: &[&str] = &["/dev/shm", "/usr/local/sbin"];

/// Starts containers as processes.
#[derive(Debug)]
struct ProcessBackend {
    images: Images,
    scratch: Scratch,
    /// `None` when this machine allows no namespaces.
    gate: Option<Gate>,
    is_root: bool,
    metadata: String,
    addresses: BTreeMap<String, String>,
    /// Ports of containers, and where they are when there is no network namespace.
    ports: BTreeMap<u16, u16>,
    limits: Vec<String>,
}

/// Runs a task as plain processes.
pub fn run(definition: &TaskDefinition, setup: Setup) -> io::Result<Task> {
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
    let backend = ProcessBackend::new(definition, setup.images, &openings)?;
    Ok(Task::start(definition, identity, Arc::new(backend), board))
}

impl ProcessBackend {
    fn new(definition: &TaskDefinition, images: Images, openings: &[Opening]) -> io::Result<Self> {
        let mut backend = Self {
            images,
            scratch: Scratch::new()?,
            gate: None,
            is_root: fs::metadata("/proc/self")?.uid() == 0,
            metadata: format!("http://{ECS_ADDRESS}"),
            addresses: openings
                .iter()
                .map(|opening| (opening.name.clone(), opening.address.clone()))
                .collect(),
            ports: BTreeMap::new(),
            limits: limits(definition),
        };
        backend.make_volume()?;
        let ports: Vec<u16> = definition
            .containers
            .iter()
            .flat_map(|c| c.ports.clone())
            .collect();
        match backend.open_gate(&ports, openings) {
            Ok(gate) => backend.gate = Some(gate),
            Err(error) => {
                backend
                    .limits
                    .push(format!("no namespaces of its own: {error}"));
                for opening in openings {
                    let address = endpoints::listen_here(opening)?;
                    backend.addresses.insert(opening.name.clone(), address);
                }
                backend.metadata = format!("http://{}", backend.addresses[METADATA]);
                for port in ports {
                    backend.ports.insert(port, free_port()?);
                }
            }
        }
        Ok(backend)
    }

    fn open_gate(&self, ports: &[u16], openings: &[Opening]) -> io::Result<Gate> {
        if config::find_program("nsenter").is_none() {
            return Err(io::Error::other(
                "`nsenter` is not installed (package util-linux)",
            ));
        }
        let directory = self.scratch.path();
        for opening in openings {
            endpoints::listen(directory, opening)?;
        }
        let openings = Openings {
            inward: openings
                .iter()
                .map(|opening| (opening.address.clone(), socket_name(&opening.name)))
                .collect(),
            ports: ports.to_vec(),
        };
        let mut command = Command::new(config::program_directory()?.join("task-gate"));
        command.args(["--unshare", "--address", ECS_ADDRESS]);
        for directory in PRIVATE
            .iter()
            .filter(|directory| Path::new(directory).is_dir())
        {
            command.args(["--private", directory]);
        }
        Gate::start(command.args(openings.arguments(directory)), directory)
    }

    /// The volumes of all images, at one place: programs are links, directories are the task's.
    fn make_volume(&self) -> io::Result<()> {
        for image in self.images.values() {
            for volume in &image.volumes {
                copy_tree(
                    &image.root.join(volume.trim_start_matches('/')),
                    &self.volume(volume),
                )?;
            }
        }
        Ok(())
    }

    fn volume(&self, path: &str) -> PathBuf {
        self.scratch
            .path()
            .join("volumes")
            .join(path.trim_start_matches('/'))
    }

    /// The file of this machine that stands for a path of the container.
    fn translated(&self, container: &Container, word: &str) -> String {
        let image = self.images.get(&container.image);
        let in_image = image.map(|image| image.root.join(word.trim_start_matches('/')));
        iter::once(self.volume(word))
            .chain(in_image)
            .find(|path| word.starts_with('/') && path.is_file())
            .map_or_else(|| word.to_owned(), |path| path.display().to_string())
    }

    fn words(&self, container: &Container) -> io::Result<Vec<String>> {
        let image = self.images.get(&container.image);
        let image =
            image.ok_or_else(|| io::Error::other(format!("no image `{}`", container.image)))?;
        // As Docker does: an entry point in the definition hides the image's command too.
        let (entry, command) = match (
            container.entry_point.is_empty(),
            container.command.is_empty(),
        ) {
            (false, _) => (&container.entry_point, &container.command),
            (true, false) => (&image.entry_point, &container.command),
            (true, true) => (&image.entry_point, &image.command),
        };
        Ok(entry
            .iter()
            .chain(command)
            .map(|word| self.translated(container, word))
            .collect())
    }

    fn inside(&self, words: &[String]) -> io::Result<Command> {
        let (program, rest) = words
            .split_first()
            .ok_or_else(|| io::Error::other("neither entry point nor command"))?;
        let mut command = match &self.gate {
            None => Command::new(program),
            Some(gate) => {
                let mut command = Command::new("nsenter");
                command.args(["--net", "--mount", &format!("--target={}", gate.pid())]);
                if !self.is_root {
                    command.args(["--user", "--preserve-credentials"]);
                }
                command.arg("--").arg(program);
                command
            }
        };
        command.args(rest).current_dir("/");
        Ok(command)
    }

    fn moved(&self, value: &str) -> String {
        let port = value
            .parse()
            .ok()
            .and_then(|port: u16| self.ports.get(&port));
        port.map_or_else(|| value.to_owned(), ToString::to_string)
    }
}

impl Backend for ProcessBackend {
    fn prepare(&self, _: &[(String, BTreeMap<String, String>)]) {}

    fn start(
        &self,
        container: &Container,
        environment: &BTreeMap<String, String>,
    ) -> io::Result<Command> {
        let mut command = self.inside(&self.words(container)?)?;
        command.env_clear();
        for (name, value) in environment {
            command.env(name, self.moved(value));
        }
        Ok(command)
    }

    fn beside(&self, container: &Container, words: &[String]) -> io::Result<Command> {
        let words: Vec<String> = words
            .iter()
            .map(|word| self.translated(container, word))
            .collect();
        let mut command = self.inside(&words)?;
        command
            .env_clear()
            .envs(self.environment())
            .envs(&container.environment);
        Ok(command)
    }

    fn signal(&self, _: &Container, pid: u32, signal: Signal) -> io::Result<()> {
        Ok(kill(raw(pid), signal)?)
    }

    fn clear(&self, _: &Container, pid: u32) {
        // In a container nothing outlives the first process. None left is the usual case.
        if killpg(raw(pid), Signal::SIGKILL).is_err() {}
    }

    fn metadata_address(&self) -> String {
        self.metadata.clone()
    }

    fn address_of(&self, opening: &str) -> Option<String> {
        self.addresses.get(opening).cloned()
    }

    fn connect(&self, port: u16) -> io::Result<Box<dyn Stream>> {
        if let Some(gate) = &self.gate {
            return Ok(Box::new(UnixStream::connect(gate.port(port))?));
        }
        let port = self.ports.get(&port).copied().unwrap_or(port);
        Ok(Box::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?))
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let socket = self.volume(contract::path::SOCKET).display().to_string();
        [
            ("HOME", self.scratch.path().display().to_string()),
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            ),
            (contract::env::WORKLOAD_AGENT_SOCKET, socket),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    fn limits(&self) -> &[String] {
        &self.limits
    }
}

/// What the definition asks for and processes cannot give.
fn limits(definition: &TaskDefinition) -> Vec<String> {
    let mut limits = Vec::new();
    for container in &definition.containers {
        if container.user.is_some() {
            limits.push(format!("`{}` keeps our user", container.name));
        }
        if container.readonly_root {
            limits.push(format!("`{}` has a writable root", container.name));
        }
    }
    limits
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Copies directories, and links files.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &place)?;
        } else {
            symlink(entry.path(), place)?;
        }
    }
    Ok(())
}
