//! The thread of a task: does what the lifecycle decides, and never waits for ever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::backend::Backend;
use super::board::Board;
use super::container::Container;
use super::definition::TaskDefinition;
use super::lifecycle::Lifecycle;
use super::metadata::{Identity, REGION};
use super::task::Message;
use super::watch::{self, Watched};

/// How long a container may take to end after SIGKILL. A daemon that has lost a container must
/// fail one test, not hang them all.
const PATIENCE: Duration = Duration::from_mins(1);

/// What happens to a container that has not ended in time.
#[derive(Clone, Copy, Debug)]
enum Overdue {
    /// It gets SIGKILL.
    Kill,
    /// It counts as ended, with a line that says so.
    GiveUp,
}

/// The task's own thread.
pub(super) struct Runner {
    containers: Vec<Container>,
    environments: Vec<BTreeMap<String, String>>,
    lifecycle: Lifecycle,
    /// Containers that were asked to end, and what happens if they do not.
    overdue: BTreeMap<usize, (Instant, Overdue)>,
    backend: Arc<dyn Backend>,
    board: Arc<Board>,
    messages: SyncSender<Message>,
}

impl Runner {
    pub(super) fn new(
        definition: &TaskDefinition,
        environments: Vec<BTreeMap<String, String>>,
        backend: Arc<dyn Backend>,
        board: Arc<Board>,
        messages: SyncSender<Message>,
    ) -> Self {
        Self {
            containers: definition.containers.clone(),
            environments,
            lifecycle: Lifecycle::new(&definition.containers),
            overdue: BTreeMap::new(),
            backend,
            board,
            messages,
        }
    }

    pub(super) fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            self.act();
            if self.lifecycle.is_over() {
                break;
            }
            match inbox.recv_timeout(self.until_overdue()) {
                Ok(Message::Exited { index, code }) => {
                    if let Some(pid) = self.board.pid(index) {
                        self.backend.clear(&self.containers[index], pid);
                    }
                    self.overdue.remove(&index);
                    self.lifecycle.exited(index, code);
                    self.board.ended(index);
                }
                Ok(Message::Healthy { index }) => self.lifecycle.healthy(index),
                Ok(Message::Unhealthy { index }) if self.containers[index].essential => {
                    self.lifecycle.stop();
                }
                Ok(Message::Stop) => self.lifecycle.stop(),
                Ok(Message::Unhealthy { .. }) | Err(RecvTimeoutError::Timeout) => self.press(),
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
        let watched = Watched {
            container: self.containers[index].clone(),
            index,
            backend: Arc::clone(&self.backend),
            board: Arc::clone(&self.board),
            messages: self.messages.clone(),
        };
        let started = self
            .backend
            .start(&watched.container, &self.environments[index])
            .and_then(|command| watch::start(watched.clone(), command));
        self.lifecycle.started(index);
        match started {
            Ok(()) => watch::check(watched),
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
        let kill = Instant::now() + container.stop_timeout;
        self.overdue.insert(index, (kill, Overdue::Kill));
        self.lifecycle.signalled(index);
    }

    /// Deals with containers that have not ended in time.
    fn press(&mut self) {
        let now = Instant::now();
        let due: Vec<(usize, Overdue)> = self
            .overdue
            .iter()
            .filter(|(_, (time, _))| *time <= now)
            .map(|(&index, &(_, then))| (index, then))
            .collect();
        for (index, then) in due {
            match then {
                Overdue::Kill => {
                    if let Some(pid) = self.board.pid(index) {
                        let container = &self.containers[index];
                        drop(self.backend.signal(container, pid, Signal::SIGKILL));
                    }
                    self.overdue
                        .insert(index, (now + PATIENCE, Overdue::GiveUp));
                }
                Overdue::GiveUp => {
                    self.board
                        .print(index, "does not end after SIGKILL: given up");
                    self.overdue.remove(&index);
                    self.lifecycle.exited(index, 128 + Signal::SIGKILL as i32);
                    self.board.ended(index);
                }
            }
        }
    }

    fn until_overdue(&self) -> Duration {
        let next = self.overdue.values().map(|(time, _)| time).min();
        next.map_or(Duration::from_hours(1), |time| {
            time.saturating_duration_since(Instant::now())
        })
    }
}

/// What every container finds in its environment.
pub(super) fn environments(
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
