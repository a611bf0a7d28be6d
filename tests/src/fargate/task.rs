//! A running task: starts and stops containers as ECS does, and can be waited for.

use std::io;
use std::process::{Command, Output};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use nix::sys::signal::Signal;

use super::backend::{Backend, Stream};
use super::board::Board;
use super::container::Container;
use super::definition::TaskDefinition;
use super::lifecycle::State;
use super::metadata::Identity;
use super::runner::{Runner, environments};
use crate::pace::Deadline;

/// What the task's own thread is told.
#[derive(Debug)]
pub(super) enum Message {
    /// A container ended.
    Exited { index: usize, code: i32 },
    /// A container's health check passed.
    Healthy { index: usize },
    /// A container's health check failed too often.
    Unhealthy { index: usize },
    /// Somebody wants the task to end.
    Stop,
}

/// Why a wait ended without what was waited for.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The hard end of the wait, or of what was waited for.
    #[error("{what} of `{container}` did not come; its output was:\n{output}")]
    Missing {
        /// What was waited for.
        what: String,
        /// The container.
        container: String,
        /// What it had printed.
        output: String,
    },
    /// There is no such container.
    #[error("no container `{0}`")]
    Unknown(String),
}

/// A task and its thread. Ends the task when it is dropped.
#[derive(Debug)]
pub struct Task {
    identity: Identity,
    containers: Vec<Container>,
    backend: Arc<dyn Backend>,
    board: Arc<Board>,
    messages: SyncSender<Message>,
    runner: Mutex<Option<JoinHandle<()>>>,
}

impl Task {
    /// Starts a task: from here on it runs by itself.
    pub(super) fn start(
        definition: &TaskDefinition,
        identity: Identity,
        backend: Arc<dyn Backend>,
        board: Arc<Board>,
    ) -> Self {
        let (messages, inbox) = sync_channel(64);
        let environments = environments(definition, &identity, backend.as_ref());
        let names = definition
            .containers
            .iter()
            .map(|container| container.name.clone());
        backend.prepare(&names.zip(environments.iter().cloned()).collect::<Vec<_>>());
        let runner = Runner::new(
            definition,
            environments,
            Arc::clone(&backend),
            Arc::clone(&board),
            messages.clone(),
        );
        Self {
            identity,
            containers: definition.containers.clone(),
            backend,
            board,
            messages,
            runner: Mutex::new(Some(thread::spawn(move || runner.run(&inbox)))),
        }
    }

    /// Who the task is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the back end cannot do here.
    pub fn limits(&self) -> &[String] {
        self.backend.limits()
    }

    /// Where programs inside reach an opening, if they can.
    pub fn address_of(&self, opening: &str) -> Option<String> {
        self.backend.address_of(opening)
    }

    /// Where programs inside reach the metadata and the credentials.
    pub fn metadata_address(&self) -> String {
        self.backend.metadata_address()
    }

    /// Connects to a port of the task.
    pub fn connect(&self, port: u16) -> io::Result<Box<dyn Stream>> {
        self.backend.connect(port)
    }

    /// The output of a container so far.
    pub fn output(&self, container: &str) -> String {
        self.index(container)
            .map_or_else(|_| String::new(), |index| self.board.output(index))
    }

    /// The state of a container.
    pub fn state(&self, container: &str) -> Result<State, WaitError> {
        Ok(self.board.state(self.index(container)?))
    }

    /// Waits for a line of output that contains `text`, and returns it.
    pub fn wait_for_line(
        &self,
        container: &str,
        text: &str,
        deadline: Deadline,
    ) -> Result<String, WaitError> {
        let what = format!("a line with `{text}`");
        self.wait_for_output(container, &what, deadline, |output| {
            output
                .lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
        })
    }

    /// Waits until a container's output has what `find` looks for; `what` names it in the error.
    pub fn wait_for_output<T>(
        &self,
        container: &str,
        what: &str,
        deadline: Deadline,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, WaitError> {
        let index = self.index(container)?;
        // A container that has ended prints nothing more.
        self.board
            .wait(deadline, |board| {
                let is_over = board.state(index).is_over();
                let found = find(&board.output(index));
                (is_over || found.is_some()).then_some(found)
            })
            .flatten()
            .ok_or_else(|| self.missing(container, what))
    }

    /// Waits for a container's end and returns its exit code.
    pub fn wait_for_exit(&self, container: &str, deadline: Deadline) -> Result<i32, WaitError> {
        let index = self.index(container)?;
        self.board
            .wait(deadline, |board| match board.state(index) {
                State::Stopped { code } => Some(code),
                _ => None,
            })
            .ok_or_else(|| self.missing(container, "the end"))
    }

    /// Waits until a container is in a state that `accepts`.
    pub fn wait_for_state(
        &self,
        container: &str,
        deadline: Deadline,
        accepts: impl Fn(State) -> bool,
    ) -> Result<State, WaitError> {
        let index = self.index(container)?;
        self.board
            .wait(deadline, |board| {
                Some(board.state(index)).filter(|&state| accepts(state))
            })
            .ok_or_else(|| self.missing(container, "a state"))
    }

    /// Sends a signal to the first process of a container.
    pub fn signal(&self, container: &str, signal: Signal) -> io::Result<()> {
        let index = self.index(container).map_err(io::Error::other)?;
        match self.board.pid(index) {
            Some(pid) => self.backend.signal(&self.containers[index], pid, signal),
            None => Err(io::Error::other(format!("`{container}` is not running"))),
        }
    }

    /// Runs a command beside a container's program and waits for it.
    pub fn run_beside(&self, container: &str, words: &[&str]) -> io::Result<Output> {
        let index = self.index(container).map_err(io::Error::other)?;
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let mut command: Command = self.backend.beside(&self.containers[index], &words)?;
        command.output()
    }

    /// Process id, on this machine, of the command that a container is.
    pub fn pid(&self, container: &str) -> Option<u32> {
        self.board.pid(self.index(container).ok()?)
    }

    /// Asks the task to end, as `ecs stop-task` does, and waits until it has.
    pub fn stop(&self) {
        // The thread may have ended with its task.
        drop(self.messages.send(Message::Stop));
        self.join();
    }

    /// Waits until every container has ended.
    pub fn wait_until_over(&self, deadline: Deadline) -> bool {
        self.board
            .wait(deadline, |board| board.is_over().then_some(()))
            .is_some()
    }

    fn join(&self) {
        let runner = self.runner.lock().ok().and_then(|mut runner| runner.take());
        // A panic in the thread is in its output already.
        drop(runner.map(JoinHandle::join));
    }

    fn index(&self, container: &str) -> Result<usize, WaitError> {
        self.containers
            .iter()
            .position(|other| other.name == container)
            .ok_or_else(|| WaitError::Unknown(container.to_owned()))
    }

    fn missing(&self, container: &str, what: &str) -> WaitError {
        WaitError::Missing {
            what: what.to_owned(),
            container: container.to_owned(),
            output: self.output(container),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.stop();
    }
}
