//! Decides what starts and what stops, and when. Pure: no process, no clock.
//!
//! The rules are ECS's: a container starts when what it depends on has got there; the task ends
//! with its first essential container; a stop goes against the direction of `dependsOn`.

use super::container::{Condition, Container};

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started yet.
    Pending,
    /// Running.
    Running {
        /// Whether its health check has passed.
        healthy: bool,
    },
    /// Asked to end.
    Stopping,
    /// Ended with this exit code; 128 and the signal's number when a signal ended it.
    Stopped {
        /// The exit code.
        code: i32,
    },
    /// Will never start: what it waits for cannot happen any more, or the task ends.
    Skipped,
}

impl State {
    /// Whether nothing more will happen to it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Stopped { .. } | Self::Skipped)
    }
}

/// The states of all containers of a task.
#[derive(Clone, Debug)]
pub(super) struct Lifecycle {
    containers: Vec<Container>,
    states: Vec<State>,
    stopping: bool,
}

impl Lifecycle {
    pub(super) fn new(containers: &[Container]) -> Self {
        let mut lifecycle = Self {
            states: vec![State::Pending; containers.len()],
            containers: containers.to_vec(),
            stopping: false,
        };
        lifecycle.settle();
        lifecycle
    }

    pub(super) fn states(&self) -> &[State] {
        &self.states
    }

    /// Containers that can start at this moment.
    pub(super) fn startable(&self) -> Vec<usize> {
        if self.stopping {
            return Vec::new();
        }
        self.pending()
            .filter(|&index| self.verdict(index) == Verdict::Met)
            .collect()
    }

    /// Containers that must get SIGTERM at this moment: nothing that runs depends on them.
    pub(super) fn stoppable(&self) -> Vec<usize> {
        if !self.stopping {
            return Vec::new();
        }
        let is_up = |index: usize| matches!(self.states[index], State::Running { .. });
        (0..self.containers.len())
            .filter(|&index| is_up(index) && !self.is_needed(index))
            .collect()
    }

    pub(super) fn started(&mut self, index: usize) {
        self.states[index] = State::Running { healthy: false };
    }

    pub(super) fn healthy(&mut self, index: usize) {
        if let State::Running { healthy } = &mut self.states[index] {
            *healthy = true;
        }
    }

    pub(super) fn signalled(&mut self, index: usize) {
        self.states[index] = State::Stopping;
    }

    pub(super) fn exited(&mut self, index: usize, code: i32) {
        self.states[index] = State::Stopped { code };
        if self.containers[index].essential {
            self.stop();
        }
        self.settle();
    }

    /// Ends the task.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        for state in &mut self.states {
            if *state == State::Pending {
                *state = State::Skipped;
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.states.iter().all(|state| state.is_over())
    }

    /// Gives up containers whose turn can never come; an essential one takes the task with it.
    fn settle(&mut self) {
        loop {
            let lost = self
                .pending()
                .find(|&index| self.verdict(index) == Verdict::Never);
            let Some(lost) = lost else { break };
            self.states[lost] = State::Skipped;
            if self.containers[lost].essential {
                self.stop();
            }
        }
    }

    fn pending(&self) -> impl Iterator<Item = usize> {
        (0..self.states.len()).filter(|&index| self.states[index] == State::Pending)
    }

    fn verdict(&self, index: usize) -> Verdict {
        let verdicts = self.containers[index].depends_on.iter().map(|dependency| {
            match self.index_of(&dependency.container) {
                Some(other) => judge(dependency.condition, self.states[other]),
                None => Verdict::Never,
            }
        });
        // `Never` outranks `Open`, which outranks `Met`.
        verdicts.max().unwrap_or(Verdict::Met)
    }

    /// Whether a container that still runs depends on this one.
    fn is_needed(&self, index: usize) -> bool {
        let name = &self.containers[index].name;
        self.containers
            .iter()
            .zip(&self.states)
            .any(|(other, state)| {
                let runs = matches!(state, State::Running { .. } | State::Stopping);
                runs && other
                    .depends_on
                    .iter()
                    .any(|dependency| dependency.container == *name)
            })
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.containers
            .iter()
            .position(|container| container.name == name)
    }
}

/// What a condition comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Met,
    Open,
    Never,
}

fn judge(condition: Condition, state: State) -> Verdict {
    match (condition, state) {
        (Condition::Start, State::Running { .. } | State::Stopping | State::Stopped { .. })
        | (Condition::Healthy, State::Running { healthy: true })
        | (Condition::Complete, State::Stopped { .. })
        | (Condition::Success, State::Stopped { code: 0 }) => Verdict::Met,
        (_, State::Skipped) | (Condition::Healthy | Condition::Success, State::Stopped { .. }) => {
            Verdict::Never
        }
        (_, State::Pending | State::Running { .. } | State::Stopping) => Verdict::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fargate::definition::TaskDefinition;

    /// Each line: name, `!` when not essential, dependencies as `name:CONDITION`.
    fn lifecycle(lines: &[&str]) -> Lifecycle {
        let containers: Vec<serde_json::Value> = lines
            .iter()
            .map(|line| {
                let mut words = line.split(' ');
                let name = words.next().unwrap();
                let depends: Vec<_> = words
                    .filter_map(|word| word.split_once(':'))
                    .map(|(name, condition)| {
                        serde_json::json!({"containerName": name, "condition": condition})
                    })
                    .collect();
                serde_json::json!({
                    "name": name.trim_end_matches('!'),
                    "image": "i",
                    "essential": !name.ends_with('!'),
                    "dependsOn": depends,
                })
            })
            .collect();
        let json = serde_json::json!({"containerDefinitions": containers}).to_string();
        Lifecycle::new(&TaskDefinition::parse(&json).unwrap().containers)
    }

    #[test]
    fn starts_follow_the_conditions() {
        let mut task = lifecycle(&["web s:HEALTHY", "s!", "init!", "job! init:SUCCESS"]);
        assert_eq!(task.startable(), [1, 2]);
        task.started(1);
        task.started(2);
        assert!(task.startable().is_empty());
        task.healthy(1);
        assert_eq!(task.startable(), [0]);
        task.exited(2, 0);
        assert_eq!(task.startable(), [0, 3]);
    }

    #[test]
    fn stops_go_against_the_direction_of_depends_on() {
        let mut task = lifecycle(&["web s:START", "worker! web:START", "s!"]);
        for index in [2, 0, 1] {
            assert!(task.startable().contains(&index));
            task.started(index);
        }
        task.stop();
        assert_eq!(task.stoppable(), [1]);
        task.signalled(1);
        assert!(task.stoppable().is_empty());
        task.exited(1, 0);
        assert_eq!(task.stoppable(), [0]);
        task.exited(0, 143);
        assert_eq!(task.stoppable(), [2]);
        task.exited(2, 0);
        assert!(task.is_over());
    }

    #[test]
    fn an_essential_container_ends_the_task() {
        let mut task = lifecycle(&["web", "helper!", "later! web:HEALTHY"]);
        task.started(0);
        task.started(1);
        task.exited(1, 1);
        assert!(task.stoppable().is_empty());
        task.exited(0, 3);
        assert_eq!(task.states()[2], State::Skipped);
        assert!(task.is_over());
    }

    #[test]
    fn a_condition_that_cannot_come_true_ends_the_task() {
        let mut task = lifecycle(&["web init:SUCCESS", "init!", "idle!"]);
        task.started(1);
        task.started(2);
        task.exited(1, 1);
        assert_eq!(task.states()[0], State::Skipped);
        assert_eq!(task.stoppable(), [2]);
    }

    #[test]
    fn a_dependency_on_nobody_never_comes_true() {
        let task = lifecycle(&["web ghost:START"]);
        assert!(task.is_over());
    }
}
