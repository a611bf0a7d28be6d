//! One container of a task definition, in the runner's own terms.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a container needs of another one before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It has ended, whatever its exit code.
    Complete,
    /// Its health check has passed.
    Healthy,
    /// It has been started.
    Start,
    /// It has ended with exit code 0.
    Success,
}

impl Condition {
    /// Reads ECS's word.
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "COMPLETE" => Some(Self::Complete),
            "HEALTHY" => Some(Self::Healthy),
            "START" => Some(Self::Start),
            "SUCCESS" => Some(Self::Success),
            _ => None,
        }
    }
}

/// An entry of `DependsOn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The other container's name.
    pub container: String,
    /// What it must have reached.
    pub condition: Condition,
}

/// An entry of `VolumesFrom`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumesFrom {
    /// The container whose volumes appear in this one.
    pub source: String,
    /// Whether they may only be read here.
    pub read_only: bool,
}

/// How a container is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The command and its arguments; a `CMD-SHELL` is written out with `/bin/sh -c`.
    pub command: Vec<String>,
    /// Time between two checks.
    pub interval: Duration,
    /// Checks that may fail in a row.
    pub retries: u32,
    /// Time during which failures do not count.
    pub start_period: Duration,
}

/// A container, all defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent settings of ECS"
)]
pub struct Container {
    /// Its name, unique in the task.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whether the task ends with it.
    pub essential: bool,
    /// `EntryPoint`; the image's own when empty.
    pub entry_point: Vec<String>,
    /// `Command`; the image's own when empty.
    pub command: Vec<String>,
    /// `Environment`.
    pub environment: BTreeMap<String, String>,
    /// `User`, as `docker run --user` takes it.
    pub user: Option<String>,
    /// `WorkingDirectory`.
    pub working_directory: Option<String>,
    /// Whether the root file system may only be read.
    pub readonly_root: bool,
    /// Whether an init process comes first.
    pub init: bool,
    /// `PseudoTerminal`.
    pub pseudo_terminal: bool,
    /// Capabilities to add, without `CAP_`.
    pub add: Vec<String>,
    /// Capabilities to drop, without `CAP_`.
    pub drop: Vec<String>,
    /// What must have happened first.
    pub depends_on: Vec<Dependency>,
    /// `HealthCheck`.
    pub health_check: Option<HealthCheck>,
    /// Time between SIGTERM and SIGKILL.
    pub stop_timeout: Duration,
    /// Volumes of other containers.
    pub volumes_from: Vec<VolumesFrom>,
    /// Ports on which it listens.
    pub ports: Vec<u16>,
}
