//! A running task: starts and stops containers as ECS does, and can be waited for.

use std::collections::BTreeMap;
use std::io;
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::backend::{Backend, Stream};
use super::board::Board;
use super::container::Container;
use super::definition::TaskDefinition;
use super::lifecycle::{Lifecycle, State};
use super::metadata::{Identity, REGION};
use super::watch;
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
        let runner = Runner {
            containers: definition.containers.clone(),
            environments,
            lifecycle: Lifecycle::new(&definition.containers),
            kills: BTreeMap::new(),
            backend: Arc::clone(&backend),
            board: Arc::clone(&board),
            messages: messages.clone(),
        };
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

/// The task's own thread.
struct Runner {
    containers: Vec<Container>,
    environments: Vec<BTreeMap<String, String>>,
    lifecycle: Lifecycle,
    /// Containers that got SIGTERM, and when they get SIGKILL.
    kills: BTreeMap<usize, Instant>,
    backend: Arc<dyn Backend>,
    board: Arc<Board>,
    messages: SyncSender<Message>,
}

impl Runner {
    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            self.act();
            if self.lifecycle.is_over() {
                break;
            }
            match inbox.recv_timeout(self.until_next_kill()) {
                Ok(Message::Exited { index, code }) => {
                    if let Some(pid) = self.board.pid(index) {
                        self.backend.clear(&self.containers[index], pid);
                    }
                    self.kills.remove(&index);
                    self.lifecycle.exited(index, code);
                    self.board.ended(index);
                }
                Ok(Message::Healthy { index }) => self.lifecycle.healthy(index),
                Ok(Message::Unhealthy { index }) if self.containers[index].essential => {
                    self.lifecycle.stop();
                }
                Ok(Message::Stop) => self.lifecycle.stop(),
                Ok(Message::Unhealthy { .. }) | Err(RecvTimeoutError::Timeout) => self.kill_late(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.board.publish(self.lifecycle.states());
        self.board.finish();
    }

    /// Starts and stops what is due, and tells the board.
    fn act(&mut self) {
        loop {
            let start = self.lifecycle.startable();
            let stop = self.lifecycle.stoppable();
            for &index in &start {
                self.start(index);
            }
            for &index in &stop {
                self.terminate(index);
            }
            if start.is_empty() && stop.is_empty() {
                break;
            }
        }
        self.board.publish(self.lifecycle.states());
    }

    fn start(&mut self, index: usize) {
        let container = &self.containers[index];
        let started = self
            .backend
            .start(container, &self.environments[index])
            .and_then(|command| watch::start(command, index, &self.board, &self.messages));
        self.lifecycle.started(index);
        match started {
            Ok(()) => watch::check(container, index, &self.backend, &self.board, &self.messages),
            Err(error) => {
                self.board.print(index, &format!("cannot start: {error}"));
                self.lifecycle.exited(index, 127);
            }
        }
    }

    fn terminate(&mut self, index: usize) {
        let container = &self.containers[index];
        if let Some(pid) = self.board.pid(index) {
            // It may have ended by itself; its end is on its way to the inbox then.
            drop(self.backend.signal(container, pid, Signal::SIGTERM));
        }
        self.kills
            .insert(index, Instant::now() + container.stop_timeout);
        self.lifecycle.signalled(index);
    }

    fn kill_late(&mut self) {
        let now = Instant::now();
        for (&index, &time) in &self.kills {
            if let Some(pid) = self.board.pid(index).filter(|_| time <= now) {
                drop(
                    self.backend
                        .signal(&self.containers[index], pid, Signal::SIGKILL),
                );
            }
        }
        self.kills.retain(|_, time| *time > now);
    }

    fn until_next_kill(&self) -> Duration {
        let next = self.kills.values().min();
        next.map_or(Duration::from_hours(1), |time| {
            time.saturating_duration_since(Instant::now())
        })
    }
}

/// What every container finds in its environment.
fn environments(
    definition: &TaskDefinition,
    identity: &Identity,
    backend: &dyn Backend,
) -> Vec<BTreeMap<String, String>> {
    let base = backend.metadata_address();
    let ecs = |index: usize| {
        let id = identity.container_id(index);
        [
            (
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                identity.credentials_path(),
            ),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("ECS_AGENT_URI", format!("{base}/api/{id}")),
            ("ECS_CONTAINER_METADATA_URI_V4", format!("{base}/v4/{id}")),
        ]
    };
    definition
        .containers
        .iter()
        .enumerate()
        .map(|(index, container)| {
            let mut environment = backend.environment();
            environment.extend(
                ecs(index)
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value)),
            );
            environment.extend(container.environment.clone());
            environment
        })
        .collect()
}
