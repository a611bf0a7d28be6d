//! What both back ends do.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;

use nix::sys::signal::Signal;

use super::container::Container;

/// A connection into the task or out of it: TCP inside, whatever carries it outside.
pub trait Stream: io::Read + io::Write + Send {}

impl<T: io::Read + io::Write + Send> Stream for T {}

/// Serves one connection.
pub type Handler = Arc<dyn Fn(&mut dyn Stream) + Send + Sync>;

/// Something outside of the task that programs inside reach at an address.
#[derive(Clone, Debug)]
pub struct Opening {
    /// A word for it; also the name of its socket.
    pub name: String,
    /// Where it is inside: `127.0.0.1:4566`.
    pub address: String,
    /// What answers there.
    pub service: Service,
}

/// What answers at an opening.
#[derive(Clone)]
pub enum Service {
    /// A server on this machine's loopback, by its address.
    Address(String),
    /// A function that serves one connection.
    Handler(Handler),
}

impl fmt::Debug for Service {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => out.debug_tuple("Address").field(address).finish(),
            Self::Handler(_) => out.debug_tuple("Handler").finish_non_exhaustive(),
        }
    }
}

/// What is known of a container that has ended, from whoever ran it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// Its exit code.
    pub code: i32,
    /// All that it printed.
    pub output: String,
}

/// Starts, asks and ends containers.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Hears the environment of every container before the first one starts.
    fn prepare(&self, environments: &[(String, BTreeMap<String, String>)]);

    /// The command that is the container while it runs: its output, its exit code.
    fn start(
        &self,
        container: &Container,
        environment: &BTreeMap<String, String>,
    ) -> io::Result<Command>;

    /// What is left of a container that has ended while its command goes on; `None` while it runs,
    /// and where the command is the container.
    fn remains(&self, _: &Container) -> Option<Remains> {
        None
    }

    /// A command that runs beside the container's own program, as `ecs execute-command` does.
    fn beside(&self, container: &Container, words: &[String]) -> io::Result<Command>;

    /// Sends a signal to the container's first process. `pid` is that of the started command.
    fn signal(&self, container: &Container, pid: u32, signal: Signal) -> io::Result<()>;

    /// Removes what is left of a container that has ended.
    fn clear(&self, container: &Container, pid: u32);

    /// Where the programs inside reach the metadata endpoint: `http://169.254.170.2`.
    fn metadata_address(&self) -> String;

    /// Where the programs inside reach an opening.
    fn address_of(&self, opening: &str) -> Option<String>;

    /// Connects to a port on which a container listens.
    fn connect(&self, port: u16) -> io::Result<Box<dyn Stream>>;

    /// Settings that this back end puts into every container.
    fn environment(&self) -> BTreeMap<String, String>;

    /// What it cannot do on this machine, one sentence each.
    fn limits(&self) -> &[String];
}

/// Runs a handler over a socket.
pub(super) fn serve(handler: &Handler, mut stream: UnixStream) {
    handler(&mut stream);
}
