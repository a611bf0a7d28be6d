//! What is known of a task's containers, for everybody who waits or asks.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::container::Container;
use super::lifecycle::State;
use super::metadata::ContainerView;
use crate::pace::Deadline;

/// Hears every line that a container prints, as it comes.
pub type Listener = Box<dyn Fn(&str, &str) + Send + Sync>;

/// The board. Whoever changes it wakes whoever waits.
pub(super) struct Board {
    rows: Mutex<Rows>,
    changed: Condvar,
    listener: Option<Listener>,
}

#[derive(Debug)]
struct Rows {
    containers: Vec<Row>,
    is_over: bool,
}

#[derive(Debug)]
struct Row {
    view: ContainerView,
    output: String,
    pid: Option<u32>,
}

impl fmt::Debug for Board {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows().fmt(out)
    }
}

impl Board {
    pub(super) fn new(containers: &[Container], listener: Option<Listener>) -> Self {
        let containers = containers
            .iter()
            .map(|container| Row {
                view: ContainerView {
                    name: container.name.clone(),
                    image: container.image.clone(),
                    state: State::Pending,
                    started: None,
                    finished: None,
                },
                output: String::new(),
                pid: None,
            })
            .collect();
        Self {
            rows: Mutex::new(Rows {
                containers,
                is_over: false,
            }),
            changed: Condvar::new(),
            listener,
        }
    }

    pub(super) fn views(&self) -> Vec<ContainerView> {
        self.rows()
            .containers
            .iter()
            .map(|row| row.view.clone())
            .collect()
    }

    pub(super) fn state(&self, index: usize) -> State {
        self.rows().containers[index].view.state
    }

    pub(super) fn output(&self, index: usize) -> String {
        self.rows().containers[index].output.clone()
    }

    pub(super) fn pid(&self, index: usize) -> Option<u32> {
        self.rows().containers[index].pid
    }

    pub(super) fn is_over(&self) -> bool {
        self.rows().is_over
    }

    pub(super) fn publish(&self, states: &[State]) {
        for (row, &state) in self.rows().containers.iter_mut().zip(states) {
            row.view.state = state;
        }
        self.changed.notify_all();
    }

    pub(super) fn began(&self, index: usize, pid: u32) {
        let mut rows = self.rows();
        let row = &mut rows.containers[index];
        row.pid = Some(pid);
        row.view.started = Some(SystemTime::now());
    }

    pub(super) fn ended(&self, index: usize) {
        let mut rows = self.rows();
        let row = &mut rows.containers[index];
        row.pid = None;
        row.view.finished = Some(SystemTime::now());
    }

    pub(super) fn finish(&self) {
        self.rows().is_over = true;
        self.changed.notify_all();
    }

    pub(super) fn print(&self, index: usize, line: &str) {
        let name = {
            let mut rows = self.rows();
            let row = &mut rows.containers[index];
            row.output.push_str(line);
            row.output.push('\n');
            row.view.name.clone()
        };
        self.changed.notify_all();
        if let Some(listener) = &self.listener {
            listener(&name, line);
        }
    }

    /// Asks after every change, until there is an answer or the time is up.
    pub(super) fn wait<T>(
        &self,
        deadline: Deadline,
        mut question: impl FnMut(&Self) -> Option<T>,
    ) -> Option<T> {
        loop {
            if let Some(answer) = question(self) {
                return Some(answer);
            }
            let left = deadline.left()?.min(std::time::Duration::from_millis(200));
            let rows = self.rows();
            // A change between the question and this wait is seen after 200 ms at the latest.
            drop(self.changed.wait_timeout(rows, left));
        }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
